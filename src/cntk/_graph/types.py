"""Types of tensors: static shape, dynamic axes, dtype and storage, known or still to be
inferred.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cntk._wording import quoted, shape_text
from cntk.axis import Axis
from cntk.errors import GraphError

InferredDimension = -1
FreeDimension = -3
UNKNOWN_SHAPE = (-2,)
UNKNOWN_AXES = Axis.unknown_dynamic_axes()

# What one sample of an operation's result may have, in elements, unless an operand has as many;
# what a parameter or a constant may have; and what anything may have whose elements need not be
# there, as an input.
MAX_ELEMENTS, MAX_HELD, MAX_SIZE = 2**31 - 1, 2**34, 2**63 - 1

Shape = tuple[int, ...]
DType = np.dtype[Any]

BATCH_AXIS = Axis.default_batch_axis()
SEQUENCE_AXIS = Axis.default_dynamic_axis()


class TypeHint(enum.Enum):
    """Type of results while some operands are unknown, as inside a loop.

    Attributes:
        NONE: nothing.
        AXES: what the known operands make them, if these tell the dynamic axes. Parameters take it
            on, as in CNTK.
        EXACT: what the known operands make them; scalars say nothing of how many axes the
            others have.
        BROADCASTABLE: the same, but an axis of one element may be longer in an unknown operand, and
            is yet to be inferred.
        FROM_SCALARS: what the known operands make them, of scalars too: they are all that
            there is to go by.
    """

    NONE = enum.auto()
    AXES = enum.auto()
    EXACT = enum.auto()
    BROADCASTABLE = enum.auto()
    FROM_SCALARS = enum.auto()

    @property
    def settles(self) -> bool:
        """True if parameters keep the type that they are made to take on."""
        return self in (TypeHint.NONE, TypeHint.AXES)


@dataclass(frozen=True, eq=False)
class TensorType:
    """Knowledge of a tensor before it runs.

    Attributes:
        shape: one sample's shape; -1 is a dimension yet to be inferred, -3 one that each evaluation
            may change; ``(-2,)`` when nothing is known.
        dynamic_axes: the batch axis and, for sequences, the sequence axis after it; empty for
            parameters.
        dtype: the dtype, or None while unknown.
        is_sparse: whether values are stored as rows of (column, value) pairs.
    """

    shape: Shape = UNKNOWN_SHAPE
    dynamic_axes: tuple[Axis, ...] = UNKNOWN_AXES
    dtype: DType | None = None
    is_sparse: bool = False

    def __eq__(self, other: object) -> bool:
        # NumPy holds that None equals float64.
        return (
            isinstance(other, TensorType)
            and self.shape == other.shape
            and self.dynamic_axes == other.dynamic_axes
            and (self.dtype is None) == (other.dtype is None)
            and self.dtype == other.dtype
            and self.is_sparse == other.is_sparse
        )

    def __hash__(self) -> int:
        return hash((self.shape, self.dynamic_axes, self.dtype, self.is_sparse))

    @property
    def rank(self) -> int:
        """Number of static axes."""
        return len(self.shape)

    @property
    def elements(self) -> int:
        """Number of elements in one sample of a definite shape."""
        return math.prod(self.shape)

    @property
    def has_shape(self) -> bool:
        """True if the number of static axes is known."""
        return self.shape != UNKNOWN_SHAPE

    @property
    def has_axes(self) -> bool:
        """True if the dynamic axes are known."""
        return self.dynamic_axes is not UNKNOWN_AXES and self.dynamic_axes != UNKNOWN_AXES

    @property
    def is_known(self) -> bool:
        """True if shape (but for single dimensions) and dynamic axes are known."""
        return self.has_shape and self.has_axes

    @property
    def is_complete(self) -> bool:
        """True if every dimension is a number."""
        return self.is_known and all(d >= 0 for d in self.shape)

    @property
    def has_batch_axis(self) -> bool:
        """True if there is a batch axis."""
        return bool(self.dynamic_axes) and self.has_axes

    @property
    def is_sequence(self) -> bool:
        """True if there is a sequence axis."""
        return len(self.dynamic_axes) > 1  # axes that are not known are written as one

    @property
    def lead(self) -> int:
        """Number of axes of a running tensor of this type before its static ones: 1 with dynamic
        axes, else 0.
        """
        return 1 if self.has_batch_axis else 0

    def with_shape(self, shape: Shape) -> TensorType:
        """Return the same type with another static shape."""
        return replace(self, shape=tuple(shape))

    def with_axes(self, dynamic_axes: tuple[Axis, ...]) -> TensorType:
        """Return the same type on other dynamic axes."""
        return replace(self, dynamic_axes=tuple(dynamic_axes))

    def dense(self) -> TensorType:
        """Return the same type, stored densely."""
        return replace(self, is_sparse=False)

    def __str__(self) -> str:
        """As errors show it: ``[300] on [batch, sequence]``."""
        if not self.has_axes:
            return f"{shape_text(self.shape)} on unknown axes"
        if not self.dynamic_axes:
            return shape_text(self.shape)
        return f"{shape_text(self.shape)} on [{', '.join(axis_text(a) for a in self.dynamic_axes)}]"


def element_count(shape: Iterable[int]) -> int:
    """Return how many elements a shape has; dimensions that are not known count as 1."""
    return math.prod(d if d >= 0 else 1 for d in shape)


def check_sizes(
    results: Iterable[TensorType], operands: Sequence[TensorType], is_run: bool = True
) -> None:
    """Refuse results that an operation makes too large, before memory is asked for.

    Args:
        results: the results' types.
        operands: the operands' types.
        is_run: whether they are about to be computed. A graph may have outer products of large
            operands, as in the original.

    Raises:
        GraphError: if a sample of a result has more than `MAX_ELEMENTS` elements, and no operand
            has as many.
    """
    for type_ in results:
        count = element_count(type_.shape)
        if count > MAX_ELEMENTS:
            counts = [element_count(t.shape) for t in operands]
            largest_operand = max(counts, default=0)
            limit = MAX_SIZE if type_.is_sparse else max(MAX_ELEMENTS, largest_operand)
            if count > limit and (is_run or count != math.prod(counts)):
                raise GraphError(
                    f"a sample of the result would be {shape_text(type_.shape)}, which is {count} "
                    f"elements, and it may have {limit}; make what decides on its shape smaller"
                )


def axis_text(axis: Axis) -> str:
    """Return a dynamic axis for errors: the two default ones by their meaning, others by their
    name.
    """
    if axis == BATCH_AXIS:
        return "batch"
    if axis == SEQUENCE_AXIS:
        return "sequence"
    return f"{quoted(axis.name)}"


def common_dtype(types: tuple[TensorType, ...]) -> DType | None:
    """Return the dtype of an operation's operands: the first one known."""
    return next((t.dtype for t in types if t.dtype is not None), None)
