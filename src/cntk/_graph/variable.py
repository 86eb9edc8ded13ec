"""Variables: what flows along a graph's edges. Inputs, outputs, parameters, constants,
placeholders.
"""

from __future__ import annotations

import enum
from dataclasses import replace
from numbers import Number
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from cntk._arguments import shown
from cntk._graph.bfloat16 import NAME as BFLOAT16, NUMBER, bfloat16
from cntk._graph.names.misspelt import did_you_mean
from cntk._graph.names.naming import next_uid
from cntk._graph.operators import Operators
from cntk._graph.types import (
    BATCH_AXIS,
    MAX_SIZE,
    SEQUENCE_AXIS,
    DType,
    Shape,
    TensorType,
    element_count,
)
from cntk._wording import escaped, operation_text, quoted, shape_text
from cntk.axis import Axis
from cntk.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from cntk._graph.function import Function


class VariableKind(enum.IntEnum):
    """Kind of a variable; numbers as in files."""

    Input = 0
    Output = 1
    Parameter = 2
    Constant = 3
    Placeholder = 4

    def __call__(self) -> int:
        """Return the number; programs of the native layer call a variable's kind."""
        return int(self)


# Dtypes as files number them.
DTYPE_NUMBERS = {"float32": 1, "float64": 2, "float16": 4, "int8": 5, "int16": 6, BFLOAT16: NUMBER}
# Kinds of variables that hold a value of their own.
HOLDERS = (VariableKind.Parameter, VariableKind.Constant)


class VariableMixin:
    """Public properties that every kind of variable has."""

    kind: VariableKind
    type_: TensorType
    _uid: str
    _name: str
    needs_gradient_: bool
    _owner: Function | None = None
    # For an argument of a block: the operand that it stands for.
    stands_for: Variable | None = None

    @property
    def uid(self) -> str:
        """The unique name that files know it by."""
        return self._uid

    @property
    def name(self) -> str:
        """The name that the program gave, or ''; that of the operand for an argument of a block."""
        return self._name if self.stands_for is None else self.stands_for.name

    @name.setter
    def name(self, name: str) -> None:
        if self._name:
            raise ValueError(
                f"variable {quoted(self._name)} has a name already and cannot be renamed to "
                f"{quoted(name)}"
            )
        self._name = name

    @property
    def shape(self) -> Shape:
        """One sample's shape; -1 is still to be inferred, -3 is free, (-2,) is unknown."""
        return self.type_.shape

    @property
    def dynamic_axes(self) -> tuple[Axis, ...]:
        """The batch axis and the sequence axis, where there are such."""
        return self.type_.dynamic_axes

    @property
    def dtype(self) -> Any:
        """The dtype as a NumPy scalar type, or None while unknown."""
        return None if self.type_.dtype is None else self.type_.dtype.type

    @property
    def is_sparse(self) -> bool:
        """True if values are stored sparsely."""
        return self.type_.is_sparse

    @property
    def needs_gradient(self) -> bool:
        """True if gradients with respect to this variable, or through it, can be asked for."""
        return self.needs_gradient_

    def has_batch_axis(self) -> bool:
        """Return whether there is a batch axis."""
        return self.type_.has_batch_axis

    def has_sequence_axis(self) -> bool:
        """Return whether there is a sequence axis."""
        return self.type_.is_sequence

    def as_string(self) -> str:
        """Return what this is in a few words: its kind, name, axes and shape.

        Example:
            >>> import cntk as C
            >>> C.sequence.input_variable(3, name="x").as_string()
            "Input('x', [#, *], [3])"
        """
        return repr(self)

    @property
    def owner(self) -> Function:
        """The function whose output this is.

        Raises:
            RuntimeError: for a variable that is no output.
        """
        if self._owner is None:
            raise RuntimeError(f"{self!r} is not the output of a function, so it has no owner")
        return self._owner

    @property
    def is_input(self) -> bool:
        """True if data are bound to it."""
        return self.kind is VariableKind.Input

    @property
    def is_output(self) -> bool:
        """True if a function computes it."""
        return self.kind is VariableKind.Output

    @property
    def is_parameter(self) -> bool:
        """True if it is learned."""
        return self.kind is VariableKind.Parameter

    @property
    def is_constant(self) -> bool:
        """True if it holds a value that is not learned."""
        return self.kind is VariableKind.Constant

    @property
    def is_placeholder(self) -> bool:
        """True if it stands for a variable yet to be put in its place."""
        return self.kind is VariableKind.Placeholder


