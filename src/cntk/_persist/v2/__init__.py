"""Model files of version 2, the original's format since CNTK 2.0."""
