"""Values rounded to a few bits each, with gradients that pass straight through, to train such
networks.

The methods of the classes are called during evaluation; programs call `CustomSign`, `CustomPySign`,
`CustomMultibit` and `CustomMultibitKernel`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cntk import ops
from cntk._arguments import as_integer, as_real, shown
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.variable import Variable
from cntk._ops.support.operands import as_operand
from cntk._ops.user.user_function import UserFunction
from cntk._wording import shape_text
from cntk.core import Value, user_function
from cntk.errors import ArgumentError, ConversionError, DataError
from cntk.variables import Constant

__all__ = [
    "CustomMultibit",
    "CustomMultibitKernel",
    "CustomPySign",
    "CustomSign",
    "Multibit",
    "MultibitKernel",
    "SignWithEstimation",
    "pySign",
]

Gradient = tuple[Function, Variable, Variable]

_MOST_BITS = 256


class _StraightThrough(UserFunction):
    """A function of one operand whose value and gradient are graphs of their own.

    Attributes:
        action: the graph of the value, and ``actionArg`` its argument.
        grad: the graph of the gradient, of ``gradArg``, the operand, and ``gradRoot``, the gradient
            from above.
    """

    action: Function
    grad: Function
    actionArg: Variable
    gradArg: Variable
    gradRoot: Variable

    @abstractmethod
    def _value(self, arg: Variable) -> tuple[Function, Variable]:
        """Return the graph of the value and its argument."""

    @abstractmethod
    def gradFunc(self, arg: Variable) -> Gradient:
        """Return the graph of the gradient, its argument for the operand, and that for the gradient
        from above.
        """

    def infer_outputs(self) -> list[Variable]:
        """Return the one output, of the operand's type."""
        operand = self.inputs[0]
        self.action, self.actionArg = self._value(operand)
        self.grad, self.gradArg, self.gradRoot = self.gradFunc(operand)
        return [ops.output_variable(operand.shape, operand.dtype, operand.dynamic_axes)]

    def forward(  # type: ignore[override]  # one output: the original passes no `outputs`
        self, argument: Value, device: Any, outputs_to_retain: Any
    ) -> tuple[Value, Value]:
        """Compute the value; the operand is kept for the gradient."""
        _, results = self.action.forward(
            {self.actionArg: argument}, self.action.outputs, device=device, as_numpy=False
        )
        return argument, results[self.action.output]

    def backward(  # type: ignore[override]  # one operand: no `variables`
        self, state: Value, root_gradients: Value
    ) -> Value:
        """Compute the operand's gradient."""
        data = {self.gradArg: state, self.gradRoot: root_gradients}
        _, gradients = self.grad.forward(
            data, self.grad.outputs, device=state.device, as_numpy=False
        )
        return gradients[self.grad.output]  # type: ignore[no-any-return]

    def serialize(self) -> dict[str, Any]:
        """Return what files hold besides the class: nothing."""
        return {}


def _like(operand: Variable) -> Variable:
    """Create an argument of an operand's type."""
    return ops.input_variable(operand.shape, operand.dtype, dynamic_axes=operand.dynamic_axes)


def _signs(x: Any) -> Function:
    """Return 1 for positive elements, else -1."""
    return ops.element_select(ops.greater(x, 0), 1, -1)


def _within(arg: Variable, bound: Any) -> Gradient:
    """Return a gradient that passes where the operand's magnitude is at most a bound."""
    operand, root = _like(arg), _like(arg)
    return ops.element_times(root, ops.less_equal(ops.abs(operand), bound)), operand, root


