"""A guide for contributors, to be followed: the files and lines that it adds, the commands it runs.

Blocks of a page say it themselves. A block ``python title="FILE"`` is a new file, ``diff
title="FILE"`` lines that a file gains (and loses), ``console`` commands after a ``$``.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r'^```(\w+)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Guide:
    """What a page tells to do.

    Attributes:
        files: new files and what is in them.
        changes: for each change the file, and lines before and after it.
        commands: to be run in the repository's root.
    """

    files: dict[str, str]
    changes: list[tuple[str, str, str]]
    commands: list[list[str]]

    @property
    def touched(self) -> set[str]:
        """The files that are new or change."""
        return {*self.files, *(path for path, _, _ in self.changes)}


def read_guide(page: Path) -> Guide:
    """Read the blocks of a page."""
    files: dict[str, str] = {}
    changes = []
    commands = []
    for kind, path, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "console":
            commands += [
                shlex.split(line[2:]) for line in text.splitlines() if line.startswith("$ ")
            ]
        elif kind == "diff":
            changes.append((path, _side(text, "+"), _side(text, "-")))
        elif path:
            files[path] = text
    return Guide(files, changes, commands)


def _side(diff: str, other: str) -> str:
    """One side of a change: all lines but those that the other side alone has."""
    return "".join(f"{line[1:]}\n" for line in diff.splitlines() if not line.startswith(other))


def follow(guide: Guide, root: Path) -> None:
    """Write the files and make the changes in a copy of the repository.

    Raises:
        ValueError: if a new file is there already, or a change has no place or several.
    """
    for path, text in guide.files.items():
        if (root / path).exists():
            raise ValueError(f"{path} is there already")
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    for path, before, after in guide.changes:
        text = (root / path).read_text(encoding="utf-8")
        if text.count(before) != 1:
            raise ValueError(
                f"{path} has these lines {text.count(before)} times, expected once:\n{before}"
            )
        (root / path).write_text(text.replace(before, after), encoding="utf-8")


def run(command: list[str], root: Path) -> subprocess.CompletedProcess[str]:
    """Run a command of a guide in a copy of the repository."""
    program, *arguments = command
    tools: dict[str, list[str]] = {".venv/bin/python": [], ".venv/bin/ruff": ["-m", "ruff"]}
    return subprocess.run(
        [sys.executable, *tools[program], *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
