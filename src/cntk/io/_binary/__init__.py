"""The binary format, CBF: reading and converting."""
