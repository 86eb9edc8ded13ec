"""Speech files and options that are wrong: what the errors say, and 2,000 files with random
mistakes.
"""

from __future__ import annotations

import random
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest

from cntk.io import (
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFBinaryDeserializer,
    HTKMLFDeserializer,
    LatticeDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
)
from tests.io.cases.htk_cases import (
    GAP,
    GOOD,
    STATES,
    TEN,
    XY,
    archive,
    binary_labels,
    compressed,
    labels,
)

IN_ORDER = {"randomize": False}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**files):
    for name, content in files.items():
        Path(name.replace("_", ".")).write_bytes(
            content if isinstance(content, bytes) else content.encode()
        )


def features(script=XY, content=TEN, **options):
    write(s_scp=script, a_chunk=content)
    return HTKFeatureDeserializer(StreamDefs(f=StreamDef(scp="s.scp", **{"shape": 1, **options})))


def aligned(text=GOOD, states=STATES, phones=False, **options):
    write(l_mlf=text, s_list=states)
    return HTKMLFDeserializer(
        "s.list", StreamDefs(l=StreamDef(mlf="l.mlf", **{"shape": 3, **options})), phones
    )


def read(*deserializers, size=20, **options):
    return MinibatchSource(list(deserializers), **{**IN_ORDER, **options}).next_minibatch(size)


# -- features --------------------------------------------------------------------------------------

SCRIPTS = [
    (
        "x=a.chunk[0,4]\na.chunk[5,6]\n",
        r"s.scp, line 2: expected name=archive\[first,last\], got 'a.chunk\[5,6\]'",
    ),
    ("x=a.chunk\n", r"s.scp, line 1: expected name=archive\[first,last\]"),
    ("x=a.chunk[0,4\n", "s.scp, line 1: expected name"),
    ("x=a.chunk[a,4]\n", "s.scp, line 1: expected name"),
    ("x=a.chunk[0,4,5]\n", "s.scp, line 1: expected name"),
    ("x=a.chunk[5,4]\n", "s.scp, line 1: frames 5 to 4 of a.chunk are no range"),
    (
        "x=a.chunk[0,4]\ny=a.chunk[5,10]\n",
        "s.scp, line 2: frames up to 10 are wanted, and a.chunk has 10 by its header",
    ),
    ("x=none[0,4]\n", "s.scp, line 1: the archive none cannot be opened: No such file"),
    ("x=a.chunk[0,4]\ny=none[0,4]\n", "s.scp, line 2: the archive none cannot be opened"),
    ("", "s.scp: no utterances to read"),
]
ARCHIVES = [
    (b"", "a.chunk: an HTK header of 12 bytes was expected, the file has 0"),
    (TEN[:9], "a.chunk: an HTK header of 12 bytes was expected, the file has 9"),
    (
        TEN[:-3],
        "s.scp, line 2: a.chunk is truncated: frames 0 to 9 end at byte 52, the file at byte 49",
    ),
    (
        archive([[1.0]] * 10, kind=0),
        r"a.chunk: expected frames of the kind MFCC, FBANK, PLP or USER .* got kind WAVEFORM",
    ),
    (archive([[1.0]] * 10, kind=9 + 0o40000), "a.chunk: vector-quantized frames"),
    (archive([[1.0]] * 10, period=0), "a.chunk: expected frames of the kind .* and 0"),
    (TEN[:8] + b"\0\5" + TEN[10:], "a.chunk: a frame of 5 bytes"),
    (TEN[:8] + b"\0\0" + TEN[10:], "a.chunk: a frame of 0 bytes"),
    (struct.pack(">i", -8) + TEN[4:], "a.chunk: the number of frames .* is -8"),
    (
        compressed(10, 1, 9 + 0o2000)[:17],
        "a.chunk: compressed frames begin with 2 float32 numbers, and the file ends",
    ),
    (archive([[1.0, 2.0]] * 10), "stream 'f' has shape 1, and a frame of a.chunk has 2 numbers"),
]


