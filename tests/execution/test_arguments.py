"""What is asked for comes back by what it was asked by, and any iterable names it, as in the
original.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import cntk as C

X, Y = np.array([[1, 2], [3, 1]], np.float32), np.array([[1], [0]], np.float32)


class Model:
    """A model of one weight, its criterion, and data."""

    def __init__(self) -> None:
        self.x, self.y = (
            C.input_variable(2, needs_gradient=True, name="x"),
            C.input_variable(1, name="y"),
        )
        self.z = C.layers.Dense(1, init=0.5, name="z")(self.x)
        self.loss, self.error = (
            C.squared_error(self.z, self.y, name="loss"),
            C.abs(self.z - self.y, name="error"),
        )
        self.both = C.combine([self.loss, self.error])
        self.data = {self.x: X, self.y: Y}
        self.W, self.b = self.z.parameters

    def trainer(self) -> C.Trainer:
        return C.Trainer(self.z, (self.loss, None), C.sgd(self.z.parameters, 0.1))


LOSS, ERROR = np.array([0.25, 4], "f"), np.array([[0.5], [2]], "f")
# How a program may name two nodes: the first by its function, the second by its output.
WAYS = {
    "list": lambda a, b: [a, b],
    "tuple": lambda a, b: (a, b),
    "set": lambda a, b: {a, b},
    "dictionary": lambda a, b: {a: 1, b: 2},
    "keys": lambda a, b: {a: 1, b: 2}.keys(),
    "values": lambda a, b: {1: a, 2: b}.values(),
    "generator": lambda a, b: (node for node in (a, b)),
    "chain": lambda a, b: itertools.chain([a], [b]),
}
RUNS = {
    "eval": lambda m, outputs: m.both.eval(m.data, outputs=outputs),
    "forward": lambda m, outputs: m.both.forward(m.data, outputs)[1],
    "grad": lambda m, outputs: m.both.grad(m.data, [m.W], outputs, grad_root=m.loss)[1],
    "train": lambda m, outputs: m.trainer().train_minibatch(m.data, outputs=outputs)[1],
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("run", RUNS)
def test_outputs_come_by_what_they_were_asked_by(run, way):
    for asked in (
        lambda m: (m.loss, m.error.output),
        lambda m: (m.loss.output, m.error),
        lambda m: (m.loss, m.error),
    ):
        m = Model()
        loss, error = asked(m)
        found = RUNS[run](m, WAYS[way](loss, error))
        assert len(found) == 2 and {type(k) for k in found} == {type(loss), type(error)}
        np.testing.assert_allclose(found[loss], LOSS)
        np.testing.assert_allclose(found[error], ERROR)


@pytest.mark.parametrize("run", RUNS)
def test_one_node_asked_for_both_ways_is_computed_once(run):
    m = Model()
    found = RUNS[run](m, [m.loss, m.loss.output])
    np.testing.assert_array_equal(found[m.loss], found[m.loss.output])


def test_a_single_output_of_forward_and_training_stays_in_a_dictionary():
    m = Model()
    for outputs in (m.error, [m.error]):
        assert list(m.both.forward(m.data, outputs)[1]) == [m.error]
        np.testing.assert_allclose(m.both.eval(m.data, outputs=outputs), ERROR)
    assert list(m.trainer().train_minibatch(m.data, outputs=m.error)[1]) == [m.error]
    assert list(m.both.forward(m.data)[1]) == [*m.both.outputs]
    assert list(m.both.eval(m.data)) == [*m.both.outputs]


def test_recorded_steps_hand_out_functions_too():
    m = Model()
    trainer = m.trainer()
    for _ in range(50):
        _, found = trainer.train_minibatch(m.data, outputs=(f for f in (m.loss, m.z)))
        assert list(found) == [m.loss, m.z]
    assert found[m.loss].sum() < LOSS.sum()


@pytest.mark.parametrize("way", WAYS)
def test_gradients_are_asked_for_in_any_iterable(way):
    m = Model()
    found = m.loss.grad(m.data, wrt=WAYS[way](m.W, m.b))
    np.testing.assert_allclose(found[m.W], [[13], [6]])
    np.testing.assert_allclose(found[m.b], [5])
    state, _ = m.loss.forward(m.data, [m.loss.output], WAYS[way](m.loss, m.loss.output))
    found = m.loss.backward(state, {m.loss: np.ones(2, "f")}, WAYS[way](m.W, m.x))
    np.testing.assert_allclose(found[m.W], [[13], [6]])
    np.testing.assert_allclose(found[m.x], [[0.5, 0.5], [2, 2]])


# What cannot be asked for: the class of the error is the original's.
WRONG = {
    "no outputs": (ValueError, lambda m: m.both.eval(m.data, outputs=[])),
    "no outputs of forward": (ValueError, lambda m: m.both.forward(m.data, [])),
    "a name": (TypeError, lambda m: m.both.eval(m.data, outputs=["loss"])),
    "a function of several outputs": (TypeError, lambda m: m.both.forward(m.data, [m.both])),
    "several outputs of training": (
        TypeError,
        lambda m: m.trainer().train_minibatch(m.data, outputs=[m.both]),
    ),
    "gradients of nothing": (ValueError, lambda m: m.loss.grad(m.data, wrt=[])),
    "gradient by a hidden value": (ValueError, lambda m: m.loss.grad(m.data, wrt=[m.z])),
    "gradient by several outputs": (TypeError, lambda m: m.loss.grad(m.data, wrt=[m.both])),
    "backward to nothing": (ValueError, lambda m: _backward(m, [])),
    "backward to no list": (TypeError, lambda m: _backward(m, None)),
    "backward to what needs no gradient": (ValueError, lambda m: _backward(m, [m.y])),
    "backward to a hidden value": (ValueError, lambda m: _backward(m, [m.z.output])),
}


def _backward(m: Model, variables):
    state, _ = m.loss.forward(m.data, [m.loss], [m.loss])
    return m.loss.backward(state, {m.loss.output: np.ones(2, "f")}, variables)


@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_asked_for(case):
    kind, run = WRONG[case]
    with pytest.raises(kind):
        run(Model())


def test_no_outputs_in_training_and_gradients_are_as_none():
    m = Model()
    np.testing.assert_allclose(m.loss.grad(m.data, [m.b], outputs=()), [5])
    assert m.trainer().train_minibatch(m.data, outputs=[]) is True


@pytest.mark.parametrize(
    "shape",
    [(2, 3), [2, 3], np.array([2, 3]), range(2, 4), {2: 0, 3: 0}.keys(), "generator", "map"],
)
def test_a_shape_is_any_iterable(shape):
    def given():
        return (
            {"generator": (d for d in (2, 3)), "map": map(int, "23")}.get(shape, shape)
            if isinstance(shape, str)
            else shape
        )

    for made in (
        C.input_variable(given()),
        C.sequence.input_variable(given()),
        C.placeholder(given()),
        C.parameter(given()),
        C.constant(1, given()),
        C.reshape(C.input_variable(6), given()),
        C.random.uniform(given()),
        C.layers.Dense(given())(C.input_variable(4)),
    ):
        assert made.shape == (2, 3)


def test_a_range_is_an_operand():
    x = C.input_variable(2)
    np.testing.assert_array_equal((x * range(1, 3)).eval({x: [[1, 2]]}), [[1, 4]])
    np.testing.assert_array_equal((range(1, 3) + x).eval({x: [[1, 2]]}), [[2, 4]])
