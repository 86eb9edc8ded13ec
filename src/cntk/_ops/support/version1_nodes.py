"""Nodes of version 1 files that nothing computes any more. Graphs with such nodes load, and all
other nodes run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from cntk._graph.op import Op
from cntk._graph.types import TensorType
from cntk.errors import GraphError

_TRAIN_WITH = (
    "train with cntk.cross_entropy_with_softmax, cntk.nce_loss or cntk.hierarchical_softmax_layer "
    "instead"
)
_REASONS = {
    "ClassBasedCrossEntropyWithSoftmax": f"the classes of words are not known here; {_TRAIN_WITH}",
    "DummyCriterion": (
        "its value and gradients were computed outside of the graph; use cntk.user_function instead"
    ),
    "EnvironmentInput": (
        "it stands for a setting of the program that wrote the file; use a constant instead"
    ),
    "EpochAccumulator": (
        "it adds up over an epoch of that time's trainer; use the averages that cntk.Trainer gives"
    ),
    "NCEBasedCrossEntropyWithSoftmax": f"its noise is not in the file; {_TRAIN_WITH}",
    "QuantizedTimes": "it needs products of 16-bit integers; use cntk.times instead",
    "SequenceWithSoftmax": (
        "it needs a recogniser's lattices; train with cntk.forward_backward, or with "
        "cntk.cross_entropy_with_softmax"
    ),
}


@dataclass(frozen=True)
class FormerNode(Op):
    """A node of version 1 that version 2 never had, and that is not computed.

    Attributes:
        kind: what files call it.
        output_rank: of products, how many axes of the left operand the result has.
    """

    kind: str
    output_rank: int = 1

    op_name = "FormerNode"

    def infer(self, *operands: TensorType) -> TensorType:
        if self.kind == "QuantizedTimes":
            left, right = operands
            shared = max(left.rank - self.output_rank, 0)
            return right.dense().with_shape(
                (*right.shape[: max(right.rank - shared, 0)], *left.shape[shared:])
            )
        if self.kind == "EpochAccumulator":
            return operands[0].dense().with_axes(())
        return TensorType((), (), operands[0].dtype if operands else None)

    def lower(self, *operands: TensorType) -> NoReturn:
        raise GraphError(f"a {self.kind} of version 1 is not computed: {_REASONS[self.kind]}")
