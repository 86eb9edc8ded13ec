"""Models that are used as layers."""

from cntk.layers.models.attention import AttentionModel

__all__ = ["AttentionModel"]
