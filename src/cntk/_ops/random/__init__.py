"""Random numbers and random samples as operations."""
