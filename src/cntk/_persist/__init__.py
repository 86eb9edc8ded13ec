"""Reads and writes model files and checkpoints in the original's formats."""
