"""A random agent, as a baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.agent import AgentBaseClass


class RandomAgent(AgentBaseClass):
    """An agent that draws any action with equal probability, from NumPy's random numbers.

    Args:
        o_space: the observations; see `AgentBaseClass`.
        a_space: the actions, discrete.

    Attributes:
        episode_count: how many episodes have begun.
        step_count: how many rewards have come.

    Example:
        >>> from types import SimpleNamespace
        >>> agent = RandomAgent(SimpleNamespace(n=4), SimpleNamespace(n=2))
        Random agent: 2 actions.
        >>> agent.start(0)[0] in (0, 1)
        True
    """

    def __init__(self, o_space: Any, a_space: Any) -> None:
        super().__init__(o_space, a_space)
        self.episode_count = 0
        self.step_count = 0
        print(f"Random agent: {self._num_actions} actions.")

    def start(self, state: Any) -> tuple[int, dict[str, Any]]:
        """Begin an episode; see `AgentBaseClass.start`."""
        self.episode_count += 1
        return self._choose_action(state)[0], {}

    def step(self, reward: float, next_state: Any) -> tuple[int, dict[str, Any]]:
        """Count the step and choose again; see `AgentBaseClass.step`."""
        self.step_count += 1
        return self._choose_action(next_state)[0], {}

    def end(self, reward: float, next_state: Any) -> None:
        """Count the step; see `AgentBaseClass.end`."""
        self.step_count += 1

    def _choose_action(self, state: Any) -> tuple[int, str]:
        return np.random.randint(self._num_actions), "RANDOM"


hand_on(globals())
