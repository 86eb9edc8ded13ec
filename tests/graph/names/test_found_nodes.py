"""What a node that was found in a graph says of itself, and what can be done with it."""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C
from cntk.logging.graph import depth_first_search


def images() -> C.Function:
    return C.layers.Sequential(
        [
            C.layers.Convolution2D((3, 3), 2, name="c"),
            C.layers.MaxPooling((2, 2), (2, 2), name="p"),
            C.layers.Dense(2, name="f"),
        ]
    )(C.input_variable((1, 8, 8)))


def sequences() -> C.Function:
    return C.layers.Sequential(
        [
            C.layers.Recurrence(C.layers.LSTM(3), name="r"),
            C.sequence.last,
            C.layers.BatchNormalization(name="bn"),
            C.layers.Dense(2, name="d"),
        ]
    )(C.sequence.input_variable(2))


def dense() -> C.Function:
    x = C.input_variable(2, name="x")
    return C.layers.Dense(1, name="o")(C.layers.Dense(4, name="m")(C.layers.Dense(3, name="h")(x)))


def primitives() -> C.Function:
    x, w = C.input_variable(2, name="x"), C.parameter((2, 3), name="w")
    u = C.relu(C.plus(C.times(x, w, name="t"), C.parameter((3,), name="b"), name="s"), name="act")
    fixed = C.element_times(
        C.clip(u, 0, 1, name="clip"), C.constant(2, (3,), name="k"), name="fixed"
    )
    square = C.times(C.parameter((3, 4), name="v1"), C.parameter((4, 3), name="v2"), name="square")
    twice = C.element_times(w, w, name="twice")
    return C.combine([fixed, C.times(fixed, square, name="last"), twice])


# The graph, a name, and what the original gives: names of the found node's parameters, constants
# and arguments.
FOUND = [
    (dense, "h", "W b", "", "x"),
    (dense, "m", "W b", "", "h"),
    (dense, "o", "W b", "", "m"),
    (images, "c", "W b", "", " "),
    (images, "p", "", "", "c"),
    (images, "f", "W b", "", "p"),
    (sequences, "r", "", "", " "),
    (sequences, "bn", "scale bias", "aggregate_mean aggregate_variance aggregate_count", " "),
    (sequences, "d", "W b", "", "bn"),
    (primitives, "t", "w", "", "x"),
    (primitives, "s", "b", "", "t"),
    (primitives, "act", "", "", "s"),
    (primitives, "fixed", "", "k", "clip"),
    (primitives, "square", "v2 v1", "", ""),
    (primitives, "last", "", "", "fixed square"),
    (primitives, "twice", "w", "", ""),
]


def names(variables) -> str:
    return " ".join(v.name for v in variables) or " " * len(variables)


@pytest.mark.parametrize(
    ("graph", "name", "parameters", "constants", "arguments"),
    FOUND,
    ids=lambda v: getattr(v, "__name__", v),
)
def test_a_found_node_lists_what_it_reads_itself(graph, name, parameters, constants, arguments):
    root = graph()
    searched = depth_first_search(root, lambda node: node.name == name)
    for node in (
        getattr(root, name),
        root.find_by_name(name),
        getattr(root, name).output.owner,
        *searched,
    ):
        assert names(node.parameters) == parameters
        assert names(node.constants) == constants
        assert names(node.arguments) == arguments
        assert node.placeholders == () and node.is_primitive and not node.is_composite
        assert node.root_function is node
        assert {*node.parameters, *node.constants, *node.arguments} == set(node.inputs)


def test_the_root_and_the_body_of_a_block_are_primitives_too():
    z = dense()
    assert names(z.root_function.parameters) == "W b"
    assert (
        len(z.parameters)
        == len(C.combine(z.o).parameters)
        == len(C.as_composite(z.o).parameters)
        == 6
    )
    assert names(z.o.block_root.parameters) == "b"
    p = C.placeholder(name="p")
    assert C.relu(C.tanh(p)).root_function.placeholders == () and C.relu(
        p
    ).root_function.placeholders == (p,)
    assert C.relu(C.tanh(p)).placeholders == (p,)


