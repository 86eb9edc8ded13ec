"""Runs the original toolkit's own published test suite against this package.

The suite is read out of the CNTK 2.7 wheel on the Python package index; only its test modules are
unpacked, into a cache outside the repository (CNTK_CONFORMANCE_CACHE, else the user's cache
folder). `baseline.json` says what the original itself does with each test on a CPU. `passing.txt`
lists what passes with this package; it only grows. `impossible.txt` lists the few test functions
that cannot pass for a reason in the test itself, with the reason: they need what today's NumPy has
no more, or the original's native code. They count for nothing.

    python tests/conformance/run.py                      whole suite, summary by area
    python tests/conformance/run.py ops train            only these areas
    python tests/conformance/run.py ops/sequence_test    only this module
    python tests/conformance/run.py ops -- -x -k clip    what follows `--` goes to pytest
    python tests/conformance/run.py --check              every listed test must still pass
    python tests/conformance/run.py --update             list what passes, twice in a row, and is
    not listed yet

Exit status: 0 if all is well (with --check and --update: nothing that is listed fails; else:
everything passes that the original passes), 1 otherwise.
"""

from __future__ import annotations

import argparse
import collections
import hashlib
import json
import multiprocessing
import multiprocessing.connection
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
PASSING = HERE / "passing.txt"
IMPOSSIBLE = HERE / "impossible.txt"
USER_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
CACHE = Path(os.environ.get("CNTK_CONFORMANCE_CACHE") or USER_CACHE / "cntk-conformance")
WHEEL_SHA256 = "9873ecfb48f3c52dac03fa38c57ae0f8d4c5755c9d409d37ae234edcf756e978"
DOWNLOAD = (
    "pip download --quiet --no-deps cntk==2.7 --only-binary=:all: --python-version 36 "
    "--implementation cp --abi cp36m --platform manylinux1_x86_64"
)
MODULE_SECONDS = 900
PYTEST_TESTS_FAILED = 1


@dataclass(frozen=True)
class Module:
    """One test module of the suite: its file, its dotted name and the short name people select it
    by.
    """

    path: Path
    dotted: str
    short: str

    def owns(self, test: str) -> bool:
        return test.startswith((self.dotted + "::", self.dotted + "."))


@dataclass(frozen=True)
class Ran:
    """What a module did: the status of each of its tests, and what pytest printed if not all was
    well.
    """

    outcomes: dict[str, str]
    complaint: str


def unpack_suite() -> Path:
    """Fetch the wheel once and unpack its test modules; return the suite's folder."""
    suite = CACHE / "suite"
    if (suite / "cntk").is_dir():
        return suite
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
        fetched = subprocess.run(
            [sys.executable, "-m", *DOWNLOAD.split(), "-d", tmp],
            text=True,
            capture_output=True,
            check=False,
        )
        if fetched.returncode:
            sys.exit(f"the suite could not be fetched:\n{fetched.stderr.strip()}")
        (wheel,) = Path(tmp).glob("*.whl")
        if hashlib.sha256(wheel.read_bytes()).hexdigest() != WHEEL_SHA256:
            sys.exit(f"{wheel.name} is not the file that CNTK 2.7 was published as")
        with zipfile.ZipFile(wheel) as archive:
            for name in archive.namelist():
                parts = PurePosixPath(name).parts
                if parts[0] == "cntk" and {"tests", "test"} & set(parts[1:-1]):
                    archive.extract(name, Path(tmp) / "suite")
        (Path(tmp) / "suite").rename(suite)
    return suite


def find_modules(suite: Path, baseline: Iterable[str]) -> list[Module]:
    """Return the modules that have tests in the baseline, those with most tests first."""
    tests: dict[str, int] = collections.Counter()
    found = []
    for path in sorted((suite / "cntk").rglob("*.py")):
        if path.parent.name in ("tests", "test") and path.name != "__init__.py":
            parts = path.relative_to(suite).with_suffix("").parts
            area = [part for part in parts[1:-1] if part not in ("tests", "test")] or ["tests"]
            found.append(Module(path, ".".join(parts), "/".join([*area, parts[-1]])))
    for module in found:
        tests[module.dotted] = sum(map(module.owns, baseline))
    return sorted((m for m in found if tests[m.dotted]), key=lambda m: -tests[m.dotted])


