"""What each of several workers reads of a text file: as the original, minibatch by minibatch, and
together all of it.
"""

from __future__ import annotations

import collections
import json
from pathlib import Path

import pytest

from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs
from tests.io.cases.partition_cases import CASES, Case, partition, text

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "partitions_of_the_original.json").read_text(
        encoding="utf-8"
    )
)


def opened(case, folder):
    file = folder / "data.ctf"
    file.write_text(text(case))
    deserializer = CTFDeserializer(str(file), StreamDefs(x=StreamDef("x", 1)))
    if case.chunk is not None:
        deserializer["chunkSizeInBytes"] = case.chunk
    return MinibatchSource(deserializer, **case.options)


def numbers(data):
    return [int(s.ravel()[0]) for s in data.as_sequences()]


@pytest.mark.parametrize("number", range(len(CASES)))
def test_as_the_original(number, tmp_path):
    case = CASES[number]
    source = opened(case, tmp_path)
    for size, wanted in zip(case.sizes, GOLDEN[number], strict=False):
        minibatch = source.next_minibatch(size, **partition(case))
        if wanted is None:
            assert minibatch == {}
            return
        (data,) = minibatch.values()
        position = source.current_position["minibatchSourcePosition"]
        assert [position, int(data.end_of_sweep), numbers(data)] == wanted


@pytest.mark.parametrize("randomize", [True, False])
@pytest.mark.parametrize("workers", [2, 3, 5])
def test_all_workers_read_all(randomize, workers, tmp_path):
    lengths = [1 + (k * 7) % 5 for k in range(17)]
    case = Case(
        lengths, 45, {"randomize": randomize, "max_sweeps": 3, "randomization_seed": 4}, [], None
    )
    found = collections.Counter()
    for rank in range(workers):
        source = opened(case, tmp_path)
        while minibatch := source.next_minibatch(
            9, num_data_partitions=workers, partition_index=rank
        ):
            found.update(numbers(minibatch[source.streams.x]))
    assert found == dict.fromkeys(range(len(lengths)), 3)


def test_less_chunks_than_workers(tmp_path):
    """Shuffled chunks are dealt out: who gets none has reached the end at once, as in the
    original.
    """
    case = Case([1] * 4, None, {}, [], None)
    assert opened(case, tmp_path).next_minibatch(4, num_data_partitions=2, partition_index=1) == {}
    assert opened(case, tmp_path).next_minibatch(4, num_data_partitions=2, partition_index=0)
