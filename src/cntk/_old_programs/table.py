"""The table of old names: every name that `python -m cntk run` restores."""

from __future__ import annotations

from cntk._old_programs.addresses import ADDRESSES
from cntk._old_programs.drawing.names import MATPLOTLIB, PILLOW
from cntk._old_programs.errors import ERRORS
from cntk._old_programs.h5py.names import H5PY
from cntk._old_programs.numpy.names import NUMPY
from cntk._old_programs.pandas.names import PANDAS
from cntk._old_programs.pytest.names import PYTEST
from cntk._old_programs.python.names import PYTHON
from cntk._old_programs.rows import Changed, Module, Row
from cntk._old_programs.scipy.names import SCIPY
from cntk._old_programs.sklearn.names import SKLEARN
from cntk._old_programs.tell import since

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

TABLES: dict[str, list[Row]] = {
    "Python": PYTHON,
    "NumPy": NUMPY,
    "SciPy": SCIPY,
    "pandas": PANDAS,
    "h5py": H5PY,
    "Pillow": PILLOW,
    "Matplotlib": MATPLOTLIB,
    "scikit-learn": SKLEARN,
    "pytest": PYTEST,
    "Downloads": DOWNLOADS,
    "Notebooks": NOTEBOOKS,
    "Errors that nothing can be put in place of": ERRORS,
}
"""The rows by library."""

TABLE = [row for rows in TABLES.values() for row in rows]


def listed() -> str:
    """Return the tables as text, in Markdown."""
    parts = []
    for library, rows in TABLES.items():
        lines = [f"| `{_cell(row.title)}` | {since(row)} | {_cell(row.write)} |" for row in rows]
        parts += [f"## {library}\n", "| name | | write |", "|---|---|---|", *lines, ""]
    dead = [
        f"| {row.old} | {row.new or row.advice} | {row.digest.partition(':')[0]} |"
        for row in ADDRESSES
    ]
    parts += [
        "## Addresses\n",
        "| dead | read from, or what to do | checked by |",
        "|---|---|---|",
        *dead,
        "",
    ]
    return "\n".join(parts)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
