"""Old names of h5py, and what stands in for them."""
