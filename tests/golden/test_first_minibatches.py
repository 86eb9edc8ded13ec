"""From the same parameters and data, ten minibatches bring the same losses, errors and parameters
as the original's.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.golden.first_minibatches import CASES, NUM_MINIBATCHES, run


def load(name: str) -> dict[str, np.ndarray]:
    with np.load(
        Path(__file__).with_name(f"first_minibatches_{name}.npz"), allow_pickle=False
    ) as file:
        return dict(file)


def starting_with(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names start with the prefix, by the rest of the name."""
    return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}


@pytest.mark.parametrize("name", CASES)
def test_first_minibatches_are_the_originals(name: str) -> None:
    case, recorded = CASES[name], load(name)
    network = case.build()
    parameters, initial = network.model.parameters, starting_with(recorded, "initial_")
    assert [parameter.shape for parameter in parameters] == [
        value.shape for value in initial.values()
    ]
    for parameter, value in zip(parameters, initial.values(), strict=True):
        parameter.value = value

    losses, errors = run(
        case, network, [starting_with(recorded, f"minibatch_{i}_") for i in range(NUM_MINIBATCHES)]
    )

    np.testing.assert_allclose(losses, recorded["losses"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(errors, recorded["errors"], rtol=0, atol=1e-6)
    for parameter, value in zip(
        parameters, starting_with(recorded, "final_").values(), strict=True
    ):
        np.testing.assert_allclose(
            parameter.value, value, rtol=0, atol=1e-4, err_msg=parameter.name
        )
