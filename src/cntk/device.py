"""Devices that hold data and run kernels. The default is a GPU where there is one."""

from __future__ import annotations

import enum
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from cntk._arguments import as_bool, as_integer, shown
from cntk._graph.names.late_names import hand_on
from cntk._runtime import device_lock
from cntk.errors import ArgumentError, NoDeviceError, RangeError, SettingError

_TORCH_CPU = torch.device("cpu")  # every minibatch asks for it


class DeviceKind(enum.IntEnum):
    """Kinds of devices, numbered as in the original."""

    CPU = 0
    GPU = 1


@dataclass(frozen=True, repr=False)
class DeviceDescriptor:
    """A CPU or a GPU. Made by `cpu` and `gpu`.

    Attributes:
        kind: CPU or GPU.
        number: which GPU; 0 for the CPU.
    """

    kind: DeviceKind
    number: int = 0

    def id(self) -> int:
        """Return the device's number among those of its kind."""
        return self.number

    def type(self) -> DeviceKind:
        """Return the device's kind: CPU or GPU."""
        return self.kind

    def is_locked(self) -> bool:
        """Return whether another process has locked the device; never true of the CPU."""
        return self.kind is DeviceKind.GPU and device_lock.is_taken(self.number)

    @property
    def torch(self) -> torch.device:
        """The device as a `torch.device`."""
        return _TORCH_CPU if self.kind is DeviceKind.CPU else torch.device("cuda", self.number)

    @staticmethod
    def cpu_device() -> DeviceDescriptor:
        """Return the CPU; see `cpu`."""
        return cpu()

    @staticmethod
    def gpu_device(device_id: int) -> DeviceDescriptor:
        """Return a GPU; see `gpu`."""
        return gpu(device_id)

    @staticmethod
    def all_devices() -> tuple[DeviceDescriptor, ...]:
        """Return every device of this machine; see `all_devices`."""
        return all_devices()

    @staticmethod
    def use_default_device() -> DeviceDescriptor:
        """Return the default device; see `use_default_device`."""
        return use_default_device()

    def as_string(self) -> str:
        """Return the device's name.

        Example:
            >>> cpu().as_string()
            'CPU'
        """
        return (
            "CPU"
            if self.kind is DeviceKind.CPU
            else f"GPU[{self.number}] {torch.cuda.get_device_name(self.number)}"
        )

    def __repr__(self) -> str:
        return self.as_string()


@dataclass(frozen=True)
class GPUProperties:
    """Properties of a GPU.

    Attributes:
        device_id: its number.
        version_major: major compute capability.
        version_minor: minor compute capability.
        cuda_cores: number of multiprocessors.
        name: the maker's name for it.
        total_memory: in MiB.
    """

    device_id: int
    version_major: int
    version_minor: int
    cuda_cores: int
    name: str
    total_memory: int


@dataclass
class _Choice:
    default: DeviceDescriptor | None = None
    fixed: bool = False
    excluded: tuple[DeviceDescriptor, ...] = field(default_factory=tuple)


_choice = _Choice()
_CPU = DeviceDescriptor(DeviceKind.CPU)


def cpu() -> DeviceDescriptor:
    """Return the CPU.

    Example:
        >>> print(cpu())
        CPU
    """
    return _CPU


def gpu(device_id: int) -> DeviceDescriptor:
    """Return a GPU.

    Args:
        device_id: its number, from 0.

    Raises:
        ValueError: if there is no such GPU.
    """
    device_id = as_integer(device_id, "gpu: device_id")
    count = torch.cuda.device_count()
    if not 0 <= device_id < count:
        raise RangeError(
            f"gpu({device_id}): torch sees {count} GPUs on this machine; use cntk.device.cpu()"
        )
    return DeviceDescriptor(DeviceKind.GPU, device_id)


def all_devices() -> tuple[DeviceDescriptor, ...]:
    """Return every device of this machine: the GPUs, then the CPU."""
    return (*(DeviceDescriptor(DeviceKind.GPU, k) for k in range(torch.cuda.device_count())), _CPU)


def get_gpu_properties(device: DeviceDescriptor) -> GPUProperties:
    """Return the properties of a GPU.

    Raises:
        ValueError: for the CPU.
    """
    if not isinstance(device, DeviceDescriptor):
        raise ArgumentError(
            f"get_gpu_properties: expected a device such as cntk.gpu(0), got {shown(device)}"
        )
    if device.kind is not DeviceKind.GPU:
        raise ValueError("get_gpu_properties: the CPU has no GPU properties")
    properties = torch.cuda.get_device_properties(device.number)
    return GPUProperties(
        device.number,
        properties.major,
        properties.minor,
        properties.multi_processor_count,
        properties.name,
        properties.total_memory >> 20,
    )


