"""A training step that fails or is interrupted leaves all as it was before the minibatch, or as it
is after it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._execution import training_step
from cntk._execution.compiled_state import state_of
from cntk._runtime.uninterrupted import Uninterrupted
from cntk.errors import UserFunctionError

PACKAGE = str(Path(C.__file__).parent) + os.sep


class Training:
    """A network with random numbers, running statistics and several learners."""

    def __init__(
        self, learners: Any = None, writers: Any = None, wrap: Any = lambda x: x, seed: int = 1
    ) -> None:
        C.cntk_py.set_fixed_random_seed(seed)
        self.x, self.y = C.input_variable(4), C.input_variable(2)
        h = C.layers.Dense(5, activation=C.tanh)(self.x)
        self.z = C.layers.Dense(2)(C.layers.BatchNormalization()(wrap(C.dropout(h, 0.3, seed=5))))
        loss = C.cross_entropy_with_softmax(self.z, self.y)
        made = learners(self.z.parameters) if learners else adams(self.z.parameters)
        self.trainer = C.Trainer(
            self.z, (loss, C.classification_error(self.z, self.y)), made, writers
        )

    def train(self, number: int) -> None:
        draw = np.random.default_rng(number)
        x = draw.normal(size=(6, 4)).astype(np.float32)
        self.trainer.train_minibatch(
            {self.x: x, self.y: np.eye(2, dtype=np.float32)[draw.integers(0, 2, 6)]}
        )

    def state(self) -> list[Any]:
        """All that a checkpoint holds, and the random numbers that come next."""
        graph = C.combine([self.z, self.trainer.loss_function])
        held = [v.value.tobytes() for v in (*graph.parameters, *graph.constants)]
        counts: list[Any] = [self.trainer.total_number_of_samples_seen, self.trainer._step.passes()]
        for learner in self.trainer.parameter_learners:
            state = learner.state_dict()
            slots = state.pop("slots")
            counts += [
                repr(state),
                *(t.numpy().tobytes() for tensors in slots.values() for t in tensors),
            ]
        streams = state_of(self.trainer._step.function).streams
        return [held, counts, sorted(streams.offsets().values())]


def adams(parameters: Any) -> list[Any]:
    first, rest = parameters[:2], parameters[2:]
    noisy = {"gaussian_noise_injection_std_dev": 0.01, "l1_regularization_weight": 0.001}
    return [C.adam(first, 0.02, 0.9, **noisy), C.momentum_sgd(rest, 0.02, 0.9)]


def interrupted(training: Training, number: int, at: int) -> int:
    """Train with a Ctrl-C when so many lines of the package have run; how many there were."""
    lines = 0

    def traced(frame: Any, event: str, argument: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            lines += 1
            if lines == at:
                signal.raise_signal(signal.SIGINT)
        return traced

    before = sys.gettrace()
    try:
        sys.settrace(traced)
        training.train(number)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return lines


def plain_sgd(parameters: Any) -> Any:
    return C.sgd(parameters, 0.1)


@pytest.mark.parametrize("learners", [adams, plain_sgd])
@pytest.mark.parametrize("recorded_after", [4, 1000], ids=["recorded", "eager"])
def test_an_interrupt_leaves_what_was_before_or_what_is_after(
    learners: Any, recorded_after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At lines of a step all over: and training then goes on to the bit."""
    monkeypatch.setattr(training_step, "RECORD_AFTER", recorded_after)
    whole, training = Training(learners), Training(learners)
    number, at, seen = 0, 1, {"before": 0, "after": 0}
    for number in range(3):
        whole.train(number)
        training.train(number)
    while True:
        number += 1
        before = training.state()
        assert before == whole.state()
        lines = interrupted(training, number, at)
        whole.train(number)
        after = whole.state()
        found = training.state()
        assert found in (before, after)
        seen["before" if found == before else "after"] += 1
        if found == before:
            training.train(number)
            assert training.state() == after
        if lines < at:
            break
        at += 31
    assert min(seen.values()) > 1


class Ended(Exception):
    pass


