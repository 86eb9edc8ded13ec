"""Trainings whose momenta, rates and options reach their bounds, for gradients that are dense and
sparse.

The file is read by the original's interpreter too (Python 3.6).
"""

import numpy as np
from scipy.sparse import csr_matrix

from tests.learners.learner_cases import (
    OPTIONS_AT_BOUNDS,
    kinds,
    kinds_by_momenta,
    momenta_at_bounds,
    rates_at_bounds,
)

MINIBATCHES = 46  # steps are recorded before the last of them
LOOKED_AT = (0, 1, 2, 5, MINIBATCHES - 1)

# What the original's learners do with sparse gradients on a CPU: the others refuse them, or move
# without their rate.
SPARSE = ("sgd", "momentum_sgd", "adagrad")

_WORDS, _SIZE = 7, 3
_MINIBATCHES = ((0, 1, 2, 3), (1, 4, 5, 2))


def cases(L):
    """By name: how features are given, and a function of the parameters."""
    made = {}
    for kind, make in kinds(L).items():
        for name in ("0, 0.1", "0.1, 0", "sample 1"):
            rate = rates_at_bounds(L)[name]
            made[kind + "/rate " + name] = lambda p, make=make, r=rate: make(p, r)
        for name in ("clip 0", "clip norm 0", "l1 1"):
            made[kind + "/" + name] = lambda p, make=make, o=OPTIONS_AT_BOUNDS[name]: make(
                p, 0.1, **o
            )
    for kind, make in kinds_by_momenta(L).items():
        momenta = momenta_at_bounds(L)
        # While steps are recorded.
        momenta["after a warm-up"] = L.momentum_schedule([0] * 42 + [0.9], epoch_size=4)
        momenta["at first"] = L.momentum_schedule([0.9] * 42 + [0], epoch_size=4)
        for name in (
            "0",
            "1",
            "constant inf",
            "constants",
            "0, 0.9",
            "after a warm-up",
            "at first",
        ):
            momentum = momenta[name]
            for gain in (True, False):
                made[f"{kind}/momentum {name} {gain}"] = (
                    lambda p, make=make, m=momentum, gain=gain: make(
                        p, 0.02, m, 0.95, unit_gain=gain
                    )
                )
    shown = {name + " dense": ("dense", make) for name, make in made.items()}
    for name, make in made.items():
        if name.split("/")[0] in SPARSE:
            shown[name + " one-hot"] = ("one-hot", make)
            shown[name + " sparse"] = ("sparse", make)
    return shown


def _features(given):
    x = np.zeros((6, _WORDS), np.float32)
    x[range(6), [0, 2, 2, 5, 0, 3]] = 1
    if given == "sparse":
        x *= 2
        x[1, 4], x[3, 0] = -1, 0.5
    return x


def train(C, given, make):
    """All parameters after some of the minibatches."""
    C.cntk_py.reset_random_seed(11)
    rng = np.random.RandomState(5)
    features, targets = _features(given), rng.uniform(-1, 1, (6, _SIZE)).astype(np.float32)
    x, y = C.input_variable(_WORDS, is_sparse=given != "dense"), C.input_variable(_SIZE)
    weight, bias = (
        rng.uniform(-1, 1, shape).astype(np.float32) for shape in ((_WORDS, _SIZE), (_SIZE,))
    )
    parameters = [C.parameter(weight.shape, init=weight), C.parameter(bias.shape, init=bias)]
    loss = C.squared_error(C.times(x, parameters[0]) + parameters[1], y)
    trainer = C.Trainer(None, (loss, None), [make(parameters)])
    seen = []
    for number in range(MINIBATCHES):
        rows = list(_MINIBATCHES[number % 2])
        fed = features[rows] if given == "dense" else csr_matrix(features[rows])
        trainer.train_minibatch({x: fed, y: targets[rows]})
        if number in LOOKED_AT:
            seen.append(np.concatenate([p.value.ravel() for p in parameters]))
    return np.array(seen)
