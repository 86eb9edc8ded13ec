"""Helpers that several families of operations share."""
