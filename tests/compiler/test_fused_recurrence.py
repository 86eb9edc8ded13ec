"""Recurrences on fused kernels give what the general loop gives; and what is only nearly one of
them is not fused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk._compiler.passes.pipeline import FUSIONS
from cntk._compiler.plan import Plan
from cntk._compiler.recurrence.gru import FusedGRU
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.recurrence.lstm import FusedLSTM
from cntk._compiler.recurrence.rnn import FusedRNN
from cntk._execution.bind import bind
from cntk._runtime.bind_input import bind_input

CPU = torch.device("cpu")
IN, OUT = 4, 3
LENGTHS = (4, 1, 6, 2)


def sequences(name: str = "s", dtype: Any = np.float64) -> C.Variable:
    return C.sequence.input_variable(IN, dtype, needs_gradient=True, name=name)


def data(lengths: Sequence[int] = LENGTHS, width: int = IN, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.uniform(-1, 1, (n, width)) for n in lengths]


def parameter(*shape: int, seed: int = 0) -> C.Parameter:
    return C.parameter(init=np.random.default_rng([seed, *shape]).uniform(-0.8, 0.8, shape))


def run(
    function: C.Function, feeds: Mapping[C.Variable, Any], optimize: bool
) -> tuple[Plan, list[np.ndarray]]:
    """A plan, and the outputs and gradients that it gives, of parameters and inputs in their
    order.
    """
    plan = Plan(function.outputs, {}, () if optimize else FUSIONS)
    fed = {v: bind_input(v, x, CPU) for v, x in feeds.items()}
    rows, state = bind(plan, fed, True, CPU)
    rows = [x.clone().requires_grad_() if isinstance(x, torch.Tensor) else x for x in rows]
    with torch.enable_grad():
        outputs = plan.execute(rows, state)
        # A gradient that differs from element to element.
        total = sum(
            (y * torch.cos(torch.arange(y.numel(), dtype=y.dtype)).reshape(y.shape)).sum()
            for y in outputs
        )
        sources = [
            *(p.data for p in function.parameters),
            *(x for x in rows if isinstance(x, torch.Tensor)),
        ]
        gradients = torch.autograd.grad(total, sources, allow_unused=True)
    return plan, [y.detach().numpy() for y in outputs] + [
        g.numpy() for g in gradients if g is not None
    ]


def compare(
    function: C.Function,
    feeds: Mapping[C.Variable, Any],
    kind: type | None,
    tolerance: float = 1e-10,
) -> Plan:
    """Fused equals general; ``kind`` is what stands in the loop's place, None if it stays."""
    fused, found = run(function, feeds, True)
    general, wanted = run(function, feeds, False)
    assert not any(isinstance(n, (FusedLSTM, FusedRNN, FusedGRU)) for n in general.nodes)
    loops = [type(n) for n in fused.nodes if isinstance(n, Loop)]
    assert loops == ([Loop] if kind is None else [kind]) * len(loops) and loops
    assert len(found) == len(wanted)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)
    return fused


def loop(
    step: Callable[..., Any], s: Any, states: int = 1, initial: Any = None, backwards: bool = False
) -> C.Function:
    """A loop over some states; the first of them is its output."""
    delay = C.sequence.future_value if backwards else C.sequence.past_value
    coming = [C.placeholder() for _ in range(states)]
    new = step(s, *(delay(p, initial) for p in coming))
    new = [new] if states == 1 else list(new)
    out = C.combine(new)
    out.replace_placeholders(dict(zip(coming, [n.output for n in new], strict=True)))
    return C.combine([new[0]])


# -- the cells, written by hand --------------------------------------------------------------------


