"""Model files of version 1, the original's format before CNTK 2.0."""
