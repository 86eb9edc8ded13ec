"""Readers of other toolkits' networks as lists of layers."""

from __future__ import annotations

from cntk.contrib.crosstalkcaffe.adapter.baseadapter import Adapter
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.caffeadapter import CaffeAdapter

__all__ = ["ADAPTER_DICT", "Adapter", "CaffeAdapter"]


ADAPTER_DICT: dict[str, Adapter] = {"Caffe": CaffeAdapter()}
"""What reads networks, by the name of the toolkit."""