def lstm(
    bias: bool = True, swapped: bool = False, gates: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    w, h = (
        [parameter(IN, OUT, seed=k) for k in range(4)],
        [parameter(OUT, OUT, seed=k + 10) for k in range(4)],
    )
    b = [parameter(OUT, seed=k + 20) for k in range(4)]

    def argument(x: Any, y: Any, k: int) -> Any:
        total = (
            C.times(y, h[k]) + C.times(x, w[k]) if swapped else C.times(x, w[k]) + C.times(y, h[k])
        )
        return (b[k] + total if swapped else total + b[k]) if bias else total

    def step(x: Any, y: Any, c: Any) -> tuple[Any, Any]:
        i, f, g, o = (argument(x, y, k) for k in range(4))
        if gates is not None:
            return gates(i, f, g, o, c)
        kept, new = C.sigmoid(f) * c, C.sigmoid(i) * C.tanh(g)
        cell = new + kept if swapped else kept + new
        return (C.tanh(cell) * C.sigmoid(o) if swapped else C.sigmoid(o) * C.tanh(cell)), cell

    return step


def rnn(activation: Callable[[Any], Any], bias: bool = True) -> Callable[..., Any]:
    w, h, b = parameter(IN, OUT), parameter(OUT, OUT), parameter(OUT)
    return lambda x, y: activation(
        C.times(x, w) + C.times(y, h) + b if bias else C.times(x, w) + C.times(y, h)
    )


def gru(after: bool, bias: bool = True) -> Callable[..., Any]:
    w, h = (
        [parameter(IN, OUT, seed=k) for k in range(3)],
        [parameter(OUT, OUT, seed=k + 10) for k in range(3)],
    )
    b = [parameter(OUT, seed=k + 20) for k in range(3)]

    def step(x: Any, y: Any) -> Any:
        outside = [C.times(x, w[k]) + b[k] if bias else C.times(x, w[k]) for k in range(3)]
        z = C.sigmoid(outside[0] + C.times(y, h[0]))
        r = C.sigmoid(outside[1] + C.times(y, h[1]))
        c = C.tanh(outside[2] + (r * C.times(y, h[2]) if after else C.times(r * y, h[2])))
        return (1 - z) * c + z * y

    return step


def lstm_of_scaled_states(scales: Callable[[Any], Sequence[Any]]) -> Callable[..., Any]:
    """An LSTM whose gates read the output state times something, which is made of the input."""
    w, h = (
        [parameter(IN, OUT, seed=k) for k in range(4)],
        [parameter(OUT, OUT, seed=k + 10) for k in range(4)],
    )

    def step(x: Any, y: Any, c: Any) -> tuple[Any, Any]:
        i, f, g, o = (
            C.times(x, w[k]) + C.times(scale * y, h[k]) for k, scale in enumerate(scales(x))
        )
        cell = C.sigmoid(f) * c + C.sigmoid(i) * C.tanh(g)
        return C.sigmoid(o) * C.tanh(cell), cell

    return step


def scaled_cell(scales: Callable[[Any], Sequence[Any]]) -> Callable[[Any], C.Function]:
    return lambda s: loop(lstm_of_scaled_states(scales), s, 2)


CELLS: dict[str, tuple[Callable[[Any], C.Function], type]] = {
    "lstm": (lambda s: loop(lstm(), s, 2), FusedLSTM),
    "lstm without bias": (lambda s: loop(lstm(bias=False), s, 2), FusedLSTM),
    "lstm in another order": (lambda s: loop(lstm(swapped=True), s, 2), FusedLSTM),
    "lstm backwards": (lambda s: loop(lstm(), s, 2, backwards=True), FusedLSTM),
    "lstm, scaled by a number": (
        scaled_cell(lambda x: [C.constant(0.5, (), np.float64)] * 4),
        FusedLSTM,
    ),
    "lstm, scaled by a parameter": (scaled_cell(lambda x: [parameter(1, seed=5)] * 4), FusedLSTM),
    "lstm, scaled element by element": (
        scaled_cell(lambda x: [parameter(OUT, seed=5)] * 4),
        FusedLSTM,
    ),
    "tanh": (lambda s: loop(rnn(C.tanh), s), FusedRNN),
    "relu": (lambda s: loop(rnn(C.relu), s), FusedRNN),
    "sigmoid": (lambda s: loop(rnn(C.sigmoid), s), FusedRNN),
    "tanh without bias": (lambda s: loop(rnn(C.tanh, bias=False), s), FusedRNN),
    "tanh backwards": (lambda s: loop(rnn(C.tanh), s, backwards=True), FusedRNN),
    "gru, reset before": (lambda s: loop(gru(after=False), s), FusedGRU),
    "gru, reset after": (lambda s: loop(gru(after=True), s), FusedGRU),
    "gru without bias": (lambda s: loop(gru(after=False, bias=False), s), FusedGRU),
    "gru backwards": (lambda s: loop(gru(after=True), s, backwards=True), FusedGRU),
    "gru backwards, reset before": (lambda s: loop(gru(after=False), s, backwards=True), FusedGRU),
}


@pytest.mark.parametrize(
    "lengths", [LENGTHS, (3, 3, 3), (1, 1), (5,), (17, 3, 9, 1, 1, 25, 12, 8, 30, 2)]
)
@pytest.mark.parametrize("name", CELLS)
def test_cells_written_by_hand(name, lengths):
    build, kind = CELLS[name]
    s = sequences()
    compare(build(s), {s: data(lengths)}, kind)


@pytest.mark.parametrize("name", CELLS)
def test_single_precision(name):
    """The tolerance that programs care about."""
    build, _ = CELLS[name]
    s, xs = sequences(), data()
    double = build(s)
    single = double.clone("share", {s: C.cast(sequences("t", np.float32), np.float64)})
    (t,) = single.arguments
    one, other = double.eval({s: xs}), single.eval({t: [x.astype(np.float32) for x in xs]})
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "layer, kind",
    [
        (lambda: C.layers.LSTM(OUT), FusedLSTM),
        (lambda: C.layers.RNNStep(OUT, activation=C.tanh), FusedRNN),
        (lambda: C.layers.RNNStep(OUT, activation=C.relu), FusedRNN),
        (lambda: C.layers.LSTM(OUT, enable_self_stabilization=True), FusedLSTM),
        (
            lambda: C.layers.RNNStep(OUT, activation=C.tanh, enable_self_stabilization=True),
            FusedRNN,
        ),
        (lambda: C.layers.GRU(OUT), FusedGRU),
    ],
)
def test_layers(layer, kind, backwards):
    s = C.sequence.input_variable(IN, needs_gradient=True)
    function = C.layers.Recurrence(layer(), go_backwards=backwards)(s)
    compare(function, {s: [x.astype(np.float32) for x in data()]}, kind, 1e-5)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    "layer, kind",
    [
        (C.layers.LSTM, FusedLSTM),
        (lambda n: C.layers.RNNStep(n, activation=C.tanh), FusedRNN),
        (C.layers.GRU, FusedGRU),
    ],
)
def test_final_states(layer, kind, backwards):
    s = C.sequence.input_variable(IN, needs_gradient=True)
    fold = C.layers.Fold(layer(OUT), go_backwards=backwards)(s)
    xs = [x.astype(np.float32) for x in data()]
    for lengths in (LENGTHS, (3, 3)):
        compare(fold, {s: [x[:n] for x, n in zip(data(lengths), lengths, strict=True)]}, kind, 1e-5)
    whole = C.layers.Recurrence(layer(OUT), go_backwards=backwards)
    all_states, end = whole(s), (C.sequence.first if backwards else C.sequence.last)
    states = all_states.eval({s: xs})
    wanted = np.stack([y[0] if backwards else y[-1] for y in states])
    np.testing.assert_allclose(end(all_states).eval({s: xs}), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "name", ["lstm", "tanh", "gru, reset before", "gru, reset after", "gru backwards"]
)
@pytest.mark.parametrize(
    "kind", ["number", "parameter", "for each sequence", "number for each sequence"]
)
@pytest.mark.parametrize("lengths", [LENGTHS, (3, 3, 3)])
def test_initial_states(name, kind, lengths):
    s, feeds = sequences(), {}
    initial: Any = {"number": 0.5, "parameter": parameter(OUT, seed=40)}.get(kind)
    if initial is None:
        shape = (OUT,) if kind == "for each sequence" else ()
        initial = C.input_variable(shape, np.float64, needs_gradient=True, name="initial")
        feeds[initial] = np.random.default_rng(3).uniform(-1, 1, (len(lengths), *shape))
    cell = {"lstm": lstm(), "tanh": rnn(C.tanh), "gru, reset before": gru(False)}.get(
        name, gru(True)
    )
    function = loop(cell, s, 2 if name == "lstm" else 1, initial, "backwards" in name)
    compare(function, {s: data(lengths), **feeds}, CELLS[name][1])


