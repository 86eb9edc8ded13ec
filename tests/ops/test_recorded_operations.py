"""Every operation trains alike eagerly, recorded, and inside a loop whose steps are recorded,
however its operands lie.

Each row is one training, of operands and a loss chosen by its name; all of them run with
``CNTK_TEST_WHOLE=1`` in the environment.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest

import cntk as C
from cntk._compiler.recurrence import recorded_steps
from cntk._compiler.recurrence.recorded_steps import RecordedSteps
from cntk._execution import training_step as step_module
from tests.ops.op_case import OpCase, densely
from tests.ops.test_cases import CASES, check_close
from tests.ops.training_programs import (
    LOSSES,
    WAYS,
    Program,
    as_it_is,
    fits_in_loop,
    looped,
    straight,
)

WHOLE = os.environ.get("CNTK_TEST_WHOLE") == "1"
NEVER = 10**9
MINIBATCHES = 4


def some(case: OpCase, choices: Sequence[Any], count: int = 1) -> Sequence[Any]:
    """All choices, or some that depend on the row's name."""
    begin = sum(case.name.encode())
    return choices if WHOLE else [choices[(begin + 7 * k) % len(choices)] for k in range(count)]


def ids(cases: Sequence[OpCase]) -> list[Any]:
    return [pytest.param(case, id=case.name) for case in cases]


@pytest.fixture
def warnings(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """What has been logged of recordings that failed where none should."""

    def found() -> list[str]:
        return [
            r.getMessage()
            for r in caplog.records
            if r.name == "cntk" and r.levelno >= logging.WARNING and "recorded" in r.getMessage()
        ]

    return found


def trained(program: Program) -> list[Any]:
    """Losses and outputs of all minibatches, and the parameters at the end."""
    rate = C.learning_parameter_schedule(1e-3, minibatch_size=C.learners.IGNORE)
    trainer = C.Trainer(None, program.loss, [C.sgd(program.loss.parameters, rate)])
    found: list[Any] = []
    for _ in range(MINIBATCHES):
        _, outputs = trainer.train_minibatch(program.feed, outputs=[program.output.output])
        found += [trainer.previous_minibatch_loss_average, densely(outputs[program.output.output])]
    return [*found, *(p.value for p in program.loss.parameters)]


def check(
    make: Callable[[], Program], monkeypatch: pytest.MonkeyPatch, after: int, runs_before: int
) -> None:
    """Compare a training without recordings with one that is recorded after some minibatches or
    runs of a loop.
    """
    found = []
    for settings in ((NEVER, NEVER), (after, runs_before)):
        monkeypatch.setattr(step_module, "RECORD_AFTER", settings[0])
        monkeypatch.setattr(recorded_steps, "_RUNS_BEFORE", settings[1])
        C.cntk_py.set_fixed_random_seed(11)
        found.append(trained(make()))
    C.cntk_py.reset_random_seed()
    for one, other in zip(*found, strict=True):
        check_close(one, other, 1e-9)


STRAIGHT = [(way, loss, alone) for way in WAYS for loss in LOSSES for alone in (False, True)]


@pytest.mark.parametrize("case", ids(CASES))
def test_recorded_training_is_the_eager_one(
    case: OpCase, monkeypatch: pytest.MonkeyPatch, warnings: Any
) -> None:
    for way, loss, alone in some(case, STRAIGHT):
        alone = alone and case.has_rows and not case.whole
        check(lambda w=way, s=loss, a=alone: straight(case, w, s, a), monkeypatch, 2, NEVER)
    assert not warnings()


LOOPED = [(way, lengths) for way in WAYS for lengths in ((5, 2, 4), (6,))]
IN_LOOPS = [case for case in CASES if fits_in_loop(case)]
# One row for each operation, unless all are asked for.
EACH = list({case.op: case for case in IN_LOOPS}.values())


@pytest.mark.parametrize("case", ids(IN_LOOPS if WHOLE else EACH))
def test_training_of_a_loop_is_the_general_one(
    case: OpCase, monkeypatch: pytest.MonkeyPatch, warnings: Any
) -> None:
    for way, lengths in some(case, LOOPED):
        check(lambda w=way, n=lengths: looped(case, w, n), monkeypatch, NEVER, 0)
    assert not warnings()


@pytest.mark.parametrize("case", ids(IN_LOOPS if WHOLE else IN_LOOPS[::10]))
def test_recorded_training_of_a_loop_is_the_eager_one(
    case: OpCase, monkeypatch: pytest.MonkeyPatch, warnings: Any
) -> None:
    for way, lengths in some(case, LOOPED):
        check(lambda w=way, n=lengths: looped(case, w, n), monkeypatch, 2, NEVER)
    assert not warnings()


def test_most_operations_are_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is compared above is not the eager code with itself."""
    used: set[str] = set()
    run = RecordedSteps.run
    monkeypatch.setattr(recorded_steps, "_RUNS_BEFORE", 0)
    cases = IN_LOOPS[::15]
    for case in cases:
        with monkeypatch.context() as patch:
            patch.setattr(
                RecordedSteps,
                "run",
                lambda self, *given, n=case.name: used.add(n) or run(self, *given),
            )
            trained(looped(case, as_it_is, (4, 5)))
    assert len(used) > 0.7 * len(cases)
