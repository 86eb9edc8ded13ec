"""The command line's arguments and errors: an error is one line on stderr and exit status 2."""

from __future__ import annotations

import argparse
import importlib.util
import platform
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

import cntk as C
from cntk._cli.convert import ConversionError, convert, header_lines
from cntk._cli.data import DataError, mnist_folder, scanned_digits
from cntk._cli.idx import IdxError
from cntk._cli.run import SUMMARY, run
from cntk.logging.printing import show

MISUSE = 2
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status: 0, 2 for an error of the user, 130 when
    interrupted.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["run"]:
        return run(words[1:])  # what follows the program's name is not ours to read
    options = _parser().parse_args(words)
    try:
        return _convert(options) if options.command == "convert" else _demo(options)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except (DataError, IdxError, ConversionError) as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    print(f"cntk {options.command}: error: {reason}", file=sys.stderr)
    return MISUSE


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m cntk", description="CNTK's Python interface, on PyTorch."
    )
    version = (
        f"cntk-torch {C.__version__} (PyTorch {torch.__version__}, Python "
        f"{platform.python_version()})"
    )
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    demo = commands.add_parser(
        "demo",
        help="train a small network on real digits",
        description="Trains a small convolutional network on real handwritten digits, tests it on "
        "digits that it has not seen, and writes a picture of how it went and the trained model.",
    )
    demo.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        help="folder with the four idx files of "
        "MNIST (default: the 1,797 small scans that come with scikit-learn)",
    )
    demo.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=Path("cntk-demo"),
        help="where to write to (default: %(default)s)",
    )
    demo.add_argument(
        "--epochs",
        type=_at_least(1),
        metavar="N",
        help="how often to go through the training digits",
    )
    demo.add_argument(
        "--seed",
        type=_at_least(0),
        metavar="N",
        default=1,
        help="same seed, same run (default: %(default)s)",
    )
    _add_convert(commands)
    commands.add_parser("run", help=SUMMARY)
    return parser


def _add_convert(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "convert",
        help="convert between the CNTK text format and the binary format",
        description="Converts a file in the CNTK text format into one in the binary format, or the "
        "other way round: what the input is, its first bytes tell. Text needs to be told which "
        "streams it has.",
    )
    parser.add_argument("--input", type=Path, required=True, metavar="FILE", help="what to read")
    parser.add_argument("--output", type=Path, required=True, metavar="FILE", help="what to write")
    parser.add_argument(
        "--header",
        type=Path,
        metavar="FILE",
        help="file with a line 'name alias "
        "dense|sparse width' for each stream of the text; the alias is its name in the text",
    )
    parser.add_argument(
        "--stream",
        action="append",
        default=[],
        metavar=("'NAME ALIAS FORMAT WIDTH'"),
        help="such a line; may be given several times",
    )
    parser.add_argument(
        "--precision",
        choices=["float", "double"],
        default="float",
        help="dtype to write (default: %(default)s, the only one that the original reads)",
    )
    parser.add_argument(
        "--chunk_size",
        type=_at_least(1),
        metavar="BYTES",
        default=32 << 20,
        help="how much text makes a chunk (default: %(default)s)",
    )


def _convert(options: argparse.Namespace) -> int:
    lines = list(options.stream)
    if options.header:
        lines += header_lines(options.header)
    for line in convert(
        options.input, options.output, lines, options.precision == "double", options.chunk_size
    ):
        show(line)
    return 0


def _at_least(least: int):  # type: ignore[no-untyped-def]
    """Return a reader of integers from `least` to 2**32 - 1, for argparse."""

    def number(text: str) -> int:
        value = int(text)
        if not least <= value < 1 << 32:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {(1 << 32) - 1}")
        return value

    number.__name__ = "integer"
    return number


def _demo(options: argparse.Namespace) -> int:
    needed = ["rich", "matplotlib"] if options.data else ["rich", "matplotlib", "sklearn"]
    missing = [name for name in needed if importlib.util.find_spec(name) is None]
    if missing:
        raise DataError(
            f"needs {' and '.join(missing)}; install them with: pip install 'cntk-torch[demo]'"
        )
    digits = mnist_folder(options.data) if options.data else scanned_digits()
    from cntk._cli.demo import run

    run(digits, options.out, options.epochs, options.seed)
    return 0
