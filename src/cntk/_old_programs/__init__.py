"""Old programs, run unchanged: `python -m cntk run PROGRAM`.

The names that newer releases of Python and of libraries lack are listed in tables (`names`), one
row each. They are restored for the one process that runs the program (`hook`). `import cntk` itself
changes nothing.
"""
