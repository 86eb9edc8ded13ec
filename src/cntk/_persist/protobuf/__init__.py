"""The original's protobuf dictionary: wire format, values, arrays."""
