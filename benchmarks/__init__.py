"""Speed of this package beside hand-written PyTorch: `python -m benchmarks` from the root of the
repository.
"""
