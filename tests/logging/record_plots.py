"""Records what the original CNTK 2.7 returns from `plot`, and writes for Graphviz.

Run from the root of the repository, by an interpreter that has the original and pydot-ng:
`python -m tests.logging.record_plots`. Writes plots_of_the_original.json beside this file.
"""

import json
import os
import tempfile

import cntk as C
from tests.logging.plotted_models import DRAWN, plotted

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    with tempfile.TemporaryDirectory() as folder:
        found = {
            model: plotted(model, os.path.join(folder, "model.dot")) for model in sorted(DRAWN)
        }
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "plots_of_the_original.json")
    with open(path, "w") as file:
        json.dump(found, file, indent=0, sort_keys=True)
        file.write("\n")
