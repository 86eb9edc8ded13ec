"""Kernels of single operations: what `Op.lower` gives, made ready for a plan."""

from __future__ import annotations

from typing import Any

import torch

from cntk._compiler.deferred_shapes import checked_infer, lower_on_first_shape, needs_runtime_shape
from cntk._compiler.ir import Node
from cntk._graph.op import CarryingKernel, Kernel, RunKernel, StreamKernel
from cntk._graph.types import TensorType, common_dtype
from cntk._ops.support.composite_op import Fused
from cntk._runtime.sparse import SparseRows
from cntk.errors import GraphError


def lower_node(node: Node) -> Kernel | RunKernel:
    """Return a node's kernel; sparse operands that it does not take are made dense first."""
    types = tuple(ref.type for ref in node.operands)
    if not needs_runtime_shape(node.op, types):
        return _lowered(node, types)

    def lower(definite: tuple[TensorType, ...]) -> Kernel | RunKernel:
        checked_infer(node.op, definite, node.primitive.misfit)
        return _lowered(node, definite)

    return lower_on_first_shape(types, lower)


def _lowered(node: Node, types: tuple[TensorType, ...]) -> Kernel | RunKernel:
    dense = [k for k, t in enumerate(types) if t.is_sparse and k not in node.op.sparse_operands]
    lowered = tuple(t.dense() if k in dense else t for k, t in enumerate(types))
    try:
        # Tensors that a kernel keeps serve evaluations and gradients alike.
        with torch.inference_mode(False):
            op = node.op
            if isinstance(op, Fused):
                op = op.in_dtype(common_dtype(lowered))
            kernel = op.lower(*lowered)
    except GraphError as error:
        if error.reason is not None:
            raise
        raise node.primitive.misfit(str(error)) from None
    if isinstance(kernel, StreamKernel):
        kernel = _with_stream(kernel, node)
    elif isinstance(kernel, CarryingKernel):
        kernel = _with_name(kernel, node)
    if not dense:
        return kernel
    shapes = {k: (*(-1,) * types[k].lead, *types[k].shape) for k in dense}

    def densified(operands: tuple[Any, ...]) -> list[Any]:
        return [
            x.to_dense().reshape(shapes[k]) if k in shapes and isinstance(x, SparseRows) else x
            for k, x in enumerate(operands)
        ]

    if isinstance(kernel, RunKernel):
        inner = kernel.compute
        return RunKernel(lambda run, *operands: inner(run, *densified(operands)))
    compute = kernel
    return lambda *operands: compute(*densified(operands))


def _with_stream(kernel: StreamKernel, node: Node) -> RunKernel:
    place, kind, compute, begin = node.place, type(node.op), kernel.compute, kernel.begin
    return RunKernel(
        lambda run, *operands: compute(run, run.streams.find(place, kind, begin), *operands)
    )


def _with_name(kernel: CarryingKernel, node: Node) -> RunKernel:
    # The same in all plans of a graph, whatever is asked of it.
    name, compute = " in ".join(primitive.uid for primitive in node.place), kernel.compute
    return RunKernel(lambda run, *operands: compute(run, name, *operands))
