"""Write down what graphs look like in the original: run it there, from the root of the repository.

    <interpreter of the original> -m tests.graph.record.record_graphs

`graphs_of_the_original.json.gz` holds for each row its facts, or the type of the error that the
original raises.
"""

import gzip
import json
import os
import sys

import cntk as C
from tests.graph.graph_programs import CASES, built, facts

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def record(name, with_attributes):
    """A row's facts."""
    try:
        return facts(C, built(C, name), with_attributes)
    except (RuntimeError, ValueError, TypeError, AttributeError, NotImplementedError) as error:
        print("    refused:", name, type(error).__name__, str(error).splitlines()[:1])
        return {"refused": type(error).__name__}


def recorded(name):
    """A row's facts, found in a process of its own: the original dies where it cannot put an
    attribute into words.
    """
    for with_attributes in (True, False):
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            with os.fdopen(writer, "w") as file:
                file.write(json.dumps(record(name, with_attributes)))
                file.flush()
                sys.stdout.flush()
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as file:
            text = file.read()
        os.waitpid(child, 0)
        if text:
            found = json.loads(text)
            return found if with_attributes else dict(found, unreadable=True)
        print("    died:", name, with_attributes)
    raise SystemExit("the original dies of " + name)


if __name__ == "__main__":
    if C.__version__ != "2.7":
        raise SystemExit(
            "only the original CNTK 2.7 may record reference values; this is " + C.__version__
        )
    written = {name: recorded(name) for name in CASES}
    path = os.path.join(HERE, "golden", "graphs_of_the_original.json.gz")
    text = json.dumps(written, indent=0, separators=(",", ":")).encode()
    with (
        open(path, "wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as packed,
    ):
        packed.write(text)
    refused = sum("refused" in facts for facts in written.values())
    print(
        len(written),
        "rows,",
        refused,
        "refused,",
        os.path.getsize(path),
        "bytes of",
        len(text),
        file=sys.stderr,
    )
