"""Q-learning with a table: a row for each state, a column for each action."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._graph.names.late_names import hand_on
from cntk._writing.whole_files import replacing
from cntk.contrib.deeprl.agent.agent import AgentBaseClass, NoEpisodeError, faded
from cntk.contrib.deeprl.agent.shared._spaces import DISCRETE, kind_of
from cntk.contrib.deeprl.agent.shared.qlearning_parameters import QLearningParameters


class TabularQLearning(AgentBaseClass):
    """A tabular Q-learning agent: learns the value of each action in each state.

    Args:
        cfg_filename: the configuration file, see docs/reinforcement-learning.md; ``''`` for
            defaults.
        o_space: the observations, discrete or a box, which is cut into ``DiscretizationResolution``
            parts a dimension.
        a_space: the actions, discrete.

    Attributes:
        episode_count: how many episodes have begun.
        step_count: how many rewards have come.

    Raises:
        ValueError: for spaces of other kinds, or if ``QRepresentation`` is not ``tabular``.
    """

    def __init__(self, cfg_filename: Any, o_space: Any, a_space: Any) -> None:
        super().__init__(o_space, a_space)
        self._parameters = QLearningParameters(cfg_filename)
        if self._parameters.q_representation != "tabular":
            raise ValueError(
                f"QRepresentation is '{self._parameters.q_representation}'; TabularQLearning has a "
                f"table: expected 'tabular', or make a QLearning agent"
            )
        if kind_of(o_space) != DISCRETE:
            self._discretize_observation_space(o_space, self._parameters.discretization_resolution)
        self._q = np.full(
            (*self._shape_of_inputs, self._num_actions), float(self._parameters.initial_q)
        )
        self._epsilon = self._parameters.initial_epsilon
        self._last_state: int | None = None
        self._last_action = 0
        self.episode_count = 0
        self.step_count = 0
        print(f"Tabular Q-learning: {self._num_states} states, {self._num_actions} actions.")

    def start(self, state: Any) -> tuple[int, dict[str, Any]]:
        """Begin an episode; see `AgentBaseClass.start`.

        Returns:
            The action, and ``action_behavior`` (``RANDOM`` or ``GREEDY``) and ``epsilon``, the
            share of random ones.
        """
        seen = self._preprocess_state(state)
        self.episode_count += 1
        return self._next_action(seen)

    def step(self, reward: float, next_state: Any) -> tuple[int, dict[str, Any]]:
        """Learn from the last action's reward, and choose the next action; see
        `AgentBaseClass.step`.

        Returns:
            The action, and what `start` says on it.

        Raises:
            RuntimeError, AttributeError: before `start`. One class is both.
        """
        seen = self._preprocess_state(next_state)
        self._learn(reward + self._parameters.gamma * np.max(self._q[seen]))
        return self._next_action(seen)

    def end(self, reward: float, next_state: Any) -> None:
        """Learn from the reward of an episode's last action; see `AgentBaseClass.end`.

        Raises:
            RuntimeError, AttributeError: before `start`. One class is both.
        """
        self._learn(reward)

    def set_as_best_model(self) -> None:
        """Keep a copy of the table, for `save`."""
        self._best_model = self._q.copy()

    def save(self, filename: str) -> None:
        """Write the best table as text: a line for each state, with its number, a tab and the
        actions' values.

        Args:
            filename: the path; a file of that name is replaced once all is written, and not before.

        Raises:
            RuntimeError, AttributeError, TypeError: before `set_as_best_model`. One class is all.
            OSError: if it cannot be written.
        """
        self._check_best_model()
        with replacing(filename, "save") as file:
            for state, values in enumerate(self._best_model):
                file.write(f"{state}\t{values}\n".encode())

    def save_parameter_settings(self, filename: str) -> None:
        """Write what the configuration file said to another; see `QLearningParameters.save`."""
        self._parameters.save(filename)

    def enter_evaluation(self) -> None:
        """Choose the best action from now on; the next `start` or `step` goes back to exploring."""
        self._epsilon = 0.0

    def _learn(self, target: float) -> None:
        """Move the value of the last action towards what it should be."""
        if self._last_state is None:
            raise NoEpisodeError(
                "TabularQLearning has seen nothing yet: call start() before step() and end()"
            )
        p = self._parameters
        self._eta = faded(p.initial_eta, p.eta_minimum, self.step_count, p.eta_decay_step_count)
        self.step_count += 1
        last = self._last_state, self._last_action
        self._q[last] += self._eta * (target - self._q[last])

    def _next_action(self, seen: int) -> tuple[int, dict[str, Any]]:
        p = self._parameters
        self._epsilon = faded(
            p.initial_epsilon, p.epsilon_minimum, self.step_count, p.epsilon_decay_step_count
        )
        self._last_state = seen
        self._last_action, behavior = self._choose_action(seen)
        return self._last_action, {"action_behavior": behavior, "epsilon": self._epsilon}

    def _choose_action(self, state: int) -> tuple[int, str]:
        if np.random.uniform(0, 1) < self._epsilon:
            return np.random.randint(self._num_actions), "RANDOM"
        return int(np.argmax(self._q[state])), "GREEDY"

    def _preprocess_state(self, state: Any) -> int:  # type: ignore[override]
        return self._state_number(state)


hand_on(globals())
