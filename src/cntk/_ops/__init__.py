"""Floor 2: operations, one family a file, each declared once."""
