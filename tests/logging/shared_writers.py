"""One progress writer for several trainers, evaluators and trainings in one call, in different
orders of calls.

Runs with the original too, on Python 3.6.
"""

import contextlib
import io
import re

import numpy as np

import cntk as C
from cntk import cntk_py
from cntk.logging import ProgressPrinter

X = np.arange(20, dtype=np.float32).reshape(10, 2) / 10
Y = np.ones((10, 1), np.float32)


class Course(cntk_py.ProgressWriter):
    """Prints what it is told."""

    def __init__(self, freq, first):
        super(Course, self).__init__(freq, first, freq, first, 1000, 0)  # noqa: UP008
        self.freq = freq

    def told(self, *arguments):
        print(
            " ".join("%.3f to %.3f" % a if isinstance(a, tuple) else "%.3f" % a for a in arguments)  # noqa: UP031
        )

    def on_write_training_update(self, samples, updates, aggregate_loss, aggregate_metric):
        self.told(samples, updates, aggregate_loss, aggregate_metric)

    def on_write_test_update(self, samples, updates, aggregate_metric):
        self.told(samples, updates, aggregate_metric)

    def on_write_training_summary(
        self, samples, updates, summaries, aggregate_loss, aggregate_metric, elapsed_milliseconds
    ):
        self.told(samples, updates, summaries, aggregate_loss, aggregate_metric)

    def on_write_test_summary(
        self, samples, updates, summaries, aggregate_metric, elapsed_milliseconds
    ):
        self.told(samples, updates, summaries, aggregate_metric)

    def write(self, key, value):
        print("%s: %.3f" % (key, value))  # noqa: UP031


class Trained:
    """A trainer or an evaluator that steps through the data."""

    def __init__(self, writers, scale=1, metric=True, trains=True):
        self.x, self.y = C.input_variable(2), C.input_variable(1)
        self.z = C.layers.Dense(1, init=0.1 * scale)(self.x)
        self.loss, self.metric = C.squared_error(self.z, self.y), C.abs(self.z - self.y)
        if trains:
            learner = C.sgd(self.z.parameters, C.learning_parameter_schedule(0.01))
            self.by = C.Trainer(
                self.z, (self.loss, self.metric if metric else None), [learner], writers
            )
        else:
            self.by = C.Evaluator(self.metric, writers)

    def _data(self, count):
        return {self.x: X[:count], self.y: Y[:count]}

    def train(self, count=4):
        self.by.train_minibatch(self._data(count))

    def test(self, count=3):
        self.by.test_minibatch(self._data(count))

    def trained(self):
        self.by.summarize_training_progress()

    def tested(self):
        self.by.summarize_test_progress()


def calls(*which):
    """A program of calls of members, such as ``"0.train"`` or ``"1.test 2"``."""

    def run(*members):
        for call in which:
            number, name = call.split(".")
            name, *count = name.split()
            getattr(members[int(number)], name)(*map(int, count))

    return run


EVALUATORS, TRAINERS = {"trains": False}, {}
BOTH = ({}, {"trains": False})
PROGRAMS = {
    "two evaluators": (
        (EVALUATORS, dict(EVALUATORS, scale=3)),
        calls("0.test", "0.test 2", "1.test 4", "0.tested", "1.tested"),
    ),
    "summaries in another order": (
        (EVALUATORS, dict(EVALUATORS, scale=3)),
        calls("0.test", "1.test", "0.tested", "0.test 1", "1.tested", "1.tested", "0.tested"),
    ),
    "nothing tested": ((EVALUATORS,), calls("0.tested", "0.test", "0.tested", "0.tested")),
    "trainer and evaluator": (
        BOTH,
        calls(
            "0.train",
            "1.test",
            "0.test",
            "0.train 2",
            "0.trained",
            "1.tested",
            "0.tested",
            "0.train",
            "0.test",
            "0.trained",
            "0.trained",
            "0.tested",
        ),
    ),
    "two trainers": (
        (TRAINERS, {"scale": 2}),
        calls(
            "0.train",
            "1.train",
            "0.train",
            "0.trained",
            "1.train",
            "1.trained",
            "0.test",
            "1.test",
            "1.tested",
            "0.tested",
        ),
    ),
    "a trainer without a metric": (
        ({"metric": False}, {"scale": 1}),
        calls("0.train", "1.train", "0.train", "0.trained", "1.trained"),
    ),
    "one after another": (
        (TRAINERS, {"scale": 2}),
        calls(
            *["0.train 2"] * 4
            + ["0.trained", "0.test", "0.test 2", "0.tested"]
            + ["1.train 2"] * 4
            + ["1.trained", "1.test", "1.tested"]
        ),
    ),
    "many updates": (
        (TRAINERS,),
        calls(
            "0.trained",
            "0.tested",
            "0.train",
            "0.trained",
            *["0.train 1"] * 9 + ["0.trained"] + ["0.test 1"] * 9 + ["0.tested"],
        ),
    ),
}

WRITERS = {
    "every second": lambda: ProgressPrinter(freq=2, test_freq=2),
    "doubling": lambda: ProgressPrinter(freq=0, test_freq=0),
    "summaries": ProgressPrinter,
    "first": lambda: ProgressPrinter(freq=3, first=2, test_freq=3, test_first=1),
    "numbers": lambda: ProgressPrinter(
        freq=2, tag="T", num_epochs=3, metric_is_pct=False, test_freq=1
    ),
    "rank": lambda: ProgressPrinter(freq=2, rank=1),
    "told each": lambda: Course(1, 0),
    "told some": lambda: Course(2, 1),
}


def run(program, writer):
    """What is printed."""
    members, steps = PROGRAMS[program]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        made = WRITERS[writer]()
        steps(*(Trained([made, made], **member) for member in members))  # given twice, told once
    # How long it took is another each time.
    text = re.sub(r"[0-9.]+s \( *[0-9.]+ samples/s\)", "some time", printed.getvalue())
    return text.splitlines()
