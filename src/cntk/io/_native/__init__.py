"""Code that numba compiles, and its loader."""
