"""Old names of pandas, and their replacements."""
