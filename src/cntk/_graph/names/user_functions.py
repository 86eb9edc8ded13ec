"""Registry of a program's own functions, so that files with them can be loaded.

A file says only the name of such a function. Nothing is imported or run because a file says so: a
name stands for what the program has registered under it, or for a class of that name that it has
defined itself.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

from cntk._wording import quoted
from cntk.errors import ArgumentError, UserFunctionError

_callbacks: dict[str, Callable[..., Any]] = {}
_classes: weakref.WeakValueDictionary[str, type[Any]] = weakref.WeakValueDictionary()


def register_callback(op_name: str, callback: Callable[..., Any]) -> None:
    """Note what makes the user functions of a name; see
    `Function.register_udf_deserialize_callback`.
    """
    if not isinstance(op_name, str) or not callable(callback):
        raise ArgumentError(
            f"register_udf_deserialize_callback: expected a name and a function, got "
            f"{type(op_name).__name__} and {type(callback).__name__}"
        )
    if op_name in _callbacks:
        raise ValueError(
            f"register_udf_deserialize_callback: a callback for user functions named "
            f"{quoted(op_name)} has been registered already"
        )
    _callbacks[op_name] = callback


def note_class(cls: type[Any]) -> None:
    """Note a class of user functions; a later one of the same name takes its place."""
    _classes[f"{cls.__module__}.{cls.__name__}"] = cls


def loader_of(op_name: str, module: str, class_name: str) -> Callable[..., Any]:
    """Return the function that makes a user function from its operands, its name and its state.

    Args:
        op_name: what the function is called.
        module: where its class was defined when it was saved.
        class_name: the class.

    Raises:
        UserFunctionError: if the program has made known neither.
    """
    if op_name in _callbacks:
        return _callbacks[op_name]
    cls = _classes.get(f"{module}.{class_name}")
    if cls is None:
        raise UserFunctionError(
            f"it holds a user function {quoted(op_name)} of the class {class_name} in the module "
            f"{module}, which this program has not defined; import the module before loading, or "
            f"give something that makes the function: "
            f"Function.register_udf_deserialize_callback({quoted(op_name)}, lambda inputs, name, "
            f"state: ...)"
        )
    return cls.deserialize  # type: ignore[no-any-return]
