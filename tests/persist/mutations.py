"""Damaged and forged model files, made of whole ones at random; and a process that loads them under a memory limit.

Run as a program, with the number of files and a seed: it loads that many files, made of all recorded models by turns,
with an address space of its own size, twice the largest file and a fixed allowance, and prints how many were loaded
and how many refused. Anything else ends it with a traceback.
"""

from __future__ import annotations

import copy
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import cntk as C
from cntk._persist import files
from cntk._persist.arrays import NDShape
from cntk._persist.dictionary import END_OF_AXES, Size
from cntk._persist.wire import FileFormatError
from cntk.axis import Axis
from tests.persist import programs  # noqa: F401, it makes the user functions known that some files hold

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.model"))
ARCHIVE = Path(__file__).parent / "golden" / "random_graphs.zip"
ALLOWANCE = 48 * 2**20  # for objects of the graphs, and pages that the allocator keeps
SIZES = [0, 1, 2, 3, 5, 57, 2**31, 2**63, 2**64 - 1]
WHOLE = [0, 1, -1, -2, 2**31 - 1, -(2**31)]
AXES = [Axis(0), Axis(-1), Axis(60), Axis(END_OF_AXES), Axis.default_batch_axis(), Axis.all_axes(), Axis("other")]
ANYTHING = [0, Size(5), "x", 1.5, [], {}, NDShape((2, 3)), Axis(1), np.zeros(3, np.float32), True]


def is_loaded(data: bytes) -> bool:
    """Whether a file is loaded; False if it is refused by the one kind of error that refuses files."""
    try:
        C.load_model(data)
    except FileFormatError:
        return False
    return True


def damaged(data: bytes, draw: random.Random) -> bytes:
    """A file with some of its bytes changed, lost, or added."""
    result = bytearray(data)
    place = draw.randrange(len(result))
    how = draw.randrange(5)
    if how == 0:
        return bytes(result[:place])
    if how == 1:
        for _ in range(draw.choice((1, 1, 3))):
            result[draw.randrange(len(result))] ^= 1 << draw.randrange(8)
    elif how == 2:
        result[place] = draw.choice((0, 1, 0x7F, 0x80, 0xFF))
    elif how == 3:
        del result[place : place + draw.randrange(1, 20)]
    else:
        result[place:place] = bytes(draw.randrange(256) for _ in range(draw.randrange(1, 10)))
    return bytes(result)


def places(value: Any) -> list[tuple[Any, Any]]:
    """All values of a dictionary: what holds each, and under which key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in ((value, key), *places(value[key]))]


def forge(values: dict[str, Any], draw: random.Random) -> None:
    """Put another value in the place of one: of the same kind, mostly."""
    found = places(values)
    holder, key = draw.choice(found)
    value = holder[key]
    if draw.random() < 0.08:
        del holder[key]
    elif draw.random() < 0.08:
        holder[key] = draw.choice(ANYTHING)
    elif isinstance(value, bool):
        holder[key] = not value
    elif isinstance(value, Size):
        holder[key] = Size(draw.choice([*SIZES, draw.randrange(98)]))
    elif isinstance(value, int):
        holder[key] = draw.choice(WHOLE)
    elif isinstance(value, float):
        holder[key] = draw.choice([0.0, -1.0, float("inf"), float("nan")])
    elif isinstance(value, str):
        holder[key] = draw.choice([h[k] for h, k in found if isinstance(h[k], str)])
    elif isinstance(value, NDShape):
        dims = [*value, draw.choice([1, 2, -1, 2**40])] if draw.random() < 0.5 else list(value[:-1])
        holder[key] = NDShape(d for d in dims if d != -2)
    elif isinstance(value, Axis):
        holder[key] = draw.choice(AXES)
    elif isinstance(value, np.ndarray):
        holder[key] = draw.choice(
            [np.zeros(0, np.float32), value.astype(np.float64), value.reshape(-1), value.astype(np.int8)]
        )
    elif isinstance(value, list):
        draw.shuffle(value)


def forged(data: bytes, draw: random.Random) -> bytes:
    """A file whose bytes are in order and which says something else than before."""
    values = copy.deepcopy(files.decode(memoryview(data)))
    for _ in range(draw.choice((1, 1, 2, 3))):
        forge(values, draw)
    return b"".join(bytes(part) for part in files.encode_dictionary(values)._parts)


def recorded_models() -> list[bytes]:
    """All models of the original that the tests have."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        drawn = [archive.read(name) for name in archive.namelist() if name.endswith(".model")]
    return [path.read_bytes() for path in GOLDEN] + drawn


def limit_memory(size: int) -> None:
    """Let this process grow by twice a file's size and the allowance, and by no more."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 2 * size + ALLOWANCE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main(count: int, seed: int) -> None:
    models, draw = recorded_models(), random.Random(seed)
    if not all(map(is_loaded, models)):  # which also makes all that loading needs once
        raise ValueError("a recorded model is not loaded")
    limit_memory(max(map(len, models)))
    loaded = 0
    for k in range(count):
        change = forged if k % 4 == 0 else damaged
        loaded += is_loaded(change(models[k % len(models)], draw))
    print(loaded, count - loaded)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
