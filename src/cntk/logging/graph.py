"""Looking into graphs: search for nodes, and pictures of the whole."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

from cntk._errors import shape_text
from cntk._files import replacing
from cntk._graph import walk
from cntk._graph.function import Function
from cntk._graph.late_names import hand_on
from cntk._graph.variable import Variable

__all__ = [
    "depth_first_search",
    "find_all_with_name",
    "find_by_name",
    "find_by_uid",
    "get_node_outputs",
    "plot",
]

_PICTURES = (".svg", ".pdf", ".png")


def depth_first_search(root: Any, visitor: Callable[[Any], bool], depth: int = 0) -> list[Any]:
    """All nodes of a graph, functions and variables, that a predicate accepts.

    Args:
        root: the function to start from.
        visitor: called with each node; says whether it belongs to the result.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        The nodes, each once, from the root down.

    Raises:
        TypeError: if ``root`` is neither a function nor a variable.

    Example:
        >>> import cntk as C
        >>> z = C.plus(C.input_variable(2, name='x'), C.constant([1, 2], name='c'), name='z')
        >>> [node.name for node in depth_first_search(z, lambda node: True)]
        ['z', 'x', 'c']
    """
    if not isinstance(root, (Function, Variable)):
        raise TypeError(f"depth_first_search: expected a function or a variable as root, got {root!r}")
    return walk.depth_first_search(root, visitor, depth)


def find_all_with_name(node: Any, node_name: str, depth: int = 0) -> list[Any]:
    """All functions and variables of a graph that have a name.

    Args:
        node: the function to start from.
        node_name: the name.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        Them, from the root down; an empty list if there are none.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> len(find_all_with_name(C.plus(C.plus(x, 1, name='p'), 2, name='p'), 'p'))
        2
    """
    return depth_first_search(node, lambda found: found.name == node_name, depth)


def find_by_name(node: Any, node_name: str, depth: int = 0) -> Any:
    """The function or variable of a graph that has a name.

    Args:
        node: the function to start from.
        node_name: the name.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        It, or None if there is none.

    Raises:
        ValueError: if there are several.

    Example:
        >>> import cntk as C
        >>> find_by_name(C.input_variable(2, name='x') * 2, 'x').shape
        (2,)
    """
    found = find_all_with_name(node, node_name, depth)
    if len(found) > 1:
        raise ValueError(
            f"find_by_name: there are {len(found)} nodes named '{node_name}'; use find_all_with_name to get them all"
        )
    return found[0] if found else None


def find_by_uid(node: Any, node_uid: str, depth: int = 0) -> Any:
    """The function or variable of a graph that has a uid.

    Args:
        node: the function to start from.
        node_uid: the uid.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        It, or None if there is none.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2, name='x')
        >>> find_by_uid(x * 2, x.uid) == x
        True
    """
    found = depth_first_search(node, lambda each: each.uid == node_uid, depth)
    return found[0] if found else None


def get_node_outputs(node: Any, depth: int = 0) -> list[Any]:
    """The outputs of all functions of a graph.

    Args:
        node: the function to start from.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        The outputs, from the root down; those that a ``combine`` hands through come once more where they are made.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> [output.name for output in get_node_outputs(C.plus(C.times(x, C.parameter((2, 3)), name='a'), 1, name='b'))]
        ['b', 'a']
    """
    functions = depth_first_search(node, lambda found: isinstance(found, Function), depth)
    return [output for function in functions for output in function.outputs]


def plot(root: Any, filename: str | None = None) -> str:
    """The graph of a function as text and, if asked for, as a picture.

    Args:
        root: the function.
        filename: where to draw it: ``.dot`` is a description for Graphviz; for ``.svg``, ``.pdf`` and ``.png``
            Graphviz must be installed.

    Returns:
        One line an operation, operands before the operations that use them: ``operation(uids of operands) -> uid;``.

    Raises:
        ValueError: for files of another kind.
        RuntimeError: if Graphviz is needed but not found, or fails.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> print(plot(C.relu(x + 1)))  # doctest: +ELLIPSIS
        Plus(Input..., Constant...) -> Plus..._Output_0;
        <BLANKLINE>
        ReLU(Plus..._Output_0) -> ReLU..._Output_0;
        <BLANKLINE>
    """
    functions = [found.root_function for found in depth_first_search(root, lambda found: isinstance(found, Function))]
    if filename is not None:
        _draw(functions, filename)
    lines = [
        f"{function.op_name}({', '.join(operand.uid for operand in function.inputs)}) -> {output.uid};\n"
        for function in functions
        for output in function.outputs
    ]
    return "\n".join(reversed(lines))


def _draw(functions: list[Any], filename: str) -> None:
    suffix = os.path.splitext(filename)[1].lower()
    if suffix != ".dot" and suffix not in _PICTURES:
        raise ValueError(f"plot: expected a file name that ends in .dot, {', '.join(_PICTURES)}, got '{filename}'")
    text = "\n".join(_dot(functions))
    if suffix == ".dot":
        with replacing(filename) as file:
            file.write(text.encode())
        return
    command = ["dot", f"-T{suffix[1:]}", "-o", filename]
    try:
        subprocess.run(command, input=text, encoding="utf-8", capture_output=True, check=True)
    except FileNotFoundError:
        raise RuntimeError(
            f"plot: drawing '{filename}' needs Graphviz, whose program dot was not found; "
            "install Graphviz, or give a file name that ends in .dot"
        ) from None
    except subprocess.CalledProcessError as failure:
        raise RuntimeError(f"plot: Graphviz could not draw '{filename}': {failure.stderr.strip()}") from None


def _dot(functions: list[Any]) -> Iterator[str]:
    """A description for Graphviz: operations as boxes, variables without an operation as ellipses."""
    yield "digraph {"
    yield "  rankdir=LR; node [fontsize=10]; edge [fontsize=8];"
    leaves: dict[str, Variable] = {}
    for function in functions:
        yield f"  {_quoted(function.uid)} [shape=box, label={_quoted(_label(function.op_name, function.name))}];"
        for operand in function.inputs:
            source = operand.owner.root_function.uid if operand.is_output else operand.uid
            if not operand.is_output:
                leaves[operand.uid] = operand
            yield f"  {_quoted(source)} -> {_quoted(function.uid)} [label={_quoted(shape_text(operand.shape))}];"
    for uid, leaf in leaves.items():
        yield f"  {_quoted(uid)} [shape=ellipse, label={_quoted(_label(leaf.kind.name, leaf.name))}];"
    yield "}"


def _label(kind: str, name: str) -> str:
    return f"{kind}\n{name}" if name else kind


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


hand_on(globals())
