"""Checks of operations that need more of a sequence than a truncated minibatch has."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from cntk._compiler.ir import Node
from cntk._graph.op import Reach
from cntk._runtime.context import RunContext
from cntk._wording import operation_text
from cntk.errors import FeedError

_LOGGER = logging.getLogger("cntk")


class Reaching:
    """Operations of a plan that read later frames, or whole sequences.

    Args:
        nodes: all operations.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = [n for n in nodes if n.op.reach is not Reach.NONE]
        self._is_told = False

    def check(self, run: RunContext) -> None:
        """Refuse parts of sequences where an operation needs more than the part.

        Parts that a reader cuts are the exception, as in the original: it trains as if nothing
            followed a
        part. That is logged once.

        Raises:
            FeedError: if a sequence goes on from the previous minibatch, and an operation needs
                later frames or all of them.
        """
        for node in self._nodes:
            axes = next(
                (ref.type.dynamic_axes for ref in node.operands if ref.type.is_sequence), ()
            )
            layout = run.layouts.get(axes)
            if layout is None or layout.starts is None:
                continue
            primitive, number = node.primitive, layout.starts.index(False)
            title = operation_text(primitive.op_name, primitive.name or primitive.uid)
            needs = (
                "looks ahead to later frames"
                if node.op.reach is Reach.LATER
                else "needs whole sequences"
            )
            if layout.origins is None or node.op.reach is Reach.WHOLE:
                raise FeedError(
                    f"{title}: it {needs}, and sequence {number} goes on from the minibatch "
                    f"before, so that neither piece gives what the whole sequence would; give "
                    f"whole sequences, or a model that looks back alone"
                )
            if not self._is_told:
                self._is_told = True
                _LOGGER.warning(
                    "%s %s; sequences that are cut into pieces, as by truncation_length, are "
                    "computed as if nothing followed a piece, as CNTK does",
                    title,
                    needs,
                )
