"""What an answer to a wrong call must be: our sentence, which names the operation, in a class that
old programs catch.
"""

from __future__ import annotations

import ast
import functools
import re
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import cntk

SOURCE = Path(cntk.__file__).resolve().parent
# What Python, NumPy and torch say of their own insides.
BARE = re.compile(
    r"object has no attribute|object is not (iterable|callable|subscr|an iter|revers)|"
    r"objects? cannot be|is not iterable|has no len\(\)|unsupported operand|"
    r"not supported between|not subscriptable|NoneType' object|list index|tuple index|index out of "
    r"range|"
    r"not enough values|too many values|broadcast together|could not broadcast|expected scalar "
    r"type|invalid literal|"
    r"could not convert|argument must be a|must be real number|not understood|inhomogeneous|cannot "
    r"reshape|"
    r"Expected all tensors|size of tensor|shapes cannot be multiplied|must match the "
    r"(size|existing)|aten::|torch\.|"
    r"division (or modulo )?by zero|setting an array element|ufunc|unhashable|unexpected type|a "
    r"Tensor with|"
    r"ambiguous|is not a valid \w+$|only integer scalar|__\w+__\(\)"
)
# Python's own words for keywords and numbers of arguments that a function does not take; they name
# it.
SIGNATURE = re.compile(r"([\w.]+)\(\) (got an unexpected|got multiple|got some|missing|takes)")
LONGEST, MOST_LINES = 500, 2


class Wrong(NamedTuple):
    """A wrong call.

    Attributes:
        name: the public callable; the error's text must name it, or the operation, however that is
            spelled.
        call: the call; it is given the nodes of `nodes.Nodes`.
        words: patterns that the error's text must contain: the argument, what came, the way out.
        error: what the original raises, or one of the classes that a program would catch.
        named: what to look for in place of the name, where the text names the variable or the file
            instead.
    """

    name: str
    call: Callable[[Any], Any]
    words: tuple[str, ...] = ()
    error: type[BaseException] | tuple[type[BaseException], ...] = (
        ValueError,
        TypeError,
        RuntimeError,
    )
    named: str = ""


def wrong(
    name: str,
    call: Callable[[Any], Any],
    *words: str,
    error: type[BaseException] | tuple[type[BaseException], ...] = (
        ValueError,
        TypeError,
        RuntimeError,
    ),
    named: str = "",
) -> Wrong:
    """A row of a table; see `Wrong`."""
    return Wrong(name, call, words, error, named)


@functools.cache
def _raising_lines(path: str) -> frozenset[int]:
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return frozenset(
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Raise)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    )


def is_ours(error: BaseException) -> bool:
    """Whether a statement of the package raised it, not code that the package called."""
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1]
    return Path(last.filename).is_relative_to(SOURCE) and last.lineno in _raising_lines(
        last.filename
    )


def _plain(text: str) -> str:
    return re.sub(r"[\W_]", "", text).lower()


def complaints(name: str, error: BaseException, *named: str) -> list[str]:
    """What is wrong with an error as the answer to a wrong call of a public callable.

    Args:
        name: the callable.
        error: the answer.
        *named: other names that it may be known by, as the operation's.
    """
    text = error.args[0] if isinstance(error, KeyError) and error.args else str(error)
    text = str(text)
    match = SIGNATURE.match(text)
    names = [*filter(None, named), name.rsplit(".", 1)[-1]]
    if match and type(error) is TypeError:
        called = [part for part in match[1].split(".") if not part.startswith("__")][-1]
        return (
            []
            if called in [*names, *name.split(".")]
            else [f"names '{called}', not '{name}': {text}"]
        )
    found = []
    if not is_ours(error):
        last = traceback.extract_tb(error.__traceback__)[-1]
        found.append(
            f"not the package's own, from {Path(last.filename).name}:{last.lineno} ({last.line})"
        )
    if bare := BARE.search(text):
        found.append(f"bare words '{bare[0]}'")
    if len(text) > LONGEST or text.count("\n") >= MOST_LINES:
        found.append(f"{len(text)} characters in {text.count(chr(10)) + 1} lines")
    if not any(_plain(one) in _plain(text) for one in names):
        found.append(f"names none of {', '.join(names)}")
    return [f"{type(error).__name__}: {text}  <- {'; '.join(found)}"] if found else []


def check(row: Wrong, nodes: Any) -> None:
    """Make a wrong call, and look at the answer."""
    try:
        result = row.call(nodes)
    except Exception as error:
        assert not complaints(row.name, error, row.named), "\n".join(
            complaints(row.name, error, row.named)
        )
        text = str(error)
        for pattern in row.words:
            assert re.search(pattern, text), f"nothing like {pattern!r} in: {text}"
        assert isinstance(error, row.error), f"{type(error).__mro__} is none of {row.error}"
    else:
        raise AssertionError(f"{row.name} took it without a word and gave {result!r}")
