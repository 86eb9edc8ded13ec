"""Old names of pytest, and their replacements."""
