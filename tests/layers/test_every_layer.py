"""What all layers promise, asked of each row of `layer_rows`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk import layers as Y
from tests.layers.layer_rows import CASES, Given, LayerCase

LENGTHS = (3, 1, 4)

# Public callables of `cntk.layers` that its own modules define, but that make no layer.
NO_LAYERS = {
    "ForwardDeclaration",
    "ParameterTensor",
    "Sequence",
    "SequenceOver",
    "SequenceOverMeta",
    "Signature",
    "SparseTensor",
    "Tensor",
    "UntestedBranchError",
}

pytestmark = pytest.mark.filterwarnings("ignore:RNNUnit is the former name")

NAMED = pytest.mark.parametrize(
    "case", [pytest.param(case, id=case.title or case.layer) for case in CASES]
)


def variable(given: Given, place: int, dtype: Any) -> Any:
    name = f"x{place}"
    if given.axis is None:
        return C.input_variable(given.shape, dtype, needs_gradient=True, name=name)
    axis = C.Axis(given.axis)
    return C.sequence.input_variable(
        given.shape, dtype, needs_gradient=True, sequence_axis=axis, name=name
    )


class Applied:
    """A row's layer, applied to inputs, with parameters none of which is left at 0 or 1."""

    def __init__(self, case: LayerCase, dtype: Any = np.float64, name: str = "") -> None:
        C.cntk_py.reset_random_seed(1)
        with C.default_options(dtype=dtype):
            self.layer = case.build(name)
        self.variables = [variable(g, k, dtype) for k, g in enumerate(case.inputs)]
        self.function = self.layer(*self.variables)
        random = np.random.default_rng(5)
        for parameter in self.function.parameters:
            parameter.value = random.uniform(-0.8, 0.8, parameter.shape).astype(dtype)
        self.data = {}
        for v, given in zip(self.variables, case.inputs, strict=True):
            batch = [(n, *given.shape) if given.axis else given.shape for n in LENGTHS]
            self.data[v] = [random.uniform(-1, 1, shape).astype(dtype) for shape in batch]

    def feed(self, which: slice = slice(None)) -> dict[Any, Any]:
        """Data of the inputs that the function has."""
        return {v: self.data[v][which] for v in self.variables if v in self.function.arguments}

    def eval(self, which: slice = slice(None), function: Any = None) -> list[list[np.ndarray]]:
        """For each output its samples or sequences."""
        function = function or self.function
        by_name = {v.name: data for v, data in self.feed(which).items()}
        found = function.eval({v: by_name[v.name] for v in function.arguments})
        outputs = function.outputs
        return [list(found[v] if len(outputs) > 1 else found) for v in outputs]


def same(ours: Any, theirs: Any, tolerance: float = 0) -> None:
    for one, other in zip(ours, theirs, strict=True):
        for a, b in zip(one, other, strict=True):
            assert np.shape(a) == np.shape(b)
            np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def described(function: Any) -> list[tuple[str, tuple[int, ...]]]:
    return [(p.name, p.shape) for p in function.parameters]


def test_every_public_layer_has_a_row() -> None:
    public = {
        name
        for name in Y.__all__
        if callable(getattr(Y, name))
        and getattr(getattr(Y, name), "__module__", "").startswith("cntk.layers")
    } | {"identity"}
    missing = sorted(public - NO_LAYERS - {case.layer for case in CASES})
    assert not missing, (
        f"{', '.join(missing)}: add a LayerCase to CASES in tests/layers/layer_rows.py, or to "
        f"NO_LAYERS in this file what makes no layer"
    )


@NAMED
def test_shapes_names_and_parameters_are_the_rows(case: LayerCase) -> None:
    applied = Applied(case, name="here")
    assert tuple(applied.function.outputs[0].shape) == case.shape
    assert applied.eval()[0][0].shape[-len(case.shape) :] == case.shape
    assert tuple(sorted(p.name for p in applied.function.parameters)) == case.parameters
    assert bool(case.why) == (not case.named or not case.smooth)
    if case.named:
        found = [applied.function.name, applied.function.root_function.name]
        assert "here" in [*found, *(v.name for v in applied.function.outputs)]


@NAMED
def test_a_minibatch_is_its_samples_one_by_one(case: LayerCase) -> None:
    applied = Applied(case)
    together = applied.eval()
    for k in range(len(LENGTHS)):
        alone = applied.eval(slice(k, k + 1))
        same(alone, [output[k : k + 1] for output in together], 1e-11)


@NAMED
def test_float32_differs_by_rounding_alone(case: LayerCase) -> None:
    single, double = Applied(case, np.float32), Applied(case)
    assert single.eval()[0][0].dtype == np.float32 and double.eval()[0][0].dtype == np.float64
    same(single.eval(), double.eval(), 2e-5)


@NAMED
def test_two_calls_share_parameters(case: LayerCase) -> None:
    applied = Applied(case)
    again = applied.layer(*applied.variables)
    assert set(again.parameters) == set(applied.function.parameters)
    same(applied.eval(function=again), applied.eval())


@NAMED
def test_saved_layers_load_as_they_were(case: LayerCase, tmp_path: Path) -> None:
    applied = Applied(case)
    applied.function.save(str(tmp_path / "layer.model"))
    loaded = C.load_model(str(tmp_path / "layer.model"))
    assert sorted(described(loaded)) == sorted(described(applied.function))
    same(applied.eval(function=loaded), applied.eval(), 1e-12)


@NAMED
def test_frozen_clones_have_no_parameters_and_the_same_numbers(case: LayerCase) -> None:
    applied = Applied(case)
    frozen = applied.function.clone("freeze")
    assert not frozen.parameters
    same(applied.eval(function=frozen), applied.eval(), 1e-12)


@pytest.mark.parametrize(
    "case", [pytest.param(c, id=c.title or c.layer) for c in CASES if c.smooth]
)
def test_gradients_are_those_of_finite_differences(case: LayerCase) -> None:
    """Along one random direction for each parameter and input: all elements at once."""
    applied = Applied(case)
    random = np.random.default_rng(6)
    output = applied.function.outputs[0]
    weights = C.constant(random.uniform(0.5, 1.5, output.shape))
    total = C.reduce_sum(C.element_times(output, weights))
    feed = {v: d for v, d in applied.feed().items() if v in total.arguments}
    wanted = [*feed, *total.parameters]
    found = total.grad(feed, wrt=wanted)
    found = found if isinstance(found, dict) else {wanted[0]: found}

    def summed() -> float:
        return float(sum(np.sum(part) for part in total.eval(feed)))

    for v in wanted:
        before = feed[v] if v in feed else v.value
        parts = before if v in feed else [before]
        gradient = found[v] if v in feed else [found[v]]
        directions = [random.normal(size=np.shape(a)) for a in parts]
        pairs = zip(gradient, directions, strict=True)
        slope = sum(float((np.reshape(g, np.shape(d)) * d).sum()) for g, d in pairs)
        ends = []
        for sign in (1e-6, -1e-6):
            moved = [a + sign * d for a, d in zip(parts, directions, strict=True)]
            if v in feed:
                feed[v] = moved
            else:
                v.value = moved[0]
            ends.append(summed())
        if v in feed:
            feed[v] = before
        else:
            v.value = before
        np.testing.assert_allclose((ends[0] - ends[1]) / 2e-6, slope, rtol=2e-5, atol=1e-6)
