"""Parts of agents: networks, replay memory, preprocessing, configuration files."""

from cntk._graph.names.late_names import hand_on

hand_on(globals())
