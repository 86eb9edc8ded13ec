"""Types of a function's arguments, as programs write them: ``Tensor[784]``,
``Sequence[SparseTensor[5000]]``.

A type can be passed wherever a function wants to know its arguments' types, and spelled out as the
arguments of an input: ``input_variable(**Sequence[Tensor[20]])``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from cntk._graph.bfloat16 import is_floating
from cntk._graph.names.late_names import hand_on
from cntk._graph.types import BATCH_AXIS, SEQUENCE_AXIS, UNKNOWN_SHAPE, TensorType
from cntk._graph.variable import as_dtype, as_shape
from cntk.axis import Axis
from cntk.default_options import default_override_or, get_default_override

__all__ = [
    "ParameterTensor",
    "Sequence",
    "SequenceOver",
    "SequenceOverMeta",
    "Signature",
    "SparseTensor",
    "Tensor",
    "tensor",
]


@dataclass(frozen=True)
class ArgumentType:
    """One type: static shape, storage, and the dynamic axes.

    Attributes:
        text: as it prints.
        shape: one sample's shape.
        is_sparse: whether values are sparse.
        dynamic_axes: batch axis and sequence axis.
        dtype: the dtype, or None for that of the default options.
    """

    text: str
    shape: tuple[int, ...]
    is_sparse: bool
    dynamic_axes: tuple[Axis, ...]
    dtype: np.dtype[Any] | None = None

    def tensor_type(self) -> TensorType:
        """As the graph knows it."""
        dtype = self.dtype or as_dtype(
            get_default_override(None, dtype=default_override_or(np.float32))
        )
        return TensorType(self.shape, self.dynamic_axes, dtype, self.is_sparse)

    def keys(self) -> Iterator[str]:
        """Iterate over the arguments of `input_variable` that the type stands for."""
        return iter(("shape", "is_sparse", "dynamic_axes"))

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key)

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


class _TensorMeta(type):
    """Metaclass that makes ``Tensor[3, 4]`` a type of its own."""

    is_sparse: bool
    has_batch_axis: bool

    def __getitem__(cls, shape: Any) -> ArgumentType:
        dims = as_shape(shape)
        text = f"{cls.__name__}[{','.join(map(str, dims))}]" if dims else "float"
        return ArgumentType(text, dims, cls.is_sparse, (BATCH_AXIS,) if cls.has_batch_axis else ())


class Tensor(metaclass=_TensorMeta):
    """A dense tensor for each sample: ``Tensor[3, 4]``; ``Tensor[()]`` for a number.

    Example:
        >>> Tensor[3, 4], Sequence[Tensor[2]]
        (Tensor[3,4], Sequence[Tensor[2]])
    """

    is_sparse, has_batch_axis = False, True


class SparseTensor(metaclass=_TensorMeta):
    """A sparse vector for each sample: ``SparseTensor[5000]``."""

    is_sparse, has_batch_axis = True, True


class ParameterTensor(metaclass=_TensorMeta):
    """A tensor without a batch axis, as parameters have: ``ParameterTensor[3, 4]``."""

    is_sparse, has_batch_axis = False, False


tensor = ArgumentType("tensor", UNKNOWN_SHAPE, False, (BATCH_AXIS,))


def _sequence(item: Any, axis: Axis, text: str) -> ArgumentType:
    if isinstance(item, type) and (
        item is float or (issubclass(item, np.generic) and is_floating(np.dtype(item)))
    ):
        name = "float" if item is float else f"np.{item.__name__}"
        item = ArgumentType(
            name, (), False, (BATCH_AXIS,), None if item is float else as_dtype(item)
        )
    if not isinstance(item, ArgumentType):
        raise TypeError(f"{text}[...]: expected a type such as Tensor[3], got {item!r}")
    if len(item.dynamic_axes) > 1:
        raise TypeError("sequences over sequences are currently not supported")
    return ArgumentType(
        f"{text}[{item}]", item.shape, item.is_sparse, (BATCH_AXIS, axis), item.dtype
    )


class _SequenceMeta(type):
    """Metaclass that makes ``Sequence[Tensor[3]]`` a type of its own."""

    axis: Axis
    text: str

    def __getitem__(cls, item: Any) -> ArgumentType:
        return _sequence(item, cls.axis, cls.text)


class Sequence(metaclass=_SequenceMeta):
    """A sequence of tensors on the default sequence axis: ``Sequence[Tensor[3]]``."""

    axis, text = SEQUENCE_AXIS, "Sequence"


class SequenceOverMeta(type):
    """Metaclass that makes ``SequenceOver[axis]`` a kind of sequence of its own."""

    def __getitem__(cls, axis: Axis) -> Any:
        if not isinstance(axis, Axis):
            raise TypeError(f"SequenceOver[...]: expected an Axis, got {axis!r}")
        return _SequenceMeta(
            "SequenceOver", (Sequence,), {"axis": axis, "text": f"SequenceOver[{axis.name}]"}
        )


class SequenceOver(metaclass=SequenceOverMeta):
    """A sequence on an axis of its own: ``SequenceOver[Axis('words')][Tensor[3]]``.

    Example:
        >>> from cntk.axis import Axis
        >>> SequenceOver[Axis("words")][Tensor[3]]
        SequenceOver[words][Tensor[3]]
    """


def Signature(*args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorator: the types of a Python function's parameters, for `Function` to read.

    Args:
        *args: types in the parameters' order.
        **kwargs: types by the parameters' names.

    Raises:
        TypeError: if types and parameters differ in number or names.

    Example:
        >>> import cntk as C
        >>> @C.Function
        ... @Signature(Tensor[3])
        ... def double(x):
        ...     return x + x
        >>> double.shape
        (3,)
    """

    def annotate(function: Callable[..., Any]) -> Callable[..., Any]:
        names = [
            n for n, p in inspect.signature(function).parameters.items() if p.default is p.empty
        ]
        types = dict(zip(names, args, strict=False)) | kwargs
        if len(args) + len(kwargs) != len(names) or set(types) != set(names):
            raise TypeError(
                f"Signature of {getattr(function, '__name__', 'function')}: "
                f"{len(args) + len(kwargs)} types were given for the parameters "
                f"{', '.join(names) or '(none)'}"
            )
        function.__annotations__ = types
        return function

    return annotate


hand_on(globals())
