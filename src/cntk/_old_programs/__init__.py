"""Old programs, run as they are: `python -m cntk run PROGRAM`.

The names that newer releases of Python and of libraries lack are listed in tables (`names`), one
row each, and put in place for the one process that runs the program (`hook`). `import cntk` itself
changes nothing.
"""
