"""Model files of version 2, the original's own since CNTK 2.0."""
