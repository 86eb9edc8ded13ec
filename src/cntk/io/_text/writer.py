"""Writes sequences as lines of the CNTK text format (CTF)."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Number, Real
from typing import Any

import numpy as np

from cntk._arguments import shown
from cntk.errors import ArgumentError


def sequence_to_cntk_text_format(seq_idx: int, alias_tensor_map: Mapping[str, Any]) -> str:
    """Return a sequence as text that `CTFDeserializer` reads.

    Args:
        seq_idx: the sequence's id.
        alias_tensor_map: for each field's name its samples: an array ``[samples, *shape]``, nested
            lists of numbers, or for sparse samples a list of dictionaries ``{index: value}``.
            Fields may have different numbers of samples.

    Returns:
        Lines without a line end after the last one; empty if there are no samples.

    Raises:
        ValueError: if the samples are anything else.

    Example:
        >>> print(
        ...     sequence_to_cntk_text_format(
        ...         7, {"word": [{4: 1}, {2: 1}], "tag": np.array([[0, 1]])}
        ...     )
        ... )
        7   |tag 0 1 |word 4:1
        7   |word 2:1
    """
    if isinstance(seq_idx, (tuple, list, np.ndarray)) and len(seq_idx) == 1:
        seq_idx = seq_idx[0]
    if not isinstance(seq_idx, (Real, np.number)) or not abs(seq_idx) < 2**64:
        raise ArgumentError(
            f"sequence_to_cntk_text_format: seq_idx: expected an integer, got {shown(seq_idx)}"
        )
    if not isinstance(alias_tensor_map, Mapping):
        raise ArgumentError(
            f"sequence_to_cntk_text_format: alias_tensor_map: expected a dictionary of samples by "
            f"field, got {shown(alias_tensor_map)}"
        )
    fields = {alias: _samples(alias, alias_tensor_map[alias]) for alias in sorted(alias_tensor_map)}
    lines = []
    for row in range(max(map(len, fields.values()), default=0)):
        parts = [
            f"|{alias} {samples[row]}" for alias, samples in fields.items() if row < len(samples)
        ]
        lines.append(f"{int(seq_idx)}\t{' '.join(parts)}")
    return "\n".join(lines)


def _samples(alias: str, data: Any) -> list[str]:
    """Return the text of each sample."""
    if isinstance(data, list) and data and all(isinstance(sample, Mapping) for sample in data):
        return [
            " ".join(f"{index}:{value}" for index, value in sorted(sample.items()))
            for sample in data
        ]
    kind = (
        f"sequence_to_cntk_text_format: field '{alias}' must be an array, nested lists of numbers, "
        f"or a list of dictionaries {{index: value}}, got {type(data).__name__}"
    )
    if not _is_tensor(data):
        raise ValueError(kind)
    try:
        array = np.asarray(data)
    except ValueError:
        raise ValueError(
            f"sequence_to_cntk_text_format: the samples of field '{alias}' differ in their shape"
        ) from None
    if array.ndim == 0:
        raise ValueError(kind)
    if array.dtype == np.bool_:
        array = array.astype(np.int64)
    return [" ".join(map(str, np.ravel(sample))) for sample in array]


def _is_tensor(data: Any) -> bool:
    """Return whether data are an array, or nested lists whose first innermost item is a number."""
    if isinstance(data, np.ndarray):
        return True
    if not isinstance(data, list):
        return False
    first: Any = data[0] if data else 0
    while isinstance(first, list) and first:
        first = first[0]
    return isinstance(first, Number)
