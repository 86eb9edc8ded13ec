"""Records what one progress writer of several trainers prints with the original CNTK 2.7.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.logging.record_shared_writers`. Writes shared_writers_of_the_original.json beside
this file.
"""

import json
import os

import cntk as C
from tests.logging.shared_writers import PROGRAMS, WRITERS, run

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    found = {w: {p: run(p, w) for p in sorted(PROGRAMS)} for w in sorted(WRITERS)}
    path = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "shared_writers_of_the_original.json"
    )
    with open(path, "w") as file:
        json.dump(found, file, indent=0, sort_keys=True)
        file.write("\n")
