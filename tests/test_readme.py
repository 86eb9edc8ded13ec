"""The examples of README.md and of the tours run and print what is written; the files that they point to exist."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


DOCUMENTS = [
    "README.md",
    "docs/data-files.md",
