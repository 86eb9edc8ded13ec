"""Checkpoints: training goes on from them as without a break, here and with the original, or
nothing has changed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._execution.training_step import RECORD_AFTER
from cntk._persist import files
from cntk._persist.protobuf.dictionary import Size
from tests.reliability.forged_checkpoints import everything
from tests.train.checkpoint_programs import (
    MINIBATCHES,
    SAVED_AFTER,
    external,
    learners,
    losses,
    trainer,
)

GOLDEN = np.load(Path(__file__).parent / "golden_checkpoints.npz")
KINDS = sorted(learners(C))


def golden(name: str, directory: Path) -> Path:
    """The original's checkpoint as two files."""
    path = directory / name
    path.write_bytes(GOLDEN[f"{name}/model"].tobytes())
    Path(f"{path}.ckp").write_bytes(GOLDEN[f"{name}/state"].tobytes())
    return path


def changed(path: Path, change: Callable[[dict[str, Any]], Any]) -> Path:
    """A checkpoint's state, written again with a change."""
    values = files.read(f"{path}.ckp")
    change(values)
    files.write(f"{path}.ckp", values)
    return path


# -- with the original -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", KINDS)
def test_goes_on_from_the_originals_checkpoint(name: str, tmp_path: Path) -> None:
    inputs, training = trainer(C, name)
    assert training.restore_from_checkpoint(golden(name, tmp_path)) == external(name)
    assert training.total_number_of_samples_seen == 16
    found = losses(training, inputs, SAVED_AFTER, MINIBATCHES)
    np.testing.assert_allclose(found, GOLDEN[f"{name}/losses"], rtol=1e-4, atol=1e-6)


def kinds_of(values: Any) -> Any:
    """Keys and kinds of values, shapes of arrays."""
    if isinstance(values, Mapping):
        return {key: kinds_of(value) for key, value in values.items()}
    if isinstance(values, list):
        return [kinds_of(value) for value in values]
    return values.shape if isinstance(values, np.ndarray) else type(values)


@pytest.mark.parametrize("name", KINDS)
def test_writes_what_the_original_writes(name: str, tmp_path: Path) -> None:
    """The same keys with values of the same kinds, the same counts and schedules, and nearly the
    same numbers.
    """
    C.cntk_py.reset_random_seed(40)
    inputs, training = trainer(C, name)
    losses(training, inputs, 0, SAVED_AFTER)
    training.save_checkpoint(tmp_path / "ours", external(name))
    ours, theirs = (
        files.read(f"{path}.ckp") for path in (tmp_path / "ours", golden(name, tmp_path))
    )
    assert ours.pop("PassesSeen") == SAVED_AFTER
    assert ours.pop("SizesSeen") == {"5": 1, "8": 1, "3": 1}
    mark = ours.pop("CheckpointMark")
    assert ours.pop("WeightsUntilReplaced") == f".ours.{mark}.part"
    assert kinds_of(ours) == kinds_of(theirs)
    for mine, other in zip(ours["Learners"], theirs["Learners"], strict=True):
        for one, two in zip(
            mine.pop("smoothed_gradients"), other.pop("smoothed_gradients"), strict=True
        ):
            np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-5)
        assert mine.pop("smoothed_count", 0) == pytest.approx(
            other.pop("smoothed_count", 0), rel=1e-9
        )
        assert mine == other
    assert ours["ExternalState"] == theirs["ExternalState"]


