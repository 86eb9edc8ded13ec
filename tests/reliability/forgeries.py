"""Forged files by the thousand: each is read or refused by one clear error, in little time and
memory.

    python -m tests.reliability.forgeries 20000 --processes 2
    python -m tests.reliability.forgeries 1 --kind models --first 4711

The first line shares the files among all kinds; the second makes one case again. A kind is a module
beside this one, ``forged_models.py`` for models, that has what `Kind` says. Every case draws from
random numbers of its own, so the same number makes the same file. A case fails if anything else
than the kind's errors comes out, if an error's text is one of Python's, NumPy's or torch's own, if
it takes over ten seconds, or if it takes over 256 MB more memory than its files are long (where the
system can limit that: Linux).
"""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import json
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Protocol

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
# How the files of a run are shared among the kinds.
SHARES = {"models": 0.4, "checkpoints": 0.2, "data": 0.4}
SECONDS, MEMORY = 10, 256 * 2**20
# Words that stand in no text of ours: what they come from was never meant for whoever reads a file.
INTERNAL = re.compile(
    r"index out of|out of bounds|keyword argument|positional argument|has no attribute|to "
    r"unpack|NoneType|"
    r"unhashable|object is not|object cannot be|unsupported operand|not supported between|invalid "
    r"literal|could not convert|"
    r"cannot convert|must be real number|must be str|must be an integer|is not subscriptable|not "
    r"iterable|codec can't|"
    r"broadcast together|could not broadcast|cannot reshape|tensor a|size of tensor|Dimension "
    r"out|Storage size|aten::|zip\(\)|"
    r"\btorch\.|\bnumpy\.|\bnp\.(?!float)|__init__|\b__\w+__\(\)|<class|<function|Traceback|"
    r"unpack requires|buffer size|buffer is smaller|"
    r"recursion depth|too large to convert|Python int|int too|can't allocate|Unable to "
    r"allocate|math domain|NaN to integer"
)


class Kind(Protocol):
    """What the module of a kind has.

    Attributes:
        refusals: the errors that files of this kind may be refused with.
    """

    refusals: tuple[type[Exception], ...]

    def prepare(self) -> None:
        """Load all that reading needs once, as libraries and whole files to forge."""

    def forged(self, draw: random.Random, folder: Path) -> Any:
        """Write one forged file and what belongs to it.

        Args:
            draw: where all that is random comes from.
            folder: an empty folder.

        Returns:
            What `read` is to read, such as its path.
        """

    def read(self, what: Any) -> None:
        """Read it to its end, and run what was read once on little data."""


class Outcome(NamedTuple):
    """What came of a case: 'read', 'refused' or 'failed', and the error's text or the traceback."""

    word: str
    text: str = ""


def kind_of(name: str) -> Kind:
    """The module of a kind."""
    return importlib.import_module(f"tests.reliability.forged_{name}")  # type: ignore[return-value]


def available() -> list[str]:
    """The kinds that there are."""
    return [name for name in SHARES if (HERE / f"forged_{name}.py").is_file()]


def run_case(kind: Kind, name: str, number: int) -> Outcome:
    """Make one case and read it, within its limits."""
    with tempfile.TemporaryDirectory() as folder:
        made = kind.forged(random.Random(f"{name} {number}"), Path(folder))
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        faulthandler.dump_traceback_later(SECONDS, exit=True)
        try:
            with limited_memory(size + MEMORY):
                return read(kind, made)
        finally:
            faulthandler.cancel_dump_traceback_later()


def read(kind: Kind, made: Any) -> Outcome:
    """Read a case: what comes of it."""
    try:
        kind.read(made)
    except kind.refusals as error:
        text = str(error)
        internal = INTERNAL.search(text) if text.strip() else "no text"
        if internal is None:
            return Outcome("refused", text)
        return Outcome("failed", f"{internal}: {traceback.format_exc()}")
    except Exception:
        return Outcome("failed", traceback.format_exc())
    return Outcome("read")


