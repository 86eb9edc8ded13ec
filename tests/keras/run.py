"""Runs Keras 2.3.1's own tests with this package as its backend (KERAS_BACKEND=cntk).

Keras's source distribution, with its tests, comes from the Python package index; what its tests
import and is not installed comes from there, too. Both go into a cache outside the repository
(CNTK_KERAS_CACHE, else the user's cache folder). The tests run under `python -m cntk run`, file by
file. `baseline.json` says what CNTK 2.7 does with each test on a CPU, `crash` where it ends the
process. `passing.txt` lists what passes with this package; it only grows. `impossible.txt` says of
each test that fails why it does.

    python tests/keras/run.py                       all tests, and how many that the original passes
    are passed python tests/keras/run.py layers engine         only these areas
    python tests/keras/run.py layers/core_test      only this file
    python tests/keras/run.py layers -- -x -k lstm  what follows `--` goes to pytest
    python tests/keras/run.py --sample              the files of SAMPLE: broad, and under a minute
    python tests/keras/run.py --check               every listed test must still pass
    python tests/keras/run.py --update              list what passes, twice in a row, and is not
    listed yet

Exit status: as that of the conformance suite, tests/conformance/run.py.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(ROOT)]

from tests.conformance.run import (  # noqa: E402
    USER_CACHE,
    Module,
    Ran,
    check,
    choose,
    parse,
    parser_of,
    read_impossible,
    read_passing,
    run_modules,
    summarize_list,
    update,
    write_outcomes,
)

PASSING = HERE / "passing.txt"
IMPOSSIBLE = HERE / "impossible.txt"
BASELINE = HERE / "baseline.json"
CACHE = Path(os.environ.get("CNTK_KERAS_CACHE") or USER_CACHE / "cntk-keras")
PACKAGES = CACHE / f"packages-{sys.version_info.major}.{sys.version_info.minor}"
KERAS = "keras==2.3.1"
INSIDE = "CNTK_KERAS_INSIDE"
"""Set in the process that `python -m cntk run` runs."""

# What Keras and its tests import, beside what development has installed anyway. No dependencies of
# these: NumPy and SciPy are there.
REQUIREMENTS = (
    f"{KERAS} keras-applications==1.0.8 keras-preprocessing==1.1.2 h5py>=3.11 six>=1.16 pyyaml>=6 "
    f"flaky>=3.8 pandas>=2.2 python-dateutil>=2.9 pytz requests>=2.31 urllib3 idna certifi "
    f"charset-normalizer"
)

# Files with many tests and little to compute, of each part of Keras that a backend takes part in.
SAMPLE = (
    "activations_test backend/backend_test constraints_test engine/test_topology initializers_test "
    "layers/advanced_activations_test layers/convolutional_recurrent_test "
    "layers/convolutional_test layers/core_test layers/embeddings_test layers/local_test "
    "layers/merge_test layers/pooling_test layers/wrappers_test legacy/interface_test losses_test "
    "metrics_correctness_test regularizers_test test_sequential_model utils/io_utils_test "
    "test_model_saving test_dynamic_trainability"
).split()


def pip(*arguments: str) -> None:
    """Run pip, and end with what it says if it fails."""
    command = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, text=True, capture_output=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{done.stderr.strip()}")


def fetch_source() -> Path:
    """Fetch Keras's source distribution once and unpack it; return its folder."""
    source = CACHE / "Keras-2.3.1"
    if not source.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
            pip(
                "download",
                "--no-deps",
                "--no-binary=keras",
                "--no-build-isolation",
                KERAS,
                "-d",
                tmp,
            )
            (archive,) = Path(tmp).glob("*.tar.gz")
            with tarfile.open(archive) as files:
                files.extractall(tmp, filter="data")
            (Path(tmp) / source.name).rename(source)
    return source


def fetch_packages() -> None:
    """Install what the tests need and is not installed into the cache, once."""
    if not PACKAGES.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as tmp:
            pip("install", "--no-deps", "--target", f"{tmp}/packages", *REQUIREMENTS.split())
            (Path(tmp) / "packages").rename(PACKAGES)