def use_default_device() -> DeviceDescriptor:
    """Return the default device, and fix it. Lock a GPU, if no other process has.

    Raises:
        SettingError: if the environment variable ``CNTK_DEVICE`` names no device of this machine.
        RuntimeError: if all devices are excluded, or locked by other processes.
    """
    device = default_device()
    _choice.fixed = True
    if device.kind is DeviceKind.GPU:
        device_lock.acquire(device.number)
    return device


def default_device() -> DeviceDescriptor:
    """Return the device that is used where none is named.

    Raises:
        SettingError: if the environment variable ``CNTK_DEVICE`` names no device of this machine.
        NoDeviceError: if none is left to choose.
    """
    if _choice.default is None:
        _choice.default = _chosen()
    return _choice.default


# What the default device is where a program does not choose one: cpu, gpu (the first that is free)
# or gpu:N.
VARIABLE = "CNTK_DEVICE"


def _chosen() -> DeviceDescriptor:
    """Return the first device that is neither excluded nor locked, of those that the environment
    allows.
    """
    named = os.environ.get(VARIABLE, "").strip().lower()
    there = all_devices()
    allowed = _named(named, there) if named else there
    device = next((d for d in allowed if d not in _choice.excluded and not d.is_locked()), None)
    if device is None:
        which = f"{VARIABLE}={named} allows" if named else "this machine has"
        raise NoDeviceError(
            f"no device is left to choose: {which} {', '.join(map(repr, allowed))}, and each is "
            f"excluded by cntk.device.set_excluded_devices or locked by another process"
        )
    return device


def _named(named: str, there: Sequence[DeviceDescriptor]) -> tuple[DeviceDescriptor, ...]:
    """Return the devices of this machine that a name means."""
    match = re.fullmatch(r"cpu|gpu(?::(\d+))?", named)
    if match is None:
        raise SettingError(
            f"{VARIABLE}={named!r} names no device; set it to cpu, gpu or gpu:0, or leave it out"
        )
    kind = DeviceKind.CPU if named == "cpu" else DeviceKind.GPU
    number = None if match[1] is None else int(match[1])
    meant = tuple(d for d in there if d.kind is kind and number in (None, d.number))
    if not meant:
        count = len(there) - 1
        raise SettingError(
            f"{VARIABLE}={named}: torch sees {count} GPU{'' if count == 1 else 's'} on this "
            f"machine; set it to {'cpu' if not count else f'a number below {count}'}, or leave it "
            f"out"
        )
    return meant


def torch_device(device: DeviceDescriptor | None, what: object = "device") -> torch.device:
    """Convert a device, or None for the default one, to a `torch.device`.

    Args:
        device: the device.
        what: what it is for, such as "Value.create: device" or a function, for the error.

    Raises:
        ArgumentError: for anything else.
    """
    if device is None:
        device = _choice.default or default_device()
        return _TORCH_CPU if device is _CPU else device.torch
    if not isinstance(device, DeviceDescriptor):
        raise ArgumentError(
            f"{what}: expected a device such as cntk.cpu() or cntk.gpu(0), got {shown(device)}"
        )
    return device.torch


def try_set_default_device(
    new_default_device: DeviceDescriptor, acquire_device_lock: bool = False
) -> bool:
    """Choose the default device.

    Args:
        new_default_device: the device.
        acquire_device_lock: whether to have it for this process alone. What this process has locked
            before is given back in any case.

    Returns:
        Whether it could be chosen: not if it was excluded, or is to be locked and another process
        has it, or it is the CPU, which is always shared.
    """
    if not isinstance(new_default_device, DeviceDescriptor):
        raise ArgumentError(
            f"try_set_default_device: expected a device such as cntk.cpu(), got "
            f"{shown(new_default_device)}"
        )
    acquire_device_lock = as_bool(
        acquire_device_lock, "try_set_default_device: acquire_device_lock"
    )
    if new_default_device in _choice.excluded and not (
        _choice.fixed and new_default_device == _choice.default
    ):
        return False
    device_lock.release()
    if acquire_device_lock:
        is_gpu = new_default_device.kind is DeviceKind.GPU
        if not is_gpu or not device_lock.acquire(new_default_device.number):
            return False
    _choice.default = new_default_device
    return True


def set_excluded_devices(excluded_devices: Sequence[DeviceDescriptor]) -> None:
    """Exclude devices from the choice of a default; a default device that is in use already stays.

    Where all are named, whatever asks for the default device fails, as in the original.
    """
    listed = (
        tuple(excluded_devices)
        if isinstance(excluded_devices, (list, tuple, set, frozenset))
        else (excluded_devices,)
    )
    for device in listed:
        if not isinstance(device, DeviceDescriptor):
            raise ArgumentError(
                f"set_excluded_devices: expected a list of devices such as [cntk.gpu(0)], got "
                f"{shown(excluded_devices)}"
            )
    excluded = listed
    _choice.excluded = excluded
    if _choice.default in excluded and not _choice.fixed:
        _choice.default = None


hand_on(globals())
