"""Saved results of a converted model, and their comparison with Caffe's where that is installed."""

from __future__ import annotations

__all__ = []