class Variable(VariableMixin, Operators):
    """A node's value. Made by `input_variable`, `placeholder`, `parameter`, `constant`, or as a
    function's output.

    Args:
        shape: one sample's shape.
        dtype: dtype.
        needs_gradient: whether gradients flow to or through it.
        is_sparse: whether its values are sparse rows.
        dynamic_axes: batch axis and sequence axis.
        name: its name in the graph.
    """

    def __init__(
        self,
        shape: int | Shape | None = None,
        dtype: Any = None,
        needs_gradient: bool = False,
        is_sparse: bool = False,
        dynamic_axes: tuple[Axis, ...] | list[Axis] = (BATCH_AXIS, SEQUENCE_AXIS),
        name: str = "",
    ) -> None:
        tensor_type = TensorType(
            (-2,) if shape is None else as_shape(shape),
            tuple(dynamic_axes),
            as_dtype(dtype),
            is_sparse,
        )
        self._set_up(VariableKind.Input, tensor_type, name, needs_gradient)

    def __reduce_ex__(self, protocol: Any) -> Any:
        from cntk._persist.pickled import variable_parts

        return variable_parts(self)

    # So that attributes that there are not are still found when types are checked.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> NoReturn:
            called = operation_text(type(self).__name__, self.__dict__.get("_name", ""))
            raise UnknownNameError(
                f"{called} has no attribute '{name}'", lambda: did_you_mean(name, dir(type(self)))
            )

    def _set_up(
        self, kind: VariableKind, type_: TensorType, name: str, needs_gradient: bool, uid: str = ""
    ) -> None:
        self.kind = kind
        self.type_ = type_
        self._name = as_name(name, kind.name)
        self.needs_gradient_ = needs_gradient
        self._uid = uid or next_uid(kind.name)

    @classmethod
    def make(
        cls,
        kind: VariableKind,
        type_: TensorType,
        name: str = "",
        needs_gradient: bool = False,
        uid: str = "",
        of: str = "",
    ) -> Variable:
        """Return a variable of a kind that holds no value; ``of`` is the public function that
        makes it, for errors.
        """
        variable = cls.__new__(cls)
        if not isinstance(name, str):
            name = as_name(name, of or kind.name)
        variable._set_up(kind, type_, name, needs_gradient, uid)
        return variable

    def refine(self, type_: TensorType) -> bool:
        """Take over what has become known of the type.

        Returns:
            Whether anything was new.
        """
        if type_ == self.type_:
            return False
        self.type_ = type_
        return True

    def get_data_type(self) -> int:
        """Return the dtype as files number it: 0 unknown, 1 float, 2 double, 4 float16, 5 int8,
        6 int16; 16 for bfloat16, which only this package has.
        """
        return format_number(self.type_.dtype)

    def as_parameter(self) -> Any:
        """This variable as a `Parameter`.

        Raises:
            TypeError: for any other kind.
        """
        raise TypeError(f"{self!r} is not a parameter")

    def as_constant(self) -> Any:
        """This variable as a `Constant`.

        Raises:
            TypeError: for any other kind.
        """
        raise TypeError(f"{self!r} is not a constant")

    def __eq__(self, other: object) -> bool:
        """Return whether the other is this variable, or a function whose only output this is."""
        if other is self or (
            self._owner is not None and (self,) == getattr(other, "outputs", None)
        ):
            return True
        if isinstance(other, (Number, np.ndarray)):
            raise ArgumentError(
                f"==: {self!r} is a node of a graph, and is compared with {shown(other)}; == tells "
                f"whether two nodes are the same; use cntk.equal to compare numbers"
            )
        return False

    __hash__ = object.__hash__

    def __repr__(self) -> str:
        axes = "[???]"
        if self.type_.has_axes:
            axes = (
                "["
                + ", ".join(
                    {BATCH_AXIS: "#", SEQUENCE_AXIS: "*"}.get(a, escaped(a.name))
                    for a in self.dynamic_axes
                )
                + "]"
            )
        return (
            f"{self.kind.name}({quoted(self.name or self.uid)}, {axes}, {shape_text(self.shape)})"
        )


