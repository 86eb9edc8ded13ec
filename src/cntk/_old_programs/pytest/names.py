"""Table of pytest: removed arguments."""

from __future__ import annotations

from cntk._old_programs.rows import Changed, Row

PYTEST: list[Row] = [
    Changed("pytest", "warns", ".pytest.changes:warns_none", "None, for any warnings", "warnings.catch_warnings(record=True)",
            "pytest 8.0"),
]  # fmt: skip
