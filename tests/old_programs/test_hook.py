"""Old names are put in place when their module is imported, for programs, and said once."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType

import pytest

from cntk._old_programs.hook import Hook
from cntk._old_programs.rows import Module, Name, Row, keyword
from cntk._old_programs.tell import Teller

LIBRARY = """
def area(width, height=1):
    return width * height

class Shape:
    def area(self, width, height=1):
        return width * height
"""
TABLE: list[Row] = [
    Name("oldlib", "surface", "math:pi", "area(...)", "oldlib 2"),
    Name("oldlib", "*", "math", "math.{name}", "oldlib 3"),
    Name("oldlib:Shape", "surface", "builtins:len", "area(...)", "oldlib 2"),
    Name("oldlib:Circle", "surface", "builtins:len", "area(...)", "oldlib 2"),
    Module("oldlib.tools.shapes", "math", "import math", "oldlib 2"),
    Module("oldlib_before", "", "oldlib", "oldlib 1"),
    Name("oldlib_before", "half", "math:tau", "oldlib", "oldlib 1"),
    keyword("oldlib", "area", "h", "height", "oldlib 2"),
    keyword("oldlib:Shape", "area", "h", "height", "oldlib 2"),
    keyword("oldlib", "area", "unit", "", "oldlib 2"),
]


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "oldlib").mkdir()
    (tmp_path / "oldlib" / "__init__.py").write_text(LIBRARY)
    monkeypatch.syspath_prepend(str(tmp_path))
    with Hook(TABLE, Teller()):
        yield
    for name in [name for name in sys.modules if name.startswith("oldlib")]:
        del sys.modules[name]


def test_nothing_is_imported_for_the_table(library: None) -> None:
    assert "oldlib" not in sys.modules


def test_a_name_is_served_and_said_once(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    import math

    import oldlib

    assert oldlib.surface == oldlib.surface == math.pi
    assert "surface" not in vars(oldlib)
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert told.startswith("cntk run: ") and told.endswith(
        "oldlib.surface: gone since oldlib 2; write: area(...)\n"
    )
    assert (
        f"test_hook.py:{test_a_name_is_served_and_said_once.__code__.co_firstlineno + 5}: " in told
    )


def test_all_names_of_another_module(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    from oldlib import cos

    assert cos(0) == 1
    assert "oldlib.cos: gone since oldlib 3; write: math.cos\n" in capsys.readouterr().err
    with pytest.raises(ImportError):
        from oldlib import nothing  # noqa: F401


def test_a_method(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    import oldlib

    class Square(oldlib.Shape):
        def __len__(self) -> int:
            return 4

    assert Square().surface(()) == 0  # a builtin binds to nothing
    assert "oldlib.Shape.surface: gone since oldlib 2" in capsys.readouterr().err


def test_arguments(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    import oldlib

    assert oldlib.area(2, h=3) == oldlib.Shape().area(2, h=3) == oldlib.area(2, 3, unit="m") == 6
    told = capsys.readouterr().err
    for what in (
        "oldlib.area: the argument h=: gone since oldlib 2; write: height=...",
        "oldlib.Shape.area: the argument h=: gone since oldlib 2; write: height=...",
        "oldlib.area: the argument unit=: gone since oldlib 2; write: leave unit= out",
    ):
        assert what in told


def test_modules_that_are_gone(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    import math

    import oldlib.tools.shapes

    assert oldlib.tools.shapes is math
    assert importlib.import_module("oldlib_before").half == math.tau
    told = capsys.readouterr().err
    assert "oldlib.tools.shapes: gone since oldlib 2; write: import math\n" in told
    assert "oldlib_before: gone since oldlib 1; write: oldlib\n" in told


def test_a_library_that_is_not_installed_stays_missing() -> None:
    with (
        Hook([Module("nolib.tools", "math", "", "")], Teller()),
        pytest.raises(ModuleNotFoundError, match="'nolib'"),
    ):
        importlib.import_module("nolib.tools")


def test_what_keeps_up_sees_things_as_they_are(
    library: None, capsys: pytest.CaptureFixture[str]
) -> None:
    global oldlib
    import oldlib

    current = {"__name__": "numpy.current", "oldlib": oldlib}

    def as_numpy(asks: FunctionType) -> object:
        return FunctionType(asks.__code__, current)()

    assert as_numpy(lambda: (hasattr(oldlib, "surface"), oldlib.Shape.surface is len)) == (
        False,
        True,
    )
    with pytest.raises(TypeError):
        as_numpy(lambda: oldlib.area(2, h=3))
    assert capsys.readouterr().err == ""


def test_everything_is_left_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import colorsys

    before = dict(vars(colorsys))
    rows = [
        Name("colorsys", "grey", "math:pi", "", ""),
        keyword("colorsys", "rgb_to_hsv", "red", "r", ""),
    ]
    with Hook(rows, Teller(quiet=True)):
        assert colorsys.grey
        assert colorsys.rgb_to_hsv is not before["rgb_to_hsv"]
    assert dict(vars(colorsys)) == before


def test_quiet(library: None, capsys: pytest.CaptureFixture[str]) -> None:
    teller = Teller(quiet=True)
    teller.say("nothing")
    assert capsys.readouterr().err == ""


def test_processes_that_are_spawned_are_served() -> None:
    from multiprocessing import spawn

    from cntk._old_programs.children import CHILDREN

    teller = Teller(said=["said"])
    with Hook(CHILDREN, teller):
        command = spawn.get_command_line(pipe_handle=3)
    program = command[command.index("-c") + 1]
    assert program.startswith(
        "from cntk._old_programs.children import serve; serve(False, ['said']); from "
        "multiprocessing"
    )
    assert spawn.get_command_line(pipe_handle=3) != command
