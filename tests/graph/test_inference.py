"""Types that settle late: deferred shapes in graphs, loops and blocks, and what refused changes
leave behind.
"""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C
from cntk._graph.types import UNKNOWN_AXES, TensorType

DEFERRED = C.InferredDimension


def test_deferred_parameters_through_a_whole_graph():
    w1, b1 = C.parameter((DEFERRED, 5), name="w1"), C.parameter((DEFERRED,), name="b1")
    w2 = C.parameter((DEFERRED, DEFERRED, 2), name="w2")
    p = C.placeholder(name="p")
    hidden = C.relu(C.times(p, w1) + b1)
    model = C.times(
        C.reshape(hidden, (5, 1)) * C.constant(np.ones((1, 3), np.float32)), w2, output_rank=1
    )
    assert model.shape == (-2,) and w1.shape == (-1, 5)
    model.replace_placeholder(C.input_variable(7))
    assert (w1.shape, b1.shape, w2.shape, model.shape) == ((7, 5), (5,), (5, 3, 2), (2,))


def test_a_deferred_model_is_applied_to_many():
    model = C.layers.Sequential([C.layers.Dense(4), C.layers.Dense(2)])
    copies = [model.clone("clone")(C.input_variable(n)) for n in (3, 5)]
    assert [f.parameters[-2].shape for f in copies] == [(3, 4), (5, 4)]


def test_axes_settle_with_the_shape():
    p = C.placeholder(name="p")
    f = C.relu(p) * 2 + C.parameter((DEFERRED,))
    assert f.dynamic_axes == UNKNOWN_AXES
    s = C.sequence.input_variable(4)
    f.replace_placeholder(s)
    assert f.dynamic_axes == s.dynamic_axes and f.parameters[0].shape == (4,)


def test_no_format_is_no_format():
    """For NumPy None equals float64, and a type that is not known must not."""
    assert TensorType((), ()) != TensorType((), (), np.dtype(np.float64))
    assert TensorType((), (), np.dtype(np.float64)) == TensorType((), (), np.dtype("double"))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_formats_settle_too(dtype):
    p = C.placeholder(name="p")
    f = p * 2 + 1
    assert f.dtype is None
    f.replace_placeholder(C.input_variable(3, dtype))
    assert f.dtype == dtype and {c.dtype for c in f.constants} == {dtype}
    assert {c.value.dtype for c in f.constants} == {np.dtype(dtype)}


def recurrence(step, width: int):
    """A loop over one state, whose output is the state."""
    state = C.placeholder(name="state")
    s = C.sequence.input_variable(width, name="s")
    out = step(s, C.sequence.past_value(state))
    out.replace_placeholder(out)
    return out, s


@pytest.mark.parametrize(
    "step",
    [
        lambda s, h: C.times(s, C.parameter((DEFERRED, 4))) + C.times(h, C.parameter((4, 4))),
        lambda s, h: C.tanh(
            C.times(h, C.parameter((DEFERRED, 4))) + C.times(s, C.parameter((DEFERRED, 4)))
        ),
        lambda s, h: C.element_max(C.times(s, C.parameter((3, 4))), h),
        lambda s, h: C.times(C.splice(s, C.reduce_sum(h, 0)), C.parameter((4, 4))),
        lambda s, h: C.times(C.splice(s, h), C.parameter((7, 4))),
        lambda s, h: C.layers.Dense(4)(C.splice(h, s)),
        lambda s, h: C.layers.Dense(4)(C.layers.Dense(5)(C.splice(h, s))),
        lambda s, h: C.layers.Dense(4)(C.layers.Dense(5)(h) + C.layers.Dense(5)(s)),
        lambda s, h: C.element_select(C.slice(s, 0, 0, 1), C.times(s, C.parameter((3, 4))), h),
    ],
)
def test_shapes_inside_loops(step):
    out, s = recurrence(step, 3)
    assert out.shape == (4,) and out.dynamic_axes == s.dynamic_axes
    assert all(d > 0 for p in out.parameters for d in p.shape)
    assert out.eval({s: [np.ones((5, 3), np.float32)]})[0].shape == (5, 4)


