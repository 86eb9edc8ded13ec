"""Files on disk: written whole or not at all, and what goes wrong with them."""
