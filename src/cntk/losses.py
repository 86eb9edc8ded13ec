"""Losses: what training makes small."""

from __future__ import annotations

from cntk._engine.seeds import SentinelValueForAutoSelectRandomSeed
from cntk._graph.late_names import hand_on
from cntk._ops.cross_entropy import cross_entropy_with_softmax
from cntk._ops.hierarchical_softmax import hierarchical_softmax_layer
from cntk._ops.lattice import lattice_sequence_with_softmax
from cntk._ops.loss import (
    binary_cross_entropy,
    cosine_distance,
    cosine_distance_with_negative_samples,
    fmeasure,
    squared_error,
    weighted_binary_cross_entropy,
)
from cntk._ops.nce import nce_loss
from cntk._ops.ranking import lambda_rank

__all__ = [
    "binary_cross_entropy",
    "cosine_distance",
    "cosine_distance_with_negative_samples",
    "cross_entropy_with_softmax",
    "fmeasure",
    "hierarchical_softmax_layer",
    "lambda_rank",
    "lattice_sequence_with_softmax",
    "nce_loss",
    "squared_error",
    "weighted_binary_cross_entropy",
]

auto_select = SentinelValueForAutoSelectRandomSeed

hand_on(globals())
