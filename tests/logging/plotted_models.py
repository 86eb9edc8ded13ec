"""Models that are drawn, and what of a description for Graphviz counts. Runs with the original too,
on Python 3.6.
"""

import numpy as np

import cntk as C
from tests.logging.event_files import renumbered
from tests.logging.tensorboard_programs import MODELS


def combined():
    x = C.input_variable((2, 3), name="x")
    first = C.plus(x, C.constant(6, (2, 3), name="c"), name="first")
    second = C.times(first, C.parameter((3, 2), init=7, name="p"), name="second")
    label = C.input_variable((), name="label")
    return C.combine([second, C.minus(label, C.constant(1, name="one"), name="minus")], name="all")


def unknown():
    return C.relu(C.placeholder(name="p")) + C.placeholder() + C.parameter(2) + C.constant(3)


def constants():
    x = C.input_variable(1, name="x")
    values = (
        2.5,
        np.array([1e-7], np.float32),
        np.array(-0.25, np.float32),
        np.ones((1, 1), np.float32),
    )
    for value in values:
        x = x + C.constant(value)
    return C.softplus(x) * 3


def awkward_names():
    x = C.input_variable(2, name='a "b" \u4e16\u754c')
    return C.layers.Dense(2, name="c: {d} | <e> & 'f'")(C.relu(x, name="g.h/i"))


def delays():
    x = C.sequence.input_variable(3, name="x")
    return C.sequence.past_value(x, time_step=2) + C.sequence.future_value(x, name="next")


DRAWN = dict(
    MODELS,
    awkward_names=awkward_names,
    combined=combined,
    constants=constants,
    delays=delays,
    unknown=unknown,
)


def plotted(model, path):
    """What `plot` returns for a model, and the nodes and edges of the description that it
    writes.
    """
    text = C.logging.plot(DRAWN[model](), path)
    with open(path, encoding="utf-8") as file:
        description = file.read()
    seen = {}
    text = renumbered(text, seen)
    nodes, edges = {}, []
    for statement in description[description.index("{") + 1 : description.rindex("}")].split(";\n"):
        # The original leaves some line breaks in labels, and backslashes, as they are.
        statement = statement.strip().replace("\n", "\\n").replace("\\\\", "\\")
        statement = renumbered(statement, seen)
        if "->" in statement:
            edges.append(statement)
        elif statement:
            nodes[statement.split()[0]] = statement  # the last of several counts
    return {"text": text, "nodes": sorted(nodes.values()), "edges": sorted(edges)}
