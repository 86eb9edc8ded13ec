"""Loops: how they are found, run step by step, or computed by a fused kernel."""
