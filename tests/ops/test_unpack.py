"""Sequence and batch axes made static and back: the axes themselves, and what is built on sizes
that only a run knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import scipy.sparse
import torch

import cntk as C
from cntk._execution import training_step as step_module
from cntk._runtime.layout.layout import Layout
from tests.ops.op_case import sequences


def test_outputs_are_the_values_and_a_mask() -> None:
    x = C.sequence.input_variable((2, 3), np.float64, name="x")
    unpacked = C.sequence.unpack(x, -7, name="u")
    values, mask = unpacked.outputs
    assert (values.name, mask.name) == ("u", "u_UnpackSequenceMask")
    assert (values.shape, mask.shape) == ((C.FreeDimension, 2, 3), (C.FreeDimension,))
    assert values.dynamic_axes == mask.dynamic_axes == (C.Axis.default_batch_axis(),)
    data = sequences(2, 3, lengths=(3, 1))
    results = unpacked.eval({x: data})
    assert results[mask].dtype == np.float64
    np.testing.assert_array_equal(results[mask], [[1, 1, 1], [1, 0, 0]])
    np.testing.assert_array_equal(results[values][0], data[0])
    np.testing.assert_array_equal(results[values][1, 1:], np.full((2, 2, 3), -7))
    assert len(C.sequence.unpack(x, 0, no_mask_output=True).outputs) == 1


def test_equally_long_sequences_are_not_copied() -> None:
    frames = torch.arange(12.0).reshape(6, 2)
    layout = Layout([3, 3])
    rectangle = layout.pad(frames)
    assert rectangle.shape == (2, 3, 2) and rectangle.data_ptr() == frames.data_ptr()
    assert layout.unpad(rectangle).data_ptr() == frames.data_ptr()
    wider = torch.cat([rectangle, torch.zeros(2, 1, 2)], 1)
    torch.testing.assert_close(layout.unpad(wider), frames)


def test_sizes_may_differ_from_run_to_run() -> None:
    x = C.sequence.input_variable(2, np.float64)
    w = C.parameter((2, 3), init=np.arange(6.0).reshape(2, 3), dtype=np.float64)
    function = C.reduce_max(C.sigmoid(C.times(C.sequence.unpack(x, -1, True), w)), axis=0)
    for lengths in ((3, 1), (2, 5), (3, 1), (4,)):
        data = sequences(2, lengths=lengths)
        padded = [np.concatenate([d, np.full((max(lengths) - len(d), 2), -1.0)]) for d in data]
        wanted = [
            1 / (1 + np.exp(-(d @ np.arange(6.0).reshape(2, 3)).max(0, keepdims=True)))
            for d in padded
        ]
        np.testing.assert_allclose(function.eval({x: data}), wanted)


def test_operands_that_turn_out_not_to_fit_are_refused() -> None:
    x, y = (C.sequence.input_variable(2, sequence_axis=C.Axis(n)) for n in "ab")
    both = C.plus(C.sequence.unpack(x, 0, True), C.sequence.unpack(y, 0, True), name="both")
    fits = both.eval({x: [[[1, 2], [3, 4]]], y: [[[1, 1], [1, 1]]]})
    np.testing.assert_array_equal(fits, [[[2, 3], [4, 5]]])
    with pytest.raises(
        ValueError, match=r"Plus 'both'.* axis -2 .* has 2, 3.*\(in this run .*\[2 x 2\]"
    ):
        both.eval({x: [[[1, 2], [3, 4]]], y: [[[1, 1]] * 3]})


def test_axes_nest() -> None:
    x, y = (C.sequence.input_variable(1, sequence_axis=C.Axis(n)) for n in "ab")
    nested = C.sequence.unpack(C.sequence.broadcast_as(C.sequence.unpack(x, 0, True), y), 9, True)
    assert nested.shape == (C.FreeDimension, C.FreeDimension, 1)
    result = nested.eval({x: [[[1], [2]], [[3]]], y: [[[0]], [[0], [0]]]})
    np.testing.assert_array_equal(result[..., 0], [[[1, 2], [9, 9]], [[3, 0], [3, 0]]])


def test_each_use_of_a_function_makes_an_axis_of_its_own() -> None:
    split = C.Function(lambda x: C.to_sequence(x))
    picked = C.Function(lambda x, c: C.sequence.gather(x, c > 0))
    x, y = C.input_variable((3, 1)), C.input_variable((2, 1))
    assert split(x).dynamic_axes[1] != split(y).dynamic_axes[1]
    s, c, d = (C.sequence.input_variable(1, name=n) for n in "scd")
    assert picked(s, c).dynamic_axes[1] != picked(s, d).dynamic_axes[1]
    results = C.combine([picked(s, c), picked(s, d)])
    data = {s: [[[1], [2], [3]]], c: [[[1], [0], [1]]], d: [[[0], [1], [0]]]}
    found = [result[0].ravel().tolist() for result in results.eval(data).values()]
    assert found == [[1, 3], [2]]


def test_gathers_by_the_same_condition_lie_on_the_same_axis() -> None:
    x, y, c = (
        C.sequence.input_variable(1),
        C.sequence.input_variable(1),
        C.sequence.input_variable(()),
    )
    both = C.sequence.gather(x, c) + C.sequence.gather(y, c)
    assert both.dynamic_axes[1].name == f"whereNodeDynamicAxis_conditionVar_{c.uid}"
    result = both.eval({x: [[[1], [2]]], y: [[[10], [20]]], c: [[0, 1]]})
    np.testing.assert_array_equal(result[0], [[22]])


@pytest.mark.parametrize("lengths", [(0, 3), (3, 4), (-1, 1)])
def test_lengths_that_cannot_be_are_refused(lengths: Sequence[int]) -> None:
    x, n = C.input_variable((C.FreeDimension, 2)), C.input_variable(())
    with pytest.raises(
        ValueError, match="to_sequence: a sequence length is .*; the axis has 3 elements"
    ):
        C.to_sequence(x, n).eval({x: np.zeros((2, 3, 2)), n: np.array(lengths)})


def test_sparse_rows_become_sequences_of_sparse_rows() -> None:
    x, n = C.input_variable((C.FreeDimension, 4), is_sparse=True), C.input_variable(())
    dense = np.array(
        [[[0, 1, 0, 2], [0, 0, 0, 0], [3, 0, 0, 0]], [[0, 0, 4, 0], [5, 0, 0, 6], [0, 7, 0, 0]]],
        "f",
    )
    value = C.NDArrayView.from_csr(scipy.sparse.csr_matrix(dense.reshape(2, 12)), shape=(2, 3, 4))
    result = C.to_sequence(x, n).eval({x: value, n: [2, 3]})
    np.testing.assert_array_equal(result[0].toarray(), dense[0, :2])
    np.testing.assert_array_equal(result[1].toarray(), dense[1])
    by_frame = C.NDArrayView.from_csr(scipy.sparse.csr_matrix(dense.reshape(6, 4)), shape=(2, 3, 4))
    np.testing.assert_array_equal(C.to_sequence(x).eval({x: by_frame})[0].toarray(), dense[0])


def test_too_short_rectangles_are_refused() -> None:
    x, y = C.input_variable((2, 1)), C.sequence.input_variable(1)
    with pytest.raises(
        ValueError,
        match="to_sequence_like: 1 times 2 elements are to become 1 sequences of up to 3",
    ):
        C.to_sequence_like(x, y).eval({x: [[[1], [2]]], y: [[[1], [2], [3]]]})


def test_batches_of_another_size() -> None:
    x = C.input_variable(3, np.float64, needs_gradient=True)
    turned = C.to_batch(C.swapaxes(C.unpack_batch(x)))
    assert turned.dynamic_axes == (C.Axis.default_batch_axis(),)
    data = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(turned.eval({x: data}), data.T)
    np.testing.assert_array_equal((turned * [1, 10]).grad({x: data}), [[1, 1, 1], [10, 10, 10]])
    three = C.to_batch(C.constant(np.ones((3, 3))))
    with pytest.raises(
        RuntimeError, match=r"Plus .*its operands are, with their rows, \[3 x 3\] and \[2 x 3\]"
    ):
        (three + x).eval({x: data})


def test_dynamic_axes_are_refused_where_there_must_be_none_and_the_other_way_round() -> None:
    batch, frames = C.input_variable((2, 3)), C.sequence.input_variable((2, 3))
    for wrong, reason in (
        (lambda: C.to_batch(batch), "has dynamic axes already"),
        (lambda: C.to_batch(C.constant(1)), "is a number"),
        (lambda: C.unpack_batch(frames), "the operand is a sequence"),
        (lambda: C.unpack_batch(C.constant([1])), "no batch axis"),
        (lambda: C.to_sequence(C.constant([1])), "must have a batch axis"),
        (lambda: C.to_sequence(frames), "it is a sequence already"),
        (lambda: C.to_sequence(batch, C.constant(2)), "must have the operand's batch axis"),
        (lambda: C.to_sequence_like(frames, frames), "it is a sequence already"),
        (lambda: C.reconcile_dynamic_axes(batch, C.constant(1)), "has none"),
    ):
        with pytest.raises(ValueError, match=reason):
            wrong()


def test_a_loop_may_look_at_an_unpacked_sequence() -> None:
    """A decoder's steps attend to an encoder, and remember how much they have looked where."""
    source = C.sequence.input_variable(2, needs_gradient=True, sequence_axis=C.Axis("source"))
    target = C.sequence.input_variable(2)

    @C.Function
    def decode(source: Any, target: Any) -> Any:
        memory, mask = C.sequence.unpack(source, 0).outputs

        @C.Function
        def step(state: Any, seen: Any, x: Any) -> Any:
            frames, present = (C.sequence.broadcast_as(v, x) for v in (memory, mask))
            scores = C.reduce_sum(frames * (state + x), axis=1, keepdims=False) - seen
            weights = C.softmax(C.element_select(present, scores, C.constant(-1e30)))
            return C.tanh(C.times(weights, frames)), seen + weights

        return C.layers.Recurrence(step, return_full_state=True)(target)

    states = decode(source, target)
    state, seen = states.outputs
    assert seen.shape == (C.FreeDimension,)
    feed = {
        source: sequences(2, lengths=(3, 1, 4)),
        target: sequences(2, lengths=(2, 3, 1), seed=4),
    }
    together = states.eval(feed)
    for k in range(3):
        alone = states.eval({v: [data[k]] for v, data in feed.items()})
        np.testing.assert_allclose(together[state][k], alone[state][0], rtol=1e-5)
        length = len(feed[source][k])
        np.testing.assert_allclose(together[seen][k][:, :length], alone[seen][0], rtol=1e-5)
        np.testing.assert_allclose(
            together[seen][k].sum(1), np.arange(1, len(feed[target][k]) + 1), rtol=1e-5
        )


