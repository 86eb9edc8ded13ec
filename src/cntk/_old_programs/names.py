"""The table of old names: every name that `python -m cntk run` puts in place."""

from __future__ import annotations

from cntk._old_programs.names_drawing import MATPLOTLIB, PILLOW
from cntk._old_programs.names_errors import ERRORS
from cntk._old_programs.names_h5py import H5PY
from cntk._old_programs.names_numpy import NUMPY
from cntk._old_programs.names_pandas import PANDAS
from cntk._old_programs.names_pytest import PYTEST
from cntk._old_programs.names_python import PYTHON
from cntk._old_programs.names_scipy import SCIPY
from cntk._old_programs.names_sklearn import SKLEARN
from cntk._old_programs.rows import Changed, Module, Row

DOWNLOADS: list[Row] = [
    Changed(
        owner,
        name,
        f".download_changes:{value}",
        "dead addresses of data",
        "the mirror's address",
        "the sites shut down",
    )
    for owner, name, value in (
        ("urllib.request:OpenerDirector", "open", "opened"),
        ("requests.sessions:Session", "request", "requested"),
    )
]

NOTEBOOKS: list[Row] = [
    Module("IPython", ".ipython", "pip install ipython", ""),
    Module("IPython.display", ".ipython_display", "pip install ipython", ""),
    Module("IPython.core.display", ".ipython_display", "pip install ipython", ""),
]

TABLE: list[Row] = [
    *PYTHON,
    *NUMPY,
    *SCIPY,
    *PANDAS,
    *H5PY,
    *PILLOW,
    *MATPLOTLIB,
    *SKLEARN,
    *PYTEST,
    *DOWNLOADS,
    *NOTEBOOKS,
    *ERRORS,
]
