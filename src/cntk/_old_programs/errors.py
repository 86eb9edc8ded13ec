"""Errors that an old program may end with where nothing can be restored, with the line to write
instead.
"""

from __future__ import annotations

from cntk._old_programs.rows import Advice, Row

ERRORS: list[Row] = [
    Advice(r"TypeError: only 0-dimensional arrays can be "
           r"converted", "x.item(), for float(x) and int(x)", "NumPy 2.4"),
    Advice(r"numpy boolean subtract", "a ^ b, or np.logical_xor(a, b)", "NumPy 1.13"),
    Advice(r"numpy boolean negative", "~x", "NumPy 1.13"),
    Advice(r"IndexError: only integers, "
           r"slices", "x[int(i)]; x[tuple(slices)] for a list of slices", "NumPy 1.23"),
    Advice(r"OverflowError: Python integer -?\d+ out of bounds "
           r"for", "np.array(x).astype(dtype)", "NumPy 2.0"),
    Advice(r"Object arrays cannot be loaded when allow_pickle=False",
           "np.load(file, allow_pickle=True), for a file that you trust: loading it can run any "
           "code", "NumPy 1.16.3"),
    Advice(r"TypeError: 'float' object cannot be interpreted as an "
           r"integer", "a // b, or int(x)", "NumPy 1.12"),
    Advice(r"inhomogeneous "
           r"shape", "np.array(..., dtype=object) for rows of different lengths", "NumPy 1.24"),
    Advice(r"SyntaxError: Missing parentheses in call to '(print|exec)'",
           "the module in Python 3: pip install fissix && python -m fissix -w FILE", "Python 3.0"),
    Advice(r"SyntaxError: multiple exception types must be parenthesized",
           "except X as error; for the whole module: pip install fissix && python -m fissix -w "
           "FILE", "Python 3.0"),
    Advice(r"TabError: ", "spaces; for the whole module: python -m fissix -w FILE, after pip "
                          "install fissix", "Python 3.0"),
    Advice(r"No module named "
           r"'(cPickle|cStringIO|StringIO|urllib2|urlparse|ConfigParser|Queue|httplib|Tkinter|commands)'",
           "its name in Python 3; for the whole module: pip install fissix && python -m fissix -w "
           "FILE", "Python 3.0"),
    Advice(r"AttributeError: 'dict' object has no attribute 'has_key'", "key in d", "Python 3.0"),
    Advice(r"AttributeError: 'dict' object has no attribute "
           r"'iter(items|keys|values)'", "d.items(), d.keys(), d.values()",
           "Python 3.0"),
    Advice(r"NameError: name "
           r"'(NaN|NAN|Inf|Infinity|PINF|NINF|infty|asscalar|product|cumproduct|alltrue|sometrue|in1d|trapz|mat)'",
           "np.nan, np.inf, np.prod, ...: `from numpy import *` no longer brings the "
           "name", "NumPy 2.0"),
    Advice(r"NameError: name '(unicode|basestring|long|xrange|raw_input|reduce|execfile)' is not "
           r"defined",
           "str, str, int, range, input, functools.reduce, runpy.run_path", "Python 3.0"),
]  # fmt: skip
