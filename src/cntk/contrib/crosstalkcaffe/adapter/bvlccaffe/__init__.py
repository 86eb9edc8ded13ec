"""Reader of the networks of Caffe, by the Berkeley Vision and Learning Center."""

from __future__ import annotations

__all__ = []
