"""What may be fed for a variable and what comes of it, as recorded from the original CNTK 2.7; and
what may not.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

import cntk as C

IDENTITY = C.constant(np.eye(3, dtype=np.float32))


def ones(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    return np.ones(shape, dtype)


def csr(rows: int, columns: int = 3, dtype: Any = np.float32) -> sp.csr_matrix:
    return sp.csr_matrix(np.ones((rows, columns), dtype))


def variable(kind: str) -> C.Variable:
    """x: samples, s: sequences; then the shape; ends in sparse, double, ... where it is not
    plain.
    """
    makers = {
        "x3": lambda: C.input_variable(3, name=kind),
        "x23": lambda: C.input_variable((2, 3), name=kind),
        "x": lambda: C.input_variable((), name=kind),
        "x1": lambda: C.input_variable(1, name=kind),
        "x3 double": lambda: C.input_variable(3, np.float64, name=kind),
        "x3 half": lambda: C.input_variable(3, np.float16, name=kind),
        "x3 sparse": lambda: C.input_variable(3, is_sparse=True, name=kind),
        "x free": lambda: C.input_variable(C.FreeDimension, name=kind),
        "no batch": lambda: C.input_variable(3, dynamic_axes=[], name=kind),
        "number": lambda: C.input_variable((), dynamic_axes=[], name=kind),
        "s3": lambda: C.sequence.input_variable(3, name=kind),
        "s23": lambda: C.sequence.input_variable((2, 3), name=kind),
        "s": lambda: C.sequence.input_variable((), name=kind),
        "s1": lambda: C.sequence.input_variable(1, name=kind),
        "s3 sparse": lambda: C.sequence.input_variable(3, is_sparse=True, name=kind),
    }
    return makers[kind]()


def fed(v: C.Variable, data: Any) -> Any:
    function = C.times(v, IDENTITY) if v.is_sparse else C.alias(v)
    return function.eval({v: data})


def shapes(result: Any) -> Any:
    return [r.shape for r in result] if isinstance(result, list) else result.shape


# variable, data, shape of what comes out (a list of shapes for sequences)
RIGHT = [
    ("x3", ones(3), (1, 3)),
    ("x3", ones(1, 3), (1, 3)),
    ("x3", ones(5, 3), (5, 3)),
    ("x3", ones(5, 1, 3), (5, 3)),
    ("x3", ones(0, 3), (0, 3)),
    ("x3", ones(5, 3, dtype=np.float64), (5, 3)),
    ("x3", ones(5, 3, dtype=np.float16), (5, 3)),
    ("x3", ones(5, 3, dtype=np.int64), (5, 3)),
    ("x3", ones(5, 3, dtype=bool), (5, 3)),
    ("x3", [[1, 2, 3]], (1, 3)),
    ("x3", [[1, 2, 3], [4, 5, 6]], (2, 3)),
    ("x3", [ones(3), ones(3)], (2, 3)),
    ("x3", [ones(1, 3), ones(1, 3)], (2, 3)),
    ("x3", [ones(3, dtype=np.float64)], (1, 3)),
    ("x3", [[[1, 2, 3]], [[4, 5, 6]]], (2, 3)),
    ("x3", csr(3), (3, 3)),
    ("x23", ones(2, 3), (1, 2, 3)),
    ("x23", ones(5, 2, 3), (5, 2, 3)),
    ("x23", ones(5, 1, 2, 3), (5, 2, 3)),
    ("x23", [ones(2, 3)] * 2, (2, 2, 3)),
    ("x23", [ones(1, 2, 3)], (1, 2, 3)),
    ("x", ones(), (1,)),
    ("x", ones(5), (5,)),
    ("x", ones(5, 1), (5,)),
    ("x", [np.float32(3)], (1,)),
    ("x", [ones(1)], (1,)),
    ("x", [[3]], (1,)),
    ("x", [ones()], (1,)),
    ("x1", [[3], [4]], (2, 1)),
    ("x1", ones(5, 1), (5, 1)),
    ("x1", ones(5, 1, 1), (5, 1)),
    ("x1", [ones(1), ones(1)], (2, 1)),
    ("x3 double", ones(5, 3), (5, 3)),
    ("x3 double", ones(5, 3, dtype=np.int64), (5, 3)),
    ("x3 half", ones(5, 3), (5, 3)),
    ("x free", ones(5, 3), (5, 3)),
    ("x free", ones(5, 7), (5, 7)),
    ("x free", [ones(3), ones(3)], (2, 3)),
    ("x free", ones(3), (1, 3)),
    ("no batch", ones(3), (3,)),
    ("no batch", ones(1, 3), (3,)),
    ("no batch", [1, 2, 3], (3,)),
    ("no batch", [[1, 2, 3]], (3,)),
    ("no batch", [ones(3)], (3,)),
    ("number", [3], ()),
    ("number", ones(), ()),
    ("number", ones(1), ()),
    ("s3", ones(3), [(1, 3)]),
    ("s3", ones(5, 3), [(5, 3)]),
    ("s3", ones(2, 5, 3), [(5, 3), (5, 3)]),
    ("s3", [ones(5, 3)], [(5, 3)]),
    ("s3", [ones(5, 3), ones(2, 3)], [(5, 3), (2, 3)]),
    ("s3", [ones(3), ones(3)], [(1, 3), (1, 3)]),
    ("s3", [[[1, 2, 3]]], [(1, 3)]),
    ("s3", [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9]]], [(2, 3), (1, 3)]),
    ("s3", [[1, 2, 3], [4, 5, 6]], [(1, 3), (1, 3)]),
    ("s3", csr(3), [(3, 3)]),
    ("s3", [csr(3), csr(1)], [(3, 3), (1, 3)]),
    ("s3", ([ones(5, 3), ones(2, 3)], [True, False]), [(5, 3), (2, 3)]),
    ("s3", (ones(2, 5, 3), [False, False]), [(5, 3), (5, 3)]),
    ("s3", (ones(5, 3), [True] * 5), [(1, 3)] * 5),
    ("s", ones(5), [(5,)]),
    ("s", ones(2, 5), [(5,), (5,)]),
    ("s", [ones(5), ones(2)], [(5,), (2,)]),
    ("s", [[1, 2], [3]], [(2,), (1,)]),
    ("s1", ones(5, 1), [(5, 1)]),
    ("s1", ones(2, 5, 1), [(5, 1), (5, 1)]),
    ("s1", [ones(5), ones(2)], [(5, 1), (2, 1)]),
    ("s1", [ones(5, 1), ones(2, 1)], [(5, 1), (2, 1)]),
    ("s1", [[1, 2], [3]], [(2, 1), (1, 1)]),
    ("s1", [[[1], [2]], [[3]]], [(2, 1), (1, 1)]),
    ("s23", ones(2, 3), [(1, 2, 3)]),
    ("s23", ones(5, 2, 3), [(5, 2, 3)]),
    ("s23", ones(4, 5, 2, 3), [(5, 2, 3)] * 4),
    ("s23", [ones(5, 2, 3), ones(2, 2, 3)], [(5, 2, 3), (2, 2, 3)]),
    ("s23", [ones(2, 3)] * 2, [(1, 2, 3), (1, 2, 3)]),
    ("x3 sparse", csr(3), (3, 3)),
    ("x3 sparse", csr(1), (1, 3)),
    ("x3 sparse", [csr(1)], (1, 3)),
    ("x3 sparse", [csr(1), csr(1)], (2, 3)),
    ("x3 sparse", csr(3, dtype=np.float64), (3, 3)),
    ("s3 sparse", csr(3), [(3, 3)]),
    ("s3 sparse", [csr(3)], [(3, 3)]),
    ("s3 sparse", [csr(3), csr(1)], [(3, 3), (1, 3)]),
    ("s3 sparse", C.Value.one_hot([[0, 1], [2]], 3), [(2, 3), (1, 3)]),
]


@pytest.mark.parametrize("number", range(len(RIGHT)))
def test_shapes_are_the_originals(number):
    kind, data, shape = RIGHT[number]
    v = variable(kind)
    result = fed(v, data)
    assert shapes(result) == shape
    first = result[0] if isinstance(result, list) else result
    assert first.dtype == v.dtype


BEYOND_THE_ORIGINAL = [
    ("x", [3, 4], (2,)),  # plain numbers
    ("s", [1, 2], [(1,), (1,)]),
    ("number", 3, ()),
    ("x3", ones(5, 3, dtype=np.int32), (5, 3)),
    ("x3", [ones(3, dtype=np.int32)], (1, 3)),
    ("x3 sparse", ones(5, 3), (5, 3)),  # dense data for a sparse variable
    ("s3 sparse", [ones(5, 3), ones(2, 3)], [(5, 3), (2, 3)]),
    ("x3 sparse", sp.csc_matrix(ones(5, 3)), (5, 3)),  # other sparse formats
    ("x3 sparse", csr(3, dtype=np.int32), (3, 3)),
]


@pytest.mark.parametrize("number", range(len(BEYOND_THE_ORIGINAL)))
def test_what_is_taken_besides(number):
    kind, data, shape = BEYOND_THE_ORIGINAL[number]
    assert shapes(fed(variable(kind), data)) == shape


# variable, data, words of the error besides the variable and its shape
WRONG = [
    ("x3", ones(1, 5, 3), r"\[1 x 5 x 3\] are sequences of 5 frames.*sequence.input_variable"),
    ("x3", ones(5, 2, 3), r"\[5 x 2 x 3\]"),
    ("x3", ones(5, 4), r"\[5 x 4\]"),
    ("x3", ones(), r"data of shape \[\]"),
    ("x3", ones(5, 3, dtype=np.int8), "you gave int8"),
    ("x3", ones(5, 3, dtype=np.int16), "you gave int16"),
    ("x3", ones(5, 3, dtype=np.uint8), "you gave uint8"),
    ("x3", ones(5, 3, dtype=complex), "you gave complex128"),
    ("x3", np.array([["a", "b", "c"]]), "you gave <U1"),
    ("x3", np.array([[1, None, 3]], dtype=object), "you gave object"),
    ("x3", [1, 2, 3], r"element 0 of the batch has shape \[\]"),
    ("x3", [ones(2, 3), ones(1, 3)], "element 0 of the batch is a sequence of 2 frames"),
    ("x3", [ones(4)], r"element 0 of the batch has shape \[4\]"),
    ("x3", [ones(3), ones(4)], r"element 1 of the batch has shape \[4\]"),
    ("x3", [[1, 2, 3], [4, 5]], r"element 1 of the batch has shape \[2\]"),
    ("x3", [], "there are none"),
    ("x3", [[]], r"element 0 of the batch has shape \[0\]"),
    ("x3", [None], "only integer"),
    ("x3", ["a"], "only integer"),
    ("x3", [ones(3, dtype=np.int8)], "you gave int8"),
    ("x3", "text", "got str"),
    ("x3", None, "got NoneType"),
    ("x3", 3, "got int"),
    ("x3", (ones(2, 3), [True, True]), "sequence starts were given"),
    ("x3", [csr(3)], "several rows, and a single sample"),
    ("x3", csr(2, 4), r"\[2 x 4\] does not have 3 columns"),
    ("x23", ones(5, 6), r"\[5 x 6\]"),
    ("x23", ones(5, 3, 2), r"\[5 x 3 x 2\]"),
    ("x", 3, "got int"),
    ("x1", [3, 4], r"element 0 of the batch has shape \[\]"),
    ("x1", ones(5), r"\[5\]"),
    ("x1", [ones(5)], "sequence of 5 frames"),
    ("x free", [ones(3), ones(4)], r"elements 0 and 1.*\[3\] and \[4\]"),
    ("no batch", ones(2, 3), r"\[2 x 3\] have a batch axis, and the variable has none"),
    ("no batch", [ones(3), ones(3)], "have a batch axis"),
    ("no batch", ones(4), r"\[4\]"),
    ("number", ones(2), "have a batch axis"),
    ("s3", ones(2, 5, 4), r"\[2 x 5 x 4\]"),
    ("s3", [ones(0, 3)], "sequence 0 is empty"),
    ("s3", [ones(2, 3), ones(0, 3)], "sequence 1 is empty"),
    ("s3", [ones(5, 4)], r"\[5 x 4\]"),
    ("s3", [ones(1, 5, 3)], r"\[1 x 5 x 3\]"),
    ("s3", [], "there are none"),
    ("s3", ones(0, 5, 3), "there are none"),
    ("s3", ones(2, 0, 3), "sequence 0 is empty"),
    ("s3", ones(0, 3), "sequence 0 is empty"),
    ("s3", [[]], "sequence 0 is empty"),
    ("s3", [[[1, 2, 3]], []], "sequence 1 is empty"),
    ("s3", C.Value(ones(2, 0, 3)), "sequence 0 is empty"),
    ("s3", ([ones(2, 3), ones(0, 3)], [True, False]), "sequence 1 is empty"),
    ("s3", [csr(2), csr(0)], "sequence 1 is empty"),
    ("s", [ones(2), ones(0)], "sequence 1 is empty"),
    ("s1", [[1, 2], []], "sequence 1 is empty"),
    ("s3 sparse", [csr(2), csr(0)], "sequence 1 is empty"),
    ("s3 sparse", csr(0), "sequence 0 is empty"),
    ("s3", [ones(5, 3, dtype=np.int8)], "you gave int8"),
    ("s3", ([ones(5, 3), ones(2, 3)], [True]), "2 sequences and 1 sequence starts"),
    ("s1", ones(5), r"\[5\]"),
    ("s1", [1, 2], r"element 0 of the batch has shape \[\]"),
    ("x3 sparse", csr(2, 4), r"\[2 x 4\] does not have 3 columns"),
    ("x3 sparse", [csr(3)], "several rows"),
    ("s3 sparse", [csr(2, 4)], r"\[2 x 4\] does not have 3 columns"),
    ("s3 sparse", C.Value.one_hot([[0, 1], [2]], 4), r"\[4\]"),
]


@pytest.mark.parametrize("number", range(len(WRONG)))
def test_wrong_data_are_explained(number):
    kind, data, words = WRONG[number]
    v = variable(kind)
    with pytest.raises(ValueError) as caught:
        fed(v, data)
    text = str(caught.value)
    assert text.startswith(repr(v)), "the error names the variable"
    assert re.search(words, text), f"{words!r} is not in: {text}"
    assert re.search(r"its shape is \[[0-9 x*]*\] and data must be", text)


@pytest.mark.parametrize("error", [ValueError, RuntimeError, TypeError])
def test_programs_may_catch_what_the_original_raised(error):
    with pytest.raises(error):
        fed(variable("x3"), ones(5, 4))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_pass(number):
    data = np.full((2, 3), number, np.float32)
    np.testing.assert_array_equal(fed(variable("x3"), data), data)


def test_data_are_not_changed_and_need_not_be_writable():
    x = variable("x3")
    data = np.arange(6, dtype=np.float32).reshape(2, 3)
    data.flags.writeable = False
    np.testing.assert_array_equal((x * 2).eval({x: data}), data * 2)
    backwards = np.arange(6, dtype=np.float32).reshape(3, 2).T[::-1]
    np.testing.assert_array_equal((x * 2).eval({x: backwards}), backwards * 2)


def test_results_do_not_share_memory_with_data():
    x = variable("x3")
    data = ones(2, 3)
    result = C.alias(x).eval({x: data})
    result[:] = 7
    np.testing.assert_array_equal(data, ones(2, 3))


# -- several arguments -----------------------------------------------------------------------------


def test_arguments_by_name_and_by_uid():
    x, y = C.input_variable(3, name="x"), C.input_variable(3)
    np.testing.assert_array_equal(
        (x - y).eval({"x": ones(2, 3), y.uid: ones(2, 3)}), np.zeros((2, 3))
    )


def test_data_for_the_only_argument_need_no_name():
    x = C.input_variable(3, name="x")
    for data in (ones(2, 3), [[1, 1, 1], [1, 1, 1]], [ones(3), ones(3)]):
        np.testing.assert_array_equal((x + 1).eval(data), 2 * ones(2, 3))


def test_more_data_than_needed():
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    np.testing.assert_array_equal((x + 1).eval({x: ones(2, 3), y: ones(4, 3)}), 2 * ones(2, 3))


def test_inputs_that_no_output_needs_may_be_left_out():
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    both = C.combine([x + 1, y + 1])
    np.testing.assert_array_equal(
        both.eval({x: ones(2, 3)}, outputs=[both.outputs[0]]), 2 * ones(2, 3)
    )


def test_missing_data_are_named():
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    with pytest.raises(
        ValueError, match=r"expects 2 arguments, and no data were given for Input\('y'"
    ):
        (x + y).eval({x: ones(2, 3)})
    with pytest.raises(ValueError, match="2 arguments.*'x'.*'y'.*dictionary"):
        (x + y).eval(ones(2, 3))
    with pytest.raises(ValueError, match="'x'"):
        (x + 1).eval()


def test_unknown_names_are_named():
    x = C.input_variable(3, name="x")
    with pytest.raises(ValueError, match='"z" does not exist.*Available variable names: x'):
        (x + 1).eval({"z": ones(2, 3)})
    with pytest.raises(TypeError, match="expected variables or names as keys, got int"):
        (x + 1).eval({3: ones(2, 3)})


def test_minibatches_have_one_size():
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    with pytest.raises(ValueError, match="'y'.*was given 3.*'x'.* 2; .*same number"):
        (x + y).eval({x: ones(2, 3), y: ones(3, 3)})
    s = C.sequence.input_variable(3, name="s")
    with pytest.raises(ValueError, match="same number"):
        (x + C.sequence.last(s)).eval({x: ones(2, 3), s: [ones(4, 3)]})


def test_sequences_on_one_axis_are_equally_long():
    s, t = C.sequence.input_variable(3, name="s"), C.sequence.input_variable(3, name="t")
    with pytest.raises(
        ValueError, match=r"'t'.*lengths differ: \[2, 2\] and \[2, 1\].*axes of their own"
    ):
        (s + t).eval({s: [ones(2, 3), ones(1, 3)], t: [ones(2, 3), ones(2, 3)]})


def test_sequences_on_two_axes_need_not_be():
    s = C.sequence.input_variable(3, name="s")
    t = C.sequence.input_variable(3, sequence_axis=C.Axis("t"), name="t")
    total = C.sequence.last(s) + C.sequence.first(t)
    np.testing.assert_array_equal(
        total.eval({s: [ones(2, 3), ones(1, 3)], t: [ones(5, 3), ones(3, 3)]}), 2 * ones(2, 3)
    )


def test_a_failed_feed_leaves_the_function_as_it_was():
    x = C.input_variable(3, name="x")
    function = x * C.parameter(3, init=2)
    with pytest.raises(ValueError):
        function.eval({x: ones(5, 4)})
    np.testing.assert_array_equal(function.eval({x: ones(5, 3)}), 2 * ones(5, 3))


def test_results_do_not_share_memory_with_parameters():
    w = C.parameter((2, 3), init=1)
    for function in (C.alias(w), C.reshape(w, (3, 2)), C.transpose(w, (1, 0)), C.combine([w])):
        result = function.eval()
        result[:] = 7
    np.testing.assert_array_equal(w.value, np.ones((2, 3)))
    before = C.alias(w).eval()
    w.value = 5
    np.testing.assert_array_equal(before, np.ones((2, 3)))
