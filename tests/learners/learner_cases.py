"""Learners whose every step is compared with the original's: how each is made, and what it is
given.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`.
"""

import numpy as np

SHAPES = ((3, 4), (5,))
# Samples, end of a sweep.
STEPS = (
    (4, False),
    (7, False),
    (1, True),
    (4, False),
    (16, True),
    (3, False),
)

NOISE_SEED = 11
RMSPROP = {"gamma": 0.9, "inc": 1.2, "dec": 0.5, "max": 10.0, "min": 1e-3}
OPTIONS = {
    "l1": {"l1_regularization_weight": 0.03},
    "l2": {"l2_regularization_weight": 0.3},
    "truncated": {"gradient_clipping_threshold_per_sample": 0.2},
    "scaled": {
        "gradient_clipping_threshold_per_sample": 0.2,
        "gradient_clipping_with_truncation": False,
    },
    "noise": {"gaussian_noise_injection_std_dev": 0.01},
    "all": {
        "l1_regularization_weight": 0.02,
        "l2_regularization_weight": 0.1,
        "gradient_clipping_threshold_per_sample": 0.3,
        "gaussian_noise_injection_std_dev": [0.02, 0.0, 0.01],
    },
}
REFERENCES = {
    "": {},
    "M5": {"minibatch_size": 5},
    "M1": {"minibatch_size": 1},
    "ignore": {"minibatch_size": 0},
    "mean": {"use_mean_gradient": True},
}


def initial_values():
    rng = np.random.RandomState(5)
    return [rng.uniform(-1, 1, shape) for shape in SHAPES]


def gradients():
    """Gradients of each step: of many sizes, of changing sign, some of them 0."""
    rng = np.random.RandomState(6)
    steps = []
    for samples, _ in STEPS:
        scale = 10 ** rng.uniform(-2, 1)
        step = [rng.normal(size=shape) * scale * samples for shape in SHAPES]
        step[0][0, 0] = 0
        step[1][1] = 1e-6 * samples
        step[1][rng.randint(2, 5)] = 0
        steps.append(step)
    return steps


def kinds(L):
    """Each kind of learner with its usual arguments, as functions of parameters, learning rate and
    options.
    """
    return {
        "sgd": L.sgd,
        "momentum_sgd": lambda p, lr, **o: L.momentum_sgd(p, lr, 0.9, **o),
        "nesterov": lambda p, lr, **o: L.nesterov(p, lr, 0.9, **o),
        "adagrad": lambda p, lr, **o: L.adagrad(p, lr, **o),
        "adagrad_bare": lambda p, lr, **o: L.adagrad(p, lr, need_ave_multiplier=False, **o),
        "adam": lambda p, lr, **o: L.adam(p, lr, 0.9, variance_momentum=0.95, **o),
        "adam_gain": lambda p, lr, **o: L.adam(p, lr, 0.9, unit_gain=False, **o),
        "adamax": lambda p, lr, **o: L.adam(
            p, lr, 0.9, variance_momentum=0.95, adamax=True, epsilon=0.01, **o
        ),
        "fsadagrad": lambda p, lr, **o: L.fsadagrad(p, lr, 0.9, variance_momentum=0.95, **o),
        "rmsprop": lambda p, lr, **o: L.rmsprop(p, lr, **dict(RMSPROP, **o)),
        "rmsprop_bare": lambda p, lr, **o: L.rmsprop(
            p, lr, need_ave_multiplier=False, **dict(RMSPROP, **o)
        ),
        "adadelta": lambda p, lr, **o: L.adadelta(p, lr, rho=0.9, epsilon=1e-3, **o),
    }


def cases(L):
    """All cases by name: functions of the parameters, for the learners of module ``L``."""
    made = {}
    for kind, make in kinds(L).items():
        for reference, arguments in REFERENCES.items():
            made[kind + "/" + reference] = lambda p, make=make, a=arguments: make(p, 0.1, **a)
        for option, arguments in OPTIONS.items():
            if kind in ("sgd", "momentum_sgd", "adam") or option == "all":
                made[kind + "/" + option] = lambda p, make=make, a=arguments: make(p, 0.1, **a)
        ignoring = dict(OPTIONS["all"], minibatch_size=0)
        made[kind + "/all,ignore"] = lambda p, make=make, a=ignoring: make(p, 0.1, **a)
        made[kind + "/rates by sweep"] = lambda p, make=make: make(p, [0.1, 0.3, 0.05])
        made[kind + "/rates by samples"] = lambda p, make=make: make(
            p,
            L.learning_parameter_schedule(
                [(1, 0.1), (2, 0.3), (1, 0.05)], minibatch_size=3, epoch_size=5
            ),
        )
        made[kind + "/zero"] = lambda p, make=make: make(p, [0.1, 0.0, 0.2])
    made.update(momenta(L))
    made.update(rates(L))
    made.update(bounds(L))
    return made


