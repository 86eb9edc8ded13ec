"""Minibatches of sequences of similar length (bucketing).

An addition: the original's minibatch sources have no such option.
"""

from __future__ import annotations

from typing import Any

from cntk.errors import DataError
from cntk.io._source.minibatch_source import MinibatchSource


class BucketedMinibatchSource(MinibatchSource):
    """A `MinibatchSource` whose minibatches hold sequences of similar length.

    A recurrence takes as many steps as the longest sequence of its minibatch has, so similar
    lengths mean fewer steps in all. After shuffling, every ``bucket_sequences`` sequences are
    sorted by length, ascending and descending in turn. The shuffle itself is that of
    `MinibatchSource`; the order is reproducible and checkpoints are exact. An addition to CNTK.

    Args:
        deserializers: where the data are.
        bucket_sequences: how many sequences are sorted at a time; choose many minibatches' worth.
        **options: as for `MinibatchSource`.

    Raises:
        ValueError: if options contradict each other, or a file cannot be read.

    Example:
        >>> from cntk.io import ArrayDeserializer
        >>> import numpy as np
        >>> data = ArrayDeserializer(dict(x=np.zeros((12, 1))), lengths=[5, 1, 4, 2])
        >>> source = BucketedMinibatchSource(data, 100, randomize=False)
        >>> [source.next_minibatch(5)[source.streams.x].shape[:2] for _ in range(3)]
        [(2, 2), (1, 4), (1, 5)]
    """

    def __init__(self, deserializers: Any, bucket_sequences: int, **options: Any) -> None:
        if bucket_sequences < 1:
            raise DataError(
                f"BucketedMinibatchSource: bucket_sequences must be positive, got "
                f"{bucket_sequences}"
            )
        self._bucket = bucket_sequences
        super().__init__(deserializers, **options)
