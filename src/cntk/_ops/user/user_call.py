"""Calls of user functions: conversion of data for their methods, checks of their results,
gradients.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor

from cntk._graph.op import RunKernel
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.user.native_value import NativeValue
from cntk._runtime.bind_input import BoundInput, bind_input
from cntk._runtime.context import RunContext
from cntk._runtime.conversion import csr_of, split
from cntk._runtime.layout.layout import Layout
from cntk._runtime.numpy_tensors import array_of
from cntk._runtime.sparse import SparseRows
from cntk._wording import operation_text, shape_text
from cntk.device import DeviceDescriptor, DeviceKind, cpu
from cntk.errors import FeedError, UserFunctionError

if TYPE_CHECKING:
    from cntk._ops.user.user_function import UserPrimitive


def user_kernel(primitive: UserPrimitive, types: Sequence[TensorType]) -> RunKernel:
    """Return the kernel of a user function for operands of some types."""
    own = [v.type_ for v in primitive.operands]
    # Inside a recurrence a step has a batch axis alone; programs see it as sequences of one frame.
    in_step = any(o.is_sequence and not t.is_sequence for o, t in zip(own, types, strict=True))
    operands = [replace(t, dynamic_axes=o.dynamic_axes) for o, t in zip(own, types, strict=True)]
    outputs = [v.type_ for v in primitive.declared_outputs(operands)]
    return RunKernel(_Kernel(primitive, operands, outputs, in_step).compute)


@dataclass(frozen=True)
class _Kernel:
    """A user function in a plan.

    Attributes:
        primitive: the function's node in the graph.
        operands: the operands' types, as the program sees them.
        outputs: the outputs' types, as the program sees them.
        in_step: whether it runs step by step inside a recurrence.
    """

    primitive: UserPrimitive
    operands: Sequence[TensorType]
    outputs: Sequence[TensorType]
    in_step: bool

    def compute(self, run: RunContext, *rows: Any) -> Any:
        call = _Call(self, run)
        dense = [x for x in rows if isinstance(x, Tensor)]
        if torch.is_grad_enabled() and any(x.requires_grad for x in dense):
            results = _Differentiable.apply(call, rows, *dense)
        else:
            results = call.forward(rows, retain=False)
        return results[0] if len(self.outputs) == 1 else results


class _Differentiable(torch.autograd.Function):
    """Autograd function that calls a user function's own `backward`."""

    @staticmethod
    def forward(ctx: Any, call: _Call, rows: Sequence[Any], *dense: Tensor) -> tuple[Tensor, ...]:
        results = call.forward(rows, retain=True)
        ctx.call = call
        ctx.dense_indices = [k for k, x in enumerate(rows) if isinstance(x, Tensor)]
        flags = zip(results, call.kernel.primitive.differentiable, strict=True)
        ctx.mark_non_differentiable(*(x for x, flows in flags if not flows))
        return results

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Any, ...]:
        needed_indices = [
            k
            for k, needed in zip(ctx.dense_indices, ctx.needs_input_grad[2:], strict=True)
            if needed
        ]
        by_operand = ctx.call.backward(gradients, needed_indices)
        return (None, None, *(by_operand.get(k) for k in ctx.dense_indices))


