"""Model files of version 1, from before CNTK 2.0."""
