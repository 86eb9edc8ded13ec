"""What is no argument of training or evaluation is refused in words, whatever it is, with an error
of the original's class.
"""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C

X, Y = np.array([[1, 2], [3, 1]], np.float32), np.array([[1], [0]], np.float32)
WRONG = (None, 5, 2.5, "x", [], (), {}, [None], object(), (None, None), {None: X}, X)
OF_PYTHON = (
    "has no attribute",
    "has no len",
    "not supported between",
    "unhashable",
    "object is not",
    "unsupported operand",
    "invalid literal",
    "must be a string",
    "expected str, bytes",
    "scalar",
    "truth value",
    "unpack",
    "out of range",
)


@pytest.fixture
def made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x, y = C.input_variable(2, name="x"), C.input_variable(1, name="y")
    z = C.layers.Dense(1)(x)
    loss = C.squared_error(z, y)

    def learner():
        return C.sgd(z.parameters, 0.1)

    def train(data=(X, Y), **options):
        return loss.train(data, **{"parameter_learners": [learner()], **options})

    def session(**options):
        source = C.io.MinibatchSourceFromData({"x": X, "y": Y}, max_samples=4)
        streams = {x: source.streams.x, y: source.streams.y}
        given = {
            "trainer": trainer,
            "mb_source": source,
            "mb_size": 2,
            "model_inputs_to_streams": streams,
        }
        return C.train.training_session(**(given | options)).train()

    trainer = C.Trainer(z, (loss, loss), [learner()])
    data = {x: X, y: Y}
    calls = {
        "train": train,
        "train, one argument": lambda w: C.reduce_sum(z).train(w, parameter_learners=[learner()]),
        "test": loss.test,
        "test, minibatch_size": lambda w: loss.test((X, Y), minibatch_size=w),
        "Trainer, criterion": lambda w: C.Trainer(z, w, [learner()]),
        "Trainer, metric": lambda w: C.Trainer(z, (loss, w), [learner()]),
        "Trainer, learners": lambda w: C.Trainer(z, loss, w),
        "Trainer, writers": lambda w: C.Trainer(z, loss, [learner()], w),
        "train_minibatch": trainer.train_minibatch,
        "train_minibatch, outputs": lambda w: trainer.train_minibatch(data, outputs=w),
        "train_minibatch, device": lambda w: trainer.train_minibatch(data, device=w),
        "test_minibatch": trainer.test_minibatch,
        "save_checkpoint": trainer.save_checkpoint,
        "save_checkpoint, state": lambda w: trainer.save_checkpoint(tmp_path / "c", w),
        "restore_from_checkpoint": trainer.restore_from_checkpoint,
        "total_number_of_units_seen": trainer.total_number_of_units_seen,
        "Evaluator": C.Evaluator,
        "Evaluator, writers": lambda w: C.Evaluator(loss, w),
        "Evaluator.test_minibatch": C.Evaluator(loss).test_minibatch,
        "eval": loss.eval,
        "grad": loss.grad,
        "update": lambda w: learner().update(w, 1),
        "update, count": lambda w: learner().update({z.W: X[:, :1], z.b: Y[0]}, w),
        "reset_learning_rate": lambda w: learner().reset_learning_rate(w),
        "CheckpointConfig": C.CheckpointConfig,
        "CheckpointConfig, frequency": lambda w: C.CheckpointConfig("x", w),
        "CrossValidationConfig": C.CrossValidationConfig,
        "TestConfig": C.TestConfig,
    }
    for option in (
        "parameter_learners callbacks minibatch_size progress_frequency max_epochs epoch_size "
        "max_samples streams model_inputs_to_streams"
    ).split():
        calls[f"train, {option}"] = lambda w, option=option: train(**{option: w})
    for option in (
        "trainer mb_source mb_size model_inputs_to_streams progress_frequency max_samples "
        "checkpoint_config cv_config test_config"
    ).split():
        calls[f"session, {option}"] = lambda w, option=option: session(**{option: w})
    for option in "minibatch_size frequency max_samples model_inputs_to_streams callback".split():
        calls[f"CrossValidationConfig, {option}"] = lambda w, option=option: (
            C.CrossValidationConfig(**{option: w})
        )
    return calls


def test_no_error_is_python_s_own(made):
    bare = []
    for name, call in made.items():
        for wrong in WRONG:
            try:
                call(wrong)
            except (ValueError, TypeError, RuntimeError, FileNotFoundError) as error:
                if any(words in str(error) for words in OF_PYTHON):
                    bare.append((name, wrong, error))
            except Exception as error:
                bare.append((name, wrong, error))
    assert bare == []


# As the original raises them; where its own is Python's AttributeError or IndexError, what says
# that the kind is wrong.
CLASSES = [
    ("train", None, TypeError),
    ("train", (), ValueError),
    ("train, one argument", None, TypeError),
    ("train, minibatch_size", None, ValueError),
    ("train, minibatch_size", X, ValueError),
    ("train, streams", 5, TypeError),
    ("train, max_epochs", [], TypeError),
    ("train, max_epochs", "x", ValueError),
    ("train, epoch_size", {}, TypeError),
    ("train, max_samples", object(), TypeError),
    ("test, minibatch_size", None, ValueError),
    ("test, minibatch_size", [], TypeError),
    ("save_checkpoint", None, ValueError),
    ("save_checkpoint", 5, NotImplementedError),
    ("total_number_of_units_seen", X, NotImplementedError),
    ("update, count", None, TypeError),
    ("update", {}, RuntimeError),
    ("session, trainer", None, ValueError),
    ("session, mb_source", None, ValueError),
    ("session, mb_source", [], TypeError),
    ("session, mb_source", {}, TypeError),
    ("session, mb_size", X, ValueError),
    ("session, model_inputs_to_streams", X, TypeError),
    ("session, model_inputs_to_streams", 5, TypeError),
    ("session, max_samples", X, TypeError),
    ("CheckpointConfig", 5, NotImplementedError),
    ("CrossValidationConfig, max_samples", [], NotImplementedError),
]


@pytest.mark.parametrize(
    ("name", "wrong", "error"), CLASSES, ids=[f"{k} {case[0]}" for k, case in enumerate(CLASSES)]
)
def test_classes_are_the_original_s(made, name, wrong, error):
    with pytest.raises(error, match=r"expected|expects|must|pass a tuple|no gradient"):
        made[name](wrong)


def test_a_stream_that_a_source_does_not_have():
    x = C.input_variable(2, name="x")
    z = C.layers.Dense(1)(x)
    trainer = C.Trainer(z, C.reduce_sum(z), C.sgd(z.parameters, 0.1))
    source = C.io.MinibatchSourceFromData({"x": X}, max_samples=4)
    with pytest.raises(
        RuntimeError, match=r"has no stream None, which is to be for Input\('x'.*; it has x"
    ):
        C.train.training_session(trainer, source, 2, {x: None}).train()