def test_a_learners_state_of_older_versions(tmp_path: Path) -> None:
    """Schedules had a unit; smoothed gradients stood under the parameters' uids; sweeps were not
    counted.
    """

    def make_older(values: dict[str, Any]) -> None:
        (state,) = values["Learners"]
        gathered = state.pop("smoothed_gradients")
        uids = [p.uid for p in C.load_model(tmp_path / "adam").parameters]
        state |= dict(zip(uids, gathered, strict=True))
        state["version"] = Size(1)
        del state["sweepCount"], state["noise_injection_seed"], state["master_parameter_updated"]
        rates = state["learnig_rate_schedule"]
        rates |= {"version": Size(1), "unit": Size(0)}
        del rates["ref_mb_size"]

    inputs, training = trainer(C, "adam")
    training.restore_from_checkpoint(golden("adam", tmp_path))
    wanted = training.parameter_learners[0].state_dict()
    inputs, training = trainer(C, "adam")
    training.restore_from_checkpoint(changed(golden("adam", tmp_path), make_older))
    found = training.parameter_learners[0].state_dict()
    assert found["learning_rate"] == wanted["learning_rate"] | {"minibatch_size": 1}
    assert (found["samples"], found["minibatches"], found["sweeps"]) == (
        wanted["samples"],
        wanted["minibatches"],
        0,
    )
    for name, tensors in wanted["slots"].items():
        assert all(a.equal(b) for a, b in zip(tensors, found["slots"][name], strict=True))


# -- exactness -------------------------------------------------------------------------------------

GO_ON = """
import sys
import numpy as np
import cntk as C
from tests.reliability.forged_checkpoints import everything
from tests.train.checkpoint_programs import MINIBATCHES, SAVED_AFTER, learners, losses, trainer

for _ in range(7):
    C.placeholder()  # other uids than in the process that saved
for name in learners(C):
    inputs, training = trainer(C, name, 0.3)
    training.restore_from_checkpoint(f"{sys.argv[1]}/{name}")
    np.save(f"{sys.argv[1]}/{name}.npy", losses(training, inputs, SAVED_AFTER, MINIBATCHES))
"""


def test_another_process_goes_on_to_the_bit(tmp_path: Path) -> None:
    """With dropout, other random numbers, batch normalisation and every learner."""
    wanted = {}
    for name in KINDS:
        inputs, training = trainer(C, name, 0.3)
        losses(training, inputs, 0, SAVED_AFTER)
        training.save_checkpoint(tmp_path / name)
        wanted[name] = losses(training, inputs, SAVED_AFTER, MINIBATCHES)
    root = Path(__file__).parent.parent.parent
    subprocess.run([sys.executable, "-c", GO_ON, str(tmp_path)], check=True, cwd=root)
    for name in KINDS:
        np.testing.assert_array_equal(np.load(tmp_path / f"{name}.npy"), wanted[name], err_msg=name)


def recurrent() -> tuple[Any, C.Trainer]:
    """A recurrence that is recorded by itself, and a network that is recorded as a whole."""
    x, y = C.sequence.input_variable(3), C.input_variable(2)
    w, v = (C.parameter((n, 4), init=C.glorot_uniform(seed=n)) for n in (7, 4))

    @C.Function
    def cell(state: Any, step: Any) -> Any:
        return C.tanh(C.times(C.splice(state, step), w) * C.sigmoid(C.times(state, v)))

    folded = C.sequence.last(C.layers.Recurrence(cell, initial_state=0.1)(x))
    z = C.layers.Dense(2, init=C.glorot_uniform(seed=1))(C.dropout(folded, 0.2, seed=3))
    return (x, y), C.Trainer(z, C.cross_entropy_with_softmax(z, y), C.sgd(z.parameters, 0.5))


@pytest.mark.parametrize("saved_after", [3, 8, RECORD_AFTER - 1, RECORD_AFTER + 4])
def test_recorded_steps_go_on_to_the_bit(tmp_path: Path, saved_after: int) -> None:
    """Whether steps have been recorded when training is interrupted, or will be soon after."""
    rng = np.random.RandomState(1)
    data = [
        ([rng.normal(size=(n, 3)).astype(np.float32) for n in (6, 5)], np.eye(2, dtype=np.float32))
        for _ in range(RECORD_AFTER + 8)
    ]

    def go(program: tuple[Any, C.Trainer], begin: int, end: int | None) -> list[float]:
        (x, y), training = program
        found = []
        for sequences, told in data[begin:end]:
            training.train_minibatch({x: sequences, y: told})
            found.append(training.previous_minibatch_loss_average)
        return found

    wanted = go(recurrent(), 0, None)[saved_after:]
    saved = recurrent()
    go(saved, 0, saved_after)
    saved[1].save_checkpoint(tmp_path / "c")
    assert go(saved, saved_after, None) == wanted
    other = recurrent()
    other[1].restore_from_checkpoint(tmp_path / "c")
    assert go(other, saved_after, None) == wanted
    saved[1].restore_from_checkpoint(tmp_path / "c")
    assert go(saved, saved_after, None) == wanted


