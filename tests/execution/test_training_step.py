"""The training step: recorded and replayed, it gives the numbers that it gives by autograd,
minibatch for minibatch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import scipy.sparse

import cntk as C
from cntk._execution import training_step as step_module
from cntk._execution.training_step import TrainingStep

NEVER, AT_ONCE = 10**9, 3


@dataclass
class Task:
    """Something to train.

    Attributes:
        loss: the loss.
        feeds: the data of each minibatch.
        learners: made for the loss's parameters.
        metric: what else to sum up.
        watched: what is compared besides: running statistics.
    """

    loss: C.Function
    feeds: list[dict[Any, Any]]
    learners: Callable[[Sequence[Any]], list[Any]]
    metric: C.Function | None = None
    watched: Sequence[Any] = field(default_factory=tuple)


@dataclass
class Course:
    """What a training gave: losses and metrics of all minibatches, values at its end, and its
    recordings.
    """

    losses: list[float]
    metrics: list[float]
    values: list[np.ndarray]
    recordings: int
    trainer: C.Trainer


def train(make: Callable[[], Task], record_after: int, monkeypatch: pytest.MonkeyPatch) -> Course:
    monkeypatch.setattr(step_module, "RECORD_AFTER", record_after)
    C.cntk_py.set_fixed_random_seed(11)
    task = make()
    criterion = task.loss if task.metric is None else (task.loss, task.metric)
    trainer = C.Trainer(None, criterion, task.learners(task.loss.parameters))
    losses, metrics = [], []
    for feed in task.feeds:
        trainer.train_minibatch(feed)
        losses.append(trainer.previous_minibatch_loss_average)
        has_metric = trainer.evaluation_function is not None
        metrics.append(trainer.previous_minibatch_evaluation_average if has_metric else 0.0)
    values = [p.value for p in (*task.loss.parameters, *task.watched)]
    found = [r for _, r in trainer._step._recordings.values() if r is not None]
    return Course(losses, metrics, values, len(found), trainer)


@pytest.fixture(autouse=True)
def _automatic_seeds() -> Iterator[None]:
    yield
    C.cntk_py.reset_random_seed()


def same(one: Course, other: Course, tolerance: float) -> None:
    np.testing.assert_allclose(one.losses, other.losses, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(one.metrics, other.metrics, rtol=tolerance, atol=tolerance)
    for a, b in zip(one.values, other.values, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def batches(
    count: int, size: int, shape: Sequence[int], classes: int, dtype: Any = np.float64
) -> list[tuple[Any, Any]]:
    random = np.random.default_rng(0)
    xs = [random.uniform(-1, 1, (size, *shape)).astype(dtype) for _ in range(count)]
    return [(x, np.eye(classes, dtype=dtype)[random.integers(0, classes, size)]) for x in xs]


def sgd(parameters: Any) -> list[Any]:
    return [C.sgd(parameters, C.learning_parameter_schedule(0.3))]


def momentum(parameters: Any) -> list[Any]:
    return [
        C.momentum_sgd(parameters, C.learning_parameter_schedule(0.3), C.momentum_schedule(0.8))
    ]


def adam(parameters: Any) -> list[Any]:
    return [C.adam(parameters, C.learning_parameter_schedule(0.05), C.momentum_schedule(0.9))]


def two(parameters: Any) -> list[Any]:
    return [*sgd(parameters[:2]), *adam(parameters[2:])]


def clipped(parameters: Any) -> list[Any]:
    schedule = C.learning_parameter_schedule(0.3)
    return [
        C.sgd(
            parameters,
            schedule,
            l2_regularization_weight=0.1,
            gradient_clipping_threshold_per_sample=0.1,
        )
    ]


def classifier(
    layers: Sequence[Any],
    shape: Sequence[int],
    learners: Any = sgd,
    count: int = 8,
    size: int = 7,
    dtype: Any = np.float64,
) -> Task:
    x, y = C.input_variable(tuple(shape), dtype, name="x"), C.input_variable(3, dtype, name="y")
    with C.layers.default_options(dtype=dtype):
        model = C.layers.Sequential([layer() for layer in layers])(x)
    loss, metric = C.cross_entropy_with_softmax(model, y), C.classification_error(model, y)
    feeds = [{x: a, y: b} for a, b in batches(count, size, shape, 3, dtype)]
    return Task(loss, feeds, learners, metric, [c for c in loss.constants if c.shape != ()])


def dense(learners: Any = sgd, **options: Any) -> Task:
    return classifier(
        [lambda: C.layers.Dense(5, C.tanh), lambda: C.layers.Dense(3)], (4,), learners, **options
    )


def dropout(rate: float = 0.5) -> Task:
    layers = [
        lambda: C.layers.Dense(20, C.relu),
        lambda: C.layers.Dropout(rate),
        lambda: C.layers.Dense(3),
    ]
    return classifier(layers, (4,), momentum)


def convolution() -> Task:
    layers = [
        lambda: C.layers.Convolution2D((3, 3), 4, activation=C.relu, pad=True),
        lambda: C.layers.MaxPooling((2, 2), (2, 2)),
        lambda: C.layers.Dense(3),
    ]
    return classifier(layers, (2, 6, 6), momentum)


def normalization() -> Task:
    layers = [
        lambda: C.layers.Dense(6),
        lambda: C.layers.BatchNormalization(),
        lambda: C.layers.Dense(3),
    ]
    return classifier(layers, (4,), momentum)


def spatial_normalization() -> Task:
    layers = [
        lambda: C.layers.Convolution2D((3, 3), 4, pad=True, bias=False),
        lambda: C.layers.BatchNormalization(map_rank=1, normalization_time_constant=20),
        lambda: C.relu,
        lambda: C.layers.Dense(3),
    ]
    return classifier(layers, (2, 5, 5))


def layer_normalization() -> Task:
    return classifier(
        [
            lambda: C.layers.Dense(6),
            lambda: C.layers.LayerNormalization(),
            lambda: C.layers.Dense(3),
        ],
        (4,),
        adam,
    )


TASKS: dict[str, Callable[[], Task]] = {
    "dense, sgd": dense,
    "dense, momentum": lambda: dense(momentum),
    "dense, adam": lambda: dense(adam),
    "dense, two learners": lambda: dense(two),
    "dense, regularized and clipped": lambda: dense(clipped),
    "dropout": dropout,
    "convolution": convolution,
    "batch normalization": normalization,
    "batch normalization of images": spatial_normalization,
    "layer normalization": layer_normalization,
}


@pytest.mark.parametrize("name", TASKS)
def test_recorded_is_eager(name, monkeypatch):
    eager, recorded = (train(TASKS[name], after, monkeypatch) for after in (NEVER, AT_ONCE))
    assert (eager.recordings, recorded.recordings) == (0, 1)
    same(recorded, eager, 1e-9)
    assert eager.losses[0] != pytest.approx(eager.losses[-1])


@pytest.mark.parametrize("learners", [sgd, adam])
def test_recorded_is_eager_in_single_precision(learners, monkeypatch):
    eager, recorded = (
        train(lambda: dense(learners, dtype=np.float32), after, monkeypatch)
        for after in (NEVER, AT_ONCE)
    )
    assert recorded.recordings == 1 and recorded.values[0].dtype == np.float32
    same(recorded, eager, 1e-5)


@pytest.mark.parametrize("record_after", [NEVER, AT_ONCE])
@pytest.mark.parametrize("name", ["dense, sgd", "dropout", "batch normalization"])
def test_the_same_seed_is_the_same_run(name, record_after, monkeypatch):
    one, other = (train(TASKS[name], record_after, monkeypatch) for _ in range(2))
    same(one, other, 0)


def test_dropped_elements_change_from_minibatch_to_minibatch(monkeypatch):
    """The same data each time, no learning: what differs is what is dropped."""

    def make() -> Task:
        task = dropout()
        task.feeds = [task.feeds[0]] * 8
        task.learners = lambda parameters: [C.sgd(parameters, C.learning_parameter_schedule(0))]
        return task

    for after in (NEVER, AT_ONCE):
        assert len({round(loss, 12) for loss in train(make, after, monkeypatch).losses}) == 8


def test_dropout_rates_that_change(monkeypatch):
    """A changed attribute is recorded anew."""

    def losses(after: int) -> list[float]:
        monkeypatch.setattr(step_module, "RECORD_AFTER", after)
        C.cntk_py.set_fixed_random_seed(11)
        task = dropout()
        node = next(
            n
            for n in task.loss.find_all_with_name("", -1)
            if getattr(n, "op_name", "") == "Dropout" and not n.is_block
        )
        trainer = C.Trainer(None, task.loss, task.learners(task.loss.parameters))
        found = []
        for k, feed in enumerate(task.feeds):
            if k == 5:
                node.set_attribute("dropoutRate", 0.0)
            trainer.train_minibatch(feed)
            found.append(trainer.previous_minibatch_loss_average)
        return found

    np.testing.assert_allclose(losses(AT_ONCE), losses(NEVER), rtol=1e-9)


@pytest.mark.parametrize("make", [dense, normalization, dropout])
def test_minibatches_of_other_sizes_in_between(make, monkeypatch):
    def changing() -> Task:
        task = make()
        sizes = [7, 7, 7, 7, 3, 7, 7, 5, 7, 7]
        feeds = [task.feeds[k % len(task.feeds)] for k in range(len(sizes))]
        task.feeds = [
            {v: a[:n] for v, a in feed.items()} for feed, n in zip(feeds, sizes, strict=True)
        ]
        return task

    eager, recorded = (train(changing, after, monkeypatch) for after in (NEVER, AT_ONCE))
    assert recorded.recordings == 1
    same(recorded, eager, 1e-9)


def test_data_in_other_forms_in_between(monkeypatch):
    def changing() -> Task:
        task = dense()
        task.feeds = [
            feed if k % 3 else {v: [list(row) for row in a] for v, a in feed.items()}
            for k, feed in enumerate(task.feeds)
        ]
        return task

    same(train(changing, AT_ONCE, monkeypatch), train(dense, NEVER, monkeypatch), 1e-9)


def test_rates_that_change(monkeypatch):
    """A schedule, a reset rate, and a rate of 0, which updates nothing."""

    def course(after: int) -> tuple[list[np.ndarray], list[bool]]:
        monkeypatch.setattr(step_module, "RECORD_AFTER", after)
        C.cntk_py.set_fixed_random_seed(11)
        task = dense()
        learner = C.sgd(
            task.loss.parameters, C.learning_parameter_schedule([0.3, 0.1], epoch_size=21)
        )
        trainer = C.Trainer(None, task.loss, learner)
        updated = []
        for k, feed in enumerate(task.feeds):
            if k == 6:
                learner.reset_learning_rate(C.learning_parameter_schedule(0))
            updated.append(trainer.train_minibatch(feed))
        return [p.value for p in task.loss.parameters], updated

    (one, updated), (other, also) = course(AT_ONCE), course(NEVER)
    assert updated == also
    for a, b in zip(one, other, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)


def test_values_that_are_set_in_between(monkeypatch):
    def course(after: int) -> list[float]:
        monkeypatch.setattr(step_module, "RECORD_AFTER", after)
        C.cntk_py.set_fixed_random_seed(11)
        task = dense()
        trainer = C.Trainer(None, task.loss, task.learners(task.loss.parameters))
        losses = []
        for k, feed in enumerate(task.feeds):
            if k == 5:
                for p in task.loss.parameters:
                    p.value = np.full(p.shape, 0.1)
            trainer.train_minibatch(feed)
            losses.append(trainer.previous_minibatch_loss_average)
        return losses

    np.testing.assert_allclose(course(AT_ONCE), course(NEVER), rtol=1e-9)


def test_further_outputs(monkeypatch):
    def course(after: int) -> list[np.ndarray]:
        monkeypatch.setattr(step_module, "RECORD_AFTER", after)
        C.cntk_py.set_fixed_random_seed(11)
        task = dense()
        model = task.loss.arguments  # the data themselves are asked for, too
        trainer = C.Trainer(None, (task.loss, task.metric), task.learners(task.loss.parameters))
        found = []
        for feed in task.feeds:
            _, values = trainer.train_minibatch(feed, outputs=[task.loss.output])
            found.append(values[task.loss.output].copy())
        assert model
        return found

    for one, other in zip(course(AT_ONCE), course(NEVER), strict=True):
        assert one.shape == (7, 1)
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_results_are_not_overwritten_by_the_next_replay(monkeypatch):
    monkeypatch.setattr(step_module, "RECORD_AFTER", AT_ONCE)
    task = dense()
    trainer = C.Trainer(None, task.loss, task.learners(task.loss.parameters))
    kept = []
    for feed in task.feeds:
        _, values = trainer.train_minibatch(feed, outputs=[task.loss.output])
        kept.append((values[task.loss.output], values[task.loss.output].copy()))
    for array, copy in kept:
        np.testing.assert_array_equal(array, copy)


def test_a_reduced_loss_counts_its_samples(monkeypatch):
    def make() -> Task:
        task = dense()
        task.loss = C.reduce_mean(task.loss, axis=C.Axis.all_axes())
        return task

    eager, recorded = (train(make, after, monkeypatch) for after in (NEVER, AT_ONCE))
    assert (
        eager.trainer.previous_minibatch_sample_count
        == recorded.trainer.previous_minibatch_sample_count
        == 7
    )
    same(recorded, eager, 1e-9)


def test_a_loss_without_parameters_of_the_learner(monkeypatch):
    """Frozen parameters stay as they are."""

    def make() -> Task:
        task = dense()
        parameters = task.loss.parameters
        task.learners = lambda _: sgd(parameters[:1])
        return task

    with pytest.warns(UserWarning, match="belong to no learner"):
        eager, recorded = (train(make, after, monkeypatch) for after in (NEVER, AT_ONCE))
    same(recorded, eager, 1e-9)


# -- sequences and sparse data ---------------------------------------------------------------------


def sequence_task(
    cell: Callable[[], Any],
    lengths: Sequence[Sequence[int]],
    sparse: bool = False,
    drops: bool = False,
) -> Task:
    words, classes = 6, 3
    s = C.sequence.input_variable(words, is_sparse=sparse, name="s")
    y = C.input_variable(classes, name="y")
    random = np.random.default_rng(1)
    body = C.layers.Recurrence(cell())
    if drops:
        plain = body

        def body(v: Any) -> Any:
            return C.dropout(plain(v), 0.4)

    model = C.layers.Sequential(
        [C.layers.Embedding(4), body, C.sequence.last, C.layers.Dense(classes)]
    )(s)
    loss, metric = C.cross_entropy_with_softmax(model, y), C.classification_error(model, y)
    feeds = []
    for sizes in lengths:
        tokens = [random.integers(0, words, n) for n in sizes]
        dense_rows = [np.eye(words, dtype=np.float32)[t] for t in tokens]
        data = C.Value.one_hot([t.tolist() for t in tokens], words) if sparse else dense_rows
        feeds.append(
            {s: data, y: np.eye(classes, dtype=np.float32)[random.integers(0, classes, len(sizes))]}
        )
    return Task(loss, feeds, momentum, metric)


SAME_LENGTHS, OTHER_LENGTHS = (
    [(4, 2, 3)] * 8,
    [(4, 2, 3), (3, 3, 3), (4, 2, 3), (1, 5, 2), (4, 2, 3), (4, 2, 3), (3, 3, 3), (4, 2, 3)],
)


def dropping_step() -> C.Function:
    """A recurrent step that drops inside the loop."""
    w = C.parameter((C.InferredDimension, 5), C.glorot_uniform(), name="W")
    h = C.parameter((5, 5), C.glorot_uniform(), name="H")
    return C.Function(
        lambda state, x: C.tanh(C.times(C.dropout(state, 0.3, seed=3), h) + C.times(x, w))
    )


CELLS = {
    "lstm": lambda: C.layers.LSTM(5),
    "gru": lambda: C.layers.GRU(5),
    "rnn": lambda: C.layers.RNNStep(5, activation=C.tanh),
    "general": lambda: C.layers.RNNStep(5, activation=C.sigmoid),
    "dropping": dropping_step,
}


@pytest.mark.parametrize("lengths", [SAME_LENGTHS, OTHER_LENGTHS, [(3, 3)] * 7])
@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_sequences(cell, sparse, lengths, monkeypatch):
    eager, recorded = (
        train(lambda: sequence_task(CELLS[cell], lengths, sparse), after, monkeypatch)
        for after in (NEVER, AT_ONCE)
    )
    same(recorded, eager, 1e-4)


def test_sequences_with_dropout(monkeypatch):
    make = lambda: sequence_task(CELLS["gru"], SAME_LENGTHS, drops=True)  # noqa: E731
    same(train(make, AT_ONCE, monkeypatch), train(make, NEVER, monkeypatch), 1e-4)


def test_sequences_in_pieces(monkeypatch):
    """State is carried into minibatches that go on, whether the one before was replayed or not."""

    def make() -> Task:
        s, y = C.sequence.input_variable(6), C.sequence.input_variable(3)
        model = C.layers.Sequential([C.layers.Recurrence(CELLS["rnn"]()), C.layers.Dense(3)])(s)
        random = np.random.default_rng(1)
        feeds = []
        for k in range(9):
            rows, labels = ([random.random((3, n), np.float32) for _ in range(2)] for n in (6, 3))
            begins = [k % 3 != 2] * 2
            feeds.append({s: (rows, begins), y: (labels, begins)})
        return Task(C.squared_error(model, y), feeds, momentum)

    eager, recorded = (train(make, after, monkeypatch) for after in (NEVER, AT_ONCE))
    assert recorded.recordings == 1
    same(recorded, eager, 1e-5)


@pytest.mark.parametrize("learners", [sgd, momentum, adam])
@pytest.mark.parametrize("one_hot", [True, False])
def test_sparse_samples(learners, one_hot, monkeypatch):
    def make(sparse: bool = True) -> Task:
        x, y = C.input_variable(6, is_sparse=sparse, name="x"), C.input_variable(3, name="y")
        loss = C.cross_entropy_with_softmax(C.layers.Dense(3)(x), y)
        random = np.random.default_rng(2)
        feeds = []
        for _ in range(7):
            rows = np.eye(6, dtype=np.float32)[random.integers(0, 6, 5)]
            if not one_hot:
                rows = rows * 2 + np.eye(6, dtype=np.float32)[random.integers(0, 6, 5)]
            feeds.append(
                {
                    x: scipy.sparse.csr_matrix(rows) if sparse else rows,
                    y: np.eye(3, dtype=np.float32)[random.integers(0, 3, 5)],
                }
            )
        return Task(loss, feeds, learners)

    eager, recorded = (train(make, after, monkeypatch) for after in (NEVER, AT_ONCE))
    same(recorded, eager, 1e-5)
    if learners is sgd:
        same(eager, train(lambda: make(sparse=False), NEVER, monkeypatch), 1e-5)


def test_one_hot_rows_after_others(monkeypatch):
    """A recording for one-hot rows is not replayed for rows that are none."""

    def make() -> Task:
        x, y = C.input_variable(4, is_sparse=True, name="x"), C.input_variable(3, name="y")
        loss = C.cross_entropy_with_softmax(C.layers.Dense(3)(x), y)
        hot, other = np.eye(4, dtype=np.float32), np.eye(4, dtype=np.float32) * 3
        target = np.eye(3, dtype=np.float32)[[0, 1, 2, 0]]
        return Task(
            loss,
            [{x: scipy.sparse.csr_matrix(a), y: target} for a in [hot] * 5 + [other] + [hot] * 2],
            sgd,
        )

    same(train(make, AT_ONCE, monkeypatch), train(make, NEVER, monkeypatch), 1e-5)


# -- the step by itself ----------------------------------------------------------------------------


def test_an_assignment_is_not_recorded(monkeypatch):
    def make() -> Task:
        task = dense(count=6)
        counter = C.constant(np.zeros(()), name="counter")
        task.loss = task.loss + 0 * C.assign(counter, counter + 1)
        task.watched = [counter]
        return task

    eager, recorded = (train(make, after, monkeypatch) for after in (NEVER, AT_ONCE))
    assert recorded.recordings == 0
    assert eager.values[-1] == recorded.values[-1] == 6
    same(recorded, eager, 1e-9)


def test_losses_of_tests_do_not_drop():
    task = dropout()
    (x, y), feed = task.loss.arguments, task.feeds[0]
    step = TrainingStep(task.loss.output, None, ())
    losses = {float(step.test(feed, C.cpu().torch).loss) for _ in range(3)}
    assert len(losses) == 1 and {x, y} == set(feed)


def test_missing_data_are_named():
    task = dense()
    trainer = C.Trainer(None, task.loss, task.learners(task.loss.parameters))
    feed = dict(task.feeds[0])
    label = next(v for v in feed if v.name == "y")
    del feed[label]
    with pytest.raises(ValueError, match=r"no data were given for Input\('y'"):
        trainer.train_minibatch(feed)
