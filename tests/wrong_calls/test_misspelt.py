"""Names that are not there: the error says which was probably meant, and nothing else about imports
changes.
"""

from __future__ import annotations

import doctest
import importlib
import pickle
import sys

import pytest

import cntk as C

MISSPELT = [
    ("cntk", "relU", "relu"),
    ("cntk", "soft_max", "softmax"),
    ("cntk", "Trainr", "Trainer"),
    ("cntk", "Sgd", "sgd"),
    ("cntk", "Dense", "cntk.layers.Dense"),
    ("cntk", "Sequental", "cntk.layers.Sequential"),
    ("cntk", "concat", "splice"),
    ("cntk", "cat", "splice"),
    ("cntk", "matmul", "times"),
    ("cntk", "Conv2D", "cntk.layers.Convolution2D"),
    ("cntk", "load", "load_model"),
    ("cntk", "cross_entropy", "cross_entropy_with_softmax"),
    ("cntk", "LearningParameterSchedule", "learning_parameter_schedule"),
    ("cntk.layers", "Conv2D", "Convolution2D"),
    ("cntk.layers", "Linear", "Dense"),
    ("cntk.layers", "softmax", "cntk.softmax"),
    ("cntk.layers.layers", "BatchNormalisation", "BatchNormalization"),
    ("cntk.ops", "softMax", "softmax"),
    ("cntk.ops", "concat", "cntk.splice"),
    ("cntk.ops.sequence", "sofmax", "softmax"),
    ("cntk.ops.functions", "load_modell", "load_model"),
    ("cntk.random", "unifrom", "uniform"),
    ("cntk.learners", "Adam", "adam"),
    ("cntk.learners", "adagard", "adagrad"),
    ("cntk.losses", "crossentropy_with_softmax", "cross_entropy_with_softmax"),
    ("cntk.metrics", "clasification_error", "classification_error"),
    ("cntk.initializer", "glorotuniform", "glorot_uniform"),
    ("cntk.io", "MiniBatchSource", "MinibatchSource"),
    ("cntk.io.transforms", "crops", "crop"),
    ("cntk.train", "trainer_session", "training_session"),
    ("cntk.train.trainer", "trainer", "Trainer"),
    ("cntk.train.distributed", "communicator", "Communicator"),
    ("cntk.logging", "ProgresPrinter", "ProgressPrinter"),
    ("cntk.logging.graph", "plott", "plot"),
    ("cntk.device", "GPU", "gpu"),
    ("cntk.debugging", "debugmodel", "debug_model"),
    ("cntk.eval", "evaluator_", "evaluator"),
    ("cntk.variables", "Paramater", "Parameter"),
    ("cntk.axis", "axis", "Axis"),
    ("cntk.core", "NdArrayView", "NDArrayView"),
    ("cntk.default_options", "default_option", "default_options"),
    ("cntk.sample_installer", "install_sample", "install_samples"),
    ("cntk.cntk_py", "Variable_", "cntk.Variable"),
    (
        "cntk.contrib.netopt.quantization",
        "convert_to_nativ_binary_convolution",
        "convert_to_native_binary_convolution",
    ),
]


@pytest.mark.parametrize(
    ("module", "name", "meant"), MISSPELT, ids=[f"{m}.{n}" for m, n, _ in MISSPELT]
)
def test_misspelt(module: str, name: str, meant: str) -> None:
    with pytest.raises(AttributeError) as error:
        getattr(importlib.import_module(module), name)
    assert (
        str(error.value) == f"module '{module}' has no attribute '{name}'; did you mean '{meant}'?"
    )


def test_what_is_suggested_is_there() -> None:
    from cntk._graph.names import misspelt

    for path in misspelt._ELSEWHERE.values():
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name), path
    for place in misspelt._PLACES:
        importlib.import_module(place)


def test_nothing_alike_is_not_guessed() -> None:
    with pytest.raises(AttributeError) as error:
        _ = C.zzyzx
    assert str(error.value) == "module 'cntk' has no attribute 'zzyzx'"


def test_nodes_of_a_function() -> None:
    model = C.times(
        C.input_variable(2, name="features"), C.parameter((2, 3), name="W"), name="scores"
    )
    for name, meant in (
        ("W1", "W"),
        ("w", "W"),
        ("feature", "features"),
        ("paramters", "parameters"),
        ("evl", "eval"),
    ):
        with pytest.raises(AttributeError, match=f"'{name}'; did you mean '{meant}'\\?"):
            getattr(model, name)
    both = C.combine([model, model + 1])
    with pytest.raises(AttributeError, match="2; did you mean 'outputs'"):
        _ = both.outptus


def test_imports_are_as_before() -> None:
    assert (
        not hasattr(C, "relU")
        and not hasattr(C.layers, "Conv2D")
        and getattr(C.ops, "concat", None) is None
    )
    with pytest.raises(ImportError):
        importlib.import_module("cntk.relU")
    with pytest.raises(ImportError):
        exec("from cntk import relU")  # noqa: S102
    with pytest.raises(AttributeError) as error:
        _ = C.relU
    assert "did you mean 'relu'" in str(pickle.loads(pickle.dumps(error.value)))  # noqa: S301
    assert doctest.DocTestFinder().find(C.axis)
    space: dict[str, object] = {}
    exec("from cntk.contrib.netopt.quantization import *", space)  # noqa: S102
    assert "hand_on" not in space and "binary_convolution" in space


def test_nothing_is_looked_for_before_the_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "difflib", raising=False)
    assert not hasattr(C, "relU") and "difflib" not in sys.modules
