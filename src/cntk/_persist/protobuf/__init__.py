"""The original's protobuf dictionary: its wire format, values and arrays."""
