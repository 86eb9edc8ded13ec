"""Default options: values that a program sets once for the optional arguments of many layers."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cntk._arguments import shown
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError

_overrides: ContextVar[tuple[tuple[tuple[Any, ...] | None, dict[str, Any]], ...]] = ContextVar(
    "overrides", default=()
)
_global_options: dict[Hashable, Any] = {}


class default_override_or:
    """A mark of an argument's default that `default_options` may override.

    Args:
        value: the default where nothing overrides it.
    """

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __repr__(self) -> str:
        return f"default_override_or({self.value!r})"


def is_default_override(value: Any) -> bool:
    """Return whether a value is such a mark."""
    return isinstance(value, default_override_or)


@contextmanager
def default_options(**kwargs: Any) -> Iterator[None]:
    """Set optional arguments of all layers made inside a ``with`` block.

    Args:
        **kwargs: arguments by name, such as ``init``, ``activation``, ``pad``, ``bias``, ``dtype``.

    Example:
        >>> import cntk as C
        >>> with C.layers.default_options(activation=C.relu):
        ...     layer = C.layers.Dense(10)
    """
    with default_options_for(None, **kwargs):
        yield


@contextmanager
def default_options_for(functions: Any, **kwargs: Any) -> Iterator[None]:
    """Set optional arguments of some layers only; see `default_options`.

    Args:
        functions: one layer factory, a list of them, or None for all.
        **kwargs: arguments by name.
    """
    scope = (
        None
        if functions is None
        else tuple(functions)
        if isinstance(functions, (list, tuple))
        else (functions,)
    )
    for function in scope or ():
        if not callable(function):
            raise ArgumentError(
                f"default_options_for: expected layers such as cntk.layers.Dense, or a list of "
                f"them, got {shown(functions)}"
            )
    token = _overrides.set((*_overrides.get(), (scope, kwargs)))
    try:
        yield
    finally:
        _overrides.reset(token)


def get_default_override(function_or_class: Callable[..., Any] | type | None, **kwargs: Any) -> Any:
    """Return the value of an optional argument: the caller's, the innermost override, or the marked
    default.

    Args:
        function_or_class: whose argument it is.
        **kwargs: the one argument, by name.

    Raises:
        TypeError: unless exactly one argument is named.
    """
    if len(kwargs) != 1:
        raise TypeError(f"get_default_override: expected one argument by name, got {len(kwargs)}")
    if function_or_class is not None and not callable(function_or_class):
        raise ArgumentError(
            f"get_default_override: expected a function or a class, whose argument it is, got "
            f"{shown(function_or_class)}"
        )
    ((name, value),) = kwargs.items()
    if not isinstance(value, default_override_or):
        return value
    for scope, overrides in reversed(_overrides.get()):
        if name in overrides and (scope is None or function_or_class in scope):
            return overrides[name]
    return value.value


def _key(key: Any, function: str) -> Hashable:
    if not isinstance(key, Hashable):
        raise ArgumentError(f"{function}: key: expected a string, got {shown(key)}")
    return key


def get_global_option(key: str, default_value: Any) -> Any:
    """Return a global option's value, or the default."""
    return _global_options.get(_key(key, "get_global_option"), default_value)


def set_global_option(key: str, value: Any) -> None:
    """Set a global option."""
    _global_options[_key(key, "set_global_option")] = value


hand_on(globals())
