"""Losses, which training minimizes."""

from __future__ import annotations

from cntk._graph.names.late_names import hand_on
from cntk._ops.loss.cross_entropy import cross_entropy_with_softmax
from cntk._ops.loss.hierarchical_softmax import hierarchical_softmax_layer
from cntk._ops.loss.lattice import lattice_sequence_with_softmax
from cntk._ops.loss.nce import nce_loss
from cntk._ops.loss.ranking import lambda_rank
from cntk._ops.loss.regression import (
    binary_cross_entropy,
    cosine_distance,
    cosine_distance_with_negative_samples,
    fmeasure,
    squared_error,
    weighted_binary_cross_entropy,
)
from cntk._runtime.random.seeds import SentinelValueForAutoSelectRandomSeed

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
