"""Trainings that are interrupted and go on: models with all that changes in the course of training,
and every learner.

The file is read by the original's interpreter too (Python 3.6): the recording script and the tests
both run them.
"""

import numpy as np

MINIBATCHES = 8
SAVED_AFTER = 3


def learners(C):
    """Each kind of learner, as functions of the parameters; schedules count both samples and
    sweeps.
    """
    rate = C.learning_parameter_schedule
    sizes = C.learning_parameter_schedule(
        [(3, 0.1), (2, 0.03), (1, 0.05)], minibatch_size=6, epoch_size=10
    )
    return {
        "sgd": lambda p: C.sgd(p, rate([0.1, 0.05, 0.02])),
        "momentum_sgd": lambda p: C.momentum_sgd(p, sizes, 0.9, l2_regularization_weight=0.01),
        "nesterov": lambda p: C.nesterov(
            p, rate([0.1, 0.05], epoch_size=12), C.momentum_schedule([0.9, 0.8], 20)
        ),
        "adagrad": lambda p: C.adagrad(p, rate(0.1)),
        "adam": lambda p: C.adam(p, rate(0.05), 0.9, variance_momentum=0.95),
        "adamax": lambda p: C.adam(p, sizes, 0.9, adamax=True),
        "fsadagrad": lambda p: C.fsadagrad(p, rate(0.05), 0.9, variance_momentum=0.95),
        "rmsprop": lambda p: C.rmsprop(p, rate(0.02), 0.9, 1.2, 0.5, 10, 0.01),
        "adadelta": lambda p: C.adadelta(p, rate(2.0), rho=0.9, epsilon=1e-3),
        "noise": lambda p: C.sgd(p, rate(0.1), gaussian_noise_injection_std_dev=0.01),
        "several": lambda p: [
            C.adam(p[:2], rate(0.05), 0.9),
            C.momentum_sgd(p[2:4], rate(0.1, 5), 0.9),
            C.sgd(p[4:], rate(0.1)),
        ],
    }


def model(C, dropout=0.0):
    """Inputs, the model and its criterion: matrices, a tensor of higher rank, statistics, and
    random numbers.
    """
    x, y = C.input_variable((2, 4, 4), name="x"), C.input_variable(3, name="y")
    hidden = C.layers.Convolution2D(
        (3, 3), 3, activation=C.tanh, init=C.glorot_uniform(seed=1), name="seen"
    )(x)
    hidden = C.layers.BatchNormalization(name="even")(
        hidden + 0.1 * C.random.uniform_like(hidden, -1, 1, seed=7)
    )
    if dropout:
        hidden = C.dropout(C.layers.Dropout(dropout, seed=5)(hidden), dropout, seed=6)
    z = C.layers.Dense(3, init=C.glorot_uniform(seed=2), name="told")(hidden)
    return (x, y), z, (C.cross_entropy_with_softmax(z, y), C.classification_error(z, y))


def trainer(C, learner, dropout=0.0):
    """Inputs, and a trainer."""
    inputs, z, criterion = model(C, dropout)
    return inputs, C.Trainer(z, criterion, learners(C)[learner](z.parameters))


def minibatches(inputs):
    """Data, and whether a sweep ends with them."""
    rng = np.random.RandomState(4)
    x, y = inputs
    for k in range(MINIBATCHES):
        size = (5, 8, 3, 6)[k % 4]
        seen = rng.normal(size=(size, 2, 4, 4)).astype(np.float32)
        told = np.eye(3, dtype=np.float32)[rng.randint(0, 3, size)]
        yield {x: seen, y: told}, k % 3 == 2


def losses(trainer, inputs, begin, end):
    """The losses and metrics of some of the minibatches."""
    found = []
    for data, sweep in list(minibatches(inputs))[begin:end]:
        trainer.train_minibatch(data, is_sweep_end=sweep)
        found.append(
            (trainer.previous_minibatch_loss_average, trainer.previous_minibatch_evaluation_average)
        )
    return np.array(found)


def external(learner):
    """What the program adds to its checkpoint."""
    return {
        "learner": learner,
        "place": {"at": 2**40, "below": -3},
        "list": [1, 2.5, "three", [True]],
        "none": None,
    }
