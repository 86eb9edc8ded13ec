"""Record what the original CNTK 2.7 computes for nodes of version 1 whose operands differ in their
rank.

Run from the root of the repository, by an interpreter that has the original:
`python -m tests.persist.record.record_legacy_criteria`. Writes ``golden/legacy_criteria.json``: for
each file of `legacy_criteria` its value and gradients, or none if the original refuses it.
"""

import json
import os
import tempfile

import cntk as C
from tests.persist.v1.legacy_criteria import files, results

TARGET = os.path.join(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "golden", "legacy_criteria.json"
)


def record(content, name, path):
    with open(path, "wb") as file:
        file.write(content)
    try:
        return results(C.Function.load(path), name)
    except (RuntimeError, ValueError):
        return None


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    with tempfile.TemporaryDirectory() as folder:
        found = [
            (name, record(content, name, os.path.join(folder, "file.v1")))
            for name, content in files().items()
        ]
    with open(TARGET, "w") as target:
        target.write(
            "{\n" + ",\n".join(json.dumps(k) + ": " + json.dumps(v) for k, v in found) + "\n}\n"
        )
    print(len(found), "files;", sum(v is None for _, v in found), "are refused")
