"""Random numbers: the original's generators, streams and seeds."""
