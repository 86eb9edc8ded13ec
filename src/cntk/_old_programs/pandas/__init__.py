"""Old names of pandas, and what stands in for them."""
