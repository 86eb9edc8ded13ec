"""Records what trainings by `Function.train` give with the original CNTK 2.7.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.train.record_functions`. Writes functions_of_the_original.json beside this file:
for each of `function_programs.PROGRAMS` what it gives.
"""

import json
import os

import cntk as C
from tests.train.function_programs import PROGRAMS, train

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    found = {name: train(**PROGRAMS[name]) for name in sorted(PROGRAMS)}
    path = os.path.join(
        os.path.dirname(os.path.abspath(__file__)), "functions_of_the_original.json"
    )
    with open(path, "w") as file:
        lines = ["%s: %s" % (json.dumps(name), json.dumps(found[name])) for name in sorted(found)]  # noqa: UP031
        file.write("{\n" + ",\n".join(lines) + "\n}\n")
    print("%d programs" % len(found))  # noqa: UP031
