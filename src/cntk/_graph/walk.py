"""Traversal of graphs: children first, leaves in the original's order, loops, and search by
name.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from cntk._graph.variable import Variable

if TYPE_CHECKING:
    from cntk._graph.function import Function
    from cntk._graph.primitive import Primitive


T = TypeVar("T")


def depth_first(
    roots: Iterable[T], children: Callable[[T], Iterable[T]], key: Callable[[T], Hashable] = id
) -> list[T]:
    """Return all nodes below some roots, each once, children before what needs them.

    In a loop one child must come later: whoever reads the list finds it not yet visited.

    Args:
        roots: where to start.
        children: the nodes that a node needs, in the order in which they are visited; asked once,
            when the node is first met.
        key: what two references to the same node have in common.

    Example:
        >>> below = {"d": "bc", "c": "a", "b": "a", "a": "d"}
        >>> depth_first("d", lambda node: below[node], key=str)
        ['a', 'b', 'c', 'd']
    """
    order: list[T] = []
    seen: set[Hashable] = set()
    for root in roots:
        if key(root) in seen:
            continue
        seen.add(key(root))
        stack = [(root, iter(children(root)))]
        while stack:
            node, below = stack[-1]
            for child in below:
                if key(child) not in seen:
                    seen.add(key(child))
                    stack.append((child, iter(children(child))))
                    break
            else:
                order.append(node)
                stack.pop()
    return order


def post_order(outputs: Iterable[Variable]) -> list[Primitive]:
    """Return the primitives that compute some variables, operands first; see `depth_first`."""
    return depth_first(
        owners(outputs),
        lambda primitive: owners(primitive.operands),
    )


def owners(variables: Iterable[Variable]) -> Iterator[Primitive]:
    """Yield the primitives that compute variables; nothing for leaves."""
    return (v._owner.root_function for v in variables if v._owner is not None)


def primitives(root: Primitive) -> Iterator[Primitive]:
    """Yield a graph's primitives, and those of the graphs that blocks among them stand for."""
    pending = [root]
    while pending:
        top = pending.pop()
        for primitive in dict.fromkeys([*post_order(top.results), top]):
            yield primitive
            if primitive.block is not None:
                pending.append(primitive.block.composite.root_function)


def operands_as_on_disk(primitive: Primitive) -> Iterator[Variable]:
    """Yield a primitive's operands in the order of files, in which some operations' are
    reversed.
    """
    return (
        reversed(primitive.operands) if primitive.op.reversed_on_disk else iter(primitive.operands)
    )


def leaves(root: Primitive, as_on_disk: bool = False) -> tuple[Variable, ...]:
    """Return the variables that no primitive computes, depth first from the root, each
    operation's operands in order.

    Args:
        root: where to start.
        as_on_disk: whether operands come in the order of files, in which some operations' are
            reversed; the original lists the operands of blocks so.
    """

    def operands(primitive: Primitive) -> Iterator[Variable]:
        return operands_as_on_disk(primitive) if as_on_disk else iter(primitive.operands)

    def below(node: Primitive | Variable) -> Iterator[Primitive | Variable]:
        if isinstance(node, Variable):
            return iter(())
        return (v if v._owner is None else v._owner.root_function for v in operands(node))

    visited: list[Primitive | Variable] = depth_first([root], below)
    return tuple(node for node in visited if isinstance(node, Variable))


def loops(order: list[Primitive]) -> list[list[Primitive]]:
    """Return the loops of a graph; see `cycles`."""
    return cycles(order, lambda p: list(owners(p.operands)))


def cycles(order: list[T], children: Callable[[T], list[T]]) -> list[list[T]]:
    """Return the strongly connected components of more than one node, or of one that feeds
    itself (Tarjan, 1972).

    Args:
        order: all nodes.
        children: the nodes that a node depends on.

    Returns:
        The members of each component in the order given; one whose result another needs comes
        first.
    """
    rank = {id(node): k for k, node in enumerate(order)}
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    path: list[T] = []
    on_path: set[int] = set()
    components: list[list[T]] = []
    for start in order:
        if id(start) in index:
            continue
        stack: list[tuple[T, Iterator[T]]] = []
        entering: T | None = start
        while stack or entering is not None:
            if entering is not None:
                index[id(entering)] = low[id(entering)] = len(index)
                path.append(entering)
                on_path.add(id(entering))
                stack.append((entering, iter(children(entering))))
                entering = None
            node, below = stack[-1]
            for child in below:
                if id(child) not in index:
                    entering = child
                    break
                if id(child) in on_path:
                    low[id(node)] = min(low[id(node)], index[id(child)])
            if entering is not None:
                continue
            stack.pop()
            if stack:
                parent = stack[-1][0]
                low[id(parent)] = min(low[id(parent)], low[id(node)])
            if low[id(node)] == index[id(node)]:
                cut = next(k for k in range(len(path) - 1, -1, -1) if path[k] is node)
                component = path[cut:]
                del path[cut:]
                on_path.difference_update(map(id, component))
                if len(component) > 1 or any(child is node for child in children(node)):
                    components.append(sorted(component, key=lambda m: rank[id(m)]))
    return components


def depth_first_search(
    root: Function | Variable, visitor: Callable[[Function | Variable], bool], depth: int = 0
) -> list[Function | Variable]:
    """All nodes, functions and variables, that satisfy a predicate, from the root down.

    Args:
        root: where to start.
        visitor: says of a node whether it belongs to the result.
        depth: how many levels of blocks to look into; 0 for none, -1 for all.

    Returns:
        The nodes, each once, in the order of the visit.
    """
    matches: list[Function | Variable] = []
    seen: set[int] = set()
    actual: dict[Variable, Variable] = {}  # what the placeholders of blocks stand for
    waiting: list[tuple[Function | Variable, int]] = [(root, depth)]
    while waiting:
        node, level = waiting.pop(0)
        while isinstance(node, Variable) and node in actual:
            node = actual[node]
        owner = node._owner if isinstance(node, Variable) else node
        if owner is not None:
            node = owner.root_function
        if id(node) in seen:
            continue
        seen.add(id(node))
        if visitor(node):
            matches.append(node)
        if isinstance(node, Variable):
            continue
        primitive = node.root_function
        if primitive.is_block and level != 0:
            mapping = primitive.block_arguments_mapping
            actual.update(mapping)
            waiting.extend((operand, level - 1) for _, operand in mapping)
            waiting.append((primitive.block_root, level - 1))
        else:
            waiting[:0] = [(operand, level) for operand in primitive.operands]
    return matches
