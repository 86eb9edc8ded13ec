"""Files whose chunks would take too much memory: sequences are read one by one, with the same
minibatches and errors.
"""

from __future__ import annotations

import numpy as np
import pytest

from cntk.io import CTFDeserializer, MinibatchSource, StreamDef, StreamDefs
from cntk.io._text import deserializer

STREAMS = StreamDefs(x=StreamDef("x", 2), w=StreamDef("w", 50, is_sparse=True))


def written(file, first="", last="\n"):
    rng = np.random.default_rng(0)
    lines = [
        f"{k} |x {k} {t} |w {rng.integers(50)}:1 {rng.integers(50)}:{k}"
        for k in range(60)
        for t in range(rng.integers(1, 6))
    ]
    file.write_text(first + "\n".join(lines) + last)
    return str(file)


def minibatches(file, **options):
    source = MinibatchSource(CTFDeserializer(file, STREAMS), max_sweeps=2, **options)
    found = []
    while minibatch := source.next_minibatch(17):
        for info in (source.streams.x, source.streams.w):
            data = minibatch[info]
            rows = [s if isinstance(s, np.ndarray) else s.toarray() for s in data.as_sequences()]
            found.append(
                (
                    data.num_samples,
                    data.end_of_sweep,
                    [r.tolist() for r in rows],
                    source.current_position,
                )
            )
    return found


@pytest.mark.parametrize(
    "options", [{"randomize": False}, {}, {"randomization_seed": 5}, {"max_sweeps": 2}]
)
@pytest.mark.parametrize("last", ["\n", ""])
def test_minibatches_are_the_same(tmp_path, monkeypatch, options, last):
    options = {k: v for k, v in options.items() if k != "max_sweeps"}
    file = written(tmp_path / "data.ctf", last=last)
    expected = minibatches(file, **options)
    monkeypatch.setattr(deserializer, "_LARGE", 1)
    monkeypatch.setattr(
        deserializer.TextFile, "load", lambda self, chunk: pytest.fail("a whole chunk was read")
    )
    assert minibatches(file, **options) == expected


def test_of_two_files_one_may_be_large(tmp_path, monkeypatch):
    first, second = written(tmp_path / "one.ctf"), str(tmp_path / "two.ctf")
    (tmp_path / "two.ctf").write_text("".join(f"{k} |y {k}\n" for k in range(59, -1, -2)))
    readers = [
        CTFDeserializer(first, STREAMS),
        CTFDeserializer(second, StreamDefs(y=StreamDef("y", 1))),
    ]
    monkeypatch.setattr(deserializer, "_LARGE", 500)
    source = MinibatchSource(readers, max_sweeps=1)
    seen = []
    while minibatch := source.next_minibatch(9):
        pairs = zip(
            minibatch[source.streams.x].as_sequences(),
            minibatch[source.streams.y].as_sequences(),
            strict=True,
        )
        for x, y in pairs:
            assert (x[:, 0] == y[0, 0]).all()
            seen.append(int(y[0, 0]))
    assert sorted(seen) == list(range(1, 60, 2))


@pytest.mark.parametrize("options", [{"randomize": False}, {}])
def test_errors_name_the_line_in_the_file(tmp_path, monkeypatch, options):
    file = written(tmp_path / "data.ctf", first="\n\n")
    with open(file) as opened:
        lines = opened.read().split("\n")
    lines[101] = lines[101].replace("|x ", "|x e")
    (tmp_path / "data.ctf").write_text("\n".join(lines))
    monkeypatch.setattr(deserializer, "_LARGE", 1)
    with pytest.raises(ValueError, match=r"data.ctf, line 102, stream 'x': .*'e"):
        minibatches(file, **options)


def test_a_file_that_shrinks_is_refused(tmp_path, monkeypatch):
    file = written(tmp_path / "data.ctf")
    monkeypatch.setattr(deserializer, "_LARGE", 1)
    source = MinibatchSource(CTFDeserializer(file, STREAMS), randomize=False)
    with open(file, "r+") as opened:
        opened.truncate(100)
    with pytest.raises(ValueError, match="data.ctf.* has changed"):
        for _ in range(20):
            source.next_minibatch(17)
