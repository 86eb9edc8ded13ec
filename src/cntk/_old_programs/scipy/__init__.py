"""Old names of SciPy, and what stands in for them."""
