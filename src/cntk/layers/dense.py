"""Fully connected layers, embeddings, and the layers without weights that stand between others."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk import ops
from cntk._arguments import as_flag, as_real, as_string
from cntk._graph.bfloat16 import is_number
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed
from cntk.default_options import default_override_or, get_default_override, is_default_override
from cntk.errors import RangeError
from cntk.initializer import glorot_uniform
from cntk.layers.blocks import identity
from cntk.layers.options import (
    MOST_AXES,
    activated,
    as_activation,
    as_count,
    as_shape,
    initial,
    initial_bias,
    shape_for,
)
from cntk.typing import ActivationLike, InitializerLike, ShapeLike
from cntk.variables import Constant, Parameter

__all__ = ["Activation", "Dense", "Dropout", "Embedding", "Label"]


def Dense(
    shape: ShapeLike,
    activation: ActivationLike = default_override_or(identity),
    init: InitializerLike = default_override_or(glorot_uniform()),
    input_rank: int | None = None,
    map_rank: int | None = None,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    name: str = "",
) -> Function:
    """Fully connected layer: ``activation(x W + b)``, each output seeing all inputs.

    Args:
        shape: the output's shape, a number or a tuple.
        activation: what is applied to the sum; none by default.
        init: initial value of ``W``.
        input_rank: how many of the input's last axes are summed over; all by default.
        map_rank: how many of its first axes are kept instead; not both of these.
        bias: whether there is a ``b``.
        init_bias: initial value of ``b``.
        name: its name in the graph.

    Returns:
        A function of one argument with parameters ``W`` [*input, *shape] and ``b`` [*shape].

    Raises:
        ValueError: if both ``input_rank`` and ``map_rank`` are given.

    Example:
        >>> import cntk as C
        >>> layer = C.layers.Dense(2, init=1, init_bias=0.5)
        >>> x = C.input_variable(3)
        >>> layer(x).eval({x: [[1, 2, 3]]})
        array([[6.5, 6.5]], dtype=float32)
    """
    activation = as_activation(get_default_override(Dense, activation=activation), "Dense")
    init = get_default_override(Dense, init=init)
    bias = as_flag(get_default_override(Dense, bias=bias), "Dense: bias")
    init_bias = get_default_override(Dense, init_bias=init_bias)
    output_shape = as_shape(shape, "Dense: shape")
    if not output_shape:
        raise RangeError("Dense: shape: expected at least one axis, got (); give 1 for a scalar")
    if input_rank is not None and map_rank is not None:
        raise ValueError("Dense: input_rank and map_rank cannot be specified at the same time.")

    if input_rank is not None:
        input_rank = as_count(input_rank, "Dense: input_rank", least=0, most=MOST_AXES)
    if map_rank is not None:
        map_rank = as_count(map_rank, "Dense: map_rank", least=0, most=MOST_AXES)

    map_axes = -1 if input_rank is not None else (map_rank or 0)
    W = Parameter(
        shape_for(
            (InferredDimension,) * (1 if input_rank is None else input_rank) + output_shape, init
        ),
        init=initial(init, "Dense", output_rank=len(output_shape)),
        name="W",
    )
    b = (
        Parameter(output_shape, init=initial_bias(init_bias, output_shape, "Dense"), name="b")
        if bias
        else None
    )

    @BlockFunction("Dense", name)
    def dense(x: Any) -> Any:
        r = ops.times(x, W, output_rank=len(output_shape), infer_input_rank_to_map=map_axes)
        return activated(r if b is None else r + b, activation)

    return dense


def Embedding(
    shape: ShapeLike | None = None,
    init: InitializerLike = default_override_or(glorot_uniform()),
    weights: Any = None,
    name: str = "",
) -> Function:
    """Embedding layer: one-hot vectors, or weighted bags of words, turned into vectors of a smaller
    size.

    Args:
        shape: the vectors' shape, for an embedding that is learned.
        init: initial value of the parameter ``E`` [vocabulary, *shape].
        weights: the embedding itself, ``[vocabulary, size]``, if it is given and not learned.
        name: its name in the graph.

    Returns:
        A function of one argument ``[vocabulary]``; sparse inputs are looked up, not multiplied.

    Raises:
        ValueError: unless either ``shape`` or ``weights`` is given.

    Example:
        >>> import cntk as C
        >>> words = C.input_variable(3, is_sparse=True)
        >>> embed = C.layers.Embedding(weights=[[1, 2], [3, 4], [5, 6]])
        >>> embed(words).eval({words: C.Value.one_hot([2, 0], 3)})
        array([[5., 6.],
               [1., 2.]], dtype=float32)
    """
    if weights is None:
        if shape is None:
            raise ValueError("Embedding: output shape must be specified, or weights be given")
        size = as_shape(shape, "Embedding: shape")
        init = get_default_override(Embedding, init=init)
        E: Any = Parameter(
            shape_for((InferredDimension, *size), init), init=initial(init, "Embedding"), name="E"
        )
    else:
        if not is_default_override(init):
            raise ValueError("Embedding: init and weights options are mutually exclusive")
        if shape is not None:
            raise ValueError("Embedding: output shape must not be specified when weights are given")
        E = Constant(_table(weights), name="E")

    @BlockFunction("Embedding", name)
    def embed(x: Any) -> Any:
        return ops.times(x, E)

    return embed


def _table(weights: Any) -> np.ndarray:
    """Check an embedding's weights, and return them as an array.

    Raises:
        TypeError: if it is no array of numbers.
    """
    try:
        table = np.asarray(weights)
    except ValueError:
        table = np.asarray(None)
    if not is_number(table.dtype) or table.ndim == 0:
        raise TypeError(
            f"Embedding: weights: expected an array or a list of vectors of one size, got "
            f"{type(weights).__name__}; to learn an embedding, give shape and init instead"
        )
    return table


def Activation(
    activation: ActivationLike = default_override_or(identity), name: str = ""
) -> Function:
    """Layer that applies an activation, for use in `Sequential`.

    Args:
        activation: a function of one argument.
        name: its name in the graph.

    Returns:
        A function of one argument.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> C.layers.Activation(C.relu)(x).eval({x: [[-1, 2]]})
        array([[0., 2.]], dtype=float32)
    """
    activation = as_activation(
        get_default_override(Activation, activation=activation), "Activation"
    )

    @BlockFunction("Activation", name)
    def activate(x: Any) -> Any:
        return activated(x, activation)

    return activate


def Dropout(
    dropout_rate: float | None = None,
    keep_prob: float | None = None,
    seed: int = SentinelValueForAutoSelectRandomSeed,
    name: str = "",
) -> Function:
    """Layer that sets elements to zero at random while training (Srivastava et al., 2014).

    Args:
        dropout_rate: probability of a zero, from 0 to less than 1.
        keep_prob: probability of staying, instead.
        seed: seed of the random numbers; chosen if not given.
        name: its name in the graph.

    Returns:
        A function of one argument.

    Raises:
        ValueError: unless exactly one probability is given, and in its range.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> C.layers.Dropout(0.5)(x).eval({x: [[1, 2]]})
        array([[1., 2.]], dtype=float32)
    """
    if dropout_rate is None and keep_prob is None:
        raise ValueError("Dropout: either dropout_rate or keep_prob must be specified.")
    if dropout_rate is not None and keep_prob is not None:
        raise ValueError(
            "Dropout: dropout_rate and keep_prob cannot be specified at the same time."
        )
    if keep_prob is not None:
        rate = 1 - as_real(keep_prob, "Dropout: keep_prob")
        if not 0 <= rate < 1:
            raise ValueError(f"Dropout: keep_prob must be in the interval (0,1], got {keep_prob}")
    else:
        rate = as_real(dropout_rate, "Dropout: dropout_rate")
        if not 0 <= rate < 1:
            raise ValueError(
                f"Dropout: dropout_rate must be in the interval [0,1), got {dropout_rate}"
            )
    seed = as_count(seed, "Dropout: seed", least=0, most=2**64 - 1)

    @BlockFunction("Dropout", name)
    def drop(x: Any) -> Any:
        return ops.dropout(x, dropout_rate=rate, seed=seed)

    return drop


def Label(name: str) -> Function:
    """Layer that does nothing but give a place in a model a name.

    Args:
        name: the name, by which `find_by_name` finds it.

    Returns:
        A function of one argument.

    Example:
        >>> import cntk as C
        >>> model = C.layers.Sequential(
        ...     [C.layers.Dense(2), C.layers.Label("hidden"), C.layers.Dense(1)]
        ... )
        >>> model(C.input_variable(3)).hidden.shape
        (2,)
    """

    name = as_string(name, "Label: name", "by which the place can be found")

    @Function
    def label(x: Any) -> Any:
        return ops.alias(x, name=name)

    return label
