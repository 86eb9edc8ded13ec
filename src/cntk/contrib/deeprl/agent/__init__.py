"""The agents: random, tabular and deep Q-learning, actor-critic."""
