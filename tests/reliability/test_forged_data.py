"""Some hundred forged files of data; `forgeries.py` makes any number."""

from __future__ import annotations

import pytest

from tests.reliability import forgeries

pytest.importorskip("PIL.Image")


def test_forged_files_are_read_or_refused(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(forgeries.ROOT / "src"))
    counts, failures = forgeries.run("data", 300)
    assert not failures, "\n".join(f"{number}: {text}" for number, text in failures.items())
    assert counts["read"] > 60 and counts["refused"] > 60