def test_weights_shared_by_two_recurrences():
    step = rnn(C.tanh)
    s = sequences()
    function = loop(step, s) + loop(step, s, backwards=True)
    plan = compare(function, {s: data()}, FusedRNN)
    assert sum(isinstance(n, FusedRNN) for n in plan.nodes) == 2


def test_stacked_recurrences():
    s = C.sequence.input_variable(IN, needs_gradient=True)
    layers = [
        C.layers.Recurrence(C.layers.LSTM(OUT)),
        C.layers.Recurrence(C.layers.LSTM(OUT), go_backwards=True),
    ]
    function = C.layers.Sequential(layers)(s)
    plan = compare(function, {s: [x.astype(np.float32) for x in data()]}, FusedLSTM, 1e-5)
    assert sum(isinstance(n, FusedLSTM) for n in plan.nodes) == 2


def test_an_input_that_is_itself_computed():
    s = sequences()
    function = loop(lstm(), C.tanh(s * 2) + 0.1, 2)
    compare(function, {s: data()}, FusedLSTM)


def test_two_inputs():
    s, t = sequences("s"), sequences("t")
    w, v, h = parameter(IN, OUT, seed=1), parameter(IN, OUT, seed=2), parameter(OUT, OUT)
    function = loop(lambda x, y: C.tanh(C.times(x, w) + C.times(t, v) + C.times(y, h)), s)
    compare(function, {s: data(), t: data(seed=5)}, FusedRNN)


