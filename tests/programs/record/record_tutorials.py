"""Records what programs in the manner of the original's tutorials come to with the original CNTK
2.7.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.programs.record.record_tutorials`. Writes tutorials_of_the_original.json to the
folder ``golden`` beside this one: for each program the numbers of its course, its metric last.

The original's reader of images needs libraries of its time (libjpeg 8, libpng 1.2, libtiff 5,
libjasper 1). Bitmaps are read without them, so that libraries which only have the names of their
functions will do.
"""

import json
import os
import tempfile

import cntk as C
from tests.programs.tutorials.tutorials import PROGRAMS, numbers_of

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    found = {}
    for program in PROGRAMS:
        # What its readers have open still may stay in it.
        found[program.__name__] = numbers_of(program, tempfile.mkdtemp())
    path = os.path.join(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        "golden",
        "tutorials_of_the_original.json",
    )
    with open(path, "w") as file:
        file.write("{\n")
        lines = (json.dumps(name) + ": " + json.dumps(found[name]) for name in sorted(found))
        file.write(",\n".join(lines) + "\n}\n")
