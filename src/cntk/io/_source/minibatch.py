"""`MinibatchData`: the sequences of one stream in one minibatch."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._arguments import as_flag, as_integer, shown
from cntk._graph.variable import Variable
from cntk.core import Value
from cntk.errors import ArgumentError


class MinibatchData:
    """The data of one stream in a minibatch, accepted wherever an input's data are.

    Args:
        value: the data.
        num_sequences: number of sequences.
        num_samples: number of samples of all sequences together.
        sweep_end: whether this minibatch ends a sweep through the data, or reaches into the next.

    Example:
        >>> batch = MinibatchData(Value(np.ones((2, 3), np.float32)), 2, 2, False)
        >>> batch
        MinibatchData(data=Value([2 x 3], CPU), samples=2, seqs=2)
    """

    def __init__(self, value: Value, num_sequences: int, num_samples: int, sweep_end: bool) -> None:
        if not isinstance(value, Value):
            raise ArgumentError(
                f"MinibatchData: value: expected a Value, such as cntk.Value(array), got "
                f"{shown(value)}"
            )
        self._value = value
        self.number_of_sequences = as_integer(
            num_sequences, "MinibatchData: num_sequences", least=0
        )
        self.number_of_samples = as_integer(num_samples, "MinibatchData: num_samples", least=0)
        self.sweep_end = as_flag(sweep_end, "MinibatchData: sweep_end")

    @classmethod
    def of(
        cls, value: Value, num_sequences: int, num_samples: int, sweep_end: bool
    ) -> MinibatchData:
        """Return what a reader gives, whose arguments are right for sure."""
        data = cls.__new__(cls)
        data._value, data.sweep_end = value, sweep_end
        data.number_of_sequences, data.number_of_samples = num_sequences, num_samples
        return data

    @property
    def data(self) -> Value:
        """The sequences."""
        return self._value

    @property
    def num_sequences(self) -> int:
        """Number of sequences."""
        return self.number_of_sequences

    @property
    def num_samples(self) -> int:
        """Number of samples of all sequences together."""
        return self.number_of_samples

    @property
    def end_of_sweep(self) -> bool:
        """True if the minibatch ends a sweep through the data, or reaches into the next."""
        return self.sweep_end

    @property
    def shape(self) -> tuple[int, ...]:
        """``(sequences, longest, *sample shape)``."""
        return self.data.shape

    @property
    def mask(self) -> np.ndarray:
        """``[sequences, longest]``: 2 where a sequence begins, 1 at its other samples, 0 at
        padding.
        """
        return self.data.mask

    @property
    def is_sparse(self) -> bool:
        """True if the data are sparse (CSR) rows."""
        return self.data.is_sparse

    def asarray(self) -> Any:
        """Return the data as one array ``[sequences, longest, *sample shape]``, zero-padded."""
        return self.data.asarray()

    def as_sequences(self, variable: Variable | None = None) -> Any:
        """Return an array ``[length, *sample shape]`` (or a CSR matrix) for each sequence.

        Args:
            variable: accepted for old programs and ignored.
        """
        return self.data.as_sequences(variable)

    def __len__(self) -> int:
        return self.number_of_sequences

    def __repr__(self) -> str:
        return (
            f"MinibatchData(data={self.data}, samples={self.number_of_samples}, "
            f"seqs={self.number_of_sequences})"
        )
