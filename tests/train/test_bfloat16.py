"""Networks of bfloat16: fed, trained, saved and pickled; beside float32, and to the bit where
nothing may change.
"""

from __future__ import annotations

import pickle
from functools import partial

import ml_dtypes
import numpy as np
import pytest
import scipy.sparse
import torch

import cntk as C
from cntk._persist.protobuf.arrays import encode
from cntk._persist.protobuf.wire import fields
from cntk._persist.v2.save import to_dictionary

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
RANDOM = np.random.default_rng(0)
ROWS = RANDOM.standard_normal((7, 6)).astype(np.float32)
PICTURES = RANDOM.standard_normal((4, 2, 8, 8)).astype(np.float32)
SEQUENCES = [RANDOM.standard_normal((n, 6)).astype(np.float32) for n in (3, 5, 2)]


def over_rows(*layers):
    return C.input_variable(6), ROWS, C.layers.Sequential([*layers, C.layers.Dense(3)])


def over_pictures(*layers):
    return C.input_variable((2, 8, 8)), PICTURES, C.layers.Sequential([*layers, C.layers.Dense(3)])


def over_sequences(*layers):
    return (
        C.sequence.input_variable(6),
        SEQUENCES,
        C.layers.Sequential([*layers, C.layers.Dense(3)]),
    )


NETWORKS = {
    "dense": lambda: over_rows(C.layers.Dense(8, activation=C.tanh), C.layers.Dropout(0.5, seed=3)),
    "normalized": lambda: over_rows(
        C.layers.LayerNormalization(), C.layers.Dense(5), C.layers.BatchNormalization()
    ),
    "convolution": lambda: over_pictures(
        C.layers.Convolution2D((3, 3), 4, activation=C.relu),
        C.layers.BatchNormalization(map_rank=1),
        C.layers.MaxPooling((2, 2)),
    ),
    "transposed": lambda: over_pictures(
        C.layers.ConvolutionTranspose2D((3, 3), 4), C.layers.GlobalAveragePooling()
    ),
    "lstm": lambda: over_sequences(C.layers.Recurrence(C.layers.LSTM(5))),
    "gru backwards": lambda: over_sequences(
        C.layers.Recurrence(C.layers.GRU(5), go_backwards=True)
    ),
    "rnn": lambda: over_sequences(C.layers.Fold(C.layers.RNNStep(5))),
    "loop": lambda: over_sequences(C.layers.Recurrence(lambda state, x: C.sin(state) * 0.5 + x)),
    "attention": lambda: over_sequences(C.layers.MultiHeadAttention(2, 6)),
}


def build(kind, dtype, values=None):
    """A network's input and data, the network, its loss and a trainer; with parameters that
    bfloat16 can hold.
    """
    with C.default_options(dtype=dtype):
        x, data, layers = NETWORKS[kind]()
        network = layers(x)
    loss = C.reduce_mean(C.square(C.cast(network, np.float32) - 0.5))
    for parameter, value in zip(network.parameters, values or (), strict=bool(values)):
        parameter.value = value
    trainer = C.Trainer(network, loss, C.momentum_sgd(loss.parameters, 0.02, 0.5))
    return x, data, network, loss, trainer


def flat(result):
    return np.concatenate([np.asarray(x).astype(np.float32).ravel() for x in result])


def states(function):
    return [v.value for v in (*function.parameters, *function.constants)]


