"""Old names of NumPy, and their replacements."""
