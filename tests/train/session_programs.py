"""Training sessions whose course is told as text: which updates, summaries, tests and files come in
which order.

Runs with the original too, on Python 3.6.
"""

import os
import shutil
import sys

import numpy as np

import cntk as C
from cntk import cntk_py
from cntk.io import INFINITELY_REPEAT, CTFDeserializer, MinibatchSource, StreamDef, StreamDefs

MINIBATCH, SWEEP = C.train.DataUnit.minibatch, C.train.DataUnit.sweep
ONCE, ENDLESS = {"max_sweeps": 1}, {"max_samples": INFINITELY_REPEAT}


class Course(cntk_py.ProgressWriter):
    """Writes down what it is told."""

    def __init__(self, lines):
        super(Course, self).__init__(1, 0, 1, 0, sys.maxsize, 0)  # noqa: UP008
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


def source(folder, count, options):
    path = os.path.join(folder, "data%d.txt" % count)  # noqa: UP031
    if not os.path.exists(path):
        with open(path, "w") as file:
            for k in range(count):
                file.write("%d |x %d %d |y %d %d\n" % (k, k % 3, k % 5, k % 2, (k + 1) % 2))  # noqa: UP031
    streams = StreamDefs(x=StreamDef("x", 2), y=StreamDef("y", 2))
    return MinibatchSource(CTFDeserializer(path, streams), randomize=False, **options)


def run(
    folder,
    size=4,
    data=ONCE,
    rate=0.01,
    cv=None,
    test=None,
    checkpoints=None,
    callback=None,
    **options,
):
    """One session over 25 samples, tried on 10; gives its course."""
    lines = []
    x, y = C.input_variable(2), C.input_variable(2)
    z = C.layers.Dense(2, init=0.1)(x)
    schedule = C.learning_parameter_schedule_per_sample(rate)
    writer = Course(lines)
    criterion = (C.cross_entropy_with_softmax(z, y), C.classification_error(z, y))
    trainer = C.Trainer(z, criterion, [C.sgd(z.parameters, schedule)], writer)
    training = source(folder, 25, data)
    saved = os.path.join(folder, "saved")

    def told(index, error, samples, minibatches):
        files = sorted(os.listdir(saved)) if checkpoints is not None else []
        lines.append(
            "callback %d, %.3f of %d in %d, %s"  # noqa: UP031
            % (index, error, samples, minibatches, " ".join(files))
        )
        return callback(index)

    if cv is not None:
        given = dict(cv)
        if given.pop("has_data", True):
            given["minibatch_source"] = source(folder, 10, ONCE)
        options["cv_config"] = C.CrossValidationConfig(callback=told if callback else None, **given)
    if test is not None:
        options["test_config"] = C.TestConfig(source(folder, 10, ONCE), **test)
    if checkpoints is not None:
        os.makedirs(saved, exist_ok=True)
        options["checkpoint_config"] = C.CheckpointConfig(os.path.join(saved, "c"), **checkpoints)
    streams = {x: training.streams.x, y: training.streams.y}
    C.training_session(
        trainer=trainer,
        mb_source=training,
        mb_size=size,
        model_inputs_to_streams=streams,
        **options,
    ).train()
    lines.append("seen %d" % trainer.total_number_of_samples_seen)  # noqa: UP031
    if checkpoints is not None:
        lines.extend(sorted(os.listdir(saved)))
    return lines


def goes_on(index):
    return True


def stops(index):
    return index < 1


ALL = {"frequency": 20, "preserve_all": True}