def numbered(cases: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield (test, status); some ids carry random numbers, which a running number replaces."""
    seen: dict[str, int] = collections.Counter()
    for test, status in cases:
        plain = re.sub(r"\d+\.\d{8,}(e-?\d+)?", "random", test)
        if plain != test:
            seen[plain] += 1
            plain = f"{plain}#{seen[plain]}"
        yield plain, status


def read_report(report: Path) -> Iterator[tuple[str, str]]:
    """Yield (test, status) from pytest's JUnit report."""
    for case in ET.parse(report).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        status = (
            "failed"
            if kinds & {"failure", "error"}
            else "skipped"
            if "skipped" in kinds
            else "passed"
        )
        yield f"{case.get('classname')}::{case.get('name')}", status


def preload(suite: Path) -> None:
    """Import once what every module needs; the processes that run them are forked from this one."""
    search = [str(HERE), str(HERE.parent.parent / "src")]
    sys.path[:0] = search
    os.environ["PYTHONPATH"] = os.pathsep.join(
        filter(None, [*search, os.environ.get("PYTHONPATH")])
    )
    os.environ["CNTK_CONFORMANCE_SUITE"] = str(suite)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import pytest  # noqa: F401
    import scipy.sparse  # noqa: F401

    import cntk  # noqa: F401


def run_pytest(
    module: Module, suite: Path, folder: str, timeout: int, arguments: list[str]
) -> None:
    """Run one module in this process, which is its own, from a folder of its own."""
    import pytest

    log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.chdir(folder)
    sys.argv = ["pytest"]
    options = [
        "-q",
        "-p",
        "conformance_plugin",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
    ]
    options += ["-p", "no:xdist", "-c", os.devnull, f"--rootdir={suite}"]
    # No pattern for files: one that fits the suite's names fits every module, and pytest rewrites
    # what it fits.
    options += ["-o", "python_classes=*Test", "--tb=short", f"--timeout={timeout}"]
    options += ["--deviceid=cpu", f"--junitxml={folder}/report.xml"]
    sys.exit(pytest.main([*options, str(module.path), *arguments]))


Runner = Callable[[Module, Path, str, int, list[str]], None]


class Running:
    """A module that runs in a process of its own; `run` is what runs there."""

    def __init__(self, module: Module, suite: Path, args: argparse.Namespace, run: Runner) -> None:
        self.module = module
        self.started = time.monotonic()
        self.folder = tempfile.TemporaryDirectory()
        self.process = multiprocessing.get_context("fork").Process(
            target=run, args=(module, suite, self.folder.name, args.timeout, args.arguments)
        )
        self.process.start()

    def seconds(self) -> float:
        return time.monotonic() - self.started

    def ended(self) -> bool:
        if self.seconds() > MODULE_SECONDS:
            self.process.kill()
            self.process.join()
        return not self.process.is_alive()

    def collect(self) -> Ran:
        """Read what the process left behind; its folder goes."""
        report, log = (Path(self.folder.name) / name for name in ("report.xml", "log"))
        outcomes = dict(numbered(read_report(report))) if report.exists() else {}
        complaint = (
            log.read_text(encoding="utf-8", errors="replace")[-6000:]
            if self.process.exitcode
            else ""
        )
        if self.process.exitcode not in (0, PYTEST_TESTS_FAILED):
            complaint += f"\nthe process ended with {self.process.exitcode}"
        self.folder.cleanup()
        return Ran(outcomes, complaint)


def run_modules(
    modules: list[Module], suite: Path, args: argparse.Namespace, run: Runner = run_pytest
) -> dict[Module, Ran]:
    """Run modules side by side, `--jobs` at a time, the ones with most tests first."""
    done: dict[Module, Ran] = {}
    waiting, running = list(modules), list[Running]()
    while waiting or running:
        while waiting and len(running) < args.jobs:
            running.append(Running(waiting.pop(0), suite, args, run))
        multiprocessing.connection.wait([one.process.sentinel for one in running], timeout=5)
        for one in [one for one in running if one.ended()]:
            running.remove(one)
            ran = done[one.module] = one.collect()
            if not args.quiet:
                tell(one, ran, with_complaint=not args.check and not args.update)
    return done


def tell(one: Running, ran: Ran, with_complaint: bool) -> None:
    """Print a line about a module that has ended, after what pytest complained about."""
    counts = collections.Counter(ran.outcomes.values())
    told = ", ".join(
        f"{counts[kind]} {kind}" for kind in ("passed", "failed", "skipped") if counts[kind]
    )
    if ran.complaint and with_complaint:
        print(ran.complaint)
    print(f"{one.module.short:44s} {told or 'no outcome'} ({one.seconds():.0f} s)", flush=True)


def read_impossible(file: Path | None = None) -> dict[str, str]:
    """By test function why it cannot pass; each line has both, with two blanks between."""
    lines = (file or IMPOSSIBLE).read_text(encoding="utf-8").splitlines()
    return dict(line.split("  ", 1) for line in lines)  # type: ignore[misc]


def read_passing(file: Path | None = None) -> set[str]:
    file = file or PASSING
    return set(file.read_text(encoding="utf-8").splitlines()) if file.exists() else set()


def check(listed: set[str], done: dict[Module, Ran]) -> int:
    """Say which listed tests of the modules that ran did not pass; return their number."""
    lost = 0
    for module, ran in done.items():
        missing = sorted(
            test for test in listed if module.owns(test) and ran.outcomes.get(test) != "passed"
        )
        if missing:
            lost += len(missing)
            print(f"\n{ran.complaint}\nlisted as passing, but not any more, in {module.short}:")
            print(
                "".join(
                    f"    {test} ({ran.outcomes.get(test, 'did not run')})\n" for test in missing
                ),
                flush=True,
            )
    return lost


def update(
    listed: set[str],
    done: dict[Module, Ran],
    suite: Path,
    args: argparse.Namespace,
    run: Runner = run_pytest,
    file: Path | None = None,
) -> None:
    """Add to the list what passes twice: once may be luck, and the list is never shortened."""
    again = [module for module, ran in done.items() if _passed(ran) - listed]
    second = run_modules(again, suite, args, run)
    file = file or PASSING
    new = (
        set[str]().union(*(_passed(done[module]) & _passed(ran) for module, ran in second.items()))
        - listed
    )
    if new:
        fresh = file.with_suffix(".new")
        fresh.write_text("".join(f"{test}\n" for test in sorted(listed | new)), encoding="utf-8")
        fresh.replace(file)
    print(f"{len(new)} added to {file.name}, which now lists {len(listed | new)}")


def _passed(ran: Ran) -> set[str]:
    return {test for test, status in ran.outcomes.items() if status == "passed"}


def summarize(baseline: dict[str, str], done: dict[Module, Ran]) -> bool:
    """Print by area how many of the tests that the original passes are passed; return whether all
    are.
    """
    table: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0])
    impossible = read_impossible()
    for module, ran in done.items():
        for test in filter(module.owns, baseline):
            if baseline[test] == "passed" and test.partition("[")[0] not in impossible:
                row = table[re.split(r"\.tests?\.", test)[0]]
                row[0] += ran.outcomes.get(test) == "passed"
                row[1] += 1
    good, total = (sum(row[k] for row in table.values()) for k in (0, 1))
    for area, (ok, count) in sorted(table.items()):
        print(f"{area:44s} {ok:5d} of {count}")
    print(f"{'of what the original passes':44s} {good:5d} of {total}")
    return good == total


