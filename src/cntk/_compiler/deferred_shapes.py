"""Deferred lowering for free dimensions whose size is known at run time only.

Such is a sequence axis made static. An operation is lowered for definite types. Where an operand's
size is known only when it comes, that is done at the first run with this size, and kept for the
next one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cntk._graph.op import Kernel, Op, RunKernel
from cntk._graph.types import FreeDimension, Shape, TensorType, check_sizes
from cntk._runtime.recent import Recent
from cntk.errors import GraphError

Lowering = Callable[[tuple[TensorType, ...]], "Kernel | RunKernel"]

# Each kernel takes some kilobytes, and to make it about as long as to run it.
_MOST_SIZES = 128


def needs_runtime_shape(op: Op, types: tuple[TensorType, ...]) -> bool:
    """Return whether an operation has to wait for its operands' sizes."""
    return not op.shape_polymorphic and any(FreeDimension in t.shape for t in types)


class RuntimeShapeKernel(RunKernel):
    """Kernel that is lowered when its operands' sizes are known, and passes the run on."""


def lower_on_first_shape(types: tuple[TensorType, ...], lower: Lowering) -> RuntimeShapeKernel:
    """Return a kernel that is lowered when its operands' sizes are known.

    Args:
        types: the operands' types, with free dimensions.
        lower: returns the kernel for definite types; raises GraphError if they do not fit.
    """
    kernels: Recent[Kernel | RunKernel] = Recent(_MOST_SIZES)
    free_operands = [(k, t.lead) for k, t in enumerate(types) if FreeDimension in t.shape]

    def compute(run: Any, *operands: Any) -> Any:
        sizes = tuple(operands[k].shape[lead:] for k, lead in free_operands)
        kernel = kernels.get(sizes)
        if kernel is None:
            definite = list(types)
            for (k, _), shape in zip(free_operands, sizes, strict=True):
                definite[k] = definite[k].with_shape(shape)
            kernel = lower(tuple(definite))
            kernels.put(sizes, kernel)
        return (
            kernel.compute(run, *operands) if isinstance(kernel, RunKernel) else kernel(*operands)
        )

    return RuntimeShapeKernel(compute)


def fits(shape: Shape, allowed: Shape) -> bool:
    """Return whether a type with free dimensions allows a shape.

    Example:
        >>> fits((5, 2), (FreeDimension, 2)), fits((5, 3), (FreeDimension, 2))
        (True, False)
    """
    return len(shape) == len(allowed) and all(
        w in (d, FreeDimension) for d, w in zip(shape, allowed, strict=True)
    )


def checked_infer(
    op: Op, types: tuple[TensorType, ...], misfit: Callable[[str], GraphError]
) -> None:
    """Refuse operands that do not fit, now that their sizes are known.

    Args:
        op: the operation.
        types: the operands' definite types.
        misfit: makes the error from its reason.

    Raises:
        GraphError: saying why.
    """
    try:
        inferred = op.infer(*types)
        check_sizes(inferred if isinstance(inferred, tuple) else (inferred,), types)
    except GraphError as error:
        if error.reason is not None:
            raise
        sizes = ", ".join(f"operand {k} is {t}" for k, t in enumerate(types))
        raise misfit(f"{error} (in this run {sizes})") from None
