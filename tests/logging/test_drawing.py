"""Pictures of graphs: what is drawn is the original's, nothing covers anything else, and files are
sound.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import zlib
from pathlib import Path as FilePath
from xml.etree import ElementTree

import numpy as np
import pytest

import cntk as C
from cntk.logging.drawing import files
from cntk.logging.drawing.description import (
    Description,
    PictureEdge,
    PictureNode,
    describe,
    dot_text,
)
from cntk.logging.drawing.layers import find_layers, find_turned
from cntk.logging.drawing.layout import Box, Link, lay_out
from cntk.logging.drawing.order import count_crossings, order_layers
from cntk.logging.drawing.pdf import pdf_bytes
from cntk.logging.drawing.shapes import Path, Text, draw
from cntk.logging.drawing.svg import svg_bytes
from cntk.logging.drawing.text_width import LONGEST, shorten, text_width
from tests.logging.plotted_models import DRAWN, plotted

ORIGINAL = json.loads(FilePath(__file__).with_name("plots_of_the_original.json").read_text())
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def no_graphviz(monkeypatch):
    monkeypatch.setattr(files.shutil, "which", lambda program: None)


@pytest.mark.parametrize("model", DRAWN)
def test_text_nodes_and_edges_are_the_original_s(model, tmp_path):
    assert plotted(model, str(tmp_path / "model.dot")) == ORIGINAL[model]


def test_everything_is_recorded():
    assert set(ORIGINAL) == set(DRAWN)


def residual():
    """Blocks with a way around them, as in a ResNet; more than 50 operations."""
    y = C.input_variable((3, 8, 8), name="pixels")
    for number in range(12):
        y = C.relu(
            C.plus(C.layers.Convolution((3, 3), 3, pad=True, name=f"c{number}")(y), y),
            name=f"r{number}",
        )
        y = C.layers.BatchNormalization(map_rank=1)(y)
    return C.layers.Dense(10, name="scores")(y)


def encoder_and_decoder():
    """Two loops, one inside what the other reads."""
    a, b = C.sequence.input_variable(3, name="a"), C.sequence.input_variable(3, name="b")
    h = C.layers.Recurrence(C.layers.GRU(4))(a) >> C.sequence.last
    return C.layers.RecurrenceFrom(C.layers.LSTM(4))(
        C.Constant(np.ones(4)), C.Constant(np.ones(4)), b
    ) + C.reduce_sum(h)


def random_description(seed):
    """A graph of any shape, with edges upwards, from nodes to themselves, and several between two
    nodes.
    """
    generator = random.Random(seed)
    found = Description()
    for number in range(generator.randrange(1, 40)):
        attributes = {
            "shape": generator.choice(["box", "ellipse", "egg", "rectangle"]),
            "penwidth": 4,
        }
        attributes.update(
            height=generator.choice([0.3, 0.6, 1]), width=generator.choice([0.4, 1, 1.3])
        )
        label = "\n".join("w" * generator.randrange(1, 9) for _ in range(generator.randrange(1, 4)))
        found.add(PictureNode(f"n{number}", label, attributes, is_delay=generator.random() < 0.1))
    names = list(found.nodes)
    for _ in range(generator.randrange(0, 2 * len(names))):
        label = generator.choice(["", "short", "much longer\nin two lines"])
        found.edges.append(PictureEdge(generator.choice(names), generator.choice(names), label))
    return found


MODELS_SEEN = {**DRAWN, "encoder_and_decoder": encoder_and_decoder, "residual": residual}
GRAPHS = {
    **{name: (lambda model=model: describe(model())) for name, model in MODELS_SEEN.items()},
    **{f"random {seed}": (lambda seed=seed: random_description(seed)) for seed in range(25)},
}


def rectangle_of(shape):
    """Left, top, right and bottom of a node's outline or of a line of text."""
    if isinstance(shape, Text):
        x, y = shape.middle
        return (
            x - shape.width / 2,
            y - 0.75 * shape.size,
            x + shape.width / 2,
            y + 0.25 * shape.size,
        )
    points = [shape.start, *(segment[-1] for segment in shape.segments)]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def overlap(one, other):
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > 0.01
        and min(one[3], other[3]) - max(one[1], other[1]) > 0.01
    )