# -- what else is kept -----------------------------------------------------------------------------


def small(make: Callable[[Any], Any], model: bool = True) -> tuple[dict[Any, Any], C.Trainer]:
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1, name="z")(x)
    data = {x: np.ones((4, 2), np.float32), y: np.ones((4, 1), np.float32)}
    return data, C.Trainer(z if model else None, C.squared_error(z, y), make(z.parameters))


def test_external_state_comes_back_as_plain_values(tmp_path: Path) -> None:
    _, training = small(lambda p: C.sgd(p, 0.1))
    given = {
        "n": 2**40,
        "far": -(2**40),
        "np": np.int64(3),
        "f": np.float32(0.5),
        "a": np.eye(2),
        "t": (1, "x"),
        "d": {},
    }
    training.save_checkpoint(tmp_path / "c", given)
    found = training.restore_from_checkpoint(tmp_path / "c")
    array = found.pop("a")
    array += 1  # the program's own
    np.testing.assert_array_equal(array, np.eye(2) + 1)
    assert found == {"n": 2**40, "far": -(2.0**40), "np": 3, "f": 0.5, "t": [1, "x"], "d": {}}
    assert type(found["n"]) is type(found["np"]) is int
    training.save_checkpoint(tmp_path / "c")
    assert training.restore_from_checkpoint(str(tmp_path / "c")) == {}


class Moving(C.learners.UserLearner):
    """A learner in Python, which counts no samples."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, C.learning_parameter_schedule(0.25))

    def update(self, gradient_values: Any, training_sample_count: int, sweep_end: bool) -> bool:
        return True


def test_samples_that_no_learner_has_counted(tmp_path: Path) -> None:
    data, training = small(Moving)
    training.train_minibatch(data)
    training.save_checkpoint(tmp_path / "c")
    _, other = small(Moving)
    other.restore_from_checkpoint(tmp_path / "c")
    assert other.total_number_of_samples_seen == 4
    assert other.parameter_learners[0].total_number_of_samples_seen() == 0


def test_minibatches_that_change_nothing_do_not_count() -> None:
    data, training = small(lambda p: C.sgd(p, 0.0))
    assert not training.train_minibatch(data)
    assert (
        training.total_number_of_samples_seen == 0 and training.previous_minibatch_sample_count == 4
    )


class Counting(C.learners.UserLearner):
    """A learner in Python, with a state of its own."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, C.learning_parameter_schedule(0.25))
        self.seen = 0

    def update(self, gradient_values: Any, training_sample_count: int, sweep_end: bool) -> bool:
        self.seen += training_sample_count
        return True


class Remembering(Counting):
    def create_checkpoint(self) -> dict[str, Any]:
        return {"seen": self.seen}

    def restore_from_checkpoint(self, checkpoint: Mapping[str, Any]) -> None:
        self.seen = checkpoint["seen"]


@pytest.mark.parametrize(("kind", "seen"), [(Counting, 0), (Remembering, 4)])
def test_learners_in_python(kind: type[Counting], seen: int, tmp_path: Path) -> None:
    data, training = small(lambda p: [kind(p)])
    training.train_minibatch(data)
    training.parameter_learners[0].reset_learning_rate(C.learning_parameter_schedule(0.125))
    training.save_checkpoint(tmp_path / "c")
    _, other = small(lambda p: [kind(p)])
    other.restore_from_checkpoint(tmp_path / "c")
    (learner,) = other.parameter_learners
    assert (learner.seen, learner.learning_rate(), other.total_number_of_samples_seen) == (
        seen,
        0.125,
        4,
    )
    # As the original writes them.
    changed(tmp_path / "c", lambda values: values.update(Learners=[{}]))
    other.restore_from_checkpoint(tmp_path / "c")
    assert learner.learning_rate() == 0.125


