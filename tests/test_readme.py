"""The examples of README.md and of the tours run; the files that they point to exist."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


DOCUMENTS = [
    "README.md",
    *sorted(
        page.relative_to(ROOT).as_posix()
        for page in (ROOT / "docs").glob("*.md")
        if ">>>" in page.read_text(encoding="utf-8")
    ),
]
# Pages with few examples; all others have 16 at least.
FEWEST = {"docs/devices.md": 6, "docs/foreign-files.md": 2, "docs/performance.md": 10}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_examples_print_what_is_written(
    document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    # Blank lines in place of the prose keep the line numbers of a failure those of the file.
    code = re.split(
        r"^```(?:python)?$", (ROOT / document).read_text(encoding="utf-8"), flags=re.MULTILINE
    )
    kept = [part if ">>>" in part else re.sub(r"[^\n]", "", part) for part in code]
    test = doctest.DocTestParser().get_doctest("".join(kept), {}, document, document, 0)
    assert len(test.examples) >= FEWEST.get(document, 16)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append)
    assert not report, "".join(report)


def test_links_lead_somewhere() -> None:
    for document in [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    ]:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / link).exists(), f"{document.name} points to {link}"


def test_changelog_says_each_thing_once() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    unreleased = re.split(r"^## ", changelog, flags=re.MULTILINE)[1]
    assert unreleased.startswith("[Unreleased]")
    subjects = re.findall(r"^### (.*)$", unreleased, flags=re.MULTILINE)
    lines = re.findall(r"^- .*(?:\n  .*)*$", unreleased, flags=re.MULTILINE)
    for entries in (subjects, lines):
        assert not {entry for entry in entries if entries.count(entry) > 1}
    assert not {"Added", "Changed", "Fixed", "Removed"} & set(subjects), (
        "lines stand under their subject"
    )


@pytest.mark.parametrize("target", re.findall(r"\bmake (\w+)", README))
def test_commands_exist(target: str) -> None:
    assert re.search(
        rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE
    )
