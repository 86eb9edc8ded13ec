"""The configuration of a conversion, read from JSON."""

from __future__ import annotations

from cntk.contrib.crosstalkcaffe.utils import format as format, globalconf as globalconf

__all__ = ["format", "globalconf"]
