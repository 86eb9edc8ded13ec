"""Functions that programs define themselves."""
