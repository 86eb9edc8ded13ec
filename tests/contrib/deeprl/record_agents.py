"""Records what the original CNTK 2.7 does with the agents of `agents.py`, in
`agents_of_the_original.npz` beside this.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.contrib.deeprl.record_agents`.
"""

import os
import tempfile

import numpy as np

import cntk as C
from tests.contrib.deeprl import agents

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            f"only the original CNTK 2.7 may record reference values; this is {C.__version__}"
        )
    C.device.try_set_default_device(C.device.cpu())
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        found.update(("agent/" + name, agents.run_agent(name, folder)) for name in agents.AGENTS)
        found.update(
            ("parameters/" + name, agents.run_parameters(name, folder))
            for name in agents.PARAMETERS
        )
    for capacity in (2, 3, 7, 8):
        for prioritized in (False, True):
            found[f"memory/{capacity}/{prioritized:d}"] = agents.run_memory(capacity, prioritized)
    found["cells"] = agents.run_cells()
    found["losses"] = agents.run_losses()
    found["preprocessing"] = agents.run_preprocessing()
    arrays = {
        case + "/" + name: np.asarray(value)
        for case, values in found.items()
        for name, value in values.items()
    }
    for name, array in arrays.items():
        if array.dtype == np.int64:
            arrays[name] = array.astype(np.int32)
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "agents_of_the_original.npz")
    np.savez_compressed(path, **arrays)
    print(f"{len(arrays)} arrays, {os.path.getsize(path)} bytes")
