"""Dropout while training: how many elements are zero, what becomes of the others, which seeds give
the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C

ONES = np.ones((1, 20_000), np.float32)


def trained(f: Any, x: Any) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and output of a training pass."""
    gradient, output = f.grad({x: ONES}, [x], [f.output])
    return np.asarray(gradient), np.asarray(output)


def dropped(rate: float, seed: int = 5, name: str = "") -> tuple[Any, Any]:
    x = C.input_variable(ONES.shape[1], needs_gradient=True)
    return C.dropout(x, rate, seed, name), x


@pytest.mark.parametrize("rate", [0.1, 0.25, 0.5, 0.9])
def test_share_and_scale(rate: float) -> None:
    gradient, output = trained(*dropped(rate))
    np.testing.assert_allclose(np.unique(output), [0, 1 / (1 - rate)], rtol=1e-6)
    np.testing.assert_array_equal(gradient, output)
    assert abs((output == 0).mean() - rate) < 0.02


def test_each_pass_has_a_mask_of_its_own() -> None:
    f, x = dropped(0.5)
    assert (trained(f, x)[1] != trained(f, x)[1]).any()


def test_the_seed_decides() -> None:
    same, again, other = (trained(*dropped(0.5, seed))[1] for seed in (5, 5, 6))
    np.testing.assert_array_equal(same, again)
    assert (same != other).any()


def test_two_of_the_same_seed_in_one_graph_drop_alike_and_apart_from_a_third() -> None:
    x = C.input_variable(ONES.shape[1], needs_gradient=True)
    f, g, h = C.dropout(x, 0.5, 5), C.dropout(x, 0.5, 5), C.dropout(x, 0.5)
    both = (C.abs(f - g) + 2 * C.element_times(C.equal(f, h), 1)).output
    _, output = C.combine(both).grad({x: ONES}, [x], [both])
    assert set(np.unique(output)) == {0.0, 2.0}


def test_attributes() -> None:
    f, _ = dropped(0.3, 42)
    assert f.root_function.attributes == {"dropoutRate": 0.3, "rngSeed": 42, "rngOffset": 0}
    f.set_attribute("dropoutRate", 0.5)
    assert f.root_function.attributes["dropoutRate"] == 0.5
    with pytest.raises(ValueError, match="rngOffset"):
        f.set_attribute("rngOffset", 1)


def test_a_changed_rate_is_used() -> None:
    f, x = dropped(0.1)
    trained(f, x)
    f.set_attribute("dropoutRate", 0.75)
    assert abs((trained(f, x)[1] == 0).mean() - 0.75) < 0.02
    f.set_attribute("dropoutRate", 0.0)
    np.testing.assert_array_equal(trained(f, x)[1], ONES)


def test_automatic_seeds_differ() -> None:
    x = C.input_variable(2)
    seeds = [C.dropout(x, 0.5).root_function.attributes["rngSeed"] for _ in range(2)]
    assert seeds[0] != seeds[1]


@pytest.mark.parametrize("rate", [-0.1, 1.0, 1.5])
def test_rates_out_of_range(rate: float) -> None:
    with pytest.raises(ValueError, match=r"interval \[0, 1\)"):
        dropped(rate)