def points_on(path):
    """Points along a line."""
    last = path.start
    for segment in path.segments:
        for t in np.linspace(0, 1, 9):
            if len(segment) == 1:
                yield (
                    last[0] + t * (segment[0][0] - last[0]),
                    last[1] + t * (segment[0][1] - last[1]),
                )
            else:
                corners = np.array([last, *segment])
                yield tuple(
                    np.array([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3])
                    @ corners
                )
        last = segment[-1]


def is_on_outline(node, point):
    """Whether a point is where a node's frame is drawn."""
    path = node.shapes[0]
    near = min(
        np.hypot(point[0] - x, point[1] - y)
        for x, y in points_on(Path(path.start, (*path.segments, (path.start,))))
    )
    left, top, right, bottom = rectangle_of(path)
    sides = min(
        abs(point[0] - left), abs(point[0] - right), abs(point[1] - top), abs(point[1] - bottom)
    )
    is_box = all(len(segment) == 1 for segment in path.segments)
    return sides <= path.thickness if is_box else near <= path.thickness + 4


@pytest.mark.parametrize("graph", GRAPHS)
def test_nothing_covers_anything_else(graph):
    found = GRAPHS[graph]()
    picture = draw(found)
    nodes = [group for group in picture.groups if group.kind == "node"]
    edges = [group for group in picture.groups if group.kind == "edge"]
    assert (len(nodes), len(edges)) == (len(found.nodes), len(found.edges))
    frames = {
        uid: rectangle_of(node.shapes[0]) for uid, node in zip(found.nodes, nodes, strict=True)
    }
    labels = [[rectangle_of(s) for s in edge.shapes if isinstance(s, Text)] for edge in edges]
    for one, other in itertools.combinations(frames.values(), 2):
        assert not overlap(one, other)
    for uid, node in zip(found.nodes, nodes, strict=True):
        for line in node.shapes[1:]:
            left, top, right, bottom = rectangle_of(line)
            frame = frames[uid]
            assert (
                frame[0] <= left and right <= frame[2] and frame[1] <= top and bottom <= frame[3]
            ), line.content
    for one, other in itertools.combinations(labels, 2):
        assert not any(overlap(a, b) for a in one for b in other)
    for label in itertools.chain(*labels):
        assert not any(overlap(label, frame) for frame in frames.values())
        assert (
            label[0] >= 0
            and label[2] <= picture.width
            and label[1] >= 0
            and label[3] <= picture.height
        )
    by_uid = dict(zip(found.nodes, nodes, strict=True))
    for edge, group in zip(found.edges, edges, strict=True):
        line, arrow = group.shapes[:2]
        assert is_on_outline(by_uid[edge.target], arrow.start)
        assert is_on_outline(by_uid[edge.source], line.start)
        others = [frame for uid, frame in frames.items() if uid not in (edge.source, edge.target)]
        for x, y in points_on(line):
            assert not any(f[0] + 1 < x < f[2] - 1 and f[1] + 1 < y < f[3] - 1 for f in others)
            assert 0 <= x <= picture.width and 0 <= y <= picture.height


@pytest.mark.parametrize("make", [svg_bytes, pdf_bytes, dot_text], ids=lambda make: make.__name__)
@pytest.mark.parametrize("graph", ["tagger", "random 3"])
def test_the_same_graph_gives_the_same_bytes(make, graph):
    found = GRAPHS[graph]()
    if make is dot_text:
        assert make(found) == make(found)
        return
    assert make(draw(found)) == make(draw(found))
    if graph.startswith("random"):
        assert make(draw(GRAPHS[graph]())) == make(draw(found))


def test_loops_point_upwards():
    found = describe(DRAWN["tagger"]())
    picture = draw(found)
    upwards = []
    for edge, group in zip(found.edges, picture.groups, strict=False):
        line, arrow = group.shapes[:2]
        if arrow.start[1] < line.start[1]:
            upwards.append((edge.source[:5], edge.target[:9]))
    assert upwards == [("Block", "PastValue")] * 2


