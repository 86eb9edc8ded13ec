"""Replacement of functions anywhere in a graph."""

from __future__ import annotations

from collections.abc import Callable

from cntk._arguments import as_function, shown
from cntk._graph import walk
from cntk._graph.block import Block, combine_variables, make_block
from cntk._graph.composite import Composite
from cntk._graph.function import CloneMethod, Function
from cntk._graph.infer import infer_graph
from cntk._graph.names.late_names import hand_on
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable
from cntk.errors import ArgumentError

__all__ = ["convert"]

Filter = Callable[[Function], bool]
Converter = Callable[[Function], Function]


def convert(root_func: Function, filter: Filter, converter: Converter) -> Function:
    """Return a copy of a graph in which some functions are replaced; also inside blocks.

    Args:
        root_func: the graph.
        filter: says of a function whether it is to be replaced. It is asked about every function of
            the graph, those inside a block before the block.
        converter: given such a function, whose inputs have been converted already, what takes its
            place: a function with one output.

    Returns:
        The new graph, which shares the parameters with the old one; the old one itself where
        nothing is to be replaced.

    Example:
        >>> import cntk as C
        >>> x = C.input_variable(3)
        >>> model = C.layers.Dense(2, activation=C.sigmoid)(x)
        >>> faster = convert(
        ...     model, lambda f: f.op_name == "StableSigmoid", lambda f: C.relu(f.inputs[0])
        ... )
        >>> [
        ...     f.op_name
        ...     for f in C.logging.depth_first_search(
        ...         faster, lambda f: hasattr(f, "op_name"), depth=-1
        ...     )
        ... ]
        ['Dense', 'ReLU', 'Plus', 'Times']
    """
    if not isinstance(root_func, Function):
        raise ArgumentError(f"convert: expected a function, got {shown(root_func)}")
    as_function(filter, "convert: filter", "of a node, which says whether it is to be replaced")
    as_function(converter, "convert: converter", "of a node, which gives what takes its place")
    if not any(_concerned(p, filter) for p in _order(root_func)):
        return root_func
    copy = root_func.clone(CloneMethod.share, {v: v for v in root_func.inputs}).root_function
    done = 0
    while True:
        order = _order(copy)
        matches = [p for p in order if _concerned(p, filter)]
        if done >= len(matches):
            return Composite(copy)
        old = matches[done]
        block = None if filter(old) else old.block
        new = (converter(old) if block is None else _inside(old, block, filter, converter)).output
        # What a converter makes stays as it is, even if the filter takes it for one of its own.
        done += sum(p not in order and _concerned(p, filter) for p in walk.post_order([new]))
        if old is copy:
            alone = new.owner is not None and new.owner.outputs == (new,)
            copy = new.owner.root_function if alone else combine_variables([new]).root_function
        else:
            _replace(order, old.results[0], new)
            infer_graph(copy.results)


def _replace(order: list[Primitive], old: Variable, new: Variable) -> None:
    """Replace a variable by another in the functions that read it; in a loop the old one may be
    below the new.
    """
    for primitive in order:
        if old in primitive.operands:
            primitive.rewire(new if v is old else v for v in primitive.operands)


def _order(function: Function) -> list[Primitive]:
    root = function.root_function
    order = walk.post_order(root.results)
    return order if root in order else [*order, root]


def _concerned(primitive: Primitive, filter: Filter) -> bool:
    """Return whether a function is to be replaced, or contains one that is."""
    if len(primitive.results) != 1 or primitive.op.is_bundle:
        return False
    if filter(primitive):
        return True
    block = primitive.block
    return block is not None and any(_concerned(p, filter) for p in _order(block.composite))


def _inside(primitive: Primitive, block: Block, filter: Filter, converter: Converter) -> Function:
    """Replace functions inside a block."""
    outer = block.operands_of(primitive.operands)
    body = convert(block.composite, filter, converter)
    return make_block(
        body,
        list(zip(block.arguments, outer, strict=True)),
        block.block_name,
        primitive._name,
        details=block.details,
    )


hand_on(globals())
