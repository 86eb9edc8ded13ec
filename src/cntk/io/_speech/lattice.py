"""`LatticeDeserializer`, which raises: lattices are not supported."""

from __future__ import annotations

from typing import Any


class LatticeDeserializer:
    """Deserializer of speech lattices, which is not supported: it always raises.

    Lattices are used by sequence training with `lattice_sequence_with_softmax` only, which is not
    implemented: it needs file formats that no other program writes any more.

    Args:
        lattice_index_file: file that lists the lattices.
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
            f"LatticeDeserializer: lattices ({lattice_index_file}) cannot be read: they are for "
            f"lattice_sequence_with_softmax, which is not computed here. Train on aligned frames "
            f"with HTKFeatureDeserializer and HTKMLFDeserializer, or with cntk.forward_backward "
            f"(connectionist temporal classification)"
        )
