"""The parameters of Q-learning, tabular and deep."""

from __future__ import annotations

from typing import Any

import numpy as np

from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.shared._settings import Settings


class QLearningParameters(Settings):
    """Parameters of Q-learning in a configuration file; docs/reinforcement-learning.md lists
    sections, keys and defaults.

    Args:
        config_file: its path, or a list of paths of which later ones override; ``''`` for defaults
            alone.

    Raises:
        ValueError: if a value is not of its kind.

    Example:
        >>> parameters = QLearningParameters("")
        >>> parameters.gamma, parameters.q_representation, parameters.minibatch_size
        (0.95, 'tabular', 32)
    """

    def __init__(self, config_file: Any) -> None:
        super().__init__(config_file)
        number, integer, count = self._number, self._integer, self._count
        flag, text = self._flag, self._text

        self.gamma = number("General", "Gamma", 0.95)
        self.preprocessing = text("General", "PreProcessing", "")
        self.preprocessing_args = text("General", "PreProcessingArgs", "()")

        algorithm = "QLearningAlgo"
        self.q_representation = text(algorithm, "QRepresentation", "tabular")
        self.initial_epsilon = number(algorithm, "InitialEpsilon", 0.1)
        self.epsilon_decay_step_count = integer(algorithm, "EpsilonDecayStepCount", 100000)
        self.epsilon_minimum = number(algorithm, "EpsilonMinimum", 0.01)
        self.initial_q = number(algorithm, "InitialQ", 0.0)
        resolution = self._literal(algorithm, "DiscretizationResolution", "10")
        self.discretization_resolution = (
            np.array(resolution) if isinstance(resolution, list) else resolution
        )
        self.target_q_update_frequency = count(algorithm, "TargetQUpdateFrequency", 10000)
        self.minibatch_size = count(algorithm, "MinibatchSize", 32)
        self.replays_per_update = integer(algorithm, "ReplaysPerUpdate", 1)
        self.q_update_frequency = count(algorithm, "QUpdateFrequency", 4)
        self.use_error_clipping = flag(algorithm, "ErrorClipping", True)
        self.double_q_learning = flag(algorithm, "DoubleQLearning", False)

        optimization = "Optimization"
        self.initial_eta = number(optimization, "InitialEta", 0.001)
        self.eta_decay_step_count = integer(optimization, "EtaDecayStepCount", 100000)
        self.eta_minimum = number(optimization, "EtaMinimum", 0.001)
        self.momentum = number(optimization, "Momentum", 0.95)
        self.gradient_clipping_threshold = number(optimization, "GradientClippingThreshold", np.inf)

        replay = "ExperienceReplay"
        self.replay_memory_capacity = integer(replay, "Capacity", 100000)
        self.replay_start_size = integer(replay, "StartSize", 5000)
        self.use_prioritized_replay = flag(replay, "Prioritized", False)
        self.priority_alpha = number(replay, "PriorityAlpha", 0.7)
        self.priority_beta = number(replay, "PriorityBeta", 0.5)
        self.priority_epsilon = number(replay, "PriorityEpsilon", 0.01)

        self.hidden_layers = text("NetworkModel", "HiddenLayerNodes", "[20]")


hand_on(globals())
