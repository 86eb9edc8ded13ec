"""Find the offset of each automatic crop: both operands are traced down to a value that they come
from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from math import floor

from cntk._compiler.ir import Node, Ref
from cntk._compiler.passes.flat_graph import FlatGraph, named
from cntk._graph.positions import SAME_POSITIONS, Positions
from cntk._ops.nn.crop import Crop, check_room
from cntk.errors import GraphError


def resolve_crop(graph: FlatGraph) -> list[str]:
    """Give each crop without an offset the one that its operands' positions tell.

    Raises:
        GraphError: if the operands come from no common value, differ in scale, or the part is not
            within the operand.

    Example:
        The first window lies around the second pixel of both axes:

        >>> import cntk as C
        >>> from cntk._compiler.passes.pipeline import before_and_after
        >>> image = C.input_variable((1, 6, 6), name="image")
        >>> pooled = C.pooling(image, C.MAX_POOLING, (3, 3))
        >>> print(before_and_after("resolve_crop", C.crop_automatic(image, pooled)))
        %1 = Pooling(image, pooling_window_shape=(3, 3))
        %2 = Crop(image, %1)
        output %2
        becomes
        %1 = Pooling(image, pooling_window_shape=(3, 3))
        %2 = Crop(image, %1, offset=(1, 1))
        output %2
    """
    notes = []
    for node in graph.work:
        if isinstance(node, Node) and isinstance(node.op, Crop) and not node.op.offset:
            try:
                node.op = _with_offset(node.op, node.operands)
            except GraphError as error:
                raise node.primitive.misfit(str(error)) from None
            column, row = node.op.offset
            notes.append(f"{named(node)} begins at row {row}, column {column}")
    return notes


def _with_offset(crop: Crop, operands: Sequence[Ref]) -> Crop:
    x, referent, *ancestors = operands
    same = {ancestors[0].key: ancestors[1].key} if ancestors else None
    begins = offset_between(x, referent, same)[::-1]
    check_room(x.type, referent.type, begins)
    return replace(crop, offset=tuple(floor(n) for n in begins))


Key = tuple[int, int]


def offset_between(x: Ref, referent: Ref, same: dict[Key, Key] | None) -> list[Fraction]:
    """Return where the referent's first element lies on the operand, along the last two axes.

    Args:
        x: the operand.
        referent: the referent.
        same: a value below the operand and the one below the referent that it counts as, if any.

    Raises:
        GraphError: if nothing common is found, or one has another scale than the other.
    """
    from_x, hidden = _reached(x)
    from_referent, also_hidden = _reached(referent)
    pairs = [*(same or {}).items(), *((key, key) for key in from_referent)]
    common = next(((a, b) for a, b in pairs if a in from_x and b in from_referent), None)
    if common is None:
        way = ", ".join(sorted(hidden | also_hidden))
        through = f"; they are not followed through {way}" if way else ""
        raise GraphError(
            f"no value was found that both operands come from by convolution, pooling and the "
            f"like{through}; give the place with crop_manual"
        )
    begins = []
    for own, other in zip(from_x[common[0]], from_referent[common[1]], strict=True):
        between = other.then(own.inverse())
        if between.step != 1:
            raise GraphError(
                f"an element of the second operand is {between.step} elements of the first; both "
                f"must have the same scale, which a transposed convolution can restore"
            )
        begins.append(between.shift)
    return begins


def _reached(start: Ref) -> tuple[dict[Key, Positions], set[str]]:
    """Follow a value down: return where its elements lie on the values below it, and the names of
    the operations that could not be followed.

    Raises:
        GraphError: if two ways to a value disagree.
    """
    positions = {start.key: SAME_POSITIONS}
    hidden: set[str] = set()
    waiting = [start]
    for ref in waiting:
        if ref.node is None:
            continue
        row, column = positions[ref.key]
        maps = ref.node.op.positions(*(r.type for r in ref.node.operands))
        if not any(maps):
            hidden.add(ref.node.primitive.op_name)
        for operand, axis_maps in zip(ref.node.operands, maps, strict=True):
            if axis_maps is None:
                continue
            there = (row.then(axis_maps[0]), column.then(axis_maps[1]))
            if operand.key not in positions:
                positions[operand.key] = there
                waiting.append(operand)
            elif positions[operand.key] != there:
                raise GraphError(
                    f"two ways lead to {_described(operand)}, and elements lie at different places "
                    f"on it; give the place with crop_manual"
                )
    return positions, hidden


def _described(ref: Ref) -> str:
    if ref.node is None:
        return repr(ref.leaf)
    return (
        f"the output of {ref.node.primitive.op_name} "
        f"'{ref.node.primitive.name or ref.node.primitive.uid}'"
    )
