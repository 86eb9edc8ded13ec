"""On a GPU, a pretended one: operands lie on one device, and the host waits for it only where there
is no other way.

What is counted is what a training step does once it is warm. A wait is said by the kernel or copy,
and the function that asks for it. Each one that there is stands in a table here, with the reason;
one that is no longer there has to go.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable

import numpy as np
import pytest
import torch

import cntk as C
from cntk._compiler.recurrence import recorded_steps
from cntk._execution import training_step as step_module
from cntk.errors import GraphError
from tests.execution.device_programs import PROGRAMS, RECORDED, Training
from tests.ops.op_case import Built, OpCase, Sparse
from tests.ops.test_cases import TABLES
from tests.pretended_gpu import PretendedGPU, pretended_gpu

WARM, COUNTED = 5, 2

# Why the host waits. Sizes of tensors are known to the host, and with them which memory they take.
REASONS = {
    "copy back in _ops.shape.packed.select_rows": "a condition says how many frames there are",
    "copy back in _ops.loss.ranking.of": "data say how many groups there are",
    "copy back in _ops.loss.edit_distance.compute": (
        "data say how many tokens count; a metric, computed on the CPU"
    ),
    "copy back in _ops.random.sampling.cumulative": (
        "the original's numbers are drawn on the CPU, by the weights"
    ),
    "_local_scalar_dense in _ops.loss.ctc._states": "data say how many labels there are",
    "_local_scalar_dense in "
    "_ops.shape.select._sparse_one_hot": "sparse rows have no entry for a class out of range",
    "index by a mask in "
    "_ops.shape.select._sparse_one_hot": "sparse rows have no entry for a class out of range",
    "tolist in _ops.nn.roi_pooling.compute": "data say which part of an image is pooled",
    "tolist in _ops.shape.unpack._as_lengths": "data say how long sequences are",
    "_coalesce in learners.adagrad.rule": "data say how many rows of a table are touched",
    "_coalesce in learners.sgd.rule": "data say how many rows of a table are touched",
    "_coalesce in "
    "_runtime.conversion.touched_rows": "data say how many rows of a table are touched",
}

# For each program the copies to the GPU of a step: one for each dense or one-hot input, two for one
# of other sparse rows, one for the layout of each sequence axis; what the host has found out in
# place of the GPU; and the waits of a step.
STEPS: dict[str, tuple[int, dict[str, int]]] = {
    **{name: (2, {}) for name in PROGRAMS if name.startswith("dense.") or name == "images"},
    **{name: (3, {}) for name in PROGRAMS if name.startswith("tagger.")},
    **{
        name: (3, {})
        for name in ("lstm", "gru", "rnn", "by_hand", "backwards", "reduced", "largest", "windows")
    },
    "tagger.adagrad": (3, {"_coalesce in learners.adagrad.rule": 1}),
    "tagger.momentum_sgd": (3, {"_coalesce in learners.sgd.rule": 1}),
    "continued": (4, {}),  # and the sequences that go on
    # The chosen frames, twice, and no layout.
    "chosen_frames": (
        4,
        {"copy back in _ops.shape.packed.select_rows": 2},
    ),
    "connectionist": (
        4,
        {
            "_local_scalar_dense in _ops.loss.ctc._states": 1,
            "copy back in _ops.loss.edit_distance.compute": 1,
        },
    ),
    # Three inputs; places of samples for loss and metric.
    "ranked": (
        5,
        {"copy back in _ops.loss.ranking.of": 2},
    ),
    "sparse_rows": (3, {}),
    "unpacked": (3, {}),
    "read": (3, {}),  # dense frames, and entries of sparse ones; nothing of their lengths is needed
}
# Their random numbers are others on a GPU.
OF_THEIR_OWN = {"images", "dense.regularized"}


def counted(gpu: PretendedGPU, training: Training) -> tuple[float, dict[str, float]]:
    """Copies and waits of a warm step; operands must lie on one device all the time."""
    for _ in range(WARM):
        training.step()
    gpu.copies.clear()
    gpu.waits.clear()
    for _ in range(COUNTED):
        training.step()
    assert not gpu.mixed
    return gpu.copies.total() / COUNTED, {
        what: count / COUNTED for what, count in gpu.waits.items()
    }


def begun(make: Callable[[], Training]) -> Training:
    """A training with the same initial parameters every time."""
    C.cntk_py.set_fixed_random_seed(5)
    return make()


def test_every_program_has_its_counts() -> None:
    assert set(STEPS) == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_steps_neither_wait_nor_mix_devices(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded_steps, "_RUNS_BEFORE", 2)
    with pretended_gpu() as gpu:
        training = begun(PROGRAMS[name])
        assert counted(gpu, training) == STEPS[name]
        loss = training.trainer.previous_minibatch_loss_average
    if name not in OF_THEIR_OWN:
        training = begun(PROGRAMS[name])
        for _ in range(WARM + COUNTED):
            training.step()
        assert loss == pytest.approx(training.trainer.previous_minibatch_loss_average, rel=1e-5)


@pytest.mark.parametrize("name", RECORDED)
def test_recorded_steps_neither_wait_nor_mix_devices(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(step_module, "RECORD_AFTER", 2)
    with pretended_gpu() as gpu:
        training = begun(RECORDED[name])
        copies, waits = counted(gpu, training)
        assert not training.trainer._step.reasons and training.trainer._step._recordings
    assert (copies, waits) == (2, {})


def run(case: OpCase) -> None:
    """Compute an operation and its gradient on the device."""
    built = Built(case)
    feed = built.feed()
    wanted = [
        v for v, x in zip(built.variables, case.inputs, strict=True) if not isinstance(x, Sparse)
    ]
    if wanted:
        try:
            built.function.grad(feed, wanted, grad_root=built.function.outputs[0], as_numpy=False)
            return
        except GraphError as error:
            assert "has no gradient" in str(error)
    built.function.eval(feed, as_numpy=False)


WAITING_OPERATIONS = {
    "ctc": {
        "_local_scalar_dense in _ops.loss.ctc._states",
        "copy back in _ops.loss.edit_distance.compute",
    },
    "nn": {"tolist in _ops.nn.roi_pooling.compute"},
    "random": {"copy back in _ops.random.sampling.cumulative"},
    "ranking": {"copy back in _ops.loss.ranking.of"},
    "sequence": {
        "_coalesce in _runtime.conversion.touched_rows",
        "copy back in _ops.shape.packed.select_rows",
    },
    "shape": {
        "_local_scalar_dense in _ops.shape.select._sparse_one_hot",
        "index by a mask in _ops.shape.select._sparse_one_hot",
    },
    "unpack": {"tolist in _ops.shape.unpack._as_lengths"},
}


@pytest.mark.parametrize("table", TABLES)
def test_operations_neither_wait_nor_mix_devices(table: str) -> None:
    seen: set[str] = set()
    with pretended_gpu() as gpu:
        for case in importlib.import_module(f"tests.ops.cases.{table}").CASES:
            gpu.clear()
            run(case)
            assert not gpu.mixed, case.name
            # Parameters are made once.
            seen.update(what for what in gpu.waits if " in variables." not in what)
    assert seen == WAITING_OPERATIONS.get(table, set())


def test_every_reason_is_needed() -> None:
    of_steps = {what for _, waits in STEPS.values() for what in waits}
    assert set(REASONS) == of_steps.union(*WAITING_OPERATIONS.values())


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("dense.adam", "cpu"),
        ("dense.universal", "gpu"),
        ("images", "gpu"),
        ("tagger.momentum_sgd", "gpu"),
        ("continued", "cpu"),
    ],
)
def test_parameters_go_to_the_device_of_the_call(
    name: str, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With learners' states, what sequences have carried over, and recordings, which hold
    memory.
    """
    monkeypatch.setattr(step_module, "RECORD_AFTER", 2)
    with pretended_gpu() as gpu:
        devices = {"cpu": C.cpu(), "gpu": C.gpu(0)}
        other = {"cpu": "gpu", "gpu": "cpu"}[first]
        C.device.try_set_default_device(devices[first])
        training = begun(PROGRAMS[name])
        parameters = training.trainer.model.parameters
        assert all(p.data.is_cuda == (first == "gpu") for p in parameters)
        for place in (first, other, first):
            for _ in range(3):
                training.step(devices[place])
            assert all(p.data.is_cuda == (place == "gpu") for p in parameters)
        loss = training.trainer.previous_minibatch_loss_average
        assert not gpu.mixed
    if name not in OF_THEIR_OWN:
        training = begun(PROGRAMS[name])
        for _ in range(9):
            training.step()
        assert loss == pytest.approx(training.trainer.previous_minibatch_loss_average, rel=1e-5)


def test_data_come_from_either_device() -> None:
    x, s = C.input_variable(3), C.sequence.input_variable(2)
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    sequences = [np.ones((n, 2), np.float32) for n in (3, 1, 2)]
    with pretended_gpu() as gpu:
        w = C.parameter((3, 2), init=1)
        z, last = C.times(x, w), C.sequence.last(C.layers.Recurrence(C.layers.GRU(2))(s))
        for place in (C.cpu(), C.gpu(0)):
            for made in (C.cpu(), C.gpu(0)):
                tensor = torch.from_numpy(array).to(made.torch)
                for data in (
                    array,
                    tensor,
                    C.Value(array, device=made),
                    C.NDArrayView.from_dense(array, made),
                ):
                    np.testing.assert_array_equal(
                        z.eval({x: data}, device=place), array @ np.ones((3, 2))
                    )
                value = C.Value.create(s, sequences, device=made)
                np.testing.assert_allclose(
                    last.eval({s: value}, device=place), last.eval({s: sequences}, device=place)
                )
        assert not gpu.mixed
