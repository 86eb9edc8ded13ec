"""Deep Q-learning: a network estimates the value of each action."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cntk import learners, ops, train
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.agent import (
    AgentBaseClass,
    NoEpisodeError,
    fade_learning_rate,
    faded,
)
from cntk.contrib.deeprl.agent.shared import _named
from cntk.contrib.deeprl.agent.shared.cntk_utils import huber_loss
from cntk.contrib.deeprl.agent.shared.models import Models
from cntk.contrib.deeprl.agent.shared.qlearning_parameters import QLearningParameters
from cntk.contrib.deeprl.agent.shared.replay_memory import ReplayMemory, _Transition


class QLearning(AgentBaseClass):
    """A deep Q-learning agent: learns the values of actions from a replay memory of transitions.

    A second network, an older copy, says what the next state is worth. The configuration file
    chooses among dueling networks, double Q-learning and replay by priority; see
    docs/reinforcement-learning.md.

    Args:
        config_filename: the configuration file. ``QRepresentation`` must be ``dqn``,
            ``dueling-dqn`` or the name of a function as `customized_models` describes.
        o_space: the observations; see `AgentBaseClass`. A discrete one is one-hot for the network.
        a_space: the actions, discrete.

    Attributes:
        episode_count: how many episodes have begun.
        step_count: how many rewards have come.

    Raises:
        ValueError: for spaces of other kinds, or if the file names no network or preprocessing.
    """

    def __init__(self, config_filename: Any, o_space: Any, a_space: Any) -> None:
        super().__init__(o_space, a_space)
        self._parameters = p = QLearningParameters(config_filename)
        self._set_up_preprocessor(p.preprocessing, p.preprocessing_args)

        model = self._make_model(p)
        self._q: Function = model["f"]
        self._input_variables = model["inputs"]
        self._output_variables = model["outputs"]
        self._loss: Function = model["loss"]
        if p.use_prioritized_replay:
            self._weight_variables = ops.input_variable(shape=(1,), dtype=np.float32)
            self._loss = self._loss * self._weight_variables
        learner = learners.adam(
            self._q.parameters,
            learners.learning_parameter_schedule_per_sample(p.initial_eta),
            use_mean_gradient=True,
            momentum=learners.momentum_schedule(p.momentum),
            variance_momentum=learners.momentum_schedule(0.999),
            gradient_clipping_threshold_per_sample=p.gradient_clipping_threshold,
            gradient_clipping_with_truncation=False,
        )
        self._trainer = train.Trainer(self._q, (self._loss, None), learner)
        self._target_q: Function = self._q.clone("clone")
        self._replay_memory = ReplayMemory(p.replay_memory_capacity, p.use_prioritized_replay)

        self._epsilon = p.initial_epsilon
        self._last_state: np.ndarray | None = None
        self._last_action = 0
        self.episode_count = 0
        self.step_count = 0
        print(f"Deep Q-learning: network '{p.q_representation}', {self._num_actions} actions.")

    def start(self, state: Any) -> tuple[int, dict[str, Any]]:
        """Begin an episode; see `AgentBaseClass.start`.

        Returns:
            The action, and ``action_behavior`` (``RANDOM`` or ``GREEDY``) and ``epsilon``, the
            share of random ones.
        """
        if self._preprocessor is not None:
            self._preprocessor.reset()
        seen = self._preprocess_state(state)
        self.episode_count += 1
        return self._next_action(seen)

    def step(self, reward: float, next_state: Any) -> tuple[int, dict[str, Any]]:
        """Remember what the last action brought, learn when it is time to, and choose the next
        action.

        Args:
            reward: what it brought.
            next_state: what is observed now.

        Returns:
            The action, and what `start` says on it.

        Raises:
            RuntimeError, AttributeError: before `start`. One class is both.
        """
        self._check_started()
        seen = self._preprocess_state(next_state)
        self._remember(reward, seen)
        return self._next_action(seen)

    def end(self, reward: float, next_state: Any) -> None:
        """Remember what the last action of an episode brought, and learn when it is time to.

        Args:
            reward: what it brought.
            next_state: what is observed at the end; nothing is learned from it.

        Raises:
            RuntimeError, AttributeError: before `start`. One class is both.
        """
        self._check_started()
        self._remember(reward, None)

    def set_as_best_model(self) -> None:
        """Keep a copy of the network as it is now, for `save`."""
        self._best_model = self._q.clone("clone")

    def save(self, filename: str) -> None:
        """Write the best network to a file, as `Function.save` does.

        Args:
            filename: the path.

        Raises:
            RuntimeError, AttributeError, TypeError: before `set_as_best_model`. One class is all.
        """
        self._check_best_model()
        self._best_model.save(filename)

    def save_parameter_settings(self, filename: str) -> None:
        """Write what the configuration file said to another; see `QLearningParameters.save`."""
        self._parameters.save(filename)

    def enter_evaluation(self) -> None:
        """Choose the best action from now on; the next `start` or `step` goes back to exploring.

        Before ``StartSize`` steps the agent acts at random all the same.
        """
        self._epsilon = 0.0

    # -- acting ------------------------------------------------------------------------------------

    def _make_model(self, p: QLearningParameters) -> dict[str, Any]:
        shape, actions = self._network_input_shape(), self._num_actions
        loss = huber_loss if p.use_error_clipping else None
        if p.q_representation == "dqn":
            return Models.feedforward_network(shape, actions, p.hidden_layers, loss)
        if p.q_representation == "dueling-dqn":
            return Models.dueling_network(shape, actions, p.hidden_layers, loss)
        try:
            return _named.network(p.q_representation, shape, actions, loss)
        except ValueError as error:
            raise ValueError(
                f"QRepresentation must be 'dqn', 'dueling-dqn' or name a function: {error}"
            ) from error

    def _check_started(self) -> None:
        if self._last_state is None:
            raise NoEpisodeError(
                "QLearning has seen nothing yet: call start() before step() and end()"
            )

    def _next_action(self, seen: np.ndarray) -> tuple[int, dict[str, Any]]:
        p = self._parameters
        self._epsilon = faded(
            p.initial_epsilon, p.epsilon_minimum, self.step_count, p.epsilon_decay_step_count
        )
        self._last_state = seen
        self._last_action, behavior = self._choose_action(seen)
        return self._last_action, {"action_behavior": behavior, "epsilon": self._epsilon}

    def _choose_action(self, state: np.ndarray) -> tuple[int, str]:
        if (
            self.step_count < self._parameters.replay_start_size
            or np.random.uniform(0, 1) < self._epsilon
        ):
            return np.random.randint(self._num_actions), "RANDOM"
        return int(np.argmax(self._evaluate_q(self._q, state))), "GREEDY"

    def _evaluate_q(self, model: Function, state: np.ndarray, action: int | None = None) -> Any:
        """Return a network's values of a state: of each action, or of one."""
        values = self._values(model, [state])[0]
        return values if action is None else values[action]

    def _values(self, model: Function, states: Sequence[np.ndarray]) -> np.ndarray:
        """Return a network's values of states: a row for each, float32."""
        if not states:
            return np.zeros((0, self._num_actions), np.float32)
        values = np.reshape(
            model.eval({model.arguments[0]: np.stack(states)}), (-1, self._num_actions)
        )
        return np.broadcast_to(values, (len(states), self._num_actions))

    # -- learning ----------------------------------------------------------------------------------

    def _remember(self, reward: float, next_state: np.ndarray | None) -> None:
        transition = (self._last_state, self._last_action, reward, next_state)
        self._replay_memory.store(*transition, self._compute_priority(*transition))
        self.step_count += 1
        self._update_q_periodically()

    def _update_q_periodically(self) -> None:
        p = self._parameters
        if self.step_count < p.replay_start_size or self.step_count % p.q_update_frequency != 0:
            return
        fade_learning_rate(self._trainer, p, self.step_count)
        for _ in range(p.replays_per_update):
            self._replay_and_update()
        if self.step_count % p.target_q_update_frequency == 0:
            self._target_q = self._q.clone("clone")

    def _replay_and_update(self) -> None:
        """Learn from one minibatch of the memory: only the values of the actions taken get
        errors.
        """
        drawn = list(self._replay_memory.sample_minibatch(self._parameters.minibatch_size))
        transitions = [transition for _, transition in drawn]
        states = [transition.state for transition in transitions]
        values = self._values(self._q, states)
        targets = values.copy()
        for row, transition, error in zip(
            targets, transitions, self._errors(transitions, values), strict=True
        ):
            row[transition.action] = float(row[transition.action]) + error
        data = {
            self._input_variables: np.array(states, np.float32),
            self._output_variables: targets,
        }
        if not self._parameters.use_prioritized_replay:
            self._trainer.train_minibatch(data)
            return
        data[self._weight_variables] = self._weights(transitions)
        self._trainer.train_minibatch(data)
        priorities = self._priorities(transitions)
        self._replay_memory.update_priority(
            {index: q for (index, _), q in zip(drawn, priorities, strict=True)}
        )

    def _errors(self, transitions: Sequence[_Transition], values: np.ndarray) -> list[float]:
        """Return the errors of the network's values, computed in double precision.

        Args:
            transitions: the actions, where they were taken and what they brought.
            values: what the network says of the states, a row for each transition.
        """
        coming = [t.next_state for t in transitions if t.next_state is not None]
        later = self._values(self._target_q, coming)
        if self._parameters.double_q_learning:
            best = np.argmax(self._values(self._q, coming), axis=1)
        else:
            best = np.argmax(later, axis=1) if len(later) else np.zeros(0, int)
        worth = iter(later[np.arange(len(coming)), best].tolist())
        errors = []
        for transition, row in zip(transitions, values, strict=True):
            error = float(transition.reward)
            if transition.next_state is not None:
                error += self._parameters.gamma * next(worth)
            errors.append(error - float(row[transition.action]))
        return errors

    def _compute_priority(
        self, state: Any, action: int, reward: float, next_state: Any
    ) -> float | None:
        """Return the priority of a transition, which grows with its error; None where priorities
        are not used.
        """
        if not self._parameters.use_prioritized_replay:
            return None
        return self._priorities([_Transition(state, action, reward, next_state, None)])[0]

    def _priorities(self, transitions: Sequence[_Transition]) -> list[float]:
        p = self._parameters
        errors = self._errors(transitions, self._values(self._q, [t.state for t in transitions]))
        return [(abs(error) + p.priority_epsilon) ** p.priority_alpha for error in errors]

    def _weights(self, transitions: Sequence[_Transition]) -> np.ndarray:
        """Return importance weights of transitions, which make up for sampling by priority; their
        sum is 1.
        """
        if any(transition.priority <= 0 for transition in transitions):
            raise ValueError(
                "a transition without error has priority 0, which cannot be: PriorityEpsilon must "
                "exceed 0"
            )
        weights = np.array(
            [[transition.priority**-self._parameters.priority_beta] for transition in transitions]
        )
        return np.asarray(weights / weights.sum(), np.float32)


hand_on(globals())
