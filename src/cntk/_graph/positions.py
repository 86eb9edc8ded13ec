"""Positions of a result's elements on its operands, along the last two axes: as in images."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class AxisMap:
    """Places along one axis: element r of the result lies at ``r * step + shift`` of the operand.

    Attributes:
        step: how far apart on the operand two neighbours of the result lie.
        shift: where the result's first element lies.
    """

    step: Fraction = Fraction(1)
    shift: Fraction = Fraction(0)

    def then(self, below: AxisMap) -> AxisMap:
        """Return the map from the result to the operand's own operand.

        Args:
            below: where the operand lies on that.
        """
        return AxisMap(self.step * below.step, self.shift * below.step + below.shift)

    def inverse(self) -> AxisMap:
        """Return the map from the operand to the result."""
        return AxisMap(1 / self.step, -self.shift / self.step)


# Along the last axis but one, and along the last.
Positions = tuple[AxisMap, AxisMap]
SAME_POSITIONS: Positions = (AxisMap(), AxisMap())
