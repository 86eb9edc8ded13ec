"""Factorization of dense layers: a weight matrix becomes the product of two narrow ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cntk import ops
from cntk._arguments import as_flag, as_function, as_integer, shown
from cntk._graph.define import BlockFunction
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.types import InferredDimension
from cntk._wording import operation_text, shape_text
from cntk.default_options import default_options, default_override_or, get_default_override
from cntk.errors import ArgumentError, ConversionError
from cntk.layers import Dense, identity
from cntk.layers.options import activated, as_activation
from cntk.misc.converter import convert
from cntk.variables import Parameter

__all__ = ["dense_factored", "factor_dense", "svd_subprojection"]

Projection = Callable[[NDArray[Any]], int]
Factors = Callable[[NDArray[Any], int], tuple[NDArray[Any], NDArray[Any]]]

_NO_WEIGHTS = {"W1": None, "W2": None}


def svd_subprojection(matrix: ArrayLike, k: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return two matrices whose product is the closest of rank ``k`` to a matrix.

    Args:
        matrix: the matrix, ``[m, n]``.
        k: the rank; more than there is counts as all.

    Returns:
        The first ``k`` left singular vectors ``[m, k]``, and the right ones times their singular
        values ``[k, n]``.

    Raises:
        TypeError: if ``k`` is no integer.
        numpy.linalg.LinAlgError: for anything but a matrix.

    Example:
        >>> left, right = svd_subprojection([[2, 4], [1, 2]], 1)
        >>> (left @ right).round(4)
        array([[2., 4.],
               [1., 2.]])
    """
    k = None if k is None else as_integer(k, "svd_subprojection: k")
    try:
        left, values, right = np.linalg.svd(np.asarray(matrix), full_matrices=False)
    except (TypeError, ValueError) as error:
        raise MatrixError(
            f"svd_subprojection: expected a two-dimensional array of numbers, got {shown(matrix)}"
        ) from error
    return np.ascontiguousarray(left[:, :k]), values[:k, np.newaxis] * right[:k]


class MatrixError(np.linalg.LinAlgError, ArgumentError):
    """Raised where a matrix is expected."""


def optional_function(function: Any, what: str, of: str) -> Any:
    """Return a function, or None; as in the original, whatever is empty stands for None.

    Raises:
        ArgumentError: for anything else.
    """
    if not callable(function) and not isinstance(function, np.ndarray) and not function:
        return None
    return as_function(function, what, of, "or None")


def factor_dense(
    model: Function,
    projection_function: Projection | None = None,
    filter_function: Callable[[Function], bool] | None = None,
    factor_function: Factors | None = None,
) -> Function:
    """Replace dense layers by such as take a product of two matrices instead of one.

    A layer that is replaced keeps its bias and loses its activation, as in the original: leave out
    by ``filter_function`` what has one inside, or apply activations outside of dense layers.

    Args:
        model: the model; it is left as it is.
        projection_function: given a layer's weights ``[inputs, outputs]``, says how many columns
            the first matrix has.
        filter_function: says of a dense layer whether it is to be replaced; all are by default.
        factor_function: given the weights and that number, returns the two matrices ``[inputs, k]``
            and ``[k, outputs]``, with a ``k`` of its own if it likes; `svd_subprojection` by
            default.

    Returns:
        A new model, in which layers that are not replaced share their parameters with the old one.

    Raises:
        ValueError: if neither ``projection_function`` nor ``factor_function`` is given, for a layer
            whose weights are no matrix yet, and for a ``k`` below 1.
        TypeError: if ``projection_function`` gives no integer.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(6)
        >>> model = C.layers.Dense(4)(C.layers.Dense(5, activation=C.tanh, name="hidden")(x))
        >>> smaller = factor_dense(model, lambda W: 2, lambda layer: layer.name != "hidden")
        >>> [(p.name, p.shape) for p in smaller.parameters]
        [('W2', (2, 4)), ('W1', (5, 2)), ('b', (4,)), ('W', (6, 5)), ('b', (5,))]
    """
    if not isinstance(model, Function):
        raise ArgumentError(f"factor_dense: model: expected a function, got {shown(model)}")
    projection_function = optional_function(
        projection_function, "factor_dense: projection_function", "of a layer's weights"
    )
    filter_function = optional_function(
        filter_function, "factor_dense: filter_function", "of a layer"
    )
    factor_function = optional_function(
        factor_function, "factor_dense: factor_function", "of weights and a number of columns"
    )
    if factor_function is None and projection_function is None:
        raise ValueError(
            "factor_dense: give a projection_function, which says of weights how many columns to "
            "keep"
        )

    def concerned(function: Function) -> bool:
        is_dense = function.op_name == "Dense" and function.is_block
        return is_dense and (filter_function is None or bool(filter_function(function)))

    def factored(layer: Function) -> Function:
        weights, bias = _weights_of(layer)
        what = f"factor_dense: {operation_text('Dense', layer.name)}"
        k = min(weights.shape) if projection_function is None else projection_function(weights)
        if not isinstance(k, (int, float, np.number)) or not k >= 1:
            raise ValueError(
                f"{what}: the projection_function must keep at least one column, and returned {k!r}"
            )
        factors: Callable[..., Any] = factor_function or svd_subprojection
        W1, W2 = factors(weights, k)
        with default_options(dtype=weights.dtype):
            layer_of = dense_factored(
                (int(k), weights.shape[1]),
                activation=None,
                init={"W1": W1, "W2": W2},
                bias=bias is not None,
                init_bias=0 if bias is None else bias,
                name="DenseFactored",
            )
        made: Function = layer_of(layer.inputs[-1])
        return made

    return convert(model, concerned, factored)


