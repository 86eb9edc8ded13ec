"""A notebook runs as a program: cells in order, without what only IPython understands."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from cntk._old_programs.hook import Hook
from cntk._old_programs.notebook import prepared, read, run_notebook
from cntk._old_programs.program import ProgramError
from cntk._old_programs.table import NOTEBOOKS
from cntk._old_programs.tell import Teller


@pytest.fixture(autouse=True)
def process_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["test"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setenv("MPLBACKEND", "Agg")


def notebook(folder: Path, *cells: str, language: str = "python") -> str:
    path = folder / "a.ipynb"
    content = [{"cell_type": "markdown", "source": ["# title"]}]
    content += [{"cell_type": "code", "source": cell.splitlines(True)} for cell in cells]
    path.write_text(
        json.dumps({"cells": content, "metadata": {"kernelspec": {"language": language}}})
    )
    return str(path)


def test_cells_run_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "beside.py").write_text("NAME = 'beside'\n")
    path = notebook(
        tmp_path,
        "%matplotlib inline\nimport sys, beside\nx = 1",
        "!pip install cntk\nx += 1\n(x, beside.NAME, sys.argv, __name__)",
        "%%time\nx += 1\nx;",
        "%%bash\nrm -r /",
        "text = '''\n%kept\n'''\n%time y = 3\nget_ipython().magic('matplotlib "
        "inline')\nprint(text.strip(), y)",
    )
    run_notebook(path, ["--epochs", "3"], Teller())
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [
        repr((2, "beside", [path, "--epochs", "3"], "__main__")),
        "%kept 3",
    ]
    told = [line.partition(", cell ")[2] for line in printed.err.splitlines()]
    assert told == [
        "1:1: left out: %matplotlib inline",
        "2:1: left out: !pip install cntk",
        "3:1: left out: %%time",
        "4:1: left out: %%bash and all of its cell",
        "5:4: left out: %time",
        "5:5: left out: get_ipython().magic('matplotlib inline')",
    ]


def test_errors_name_cell_and_line(tmp_path: Path) -> None:
    path = notebook(tmp_path, "def half(x):\n    return x / 0", "\nhalf(1)")
    with pytest.raises(ZeroDivisionError) as raised:
        run_notebook(path, [], Teller())
    places = [(str(one.path), one.lineno + 1) for one in raised.traceback]
    assert places[-2:] == [(f"{path}, cell 2", 2), (f"{path}, cell 1", 2)]


def test_what_ipython_shows_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if "IPython" in sys.modules:
        pytest.skip("IPython is there")
    path = notebook(
        tmp_path,
        "from IPython.display import Image, display\nImage(url='https://a/b.png')",
        "display(1)",
    )
    with Hook(NOTEBOOKS, Teller(quiet=True)):
        run_notebook(path, [], Teller())
    assert capsys.readouterr().out == "<Image: https://a/b.png>\n1\n"


@pytest.mark.parametrize(
    ("line", "becomes"),
    [
        ("  %run other.py", "  pass"),
        ("np.array?", "pass"),
        ("?np.array", "pass"),
        ("files = !ls", "files = []"),
        ("x = %pwd", "x = []"),
        ("%timeit -n 3 f(x)", "f(x)"),
        ("x = a % b", "x = a % b"),
        ("y = f(1)  # what?", "y = f(1)  # what?"),
        ("x != y", "x != y"),
        ("'%d' \\\n% 3", "'%d' \\\n% 3"),
        ("print('a %s'\n% 3)", "print('a %s'\n% 3)"),
        ("'''it's\n!kept'''", "'''it's\n!kept'''"),
        ("!ls \\\n  -l\nx", "pass\n\nx"),
    ],
)
def test_lines_of_ipython(line: str, becomes: str) -> None:
    assert prepared("cell", line).text == becomes


@pytest.mark.parametrize(
    ("cells", "language", "reason"),
    [
        (
            ["print('a')", "print 'b'"],
            "python",
            r"a\.ipynb is in Python 2 \(.*cell 2, line 1: print without brackets\)",
        ),
        (["1"], "R", "a notebook in R, not in Python"),
    ],
)
def test_refused_before_anything_runs(
    cells: list[str], language: str, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ProgramError, match=reason):
        run_notebook(notebook(tmp_path, *cells, language=language), [], Teller())
    assert capsys.readouterr().out == ""


def test_old_format_and_none(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    path.write_text(
        json.dumps({"worksheets": [{"cells": [{"cell_type": "code", "input": ["x = 1"]}]}]})
    )
    assert [cell.text for cell in read(str(path))] == ["x = 1"]
    path.write_text("{}")
    with pytest.raises(ProgramError, match="not a notebook"):
        read(str(path))


def test_a_name_without_its_ending(tmp_path: Path) -> None:
    from cntk._old_programs.program import find

    path = notebook(tmp_path, "1")
    assert find(os.path.splitext(path)[0]) == path
