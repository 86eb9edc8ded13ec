"""Search in graphs and their pictures: what the original finds and writes."""

from __future__ import annotations

import re

import numpy as np
import pytest

import cntk as C
from cntk.logging import (
    TraceLevel,
    get_trace_level,
    graph,
    log_number_of_parameters,
    set_trace_level,
)


@pytest.fixture
def model():
    x = C.input_variable((2, 3), name="x")
    first = C.plus(x, C.constant(6, (2, 3), name="c"), name="first")
    second = C.times(first, C.parameter((3, 2), init=7, name="p"), name="second")
    label = C.input_variable((), name="label")
    return C.combine([second, C.minus(label, C.constant(1, name="one"), name="minus")], name="all")


@pytest.fixture
def dense():
    return C.layers.Sequential([C.layers.Dense(3), C.layers.Dense(2, name="last")])(
        C.input_variable(4, name="f")
    )


@pytest.mark.parametrize("depth", [-1, 0, 1, 5])
def test_order_of_the_search(model, depth):
    found = graph.depth_first_search(model, lambda node: True, depth)
    assert [n.name for n in found] == [
        "all",
        "second",
        "first",
        "x",
        "c",
        "p",
        "minus",
        "label",
        "one",
    ]


@pytest.mark.parametrize("depth, count, products", [(0, 7, 0), (1, 9, 1), (2, 11, 2), (-1, 11, 2)])
def test_blocks_are_looked_into_if_asked(dense, depth, count, products):
    found = graph.depth_first_search(dense, lambda node: True, depth)
    assert len(found) == count
    assert sum(isinstance(n, C.Parameter) for n in found) == 4
    times = [n for n in found if getattr(n, "op_name", "") == "Times"]
    assert len(times) == products


def test_find(model):
    assert [n.name for n in graph.find_all_with_name(model, "first")] == ["first"]
    assert graph.find_all_with_name(model, "nothing") == []
    assert graph.find_by_name(model, "nothing") is None
    assert graph.find_by_name(model, "c").is_constant
    np.testing.assert_array_equal(graph.find_by_name(model, "p").value, np.full((3, 2), 7))
    for name in ("x", "c", "p", "first", "second"):
        node = graph.find_by_name(model, name)
        assert graph.find_by_uid(model, node.uid) == node
    assert graph.find_by_uid(model, "nothing") is None


def test_several_of_a_name():
    z = C.plus(C.plus(C.input_variable(2), 1, name="same"), 2, name="same")
    assert len(graph.find_all_with_name(z, "same")) == 2
    with pytest.raises(ValueError, match="2 nodes named 'same'; use find_all_with_name"):
        graph.find_by_name(z, "same")


def test_names_inside_blocks(dense):
    assert graph.find_all_with_name(dense, "last")[0].op_name == "Dense"
    assert len(graph.find_all_with_name(dense, "W", -1)) == 2


def test_outputs(model, dense):
    assert [o.name for o in graph.get_node_outputs(model)] == [
        "second",
        "minus",
        "second",
        "first",
        "minus",
    ]
    assert len(graph.get_node_outputs(dense)) == 2
    assert len(graph.get_node_outputs(dense, -1)) == 6


def test_plot_as_text(model, dense):
    without_numbers = re.sub(r"\d+(?=[,);])", "", graph.plot(model).replace("_Output_0", ""))
    assert without_numbers.split("\n\n") == [
        "Minus(Input, Constant) -> Minus;",
        "Plus(Input, Constant) -> Plus;",
        "Times(Plus, Parameter) -> Times;",
        "Combine(Times, Minus) -> Minus;",
        "Combine(Times, Minus) -> Times;\n",
    ]
    assert re.fullmatch(
        r"Dense\(Parameter\d+, Parameter\d+, Input\d+\) -> Block(\d+)_Output_0;\n\n"
        r"Dense\(Parameter\d+, Parameter\d+, Block\1_Output_0\) -> Block\d+_Output_0;\n",
        graph.plot(dense),
    )


def test_plot_of_a_loop_ends():
    z = C.layers.Recurrence(C.layers.LSTM(4))(C.sequence.input_variable(3))
    assert graph.plot(z).count("PastValue") >= 2


def test_search_refuses_what_is_no_graph():
    with pytest.raises(TypeError, match="expected a function or a variable"):
        graph.depth_first_search(3, lambda node: True)


def test_number_of_parameters(capsys, dense):
    log_number_of_parameters(dense)
    log_number_of_parameters(dense, trace_level=1)
    log_number_of_parameters(C.layers.Dense(3)(C.placeholder()))
    line = "Training 23 parameters in 4 parameter tensors.\n"
    unknown = "Training so far unspecified number of parameters in 2 parameter tensors.\n"
    assert capsys.readouterr().out == f"{line}{line}\n\t(3, 2)\n\t(2,)\n\t(4, 3)\n\t(3,)\n{unknown}"


def test_trace_level():
    """The original gives a number, which programs compare with others, and takes any number."""
    assert type(get_trace_level()) is int and get_trace_level() == TraceLevel.Warning
    try:
        for level in (*TraceLevel, 5):
            for given in (level, getattr(level, "value", level)):
                set_trace_level(given)
                assert get_trace_level() == given and given == get_trace_level()
                assert (get_trace_level() > 0) == (given != TraceLevel.Error)
    finally:
        set_trace_level(TraceLevel.Warning)
    with pytest.raises(TypeError, match="expected a TraceLevel"):
        set_trace_level("loud")