def environment(**more: str) -> dict[str, str]:
    """Return the environment that Keras runs in: this package as its backend, its settings in the
    cache.
    """
    search = [str(ROOT / "src"), str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    home = CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    given = {
        "KERAS_BACKEND": "cntk",
        "KERAS_HOME": str(home),
        "MPLBACKEND": "agg",
        "PYTHONWARNINGS": "ignore",
    }
    return {
        **os.environ,
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        **given,
        "PYTHONPATH": os.pathsep.join(filter(None, search)),
        **more,
    }


def find_modules(tests: Path, baseline: dict[str, str]) -> list[Module]:
    """Return the files that have tests in the baseline, those with most tests first."""
    found = []
    for path in sorted(tests.rglob("*test*.py")):
        parts = path.relative_to(tests).with_suffix("").parts
        short = "/".join(parts[1:] if parts[0] in ("keras", "integration_tests") else parts)
        found.append(Module(path, ".".join(parts), short))
    count = {module: sum(map(module.owns, baseline)) for module in found}
    return sorted((module for module in found if count[module]), key=lambda module: -count[module])


def run_pytest(
    module: Module, tests: Path, folder: str, timeout: int, arguments: list[str]
) -> None:
    """Run one file in this process, which is its own, from a folder of its own."""
    import pytest

    log = os.open(os.path.join(folder, "log"), os.O_WRONLY | os.O_CREAT)
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.chdir(folder)
    sys.argv = ["pytest"]
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:xdist",
        "-c",
        os.devnull,
    ]
    options += [
        f"--rootdir={tests}",
        "--tb=short",
        f"--timeout={timeout}",
        f"--junitxml={folder}/report.xml",
    ]
    # Torch says much to a logger that records everything, as pytest's does.
    options += ["--log-level=WARNING"]
    sys.exit(pytest.main([*options, str(module.path), *arguments]))


def run_inside(args: argparse.Namespace, source: Path) -> int:
    """Run the tests in processes that are forked from this one, which has imported Keras; print a
    summary.
    """
    tests = source / "tests"
    baseline = dict(json.loads(BASELINE.read_text(encoding="utf-8"))) if BASELINE.exists() else {}
    listed = read_passing(PASSING)
    select = [*args.select, *(SAMPLE if args.sample else ())]
    modules = choose(find_modules(tests, baseline), select, listed if args.check else None)
    started = time.monotonic()
    import keras  # noqa: F401
    import pytest  # noqa: F401

    done = run_modules(modules, tests, args, run_pytest)
    write_outcomes(args.out, done)
    if not args.check and not args.update:
        return 0 if summarize(baseline, done) else 1
    lost = check(listed, done)
    if args.update:
        update(listed, done, tests, args, run_pytest, PASSING)
    return summarize_list("keras", listed, modules, lost, started)


def summarize(baseline: dict[str, str], done: dict[Module, Ran]) -> bool:
    """Print how many tests that the original passes are passed, and what is passed beyond; return
    whether all are.
    """
    reasons = read_impossible(IMPOSSIBLE)
    outcomes = {test: status for ran in done.values() for test, status in ran.outcomes.items()}
    due = [
        t
        for m in done
        for t in filter(m.owns, baseline)
        if baseline[t] == "passed" and t not in reasons
    ]
    good = [test for test in due if outcomes.get(test) == "passed"]
    passed = [test for test, status in outcomes.items() if status == "passed"]
    failed = [test for test, status in outcomes.items() if status == "failed"]
    for test in sorted({*failed, *due} - {*good}):
        print(f"    {test} ({outcomes.get(test, 'did not run')}): {reasons.get(test, 'not known')}")
    print(
        f"of what the original passes: {len(good)} of {len(due)}; beyond: "
        f"{len(set(passed) - set(due))}"
    )
    print(
        ", ".join(
            f"{count} {status}" for status, count in sorted(Counter(outcomes.values()).items())
        )
    )
    return len(good) == len(due)


def main() -> int:
    parser = parser_of(__doc__, 600)
    parser.add_argument("--sample", action="store_true", help="the files of the sample")
    args = parse(parser, sys.argv[1:])
    source = fetch_source()
    if os.environ.get(INSIDE):
        return run_inside(args, source)
    fetch_packages()
    command = [
        sys.executable,
        "-m",
        "cntk",
        "run",
        "--quiet",
        str(Path(__file__).resolve()),
        *sys.argv[1:],
    ]
    return subprocess.run(command, env=environment(**{INSIDE: "1"}), check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
