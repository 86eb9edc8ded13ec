"""Models rewritten: some of their functions replaced by others."""