def test_turned_edges_leave_no_cycle():
    for seed in range(30):
        generator = random.Random(seed)
        count = generator.randrange(1, 12)
        edges = [(generator.randrange(count), generator.randrange(count)) for _ in range(3 * count)]
        may_turn = [generator.random() < 0.3 for _ in edges]
        turned = find_turned(count, edges, may_turn)
        straight = [
            (b, a) if t else (a, b) for t, (a, b) in zip(turned, edges, strict=True) if a != b
        ]
        layers = find_layers(count, straight)
        assert all(layers[a] < layers[b] for a, b in straight) and min(layers) == 0


def test_what_need_not_be_turned_is_not():
    edges = [(0, 1), (1, 2), (2, 0), (3, 0)]
    assert find_turned(4, edges, [False, False, True, True]) == [False, False, True, False]
    assert find_turned(4, edges, [False, True, False, False]) == [False, True, False, False]
    assert sum(find_turned(4, edges, [False] * 4)) == 1
    # What only one needs is near it.
    assert find_layers(4, [(0, 1), (1, 2), (3, 2)]) == [
        0,
        1,
        2,
        1,
    ]


def test_crossings():
    assert count_crossings([[0, 1], [2, 3]], [[3], [2], [], []]) == 1
    assert count_crossings([[0, 1, 2], [3, 4, 5]], [[5, 4], [4], [3], [], [], []]) == 4
    below = [[5], [4], [3], [], [], []]
    above = [[], [], [], [2], [1], [0]]
    ordered = order_layers([[0, 1, 2], [3, 4, 5]], above, below)
    assert count_crossings(ordered, below) == 0 and [sorted(layer) for layer in ordered] == [
        [0, 1, 2],
        [3, 4, 5],
    ]


def test_a_straight_chain_is_straight():
    boxes = [Box(40, 20) for _ in range(5)]
    lay_out(boxes, [Link(n, n + 1) for n in range(4)])
    assert max(box.x for box in boxes) - min(box.x for box in boxes) < 0.01
    assert [box.y for box in boxes] == sorted(box.y for box in boxes)


def test_nothing_and_one_box():
    assert lay_out([], []) == (0, 0)
    boxes = [Box(40, 20)]
    assert lay_out(boxes, []) == (40, 20)
    assert draw(Description()).groups == []


def test_wide_graphs_and_deep_ones():
    x = C.input_variable(2, name="x")
    wide = C.splice(*[C.relu(x, name=f"n{n}") for n in range(150)])
    assert len(draw(describe(wide)).groups) == 153 + 301
    z = x
    for number in range(300):
        z = C.relu(z, name=f"n{number}")
    assert len(draw(describe(z)).groups) == 302 + 301


