"""Random numbers are the original's for the same seed, and go on, are saved and are trained with as
they should.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

import cntk as C
import cntk.random as random
from cntk._execution.training_step import RECORD_AFTER
from cntk._runtime.layout.layout import Layout
from cntk._runtime.random.streams import TwisterStream
from tests.ops.random_programs import label_rows, programs

GOLDEN = np.load(Path(__file__).parent / "golden" / "random_of_the_original.npz")
TOLERANCES = {
    np.dtype(bool): 0.0,
    np.dtype(np.float16): 1e-3,
    np.dtype(np.float32): 1e-5,
    np.dtype(np.float64): 1e-12,
}


@pytest.mark.parametrize(
    ("name", "run"), [pytest.param(name, run, id=name) for name, run in programs()]
)
def test_programs_give_what_the_original_gives(name: str, run: Callable[[], list[Any]]) -> None:
    wanted = [
        GOLDEN[f"{name} #{k}"]
        for k in range(sum(key.startswith(f"{name} #") for key in GOLDEN.files))
    ]
    results = run()
    assert len(wanted) == len(results) > 0
    for one, other in zip(results, wanted, strict=True):
        assert np.shape(one) == other.shape
        tolerance = TOLERANCES[other.dtype]
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sample", [C.random_sample, C.random_sample_inclusion_frequency])
def test_weights_of_a_batch_are_refused_when_they_run(sample: Callable[..., Any]) -> None:
    x = C.input_variable(3)
    function = sample(x, 2, True, seed=123)
    assert function.dynamic_axes == x.dynamic_axes
    function.set_attribute("rngSeed", 2**63 + 5)
    assert function.root_function.attributes["rngSeed"] == 2**63 + 5
    with pytest.raises(
        ValueError, match="must be a parameter or a constant, and this operand has a batch axis"
    ):
        function.eval({x: [[1, 2, 3]]})


# -- streams ---------------------------------------------------------------------------------------


def noise(seed: int = 3) -> tuple[Any, Any]:
    """Noise inside a block, on a batch axis."""
    inner = C.placeholder(3)
    x = C.input_variable(3, name="x")
    return C.as_block(random.uniform_like(inner, seed=seed), [(inner, x)], "Noise"), x


def test_numbers_go_on_after_saving_and_loading(tmp_path: Path) -> None:
    f, x = noise()
    data = np.zeros((4, 3), np.float32)
    first = f.eval({x: data})
    f.save(tmp_path / "noise.model")
    loaded = C.load_model(tmp_path / "noise.model")
    second = loaded.eval({loaded.arguments[0]: data})
    np.testing.assert_array_equal(second, f.eval({x: data}))
    assert (first != second).any()


def test_a_seed_set_after_a_run_is_saved_from_its_beginning(tmp_path: Path) -> None:
    f = random.uniform(3, seed=5)
    first = f.eval()
    f.eval()
    f.set_attribute("rngSeed", 5)
    f.save(tmp_path / "noise.model")
    np.testing.assert_array_equal(C.load_model(tmp_path / "noise.model").eval(), first)


def test_a_block_used_twice_draws_twice() -> None:
    """Two clones of one operation have the same seed, but neither takes numbers from the other."""
    f, x = noise()
    both = C.combine([f, f.clone("share", {x: x})])
    data = np.zeros((4, 3), np.float32)
    first, second = both.eval({x: data}).values()
    np.testing.assert_array_equal(first, second)
    alone = noise()
    np.testing.assert_array_equal(first, alone[0].eval({alone[1]: data}))


def test_operands_values_are_not_read_but_get_a_gradient_of_zero() -> None:
    x, w = C.input_variable(3, needs_gradient=True), C.parameter(3, init=2)
    f = random.normal_like(x) + random.uniform_like(w) + x
    gradients = f.grad({x: np.full((2, 3), np.nan, np.float32)}, [x, w])
    np.testing.assert_array_equal(gradients[x], 1)
    np.testing.assert_array_equal(gradients[w], 0)


def test_sparse_operands_give_dense_numbers() -> None:
    x = C.input_variable(4, is_sparse=True)
    f = random.uniform_like(x, seed=7)
    result = f.eval({x: C.Value.one_hot([1, 2, 0], 4)})
    np.testing.assert_allclose(result, random.uniform((3, 4), seed=7).eval())


def test_a_large_offset_is_skipped() -> None:
    drawn = random.uniform(100_000, np.float64, seed=1).eval()
    stream = TwisterStream(1, 99_990)
    np.testing.assert_array_equal(stream.uniform(10, torch.device("cpu")), drawn[-10:])


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_recorded_steps_draw_the_same(kind: str) -> None:
    """Training goes on in the same numbers once its step is recorded."""

    def losses(batches: list[int]) -> list[float]:
        x = C.sequence.input_variable(3)
        w = C.parameter((3, 1), init=1)
        noisy = x + getattr(random, f"{kind}_like")(x, seed=2)
        loss = C.reduce_sum(C.square(C.times(noisy, w)))
        trainer = C.Trainer(None, (loss, None), [C.sgd([w], C.learning_parameter_schedule(0.0))])
        result = []
        for n in batches:
            trainer.train_minibatch({x: [np.ones((n, 3), np.float32), np.ones((2, 3), np.float32)]})
            result.append(trainer.previous_minibatch_loss_average)
        return result

    steady = RECORD_AFTER + 5
    recorded = losses([4] * steady + [3])
    x = C.sequence.input_variable(3)
    f = C.times(x + getattr(random, f"{kind}_like")(x, seed=2), np.ones((3, 1), np.float32))
    for k, n in enumerate([4] * steady + [3]):
        frames = np.concatenate(
            f.eval({x: [np.ones((n, 3), np.float32), np.ones((2, 3), np.float32)]})
        )
        np.testing.assert_allclose(recorded[k], (frames**2).sum() / len(frames), rtol=1e-5)


def test_packing_fills_rows_from_the_first() -> None:
    rows, places = Layout([2, 3, 1, 5, 2]).packing
    grid = np.full((5, rows), -1)
    grid.reshape(-1)[places.numpy()] = np.repeat(np.arange(5), [2, 3, 1, 5, 2])
    np.testing.assert_array_equal(grid, [[0, 2, 3], [0, 4, 3], [1, 4, 3], [1, -1, 3], [1, -1, 3]])


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, -1), C.FreeDimension])
def test_shapes_must_be_known(shape: Any) -> None:
    with pytest.raises(ValueError, match="RandomDistribution: the shape must be fully known"):
        random.uniform(shape)


def test_half_precision_is_made_of_an_operand_alone() -> None:
    with pytest.raises(ValueError, match="must be float32 or float64; use cntk.cast"):
        random.uniform(2, np.float16)
    with pytest.raises(TypeError, match="expected a shape"):
        random.normal(None)


# -- sampling --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("weights", "count", "duplicates", "match"),
    [
        ([1, -1], 1, True, "must be finite numbers, 0 or more, and one is -1"),
        ([1, np.inf, 2], 1, False, "one is inf"),
        ([0, 0], 3, True, "only 0 have a weight above 0"),
        ([0, 0, 1, 0], 2, False, "2 different classes cannot be drawn, since only 1"),
    ],
)
@pytest.mark.parametrize("op", [C.random_sample, C.random_sample_inclusion_frequency])
def test_weights_that_nothing_can_be_drawn_by(
    op: Any, weights: Any, count: int, duplicates: bool, match: str
) -> None:
    f = op(C.parameter(init=np.array(weights, np.float32)), count, duplicates)
    with pytest.raises(ValueError, match=match):
        f.eval()


@pytest.mark.parametrize("op", [C.random_sample, C.random_sample_inclusion_frequency])
def test_shapes_of_weights(op: Any) -> None:
    with pytest.raises(ValueError, match="without duplicates fewer samples"):
        op([1, 2, 3], 3, False)
    with pytest.raises(ValueError, match=r"must be a vector, one number a class, got \[2 x 3\]"):
        op(C.parameter((2, 3)), 1, True)
    assert op(C.parameter((1, 3), init=1), 2, True).shape[-1] == 3


def test_samples_are_one_hot_rows() -> None:
    f = C.random_sample(np.arange(1, 6), 4, False, seed=2, name="chosen")
    rows = f.eval()
    assert scipy.sparse.issparse(rows) and f.name == "chosen"
    assert rows.shape == f.shape == (4, 5)
    assert (rows.toarray().sum(1) == 1).all() and rows.toarray().max(0).sum() == 4


def test_many_classes_without_duplicates() -> None:
    """More tries than are drawn at once are needed for the last of them."""
    weights = np.concatenate([np.full(300, 1000.0), np.full(300, 1.0)])
    rows = C.random_sample(weights, 400, False, seed=1).eval()
    assert len(set(rows.indices)) == 400 and set(range(300)) <= set(rows.indices)


def test_gradients_through_samples_of_a_computed_table() -> None:
    table = C.parameter((5, 2), init=1)
    rows = C.random_sample(np.arange(5), 3, True, seed=2)
    gradient = C.times(rows, table * 2).grad({}, [table])
    np.testing.assert_array_equal(
        gradient, 2 * np.bincount(rows.eval().indices, minlength=5)[:, None].repeat(2, 1)
    )


def test_products_with_the_transpose_of_samples() -> None:
    rows = C.random_sample(np.arange(5), 3, True, seed=2)
    x = C.input_variable(5, needs_gradient=True)
    w = C.parameter(init=np.arange(5.0, dtype=np.float32))
    chosen = rows.eval().indices
    rows = C.random_sample(np.arange(5), 3, True, seed=2)
    both = C.combine([C.times_transpose(w, rows), C.times_transpose(x, rows)])
    by_w, by_x = both.eval({x: [np.arange(5)] * 2}).values()
    np.testing.assert_array_equal(by_w, chosen)
    np.testing.assert_array_equal(by_x, [chosen] * 2)


# -- losses on samples -----------------------------------------------------------------------------


def nce_of(shapes: dict[str, Any], noise_distribution: Any = (1,) * 7, **kwargs: Any) -> Any:
    given = {"weights": (7, 3), "biases": (7, 1), "inputs": 3, "labels": 7} | shapes
    held = [C.parameter(given[k]) for k in ("weights", "biases")]
    return C.nce_loss(
        *held,
        C.input_variable(given["inputs"]),
        C.input_variable(given["labels"]),
        noise_distribution,
        **kwargs,
    )


@pytest.mark.parametrize(
    ("shapes", "kwargs", "match"),
    [
        (
            {"weights": (6, 3)},
            {},
            r"weights must be \[7 x \?\] with the 7 classes .* got \[6 x 3\]",
        ),
        ({"biases": 7}, {}, r"biases must be \[7 x 1\]"),
        ({"labels": 8}, {}, r"labels must be \[7\]"),
        ({"inputs": (1, 3)}, {}, r"inputs must be \[\?\]"),
        ({"inputs": 4}, {}, "weights have 3 numbers for each class, and inputs 4"),
        ({}, {"noise_distribution": np.ones((7, 1))}, "noise_distribution must be a vector"),
        ({}, {"noise_distribution": np.zeros(7)}, "one above 0"),
        ({}, {"noise_distribution": -np.ones(7)}, "0 or more"),
        ({}, {"num_samples": 0}, "num_samples must be an integer above 0"),
        ({}, {"num_samples": 7, "allow_duplicates": False}, "without duplicates fewer samples"),
    ],
)
def test_nce_that_does_not_fit(shapes: dict[str, Any], kwargs: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        nce_of(shapes, **kwargs)


def test_nce_is_a_block_with_the_originals_names() -> None:
    loss = nce_of({}, num_samples=2, name="loss")
    assert (loss.root_function.op_name, loss.name, loss.shape) == ("NCE", "loss", ())
    names = ["logNoisePrior", "", "noise", "importanceWeights", "noisePriorEntropy"]
    assert [c.name for c in loss.constants] == names
    found = loss.root_function.block.composite.find_by_name("negativeSamples")
    assert found.shape == (2, 7)


def test_nce_refuses_noise_that_is_learned() -> None:
    with pytest.raises(TypeError, match="must be an array or a constant"):
        nce_of({}, C.parameter(7, init=1))
    assert nce_of({}, C.constant(np.ones(7)), num_samples=2).shape == ()


def test_nce_in_double_precision() -> None:
    x, y = C.input_variable(3, np.float64), C.input_variable(7, np.float64, is_sparse=True)
    held = (
        C.parameter((7, 3), init=0.3, dtype=np.float64),
        C.parameter((7, 1), init=0.1, dtype=np.float64),
    )
    loss = C.nce_loss(*held, x, y, np.arange(1.0, 8), num_samples=3, seed=4)
    single = C.nce_loss(
        C.parameter((7, 3), init=0.3),
        C.parameter((7, 1), init=0.1),
        C.input_variable(3),
        C.input_variable(7, is_sparse=True),
        np.arange(1.0, 8),
        num_samples=3,
        seed=4,
    )
    data, labels = np.ones((2, 3)), label_rows([3, 6])[:, :7]
    wide = loss.eval({x: data, y: labels.astype(np.float64)})
    assert wide.dtype == np.float64
    narrow = single.eval(
        dict(zip(single.arguments, (data.astype(np.float32), labels), strict=True))
    )
    np.testing.assert_allclose(wide, narrow, rtol=1e-5)


@pytest.mark.parametrize(
    ("inputs", "label", "kwargs", "match"),
    [
        ((2, 3), 1, {"label_dim": 5}, r"input_var must be a vector of known size, got \[2 x 3\]"),
        (3, 5, {"label_dim": 5}, r"label_index must be a scalar, got \[5\]"),
        (3, 1, {"label_dim": 0}, "label_dim must be a number from 1, got 0"),
        (
            3,
            1,
            {"label_dim": 5, "label_classes": -2},
            "label_classes must be a number from 1, got -2",
        ),
    ],
)
def test_hierarchical_softmax_that_does_not_fit(
    inputs: Any, label: Any, kwargs: dict[str, Any], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        C.hierarchical_softmax_layer(C.input_variable(inputs), C.input_variable(label), **kwargs)


def test_hierarchical_softmax_sums_to_one() -> None:
    x, label = C.input_variable(3, np.float64), C.input_variable(1, np.float64)
    chosen, of_groups, of_labels = C.hierarchical_softmax_layer(x, label, 9)
    data = np.random.default_rng(1).normal(size=(4, 3))
    whole = np.concatenate([f.eval({x: data}) for f in of_labels], 1)
    np.testing.assert_allclose(whole.sum(1), 1)
    np.testing.assert_allclose(of_groups.eval({x: data}), whole.reshape(4, 3, 3).sum(2))
    labels = np.array([0.0, 8, 4, 2])
    found = chosen.eval({x: data, label: labels.reshape(4, 1)}).ravel()
    np.testing.assert_allclose(found, whole[np.arange(4), labels.astype(int)])
