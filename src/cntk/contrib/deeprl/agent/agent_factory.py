"""Creation of agents from configuration files."""

from __future__ import annotations

from typing import Any

from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.agent import AgentBaseClass
from cntk.contrib.deeprl.agent.policy_gradient import ActorCritic
from cntk.contrib.deeprl.agent.qlearning import QLearning
from cntk.contrib.deeprl.agent.random_agent import RandomAgent
from cntk.contrib.deeprl.agent.shared._settings import read_configuration
from cntk.contrib.deeprl.agent.tabular_qlearning import TabularQLearning

_KINDS = {
    "qlearning": QLearning,
    "actor_critic": ActorCritic,
    "tabular_qlearning": TabularQLearning,
}


def make_agent(agent_config: Any, o_space: Any, a_space: Any) -> AgentBaseClass:
    """Make the agent that a configuration file describes.

    Args:
        agent_config: the file; ``Agent`` in its section ``General`` is ``qlearning``,
            ``actor_critic``, ``tabular_qlearning`` or ``random``, which it is unless given.
        o_space: the observations; see `AgentBaseClass`.
        a_space: the actions, discrete.

    Raises:
        ValueError: for an agent of another kind, or if what the file says does not fit.

    Example:
        >>> from types import SimpleNamespace
        >>> agent = make_agent("", SimpleNamespace(n=4), SimpleNamespace(n=2))
        Random agent: 2 actions.
    """
    kind = (
        read_configuration(agent_config, keeps_case=False)
        .get("General", "Agent", fallback="random")
        .lower()
    )
    if kind == "random":
        return RandomAgent(o_space, a_space)
    if kind not in _KINDS:
        raise ValueError(
            f"Agent in {agent_config!r} is '{kind}'; expected one of "
            f"{', '.join([*_KINDS, 'random'])}"
        )
    return _KINDS[kind](agent_config, o_space, a_space)


hand_on(globals())
