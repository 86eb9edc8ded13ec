"""The words of `src/cntk`: those of the field, not a language of its own."""

from __future__ import annotations

import pytest

from tests.word_rules import PRESCRIBED, SOURCES, search, search_folder

FOLDERS = [".", *sorted(path.name for path in SOURCES.iterdir() if any(path.rglob("*.py")))]


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_has_no_word_to_avoid(folder: str) -> None:
    for kind, findings in search_folder(folder).items():
        listed = "\n".join(map(str, findings))
        assert not findings, (
            f"src/cntk/{folder} has {kind} to avoid: take the field's words instead.\n{listed}"
        )


@pytest.mark.parametrize(("file", "name"), PRESCRIBED)
def test_prescribed_names_are_still_there(file: str, name: str) -> None:
    assert name in (SOURCES / file).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("# A single\n# number.\n", "phrases", "1: 'single number'; say instead: scalar"),
        ("x = 'a whole ' \\\n    f'number'\n", "phrases", None),
        ("x = (\n    'a whole '\n    f'number'\n)\n", "phrases", "2: 'whole number'"),
        ("x = 'a text file and a text'\n", "phrases", "1: 'a text'; say instead: a string"),
        ("def f(_held: int) -> None: ...\n", "names", "1: '_held'"),
        ("class Run: ...\n", "names", "1: 'Run'; say instead: RunContext"),
        ("bound = 3\n", "names", None),
        ("self.found = 3\n", "names", "1: 'found'"),
        ("def f():\n    '''Whether it is.'''\n", "openings", "2: 'Whether ...'"),
        ("def f():\n    '''The size.'''\n", "openings", "2: 'The ...'"),
        ("@property\ndef f():\n    '''The size.'''\n", "openings", None),
        ("class A:\n    '''What one has.'''\n", "openings", "2: 'What ...'"),
        ("def f():\n    '''Return the size.'''\n", "openings", None),
    ],
)
def test_what_the_search_finds(source: str, kind: str, expected: str | None) -> None:
    findings = [str(finding) for finding in search("io/example.py", source)[kind]]
    if expected is None:
        assert findings == []
    else:
        (finding,) = findings
        assert finding.startswith(f"src/cntk/io/example.py:{expected}")