def single_cases(L):
    """The cases that are recorded in single precision too: there the original rounds its decays."""
    made = cases(L)
    return {
        name: made[name]
        for name in made
        # Where differences of large numbers are left.
        if (name.startswith("bounds") and "1e12" not in name)
        or name.endswith(
            ("/M5", "/default", "/all,ignore", "momentum sample True", "momentum constant False")
        )
    }


def momenta(L):
    """Momenta with their own reference sizes, time constants, and in the course of training."""
    schedules = {
        "M2": L.momentum_schedule(0.9, minibatch_size=2),
        "sample": L.momentum_schedule_per_sample(0.95),
        "constant": L.momentum_as_time_constant_schedule(10),
        "list": L.momentum_schedule([0.9, 0.5, 0.7], epoch_size=8),
        "sweeps": [0.9, 0.5, 0.7],
    }
    made = {}
    for name, momentum in schedules.items():
        for kind in ("momentum_sgd", "nesterov", "adam", "fsadagrad"):
            make = getattr(L, kind)
            for gain in (True, False):
                made[f"{kind}/momentum {name} {gain}"] = (
                    lambda p, make=make, m=momentum, gain=gain: make(
                        p, 0.1, m, unit_gain=gain, minibatch_size=4
                    )
                )
    return made


def rates(L):
    """Rates that state their unit, with and without the learner's reference size and the mean
    gradient.
    """
    unit = L.UnitType
    schedules = {
        "M5": L.learning_parameter_schedule(0.1, 5),
        "M0": L.learning_parameter_schedule(0.1, 0),
        "sample": L.learning_parameter_schedule_per_sample(0.02),
        "old sample": L.learning_rate_schedule(0.02, unit.sample),
        "old minibatch": L.learning_rate_schedule(0.1, unit.minibatch),
    }
    made = {}
    for name, rate in schedules.items():
        for reference, arguments in REFERENCES.items():
            for kind in ("sgd", "adam"):
                make = kinds(L)[kind]
                made[f"{kind}/rate {name} {reference}"] = lambda p, make=make, r=rate, a=arguments: (  # noqa: E501
                    make(p, r, **a)
                )
    made["adadelta/default"] = L.adadelta
    made["adam/default"] = lambda p: L.adam(p, 0.1, 0.9)
    made["fsadagrad/default"] = lambda p: L.fsadagrad(p, 0.1, 0.9)
    return made


def momenta_at_bounds(L):
    """Momenta at their bounds, in each unit, from the start and in the course of training."""
    return {
        "0": L.momentum_schedule(0),
        "1": L.momentum_schedule(1.0),
        "sample 0": L.momentum_schedule_per_sample(0),
        "sample 1": L.momentum_schedule_per_sample(1.0),
        "M3 0": L.momentum_schedule(0.0, minibatch_size=3),
        "constant 0": L.momentum_as_time_constant_schedule(0),
        "constant inf": L.momentum_as_time_constant_schedule(float("inf")),
        "constant 1e9": L.momentum_as_time_constant_schedule(1e9),
        "constant -5": L.momentum_as_time_constant_schedule(-5),
        "constants": L.momentum_as_time_constant_schedule([0, 10, float("inf")], epoch_size=5),
        "0, 0.9": L.momentum_schedule([0, 0.9], epoch_size=8),
        "0.9, 0": L.momentum_schedule([0.9, 0], epoch_size=8),
        "0.9, 1": L.momentum_schedule([0.9, 1], epoch_size=8),
        "-0.5": L.momentum_schedule(-0.5),
        "2": L.momentum_schedule(2.0),
    }


