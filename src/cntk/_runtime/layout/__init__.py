"""Jagged sequences: lengths, offsets, and the index maps made of them."""
