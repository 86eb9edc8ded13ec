"""The index of a CTF file, saved beside it, so that a large file is scanned only once.

The file is little-endian binary: a magic number; a header (size and modification time of the text
file, whether ids are used, number of sequences, whether samples are counted by lines, hash of the
counted stream's name); then arrays with the sequences' offsets, ids, numbers of lines and, unless
these are the same, numbers of samples.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
from pathlib import Path

import numpy as np

from cntk._writing.whole_files import opened, reachable, replacing
from cntk.io._text.sequences import Sequences

_MARK = b"CTFINDEX"
# The most bytes that file systems allow for a name.
_LONGEST_NAME = 255
_HEADER = struct.Struct("<8sqqqqq8s")


def index_path(file: str) -> Path:
    """Return the path of the index of a text file: beside it, with a hash for too long a name."""
    path = Path(f"{file}.index")
    if len(os.fsencode(path.name)) <= _LONGEST_NAME:
        return path
    return path.with_name(
        f"{hashlib.blake2b(os.fsencode(path.name), digest_size=16).hexdigest()}.index"
    )


def load_index(file: str, have_ids: bool, counted_alias: bytes) -> Sequences | None:
    """Load the index of a text file.

    Args:
        file: the text file.
        have_ids: whether ids say where sequences begin.
        counted_alias: name, in the file, of the stream whose samples are counted; if it is empty,
            lines are counted.

    Returns:
        None if there is no index, or it is of another version of the file, of other options, or
        damaged.
    """
    status = os.stat(reachable(file))
    path = index_path(file)
    try:
        # No text file has more sequences than bytes.
        with opened(path) as index:
            if (
                not _HEADER.size
                <= os.fstat(index.fileno()).st_size
                <= _HEADER.size + 32 * status.st_size
            ):
                return None
            data = np.fromfile(index, np.uint8)
    except OSError:
        return None
    mark, size, changed, ids, count, shared, name = _HEADER.unpack(data[: _HEADER.size].tobytes())
    expected = (_MARK, status.st_size, status.st_mtime_ns, int(have_ids), _digest(counted_alias))
    arrays = 3 if shared else 4
    if (
        (mark, size, changed, ids, name) != expected
        or len(data) != _HEADER.size + 8 * arrays * count
        or count < 1
    ):
        return None
    numbers = data[_HEADER.size :].view("<i8").reshape(arrays, count)
    keys, counted = numbers[1].view("<u8"), numbers[2 if shared else 3]
    sequences = Sequences(numbers[0], keys, numbers[2], counted)
    return sequences if _is_consistent(sequences, status.st_size) else None


def save_index(
    file: str, have_ids: bool, counted_alias: bytes, sequences: Sequences, status: os.stat_result
) -> None:
    """Save the index of a text file beside it, if the folder can be written to.

    Args:
        file: the text file.
        have_ids: whether ids say where sequences begin.
        counted_alias: name, in the file, of the stream whose samples are counted.
        sequences: its sequences.
        status: the file's size and modification time before it was read.
    """
    shared = sequences.counted is sequences.rows
    arrays = [sequences.begins, sequences.keys.view(np.int64), sequences.rows] + [
        sequences.counted
    ] * (not shared)
    header = _HEADER.pack(
        _MARK,
        status.st_size,
        status.st_mtime_ns,
        have_ids,
        len(sequences.begins),
        shared,
        _digest(counted_alias),
    )
    # An index that cannot be saved is built again the next time.
    with contextlib.suppress(OSError), replacing(index_path(file), "CTFDeserializer") as out:
        out.write(header)
        for array in arrays:
            out.write(array.astype("<i8", copy=False).tobytes())


def _digest(name: bytes) -> bytes:
    return hashlib.blake2b(name, digest_size=8).digest()


def _is_consistent(sequences: Sequences, size: int) -> bool:
    """Return whether sequences are in order within a file of ``size`` bytes, and have lines."""
    begins = sequences.begins
    return bool(
        begins[0] >= 0
        and begins[-1] < size
        and (np.diff(begins) > 0).all()
        and (sequences.rows > 0).all()
        and (sequences.rows <= size).all()
        and sequences.rows.sum(dtype=np.float64) <= size
        and (sequences.counted >= 0).all()
        and (sequences.counted <= size).all()
    )
