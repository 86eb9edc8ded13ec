"""Minibatches of readers where programs use data: evaluation, training and testing, dense and
sparse.
"""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C
from cntk._runtime.sparse import SparseRows
from cntk.io import (
    CTFDeserializer,
    MinibatchData,
    MinibatchSource,
    MinibatchSourceFromData,
    StreamDef,
    StreamDefs,
    StreamInformation,
    UserMinibatchSource,
)
from cntk.layers.typing import Sequence, SparseTensor, Tensor

RNG = np.random.default_rng(5)
SAMPLES = RNG.normal(size=(20, 6)).astype(np.float32)
TARGETS = (SAMPLES.sum(1, keepdims=True) > 0).astype(np.float32)
WORDS = [RNG.integers(0, 9, n) for n in (3, 1, 5, 2, 2, 4)]


@pytest.fixture
def samples(tmp_path):
    """A source of samples and targets."""
    text = "".join(
        f"|x {' '.join(map(repr, map(float, a)))} |y {b[0]:g}\n"
        for a, b in zip(SAMPLES, TARGETS, strict=True)
    )
    file = tmp_path / "samples.ctf"
    file.write_text(text)
    return lambda **options: MinibatchSource(
        CTFDeserializer(str(file), StreamDefs(x=StreamDef("x", 6), y=StreamDef("y", 1))),
        randomize=False,
        **options,
    )


@pytest.fixture
def sentences(tmp_path):
    """A source of one-hot words, sparse and dense."""
    one_hot = np.eye(9, dtype=int)
    text = "".join(
        f"{k} |w {w}:1 |d {' '.join(map(str, one_hot[w]))}\n"
        for k, words in enumerate(WORDS)
        for w in words
    )
    file = tmp_path / "sentences.ctf"
    file.write_text(text)
    streams = StreamDefs(w=StreamDef("w", 9, is_sparse=True), d=StreamDef("d", 9))
    return MinibatchSource(CTFDeserializer(str(file), streams), randomize=False)


def test_sparse_streams_stay_sparse(sentences):
    data = sentences.next_minibatch(11)[sentences.streams.w]
    rows = data.data.rows
    assert data.is_sparse and isinstance(rows, SparseRows) and rows.one_hot
    assert rows.columns.tolist() == np.concatenate(WORDS[:4]).tolist()
    assert data.shape == (4, 5, 9)
    np.testing.assert_array_equal(
        data.mask, [[2, 1, 1, 0, 0], [2, 0, 0, 0, 0], [2, 1, 1, 1, 1], [2, 1, 0, 0, 0]]
    )
    np.testing.assert_array_equal(data.asarray().argmax(2)[2], WORDS[2])
    assert str(data) == "MinibatchData(data=Value([4 x 5 x 9], CPU), samples=11, seqs=4)"


@pytest.mark.parametrize("is_sparse", [False, True])
def test_sequences_are_evaluated_alike(sentences, is_sparse):
    x = C.sequence.input_variable(9, is_sparse=is_sparse)
    weights = C.parameter((9, 4), init=RNG.normal(size=(9, 4)).astype(np.float32))
    model = C.sequence.reduce_sum(x @ weights)
    wanted = [weights.value[words].sum(0) for words in WORDS[:4]]
    minibatch = sentences.next_minibatch(11)
    for stream in sentences.stream_infos():
        np.testing.assert_allclose(model.eval({x: minibatch[stream]}), wanted, rtol=1e-6)
        np.testing.assert_allclose(model.eval(minibatch[stream]), wanted, rtol=1e-6)


def test_samples_take_on_the_shape_of_the_variable(samples):
    source = samples()
    x, y = C.input_variable((2, 3)), C.input_variable(())
    minibatch = source.next_minibatch(4, {x: source.streams.x, y: source.streams.y})
    np.testing.assert_allclose(
        C.reduce_sum(x, axis=0).eval({x: minibatch[x]})[:, 0], SAMPLES[:4].reshape(4, 2, 3).sum(1)
    )
    np.testing.assert_allclose((y * 2).eval({y: minibatch[y]}), 2 * TARGETS[:4, 0])
    with pytest.raises(ValueError, match=r"frames of the given data have shape \[6\]"):
        (C.input_variable(5) * 1).eval(minibatch[x])


