"""Records what small programs compute with the original CNTK 2.7.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.programs.record.record_programs`. Writes programs_of_the_original.json to the
folder ``golden`` beside this one: for each program the numbers of its course.
"""

import json
import os

import cntk as C
from tests.programs import network_programs, sequence_programs
from tests.programs.small_training import numbers_of

if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    programs = network_programs.PROGRAMS + sequence_programs.PROGRAMS
    found = {program.__name__: numbers_of(program) for program in programs}
    path = os.path.join(
        os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
        "golden",
        "programs_of_the_original.json",
    )
    with open(path, "w") as file:
        json.dump(found, file, indent=0, sort_keys=True)
        file.write("\n")
