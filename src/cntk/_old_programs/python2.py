"""Recognition of programs in Python 2, before anything of them runs."""

from __future__ import annotations

import ast
import builtins
import importlib.util
import re
from collections.abc import Iterator

CONVERT = "pip install fissix && python -m fissix -w {path}"

PRINT = "print without brackets"
SYNTAX = (  # what a line looks like, what it is
    (
        r"^\s*(.*[:;]\s*)?print\s+(?![=.,)\]}]|\b(in|is|and|or|not|if|for)\b)[^(\s].*|^\s*(.*[:;]\s*)?print\s*>>",
        PRINT,
    ),
    (r"^\s*(.*[:;]\s*)?print\s*$", PRINT),
    (r"^\s*print\s*\(.*\)\s*%", PRINT),
    (r"^\s*except\s+[\w.()\s,]+,\s*\w+\s*:", "except X, error:"),
    (r"^\s*raise\s+[\w.]+\s*,", "raise X, text"),
    (r"^\s*exec\s+[^(=\s]", "exec without brackets"),
    (r"`[^`]+`", "backticks"),
    (r"<>", "<>"),
    (r"\b[uU][rR]['\"]", "ur'...'"),
    (r"\b0[0-7]+[lL]?\b|\b\d+[lL]\b", "numbers as 0777 or 1L"),
    (r"\b(lambda|def\s+\w+\s*\()[^:]*\(\s*\w+\s*,[^)]*\)\s*[:,)]", "arguments in brackets"),
)

MODULES = frozenset(
    "cPickle cStringIO StringIO urllib2 urlparse ConfigParser Queue SocketServer HTMLParser "
    "httplib BaseHTTPServer "
    "SimpleHTTPServer cookielib Cookie Tkinter tkMessageBox tkFileDialog commands thread "
    "__builtin__ copy_reg htmlentitydefs "
    "xmlrpclib anydbm robotparser UserDict exceptions sets md5 sha".split()
)
NAMES = frozenset(
    "xrange raw_input unicode basestring unichr execfile long file cmp reduce coerce buffer apply "
    "intern".split()
)


VERSION = re.compile(r"version|\bpy_?[23]|is_py|python_?[23]|builtin", re.IGNORECASE)
Sign = tuple[int, str]
"""A line that only Python 2 understands, and what it is about it."""


def signs(source: str) -> list[Sign]:
    """Return what shows that a program is in Python 2; nothing for one that Python 3 may run.

    Example:
        >>> signs("import os\\nprint 'a'\\n")
        [(2, 'print without brackets')]
        >>> signs("try:\\n    import cPickle\\nexcept ImportError:\\n    import pickle\\n")
        []
    """
    return _examine(source)[0]


def doubts(source: str) -> list[Sign]:
    """Return what is in functions only, which a program of Python 3 may never call.

    Example:
        >>> doubts("def f(x):\\n    return unicode(x)\\n")
        [(2, 'unicode')]
    """
    sure, later = _examine(source)
    return [] if sure else later


def _examine(source: str) -> tuple[list[Sign], list[Sign]]:
    """Return all signs of Python 2 if there are sure ones, and those in functions."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return list(_in_text(source, error)), []
    signs = sorted(set(_in_tree(tree)))
    every, later = (
        [(line, what) for line, what, _ in signs],
        [(line, what) for line, what, inside in signs if inside],
    )
    return (every if len(later) < len(every) else []), later


def _in_text(source: str, error: SyntaxError) -> Iterator[Sign]:
    if isinstance(error, TabError):
        yield error.lineno or 1, "tabs and spaces mixed"
        return
    lines = source.splitlines()
    at = error.lineno or 1
    # The first error decides whether it is Python 2; then all that looks like it is told.
    candidates = [at, at - 1] if at > 1 else [at]
    if not any(_kind(lines[one - 1]) for one in candidates if one <= len(lines)):
        return
    for number, line in enumerate(lines, 1):
        kind = _kind(line)
        if kind:
            yield number, kind


def _kind(line: str) -> str | None:
    code = line.partition("#")[0]
    return next((kind for pattern, kind in SYNTAX if re.search(pattern, code)), None)


def _in_tree(tree: ast.Module) -> Iterator[tuple[int, str, bool]]:
    """Yield signs, and whether each is in a function."""
    made = _names_made(tree)
    for node, inside in _unguarded(tree, False):
        if not isinstance(node, (ast.stmt, ast.expr)):
            continue
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            modules = [node.module or ""]
        else:
            modules = []
        if isinstance(node, ast.Expr) and _prints(node.value):
            yield node.lineno, PRINT, False
        for module in modules:
            top = module.partition(".")[0]
            if top in MODULES and not _exists(top):
                yield node.lineno, f"import {module}", inside
        if (
            isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)
            and node.id in NAMES - made
            and not hasattr(builtins, node.id)
        ):
            yield node.lineno, node.id, inside


def _prints(value: ast.expr) -> bool:
    """Tell whether an expression is what Python 3 takes `print`, `print >>file, x` or
    `print (a) % b` for.
    """
    if isinstance(value, ast.Tuple) and value.elts:
        value = value.elts[0]
    if isinstance(value, ast.BinOp):
        value = value.left
        return _is_print(value) or (isinstance(value, ast.Call) and _is_print(value.func))
    return _is_print(value)


def _is_print(value: ast.expr) -> bool:
    return isinstance(value, ast.Name) and value.id == "print"


def _exists(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def _names_made(tree: ast.Module) -> set[str]:
    """Return every name that the program defines anywhere; all of them after `from x import *`."""
    made: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            made.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            made.add(node.name)
        elif isinstance(node, ast.arg):
            made.add(node.arg)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for alias in node.names:
                made |= (
                    NAMES if alias.name == "*" else {(alias.asname or alias.name).partition(".")[0]}
                )
    return made


def _unguarded(node: ast.AST, inside: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Yield the nodes that run whatever the version, and whether they are in a function.

    Those in `try` with a way out, or below a test of the version, do not.
    """
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Try) and child.handlers:
            for part in (*child.orelse, *child.finalbody):
                yield part, inside
                yield from _unguarded(part, inside)
        elif not (
            isinstance(child, (ast.If, ast.IfExp)) and VERSION.search(ast.unparse(child.test))
        ):
            within = inside or isinstance(
                child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
            )
            yield child, inside
            yield from _unguarded(child, within)


def message(path: str, signs: list[Sign]) -> str:
    """Return what a person is told about a program in Python 2."""
    shown = "; ".join(f"line {line}: {what}" for line, what in signs[:5]) + (
        "; ..." if len(signs) > 5 else ""
    )
    return (
        f"{path} is a program in Python 2 ({shown}); nothing of it was run. Convert it first: "
        f"{CONVERT.format(path=path)}"
    )
