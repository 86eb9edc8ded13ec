"""`python -m cntk run`: run an old program unchanged."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from cntk._old_programs.children import CHILDREN
from cntk._old_programs.hook import Hook
from cntk._old_programs.notebook import run_notebook
from cntk._old_programs.program import (
    ProgramError,
    find,
    run_file,
    run_module,
    show_errors_as_python,
)
from cntk._old_programs.table import TABLE, listed
from cntk._old_programs.tell import Teller

MISUSE = 2
SUMMARY = "run an old program, with the names that newer libraries lack"


def run(arguments: Sequence[str]) -> int:
    """Run a program; what follows its name is its own.

    Args:
        arguments: of the command, without the word ``run``.

    Returns:
        The exit status: 0, or 2 if there is no such program or it is in Python 2. Errors of the
        program end the process as Python itself would.
    """
    own, rest = _split(arguments)
    parser = _parser()
    options = parser.parse_args(own)
    if options.list:
        print(listed(), end="")
        return 0
    if options.module is None and options.program is None:
        parser.error("give the program to run, or -m and a module")
    try:
        path = None if options.program is None else find(options.program)
        teller = Teller(options.quiet)
        Hook(
            [*TABLE, *CHILDREN], teller
        ).install()  # for the rest of the process, which is the program's
        show_errors_as_python(TABLE, teller)
        if path is None:
            run_module(options.module, rest)
        elif path.endswith(".ipynb"):
            run_notebook(path, rest, teller)
        else:
            run_file(path, rest, teller)
    except ProgramError as error:
        print(f"cntk run: error: {error}", file=sys.stderr)
        return MISUSE
    return 0


def _split(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split the command's own arguments, the program's name included, from the program's."""
    at = 0
    while at < len(arguments):
        word = arguments[at]
        if word.startswith("-m"):
            at += 2 if word == "-m" else 1
            break
        at += 1
        if word == "-" or not word.startswith("-"):
            break
    return list(arguments[:at]), list(arguments[at:])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cntk run",
        description="Runs an old program as it is. Names that newer releases of Python and of "
        "libraries lack are put in place for that process alone; each that is used is said once on "
        "standard error, with the line to write instead.",
        usage="%(prog)s [--quiet] PROGRAM [ARGUMENTS ...]\n       %(prog)s [--quiet] -m MODULE "
        "[ARGUMENTS ...]\n"
        "       %(prog)s --list",
    )
    parser.add_argument(
        "program",
        nargs="?",
        metavar="PROGRAM",
        help="its file, or a notebook; - for standard input",
    )
    parser.add_argument(
        "-m", dest="module", metavar="MODULE", help="run an installed module, as python -m does"
    )
    parser.add_argument("--quiet", action="store_true", help="do not say which old names are used")
    parser.add_argument("--list", action="store_true", help="show the table of old names and end")
    return parser
