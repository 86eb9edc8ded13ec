"""`python -m cntk run`: a program sees what it would see under Python itself, and old names
beside.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import cntk as C
from cntk._cli.main import main

SOURCE = Path(C.__file__).resolve().parent.parent
PROGRAM = """\
import sys
import helper
import numpy as np
from collections import Mapping
print(sys.argv, __name__, __file__, sys.path[0] == helper.FOLDER, sys.stdin.read(), np.float is float)
def fail():
    np.array([[1], [2, 3]], dtype=np.int)
fail()
"""  # noqa: E501


def command(folder: Path, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    env = dict(
        os.environ, PYTHONPATH=os.pathsep.join([str(SOURCE), os.environ.get("PYTHONPATH", "")])
    )
    return subprocess.run(
        [sys.executable, "-m", "cntk", "run", *arguments],
        cwd=folder,
        env=env,
        text=True,
        capture_output=True,
        input=given,
        timeout=250,
    )


def test_a_program(tmp_path: Path) -> None:
    """Its arguments, folder, input, name, the names it lacks, its traceback and exit status."""
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "helper.py").write_text(
        "import os\nFOLDER = os.path.dirname(os.path.abspath(__file__))\n"
    )
    path = os.path.join("code", "program.py")
    (tmp_path / path).write_text(PROGRAM)
    full = str(tmp_path.resolve() / path)
    ended = command(tmp_path, path, "-m", "--list", given="read")
    assert ended.stdout.split() == repr([path, "-m", "--list"]).split() + [
        "__main__",
        full,
        "True",
        "read",
        "True",
    ]
    assert ended.returncode == 1
    first, second, third, *traceback = ended.stderr.splitlines()
    assert (
        first == f"cntk run: {path}:4: collections.Mapping: gone since Python 3.10; write: from "
        f"collections.abc import Mapping"
    )
    assert second == f"cntk run: {path}:5: numpy.float: gone since NumPy 1.24; write: float"
    assert third == f"cntk run: {path}:7: numpy.int: gone since NumPy 1.24; write: int"
    assert [line.strip() for line in traceback if "^^" not in line] == [
        "Traceback (most recent call last):",
        f'File "{full}", line 8, in <module>',
        "fail()",
        f'File "{full}", line 7, in fail',
        "np.array([[1], [2, 3]], dtype=np.int)",
        "ValueError: setting an array element with a sequence. The requested array has an "
        "inhomogeneous shape after 1 dimensions. The detected shape was (2,) + inhomogeneous part.",
        "cntk run: this is an error since NumPy 1.24; write: np.array(..., dtype=object) for rows "
        "of different lengths",
    ]


def test_there_is_no_such_program(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", str(tmp_path / "program")]) == 2
    assert capsys.readouterr().err == f"cntk run: error: {tmp_path / 'program'}: no such program\n"
    assert main(["run", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err == f"cntk run: error: {tmp_path}: is a folder without __main__.py\n"
    )


def test_the_list_is_the_page_of_the_documentation(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "--list"]) == 0
    listed = capsys.readouterr().out
    assert "| `numpy.float` | gone since NumPy 1.24 | float |\n" in listed
    page = (SOURCE.parent / "docs" / "old-names.md").read_text(encoding="utf-8")
    assert page.partition("\n## ")[2] == listed.partition("## ")[2], (
        "python -m cntk run --list makes it anew"
    )


@pytest.mark.parametrize("arguments", [["run"], ["run", "-m"], ["run", "--loud", "program.py"]])
def test_misuse(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: python -m cntk run" in capsys.readouterr().err