def equal(one, other):
    return len(one) == len(other) and all(
        a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("kind", NETWORKS)
def test_training_goes_as_in_float32(kind):
    _, _, first, _, _ = build(kind, "bfloat16")
    values = [p.value.astype(np.float32) for p in first.parameters]
    found = []
    for dtype in ("bfloat16", "float32"):
        x, data, network, _, trainer = build(kind, dtype, values)
        begun = flat(network.eval({x: data}))
        losses = []
        for _ in range(8):  # the last ones recorded
            trainer.train_minibatch({x: data})
            losses.append(trainer.previous_minibatch_loss_average)
        found.append((begun, losses))
    (begun, losses), (wanted, wanted_losses) = found
    assert np.abs(begun - wanted).max() <= 2**-6 * np.abs(wanted).max()
    assert np.allclose(losses, wanted_losses, rtol=2**-5)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("kind", NETWORKS)
def test_files_pickles_and_checkpoints_keep_every_bit(kind, tmp_path):
    x, data, network, loss, trainer = build(kind, "bfloat16")
    trainer.train_minibatch({x: data})
    wanted, result = states(loss), flat(network.eval({x: data}))
    path = str(tmp_path / "model")
    network.save(path)
    for other in (C.load_model(path), pickle.loads(pickle.dumps(network)), network.clone("clone")):  # noqa: S301
        assert [v.dtype for v in other.arguments] == [BFLOAT16.type]
        assert equal(states(other), states(network))
        assert np.array_equal(flat(other.eval({other.arguments[0]: data})), result)
    trainer.save_checkpoint(path)
    trainer.train_minibatch({x: data})
    assert not equal(states(loss), wanted)
    trainer.restore_from_checkpoint(path)
    assert equal(states(loss), wanted)


def test_files_hold_float32_for_others():
    x = C.input_variable(2, "bfloat16")
    model = C.cast(
        C.cast(C.times(x, C.parameter((2, 3), init=1.5, dtype="bfloat16")), np.float32), "bfloat16"
    )
    held = to_dictionary(model)
    assert {(v["data_type"], v["bfloat16"]) for v in held["inputs"]} == {(1, True)}
    casts = [
        f["attributes"] for f in held["primitive_functions"] if "newDataType" in f["attributes"]
    ]
    assert sorted(map(str, casts)) == ["{'newDataType': 1, 'bfloat16': True}", "{'newDataType': 1}"]
    parts = {
        number: value
        for number, _, value in fields(memoryview(encode(np.ones(3, BFLOAT16), None).to_bytes()))
    }
    assert parts[1] == 1  # float32
    assert parts[4][2:] == np.ones(3, "<f4").tobytes()


def test_infinities_are_found():
    z, w = C.input_variable(2, "bfloat16"), C.parameter((2,), init=1000, dtype="bfloat16")
    trainer = C.Trainer(None, C.reduce_sum(C.exp(z * w)), C.sgd([w], 0.1))
    with (
        C.debugging.watch_nan(trainer),
        pytest.raises(RuntimeError, match="Exp.* is the first that gives infinity"),
    ):
        trainer.train_minibatch({z: [[1, 1]]})
    assert w.value.tolist() == [1000, 1000]


def test_recorded_steps_are_those_of_single_operations():
    found = []
    for minibatches in (1, 12):
        x, data, network, _, trainer = build(
            "lstm", "bfloat16", [np.full(s, 0.25) for s in ((5, 3), (3,), (20,), (6, 20), (5, 20))]
        )
        learner = trainer.parameter_learners[0]
        for _ in range(12):
            if minibatches == 1:
                learner.rebind()
            trainer.train_minibatch({x: data})
        found.append([p.value for p in network.parameters])
    assert equal(*found)


def test_statistics_of_batch_normalization_are_float32():
    for dtype in ("float16", "bfloat16"):
        with C.default_options(dtype=dtype):
            x = C.input_variable(6)
            layer = C.layers.BatchNormalization()(x)
        assert {v.dtype for v in (*layer.parameters, *layer.constants)} == {np.float32}
        trainer = C.Trainer(None, C.reduce_sum(layer), C.sgd(layer.parameters, 0))
        for _ in range(2):
            trainer.train_minibatch({x: np.tile(ROWS, (43, 1))})
        assert layer.aggregate_count.value == 602  # beyond 256 bfloat16 holds no odd number
        assert np.allclose(layer.aggregate_mean.value, ROWS.mean(0), atol=4e-3)
    with pytest.raises(
        ValueError,
        match="must be float16 or float32 beside data of float16, got bfloat16; use cntk.cast",
    ):
        numbers = [C.parameter((6,), dtype="bfloat16") for _ in range(4)]
        C.batch_normalization(
            C.input_variable(6, "float16"), *numbers, spatial=False, running_count=C.constant(0)
        )


# -- what is fed, and what comes out ---------------------------------------------------------------

THIRD = np.float32(1 / 3)
FEEDS = {
    "float32": np.full((2, 3), THIRD),
    "float64": np.full((2, 3), 1 / 3),
    "bfloat16": np.full((2, 3), THIRD).astype(BFLOAT16),
    "by columns": np.full((3, 2), THIRD).astype(BFLOAT16).T,
    "lists": [[1 / 3] * 3] * 2,
    "list of arrays": [np.full(3, THIRD).astype(BFLOAT16)] * 2,
    "torch": torch.full((2, 3), 1 / 3),
    "torch bfloat16": torch.full((2, 3), 1 / 3, dtype=torch.bfloat16),
}


@pytest.mark.parametrize("kind", FEEDS)
def test_data_are_rounded_to_the_nearest(kind):
    x = C.input_variable(3, "bfloat16")
    result = (x + 0).eval({x: FEEDS[kind]})
    assert result.dtype == BFLOAT16
    assert np.array_equal(result, np.full((2, 3), 0.333984375))


def test_ties_go_to_even_numbers():
    x = C.input_variable((), "bfloat16")
    assert (x + 0).eval({x: [1 + 2**-8, 1 + 3 * 2**-8]}).tolist() == [1, 1 + 2**-6]


def test_values_views_and_sparse_data():
    x, sparse = C.input_variable(3, "bfloat16"), C.input_variable(3, "bfloat16", is_sparse=True)
    ones = np.ones((2, 3), BFLOAT16)
    for data in (C.Value(ones), C.NDArrayView.from_dense(ones), C.Value.create(x, ones)):
        assert np.array_equal((x + 0).eval({x: data}), ones)
    y = C.input_variable(3)
    assert (y + 0).eval({y: ones}).dtype == np.float32
    table = C.parameter((3, 2), init=C.normal(1, seed=1), dtype="bfloat16")
    for data in (
        scipy.sparse.csr_matrix(np.eye(3, dtype=np.float32)),
        C.Value.one_hot([0, 1, 2], 3, dtype="bfloat16"),
    ):
        assert np.array_equal(C.times(sparse, table).eval({sparse: data}), table.value)


@pytest.mark.parametrize(
    "dtype",
    ["bfloat16", ml_dtypes.bfloat16, BFLOAT16, torch.bfloat16],
    ids=["name", "type", "dtype", "torch"],
)
def test_names_of_the_dtype(dtype):
    made = [
        C.input_variable(2, dtype),
        C.parameter((2,), dtype=dtype),
        C.constant(1, (2,), dtype=dtype),
    ]
    with C.default_options(dtype=dtype):
        made += [
            C.input_variable(2),
            C.Parameter((2,)),
            C.Constant(1, (2,)),
            C.cast(C.input_variable(2, np.float64), dtype).output,
        ]
    made += [
        C.parameter(init=np.ones(2, BFLOAT16)),
        C.parameter(init=torch.ones(2, dtype=torch.bfloat16)),
    ]
    assert {v.dtype for v in made} == {BFLOAT16.type}


def test_initializers_draw_float32_and_round():
    make = partial(C.parameter, (5, 4), init=C.glorot_uniform(seed=3))
    assert np.array_equal(make(dtype="bfloat16").value, make().value.astype(BFLOAT16))


def test_without_ml_dtypes_the_package_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    with pytest.raises(
        ImportError, match=r"bfloat16 needs ml_dtypes.*pip install 'cntk-torch\[bfloat16\]'"
    ):
        C.input_variable(2, "bfloat16")
