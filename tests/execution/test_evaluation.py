"""Evaluation and gradients of functions, with the results that the original CNTK 2.7 gives."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse

import cntk as C

X = np.array([[1, 2], [3, 4]], np.float32)
ONES = np.ones((2, 2), np.float32)
SEQUENCES = [X, X[:1] * 5]


def variables():
    x, y = (C.input_variable(2, needs_gradient=True, name=n) for n in "xy")
    return x, y, C.input_variable(2, name="n"), C.parameter(2, init=3, name="w")


def same(one, other) -> None:
    if isinstance(other, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-6)
    else:
        np.testing.assert_allclose(one, other, rtol=1e-6)
        assert np.shape(one) == np.shape(other)


# -- eval ------------------------------------------------------------------------------------------


def test_results_of_every_kind():
    x, _, _, w = variables()
    s = C.sequence.input_variable(2)
    same((x * w).eval({x: X}), 3 * X)
    same((w * 2).eval(), np.array([6, 6]))
    same(C.reduce_sum(x, axis=C.Axis.all_axes()).eval({x: X}), np.array(10))
    same(C.combine([x]).eval({x: X}), X)
    same(
        C.sequence.broadcast_as(C.constant([1, 2]), s).eval({s: SEQUENCES}),
        [[[1, 2], [1, 2]], [[1, 2]]],
    )
    same((x * w).root_function.eval({x: X}), 3 * X)


def test_several_outputs_come_by_variable():
    x, y, _, _ = variables()
    both = C.combine([x + y, C.alias(x * y, "product")])
    values = both.eval({x: X, y: X})
    assert list(values) == list(both.outputs)
    same(values[both.outputs[1]], X * X)
    same(both.eval({x: X, y: X}, outputs=[both.outputs[1]]), X * X)


def test_evaluation_does_not_train():
    x = C.input_variable(1000)
    function = C.dropout(x, 0.5)
    data = {x: np.ones((1, 1000), np.float32)}
    assert (function.eval(data) == 1).all()
    assert (function.forward(data)[1][function.output] == 1).all()
    assert (
        function.forward(data, keep_for_backward=[function.output])[1][function.output] == 0
    ).any()


# -- grad ------------------------------------------------------------------------------------------


def test_gradients_by_variable():
    x, y, _, w = variables()
    function = x * y * w
    at = {x: X, y: X}
    both = function.grad(at)
    assert set(both) == {x, y}
    same(both[x], 3 * X)
    same(function.grad(at, wrt=[x]), 3 * X)
    same(function.grad(at, wrt=[w]), np.array([10, 20]))
    found = function.grad(at, wrt=[x, w])
    same(found[x], 3 * X)
    same(found[w], np.array([10, 20]))


def test_gradients_with_outputs():
    x, y, _, w = variables()
    function = C.alias(x * y * w, "f")
    gradient, value = function.grad({x: X, y: X}, wrt=[x], outputs=[function.output])
    same(gradient, 3 * X)
    same(value, 3 * X * X)
    inner = function.root_function.inputs[0]
    gradient, values = function.grad({x: X, y: X}, wrt=[x], outputs=[function.output, inner])
    same(gradient, 3 * X)
    assert list(values) == [function.output, inner]


def test_gradients_of_one_of_several_outputs():
    x, _, _, w = variables()
    both = C.combine([x * 2, C.alias(x * w, "b")])
    with pytest.raises(RuntimeError, match="2 outputs"):
        both.grad({x: X}, wrt=[x])
    same(both.grad({x: X}, wrt=[x], grad_root=both.outputs[0]), 2 * ONES)
    same(both.grad({x: X}, wrt=[x], grad_root=both.b), 3 * ONES)


def test_gradients_of_the_only_argument():
    x, *_ = variables()
    same((x * x).grad(X), 2 * X)
    same((x * x).grad([X[0], X[1]]), 2 * X)
    same(C.reduce_sum(C.square(x)).grad({x: X}), 2 * X)


def test_gradients_of_sequences():
    s = C.sequence.input_variable(2, needs_gradient=True)
    same((s * s).grad({s: SEQUENCES}), [2 * v for v in SEQUENCES])
    same(
        C.sequence.last(s * s).grad({s: SEQUENCES}), [np.array([[0, 0], [6, 8]]), 2 * SEQUENCES[1]]
    )


def test_gradients_that_stop():
    x, *_ = variables()
    same((C.stop_gradient(x) * x).grad({x: X}), X)
    same(C.stop_gradient(x).grad({x: X}), 0 * X)
    same(C.argmax(x).grad({x: X}), 0 * X)


def test_gradients_as_values():
    x, _, _, w = variables()
    gradient = (x * w).grad({x: X}, wrt=[w], as_numpy=False)
    assert isinstance(gradient, C.Value)
    same(gradient.asarray(), X.sum(0))


@pytest.mark.parametrize("is_sequence", [False, True])
def test_gradients_of_sparse_inputs_are_dense(is_sequence):
    """Any place of a sparse input may have a gradient, whether something is stored there or not."""
    make = C.sequence.input_variable if is_sequence else C.input_variable
    sparse, dense = (make(4, is_sparse=flag, needs_gradient=True) for flag in (True, False))
    w = C.parameter(init=np.arange(12, dtype=np.float32).reshape(4, 3))
    data = [scipy.sparse.csr_matrix(np.eye(4, dtype=np.float32)[rows]) for rows in ([1, 2], [3])]
    if not is_sequence:
        data = [row for matrix in data for row in matrix]
    fed = [m.toarray() if is_sequence else m.toarray()[0] for m in data]
    of_sparse = (C.times(sparse, w) * 2).grad({sparse: data}, wrt=[sparse, w])
    of_dense = (C.times(dense, w) * 2).grad({dense: fed}, wrt=[dense, w])
    same(of_sparse[w], of_dense[w])
    for found, expected in zip(of_sparse[sparse], of_dense[dense], strict=True):
        same(found, expected)
    y = C.times(sparse, w)
    state, forward = y.forward({sparse: data}, [y.output], [y.output])
    ones = (
        [np.ones_like(v) for v in forward[y.output]]
        if is_sequence
        else np.ones_like(forward[y.output])
    )
    for found, expected in zip(
        y.backward(state, ones, [sparse])[sparse], of_dense[dense], strict=True
    ):
        same(2 * found, expected)
    same(y.eval({sparse: data})[0], (C.times(dense, w)).eval({dense: fed})[0])


def test_sparse_results_have_no_gradient():
    x = C.input_variable(3, needs_gradient=True)
    same(C.eye_like(x, sparse_output=True).grad({x: np.ones((2, 3), np.float32)}), np.zeros((2, 3)))


def test_gradients_that_cannot_be():
    x, y, n, w = variables()
    with pytest.raises(
        ValueError, match="None of the Function .* arguments have 'needs_gradient == True'"
    ):
        (n * w).grad({n: X})
    for foreign in (y, C.parameter(2, name="other")):
        with pytest.raises(ValueError, match="neither an argument nor a parameter of"):
            (x * w).grad({x: X}, wrt=[foreign])
    with pytest.raises(ValueError, match=r"no data were given for Input\('y'"):
        (x * y).grad({x: X})
    with pytest.raises(ValueError, match="not part of"):
        (x * w).grad({x: X}, grad_root=x + 1)


def test_gradients_leave_nothing_behind():
    x, _, _, w = variables()
    data = X.copy()
    (x * w).grad({x: data}, wrt=[x, w])
    assert w.data.grad is None
    np.testing.assert_array_equal(data, X)


# -- forward and backward --------------------------------------------------------------------------


def test_forward_and_backward():
    x, y, _, w = variables()
    f = x * y * w
    state, values = f.forward({x: X, y: X}, [f.output], {f.output})
    same(values[f.output], 3 * X * X)
    same(f.backward(state, {f.output: ONES}, {x})[x], 3 * X)
    found = f.backward(state, {f.output: 2 * ONES}, {x, w})
    same(found[x], 6 * X)
    same(found[w], np.array([20, 40]))


def test_forward_and_backward_of_sequences():
    s = C.sequence.input_variable(2, needs_gradient=True)
    f = s * s
    state, values = f.forward({s: SEQUENCES}, [f.output], {f.output})
    same(values[f.output], [v * v for v in SEQUENCES])
    same(f.backward(state, {f.output: SEQUENCES}, {s})[s], [2 * v * v for v in SEQUENCES])


def test_backward_from_several_outputs():
    x, _, _, w = variables()
    both = C.combine([x * 2, x * w])
    state, _ = both.forward({x: X}, both.outputs, set(both.outputs))
    found = both.backward(state, dict.fromkeys(both.outputs, ONES), {x, w})
    same(found[x], 5 * ONES)
    same(found[w], X.sum(0))


def test_backward_from_values():
    x, y, _, w = variables()
    f = x * y * w
    state, values = f.forward({x: X, y: X}, [f.output], {f.output}, as_numpy=False)
    assert isinstance(values[f.output], C.Value)
    same(f.backward(state, {f.output: values[f.output]}, {x})[x], 9 * X**3)
    assert isinstance(f.backward(state, {f.output: ONES}, {x}, as_numpy=False)[x], C.Value)


def test_backward_that_cannot_be():
    x, y, _, w = variables()
    f = x * y * w
    state, _ = f.forward({x: X, y: X}, [f.output])
    assert state is None
    with pytest.raises(ValueError, match="keep_for_backward"):
        f.backward(state, {f.output: ONES}, {x})
    state, _ = f.forward({x: X, y: X}, [f.output], {f.output})
    with pytest.raises(ValueError, match=r"has shape \[3 x 2\], its value \[2 x 2\]"):
        f.backward(state, {f.output: np.ones((3, 2), np.float32)}, {x})
    with pytest.raises(ValueError, match="not among the outputs"):
        f.backward(state, {(x + 1).output: ONES}, {x})


def test_all_outputs_unless_told_otherwise():
    x, y, _, w = variables()
    f = x * w
    assert list(f.forward({x: X})[1]) == [f.output]
