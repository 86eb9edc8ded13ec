"""Random numbers and samples as operations."""
