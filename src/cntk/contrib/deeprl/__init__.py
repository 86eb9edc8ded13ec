"""Reinforcement learning: agents that learn to act from the rewards that a world gives them."""
