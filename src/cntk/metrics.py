"""Metrics: what tells how good a model is."""

from __future__ import annotations

from cntk._graph.late_names import hand_on
from cntk._ops.cross_entropy import classification_error
from cntk._ops.edit_distance import edit_distance_error
from cntk._ops.ranking import ndcg_at_1

__all__ = ["classification_error", "edit_distance_error", "ndcg_at_1"]

hand_on(globals())