class Failing(C.learners.UserLearner):
    """A learner in Python that changes its first parameter and then fails, if it is to."""

    fails = False

    def __init__(self, parameters: Any, error: type[BaseException] = Ended) -> None:
        super().__init__(parameters, C.learning_parameter_schedule(0.1))
        self.error = error

    def update(self, gradient_values: Any, training_sample_count: int, sweep_end: bool) -> bool:
        for k, (parameter, gradient) in enumerate(gradient_values.items()):
            if k and Failing.fails:
                raise self.error
            parameter.value = parameter.value - 0.1 * gradient.asarray()
        return True


class Complaining:
    """A progress writer that fails."""

    fails = False

    def write(self, key: str, value: Any) -> None:
        if Complaining.fails and key.startswith("Momentum"):
            raise Ended

    def update_training_with_minibatch(self, *told: Any) -> None:
        pass


class Refusing(C.ops.functions.UserFunction):  # type: ignore[misc]
    """A user function that fails in one of its directions, if it is to."""

    fails = ""

    def infer_outputs(self) -> Any:
        return [
            C.output_variable(
                self.inputs[0].shape, self.inputs[0].dtype, self.inputs[0].dynamic_axes
            )
        ]

    def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        if Refusing.fails == "forward":
            raise Ended
        return None, argument

    def backward(self, state: Any, root_gradients: Any) -> Any:
        if Refusing.fails == "backward":
            raise Ended
        return root_gradients


def slower(learner: Any) -> Any:
    return [
        C.adam(learner[:2], 0.02, 0.9),
        C.momentum_sgd(learner[2:], 0.02, C.momentum_schedule([0.9, 0.8], 12)),
    ]


@pytest.mark.parametrize(
    ("where", "options"),
    [
        ("learner", {"learners": lambda p: [C.adam(p[:2], 0.02, 0.9), Failing(p[2:])]}),
        (
            "learner",
            {"learners": lambda p: [Failing(p[:2], KeyboardInterrupt), C.adam(p[2:], 0.02, 0.9)]},
        ),
        ("writer", {"learners": slower, "writers": [Complaining()]}),
        ("forward", {"wrap": lambda x: C.user_function(Refusing([x]))}),
        ("backward", {"wrap": lambda x: C.user_function(Refusing([x]))}),
    ],
    ids=["second learner", "first learner", "writer", "forward", "backward"],
)
def test_an_error_leaves_all_as_it_was(where: str, options: Any) -> None:
    whole, training = Training(**options), Training(**options)
    for number in range(2):
        whole.train(number)
        training.train(number)
    before = training.state()
    Failing.fails, Complaining.fails = where == "learner", where == "writer"
    Refusing.fails = where
    try:
        if where == "writer":
            (learner,) = training.trainer.parameter_learners[1:]
            learner._reported.clear()
        with pytest.raises((Ended, KeyboardInterrupt, UserFunctionError)):
            training.train(2)
    finally:
        Failing.fails = Complaining.fails = False
        Refusing.fails = ""
    assert training.state() == before
    for number in range(2, 4):
        whole.train(number)
        training.train(number)
    assert training.state() == whole.state()


def test_what_is_not_interrupted_is_interrupted_after() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), Uninterrupted():
        signal.raise_signal(signal.SIGINT)
        done.append(1)
    assert done == [1] and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_threads_train_without_signals() -> None:
    training, found = Training(), []

    def train() -> None:
        training.train(0)
        found.append(training.trainer.total_number_of_samples_seen)

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert found == [6]


def test_a_loop_that_saves_when_it_is_interrupted_goes_on_to_the_bit(tmp_path: Path) -> None:
    """In the manner of programs that catch Ctrl-C: which minibatch is next the trainer says."""
    whole = Training()
    for number in range(6):
        whole.train(number)
    training, at = Training(), 2000
    while (number := training.trainer.total_number_of_units_seen(C.DataUnit.minibatch)) < 6:
        interrupted(training, number, at)
        at = int(at * 1.3)
        training.trainer.save_checkpoint(tmp_path / "c")
        training = Training(seed=7)
        training.trainer.restore_from_checkpoint(tmp_path / "c")
    assert training.state()[0] == whole.state()[0]
