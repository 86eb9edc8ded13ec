"""Wrong calls of learners and schedules."""

from __future__ import annotations

import numpy as np

import cntk as C
from tests.wrong_calls.checker import Wrong, wrong
from tests.wrong_calls.nodes import something
from tests.wrong_calls.trained import weight

ARRAY = np.ones((2, 3))
NAN, INFINITE = float("nan"), float("inf")
RATE = 0.1
LEARNERS = {
    "sgd": lambda p, lr=RATE, **k: C.sgd(p, lr, **k),
    "momentum_sgd": lambda p, lr=RATE, momentum=0.9, **k: C.momentum_sgd(p, lr, momentum, **k),
    "nesterov": lambda p, lr=RATE, momentum=0.9, **k: C.nesterov(p, lr, momentum, **k),
    "adadelta": lambda p, lr=RATE, **k: C.adadelta(p, lr, **k),
    "adagrad": lambda p, lr=RATE, **k: C.adagrad(p, lr, **k),
    "fsadagrad": lambda p, lr=RATE, momentum=0.9, **k: C.fsadagrad(p, lr, momentum, **k),
    "adam": lambda p, lr=RATE, momentum=0.9, **k: C.adam(p, lr, momentum, **k),
    "rmsprop": lambda p, lr=RATE, **k: C.rmsprop(
        p, lr, **({"gamma": 0.9, "inc": 1.2, "dec": 0.7, "max": 10, "min": 0.1} | k)
    ),
}
WITH_MOMENTUM = ("momentum_sgd", "nesterov", "fsadagrad", "adam")
SCHEDULES = (
    "learning_parameter_schedule",
    "learning_parameter_schedule_per_sample",
    "momentum_schedule",
    "momentum_schedule_per_sample",
    "momentum_as_time_constant_schedule",
)


def with_one(learner, **argument):  # noqa: ANN001, ANN003, ANN201
    """A call of a learner with one wrong argument."""
    return lambda v: learner([weight()], **argument)