def test_numbers_are_those_of_numpy():
    """The fused cells against NumPy, not only against the general loop."""
    s, (x,) = sequences(), data((5,))

    def sigmoid(v: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-v))

    function = loop(gru(after=False), s)
    w, h = (
        [parameter(IN, OUT, seed=k).value for k in range(3)],
        [parameter(OUT, OUT, seed=k + 10).value for k in range(3)],
    )
    b = [parameter(OUT, seed=k + 20).value for k in range(3)]
    y, wanted = np.zeros(OUT), []
    for frame in x:
        z, r = (sigmoid(frame @ w[k] + b[k] + y @ h[k]) for k in (0, 1))
        y = (1 - z) * np.tanh(frame @ w[2] + b[2] + (r * y) @ h[2]) + z * y
        wanted.append(y)
    np.testing.assert_allclose(function.eval({s: [x]})[0], wanted, rtol=1e-10)


# -- what goes on from minibatch to minibatch ------------------------------------------------------


@pytest.mark.parametrize("lengths", [(9, 9), (8, 9)])
@pytest.mark.parametrize("name", ["lstm", "tanh", "relu", "gru, reset before", "gru, reset after"])
def test_sequences_in_pieces(name, lengths):
    s, xs = sequences(), data(lengths)
    function = CELLS[name][0](s)
    whole = function.eval({s: xs})
    first = function.eval({s: ([xs[0][:4], xs[1][:3]], [True, True])})
    second = function.eval({s: ([xs[0][4:], xs[1][3:]], [False, False])})
    for k in range(2):
        np.testing.assert_allclose(np.concatenate([first[k], second[k]]), whole[k], rtol=1e-9)
    again = function.eval({s: ([x[:2] for x in xs], [True, False])})
    np.testing.assert_allclose(again[0], whole[0][:2], rtol=1e-9)
    assert not np.allclose(again[1], whole[1][:2])


def test_sequences_in_pieces_after_an_initial_state():
    s, xs = sequences(dtype=np.float32), data((8, 9, 5))
    function = C.layers.Recurrence(C.layers.LSTM(OUT), initial_state=0.3)(s)
    whole = function.eval({s: xs})
    first = function.eval({s: ([x[:k] for x, k in zip(xs, (4, 3, 2), strict=True)], [True] * 3)})
    second = function.eval({s: ([x[k:] for x, k in zip(xs, (4, 3, 2), strict=True)], [False] * 3)})
    for *parts, all_of_it in zip(first, second, whole, strict=True):
        np.testing.assert_allclose(np.concatenate(parts), all_of_it, atol=1e-6)


# -- near misses -----------------------------------------------------------------------------------


def peephole(i: Any, f: Any, g: Any, o: Any, c: Any) -> tuple[Any, Any]:
    p = parameter(OUT, seed=50)
    cell = C.sigmoid(f + p * c) * c + C.sigmoid(i + p * c) * C.tanh(g)
    return C.sigmoid(o + p * cell) * C.tanh(cell), cell


def other_gate(i: Any, f: Any, g: Any, o: Any, c: Any) -> tuple[Any, Any]:
    cell = C.hard_sigmoid(f, 0.2, 0.5) * c + C.sigmoid(i) * C.tanh(g)
    return C.sigmoid(o) * C.tanh(cell), cell


def other_candidate(i: Any, f: Any, g: Any, o: Any, c: Any) -> tuple[Any, Any]:
    cell = C.sigmoid(f) * c + C.sigmoid(i) * C.relu(g)
    return C.sigmoid(o) * C.tanh(cell), cell


def other_output(i: Any, f: Any, g: Any, o: Any, c: Any) -> tuple[Any, Any]:
    cell = C.sigmoid(f) * c + C.sigmoid(i) * C.tanh(g)
    return C.sigmoid(o) * C.relu(cell), cell


def coupled(i: Any, f: Any, g: Any, o: Any, c: Any) -> tuple[Any, Any]:
    cell = (1 - C.sigmoid(i)) * c + C.sigmoid(i) * C.tanh(g)
    return C.sigmoid(o) * C.tanh(cell), cell