def rates_at_bounds(L):
    """Learning rates that are 0, at first or later, 1, tiny, huge, and no numbers."""
    return {
        "0": L.learning_parameter_schedule(0.0),
        "0, 0.1": L.learning_parameter_schedule([0.0, 0.1], epoch_size=8),
        "0.1, 0": L.learning_parameter_schedule([0.1, 0.0], epoch_size=8),
        "-0.1": L.learning_parameter_schedule(-0.1),
        "sample 1": L.learning_parameter_schedule_per_sample(1.0),
        "1e-12": L.learning_parameter_schedule(1e-12),
        "1e12": L.learning_parameter_schedule(1e12),
        "inf": L.learning_parameter_schedule(float("inf")),
        "nan": L.learning_parameter_schedule(float("nan")),
    }


OPTIONS_AT_BOUNDS = {
    "l1 1": {"l1_regularization_weight": 1.0},
    "l1 -1": {"l1_regularization_weight": -1.0},
    "l1 inf": {"l1_regularization_weight": float("inf")},
    "l2 1": {"l2_regularization_weight": 1.0},
    "l2 -1": {"l2_regularization_weight": -1.0},
    "noise 1": {"gaussian_noise_injection_std_dev": 1.0},
    "noise -1": {"gaussian_noise_injection_std_dev": -1.0},
    "noise 1, 0": {"gaussian_noise_injection_std_dev": [1.0, 0.0, 0.5]},
    "clip 0": {"gradient_clipping_threshold_per_sample": 0.0},
    "clip norm 0": {
        "gradient_clipping_threshold_per_sample": 0.0,
        "gradient_clipping_with_truncation": False,
    },
    "clip -1": {"gradient_clipping_threshold_per_sample": -0.2},
    "clip 1e-30": {"gradient_clipping_threshold_per_sample": 1e-30},
    "M 1e6": {"minibatch_size": 1000000},
}


def kinds_by_momenta(L):
    """Each kind that has momenta, as functions of parameters, rate, both momenta and options."""
    return {
        "momentum_sgd": lambda p, lr, m, v, **o: L.momentum_sgd(p, lr, m, **o),
        "nesterov": lambda p, lr, m, v, **o: L.nesterov(p, lr, m, **o),
        "adam": lambda p, lr, m, v, **o: L.adam(p, lr, m, variance_momentum=v, **o),
        "adamax": lambda p, lr, m, v, **o: L.adam(p, lr, m, variance_momentum=v, adamax=True, **o),
        "fsadagrad": lambda p, lr, m, v, **o: L.fsadagrad(p, lr, m, variance_momentum=v, **o),
    }


def bounds(L):
    """Every schedule and option of every kind of learner at its bounds."""
    made = {}
    for kind, make in kinds(L).items():
        for name, rate in rates_at_bounds(L).items():
            made[f"bounds {kind}/rate {name}"] = lambda p, make=make, r=rate: make(p, r)
        for name, options in OPTIONS_AT_BOUNDS.items():
            made[f"bounds {kind}/{name}"] = lambda p, make=make, o=options: make(p, 0.1, **o)
    for kind, make in kinds_by_momenta(L).items():
        for name, momentum in momenta_at_bounds(L).items():
            for gain in (True, False):
                made[f"bounds {kind}/momentum {name} {gain}"] = (
                    lambda p, make=make, m=momentum, gain=gain: make(
                        p, 0.1, m, 0.95, unit_gain=gain
                    )
                )
            if kind not in ("momentum_sgd", "nesterov"):
                made[f"bounds {kind}/variance {name}"] = lambda p, make=make, m=momentum: make(
                    p, 0.1, 0.9, m
                )
    for epsilon in (0.0, 1.0):
        made[f"bounds adam/epsilon {epsilon}"] = lambda p, e=epsilon: L.adam(p, 0.1, 0.9, epsilon=e)
        made[f"bounds adadelta/epsilon {epsilon}"] = lambda p, e=epsilon: L.adadelta(p, 0.1, 0.9, e)
        made[f"bounds adadelta/rho {epsilon}"] = lambda p, r=epsilon: L.adadelta(p, 0.1, r, 1e-3)
    return made


def run(learner, parameters):
    """Values of all parameters after each step, the rate before it, and whether it was one."""
    values, rates, updated = [], [], []
    for (samples, is_sweep_end), step in zip(STEPS, gradients()):  # noqa: B905
        rates.append(learner.learning_rate())
        given = {p: g.astype(p.dtype) for p, g in zip(parameters, step)}  # noqa: B905
        updated.append(bool(learner.update(given, samples, is_sweep_end)))
        values.append(np.concatenate([p.value.ravel() for p in parameters]))
    return np.array(values), np.array(rates), np.array(updated)