# Sessions by name; those of one list run one after another in one folder.
PROGRAMS = {
    "plain": [{}],
    "so many samples": [{"data": ENDLESS, "max_samples": 21}],
    "summaries": [{"progress_frequency": 10}],
    "summaries rarer than minibatches": [
        {"size": 8, "data": ENDLESS, "max_samples": 24, "progress_frequency": 3}
    ],
    "summaries by minibatches": [{"progress_frequency": (2, MINIBATCH)}],
    "summaries by sweeps": [{"data": {"max_sweeps": 3}, "progress_frequency": (2, SWEEP)}],
    "summaries by sweeps and a tail": [
        {"data": ENDLESS, "max_samples": 40, "progress_frequency": (1, SWEEP)}
    ],
    "summaries by sweeps, a tail of two": [
        {"data": ENDLESS, "max_samples": 80, "progress_frequency": (2, SWEEP)}
    ],
    "less than a sweep": [{"data": ENDLESS, "max_samples": 20, "progress_frequency": (1, SWEEP)}],
    "summaries by minibatches and a tail": [
        {"max_samples": 21, "progress_frequency": (4, MINIBATCH)}
    ],
    "all by sweeps and a tail": [
        {
            "data": ENDLESS,
            "max_samples": 40,
            "progress_frequency": (1, SWEEP),
            "cv": {"frequency": (1, SWEEP), "minibatch_size": 3},
            "checkpoints": {"frequency": (1, SWEEP), "preserve_all": True},
            "callback": goes_on,
        },
        {
            "data": ENDLESS,
            "max_samples": 70,
            "progress_frequency": (1, SWEEP),
            "cv": {"frequency": (1, SWEEP), "minibatch_size": 3},
            "checkpoints": {"frequency": (1, SWEEP), "preserve_all": True},
            "callback": goes_on,
        },
    ],
    "no summary": [{"progress_frequency": 0}],
    "schedule of sizes": [
        {"data": {"max_sweeps": 2}, "size": C.minibatch_size_schedule([2, 8], epoch_size=10)}
    ],
    "large minibatches": [
        {"size": 100, "data": {"max_sweeps": 2}},
        {"size": 100, "data": ENDLESS, "max_samples": 30},
    ],
    "validation at the end": [{"cv": {}}],
    "validation": [{"cv": {"frequency": 10, "minibatch_size": 3}}],
    "validation on some": [{"cv": {"frequency": 10, "minibatch_size": 3, "max_samples": 5}}],
    "callback": [{"cv": {"frequency": 10}, "callback": goes_on}],
    "callback without data": [{"cv": {"frequency": 10, "has_data": False}, "callback": goes_on}],
    "callback ends it": [
        {
            "data": ENDLESS,
            "max_samples": 60,
            "cv": {"frequency": 10},
            "callback": stops,
            "progress_frequency": 15,
            "test": {},
        }
    ],
    "never": [{"cv": {"frequency": 0}, "checkpoints": {"frequency": 0}}],
    "test": [{"test": {"minibatch_size": 3}}],
    "everything": [
        {
            "data": ENDLESS,
            "max_samples": 40,
            "progress_frequency": 20,
            "cv": {"frequency": 20},
            "test": {},
            "checkpoints": {"frequency": 20},
        }
    ],
    "one checkpoint": [{"checkpoints": {}}],
    "checkpoints": [{"checkpoints": {"frequency": 10, "preserve_all": True}}],
    "one of all checkpoints": [{"checkpoints": {"preserve_all": True}}],
    "checkpoints by minibatches": [
        {"checkpoints": {"frequency": (2, MINIBATCH), "preserve_all": True}}
    ],
    "checkpoints by sweeps": [
        {
            "data": ENDLESS,
            "max_samples": 30,
            "checkpoints": {"frequency": (1, SWEEP), "preserve_all": True},
        },
        {
            "data": ENDLESS,
            "max_samples": 80,
            "progress_frequency": (1, SWEEP),
            "checkpoints": {"frequency": (1, SWEEP), "preserve_all": True},
        },
    ],
    "checkpoints, then validation": [
        {
            "data": ENDLESS,
            "max_samples": 25,
            "progress_frequency": 10,
            "cv": {"frequency": 10},
            "callback": goes_on,
            "checkpoints": {"frequency": 10, "preserve_all": True},
        }
    ],
    "several at once": [
        {
            "data": ENDLESS,
            "size": 25,
            "max_samples": 60,
            "progress_frequency": 5,
            "cv": {"frequency": 7},
            "callback": goes_on,
            "checkpoints": {"frequency": 10, "preserve_all": True},
        }
    ],
    "going on": [
        {"data": ENDLESS, "max_samples": 40, "progress_frequency": 20, "checkpoints": ALL},
        {"data": ENDLESS, "max_samples": 80, "progress_frequency": 20, "checkpoints": ALL},
    ],
    "beginning anew": [
        {"data": ENDLESS, "max_samples": 40, "progress_frequency": 20, "checkpoints": ALL},
        {"data": ENDLESS, "max_samples": 30, "checkpoints": dict(ALL, restore=False)},
    ],
    "nothing left to do": [
        {"data": ENDLESS, "max_samples": 40, "checkpoints": ALL},
        {
            "data": ENDLESS,
            "max_samples": 40,
            "cv": {"frequency": 20},
            "test": {},
            "checkpoints": ALL,
        },
    ],
    "going on with another frequency": [
        {"data": ENDLESS, "max_samples": 24, "checkpoints": {"frequency": 10}},
        {
            "data": ENDLESS,
            "max_samples": 50,
            "cv": {"frequency": 15},
            "callback": goes_on,
            "progress_frequency": (3, MINIBATCH),
            "checkpoints": {"frequency": 10},
        },
    ],
    "going on from the last number": [
        {"data": ENDLESS, "max_samples": 60, "checkpoints": ALL},
        {"remove": ("c", "c.ckp", "c2", "c2.ckp")},
        {
            "data": ENDLESS,
            "max_samples": 90,
            "progress_frequency": 20,
            "cv": {"frequency": 20},
            "checkpoints": ALL,
        },
    ],
    "nothing is learned": [{"rate": 0.0}, {"rate": [0.1, 0.0], "data": {"max_sweeps": 2}}],
}


def courses(program, folder):
    """The courses of a program's sessions in a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    np.random.seed(0)
    found = []
    for session in PROGRAMS[program]:
        for name in session.get("remove", ()):
            os.remove(os.path.join(folder, "saved", name))
        if "remove" not in session:
            found.append(run(folder, **session))
    return found
