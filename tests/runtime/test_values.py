"""Values and views of arrays: every way to make them, what they say of themselves, and what they
give back.
"""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

import cntk as C
from cntk import NDArrayView, Value


def counted(*shape: int) -> np.ndarray:
    return np.arange(1, 1 + int(np.prod(shape)), dtype=np.float32).reshape(shape)


def dense(result):
    return [r.toarray() if sp.issparse(r) else r for r in result]


def same(actual, wanted) -> None:
    assert len(actual) == len(wanted)
    for a, b in zip(actual, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


SAMPLE, SEQUENCE = C.input_variable(3), C.sequence.input_variable(3)
BARE = C.input_variable(3, dynamic_axes=[])
SPARSE, SPARSE_SEQUENCE = (
    C.input_variable(3, is_sparse=True),
    C.sequence.input_variable(3, is_sparse=True),
)
LONG, SHORT = counted(2, 3), counted(1, 3)

# how it is made, shape, mask (None where the original has none), rectangle, sequences: as the
# original gives them
MADE = {
    "array": (lambda: Value(LONG), (2, 3), None, LONG, list(LONG)),
    "view": (lambda: Value(NDArrayView.from_dense(LONG)), (2, 3), None, LONG, list(LONG)),
    "created of an array": (lambda: Value.create(SAMPLE, LONG), (2, 3), None, LONG, list(LONG)),
    "created of "
    "samples": (lambda: Value.create(SAMPLE, [LONG[0], LONG[1]]), (2, 1, 3), None, LONG[:, None], list(LONG[:, None])),
    "created of sequences": (
        lambda: Value.create(SEQUENCE, [LONG, SHORT]),
        (2, 2, 3), [[2, 1], [2, 0]], np.stack([LONG, np.vstack([SHORT, np.zeros((1, 3))])]), [LONG, SHORT],
    ),
    "created of equal sequences": (
        lambda: Value.create(SEQUENCE, counted(2, 4, 3)), (2, 4, 3), None, counted(2, 4, 3), list(counted(2, 4, 3)),
    ),
    "created of one "
    "sequence": (lambda: Value.create(SEQUENCE, LONG), (2, 3), None, LONG, list(LONG)),
    "created of frames": (
        lambda: Value.create(SAMPLE, [LONG, SHORT]),
        (2, 2, 3), [[2, 1], [2, 0]], np.stack([LONG, np.vstack([SHORT, np.zeros((1, 3))])]), [LONG, SHORT],
    ),
    "created of an array without "
    "axes": (lambda: Value.create(BARE, [LONG[0], LONG[1]]), (2, 3), None, LONG, list(LONG)),
    "sequences that go on": (
        lambda: Value.create(SEQUENCE, [LONG, SHORT], seq_starts=[True, False]),
        (2, 2, 3), [[2, 1], [1, 0]], np.stack([LONG, np.vstack([SHORT, np.zeros((1, 3))])]), [LONG, SHORT],
    ),
    "all go on": (
        lambda: Value.create(SEQUENCE, [LONG, LONG], seq_starts=[False, False]),
        (2, 2, 3), [[1, 1], [1, 1]], np.stack([LONG, LONG]), [LONG, LONG],
    ),
    "matrix": (lambda: Value(sp.csr_matrix(LONG)), (2, 3), None, LONG, [LONG]),
    "created of a "
    "matrix": (lambda: Value.create(SPARSE, sp.csr_matrix(LONG)), (2, 3), None, LONG, [LONG]),
    "created of matrices": (
        lambda: Value.create(SPARSE_SEQUENCE, [sp.csr_matrix(LONG), sp.csr_matrix(SHORT)]),
        (2, 2, 3), [[2, 1], [2, 0]], np.stack([LONG, np.vstack([SHORT, np.zeros((1, 3))])]), [LONG, SHORT],
    ),
    "classes of "
    "samples": (lambda: Value.one_hot([0, 2, 1], 3), (3, 3), None, np.eye(3)[[0, 2, 1]], [np.eye(3)[[0, 2, 1]]]),
    "classes of sequences": (
        lambda: Value.one_hot([[0, 2], [1]], 3),
        (2, 2, 3), [[2, 1], [2, 0]], [[[1, 0, 0], [0, 0, 1]], [[0, 1, 0], [0, 0, 0]]], [np.eye(3)[[0, 2]], np.eye(3)[[1]]],
    ),
    "classes left out": (
        lambda: Value.one_hot([[0, Value.ONE_HOT_SKIP], [1]], 3),
        (2, 2, 3), [[2, 1], [2, 0]], [[[1, 0, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 0]]], [[[1, 0, 0], [0, 0, 0]], [[0, 1, 0]]],
    ),
    "classes in arrays": (
        lambda: Value.one_hot([np.array([0, 1]), np.array([2])], 3),
        (2, 2, 3), [[2, 1], [2, 0]], [[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 0, 0]]], [np.eye(3)[[0, 1]], np.eye(3)[[2]]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MADE)
def test_values_are_the_originals(name):
    make, shape, mask, rectangle, sequences = MADE[name]
    value = make()
    assert value.shape == shape and len(value) == shape[0]
    if mask is None:
        with pytest.raises(ValueError, match="no batch of sequences"):
            _ = value.mask
    else:
        np.testing.assert_array_equal(value.mask, mask)
    array = value.asarray()
    np.testing.assert_array_equal(array.toarray() if sp.issparse(array) else array, rectangle)
    same(dense(value.as_sequences()), sequences)
    same(dense(value.as_sequences(SEQUENCE)), sequences)
    assert value.dtype == np.float32 and value.is_valid and str(value.device) == "CPU"
    assert value.is_sparse == any(word in name for word in ("matri", "classes"))


def test_how_values_print():
    assert str(Value(LONG)) == "Value([2 x 3], CPU)"
    assert str(NDArrayView.from_dense(LONG)) == "NDArrayView([2 x 3], CPU)"


def test_several_classes_a_frame():
    value = Value.one_hot([[0, 2, 1, 1], [1, 1]], (2, 3))
    assert value.shape == (2, 2, 2, 3)
    frames = C.sequence.input_variable((2, 3), is_sparse=True)
    result = C.reduce_sum(C.times(frames, C.constant(np.arange(3).reshape(3, 1))), axis=0).eval(
        {frames: value}
    )
    same([r.ravel() for r in result], [[2, 2], [2]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_formats_of_classes(dtype):
    assert Value.one_hot([[0, 1]], 3, dtype=dtype).dtype == dtype


def test_flags_are_classes_and_what_is_left_out_is_no_class():
    """As the original has it: the number that stands for a row of zeros is the largest of 32 bits,
    and -1 is none.
    """
    assert Value.ONE_HOT_SKIP == 4294967295
    for batch in ([[True, False]], [np.array([True, False])], [np.array([1, 0], np.uint8)]):
        np.testing.assert_array_equal(Value.one_hot(batch, 3).asarray(), [np.eye(3)[[1, 0]]])
    skipped = Value.one_hot(np.array([4294967295, 1], np.uint32), 3).asarray()
    np.testing.assert_array_equal(skipped.todense(), [[0, 0, 0], [0, 1, 0]])
    for error in (ValueError, NotImplementedError):
        with pytest.raises(error, match=r"class number -1 is out of range.*ONE_HOT_SKIP"):
            Value.one_hot([-1], 3)


@pytest.mark.parametrize(
    "batch, classes, words",
    [
        ([[3]], 3, "class number 3 is out of range; there are 3"),
        ([[-2]], 3, "class number -2 is out of range"),
        ([[0.5]], 3, "must be integers"),
        ([], 3, "expected a list.*an empty one"),
        (None, 3, "expected a list.*NoneType"),
        (3, 3, "expected a list.*int"),
        ("ab", 3, "expected a list.*str"),
        ([[]], 3, "sequence 0 is empty"),
        ([[0, 2], []], 3, "sequence 1 is empty.*leave it out"),
        (np.zeros((2, 0), int), 3, "sequence 0 is empty"),
        ([0, [1]], 3, "either class numbers or lists.*both"),
        ([0], 0, "out of range"),
    ],
)
def test_what_is_no_class(batch, classes, words):
    with pytest.raises(ValueError, match=words):
        Value.one_hot(batch, classes)


def test_values_that_cannot_be_created():
    with pytest.raises(TypeError, match="expected a variable, got 3"):
        Value.create(3, LONG)
    with pytest.raises(ValueError, match=r"\[2 x 4\]"):
        Value.create(SAMPLE, counted(2, 4))
    with pytest.raises(ValueError, match="there are none"):
        Value.create(SEQUENCE, [])
    with pytest.raises(ValueError, match="sequence 1 is empty"):
        Value.create(SEQUENCE, [LONG, SHORT[:0]])
    with pytest.raises(ValueError, match="sequence 0 is empty"):
        Value.create(SPARSE_SEQUENCE, [sp.csr_matrix(LONG)[:0], sp.csr_matrix(SHORT)])
    with pytest.raises(ValueError, match="1 sequences and 2 sequence starts"):
        Value.create(SEQUENCE, [LONG], seq_starts=[True, False])
    with pytest.raises(ValueError, match="use Value.create"):
        Value([LONG, SHORT])
    with pytest.raises(ValueError, match="give a single matrix"):
        Value.create(C.input_variable(3, is_sparse=True, dynamic_axes=[]), [sp.csr_matrix(SHORT)])


def test_whether_axes_fit_is_seen_when_a_value_is_fed():
    twice, both = SAMPLE * 2, Value.create(SAMPLE, [LONG, SHORT])
    with pytest.raises(ValueError, match="single samples are expected"):
        twice.eval({SAMPLE: both})
    same((SEQUENCE * 2).eval({SEQUENCE: both}), [2 * LONG, 2 * SHORT])
    np.testing.assert_array_equal(
        twice.eval({SAMPLE: Value.create(SAMPLE, [SHORT, SHORT[0]])}), 2 * np.vstack([SHORT] * 2)
    )
    with pytest.raises(ValueError, match="the variable has none"):
        (BARE * 2).eval({BARE: Value.create(BARE, LONG)})
    same(
        (SEQUENCE * 2).eval({SEQUENCE: Value.create(SEQUENCE, counted(2, 4, 3))}),
        list(2 * counted(2, 4, 3)),
    )


def test_a_matrix_in_a_samples_shape_is_one_sample():
    words = C.input_variable((2, 3), is_sparse=True)
    matrices = [sp.csr_matrix(np.eye(3, dtype=np.float32)[rows]) for rows in ([0, 1], [2, 0])]
    weights = np.arange(6, dtype=np.float32).reshape(3, 2)
    result = C.times(words, C.constant(weights)).eval({words: matrices})
    np.testing.assert_array_equal(result, [m.toarray() @ weights for m in matrices])
    assert Value.create(words, matrices).shape == (2, 1, 2, 3)
    frames = C.sequence.input_variable((2, 3), is_sparse=True)
    same(
        C.times(frames, C.constant(weights)).eval({frames: matrices}),
        [[m.toarray() @ weights] for m in matrices],
    )


def test_lists_of_equal_arrays_and_numbers():
    assert Value([LONG, LONG]).shape == (2, 2, 3)
    np.testing.assert_array_equal(Value([[1, 2], [3, 4]]).asarray(), [[1, 2], [3, 4]])
    assert Value(counted(2, 4, 3), seq_starts=[True, False]).mask.tolist() == [
        [2, 1, 1, 1],
        [1, 1, 1, 1],
    ]


def test_values_may_be_read_only():
    assert Value.create(SAMPLE, LONG, read_only=True).is_read_only
    assert not Value.create(SAMPLE, LONG).is_read_only


# -- results as values -----------------------------------------------------------------------------


def test_results_are_values():
    f = C.alias(SEQUENCE)
    value = f.eval({SEQUENCE: [LONG, SHORT]}, as_numpy=False)
    assert value.shape == (2, 2, 3) and value.mask.tolist() == [[2, 1], [2, 0]]
    same(value.as_sequences(), [LONG, SHORT])
    samples = C.sequence.last(SEQUENCE).eval({SEQUENCE: [LONG, SHORT]}, as_numpy=False)
    assert samples.shape == (2, 3)
    same(samples.as_sequences(), [LONG[1], SHORT[0]])


def test_results_are_fed_again():
    f, last = C.alias(SEQUENCE), C.sequence.last(SEQUENCE)
    frames = f.eval({SEQUENCE: [LONG, SHORT]}, as_numpy=False)
    np.testing.assert_array_equal(last.eval({SEQUENCE: frames}), [LONG[1], SHORT[0]])
    with pytest.raises(ValueError, match="sequences.*single samples are expected"):
        (SAMPLE + 1).eval({SAMPLE: frames})
    samples = last.eval({SEQUENCE: [LONG, SHORT]}, as_numpy=False)
    np.testing.assert_array_equal((SAMPLE + 1).eval({SAMPLE: samples}), [LONG[1] + 1, SHORT[0] + 1])
    # A batch of samples is one of sequences of one frame, and back.
    same(f.eval({SEQUENCE: samples}), [LONG[1:], SHORT])
    single = f.eval({SEQUENCE: [SHORT, SHORT]}, as_numpy=False)
    np.testing.assert_array_equal((SAMPLE + 1).eval({SAMPLE: single}), [SHORT[0] + 1] * 2)


def test_a_result_is_valid_until_its_function_runs_again():
    f = SAMPLE * 2
    first = f.eval({SAMPLE: LONG}, as_numpy=False)
    view = first.data
    (f + 1).eval({SAMPLE: -LONG})
    assert first.is_valid and first.asarray() == pytest.approx(2 * LONG)
    with pytest.raises(ValueError, match="no data"):
        f.eval({})
    assert first.is_valid
    # It may be the next run's own data.
    second = f.eval({SAMPLE: first}, as_numpy=False)
    assert not first.is_valid and second.asarray() == pytest.approx(4 * LONG)
    with pytest.raises(RuntimeError, match="valid until their function runs again"):
        first.asarray()
    with pytest.raises(RuntimeError, match="valid until their function runs again"):
        f.eval({SAMPLE: first})
    assert second.is_valid and view.asarray() == pytest.approx(2 * LONG)


def test_gradients_are_valid_until_their_function_runs_again():
    x = C.input_variable(3, needs_gradient=True)
    f = x * 2
    state, values = f.forward({x: LONG}, [f.output], {f.output}, as_numpy=False)
    gradient = f.backward(state, {f.output: LONG}, {x}, as_numpy=False)[x]
    assert values[f.output].is_valid and gradient.asarray() == pytest.approx(2 * LONG)
    f.grad({x: LONG})
    assert not gradient.is_valid and not values[f.output].is_valid


@pytest.mark.parametrize(
    "variable, data, shape",
    [
        (SAMPLE, LONG, (2, 3)),
        (SAMPLE, LONG[0], (1, 3)),
        (SEQUENCE, counted(2, 4, 3), (4, 3)),
        (SEQUENCE, counted(4, 3), (4, 3)),
    ],
)
@pytest.mark.parametrize("wrap", [NDArrayView.from_dense, Value])
def test_views_and_values_are_fed(variable, data, shape, wrap):
    result = C.alias(variable).eval({variable: wrap(data)})
    assert (result[0].shape if isinstance(result, list) else result.shape) == shape


def test_classes_are_fed():
    w = C.constant(counted(3, 2))
    for v, value in (
        (SPARSE, Value.one_hot([2, 0], 3)),
        (SPARSE_SEQUENCE, Value.one_hot([[2, 0], [1]], 3)),
    ):
        result = C.times(v, w).eval({v: value})
        np.testing.assert_array_equal(
            np.concatenate(result) if isinstance(result, list) else result,
            w.value[[2, 0, 1]][: value.rows.rows],
        )
    np.testing.assert_array_equal(
        (SAMPLE + 0).eval({SAMPLE: Value.one_hot([2, 0], 3)}), np.eye(3)[[2, 0]]
    )


def test_sparse_results():
    result = C.alias(SPARSE).eval({SPARSE: sp.csr_matrix(LONG)})
    assert sp.issparse(result)
    np.testing.assert_array_equal(result.toarray(), LONG)


def test_asarray_and_asvalue():
    np.testing.assert_array_equal(C.asarray(Value(LONG)), LONG)
    np.testing.assert_array_equal(C.asarray(NDArrayView.from_dense(LONG)), LONG)
    assert C.asarray(LONG, np.float64).dtype == np.float64
    assert C.asvalue(SAMPLE, LONG).shape == (2, 3)


# -- views -----------------------------------------------------------------------------------------


def test_views_of_arrays():
    view = NDArrayView.from_dense(LONG)
    assert view.shape == (2, 3) and view.dtype == np.float32
    assert not view.is_sparse and not view.is_read_only and str(view.device) == "CPU"
    array = view.asarray()
    array[:] = 0
    np.testing.assert_array_equal(view.asarray(), LONG)
    assert NDArrayView((2, 3), np.float64).dtype == np.float64
    np.testing.assert_array_equal(NDArrayView((2, 3), np.float32).asarray(), np.zeros((2, 3)))
    assert NDArrayView.from_dense(np.array(3, np.float32)).shape == ()


def test_views_may_share_memory():
    array = LONG.copy()
    borrowed, copied = NDArrayView.from_dense(array, borrow=True), NDArrayView.from_dense(array)
    array[:] = 7
    assert borrowed.asarray()[0, 0] == 7 and copied.asarray()[0, 0] == 1


def test_views_of_matrices():
    for view in (
        NDArrayView.from_csr(sp.csr_matrix(LONG)),
        NDArrayView.from_data(sp.csr_matrix(LONG)),
    ):
        assert view.shape == (2, 3) and view.is_sparse
        assert sp.issparse(view.asarray())
        np.testing.assert_array_equal(view.asarray().toarray(), LONG)
    shaped = NDArrayView.from_csr(sp.csr_matrix(counted(2, 6)), shape=(2, 2, 3))
    np.testing.assert_array_equal(shaped.asarray(), counted(2, 2, 3))
    with pytest.raises(ValueError, match=r"\[2 x 6\] does not fill shape \[2 x 5\]"):
        NDArrayView.from_csr(sp.csr_matrix(counted(2, 6)), shape=(2, 5))


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: NDArrayView.from_dense([[1, 2]]), "expected a NumPy array of numbers, got list"),
        (lambda: NDArrayView.from_data(None), "got None"),
        (lambda: NDArrayView.from_data("a"), "got 'a'"),
        (lambda: NDArrayView.from_csr(LONG), "expected a SciPy CSR matrix, got an array"),
    ],
)
def test_what_is_no_array(make, words):
    with pytest.raises(TypeError, match=words):
        make()


@pytest.mark.parametrize(
    "offset, extent, wanted",
    [
        ((0, 0), (2, 4), counted(3, 4)[:2]),
        ((1, 0), (1, 4), counted(3, 4)[1:2]),
        ((1, 0), (4,), counted(3, 4)[1]),
        ((0, 1), (2,), counted(3, 4)[0, 1:3]),
        ((2, 3), (1, 1), counted(3, 4)[2:, 3:]),
        ((0, 0), (), counted(3, 4)[0, 0]),
    ],
)
def test_parts_of_views(offset, extent, wanted):
    view = NDArrayView.from_dense(counted(3, 4))
    np.testing.assert_array_equal(view.slice_view(offset, extent).asarray(), wanted)
    assert (
        view.slice_view(offset, extent).is_read_only
        and not view.slice_view(offset, extent, False).is_read_only
    )


@pytest.mark.parametrize(
    "offset, extent",
    [
        ((0, 0), (4, 4)),
        ((3, 0), (1, 4)),
        ((-1, 0), (1, 4)),
        ((0,), (2,)),
        ((0, 0, 0), (1, 1, 1)),
        ((5, 0), (4,)),
    ],
)
def test_parts_that_are_not_there(offset, extent):
    with pytest.raises(ValueError, match=r"do not lie within shape \[3 x 4\]"):
        NDArrayView.from_dense(counted(3, 4)).slice_view(offset, extent)


def test_sequences_become_numpy_as_they_did():
    result = C.alias(SEQUENCE).eval({SEQUENCE: [LONG, LONG]})
    assert np.asarray(result).shape == (2, 2, 3)
    ragged = np.asarray(C.alias(SEQUENCE).eval({SEQUENCE: [LONG, SHORT]}))
    assert ragged.dtype == object and ragged.shape == (2,)