class limited_memory:
    """While in here the process may grow by so many bytes and no more; no limit where the system
    has none.

    Args:
        size: how many.
    """

    def __init__(self, size: int) -> None:
        self._size = size

    def __enter__(self) -> None:
        if sys.platform != "linux":
            return
        import resource

        self._before = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        resource.setrlimit(
            resource.RLIMIT_AS, (pages * resource.getpagesize() + self._size, self._before[1])
        )

    def __exit__(self, *_: Any) -> None:
        if sys.platform == "linux":
            import resource

            resource.setrlimit(resource.RLIMIT_AS, self._before)


def work(name: str, numbers: range) -> None:
    """Run cases one after another, and print a line before and after each: what a child process
    does.
    """
    import torch

    torch.set_num_threads(1)
    kind = kind_of(name)
    kind.prepare()
    for number in numbers:
        print(json.dumps([number]), flush=True)
        print(json.dumps([number, *run_case(kind, name, number)]), flush=True)


class _Child:
    """A process that runs some of a kind's cases; begun again behind a case that has ended it."""

    def __init__(self, name: str, numbers: range) -> None:
        self.name, self._left = name, numbers

    def outcomes(self) -> Iterator[tuple[int, Outcome]]:
        while self._left:
            first, last, step = self._left[0], self._left[-1] + 1, self._left.step
            arguments = ["--work", self.name, str(first), str(last), str(step)]
            with tempfile.TemporaryFile("w+") as errors:
                with subprocess.Popen(
                    [sys.executable, "-m", "tests.reliability.forgeries", *arguments],
                    cwd=ROOT,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                ) as process:
                    assert process.stdout is not None
                    begun = None
                    for line in process.stdout:
                        number, *outcome = json.loads(line)
                        begun = None if outcome else number
                        if outcome:
                            yield number, Outcome(*outcome)
                            self._left = range(number + step, last, step)
                errors.seek(0)
                told = errors.read()[-4000:]
            if begun is not None:
                yield (
                    begun,
                    Outcome("failed", f"the process ended, or took over {SECONDS} s:\n{told}"),
                )
                self._left = range(begun + step, last, step)
            elif process.returncode:
                raise RuntimeError(f"{self.name}: nothing could be run:\n{told}")


def run(
    name: str, count: int, first: int = 0, processes: int = 1
) -> tuple[Counter[str], dict[int, str]]:
    """Run a kind's cases.

    Args:
        name: the kind.
        count: how many.
        first: the first one's number.
        processes: how many child processes share them.

    Returns:
        How many had which outcome; and of those that failed the text, by their number.
    """
    from concurrent.futures import ThreadPoolExecutor

    shares = [range(first + k, first + count, processes) for k in range(processes)]
    with ThreadPoolExecutor(processes) as pool:
        found = [
            pair
            for pairs in pool.map(lambda s: list(_Child(name, s).outcomes()), shares)
            for pair in pairs
        ]
    return Counter(o.word for _, o in found), {
        n: o.text for n, o in sorted(found) if o.word == "failed"
    }


def main(arguments: list[str]) -> int:
    """Run the program; the number of cases that failed, up to 1, is its exit status."""
    if arguments[:1] == ["--work"]:
        name, *numbers = arguments[1:]
        work(name, range(*map(int, numbers)))
        return 0
    parser = argparse.ArgumentParser(
        prog="tests.reliability.forgeries", description=__doc__.split("\n")[0]
    )
    parser.add_argument("count", type=int, help="how many files in all")
    parser.add_argument("--kind", choices=available(), help="of one kind alone")
    parser.add_argument("--first", "--seed", type=int, default=0, help="the first one's number")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--shown", type=int, default=20, help="how many failures are shown")
    options = parser.parse_args(arguments)
    names = [options.kind] if options.kind else available()
    whole = sum(SHARES[name] for name in names)
    failed = 0
    for name in names:
        begun = time.perf_counter()
        count = round(options.count * SHARES[name] / whole)
        counts, failures = run(name, count, options.first, options.processes)
        for number, text in list(failures.items())[: options.shown]:
            print(f"--- {name} {number}\n{text}")
        listed = ", ".join(f"{counts[word]} {word}" for word in ("read", "refused", "failed"))
        print(f"{name}: {listed} ({time.perf_counter() - begun:.0f} s)", flush=True)
        failed += len(failures)
    return min(failed, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
