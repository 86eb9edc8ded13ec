"""What is read of small files, minibatch by minibatch, and in which order: as the original did,
number by number.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs
from cntk.io._corpus.catalog import Catalog
from cntk.io._corpus.streams import StreamConfiguration
from cntk.io._sampling.shuffle import Order, Window
from cntk.io._text.deserializer import TextFile
from tests.io.cases.reader_cases import CASES, ORDERS, ordered_text

GOLDEN = json.loads(
    (Path(__file__).parent / "golden" / "readers_of_the_original.json").read_text(encoding="utf-8")
)


@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_minibatches(case, tmp_path):
    file = tmp_path / "data.ctf"
    file.write_bytes(case.text.encode())
    defs = {s[0]: StreamDef(s[1], s[2], is_sparse=s[3], defines_mb_size=s[4]) for s in case.streams}
    source = MinibatchSource(CTFDeserializer(str(file), StreamDefs(**defs)), **case.options)
    for size, (position, streams) in zip(case.sizes, GOLDEN[case.name], strict=True):
        minibatch = source.next_minibatch(size)
        assert source.current_position == {"minibatchSourcePosition": position}
        assert {info.name for info in minibatch} == set(streams)
        for info, data in minibatch.items():
            wanted = streams[info.name]
            assert (data.num_samples, data.num_sequences) == (
                wanted["samples"],
                wanted["sequences"],
            )
            assert (data.end_of_sweep, list(data.shape)) == (wanted["end"], wanted["shape"])
            assert data.is_sparse == info.is_sparse
            sequences = [s.toarray() if data.is_sparse else s for s in data.as_sequences()]
            assert len(sequences) == len(wanted["values"])
            for found, expected in zip(sequences, wanted["values"], strict=True):
                assert found.dtype == np.float32
                np.testing.assert_allclose(found, np.array(expected, np.float32), rtol=2e-7)


@pytest.mark.parametrize("number", range(len(ORDERS)))
def test_order(number, tmp_path):
    varied, chunk_bytes, options = ORDERS[number]
    file = tmp_path / "data.ctf"
    file.write_text(ordered_text(varied))
    catalog = Catalog([TextFile(str(file), [StreamConfiguration("x", 1)], chunk_bytes=chunk_bytes)])
    chunks = options["randomization_window_in_chunks"]
    window = (
        Window(chunks)
        if chunks
        else Window(options["randomization_window_in_samples"], in_samples=True)
    )
    order = Order(catalog.sizes, catalog.samples, window, options.get("randomization_seed", 0))
    assert [*order.sweep(0), *order.sweep(1)] == GOLDEN["orders"][number]
