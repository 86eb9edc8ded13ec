"""Old names of Python's own library, and their replacements."""