def scaled(i: Any, f: Any, g: Any, o: Any, c: Any) -> tuple[Any, Any]:
    cell = C.sigmoid(f) * c + 0.5 * C.sigmoid(i) * C.tanh(g)
    return C.sigmoid(o) * C.tanh(cell), cell


def gru_with(change: str) -> Callable[..., Any]:
    w, h = (
        [parameter(IN, OUT, seed=k) for k in range(3)],
        [parameter(OUT, OUT, seed=k + 10) for k in range(3)],
    )

    def step(x: Any, y: Any) -> Any:
        outside = [C.times(x, w[k]) for k in range(3)]
        z = C.sigmoid(outside[0] + C.times(y, h[0]))
        r = C.sigmoid(outside[1] + C.times(y, h[1]))
        c = (C.relu if change == "candidate" else C.tanh)(outside[2] + C.times(r * y, h[2]))
        if change == "two":
            return (2 - z) * c + z * y
        if change == "other gate":
            return (1 - r) * c + z * y
        return (1 - z) * c + z * y

    return step


NEAR: dict[str, Callable[[Any], C.Function]] = {
    "peepholes": lambda s: loop(lstm(gates=peephole), s, 2),
    "another gate": lambda s: loop(lstm(gates=other_gate), s, 2),
    "another candidate": lambda s: loop(lstm(gates=other_candidate), s, 2),
    "another output": lambda s: loop(lstm(gates=other_output), s, 2),
    "coupled gates": lambda s: loop(lstm(gates=coupled), s, 2),
    "a scaled update": lambda s: loop(lstm(gates=scaled), s, 2),
    "one gate scaled": scaled_cell(
        lambda x: [parameter(1, seed=5), *[C.constant(1.0, (1,), np.float64)] * 3]
    ),
    "scaled by the input": scaled_cell(lambda x: [C.slice(x, 0, 0, OUT)] * 4),
    "another activation": lambda s: loop(rnn(C.softplus), s),
    "a leaky activation": lambda s: loop(rnn(C.leaky_relu), s),
    "no activation": lambda s: loop(rnn(lambda v: v * 0.5), s),
    "gru with another candidate": lambda s: loop(gru_with("candidate"), s),
    "gru with two": lambda s: loop(gru_with("two"), s),
    "gru with another gate": lambda s: loop(gru_with("other gate"), s),
}


@pytest.mark.parametrize("name", NEAR)
def test_near_misses_stay_loops(name):
    s = sequences()
    compare(NEAR[name](s), {s: data()}, None)


@pytest.mark.parametrize("layer", [C.layers.GRU, C.layers.LSTM])
def test_products_of_inputs_are_part_of_the_kernel(layer):
    """Gates are columns of one product with the input: nothing is cut out of it."""
    s = C.sequence.input_variable(IN, needs_gradient=True)
    function = C.layers.Recurrence(layer(OUT))(s)
    plan = compare(
        function,
        {s: [x.astype(np.float32) for x in data()]},
        FusedGRU if layer is C.layers.GRU else FusedLSTM,
        1e-5,
    )
    assert len(plan.nodes) == 1


def test_layers_with_peepholes():
    s = C.sequence.input_variable(IN, needs_gradient=True)
    function = C.layers.Recurrence(C.layers.LSTM(OUT, use_peepholes=True))(s)
    compare(function, {s: [x.astype(np.float32) for x in data()]}, None, 1e-5)


def test_longer_delays_stay_loops():
    s, w, h = sequences(), parameter(IN, OUT), parameter(OUT, OUT)
    state = C.placeholder()
    out = C.tanh(C.times(s, w) + C.times(C.sequence.past_value(state, time_step=2), h))
    out.replace_placeholder(out)
    compare(out, {s: data()}, None)


def test_a_cell_state_that_is_read_stays_in_a_loop():
    s = sequences()
    step = lstm()
    coming = [C.placeholder(), C.placeholder()]
    y, c = step(s, *(C.sequence.past_value(p) for p in coming))
    both = C.combine([y, c])
    both.replace_placeholders({coming[0]: y.output, coming[1]: c.output})
    compare(both, {s: data()}, None)


def test_an_initial_sequence_stays_in_a_loop():
    s, q = sequences(), C.sequence.input_variable(OUT, np.float64, needs_gradient=True, name="q")
    compare(loop(rnn(C.tanh), s, initial=q), {s: data(), q: data(width=OUT)}, None)
