"""Attention: what a decoder looks at in an encoder's sequence."""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._arguments import as_flag
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk.axis import Axis
from cntk.default_options import default_override_or, get_default_override
from cntk.initializer import glorot_uniform
from cntk.layers.blocks import Stabilizer
from cntk.layers.dense import Dense
from cntk.layers.higher_order_layers import Sequential
from cntk.layers.options import as_count, as_layer_name
from cntk.layers.sequence import PastValueWindow
from cntk.typing import InitializerLike
from cntk.variables import Constant

__all__ = ["AttentionModel"]

# Scores of frames that are not there, before the softmax: of a whole sequence, and of a window.
_NO_FRAME = -1e30
_NO_FRAME_OF_WINDOW = -50.0


def AttentionModel(
    attention_dim: int,
    attention_span: int | None = None,
    attention_axis: Any = None,
    init: InitializerLike = default_override_or(glorot_uniform()),
    go_backwards: Any = default_override_or(False),
    enable_self_stabilization: Any = default_override_or(True),
    name: str = "",
) -> Function:
    """Additive attention (Bahdanau et al., 2015): the encoder's frames, weighted by how they fit
    the decoder's state.

    Args:
        attention_dim: size of the space in which frames and state are compared.
        attention_span: how many of the encoder's last frames are looked at; all by default.
        attention_axis: the static axis along which these frames are put together; with
            ``attention_span`` only.
        init: initial value of all weights.
        go_backwards: whether ``attention_span`` counts from the first frame.
        enable_self_stabilization: whether values pass a `Stabilizer` before they are multiplied.
        name: its name in the graph.

    Returns:
        A function of the encoder's states and of the decoder's state, sequences on axes of their
        own; its output lies on the decoder's axis.

    Raises:
        ValueError: if only one of ``attention_span`` and ``attention_axis`` is given.

    Example:
        >>> import cntk as C
        >>> attend = C.layers.AttentionModel(8, attention_span=3, attention_axis=-3)
        >>> encoded = C.sequence.input_variable(5, sequence_axis=C.Axis("source"))
        >>> decoded = C.sequence.input_variable(6, sequence_axis=C.Axis("target"))
        >>> attend(encoded, decoded).shape
        (1, 1, 5)
    """
    init = get_default_override(AttentionModel, init=init)
    backwards = as_flag(
        get_default_override(AttentionModel, go_backwards=go_backwards),
        "AttentionModel: go_backwards",
    )
    stable = get_default_override(
        AttentionModel, enable_self_stabilization=enable_self_stabilization
    )
    stable = as_flag(stable, "AttentionModel: enable_self_stabilization")
    name = as_layer_name(name, "AttentionModel")
    attention_dim = as_count(attention_dim, "AttentionModel: attention_dim")
    if attention_span is not None:
        attention_span = as_count(attention_span, "AttentionModel: attention_span", most=2**16)
    if attention_span is None and attention_axis is not None:
        raise ValueError(
            "AttentionModel: attention_span cannot be None when attention_axis is not None; give "
            "both or neither"
        )
    if attention_span is not None and attention_axis is None:
        raise ValueError(
            "AttentionModel: attention_axis cannot be None when attention_span is not None; give "
            "both or neither"
        )

    def projection(size: int) -> Function:
        return Sequential(
            [
                Stabilizer(enable_self_stabilization=stable),
                Dense(size, activation=None, init=init, input_rank=1, bias=False),
            ]
        )

    of_encoder, of_decoder, score = (
        projection(attention_dim),
        projection(attention_dim),
        projection(1),
    )
    of_result = Stabilizer(enable_self_stabilization=stable)

    def scores(frames: Any, state: Any) -> Any:
        return score(
            ops.tanh(of_decoder(state) + ops.sequence.broadcast_as(of_encoder(frames), state))
        )

    def attend_to_window(h_enc: Any, h_dec: Any) -> Any:
        values, valid = PastValueWindow(
            attention_span or 0, axis=attention_axis, go_backwards=backwards
        )(h_enc).outputs
        missing = ops.sequence.broadcast_as(valid, h_dec) - 1
        masked = scores(values, h_dec) + missing * Constant(-_NO_FRAME_OF_WINDOW)
        weights = ops.alias(ops.softmax(masked, axis=attention_axis), name="attention_weights")
        summed = ops.reduce_sum(
            ops.sequence.broadcast_as(values, h_dec) * weights, axis=attention_axis
        )
        return of_result(summed)

    def attend(encoder_hidden_state: Any, decoder_hidden_state: Any) -> Any:
        behind = Axis.new_leading_axis()
        values, valid = ops.sequence.unpack(encoder_hidden_state, padding_value=0).outputs
        present = ops.sequence.broadcast_as(
            ops.reshape(valid, (1,), behind, behind), decoder_hidden_state
        )
        masked = ops.element_select(
            present, scores(values, decoder_hidden_state), Constant(_NO_FRAME)
        )
        weights = ops.alias(ops.softmax(masked, axis=0), name="attention_weights")
        summed = ops.reduce_sum(weights * ops.sequence.broadcast_as(values, weights), axis=0)
        return of_result(ops.reshape(summed, (), 0, 1))

    attention = Function(attend if attention_span is None else attend_to_window)
    return ops.alias(attention, name) if name else attention


hand_on(globals())
