"""Comparison of results with those of Caffe itself."""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod

import numpy as np

from cntk._writing.whole_files import opened
from cntk.contrib.crosstalkcaffe.adapter.bvlccaffe.caffeimpl import CaffeResolver
from cntk.contrib.crosstalkcaffe.utils.globalconf import SourceSolverConf

__all__ = ["CaffeValidCore", "ValidCore"]


def _loaded(path: str) -> np.ndarray:
    with opened(path) as file:
        array: np.ndarray = np.load(file, allow_pickle=False)
    return array


class ValidCore(ABC):
    """Comparison of results in a folder with those of one toolkit."""

    @staticmethod
    @abstractmethod
    def execute(source_solver: SourceSolverConf, valid_dir: str) -> None:
        """Compare, and print how far results are apart."""


class CaffeValidCore(ValidCore):
    """Comparison of results with Caffe's."""

    @staticmethod
    def execute(source_solver: SourceSolverConf, valid_dir: str) -> None:
        """Run the network in Caffe, and print how far results are apart.

        Args:
            source_solver: which network.
            valid_dir: where inputs and results are, each in a file ``.npy`` named after a blob.
        """
        caffe = CaffeResolver().caffe
        if caffe is None:
            sys.stdout.write("Caffe is not installed: results are not compared\n")
            return
        net = caffe.Net(source_solver.model_path, source_solver.weights_path, caffe.TEST)
        values = {
            os.path.splitext(file)[0]: _loaded(os.path.join(valid_dir, file))
            for file in sorted(os.listdir(valid_dir))
            if file.endswith(".npy")
        }
        for name in net.inputs:
            net.blobs[name].data[...] = values.pop(name).reshape(net.blobs[name].data.shape)
        net.forward()
        for name, value in values.items():
            distance = np.abs(value.ravel() - net.blobs[name].data.ravel())
            sys.stdout.write(
                f"{name}: root mean square of the differences {np.sqrt(np.mean(distance**2))}, "
                f"largest {distance.max()}; values from {value.min()} to {value.max()}, on average "
                f"{value.mean()}\n"
            )