class SignWithEstimation(_StraightThrough):
    """Sign, -1 for 0 too; its gradient passes where the operand is between -1 and 1.

    Args:
        arg: the operand.
        name: its name in the graph.
    """

    def __init__(self, arg: Any, name: str = "SignWithEstimation") -> None:
        super().__init__([arg], as_numpy=False, name=name)

    def signFunc(self, arg: Variable) -> tuple[Function, Variable]:
        """Return the graph of the sign and its argument."""
        operand = _like(arg)
        return _signs(operand), operand

    _value = signFunc

    def gradFunc(self, arg: Variable) -> Gradient:
        return _within(arg, 1)

    @staticmethod
    def deserialize(inputs: Sequence[Variable], name: str, state: Any) -> SignWithEstimation:
        """Return the function as it was saved."""
        return SignWithEstimation(inputs[0], name)


class pySign(UserFunction):
    """`SignWithEstimation` computed with NumPy.

    Args:
        arg: the operand.
        name: its name in the graph.
    """

    def __init__(self, arg: Any, name: str = "pySign") -> None:
        super().__init__([arg], name=name)

    def infer_outputs(self) -> list[Variable]:
        """Return the one output, of the operand's type."""
        operand = self.inputs[0]
        return [ops.output_variable(operand.shape, operand.dtype, operand.dynamic_axes)]

    def forward(  # type: ignore[override]  # one output: the original passes no `outputs`
        self, argument: Any, device: Any = None, outputs_to_retain: Any = None
    ) -> tuple[Any, Any]:
        """Compute the signs; the operand, an array or one for each sequence, is kept for the
        gradient.
        """
        if isinstance(argument, list):
            return argument, [_numpy_signs(rows) for rows in argument]
        return argument, _numpy_signs(argument)

    def backward(  # type: ignore[override]  # one operand: no `variables`
        self, state: Any, root_gradients: Any
    ) -> Any:
        """Compute the operand's gradient."""
        if isinstance(state, list):
            return [(np.abs(x) <= 1) * g for x, g in zip(state, root_gradients, strict=True)]
        return (np.abs(state) <= 1) * root_gradients

    def serialize(self) -> dict[str, Any]:
        """Return what files hold besides the class: nothing."""
        return {}

    @staticmethod
    def deserialize(inputs: Sequence[Variable], name: str, state: Any) -> pySign:
        """Return the function as it was saved."""
        return pySign(inputs[0], name)


def _numpy_signs(x: NDArray[Any]) -> NDArray[Any]:
    signs: NDArray[Any] = np.where(x > 0, x.dtype.type(1), x.dtype.type(-1))
    return signs


class _Bits(_StraightThrough):
    """Multi-bit quantization: each element as a sum of as many signed scales as it has bits.

    A scale is the mean magnitude of what earlier bits have left over, among the elements that have
    this bit.

    Args:
        arg1: the operand.
        arg2: how many bits each of its elements has: an array of integers of its shape.
        name: its name in the graph.

    Attributes:
        bit_map: the numbers of bits.
    """

    def __init__(self, arg1: Any, arg2: NDArray[Any], name: str) -> None:
        super().__init__([arg1], as_numpy=False, name=name)
        self.bit_map = arg2

    @abstractmethod
    def _sum(self, x: Any) -> Any:
        """Sum over the elements that share a scale."""

    def multiFunc(self, arg1: Variable) -> tuple[Function, Variable]:
        """Return the graph of the rounded value and its argument."""
        operand = _like(arg1)
        bits = _constant(self.bit_map, arg1)
        left: Any = operand
        approximation: Any = ops.element_times(operand, 0)
        for k in range(self.bit_map.max()):
            has = ops.greater(bits, k)
            scale = ops.element_divide(
                self._sum(ops.abs(ops.element_select(has, left, 0))), self._sum(has)
            )
            step = ops.element_times(scale, ops.element_select(has, _signs(left), 0))
            approximation = ops.plus(approximation, step)
            left = ops.minus(left, step)
        return approximation, operand

    _value = multiFunc  # type: ignore[assignment]  # the original's name of the argument

    def gradFunc(self, arg: Variable) -> Gradient:
        """Return the graph of a gradient that passes where the operand is at most its number of
        bits from 0.
        """
        return _within(arg, _constant(self.bit_map, arg))

    def serialize(self) -> dict[str, Any]:
        """Return what files hold: the numbers of bits."""
        return {"bit_map": np.asarray(self.bit_map, dtype=np.float32)}


