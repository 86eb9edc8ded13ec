"""What the agents are made of: networks, replay memory, preprocessing, configuration files."""
