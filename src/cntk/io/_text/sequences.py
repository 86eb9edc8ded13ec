"""The sequences of a text file: where they begin, what they are called, how long they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sequences:
    """Sequences in the order of a file.

    Attributes:
        begins: offset of the first byte of each, int64 ``[sequences]``.
        keys: their ids, uint64 ``[sequences]``.
        rows: lines of each, int64 ``[sequences]``.
        counted: by how many samples each counts in a minibatch, int64 ``[sequences]``.
    """

    begins: np.ndarray
    keys: np.ndarray
    rows: np.ndarray
    counted: np.ndarray
