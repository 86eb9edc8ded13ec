"""Primitives: functions that hold one operation, and work out its types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, cast

from cntk._arguments import shown
from cntk._graph import walk
from cntk._graph.function import Function
from cntk._graph.names.naming import next_uid
from cntk._graph.op import Op, disk_name
from cntk._graph.types import (
    BATCH_AXIS,
    SEQUENCE_AXIS,
    UNKNOWN_AXES,
    UNKNOWN_SHAPE,
    DType,
    InferredDimension,
    TensorType,
    TypeHint,
    check_sizes,
    common_dtype,
)
from cntk._graph.variable import HOLDERS, Variable, VariableKind, as_name, output_type
from cntk._wording import operation_text, quoted
from cntk.errors import GraphError

if TYPE_CHECKING:
    from cntk._graph.block import Block


class Primitive(Function, inner=True):
    """One operation on its operands.

    Args:
        op: the operation.
        operands: what it reads.
        name: its name in the graph.
        uid: its unique name; made if not given.
    """

    def __init__(self, op: Op, operands: Iterable[Variable], name: str = "", uid: str = "") -> None:
        self.op = op
        self.operands = list(operands)
        self._name = as_name(name, op.op_name)
        self._check(op)
        self.custom: dict[str, Any] = {}
        # How often the seed of its random numbers has been set: they begin anew then.
        self.times_seeded = 0
        self.block: Block | None = cast("Block", op) if op.is_block else None
        self._uid = uid or next_uid(op.op_name if self.block is None else "Block")
        self.results: tuple[Variable, ...] = ()
        self._create_results()

    def _check(self, op: Op) -> None:
        """Refuse an operation whose attributes are none, or with another number of operands than it
        has.

        Raises:
            GraphError: saying why.
        """
        counts, count = op.operand_counts, len(self.operands)
        if counts and count not in counts:
            raise self.misfit(
                f"it has {' or '.join(map(str, counts))} operands, and was given {count}"
            )
        try:
            op.check()
        except GraphError as error:
            raise self.misfit(str(error)) from None

    def _create_results(self) -> None:
        if self.op.is_bundle:
            self.results = tuple(self.operands)
            return
        count = self.op.output_count
        self.results = tuple(
            Variable.make(
                VariableKind.Output,
                TensorType(),
                self.op.output_name(k, self._name),
                uid=f"{self.uid}_Output_{k}",
            )
            for k in range(count)
        )
        for variable in self.results:
            variable._owner = self
        try:
            self.infer_results()
        except GraphError:
            # What is known of the operands may be a guess, until all placeholders below have been
            # replaced.
            if not any(v.is_placeholder and not v.type_.has_shape for v in walk.leaves(self)):
                raise

    def rewire(self, operands: Iterable[Variable]) -> None:
        """Have it read other operands; those of a bundle are its results as well."""
        self.operands = list(operands)
        if self.op.is_bundle:
            self.results = tuple(self.operands)

    @property  # type: ignore[misc]
    def __class__(self) -> type:
        # Programs know one class of functions alone; `type` tells what it is inside.
        return Function

    @property
    def root_function(self) -> Primitive:
        return self

    @property
    def op_name(self) -> str:
        return self.op.op_name

    @property
    def is_block(self) -> bool:
        return self.block is not None

    @property
    def inputs(self) -> tuple[Variable, ...]:
        return tuple(self.operands)

    def copied(self, op: Op, operands: Sequence[Variable]) -> Primitive:
        """Return the same operation on other operands, for a copy of the graph.

        Args:
            op: the operation; a block's has been copied as well.
            operands: what the copy reads.
        """
        return Primitive(op, operands, self._name)

    def change_attribute(self, name: str, value: Any) -> None:
        """Replace the operation by one with another value of a settable attribute."""
        settable = {
            disk_name(f.name): f.name
            for f in fields(self.op)  # type: ignore[arg-type]
            if disk_name(f.name) in self.op.settable
        }
        if not isinstance(name, str) or name not in settable:
            allowed = ", ".join(settable) or "none"
            raise GraphError(
                f"set_attribute: {operation_text(self.op_name, self._name)}: attribute "
                f"{shown(name)} cannot be set; settable: {allowed}"
            )
        kind = type(getattr(self.op, settable[name]))
        if isinstance(value, bool) or not isinstance(value, Integral if kind is int else Real):
            raise GraphError(
                f"set_attribute: {operation_text(self.op_name, self._name)}: attribute "
                f"{quoted(name)} is a number; got {value!r}"
            )
        if kind is int and value < 0:
            raise GraphError(
                f"set_attribute: {operation_text(self.op_name, self._name)}: attribute "
                f"{quoted(name)} must be not negative; got {value!r}"
            )
        changes = {settable[name]: kind(value)}
        if name == "rngSeed":
            changes["rng_offset"] = 0
        # As in the original, a rate that cannot be is refused when the function next runs.
        self.op = replace(self.op, **changes)  # type: ignore[type-var]
        if name == "rngSeed":
            self.times_seeded += 1

    def infer_results(self, partial: TypeHint = TypeHint.AXES) -> bool:
        """Bring the outputs' types up to date with the operands'.

        Args:
            partial: what to guess from the operands that are known.

        Returns:
            Whether anything new became known.

        Raises:
            GraphError: if the operands do not fit the operation.
        """
        if self.op.is_bundle:
            return False
        types = tuple(v.type_ for v in self.operands)
        try:
            if self.block is not None:
                self.block = self.op = self.block.bind_axis_names(self.operands)
                changed, inferred = self.block.infer_through(types, partial)
            else:
                changed, inferred = self._infer_operation(types, partial)
        except GraphError as error:
            if error.reason is None:
                raise self.misfit(str(error)) from None
            if (
                self.block is not None
                and not self.block.hands_on
                and not str(error).startswith(self.op_name)
            ):
                error.args = (f"{error} (inside {operation_text(self.op_name, self._name)})",)
            raise
        needs_gradient = any(v.needs_gradient_ for v in self.operands)
        for variable, type_ in zip(self.results, inferred, strict=True):
            variable.needs_gradient_ = needs_gradient
            changed |= variable.refine(type_)
        return changed

    def _infer_operation(
        self, types: tuple[TensorType, ...], partial: TypeHint
    ) -> tuple[bool, tuple[TensorType, ...]]:
        fixed = tuple(
            t
            for v, t in zip(self.operands, types, strict=True)
            if v.kind is not VariableKind.Constant
        )
        formats = {t.dtype for t in fixed if t.dtype is not None}
        if len(formats) > 1 and not self.op.allows_mixed_dtypes:
            listed = " and ".join(sorted(f.name for f in formats))
            raise GraphError(f"operands must have the same dtype, and have {listed}; use cntk.cast")
        # A constant takes on the others' format where it is used.
        dtype = common_dtype(fixed) or common_dtype(types)
        types = tuple(
            t if v.kind is not VariableKind.Constant else replace(t, dtype=dtype)
            for v, t in self._with(types)
        )
        if all(t.has_shape for t in types):
            completed = self.op.complete(*types)
            types = tuple(
                output_type(new, dtype) if v.kind in HOLDERS else old
                for (v, old), new in zip(self._with(types), completed, strict=True)
            )
        if all(t.is_known for t in types):
            self.op = self.op.bind_axis_names(self.operands)
            inferred = self.op.infer(*types)
        elif partial.settles and all(t.has_shape for t in types):
            inferred = self._infer_shapes(types, dtype, partial)
        else:
            guess = self._guess(types, partial)
            inferred = (
                guess if guess is not None else (TensorType(dtype=dtype),) * len(self.results)
            )
        inferred = inferred if isinstance(inferred, tuple) else (inferred,)
        check_sizes(inferred, types, is_run=False)
        changed = False
        if partial.settles:
            # Only now that nothing can fail any more, and not by a guess: parameters keep what they
            # have taken on.
            for variable, type_ in self._with(types):
                if variable.kind in HOLDERS:
                    changed |= variable.refine(
                        replace(type_, dtype=variable.type_.dtype or type_.dtype)
                    )
        return changed, tuple(output_type(t, dtype) for t in inferred)

    def _infer_shapes(
        self, types: tuple[TensorType, ...], dtype: DType | None, partial: TypeHint
    ) -> tuple[TensorType, ...]:
        """Types where shapes are known and some axes, those of placeholders, are not: shapes as on
        the usual ones.

        Whether the operands fit is not known before the axes are.
        """
        usual = (BATCH_AXIS, SEQUENCE_AXIS)
        try:
            inferred = self.op.bind_axis_names(self.operands).infer(
                *(t if t.has_axes else t.with_axes(usual) for t in types)
            )
        except GraphError:
            return (TensorType(dtype=dtype),) * len(self.results)
        inferred = inferred if isinstance(inferred, tuple) else (inferred,)
        told = self.op.infer_known(*types) if partial is TypeHint.AXES else None
        axes = UNKNOWN_AXES if told is None else told.dynamic_axes or UNKNOWN_AXES
        return tuple(output_type(t.with_axes(axes), dtype) for t in inferred)

    def _guess(self, types: tuple[TensorType, ...], partial: TypeHint) -> TensorType | None:
        """Return what known operands say of the result, while others are unknown."""
        told = partial is TypeHint.FROM_SCALARS or any(
            t.shape or t.dynamic_axes for t in types if t.has_shape
        )
        if partial is TypeHint.NONE:
            return None
        if partial is TypeHint.AXES:
            guess = self.op.infer_known(*types)
            if guess is None or not guess.has_axes or not guess.dynamic_axes:
                return None
            return guess if told else guess.with_shape(UNKNOWN_SHAPE)
        guess = self.op.infer_partial(*types) if told else None
        if guess is not None and partial is TypeHint.BROADCASTABLE and guess.has_shape:
            guess = guess.with_shape(tuple(InferredDimension if d == 1 else d for d in guess.shape))
        return guess

    def _with(self, types: tuple[TensorType, ...]) -> Iterable[tuple[Variable, TensorType]]:
        return zip(self.operands, types, strict=True)

    def misfit(self, reason: str) -> GraphError:
        """Return an error that says which operation this is and what its operands are."""
        return misfit(self.op_name, self._name, reason, self.operands)


def misfit(op_name: str, name: str, reason: str, operands: Iterable[Variable]) -> GraphError:
    """Return an error that says which operation it is about and what its operands are.

    Args:
        op_name: what the operation is called.
        name: its name in the graph, if it has one.
        reason: what is wrong, and a way out.
        operands: what it was to read.
    """
    listed = ", ".join(f"{operand_text(v)} is {v.type_}" for v in operands)
    error = GraphError(f"{operation_text(op_name, name)}: {reason}; {listed}")
    error.reason = reason
    return error


def operand_text(variable: Variable) -> str:
    """Return a variable's name for errors: its own where it has one, or that of the operation
    that computes it.
    """
    while variable.stands_for is not None:
        variable = variable.stands_for
    if variable._name:
        return f"{variable.kind.name.lower()} {quoted(variable._name)}"
    if variable._owner is not None:
        owner = variable._owner.root_function
        if owner.block is not None and owner.block.hands_on:
            return operand_text(
                owner.operands[next(k for k, v in enumerate(owner.results) if v is variable)]
            )
        return f"the output of {operation_text(owner.op_name, owner._name)}"
    return f"{variable.kind.name.lower()} '{variable.uid}'"