def test_single_samples_only(sentences):
    minibatch = sentences.next_minibatch(11)
    with pytest.raises(ValueError, match="single samples are expected"):
        (C.input_variable(9) * 1).eval(minibatch[sentences.streams.d])


def model_of(x, y):
    z = C.layers.Dense(1, init=0.1)(x)
    return z, C.squared_error(z, y), C.equal(C.greater(z, 0.5), y)


def test_training_is_as_with_arrays(samples):
    source = samples()
    trained = []
    for from_reader in (True, False):
        x, y = C.input_variable(6), C.input_variable(1)
        z, loss, metric = model_of(x, y)
        trainer = C.Trainer(z, (loss, metric), C.momentum_sgd(z.parameters, 0.1, 0.9))
        history = []
        for at in range(0, 20, 5):
            data = {x: SAMPLES[at : at + 5], y: TARGETS[at : at + 5]}
            if from_reader:
                data = source.next_minibatch(5, {x: source.streams.x, y: source.streams.y})
            history.append(trainer.test_minibatch(data))
            assert trainer.train_minibatch(data)
            history += [
                trainer.previous_minibatch_loss_average,
                trainer.previous_minibatch_sample_count,
            ]
        trained.append((history, [p.value for p in z.parameters]))
    (a, p), (b, q) = trained
    np.testing.assert_allclose(a, b, rtol=1e-6)
    for left, right in zip(p, q, strict=True):
        np.testing.assert_allclose(left, right, rtol=1e-6)


def test_schedules_follow_the_sweeps_of_the_reader(samples):
    source = samples()
    x, y = C.input_variable(6), C.input_variable(1)
    z, loss, _ = model_of(x, y)
    learner = C.sgd(z.parameters, C.learning_parameter_schedule_per_sample([0.3, 0.2, 0.1, 0.0]))
    trainer = C.Trainer(z, loss, learner)
    rates = []
    for size in (15, 15, 15, 40):
        trainer.train_minibatch(
            source.next_minibatch(size, {x: source.streams.x, y: source.streams.y})
        )
        rates.append(learner.learning_rate())
    assert rates == [0.3, 0.2, 0.1, 0.0]


def trained(source, **options):
    x, y = C.input_variable(6), C.input_variable(1)
    z, loss, metric = model_of(x, y)
    criterion = C.combine([loss, metric])
    if hasattr(source, "streams"):
        options["model_inputs_to_streams"] = {x: source.streams.x, y: source.streams.y}
    else:
        source = tuple({x: SAMPLES, y: TARGETS}[a] for a in criterion.arguments)
    progress = criterion.train(
        source, parameter_learners=[C.sgd(z.parameters, 0.1)], minibatch_size=8, **options
    )
    return [(s.samples, s.loss, s.metric) for s in progress.epoch_summaries]


