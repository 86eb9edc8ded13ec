"""Positional encoding: sines and cosines of each frame's position. An addition, which the original
does not have.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cntk._arguments import as_number
from cntk._graph.composite import Composite
from cntk._graph.op import Reach, RunKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes, Plus
from cntk._ops.math.trigonometry import Sin
from cntk._ops.sequence.lengths import as_torch_dtype, positions_of
from cntk._ops.shape.packed import need_sequence
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply
from cntk._runtime.context import RunContext
from cntk._runtime.transfer import to_device
from cntk.errors import GraphError
from cntk.variables import Constant


@dataclass(frozen=True)
class PositionalEncoding(Fused):
    """Sine and cosine of each frame's position, at falling frequencies.

    Attributes:
        base: what the frequencies fall to one part of, from the first element to the last.
    """

    base: float

    op_name = "Sequence::PositionalEncoding"
    reads_operands = True
    sparse_operands = (0,)
    reach = Reach.WHOLE

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        need_sequence(x)
        if x.rank != 1:
            raise GraphError(
                "positions are encoded as vectors; the operand must have one static axis"
            )
        return x.dense()

    def lower(self, *operands: TensorType) -> RunKernel:
        (x,) = operands
        dtype = as_torch_dtype(x.dtype)
        frequencies, phases = (torch.from_numpy(v) for v in self._waves(x.shape[0]))

        def compute(run: RunContext, *_: Tensor) -> Tensor:
            layout = run.layout(x.dynamic_axes)
            positions = torch.arange(layout.longest, dtype=torch.float64)
            waves = to_device(
                torch.sin(torch.outer(positions, frequencies).add_(phases)), layout.device, dtype
            )
            return waves.index_select(0, layout.positions)

        return RunKernel(compute)

    def _waves(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the frequency and the phase of each element; a cosine is a sine with a phase of pi
        / 2.
        """
        pairs, turn = np.divmod(np.arange(size), 2)
        return self.base ** (-2.0 * pairs / size), turn * (math.pi / 2)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        if not x.type_.has_shape or min(x.shape) < 0:
            raise GraphError("the operand's size must be known")
        frequencies, phases = (Constant(v, dtype=x.type_.dtype) for v in self._waves(x.shape[0]))
        angles = apply(Plus(), (apply(ElementTimes(), (positions_of(x), frequencies)), phases))
        return apply(Sin(), (angles,))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[PositionalEncoding]:
        factors = [
            v
            for p in inside
            for v in p.operands
            if isinstance(p.op, ElementTimes) and isinstance(v, Constant)
        ]
        frequencies = factors[0].value if factors and factors[0].shape else np.ones(1)
        if frequencies.size < 3 or not frequencies[2] > 0:
            # With one pair of elements the base makes no difference, and cannot be inferred.
            return []
        # The files' numbers are rounded, and programs choose round ones.
        base = float(frequencies[2]) ** (-frequencies.size / 2)
        return [cls(float(f"{base:.{digits}g}")) for digits in (3, 6)]


def positional_encoding(seq: Any, base: float = 10000.0, name: str = "") -> Composite:
    """Encode each frame's position in its sequence, from 0, as a vector (Vaswani et al., 2017). An
    addition: the original has none.

    Elements 2 i and 2 i + 1 are sine and cosine of ``position / base ** (2 i / size)``.

    Args:
        seq: a sequence of vectors ``[size]``; their values are not read.
        base: the longest wave is ``2 pi base`` frames long, about.
        name: its name in the graph.

    Returns:
        A function of shape ``[size]`` on the same axes.

    Raises:
        GraphError: if ``seq`` is no sequence of vectors, or ``base`` is not positive.

    Example:
        >>> import cntk as C
        >>> x = C.sequence.input_variable(4)
        >>> C.sequence.positional_encoding(x).eval({x: [[[0] * 4] * 2]})[0].round(4)
        array([[0.    , 1.    , 0.    , 1.    ],
               [0.8415, 0.5403, 0.01  , 1.    ]], dtype=float32)
    """
    if not as_number(base, "sequence.positional_encoding: base") > 0:
        raise GraphError(f"sequence.positional_encoding: expected a positive base, got {base}")
    op = PositionalEncoding(float(base))
    return compose_fused(op.op_name, op, (seq,), name, aligned=False)