@pytest.mark.parametrize(("script", "words"), SCRIPTS)
def test_malformed_scripts(script, words):
    with pytest.raises(RuntimeError, match=words):
        read(features(script))


@pytest.mark.parametrize(("content", "words"), ARCHIVES)
def test_malformed_archives(content, words):
    with pytest.raises(ValueError, match=words):
        read(features(content=content), max_errors=9)


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (
            archive([[1.0, 2.0]] * 9),
            "b.chunk holds USER of 2 numbers each 10 ms, and a.chunk USER of 1 numbers each 10 ms",
        ),
        (archive([[1.0]] * 9, period=50000), "b.chunk holds USER of 1 numbers each 5 ms"),
        (archive([[1.0]] * 9, kind=6 + 0o100), "b.chunk holds MFCC_E of 1 numbers"),
    ],
)
def test_archives_of_one_stream_must_agree(other, words):
    write(b_chunk=other)
    with pytest.raises(ValueError, match=f"s.scp, line 2: {words}"):
        read(features("x=a.chunk[0,4]\ny=b.chunk[0,3]\n"))


@pytest.mark.parametrize(
    ("streams", "kind", "words"),
    [
        ({}, ValueError, "no streams were given"),
        ("f", TypeError, "streams must be StreamDefs"),
        ({"f": 3}, TypeError, "stream 'f' must be a StreamDef"),
        ({"f": StreamDef(scp="s")}, ValueError, "stream 'f' has no shape"),
        ({"f": StreamDef(scp="s", shape=0)}, ValueError, "stream 'f' must have a positive shape"),
        (
            {"f": StreamDef(shape=1)},
            ValueError,
            "stream 'f' needs a file, or a list of files, as scp",
        ),
        ({"f": StreamDef(shape=1, scp=[])}, ValueError, "needs a file"),
        (
            {"f": StreamDef(shape=1, scp="s", context=3)},
            ValueError,
            "context must be two numbers of frames",
        ),
        (
            {"f": StreamDef(shape=1, scp="s", context=(1, -1))},
            ValueError,
            "context must be two numbers of frames",
        ),
    ],
)
def test_streams_of_features_that_are_none(streams, kind, words):
    with pytest.raises(kind, match=words):
        HTKFeatureDeserializer(streams)


def test_a_script_that_is_not_there():
    with pytest.raises(
        RuntimeError, match="none.scp: the script file cannot be opened: No such file"
    ):
        read(HTKFeatureDeserializer(StreamDefs(f=StreamDef(shape=1, scp="none.scp"))))


def test_utterances_that_are_listed_twice_are_left_out():
    with pytest.warns(
        UserWarning, match="1 utterances are listed several times and are left out: x"
    ):
        (data,) = read(features(XY + "x.fea=a.chunk[2,3]\n"), max_sweeps=1).values()
    assert data.as_sequences()[0].ravel().tolist() == [5, 6, 7, 8, 9]
    with pytest.warns(UserWarning), pytest.raises(ValueError, match="no utterances to read"):
        read(features("x=a.chunk[0,4]\nx=a.chunk[2,3]\n"))


def test_long_utterances_are_left_out():
    (data,) = read(
        features("x=a.chunk[0,4]\ny=a.chunk[5,8]\n", max_sequence_length=4), max_sweeps=1
    ).values()
    assert data.num_sequences == 1
    assert data.num_samples == 4


def test_several_script_files():
    write(t_scp="z=a.chunk[2,2]\n", s_scp=XY, a_chunk=TEN)
    streams = StreamDefs(f=StreamDef(scp=["s.scp", "t.scp"], shape=1))
    (data,) = read(HTKFeatureDeserializer(streams), max_sweeps=1).values()
    assert [len(s) for s in data.as_sequences()] == [5, 5, 1]


