"""Code that numba compiles, and how it is loaded."""
