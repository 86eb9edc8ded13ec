"""Records the courses of training sessions that the original CNTK 2.7 takes.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.train.record_sessions`. Writes sessions_of_the_original.json beside this file: for
each of `session_programs.PROGRAMS` the lines of its sessions.
"""

import json
import os
import tempfile

import cntk as C
from tests.train.session_programs import PROGRAMS, courses

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    with tempfile.TemporaryDirectory() as folder:
        found = {name: courses(name, os.path.join(folder, "work")) for name in sorted(PROGRAMS)}
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sessions_of_the_original.json")
    with open(path, "w") as file:
        json.dump(found, file, indent=0, sort_keys=True)
        file.write("\n")
