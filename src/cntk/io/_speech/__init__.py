"""Speech: HTK archives, scripts, labels, lattices."""
