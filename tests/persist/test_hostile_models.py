"""Small model files that ask for much: they are computed at once, or refused before memory or time
is spent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import cntk as C
from cntk._graph.op import PrimitiveOp, registry
from cntk._persist import files
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.v2.save import to_dictionary
from cntk.errors import FileFormatError, GraphError, NotEnoughMemoryError
from tests.reliability.forgeries import INTERNAL


def altered(function: Any, change: Callable[[dict[str, Any]], Any]) -> bytes:
    """A model's file with a change to its dictionary."""
    values = to_dictionary(C.as_composite(function.root_function))
    change(values)
    return files.encode_dictionary(values).to_bytes()


def attributes(values: dict[str, Any], op: int) -> dict[str, Any]:
    """The attributes of the operation of a number."""
    return next(f["attributes"] for f in values["primitive_functions"] if f["op"] == op)


def test_random_numbers_however_many_were_drawn() -> None:
    function = C.random.uniform((2, 3), seed=5)
    data = altered(function, lambda values: attributes(values, 76).update(rngOffset=Size(2**63)))
    first, second = C.load_model(data), C.load_model(data)
    values = first.eval()
    np.testing.assert_array_equal(values, second.eval())
    assert (values != function.eval()).all() and (values != first.eval()).all()


# -- sizes -----------------------------------------------------------------------------------------

LARGE = 2**40
TOO_LARGE = {
    "random": lambda: C.random.uniform((LARGE,)),
    "one hot": lambda: C.one_hot(C.input_variable(3), LARGE),
    "pad": lambda: C.pad(C.input_variable(3), [(0, LARGE)]),
    "plus": lambda: C.input_variable((2**20, 1)) + C.input_variable((1, 2**20)),
    "splice": lambda: C.splice(*[C.input_variable(2**30)] * 3),
    "times": lambda: C.times(C.input_variable((2**20, 1)), C.input_variable((1, 2**20))),
    "times transpose": lambda: C.times_transpose(
        C.input_variable((2**20, 1)), C.input_variable((2**20, 1))
    ),
    "gather": lambda: C.gather(C.parameter((2, 2**20)), C.input_variable(2**20)),
    "convolution": lambda: C.convolution_transpose(
        C.parameter((1, 1, 3)),
        C.input_variable((1, 2**20)),
        strides=(1, 2**20),
        auto_padding=[False],
    ),
    "negative samples": lambda: C.cosine_distance_with_negative_samples(
        C.input_variable(2), C.input_variable(2), 1, 2**33
    ),
    "batch": lambda: (
        C.to_batch(C.constant(1, shape=(1,)))
        + C.input_variable((2**16, 1)) * C.constant(1, (1, 2**16))
    ),
}


# Products of operands: graphs of the original's have such, and save them.
OUTER = ("plus", "times", "times transpose", "batch")


@pytest.mark.parametrize("name", TOO_LARGE)
def test_results_of_absurd_sizes_are_refused(name: str) -> None:
    """When the graph is built, or before memory is asked for when it is run."""
    made = TOO_LARGE[name]() if name in OUTER else None
    with pytest.raises(
        GraphError, match=r"a sample of the result would be \[.*\], which is \d+ elements"
    ):
        if made is None:
            TOO_LARGE[name]()
        else:
            made.eval({v: np.zeros((1, *v.shape), np.float32) for v in made.arguments})


def test_results_as_large_as_an_operand_are_not() -> None:
    x = C.input_variable((2**16, 2**16))
    assert C.reshape(-x, 2**32).shape == (2**32,)
    assert C.one_hot(C.input_variable((), name="word"), LARGE, sparse_output=True).shape == (LARGE,)


SIZES_IN_FILES: dict[str, tuple[Callable[[], Any], int, dict[str, Any]]] = {
    "random": (lambda: C.random.normal((2, 3)), 76, {"newShape": NDShape((LARGE, 3))}),
    "one hot": (lambda: C.one_hot(C.input_variable(3), 5), 68, {"numClass": Size(LARGE)}),
    "pad": (lambda: C.pad(C.input_variable(3), [(0, 1)]), 83, {"paddingFoot": [Size(LARGE)]}),
}


