"""Old names of scikit-learn, and their replacements."""