def _constant(bit_map: NDArray[Any], operand: Variable) -> Constant:
    return Constant(np.asarray(bit_map), dtype=operand.dtype)


def _bits_in(state: Mapping[str, Any], what: str) -> NDArray[np.int32]:
    """Return the numbers of bits in a file. Each costs a part of a graph, so that they are
    bounded.
    """
    bits = np.asarray(state["bit_map"])
    if not (np.abs(bits) <= _MOST_BITS).all() or (bits % 1).any():
        raise DataError(f"{what}: bit_map must hold integers of at most {_MOST_BITS}")
    return bits.astype(np.int32)


class MultibitKernel(_Bits):
    """Multi-bit quantization with scales of each kernel, along the first axis: for filters.

    Args:
        arg1: the operand, ``[kernels, ...]``.
        arg2: how many bits each of its elements has: an array of integers of its shape.
        name: its name in the graph.
    """

    def __init__(self, arg1: Any, arg2: NDArray[Any], name: str = "MultibitKernel") -> None:
        super().__init__(arg1, arg2, name)

    def _sum(self, x: Any) -> Any:
        axes = list(range(1, len(x.shape)))
        return ops.reduce_sum(x, axis=axes) if axes else x

    def clone(self, cloned_inputs: Sequence[Variable]) -> MultibitKernel:  # type: ignore[override]
        """Return the same function on another operand."""
        return MultibitKernel(cloned_inputs[0], self.bit_map, self.name)

    @staticmethod
    def deserialize(inputs: Sequence[Variable], name: str, state: Any) -> MultibitKernel:
        """Return the function as it was saved."""
        return MultibitKernel(inputs[0], _bits_in(state, name), name)


class Multibit(_Bits):
    """Multi-bit quantization with scales of all elements of a sample: for activations.

    Args:
        arg1: the operand.
        arg2: how many bits each of its elements has: an array of integers of its shape.
        name: its name in the graph.
    """

    def __init__(self, arg1: Any, arg2: NDArray[Any], name: str = "Multibit") -> None:
        super().__init__(arg1, arg2, name)

    def _sum(self, x: Any) -> Any:
        return ops.reduce_sum(x)

    def clone(self, cloned_inputs: Sequence[Variable]) -> Multibit:  # type: ignore[override]
        """Return the same function on another operand."""
        return Multibit(cloned_inputs[0], self.bit_map, self.name)

    @staticmethod
    def deserialize(inputs: Sequence[Variable], name: str, state: Any) -> Multibit:
        """Return the function as it was saved."""
        return Multibit(inputs[0], _bits_in(state, name), name)


def CustomSign(input: Any) -> Function:
    """Return the signs of a tensor, -1 for 0 too, with a gradient that passes where it is between
    -1 and 1.

    Args:
        input: the operand, of any shape.

    Returns:
        A function of the operand's type.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(4, needs_gradient=True)
        >>> CustomSign(x).eval([[-2, 0, 0.5, 3]])
        array([[-1., -1.,  1.,  1.]], dtype=float32)
        >>> CustomSign(x).grad([[-2, 0, 0.5, 3]])
        array([[0., 1., 1., 0.]], dtype=float32)
    """
    return user_function(SignWithEstimation(as_operand(input, op_name="CustomSign")))


def CustomPySign(input: Any) -> Function:
    """Return the same as `CustomSign`, computed with NumPy: slower, and easier to read.

    Args:
        input: the operand, of any shape.

    Returns:
        A function of the operand's type.

    Example:
        >>> import cntk as C
        >>> CustomPySign(C.constant([-2, 0, 3])).eval()
        array([-1., -1.,  1.], dtype=float32)
    """
    return user_function(pySign(as_operand(input, op_name="CustomPySign")))


