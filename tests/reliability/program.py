"""Trainings that are killed: each goes on from its newest checkpoint and writes down the loss of
every minibatch.

Nothing but the checkpoint may tell a later process where it is: it begins with other seeds and
other names of nodes.
"""

from __future__ import annotations

import hashlib
import os
import random
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import cntk as C
from cntk._writing import whole_files

SEQUENCES, WORDS, CLASSES = 60, 12, 3
SIZE = 20
# How many samples a session trains on, and how many minibatches a loop.
SAMPLES = {"lstm": 85, "recorded": 52 * SIZE, "truncated": 36 * SIZE}
MINIBATCHES = {"lstm": 26, "recorded": 52, "truncated": 36}
# Calls of the system by which a checkpoint changes the disk.
CALLS = ("replace", "fsync", "link", "unlink", "chmod")


@dataclass(frozen=True)
class Settings:
    """What is trained, and how.

    Attributes:
        program: ``session``, or ``loop`` for one that is written by hand and keeps the reader's
            position itself.
        every: after how many minibatches a checkpoint is written.
        preserve_all: whether each is kept under a name of its own.
        network: ``lstm``; ``recorded``, whose minibatches are all of one size; ``truncated``, long
            sequences in pieces.
        learner: ``adam``, or that within ``data_parallel`` or ``block_momentum``.
        saves_on_interrupt: whether Ctrl-C has the loop write a checkpoint at once.
    """

    program: str = "session"
    every: int = 4
    preserve_all: bool = False
    network: str = "lstm"
    learner: str = "adam"
    saves_on_interrupt: bool = False


def write_data(folder: str) -> None:
    """Write the training data, a text file for each kind of network."""
    draw = random.Random(3)
    for network in MINIBATCHES:
        lines = []
        for sequence in range(SEQUENCES):
            length = {"lstm": draw.randint(2, 7), "recorded": 1, "truncated": 18}[network]
            for step in range(length):
                word = f"|x {draw.randrange(WORDS)}:1"
                if network == "recorded":
                    word = "|x " + " ".join(str(draw.randrange(9)) for _ in range(WORDS))
                each = network == "truncated" or not step
                label = draw.randrange(CLASSES)
                told = f" |y {label}:1"
                if network == "recorded":
                    told = " |y " + " ".join(str(int(label == k)) for k in range(CLASSES))
                lines.append(f"{sequence} {word}" + (told if each else ""))
        Path(folder, f"{network}.ctf").write_text("\n".join(lines) + "\n", encoding="ascii")


def reader_of(data: str, network: str) -> Any:
    """The data, shuffled without end."""
    is_sparse = network != "recorded"
    streams = C.io.StreamDefs(
        x=C.io.StreamDef("x", WORDS, is_sparse=is_sparse),
        y=C.io.StreamDef("y", CLASSES, is_sparse=is_sparse),
    )
    options = {"truncation_length": 4} if network == "truncated" else {}
    return C.io.MinibatchSource(
        C.io.CTFDeserializer(os.path.join(data, f"{network}.ctf"), streams),
        randomize=True,
        randomization_window_in_chunks=4,
        max_samples=C.io.INFINITELY_REPEAT,
        **options,
    )


def network_of(network: str) -> tuple[Any, Any, Any]:
    """Arguments and model; every kind draws random numbers while it is trained."""
    if network == "recorded":
        x, y = C.input_variable(WORDS), C.input_variable(CLASSES)
        layers = [C.layers.Dense(8, activation=C.tanh)]
    else:
        x = C.sequence.input_variable(WORDS, is_sparse=True)
        y = C.sequence.input_variable(CLASSES, is_sparse=True)
        if network == "lstm":
            y = C.input_variable(CLASSES, is_sparse=True)
        layers = [C.layers.Embedding(6), C.layers.Recurrence(C.layers.LSTM(8))]
        layers += [C.sequence.last] if network == "lstm" else []
    model = C.layers.Sequential(
        [*layers, C.layers.Dropout(0.3), C.layers.BatchNormalization(), C.layers.Dense(CLASSES)]
    )
    return x, y, model(x)


