"""Models and checkpoints in files: the original's own format, read and written."""
