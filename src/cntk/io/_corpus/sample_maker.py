"""Samples that are made anew whenever they are read, such as images from their files: threads make
them ahead of their use.

A chunk of such samples holds only which ones they are. They are made for the minibatch that needs
them, and those of the next one meanwhile; what does not come next after all is dropped. So at most
two minibatches are in memory. Random numbers depend on the source's seed, the sweep and the
sample's key: the same sample comes out the same in any minibatch, after a checkpoint, and in every
deserializer that has it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from cntk._errors import DataError, shape_text
from cntk.io._corpus.chunk import StreamChunk

Chunks = list[tuple[StreamChunk, np.ndarray]]
Parts = dict[str, Chunks]
Made = tuple[np.ndarray, ...]


@runtime_checkable
class Samples(Protocol):
    """Samples that can be made."""

    def make(self, row: int, seed: tuple[int, int]) -> Made:
        """One sample, of each of the streams that are made.

        Args:
            row: which one.
            seed: the source's seed, and the sweep.

        Raises:
            DataError: if it cannot be read.
        """
        ...


@dataclass(frozen=True)
class UnmadeChunk(StreamChunk):
    """One stream's samples that are still to be made: sequences of one sample each, without frames.

    Attributes:
        samples: what makes them; a sequence's number in the chunk says which.
        column: which of the streams that it makes.
    """

    samples: Samples | None = None
    column: int = 0


def unmade(samples: Samples, column: int, count: int) -> UnmadeChunk:
    """A chunk of samples that are still to be made.

    Args:
        samples: what makes them.
        column: which of the streams that it makes.
        count: how many there are.
    """
    return UnmadeChunk(
        np.zeros((count, 0), np.float32), np.arange(count + 1), samples=samples, column=column
    )


# Which samples, which of them, in which sweep.
_Wanted = tuple[Samples, int, int]


class SampleMaker:
    """Makes the samples of minibatches.

    Args:
        seed: where random numbers begin.
        threads: how many samples to make at a time; 0 makes them when they are needed and not
            before.
        max_errors: how many samples that cannot be read are left out, each with a warning.
    """

    def __init__(self, seed: int, threads: int, max_errors: int) -> None:
        self._seed = seed
        self._threads = threads
        self._max_errors = max_errors
        self._errors = 0
        self._pool: ThreadPoolExecutor | None = None
        self._coming: dict[_Wanted, Future[Made]] = {}

    def finish(self, parts: Parts, sweeps: np.ndarray) -> Parts:
        """The streams of a minibatch, all made.

        Args:
            parts: for each stream chunks, and the numbers of the sequences in these.
            sweeps: each sequence's sweep, int64 ``[sequences]``.

        Returns:
            The same with what had to be made. Sequences that cannot be read are missing, in all
            streams.

        Raises:
            DataError: if more cannot be read than is allowed, or samples of a stream differ in
                shape.
        """
        wanted = {
            name: _wanted(chunks, sweeps) for name, chunks in parts.items() if _is_unmade(chunks)
        }
        if not wanted:
            return parts
        needed = dict.fromkeys(key for keys in wanted.values() for key in keys)
        self._begin(needed)
        found = {key: self._result(key) for key in needed}
        kept: np.ndarray = np.ones(len(sweeps), bool)
        for keys in wanted.values():
            kept &= [not isinstance(found[key], DataError) for key in keys]
        for error in {id(e): e for e in found.values() if isinstance(e, DataError)}.values():
            self.pass_over(error)
        if not kept.any():
            return {}
        finished = {}
        for name, chunks in parts.items():
            if name in wanted:
                column = _column(chunks)
                samples = [
                    made[column]
                    for made in (found[k] for k in wanted[name])
                    if not isinstance(made, DataError)
                ]
                finished[name] = [(_stacked(name, samples), np.arange(len(samples)))]
            else:
                finished[name] = _filtered(chunks, kept)
        return finished

    def expect(self, parts: Parts, sweep: int) -> None:
        """Begin to make what will probably be needed next, and drop what else has begun."""
        keys = dict.fromkeys(
            key
            for chunks in parts.values()
            if _is_unmade(chunks)
            for key in _wanted(chunks, np.full(sum(len(n) for _, n in chunks), sweep))
        )
        for key in [k for k in self._coming if k not in keys]:
            self._coming.pop(key).cancel()
        self._begin(keys)

    def _begin(self, keys: Iterable[_Wanted]) -> None:
        if not self._threads:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "cntk-maker")
        for key in keys:
            if key not in self._coming:
                samples, row, sweep = key
                self._coming[key] = self._pool.submit(samples.make, row, (self._seed, sweep))

    def _result(self, key: _Wanted) -> Made | DataError:
        samples, row, sweep = key
        coming = self._coming.pop(key, None)
        try:
            return samples.make(row, (self._seed, sweep)) if coming is None else coming.result()
        except DataError as error:
            return error

    def pass_over(self, error: DataError) -> None:
        """Warn of an error, or raise it if there are more than are allowed."""
        if self._errors >= self._max_errors:
            if not self._max_errors:
                raise error
            raise DataError(
                f"{error}. That is one more than max_errors={self._max_errors} allows"
            ) from error
        self._errors += 1
        warnings.warn(
            f"{error}; it is left out ({self._errors} of {self._max_errors} errors allowed)",
            stacklevel=2,
        )


def _is_unmade(chunks: Chunks) -> bool:
    return isinstance(chunks[0][0], UnmadeChunk)


def _column(chunks: Chunks) -> int:
    return next(chunk.column for chunk, _ in chunks if isinstance(chunk, UnmadeChunk))


def _wanted(chunks: Chunks, sweeps: np.ndarray) -> list[_Wanted]:
    """What sequences need to have made."""
    pairs = [
        (chunk.samples, row)
        for chunk, numbers in chunks
        if isinstance(chunk, UnmadeChunk) and chunk.samples is not None
        for row in numbers.tolist()
    ]
    return [
        (samples, row, sweep) for (samples, row), sweep in zip(pairs, sweeps.tolist(), strict=True)
    ]


def _stacked(name: str, samples: list[np.ndarray]) -> StreamChunk:
    shapes = list(dict.fromkeys(s.shape for s in samples))
    if len(shapes) > 1:
        raise DataError(
            f"MinibatchSource: samples of stream '{name}' differ in shape: {shape_text(shapes[0])} "
            f"and {shape_text(shapes[1])}; "
            "images of different sizes need transforms.scale, after any crop"
        )
    frames = np.stack(samples) if len(samples) > 1 else samples[0][None]
    return StreamChunk(frames, np.arange(len(samples) + 1))


def _filtered(chunks: Chunks, kept: np.ndarray) -> Chunks:
    """Chunks and numbers without the sequences that are not kept."""
    ends = np.cumsum([len(numbers) for _, numbers in chunks])
    parts = zip(chunks, np.split(kept, ends[:-1]), strict=True)
    return [(chunk, numbers[keep]) for (chunk, numbers), keep in parts if keep.any()]
