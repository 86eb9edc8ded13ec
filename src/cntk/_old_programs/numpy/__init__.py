"""Old names of NumPy, and what stands in for them."""
