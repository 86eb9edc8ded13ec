"""Makes samples anew for each minibatch, such as decoded images, in threads that work ahead.

A chunk of such samples holds no data, only their indices. Samples are made for the minibatch that
needs them, and those of the next minibatch in the background; if another one comes next, they are
dropped. So at most two minibatches are in memory. Random transforms depend on the source's seed,
the sweep and the sample's key: a sample is the same in any minibatch, after a checkpoint, and in
every deserializer that has it.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from cntk._wording import shape_text
from cntk.errors import DataError
from cntk.io._corpus.chunk import StreamChunk

Chunks = list[tuple[StreamChunk, np.ndarray]]
Parts = dict[str, Chunks]
Made = tuple[np.ndarray, ...]


@runtime_checkable
class Samples(Protocol):
    """Maker of samples, by index."""

    def make(self, row: int, seed: tuple[int, int]) -> Made:
        """Make one sample of each stream.

        Args:
            row: index of the sample.
            seed: the source's seed, and the sweep.

        Raises:
            DataError: if the sample cannot be read.
        """
        ...


@dataclass(frozen=True)
class UnmadeChunk(StreamChunk):
    """Chunk of samples that are not made yet: sequences of one sample each, without frames.

    Attributes:
        samples: makes them by their index in the chunk.
        column: index of the stream among those that ``samples`` makes.
    """

    samples: Samples | None = None
    column: int = 0


def unmade(samples: Samples, column: int, count: int) -> UnmadeChunk:
    """Return a chunk of samples that are not made yet.

    Args:
        samples: makes them by their index in the chunk.
        column: index of the stream among those that ``samples`` makes.
        count: number of samples.
    """
    return UnmadeChunk(
        np.zeros((count, 0), np.float32), np.arange(count + 1), samples=samples, column=column
    )


# The maker of a sample, its index, and the sweep.
_SampleKey = tuple[Samples, int, int]


class SampleMaker:
    """Pool of threads that make the samples of minibatches.

    Args:
        seed: seed of random transforms.
        threads: how many samples to make at a time; 0 makes none ahead of their use.
        max_errors: how many samples that cannot be read are skipped, each with a warning.
    """

    def __init__(self, seed: int, threads: int, max_errors: int) -> None:
        self._seed = seed
        self._threads = threads
        self._max_errors = max_errors
        self._errors = 0
        self._pool: ThreadPoolExecutor | None = None
        self._futures: dict[_SampleKey, Future[Made]] = {}

    def finish(self, parts: Parts, sweeps: np.ndarray) -> Parts:
        """Make all samples of a minibatch.

        Args:
            parts: for each stream its chunks, and the indices of sequences in each.
            sweeps: each sequence's sweep, int64 ``[sequences]``.

        Returns:
            The same with made samples. Sequences that cannot be read are missing, in all streams.

        Raises:
            DataError: if more samples than ``max_errors`` cannot be read, or samples of a stream
                differ in shape.
        """
        keys_by_stream = {
            name: _sample_keys(chunks, sweeps)
            for name, chunks in parts.items()
            if _is_unmade(chunks)
        }
        if not keys_by_stream:
            return parts
        distinct = dict.fromkeys(key for keys in keys_by_stream.values() for key in keys)
        self._begin(distinct)
        results = {key: self._result(key) for key in distinct}
        is_readable: np.ndarray = np.ones(len(sweeps), bool)
        for keys in keys_by_stream.values():
            is_readable &= [not isinstance(results[key], DataError) for key in keys]
        for error in {id(e): e for e in results.values() if isinstance(e, DataError)}.values():
            self.skip(error)
        if not is_readable.any():
            return {}
        finished = {}
        for name, chunks in parts.items():
            if name in keys_by_stream:
                column = _column(chunks)
                samples = [
                    made[column]
                    for made in (results[k] for k in keys_by_stream[name])
                    if not isinstance(made, DataError)
                ]
                finished[name] = [(_stack(name, samples), np.arange(len(samples)))]
            else:
                finished[name] = _filter(chunks, is_readable)
        return finished

    def expect(self, parts: Parts, sweep: int) -> None:
        """Start to make the samples that are probably needed next, and drop all others."""
        keys = dict.fromkeys(
            key
            for chunks in parts.values()
            if _is_unmade(chunks)
            for key in _sample_keys(chunks, np.full(sum(len(n) for _, n in chunks), sweep))
        )
        for key in [k for k in self._futures if k not in keys]:
            self._futures.pop(key).cancel()
        self._begin(keys)

    def _begin(self, keys: Iterable[_SampleKey]) -> None:
        if not self._threads:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads, "cntk-maker")
        for key in keys:
            if key not in self._futures:
                samples, row, sweep = key
                self._futures[key] = self._pool.submit(samples.make, row, (self._seed, sweep))

    def _result(self, key: _SampleKey) -> Made | DataError:
        samples, row, sweep = key
        future = self._futures.pop(key, None)
        try:
            return samples.make(row, (self._seed, sweep)) if future is None else future.result()
        except DataError as error:
            return error

    def skip(self, error: DataError) -> None:
        """Warn of an error, or raise it if there are more than ``max_errors``."""
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


def _sample_keys(chunks: Chunks, sweeps: np.ndarray) -> list[_SampleKey]:
    """Return the keys of the samples of some sequences."""
    pairs = [
        (chunk.samples, row)
        for chunk, numbers in chunks
        if isinstance(chunk, UnmadeChunk) and chunk.samples is not None
        for row in numbers.tolist()
    ]
    return [
        (samples, row, sweep) for (samples, row), sweep in zip(pairs, sweeps.tolist(), strict=True)
    ]


def _stack(name: str, samples: list[np.ndarray]) -> StreamChunk:
    shapes = list(dict.fromkeys(s.shape for s in samples))
    if len(shapes) > 1:
        raise DataError(
            f"MinibatchSource: samples of stream '{name}' differ in shape: {shape_text(shapes[0])} "
            f"and {shape_text(shapes[1])}; images of different sizes need transforms.scale, after "
            f"any crop"
        )
    frames = np.stack(samples) if len(samples) > 1 else samples[0][None]
    return StreamChunk(frames, np.arange(len(samples) + 1))


def _filter(chunks: Chunks, mask: np.ndarray) -> Chunks:
    """Return chunks and indices of those sequences for which a bool mask is true."""
    ends = np.cumsum([len(indices) for _, indices in chunks])
    parts = zip(chunks, np.split(mask, ends[:-1]), strict=True)
    return [(chunk, indices[keep]) for (chunk, indices), keep in parts if keep.any()]
