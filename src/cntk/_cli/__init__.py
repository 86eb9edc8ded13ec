"""The command line: `python -m cntk`. It uses the public interface alone, as a user's program
does.
"""
