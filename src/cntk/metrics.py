"""Metrics, which measure the quality of a model."""

from __future__ import annotations

from cntk._graph.names.late_names import hand_on
from cntk._ops.loss.cross_entropy import classification_error
from cntk._ops.loss.edit_distance import edit_distance_error
from cntk._ops.loss.ranking import ndcg_at_1

__all__ = ["classification_error", "edit_distance_error", "ndcg_at_1"]

hand_on(globals())
