"""Metrics: what tells how good a model is."""

from __future__ import annotations

from cntk._ops.cross_entropy import classification_error

__all__ = ["classification_error"]
