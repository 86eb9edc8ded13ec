"""Python's own library: names and modules that are gone."""

from __future__ import annotations

from cntk._old_programs.rows import Changed, Name, Row

ABSTRACT = (
    "Awaitable AsyncIterable AsyncIterator AsyncGenerator Coroutine Hashable Iterable Iterator Generator Reversible Sized "
    "Container Callable Collection Set MutableSet Mapping MutableMapping MappingView KeysView ItemsView ValuesView "
    "Sequence MutableSequence ByteString"
).split()

PYTHON: list[Row] = [
    *(
        Name("collections", name, f"collections.abc:{name}", f"from collections.abc import {name}", "Python 3.10")
        for name in ABSTRACT
    ),
    Name("time", "clock", "time:perf_counter", "time.perf_counter()", "Python 3.8"),
    Name("inspect", "getargspec", ".python_functions:getargspec", "inspect.getfullargspec(...)", "Python 3.11"),
    Changed("re", "split", ".python_regex:split_between", "a pattern that may match nothing", "a pattern that cannot, "
            "as r'(\\W+)' for r'(\\W+)?'", "Python 3.7"),
    Name("fractions", "gcd", "math:gcd", "math.gcd(...)", "Python 3.9"),
]  # fmt: skip
