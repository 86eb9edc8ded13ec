"""Default options: which value an optional argument takes."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import cntk as C
from cntk import default_options, default_options_for, default_override_or, get_default_override
from cntk.default_options import get_global_option, is_default_override, set_global_option


def option(given=default_override_or(1), function=None):  # noqa: B008
    return get_default_override(function, init=given)


def test_the_marked_default_and_the_value_given():
    assert option() == 1
    assert option(5) == 5 and option(None) is None


def test_overrides_and_their_end():
    with default_options(init=2):
        assert option() == 2 and option(5) == 5
    assert option() == 1
    with pytest.raises(KeyError), default_options(init=2):
        raise KeyError
    assert option() == 1


def test_the_innermost_override_holds():
    with default_options(init=2, bias=False):
        with default_options(init=3):
            assert option() == 3
            assert get_default_override(None, bias=default_override_or(True)) is False
        assert option() == 2


def test_overrides_for_some_functions_only():
    with default_options_for(C.layers.Dense, init=2):
        assert option(function=C.layers.Dense) == 2 and option(function=C.layers.Embedding) == 1
        with default_options_for([C.layers.Embedding, C.layers.Dense], init=3):
            assert option(function=C.layers.Dense) == option(function=C.layers.Embedding) == 3
    assert option(function=C.layers.Dense) == 1


def test_none_and_false_override_too():
    with default_options(init=None):
        assert option() is None
    with default_options(init=False):
        assert option() is False


def test_marks_are_recognized():
    assert is_default_override(default_override_or(1)) and not is_default_override(1)
    assert repr(default_override_or("x")) == "default_override_or('x')"


def test_exactly_one_argument_is_asked_for():
    for wrong in ({}, {"a": 1, "b": 2}):
        with pytest.raises(TypeError, match="expected one argument by name"):
            get_default_override(None, **wrong)


def test_layers_take_them():
    x = C.input_variable(3)
    with C.layers.default_options(init=0.5, bias=False, activation=C.relu, dtype=np.float64):
        layer = C.layers.Dense(2)
        other = C.layers.Dense(2, activation=None, bias=True)
    assert [p.name for p in layer.parameters] == ["W"] and len(other.parameters) == 2
    assert layer.W.dtype == np.float64
    assert len(C.layers.Dense(2)(x).parameters) == 2
    with C.layers.default_options_for(C.layers.Embedding, init=0.25):
        embedding, dense = C.layers.Embedding(2)(x), C.layers.Dense(2)(x)
    assert (embedding.E.value == 0.25).all() and not (dense.W.value == 0.25).all()


def test_number_formats_are_an_option():
    with default_options(dtype=np.float64):
        assert (
            C.input_variable(3).dtype == C.Parameter(3).dtype == C.Constant(1).dtype == np.float64
        )
        # These two do not ask for the option, in the original either.
        assert C.parameter(3).dtype == C.constant(1).dtype == np.float32
    assert C.input_variable(3).dtype == C.parameter(3).dtype == np.float32


def test_overrides_are_of_one_thread():
    seen = []
    with default_options(init=2):
        thread = threading.Thread(target=lambda: seen.append(option()))
        thread.start()
        thread.join()
    assert seen == [1]


def test_global_options():
    assert get_global_option("no such option", 3) == 3
    set_global_option("align_axis", 1)
    assert get_global_option("align_axis", 0) == 1
    set_global_option("align_axis", 0)
