"""Workers share every sequence: together they read what one alone reads, whatever reads it."""

from __future__ import annotations

import collections

import pytest

pytest.importorskip("PIL.Image")
pytest.importorskip("pyarrow")
from cntk.io._text import deserializer  # noqa: E402
from tests.io.resuming import READERS, write  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("workers")
    write(made)
    return made


def _dense(sequence):
    return sequence.toarray() if hasattr(sequence, "toarray") else sequence


def sequences(name, workers, rank):
    """How often a worker reads each sequence of all streams."""
    make, size, _ = READERS[name]
    source = make()
    found = collections.Counter()
    while minibatch := source.next_minibatch(
        size * workers, num_data_partitions=workers, partition_index=rank
    ):
        data = [d for _, d in sorted(minibatch.items(), key=lambda item: item[0].name)]
        if name.endswith("in pieces"):  # Which end elsewhere for another number of workers.
            found.update(
                frame.tobytes() for d in data for s in d.as_sequences() for frame in _dense(s)
            )
            continue
        for together in zip(*(d.as_sequences() for d in data), strict=True):
            found[tuple(_dense(s).tobytes() for s in together)] += 1
    return found


# MinibatchSourceFromData has other names for these arguments; test_feeding.py has its test.
@pytest.mark.parametrize("name", [n for n in READERS if n != "data"])
@pytest.mark.parametrize("workers", [2, 3])
def test_every_sequence_is_read_as_often(folder, monkeypatch, name, workers):
    monkeypatch.chdir(folder)
    monkeypatch.setattr(deserializer, "_LARGE", deserializer._LARGE)
    together = sum(
        (sequences(name, workers, rank) for rank in range(workers)), collections.Counter()
    )
    assert together == sequences(name, 1, 0)