def as_name(name: Any, of: str) -> str:
    """Return a name in the graph.

    Args:
        name: what the program gave.
        of: what it is for, for the error.

    Raises:
        ArgumentError: for anything but a string.
    """
    if not isinstance(name, str):
        raise ArgumentError(f"{of}: expected a string as name, '' for none; got {name!r}")
    return name


def as_shape(shape: Any, what: str = "shape") -> Shape:
    """Return a shape from a number or an iterable of numbers, such as a tuple, a list, an array
    or a generator.

    Args:
        shape: the shape.
        what: the function and its argument, for the error.

    Raises:
        ArgumentError: for anything else.
        ValueError: for a dimension that cannot be.
    """
    try:
        sizes: Any = (shape,) if np.isscalar(shape) else tuple(shape)
        dims = tuple(int(d) for d in sizes)
        if any(d != g for d, g in zip(dims, sizes, strict=True)):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ArgumentError(
            f"{what}: expected an integer or a tuple of integers; got {shown(shape)}"
        ) from None
    if any(d < -3 or d == -2 for d in dims) and dims != (-2,):
        raise ValueError(
            f"{what} {dims}: a dimension must be positive, InferredDimension (-1) or FreeDimension "
            f"(-3)"
        )
    if element_count(dims) > MAX_SIZE:
        raise ValueError(
            f"{what} {dims}: it has {element_count(dims)} elements, more than there can be, 2**63 "
            f"- 1"
        )
    return dims


def as_dtype(dtype: Any, what: str = "dtype") -> DType | None:
    """Return a dtype of variables, from NumPy's, torch's or the original's names for it.

    int8 and int16 are there to be kept and saved, in parameters, constants and `custom_proxy_op`;
    nothing computes in them.

    Args:
        dtype: the dtype.
        what: the function and its argument, for the error.

    Raises:
        ArgumentError: for a format that variables do not have.
    """
    if dtype is None or (isinstance(dtype, int) and not isinstance(dtype, bool) and dtype == 0):
        return None
    if isinstance(dtype, int) and dtype is not False:  # True counts as 1, as in the original
        names = [name for name, number in DTYPE_NUMBERS.items() if number == dtype]
        if not names:
            raise ArgumentError(
                f"{what}: {dtype} is not supported; the numbers of dtypes are {DTYPE_NUMBERS}"
            )
        dtype = names[0]
    if type(dtype).__module__ == "torch":
        dtype = str(dtype).removeprefix("torch.")
    if isinstance(dtype, str):
        dtype = {"float": "float32", "double": "float64"}.get(dtype, dtype)
    try:
        result: DType | None = (
            bfloat16() if isinstance(dtype, str) and dtype == BFLOAT16 else np.dtype(dtype)
        )
    except (TypeError, ValueError):  # NumPy knows no such format
        result = None
    if result is None or result.name not in DTYPE_NUMBERS:
        shown_dtype = shown(dtype) if result is None or isinstance(dtype, str) else result.name
        raise ArgumentError(
            f"{what}: {shown_dtype} is not supported; use float16, float32 or float64, or bfloat16"
        )
    return result


def format_number(dtype: DType | None) -> int:
    """Return the number of a dtype in files; 0 if it is not known yet."""
    return 0 if dtype is None else DTYPE_NUMBERS[dtype.name]


def output_type(type_: TensorType, dtype: DType | None) -> TensorType:
    """Return a type with a dtype filled in where it had none."""
    return type_ if type_.dtype is not None or dtype is None else replace(type_, dtype=dtype)
