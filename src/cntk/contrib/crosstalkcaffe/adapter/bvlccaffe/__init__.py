"""Networks of Caffe, as the Berkeley Vision and Learning Center published it."""

from __future__ import annotations
