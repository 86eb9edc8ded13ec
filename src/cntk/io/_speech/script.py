"""Reads HTK script files, which list utterances as ranges of frames in archives."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._text.encoding import escaped
from cntk.io._text.listed_names import (
    LONGEST,
    as_key,
    check_name,
    folder_of,
    keys_of,
    located,
    shortened,
    why,
)

_ENTRY = re.compile(r"([^=]+)=([^=\[\]]+)\[\s*([0-9]+)\s*,\s*([0-9]+)\s*\]")
_LARGEST = 2**31
# The most digits of a frame's number, with leading zeros.
_DIGITS = 20
# The most characters of a line: two names and a range.
_LINE = 2 * LONGEST + 4 * _DIGITS


@dataclass(frozen=True)
class Script:
    """The utterances of script files.

    Attributes:
        keys: their names without the extension, ``[utterances]``.
        archives: the archive of each.
        begins: the first frame of each in its archive, int64 ``[utterances]``.
        lengths: its number of frames, int64 ``[utterances]``.
        lines: file and line of each.
    """

    keys: np.ndarray
    archives: list[str]
    begins: np.ndarray
    lengths: np.ndarray
    lines: list[tuple[str, int]]

    def place(self, number: int) -> str:
        """Return the file and line that list an utterance, for errors."""
        file, line = self.lines[number]
        return f"{file}, line {line}"


def key_of(name: str) -> str:
    r"""Return the key of an utterance, its name without the extension.

    Features and labels are joined by it.

    Example:
        >>> key_of("train/a.b.mfc"), key_of("v1.2/a"), key_of("v1.2\\a")
        ('train/a.b', 'v1.2/a', 'v1.2/a')
    """
    folder, slash, file = as_key(name).rpartition("/")
    stem, dot, _ = file.rpartition(".")
    return folder + slash + (stem if dot else file)


def read_script(files: Sequence[str], longest: int) -> Script:
    """Read script files. As in the original, a name that is listed twice is skipped altogether.

    Args:
        files: the script files. A path that begins with ``...`` is relative to the script file's
            folder, others to the working folder. Paths may be written as on Windows.
        longest: the most frames that an utterance may have; longer ones are skipped.

    Raises:
        DataError: if a file cannot be read, a line is malformed, or no utterance is left.
    """
    listed = [e for file in files for e in _entries(file)]
    counts = Counter(e[0] for e in listed)
    twice = [key for key, n in counts.items() if n > 1]
    if twice:
        warnings.warn(
            f"{', '.join(files)}: {len(twice)} utterances are listed several times and are left "
            f"out: {', '.join(shortened(key, 80) for key in twice[:5])}",
            stacklevel=2,
        )
    entries = [e for e in listed if counts[e[0]] == 1 and e[3] - e[2] < longest]
    if not entries:
        raise DataError(
            f"{', '.join(files)}: no utterances to read; each line must be name=archive[first,last]"
        )
    begins = np.array([e[2] for e in entries], np.int64)
    ends = np.array([e[3] for e in entries], np.int64)
    return Script(
        keys_of([e[0] for e in entries]),
        [e[1] for e in entries],
        begins,
        ends - begins + 1,
        [e[4] for e in entries],
    )


def _entries(file: str) -> list[tuple[str, str, int, int, tuple[str, int]]]:
    """Parse each line to key, archive, first and last frame, and file and line."""
    entries = []
    paths: dict[str, str] = {}
    folder = folder_of(file)
    for number, line in enumerate(_lines(file), 1):
        if not line.strip():
            continue
        match = _ENTRY.fullmatch(line) if len(line) <= _LINE else None
        if match is None:
            raise DataError(
                f"{file}, line {number}: expected name=archive[first,last], got "
                f"{shortened(line, 80)!r} ({len(line):,} characters)"
            )
        name, archive, first, last = match.groups()
        try:
            check_name("the name of an utterance", name)
            check_name("the name of an archive", archive)
        except DataError as error:
            raise DataError(f"{file}, line {number}: {error}") from None
        if max(len(first), len(last)) > _DIGITS or not int(first) <= int(last) < _LARGEST:
            raise DataError(
                f"{file}, line {number}: frames {shortened(first, 30)} to {shortened(last, 30)} of "
                f"{shortened(archive, 80)} are no range of frames; two numbers below {_LARGEST:,} "
                f"were expected, the first not above the second"
            )
        begin, end = int(first), int(last)
        if archive not in paths:
            paths[archive] = located(archive, folder)
        entries.append((key_of(name), paths[archive], begin, end, (file, number)))
    return entries


def _lines(file: str) -> list[str]:
    try:
        with opened(file) as script:
            content = script.read()
    except OSError as error:
        raise DataError(f"{file}: the script file cannot be opened: {why(error, file)}") from error
    return escaped(file, content).replace("\r\n", "\n").replace("\r", "\n").split("\n")
