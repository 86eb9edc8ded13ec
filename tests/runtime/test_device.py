"""Devices: what there is, what is chosen where none is named, and where things then lie."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile

import numpy as np
import pytest
import torch

import cntk as C
from cntk import device
from cntk._runtime import device_lock
from cntk.device import DeviceDescriptor, DeviceKind

GPUS = torch.cuda.device_count()
TAKE_FIRST = """
import importlib.util, sys, tempfile
tempfile.tempdir = sys.argv[2]
spec = importlib.util.spec_from_file_location("device_lock", sys.argv[1])
device_lock = importlib.util.module_from_spec(spec)
spec.loader.exec_module(device_lock)
print("locked" if device_lock.acquire(0) else "not locked", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been chosen, and the process's default device stays as it was."""
    monkeypatch.setattr(device, "_choice", device._Choice())


def test_the_cpu():
    cpu = device.cpu()
    assert (cpu.type(), cpu.id(), str(cpu)) == (DeviceKind.CPU, 0, "CPU")
    assert not cpu.is_locked() and cpu.torch == torch.device("cpu")
    assert cpu == C.cpu() == DeviceDescriptor(DeviceKind.CPU)


def test_all_devices():
    found = device.all_devices()
    assert len(found) == GPUS + 1 and found[-1] == device.cpu()
    assert [d.id() for d in found[:-1]] == list(range(GPUS))


def test_gpus_that_are_not_there():
    for number in (-1, GPUS, 99):
        with pytest.raises(ValueError, match=rf"gpu\({number}\): torch sees {GPUS} GPUs.*cpu\(\)"):
            device.gpu(number)
    with pytest.raises(ValueError, match="the CPU has no GPU properties"):
        device.get_gpu_properties(device.cpu())


def test_the_default_device():
    assert device.try_set_default_device(device.cpu())
    assert device.default_device() == device.use_default_device() == device.cpu()


def test_excluded_devices():
    device._choice.default = None
    device.set_excluded_devices(device.all_devices()[:-1])
    assert device.default_device() == device.cpu()
    device.set_excluded_devices([])
    assert device.try_set_default_device(device.cpu())


def test_all_devices_excluded():
    """The original says so where a device is needed; one that is in use already stays."""
    device._choice.default, device._choice.fixed = None, False
    device.set_excluded_devices(device.all_devices())
    assert not device.try_set_default_device(device.cpu())
    for ask in (device.use_default_device, lambda: C.parameter(2)):
        with pytest.raises(
            RuntimeError, match="no device is left to choose: this machine has .*CPU.*excluded"
        ):
            ask()
    device.set_excluded_devices([])
    assert device.use_default_device() == device.all_devices()[0]
    device.set_excluded_devices(device.all_devices())
    assert device.try_set_default_device(device.all_devices()[0])
    assert device.use_default_device() == device.all_devices()[0]


@pytest.mark.parametrize(
    ("named", "gpus", "chosen"),
    [
        ("", 0, "CPU"),
        ("", 2, "GPU[0] pretended"),
        ("cpu", 2, "CPU"),
        (" CPU ", 0, "CPU"),
        ("gpu", 2, "GPU[0] pretended"),
        ("GPU:1", 2, "GPU[1] pretended"),
    ],
)
def test_the_environment_chooses(
    named: str, gpus: int, chosen: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CNTK_DEVICE", named)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: "pretended")
    device._choice.default, device._choice.excluded = None, ()
    assert str(device.default_device()) == chosen
    assert (
        device.try_set_default_device(device.cpu()) and device.default_device() == device.cpu()
    ), "a program may choose"


@pytest.mark.parametrize(
    ("named", "gpus", "match"),
    [
        ("gpu:0", 0, "CNTK_DEVICE=gpu:0: torch sees 0 GPUs on this machine; set it to cpu"),
        ("gpu", 0, "CNTK_DEVICE=gpu: torch sees 0 GPUs"),
        (
            "gpu:1",
            1,
            "CNTK_DEVICE=gpu:1: torch sees 1 GPU on this machine; set it to a number below 1",
        ),
        ("cuda:0", 1, "CNTK_DEVICE='cuda:0' names no device; set it to cpu, gpu or gpu:0"),
        ("gpu:x", 1, "names no device"),
        ("gpu:-1", 1, "names no device"),
        ("0", 1, "names no device"),
    ],
)
def test_an_environment_that_names_no_device(
    named: str, gpus: int, match: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CNTK_DEVICE", named)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    device._choice.default = None
    for ask in (device.use_default_device, lambda: C.parameter(2)):
        with pytest.raises(ValueError, match=re.escape(match)):
            ask()


def test_an_environment_that_names_what_is_excluded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CNTK_DEVICE", "cpu")
    device._choice.default, device._choice.fixed = None, False
    device.set_excluded_devices([device.cpu()])
    with pytest.raises(RuntimeError, match="CNTK_DEVICE=cpu allows CPU, and each is excluded"):
        device.use_default_device()


def test_a_machine_with_gpus(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"Accelerator {number}")
    device._choice.default, device._choice.excluded = None, ()
    first, second = device.gpu(0), device.gpu(1)
    assert device.all_devices() == (first, second, device.cpu())
    assert (second.type(), second.id(), str(second)) == (DeviceKind.GPU, 1, "GPU[1] Accelerator 1")
    assert second.torch == torch.device("cuda", 1)
    assert device.default_device() == first
    device.set_excluded_devices([first])
    assert device.default_device() == second, "a default that is excluded changes"
    assert not device.try_set_default_device(first)
    assert device.try_set_default_device(second) and device.use_default_device() == second
    device.set_excluded_devices([second])
    assert device.default_device() == second, "but not once it is in use"


def test_a_gpu_for_one_process_alone(monkeypatch, tmp_path):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    first, second = device.gpu(0), device.gpu(1)
    device._choice.default, device._choice.excluded = None, ()
    assert not device.try_set_default_device(device.cpu(), acquire_device_lock=True), (
        "the CPU is always shared"
    )
    other = subprocess.Popen(  # another process, which has the first one until its input ends
        [sys.executable, "-c", TAKE_FIRST, device_lock.__file__, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert other.stdout is not None and other.stdout.readline() == "locked\n"
        assert first.is_locked() and not second.is_locked()
        assert device.use_default_device() == second and not second.is_locked(), (
            "locked, but by this process"
        )
        assert not device.try_set_default_device(first, acquire_device_lock=True)
        assert device.default_device() == second
        assert device.try_set_default_device(first), "shared, if nobody asks for more"
    finally:
        other.communicate()
    assert not first.is_locked()
    assert device.try_set_default_device(first, acquire_device_lock=True)
    device_lock.release()


def test_where_things_lie():
    cpu = device.cpu()
    x = C.input_variable(3)
    assert C.parameter(3, device=cpu).data.device == cpu.torch
    assert C.NDArrayView((2, 3), np.float32, device=cpu).device == cpu
    result = (x + 1).eval({x: np.ones((2, 3))}, device=cpu, as_numpy=False)
    assert result.device == cpu


@pytest.mark.skipif(GPUS == 0, reason="needs a GPU")
def test_a_gpu_gives_the_same():
    x = C.input_variable(3)
    gpu = device.gpu(0)
    w = C.parameter((3, 2), init=1, device=gpu)
    assert w.data.device.type == "cuda"
    result = C.times(x, w).eval({x: np.ones((2, 3), np.float32)}, device=gpu)
    np.testing.assert_array_equal(result, np.full((2, 2), 3))