def parser_of(description: str | None, seconds: int) -> argparse.ArgumentParser:
    """Return the parser of what every runner of a suite takes; `seconds` is the default limit of
    one test.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "select", nargs="*", help="areas (ops, layers ...) or modules (ops/sequence_test)"
    )
    parser.add_argument(
        "--check", action="store_true", help="only modules with listed tests, which must pass"
    )
    parser.add_argument("--update", action="store_true", help="add what passes to the list")
    parser.add_argument(
        "--jobs", type=int, default=2, help="modules that run at the same time (default: 2)"
    )
    parser.add_argument(
        "--timeout", type=int, default=seconds, help=f"seconds for one test (default: {seconds})"
    )
    parser.add_argument("--out", type=Path, help="file for the outcome of every test, as JSON")
    parser.add_argument("--quiet", action="store_true", help="print the summary alone")
    return parser


def parse(parser: argparse.ArgumentParser, arguments: list[str]) -> argparse.Namespace:
    """Parse arguments; what follows ``--`` is kept for pytest."""
    cut = arguments.index("--") if "--" in arguments else len(arguments)
    args = parser.parse_args(arguments[:cut])
    args.arguments = arguments[cut + 1 :]
    if args.arguments and (args.check or args.update):
        parser.error("--check and --update run whole modules; nothing can be passed on to pytest")
    return args


def choose(modules: list[Module], select: list[str], listed: list[str] | None) -> list[Module]:
    """Return the modules that are selected by area or name, all unless any is; with a list, only
    those with tests in it.
    """
    if select:
        modules = [
            m for m in modules if any(m.short == s or m.short.startswith(s + "/") for s in select)
        ]
        if not modules:
            sys.exit(f"no module of the suite is called {' or '.join(select)}")
    return (
        modules
        if listed is None
        else [module for module in modules if any(map(module.owns, listed))]
    )


def write_outcomes(path: Path | None, done: dict[Module, Ran]) -> None:
    """Write the outcome of every test to a file, if there is to be one."""
    if path:
        outcomes = sorted(pair for ran in done.values() for pair in ran.outcomes.items())
        path.write_text(json.dumps(outcomes, indent=0), encoding="utf-8")


def summarize_list(
    suite: str, listed: Iterable[str], modules: list[Module], lost: int, started: float
) -> int:
    """Print how many of the listed tests of modules pass; return the exit status."""
    expected = sum(any(module.owns(test) for module in modules) for test in listed)
    print(
        f"{suite}: {expected - lost} of {expected} listed tests pass "
        f"({time.monotonic() - started:.0f} s)"
    )
    return 1 if lost else 0


def main() -> int:
    args = parse(parser_of(__doc__, 120), sys.argv[1:])
    suite = unpack_suite()
    baseline: dict[str, str] = dict(
        json.loads((HERE / "baseline.json").read_text(encoding="utf-8"))
    )
    listed = read_passing()
    modules = choose(find_modules(suite, baseline), args.select, listed if args.check else None)
    started = time.monotonic()
    preload(suite)
    done = run_modules(modules, suite, args)
    write_outcomes(args.out, done)
    if not args.check and not args.update:
        return 0 if summarize(baseline, done) else 1
    lost = check(listed, done)
    if args.update:
        update(listed, done, suite, args)
    return summarize_list("conformance", listed, modules, lost, started)


if __name__ == "__main__":
    sys.exit(main())
