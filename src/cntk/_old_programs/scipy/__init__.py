"""Old names of SciPy, and their replacements."""
