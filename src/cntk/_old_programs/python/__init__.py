"""Old names of Python's own library, and what stands in for them."""
