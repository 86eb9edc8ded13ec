"""The command line: `python -m cntk`. It is written with the public interface alone, as a user's
program would be.
"""