def test_nodes_of_loaded_and_copied_graphs_are_alike(tmp_path):
    z = dense()
    z.save(str(tmp_path / "z.model"))
    for copy in (C.load_model(str(tmp_path / "z.model")), z.clone("clone"), z.clone("share")):
        assert [p.shape for p in copy.m.parameters] == [(3, 4), (4,)]
    assert [c.shape for c in z.clone("freeze").m.constants] == [(3, 4), (4,)]
    assert z.clone("share").m.parameters == z.m.parameters


def test_a_learner_of_one_layer_trains_it_alone():
    z, y = dense(), C.input_variable(1)
    before = {p: p.value for p in z.parameters}
    with pytest.warns(UserWarning, match="4 of the model's parameters"):
        trainer = C.Trainer(z, (C.squared_error(z, y), None), [C.sgd(z.o.parameters, 0.5)])
    trainer.train_minibatch({z.arguments[0]: np.ones((1, 2), "f"), y: np.ones((1, 1), "f")})
    changed = {p for p in z.parameters if (p.value != before[p]).any()}
    assert changed == set(z.o.parameters)


def test_a_criterion_may_be_a_found_node():
    """The parameters below it are the model's, and may be learned."""
    z, y = dense(), C.input_variable(1, name="y")
    both = C.combine([C.squared_error(z, y, name="loss"), z])
    trainer = C.Trainer(z.m, (both.loss, None), [C.sgd(z.parameters, 0.1)])
    trainer.train_minibatch({z.arguments[0]: np.ones((1, 2), "f"), y: np.ones((1, 1), "f")})
    assert trainer.previous_minibatch_sample_count == 1


def test_a_found_node_computes_with_all_that_it_depends_on(tmp_path):
    """The original refuses most of this; the graph is all there."""
    z = dense()
    x, data = z.arguments[0], [[1, 2]]
    whole = C.combine(z.m)
    np.testing.assert_array_equal(z.m.eval({x: data}), whole.eval({x: data}))
    np.testing.assert_array_equal(z.m.eval(data), whole.eval(data))
    np.testing.assert_array_equal(z.m.grad({x: data}, [z.h.W]), whole.grad({x: data}, [z.h.W]))
    z.m.save(str(tmp_path / "m.model"))
    assert [p.shape for p in C.load_model(str(tmp_path / "m.model")).parameters] == [
        (3, 4),
        (4,),
        (2, 3),
        (3,),
    ]
    kept = z.h.W.value
    z.h.W.value = np.zeros((2, 3))
    z.m.restore(str(tmp_path / "m.model"))
    np.testing.assert_array_equal(z.h.W.value, kept)


def test_a_copy_of_a_found_node_begins_where_another_takes_its_operand_s_place():
    z = dense()
    copy = z.o.clone("share", {z.m.output: C.placeholder(name="new")})
    assert (
        copy.is_composite and names(copy.arguments) == "new" and copy.parameters == z.o.parameters
    )
    assert [p.shape for p in z.m(C.input_variable(3)).parameters] == [(3, 4), (4,)]
    assert len(z.m.clone("share").parameters) == 4


def test_functions_equal_their_only_output():
    """As in the original, which makes a new Python object of a node at each look; here a node is
    one object.
    """
    z = dense()
    assert z == z.output and z.output == z and not z.output != z
    assert z.m == z.m.output and z.m.output == z.m and z.m == z.m and z.m != z.h
    assert z.m.output in [z.m] and z.m in [z.m.output] and z.m.output not in [z.h, z.h.output]
    assert z.m.output != "m" and z.m.output is not None and z.arguments[0] == z.x
    assert {z.m: 1}[z.m] == 1 and {z.m.output: 1}[z.m.output] == 1 and z.m not in {z.m.output: 1}
    pair = C.combine([z.m, z.h])
    assert pair != z.m.output and pair.outputs[0] == z.m