def test_function_train(samples):
    wanted = trained(None, max_epochs=2)
    assert [s[0] for s in wanted] == [20, 20]
    found = trained(
        MinibatchSourceFromData({"x": SAMPLES, "y": TARGETS}), epoch_size=20, max_epochs=2
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    # A reader's minibatches go on across the end of a sweep.
    assert [s[0] for s in trained(samples(), epoch_size=20, max_epochs=2)] == [24, 16]
    assert [s[0] for s in trained(samples(), max_samples=30)] == [30]
    with pytest.raises(ValueError, match="give epoch_size or max_samples"):
        trained(samples(max_sweeps=1))


def test_function_test(samples):
    x, y = C.input_variable(6), C.input_variable(1)
    _, loss, metric = model_of(x, y)
    criterion = C.combine([loss, metric])
    source = samples(max_sweeps=1)
    streams = {x: source.streams.x, y: source.streams.y}
    found = criterion.test(source, minibatch_size=7, model_inputs_to_streams=streams)
    wanted = criterion.test(
        tuple({x: SAMPLES, y: TARGETS}[a] for a in criterion.arguments), minibatch_size=7
    )
    assert found.samples == wanted.samples == 20
    assert found.metric == pytest.approx(wanted.metric)


# -- sources of a program's own --------------------------------------------------------------------


class Doubling(UserMinibatchSource):
    def stream_infos(self):
        return [
            StreamInformation("x", 0, "dense", np.float32, (6,)),
            StreamInformation("y", 1, "dense", np.float32, (1,)),
        ]

    def next_minibatch(self, num_samples, number_of_workers=1, worker_rank=0, device=None):
        values = {self["x"]: SAMPLES[:num_samples], self["y"]: TARGETS[:num_samples]}
        return {i: MinibatchData(C.Value(v), len(v), len(v), False) for i, v in values.items()}


def test_user_source():
    source = Doubling()
    assert [s[0] for s in trained(source, max_samples=24)] == [24]
    assert source.stream_info("y") is source.streams.y
    assert source.get_checkpoint_state() == {} and not source.is_infinite()
    with pytest.raises(RuntimeError, match="no stream is named 'z'; there are: x, y"):
        source["z"]
    with pytest.raises(NotImplementedError, match="Doubling must override restore_from_checkpoint"):
        source.restore_from_checkpoint({})
    with pytest.raises(NotImplementedError, match="must override stream_infos"):
        UserMinibatchSource()


def test_arrays_as_a_source():
    source = MinibatchSourceFromData({"x": SAMPLES[:5], "y": TARGETS[:5]}, max_samples=9)
    found = []
    while minibatch := source.next_minibatch(3):
        x = minibatch[source.streams.x]
        found.append((x.shape, x.end_of_sweep, source.get_checkpoint_state()))
    assert found == [
        ((3, 6), False, {"cursor": 3, "total_num_samples": 3}),
        ((2, 6), True, {"cursor": 0, "total_num_samples": 5}),
        ((3, 6), False, {"cursor": 3, "total_num_samples": 8}),
        ((1, 6), True, {"cursor": 4, "total_num_samples": 9}),
    ]
    source.restore_from_checkpoint({"cursor": 3, "total_num_samples": 3})
    np.testing.assert_array_equal(source.next_minibatch(9)[source["x"]].asarray(), SAMPLES[3:5])


def test_sequences_as_a_source():
    csr = pytest.importorskip("scipy.sparse").csr_matrix
    dense = [np.eye(9, dtype=np.float32)[w] for w in WORDS]
    given = {
        "d": (dense, Sequence[Tensor[9]]),
        "w": ([csr(d) for d in dense], Sequence[SparseTensor[9]]),
        "k": csr(np.eye(6)),
    }
    source = MinibatchSourceFromData(given, max_samples=C.io.FULL_DATA_SWEEP)
    shapes = []
    while minibatch := source.next_minibatch(6):
        shapes.append([minibatch[s].shape for s in source.stream_infos()])
        np.testing.assert_array_equal(
            minibatch[source["d"]].asarray(), minibatch[source["w"]].asarray()
        )
    assert shapes == [
        [(2, 3, 9), (2, 3, 9), (2, 6)],
        [(1, 5, 9), (1, 5, 9), (1, 6)],
        [(2, 2, 9), (2, 2, 9), (2, 6)],
        [(1, 4, 9), (1, 4, 9), (1, 6)],
    ]


def test_workers_share_arrays():
    found = []
    for rank in range(2):
        source = MinibatchSourceFromData(
            {"x": np.arange(7, dtype=np.float32)[:, None]}, max_samples=7
        )
        while minibatch := source.next_minibatch(4, 2, rank):
            found += minibatch[source["x"]].asarray().ravel().tolist()
    assert sorted(found) == list(range(7))


@pytest.mark.parametrize(
    ("data", "kind", "words"),
    [
        ({}, ValueError, "at least one stream"),
        ({"x": SAMPLES, "y": TARGETS[:3]}, TypeError, "same number of items"),
        ({"x": 3}, TypeError, "stream 'x' must be"),
        ({"x": [SAMPLES]}, TypeError, "give its type too"),
        (SAMPLES, TypeError, "expected a dictionary"),
        ({"x": SAMPLES[:0]}, ValueError, "empty"),
    ],
)
def test_data_that_are_no_source(data, kind, words):
    with pytest.raises(kind, match=words):
        MinibatchSourceFromData(data)


def test_storage_formats():
    with pytest.raises(ValueError, match="must be 'dense' or 'sparse', got 'thin'"):
        StreamInformation("x", 0, "thin", np.float32, (2,))