def losses(after: int, monkeypatch: pytest.MonkeyPatch) -> tuple[list[float], np.ndarray]:
    monkeypatch.setattr(step_module, "RECORD_AFTER", after)
    source = C.sequence.input_variable(3, sequence_axis=C.Axis("source"))
    target = C.sequence.input_variable(3)
    w = C.parameter((3, 4), init=np.linspace(-1, 1, 12).reshape(3, 4).astype(np.float32))
    keys = C.sequence.reverse(C.times(source, w))
    found = C.sequence.scaled_dot_product_attention(C.times(target, w), keys, keys)
    joined = C.sequence.join(found, C.times(target, w))
    whole = C.reduce_sum(C.sequence.unpack(C.sequence.window(joined, 2), 0, True), axis=0)
    loss = C.reduce_sum(C.square(whole - 1))
    trainer = C.Trainer(
        None, (loss, None), [C.sgd([w], C.learning_parameter_schedule_per_sample(0.001))]
    )
    feed = {
        source: [x.astype(np.float32) for x in sequences(3, lengths=(2, 4))],
        target: [x.astype(np.float32) for x in sequences(3, lengths=(3, 1), seed=5)],
    }
    result = []
    for _ in range(6):
        trainer.train_minibatch(feed)
        result.append(trainer.previous_minibatch_loss_average)
    return result, w.value


def test_training_is_the_same_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    eager, recorded = losses(10**9, monkeypatch), losses(3, monkeypatch)
    np.testing.assert_allclose(recorded[0], eager[0], rtol=1e-5)
    np.testing.assert_allclose(recorded[1], eager[1], rtol=1e-5)
    assert eager[0][-1] < eager[0][0]
