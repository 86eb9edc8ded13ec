"""Weights never go on with another checkpoint's states: a torn pair is healed, or refused with a
way out.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._persist import checkpoints, files
from cntk._writing import leftovers, whole_files
from tests.train.session_programs import source


class Training:
    """A small training, and what it is like after each minibatch."""

    def __init__(self) -> None:
        C.cntk_py.set_fixed_random_seed(1)
        self.x, self.y = C.input_variable(3), C.input_variable(1)
        self.model = C.layers.Dense(1, name="d")(self.x)
        learner = C.momentum_sgd(self.model.parameters, 0.05, 0.9)
        self.trainer = C.Trainer(self.model, C.squared_error(self.model, self.y), [learner])

    def train(self) -> None:
        samples = self.trainer.total_number_of_samples_seen
        x = np.full((4, 3), 0.1 + 0.01 * samples, np.float32)
        self.trainer.train_minibatch({self.x: x, self.y: np.ones((4, 1), np.float32)})

    def state(self) -> tuple[int, bytes, bytes]:
        (learner,) = self.trainer.parameter_learners
        kept = learner.state_dict()["slots"].values()
        slots = b"".join(t.numpy().tobytes() for tensors in kept for t in tensors)
        return self.trainer.total_number_of_samples_seen, self.model.d.W.value.tobytes(), slots


@cache
def course(minibatches: int = 3) -> list[tuple[int, bytes, bytes]]:
    """The state after each minibatch."""
    training, found = Training(), []
    for _ in range(minibatches):
        training.train()
        found.append(training.state())
    return found


def saved(folder: Path, minibatches: int = 1, name: str = "c") -> str:
    """A checkpoint after so many minibatches."""
    training = Training()
    for _ in range(minibatches):
        training.train()
    path = str(folder / name)
    training.trainer.save_checkpoint(path)
    return path


class Ended(BaseException):
    """In place of the end of a process: nothing is put in order after it."""


def calls_of_the_system(
    monkeypatch: pytest.MonkeyPatch, end_at: int, error: type[BaseException] = Ended
) -> list[str]:
    """Have the n-th call that changes the disk fail, and all that follow, where the process is to
    have ended.
    """
    made: list[str] = []

    def counted(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counting(*arguments: Any, **options: Any) -> Any:
            made.append(name)
            if len(made) == end_at or (len(made) > end_at and error is Ended):
                raise error
            return call(*arguments, **options)

        return counting

    for name in ("replace", "fsync", "unlink", "link", "chmod", "open"):
        monkeypatch.setattr(os, name, counted(name, getattr(os, name)))
    return made


@pytest.mark.parametrize(
    ("error", "is_first"),
    [(Ended, False), (Ended, True), (KeyboardInterrupt, False)],
    ids=["end", "end of the first", "interrupt"],
)
def test_wherever_saving_ends_the_two_files_belong_together(
    tmp_path: Path, error: Any, is_first: bool
) -> None:
    """At each call that changes the disk, one after another; and the next checkpoint leaves nothing
    behind.
    """
    for number in range(1, 100):
        folder = tmp_path / str(number)
        path = str(folder / "c")
        training = Training()
        training.train()
        if not is_first:
            training.trainer.save_checkpoint(path)
            training.train()
        with pytest.MonkeyPatch.context() as patch:
            made = calls_of_the_system(patch, number, error)
            try:
                training.trainer.save_checkpoint(path)
            except (Ended, KeyboardInterrupt, OSError):
                pass
        fresh = Training()
        if not is_first or checkpoints.is_checkpoint(path):
            fresh.trainer.restore_from_checkpoint(path)
            assert fresh.state() in course()[:2]
        fresh.train()
        assert fresh.state() in course()
        fresh.trainer.save_checkpoint(path)
        again = Training()
        again.trainer.restore_from_checkpoint(path)
        assert again.state() == fresh.state()
        if leftovers.LOCKS:
            assert sorted(os.listdir(folder)) == ["c", "c.ckp"]
        if len(made) < number:
            assert number > 8
            return
    raise AssertionError("it never came to the end")


@pytest.mark.parametrize("step", range(1, 40))
def test_interrupts_between_any_two_lines(tmp_path: Path, step: int) -> None:
    """Ctrl-C comes between two lines of Python: in what exchanges the files, and in what clears up
    behind it.
    """
    training = Training()
    training.train()
    path = str(tmp_path / "c")
    training.trainer.save_checkpoint(path)
    training.train()
    lines = [0]
    names = (
        "_exchange",
        "_take_back",
        "_replace",
        "replacing_together",
        "_keep",
        "_remove",
        "_sync_directory",
    )

    def traced(frame: Any, event: str, argument: Any) -> Any:
        if frame.f_code.co_filename != whole_files.__file__ or frame.f_code.co_name not in names:
            return None
        if event == "line":
            lines[0] += 1
            if lines[0] in (2 * step, 2 * step + 5):
                raise KeyboardInterrupt
        return traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        training.trainer.save_checkpoint(path)
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    fresh = Training()
    fresh.trainer.restore_from_checkpoint(path)
    assert fresh.state() in course()[:2]


# -- pairs that do not belong together -------------------------------------------------------------


def unmarked(path: str) -> None:
    """Have a file be as the original, or an older version, writes it."""
    values = files.read(path)
    values.pop("CheckpointMark", None)
    values.pop("WeightsUntilReplaced", None)
    files.write(path, values)


def mixed(first: str, second: str) -> None:
    shutil.copy(second + ".ckp", first + ".ckp")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (mixed, "replaced or copied without the other"),
        (lambda a, b: unmarked(a), r"Function.save, has written .*c' since"),
        (lambda a, b: unmarked(a + ".ckp"), "written by the original or an older version"),
        (lambda a, b: C.load_model(a).save(a), r"Function.save, has written .*c' since"),
    ],
    ids=["states of another", "an unmarked model", "unmarked states", "saved over"],
)
def test_what_does_not_belong_together_is_refused(tmp_path: Path, change: Any, why: str) -> None:
    path, other = saved(tmp_path), saved(tmp_path, 2, "other")
    change(path, other)
    training = Training()
    training.train()
    before = training.state()
    with pytest.raises(
        ValueError, match=f"not of the same checkpoint: .*{why}.*load_model loads the weights alone"
    ):
        training.trainer.restore_from_checkpoint(path)
    assert training.state() == before
    C.load_model(path)


def test_without_marks_a_checkpoint_is_taken_as_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path)
    unmarked(path)
    unmarked(path + ".ckp")
    training = Training()
    training.trainer.restore_from_checkpoint(path)
    assert training.state() == course()[0]


def test_both_files_go_on_under_another_name(tmp_path: Path) -> None:
    path = saved(tmp_path)
    os.mkdir(tmp_path / "elsewhere")
    for ending in ("", ".ckp"):
        shutil.copy(path + ending, str(tmp_path / "elsewhere" / "other") + ending)
    training = Training()
    training.trainer.restore_from_checkpoint(tmp_path / "elsewhere" / "other")
    assert training.state() == course()[0]


def torn(path: str) -> None:
    """Have a process end between the two files."""
    training = Training()
    training.trainer.restore_from_checkpoint(path)
    training.train()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            whole_files, "_exchange", lambda fresh: os.replace(fresh[0].temporary, fresh[0].target)
        )
        training.trainer.save_checkpoint(path)


def test_a_model_saved_over_a_torn_checkpoint_leaves_it_whole(tmp_path: Path) -> None:
    """What is left of the writing is needed: the new weights are nowhere else."""
    path = saved(tmp_path)
    torn(path)
    C.load_model(path).save(path)
    training = Training()
    training.trainer.restore_from_checkpoint(path)
    assert training.state() == course()[1]


def test_a_torn_checkpoint_that_was_copied_says_what_is_missing(tmp_path: Path) -> None:
    path = saved(tmp_path)
    torn(path)
    (part,) = (name for name in os.listdir(tmp_path) if name.endswith(".part"))
    os.unlink(tmp_path / part)
    with pytest.raises(ValueError, match=rf"or without the file '{part}'"):
        Training().trainer.restore_from_checkpoint(path)


def test_a_pair_that_is_being_replaced_just_now_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = saved(tmp_path), saved(tmp_path, 2, "other")
    mixed(path, other)
    monkeypatch.setattr(checkpoints.time, "sleep", lambda seconds: shutil.copy(other, path))
    training = Training()
    training.trainer.restore_from_checkpoint(path)
    assert training.state() == course()[1]


# -- sessions --------------------------------------------------------------------------------------


def session(folder: Path, limit: int, callback: Any = None, **options: Any) -> tuple[Any, Any]:
    """A session whose learning rate a callback may change."""
    C.cntk_py.set_fixed_random_seed(1)
    x, y = C.input_variable(2), C.input_variable(2)
    z = C.layers.Dense(2)(x)
    learner = C.momentum_sgd(z.parameters, 0.05, 0.9)
    trainer = C.Trainer(
        z, (C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)), [learner]
    )
    data = source(str(folder), 25, {"max_samples": C.io.INFINITELY_REPEAT})
    config = C.CheckpointConfig(str(folder / "c"), frequency=8, **options)
    tried = None
    if callback is not None:
        tried = C.CrossValidationConfig(
            None, frequency=8, callback=lambda *told: callback(learner, *told)
        )
    streams = {x: data.streams.x, y: data.streams.y}
    made = C.training_session(
        trainer, data, 4, streams, max_samples=limit, checkpoint_config=config, cv_config=tried
    )
    return z, made


def weights(model: Any) -> bytes:
    return b"".join(p.value.tobytes() for p in model.parameters)


def slower(learner: Any, index: int, *told: Any) -> bool:
    learner.reset_learning_rate(C.learning_parameter_schedule(0.05 / (index + 2)))
    return True


@pytest.mark.parametrize("preserve_all", [False, True])
def test_a_cross_validation_that_was_still_due_is_made_up_for(
    tmp_path: Path, preserve_all: bool
) -> None:
    """The checkpoint comes first. What the callback then does to the learning rate is not in it."""
    heard: list[list[int]] = [[], [], []]

    def told(turn: int, ends_at: int | None = None) -> Any:
        def callback(learner: Any, index: int, *rest: Any) -> bool:
            if index == ends_at:
                raise Ended
            heard[turn].append(index)
            return slower(learner, index)

        return callback

    folders = tmp_path / "whole", tmp_path / "parts"
    for folder in folders:
        folder.mkdir()
    whole, training = session(folders[0], 40, told(0), preserve_all=preserve_all)
    training.train()
    _, training = session(folders[1], 40, told(1, 2), preserve_all=preserve_all)
    with pytest.raises(Ended):
        training.train()
    parts, training = session(folders[1], 40, told(2), preserve_all=preserve_all)
    training.train()
    assert heard == [[0, 1, 2, 3, 4], [0, 1], [2, 3, 4]]
    assert weights(parts) == weights(whole)


def test_a_callback_that_ends_training_ends_it_though_the_process_ended(tmp_path: Path) -> None:
    def ends(learner: Any, index: int, *told: Any) -> bool:
        raise Ended

    _, training = session(tmp_path, 40, ends)
    with pytest.raises(Ended):
        training.train()
    _, training = session(tmp_path, 40, lambda learner, index, *told: index < 0)
    training.train()
    assert training.trainer.total_number_of_samples_seen == 8


def test_the_furthest_checkpoint_is_gone_on_from(tmp_path: Path) -> None:
    """A second session with more samples was killed: it goes on from its own last one, not from the
    first session's.
    """
    for limit in (20, 44):
        _, training = session(tmp_path, limit, preserve_all=True)
        training.train()
    os.unlink(tmp_path / "c")
    os.unlink(tmp_path / "c.ckp")
    for ending in ("", ".ckp"):
        shutil.copy(str(tmp_path / "c1") + ending, str(tmp_path / "c") + ending)
    _, training = session(tmp_path, 60, preserve_all=True)
    training.train()
    assert training.trainer.total_number_of_samples_seen == 60
    begun: list[int] = []
    shutil.copy(str(tmp_path / "c1"), str(tmp_path / "c"))
    shutil.copy(str(tmp_path / "c1.ckp"), str(tmp_path / "c.ckp"))
    _, training = session(tmp_path, 60, preserve_all=True)
    restore = training.trainer.restore_from_checkpoint
    training.trainer.restore_from_checkpoint = lambda path: (
        restore(path),
        begun.append(training.trainer.total_number_of_samples_seen),
    )[0]
    training.train()
    assert begun[0] > 50


def test_the_last_checkpoint_is_written_though_the_process_ended_before(tmp_path: Path) -> None:
    _, training = session(tmp_path, 40, preserve_all=True)
    training.train()
    os.unlink(tmp_path / "c")
    os.unlink(tmp_path / "c.ckp")
    model, training = session(tmp_path, 40, preserve_all=True)
    training.train()
    assert weights(C.load_model(str(tmp_path / "c"))) == weights(model)


@pytest.mark.parametrize("fault", ["states missing", "states of another"])
def test_an_earlier_checkpoint_is_taken_in_place_of_a_torn_one(tmp_path: Path, fault: str) -> None:
    whole, training = session(tmp_path, 40, preserve_all=True)
    training.train()
    for name in ("c", "c.ckp"):
        os.unlink(tmp_path / name)
    if fault == "states missing":
        os.unlink(tmp_path / "c4.ckp")
    else:
        mixed(str(tmp_path / "c4"), str(tmp_path / "c0"))
    parts, training = session(tmp_path, 40, preserve_all=True)
    with pytest.warns(UserWarning, match=r"c4.*an earlier checkpoint is taken"):
        training.train()
    assert weights(parts) == weights(whole)


def test_a_first_checkpoint_without_its_name_is_found(tmp_path: Path) -> None:
    _, training = session(tmp_path, 8)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            whole_files, "_exchange", lambda fresh: os.replace(fresh[0].temporary, fresh[0].target)
        )
        training.train()
    assert not (tmp_path / "c").exists()
    _, training = session(tmp_path, 12)
    training.train()
    assert training.trainer.parameter_learners[0].total_number_of_minibatches_seen() == 3
    assert sorted(name for name in os.listdir(tmp_path) if name.startswith(("c", ".c"))) == [
        "c",
        "c.ckp",
    ]
