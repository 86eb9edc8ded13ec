"""Search for nodes in graphs, and drawings of graphs."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from cntk._arguments import as_function, as_path, as_real, as_string, shown
from cntk._graph import walk
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk._graph.variable import Variable
from cntk._wording import quoted
from cntk.errors import ArgumentError

__all__ = [
    "depth_first_search",
    "find_all_with_name",
    "find_by_name",
    "find_by_uid",
    "get_node_outputs",
    "plot",
]


def depth_first_search(root: Any, visitor: Callable[[Any], bool], depth: int = 0) -> list[Any]:
    """Return all nodes of a graph, functions and variables, that a predicate accepts.

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
        >>> z = C.plus(C.input_variable(2, name="x"), C.constant([1, 2], name="c"), name="z")
        >>> [node.name for node in depth_first_search(z, lambda node: True)]
        ['z', 'x', 'c']
    """
    if not isinstance(root, (Function, Variable)):
        raise ArgumentError(
            f"depth_first_search: expected a function or a variable as root, got {shown(root)}"
        )
    as_function(
        visitor,
        "depth_first_search: visitor",
        "of a node, which says whether it belongs to the result",
    )
    return walk.depth_first_search(root, visitor, _depth(depth, "depth_first_search"))


def _search(function: str, node: Any, accepts: Callable[[Any], bool], depth: Any) -> list[Any]:
    """Search by `depth_first_search`, with another function's name in errors."""
    if not isinstance(node, (Function, Variable)):
        raise ArgumentError(
            f"{function}: node: expected a function or a variable, got {shown(node)}"
        )
    return walk.depth_first_search(node, accepts, _depth(depth, function))


def _depth(depth: Any, function: str) -> int:
    return int(max(-1.0, min(as_real(depth, f"{function}: depth", finite=False), 2.0**31)))


def find_all_with_name(node: Any, node_name: str, depth: int = 0) -> list[Any]:
    """Return all functions and variables of a graph with a name.

    Args:
        node: the function to start from.
        node_name: the name.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        Them, from the root down; an empty list if there are none.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> len(find_all_with_name(C.plus(C.plus(x, 1, name="p"), 2, name="p"), "p"))
        2
    """
    # As in the original, nothing has a name that is no string.
    named = isinstance(node_name, str)
    return _search("find_all_with_name", node, lambda each: named and each.name == node_name, depth)


def find_by_name(node: Any, node_name: str, depth: int = 0) -> Any:
    """Return the function or variable of a graph with a name.

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
        >>> find_by_name(C.input_variable(2, name="x") * 2, "x").shape
        (2,)
    """
    as_string(node_name, "find_by_name: node_name")
    matches = _search("find_by_name", node, lambda each: each.name == node_name, depth)
    if len(matches) > 1:
        raise ValueError(
            f"find_by_name: there are {len(matches)} nodes named {quoted(node_name)}; use "
            f"find_all_with_name to get them all"
        )
    return matches[0] if matches else None


def find_by_uid(node: Any, node_uid: str, depth: int = 0) -> Any:
    """Return the function or variable of a graph with a uid.

    Args:
        node: the function to start from.
        node_uid: the uid.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        It, or None if there is none.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2, name="x")
        >>> find_by_uid(x * 2, x.uid) == x
        True
    """
    as_string(node_uid, "find_by_uid: node_uid")
    matches = _search("find_by_uid", node, lambda each: each.uid == node_uid, depth)
    return matches[0] if matches else None


def get_node_outputs(node: Any, depth: int = 0) -> list[Any]:
    """Return the outputs of all functions of a graph.

    Args:
        node: the function to start from.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        The outputs, from the root down; those that a ``combine`` hands through come once more where
        they are made.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> [
        ...     output.name
        ...     for output in get_node_outputs(
        ...         C.plus(C.times(x, C.parameter((2, 3)), name="a"), 1, name="b")
        ...     )
        ... ]
        ['b', 'a']
    """
    functions = _search("get_node_outputs", node, lambda each: isinstance(each, Function), depth)
    return [output for function in functions for output in function.outputs]


def plot(root: Any, filename: str | os.PathLike[str] | None = None) -> str:
    """Describe the graph of a function as text, and draw it if asked to.

    Blocks are drawn as one node. Rounded nodes are inputs and results, and nodes with thin frames
    parameters and constants; a shape follows ``[#]`` for the batch axis, ``[#,*]`` for a sequence
    axis too. Edges that close a loop point upwards.

    Args:
        root: the function.
        filename: where to draw it. ``.svg`` and ``.pdf`` need nothing else, ``.png`` needs
            Matplotlib; Graphviz draws them where its program ``dot`` is found. ``.dot`` is a
            description for Graphviz.

    Returns:
        One line an output of an operation, operands before the operations that use them:
        ``operation(uids of operands) -> uid;``.

    Raises:
        TypeError: if ``root`` is no function.
        ValueError: for files of another kind.
        ImportError: if Matplotlib is needed and not installed.
        RuntimeError: if the file cannot be written, or Graphviz fails.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(2)
        >>> print(plot(C.relu(x + 1)))  # doctest: +ELLIPSIS
        Plus(Input..., Constant...) -> Plus..._Output_0;
        <BLANKLINE>
        ReLU(Plus..._Output_0) -> ReLU..._Output_0;
        <BLANKLINE>
    """
    if isinstance(root, Variable) and root.is_output:
        root = root.owner
    if not isinstance(root, Function):
        raise ArgumentError(f"plot: expected a function as root, got {shown(root)}")
    if isinstance(filename, np.ndarray) or filename:
        filename = as_path(filename, "plot: filename")
    # Drawing takes a dozen modules, which `import cntk` need not wait for.
    from cntk.logging.drawing.description import describe
    from cntk.logging.drawing.files import check_suffix, write_picture

    if filename:
        check_suffix(filename)
    description = describe(root)
    if filename:
        write_picture(description, filename)
    return "\n".join(description.lines)


hand_on(globals())
