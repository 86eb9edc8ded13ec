"""Floor 2: operations, one family in each file, each declared once."""
