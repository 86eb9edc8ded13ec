"""Old names of scikit-learn, and what stands in for them."""
