"""Reinforcement learning: agents that learn to act from an environment's rewards."""

from cntk._graph.names.late_names import hand_on

hand_on(globals())