def test_broadcast():
    write(b_scp="x=b.chunk[0,0]\ny=b.chunk[1,2]\n", b_chunk=archive([[1.0, 2.0]] * 4))
    speaker = StreamDef(scp="b.scp", shape=2, broadcast=True)
    with pytest.raises(
        ValueError,
        match="stream 'g' is broadcast over the frames of the first deserializer, and is itself",
    ):
        read(HTKFeatureDeserializer(StreamDefs(g=speaker)))
    with pytest.raises(
        ValueError, match="b.scp, line 2: stream 'g' is broadcast, .* and 'y' has 2"
    ):
        read(features(), HTKFeatureDeserializer(StreamDefs(g=speaker)))


# -- labels ----------------------------------------------------------------------------------------

LABELS = [
    ("", "l.mlf, line 1: a label file begins with #!MLF!#, this one with ''"),
    (GOOD[8:], "l.mlf, line 1: a label file begins with #!MLF!#"),
    (GOOD.replace('"', ""), "l.mlf, line 2: the name of an utterance was expected"),
    (GOOD.replace('"x.lab"', '"x.lab'), "l.mlf, line 2: the name of an utterance was expected"),
    ("#!MLF!#\n", "l.mlf: the label files have no utterances"),
    (
        GOOD.encode() + b"\xff",
        "l.mlf, line 11: the name of an utterance was expected, as .name.lab., got .ÿ",
    ),
]
FAULTS = [
    (
        GAP,
        "l.mlf, line 4, utterance 'x': the segment was expected to begin at 200000, .* got '300000 "
        "500000 b'",
    ),
    (
        labels(("x.lab", [(1, 5, "a")])),
        "line 3, utterance 'x': the segment was expected to begin at 0",
    ),
    (
        labels(("x.lab", [(0, 3, "a"), (3, 3, "b")])),
        r"line 4, utterance 'x': the segment was .* begin at 3, .* \(times less than 99999",
    ),
    (
        labels(("x.lab", [(0, 3, "a"), (3, 2, "b")])),
        "line 4, utterance 'x': the segment ends before it begins",
    ),
    (
        labels(("x.lab", [(0, 5, "q")])),
        "line 3, utterance 'x': the state 'q' is not in the file of state names",
    ),
    (labels(("x.lab", [(0, 10**9, "a")])), "line 3, utterance 'x': its end is out of range"),
    (labels(("x.lab", [])), "line 2, utterance 'x': it has no segments"),
    (
        GOOD.replace("0 200000 a", "200000 a"),
        "line 3, utterance 'x': 'begin end state' was expected",
    ),
    (
        GOOD.replace("0 200000 a", "0 2x0000 a"),
        "line 3, utterance 'x': 'begin end state' was expected",
    ),
    (
        GOOD.replace("0 200000 a", "-1 200000 a"),
        "line 3, utterance 'x': 'begin end state' was expected",
    ),
    (
        GOOD.split(".\n")[0],
        "line 2: the file ends within the utterance 'x'; a line with '.' was expected",
    ),
]


@pytest.mark.parametrize(("text", "words"), LABELS)
def test_malformed_label_files(text, words):
    with pytest.raises(ValueError, match=words):
        read(features(), aligned(text), max_errors=9)


@pytest.mark.parametrize(("text", "words"), FAULTS)
def test_malformed_utterances(text, words):
    """They are errors when their turn comes; so many as are allowed are passed over, as in the
    original.
    """
    other = labels(("y.lab", [(0, 5, "b")]))[8:]
    if text.endswith(".\n") and '"y' not in text:
        text += other
    source = MinibatchSource([features(), aligned(text)], **IN_ORDER)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=words):
            source.next_minibatch(5)
    if '"y' not in text:
        return
    source = MinibatchSource([features(), aligned(text)], max_errors=1, **IN_ORDER)
    assert source.next_minibatch(5)[source.streams.f].as_sequences()[0].ravel().tolist() == [
        5,
        6,
        7,
        8,
        9,
    ]
    with pytest.raises(ValueError, match=words):
        source.next_minibatch(5)


