"""The parameters of policy gradients."""

from __future__ import annotations

from typing import Any

from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.shared._settings import Settings


class PolicyGradientParameters(Settings):
    """Parameters of actor-critic in a configuration file; docs/reinforcement-learning.md lists
    sections, keys and defaults.

    Args:
        config_file: its path, or a list of paths of which later ones override; ``''`` for defaults
            alone.

    Raises:
        ValueError: if a value is not of its kind.

    Example:
        >>> parameters = PolicyGradientParameters("")
        >>> (
        ...     parameters.policy_representation,
        ...     parameters.policy_network_hidden_layers,
        ...     parameters.update_frequency,
        ... )
        ('nn', '[10]', 64)
    """

    def __init__(self, config_file: Any) -> None:
        super().__init__(config_file)
        number, integer, text = self._number, self._integer, self._text

        self.gamma = number("General", "Gamma", 0.95)
        self.preprocessing = text("General", "PreProcessing", "")
        self.preprocessing_args = text("General", "PreProcessingArgs", "()")

        gradient = "PolicyGradient"
        self.shared_representation = self._flag(gradient, "SharedRepresentation", False)
        self.policy_representation = text(gradient, "PolicyRepresentation", "nn")
        self.value_function_representation = text(gradient, "ValueFunctionRepresentation", "nn")
        self.relative_step_size = number(gradient, "RelativeStepSize", 0.5)
        self.regularization_weight = number(gradient, "RegularizationWeight", 0.001)
        self.update_frequency = self._count(gradient, "UpdateFrequency", 64)
        self.initial_policy_network = text(gradient, "InitialPolicy", "")

        network = "NetworkModel"
        self.policy_network_hidden_layers = text(network, "PolicyNetworkHiddenLayerNodes", "[10]")
        self.value_network_hidden_layers = text(network, "ValueNetworkHiddenLayerNodes", "[10]")

        optimization = "Optimization"
        self.initial_eta = number(optimization, "InitialEta", 0.001)
        self.eta_decay_step_count = integer(optimization, "EtaDecayStepCount", 100000)
        self.eta_minimum = number(optimization, "EtaMinimum", 0.001)
        self.momentum = number(optimization, "Momentum", 0.95)


hand_on(globals())
