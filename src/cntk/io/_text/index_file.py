"""The index of a text file on disk, beside the file, so that a large one is gone through only once.

It is raw numbers, little-endian: a mark, a header (size and time of change of the text file,
whether ids count, how many sequences, whether what they count for is their number of lines, a hash
of the counting stream's name), then the sequences' offsets, ids, numbers of lines and, unless these
are it, what they count for.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from pathlib import Path

import numpy as np

from cntk._files import opened, reachable, replacing
from cntk.io._text.sequences import Sequences

_MARK = b"CTFINDEX"
# Bytes that a file system allows for a name.
_LONGEST_NAME = 255
_HEADER = struct.Struct("<8sqqqqq8s")


def index_path(file: str) -> Path:
    """Where the index of a text file lies: beside it, under a shorter name where its own is as long
    as names can be.
    """
    path = Path(f"{file}.index")
    if len(os.fsencode(path.name)) <= _LONGEST_NAME:
        return path
    return path.with_name(
        f"{hashlib.blake2b(os.fsencode(path.name), digest_size=16).hexdigest()}.index"
    )


def load_index(file: str, have_ids: bool, counted_alias: bytes) -> Sequences | None:
    """The sequences of a text file as its index has them.

    Args:
        file: the text file.
        have_ids: whether ids say where sequences begin.
        counted_alias: the stream whose samples count, by its name in the file; every line does if
            it is empty.

    Returns:
        None if there is no index, or it is of another state of the file, of other options, or
        damaged.
    """
    status = os.stat(reachable(file))
    path = index_path(file)
    try:
        # No file has more sequences than bytes.
        with opened(path) as kept:
            if (
                not _HEADER.size
                <= os.fstat(kept.fileno()).st_size
                <= _HEADER.size + 32 * status.st_size
            ):
                return None
            data = np.fromfile(kept, np.uint8)
    except OSError:
        return None
    mark, size, changed, ids, count, shared, name = _HEADER.unpack(data[: _HEADER.size].tobytes())
    wanted = (_MARK, status.st_size, status.st_mtime_ns, int(have_ids), _digest(counted_alias))
    arrays = 3 if shared else 4
    if (
        (mark, size, changed, ids, name) != wanted
        or len(data) != _HEADER.size + 8 * arrays * count
        or count < 1
    ):
        return None
    numbers = data[_HEADER.size :].view("<i8").reshape(arrays, count)
    found = Sequences(numbers[0], numbers[1].view("<u8"), numbers[2], numbers[2 if shared else 3])
    return found if _is_sound(found, status.st_size) else None


def save_index(
    file: str, have_ids: bool, counted_alias: bytes, found: Sequences, status: os.stat_result
) -> None:
    """Write the index of a text file beside it, if that can be written there.

    Args:
        file: the text file.
        have_ids: whether ids say where sequences begin.
        counted_alias: the stream whose samples count.
        found: its sequences.
        status: the file's size and time before it was read.
    """
    shared = found.counted is found.rows
    arrays = [found.begins, found.keys.view(np.int64), found.rows] + [found.counted] * (not shared)
    header = _HEADER.pack(
        _MARK,
        status.st_size,
        status.st_mtime_ns,
        have_ids,
        len(found.begins),
        shared,
        _digest(counted_alias),
    )
    # An index that cannot be kept is made again the next time.
    with contextlib.suppress(OSError), replacing(index_path(file), "CTFDeserializer") as out:
        out.write(header)
        for array in arrays:
            out.write(array.astype("<i8", copy=False).tobytes())


def _digest(name: bytes) -> bytes:
    return hashlib.blake2b(name, digest_size=8).digest()


def _is_sound(found: Sequences, size: int) -> bool:
    """Whether sequences lie one behind another within a file, and have lines."""
    begins = found.begins
    return bool(
        begins[0] >= 0
        and begins[-1] < size
        and (np.diff(begins) > 0).all()
        and (found.rows > 0).all()
        and (found.rows <= size).all()
        and found.rows.sum(dtype=np.float64) <= size
        and (found.counted >= 0).all()
        and (found.counted <= size).all()
    )
