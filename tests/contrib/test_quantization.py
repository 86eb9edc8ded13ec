"""Binary convolutions: made of layers, trained with the original's losses, and turned into faster
functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import cntk as C
import cntk.contrib.netopt
from cntk.contrib.netopt.quantization import (
    binarize_convolution,
    binary_convolution,
    convert_to_binary_convolution,
    convert_to_native_binary_convolution,
)

IMAGES = np.random.RandomState(0).randn(2, 2, 5, 5).astype(np.float32)


def uniform(seed: int) -> Any:
    return C.initializer.uniform(1, seed=seed)


def functions(model: C.Function, depth: int = 0) -> list[str]:
    return [
        f.op_name
        for f in C.logging.depth_first_search(
            model, lambda f: isinstance(f, C.Function), depth=depth
        )
    ]


def filled(model: C.Function) -> C.Function:
    random = np.random.RandomState(5)
    for parameter in model.parameters:
        parameter.value = random.randn(*parameter.shape).astype(np.float32)
    return model


def converted(**options: Any) -> C.Function:
    x = C.input_variable((2, 5, 5), needs_gradient=True)
    return filled(convert_to_binary_convolution(C.layers.Convolution2D((3, 3), 3, **options)(x)))


# options of a layer -> the original's: functions, some values, sums of the gradients of the sum of
# squares
LAYERS: dict[str, tuple[dict[str, Any], list[str], list[float], list[float]]] = {
    "plain": ({}, ["Plus"], [1.8563466, -4.228303, -1.7944431], [102.43751, 34.21129, -91.440865]),
    "padded": (
        {"pad": True},
        ["Plus"],
        [1.8563466, 0.6394167, -4.228303],
        [-71.98246, 50.984024, -80.28338],
    ),
    "strides": (
        {"pad": True, "bias": False, "strides": 2},
        [],
        [2.4338598, -3.6507897, 0],
        [-96.4978, 76.999916],
    ),
    "activation": (
        {"activation": C.relu, "strides": (2, 2), "name": "gone"},
        ["ReLU", "Plus"],
        [1.8563466, 0, 0],
        [162.48454, 61.124702, -40.210342],
    ),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_the_originals(name: str) -> None:
    options, around, values, gradients = LAYERS[name]
    model = converted(**options)
    assert functions(model) == [*around, "BinaryConvolution"] and model.name == ""
    assert [p.name for p in model.parameters] == ["filter", "b"][: len(gradients) - 1]
    np.testing.assert_allclose(model.eval(IMAGES).reshape(-1)[:3], values, atol=2e-6)
    wrt = [*model.parameters, model.arguments[0]]
    found = C.reduce_sum(model * model).grad(IMAGES, wrt=wrt)
    np.testing.assert_allclose([found[v].sum() for v in wrt], gradients, rtol=2e-5)


def test_inside_it_are_a_convolution_and_two_roundings() -> None:
    model = converted()
    (block,) = C.logging.depth_first_search(
        model, lambda f: getattr(f, "op_name", "") == "BinaryConvolution"
    )
    assert [(v.name, v.shape) for v in block.inputs] == [("filter", (3, 2, 3, 3)), ("", (2, 5, 5))]
    assert functions(model, -1)[2:] == ["Convolution", "UserFunction", "UserFunction"]
    attributes = block.block_root.attributes
    assert attributes["strides"] == (1, 1, 1) and attributes["autoPadding"] == [False] * 3


def test_what_is_not_replaced_is_shared() -> None:
    x = C.input_variable((2, 5, 5))
    model = C.layers.Convolution2D((3, 3), 3, name="second")(
        C.layers.Convolution2D((3, 3), 3, name="first")(x)
    )
    binary = convert_to_binary_convolution(model, lambda layer: layer.name == "second")
    assert functions(binary) == ["Plus", "BinaryConvolution", "Convolution"]
    assert [p.name for p in binary.parameters] == ["filter", "W", "b", "b"]
    assert sum(p in model.parameters for p in binary.parameters) == 3 and binary.arguments == (x,)
    assert functions(convert_to_binary_convolution(model)).count("BinaryConvolution") == 2
    dense = C.layers.Dense(2)(x)
    assert (
        convert_to_binary_convolution(dense) is dense
        and convert_to_native_binary_convolution(dense) is dense
    )


def test_training_has_the_originals_losses() -> None:
    C.cntk_py.set_fixed_random_seed(1)
    h = C.input_variable((1, 6, 6))
    h = C.layers.Convolution2D((3, 3), 4, pad=True, strides=2, activation=C.relu, init=uniform(1))(
        h
    )
    h = C.layers.Convolution2D(
        (3, 3), 4, pad=True, activation=C.tanh, init=uniform(2), bias=False, name="binary"
    )(h)
    model = convert_to_binary_convolution(
        C.layers.Dense(2, init=uniform(3))(h), lambda layer: layer.name == "binary"
    )
    (filters,) = (p for p in model.parameters if p.name == "filter")
    np.testing.assert_allclose(
        filters.value.reshape(-1)[:3], [-0.25115854, -0.24942271, -0.0334663], rtol=1e-6
    )
    filters.value = np.random.RandomState(0).uniform(-1, 1, filters.shape).astype(np.float32)
    random = np.random.RandomState(1)
    images, labels = (
        random.randn(8, 1, 6, 6).astype(np.float32),
        np.eye(2, dtype=np.float32)[random.randint(2, size=8)],
    )
    images[:, 0, :3] += 2 * labels[:, 0, None, None]
    images[:, 0, 3:] += 2 * labels[:, 1, None, None]
    target = C.input_variable(2)
    learner = C.sgd(model.parameters, C.learning_parameter_schedule(0.02))
    trainer = C.Trainer(model, (C.cross_entropy_with_softmax(model, target),), [learner])
    losses = []
    for _ in range(6):
        trainer.train_minibatch({model.arguments[0]: images, target: labels})
        losses.append(trainer.previous_minibatch_loss_average)
    wanted = [0.31774983, 0.31195191, 0.31153417, 0.30995932, 0.28713638, 0.28367302]
    np.testing.assert_allclose(losses, wanted, rtol=1e-5)
    found = convert_to_native_binary_convolution(model)
    np.testing.assert_allclose(found.eval(images), model.eval(images), atol=1e-5)


@pytest.mark.parametrize(
    "options", [{}, {"pad": True}, {"pad": True, "strides": 2}], ids=["plain", "padded", "strides"]
)
def test_faster_functions_compute_the_same_and_can_be_saved(
    options: dict[str, Any], tmp_path: Any
) -> None:
    model = converted(**options)
    native = convert_to_native_binary_convolution(model)
    assert (
        functions(native) == ["Plus", "BinaryConvolveOp"] and native.parameters == model.parameters
    )
    np.testing.assert_allclose(native.eval(IMAGES), model.eval(IMAGES), atol=1e-5)
    wrt = [*model.parameters, model.arguments[0]]
    ours, theirs = (C.reduce_sum(f * f).grad(IMAGES, wrt=wrt) for f in (native, model))
    for variable in wrt:
        np.testing.assert_allclose(ours[variable], theirs[variable], atol=1e-4)
    native.save(tmp_path / "native.model")
    loaded = C.Function.load(tmp_path / "native.model")
    np.testing.assert_allclose(loaded.eval(IMAGES), native.eval(IMAGES), atol=1e-6)
    assert functions(loaded) == functions(native)


def test_the_flag_is_the_originals_without_its_library() -> None:
    cntk.contrib.netopt.try_register_native_convolve_function()
    assert cntk.contrib.netopt.native_convolve_function_registered is False


def test_a_program_may_bring_a_kernel_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from cntk._ops.user import native_function

    monkeypatch.setattr(native_function, "_registered", dict(native_function._registered))
    monkeypatch.setattr(cntk.contrib.netopt, "native_convolve_function_registered", False)
    C.ops.register_native_user_function("NativeBinaryConvolveFunction", __name__, "own_kernel")
    cntk.contrib.netopt.try_register_native_convolve_function()
    assert cntk.contrib.netopt.native_convolve_function_registered is True
    model = convert_to_native_binary_convolution(converted(pad=True, bias=False))
    assert functions(model) == ["NativeBinaryConvolveFunction"]
    given = {"stride": 1, "padding": True, "size": 3, "h": 5, "w": 5, "channels": 2, "filters": 3}
    assert model.root_function.attributes == given


def own_kernel(operands: Any, attributes: Any, name: str) -> C.Function:
    return C.convolution(
        *operands, auto_padding=[False, attributes["padding"], attributes["padding"]]
    )


def test_binary_convolution() -> None:
    layer = binary_convolution(
        (3, 3), num_filters=2, channels=2, init=C.initializer.uniform(0.5, seed=3), name="own"
    )
    x = C.input_variable((2, 5, 5))
    assert (
        layer(x).parameters == layer(x + 1).parameters and layer(x).root_function.op_name == "own"
    )
    values = layer(x).parameters[0].value.reshape(-1)[:4]
    np.testing.assert_allclose(
        values, [0.05876599, -0.30423623, 0.09024127, -0.15363109], rtol=1e-6
    )
    assert binary_convolution((3, 3), 2, 2, pad=True, strides=2)(x).shape == (2, 3, 3)
    assert [
        p.shape for p in binary_convolution((3, 3))(C.input_variable((1, 5, 5))).parameters
    ] == [(1, 1, 3, 3)]


def images_of_bars(count: int, seed: int) -> tuple[Any, Any]:
    """Noisy pictures of a horizontal, a vertical or a slanted bar, and which it is."""
    random = np.random.RandomState(seed)
    kinds = random.randint(3, size=count)
    images = 0.3 * random.randn(count, 1, 8, 8).astype(np.float32)
    for image, kind, place in zip(
        images[:, 0], kinds, random.randint(1, 7, size=count), strict=True
    ):
        if kind == 2:
            image += 2 * np.roll(np.eye(8, dtype=np.float32), place - 4, axis=1)
        else:
            (image if kind == 0 else image.T)[place] += 2
    return images, np.eye(3, dtype=np.float32)[kinds]


def test_a_small_network_keeps_its_accuracy() -> None:
    """The way of the original's example: a trained network made binary, trained again, and made
    faster.
    """
    C.cntk_py.set_fixed_random_seed(1)
    images, labels = images_of_bars(256, 1)
    unseen, truth = images_of_bars(128, 2)
    layers = [
        C.layers.Convolution2D((3, 3), 8, pad=True, name="first"),
        C.layers.MaxPooling((2, 2), 2),
        C.layers.BatchNormalization(map_rank=1),
        C.layers.Convolution2D((3, 3), 16, pad=True, bias=False, name="binary"),
        C.layers.BatchNormalization(map_rank=1),
        C.relu,
        C.layers.Dense(3),
    ]
    model = C.layers.Sequential(layers)(C.input_variable((1, 8, 8)))

    def train(z: C.Function) -> None:
        target = C.input_variable(3)
        learner = C.adam(z.parameters, C.learning_parameter_schedule(0.1), C.momentum_schedule(0.9))
        trainer = C.Trainer(z, (C.cross_entropy_with_softmax(z, target),), [learner])
        for k in range(24):
            rows = slice(32 * (k % 8), 32 * (k % 8) + 32)
            trainer.train_minibatch({z.arguments[0]: images[rows], target: labels[rows]})

    def accuracy(z: C.Function) -> float:
        return float((z.eval(unseen).argmax(1) == truth.argmax(1)).mean())

    train(model)
    binary = binarize_convolution(model, train, lambda layer: layer.name == "binary")
    assert accuracy(model) > 0.95 and accuracy(binary) > 0.9
    assert (
        functions(binary).count("BinaryConvolveOp") == 1
        and binary.find_by_name("first").op_name == "Convolution"
    )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: converted(pad=(True, False)), "autoPadding must be the same"),
        (
            lambda: converted(strides=(1, 2), name="slow"),
            "'slow': strides must be the same.*filter_function",
        ),
        (lambda: converted(dilation=2), "not dilated"),
        (
            lambda: convert_to_binary_convolution(
                C.layers.Convolution1D(3, 2)(C.input_variable((2, 5)))
            ),
            r"and are \[2 x 2 x 3\]",
        ),
        (
            lambda: convert_to_binary_convolution(C.layers.Convolution2D((3, 3), 2)),
            "input of known shape",
        ),
        (lambda: binarize_convolution(C.layers.Dense(2), None), "train_function"),
        (
            lambda: convert_to_native_binary_convolution(
                binary_convolution((3, 2))(C.input_variable((1, 5, 5)))
            ),
            r"squares, and are \[3 x 2\]",
        ),
    ],
    ids=["padding", "strides", "dilation", "vector", "unknown", "training", "oblong"],
)
def test_errors(make: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        make()
