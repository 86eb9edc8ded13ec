"""Replacement of `sklearn.utils.testing`: assertions for tests."""

from __future__ import annotations

import contextlib
import unittest
import warnings
from collections.abc import Callable
from typing import Any

from numpy.testing import (
    assert_allclose,
    assert_almost_equal,
    assert_approx_equal,
    assert_array_almost_equal,
    assert_array_equal,
    assert_array_less,
)
from sklearn.utils.discovery import all_estimators

__all__ = [
    "all_estimators",
    "assert_allclose",
    "assert_almost_equal",
    "assert_approx_equal",
    "assert_array_almost_equal",
    "assert_array_equal",
    "assert_array_less",
    "assert_equal",
    "assert_false",
    "assert_greater",
    "assert_greater_equal",
    "assert_in",
    "assert_less",
    "assert_less_equal",
    "assert_not_equal",
    "assert_not_in",
    "assert_raise_message",
    "assert_raises",
    "assert_raises_regex",
    "assert_true",
    "ignore_warnings",
]

_case = unittest.TestCase()
assert_equal, assert_not_equal = _case.assertEqual, _case.assertNotEqual
assert_true, assert_false = _case.assertTrue, _case.assertFalse
assert_in, assert_not_in = _case.assertIn, _case.assertNotIn
assert_less, assert_less_equal = _case.assertLess, _case.assertLessEqual
assert_greater, assert_greater_equal = _case.assertGreater, _case.assertGreaterEqual
assert_raises, assert_raises_regex = _case.assertRaises, _case.assertRaisesRegex


def assert_raise_message(
    errors: Any, message: str, function: Callable[..., Any], *arguments: Any, **options: Any
) -> None:
    """Check that a function raises an error whose text holds a message."""
    with _case.assertRaises(errors) as raised:
        function(*arguments, **options)
    _case.assertIn(message, str(raised.exception))


class _Silence(contextlib.ContextDecorator):
    def __init__(self, category: type[Warning]) -> None:
        self._category = category

    def __enter__(self) -> None:
        self._caught = warnings.catch_warnings()
        self._caught.__enter__()
        warnings.simplefilter("ignore", self._category)

    def __exit__(self, *error: Any) -> None:
        self._caught.__exit__(*error)


def ignore_warnings(obj: Any = None, category: type[Warning] = Warning) -> Any:
    """Leave warnings out, around a function or in a `with` block."""
    return _Silence(category)(obj) if callable(obj) else _Silence(category)
