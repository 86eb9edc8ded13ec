"""Names of Caffe's layers here, and Caffe itself where it is installed."""

from __future__ import annotations

import importlib
from functools import cached_property
from typing import Any

from cntk.contrib.crosstalkcaffe.unimodel.cntkmodel import CntkLayerType

__all__ = ["CAFFE_LAYER_WRAPPER", "CaffeResolver"]

CAFFE_LAYER_WRAPPER = {
    "Convolution": CntkLayerType.convolution,
    "BatchNorm": CntkLayerType.batch_norm,
    "ReLU": CntkLayerType.relu,
    "Pooling": CntkLayerType.pooling,
    "Eltwise": CntkLayerType.plus,
    "InnerProduct": CntkLayerType.dense,
    "Softmax": CntkLayerType.softmax,
    "Concat": CntkLayerType.splice,
    "Dropout": CntkLayerType.dropout,
    "LRN": CntkLayerType.lrn,
}
"""Kinds of layers by Caffe's names. Criteria are not among them: what is converted is a network
that is used.
"""


class CaffeResolver:
    """Finder of Caffe's own Python package, which is needed only to compare results with it."""

    @cached_property
    def caffe(self) -> Any:
        """The package, or None."""
        try:
            package = importlib.import_module("caffe")
        except ImportError:
            return None
        # Any folder of that name can be imported.
        return package if hasattr(package, "Net") else None

    def runtime(self) -> bool:
        """Return whether Caffe is installed."""
        return self.caffe is not None
