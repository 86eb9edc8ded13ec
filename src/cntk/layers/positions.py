"""Layers that tell each frame its place in the sequence, for models that would not know otherwise:
additions.
"""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk.default_options import default_override_or, get_default_override
from cntk.initializer import glorot_uniform
from cntk.layers.options import as_shape, initial
from cntk.typing import InitializerLike, ShapeLike
from cntk.variables import Parameter

__all__ = ["PositionalEmbedding", "PositionalEncoding"]


def PositionalEncoding(base: float = 10000.0, name: str = "") -> Function:
    """Layer that adds sine and cosine of each frame's place to it (Vaswani et al., 2017).

    An addition: the original has none. It has no parameters, and sequences may be of any length;
    see `cntk.sequence.positional_encoding`.

    Args:
        base: the longest wave is ``2 pi base`` frames long, about.
        name: its name in the graph.

    Returns:
        A function of one sequence of vectors.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(2)
        >>> C.layers.PositionalEncoding()(x).eval({x: [[[0, 0], [5, 5]]]})[0].round(4)
        array([[0.    , 1.    ],
               [5.8415, 5.5403]], dtype=float32)
    """

    @BlockFunction("PositionalEncoding", name)
    def encode(x: Any) -> Any:
        return x + ops.sequence.positional_encoding(x, base)

    return encode


def PositionalEmbedding(
    max_length: int,
    shape: ShapeLike,
    init: InitializerLike = default_override_or(glorot_uniform()),
    name: str = "",
) -> Function:
    """Layer that adds a learned vector to each frame, one for each place in a sequence (Gehring et
    al., 2017).

    An addition: the original has none.

    Args:
        max_length: how many places there are; longer sequences are refused when they come.
        shape: a frame's shape, a number or a tuple.
        init: initial value of the parameter ``E`` [max_length, *shape].
        name: its name in the graph.

    Returns:
        A function of one sequence.

    Raises:
        ValueError: if ``max_length`` is less than 1.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(1)
        >>> embed = C.layers.PositionalEmbedding(3, 1, init=[[10], [20], [30]])
        >>> embed(x).eval({x: [[[1], [2]], [[3]]]})
        [array([[11.],
                [22.]], dtype=float32), array([[13.]], dtype=float32)]
    """
    if max_length < 1:
        raise ValueError(f"PositionalEmbedding: max_length must be at least 1, got {max_length}")
    init = initial(get_default_override(PositionalEmbedding, init=init), "PositionalEmbedding")
    E = Parameter(
        (int(max_length), *as_shape(shape, "PositionalEmbedding: shape")), init=init, name="E"
    )

    @BlockFunction("PositionalEmbedding", name)
    def embed(x: Any) -> Any:
        return x + ops.gather(E, ops.sequence.position(x))

    return embed
