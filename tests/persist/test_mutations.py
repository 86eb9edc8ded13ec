"""Damaged and forged files: each is loaded or refused by one kind of error, and soon; nothing else comes out."""

from __future__ import annotations

import copy
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._persist import files
from cntk._persist.arrays import NDShape
from cntk._persist.dictionary import END_OF_AXES, Size
from cntk._persist.wire import FileFormatError
from cntk.axis import Axis

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.model"))
SIZES = [0, 1, 2, 3, 5, 57, 2**31, 2**63, 2**64 - 1]
WHOLE = [0, 1, -1, -2, 2**31 - 1, -(2**31)]
AXES = [Axis(0), Axis(-1), Axis(60), Axis(END_OF_AXES), Axis.default_batch_axis(), Axis.all_axes(), Axis("other")]
ANYTHING = [0, Size(5), "x", 1.5, [], {}, NDShape((2, 3)), Axis(1), np.zeros(3, np.float32), True]


def check_loaded_or_refused(data: bytes) -> bool:
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


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_damaged_files(path: Path) -> None:
    data, draw = path.read_bytes(), random.Random(path.stem)
    for _ in range(40):
        check_loaded_or_refused(damaged(data, draw))


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


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_forged_files(path: Path) -> None:
    original, draw = files.read(path), random.Random(path.stem)
    for _ in range(40):
        values = copy.deepcopy(original)
        for _ in range(draw.choice((1, 1, 2, 3))):
            forge(values, draw)
        check_loaded_or_refused(b"".join(bytes(part) for part in files.encode_dictionary(values)._parts))


def test_files_that_are_whole_are_loaded() -> None:
    assert all(check_loaded_or_refused(path.read_bytes()) for path in GOLDEN)
