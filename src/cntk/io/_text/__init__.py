"""The text format, CTF: reading, indexing, writing; and how text is encoded."""