class _Call:
    """One call of a user function, from `forward` to `backward`."""

    def __init__(self, kernel: _Kernel, run: RunContext) -> None:
        self.kernel = kernel
        self.user = kernel.primitive.user
        self.run = run
        self.count = run.batch
        # Operands may be batches of different size, such as utterances and the conversations that
        # they make up.
        self.counts = {run.batch}
        self.device = run.device
        self.state: Any = None
        self.like: list[Any] = []

    @property
    def text(self) -> str:
        return operation_text(self.user.op_name, self.kernel.primitive._name)

    # -- forward -----------------------------------------------------------------------------------

    def forward(self, rows: Sequence[Any], retain: bool) -> tuple[Tensor, ...]:
        """Call the program's `forward`, and convert its results to rows."""
        variables = self.kernel.primitive.results
        self.like = [x.shape for x in rows]
        for x, t in zip(rows, self.kernel.operands, strict=True):
            if t.has_batch_axis:
                self.counts.add(self._layout(t).count if t.is_sequence else x.shape[0])
        with torch.inference_mode(False), torch.no_grad():
            pairs = zip(rows, self.kernel.operands, strict=True)
            converted = tuple(self._to_program(x, t) for x, t in pairs)
            arguments = converted[0] if len(converted) == 1 else converted
            retained = list(variables) if retain else []
            if len(variables) == 1:
                returned = self._call("forward", arguments, _descriptor(self.device), retained)
                if not isinstance(returned, tuple) or len(returned) != 2:
                    raise UserFunctionError(
                        f"{self.text}: forward must return a pair of a state for backward and the "
                        f"result, and returned {_described(returned)}"
                    )
                self.state, results = returned[0], {variables[0]: returned[1]}
            else:
                results = dict.fromkeys(variables)
                self.state = self._call(
                    "forward", arguments, results, _descriptor(self.device), retained
                )
                self._check_keys("forward", "outputs", results, variables)
            typed = zip(variables, self.kernel.outputs, strict=True)
            return tuple(
                self._from_program(f"forward returned for {v!r}", results[v], t) for v, t in typed
            )

    def _call(self, method: str, *arguments: Any) -> Any:
        try:
            return getattr(self.user, method)(*arguments)
        except Exception as error:
            raise UserFunctionError.of(
                self.user.op_name, self.kernel.primitive._name, method, error
            ) from error

    def _check_keys(
        self, method: str, what: str, results: Mapping[Any, Any], allowed: Sequence[Variable]
    ) -> None:
        known = set(allowed)
        for key in results:
            if key not in known:
                raise UserFunctionError(
                    f"{self.text}: {method} filled {key!r}, which is not among self.{what}: "
                    f"{', '.join(map(repr, allowed))}"
                )

    # -- backward ----------------------------------------------------------------------------------

    def backward(self, gradients: Sequence[Tensor], indices: Sequence[int]) -> dict[int, Tensor]:
        """Call the program's `backward`, and convert its gradients to rows, by the operand's
        number; gradients that it leaves out are missing.
        """
        operands, results = self.kernel.primitive.operands, self.kernel.primitive.results
        shown = [
            self._to_program(g, t) for g, t in zip(gradients, self.kernel.outputs, strict=True)
        ]
        roots = shown[0] if len(shown) == 1 else dict(zip(results, shown, strict=True))
        if len(operands) == 1:
            by_variable = {operands[0]: self._call("backward", self.state, roots)}
            if by_variable[operands[0]] is None:
                raise UserFunctionError(
                    f"{self.text}: backward must return the gradient, and returned None"
                )
        else:
            by_variable = {operands[k]: None for k in indices}
            self._call("backward", self.state, roots, by_variable)
            self._check_keys("backward", "inputs", by_variable, operands)
        return {
            k: self._from_program(
                f"backward gave for {operands[k]!r}",
                by_variable[operands[k]],
                self.kernel.operands[k].dense(),
            )
            for k in indices
            if by_variable[operands[k]] is not None
        }

    # -- data as programs see them, and back -------------------------------------------------------

    def _layout(self, type_: TensorType) -> Layout:
        if not self.kernel.in_step:
            return self.run.layout(type_.dynamic_axes)
        return Layout([1] * (self.count or 0), device=self.device)

    def _to_program(self, rows: Any, type_: TensorType) -> Any:
        """Convert rows to what the program sees; always a copy, which it may change."""
        layout = self._layout(type_) if type_.is_sequence else None
        frame = tuple(rows.shape[type_.lead :]) if isinstance(rows, Tensor) else type_.shape
        if self.user.as_numpy:
            if layout is not None:
                return split(rows, layout, frame)
            return csr_of(rows) if isinstance(rows, SparseRows) else array_of(rows).copy()
        if isinstance(rows, Tensor):
            rows = rows.detach().clone()
        are_samples = type_.has_batch_axis and layout is None
        count = rows.rows if isinstance(rows, SparseRows) else rows.shape[0] if are_samples else 0
        return NativeValue.of(
            rows, layout, (count, *frame) if are_samples else frame, are_samples=are_samples
        )

    def _from_program(self, what: str, value: Any, type_: TensorType) -> Tensor:
        """Convert a result of the program to rows of a type.

        Raises:
            UserFunctionError: if it does not fit.
        """
        if value is None:
            raise UserFunctionError(f"{self.text}: {what} nothing; every output must be filled")
        variable = Variable.make(VariableKind.Output, type_)
        try:
            bound = bind_input(variable, value, self.device)
        except FeedError as error:
            reason = str(error).removeprefix(f"{variable!r}: ")
            raise UserFunctionError(f"{self.text}: what {what} does not fit: {reason}") from None
        self._check_lengths(what, bound, type_)
        rows = cast(Tensor, bound.rows)  # the input of a dense variable is dense
        return rows.detach().clone()

    def _check_lengths(self, what: str, bound: BoundInput, type_: TensorType) -> None:
        if bound.count is not None and bound.count not in self.counts:
            known = " or ".join(map(str, sorted(n for n in self.counts if n is not None)))
            raise UserFunctionError(
                f"{self.text}: what {what} has {bound.count} samples or sequences, and there are "
                f"{known}"
            )
        if bound.layout is None:
            return
        axes = type_.dynamic_axes
        if not self.kernel.in_step and axes not in self.run.layouts:
            self.run.layouts[axes] = bound.layout
        expected = self._layout(type_)
        if bound.layout.lengths != expected.lengths:
            raise UserFunctionError(
                f"{self.text}: what {what} has sequences of lengths "
                f"{list(bound.layout.lengths)[:8]}, and on its axis they are "
                f"{list(expected.lengths)[:8]}"
            )


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {shape_text(value.shape)}"
    return f"a tuple of {len(value)}" if isinstance(value, tuple) else type(value).__name__


def _descriptor(device: torch.device) -> DeviceDescriptor:
    return cpu() if device.type == "cpu" else DeviceDescriptor(DeviceKind.GPU, device.index or 0)
