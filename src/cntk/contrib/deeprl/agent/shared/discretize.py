"""Discretization of a box: each dimension is cut into equal parts."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._arguments import shown
from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.shared._spaces import BOX, kind_of
from cntk.errors import ArgumentError


class BoxSpaceDiscretizer:
    """Numbering of the cells of a box.

    Args:
        space: a space with ``low`` and ``high``, arrays of one shape.
        resolution: into how many parts a dimension is cut; an array of the space's shape for each
            its own. A dimension without bounds is one part, whatever it says.

    Attributes:
        num_states: how many cells there are.

    Raises:
        ValueError: if the space is not a box, or the resolution has another shape or is not
            positive.

    Example:
        >>> from types import SimpleNamespace
        >>> box = SimpleNamespace(low=np.zeros(2), high=np.ones(2), shape=(2,))
        >>> cells = BoxSpaceDiscretizer(box, 10)
        >>> cells.num_states, cells.discretize([0.15, 0.99])
        (100, 19)
    """

    def __init__(self, space: Any, resolution: Any) -> None:
        if kind_of(space) != BOX:
            raise ArgumentError(
                f"BoxSpaceDiscretizer: {shown(space)} cannot be cut into cells; expected a box, "
                f"which has low, high and shape"
            )
        shape = np.shape(space.low)
        if not np.isscalar(resolution) and np.shape(resolution) != shape:
            raise ValueError(
                f"the resolution has shape {np.shape(resolution)} and the box {shape}; expected "
                f"one integer, or an array with one for each dimension"
            )
        self._state_mins = np.asarray(space.low)
        self._state_maxs = np.asarray(space.high)
        self._state_resolutions = np.broadcast_to(np.asarray(resolution), shape)
        if self._state_resolutions.size and self._state_resolutions.min() < 1:
            raise ValueError(
                f"the resolution is {resolution}; expected at least one part for each dimension"
            )
        self.num_states = int(np.prod(self._state_resolutions))

    def discretize(self, value: Any) -> int:
        """Return the number of the cell in which an observation lies.

        Args:
            value: numbers of the space's shape. Those below or above the bounds count for the first
                or last part.

        Returns:
            The number, from 0 to ``num_states - 1``; the last dimension varies fastest.

        Raises:
            ValueError: if the observation has another shape.
        """
        value = np.asarray(value)
        if value.shape != self._state_mins.shape:
            raise ValueError(
                f"an observation has shape {value.shape}; expected {self._state_mins.shape}, as "
                f"the box's"
            )
        low, high, counts = self._state_mins, self._state_maxs, self._state_resolutions
        # Bounds may be infinite: what is then no number is the first part.
        with np.errstate(all="ignore"):
            parts = np.nan_to_num(np.floor((value - low) * counts / (high - low)), nan=0)
        parts = np.where(
            value >= high, counts - 1, np.where(value <= low, 0, np.clip(parts, 0, counts - 1))
        )
        index = 0
        for part, count in zip(parts.flat, counts.flat, strict=True):
            index = index * int(count) + int(part)
        return index


hand_on(globals())
