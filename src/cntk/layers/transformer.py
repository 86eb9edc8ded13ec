"""Layers of transformers: attention with several heads, and the block that is made of it.
Additions.

Sequences of a minibatch are of any length and do not see each other; nothing is padded, and there
are no masks.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk._ops.sequence.attention import attention
from cntk.default_options import default_override_or, get_default_override
from cntk.initializer import glorot_uniform
from cntk.layers.dense import Dense, Dropout
from cntk.layers.options import initial
from cntk.typing import ActivationLike, InitializerLike
from cntk.variables import Parameter

__all__ = ["MultiHeadAttention", "TransformerBlock"]


def MultiHeadAttention(
    num_heads: int,
    model_dim: int,
    cross: bool = False,
    causal: bool = False,
    dropout_rate: float = 0.0,
    init: InitializerLike = default_override_or(glorot_uniform()),
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    name: str = "",
) -> Function:
    """Attention with several heads beside each other (Vaswani et al., 2017). An addition: the
    original has none.

    Each frame is projected to a query, a key and a value for each head. A head gives each frame the
    values of all frames of its sequence, weighted by the softmax of the products of its query with
    their keys over the root of their size. What the heads give is projected once more. Frames of
    different sequences never see each other.

    Args:
        num_heads: how many heads.
        model_dim: size of the output; each head's vectors have ``model_dim / num_heads`` elements.
        cross: whether keys and values come from a second sequence, which may lie on another axis.
        causal: whether a frame sees only frames that stand no later than itself.
        dropout_rate: probability of a weight to be set to zero while training.
        init: initial value of all projections.
        bias: whether projections have a bias.
        init_bias: its initial value.
        name: its name in the graph.

    Returns:
        A function of one sequence of vectors, of any size, with parameters ``Wqkv`` [input, 3,
        heads, size], ``bqkv``, ``Wo`` [heads, size, model_dim] and ``bo``. If ``cross`` a function
        of two sequences, with ``Wq`` [input, heads, size] and ``Wkv`` [other input, 2, heads, size]
        in place of the first.

    Raises:
        ValueError: if ``num_heads`` does not divide ``model_dim``, or the rate is not in [0, 1).

    Example:
        >>> import cntk as C, numpy as np
        >>> x = C.sequence.input_variable(6)
        >>> y = C.layers.MultiHeadAttention(num_heads=2, model_dim=8)(x)
        >>> [v.shape for v in y.eval({x: [np.ones((5, 6)), np.ones((2, 6))]})]
        [(5, 8), (2, 8)]
    """
    init = get_default_override(MultiHeadAttention, init=init)
    bias = get_default_override(MultiHeadAttention, bias=bias)
    init_bias = get_default_override(MultiHeadAttention, init_bias=init_bias)
    if num_heads < 1 or model_dim < 1 or model_dim % num_heads:
        raise ValueError(
            f"MultiHeadAttention: model_dim ({model_dim}) must be a positive multiple of num_heads "
            f"({num_heads})"
        )
    _check_rate("MultiHeadAttention", dropout_rate)
    size = model_dim // num_heads

    def projection(
        shape: tuple[int, ...], suffix: str, input_shape: tuple[int, ...] = (InferredDimension,)
    ) -> Any:
        weights = initial(init, "MultiHeadAttention", output_rank=len(shape))
        W = Parameter((*input_shape, *shape), init=weights, name=f"W{suffix}")
        b = Parameter(shape, init=init_bias, name=f"b{suffix}") if bias else None

        def project(x: Any) -> Any:
            product = ops.times(x, W, output_rank=len(shape))
            return product if b is None else product + b

        return project

    heads = (num_heads, size)
    own = projection(heads, "q") if cross else projection((3, *heads), "qkv")
    others = projection((2, *heads), "kv") if cross else None
    out = projection((model_dim,), "o", heads)

    def attend(*projected: Any) -> Any:
        return out(attention(projected, 1 / math.sqrt(size), causal, dropout_rate))

    if others is None:

        @BlockFunction("MultiHeadAttention", name)
        def self_attention(x: Any) -> Any:
            return attend(own(x))

        return self_attention

    @BlockFunction("MultiHeadAttention", name)
    def cross_attention(x: Any, memory: Any) -> Any:
        return attend(own(x), others(memory))

    return cross_attention


def TransformerBlock(
    num_heads: int,
    model_dim: int,
    hidden_dim: int | None = None,
    activation: ActivationLike = default_override_or(ops.relu),
    cross: bool = False,
    causal: bool = False,
    dropout_rate: float = 0.0,
    normalize_first: bool = True,
    epsilon: Any = default_override_or(0.00001),
    init: InitializerLike = default_override_or(glorot_uniform()),
    init_bias: InitializerLike = default_override_or(0),
    name: str = "",
) -> Function:
    """One layer of a transformer (Vaswani et al., 2017). An addition: the original has none.

    Attention of the frames of a sequence to each other, then, if ``cross``, to those of another
    sequence, then two dense layers on each frame. Around each of the three there is a shortcut, and
    beside each `cntk.layer_normalization`, with epsilon added to the variance: before it, which
    trains more easily (Xiong et al., 2020), or after the sum, as in the paper.

    A stack of blocks that normalise first wants one more normalisation at its end. Blocks know
    nothing of the order of frames; `PositionalEncoding` or `PositionalEmbedding` goes before the
    first.

    Args:
        num_heads: how many heads attention has.
        model_dim: size of the frames of the argument and of the result.
        hidden_dim: size between the two dense layers; four times ``model_dim`` if not given.
        activation: of the first dense layer, `cntk.gelu` for one.
        cross: whether it looks at a second sequence as well, which may lie on another axis and have
            another size.
        causal: whether a frame sees only frames of its own sequence that stand no later than
            itself. The second sequence is always seen as a whole.
        dropout_rate: probability of a zero while training: of attention's weights, of what the
            activation gives, and of what is added to a shortcut.
        normalize_first: whether to normalise before attention and dense layers, or after the sums.
        epsilon: added to the variance.
        init: initial value of all weights.
        init_bias: initial value of the biases of dense layers and attention.
        name: its name in the graph.

    Returns:
        A function of one sequence of vectors ``[model_dim]``, or of two if ``cross``.

    Raises:
        ValueError: if ``num_heads`` does not divide ``model_dim``, or the rate is not in [0, 1).

    Example:
        >>> import cntk as C
        >>> from cntk.layers import (
        ...     Dense,
        ...     Embedding,
        ...     For,
        ...     PositionalEncoding,
        ...     Sequential,
        ...     TransformerBlock,
        ... )
        >>> tagger = Sequential(
        ...     [
        ...         Embedding(16),
        ...         PositionalEncoding(),
        ...         For(range(2), lambda: TransformerBlock(num_heads=4, model_dim=16)),
        ...         Dense(5),
        ...     ]
        ... )
        >>> words = C.sequence.input_variable(100, is_sparse=True)
        >>> [
        ...     v.shape
        ...     for v in tagger(words).eval({words: C.Value.one_hot([[3, 14, 15, 9], [2, 6]], 100)})
        ... ]
        [(4, 5), (2, 5)]
    """
    activation = get_default_override(TransformerBlock, activation=activation)
    epsilon = get_default_override(TransformerBlock, epsilon=epsilon)
    init = get_default_override(TransformerBlock, init=init)
    init_bias = get_default_override(TransformerBlock, init_bias=init_bias)
    _check_rate("TransformerBlock", dropout_rate)
    values: dict[str, Any] = {"init": init, "init_bias": init_bias, "bias": True}

    def attend(cross: bool, causal: bool, name: str) -> Function:
        return MultiHeadAttention(
            num_heads, model_dim, cross, causal, dropout_rate, **values, name=name
        )

    def around(name: str) -> Callable[..., Any]:
        normalize, drop = _normalization(model_dim, epsilon, f"{name}_norm"), _dropout(dropout_rate)

        def shortcut(layer: Callable[..., Any], x: Any, *more: Any) -> Any:
            if normalize_first:
                return x + drop(layer(normalize(x), *more))
            return normalize(x + drop(layer(x, *more)))

        return shortcut

    look, around_look = attend(False, causal, "self_attention"), around("self_attention")
    look_over = attend(True, False, "cross_attention") if cross else None
    around_look_over = around("cross_attention")
    expand = Dense(
        4 * model_dim if hidden_dim is None else hidden_dim, activation, **values, name="expand"
    )
    contract, drop, around_dense = (
        Dense(model_dim, None, **values, name="contract"),
        _dropout(dropout_rate),
        around("dense"),
    )

    def dense(x: Any) -> Any:
        return contract(drop(expand(x)))

    if look_over is None:

        @BlockFunction("TransformerBlock", name)
        def encode(x: Any) -> Any:
            return around_dense(dense, around_look(look, x))

        return encode

    @BlockFunction("TransformerBlock", name)
    def decode(x: Any, memory: Any) -> Any:
        return around_dense(dense, around_look_over(look_over, around_look(look, x), memory))

    return decode


def _check_rate(layer: str, rate: float) -> None:
    if not 0 <= rate < 1:
        raise ValueError(f"{layer}: dropout_rate must be in the interval [0, 1), got {rate}")


def _dropout(rate: float) -> Callable[[Any], Any]:
    return Dropout(rate) if rate else lambda x: x


def _normalization(size: int, epsilon: float, name: str) -> Function:
    scale, bias = Parameter(size, init=1, name="scale"), Parameter(size, init=0, name="bias")

    @BlockFunction("LayerNormalization", name)
    def normalize(x: Any) -> Any:
        return ops.layer_normalization(x, scale, bias, epsilon)

    return normalize
