"""Signs and few bits with gradients that pass straight through: the original's numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.contrib.netopt.custom_convolution_ops import (
    CustomMultibit,
    CustomMultibitKernel,
    CustomPySign,
    CustomSign,
    Multibit,
)

ROW = np.float32([[-2, -1, -0.5, 0, 0.5, 1, 1.5]])
FACTORS = np.float32([1, 2, 3, 4, 5, 6, 7])
ALL = FACTORS.tolist()
MEAN = 0.92857146
BITS = [1, 2, 1, 2, 1, 2, 3]
SIGNS = [-1, -1, -1, -1, 1, 1, 1]

# bits -> the original's values and gradients, the sum of the elements times 1 to 7 being
# differentiated
ROWS: dict[str, tuple[Any, list[float], list[float]]] = {
    "one": (1, [MEAN * s for s in SIGNS], [0, 2, 3, 4, 5, 6, 0]),
    "two": (
        2,
        [-1.4387755, -1.4387755, -0.4183674, -0.4183674, 0.4183674, 1.4387755, 1.4387755],
        ALL,
    ),
    "three": (
        3,
        [-1.7361517, -1.1413994, -0.7157435, -0.12099129, 0.7157435, 1.1413994, 1.7361517],
        ALL,
    ),
    "map": (
        BITS,
        [-MEAN, -1.3392857, -MEAN, -0.5178572, MEAN, 1.3392857, 1.5],
        [0, 2, 3, 4, 5, 6, 7],
    ),
    "some have none": (
        [0, 2, 1, 2, 1, 2, 3],
        [0, -1.25, -0.75, -0.25, 0.75, 1.25, 1.5],
        [0, 2, 3, 4, 5, 6, 7],
    ),
    "none": (0, [0] * 7, [0, 0, 0, 4, 0, 0, 0]),
    "fewer than none": (-1, [0] * 7, [0] * 7),
}


def gradient(function: C.Function, x: Any, value: Any, factors: Any = FACTORS) -> Any:
    return C.reduce_sum(function * C.constant(factors)).grad(
        {x: value} if x.is_input else {}, wrt=[x]
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ROWS)
def test_bits(name: str, dtype: Any) -> None:
    bits, value, wanted = ROWS[name]
    x = C.input_variable(7, dtype, needs_gradient=True)
    function = CustomMultibit(x, bits)
    np.testing.assert_allclose(function.eval(ROW.astype(dtype))[0], value, atol=2e-7)
    np.testing.assert_array_equal(
        gradient(function, x, ROW.astype(dtype), FACTORS.astype(dtype))[0], wanted
    )


@pytest.mark.parametrize("make", [CustomSign, CustomPySign])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_signs(make: Any, dtype: Any) -> None:
    """The original's `CustomSign` cannot compute its gradient; it is `CustomPySign`'s."""
    x = C.input_variable(7, dtype, needs_gradient=True)
    found = make(x).eval(ROW.astype(dtype))
    assert found.dtype == dtype and found.tolist() == [SIGNS]
    assert gradient(make(x), x, ROW.astype(dtype), FACTORS.astype(dtype)).tolist() == [
        [0, 2, 3, 4, 5, 6, 0]
    ]


@pytest.mark.parametrize(
    "make", [CustomSign, CustomPySign, lambda x: CustomMultibit(x, 2)], ids=["sign", "py", "bits"]
)
def test_sequences_and_batches_are_as_samples_one_by_one(make: Any) -> None:
    rows = np.concatenate([ROW, 2 * ROW + 1, 0 * ROW])
    x = C.input_variable(7, needs_gradient=True)
    alone = np.concatenate([make(x).eval(row[None]) for row in rows])
    gradients = np.concatenate([gradient(make(x), x, row[None]) for row in rows])
    s = C.sequence.input_variable(7, needs_gradient=True)
    found = make(s).eval({s: [rows, rows[1:]]})
    np.testing.assert_array_equal(make(x).eval(rows), alone)
    np.testing.assert_array_equal(gradient(make(x), x, rows), gradients)
    np.testing.assert_array_equal(np.concatenate(found), np.concatenate([alone, alone[1:]]))
    np.testing.assert_array_equal(gradient(make(s), s, [rows, rows[1:]])[1], gradients[1:])


FILTERS = (np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2) - 11) / 8
MAP = np.ones((2, 3, 2, 2), int)
MAP[:, 0] = 2
MAP[1, 1] = 3


def test_bits_of_a_parameter() -> None:
    filters = C.parameter((2, 3, 2, 2), init=FILTERS)
    function = CustomMultibit(filters, MAP)
    wanted = [-1.0833334, -0.75, -0.75, 0.41666666, (0.625, 0.875), 0.75]
    found = [np.unique(channel.round(6)) for kernel in function.eval() for channel in kernel]
    for values, w in zip(found, wanted, strict=True):
        np.testing.assert_allclose(values, np.atleast_1d(w), atol=1e-6)
    found = gradient(function, filters, None, FILTERS + 1)
    np.testing.assert_array_equal(found, np.where(np.abs(FILTERS) <= MAP, FILTERS + 1, 0))


def test_bits_of_filters_have_scales_of_their_own() -> None:
    """The original cannot make this function; it is what its text says."""
    filters = C.parameter((2, 3, 2, 2), init=FILTERS)
    one = np.stack(
        [
            np.full((3, 2, 2), -np.abs(FILTERS[0]).mean()),
            np.full((3, 2, 2), np.abs(FILTERS[1]).mean()),
        ]
    )
    np.testing.assert_allclose(CustomMultibitKernel(filters, 1).eval(), one)
    for bits in (1, 2, MAP):
        each = [
            CustomMultibit(C.constant(f), np.broadcast_to(bits, (2, 3, 2, 2))[k]).eval()
            for k, f in enumerate(FILTERS)
        ]
        np.testing.assert_allclose(
            CustomMultibitKernel(filters, bits).eval(), np.stack(each), atol=1e-6
        )
    found = gradient(CustomMultibitKernel(filters, MAP), filters, None, FILTERS + 1)
    np.testing.assert_array_equal(found, np.where(np.abs(FILTERS) <= MAP, FILTERS + 1, 0))


def test_numbers_of_bits_are_drawn_as_by_the_original(capsys: pytest.CaptureFixture[str]) -> None:
    np.random.seed(0)
    function = CustomMultibit(C.input_variable(7), None, mean_bits=2)
    assert np.random.rand() == 0.9636627605010293 and capsys.readouterr().out == "Mean Bits:  3.0\n"
    wanted = [-1.8920635, -1.5119048, -0.5761905, 0.03492062, 0.42698413, 0.92857146, 1.2809525]
    np.testing.assert_allclose(function.eval(ROW)[0], wanted, atol=2e-7)


@pytest.mark.parametrize(
    "make",
    [
        CustomSign,
        CustomPySign,
        lambda x: CustomMultibit(x, BITS),
        lambda x: CustomMultibitKernel(x, BITS),
    ],
    ids=["sign", "py", "bits", "kernel"],
)
def test_copies_and_files(make: Any, tmp_path: Any) -> None:
    function = make(C.input_variable(7))
    function.save(tmp_path / "signs.model")
    loaded = C.Function.load(tmp_path / "signs.model")
    copied = function.clone("share", {function.arguments[0]: C.input_variable(7)})
    for other in (loaded, copied):
        np.testing.assert_array_equal(other.eval(ROW), function.eval(ROW))
        assert other.root_function.name == function.root_function.name


def test_what_files_hold_of_bits() -> None:
    function = Multibit(C.input_variable(7), np.array(BITS))
    state = function.serialize()
    assert state["bit_map"].dtype == np.float32 and state["bit_map"].tolist() == BITS
    again = Multibit.deserialize(function.inputs, "again", state)
    assert again.name == "again" and again.bit_map.tolist() == BITS


@pytest.mark.parametrize("bits", [1e9, 0.5, np.nan])
def test_files_with_impossible_bits_are_refused(bits: float) -> None:
    with pytest.raises(ValueError, match="broken: bit_map must hold integers"):
        Multibit.deserialize([C.input_variable(7)], "broken", {"bit_map": np.float32([bits] * 7)})


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda: CustomMultibit(C.input_variable(7), [1, 2]),
            r"shape \[7\], and is of shape \[2\]",
        ),
        (lambda: CustomMultibit(C.placeholder(), 1), "must be known"),
        (lambda: CustomMultibitKernel(C.input_variable((C.FreeDimension, 3)), 1), r"\[\* x 3\]"),
    ],
    ids=["shape", "placeholder", "free"],
)
def test_errors(make: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        make()


def test_fractions_of_bits_are_refused() -> None:
    with pytest.raises(RuntimeError, match="integer"):
        CustomMultibit(C.input_variable(7), np.array(BITS, float)).eval(ROW)
