"""Trainings and tests by `Function.train` and `Function.test`: combinations of their arguments, and
forms of data.

Runs with the original too, on Python 3.6.
"""

import sys

import numpy as np
from scipy.sparse import csr_matrix

import cntk as C
from cntk import cntk_py

_RNG = np.random.RandomState(0)
X, Y = (_RNG.uniform(-1, 1, (10, n)).astype(np.float32) for n in (3, 2))
LENGTHS = (2, 5, 1, 3, 3, 4, 1, 2, 6, 2)
SX, SY = ([_RNG.uniform(-1, 1, (k, n)).astype(np.float32) for k in LENGTHS] for n in (3, 2))
HOT = [np.eye(3, dtype=np.float32)[_RNG.randint(0, 3, k)] for k in LENGTHS]
HOT_ROWS = [csr_matrix(hot) for hot in HOT]


class Course(cntk_py.ProgressWriter):
    """Writes down what it is told."""

    def __init__(self, lines, freq):
        super(Course, self).__init__(freq, 0, 1, 0, sys.maxsize, 0)  # noqa: UP008
        self.freq = freq
        self.lines = lines

    def on_write_training_update(self, samples, updates, aggregate_loss, aggregate_metric):
        self.lines.append("trained %d" % (samples[1] - samples[0]))  # noqa: UP031

    def on_write_training_summary(
        self, samples, updates, summaries, aggregate_loss, aggregate_metric, elapsed_milliseconds
    ):
        self.lines.append("summary of %d in %d" % (samples, updates))  # noqa: UP031

    def on_write_test_update(self, samples, updates, aggregate_metric):
        self.lines.append("tested %d" % (samples[1] - samples[0]))  # noqa: UP031

    def on_write_test_summary(
        self, samples, updates, summaries, aggregate_metric, elapsed_milliseconds
    ):
        self.lines.append("test of %d in %d" % (samples, updates))  # noqa: UP031

    def write(self, key, value):
        pass


def criterion(kind):
    """A criterion and its parameters; ``kind`` says which arguments are sequences, and whether
    features are sparse.
    """
    x = (C.sequence.input_variable if "sequences" in kind else C.input_variable)(
        3, is_sparse="sparse" in kind
    )
    y = (C.sequence.input_variable if "tagged" in kind else C.input_variable)(2)
    h = C.layers.Recurrence(C.layers.RNNStep(2, init=0.3))(x) if "sequences" in kind else x
    h = C.sequence.last(h) if "sequences" in kind and "tagged" not in kind else h
    z = C.layers.Dense(2, init=0.2)(h)
    return C.combine([C.squared_error(z, y), C.reduce_sum(C.abs(z - y))]), x, y


def _numbers(records):
    return [[round(float(r.loss), 3), round(float(r.metric), 3), int(r.samples)] for r in records]


def train(kind="samples", data=lambda x, y: (X, Y), rate=0.01, writers=(1,), sizes=None, **options):
    """What one training gives, and its course; or the class of the error."""
    lines = []
    loss, x, y = criterion(kind)
    if sizes is not None:
        options["minibatch_size"] = C.minibatch_size_schedule(*sizes)
    try:
        given = data(x, y)
        if isinstance(given, dict):  # of a minibatch source
            given = C.io.MinibatchSourceFromData({"x": X, "y": Y}, **given)
            options["streams"] = (given.streams.x, given.streams.y)
        learner = C.sgd(loss.parameters, C.learning_parameter_schedule_per_sample(rate))
        progress = loss.train(
            given,
            parameter_learners=[learner],
            callbacks=[Course(lines, w) for w in writers],
            **options,
        )
    except Exception as error:
        return [type(error).__name__]
    return [_numbers(progress.updates), _numbers(progress.epoch_summaries), lines]


def test(kind="samples", data=lambda x, y: (X, Y), **options):
    """What one test gives, and its course."""
    lines = []
    loss, x, y = criterion(kind)
    result = loss.test(data(x, y), callbacks=[Course(lines, 1)], **options)
    return [round(float(result.metric), 3), int(result.samples), lines]


