"""Lattices of speech recognition, which are refused."""

from __future__ import annotations

from typing import Any


class LatticeDeserializer:
    """Lattices of speech recognition; always refused.

    They serve sequence training with `lattice_sequence_with_softmax` alone, which is not computed
    here: it needs formats that no other program writes any more.

    Args:
        lattice_index_file: file that says where the lattices are.
        streams: its stream.

    Raises:
        NotImplementedError: always.

    Example:
        >>> LatticeDeserializer("lattices.idx", None)
        Traceback (most recent call last):
            ...
        NotImplementedError: LatticeDeserializer: lattices (lattices.idx) cannot be read: ...
    """

    def __init__(self, lattice_index_file: Any, streams: Any) -> None:
        raise NotImplementedError(
            f"LatticeDeserializer: lattices ({lattice_index_file}) cannot be read: they serve "
            f"lattice_sequence_with_softmax "
            "alone, which is not computed here. Train on aligned frames with "
            "HTKFeatureDeserializer and HTKMLFDeserializer, "
            "or with cntk.forward_backward (connectionist temporal classification)"
        )
