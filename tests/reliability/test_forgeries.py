"""A thousand forged files of all kinds: each is read or refused by one clear error, in little time
and memory.
"""

from __future__ import annotations

import pytest

from tests.reliability import forgeries


@pytest.mark.slow
@pytest.mark.parametrize("name", forgeries.available())
def test_forged_files_are_read_or_refused(name: str) -> None:
    counts, failures = forgeries.run(name, round(1000 * forgeries.SHARES[name]))
    assert not failures, "\n".join(f"{name} {number}: {text}" for number, text in failures.items())
    assert counts["read"] > 20 and counts["refused"] > 20


@pytest.mark.parametrize("name", forgeries.available())
def test_a_few_forged_files(name: str) -> None:
    kind = forgeries.kind_of(name)
    outcomes = [forgeries.run_case(kind, name, number) for number in range(20)]
    assert not [outcome.text for outcome in outcomes if outcome.word == "failed"]


@pytest.mark.parametrize(
    "text",
    [
        "list index out of range",
        "f() got an unexpected keyword argument 'x'",
        "'NoneType' object is not iterable",
    ],
)
def test_texts_that_tell_of_python_alone_fail(text: str) -> None:
    class Kind:
        refusals = (ValueError,)

        def read(self, what: object) -> None:
            raise ValueError(text)

    assert forgeries.read(Kind(), None).word == "failed"  # type: ignore[arg-type]
