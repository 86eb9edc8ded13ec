"""Initial values against what the original drew, and the ranges that it was seen to use for each
shape and rank.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from cntk import initializer as I
from cntk._runtime.random.initial_values import Ranked

SEVEN = {  # float64, shape (2, 3), seed 7
    "uniform": (I.uniform(0.3), [0.15263118249171476, 0.2695807217355865, -0.22955143137928913,
                                 0.23514790602748586, -0.2152370620777279, -0.26694410489763415]),
    "normal": (I.normal(0.3), [0.28898470352676237, -0.4969153584827563, -0.03460788763773389,
                               -0.13931399444216339, 0.03638266205362537, -0.027635732446021424]),
    "truncated": (I.truncated_normal(0.3), [0.28898470352676237, -0.4969153584827563, -0.03460788763773389,
                                            -0.13931399444216339, 0.03638266205362537, -0.027635732446021424]),
    "xavier": (I.xavier(2), [1.2462283864744093, 2.201117375811351, -1.8742795886825507,
                             1.9199746128375637, -1.7574032527539352, -2.1795894894773054]),
    "glorot_uniform": (I.glorot_uniform(2), [1.1146605550586632, 1.968739231508053, -1.6764066276538117,
                                             1.7172774997514533, -1.5718692548148177, -1.9494841046061269]),
    "glorot_normal": (I.glorot_normal(2), [1.218466496124084, -2.0951791161661095, -0.14591966658989775,
                                           -0.5873993764977001, 0.1534027725728471, -0.11652247911525866]),
    "he_uniform": (I.he_uniform(2), [1.7624330859664488, 3.112850045247489, -2.6506316139939297,
                                     2.715254136886915, -2.4853435146032075, -3.0824050164246555]),
    "he_normal": (I.he_normal(2), [1.926564690178416, -3.312769056551709, -0.23071925091822593,
                                   -0.928759962947756, 0.24255108035750247, -0.1842382163068095]),
}  # fmt: skip

FANS = [  # shape, output_rank, filter_rank, fan_in, fan_out
    ((20011,), None, None, 1, 20011),
    ((20011,), 0, 1, 20011, 20011),
    ((101, 211), None, None, 101, 211),
    ((101, 211), 1, 1, 211, 101 * 211),
    ((101, 211), -1, 1, 211, 101 * 211),
    ((101, 211), 2, 0, 1, 101 * 211),
    ((11, 29, 61), 1, 1, 11 * 61, 29 * 61),
    ((11, 29, 61), 2, None, 11, 29 * 61),
    ((13, 17, 19, 23), -1, 2, 17 * 19 * 23, 13 * 19 * 23),
    ((13, 17, 19, 23), -1, 3, 17 * 19 * 23, 13 * 17 * 19 * 23),
    ((13, 17, 19, 23), -2, 2, 19 * 23, 13 * 17 * 19 * 23),
    ((13, 17, 19, 23), 1, 2, 13 * 19 * 23, 17 * 19 * 23),
    ((11, 13, 17, 5, 3), 2, 1, 11 * 13 * 3, 17 * 5 * 3),
]


def ranks(output_rank, filter_rank):
    given = {"output_rank": output_rank, "filter_rank": filter_rank}
    return {name: rank for name, rank in given.items() if rank is not None}


@pytest.mark.parametrize("name", SEVEN)
@pytest.mark.parametrize(
    "dtype, tolerance", [("float64", 1e-12), ("float32", 1e-7), ("float16", 1e-3)]
)
def test_values_are_the_originals(name, dtype, tolerance):
    initializer, expected = SEVEN[name]
    value = initializer.sample((2, 3), np.dtype(dtype), 7)
    assert value.dtype == dtype
    np.testing.assert_allclose(value.ravel(), expected, rtol=tolerance)


@pytest.mark.parametrize("shape, output_rank, filter_rank, fan_in, fan_out", FANS)
def test_fans(shape, output_rank, filter_rank, fan_in, fan_out):
    initializer = I.xavier(**ranks(output_rank, filter_rank))
    assert isinstance(initializer, Ranked)
    assert initializer.fans(shape) == (fan_in, fan_out)


@pytest.mark.parametrize(
    "make, is_uniform, spread",
    [
        (I.xavier, True, lambda fan_in, fan_out: math.sqrt(3 / fan_in)),
        (I.glorot_uniform, True, lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out))),
        (I.he_uniform, True, lambda fan_in, fan_out: math.sqrt(6 / fan_in)),
        (I.glorot_normal, False, lambda fan_in, fan_out: math.sqrt(2 / (fan_in + fan_out))),
        (I.he_normal, False, lambda fan_in, fan_out: math.sqrt(2 / fan_in)),
    ],
)
@pytest.mark.parametrize("scale", [1, 2.5])
def test_spread(make, is_uniform, spread, scale):
    value = make(scale, output_rank=-1, filter_rank=2).sample(
        (32, 24, 5, 7), np.dtype("float64"), 3
    )
    expected = scale * spread(24 * 35, 32 * 35)
    if is_uniform:
        assert 0.999 * expected < np.abs(value).max() <= expected
    else:
        assert value.std() == pytest.approx(expected, rel=0.02)
    assert abs(value.mean()) < 0.03 * expected


def test_truncated_normal_ends_at_two_deviations():
    value = I.truncated_normal(0.5).sample((300, 300), np.dtype("float32"), 2)
    assert 0.999 < np.abs(value).max() <= 1
    assert value.std() == pytest.approx(0.4398, abs=0.003)


def test_seeds():
    shape, dtype = (4, 5), np.dtype("float32")
    first, again, other = (I.glorot_uniform().sample(shape, dtype, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)
    assert (
        I.uniform(1).seed is None
        and I.uniform(1, seed=I.SentinelValueForAutoSelectRandomSeed).seed is None
    )
    assert I.uniform(1, seed=9).seed == 9 and I.uniform(1).seeded(4) == I.uniform(1, seed=4)


@pytest.mark.parametrize(
    "initializer", [I.uniform(1), I.normal(1), I.truncated_normal(1), I.he_normal()]
)
def test_empty_shapes(initializer):
    assert initializer.sample((3, 0), np.dtype("float32"), 1).shape == (3, 0)


def test_bilinear():
    value = I.bilinear(4, 4).sample((2, 2, 4, 4), np.dtype("float32"), 0)
    ramp = np.array([0.25, 0.75, 0.75, 0.25])
    for k in range(2):
        np.testing.assert_allclose(value[k, k], np.outer(ramp, ramp))
        assert not value[k, 1 - k].any()
    np.testing.assert_allclose(
        I.bilinear(5, 5).sample((1, 1, 5, 5), np.dtype("float64"), 0)[0, 0, 2],
        [1 / 3, 2 / 3, 1, 2 / 3, 1 / 3],
    )


@pytest.mark.parametrize("size, shape", [((5, 3), (2, 2, 3, 5)), ((4, 4), (3, 2, 4, 4)), ((4, 4), (4, 4)),
                                         ((4, 4), (2, 2, 3, 3))])  # fmt: skip
def test_bilinear_refuses(size, shape):
    with pytest.raises(ValueError, match="bilinear: "):
        I.bilinear(*size).sample(shape, np.dtype("float32"), 0)


@pytest.mark.parametrize(
    "initializer, kind",
    [(I.uniform(0), "uniform1"), (I.glorot_uniform(-1), "glorotUniform"), (I.truncated_normal(0), "TruncNormal"),
     (I.normal(float("nan")), "normal")],
)  # fmt: skip
def test_scales_that_are_not_positive(initializer, kind):
    with pytest.raises(
        ValueError, match=f"CreateInitializer: parameter 'hidden_W'.*'{kind}'.*greater than 0"
    ):
        initializer.validate("hidden_W")


def test_with_rank():
    conv = I.initializer_with_rank(I.glorot_uniform(3, seed=2), output_rank=-1, filter_rank=2)
    assert conv == I.glorot_uniform(3, output_rank=-1, filter_rank=2, seed=2)
    assert I.initializer_with_rank(conv, -1, 2) == conv == I.initializer_with_rank(conv)
    for unranked in (I.uniform(1), I.truncated_normal(1), I.bilinear(2, 2)):
        assert I.initializer_with_rank(unranked, 1, 2) is unranked
    with pytest.raises(ValueError, match="already has output_rank -1"):
        I.initializer_with_rank(conv, output_rank=1)
    with pytest.raises(TypeError, match="expected an initializer"):
        I.initializer_with_rank(0.5, output_rank=1)


@pytest.mark.parametrize("output_rank, filter_rank, shape", [(None, 1, (5,)), (3, 0, (2, 2)), (-1, 3, (2, 2, 2)),
                                                             (1, -1, (2, 2)), (None, None, ())])  # fmt: skip
def test_ranks_beyond_the_shape(output_rank, filter_rank, shape):
    with pytest.raises(ValueError, match="filter_rank .* and output_rank"):
        I.he_normal(**ranks(output_rank, filter_rank)).sample(shape, np.dtype("float32"), 1)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: I.uniform("wide"), "uniform: scale: expected a number, got 'wide'"),
        (lambda: I.normal(1, output_rank=1.5), "normal: output_rank: expected an integer"),
        (lambda: I.xavier(seed=0.5), "xavier: seed: expected an integer"),
    ],
)
def test_arguments_of_wrong_kind(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_seeds_out_of_range():
    with pytest.raises(ValueError, match="expected a seed from 0"):
        I.uniform(1, seed=-1)
