"""Layers that make one vector of a sequence: its largest elements, its mean, an end, or a learned
average. Additions.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk.default_options import default_override_or, get_default_override
from cntk.initializer import glorot_uniform
from cntk.layers.options import activated, initial
from cntk.typing import ActivationLike, InitializerLike
from cntk.variables import Parameter

__all__ = [
    "SequenceAttentionPooling",
    "SequenceAveragePooling",
    "SequenceFirst",
    "SequenceLast",
    "SequenceMaxPooling",
]


def _pooling(layer: str, pool: Callable[[Any], Any], name: str) -> Function:
    @BlockFunction(layer, name)
    def pooled(x: Any) -> Any:
        return pool(x)

    return pooled


def SequenceMaxPooling(name: str = "") -> Function:
    """Layer that keeps the largest of each element over a sequence's frames. An addition: the
    original has none.

    Args:
        name: its name in the graph.

    Returns:
        A function of one sequence; the output has a batch axis alone.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(2)
        >>> C.layers.SequenceMaxPooling()(x).eval({x: [[[1, 5], [2, 3]], [[4, 4]]]})
        array([[2., 5.],
               [4., 4.]], dtype=float32)
    """
    return _pooling("SequenceMaxPooling", ops.sequence.reduce_max, name)


def SequenceAveragePooling(name: str = "") -> Function:
    """Layer that takes the mean of each element over a sequence's frames. An addition: the original
    has none.

    Args:
        name: its name in the graph.

    Returns:
        A function of one sequence; the output has a batch axis alone.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(2)
        >>> C.layers.SequenceAveragePooling()(x).eval({x: [[[1, 5], [2, 3]], [[4, 4]]]})
        array([[1.5, 4. ],
               [4. , 4. ]], dtype=float32)
    """
    return _pooling("SequenceAveragePooling", ops.sequence.reduce_mean, name)


def SequenceFirst(name: str = "") -> Function:
    """Layer that keeps a sequence's first frame. An addition: the original has
    `cntk.sequence.first` alone.

    Args:
        name: its name in the graph.

    Returns:
        A function of one sequence; the output has a batch axis alone.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.layers.SequenceFirst()(x).eval({x: [[[1], [2]], [[4]]]})
        array([[1.],
               [4.]], dtype=float32)
    """
    return _pooling("SequenceFirst", ops.sequence.first, name)


def SequenceLast(name: str = "") -> Function:
    """Layer that keeps a sequence's last frame. An addition: the original has `cntk.sequence.last`
    alone.

    Args:
        name: its name in the graph.

    Returns:
        A function of one sequence; the output has a batch axis alone.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> C.layers.SequenceLast()(x).eval({x: [[[1], [2]], [[4]]]})
        array([[2.],
               [4.]], dtype=float32)
    """
    return _pooling("SequenceLast", ops.sequence.last, name)


def SequenceAttentionPooling(
    attention_dim: int,
    activation: ActivationLike = default_override_or(ops.tanh),
    init: InitializerLike = default_override_or(glorot_uniform()),
    init_bias: InitializerLike = default_override_or(0),
    name: str = "",
) -> Function:
    """Layer that averages a sequence's frames by learned weights (Yang et al., 2016). An addition:
    the original has none.

    A frame x weighs ``softmax(activation(x W + b) v)`` over the frames of its sequence.

    Args:
        attention_dim: size of the space in which frames are judged.
        activation: what is applied there.
        init: initial value of ``W`` and ``v``.
        init_bias: initial value of ``b``.
        name: its name in the graph.

    Returns:
        A function of one sequence of vectors, with parameters ``W`` [input, attention_dim], ``b``
        [attention_dim] and ``v`` [attention_dim, 1]; the output has a batch axis alone.

    Raises:
        ValueError: if ``attention_dim`` is less than 1.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(2)
        >>> pool = C.layers.SequenceAttentionPooling(3, init=0)  # equal weights
        >>> pool(x).eval({x: [[[1, 5], [2, 3]], [[4, 4]]]})
        array([[1.5, 4. ],
               [4. , 4. ]], dtype=float32)
    """
    activated_by: Any = get_default_override(SequenceAttentionPooling, activation=activation)
    init = get_default_override(SequenceAttentionPooling, init=init)
    init_bias = get_default_override(SequenceAttentionPooling, init_bias=init_bias)
    if attention_dim < 1:
        raise ValueError(
            f"SequenceAttentionPooling: attention_dim must be at least 1, got {attention_dim}"
        )
    weights = initial(init, "SequenceAttentionPooling", output_rank=1)
    W = Parameter((InferredDimension, attention_dim), init=weights, name="W")
    b = Parameter(attention_dim, init=init_bias, name="b")
    v = Parameter((attention_dim, 1), init=weights, name="v")

    def pool(x: Any) -> Any:
        scores = ops.times(activated(ops.times(x, W) + b, activated_by), v)
        return ops.sequence.reduce_sum(x * ops.sequence.softmax(scores))

    return _pooling("SequenceAttentionPooling", pool, name)
