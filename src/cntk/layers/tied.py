"""An output layer that shares an embedding's matrix: an addition."""

from __future__ import annotations

from typing import Any

from cntk import ops
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.types import InferredDimension
from cntk.default_options import default_override_or, get_default_override
from cntk.typing import InitializerLike
from cntk.variables import Constant, Parameter

__all__ = ["TiedProjection"]


def TiedProjection(
    embedding: Function,
    bias: Any = default_override_or(True),
    init_bias: InitializerLike = default_override_or(0),
    name: str = "",
) -> Function:
    """Layer that scores each word by the product of a vector with its embedding (Press and Wolf,
    2017).

    An addition: the original has none. The matrix is the embedding's own: both learn it.

    Args:
        embedding: an `Embedding`, or a function that holds one embedding ``E`` [vocabulary, size].
        bias: whether a number is added to each word's score.
        init_bias: initial value of the parameter ``b`` [vocabulary].
        name: its name in the graph.

    Returns:
        A function of vectors ``[size]`` that gives ``x E' + b`` [vocabulary].

    Raises:
        ValueError: if ``embedding`` does not hold exactly one matrix ``E``.

    Example:
        >>> import cntk as C
        >>> embed = C.layers.Embedding(weights=[[1, 2], [3, 4], [5, 6]])
        >>> x = C.input_variable(2)
        >>> C.layers.TiedProjection(embed)(x).eval({x: [[1, 1]]})
        array([[ 3.,  7., 11.]], dtype=float32)
    """
    bias = get_default_override(TiedProjection, bias=bias)
    init_bias = get_default_override(TiedProjection, init_bias=init_bias)
    E = _matrix(embedding)
    b = (
        Parameter(InferredDimension if E.shape[0] < 0 else E.shape[0], init=init_bias, name="b")
        if bias
        else None
    )

    @BlockFunction("TiedProjection", name)
    def score(x: Any) -> Any:
        scores = ops.times_transpose(x, E)
        return scores if b is None else scores + b

    return score


def _matrix(embedding: Any) -> Parameter | Constant:
    matrices = [
        v
        for v in getattr(embedding, "inputs", ())
        if isinstance(v, (Parameter, Constant)) and v.name == "E"
    ]
    if len(matrices) != 1 or len(matrices[0].shape) != 2:
        shown_matrices = ", ".join(map(repr, matrices)) or repr(embedding)
        raise ValueError(
            f"TiedProjection: expected an Embedding, which holds one matrix 'E' [vocabulary, "
            f"size], got {shown_matrices}"
        )
    return matrices[0]
