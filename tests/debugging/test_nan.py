"""NaN and infinity: found at the operation where they arise, with everything left as it was before
that minibatch.
"""

from __future__ import annotations

import logging

import numpy as np
import pytest

import cntk as C
from cntk.debugging import NotFiniteError, watch_nan

X = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)


def spoiled(row: int, value: float = 90.0) -> np.ndarray:
    """The data with one sample that overflows."""
    data = X.copy()
    data[row] = value
    return data


def sample_input():
    return C.input_variable(3, name="x"), C.input_variable(1, name="y")


def weight(value=1.0, shape=(3, 1)):
    return C.parameter(shape, init=value, name="w")


def fail(trainer, data) -> NotFiniteError:
    with watch_nan(trainer), pytest.raises(NotFiniteError) as caught:
        trainer.train_minibatch(data)
    return caught.value


def overflow():
    x, y = sample_input()
    return C.squared_error(C.exp(C.times(x, weight()), name="here"), y), {x: spoiled(5), y: Y}


def difference_of_infinities():
    x, y = sample_input()
    e = C.exp(C.times(x, weight()), name="here")
    return C.squared_error(C.minus(e, e + 1, name="later"), y), {x: spoiled(5), y: Y}


def data_with_nan():
    x, y = sample_input()
    return C.squared_error(C.times(x, weight()), y), {x: spoiled(5, np.nan), y: Y}


def parameter_with_infinity():
    x, y = sample_input()
    return C.squared_error(C.times(x, weight(np.inf)), y), {x: X, y: Y}


def gradient_of_a_root():
    x, y = sample_input()
    return C.squared_error(C.sqrt(C.times(x, weight()), name="here"), y), {
        x: spoiled(5, 0.0) ** 2,
        y: Y,
    }


def in_a_block():
    x, y = sample_input()
    layer = C.layers.Dense(1, activation=C.exp, init=1, name="top")
    return C.squared_error(layer(x), y), {x: spoiled(5), y: Y}


def float16_overflow():
    x = C.input_variable(3, dtype=np.float16, name="x")
    w = C.parameter((3, 1), init=1, dtype=np.float16, name="w")
    return C.reduce_sum(C.square(C.times(x, w), name="here")), {x: spoiled(5).astype(np.float16)}


def cast_overflow():
    x, y = sample_input()
    low = C.cast(C.times(x, weight()), np.float16, name="here")
    return C.squared_error(C.cast(low, np.float32), y), {x: spoiled(5, 1e5), y: Y}


def sparse_table():
    x = C.input_variable(4, is_sparse=True, name="x")
    w = C.parameter((4, 1), init=np.array([[0], [100], [0], [0]]), name="w")
    return C.exp(C.times(x, w), name="here"), {x: C.Value.one_hot([0, 2, 1, 3], 4)}


def _loop(back: bool):
    s = C.sequence.input_variable(1, name="x")
    state = C.placeholder(1)
    earlier = (C.sequence.future_value if back else C.sequence.past_value)(state)
    h = C.exp(earlier, name="here") + C.times(s, weight(1.0, (1, 1)))
    h = h.replace_placeholders({state: h.output})
    data = {s: [np.ones((n, 1), np.float32) for n in (3, 8, 2)]}
    return C.reduce_sum((C.sequence.first if back else C.sequence.last)(h)), data


FORWARD = [
    (overflow, "Exp", "here", "sample 5"),
    (difference_of_infinities, "Exp", "here", "became NaN in Minus 'later'"),
    (data_with_nan, "", "x", "the data given for input 'x' hold NaN, at sample 5"),
    (parameter_with_infinity, "", "w", "parameter 'w' held infinity already before"),
    (in_a_block, "Exp", "", "in Dense 'top'"),
    (float16_overflow, "ElementTimes", "", "sample 5"),
    (cast_overflow, "Cast", "here", "sample 5"),
    (sparse_table, "Exp", "here", "sample 2"),
    (lambda: _loop(False), "Exp", "here", "frame 3 of sequence 1"),
    (lambda: _loop(True), "Exp", "here", "frame 4 of sequence 1"),
]


@pytest.mark.parametrize(
    ("build", "operation", "name", "text"), FORWARD, ids=[f"{n}" for n in range(len(FORWARD))]
)
def test_the_first_operation_is_named(build, operation, name, text):
    loss, data = build()
    trainer = C.Trainer(None, loss, C.momentum_sgd(loss.parameters, 0.01, 0.9))
    before = [p.value.copy() for p in loss.parameters]
    error = fail(trainer, data)
    assert (error.direction, error.operation, error.minibatch) == ("forward", operation, 1)
    assert error.name == name or not name
    assert text in str(error)
    assert all(np.array_equal(p.value, b) for p, b in zip(loss.parameters, before, strict=True))