@pytest.mark.parametrize("shape", [(), (3,), (3, 1, 1), (3, 2, 4)])
def test_parameters_of_all_ranks(shape: tuple[int, ...], tmp_path: Path) -> None:
    def make() -> tuple[Any, C.Trainer]:
        w = C.parameter(shape, init=1.0, dtype=np.float64)
        x = C.input_variable(shape, dtype=np.float64)
        return x, C.Trainer(
            None, C.reduce_sum(C.square(x * w)), C.rmsprop([w], 0.1, 0.9, 1.2, 0.5, 10, 0.1)
        )

    def everything_of(training: C.Trainer) -> list[bytes]:
        return [p.value.tobytes() for p in training.loss_function.parameters]

    x, training = make()
    training.train_minibatch({x: np.ones((2, *shape))})
    training.save_checkpoint(tmp_path / "c")
    other_x, other = make()
    other.restore_from_checkpoint(tmp_path / "c")
    training.train_minibatch({x: np.full((3, *shape), 0.5)})
    other.train_minibatch({other_x: np.full((3, *shape), 0.5)})
    assert everything_of(training) == everything_of(other)
    state = training.parameter_learners[0].state_dict()["slots"]
    assert all(
        a.equal(b)
        for k in state
        for a, b in zip(state[k], other.parameter_learners[0].state_dict()["slots"][k], strict=True)
    )


# -- what goes wrong -------------------------------------------------------------------------------


def other_program(kind: str) -> C.Trainer:
    x, y = C.input_variable(3 if kind == "wider" else 2), C.input_variable(1)
    z = C.layers.Dense(1, name="z")(x)
    if kind == "deeper":
        z = C.tanh(z)
    if kind == "drawing":
        z = C.dropout(z, 0.5)
    loss = C.squared_error(z, y)
    made: Any = C.adam(z.parameters, 0.1, 0.9)
    if kind == "learner":
        made = C.sgd(z.parameters, 0.1)
    if kind == "counts":
        made = C.adadelta(z.parameters)
    if kind == "learners":
        made = [C.adam(z.parameters[:1], 0.1, 0.9), C.adam(z.parameters[1:], 0.1, 0.9)]
    if kind == "parameters":
        with pytest.warns(UserWarning, match="belong to no learner"):
            return C.Trainer(z, loss, C.adam(z.parameters[:1], 0.1, 0.9))
    return C.Trainer(
        None if kind == "model" else z, (loss, loss) if kind == "metric" else loss, made
    )


@pytest.mark.parametrize(
    ("kind", "error", "message"),
    [
        ("wider", ValueError, "holds another function"),
        ("deeper", ValueError, "holds another function"),
        ("drawing", ValueError, "holds another function"),
        ("metric", ValueError, "holds another function"),
        ("learner", RuntimeError, "saved by a learner of another kind"),
        ("learners", RuntimeError, "of 1 learners, and the trainer has 2"),
        ("parameters", RuntimeError, "has 2 parameters, and this adam 1"),
    ],
)
def test_other_programs_checkpoints_are_refused(
    kind: str, error: Any, message: str, tmp_path: Path
) -> None:
    data, training = small(lambda p: C.adam(p, 0.1, 0.9))
    training.train_minibatch(data)
    training.save_checkpoint(tmp_path / "c")
    other = other_program(kind)
    before = everything(other)
    with pytest.raises(error, match=message):
        other.restore_from_checkpoint(tmp_path / "c")
    assert everything(other) == before


def test_a_count_that_is_missing(tmp_path: Path) -> None:
    _, training = small(lambda p: C.adadelta(p))
    training.save_checkpoint(tmp_path / "c")
    _, other = small(lambda p: C.adam(p, 0.1, 0.9))
    with pytest.raises(RuntimeError, match="no smoothed count for adam"):
        other.restore_from_checkpoint(tmp_path / "c")


