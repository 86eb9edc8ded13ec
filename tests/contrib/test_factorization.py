"""Dense layers as products of narrow matrices: the original's numbers, and what it cannot do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.contrib.netopt.factorization import dense_factored, factor_dense, svd_subprojection

ROWS = ((np.arange(12, dtype=np.float32).reshape(2, 6)) - 5) / 4
PARTS = {"W1": np.float32([[5, 1], [4, 5], [8, 9]]), "W2": np.float32([[5, 1, 2, 3], [4, 5, 6, 7]])}


def uniform(seed: int) -> Any:
    return C.initializer.uniform(1, seed=seed)


def two_layers() -> C.Function:
    hidden = C.layers.Dense(5, activation=C.tanh, init=uniform(1), name="hidden")
    return C.layers.Dense(4, init=uniform(2), init_bias=0.5, name="out")(
        hidden(C.input_variable(6))
    )


def is_out(layer: C.Function) -> bool:
    return bool(layer.name == "out")


def blocks(model: C.Function) -> list[str]:
    return [
        f.op_name for f in C.logging.depth_first_search(model, lambda f: isinstance(f, C.Function))
    ]


# columns kept -> the original's results, the last layer alone being replaced, or both
RESULTS: list[tuple[int, bool, list[list[float]]]] = [
    (
        1,
        True,
        [
            [0.66018736, -0.07117468, 0.01517889, -0.30323762],
            [0.51886308, 0.43274045, 0.44290915, 0.40541351],
        ],
    ),
    (
        2,
        True,
        [
            [1.54297721, 0.12878829, 0.05840835, -0.29546964],
            [-0.014503, 0.31192636, 0.4167907, 0.4007203],
        ],
    ),
    (
        3,
        True,
        [
            [1.5482992, 0.1403507, -0.12204075, -0.19371408],
            [-0.0209288, 0.29796597, 0.6346637, 0.2778613],
        ],
    ),
    (
        4,
        True,
        [
            [1.57964754, -0.01039517, -0.0808298, -0.10514265],
            [-0.0483622, 0.4298858, 0.59859943, 0.20035124],
        ],
    ),
    (
        1,
        False,
        [
            [0.64104271, -0.00291133, 0.07312179, -0.20723951],
            [0.32457411, 1.12551022, 1.0309420, 1.3796492],
        ],
    ),
    (
        4,
        False,
        [
            [2.12743783, -0.48111630, -0.4586784, -0.645075],
            [-0.9632289, -0.36522686, -0.17553771, -0.9337195],
        ],
    ),
]


@pytest.mark.parametrize(
    ("k", "last_alone", "wanted"), RESULTS, ids=[f"{k}-{last}" for k, last, _ in RESULTS]
)
def test_results_are_the_originals(k: int, last_alone: bool, wanted: list[list[float]]) -> None:
    """Where both are replaced the hidden layer's activation is gone, as in the original."""
    factored = factor_dense(two_layers(), lambda W: k, is_out if last_alone else None)
    np.testing.assert_allclose(factored.eval(ROWS), wanted, atol=2e-6)


def test_names_shapes_and_sharing() -> None:
    model = two_layers()
    factored = factor_dense(model, lambda W: 2, is_out)
    assert blocks(factored) == ["DenseFactored", "Dense"] and factored.name == "DenseFactored"
    assert [(p.name, p.shape) for p in factored.parameters] == [
        ("W2", (2, 4)),
        ("W1", (5, 2)),
        ("b", (4,)),
        ("W", (6, 5)),
        ("b", (5,)),
    ]
    assert [p in model.parameters for p in factored.parameters] == [False, False, False, True, True]
    assert factored.arguments == model.arguments and blocks(model) == ["Dense", "Dense"]


def test_training_goes_on() -> None:
    target, factored = C.input_variable(4), factor_dense(two_layers(), lambda W: 2, is_out)
    learner = C.sgd(factored.parameters, C.learning_parameter_schedule(0.05))
    trainer = C.Trainer(factored, (C.squared_error(factored, target),), [learner])
    losses = []
    for _ in range(4):
        trainer.train_minibatch(
            {factored.arguments[0]: ROWS, target: np.eye(4, dtype=np.float32)[:2]}
        )
        losses.append(trainer.previous_minibatch_loss_average)
    np.testing.assert_allclose(losses, [0.60503572, 0.4442201, 0.39843071, 0.36652043], rtol=1e-6)


def test_layers_after_an_lstm() -> None:
    x = C.sequence.input_variable(3)
    recurrent = C.layers.Recurrence(C.layers.LSTM(4, init=uniform(3)))
    model = C.layers.Sequential(
        [recurrent, C.layers.Dense(5, init=uniform(4)), C.layers.Dense(4, init=uniform(5))]
    )(x)
    factored = factor_dense(model, lambda W: int(len(W) * 0.5))
    assert [p.name for p in factored.parameters] == [
        "W2",
        "W1",
        "b",
        "W2",
        "W1",
        "b",
        "b",
        "W",
        "H",
    ]
    rows = np.arange(1, 7, dtype=np.float32).reshape(2, 3) / 6
    wanted = [
        [0.17290606, -0.27478659, -0.37048143, 0.0191767],
        [0.32358289, -0.59065121, -0.73417836, 0.07081372],
    ]
    np.testing.assert_allclose(factored.eval({factored.arguments[0]: [rows]})[0], wanted, atol=1e-6)