def learner_of(kind: str, parameters: Any) -> Any:
    """A learner with schedules and noise."""
    rates = C.learning_parameter_schedule(
        [0.02] * 2 + [0.01] * 2 + [0.005], minibatch_size=SIZE, epoch_size=5 * SIZE
    )
    made = C.adam(
        parameters,
        rates,
        C.momentum_schedule([0.9, 0.8], epoch_size=9 * SIZE),
        gaussian_noise_injection_std_dev=0.01,
        l2_regularization_weight=0.001,
    )
    if kind == "data_parallel":
        return C.distributed.data_parallel_distributed_learner(made)
    if kind == "block_momentum":
        return C.train.distributed.block_momentum_distributed_learner(made, block_size=3 * SIZE)
    return made


class Log:
    """What all processes of a training have written, line by line, one after another.

    Args:
        path: the file.
    """

    def __init__(self, path: str) -> None:
        self._handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def write(self, line: str) -> None:
        """Add a line at once; a kill leaves whole lines."""
        os.write(self._handle, line.encode() + b"\n")


class Telling(C.Trainer):  # type: ignore[misc]
    """A trainer that writes down each loss.

    Args:
        log: where to.
        arguments: see `cntk.Trainer`.
    """

    def __init__(self, log: Log, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._log = log

    def train_minibatch(self, *arguments: Any, **options: Any) -> Any:
        result = super().train_minibatch(*arguments, **options)
        number = self.total_number_of_units_seen(C.DataUnit.minibatch)
        self._log.write(f"{number} {self.previous_minibatch_loss_average.hex()}")
        return result


def digest(trainer: Any) -> str:
    """All that was trained, with the learners' states, as a short string."""
    found = hashlib.sha256()
    for variable in (*trainer.loss_function.parameters, *trainer.loss_function.constants):
        found.update(np.ascontiguousarray(variable.value).tobytes())
    for learner in trainer.parameter_learners:
        state = getattr(learner, "local", learner)
        while hasattr(state, "local"):
            state = state.local
        values = state.state_dict()
        for tensors in values.pop("slots").values():
            for tensor in tensors:
                found.update(tensor.numpy().tobytes())
        found.update(repr(values).encode())
    found.update(str(trainer.total_number_of_samples_seen).encode())
    return found.hexdigest()[:20]


def run(
    data: str, folder: str, settings: Settings, fatal: int | None = None, start: int = 0
) -> None:
    """Train to the end, from the newest checkpoint on.

    Args:
        data: the folder of `write_data`.
        folder: where the checkpoints and the log are.
        settings: what is trained.
        fatal: at which call that changes the disk, counted from the third checkpoint on, this
            process kills itself.
        start: how many processes there have been before.
    """
    log = Log(os.path.join(folder, "log"))
    is_new = not any(name.endswith(".ckp") for name in os.listdir(folder))
    C.cntk_py.set_fixed_random_seed(1 if is_new else 100 + start)
    for _ in range(0 if is_new else 5 * start):
        C.placeholder()
    x, y, model = network_of(settings.network)
    loss, metric = C.cross_entropy_with_softmax(model, y), C.classification_error(model, y)
    trainer = Telling(log, model, (loss, metric), [learner_of(settings.learner, model.parameters)])
    if fatal is not None:
        count_calls(trainer, fatal, log)
    reader = reader_of(data, settings.network)
    path = os.path.join(folder, "c")
    {"session": session, "loop": loop}[settings.program](trainer, reader, x, y, path, settings)
    log.write(f"final {digest(trainer)}")


def session(trainer: Any, reader: Any, x: Any, y: Any, path: str, settings: Settings) -> None:
    """A training session whose cross validations lower the learning rate."""
    unit = C.DataUnit.minibatch
    learner = trainer.parameter_learners[0]

    def tried(index: int, *told: Any) -> bool:
        if index % 2:
            learner.reset_learning_rate(
                C.learning_parameter_schedule(learner.learning_rate() * 0.9)
            )
        return True

    C.training_session(
        trainer,
        reader,
        SIZE,
        {x: reader.streams.x, y: reader.streams.y},
        max_samples=SAMPLES[settings.network],
        checkpoint_config=C.CheckpointConfig(
            path, (settings.every, unit), preserve_all=settings.preserve_all
        ),
        cv_config=C.CrossValidationConfig(None, (6, unit), callback=tried),
    ).train()


def loop(trainer: Any, reader: Any, x: Any, y: Any, path: str, settings: Settings) -> None:
    """A loop written by hand, which keeps the reader's position in what it adds to a checkpoint."""
    folder = os.path.dirname(path)
    numbers = [
        int(n[1:-4])
        for n in os.listdir(folder)
        if n.endswith(".ckp") and n[:1] == "c" and n[1:-4].isdigit()
    ]
    newest = max((n for n in numbers if os.path.exists(f"{path}{n}")), default=None)
    found = path if os.path.exists(path + ".ckp") else None if newest is None else f"{path}{newest}"
    number = 0
    if found is not None:
        state = trainer.restore_from_checkpoint(found)
        reader.restore_from_checkpoint(state["reader"])
        number = state["number"]
    positions = {number: dict(reader.get_checkpoint_state())}
    try:
        while number < MINIBATCHES[settings.network]:
            given = reader.next_minibatch(SIZE, {x: reader.streams.x, y: reader.streams.y})
            positions[number + 1] = dict(reader.get_checkpoint_state())
            trainer.train_minibatch(given)
            number += 1
            if number % settings.every == 0:
                name = f"{path}{number}" if settings.preserve_all else path
                trainer.save_checkpoint(name, {"reader": positions[number], "number": number})
    except KeyboardInterrupt:
        if settings.saves_on_interrupt:
            number = trainer.total_number_of_units_seen(C.DataUnit.minibatch)
            name = f"{path}{number}" if settings.preserve_all else path
            trainer.save_checkpoint(name, {"reader": positions[number], "number": number})
        raise


# -- ends of this process --------------------------------------------------------------------------


def die() -> None:
    """End this process as a kill does."""
    if hasattr(signal, "SIGKILL"):
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(9)


def count_calls(trainer: Any, fatal: int, log: Log) -> None:
    """Count the calls that change the disk in the third checkpoint; die before the one with that
    number.

    What is written in it last is written by half. A number of 0 has the calls written down instead.
    """
    made: list[str] = []
    saved = [0]
    save = trainer.save_checkpoint

    def saving(*arguments: Any) -> None:
        saved[0] += 1
        save(*arguments)
        if saved[0] == 3 and fatal == 0:
            log.write(f"calls {' '.join(made)}")

    def note(name: str) -> bool:
        if saved[0] == 3:
            made.append(name)
        return bool(fatal) and len(made) == fatal

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            if note(name):
                die()
            return call(*arguments, **options)

        return counting

    class Counting(whole_files._NamedFile):
        def write(self, content: Any, /) -> int:
            if note("write"):
                super().write(memoryview(content)[: len(content) // 2])
                die()
            return super().write(content)

    trainer.save_checkpoint = saving
    whole_files._NamedFile = Counting  # type: ignore[misc]
    for name in CALLS:
        setattr(os, name, counted(name, getattr(os, name)))


def quietly(*arguments: Any) -> None:
    """Run as a process of its own: its errors go to the log, and an interrupt ends it as it ends
    any program.
    """
    folder = arguments[1]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    if hasattr(signal, "SIGINT"):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        Log(os.path.join(folder, "log")).write("started")
        run(*arguments)
    except KeyboardInterrupt:
        os._exit(130)
    except BaseException as error:
        Log(os.path.join(folder, "log")).write(
            f"error {type(error).__name__}: {str(error)[:300]!r}"
        )
        os._exit(3)
    sys.stdout.flush()
    os._exit(0)
