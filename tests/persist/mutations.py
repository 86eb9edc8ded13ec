"""Damaged and forged files of dictionaries, made of whole ones at random.
`tests.reliability.forgeries` reads them.
"""

from __future__ import annotations

import copy
import random
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

import cntk as C
from cntk._graph.op import PrimitiveOp, registry
from cntk._persist import files
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import END_OF_AXES, Size
from cntk._persist.v1.nodes import BY_NAME
from cntk._persist.v1.wire import START, mark
from cntk._persist.v2.load import model_dictionary
from cntk.axis import Axis
from cntk.errors import FileFormatError
from tests.persist import programs  # noqa: F401
from tests.persist.record import record_legacy_models  # noqa: F401
from tests.persist.v1 import legacy_files  # noqa: F401
from tests.persist.v1.legacy_criteria import oldest_files
from tests.persist.v1.legacy_former import COMPUTED, NOT_COMPUTED

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.model"))
ARCHIVE = Path(__file__).parent / "golden" / "random_graphs.zip"
ALLOWANCE = 48 * 2**20  # for objects of the graphs, and pages that the allocator keeps
SIZES = [0, 1, 2, 3, 5, 57, 2**28, 2**31, 2**40, 2**63, 2**64 - 1]
DIMS = [0, 1, 2, -1, -2, -3, 2**20, 2**28, 2**31, 2**40, 2**62]
WHOLE = [0, 1, -1, -2, 2**31 - 1, -(2**31)]
AXES = [
    Axis(0),
    Axis(-1),
    Axis(60),
    Axis(END_OF_AXES),
    Axis.default_batch_axis(),
    Axis.all_axes(),
    Axis("other"),
]
ANYTHING = [0, Size(5), "x", 1.5, [], {}, NDShape((2, 3)), Axis(1), np.zeros(3, np.float32), True]


def is_loaded(data: bytes) -> bool:
    """Whether a file is loaded; False if it is refused by the one kind of error that refuses
    files.
    """
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
    keys = (
        list(value)
        if isinstance(value, dict)
        else range(len(value))
        if isinstance(value, list)
        else []
    )
    return [place for key in keys for place in ((value, key), *places(value[key]))]


def forge(values: dict[str, Any], draw: random.Random) -> None:
    """Put another value in the place of one: of the same kind, mostly."""
    found = places(values)
    if not found:
        return
    holder, key = draw.choice(found)
    value, how = holder[key], draw.random()
    if how < 0.08:
        del holder[key]
    elif how < 0.16:
        holder[key] = draw.choice(ANYTHING)
    elif how < 0.2:
        holder[key] = copy.deepcopy(draw.choice(found)[0])
    elif how < 0.23 and isinstance(holder, dict):
        holder[draw.choice([k for h, k in found if isinstance(k, str)])] = holder.pop(key)
    elif how < 0.26 and isinstance(holder, list):
        holder += [value] * draw.choice((1, 1, 5))
    elif how < 0.4:
        forge_function(values, draw)
    elif how < 0.7:
        forge_numbers(values, draw)
    else:
        holder[key] = _other(value, [h[k] for h, k in found], draw)


def _other(value: Any, all_values: list[Any], draw: random.Random) -> Any:
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, Size):
        return Size(draw.choice([*SIZES, draw.randrange(98)]))
    if isinstance(value, int):
        return draw.choice(WHOLE)
    if isinstance(value, float):
        return type(value)(draw.choice([0.0, -1.0, 0.5, 1.0, 1e30, float("inf"), float("nan")]))
    if isinstance(value, str):
        return draw.choice([other for other in all_values if isinstance(other, str)] or [""])
    if isinstance(value, NDShape):
        return NDShape(_other_shape(value, draw))
    if isinstance(value, Axis):
        return draw.choice(AXES)
    if isinstance(value, np.ndarray):
        like = [
            np.zeros(0, np.float32),
            value.astype(np.float64),
            value.reshape(-1),
            value.astype(np.int8),
        ]
        return draw.choice(like)
    if isinstance(value, list):
        return draw.choice((draw.sample(value, len(value)), value[::2], value[1:], []))
    return value


