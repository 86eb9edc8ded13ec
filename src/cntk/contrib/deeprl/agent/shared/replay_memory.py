"""Replay memory of transitions."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any, NamedTuple

from cntk._arguments import as_flag, as_integer
from cntk._graph.names.late_names import hand_on


class _Transition(NamedTuple):
    """One transition: state, action, reward and next state; None at an episode's end."""

    state: Any
    action: Any
    reward: Any
    next_state: Any
    priority: Any


class ReplayMemory:
    """The latest transitions, sampled uniformly or by priority.

    Draws come from Python's `random`: the same seed gives the same transitions as in the original.

    Args:
        capacity: how many transitions there is room for; new ones replace the oldest.
        prioritized: whether a transition is drawn as often as its priority says.

    Raises:
        ValueError: if there is room for none.

    Example:
        >>> memory = ReplayMemory(2, prioritized=True)
        >>> for state, priority in enumerate([1, 3, 5]):
        ...     memory.store(state, 0, 1.0, state + 1, priority)
        >>> memory.size(), {transition.state for _, transition in memory.sample_minibatch(8)}
        (2, {1, 2})
    """

    # With priorities the list is a binary tree, the root first: the children of node i are 2 i + 1
    # and 2 i + 2. The first `capacity - 1` nodes hold the sum of the priorities below them, the
    # others are transitions.

    def __init__(self, capacity: int, prioritized: bool = False) -> None:
        capacity = as_integer(capacity, "ReplayMemory: capacity", most=2**31 - 1)
        prioritized = as_flag(prioritized, "ReplayMemory: prioritized")
        if capacity < 1:
            raise ValueError(f"the capacity of a replay memory is {capacity}; expected at least 1")
        self._capacity = capacity
        self._use_prioritized_replay = prioritized
        self._first = capacity - 1 if prioritized else 0
        self._memory: list[Any] = [0] * self._first
        self._position = 0

    def size(self) -> int:
        """Return how many transitions there are."""
        return len(self._memory) - self._first

    def store(self, *args: Any) -> None:
        """Keep a transition, in place of the oldest if there is no room.

        Args:
            *args: state, action, reward, next state (None at an episode's end), and priority (None
                if not used).
        """
        transition = _Transition(*args)
        index = self._first + self._position
        if index == len(self._memory):
            self._memory.append(transition)
            before = 0
        else:
            before = self._memory[index].priority
            self._memory[index] = transition
        self._position = (self._position + 1) % self._capacity
        if self._use_prioritized_replay:
            self._add_above(index, transition.priority - before)

    def update_priority(self, map_from_position_to_priority: Mapping[int, float]) -> None:
        """Give transitions new priorities; nothing changes where priorities are not used.

        Args:
            map_from_position_to_priority: the priorities by position, as `sample_minibatch` gives
                it.
        """
        if not self._use_prioritized_replay:
            return
        for index, priority in map_from_position_to_priority.items():
            before = self._memory[index]
            self._memory[index] = before._replace(priority=priority)
            self._add_above(index, priority - before.priority)

    def sample_minibatch(self, batch_size: int) -> list[tuple[int, _Transition]]:
        """Draw transitions.

        Evenly, none is drawn twice, and all come in order if there are no more than asked for. By
        priority, each of ``batch_size`` equal shares of all priorities gives one, so that a
        transition may come more than once.

        Args:
            batch_size: how many.

        Returns:
            Each transition with its position.
        """
        size = self.size()
        if not size:
            return []
        if self._use_prioritized_replay:
            total = self._sum(0)
            share = total / batch_size
            bounds = [(max(i * share, 0), min((i + 1) * share, total)) for i in range(batch_size)]
            indices = [self._place_of(random.uniform(low, high)) for low, high in bounds]
        else:
            indices = (
                list(range(size)) if size <= batch_size else random.sample(range(size), batch_size)
            )
        return [(index, self._memory[index]) for index in indices]

    def _add_above(self, node: int, change: float) -> None:
        while node > 0:
            node = (node - 1) // 2
            self._memory[node] += change

    def _sum(self, node: int) -> Any:
        """Return the sum of the priorities of a node and all below it."""
        if node >= len(self._memory):
            return 0
        return self._memory[node] if node < self._first else self._memory[node].priority

    def _holds(self, node: int) -> bool:
        """Return whether there is a transition at a node or below it."""
        if node < self._first and self._memory[node] > 0:
            return True
        low = high = node  # the nodes below it, level by level
        while low < len(self._memory):
            if high >= self._first:
                return True
            low, high = 2 * low + 1, 2 * high + 2
        return False

    def _place_of(self, priority: float) -> int:
        """Return the index of the transition up to which, from left to right, the priorities add to
        this one.
        """
        node = 0
        while node < self._first:
            left = 2 * node + 1
            below = self._sum(left)
            # Rounding may lead where nothing is yet.
            if not self._holds(left + 1) or (priority <= below and self._holds(left)):
                node = left
            else:
                priority -= below
                node = left + 1
        return node


hand_on(globals())
