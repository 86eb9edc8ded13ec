r"""Names of files in lists, which may have been written on another system.

On Windows names are parted by ``\`` or ``/``, begin with a drive, and have capital letters or small
ones as one likes; lists are in Windows-1252 where files are named in UTF-8, or the other way round.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from cntk._errors import DataError
from cntk._files import reachable
from cntk.io._text.encoding import as_windows, readable

_ABSOLUTE_ON_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|\\\\")
_HERE = "..."
LONGEST = 4096
"""Characters of a name, or a path, in a list."""
# Bytes that an array of names may take, whatever their lengths are.
_ROOM = 1 << 25
_ON_WINDOWS = os.name == "nt"


def folder_of(file: str) -> str:
    """The folder of a list, which ``...`` at the beginning of its names stands for."""
    return os.path.dirname(file) or "."


def located(name: str, folder: str, here: tuple[str, ...] = (_HERE,)) -> str:
    r"""The file that a list means.

    Args:
        name: its name in the list, bytes that are no UTF-8 escaped.
        folder: the list's folder.
        here: what a name must begin with for its ``...`` to stand for that folder.

    Returns:
        The first of the ways to read the name that is there: as it stands, with ``/`` for ``\``,
        and both with accents as macOS writes them and in the other encoding. If none is, the first.
    """
    if name.startswith(here):
        start, name = folder, name[len(_HERE) :]
    else:
        start = ""
    found = [start + spelling for spelling in spellings(name)]
    return (
        next((path for path in found if os.path.exists(reachable(path))), found[0])
        if len(found) > 1
        else found[0]
    )


def check_name(what: str, name: str | bytes) -> None:
    """Refuse a name that no file has.

    Args:
        what: what it is, for the error.
        name: the name.

    Raises:
        DataError: if it is too long.
    """
    if len(name) > LONGEST:
        start = name[:40] if isinstance(name, str) else name[:40].decode("utf-8", "replace")
        raise DataError(
            f"expected {what} of up to {LONGEST:,} characters, got {len(name):,}, which begin with "
            f"{start!r}"
        )


def shortened(text: str, most: int = 240) -> str:
    """Text as errors show it: of a long one its beginning and its end.

    Example:
        >>> shortened("a" * 100 + "b" * 100, 13)
        'aaaaa...bbbbb'
    """
    half = (most - 3) // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def keys_of(names: Sequence[str]) -> np.ndarray:
    """Names as the keys of sequences, ``[names]``.

    They are an array of text, in which each takes as much room as the longest; Python's own strings
    where much of that would be empty.
    """
    longest = max(map(len, names), default=0)
    is_wasteful = 4 * longest * len(names) > _ROOM + 16 * sum(map(len, names))
    return np.array(names, object if is_wasteful else np.str_)


def is_text(keys: np.ndarray) -> bool:
    """Whether keys are names, and not numbers."""
    return keys.dtype.kind in "UO"


def joined_keys(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The keys of several chunks, one after another."""
    if len(parts) == 1:
        return parts[0]
    if any(map(is_text, parts)):
        room = max(p.dtype.itemsize for p in parts) * sum(map(len, parts))
        if room > _ROOM + 4 * sum(p.nbytes for p in parts):
            return np.concatenate([p.astype(object) for p in parts])
    return np.concatenate(parts)


def spellings(name: str) -> Iterator[str]:
    """The ways to read a name, as it stands first."""
    slashes = [name] if "\\" not in name or _ON_WINDOWS else [name, name.replace("\\", "/")]
    for text in slashes:
        yield from _written_otherwise(text)


def _written_otherwise(text: str) -> Iterator[str]:
    """A name as it stands, with accents as all others or as macOS write them, and as bytes in
    Windows-1252.
    """
    yield text
    if not text.isascii():
        plain = readable(text)
        composed = unicodedata.normalize("NFC", plain)
        others = [plain, composed, unicodedata.normalize("NFD", plain), as_windows(composed)]
        yield from (other for other in dict.fromkeys(others) if other is not None and other != text)


def as_key(name: str) -> str:
    r"""The key that a sequence's name is, the same for ``folder\a`` and ``folder/a``, and however
    ``ä`` is written.
    """
    slashes = name.replace("\\", "/")
    return slashes if name.isascii() else unicodedata.normalize("NFC", readable(slashes))


def why(error: OSError, path: str, is_listed: bool = False) -> str:
    """Why a file cannot be opened, and what to do about it if that is known."""
    return (
        f"{error.strerror}{advice(path, is_listed) if isinstance(error, FileNotFoundError) else ''}"
    )


def advice(path: str, is_listed: bool = False) -> str:
    """What to do about a file that is not there, for the end of an error; empty if nothing is
    known.

    Args:
        path: its path.
        is_listed: whether a list names it.
    """
    if len(path) > LONGEST:
        return ""
    if not _ON_WINDOWS and _ABSOLUTE_ON_WINDOWS.match(path):
        relative = ", or name files from the list's own folder on, as .../name" if is_listed else ""
        start = _first_folder(path)
        return (
            f"; this is a path of Windows: put the folder where the files are now in the place of "
            f"'{start}'{relative}"
        )
    similar = _similar(path)
    return f"; did you mean '{similar}'?" if similar else ""


def _first_folder(path: str) -> str:
    return path[: re.match(r"(\\\\)?[^\\/]*", path).end()]  # type: ignore[union-attr]


def _similar(path: str) -> str | None:
    """The file whose name differs by capital letters and by how accents are written alone."""
    there, parts = "", re.split(r"([/\\])" if _ON_WINDOWS else "(/)", path.replace("\\", "/"))
    for part in parts:
        if part in ("", "/", ".", "..") or os.path.exists(there + part):
            there += part
            continue
        try:
            names = sorted(os.listdir(there or "."))
        except OSError:
            return None
        found = next((name for name in names if _folded(name) == _folded(part)), None)
        if found is None:
            return None
        there += found
    return there if there != path and os.path.exists(there) else None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", readable(name)).casefold()


def entry(names: Collection[str], inside: str) -> str:
    """The name of a file in an archive that a list means.

    Args:
        names: all names in the archive.
        inside: the list's name for it.

    Raises:
        KeyError: if there is none.
    """
    plain = inside.replace("\\", "/").lstrip("/")
    found = _entry_names(plain)
    for name in found:
        if name in names:
            return name
    similar = ""
    for name in names:
        there = name.replace("\\", "/")
        if there in found:
            return name
        if _folded(there) == _folded(plain):
            similar = f"; did you mean '{name}'?"
    raise KeyError(f"the archive has no file '{readable(plain)}'{similar}")


def _entry_names(plain: str) -> list[str]:
    """The ways in which an archive may have a name: as it stands, and as bytes that archives hold
    without a mark.
    """
    found = list(_written_otherwise(plain))
    return (
        found
        if plain.isascii()
        else [*found, *(name.encode("utf-8", "surrogateescape").decode("cp437") for name in found)]
    )
