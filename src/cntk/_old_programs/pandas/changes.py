"""Wrappers of pandas' functions that accept their former arguments."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served

Wrapped = Callable[..., Any]


def by_position(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return the function with its arguments taken by position; `row.old` are their names."""
    names = row.old.split()
    first = 1 if ":" in row.owner else 0  # the table itself

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        positional = len(arguments) - first
        if 1 < positional <= len(names) and is_served():
            try:
                return function(*arguments, **options)
            except TypeError as error:
                if "positional argument" not in str(error):
                    raise
            teller.row(row)
            options.update(zip(names, arguments[first:], strict=False))
            arguments = arguments[:first]
        elif row.name in ("pivot", "dropna") and positional == 1 and is_served():
            teller.row(row)
            options[names[0]], arguments = arguments[first], arguments[:first]
        return function(*arguments, **options)

    return old


def numbers_only(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return the function that leaves columns out that are no numbers."""

    @functools.wraps(function)
    def old(table: Any, *arguments: Any, **options: Any) -> Any:
        try:
            return function(table, *arguments, **options)
        except (TypeError, ValueError):
            if "numeric_only" in options or not is_served():
                raise
        teller.row(row)
        return function(table, *arguments, numeric_only=True, **options)

    return old


def squeezed(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `read_csv` that gives a Series for a single column, if asked to."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        if "squeeze" not in options or not is_served():
            return function(*arguments, **options)
        teller.row(row)
        squeeze = options.pop("squeeze")
        table = function(*arguments, **options)
        return table.squeeze("columns") if squeeze else table

    return old


def bad_lines(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `read_csv` that leaves damaged lines out, if asked to."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        if "error_bad_lines" in options and is_served():
            teller.row(row)
            warned = options.pop("warn_bad_lines", True)
            options["on_bad_lines"] = (
                "error" if options.pop("error_bad_lines") else "warn" if warned else "skip"
            )
        return function(*arguments, **options)

    return old


def by_spaces(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `read_csv` that takes any space as separator, if asked to."""

    @functools.wraps(function)
    def old(*arguments: Any, **options: Any) -> Any:
        if "delim_whitespace" in options and is_served():
            teller.row(row)
            if options.pop("delim_whitespace"):
                options["sep"] = r"\s+"
        return function(*arguments, **options)

    return old


def filled(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `fillna` that fills from before or from behind."""

    @functools.wraps(function)
    def old(
        table: Any, value: Any = None, method: Any = None, *arguments: Any, **options: Any
    ) -> Any:
        if not isinstance(method, str) or not is_served():
            return function(table, value, *arguments, **options)
        teller.row(row)
        return (table.ffill if method in ("ffill", "pad") else table.bfill)(*arguments, **options)

    return old


def resampled(function: Wrapped, row: Changed, teller: Teller) -> Wrapped:
    """Return `resample` that says how to summarize in the same call."""

    @functools.wraps(function)
    def old(table: Any, rule: Any, how: Any = None, **options: Any) -> Any:
        if how is None or not is_served():
            return function(table, rule, **({} if how is None else {"how": how}), **options)
        teller.row(row)
        options.pop("fill_method", None)
        stretches = function(table, rule, **options)
        return (
            getattr(stretches, how)()
            if isinstance(how, str) and hasattr(stretches, how)
            else stretches.agg(how)
        )

    return old
