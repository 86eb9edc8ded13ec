"""Models that are used as layers."""

from cntk._graph.names.late_names import hand_on
from cntk.layers.models.attention import AttentionModel

__all__ = ["AttentionModel"]

hand_on(globals())
