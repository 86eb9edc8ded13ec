"""Old names of Matplotlib and Pillow, and their replacements."""