SIZES = (
    {},
    {"minibatch_size": 4},
    {"minibatch_size": 100},
    {"sizes": ([2, 6], 5)},
    {"sizes": (4,)},
)
LENGTHS_OF_TRAINING = (
    {},
    {"max_epochs": 2},
    {"max_samples": 17},
    {"max_epochs": 2, "max_samples": 17},
    {"epoch_size": 7},
    {"epoch_size": 7, "max_epochs": 2},
    {"epoch_size": 7, "max_samples": 17},
    {"max_epochs": 0},
    {"epoch_size": 0},
    {"max_samples": 0},
    {"max_epochs": 1.5},
    {"epoch_size": 30},
    {"epoch_size": 23, "max_epochs": 3},
    {"max_epochs": 2, "max_samples": 17, "epoch_size": 7},
)
FREQUENCIES = (0, 3, 4, 7, 10)
SOURCES = {
    "arrays": lambda x, y: (X, Y),
    "endless": lambda x, y: {},
    "finite": lambda x, y: {"max_samples": 23},
}


def _texts(options):
    return " ".join("%s=%s" % (key, options[key]) for key in sorted(options))  # noqa: UP031


def _argument_programs():
    made = {}
    for source, data in SOURCES.items():
        for size in SIZES:
            for length in LENGTHS_OF_TRAINING:
                options = dict(size, **length)
                made["%s %s" % (source, _texts(options))] = dict(options, data=data, writers=())  # noqa: UP031
        for frequency in FREQUENCIES:
            for length in LENGTHS_OF_TRAINING[:3]:
                options = dict(length, progress_frequency=frequency, minibatch_size=4)
                made["%s %s" % (source, _texts(options))] = dict(options, data=data, writers=())  # noqa: UP031
        for writers in ([0], [1], [2], [2, 3], [3, 2], [1000]):
            options = {"max_epochs": 2, "epoch_size": 10, "minibatch_size": 4, "writers": writers}
            made["%s %s" % (source, _texts(options))] = dict(options, data=data)  # noqa: UP031
    made["no minibatch size"] = {"minibatch_size": None}
    made["negative minibatch size"] = {"minibatch_size": -3}
    made["a number of samples that ends"] = {"rate": 0.0}
    return made


# Forms of data that the original takes as well, by the lengths at which it does not fail.
FORMS = {
    "Values": ("samples", lambda x, y: (C.Value(X), C.Value(Y))),
    "created Values": (
        "samples",
        lambda x, y: (C.Value.create(x, list(X)), C.Value.create(y, list(Y))),
    ),
    "Value and array": ("samples", lambda x, y: (C.Value(X), Y)),
    "sparse": ("samples sparse", lambda x, y: (csr_matrix(X), Y)),
    "sparse Value": ("samples sparse", lambda x, y: (C.Value(csr_matrix(X)), Y)),
    "list of arrays": ("samples", lambda x, y: [X, Y]),
    "other strides": ("samples", lambda x, y: (X[::-1], np.asfortranarray(Y))),
}
SEQUENCE_FORMS = {
    "sequences": ("sequences tagged", lambda x, y: (SX, SY)),
    "sparse sequences": ("sequences tagged sparse", lambda x, y: (HOT_ROWS, SY)),
}


def _form_programs():
    made = {}
    for name, (kind, data) in FORMS.items():
        for size in (4, 100):
            made["%s by %d" % (name, size)] = {"kind": kind, "data": data, "minibatch_size": size}  # noqa: UP031
    for name, (kind, data) in SEQUENCE_FORMS.items():
        for size in (10, 100):
            made["%s by %d" % (name, size)] = {  # noqa: UP031
                "kind": kind,
                "data": data,
                "minibatch_size": size,
                "epoch_size": 9,
                "max_epochs": 3,
            }
    return made


PROGRAMS = dict(_argument_programs(), **_form_programs())