def test_two_loops_that_need_each_other():
    a, b = C.placeholder(name="a"), C.placeholder(name="b")
    s = C.sequence.input_variable(3)
    first = C.plus(s, C.sequence.past_value(b), name="first")
    second = C.minus(C.sequence.past_value(a), s, name="second")
    both = C.combine([first, second])
    both.replace_placeholders({a: first, b: second})
    assert [v.shape for v in both.outputs] == [(3,), (3,)]
    x = np.arange(12, dtype=np.float32).reshape(4, 3)
    f, g = np.zeros((5, 3)), np.zeros((5, 3))
    for t in range(4):
        f[t + 1], g[t + 1] = x[t] + g[t], f[t] - x[t]
    values = both.eval({s: [x]})
    np.testing.assert_allclose(values[both.outputs[0]][0], f[1:])
    np.testing.assert_allclose(values[both.outputs[1]][0], g[1:])


def test_loops_inside_blocks():
    block = C.BlockFunction("Total", "total")(lambda s: C.layers.Recurrence(lambda h, x: h + x)(s))
    s = C.sequence.input_variable(2)
    f = block(s)
    assert f.root_function.is_block and f.shape == (2,)
    np.testing.assert_array_equal(
        f.eval({s: [np.ones((3, 2), np.float32)]})[0], [[1, 1], [2, 2], [3, 3]]
    )


def test_free_dimensions_stay_free():
    x = C.input_variable((C.FreeDimension, 3))
    f = C.relu(x) + C.parameter((1, 3), init=1)
    assert f.shape == (-3, 3)
    for n in (2, 5):
        assert f.eval({x: np.zeros((4, n, 3))}).shape == (4, n, 3)


# -- what a refused change leaves behind -----------------------------------------------------------


def test_a_refused_operation_leaves_its_parameters():
    s, q = C.sequence.input_variable(3), C.sequence.input_variable(3, sequence_axis=C.Axis("q"))
    w = C.parameter((DEFERRED,), name="w")
    with pytest.raises(ValueError, match="different dynamic axes"):
        C.clip(s, w, q)
    assert w.shape == (-1,)
    with pytest.raises(ValueError, match="Convolution|convolution"):
        C.convolution(
            C.parameter((2, DEFERRED, 9, 9), name="k"),
            C.input_variable((3, 4, 4)),
            auto_padding=[False],
        )


def test_a_refused_call_leaves_the_parameters():
    w, v = C.parameter((DEFERRED, 4), name="w"), C.parameter((9, 2), name="v")
    model = C.times(C.times(C.placeholder(name="x"), w), v)
    with pytest.raises(ValueError, match=r"Times.*\[4\].*\[9\]"):
        model(C.input_variable(3))
    assert w.shape == (-1, 4) and model.placeholders
    fitting = C.times(C.times(C.placeholder(name="x"), w), C.parameter((4, 2)))
    assert fitting(C.input_variable(5)).shape == (2,) and w.shape == (5, 4)


def test_a_refused_replacement_leaves_the_graph():
    w = C.parameter((DEFERRED, 4), name="w")
    p, q = C.placeholder(name="p"), C.placeholder(name="q")
    model = C.relu(C.times(p, w), name="first") + q
    before = str(model), model.inputs, w.shape, model.first.shape
    with pytest.raises(ValueError, match="Plus"):
        model.replace_placeholders({p: C.input_variable(3), q: C.input_variable(9)})
    assert (str(model), model.inputs, w.shape, model.first.shape) == before
    model.replace_placeholders({p: C.input_variable(5), q: C.input_variable(4)})
    assert model.shape == (4,) and w.shape == (5, 4)


def test_a_refused_replacement_leaves_the_inside_of_blocks():
    w = C.parameter((DEFERRED, 4), name="w")
    p = C.placeholder(name="p")
    block = C.BlockFunction("B", "b")(lambda v: C.times(v, w) + 1)(p)
    model = block + C.parameter(9)
    with pytest.raises(ValueError, match="Plus"):
        model.replace_placeholder(C.input_variable(3))
    assert w.shape == (-1, 4) and model.placeholders == (p,) and block.shape == (-2,)
    assert block.root_function.block_root.shape == (-2,)


def test_errors_inside_a_named_block_say_where():
    block = C.BlockFunction("Head", "head")(
        lambda v: C.times(v, C.parameter((4, 2), name="w"), name="product")
    )
    with pytest.raises(ValueError, match=r"Times 'product'.*\(inside Head 'head'\)"):
        block(C.input_variable(3))
