"""Recurrent loops against loops in NumPy: directions, offsets, several states, initial states,
gradients, carried state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import cntk as C

WIDTH = 3
LENGTHS = (4, 1, 3)
Step = Callable[[np.ndarray, np.ndarray], np.ndarray]


def data(lengths: Sequence[int] = LENGTHS, width: int = WIDTH, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, (n, width)) for n in lengths]


def sequences(name: str = "s", axis: str = "") -> C.Variable:
    options = {"sequence_axis": C.Axis(axis)} if axis else {}
    return C.sequence.input_variable(WIDTH, np.float64, needs_gradient=True, name=name, **options)


def loop(
    step: Callable[[Any, Any], Any],
    s: C.Variable,
    initial: Any = None,
    backwards: bool = False,
    offset: int = 1,
):
    """A loop over one state, which is its output."""
    state = C.placeholder(name="state")
    delay = C.sequence.future_value if backwards else C.sequence.past_value
    out = step(s, delay(state, initial, offset))
    out.replace_placeholder(out)
    return out


def reference(
    step: Step, x: np.ndarray, initial: np.ndarray, backwards: bool = False, offset: int = 1
) -> np.ndarray:
    """The same in NumPy; ``initial`` is ``[offset, width]``, in the order in which it is read."""
    states = list(initial)
    for frame in x[::-1] if backwards else x:
        states.append(step(frame, states[-offset]))
    out = np.array(states[offset:])
    return out[::-1] if backwards else out


MATRIX = np.random.default_rng(7).uniform(-0.7, 0.7, (WIDTH, WIDTH))


def graph_step(s: Any, h: Any) -> Any:
    return C.sin(s + C.times(h, C.constant(MATRIX))) * 0.9


def numpy_step(x: np.ndarray, h: np.ndarray) -> np.ndarray:
    return np.sin(x + h @ MATRIX) * 0.9


def check(
    result: Sequence[np.ndarray], wanted: Sequence[np.ndarray], tolerance: float = 1e-12
) -> None:
    assert len(result) == len(wanted)
    for one, other in zip(result, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


def numeric(
    f: Callable[[], float], arrays: Sequence[np.ndarray], h: float = 1e-6
) -> list[np.ndarray]:
    """Gradients by central differences, the arrays changed in place."""
    found = []
    for array in arrays:
        gradient = np.zeros_like(array)
        for at in np.ndindex(array.shape):
            kept = array[at]
            array[at] = kept + h
            above = f()
            array[at] = kept - h
            gradient[at] = (above - f()) / (2 * h)
            array[at] = kept
        found.append(gradient)
    return found


@pytest.mark.parametrize("lengths", [LENGTHS, (3, 3), (1, 1, 1), (1,), (5,)])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("offset", [1, 2, 3])
def test_directions_and_offsets(lengths, backwards, offset):
    s, xs = sequences(), data(lengths)
    out = loop(graph_step, s, 0.5, backwards, offset)
    wanted = [
        reference(numpy_step, x, np.full((offset, WIDTH), 0.5), backwards, offset) for x in xs
    ]
    check(out.eval({s: xs}), wanted)


@pytest.mark.parametrize("backwards", [False, True])
def test_one_sequence_at_a_time_is_the_same(backwards):
    s, xs = sequences(), data((5, 2, 3, 2))
    out = loop(graph_step, s, 0.5, backwards)
    check(out.eval({s: xs}), [out.eval({s: [x]})[0] for x in xs], 1e-14)


def initials(kind: str, xs: Sequence[np.ndarray]) -> tuple[Any, dict[Any, Any], list[np.ndarray]]:
    """An initial state, what to feed for it, and what each sequence starts from."""
    vector, rows = np.array([0.3, -0.4, 0.5]), data([1] * len(xs), seed=5)
    if kind == "none":
        return None, {}, [np.zeros(WIDTH)] * len(xs)
    if kind == "number":
        return 0.75, {}, [np.full(WIDTH, 0.75)] * len(xs)
    if kind == "list":
        return C.constant(vector), {}, [vector] * len(xs)
    if kind == "parameter":
        return C.parameter(init=vector), {}, [vector] * len(xs)
    if kind == "one element":
        return C.parameter(init=np.array([0.2])), {}, [np.full(WIDTH, 0.2)] * len(xs)
    if kind == "for each sequence":
        v = C.input_variable(WIDTH, np.float64, name="initial")
        return v, {v: np.concatenate(rows)}, [r[0] for r in rows]
    if kind == "number for each sequence":
        v = C.input_variable((), np.float64, name="initial")
        numbers = np.arange(1.0, 1 + len(xs)) / 4
        return v, {v: numbers}, [np.full(WIDTH, n) for n in numbers]
    if kind == "one element for each sequence":
        v = C.input_variable(1, np.float64, name="initial")
        numbers = np.arange(1.0, 1 + len(xs)) / 4
        return v, {v: numbers[:, None]}, [np.full(WIDTH, n) for n in numbers]
    v = sequences("initial", "other")
    given = data([2 + k for k in range(len(xs))], seed=6)
    return v, {v: given}, [g[-1] for g in given]


INITIALS = [
    "none", "number", "list", "parameter", "one element", "for each sequence", "number for each "
                                                                               "sequence",
    "one element for each sequence", "sequence",
]  # fmt: skip


@pytest.mark.parametrize("lengths", [LENGTHS, (3, 3, 3)])
@pytest.mark.parametrize("kind", INITIALS)
def test_initial_states(kind, lengths):
    s, xs = sequences(), data(lengths)
    initial, fed, begin = initials(kind, xs)
    out = loop(graph_step, s, initial)
    check(
        out.eval({s: xs, **fed}),
        [reference(numpy_step, x, b[None]) for x, b in zip(xs, begin, strict=True)],
    )


@pytest.mark.parametrize("kind", INITIALS)
def test_initial_states_of_delays_alone(kind):
    s, xs = sequences(), data()
    initial, fed, begin = initials(kind, xs)
    delayed = C.sequence.past_value(s, initial).eval({s: xs, **fed})
    check(delayed, [np.concatenate([b[None], x[:-1]]) for x, b in zip(xs, begin, strict=True)])


@pytest.mark.parametrize("backwards", [False, True])
def test_sequences_as_initial_states_give_their_nearest_frames(backwards):
    s, q = sequences("s"), sequences("q")
    xs, given = data((4, 2, 3)), data((4, 2, 3), seed=4)
    out = loop(graph_step, s, q, backwards, 2)
    begin = [g[1::-1] if backwards else g[-2:] for g in given]
    wanted = [reference(numpy_step, x, b, backwards, 2) for x, b in zip(xs, begin, strict=True)]
    check(out.eval({s: xs, q: given}), wanted)


def test_initial_sequences_must_be_long_enough():
    s, q = sequences("s"), sequences("q", "q")
    out = loop(graph_step, s, q, offset=3)
    with pytest.raises(ValueError, match="at least 3, the delay's steps"):
        out.eval({s: data(), q: data((4, 2, 3))})


@pytest.mark.parametrize("offset", [1, 2, 5])
@pytest.mark.parametrize("backwards", [False, True])
def test_delays_alone(offset, backwards):
    s, xs = sequences(), data()
    delay = C.sequence.future_value if backwards else C.sequence.past_value
    result = delay(s, 7, offset).eval({s: xs})
    for x, y in zip(xs, result, strict=True):
        padding = np.full((min(offset, len(x)), WIDTH), 7.0)
        wanted = [x[offset:], padding] if backwards else [padding, x[: max(len(x) - offset, 0)]]
        np.testing.assert_array_equal(y, np.concatenate(wanted))


def test_several_states_and_outputs():
    """Two states that read each other, with offsets 1 and 2, and a value outside that only the loop
    reads.
    """
    s, xs = sequences(), data()
    a, b = C.placeholder(name="a"), C.placeholder(name="b")
    first = C.tanh(s * 2 + C.sequence.past_value(b, 0.125, 2), name="first")
    second = C.plus(first * 0.5, C.sequence.past_value(a, -0.25), name="second")
    both = C.combine([first, second])
    both.replace_placeholders({a: first, b: second})
    values = both.eval({s: xs})
    for k, x in enumerate(xs):
        f, g = [np.full(WIDTH, -0.25)], [np.full(WIDTH, 0.125)] * 2
        for frame in x:
            f.append(np.tanh(frame * 2 + g[-2]))
            g.append(f[-1] * 0.5 + f[-2])
        np.testing.assert_allclose(values[both.outputs[0]][k], np.array(f[1:]), rtol=1e-12)
        np.testing.assert_allclose(values[both.outputs[1]][k], np.array(g[2:]), rtol=1e-12)


def test_loops_in_loops_in_a_row():
    """A loop forwards, one backwards over its output, and their sum."""
    s, xs = sequences(), data()
    ahead = loop(graph_step, s)
    back = loop(graph_step, ahead.output, backwards=True)
    wanted = [reference(numpy_step, x, np.zeros((1, WIDTH))) for x in xs]
    check(
        (ahead + back).eval({s: xs}),
        [w + reference(numpy_step, w, np.zeros((1, WIDTH)), True) for w in wanted],
    )


def test_operations_that_change_shape_inside_a_loop():
    s, xs = sequences(), data()
    w = np.random.default_rng(1).uniform(-0.5, 0.5, (5, WIDTH))

    def step(x, h):
        joined = C.splice(C.slice(h, 0, 0, 2), x)
        return C.times(joined, C.constant(w)) + C.reduce_mean(h, 0)

    out = loop(step, s)
    wanted = [
        reference(lambda x, h: np.concatenate([h[:2], x]) @ w + h.mean(), x, np.zeros((1, WIDTH)))
        for x in xs
    ]
    check(out.eval({s: xs}), wanted)


def test_values_for_each_sequence_inside_a_loop():
    s, v = sequences(), C.input_variable(WIDTH, np.float64, name="v")
    xs, rows = data((2, 4, 1)), np.concatenate(data((1, 1, 1), seed=8))
    out = loop(lambda x, h: C.element_max(x * h, C.sequence.broadcast_as(v, x)), s, 1)
    wanted = [
        reference(lambda x, h, r=r: np.maximum(x * h, r), x, np.ones((1, WIDTH)))
        for x, r in zip(xs, rows, strict=True)
    ]
    check(out.eval({s: xs, v: rows}), wanted)
    stretched = loop(lambda x, h: x * h + v, s, 1)
    wanted = [
        reference(lambda x, h, r=r: x * h + r, x, np.ones((1, WIDTH)))
        for x, r in zip(xs, rows, strict=True)
    ]
    check(stretched.eval({s: xs, v: rows}), wanted)


def test_sparse_sequences_inside_a_loop():
    classes = [[0, 2, 1], [1]]
    s = C.sequence.input_variable(WIDTH, is_sparse=True)
    state = C.placeholder()
    out = C.times(s, C.constant(MATRIX.astype(np.float32))) + C.sequence.past_value(state)
    out.replace_placeholder(out)
    result = out.eval({s: C.Value.one_hot(classes, WIDTH)})
    check(result, [np.cumsum(MATRIX[c], 0) for c in classes], 1e-6)


# -- gradients -------------------------------------------------------------------------------------


@pytest.mark.parametrize("lengths", [LENGTHS, (3, 3)])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("offset", [1, 2])
def test_gradients(lengths, backwards, offset):
    s, xs = sequences(), data(lengths)
    w = C.parameter(init=MATRIX.copy(), name="w")
    v = C.input_variable(WIDTH, np.float64, needs_gradient=True, name="v")
    rows = np.concatenate(data([1] * len(lengths), seed=5))
    out = loop(lambda x, h: C.tanh(x + C.times(h, w)), s, v, backwards, offset)
    total = C.reduce_sum(C.sin(out))

    def value() -> float:
        w.value = matrix
        return float(sum(np.sum(y) for y in total.eval({s: xs, v: rows})))

    matrix = w.value
    found = total.grad({s: xs, v: rows}, wrt=[w, v, s])
    wanted = numeric(value, [matrix, rows, *xs])
    np.testing.assert_allclose(found[w], wanted[0], atol=1e-8)
    np.testing.assert_allclose(found[v], wanted[1], atol=1e-8)
    for one, other in zip(found[s], wanted[2:], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


def test_gradients_through_two_states():
    s, xs = sequences(), data()
    a, b = C.placeholder(), C.placeholder()
    first = C.tanh(s + C.sequence.past_value(b))
    second = first * 0.5 - C.sequence.past_value(a, 0.3)
    total = C.reduce_sum(first * second)
    total.replace_placeholders({a: first, b: second})
    found = total.grad({s: xs}, wrt=[s])
    wanted = numeric(lambda: float(sum(np.sum(y) for y in total.eval({s: xs}))), xs)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


def test_gradients_of_initial_sequences():
    s, q = sequences("s"), sequences("q", "q")
    xs, given = data((3, 2)), data((2, 4), seed=3)
    total = C.reduce_sum(loop(graph_step, s, q))
    found = total.grad({s: xs, q: given}, wrt=[q])
    wanted = numeric(lambda: float(sum(np.sum(y) for y in total.eval({s: xs, q: given}))), given)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-8)


# -- state that goes on ----------------------------------------------------------------------------


@pytest.mark.parametrize("offset", [1, 2, 3])
@pytest.mark.parametrize("alone", [False, True])
def test_sequences_in_pieces(offset, alone):
    """Cut into minibatches whose flags say that they go on, sequences give what they give whole."""
    s, xs = sequences(), data((9, 9))
    out = (
        C.sequence.past_value(s, 0.25, offset)
        if alone
        else loop(graph_step, s, 0.25, offset=offset)
    )
    whole = out.eval({s: xs})
    pieces = [out.eval({s: ([x[:4] for x in xs], [True, True])})]
    pieces.append(out.eval({s: ([x[4:7] for x in xs], [False, False])}))
    pieces.append(out.eval({s: ([x[7:] for x in xs], [False, False])}))
    check([np.concatenate(p) for p in zip(*pieces, strict=True)], whole)


@pytest.mark.parametrize("alone", [False, True])
def test_some_go_on_and_some_begin(alone):
    s, xs = sequences(), data((6, 6))
    out = C.sequence.past_value(s, 0.25) if alone else loop(graph_step, s, 0.25)
    whole = out.eval({s: xs})
    out.eval({s: ([x[:4] for x in xs], [True, True])})
    first, second = out.eval({s: ([xs[0][4:], xs[1][:2]], [False, True])})
    np.testing.assert_allclose(first, whole[0][4:], rtol=1e-12)
    np.testing.assert_allclose(second, whole[1][:2], rtol=1e-12)


def test_the_same_delay_in_two_places_keeps_two_states():
    """Clones share an operation, and must not share what it carries over."""
    delayed = C.Function(lambda x: C.sequence.past_value(x))
    s = sequences()
    out = delayed(s) + 10 * delayed(s * 2)
    (x,) = data((5,))
    out.eval({s: [x[:3]]})
    (result,) = out.eval({s: ([x[3:]], [False])})
    np.testing.assert_allclose(result, 21 * x[2:4], rtol=1e-12)


def test_nothing_is_carried_backwards():
    """The original goes on from the initial state at the end of each piece, silently."""
    s, xs = sequences(), data((4, 4))
    out = loop(graph_step, s, 0.25, backwards=True)
    out.eval({s: [x[:2] for x in xs]})
    with pytest.raises(RuntimeError, match="FutureValue"):
        out.eval({s: ([x[2:] for x in xs], [False, False])})
    check(
        out.eval({s: xs}), [reference(numpy_step, x, np.full((1, WIDTH), 0.25), True) for x in xs]
    )


def test_a_minibatch_of_another_size_goes_on_where_it_can():
    s, xs = sequences(), data((4, 4, 4))
    out = loop(graph_step, s, 0.25)
    whole = out.eval({s: [np.concatenate([x, x]) for x in xs]})
    out.eval({s: xs})
    check(out.eval({s: (xs[:2], [False, False])}), [v[4:] for v in whole[:2]])
    with pytest.raises(
        RuntimeError,
        match="sequence 2 is said to go on from the minibatch before, which had 2 sequences",
    ):
        out.eval({s: (xs, [False, False, False])})


def test_a_long_way_through_a_loop():
    s, xs = sequences(), data((3, 2))

    def step(x, h):
        for _ in range(1500):
            h = h + 0.001
        return h * x

    wanted = [reference(lambda x, h: (h + 1.5) * x, x, np.ones((1, WIDTH))) for x in xs]
    check(loop(step, s, 1).eval({s: xs}), wanted, 1e-9)
