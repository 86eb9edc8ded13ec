"""Training sessions take the original's course, go on where they stopped, and say what is wrong
with their arguments.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk.train import DataUnit
from tests.train.session_programs import ENDLESS, ONCE, PROGRAMS, courses, source

ORIGINAL = json.loads(Path(__file__).with_name("sessions_of_the_original.json").read_text())


@pytest.mark.parametrize("program", PROGRAMS)
def test_sessions_take_the_original_s_course(program, tmp_path):
    assert courses(program, str(tmp_path / "work")) == ORIGINAL[program]


def test_every_program_is_recorded():
    assert set(PROGRAMS) == set(ORIGINAL)


def model():
    x, y = C.input_variable(2), C.input_variable(2)
    z = C.layers.Dense(2, init=0.1)(x)
    return z, C.combine([C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)])


def session(folder, **options):
    z, criterion = model()
    learner = C.momentum_sgd(z.parameters, 0.05, 0.9)
    trainer = C.Trainer(z, criterion, [learner])
    data = source(str(folder), 25, ENDLESS)
    streams = dict(zip(criterion.arguments, (data.streams.x, data.streams.y), strict=True))
    given = {"mb_size": 4, "max_samples": 60, **options}
    return z, C.training_session(trainer, data, model_inputs_to_streams=streams, **given)


def test_what_goes_on_ends_as_what_was_never_interrupted(tmp_path):
    whole, training = session(tmp_path)
    training.train()
    config = C.CheckpointConfig(str(tmp_path / "c"), frequency=10, preserve_all=True)
    _, training = session(tmp_path, max_samples=28, checkpoint_config=config)
    training.train()
    parts, training = session(tmp_path, checkpoint_config=config)
    training.train()
    for one, other in zip(whole.parameters, parts.parameters, strict=True):
        np.testing.assert_array_equal(one.value, other.value)


def test_the_last_checkpoint_is_that_of_the_last_session(tmp_path):
    """The original leaves it as the first session wrote it, so that a third one would begin there
    again.
    """
    config = C.CheckpointConfig(str(tmp_path / "c"), frequency=20, preserve_all=True)
    for limit in (40, 60):
        trained, training = session(tmp_path, max_samples=limit, checkpoint_config=config)
        training.train()
    saved = C.Function.load(str(tmp_path / "c"))
    np.testing.assert_array_equal(saved.parameters[0].value, trained.parameters[0].value)


def test_a_subclass_hears_of_cross_validations(tmp_path):
    heard = []

    class Listening(C.train.TrainingSession):
        def on_cross_validation_end(self, index, average_error, num_samples, num_minibatches):
            heard.append((index, num_samples, num_minibatches))
            return True

    z, criterion = model()
    trainer = C.Trainer(z, criterion, [C.sgd(z.parameters, 0.1)])
    data, tried = source(str(tmp_path), 25, ONCE), source(str(tmp_path), 10, ONCE)
    streams = dict(zip(criterion.arguments, (data.streams.x, data.streams.y), strict=True))
    config = C.CrossValidationConfig(tried, frequency=10, minibatch_size=6)
    Listening(trainer, data, 5, streams, None, None, None, config, None).train()
    assert heard == [(0, 10, 2), (1, 10, 2), (2, 10, 2)]


def test_functions_train_with_checkpoints_validation_and_test(tmp_path):
    random = np.random.default_rng(0)
    features = random.random((30, 2)).astype(np.float32)
    labels = np.eye(2, dtype=np.float32)[(features.sum(1) > 1).astype(int)]
    z, criterion = model()
    heard = []

    def callback(index, error, samples, minibatches):
        heard.append((index, samples, minibatches))
        return True

    callbacks = [
        C.CheckpointConfig(str(tmp_path / "c"), preserve_all=True),
        C.CrossValidationConfig(
            (features, labels), criterion=criterion, minibatch_size=7, callback=callback
        ),
        C.TestConfig((features, labels), criterion=criterion, minibatch_size=7),
    ]
    learner = C.sgd(z.parameters, 0.1)
    result = criterion.train(
        (features, labels),
        minibatch_size=8,
        max_epochs=2,
        parameter_learners=[learner],
        callbacks=callbacks,
    )
    assert [e["samples"] for e in result.epoch_summaries] == [30, 30]
    assert heard == [(0, 30, 5)] and result.test_summary["samples"] == 30
    wrong = (z.eval(features).argmax(1) != labels.argmax(1)).mean()
    assert result.test_summary["metric"] == pytest.approx(wrong)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c", "c.ckp", "c0", "c0.ckp"]
    again = criterion.train(
        (features, labels),
        minibatch_size=8,
        max_epochs=3,
        parameter_learners=[learner],
        callbacks=callbacks[:1],
    )
    assert [e["samples"] for e in again.epoch_summaries] == [30]


@pytest.mark.parametrize(
    ("frequency", "epochs"),
    [
        (10, [16, 8, 6, 16, 8, 6]),
        ((10, DataUnit.sample), [16, 8, 6, 16, 8, 6]),
        ((3, DataUnit.minibatch), [24, 22, 14]),
        ((1, DataUnit.sweep), [30, 30]),
    ],
)
def test_functions_sum_up_by_any_unit(frequency, epochs):
    z, criterion = model()
    data = (np.ones((30, 2), np.float32),) * 2
    result = criterion.train(
        data,
        minibatch_size=8,
        max_epochs=2,
        parameter_learners=[C.sgd(z.parameters, 0.1)],
        progress_frequency=frequency,
    )
    assert [e["samples"] for e in result.epoch_summaries] == epochs


def test_a_source_without_a_state_is_told_of_when_training_goes_on(tmp_path):
    class Ones(C.io.UserMinibatchSource):
        def __init__(self):
            self.left = 5
            super().__init__()

        def stream_infos(self):
            formats = {"storage_format": "dense", "dtype": np.float32}
            return [
                C.io.StreamInformation(name, k, shape=(2,), **formats)
                for k, name in enumerate("xy")
            ]

        def next_minibatch(self, num_samples, number_of_workers, worker_rank, device=None):
            if not self.left:
                return {}
            self.left -= 1
            value = C.Value(np.ones((num_samples, 2), np.float32))
            return {
                s: C.io.MinibatchData(value, num_samples, num_samples, self.left == 0)
                for s in (self.streams.x, self.streams.y)
            }

    def train(limit):
        z, criterion = model()
        trainer = C.Trainer(z, criterion, [C.sgd(z.parameters, 0.1)])
        ones = Ones()
        streams = dict(zip(criterion.arguments, (ones.streams.x, ones.streams.y), strict=True))
        config = C.CheckpointConfig(str(tmp_path / "c"))
        C.training_session(
            trainer, ones, 4, streams, max_samples=limit, checkpoint_config=config
        ).train()
        return trainer.total_number_of_samples_seen

    assert train(8) == 8
    with pytest.warns(UserWarning, match="does not say how far"):
        assert train(12) == 12


CONFIGS = [
    (lambda: C.CheckpointConfig(""), ValueError, "file name must not be empty"),
    (lambda: C.CheckpointConfig("c", frequency=-1), ValueError, "must not be negative, got -1"),
    (
        lambda: C.CheckpointConfig("c", frequency=2.5),
        TypeError,
        r"a number of samples, such as 1000.* got 2.5",
    ),
    (lambda: C.CheckpointConfig("c", frequency=(3, "sweep")), TypeError, "DataUnit"),
    (lambda: C.CrossValidationConfig(minibatch_size=2.5), ValueError, "minibatch_size_schedule"),
    (lambda: C.CrossValidationConfig(minibatch_size=0), ValueError, "must be positive, got 0"),
    (lambda: C.CrossValidationConfig(callback=3), TypeError, "must be a function, got 3"),
    (lambda: C.CrossValidationConfig(max_samples=0), ValueError, "max_samples must be positive"),
    (lambda: C.CrossValidationConfig(model_inputs_to_streams=3), TypeError, "must be a dictionary"),
    (lambda: C.TestConfig((np.ones((3, 2)),)), ValueError, "criterion must be given"),
]


@pytest.mark.parametrize(("make", "error", "text"), CONFIGS)
def test_configurations_say_what_is_wrong(make, error, text):
    with pytest.raises(error, match=text):
        make()


SESSIONS = [
    ({"mb_size": "4"}, ValueError, "got str"),
    ({"max_samples": 0}, ValueError, "max_samples must be positive"),
    (
        {"max_samples": None},
        ValueError,
        "Train minibatch source must have a limited number of samples or sweeps",
    ),
    ({"progress_frequency": (5, 5)}, TypeError, "DataUnit"),
    ({"cv_config": 5}, TypeError, "expected a CrossValidationConfig, got int"),
]


@pytest.mark.parametrize(("options", "error", "text"), SESSIONS)
def test_sessions_say_what_is_wrong(options, error, text, tmp_path):
    with pytest.raises(error, match=text):
        session(tmp_path, **options)


def test_a_callback_must_say_whether_training_goes_on(tmp_path):
    _, training = session(
        tmp_path, cv_config=C.CrossValidationConfig(frequency=8, callback=lambda *given: None)
    )
    with pytest.raises(TypeError, match="must return whether training goes on"):
        training.train()


def test_older_names_are_taken_and_told_of(tmp_path):
    data = source(str(tmp_path), 10, ONCE)
    with pytest.warns(DeprecationWarning, match="minibatch_source"):
        config = C.TestConfig(source=data)
    assert config.source is data
    with pytest.warns(DeprecationWarning, match="minibatch_size"):
        assert C.CrossValidationConfig(mb_size=5).minibatch_size == 5


def test_sweeps_are_counted(tmp_path):
    z, training = session(tmp_path, max_samples=75, progress_frequency=(1, DataUnit.sweep))
    training.train()
    assert training.trainer.parameter_learners[0].total_number_of_sweeps_seen() == 3
