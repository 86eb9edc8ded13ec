"""The agents: random, tabular and deep Q-learning, actor-critic."""

from cntk._graph.names.late_names import hand_on

hand_on(globals())
