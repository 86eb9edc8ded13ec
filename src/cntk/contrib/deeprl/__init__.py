"""Reinforcement learning: agents that learn to act from the rewards that a world gives them."""

from cntk._graph.names.late_names import hand_on

hand_on(globals())
