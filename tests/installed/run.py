"""The wheel, built and installed as a user has it: `make wheel`.

The environment is new, outside the repository, and holds the wheel and what it declares to need,
directly or through others: nothing of development. Those packages come from the environment that
runs this, by links, so that torch is not unpacked once more. There `program.py` trains, saves and
reads, every module is imported, and what needs an extra has to say in one line how to get it.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from email.message import Message
from email.parser import Parser
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(__file__).with_name("program.py")
# The original has these two modules, and programs import them.
OURS_WITH_TESTS = {"cntk/tests/__init__.py", "cntk/tests/test_utils.py"}
# Addresses and folders of a machine: of any, and of the one that builds this.
NO_ADDRESS = re.compile(
    rf"localhost|127\.0\.0\.1|\d+\.\d+\.\d+\.\d+:|file:|/(?:home|root)/|{re.escape(str(ROOT))}"
)


class WheelError(Exception):
    """The wheel is not what it should be; the message says why."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the wheel, and tries it out.")
    parser.add_argument("--out", type=Path, help="where to put it when all is well")
    out = parser.parse_args().out
    with tempfile.TemporaryDirectory(prefix="cntk-wheel-") as folder:
        try:
            wheel = built(Path(folder))
            needed = expect_contents(wheel)
            python = installed(wheel, needed, Path(folder) / "environment")
            elsewhere = Path(folder) / "elsewhere"
            elsewhere.mkdir()
            print(f"{wheel.name}: with {', '.join(sorted(needed))} and nothing else", flush=True)
            # -I: neither PYTHONPATH nor the folder it runs in adds anything.
            call([str(python), "-I", str(shutil.copy(PROGRAM, elsewhere))], cwd=elsewhere)
            if out is not None:
                out.mkdir(parents=True, exist_ok=True)
                shutil.copy(wheel, out)
        except WheelError as error:
            print(f"the wheel: {error}", file=sys.stderr)
            return 1
    return 0


def built(folder: Path) -> Path:
    """The wheel of this checkout, made of a copy: what earlier builds left would go into it."""
    copy = folder / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    left = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", copy / "src", ignore=left)
    pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(copy))
    (wheel,) = folder.glob("*.whl")
    return wheel


def expect_contents(wheel: Path) -> set[str]:
    """Check files and metadata; the names of all distributions that the wheel needs."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (about,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        described = Parser().parsestr(archive.read(about).decode())
        of_tests = {n for n in names if re.search(r"(^|/)(tests?/|test_|conftest)", n)}
    folder = about.partition("/")[0]
    strangers = {name for name in names if name.partition("/")[0] not in ("cntk", folder)}
    expect(strangers == {"_cntk_py.py"}, f"holds {sorted(strangers - {'_cntk_py.py'})}")
    expect(of_tests <= OURS_WITH_TESTS, f"holds tests: {sorted(of_tests - OURS_WITH_TESTS)}")
    for wanted in ("cntk/py.typed", f"{folder}/licenses/LICENSE"):
        expect(wanted in names, f"lacks {wanted}")
    expect_metadata(described)
    return closure(described)


def expect_metadata(described: Message) -> None:
    expect(described["License-Expression"] == "MIT", "names no license")
    expect(described["Description-Content-Type"] == "text/markdown", "has no README")
    expect(
        described.get_payload() == (ROOT / "README.md").read_text(encoding="utf-8"),
        "has another description than README.md",
    )
    versions = {
        c.removeprefix("Programming Language :: Python :: ")
        for c in described.get_all("Classifier", [])
        if "Python :: 3." in c
    }
    (promised,) = re.findall(r"^PYTHONS := (.*)$", (ROOT / "Makefile").read_text(), re.M)
    expect(versions == set(promised.split()), f"is for Python {sorted(versions)}, not {promised}")
    for name, value in described.items():
        expect(not NO_ADDRESS.search(value), f"names a machine in its metadata: {name}: {value}")


def closure(described: Message) -> set[str]:
    """Distributions that are needed without any extra, in the environment that runs this."""
    found: set[str] = set()
    left = list(described.get_all("Requires-Dist", []))
    while left:
        requirement = Requirement(left.pop())
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        marker = requirement.marker
        if name in found or (marker is not None and not marker.evaluate({"extra": ""})):
            continue
        found.add(name)
        left += metadata.distribution(name).requires or []
    return found


def installed(wheel: Path, needed: set[str], environment: Path) -> Path:
    """A new environment's Python, with the wheel and those distributions."""
    call([sys.executable, "-m", "venv", "--without-pip", str(environment)])
    scripts = environment / ("Scripts" if sys.platform == "win32" else "bin")
    python = scripts / Path(sys.executable).name
    asked = [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    packages = Path(subprocess.check_output(asked, text=True).strip())
    for name in needed:
        distribution = metadata.distribution(name)
        files = distribution.files or []
        for top in {file.parts[0] for file in files if ".." not in file.parts}:
            link(Path(str(distribution.locate_file(top))), packages / top)
    pip("--python", str(python), "install", "--no-deps", str(wheel))
    return python


def link(source: Path, target: Path) -> None:
    """Have a file or folder in a second place; where links need rights that we lack, a copy."""
    if not source.exists() or target.exists() or source.name == "__pycache__":
        return
    try:
        target.symlink_to(source, target_is_directory=source.is_dir())
    except OSError:
        (shutil.copytree if source.is_dir() else shutil.copy)(source, target)


def expect(is_so: bool, complaint: str) -> None:
    if not is_so:
        raise WheelError(complaint)


def pip(*words: str) -> None:
    call([sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", *words])


def call(words: list[str], cwd: Path | None = None) -> None:
    if subprocess.run(words, cwd=cwd, check=False).returncode != 0:
        raise WheelError(f"failed: {' '.join(words)}")


if __name__ == "__main__":
    sys.exit(main())
