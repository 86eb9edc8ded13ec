"""`Sequences`: offsets, ids and lengths of all sequences of a CTF file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sequences:
    """Sequences in the order of a file.

    Attributes:
        begins: offset of the first byte of each, int64 ``[sequences]``.
        keys: their ids, uint64 ``[sequences]``.
        rows: number of lines of each, int64 ``[sequences]``.
        counted: number of samples that each counts in a minibatch, int64 ``[sequences]``.
    """

    begins: np.ndarray
    keys: np.ndarray
    rows: np.ndarray
    counted: np.ndarray
