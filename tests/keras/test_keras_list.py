"""The list of Keras's tests that pass, and what is said of the others."""

from __future__ import annotations

import json

from tests.conformance.run import read_impossible
from tests.keras import run
from tests.keras.run import find_modules


def test_the_list_is_in_order_and_knows_only_keras_tests() -> None:
    listed = run.PASSING.read_text(encoding="utf-8").splitlines()
    assert listed == sorted(set(listed))
    baseline = dict(json.loads(run.BASELINE.read_text(encoding="utf-8")))
    assert [test for test in listed if test not in baseline] == []


def test_what_the_original_passes_is_listed_or_has_a_reason() -> None:
    baseline = dict(json.loads(run.BASELINE.read_text(encoding="utf-8")))
    listed = set(run.PASSING.read_text(encoding="utf-8").splitlines())
    reasons = read_impossible(run.IMPOSSIBLE)
    assert not listed & reasons.keys()
    assert [
        test
        for test, status in baseline.items()
        if status == "passed" and test not in listed | reasons.keys()
    ] == []
    assert [test for test in reasons if test not in baseline] == []


def test_the_sample_names_files_of_the_list(tmp_path) -> None:
    listed = run.PASSING.read_text(encoding="utf-8").splitlines()
    files = {test.partition("::")[0] for test in listed}
    for short in run.SAMPLE:
        for folder in ("", "keras"):
            (tmp_path / folder / short).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / folder / f"{short}.py").touch()
    modules = find_modules(tmp_path, dict.fromkeys(listed, "passed"))
    assert {module.short for module in modules} == set(run.SAMPLE)
    assert all(any(file.startswith(module.dotted) for file in files) for module in modules)