def CustomMultibit(
    input: Any, bit_map: int | ArrayLike, mean_bits: float | None = None
) -> Function:
    """Return a tensor rounded to a few bits for each element, with scales that all elements of a
    sample share.

    The first bit is a sign times the mean magnitude; each further bit does the same with what is
    left over. The gradient passes where an element's magnitude is at most its number of bits.

    Args:
        input: the operand, of any known shape.
        bit_map: how many bits: an integer for all, or an array of integers of the operand's shape.
        mean_bits: draws the numbers of bits instead, from NumPy's global generator: normally
            distributed about this mean with standard deviation 1, rounded, and at least 1. Their
            mean is printed, as by the original.

    Returns:
        A function of the operand's type.

    Raises:
        ConversionError: (a ValueError and AssertionError) if the shapes differ, or the operand's is
            not known.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(4)
        >>> CustomMultibit(x, 1).eval([[-3, 1, 2, 4]])
        array([[-2.5,  2.5,  2.5,  2.5]], dtype=float32)
        >>> CustomMultibit(x, 2).eval([[-3, 1, 2, 4]])
        array([[-3.5,  1.5,  1.5,  3.5]], dtype=float32)
    """
    return user_function(Multibit(input, _bit_map(input, bit_map, mean_bits, "CustomMultibit")))


def CustomMultibitKernel(
    input: Any, bit_map: int | ArrayLike, mean_bits: float | None = None
) -> Function:
    """Return filters rounded to a few bits for each element, with scales of its own for each
    filter.

    Args:
        input: the filters, ``[filters, ...]``.
        bit_map: how many bits; see `CustomMultibit`.
        mean_bits: see `CustomMultibit`.

    Returns:
        A function of the operand's type.

    Raises:
        ConversionError: (a ValueError and AssertionError) if the shapes differ, or the operand's is
            not known.

    Example:
        >>> import cntk as C
        >>> CustomMultibitKernel(C.constant([[-3, 1], [20, 30]]), 1).eval()
        array([[-2.,  2.],
               [25., 25.]], dtype=float32)
    """
    return user_function(
        MultibitKernel(input, _bit_map(input, bit_map, mean_bits, "CustomMultibitKernel"))
    )


def _bit_map(operand: Any, bit_map: Any, mean_bits: float | None, what: str) -> NDArray[Any]:
    """Return the number of bits of each element."""
    if not isinstance(operand, (Variable, Function)):
        raise ArgumentError(
            f"{what}: input: expected a variable or a function, got {shown(operand)}"
        )
    shape = operand.shape
    if any(d < 0 for d in shape):
        raise ConversionError(
            f"{what}: the operand's shape must be known, and is {shape_text(shape)}"
        )
    mean_bits = None if mean_bits is None else as_real(mean_bits, f"{what}: mean_bits")
    if mean_bits:
        drawn = np.maximum(np.round(np.random.normal(mean_bits, 1, shape)), 1).astype(np.int32)
        print("Mean Bits: ", np.mean(drawn))
        return drawn
    if isinstance(bit_map, (int, np.integer)):
        bit_map = as_integer(bit_map, f"{what}: bit_map", most=2**15)
        return np.full(shape, bit_map)
    try:
        counts = np.asarray(bit_map)
    except ValueError:
        counts = np.asarray(None)
    if counts.dtype.kind not in "iuf":
        raise ArgumentError(
            f"{what}: bit_map: expected an integer or an array of them, got {shown(bit_map)}"
        )
    if counts.shape != shape:
        raise ConversionError(
            f"{what}: bit_map must be an integer or an array of the operand's shape "
            f"{shape_text(shape)}, and is of shape {shape_text(counts.shape)}"
        )
    return counts


hand_on(globals())
