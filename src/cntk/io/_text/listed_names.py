r"""Resolves file names in list files (map, script files) that were written on another system.

On Windows paths have ``\`` or ``/`` as separator, begin with a drive, and are case-insensitive. A
list may be in Windows-1252 where file names are in UTF-8, or the other way round.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from cntk._writing.whole_files import reachable
from cntk.errors import DataError
from cntk.io._text.encoding import as_windows, readable

_ABSOLUTE_ON_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_HERE = "..."
LONGEST = 4096
"""The most characters that a name or a path in a list may have."""
# An array of names may always take so many bytes, whatever their lengths are.
_ROOM = 1 << 25
_ON_WINDOWS = os.name == "nt"


def folder_of(file: str) -> str:
    """Return the folder of a list, which ``...`` at the beginning of its names stands for."""
    return os.path.dirname(file) or "."


def located(name: str, folder: str, here: tuple[str, ...] = (_HERE,)) -> str:
    r"""Return the path of the file that a list names.

    Args:
        name: its name in the list; bytes that are not UTF-8 are surrogate-escaped.
        folder: the list's folder.
        here: prefixes for whose ``...`` that folder is put.

    Returns:
        The first spelling of the name that exists: as it is, with ``/`` for ``\``, and both in
        other Unicode normal forms (NFC, NFD) and in the other encoding. If none exists, the first.
    """
    if name.startswith(here):
        start, name = folder, name[len(_HERE) :]
    else:
        start = ""
    candidates = [start + spelling for spelling in spellings(name)]
    return (
        next((path for path in candidates if os.path.exists(reachable(path))), candidates[0])
        if len(candidates) > 1
        else candidates[0]
    )


def check_name(what: str, name: str | bytes) -> None:
    """Raise DataError for a name that is too long for a file.

    Args:
        what: what the name is of, for the error.
        name: the name.

    Raises:
        DataError: if it is longer than `LONGEST`.
    """
    if len(name) > LONGEST:
        start = name[:40] if isinstance(name, str) else name[:40].decode("utf-8", "replace")
        raise DataError(
            f"expected {what} of up to {LONGEST:,} characters, got {len(name):,}, which begin with "
            f"{start!r}"
        )


def shortened(text: str, most: int = 240) -> str:
    """Shorten a string for an error: of a long one the beginning and the end remain.

    Example:
        >>> shortened("a" * 100 + "b" * 100, 13)
        'aaaaa...bbbbb'
    """
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def keys_of(names: Sequence[str]) -> np.ndarray:
    """Return names as the keys of sequences, ``[names]``.

    They are an array of fixed-width strings, in which each takes as much room as the longest; if
    most of that would be padding, an array of Python strings.
    """
    longest = max(map(len, names), default=0)
    is_wasteful = 4 * longest * len(names) > _ROOM + 16 * sum(map(len, names))
    return np.array(names, object if is_wasteful else np.str_)


def is_text(keys: np.ndarray) -> bool:
    """Return whether keys are strings rather than integers."""
    return keys.dtype.kind in "UO"


def joined_keys(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Concatenate the keys of several chunks."""
    if len(parts) == 1:
        return parts[0]
    if any(map(is_text, parts)):
        room = max(p.dtype.itemsize for p in parts) * sum(map(len, parts))
        if room > _ROOM + 4 * sum(p.nbytes for p in parts):
            return np.concatenate([p.astype(object) for p in parts])
    return np.concatenate(parts)


def spellings(name: str) -> Iterator[str]:
    """Yield the ways to spell a name, the unchanged name first."""
    slashes = [name] if "\\" not in name or _ON_WINDOWS else [name, name.replace("\\", "/")]
    for text in slashes:
        yield from _in_other_encodings(text)


def _in_other_encodings(text: str) -> Iterator[str]:
    """Yield a name unchanged, in Unicode normal forms NFC and NFD, and in Windows-1252."""
    yield text
    if not text.isascii():
        plain = readable(text)
        composed = unicodedata.normalize("NFC", plain)
        others = [plain, composed, unicodedata.normalize("NFD", plain), as_windows(composed)]
        yield from (other for other in dict.fromkeys(others) if other is not None and other != text)


def as_key(name: str) -> str:
    r"""Return the key of a sequence's name.

    It is the same for ``folder\a`` and ``folder/a``, and for both Unicode normal forms of ``ä``.
    """
    slashes = name.replace("\\", "/")
    return slashes if name.isascii() else unicodedata.normalize("NFC", readable(slashes))


def why(error: OSError, path: str, is_listed: bool = False) -> str:
    """Describe why a file cannot be opened, and what to do about it if that is known."""
    return (
        f"{error.strerror}{advice(path, is_listed) if isinstance(error, FileNotFoundError) else ''}"
    )


def advice(path: str, is_listed: bool = False) -> str:
    """Return advice for the end of an error on a missing file; empty if there is none.

    Args:
        path: path of the file.
        is_listed: whether a list names it.
    """
    if len(path) > LONGEST:
        return ""
    if not _ON_WINDOWS and _ABSOLUTE_ON_WINDOWS.match(path):
        relative = ", or name files from the list's own folder on, as .../name" if is_listed else ""
        start = _first_folder(path)
        return (
            f"; this is a Windows path: replace '{start}' by the folder where the files are "
            f"now{relative}"
        )
    similar = _similar(path)
    return f"; did you mean '{similar}'?" if similar else ""


def _first_folder(path: str) -> str:
    return path[: re.match(r"(\\\\)?[^\\/]*", path).end()]  # type: ignore[union-attr]


def _similar(path: str) -> str | None:
    """Find the file whose path differs only in upper and lower case or in Unicode normal form."""
    there, parts = "", re.split(r"([/\\])" if _ON_WINDOWS else "(/)", path.replace("\\", "/"))
    for part in parts:
        if part in ("", "/", ".", "..") or os.path.exists(there + part):
            there += part
            continue
        try:
            names = sorted(os.listdir(there or "."))
        except OSError:
            return None
        match = next((name for name in names if _folded(name) == _folded(part)), None)
        if match is None:
            return None
        there += match
    return there if there != path and os.path.exists(there) else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", readable(name)).casefold()


def entry(names: Collection[str], inside: str) -> str:
    """Return the name of an archive's member that a list names.

    Args:
        names: all names in the archive.
        inside: the member's name in the list.

    Raises:
        KeyError: if the archive has no such member.
    """
    plain = inside.replace("\\", "/").lstrip("/")
    candidates = _entry_names(plain)
    for name in candidates:
        if name in names:
            return name
    similar = ""
    for name in names:
        there = name.replace("\\", "/")
        if there in candidates:
            return name
        if _folded(there) == _folded(plain):
            similar = f"; did you mean '{name}'?"
    raise KeyError(f"the archive has no file '{readable(plain)}'{similar}")


def _entry_names(plain: str) -> list[str]:
    """Return the ways in which an archive may have a name.

    A zip archive's name without the UTF-8 flag is decoded as cp437.
    """
    names = list(_in_other_encodings(plain))
    return (
        names
        if plain.isascii()
        else [*names, *(name.encode("utf-8", "surrogateescape").decode("cp437") for name in names)]
    )
