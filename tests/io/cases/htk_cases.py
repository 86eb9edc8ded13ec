"""Speech files and minibatch sources whose minibatches are compared with the original's.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

import struct
from collections import namedtuple

# Readers: ("htk" | "mlf" | "binary" | "ctf", arguments before and after the streams, streams).
Case = namedtuple("Case", "name files readers options sizes")


def archive(frames, period=100000, kind=9, order=">"):
    """An HTK file of these frames."""
    head = struct.pack(order + "iihh", len(frames), period, 4 * len(frames[0]), kind)
    return head + b"".join(struct.pack(f"{order}{len(f)}f", *f) for f in frames)


def compressed(count, dim, kind):
    """A compressed HTK file: frame t, column j is (10 t + j + 1) / 2."""
    head = struct.pack(">iihh", count + 4, 100000, 2 * dim, kind)
    scales = struct.pack(f">{2 * dim}f", *([2.0] * dim + [1.0] * dim))
    return (
        head
        + scales
        + b"".join(struct.pack(f">{dim}h", *[10 * t + j for j in range(dim)]) for t in range(count))
    )


def labels(*utterances):
    """A label file of utterances (name, [(begin, end, state)]) in frames."""
    parts = ["#!MLF!#\n"]
    for name, segments in utterances:
        lines = "".join(f"{b * 100000} {e * 100000} {s}\n" for b, e, s in segments)
        parts.append(f'"{name}"\n{lines}.\n')
    return "".join(parts)


def binary_labels(version, utterances):
    """A binary label file of utterances (key, [(class, frames)])."""
    parts = [b"MLF" + struct.pack("<h", version)]
    for key, segments in utterances:
        name = struct.pack("<I", key) if version == 1 else struct.pack("<H", len(key)) + key
        head = struct.pack("<IH", sum(n for _, n in segments), len(segments))
        parts.append(name + head + b"".join(struct.pack("<HH", *s) for s in segments))
    return b"".join(parts)


TEN = archive([[float(t)] for t in range(10)])
PAIRS = archive([[100.0 + t, t / 10.0] for t in range(20)])
XY = "x.mfc=a.chunk[0,4]\ny.mfc=a.chunk[5,9]\n"
XYZ = "x=a.chunk[0,4]\ny=a.chunk[5,8]\nz=a.chunk[2,2]\n"
X = ("x.lab", [(0, 2, "a"), (2, 4, "b"), (4, 5, "c")])
Y = ("y.lab", [(0, 1, "c"), (1, 5, "a")])
GOOD = labels(X, Y)
GAP = labels(("x.lab", [(0, 2, "a"), (3, 5, "b")]), Y)
IN_ORDER = {"randomize": False}
FRAMES = {"randomize": False, "frame_mode": True}
STATES = "a\nb\nc\n"


def features(name, scp, sizes=(5, 5, 5), options=IN_ORDER, files=None, **streams):
    """A case of features alone; stream f reads s.scp unless said otherwise."""
    written = {"s.scp": scp, "a.chunk": TEN, "b.chunk": PAIRS}
    written.update(files or {})
    given = {"f": {"shape": 1, "scp": "s.scp"}}
    given.update(streams)
    return Case(name, written, [("htk", (), given)], options, list(sizes))


def labelled(
    name,
    text,
    sizes=(5, 5, 5),
    options=IN_ORDER,
    states=STATES,
    shape=3,
    scp=XY,
    phones=None,
    files=None,
):
    """A case of features and labels."""
    written = {"s.scp": scp, "a.chunk": TEN, "l.mlf": text, "s.list": states}
    written.update(files or {})
    given = {"shape": shape, "mlf": ["l.mlf", "m.mlf"] if "m.mlf" in written else "l.mlf"}
    arguments = ("s.list",) if phones is None else ("s.list", phones)
    readers = [("htk", (), {"f": {"shape": 1, "scp": "s.scp"}}), ("mlf", arguments, {"l": given})]
    return Case(name, written, readers, options, list(sizes))


def binary(name, content, scp=XY, options=IN_ORDER):
    """A case of features and binary labels."""
    readers = [
        ("htk", (), {"f": {"shape": 1, "scp": "s.scp"}}),
        ("binary", (), {"l": {"shape": 3, "mlf": "l.mlf"}}),
    ]
    return Case(name, {"s.scp": scp, "a.chunk": TEN, "l.mlf": content}, readers, options, [5, 5, 9])


def beside_text(name, scp, text):
    """A case of features and a text file."""
    readers = [
        ("htk", (), {"f": {"shape": 1, "scp": "s.scp"}}),
        ("ctf", ("q.ctf",), {"q": {"field": "q", "shape": 2}}),
    ]
    return Case(name, {"s.scp": scp, "a.chunk": TEN, "q.ctf": text}, readers, IN_ORDER, [5, 5])


def windows(before, after):
    """A stream of frames with their neighbours."""
    return {"shape": 1, "scp": "s.scp", "context": (before, after)}


OTHER = {"s2.scp": "y=a.chunk[2,5]\nx=a.chunk[5,9]\nz=a.chunk[2,2]\n"}
SPEAKERS = {"s2.scp": "y=b.chunk[2,2]\nx=b.chunk[5,5]\nz=b.chunk[3,3]\n"}
SECOND = {"shape": 1, "scp": "s2.scp", "context": (1, 0)}
SPEAKER = {"shape": 2, "scp": "s2.scp", "broadcast": True}
FIRST, LAST = [(0, 2), (1, 2), (2, 1)], [(2, 1), (0, 4)]

CASES = [
    features("ranges", "x.mfc=a.chunk[0,2]\ny.mfc=a.chunk[3,9]\n", (5, 5, 5, 5)),
    features("no_newline_at_the_end", XY[:-1]),
    features("carriage_returns", XY.replace("\n", "\r\n")),
    features("spaces_in_a_range", "x=a.chunk[ 0 , 4 ]\n"),
    features("one_frame", "x=a.chunk[0,0]\ny=a.chunk[1,4]\n"),
    features("overlapping", "x=a.chunk[0,4]\ny=a.chunk[2,6]\nz=a.chunk[5,5]\n", (5, 5, 5, 5)),
    features("listed_twice", XYZ + "z=a.chunk[3,3]\n"),
    features(
        "beside_the_script",
        "",
        f={"shape": 1, "scp": "d/s.scp"},
        files={"d/a.chunk": TEN, "d/s.scp": "x=.../a.chunk[0,4]\n"},
    ),
    features(
        "little_endian", XY, files={"a.chunk": archive([[float(t)] for t in range(10)], order="<")}
    ),
    features("mel_bank", XY, files={"a.chunk": archive([[float(t)] for t in range(10)], kind=7)}),
    features(
        "energy_and_deltas",
        XY,
        files={"a.chunk": archive([[float(t)] for t in range(10)], kind=6 + 0o25500)},
    ),
    features(
        "with_guid",
        XY,
        files={
            "a.chunk": archive([[float(t)] for t in range(10)], kind=12)[:12] + b"g" * 16 + TEN[12:]
        },
    ),
    features(
        "compressed",
        XY,
        f={"shape": 2, "scp": "s.scp"},
        files={"a.chunk": compressed(10, 2, 9 + 0o2000)},
    ),
    features(
        "compressed_with_checksum",
        XY,
        f={"shape": 2, "scp": "s.scp"},
        files={"a.chunk": compressed(10, 2, 9 + 0o12000) + b"\0\0"},
    ),
    features("longer_file", XY, files={"a.chunk": TEN + b"abc"}),
    features("neighbours", XYZ, (20,), f=windows(1, 1)),
    features("neighbours_before", XYZ, (20,), f=windows(2, 0)),
    features("neighbours_after", XYZ, (20,), f=windows(0, 3)),
    features("many_neighbours", XYZ, (20,), f=windows(7, 7)),
    features(
        "neighbours_of_pairs",
        XYZ.replace("a.", "b."),
        (20,),
        f={"shape": 2, "scp": "s.scp", "context": (1, 1)},
    ),
    features("neighbours_by_shape", XY, (20,), f={"shape": 3, "scp": "s.scp"}),
    features("neighbours_of_frames", XYZ, (4, 9), FRAMES, f=windows(1, 2)),
    features("frames", XYZ, (3, 4, 5), FRAMES),
    features("shuffled_frames", XYZ, (3, 4, 5, 9), {"frame_mode": True}),
    features("shuffled_by_seed", XYZ, (3, 4, 5, 9), {"frame_mode": True, "randomization_seed": 4}),
    features("shuffled", XYZ, (9, 9, 5, 7), {}),
    features("two_streams", XYZ, (9, 9, 5), files=OTHER, g=SECOND),
    features("two_streams_of_frames", XYZ, (5, 9), {"frame_mode": True}, OTHER, g=SECOND),
    features(
        "unequal_streams",
        XYZ,
        (9, 9, 5),
        files={"s2.scp": OTHER["s2.scp"].replace("2,5", "2,4")},
        g=SECOND,
    ),
    features("broadcast", XYZ, (9, 9, 5), files=SPEAKERS, g=SPEAKER),
    features("broadcast_over_frames", XYZ, (9, 9, 5), FRAMES, SPEAKERS, g=SPEAKER),
    features(
        "broadcast_over_shuffled_frames", XYZ, (9, 9, 5), {"frame_mode": True}, SPEAKERS, g=SPEAKER
    ),
    features(
        "broadcast_with_neighbours", XYZ, (9, 9), files=SPEAKERS, g=dict(SPEAKER, context=(1, 1))
    ),
    labelled("labels", GOOD),
    labelled("labels_in_another_order", labels(Y, X)),
    labelled("shuffled_labels", GOOD, (5, 5, 5, 7), {}),
    labelled("labels_are_missing", labels(X)),
    labelled("more_labels_than_features", labels(X, ("z.lab", [(0, 2, "a")]), Y)),
    labelled("fewer_frames_of_labels", labels(("x.lab", [(0, 2, "a"), (2, 4, "b")]), Y)),
    labelled(
        "more_frames_of_labels", labels(("x.lab", [(0, 2, "a"), (2, 7, "b")]), Y), (5, 5, 7, 7)
    ),
    labelled("labels_twice", labels(X, Y, ("x.lab", [(0, 5, "c")]))),
    labelled("label_carriage_returns", GOOD.replace("\n", "\r\n")),
    labelled("no_newline_after_labels", GOOD[:-1]),
    labelled("blank_lines", GOOD.replace('\n"y', '\n\n"y').replace("0 200000", "\n0 200000")),
    labelled("star_in_names", GOOD.replace('"x', '"*/x')),
    labelled("other_extensions", GOOD.replace("x.lab", "x.rec").replace("y.lab", "y")),
    labelled("dots_in_names", GOOD.replace("x.lab", "x.1.lab"), scp=XY.replace("x.mfc", "x.1.mfc")),
    labelled(
        "folders_in_names", GOOD.replace("x.lab", "d.1/x.lab"), scp=XY.replace("x.mfc", "d.1/x.mfc")
    ),
    labelled(
        "more_columns",
        GOOD.replace(" a\n", " a -0.5 sil 454.794006 </s>\n").replace(" b\n", " b -0.5\n"),
    ),
    labelled("times_between_frames", GOOD.replace("200000", "249999")),
    labelled("times_half_between_frames", GOOD.replace("200000", "250000")),
    labelled(
        "other_frame_period",
        GOOD,
        files={"a.chunk": archive([[float(t)] for t in range(10)], 50000)},
    ),
    labelled("two_label_files", labels(X), files={"m.mlf": labels(Y)}),
    labelled("two_headers", GOOD + GOOD.replace("x.lab", "z.lab")),
    labelled("more_classes_than_states", GOOD, shape=5),
    labelled("fewer_classes_than_states", GOOD.replace("c\n", "b\n"), shape=2),
    labelled("blank_states", GOOD, states="a\r\n\r\nb\r\nc\r\n"),
    labelled("phone_boundaries", GOOD, phones=True),
    labelled(
        "phone_boundaries_of_equal_states",
        labels(("x.lab", [(0, 2, "a"), (2, 4, "a"), (4, 5, "a")]), Y),
        phones=True,
    ),
    labelled("frames_of_labels", labels(Y, X), (7, 7), FRAMES),
    labelled("shuffled_frames_of_labels", labels(Y, X), (7, 7, 3), {"frame_mode": True}),
    labelled("frames_without_labels", labels(Y), (7, 7), FRAMES),
    labelled(
        "more_frames_of_labels_in_frames",
        labels(("x.lab", [(0, 2, "a"), (2, 7, "b")]), Y),
        (7, 7),
        FRAMES,
    ),
    labelled("errors_within_the_limit", GAP, (10, 10), {"randomize": False, "max_errors": 5}),
    binary("binary_labels", binary_labels(2, [(b"x", FIRST), (b"y", LAST)])),
    binary(
        "binary_labels_by_number",
        binary_labels(1, [(1, FIRST), (27, LAST)]),
        XY.replace("x.mfc", "1").replace("y", "27"),
    ),
    binary(
        "binary_labels_of_frames", binary_labels(2, [(b"y", LAST), (b"x", FIRST)]), options=FRAMES
    ),
    binary(
        "empty_binary_segments", binary_labels(2, [(b"x", [(0, 2), (1, 0), (2, 3)]), (b"y", LAST)])
    ),
    beside_text(
        "text_by_number", "0=a.chunk[0,4]\n7=a.chunk[5,9]\n", "0 |q 1 0\n0 |q 2 0\n7 |q 3 0\n"
    ),
    beside_text(
        "text_by_written_number",
        "00=a.chunk[0,4]\n7=a.chunk[5,9]\n",
        "0 |q 1 0\n0 |q 2 0\n7 |q 3 0\n",
    ),
]

# Sequences in each chunk: frames of 200 utterances, seed. What is recorded is the order of two
# sweeps of whole utterances.
MANY = [([1000] * 200, 0), ([300 + 7919 * k % 1400 for k in range(200)], 3)]
