"""The results of a run, as programs see them."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cntk._compiler.plan import Plan
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._runtime.bind_input import BoundInput
from cntk._runtime.context import RunContext
from cntk._runtime.conversion import rows_as_numpy
from cntk._runtime.sparse import SparseRows
from cntk.core import Value


@dataclass
class Pass:
    """One execution: its plan, its run and what it computed.

    Attributes:
        plan: what was run.
        run: its layouts and mode.
        fed: the arguments' data.
        rows: the outputs.
        watched: what gradients are computed for besides those that are asked for; see `Plan.watch`.
        valid_values: the function's results that are valid until it runs again.
    """

    plan: Plan
    run: RunContext
    fed: dict[Variable, BoundInput]
    rows: list[Any]
    watched: Sequence[Tensor] = ()
    valid_values: list[weakref.ref[Value]] = field(default_factory=list)

    def result(self, index: int, as_numpy: bool) -> Any:
        """Return an output for the program; never a view of an input's data, or of a parameter."""
        rows = self.rows[index]
        type_ = self.plan.types[index]
        if isinstance(rows, Tensor) and len(type_.dynamic_axes) < 2:
            memory = rows.untyped_storage().data_ptr()
            is_lent = memory in self.plan.held_memory
            for data in self.fed.values():
                if isinstance(data.rows, Tensor):
                    is_lent |= memory == data.rows.untyped_storage().data_ptr()
            if is_lent:
                rows = rows.clone()
        return self.hand_out(rows, type_, as_numpy)

    def hand_out(self, rows: Any, type_: TensorType, as_numpy: bool) -> Any:
        """Rows as the program sees them; see `result_of`. A `Value` is valid until the function
        runs again.
        """
        result = result_of(rows, type_, self.run, as_numpy)
        if not as_numpy:
            self.valid_values.append(weakref.ref(result))
        return result


def result_of(rows: Any, type_: TensorType, run: RunContext, as_numpy: bool) -> Any:
    """Rows as the program sees them: NumPy arrays, or a `Value`."""
    layout = run.layout(type_.dynamic_axes) if len(type_.dynamic_axes) > 1 else None
    if as_numpy:
        return rows_as_numpy(rows, type_, layout)
    rows = rows.detach() if isinstance(rows, Tensor) else rows
    if isinstance(rows, SparseRows):
        shape = type_.shape if layout is not None else (rows.rows, *type_.shape)
    else:
        shape = tuple(rows.shape[1:] if layout is not None else rows.shape)
    return Value.of(rows, layout, shape, are_samples=type_.has_batch_axis and layout is None)