def test_a_layer_inside_a_loop_is_replaced_in_all_steps() -> None:
    """The original's loop goes on through the old layer."""
    layer = C.layers.Dense(3, init=uniform(3))
    x = C.sequence.input_variable(2)
    model = C.layers.Recurrence(C.Function(lambda h, v: layer(C.splice(h, v))), initial_state=0.1)(
        x
    )
    factored = factor_dense(model, lambda W: 3)
    rows = [np.ones((4, 2), np.float32)]
    np.testing.assert_allclose(
        factored.eval({factored.arguments[0]: rows})[0], model.eval({x: rows})[0], rtol=1e-5
    )
    assert {p.name for p in factored.parameters} == {"W1", "W2", "b"}


def test_functions_of_ones_own() -> None:
    seen = []

    def identity_times(W: Any, k: int) -> Any:
        seen.append((W.shape, k))
        return W, np.eye(W.shape[1], dtype=W.dtype)

    model = two_layers()
    same = factor_dense(model, None, is_out, identity_times)
    np.testing.assert_allclose(same.eval(ROWS), model.eval(ROWS), rtol=1e-6)
    few = factor_dense(
        model, lambda W: 2, is_out, lambda W, k: (W[:, :k], np.eye(4, dtype=np.float32)[:k])
    )
    np.testing.assert_array_equal(few.eval(ROWS)[:, 2:], 0.5)
    assert seen == [((5, 4), 4)]


def test_no_bias_and_double() -> None:
    x = C.input_variable(3, dtype=np.float64)
    with C.default_options(dtype=np.float64):
        model = C.layers.Dense(4, bias=False, init=uniform(1))(x)
    factored = factor_dense(model, lambda W: 3)
    assert [p.name for p in factored.parameters] == ["W2", "W1"] and factored.dtype == np.float64
    rows = np.array([[1.0, 2, 3]])
    np.testing.assert_allclose(factored.eval(rows), model.eval(rows), rtol=1e-12)


def test_a_model_without_dense_layers_is_given_back() -> None:
    model = C.relu(C.input_variable(2))
    assert factor_dense(model, lambda W: 1) is model


def test_files_hold_it(tmp_path: Any) -> None:
    factored = factor_dense(two_layers(), lambda W: 2)
    factored.save(tmp_path / "factored.model")
    loaded = C.Function.load(tmp_path / "factored.model")
    np.testing.assert_array_equal(loaded.eval(ROWS), factored.eval(ROWS))
    assert blocks(loaded) == ["DenseFactored", "DenseFactored"]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"name": "narrow", "init_bias": 0.5}, [[337.5, 227.5, 302.5, 377.5]]),
        ({"activation": lambda x: C.relu(x - 300), "bias": False}, [[37, 0, 2, 77]]),
        ({"init": {"W1": None, "W2": None}}, [[0, 0, 0, 0]]),
    ],
    ids=["bias", "activation", "zeros"],
)
def test_dense_factored(options: dict[str, Any], wanted: list[list[float]]) -> None:
    layer = dense_factored((2, 4), **{"init": PARTS, **options})
    found = layer(C.input_variable(3)).eval([[1, 2, 3]])
    np.testing.assert_allclose(found, wanted)


def test_dense_factored_takes_options_of_dense() -> None:
    with C.layers.default_options(activation=C.sigmoid, init_bias=0.1):
        layer = dense_factored((2, 4), init=PARTS)(C.input_variable(3))
    assert layer.eval([[1, 2, 3]]).max() == 1 and layer.b.value.tolist() == [np.float32(0.1)] * 4


def test_svd_subprojection() -> None:
    matrix = np.float32([[5, 1, 2, 3], [4, 5, 6, 7], [8, 9, 10, 11]])
    left, right = svd_subprojection(matrix, 2)
    assert left.flags.c_contiguous and left.dtype == right.dtype == np.float32
    wanted = np.float32(
        [[0.236992, 0.9611351], [0.49042886, -0.2441873], [0.83863837, -0.12880978]]
    )
    np.testing.assert_allclose(np.abs(left), np.abs(wanted), atol=1e-6)
    np.testing.assert_allclose(
        np.abs(right[0]), [9.8557825, 10.236881, 11.80294, 13.3689995], rtol=1e-6
    )
    assert [part.shape for part in svd_subprojection(matrix, 10)] == [(3, 3), (3, 4)]


@pytest.mark.parametrize(
    ("make", "kind", "words"),
    [
        (lambda: factor_dense(two_layers()), ValueError, "projection_function"),
        (lambda: factor_dense(two_layers(), lambda W: 0), ValueError, "'hidden'.*at least one"),
        (lambda: factor_dense(two_layers(), lambda W: 2.5), TypeError, "integer"),
        (
            lambda: factor_dense(C.layers.Dense(4, name="d"), lambda W: 2),
            ValueError,
            "'d'.*input of known shape",
        ),
        (
            lambda: factor_dense(C.layers.Dense(4)(C.input_variable((2, 3))), lambda W: 2),
            ValueError,
            "filter_function",
        ),
        (lambda: dense_factored((2, 4), input_rank=1), AssertionError, "input_rank"),
        (lambda: dense_factored((2.0, 4)), AssertionError, "two integers"),
        (lambda: svd_subprojection([1, 2], 1), np.linalg.LinAlgError, "two-dimensional"),
        (lambda: svd_subprojection([[1, 2]], 1.5), TypeError, "integer"),
    ],
    ids=["nothing", "zero", "fraction", "unknown", "matrix", "input_rank", "floats", "vector", "k"],
)
def test_errors(make: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        make()
