"""Runner of programs with Python's own behaviour: arguments, folder, `__main__`, tracebacks."""

from __future__ import annotations

import importlib.abc
import importlib.util
import os
import re
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path
from traceback import print_exception
from types import CodeType, ModuleType, TracebackType

from cntk._old_programs import python2
from cntk._old_programs.rows import Advice, Row
from cntk._old_programs.shell import Shell
from cntk._old_programs.tell import Teller, short

PACKAGE = Path(__file__).resolve().parent.parent
HIDDEN = (
    "<frozen importlib",
    *(str(PACKAGE / name) for name in ("_old_programs", "_cli", "__main__.py")),
)
"""Files whose frames a user's traceback does not show."""


class ProgramError(ValueError):
    """Raised where there is no such program, or it is no program of Python 3. The message is for
    people.
    """


class Source(importlib.abc.InspectLoader):
    """Loader of a program from its text, under the name of its file.

    Args:
        path: what tracebacks call it.
        text: the program, decoded; None to read the file.
    """

    def __init__(self, path: str, text: bytes | None = None) -> None:
        self.path, self._text = path, text

    def get_source(self, fullname: str) -> str:
        """Return the text, decoded as the program says."""
        return importlib.util.decode_source(self.bytes())

    def bytes(self) -> bytes:
        """Return the text as it lies in the file."""
        return Path(self.path).read_bytes() if self._text is None else self._text

    def get_code(self, fullname: str) -> CodeType:
        """Return the program, compiled."""
        return compile(self.bytes(), self.path, "exec", dont_inherit=True)

    def is_package(self, fullname: str) -> bool:
        """Return False: a program is none."""
        return False

    def get_filename(self, fullname: str) -> str:
        """Return the path."""
        return self.path


def run_file(path: str, arguments: Sequence[str], teller: Teller) -> None:
    """Run a program from a file, a folder or archive with a `__main__`, or standard input (``-``).

    Raises:
        ProgramError: it is in Python 2.
    """
    sys.argv[:] = [path, *arguments]
    if path == "-":
        if not sys.flags.safe_path:
            sys.path[:1] = [""]
        run_source(Source("<stdin>", sys.stdin.buffer.read()), teller)
    elif os.path.isdir(path) or path.endswith((".zip", ".pyz", ".pyc")):
        if not sys.flags.safe_path:
            sys.path[:1] = []
        runpy.run_path(path, run_name="__main__")
    else:
        import_from_folder_of(path)
        run_source(Source(os.path.abspath(path)), teller)


def import_from_folder_of(path: str) -> None:
    """Search a program's folder for modules first, instead of the current folder."""
    if not sys.flags.safe_path:
        sys.path[:1] = [os.path.dirname(os.path.realpath(path))]


def run_module(module: str, arguments: Sequence[str]) -> None:
    """Run an installed module, as `python -m` does."""
    sys.argv[:] = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def find(program: str) -> str:
    """Return the path of a program; its name may lack `.py` or `.ipynb`.

    Raises:
        ProgramError: there is none.
    """
    for path in (program, program + ".py", program + ".ipynb"):
        if (
            program == "-"
            or os.path.isfile(path)
            or (os.path.isdir(path) and os.path.exists(f"{path}/__main__.py"))
        ):
            return path
    what = "is a folder without __main__.py" if os.path.isdir(program) else "no such program"
    raise ProgramError(f"{program}: {what}")


def main_module(source: Source, file: str | None) -> ModuleType:
    """Return a fresh `__main__`."""
    module = ModuleType("__main__")
    module.__loader__ = source
    if file is not None:
        module.__file__ = file
        vars(module)["__cached__"] = None
    sys.modules["__main__"] = module
    return module


def run_source(source: Source, teller: Teller) -> None:
    """Run a program as `__main__`.

    Raises:
        ProgramError: it is in Python 2.
    """
    try:
        text = source.get_source("__main__")
    except (SyntaxError, UnicodeDecodeError):  # Python itself says which bytes are wrong
        text = ""
    signs = python2.signs(text)
    if signs:
        raise ProgramError(python2.message(short(source.path), signs))
    path = short(source.path)
    for line, what in python2.doubts(text):
        teller.say_at(
            f"{path}:{line}", f"{what}: Python 2 alone has it; {python2.CONVERT.format(path=path)}"
        )
    module = main_module(source, None if source.path == "<stdin>" else source.path)
    if b"get_ipython(" in source.bytes():  # made of a notebook
        vars(module)["get_ipython"] = lambda: Shell(teller)
    source.exec_module(module)


def without_our_frames(error: BaseException) -> None:
    """Take the frames of this package out of an exception's traceback, and of those that led to
    it.
    """
    seen: set[int] = set()
    todo: list[BaseException | None] = [error]
    while todo:
        one = todo.pop()
        if one is not None and id(one) not in seen:
            seen.add(id(one))
            one.__traceback__ = _without_hidden(one.__traceback__)
            todo += [one.__cause__, one.__context__]


def _without_hidden(traceback: TracebackType | None) -> TracebackType | None:
    frames = []
    while traceback is not None:
        frames.append(traceback)
        traceback = traceback.tb_next
    while frames and (_is_hidden(frames[0]) or _starts_programs(frames[0])):
        del frames[0]
    visible: TracebackType | None = None
    for one in reversed(frames):
        if not _is_hidden(one):
            visible = TracebackType(visible, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return visible


def _is_hidden(traceback: TracebackType) -> bool:
    return traceback.tb_frame.f_code.co_filename.startswith(HIDDEN)


def _starts_programs(traceback: TracebackType) -> bool:
    return str(traceback.tb_frame.f_globals.get("__name__", "")).startswith(("runpy", "importlib."))


def show_errors_as_python(table: Sequence[Row], teller: Teller) -> None:
    """Show uncaught errors as if Python ran the program itself, and then what to write, where the
    table knows it.
    """
    shown = sys.excepthook
    known = [row for row in table if isinstance(row, Advice)]

    def show(
        kind: type[BaseException], error: BaseException, traceback: TracebackType | None
    ) -> None:
        without_our_frames(error)
        if shown is sys.__excepthook__ and sys.version_info < (3, 13):
            print_exception(error)  # with the lines of notebooks' cells, which are no files
        else:
            shown(kind, error, error.__traceback__)
        text = f"{kind.__name__}: {error}"
        for row in known:
            if re.search(row.error, text):
                teller.say_at("", f"this is an error since {row.gone}; write: {row.write}")

    sys.excepthook = show
