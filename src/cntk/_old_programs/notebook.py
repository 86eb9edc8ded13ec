"""Runner of notebooks: their cells in order, in one `__main__`, without IPython's own syntax."""

from __future__ import annotations

import ast
import json
import linecache
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType

from cntk._old_programs import python2
from cntk._old_programs.program import ProgramError, Source, import_from_folder_of, main_module
from cntk._old_programs.shell import Shell
from cntk._old_programs.tell import Teller

KEPT_CELLS = ("time", "timeit", "capture", "prun")
"""Cell magics below which there is a program."""
KEPT_LINES = ("time", "timeit", "prun")


@dataclass
class Cell:
    """A cell of code.

    Attributes:
        name: what tracebacks call it.
        text: its program, with a line for each of the cell's.
        left_out: lines that are left out, with their numbers.
    """

    name: str
    text: str
    left_out: list[tuple[int, str]] = field(default_factory=list)


class CellCode(Source):
    """Loader of a part of a cell, compiled."""

    def __init__(self, cell: Cell, code: CodeType) -> None:
        super().__init__(cell.name, cell.text.encode())
        self._code = code

    def get_code(self, fullname: str) -> CodeType:
        """Return the part."""
        return self._code


def run_notebook(path: str, arguments: Sequence[str], teller: Teller) -> None:
    """Run a notebook's cells of code, in order; the value of a cell's last line is shown, as
    IPython does.

    Args:
        path: the notebook.
        arguments: what `sys.argv` holds beside the path.
        teller: says what is left out.

    Raises:
        ProgramError: the file is no notebook, or its programs are in Python 2 or in another
            language.
    """
    cells = read(path)
    signs = [(cell.name, sign) for cell in cells for sign in python2.signs(cell.text)]
    if signs:
        shown = "; ".join(f"{name}, line {line}: {what}" for name, (line, what) in signs[:5])
        raise ProgramError(
            f"{path} is in Python 2 ({shown}); nothing of it was run. Save it as a program and "
            f"convert that: jupyter nbconvert --to script {path}, "
            f"{python2.CONVERT.format(path='PROGRAM')}"
        )
    sys.argv[:] = [path, *arguments]
    import_from_folder_of(path)
    os.environ.setdefault("MPLBACKEND", "Agg")  # pictures have no window
    parts = [(cell, list(compiled(cell))) for cell in cells]
    module = main_module(Source(path), None)
    vars(module)["get_ipython"] = lambda: Shell(teller)
    for cell, codes in parts:
        for line, text in cell.left_out:
            teller.say_at(f"{cell.name}:{line}", f"left out: {text}")
        for code in codes:
            CellCode(cell, code).exec_module(module)
        sys.stdout.flush()


def read(path: str) -> list[Cell]:
    """Return a notebook's cells of code.

    Raises:
        ProgramError: the file is no notebook, or in another language.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        raw = (
            content["cells"]
            if "cells" in content
            else [cell for sheet in content["worksheets"] for cell in sheet["cells"]]
        )
        sources = [
            cell.get("source", cell.get("input", "")) for cell in raw if cell["cell_type"] == "code"
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ProgramError(f"{path}: not a notebook: {type(error).__name__}: {error}") from None
    language = content.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    if language != "python":
        raise ProgramError(f"{path}: a notebook in {language}, not in Python")
    texts = ["".join(source) for source in sources]
    return [
        prepared(f"{path}, cell {number}", text)
        for number, text in enumerate(texts, 1)
        if text.strip()
    ]


def prepared(name: str, text: str) -> Cell:
    """Return a cell without what only IPython understands; other lines keep their numbers.

    Example:
        >>> cell = prepared("a.ipynb, cell 1", "%matplotlib inline\\nx = 1\\n!pip install cntk\\n")
        >>> cell.text
        'pass\\nx = 1\\npass'
        >>> cell.left_out
        [(1, '%matplotlib inline'), (3, '!pip install cntk')]
    """
    lines = text.splitlines()
    first = next((at for at, line in enumerate(lines) if line.strip()), 0)
    kind = re.match(r"%%(\w+)", lines[first]) if lines else None
    if kind:
        cell = Cell(name, "", [(first + 1, lines[first])])
        if kind[1] not in KEPT_CELLS:
            cell.left_out[0] = (first + 1, f"{lines[first]} and all of its cell")
            return cell
        lines[first] = ""
    else:
        cell = Cell(name, "")
    inside = _lines_inside("\n".join(lines))
    at = 0
    while at < len(lines):
        changed = None if at + 1 in inside else _of_ipython(lines[at])
        if changed is not None:
            magic = re.match(r"\s*(%\w+)", lines[at]) if changed.strip() != "pass" else None
            cell.left_out.append((at + 1, magic[1] if magic else lines[at].strip()))
            continued = lines[at].rstrip().endswith("\\")
            lines[at] = changed
            while continued and at + 1 < len(lines):
                at += 1
                continued, lines[at] = lines[at].rstrip().endswith("\\"), ""
        at += 1
    cell.text = "\n".join(lines)
    return cell


def _of_ipython(line: str) -> str | None:
    """Return what takes the place of a line that only IPython understands; None for a line of
    Python.
    """
    indent, code = re.match(r"(\s*)(.*)", line).groups()  # type: ignore[union-attr]
    magic = re.match(r"%(\w+)\s+(.*)", code)
    if magic and magic[1] in KEPT_LINES:
        return f"{indent}{re.sub(r'^(-[a-zA-Z]+ ?[0-9]* *)+', '', magic[2])}"
    if re.match(r"[%!?]", code) or re.match(r"[\w.]+\?{1,2}\s*$", code):
        return f"{indent}pass"
    assigned = re.match(r"(\w+)\s*=\s*[%!](?!=)", code)
    return f"{indent}{assigned[1]} = []" if assigned else None


TOKEN = re.compile(r"\\.|'''|\"\"\"|'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|#|[(\[{]|[)\]}]")


def _lines_inside(text: str) -> set[int]:
    """Return the numbers of lines that go on with a string, with what is in brackets, or with the
    line above.
    """
    inside: set[int] = set()
    quote, depth, continued = "", 0, False
    for number, line in enumerate(text.splitlines(), 1):
        if quote or depth > 0 or continued:
            inside.add(number)
        elif re.match(r"\s*[%!?]", line):
            continue
        at, continued = 0, line.endswith("\\")
        while at < len(line):
            end = line.find(quote, at) if quote else -1
            if quote:
                at, quote = (len(line), quote) if end < 0 else (end + 3, "")
                continue
            match = TOKEN.search(line, at)
            if match is None or match[0] == "#":
                break
            at = match.end()
            quote = match[0] if match[0] in ("'''", '"""') else ""
            depth += (match[0] in "([{") - (match[0] in ")]}")
    return inside


def compiled(cell: Cell) -> Iterator[CodeType]:
    """Yield the cell's program, and its last line apart if that has a value to show."""
    lines = [line + "\n" for line in cell.text.split("\n")]
    linecache.cache[cell.name] = (len(cell.text), None, lines, cell.name)
    tree = ast.parse(cell.text, filename=cell.name)
    last = tree.body[-1] if tree.body else None
    shown = isinstance(last, ast.Expr) and not cell.text.rstrip().endswith(";")
    body = tree.body[:-1] if shown else tree.body
    if body:
        yield compile(ast.Module(body, []), cell.name, "exec", dont_inherit=True)
    if shown and last is not None:
        yield compile(ast.Interactive([last]), cell.name, "single", dont_inherit=True)
