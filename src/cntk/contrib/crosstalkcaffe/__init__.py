"""Conversion of Caffe's convolutional networks to models of this package; see `CaffeConverter`.
Caffe itself is not needed.
"""

from __future__ import annotations

from cntk.contrib.crosstalkcaffe.convert import CaffeConverter as CaffeConverter

__all__ = ["CaffeConverter"]
