"""Names that would move the cursor, color a terminal or turn a line around: shown escaped wherever
a program prints.
"""

from __future__ import annotations

import io

import numpy as np
import pytest

import cntk as C

HOSTILE = {
    "newline": "a\nb",
    "return": "safe\rover",
    "color": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;title\x07",
    "right to left": "a\u202ecod.exe",
    "isolate": "a\u2066b\u2069",
    "no width": "a\u200bb",
    "line separator": "a\u2028b",
    "null": "a\0b",
    "half": "a\ud800b",
    "c1": "a\x9b31mb",
}
HARMLESS = [
    "größe",
    "模型",
    "Модель",
    "naïve café",
    "x[0]",
    "a b",
    "مرحبا",
    "\U0001f600",
    "back\\slash",
    "it's",
]


def is_plain(text):
    return all(line.isprintable() for line in text.split("\n"))


def graph(name):
    x = C.sequence.input_variable(2, sequence_axis=C.Axis(name), name=name)
    return C.alias(C.times(x, C.parameter((2, 3), name=name), name=name), name)


def texts(name):
    """All that the package says of a graph with that name."""
    f = graph(name)
    nodes = [f, f.root_function, *f.inputs, *f.outputs, *f.arguments[0].dynamic_axes]
    yield from map(str, nodes)
    yield from map(repr, nodes)
    yield f.arguments[0].as_string()
    learner = C.sgd(f.parameters, 0.1)
    wrong = [
        lambda: f.eval({name: 1}),
        lambda: f.eval({f.arguments[0]: np.ones((1, 2, 7))}),
        lambda: f.eval({f.arguments[0]: "text"}),
        lambda: f(**{name: 1, "other": 2}),
        lambda: f + C.input_variable(7, name=name),
        lambda: C.times(f, C.parameter((9, 9), name=name), name=name),
        lambda: C.reshape(f, (5,), name=name),
        lambda: getattr(f, name + "?"),
        lambda: f.find_by_name(name),
        lambda: C.logging.graph.find_by_name(f, name),
        lambda: f.grad({f.arguments[0]: np.ones((1, 3, 2))}, wrt=C.parameter(3, name=name)),
        lambda: learner.update({}, 3),
        lambda: C.Trainer(f, C.reduce_sum(f), C.sgd([C.parameter(3, name=name)], 0.1)),
        lambda: C.parameter(init="text", shape=3, name=name),
        lambda: setattr(f.parameters[0], "value", np.ones(7)),
        lambda: C.load_model(io.BytesIO(name.encode("utf-8", "surrogatepass"))),
        lambda: f.save(name + "/"),
        lambda: C.Constant(name=name),
        lambda: f.replace_placeholders({C.placeholder(name=name): f}),
    ]
    for call in wrong:
        try:
            call()
        except Exception as error:
            yield str(error)


@pytest.mark.parametrize("name", list(HOSTILE))
def test_what_is_not_printable_is_escaped(name, capsys):
    found = list(texts(HOSTILE[name]))
    assert len(found) > 25
    for text in found:
        assert is_plain(text) and "\n" not in text, text
    if name != "half":
        C.debugging.dump_function(graph(HOSTILE[name]))
    printed = capsys.readouterr()
    assert is_plain(printed.out) and is_plain(printed.err)


@pytest.mark.parametrize("name", HARMLESS)
def test_printable_names_are_shown_as_they_are(name):
    f = graph(name)
    assert f"'{name}'" in repr(f.parameters[0]) and str(f).startswith(f"{name}: ")


@pytest.mark.parametrize("name", list(HOSTILE))
def test_the_name_itself_stays(name):
    f = graph(HOSTILE[name])
    assert f.name == HOSTILE[name] and f.find_all_with_name(HOSTILE[name])
    if name not in ("half",):
        file = io.BytesIO()
        f.save(file)
        assert C.load_model(file.getvalue()).name == HOSTILE[name]


def test_of_a_very_long_name_errors_show_the_beginning():
    x = C.input_variable(2, name=100_000 * "x")
    with pytest.raises(ValueError) as caught:
        C.times(x, C.parameter((3, 3)))
    assert len(str(caught.value)) < 5000
