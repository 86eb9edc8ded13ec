"""Old names of h5py, and their replacements."""