def damages() -> dict[str, Callable[[Path, Path], Any]]:
    def state(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path, Path], Any]:
        return lambda model, beside: changed(model, change)

    def learner(**values: Any) -> Callable[[Path, Path], Any]:
        return state(lambda all_values: all_values["Learners"][0].update(values))

    return {
        "no model": lambda model, beside: model.unlink(),
        "no state": lambda model, beside: beside.unlink(),
        "short model": lambda model, beside: model.write_bytes(model.read_bytes()[:-20]),
        "short state": lambda model, beside: beside.write_bytes(beside.read_bytes()[:-20]),
        "empty state": lambda model, beside: beside.write_bytes(b""),
        "foreign state": lambda model, beside: beside.write_text("{}"),
        "model as state": lambda model, beside: beside.write_bytes(model.read_bytes()),
        "state as model": lambda model, beside: model.write_bytes(beside.read_bytes()),
        "no learners": state(lambda values: values.pop("Learners")),
        "no external state": state(lambda values: values.pop("ExternalState")),
        "a number as sizes": state(lambda values: values.update(SizesSeen=3)),
        "a text as learner": state(lambda values: values.update(Learners=["x"])),
        "no learner": state(lambda values: values.update(Learners=[{}])),
        "newer": learner(version=Size(9)),
        "a text as count": learner(sample_count="x"),
        "no rates": learner(learnig_rate_schedule={}),
        "newer rates": learner(learnig_rate_schedule={"version": Size(9)}),
        "strange rates": learner(
            learnig_rate_schedule={"version": Size(2), "schedule": {"x": 0.1}}
        ),
        "no arrays": learner(smoothed_gradients=[1, 2]),
    }


@pytest.mark.parametrize("damage", damages())
def test_damaged_checkpoints_are_refused(damage: str, tmp_path: Path) -> None:
    data, training = small(lambda p: C.adam(p, 0.1, 0.9))
    training.save_checkpoint(tmp_path / "c")
    damages()[damage](tmp_path / "c", tmp_path / "c.ckp")
    training.train_minibatch(data)
    before = everything(training)
    with pytest.raises((ValueError, RuntimeError)) as caught:
        training.restore_from_checkpoint(tmp_path / "c")
    assert "c" in str(caught.value)
    assert everything(training) == before


@pytest.mark.parametrize("fault", ["value", "name", "kind", "disk"])
def test_a_failing_save_leaves_both_files(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, training = small(lambda p: C.adam(p, 0.1, 0.9))
    training.save_checkpoint(tmp_path / "c", {"first": True})
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    training.train_minibatch(data)
    given: Any = {"value": {"a": {1}}, "name": {"a": {1: 2}}, "kind": "text", "disk": {}}[fault]
    calls: list[int] = []

    def full(handle: int) -> None:
        calls.append(handle)
        if len(calls) == 2:
            raise OSError("no space left")

    if fault == "disk":
        monkeypatch.setattr(files.os, "fsync", full)
    with pytest.raises((TypeError, ValueError, OSError)):
        training.save_checkpoint(tmp_path / "c", given)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_directories_are_made(tmp_path: Path) -> None:
    _, training = small(lambda p: C.sgd(p, 0.1), model=False)
    training.save_checkpoint(tmp_path / "a" / "b" / "c")
    assert training.restore_from_checkpoint(tmp_path / "a" / "b" / "c") == {}


def test_criteria_without_dynamic_axes(tmp_path: Path) -> None:
    """A loss that is reduced already stands in the file beside what it was reduced from."""
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1)(x)
    loss = -C.reduce_sum(C.abs(C.squared_error(z, y)), axis=C.Axis.all_axes())
    metric = C.reduce_sum(C.abs(z), axis=C.Axis.all_axes())
    training = C.Trainer(z, (loss, metric), C.sgd(z.parameters, 0.1))
    training.save_checkpoint(tmp_path / "c")
    outputs = C.load_model(tmp_path / "c").outputs
    assert [v.owner.op_name for v in outputs[1:]] == ["Negate", "Abs", "ReduceElements", "Abs"]
    assert training.restore_from_checkpoint(tmp_path / "c") == {}