def test_the_first_gradient_is_named():
    loss, data = gradient_of_a_root()
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 0.01))
    error = fail(trainer, data)
    assert (error.direction, error.operation, error.name) == ("backward", "Sqrt", "here")
    assert "at sample 5" in str(error)


def test_a_gradient_within_a_loop_is_named():
    s = C.sequence.input_variable(1, name="x")
    state = C.placeholder(1)
    h = C.sqrt(C.sequence.past_value(state), name="here") + C.times(s, weight(0.0, (1, 1)))
    h = h.replace_placeholders({state: h.output})
    loss = C.reduce_sum(C.sequence.last(h))
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 0.01))
    error = fail(trainer, {s: [np.ones((3, 1), np.float32), np.ones((5, 1), np.float32)]})
    assert (error.direction, error.operation, error.name) == ("backward", "Sqrt", "here")
    assert "frame" in str(error)


LEARNERS = {
    "sgd": lambda p: C.sgd(p, 1e38),
    "adam without epsilon": lambda p: C.adam(p, 0.1, 0.9, epsilon=0.0),
    "momentum": lambda p: C.momentum_sgd(p, 1e38, 0.9, unit_gain=False),
    "distributed": lambda p: C.distributed.data_parallel_distributed_learner(C.sgd(p, 1e38)),
    "blocks": lambda p: C.distributed.block_momentum_distributed_learner(C.sgd(p, 1e38), 4),
}


class Careless(C.learners.UserLearner):
    def update(self, gradient_values, training_sample_count, sweep_end):
        for parameter, gradient in gradient_values.items():
            parameter.value = parameter.value - np.float32(3e38) * gradient.asarray() * np.float32(
                10
            )
        return True


LEARNERS["written in Python"] = lambda p: Careless(p, C.learning_parameter_schedule(1))


@pytest.mark.parametrize("kind", LEARNERS)
def test_an_update_that_overflows_is_taken_back(kind):
    x, y = sample_input()
    w = weight()
    loss = C.squared_error(C.times(x, w), y)
    learner = LEARNERS[kind](loss.parameters)
    trainer = C.Trainer(None, loss, learner)
    # Columns of zeros have a gradient of 0, which adam without epsilon divides by 0.
    data = {x: X * [1, 1, 0], y: 1000 * Y}
    with np.errstate(over="ignore", invalid="ignore"):
        error = fail(trainer, data)
    assert (error.direction, error.name) == ("update", "w")
    assert np.array_equal(w.value, np.ones((3, 1)))
    assert learner.total_number_of_minibatches_seen() == 0


def regular_net():
    C.cntk_py.set_fixed_random_seed(5)
    x, y = sample_input()
    z = C.layers.Sequential(
        [
            C.layers.Dense(4, init=C.glorot_uniform(seed=3)),
            C.layers.BatchNormalization(),
            C.layers.Dropout(0.5, seed=7),
            C.layers.Dense(1, init=C.glorot_uniform(seed=4)),
        ]
    )(x)
    loss = C.squared_error(z, y)
    return x, y, loss, C.Trainer(z, loss, C.adam(z.parameters, 0.01, 0.9))


def trained(minibatches: int, fails_at: set[int], watched: bool = True) -> list[np.ndarray]:
    x, y, loss, trainer = regular_net()
    watch = watch_nan(trainer) if watched else None
    for number in range(minibatches):
        if number in fails_at:
            with pytest.raises(NotFiniteError, match=f"minibatch {number + 1}"):
                trainer.train_minibatch({x: spoiled(2, np.inf), y: Y})
        trainer.train_minibatch({x: X, y: Y})
    if watch is not None:
        watch.stop()
    held = [*loss.parameters, *loss.constants]
    return [np.asarray(v.value) for v in held]


def test_training_goes_on_to_the_bit_after_a_minibatch_that_failed():
    # Dropout, running statistics, adam's moments; eager steps and, after the fortieth, recorded
    # ones.
    plain = trained(50, set(), watched=False)
    for found in (trained(50, set()), trained(50, {0, 3, 20, 45, 46})):
        assert all(np.array_equal(a, b) for a, b in zip(plain, found, strict=True))


def test_infinities_that_reach_nothing_are_no_fault():
    x, y = sample_input()
    mask = C.constant(np.array([0, -np.inf, 0], np.float32))
    scores = C.softmax(C.times(x, weight(1.0, (3, 3))) + mask)
    guarded = C.element_select(C.greater(x, 1e9), C.exp(x * 1e9), 0.0)
    loss = C.squared_error(C.reduce_sum(scores * x) + C.reduce_sum(guarded), y)
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 0.01))
    with watch_nan(trainer):
        for _ in range(45):
            assert trainer.train_minibatch({x: X, y: Y})


