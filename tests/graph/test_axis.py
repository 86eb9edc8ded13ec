"""Axes: what each constructor gives, equality, and what the original answers for the special
ones.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

import cntk as C
from cntk.axis import Axis

# name, static, ordered, batch, sequence, the unchecked index: as recorded from the original
RECORDED = {
    "static 0": (Axis(0), "staticAxisIdx=0", True, True, False, False, 0),
    "static -1": (Axis(-1), "staticAxisIdx=-1", True, True, False, False, -1),
    "named": (Axis("words"), "words", False, True, False, True, 2147483647),
    "named, ordered": (Axis("words", True), "words", False, True, False, True, 2147483647),
    "named, unordered": (Axis("words", False), "words", False, False, True, False, 2147483647),
    "all": (Axis.all_axes(), "AllAxes", False, False, False, False, 2147483643),
    "all static": (Axis.all_static_axes(), "AllStaticAxes", False, False, False, False, 2147483646),
    "batch": (Axis.default_batch_axis(), "defaultBatchAxis", False, False, True, False, 2147483647),
    "sequence": (
        Axis.default_dynamic_axis(),
        "defaultDynamicAxis",
        False,
        True,
        False,
        True,
        2147483647,
    ),
    "leading": (
        Axis.new_leading_axis(),
        "staticAxisIdx=2147483644",
        True,
        True,
        False,
        False,
        2147483644,
    ),
    "unknown": (
        Axis.unknown_dynamic_axes()[0],
        "UnknownAxes",
        False,
        False,
        False,
        False,
        2147483645,
    ),
}


@pytest.mark.parametrize("key", RECORDED)
def test_axes_answer_as_the_originals(key):
    axis, name, static, ordered, batch, sequence, index = RECORDED[key]
    assert axis.name == name
    assert str(axis) == repr(axis) == f"Axis('{name}')"
    assert (axis.is_static_axis, axis.is_ordered) == (static, ordered)
    assert (axis.is_batch_axis, axis.is_sequence_axis) == (batch, sequence)
    assert axis.static_axis_index(checked=False) == index


@pytest.mark.parametrize("key", [k for k, row in RECORDED.items() if not row[2]])
def test_a_dynamic_axis_has_no_static_index(key):
    with pytest.raises(ValueError, match="dynamic axis"):
        RECORDED[key][0].static_axis_index()


@given(st.integers(-100, 100))
def test_a_static_axis_is_its_index(index):
    axis = Axis(index)
    assert axis.static_axis_index() == index
    assert axis == Axis(index) == Axis(axis)
    assert hash(axis) == hash(Axis(index))
    assert axis != Axis(index + 1)


@given(st.text(min_size=1), st.booleans())
def test_dynamic_axes_are_equal_by_name_alone(name, ordered):
    axis = Axis(name, ordered)
    assert axis == Axis(name) == Axis(name, not ordered)
    assert hash(axis) == hash(Axis(name))
    assert Axis(axis).is_ordered == ordered
    assert axis != Axis(name + "'")


def test_an_axis_equals_nothing_but_an_axis():
    assert Axis(1) != 1
    assert Axis("x") != "x"
    assert Axis("x") != Axis(0)


def test_the_axes_that_inputs_have():
    assert Axis.default_input_variable_dynamic_axes() == (
        Axis.default_batch_axis(),
        Axis.default_dynamic_axis(),
    )
    assert Axis.unknown_dynamic_axes() == (Axis("UnknownAxes"),)


def test_unique_axes_are_sequence_axes_that_equal_no_other():
    first, second = Axis.new_unique_dynamic_axis("q"), Axis.new_unique_dynamic_axis("q")
    assert first != second
    for axis in (first, second):
        assert axis.name.startswith("q")
        assert axis.is_sequence_axis and not axis.is_static_axis


@pytest.mark.parametrize(
    "arguments", [(), (None,), (1.5,), ("a", True, 3), (True,), (1, 2), ([1],)]
)
def test_anything_else_is_no_axis(arguments):
    with pytest.raises(TypeError, match="expected an index, a name, or another Axis"):
        Axis(*arguments)


def test_unique_names_are_the_prefix_first_and_then_numbered() -> None:
    """As in the original, whoever has made an axis of that name before."""
    names = [C.Axis.new_unique_dynamic_axis("pages").name for _ in range(3)]
    assert names == ["pages", "pages1", "pages2"]
    C.Axis("pages3")
    assert C.Axis.new_unique_dynamic_axis("pages").name == "pages4"
    assert (
        C.Axis("pages4") == C.Axis("pages4")
        and C.Axis.new_unique_dynamic_axis("pages4").name == "pages41"
    )
    assert C.Axis.new_unique_dynamic_axis("defaultDynamicAxis").name != "defaultDynamicAxis"


def test_axes_that_operations_make_are_named_as_in_the_original(tmp_path: Path) -> None:
    s, c = C.sequence.input_variable(3, name="s"), C.sequence.input_variable((), name="c")
    words = C.sequence.input_variable(3, sequence_axis=C.Axis("words"))
    table = C.input_variable((4, 3))
    flags = C.sequence.is_last(s)
    named = {
        "whereNodeDynamicAxis_conditionVar_" + c.uid: C.sequence.where(c),
        # A block's output is what is inside of the block.
        "whereNodeDynamicAxis_conditionVar_"
        + flags.root_function.block_root.output.uid: C.sequence.gather(s, flags),
        "defaultDynamicAxis_times_1_minus_1": C.sequence.gather(
            s, c, new_sequence_axis_typeinfo=(1, -1)
        ),
        "words_fixedSliceOf_2": C.sequence.slice(words, 1, 3),
        "defaultDynamicAxis_fixedSliceOf_3_fixedSliceOf_2": C.sequence.slice(
            C.sequence.slice(s, 1, 4), 0, 2
        ),
        "defaultDynamicAxis_times_1_minus_2": C.sequence.slice(s, 1, -1),
        "toSequence_" + table.uid: C.to_sequence(table),
        "mine" + table.uid: C.to_sequence(table, sequence_axis_name_prefix="mine"),
        "words": C.to_sequence_like(table, words),
    }
    for name, function in named.items():
        function.save(tmp_path / "axes.model")
        for found in (function, C.load_model(tmp_path / "axes.model")):
            assert found.output.dynamic_axes[-1].name == name
            assert f"SequenceOver[{name}]" in str(found)
