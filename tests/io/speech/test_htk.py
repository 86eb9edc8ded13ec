"""Speech: features, labels and what joins them, as the original read them, number by number; on
real speech too.
"""

from __future__ import annotations

import json
import lzma
import os
from pathlib import Path

import numpy as np
import pytest

from cntk.io import (
    MinibatchSource,
)
from tests.io.cases.htk_cases import CASES, MANY, STATES, TEN, archive
from tests.io.cases.made_readers import made

HERE = Path(__file__).parent.parent
GOLDEN = json.loads((HERE / "golden" / "htk_of_the_original.json").read_text(encoding="utf-8"))
AN4 = Path(os.environ.get("CNTK_TEST_DATA", "")) / "an4"


@pytest.mark.filterwarnings("ignore:.*listed several times")
@pytest.mark.parametrize("case", CASES, ids=[c.name for c in CASES])
def test_minibatches(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in case.files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
    source = MinibatchSource([made(*r) for r in case.readers], **case.options)
    for size, (position, streams) in zip(case.sizes, GOLDEN[case.name], strict=True):
        minibatch = source.next_minibatch(size)
        assert source.current_position == {"minibatchSourcePosition": position}
        assert {info.name for info in minibatch} == set(streams)
        for info, data in minibatch.items():
            samples, count, end, values = streams[info.name]
            assert (data.num_samples, data.num_sequences, data.end_of_sweep) == (
                samples,
                count,
                end,
            )
            sequences = [s.toarray() if data.is_sparse else s for s in data.as_sequences()]
            assert len(sequences) == len(values)
            for found, expected in zip(sequences, values, strict=True):
                np.testing.assert_array_equal(found, np.array(expected, np.float32))


@pytest.mark.parametrize("number", range(len(MANY)))
def test_order_of_many_utterances(number, tmp_path):
    """Chunks hold as many utterances as the original's do, and these are shuffled within the same
    windows.
    """
    lengths, seed = MANY[number]
    begins = np.cumsum([0, *lengths]).tolist()
    (tmp_path / "many.chunk").write_bytes(archive([[float(t)] for t in range(begins[-1])]))
    lines = [
        f"u{k}={tmp_path}/many.chunk[{begins[k]},{begins[k + 1] - 1}]\n"
        for k in range(len(lengths))
    ]
    (tmp_path / "many.scp").write_text("".join(lines))
    deserializer = made("htk", (), {"f": {"shape": 1, "scp": str(tmp_path / "many.scp")}})
    options = {"randomization_window_in_chunks": 2, "randomization_seed": seed, "max_sweeps": 2}
    source = MinibatchSource(deserializer, **options)
    found = []
    while minibatch := source.next_minibatch(1):
        (data,) = minibatch.values()
        found.append(begins.index(int(data.as_sequences()[0][0, 0])))
    assert found == GOLDEN["many"][number]


@pytest.fixture(scope="module")
def an4(tmp_path_factory):
    if not AN4.is_dir():
        pytest.skip("CNTK_TEST_DATA names no folder with an4/ in it")
    folder = tmp_path_factory.mktemp("an4")
    for name in ("000000000.chunk", "glob_0000.mlf"):
        (folder / name).write_bytes(lzma.open(AN4 / f"{name}.xz").read())
    for name in ("glob_0000.scp", "state.list"):
        (folder / name).write_bytes((AN4 / name).read_bytes())
    return folder


@pytest.mark.parametrize("number", range(3))
def test_real_speech(an4, number, monkeypatch):
    monkeypatch.chdir(an4)
    options, size, golden = GOLDEN["speech"][number]
    features = made("htk", (), {"f": {"shape": 33, "scp": "glob_0000.scp", "context": (2, 2)}})
    states = made("mlf", ("state.list",), {"l": {"shape": 132, "mlf": "glob_0000.mlf"}})
    source = MinibatchSource([features, states], **options)
    for samples, sequences, total, classes in golden:
        minibatch = source.next_minibatch(size)
        frames, labels = minibatch[source.streams.f], minibatch[source.streams.l]
        assert (frames.num_samples, labels.num_sequences) == (samples, sequences)
        assert np.isclose(
            sum(s.astype("f8").sum() for s in frames.as_sequences()), total, rtol=1e-9
        )
        assert sum(int(s.indices.sum()) for s in labels.as_sequences()) == classes


@pytest.mark.parametrize(
    ("segments", "classes"),
    [
        ("0 2 a/2 4 b/4 5 c", "00112"),
        ("0 2 a/200000 500000 b", "00111"),
        ("0 200000 a/2 4 b/4 5 c", "00112"),
        ("0.0 2.0 a/2.0 5.0 b", "00111"),
        ("0 2.7 a/2.7 5 b", "00111"),
        ("0 99999 a/100000 500000 b", "01111"),
        ("0 140000 a/140000 290000 b/290000 500000 c", "01122"),
        ("0 0 a/0 5 b", "11111"),
    ],
)
def test_times_in_frames(segments, classes, tmp_path, monkeypatch):
    """Line by line, where they are less than 99999 apart; the classes are the original's."""
    monkeypatch.chdir(tmp_path)
    lines = segments.replace("/", "\n")
    for name, content in {"s.list": STATES, "l.mlf": f'#!MLF!#\n"x.lab"\n{lines}\n.\n'}.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "s.scp").write_text("x=a.chunk[0,4]\n")
    (tmp_path / "a.chunk").write_bytes(TEN)
    given = (
        made("htk", (), {"f": {"shape": 1, "scp": "s.scp"}}),
        made("mlf", ("s.list",), {"l": {"shape": 3, "mlf": "l.mlf"}}),
    )
    source = MinibatchSource(list(given), randomize=False)
    (sequence,) = source.next_minibatch(5)[source.streams.l].as_sequences()
    assert "".join(map(str, sequence.indices)) == classes
