"""Programs in Python 2 are recognized before anything of them runs; programs for both are let
through.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from cntk._old_programs.program import ProgramError, Source, run_source
from cntk._old_programs.python2 import signs
from cntk._old_programs.tell import Teller


@pytest.mark.parametrize(
    ("source", "kinds"),
    [
        ("print 'a'", ["print without brackets"]),
        ("if a: print x, y", ["print without brackets"]),
        ("print >>sys.stderr, 'x'", ["print without brackets"]),
        ("print ('a %d') % 3", ["print without brackets"]),
        ("print", ["print without brackets"]),
        ("try:\n    pass\nexcept ValueError, e:\n    pass", ["except X, error:"]),
        ("raise ValueError, 'x'", ["raise X, text"]),
        ("exec code in d", ["exec without brackets"]),
        ("x = `1`", ["backticks"]),
        ("if a <> b:\n    pass", ["<>"]),
        ("x = ur'a'", ["ur'...'"]),
        ("x = 10L", ["numbers as 0777 or 1L"]),
        ("x = 0777", ["numbers as 0777 or 1L"]),
        ("if x:\n\ty = 1\n        z = 1", ["tabs and spaces mixed"]),
        ("def f(a, (b, c)):\n    pass", ["arguments in brackets"]),
        ("import cPickle, urllib2", ["import cPickle", "import urllib2"]),
        ("from StringIO import StringIO", ["import StringIO"]),
        ("for i in xrange(3):\n    raw_input(unicode(i))", ["raw_input", "unicode", "xrange"]),
        ("print(1)\nprint 2", ["print without brackets"]),
    ],
)
def test_python_2(source: str, kinds: list[str]) -> None:
    assert sorted(kind for _, kind in signs(source)) == kinds


@pytest.mark.parametrize(
    "source",
    [
        "x = (",
        "if x\n    pass",
        "f(1 2)",
        "try:\n    xrange\nexcept NameError:\n    xrange = range\nxrange(3)",
        "try:\n    import cPickle as pickle\nexcept ImportError:\n    import pickle",
        "if sys.version_info[0] < 3:\n    import urllib2\n    text = unicode",
        "from six.moves import xrange\nxrange(2)",
        "from past.builtins import *\nunicode(3)",
        "def f(file, long=1):\n    return file, long",
        "reload(sys)",
        "if six.PY2:\n    text = unicode\nelse:\n    text = str",
        "def f(x):\n    return unicode(x)",
    ],
)
def test_not_python_2(source: str) -> None:
    assert signs(source) == []


def test_what_is_in_functions_is_said_and_the_program_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "program.py"
    path.write_text("def never():\n    import urllib2\n    return xrange(3)\nprint('ran')\n")
    main = sys.modules["__main__"]
    run_source(Source(str(path)), Teller())
    sys.modules["__main__"] = main
    told = capsys.readouterr()
    assert told.out == "ran\n"
    assert [
        line.partition("; ")[0].rpartition(":2: ")[2].rpartition(":3: ")[2]
        for line in told.err.splitlines()
    ] == [
        "import urllib2: Python 2 alone has it",
        "xrange: Python 2 alone has it",
    ]


def test_nothing_is_run_and_the_way_out_is_said(tmp_path: Path) -> None:
    path = tmp_path / "program.py"
    path.write_text(f"open({str(tmp_path / 'made')!r}, 'w')\nprint 'a'\n")
    with pytest.raises(ProgramError) as refused:
        run_source(Source(str(path)), Teller())
    assert str(refused.value) == (
        f"{path} is a program in Python 2 (line 2: print without brackets); nothing of it was run. "
        f"Convert it first: pip install fissix && python -m fissix -w {path}"
    )
    assert not (tmp_path / "made").exists()