def test_every_training_is_watched_where_none_is_named():
    @C.Function
    def criterion(x, y):
        return C.squared_error(C.layers.Dense(1, activation=C.exp, init=1)(x), y)

    x, y = sample_input()
    loss = criterion(x, y)
    with watch_nan(), pytest.raises(NotFiniteError, match="minibatch 2: .* Exp"):
        loss.train(
            (np.concatenate([X, spoiled(1)]), np.concatenate([Y, Y])),
            minibatch_size=8,
            parameter_learners=C.sgd(loss.parameters, 1e-6),
            max_epochs=1,
        )


def test_sessions_are_watched_and_others_refused():
    x, y, loss, trainer = regular_net()
    source = C.io.MinibatchSourceFromData({"x": spoiled(0, np.nan), "y": Y})
    streams = {x: source.streams.x, y: source.streams.y}
    session = C.training_session(trainer, source, 8, model_inputs_to_streams=streams, max_samples=8)
    watch = watch_nan(session)
    with pytest.raises(NotFiniteError, match="input 'x' hold NaN"):
        session.train()
    watch.stop()
    watch.stop()
    with pytest.raises(TypeError, match="expected a Trainer"):
        watch_nan(loss)


def test_stopped_watches_see_nothing():
    loss, data = overflow()
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 0.01))
    with watch_nan(trainer), watch_nan():
        pass
    trainer.train_minibatch(data)


@pytest.fixture
def checked():
    C.debugging.set_checked_mode(True)
    yield
    C.debugging.set_checked_mode(False)


CHECKED = {
    "overflow": (
        lambda x: -C.exp(x, name="here"),
        [[100, 1, 1]],
        "Exp 'here'.*infinity at sample 0",
    ),
    "cast": (
        lambda x: C.cast(x, np.float16, name="here") - 1,
        [[1, 7e4, 1]],
        "Cast 'here'.*infinity",
    ),
    "given": (
        lambda x: C.plus(x, 1, name="here"),
        [[1, np.nan, 1]],
        "Plus 'here': it unexpectedly produced NaN",
    ),
}


@pytest.mark.parametrize("kind", CHECKED)
def test_checked_mode_lets_nothing_through(kind, checked):
    build, data, text = CHECKED[kind]
    x = C.input_variable(3)
    with pytest.raises(RuntimeError, match=text):
        build(x).eval(np.array(data, np.float32))


def test_checked_mode_shows_what_is_asked_for(checked):
    """As in the original: whoever asks for an operation's result, or the gradient of an input, sees
    an infinity there.
    """
    x = C.input_variable(2, needs_gradient=True)
    assert np.isinf(C.exp(x).eval([[100, 1]])).tolist() == [[True, False]]
    assert np.isinf(C.sqrt(x).grad([[0, 1]])).tolist() == [[True, False]]
    with pytest.raises(NotFiniteError, match="Exp .*infinity"):
        C.reduce_sum(C.exp(x)).eval([[100, 1]])
    with pytest.raises(NotFiniteError, match="produced NaN"):
        (x / x).eval([[np.inf, 1]])


def test_gradients_by_sparse_rows_stay_sparse_in_checked_mode(checked):
    w = C.parameter((20, 2), init=1)
    found = C.times(C.input_variable(20, is_sparse=True), w).grad(
        C.Value.one_hot([3], 20), wrt=[w], as_numpy=False
    )
    assert found.is_sparse


def test_checked_mode_looks_at_loops_gradients_and_steps_that_were_recorded():
    loss, data = _loop(False)
    x, y = sample_input()
    root = C.squared_error(C.exp(C.times(x, weight()), name="here"), y)
    trainer = C.Trainer(None, root, C.sgd(root.parameters, 1e-6))
    for _ in range(45):
        trainer.train_minibatch({x: X, y: Y})
    gradient, rows = gradient_of_a_root()
    C.debugging.set_checked_mode(True)
    try:
        with pytest.raises(NotFiniteError, match="Exp 'here'.*frame 3 of sequence 1"):
            loss.eval(data)
        with pytest.raises(NotFiniteError, match="Exp 'here'"):
            trainer.train_minibatch({x: spoiled(1), y: Y})
        with pytest.raises(NotFiniteError, match="Sqrt 'here': its gradient"):
            gradient.grad(rows, wrt=list(gradient.parameters))
    finally:
        C.debugging.set_checked_mode(False)


def test_a_loss_of_nan_is_told_once(caplog):
    x, y = sample_input()
    loss = C.squared_error(C.times(x, weight()), y)
    printer = C.logging.ProgressPrinter(freq=1)
    trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 0.01), printer)
    with caplog.at_level(logging.WARNING, "cntk"):
        for data in (X, spoiled(1, np.nan), X):
            trainer.train_minibatch({x: data, y: Y})
            _ = trainer.previous_minibatch_loss_average
        trainer.summarize_training_progress()
    told = [r.message for r in caplog.records if "watch_nan" in r.message]
    assert len(told) == 1