def _weights_of(layer: Function) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """Return a dense layer's matrix and its bias, if it has one."""
    variables: dict[str, Any] = {v.name: v for v in layer.inputs[:-1]}
    weights = variables["W"]
    if weights.shape and (len(weights.shape) != 2 or min(weights.shape) < 0):
        raise ValueError(
            f"factor_dense: {operation_text('Dense', layer.name)}: its weights must be a matrix, "
            f"and are of shape {shape_text(weights.shape)}; apply the model to an input of known "
            f"shape first, and leave out layers of several axes by filter_function"
        )
    return weights.value, variables["b"].value if "b" in variables else None


def dense_factored(
    shapes: tuple[int, int],
    activation: Any = default_override_or(identity),
    init: Mapping[str, Any] = _NO_WEIGHTS,
    input_rank: None = None,
    map_rank: None = None,
    bias: Any = default_override_or(True),
    init_bias: Any = default_override_or(0),
    name: str = "",
) -> Function:
    """Create a dense layer with a product of two matrices as its weights: ``activation(x W1 W2 +
    b)``.

    Options of `cntk.layers.Dense` set by `default_options` count here too.

    Args:
        shapes: how many columns the two matrices have, ``(k, outputs)``.
        activation: what is applied to the sum; none by default.
        init: initial values by the names ``W1`` and ``W2``: arrays, whose own shapes count, or
            initializers; 0 by default.
        input_rank: not supported, as in the original: leave it out.
        map_rank: the same.
        bias: whether there is a ``b``.
        init_bias: initial value of ``b``.
        name: its name in the graph.

    Returns:
        A function of one argument with parameters ``W1`` [inputs, k], ``W2`` [k, outputs] and ``b``
        [outputs].

    Raises:
        ConversionError: (a ValueError and AssertionError) for other shapes than two integers, or if
            ``input_rank`` or ``map_rank`` is given.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> layer = dense_factored(
        ...     (1, 3), init={"W1": [[1], [2]], "W2": [[1, 0, -1]]}, init_bias=0.5
        ... )
        >>> layer(x).eval([[1, 1]])
        array([[ 3.5,  0.5, -2.5]], dtype=float32)
    """
    if input_rank is not None or map_rank is not None:
        raise ConversionError(
            "dense_factored: input_rank and map_rank cannot be given: the input must be a vector"
        )
    if not isinstance(shapes, (tuple, list)) or [type(n) for n in shapes] != [int, int]:
        raise ConversionError(
            f"dense_factored: expected two integers (k, outputs) as shapes, got {shown(shapes)}"
        )
    activation = as_activation(get_default_override(Dense, activation=activation), "dense_factored")
    bias = as_flag(get_default_override(Dense, bias=bias), "dense_factored: bias")
    if not isinstance(init, Mapping) or not {"W1", "W2"} <= set(init):
        raise ArgumentError(
            f"dense_factored: init: expected a dictionary with W1 and W2, got {shown(init)}"
        )
    init_bias = get_default_override(Dense, init_bias=init_bias)
    k, outputs = shapes
    W1 = Parameter((InferredDimension, k), init=_initial(init["W1"]), name="W1")
    W2 = Parameter((k, outputs), init=_initial(init["W2"]), name="W2")
    b = Parameter((outputs,), init=init_bias, name="b") if bias else None

    @BlockFunction("DenseFactored", name)
    def dense(x: Any) -> Any:
        r = ops.times(ops.times(x, W1), W2)
        return activated(r if b is None else r + b, activation)

    return dense


def _initial(value: Any) -> Any:
    return 0 if value is None else value


hand_on(globals())
