"""What becomes of a random program: recorded beside eager, and its gradient beside finite
differences.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import cntk as C
from cntk._compiler.recurrence import recorded_steps
from cntk._execution import training_step as step_module
from tests.random_programs.program import Program, draw

NEVER, AT_ONCE = 10**9, 3
MINIBATCHES = 6
_EXPLODED = 1e4


@dataclass
class Course:
    """A training: what each minibatch gave, and the parameters in the end; or what it raised, and
    where.

    Attributes:
        numbers: losses, metrics, numbers of samples, and outputs of all minibatches, then the
            parameters.
        error: what was raised.
        reached: how many minibatches were done.
        recorded: whether steps were recorded.
        has_loop: whether the program has a recurrence.
        reasons: why not.
    """

    numbers: list[np.ndarray] = field(default_factory=list)
    error: Exception | None = None
    reached: int = 0
    recorded: bool = False
    has_loop: bool = False
    reasons: list[str] = field(default_factory=list)


@contextmanager
def recording(step: int, loop: int) -> Iterator[None]:
    """Record steps from so many minibatches on, and loops after so many runs."""
    before = step_module.RECORD_AFTER, recorded_steps._RUNS_BEFORE
    step_module.RECORD_AFTER, recorded_steps._RUNS_BEFORE = step, loop
    try:
        yield
    finally:
        step_module.RECORD_AFTER, recorded_steps._RUNS_BEFORE = before


def train(seed: int, dtype: type, step: int, loop: int) -> Course:
    """Train a program."""
    course = Course()
    with recording(step, loop), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = draw(seed, dtype, minibatches=MINIBATCHES)
            course.has_loop = any(
                text.startswith(("recurrence", "by_hand")) for text in program.said
            )
            trainer = C.Trainer(None, (program.loss, program.metric), program.learners())
            for feed in program.feeds:
                course.numbers += _minibatch(trainer, program, feed)
                course.reached += 1
                if not abs(trainer.previous_minibatch_loss_average) < _EXPLODED:
                    return course  # from here on, rounding is as large as anything
            course.numbers += [p.value for p in program.loss.parameters]
            kept = [r for _, r in trainer._step._recordings.values()]
            course.recorded = any(r is not None for r in kept)
            course.reasons = trainer._step.reasons
        except Exception as error:
            course.error = error
    return course


def _minibatch(trainer: Any, program: Program, feed: Any) -> list[np.ndarray]:
    found = []
    if program.outputs:
        _, values = trainer.train_minibatch(feed, outputs=program.outputs)
        found = [np.concatenate([np.ravel(x) for x in values[v]]) for v in program.outputs]
    else:
        trainer.train_minibatch(feed)
    numbers = [trainer.previous_minibatch_loss_average, trainer.previous_minibatch_sample_count]
    if program.metric is not None:
        numbers.append(trainer.previous_minibatch_evaluation_average)
    return [np.array(numbers, np.float64), *found]


@dataclass
class Outcome:
    """What a program came to.

    Attributes:
        kind: "equal"; "invalid", if both sides refuse it alike; "rounding", if it is equal in
            double precision alone; "kink", if a difference of a gradient goes away with the step;
            anything else is a fault.
        recorded: whether something was recorded.
        text: what differs.
        reasons: why something was not recorded.
    """

    kind: str
    recorded: bool = False
    text: str = ""
    reasons: list[str] = field(default_factory=list)

    @property
    def is_fault(self) -> bool:
        return self.kind not in ("equal", "invalid", "rounding", "kink")


def compare(seed: int) -> Outcome:
    """Train a program with recordings and without; where single precision differs, double precision
    decides.
    """
    outcome = _compared(seed, np.float32, 2e-4)
    if outcome.kind != "differs":
        return outcome
    decisive = _compared(seed, np.float64, 1e-7)
    return (
        Outcome("rounding", decisive.recorded, outcome.text)
        if decisive.kind == "equal"
        else decisive
    )


def _compared(seed: int, dtype: type, tolerance: float) -> Outcome:
    eager = train(seed, dtype, NEVER, NEVER)
    recorded = train(seed, dtype, AT_ONCE, 1)
    if eager.error or recorded.error:
        if type(eager.error) is type(recorded.error) and eager.reached == recorded.reached:
            return Outcome("invalid", text=f"{type(eager.error).__name__}: {eager.error}")
        return Outcome(
            "raises on one side", text=f"eager {eager.error!r}, recorded {recorded.error!r}"
        )
    courses = {"recorded": recorded}
    if recorded.has_loop and recorded.recorded:
        courses["loops"] = train(seed, dtype, NEVER, 1)  # a recorded step runs no recorded loops
    for name, course in courses.items():
        text = _difference(course.numbers, eager.numbers, tolerance)
        if text:
            return Outcome("differs", recorded.recorded, f"{name}: {text}")
        if course.error:
            return Outcome("raises on one side", text=f"{name} {course.error!r}")
    return Outcome("equal", recorded.recorded, reasons=recorded.reasons)


def _difference(found: list[np.ndarray], expected: list[np.ndarray], tolerance: float) -> str:
    if len(found) != len(expected):
        return f"{len(found)} results, eager {len(expected)}: one of them explodes"
    for k, (one, other) in enumerate(zip(found, expected, strict=True)):
        if one.shape != other.shape:
            return f"result {k} has shape {one.shape}, eager {other.shape}"
        if not np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True):
            return (
                f"result {k} of {len(expected)}: {np.ravel(one)[:4]}, eager {np.ravel(other)[:4]}"
            )
    return ""


def differentiate(seed: int) -> Outcome:
    """Compare a program's gradient in training with finite differences, along a random direction
    for each parameter.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            program = draw(seed, np.float64, smooth=True, minibatches=1)
            loss, feed = program.loss, program.feeds[0]
            parameters = list(loss.parameters)
            random = np.random.RandomState(seed % 2**32)
            for parameter in parameters:  # biases of 0 would put activations on their kinks
                parameter.value = parameter.value + 0.05 * random.normal(size=parameter.shape)
            gradients = _gradients(loss, feed, parameters)
        except Exception as error:
            return Outcome("invalid", text=f"{type(error).__name__}: {error}")
        worst = Outcome("equal")
        for parameter, gradient in zip(parameters, gradients, strict=True):
            outcome = _along(loss, feed, parameter, gradient, random)
            if outcome.is_fault:
                return outcome
            worst = outcome if outcome.kind != "equal" else worst
    return worst


