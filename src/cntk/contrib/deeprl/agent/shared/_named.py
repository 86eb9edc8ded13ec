"""Classes and functions that configuration files name: found among what the program has imported,
never imported.

A configuration file is data, and importing a module runs it. A name is therefore looked up in the
modules of `cntk.contrib.deeprl.agent.shared` and in those that the program has imported, its main
module as ``__main__`` among them. Modules of Python's standard library are left out: nothing in
them is a network or a preprocessing.
"""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

from cntk.errors import ArgumentError

_OWN = "cntk.contrib.deeprl.agent.shared."


def named(path: str) -> Callable[..., Any]:
    """Return the class or function that a name in a configuration file stands for.

    Args:
        path: ``module.name``.

    Raises:
        ValueError: if there is none in a module that may be looked into.

    Example:
        >>> named("cntk.contrib.deeprl.agent.shared.preprocessing.SlidingWindow").__name__
        'SlidingWindow'
    """
    module_name, _, name = path.rpartition(".")
    module = _module(module_name, path)
    value: Callable[..., Any] | None = getattr(module, name, None)
    if not callable(value):
        raise ValueError(
            f"'{path}' names no class or function: module '{module_name}' has no '{name}' to call"
        )
    return value


def _module(name: str, path: str) -> ModuleType:
    if not name:
        raise ValueError(f"'{path}' names no class or function; expected module.name")
    if name.partition(".")[0] in sys.stdlib_module_names:
        raise ValueError(
            f"'{path}' is in Python's standard library, where no networks or preprocessings are"
        )
    if name.startswith(_OWN) and name.removeprefix(_OWN).isidentifier():
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError:
            raise ValueError(
                f"'{path}' names no class or function: there is no module '{name}'"
            ) from None
    module = sys.modules.get(name)
    if module is None:
        raise ValueError(
            f"'{path}' is in module '{name}', which the program has not imported; a configuration "
            f"file does not make Python import modules: put `import {name}` before the agent is "
            f"made"
        )
    return module


def network(path: str, *arguments: Any, **options: Any) -> dict[str, Any]:
    """Make the network that a configuration file names.

    Args:
        path: ``module.function``.
        *arguments: what the function gets.
        **options: what it gets by name.

    Raises:
        ValueError: if there is no such function, or it returns something else.
    """
    model: dict[str, Any] = named(path)(*arguments, **options)
    missing = [
        key
        for key in ("inputs", "outputs", "f", "loss")
        if not isinstance(model, dict) or key not in model
    ]
    if missing:
        raise ValueError(
            f"'{path}' returned no network; expected a dictionary with {', '.join(missing)} as well"
        )
    return model


def preprocessor(path: str, arguments: str, input_shape: tuple[int, ...]) -> Any:
    """Make the preprocessing that a configuration file names.

    Args:
        path: ``module.class``.
        arguments: what its constructor gets after the shape, as the text of a tuple.
        input_shape: the shape of the world's observations.

    Raises:
        ValueError: if there is no such class, or the text is no tuple of plain values.
    """
    made_by = named(path)
    missing = [
        name for name in ("output_shape", "reset", "preprocess") if not hasattr(made_by, name)
    ]
    if not isinstance(made_by, type) or missing:
        raise ValueError(
            f"'{path}' is no preprocessing; expected a class with output_shape, reset and "
            f"preprocess"
        )
    try:
        values = ast.literal_eval(arguments)
    except (ValueError, SyntaxError) as error:
        raise ArgumentError(
            f"PreProcessingArgs is {arguments!r}; expected a tuple of plain values"
        ) from error
    if not isinstance(values, (tuple, list)):
        raise ArgumentError(
            f"PreProcessingArgs is {arguments!r}; expected a tuple, as in "
            f"'({arguments.strip('() ')},)'"
        )
    return made_by(input_shape, *values)