ROWS: list[Wrong] = [
    # Parameters.
    *(wrong(n, lambda v, m=m: m([]), "empty", "model.parameters", error=ValueError) for n, m in LEARNERS.items()),
    *(wrong(n, lambda v, m=m, p=p: m(p), "model.parameters", error=TypeError)
      for n, m in LEARNERS.items() for p in (None, 5, "x", {})),
    *(wrong(n, lambda v, m=m: m([v.x]), "expected parameters", error=NotImplementedError) for n, m in LEARNERS.items()),
    *(wrong(n, lambda v, m=m: m([None]), "expected parameters", error=TypeError) for n, m in LEARNERS.items()),
    *(wrong(n, lambda v, m=m: m([v.w, v.w]), "'w'", "twice", error=ValueError) for n, m in LEARNERS.items()),
    wrong("sgd", lambda v: C.sgd(C.layers.Dense(2).parameters, RATE), "inferred", error=ValueError),
    # Rates and momenta.
    *(wrong(n, with_one(m, lr=lr), "lr", "number", error=ValueError)
      for n, m in LEARNERS.items() for lr in (None, "x", (0.1, 0.2), something(), ARRAY)),
    *(wrong(n, with_one(m, lr=lr), "lr", error=NotImplementedError) for n, m in LEARNERS.items()
      for lr in ([], [None], [[1], [1, 2]])),
    *(wrong(n, with_one(LEARNERS[n], momentum=b), "momentum", error=ValueError) for n in WITH_MOMENTUM for b in (None, "x", [])),
    *(wrong(n, with_one(LEARNERS[n], variance_momentum="x"), "variance_momentum", error=ValueError)
      for n in ("adam", "fsadagrad")),
    # Options that all have.
    *(wrong(n, with_one(m, **{a: b}), a, "number", error=ValueError) for n, m in LEARNERS.items() for b in (None, "x", NAN)
      for a in ("l1_regularization_weight", "l2_regularization_weight", "gradient_clipping_threshold_per_sample")),
    *(wrong(n, with_one(m, gradient_clipping_with_truncation=b), "True or False", error=TypeError)
      for n, m in LEARNERS.items() for b in (ARRAY, "x", 1)),
    *(wrong(n, with_one(m, use_mean_gradient=ARRAY), "use_mean_gradient", error=ValueError) for n, m in LEARNERS.items()),
    *(wrong(n, with_one(m, minibatch_size=b), "minibatch_size", error=ValueError)
      for n, m in LEARNERS.items() for b in (-1, 2.5, "x", 2**70)),
    *(wrong(n, with_one(m, gaussian_noise_injection_std_dev=b), "gaussian_noise_injection_std_dev", error=ValueError)
      for n, m in LEARNERS.items() for b in ("x", [], something())),
    wrong("sgd", with_one(LEARNERS["sgd"], lr=[0.1, 0.2], epoch_size=-1), "epoch_size", error=ValueError),
    wrong("sgd", with_one(LEARNERS["sgd"], momentum=0.9), "momentum", error=TypeError),
    *(wrong(n, with_one(LEARNERS[n], unit_gain="x"), "unit_gain", "True or False", error=TypeError) for n in WITH_MOMENTUM),
    *(wrong(n, with_one(LEARNERS[n], need_ave_multiplier=2), "need_ave_multiplier", error=TypeError)
      for n in ("adagrad", "rmsprop")),
    # Options of single ones.
    *(wrong("adadelta", with_one(LEARNERS["adadelta"], **{a: b}), a, "number", error=TypeError)
      for a in ("rho", "epsilon") for b in (None, "x", ARRAY)),
    *(wrong("adam", with_one(LEARNERS["adam"], epsilon=b), "epsilon", error=ValueError)
      for b in (None, "x", -1, C.input_variable(1))),
    wrong("adam", with_one(LEARNERS["adam"], adamax="x"), "adamax", error=TypeError),
    *(wrong("rmsprop", with_one(LEARNERS["rmsprop"], **{a: b}), a, error=NotImplementedError)
      for a in ("gamma", "inc", "dec", "max", "min") for b in (None, "x", -1, ARRAY, NAN)),
    wrong("universal", lambda v: C.universal(3, [v.w]), "update_func", "got 3", error=TypeError),
    wrong("universal", lambda v: C.universal(lambda p: p, [v.w]), "two arguments", error=ValueError),
    wrong("universal", lambda v: C.universal(lambda p, g: 3, [v.w]), "update_func", error=TypeError),
    wrong("universal", lambda v: C.universal(lambda p, g: C.relu(v.x), [v.w]), "'w'", error=RuntimeError),
    wrong("UserLearner", lambda v: C.learners.UserLearner(None, RATE), "parameters", error=TypeError),
    wrong("UserLearner", lambda v: C.learners.UserLearner([v.w], "x"), "lr_schedule", error=NotImplementedError),
    wrong("UserLearner.update", lambda v: C.learners.UserLearner([v.w], RATE).update({}, 1, False), "define",
      error=NotImplementedError),
    # What learners are asked for.
    wrong("update", lambda v: C.sgd([v.w], RATE).update(None, 1), "dictionary", error=TypeError),
    wrong("update", lambda v: C.sgd([v.w], RATE).update({}, 1), "'w'", error=RuntimeError),
    wrong("update", lambda v: C.sgd([v.w], RATE).update({v.w: np.ones(9)}, 1), r"\[9\]", error=ValueError, named="sgd"),
    *(wrong("update", lambda v, n=n: C.sgd([v.w], RATE).update({v.w: np.ones((3, 2))}, n), "sample", error=e, named="sgd")
      for n, e in ((None, TypeError), ("x", TypeError), (2.5, TypeError), (0, ValueError), (2**70, OverflowError))),
    *(wrong("update", lambda v, f=f: C.sgd([v.w], RATE).update({v.w: np.ones((3, 2))}, 1, f), "is_sweep_end", error=TypeError)
      for f in (None, "x", ARRAY)),
    *(wrong("reset_learning_rate", lambda v, s=s: C.sgd([v.w], RATE).reset_learning_rate(s), "schedule", error=ValueError)
      for s in (None, "x", 0.1)),
    wrong("add_progress_writers", lambda v: C.sgd([v.w], RATE).add_progress_writers(None), "list", error=TypeError),
    wrong("set_default_unit_gain_value", lambda v: C.set_default_unit_gain_value("x"), "True or False", error=TypeError),
    # Schedules.
    *(wrong(n, lambda v, n=n, s=s: getattr(C, n)(s), error=ValueError)
      for n in SCHEDULES for s in (None, "x", {}, (0.1, 0.2), ARRAY, [], [None], [(0, 0.1), (1, 0.2)], [(1, 2, 3)], ["x"])),
    *(wrong(n, lambda v, n=n, e=e: getattr(C, n)([0.1, 0.2], epoch_size=e), "epoch_size", error=ValueError)
      for n in SCHEDULES for e in (-1, 2.5, "x", 2**70)),
    *(wrong(n, lambda v, n=n, m=m: getattr(C, n)(0.1, minibatch_size=m), "minibatch_size", error=NotImplementedError)
      for n in ("learning_parameter_schedule", "momentum_schedule") for m in (-1, 2.5, "x")),
    *(wrong(n, lambda v, n=n, u=u: getattr(C, n)(0.1, u), "UnitType.sample", error=ValueError)
      for n in ("learning_rate_schedule", "training_parameter_schedule") for u in (None, "batch", 3, ARRAY)),
    *(wrong("minibatch_size_schedule", lambda v, s=s: C.minibatch_size_schedule(s), error=NotImplementedError)
      for s in (-1, 2**70, [], [2.5], [None])),
    *(wrong("minibatch_size_schedule", lambda v, s=s: C.minibatch_size_schedule(s), error=ValueError)
      for s in (None, "x", 2.5, NAN)),
    *(wrong("minibatch_size_schedule", lambda v, e=e: C.minibatch_size_schedule(32, e), "epoch_size", error=ValueError)
      for e in (2, ARRAY, "x")),
    *(wrong("schedule[]", lambda v, k=k: C.learning_parameter_schedule([1, 2], epoch_size=4)[k], "count",
      error=TypeError, named="schedule")
      for k in (None, "x", NAN)),
]  # fmt: skip