def _other_shape(shape: tuple[int, ...], draw: random.Random) -> tuple[int, ...]:
    if not shape or draw.random() < 0.3:
        return (*shape, draw.choice(DIMS))
    place = draw.randrange(len(shape))
    return (
        *shape[:place],
        *draw.choice(((), (draw.choice(DIMS),), (draw.choice(DIMS),))),
        *shape[place + 1 :],
    )


def forge_numbers(values: dict[str, Any], draw: random.Random) -> None:
    """Have an operation's attribute be another, or a variable's shape."""
    found = [
        place
        for f in _dictionaries(values, "primitive_functions")
        for place in places(f.get("attributes"))
    ]
    found += [
        (v, key)
        for v in _dictionaries(values, "inputs")
        for key in ("shape", "value", "is_sparse")
        if key in v
    ]
    if found:
        holder, key = draw.choice(found)
        holder[key] = _other(holder[key], [h[k] for h, k in found], draw)


def _dictionaries(values: dict[str, Any], key: str) -> list[dict[str, Any]]:
    held = values.get(key)
    return [item for item in held if isinstance(item, dict)] if isinstance(held, list) else []


def forge_function(values: dict[str, Any], draw: random.Random) -> None:
    """Have an operation be another, or read or have what another does."""
    functions = _dictionaries(values, "primitive_functions")
    if not functions:
        return
    one, other = draw.choice(functions), draw.choice(functions)
    key = draw.choice(("op", "inputs", "attributes"))
    if key == "op" and draw.random() < 0.5:
        one["op"] = Size(
            draw.choice([int(number) for number in registry if number != PrimitiveOp.Block])
        )
    elif key in other:
        one[key] = copy.deepcopy(other[key])


def forged(data: bytes, draw: random.Random) -> bytes:
    """A file whose bytes are in order and which says something else than before; of version 2,
    whatever it was.
    """
    values = copy.deepcopy(model_dictionary(memoryview(data)))
    for _ in range(draw.choice((1, 1, 2, 3))):
        forge(values, draw)
    return files.encode_dictionary(values).to_bytes()


def numbers_changed(data: bytes, draw: random.Random) -> bytes:
    """A file of version 1 in which some numbers of 32 or 64 bits are others."""
    result = bytearray(data)
    for _ in range(draw.choice((1, 1, 2))):
        place = draw.randrange(len(data) - 8)
        result[place : place + 4] = struct.pack(
            "<I", draw.choice([0, 1, 2, 31, 2**16, 2**31, 2**32 - 1])
        )
    return bytes(result)


def kinds_changed(data: bytes, draw: random.Random) -> bytes:
    """A file of version 1 in which a node says that it is of another kind."""
    found = [mark(kind) for kind in BY_NAME if mark(kind) in data]
    return data.replace(draw.choice(found), mark(draw.choice(list(BY_NAME))), 1) if found else data


def changed(data: bytes, draw: random.Random) -> bytes:
    """A file of version 2 or 1, damaged or forged."""
    if draw.random() < 0.3:
        return damaged(data, draw)
    if not data.startswith(START):
        return forged(data, draw)
    return draw.choice((numbers_changed, kinds_changed, forged))(data, draw)


def recorded_models() -> list[bytes]:
    """All models of the original that the tests have, of version 2."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        drawn = [archive.read(name) for name in archive.namelist() if name.endswith(".model")]
    return [path.read_bytes() for path in GOLDEN] + drawn


def legacy_models() -> list[bytes]:
    """All models of version 1 that the tests have."""
    found = (legacy_files.FILES, oldest_files(), COMPUTED, NOT_COMPUTED)
    recorded = [
        data for name, data in record_legacy_models.recorded()[0].items() if name.endswith(".v1")
    ]
    return [*(data for files in found for data in files.values()), *recorded]


def limit_memory(size: int) -> None:
    """Let this process grow by twice a file's size and the allowance, and by no more."""
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + 2 * size + ALLOWANCE
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