@pytest.mark.parametrize("name", SIZES_IN_FILES)
def test_results_of_absurd_sizes_are_refused_when_the_file_is_loaded(name: str) -> None:
    build, op, changes = SIZES_IN_FILES[name]
    data = altered(build(), lambda values: attributes(values, op).update(changes))
    with pytest.raises(
        FileFormatError, match=r"a sample of the result would be \[.*\], which is \d+ elements"
    ):
        C.load_model(data)


def test_values_of_absurd_sizes_are_refused_before_memory_is_asked_for() -> None:
    for init in (0, C.glorot_uniform(), np.float32(1)):
        with pytest.raises(NotEnoughMemoryError, match="a value may have 17179869184 elements"):
            C.parameter((LARGE, 2), init=init)
    with pytest.raises(ValueError, match="more than there can be"):
        C.input_variable((2**40, 2**40))


def test_memory_that_does_not_suffice_is_told_with_the_operation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> None:
        raise RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 4096 "
            "bytes."
        )

    x = C.input_variable(2)
    function = C.tanh(x, name="t")
    monkeypatch.setattr(torch, "tanh", refuse)
    with pytest.raises(
        NotEnoughMemoryError, match="Tanh 't': there is not enough memory for 4096 bytes"
    ):
        function.eval({x: [[1, 2]]})


# -- attributes and operands -----------------------------------------------------------------------

NUMBERS_IN_FILES: dict[str, tuple[Callable[[], Any], int, str, Any, str]] = {
    "rate nan": (lambda: C.dropout(C.input_variable(3), 0.5), 15, "dropoutRate", np.nan, "dropout_rate must be in"),
    "rate 2": (lambda: C.dropout(C.input_variable(3), 0.5), 15, "dropoutRate", 2.0, "dropout_rate must be in"),
    "no rate": (lambda: C.dropout(C.input_variable(3), 0.5), 15, "dropoutRate", "x", "is the string 'x'"),
    "random nan": (lambda: C.random.normal((2,)), 76, "randomDistributionArgs", [np.nan, 1.0], "must be a finite number"),
    "random one": (lambda: C.random.normal((2,)), 76, "randomDistributionArgs", [1.0], "has 2 arguments"),
    "random kind": (lambda: C.random.normal((2,)), 76, "randomDistributionType", "poisson", "no random distribution"),
    "epsilon": (
        lambda: C.layers.BatchNormalization()(C.input_variable(3)), 40, "epsilon", np.inf, "epsilon must be a finite"
    ),
    "time": (
        lambda: C.layers.BatchNormalization()(C.input_variable(3)), 40, "normalizationTimeConstant", np.nan, "finite"
    ),
    "scale": (
        lambda: C.roipooling(C.input_variable((1, 4, 4)), C.input_variable((1, 4)), C.MAX_POOLING, (2, 2), 0.5),
        47, "spatialScale", np.inf, "spatial_scale must be a finite",
    ),
    "dtype": (lambda: C.cast(C.input_variable(3), np.float64), 91, "newDataType", 99, "newDataType 99"),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS_IN_FILES)
def test_attributes_that_cannot_be_are_refused_when_the_file_is_loaded(name: str) -> None:
    build, op, key, value, reason = NUMBERS_IN_FILES[name]
    data = altered(build(), lambda values: attributes(values, op).update({key: value}))
    with pytest.raises(FileFormatError, match=reason) as refused:
        C.load_model(data)
    assert not INTERNAL.search(str(refused.value))


def test_attributes_that_may_be_infinite() -> None:
    x = C.input_variable(3)
    function = C.layers.BatchNormalization(
        normalization_time_constant=np.inf, blend_time_constant=np.inf
    )(x)
    assert C.load_model(altered(function, lambda values: None)).parameters
    padded = C.pad(x, [(1, 0)], constant_value=-np.inf)
    loaded = C.load_model(altered(padded, lambda values: None))
    assert loaded.eval({loaded.arguments[0]: [[1, 2, 3]]})[0, 0] == -np.inf


