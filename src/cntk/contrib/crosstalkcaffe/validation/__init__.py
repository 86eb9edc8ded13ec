"""Results of a converted model written down, and compared with Caffe's where that is installed."""

from __future__ import annotations
