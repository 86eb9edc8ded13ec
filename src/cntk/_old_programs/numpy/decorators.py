"""Replacement of `numpy.testing.decorators` for tests that pytest or unittest runs today."""

from __future__ import annotations

import functools
import unittest
from collections.abc import Callable
from typing import Any

Test = Callable[..., Any]


def slow(test: Test) -> Test:
    """Return the test: which tests are slow, runners of today are told otherwise."""
    return test


def setastest(tf: bool = True) -> Callable[[Test], Test]:
    """Mark a function as a test, or as none."""

    def mark(test: Test) -> Test:
        test.__test__ = tf  # type: ignore[attr-defined]
        return test

    return mark


def skipif(skip_condition: Any, msg: str | None = None) -> Callable[[Test], Test]:
    """Leave a test out where a condition, or a function that tells it, holds."""
    return _unless(skip_condition, msg or "test skipped due to test condition")


def knownfailureif(fail_condition: Any, msg: str | None = None) -> Callable[[Test], Test]:
    """Leave a test out that is known to fail where a condition holds."""
    return _unless(fail_condition, msg or "test known to fail")


def raises(*errors: type[BaseException]) -> Callable[[Test], Test]:
    """Mark a test that passes if it raises one of these errors."""

    def mark(test: Test) -> Test:
        @functools.wraps(test)
        def checked(*arguments: Any, **options: Any) -> None:
            try:
                test(*arguments, **options)
            except errors:
                return
            raise AssertionError(
                f"{test.__name__}() did not raise {', '.join(one.__name__ for one in errors)}"
            )

        return checked

    return mark


def _unless(condition: Any, message: str) -> Callable[[Test], Test]:
    def mark(test: Test) -> Test:
        @functools.wraps(test)
        def checked(*arguments: Any, **options: Any) -> Any:
            if condition() if callable(condition) else condition:
                raise unittest.SkipTest(message)
            return test(*arguments, **options)

        return checked

    return mark
