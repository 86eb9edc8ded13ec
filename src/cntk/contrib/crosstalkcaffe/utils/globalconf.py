"""Configuration of a conversion: its files, and checks of its results."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, TypeVar

from cntk.contrib.crosstalkcaffe.utils.format import camel_to_snake, json_parser
from cntk.errors import DataError

__all__ = [
    "GlobalConf",
    "ModelSolverConf",
    "ScriptSolverConf",
    "SourceSolverConf",
    "ValidConf",
    "load_conf",
]

Configuration = TypeVar("Configuration")


@dataclass
class SourceSolverConf:
    """Files of the source model.

    Attributes:
        source: the toolkit: ``'Caffe'``.
        model_path: the network, a ``.prototxt``.
        weights_path: its parameters, a ``.caffemodel``.
        tensor: not used.
        phase: whose layers count: 0 for training, 1 or None for testing.
    """

    source: str | None = None
    model_path: str | None = None
    weights_path: str | None = None
    tensor: Any = None
    phase: int | None = None


@dataclass
class ScriptSolverConf:
    """Empty: the original has a place for it."""


@dataclass
class ModelSolverConf:
    """Settings of the model to write.

    Attributes:
        cntk_model_path: where the model is saved.
        cntk_tensor: shapes of inputs by their names, ``[channels, height, width]``, in place of
            those in the network.
    """

    cntk_model_path: str | None = None
    cntk_tensor: dict[str, list[int]] | None = None


@dataclass
class ValidConf:
    """Settings of the checks.

    Attributes:
        save_path: a folder for inputs and results, as ``.npy``; None for no check.
        val_inputs: by the name of an input a list, whose first element is two numbers between which
            values are drawn, or the values.
        val_nodes: by the name of a layer the name of its file, that of a blob in Caffe.
    """

    save_path: str | None = None
    val_inputs: dict[str, Any] = field(default_factory=dict)
    val_nodes: dict[str, str] = field(default_factory=dict)


@dataclass
class GlobalConf:
    """All sections of the configuration.

    Attributes:
        source_solver: what is converted.
        script_solver: nothing.
        model_solver: what is made.
        valid_solver: what is checked.
    """

    source_solver: SourceSolverConf = field(default_factory=SourceSolverConf)
    script_solver: ScriptSolverConf = field(default_factory=ScriptSolverConf)
    model_solver: ModelSolverConf = field(default_factory=ModelSolverConf)
    valid_solver: ValidConf = field(default_factory=ValidConf)


def load_conf(conf_path: str) -> GlobalConf:
    """Return a configuration from a file in JSON.

    Args:
        conf_path: its path. Names in it may be written as ``ModelPath`` or ``model_path``; others
            are passed over.

    Raises:
        DataError: (a ValueError and RuntimeError) if it is not as it should be.
    """
    return _filled(GlobalConf(), json_parser(conf_path), conf_path)


def _filled(conf: Configuration, values: Any, path: str) -> Configuration:
    if not isinstance(values, dict):
        raise DataError(f"'{path}': expected an object for {type(conf).__name__}, got {values!r}")
    names = {f.name for f in fields(conf)}  # type: ignore[arg-type]
    for key, value in values.items():
        name = camel_to_snake(key)
        if name in names:
            old = getattr(conf, name)
            setattr(conf, name, _filled(old, value, path) if is_dataclass(old) else value)
    return conf
