"""Losses and metrics as operations."""
