"""Base class of all agents."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk import learners
from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.shared import _named
from cntk.contrib.deeprl.agent.shared._spaces import BOX, DISCRETE, kind_of, shape_of, size_of
from cntk.contrib.deeprl.agent.shared.discretize import BoxSpaceDiscretizer
from cntk.train import Trainer


class NoEpisodeError(RuntimeError, AttributeError):
    """Raised where a step comes before an episode began; the original raises one or the other."""


class NoBestModelError(RuntimeError, AttributeError, TypeError):
    """Raised where there is nothing to save yet; the original raises AttributeError or
    TypeError.
    """


class AgentBaseClass:
    """An agent: takes observations and rewards, and returns its next action.

    Spaces are those of gym or gymnasium, or any objects like them: ``n`` makes a discrete one,
    ``low``, ``high`` and ``shape`` a box. Agents of your own derive from this class and say how to
    `start`, `step`, `end` and choose.

    Args:
        o_space: the observations: discrete, a box, MultiBinary or MultiDiscrete.
        a_space: the actions, discrete: 0 to n - 1.

    Raises:
        ValueError: for spaces of other kinds.
    """

    def __init__(self, o_space: Any, a_space: Any) -> None:
        if kind_of(a_space) != DISCRETE:
            raise ValueError(
                f"{type(self).__name__} cannot act in {a_space}; expected a discrete space, which "
                f"has n"
            )
        kind = kind_of(o_space)
        if kind is None:
            raise ValueError(
                f"{type(self).__name__} cannot observe {o_space}; expected a discrete space, which "
                f"has n, or a box, which has low, high and shape, or MultiBinary or MultiDiscrete"
            )
        self._num_actions = size_of(a_space)
        self._discrete_observation_space = kind == DISCRETE
        self._num_states = size_of(o_space) if kind == DISCRETE else None
        self._shape_of_inputs = shape_of(o_space)
        self._space_discretizer: BoxSpaceDiscretizer | None = None
        self._preprocessor: Any = None
        self._best_model: Any = None

    def start(self, state: Any) -> tuple[int, dict[str, Any]]:
        """Begin an episode.

        Args:
            state: the first observation.

        Returns:
            The action to take, and what the agent has to say on it.

        Raises:
            NotImplementedError: unless a subclass says how.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to start")

    def step(self, reward: float, next_state: Any) -> tuple[int, dict[str, Any]]:
        """Learn from the last action's reward, and choose the next action.

        Args:
            reward: what it brought.
            next_state: what is observed now.

        Returns:
            The action to take, and what the agent has to say on it.

        Raises:
            NotImplementedError: unless a subclass says how.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to step")

    def end(self, reward: float, next_state: Any) -> None:
        """Learn from the reward of an episode's last action.

        Args:
            reward: what it brought.
            next_state: what is observed at the end.

        Raises:
            NotImplementedError: unless a subclass says how.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to end")

    def save(self, filename: str) -> None:
        """Write the best model to a file; an agent without one writes nothing.

        Args:
            filename: the path.
        """

    def save_parameter_settings(self, filename: str) -> None:
        """Write the parameters to a file; an agent without any writes nothing.

        Args:
            filename: the path.
        """

    def set_as_best_model(self) -> None:
        """Keep a copy of the model as it is now, for `save`; an agent without one keeps nothing."""

    def enter_evaluation(self) -> None:
        """Prepare for evaluation; there is nothing to do unless a subclass says it."""

    def exit_evaluation(self) -> None:
        """Continue training after evaluation; a subclass may do more."""

    def evaluate(self, o: Any) -> int:
        """Choose an action and learn nothing from it.

        Args:
            o: what is observed.

        Returns:
            The action.
        """
        action, _ = self._choose_action(self._preprocess_state(o))
        return action

    def _choose_action(self, state: Any) -> tuple[int, Any]:
        """Return the action for what the agent sees, which is preprocessed, and what there is to
        say on it.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say how to choose an action")

    def _discretize_observation_space(self, space: Any, discretization_resolution: Any) -> None:
        if kind_of(space) != BOX:
            raise ValueError(
                f"{space} cannot be made discrete; expected a box, which has low, high and shape"
            )
        self._space_discretizer = BoxSpaceDiscretizer(space, discretization_resolution)
        self._discrete_observation_space = True
        self._num_states = self._space_discretizer.num_states
        self._shape_of_inputs = (self._num_states,)

    def _discretize_state_if_necessary(self, state: Any) -> Any:
        return (
            state if self._space_discretizer is None else self._space_discretizer.discretize(state)
        )

    def _state_number(self, state: Any) -> int:
        """Return the number of a discrete observation, or of a box's cell; raise IndexError if
        there is none such.
        """
        number: int = self._discretize_state_if_necessary(state)
        if not 0 <= number < self._shape_of_inputs[0]:
            raise IndexError(
                f"the observation is {number}; expected 0 to {self._shape_of_inputs[0] - 1}"
            )
        return number

    def _index_to_vector(self, index: int, dimension: int) -> np.ndarray:
        vector = np.zeros(dimension)
        vector[index] = 1
        return vector

    def _preprocess_state(self, state: Any) -> np.ndarray:
        """Return what the network gets for an observation: float32, one-hot if the observation is
        discrete.
        """
        if self._discrete_observation_space:
            seen = self._index_to_vector(self._state_number(state), self._shape_of_inputs[0])
        else:
            seen = np.asarray(state)
        if self._preprocessor is not None:
            seen = self._preprocessor.preprocess(seen)
        # A copy: worlds may use one array for all their observations.
        return np.array(seen, np.float32)

    def _set_up_preprocessor(self, path: str, arguments: str) -> None:
        if path:
            self._preprocessor = _named.preprocessor(path, arguments, self._shape_of_inputs)

    def _network_input_shape(self) -> tuple[int, ...]:
        return (
            self._shape_of_inputs
            if self._preprocessor is None
            else self._preprocessor.output_shape()
        )

    def _check_best_model(self) -> None:
        if self._best_model is None:
            raise NoBestModelError(
                f"{type(self).__name__} has no best model to save: call set_as_best_model() before"
            )


def faded(initial: float, minimum: float, step_count: int, steps: int) -> float:
    """Return a parameter that goes down in a straight line to a minimum, where it stays.

    Args:
        initial: its value at step 0.
        minimum: its value from step ``steps`` on.
        step_count: the step.
        steps: how many it takes; with 0 it begins at the minimum.

    Example:
        >>> [round(faded(1.0, 0.1, step, 9), 3) for step in (0, 1, 9, 20)]
        [1.0, 0.9, 0.1, 0.1]
    """
    return (
        minimum + max(0, (initial - minimum) * (1 - float(step_count) / steps))
        if steps
        else minimum
    )


def fade_learning_rate(trainer: Trainer, parameters: Any, step_count: int) -> None:
    """Set a trainer's learning rate to that of a step, where the configuration lets it go down.

    Args:
        trainer: it has one learner.
        parameters: `QLearningParameters` or `PolicyGradientParameters`.
        step_count: the step.
    """
    p = parameters
    if p.initial_eta != p.eta_minimum:
        eta = faded(p.initial_eta, p.eta_minimum, step_count, p.eta_decay_step_count)
        schedule = learners.learning_parameter_schedule_per_sample(eta)
        trainer.parameter_learners[0].reset_learning_rate(schedule)


hand_on(globals())