def test_only_malformed_utterances():
    text = labels(("x.lab", [(0, 5, "q")]), ("y.lab", [(0, 5, "q")]))
    assert read(features(), aligned(text), max_errors=10**6) == {}


def test_states():
    for states, words in [
        ("", "s.list: there are no names of states"),
        ("a\nb\na\n", "s.list, line 3: the state 'a' is listed before, as class 0"),
    ]:
        with pytest.raises(RuntimeError, match=words):
            read(features(), aligned(states=states))
    with pytest.raises(RuntimeError, match="no.list: the file of state names cannot be opened"):
        read(
            features(), HTKMLFDeserializer("no.list", StreamDefs(l=StreamDef(mlf="l.mlf", shape=3)))
        )
    with pytest.raises(
        ValueError, match="utterance 'x': class 2 is out of range, stream 'l' has 2 classes"
    ):
        read(features(), aligned(shape=2))
    found = read(features(), aligned(states="a\nb\nc"), size=5)
    assert [
        s.indices.tolist() for d in found.values() if d.is_sparse for s in d.as_sequences()
    ] == [[0, 0, 1, 1, 2]]


@pytest.mark.parametrize(
    ("streams", "kind", "words"),
    [
        ({}, ValueError, "one stream of labels is expected, got 0"),
        ("f", TypeError, "streams must be StreamDefs"),
        ({"l": 3}, TypeError, "stream 'l' must be a StreamDef"),
        ({"l": StreamDef(mlf="s")}, ValueError, "stream 'l' has no shape"),
        ({"l": StreamDef(mlf="s", shape=0)}, ValueError, "stream 'l' must have a positive shape"),
        (
            {"l": StreamDef(shape=1)},
            ValueError,
            "stream 'l' needs a file, or a list of files, as mlf",
        ),
    ],
)
def test_streams_of_labels_that_are_none(streams, kind, words):
    with pytest.raises(kind, match=words):
        HTKMLFDeserializer("s.list", streams)
    with pytest.raises(kind, match=words):
        HTKMLFBinaryDeserializer(streams)


def test_options_of_labels_that_are_none():
    with pytest.raises(ValueError, match="expected a file with the names of states, got None"):
        HTKMLFDeserializer(None, StreamDefs(l=StreamDef(mlf="s", shape=1)))
    with pytest.raises(
        ValueError, match="frame_mode cannot read l: phoneBoundaries need whole sequences"
    ):
        read(features(), aligned(phones=True), frame_mode=True)
    with pytest.raises(ValueError, match="sequence 'x' has 2 frames in l, and 5 in f"):
        read(features(), aligned(labels(("x.lab", [(0, 2, "a")]))), frame_mode=True)
    with pytest.raises(ValueError, match="no sequence in common"):
        read(features(), aligned(labels(("z.lab", [(0, 2, "a")]))))
    write(q_ctf="0 |q 1\n0 |q 2\n")
    with pytest.raises(
        ValueError,
        match="frame_mode reads single samples, and a sequence has 2; q is read in whole",
    ):
        read(
            features("0=a.chunk[0,1]\n"),
            CTFDeserializer("q.ctf", StreamDefs(q=StreamDef("q", 1))),
            frame_mode=True,
        )


WHOLE = binary_labels(2, [(b"x", [(0, 2), (1, 3)]), (b"y", [(0, 5)])])
BINARY = [
    (b"", "l.bin: a binary label file begins with the letters MLF"),
    (b"#!MLF!#\n", "l.bin: a binary label file begins with the letters MLF"),
    (
        b"MLF\3\0" + WHOLE[5:],
        "l.bin, byte 3: a binary label file of version 1 or 2 was expected, got version 3",
    ),
    (
        WHOLE[:-1],
        "l.bin, byte 22: the file ends, at byte 34, within the utterance that begins there",
    ),
    (WHOLE[:23], "l.bin, byte 22: the file ends, at byte 23, within"),
    (
        WHOLE.replace(b"\5\0\0\0\2", b"\6\0\0\0\2"),
        "byte 5, utterance 'x': 6 frames were announced, and its 2 segments have 5",
    ),
    (
        WHOLE.replace(b"x\5\0\0\0\2\0\0", b"x\5\0\0\0\2\0\7"),
        "utterance 'x': class 7 is out of range, stream 'l' has 3",
    ),
    (b"MLF\2\0", "l.bin: the label files have no utterances"),
]


