"""One row for each public learner and each argument that changes its rule; `test_every_learner.py`
asks of each row what all learners promise.

The learners that CNTK has are compared with its numbers in `learner_cases.py` besides.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import cntk as C
from cntk import learners as L


@dataclass(frozen=True)
class LearnerCase:
    """A learner with its arguments.

    Attributes:
        learner: its name in `cntk.learners`.
        options: arguments after the parameters and the rate.
        name: the row's name, unique; made of the two unless given.
        make: called with the parameters, the rate and the options; the public function unless
            given.
        sparse: "dense" where gradients of some rows do what dense ones with zeros do; "rows" where
            rows without a gradient rest, with all that is kept of them, and the others do what
            they would do in a parameter that has no other rows.
        rated: whether the rule asks for the learning rate; if not, `why` says so.
        counted: whether the learner counts samples, so that its schedules advance; if not, `why`.
        draws: whether the rule draws random numbers, so that it is not the same for each parameter
            alone.
        why: the reason for whatever the row is excused from.
    """

    learner: str
    options: dict[str, Any] = field(default_factory=dict)
    name: str = ""
    make: Callable[..., Any] | None = None
    sparse: str = "dense"
    rated: bool = True
    counted: bool = True
    draws: bool = False
    why: str = ""

    @property
    def title(self) -> str:
        """The row's name."""
        given = ", ".join(f"{name}={_short(value)}" for name, value in self.options.items())
        return self.name or " ".join(filter(None, (self.learner, given)))

    def __call__(self, parameters: Sequence[Any], rate: Any) -> Any:
        """The learner."""
        make = self.make or getattr(L, self.learner)
        return make(parameters, rate, **self.options)


def _short(value: Any) -> str:
    return str(getattr(value, "values", value))


class Plain(C.learners.UserLearner):
    """A gradient step written in Python."""

    def update(self, gradient_values: Any, training_sample_count: int, sweep_end: bool) -> bool:
        """See `UserLearner.update`."""
        for parameter, gradient in gradient_values.items():
            step = self.learning_rate() / training_sample_count
            parameter.value = parameter.value - step * gradient.asarray()
        return True


def universal(parameters: Sequence[Any], rate: Any) -> Any:
    """A gradient step of a fixed rate as a CNTK function."""

    def step(given: Any, gradients: Any) -> Any:
        pairs = zip(given, gradients, strict=True)
        return C.combine([C.assign(p, p - 0.01 * g) for p, g in pairs])

    return C.universal(step, parameters)


MOMENTUM = {"momentum": 0.9}
VARIANCE = {**MOMENTUM, "variance_momentum": L.momentum_schedule(0.95)}
RMSPROP = {"gamma": 0.9, "inc": 1.2, "dec": 0.5, "max": 10.0, "min": 1e-3}

OWN = (
    LearnerCase("sgd"),
    LearnerCase("momentum_sgd", MOMENTUM, sparse="rows", why="momentum of absent rows rests"),
    LearnerCase(
        "momentum_sgd",
        {**MOMENTUM, "unit_gain": False},
        sparse="rows",
        why="momentum of absent rows rests",
    ),
    LearnerCase("nesterov", MOMENTUM),
    LearnerCase("nesterov", {**MOMENTUM, "unit_gain": False}),
    LearnerCase(
        "adagrad", sparse="rows", why="absent rows are left out of the mean of the factors"
    ),
    LearnerCase("adagrad", {"need_ave_multiplier": False}),
    LearnerCase("adam", VARIANCE),
    LearnerCase("adam", {**VARIANCE, "unit_gain": False}),
    LearnerCase("adam", {**VARIANCE, "epsilon": 0.1}),
    LearnerCase("adam", {**VARIANCE, "adamax": True, "epsilon": 0.01}),
    LearnerCase("fsadagrad", VARIANCE),
    LearnerCase("fsadagrad", {**VARIANCE, "unit_gain": False}),
    LearnerCase("rmsprop", RMSPROP),
    LearnerCase("rmsprop", {**RMSPROP, "need_ave_multiplier": False}),
    LearnerCase("adadelta", {"rho": 0.9, "epsilon": 1e-3}),
    LearnerCase(
        "UserLearner",
        make=Plain,
        counted=False,
        why="update() is the program's own, and counts what it likes",
    ),
    LearnerCase(
        "universal",
        make=universal,
        rated=False,
        why="update_func is given no rate",
    ),
)

# Arguments that all learners take alike; each learner that has one gets a row with it.
SHARED: tuple[dict[str, Any], ...] = (
    {"l1_regularization_weight": 0.03},
    {"l2_regularization_weight": 0.3},
    {"gaussian_noise_injection_std_dev": 0.01},
    {"gradient_clipping_threshold_per_sample": 0.2},
    {
        "gradient_clipping_threshold_per_sample": 0.2,
        "gradient_clipping_with_truncation": False,
    },
    {"use_mean_gradient": True},
    {"minibatch_size": 5},
)


def arguments(learner: str) -> set[str]:
    """Names of the arguments of a public learner."""
    return set(inspect.signature(getattr(L, learner)).parameters)


def _with_shared(case: LearnerCase) -> list[LearnerCase]:
    """A learner's first row with each argument that all learners have."""
    rows = []
    for options in SHARED:
        if set(options) <= arguments(case.learner):
            draws = "gaussian_noise_injection_std_dev" in options
            # All rows have a gradient then: the parameter itself is a part of it.
            rests = case.sparse == "rows" and "l2_regularization_weight" not in options
            name = f"{case.learner}, {', '.join(f'{k}={v}' for k, v in options.items())}"
            rows.append(
                LearnerCase(
                    case.learner,
                    {**case.options, **options},
                    name,
                    case.make,
                    sparse="rows" if rests else "dense",
                    draws=draws,
                    why=case.why if rests else "",
                )
            )
    return rows


FIRST = {case.learner: case for case in reversed(OWN)}
CASES = (*OWN, *(row for case in reversed(FIRST.values()) for row in _with_shared(case)))