def _gradients(loss: Any, feed: Any, parameters: list[Any]) -> list[np.ndarray]:
    state, _ = loss.forward(feed, [loss.output], {loss.output})
    value = _value(loss, feed, whole=True)
    ones = [np.ones_like(v) for v in value] if isinstance(value, list) else np.ones_like(value)
    found = loss.backward(state, {loss.output: ones}, set(parameters))
    return [found[p] for p in parameters]


def _value(loss: Any, feed: Any, whole: bool = False) -> Any:
    """The loss in training mode: all of it, or its sum."""
    _, results = loss.forward(feed, [loss.output], {loss.output})
    value = results[loss.output]
    if whole:
        return value
    return float(sum(np.sum(v) for v in value)) if isinstance(value, list) else float(np.sum(value))


def _along(
    loss: Any, feed: Any, parameter: Any, gradient: np.ndarray, random: np.random.RandomState
) -> Outcome:
    """One parameter's gradient along a random direction; at a kink, differences depend on the step
    or the direction.
    """
    before, failures = parameter.value.copy(), []
    for step in (1e-5, 1e-6, 1e-4, 1e-7):
        direction = random.normal(size=before.shape)
        values = []
        for sign in (1, -1):
            parameter.value = before + sign * step * direction
            values.append(_value(loss, feed))
        parameter.value = before
        numeric, own = (values[0] - values[1]) / (2 * step), float(np.sum(direction * gradient))
        bound = 1e-5 * max(1.0, abs(own), abs(values[0])) + 1e-15 * abs(values[0]) / step
        if abs(numeric - own) <= bound or not np.isfinite(numeric + own):
            return Outcome("kink" if failures else "equal")
        failures.append(f"{numeric:.6g} by a step of {step}, its gradient says {own:.6g}")
    return Outcome(
        "gradient differs", text=f"{parameter.name} {parameter.shape}: {'; '.join(failures)}"
    )