@pytest.mark.parametrize(("content", "words"), BINARY)
def test_malformed_binary_labels(content, words):
    write(l_bin=content)
    with pytest.raises(ValueError, match=words):
        read(features(), HTKMLFBinaryDeserializer(StreamDefs(l=StreamDef(mlf="l.bin", shape=3))))


def test_lattices_are_refused():
    with pytest.raises(
        NotImplementedError, match=r"lattices \(lattice.idx\) cannot be read: .*forward_backward"
    ):
        LatticeDeserializer("lattice.idx", StreamDefs(lattice=StreamDef()))


# -- 2,000 files with mistakes ---------------------------------------------------------------------

BYTES = [
    b"\0",
    b"\xff",
    b"\n",
    b"[",
    b"]",
    b"=",
    b",",
    b'"',
    b".",
    b" ",
    b"9",
    b"-",
    b"x",
    b"\x7f\xff\xff\xff",
]


def mutated(content, draw):
    for _ in range(draw.randint(1, 3)):
        begin = draw.randrange(len(content) + 1)
        end = min(begin + draw.choice([0, 1, 1, 1, 2, 4, 30]), len(content))
        new = draw.choice(
            [b"", draw.choice(BYTES), draw.randbytes(draw.randint(1, 4)), content[end : end + 9]]
        )
        content = content[:begin] + new + content[end:]
    return content


@pytest.mark.parametrize("number", range(20))
def test_files_with_random_mistakes(number):
    """A clear error or well-formed minibatches, never another exception; what was not touched is
    read as it is.
    """
    draw = random.Random(number)
    whole = {
        "s.scp": XY.encode(),
        "a.chunk": [TEN, compressed(10, 1, 9 + 0o2000)][number % 2],
        "l.mlf": GOOD.encode(),
        "s.list": STATES.encode(),
        "l.bin": WHOLE,
    }
    read_at_all = 0
    for _ in range(100):
        name = draw.choice(
            ["s.scp", "a.chunk", "a.chunk", "l.mlf", "l.mlf", "l.bin", "l.bin", "s.list"]
        )
        for other, content in whole.items():
            Path(other).write_bytes(mutated(content, draw) if other == name else content)
        reader = HTKFeatureDeserializer(
            StreamDefs(f=StreamDef(scp="s.scp", shape=1, context=(1, 0)))
        )
        streams = StreamDefs(l=StreamDef(mlf="l.bin" if name == "l.bin" else "l.mlf", shape=3))
        labelled = (
            HTKMLFBinaryDeserializer(streams)
            if name == "l.bin"
            else HTKMLFDeserializer("s.list", streams)
        )
        options = {
            "frame_mode": draw.random() < 0.3,
            "max_errors": draw.choice([0, 0, 4]),
            "max_sweeps": 2,
        }
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                source = MinibatchSource([reader, labelled], **options)
                while minibatch := source.next_minibatch(7):
                    frames, found = minibatch[source.streams.f], minibatch[source.streams.l]
                    assert len(frames.as_sequences()) == len(found.as_sequences())
                    assert all(
                        s.shape[1] == 3 and (s.sum(1) == 1).all() for s in found.as_sequences()
                    )
                    if name != "a.chunk" and name != "s.scp":
                        assert all(
                            np.isin(s, TEN_VALUES[number % 2]).all() for s in frames.as_sequences()
                        )
                    read_at_all += 1
        except ValueError as error:
            assert any(f in str(error) for f in (*whole, "in common", "frame_mode")), error
    assert read_at_all > 10


TEN_VALUES = [np.arange(10), (10 * np.arange(10) + 1) / 2]
