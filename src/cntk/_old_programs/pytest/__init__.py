"""Old names of pytest, and what stands in for them."""