@pytest.mark.parametrize("rate", [1.0, 3.14159, -0.5, np.nan, np.inf])
def test_a_rate_that_cannot_be_may_be_set_and_is_refused_when_run(rate: float) -> None:
    x = C.input_variable(3)
    function = C.dropout(x, 0.5)
    function.eval({x: [[1, 2, 3]]})
    function.set_attribute("dropoutRate", rate)
    np.testing.assert_equal(function.root_function.attributes["dropoutRate"], rate)
    with pytest.raises(RuntimeError, match="dropout_rate must be in the interval"):
        function.eval({x: [[1, 2, 3]]})


def test_another_number_of_operands_is_refused_when_the_file_is_loaded() -> None:
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    function = C.plus(x, y, name="sum")
    for inputs in ([x.uid], [x.uid, y.uid, x.uid], []):
        data = altered(
            function,
            lambda values, inputs=inputs: values["primitive_functions"][0].update(inputs=inputs),
        )
        with pytest.raises(
            FileFormatError, match=f"Plus 'sum': it has 2 operands, and was given {len(inputs)}"
        ):
            C.load_model(data)


@pytest.mark.parametrize("number", sorted(set(registry) - {PrimitiveOp.Block, PrimitiveOp.Combine}))
def test_every_operation_refuses_operands_that_it_never_has(number: PrimitiveOp) -> None:
    """Ten inputs, or none: no operation but those of any number of operands takes them."""
    x = C.input_variable((2, 3), name="x")
    for count in (0, 10):
        data = altered(
            C.tanh(x, name="made"),
            lambda values, count=count: values["primitive_functions"][0].update(
                op=Size(number), inputs=[x.uid] * count
            ),
        )
        try:
            C.load_model(data)
        except FileFormatError as error:
            assert (
                not INTERNAL.search(str(error))
                and "made" in str(error)
                or "function 'Tanh" in str(error)
            )
        else:
            assert not registry[number].operand_counts


# -- what is wrong is told in the file's words -----------------------------------------------------


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda f: f.update(inputs=3), r"'Tanh\d+' has as 'inputs' 3, and a list was expected"),
        (
            lambda f: f.update(inputs=[3]),
            r"'Tanh\d+' has as 'an item of inputs' 3, and a string was expected",
        ),
        (
            lambda f: f.pop("attributes"),
            r"'Tanh\d+' has no 'attributes', and a dictionary was expected",
        ),
        (lambda f: f.update(name=3.5), r"'Tanh\d+' has a name that is no string"),
        (
            lambda f: f.update(op=Size(1000)),
            "an operation with the number 1000, which is not known",
        ),
        (
            lambda f: f.update(attributes={"a": 1}),
            r"function 'Tanh\d+': Tanh has an attribute 'a' that is not known",
        ),
        (
            lambda f: f.update(op=Size(91)),
            r"function 'Tanh\d+': Cast: the attribute 'newDataType' is missing",
        ),
    ],
)
def test_what_is_wrong_with_a_function_is_told(
    change: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    data = altered(
        C.tanh(C.input_variable(3)), lambda values: change(values["primitive_functions"][0])
    )
    with pytest.raises(FileFormatError, match=reason):
        C.load_model(data)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda v: v.update(kind=Size(9)),
            r"variable 'Input\d+' is of the kind 9, which is not known",
        ),
        (lambda v: v.update(data_type=Size(77)), r"variable 'Input\d+' has the dtype 77"),
        (lambda v: v.update(name=[1]), r"'Input\d+' has a name that is no string"),
        (lambda v: v.update(shape=NDShape((2**62, 2**62))), "more elements than there can be"),
        (
            lambda v: v.update(shape="x"),
            r"'Input\d+' has as 'shape' the string 'x', and a shape was expected",
        ),
    ],
)
def test_what_is_wrong_with_a_variable_is_told(
    change: Callable[[dict[str, Any]], Any], reason: str
) -> None:
    data = altered(C.tanh(C.input_variable(3)), lambda values: change(values["inputs"][0]))
    with pytest.raises(FileFormatError, match=reason):
        C.load_model(data)
