"""Conversion of a Caffe network."""

from __future__ import annotations

import sys

from cntk.contrib.crosstalkcaffe.adapter import ADAPTER_DICT
from cntk.contrib.crosstalkcaffe.unimodel.cntkinstance import CntkApiInstance
from cntk.contrib.crosstalkcaffe.utils.globalconf import load_conf
from cntk.contrib.crosstalkcaffe.validation.validcore import Validator
from cntk.errors import ConversionError

__all__ = ["CaffeConverter"]


class CaffeConverter:
    """Converts networks of Caffe."""

    @staticmethod
    def from_model(conf_path: str) -> None:
        """Convert a network, and save the model.

        Args:
            conf_path: a file in JSON, which says what is converted and where to: an object with
                ``SourceSolver`` (``Source``, which is ``"Caffe"``, ``ModelPath``, ``WeightsPath``),
                ``ModelSolver`` (``CntkModelPath``) and perhaps ``ValidSolver``; see
                `cntk.contrib.crosstalkcaffe.utils.globalconf`.

        Raises:
            FileNotFoundError: if there is no such file.
            DataError: (a ValueError and RuntimeError) if a file is damaged or of another kind.
            ConversionError: (a ValueError and AssertionError) for a layer that has no counterpart.
        """
        conf = load_conf(conf_path)
        source = conf.source_solver.source
        if source not in ADAPTER_DICT:
            raise ConversionError(
                f"'{conf_path}': Source must be one of {list(ADAPTER_DICT)}, and is {source!r}"
            )
        instance = CntkApiInstance(ADAPTER_DICT[source].load_model(conf), global_conf=conf)
        instance.export_model()
        validator = Validator(global_conf=conf, functions=instance.get_functions())
        if validator.val_network():
            sys.stdout.write(f"comparing {conf.source_solver.model_path}\n")
            validator.activate()