def texts_of(svg):
    return [element.text for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_svg(no_graphviz, tmp_path):
    z = C.layers.Dense(2, name="a <b> & \"c\" 'd' \x01世界")(C.input_variable(2, name="Größe"))
    assert C.logging.plot(z, tmp_path / "new" / "model.SVG") == C.logging.plot(z)
    content = (tmp_path / "new" / "model.SVG").read_bytes()
    root = ElementTree.fromstring(content)
    groups = [element.get("class") for element in root.iter(f"{SVG}g")]
    assert groups == ["edge"] * 4 + ["node"] * 5
    shown = texts_of(content)
    assert "a <b> & \"c\" 'd'  世界()" in shown and shown.count("Größe") == 2
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert sum("'d' \ufffd世界" in title for title in titles) == 2


def test_long_names_are_shortened_and_found_in_titles():
    name = "a_very_long_name_" * 10
    picture = draw(describe(C.relu(C.input_variable(2, name=name))))
    svg = svg_bytes(picture)
    assert picture.width < 500 and name in svg.decode()
    assert any("…" in text and len(text) == LONGEST for text in texts_of(svg))
    assert shorten("abcdef", 5) == "ab…ef" and shorten("abcde", 5) == "abcde"


def test_widths():
    assert (
        text_width("é", 10)
        == text_width("e", 10)
        == text_width("e\u0301", 10)
        == pytest.approx(5.56)
    )
    assert text_width("世", 10) == 10 and text_width("α", 10) == 6 and text_width("", 10) == 0


def test_pdf(no_graphviz, tmp_path):
    z = C.layers.Dense(2, name="(a) \\ é …")(C.input_variable(2, name="αβ"))
    C.logging.plot(z, str(tmp_path / "model.pdf"))
    content = (tmp_path / "model.pdf").read_bytes()
    assert content.startswith(b"%PDF-1.4") and content.endswith(b"%%EOF\n")
    start = int(re.search(rb"startxref\n(\d+)\n", content)[1])
    assert content[start:].startswith(b"xref\n0 6\n")
    places = [int(place) for place in re.findall(rb"(\d{10}) 00000 n ", content)]
    assert [content[place : place + 7] for place in places] == [
        b"%d 0 obj" % n for n in range(1, 6)
    ]
    stream = re.search(rb"/Length (\d+) .*?>>\nstream\n", content)
    drawn = zlib.decompress(content[stream.end() : stream.end() + int(stream[1])]).decode()
    shown = [
        bytes.fromhex(text).decode("cp1252") for text in re.findall(r"<([0-9a-f]*)> Tj", drawn)
    ]
    assert "(a) \\ é …()" in shown and "\\u03b1\\u03b2" in shown and "Dense" in shown


def test_png(no_graphviz, tmp_path):
    pytest.importorskip("matplotlib")
    image = pytest.importorskip("PIL.Image")
    C.logging.plot(DRAWN["combined"](), str(tmp_path / "model.png"))
    picture = image.open(tmp_path / "model.png")
    pixels = np.asarray(picture.convert("RGB"))
    size = draw(describe(DRAWN["combined"]()))
    assert picture.size == (int(size.width * 2), int(size.height * 2))
    assert (
        (pixels[0, 0] == 255).all()
        and (pixels == 0).all(-1).any()
        and (pixels == 0xD3).all(-1).mean() > 0.1
    )


def test_png_says_what_to_install(no_graphviz, monkeypatch, tmp_path):
    def missing(picture):
        raise ImportError("no module named matplotlib")

    monkeypatch.setattr(files, "png_bytes", missing)
    with pytest.raises(
        ImportError,
        match=r"pip install 'cntk-torch\[demo\]'; or give a file name that ends in .svg",
    ):
        C.logging.plot(DRAWN["combined"](), str(tmp_path / "model.png"))
    assert list(tmp_path.iterdir()) == []


class Process:
    def __init__(self, output):
        self.stdout = output


@pytest.mark.parametrize("suffix", ["svg", "pdf", "png"])
def test_graphviz_draws_where_it_is(suffix, monkeypatch, tmp_path):
    calls = []
    monkeypatch.setattr(files.shutil, "which", lambda program: f"/bin/{program}")
    monkeypatch.setattr(
        files.subprocess,
        "run",
        lambda *given, **more: calls.append((given, more)) or Process(b"drawn"),
    )
    z = DRAWN["combined"]()
    C.logging.plot(z, str(tmp_path / f"model.{suffix}"))
    assert (tmp_path / f"model.{suffix}").read_bytes() == b"drawn"
    (((command,), more),) = calls
    assert command == ["/bin/dot", f"-T{suffix}"] and more["input"].decode() == dot_text(
        describe(z)
    )


def test_failures_of_graphviz(monkeypatch, tmp_path):
    def fail(*given, **more):
        raise files.subprocess.CalledProcessError(1, "dot", stderr=b"no such renderer\n")

    monkeypatch.setattr(files.shutil, "which", lambda program: f"/bin/{program}")
    monkeypatch.setattr(files.subprocess, "run", fail)
    with pytest.raises(
        RuntimeError, match="Graphviz could not draw '.*model.svg': no such renderer$"
    ):
        C.logging.plot(DRAWN["combined"](), str(tmp_path / "model.svg"))
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused(tmp_path):
    x = C.input_variable(2)
    with pytest.raises(ValueError, match="ends in .dot, .svg, .pdf, .png, got '.*model.txt'"):
        C.logging.plot(C.relu(x), str(tmp_path / "model.txt"))
    for root in (x, 3, None):
        with pytest.raises(TypeError, match="plot: expected a function as root"):
            C.logging.plot(root)
    (tmp_path / "file").write_text("")
    with pytest.raises(RuntimeError, match="cannot write"):
        C.logging.plot(C.relu(x), tmp_path / "file" / "model.dot")
    assert C.logging.plot(C.relu(x).output).startswith("ReLU(Input")
