"""Random inputs, and a converted model's results saved for a comparison."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cntk._graph.function import Function
from cntk._writing.whole_files import replacing
from cntk.contrib.crosstalkcaffe.utils.globalconf import GlobalConf
from cntk.contrib.crosstalkcaffe.validation.validcaffe import CaffeValidCore, ValidCore
from cntk.errors import ConversionError

__all__ = ["VALID_CORES", "Validator"]

VALID_CORES: dict[str, ValidCore] = {"Caffe": CaffeValidCore()}
"""What compares results, by the name of the toolkit."""


class Validator:
    """Check of a converted model.

    Args:
        global_conf: the configuration.
        functions: inputs and layers by name.
    """

    def __init__(self, global_conf: GlobalConf, functions: dict[str, Any]) -> None:
        self._source_solver = global_conf.source_solver
        self._valid_solver = global_conf.valid_solver
        self._functions = functions

    def val_network(self) -> bool:
        """Write inputs and results to files, and return whether the configuration asks for it.

        Raises:
            ConversionError: (a ValueError and AssertionError) if it asks for what is not there.
        """
        folder = self._valid_solver.save_path
        if folder is None:
            return False
        inputs = dict(self._valid_solver.val_inputs or {})
        nodes = dict(self._valid_solver.val_nodes or {})
        unknown = [name for name in [*inputs, *nodes] if name not in self._functions]
        if unknown:
            raise ConversionError(f"ValidSolver names {unknown}, which the model has not")
        data = {self._functions[name]: self._input(name, value) for name, value in inputs.items()}
        for variable, value in data.items():
            _save(folder, variable.name, value)
        for name, file in nodes.items():
            node = self._functions[name]
            if not isinstance(node, Function):
                raise ConversionError(f"ValidSolver: '{name}' is an input and no layer")
            missing = [v.name for v in node.arguments if v not in data]
            if missing:
                raise ConversionError(
                    f"ValidSolver: layer '{name}' needs values of {missing} in ValInputs"
                )
            _save(folder, file, node.eval({v: data[v] for v in node.arguments}))
        return True

    def _input(self, name: str, value: Any) -> NDArray[np.float32]:
        """Return the values of an input: one sample, from the configuration or drawn between two
        numbers.
        """
        shape = (1, *self._functions[name].shape)
        values = np.asarray(value[0], np.float32)
        if values.shape == (2,) and int(np.prod(shape)) != 2:
            return np.random.uniform(values[0], values[1], shape).astype(np.float32)
        if values.size != int(np.prod(shape)):
            raise ConversionError(
                f"ValidSolver: input '{name}' has {values.size} values, and shape {list(shape)}"
            )
        return values.reshape(shape)

    def activate(self) -> None:
        """Compare the results in the folder with the other toolkit's."""
        VALID_CORES[str(self._source_solver.source)].execute(
            self._source_solver, str(self._valid_solver.save_path)
        )


def _save(folder: str, name: str, value: NDArray[Any]) -> None:
    path = os.path.join(folder, re.sub(r"[\\/]", ".", name) + ".npy")
    with replacing(path, "ValidSolver") as file:
        np.save(file, value, allow_pickle=False)
