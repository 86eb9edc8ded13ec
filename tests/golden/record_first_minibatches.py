"""Records what the original CNTK 2.7 computes in the first minibatches of small networks.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.golden.record_first_minibatches`. Writes one file of plain arrays a case beside
this one: the parameters before the first minibatch and after the last, in the order of
`Function.parameters`; the data of each minibatch; its loss and error.
"""

import os

import numpy as np

import cntk as C
from tests.golden.first_minibatches import CASES, NUM_MINIBATCHES, run


def record(case):
    rng = np.random.RandomState(7)
    minibatches = [case.generate(rng, rng.randint(3, 10)) for _ in range(NUM_MINIBATCHES)]
    network = case.build()
    arrays = {
        f"initial_{index}": parameter.value
        for index, parameter in enumerate(network.model.parameters)
    }
    losses, errors = run(case, network, minibatches)
    arrays.update(
        {
            f"final_{index}": parameter.value
            for index, parameter in enumerate(network.model.parameters)
        }
    )
    for index, minibatch in enumerate(minibatches):
        for name, array in minibatch.items():
            compact = array if array.dtype.kind == "f" else array.astype(np.uint8)
            arrays[f"minibatch_{index}_{name}"] = compact
    return dict(arrays, losses=losses, errors=errors)


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            f"only the original CNTK 2.7 may record reference values; this is {C.__version__}"
        )
    for name, case in CASES.items():
        C.cntk_py.set_fixed_random_seed(1)
        arrays = record(case)
        path = os.path.join(
            os.path.dirname(os.path.abspath(__file__)), f"first_minibatches_{name}.npz"
        )
        np.savez_compressed(path, **arrays)
        print(
            f"{name}: loss {arrays['losses'][0]:.4f} to {arrays['losses'][-1]:.4f}, "
            f"{os.path.getsize(path)} bytes"
        )
