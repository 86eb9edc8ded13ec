"""Actor-critic: a policy network for actions, and a value network for expected rewards."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk import layers, learners, losses, ops, train
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.agent import AgentBaseClass, NoEpisodeError, fade_learning_rate
from cntk.contrib.deeprl.agent.shared import _named
from cntk.contrib.deeprl.agent.shared.cntk_utils import negative_of_entropy_with_softmax
from cntk.contrib.deeprl.agent.shared.models import Models
from cntk.contrib.deeprl.agent.shared.policy_gradient_parameters import PolicyGradientParameters


class ActorCritic(AgentBaseClass):
    """An actor-critic agent: actions that bring more than expected become more likely.

    See https://arxiv.org/abs/1602.01783, of which this is one worker.

    Args:
        config_filename: the configuration file, see docs/reinforcement-learning.md; ``''`` for
            defaults.
        o_space: the observations; see `AgentBaseClass`. A discrete one is one-hot for the networks.
        a_space: the actions, discrete.

    Attributes:
        episode_count: how many episodes have begun.
        step_count: how many rewards have come.

    Raises:
        ValueError: for spaces of other kinds, or if the file names no network or preprocessing.
    """

    def __init__(self, config_filename: Any, o_space: Any, a_space: Any) -> None:
        super().__init__(o_space, a_space)
        self._parameters = PolicyGradientParameters(config_filename)
        self._set_up_preprocessor(
            self._parameters.preprocessing, self._parameters.preprocessing_args
        )
        self._input_variables = ops.input_variable(
            shape=self._network_input_shape(), dtype=np.float32
        )
        self._set_up_policy()
        self._set_up_value()
        self._set_up_trainer()

        # The episode since it was last looked at: what was seen, done and brought.
        self._trajectory_states: list[np.ndarray] = []
        self._trajectory_actions: list[int] = []
        self._trajectory_rewards: list[float] = []
        # What to learn at the next update.
        self._clear_buffers()
        self.episode_count = 0
        self.step_count = 0

    def start(self, state: Any) -> tuple[int, dict[str, Any]]:
        """Begin an episode; see `AgentBaseClass.start`.

        Returns:
            The action, and nothing to say on it.
        """
        self._process_accumulated_trajectory(False)
        if self._preprocessor is not None:
            self._preprocessor.reset()
        seen = self._preprocess_state(state)
        action, _ = self._choose_action(seen)
        self._trajectory_states.append(seen)
        self._trajectory_actions.append(action)
        self.episode_count += 1
        return action, {}

    def step(self, reward: float, next_state: Any) -> tuple[int, dict[str, Any]]:
        """Record the last action's reward, learn when it is time to, and choose the next action.

        Args:
            reward: what it brought.
            next_state: what is observed now.

        Returns:
            The action, and nothing to say on it.

        Raises:
            RuntimeError, AttributeError: before `start`. One class is both.
        """
        self._check_started()
        seen = self._preprocess_state(next_state)
        self._trajectory_states.append(seen)
        self._count_reward(reward, keep_last=True)
        action, _ = self._choose_action(seen)
        self._trajectory_actions.append(action)
        return action, {}

    def end(self, reward: float, next_state: Any) -> None:
        """Record the reward of an episode's last action, and learn when it is time to.

        Args:
            reward: what it brought.
            next_state: what is observed at the end; nothing is learned from it.

        Raises:
            RuntimeError, AttributeError: before `start`. One class is both.
        """
        self._check_started()
        self._count_reward(reward, keep_last=False)

    def set_as_best_model(self) -> None:
        """Keep a copy of the policy as it is now, for `save`."""
        self._best_model = self._policy_network.clone("clone")

    def save(self, filename: str) -> None:
        """Write the best policy to a file, as `Function.save` does; its output are scores, to be
        put through softmax.

        Args:
            filename: the path.

        Raises:
            RuntimeError, AttributeError, TypeError: before `set_as_best_model`. One class is all.
        """
        self._check_best_model()
        self._best_model.save(filename)

    def save_parameter_settings(self, filename: str) -> None:
        """Write what the configuration file said to another; see
        `PolicyGradientParameters.save`.
        """
        self._parameters.save(filename)

    # -- the networks ------------------------------------------------------------------------------

    def _make_model(
        self, key: str, named: str, outputs: int, hidden: str, loss: tuple[Any, ...] = ()
    ) -> dict[str, Any]:
        """Create a network for the observations, of the kind that a parameter names."""
        shape = self._network_input_shape()
        if named == "nn":
            model = Models.feedforward_network(
                shape, outputs, hidden, *loss, use_placeholder_for_input=True
            )  # type: ignore[misc]
        else:
            try:
                model = _named.network(named, shape, outputs, *loss, use_placeholder_for_input=True)
            except ValueError as error:
                raise ValueError(f"{key} must be 'nn' or name a function: {error}") from error
        model["f"].replace_placeholder(self._input_variables)
        return model

    def _set_up_policy(self) -> None:
        p = self._parameters
        model = self._make_model(
            "PolicyRepresentation",
            p.policy_representation,
            self._num_actions,
            p.policy_network_hidden_layers,
            (losses.cross_entropy_with_softmax,),
        )
        self._policy_network: Function = model["f"]
        self._policy_network_output_variables = model["outputs"]
        self._policy_network_weight_variables = ops.input_variable(shape=(1,), dtype=np.float32)
        self._policy_network_loss = model["loss"] * self._policy_network_weight_variables
        if p.initial_policy_network:
            self._policy_network.restore(p.initial_policy_network)
        print(f"Actor-critic: policy '{p.policy_representation}', {self._num_actions} actions.")

    def _set_up_value(self) -> None:
        p = self._parameters
        if p.shared_representation:
            self._value_network: Function = layers.Dense(1, activation=None)(self._policy_network)
            self._value_network_output_variables = ops.input_variable(shape=(1,), dtype=np.float32)
            self._value_network_loss = losses.squared_error(
                self._value_network, self._value_network_output_variables
            )
            print("Actor-critic: value of the state on top of the policy.")
            return
        named = p.value_function_representation
        model = self._make_model(
            "ValueFunctionRepresentation", named, 1, p.value_network_hidden_layers
        )
        self._value_network = model["f"]
        self._value_network_output_variables = model["outputs"]
        self._value_network_loss = model["loss"]
        print(f"Actor-critic: value of the state '{named}'.")

    def _set_up_trainer(self) -> None:
        p = self._parameters
        networks = ops.combine([self._policy_network, self._value_network])
        loss = (
            self._policy_network_loss
            + p.regularization_weight * negative_of_entropy_with_softmax(self._policy_network)
            + p.relative_step_size * self._value_network_loss
        )
        learner = learners.adam(
            networks.parameters,
            learners.learning_parameter_schedule_per_sample(p.initial_eta),
            momentum=learners.momentum_schedule(p.momentum),
            variance_momentum=learners.momentum_schedule(0.999),
            minibatch_size=learners.IGNORE,
        )
        self._trainer = train.Trainer(networks, (loss, None), learner)

    # -- acting and learning -----------------------------------------------------------------------

    def _check_started(self) -> None:
        if len(self._trajectory_actions) != len(self._trajectory_rewards) + 1:
            raise NoEpisodeError(
                "ActorCritic is in no episode: call start() before step() and end()"
            )

    def _choose_action(self, state: np.ndarray) -> tuple[int, np.ndarray]:
        """Draw an action by NumPy; return it and the probabilities of all."""
        scores = self._evaluate_model(self._policy_network, state)
        shares = np.exp(scores - scores.max())
        probabilities = shares / shares.sum()
        return int(np.random.choice(self._num_actions, p=probabilities)), probabilities

    def _evaluate_model(self, model: Function, state: np.ndarray) -> np.ndarray:
        """Evaluate a network on a state, and return the result as a vector."""
        return np.ravel(model.eval({model.arguments[0]: state[np.newaxis]}))

    def _count_reward(self, reward: float, keep_last: bool) -> None:
        self._trajectory_rewards.append(reward)
        self.step_count += 1
        if self.step_count % self._parameters.update_frequency == 0:
            self._process_accumulated_trajectory(keep_last)
            self._update_networks()

    def _process_accumulated_trajectory(self, keep_last: bool) -> None:
        """Make what to learn of the episode so far.

        Args:
            keep_last: whether the episode continues from its last state, which has no reward yet.
        """
        if not self._trajectory_states:
            return
        states, actions, rewards = (
            self._trajectory_states,
            self._trajectory_actions,
            self._trajectory_rewards,
        )
        last_states = []
        coming = 0.0
        if len(states) > len(rewards):
            # The episode goes on, or was left without its end: what is to come is what the network
            # expects.
            coming = float(self._evaluate_model(self._value_network, states[-1])[0])
            last_states = states[-1:] if keep_last else []
            states, actions = states[:-1], actions[: len(rewards)]
        for state, action, worth in zip(
            states, actions, self._discount_rewards(coming), strict=True
        ):
            self._input_buffer.append(state)
            self._value_network_output_buffer.append([worth])
            self._policy_network_output_buffer.append(
                self._index_to_vector(action, self._num_actions)
            )
            expected = float(self._evaluate_model(self._value_network, state)[0])
            self._policy_network_weight_buffer.append([worth - expected])
        self._trajectory_states, self._trajectory_actions, self._trajectory_rewards = (
            last_states,
            [],
            [],
        )

    def _discount_rewards(self, bootstrap_r: float) -> list[float]:
        """Return the discounted return of each step, given the expected rewards after the last."""
        worths = []
        worth = bootstrap_r
        for reward in reversed(self._trajectory_rewards):
            worth = worth * self._parameters.gamma + reward
            worths.append(worth)
        return worths[::-1]

    def _update_networks(self) -> None:
        """Learn from the collected steps as one minibatch."""
        fade_learning_rate(self._trainer, self._parameters, self.step_count)
        data = {
            self._input_variables: self._input_buffer,
            self._policy_network_output_variables: self._policy_network_output_buffer,
            self._policy_network_weight_variables: self._policy_network_weight_buffer,
            self._value_network_output_variables: self._value_network_output_buffer,
        }
        self._trainer.train_minibatch(
            {variable: np.array(rows, np.float32) for variable, rows in data.items()}
        )
        self._clear_buffers()

    def _clear_buffers(self) -> None:
        self._input_buffer: list[np.ndarray] = []
        self._value_network_output_buffer: list[list[float]] = []
        self._policy_network_output_buffer: list[np.ndarray] = []
        self._policy_network_weight_buffer: list[list[float]] = []


hand_on(globals())
