"""Sequences given piece by piece: models that need more of them than has come refuse, and name the
operation.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest

import cntk as C

WHOLE = np.arange(1, 7, dtype=np.float32).reshape(6, 1)
S = C.sequence


def recurrence(x, back):
    state = C.placeholder(1)
    y = x + 0.5 * (S.future_value(state) if back else S.past_value(state))
    return y.replace_placeholders({state: y.output})


# CNTK 2.7 computes the first of these as if nothing followed a piece, in silence, and refuses the
# others.
AHEAD = {
    "future_value": (S.future_value, "FutureValue"),
    "backward loop": (lambda x: recurrence(x, True), "FutureValue"),
    "bidirectional": (lambda x: C.splice(recurrence(x, False), recurrence(x, True)), "FutureValue"),
    "LSTM backwards": (C.layers.Recurrence(C.layers.LSTM(2), go_backwards=True), "FutureValue"),
    "delay": (C.layers.Delay(-2), "FutureValue"),
    "is_last": (S.is_last, "IsLast"),
    "last": (S.last, "Slice"),
    "first": (S.first, "Slice"),
    "slice": (lambda x: S.slice(x, 0, 2), "Slice"),
    "broadcast": (lambda x: S.broadcast_as(S.last(x), x), "Slice"),
    "gather": (lambda x: S.gather(x, C.greater(x, 2)), "Gather"),
    "where": (lambda x: S.where(C.greater(x, 2)), "Where"),
    "reduce_sum": (S.reduce_sum, "ReduceElements"),
    "reduce_max": (S.reduce_max, "ReduceElements"),
    "softmax": (S.softmax, "Softmax"),
    "unpack": (lambda x: C.combine([S.unpack(x, 0).outputs[0]]), "UnpackSequence"),
    "length": (S.length, "Length"),
    "position": (S.position, "Position"),
    "reverse": (S.reverse, "Reverse"),
    "window": (lambda x: S.window(x, 3), "Window"),
    "mean": (S.reduce_mean, "Mean"),
    "attention": (lambda x: S.scaled_dot_product_attention(x, x, x), "Attention"),
}


@pytest.mark.parametrize("kind", AHEAD)
def test_what_needs_more_than_has_come_is_refused(kind):
    x = S.input_variable(1)
    build, operation = AHEAD[kind]
    model = build(x)
    model.eval({x: ([WHOLE[:3]], [True])})
    with pytest.raises(RuntimeError, match=f"{operation}.* goes on from the minibatch before"):
        model.eval({x: ([WHOLE[3:]], [False])})
    model.eval({x: [WHOLE]})


@pytest.mark.parametrize(
    "build",
    [
        S.past_value,
        lambda x: recurrence(x, False),
        S.is_first,
        lambda x: C.layers.Recurrence(C.layers.LSTM(2))(x) * 2,
    ],
    ids=["past_value", "loop", "is_first", "LSTM"],
)
def test_what_looks_back_goes_on(build):
    x = S.input_variable(1)
    model = build(x)
    (whole,) = model.eval({x: [WHOLE]})
    pieces = [model.eval({x: ([WHOLE[k : k + 3]], [k == 0])})[0] for k in (0, 3)]
    assert np.allclose(np.concatenate(pieces), whole, atol=1e-6)


def test_a_training_that_is_refused_changes_nothing():
    x = S.input_variable(1)
    w = C.parameter((1, 1), init=1)
    loss = C.square(C.times(recurrence(x, True), w))
    trainer = C.Trainer(None, loss, C.sgd([w], 0.01))
    trainer.train_minibatch({x: ([WHOLE[:3]], [True])})
    before = w.value
    with pytest.raises(RuntimeError, match="FutureValue"):
        trainer.train_minibatch({x: ([WHOLE[3:]], [False])})
    assert w.value == before
    assert trainer._step.passes()[0] == 1


def test_what_a_reader_cuts_is_trained_with_and_told(tmp_path, caplog):
    path = tmp_path / "d.ctf"
    lines = [f"{k} |x {v} |y {v}" for k in range(2) for v in range(1, 8)]
    path.write_text("\n".join(lines) + "\n")
    streams = C.io.StreamDefs(x=C.io.StreamDef("x", 1), y=C.io.StreamDef("y", 1))
    source = C.io.MinibatchSource(
        C.io.CTFDeserializer(str(path), streams), truncation_length=3, randomize=False, max_sweeps=1
    )
    x, y = S.input_variable(1), S.input_variable(1)
    w = C.parameter((1, 1), init=0.5)
    z = C.times(
        C.splice(recurrence(x, False), recurrence(x, True)), C.parameter((2, 1), init=0.5)
    ) + C.times(x, w)
    loss = C.squared_error(z, y)
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 1e-4))
    with caplog.at_level(logging.WARNING, "cntk"):
        while data := source.next_minibatch(6, {x: source.streams.x, y: source.streams.y}):
            trainer.train_minibatch(data)
    told = [r.getMessage() for r in caplog.records if "looks ahead" in r.getMessage()]
    assert len(told) == 1
    source = C.io.MinibatchSource(
        C.io.CTFDeserializer(str(path), streams), truncation_length=3, randomize=False, max_sweeps=1
    )
    last = S.last(x)
    feeds = iter(lambda: source.next_minibatch(6, {x: source.streams.x}), {})
    with pytest.raises(RuntimeError, match="needs whole sequences"):
        for data in feeds:
            last.eval(data)
