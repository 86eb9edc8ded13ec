"""A pretended GPU: tensors on it are computed by the CPU, and whatever a real one would refuse or
wait for is noted.

Tensors that lie on the GPU are marked, by their memory. A mode for torch's functions gives them the
GPU as their device, so that the engine takes the ways it takes there, and turns requests for memory
there into marked memory. A mode below autograd sees every call of a kernel, in gradients too: its
operands must lie on one device.

What is not seen: how CUDA's kernels differ from the CPU's, cuDNN among them, and how long anything
takes. Recordings are made from stand-ins on the CPU, since stand-ins on a GPU need its driver.
Random numbers come from the CPU's generator.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode, _pop_mode_temporarily

from cntk import device
from cntk._compiler.recording import check, record_loop_step, record_training_step

GPU = torch.device("cuda", 0)
_CPU = torch.device("cpu")
aten = torch.ops.aten

# Kernels whose result's size, or whose result itself, the host has to know.
_WAITING = {
    aten._local_scalar_dense,
    aten.is_nonzero,
    aten.equal,
    aten.nonzero,
    aten.masked_select,
    aten._unique,
    aten._unique2,
    aten.unique_dim,
    aten.unique_consecutive,
    aten.bincount,
    aten._coalesce,
    aten._assert_scalar,
}
# Kernels that want one operand on the CPU, wherever the others lie.
_LENGTHS_ON_CPU = {aten.lstm, aten.gru, aten.rnn_tanh, aten.rnn_relu, aten._pack_padded_sequence}
_COPIES = {aten._to_copy, aten.copy_, aten.copy}
_INDEXED = {
    aten.index,
    aten.index_put,
    aten.index_put_,
    aten._index_put_impl_,
    aten._unsafe_index,
    aten._unsafe_index_put,
}
# Kernels that take a scalar from the CPU beside operands on the GPU, besides those that work
# element by element.
_WITH_NUMBERS = {
    aten.where,
    aten.masked_fill,
    aten.masked_fill_,
    aten.fill_,
    aten.index_fill,
    aten.index_fill_,
}
_REPEATING = {aten.repeat_interleave.Tensor, aten.repeat_interleave.self_Tensor}
_FROM_LISTS = {torch.tensor, torch.as_tensor, torch.asarray, Tensor.new_tensor}


def _memory(x: Tensor) -> Any:
    return (x._values() if x.layout is torch.sparse_coo else x).untyped_storage()


def _mark(x: Any, mark: str | None) -> None:
    if isinstance(x, Tensor) and not isinstance(x, FakeTensor):
        _memory(x).mark = mark


def _marked(x: Any) -> str | None:
    return getattr(_memory(x), "mark", None) if not isinstance(x, FakeTensor) else "gpu"


def _tensors(*values: Any) -> list[Tensor]:
    found: list[Tensor] = []
    for value in values:
        if isinstance(value, Tensor):
            found.append(value)
        elif isinstance(value, (list, tuple)):
            found += _tensors(*value)
        elif isinstance(value, dict):
            found += _tensors(*value.values())
    return found


def _where() -> str:
    """The function of the package that is at work: its file and name."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module.startswith("cntk.") and not module.endswith(".transfer"):
            return f"{module.removeprefix('cntk.')}.{frame.f_code.co_name}"
        frame = frame.f_back
    return "the program"


class PretendedGPU:
    """What has happened on the pretended GPU.

    Attributes:
        copies: copies to it that the host need not wait for, by where they were made.
        waits: what the host waited for, by kernel and where: reading numbers, and copies there and
            back.
        mixed: kernels that were called with operands on both devices.
    """

    def __init__(self) -> None:
        self.copies: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.mixed: Counter[str] = Counter()
        self.of_call: bool = (
            False  # whether a call has to do with the GPU, for kernels without operands
        )

    def clear(self) -> None:
        """Forget what has happened."""
        for seen in (self.copies, self.waits, self.mixed):
            seen.clear()

    def copied(self, source: str | None, is_async: bool, what: str) -> None:
        """Note a copy to the GPU."""
        if is_async and source == "pinned":
            self.copies[_where()] += 1
        else:
            self.waits[f"{what} in {_where()}"] += 1

    def waited(self, what: str) -> None:
        """Note that the host waited."""
        self.waits[f"{what} in {_where()}"] += 1


class _Functions(TorchFunctionMode):
    """Torch's functions as they are on a machine with a GPU."""

    def __init__(self, gpu: PretendedGPU) -> None:
        super().__init__()
        self.gpu = gpu

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if sys._getframe(1).f_globals.get("__name__", "").startswith("torch."):
            return func(*args, **kwargs)  # torch's own affairs, as making stand-ins
        if func in _GETTERS:
            return self._attribute(func, args[0])
        name = getattr(func, "__name__", "")
        is_gpu = any(_marked(x) == "gpu" for x in _tensors(args, kwargs))
        if name in ("numpy", "__array__", "tolist") and is_gpu:
            if name != "tolist":
                raise TypeError(
                    "can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() first"
                )
            self.gpu.waited("tolist")
        if func in (Tensor.to, Tensor.cpu, Tensor.cuda):
            return self._moved(func, args, kwargs)
        target, is_pinned = is_gpu, kwargs.get("pin_memory", False)
        kwargs = {key: value for key, value in kwargs.items() if key != "pin_memory"}
        if kwargs.get("device") is not None:
            wanted = torch.device(kwargs["device"])
            if wanted.type == "meta":
                return func(*args, **kwargs)
            kwargs = {**kwargs, "device": _CPU}
            # Recordings are made from stand-ins on the CPU.
            target = wanted.type == "cuda" or isinstance(func, torch._ops.OpOverload)
        before, self.gpu.of_call = self.gpu.of_call, target
        try:
            result = func(*args, **kwargs)
        finally:
            self.gpu.of_call = before
        if func in _FROM_LISTS and target:
            source = next((_marked(x) for x in _tensors(args)), None)
            if source != "gpu":
                if isinstance(result, Tensor) and func is not torch.tensor:
                    result = result.clone()
                self.gpu.copied(source, False, name)
            _mark(result, "gpu")
        if is_pinned:
            _mark(result, "pinned")
        return result

    def _attribute(self, func: Any, x: Tensor) -> Any:
        if _marked(x) != "gpu":
            return func(x)
        return GPU if func == _GETTERS[0] else func == _GETTERS[1]

    def _moved(self, func: Any, args: Any, kwargs: Any) -> Any:
        x, *rest = args
        if isinstance(x, FakeTensor) or "meta" in map(str, (*rest, *kwargs.values())):
            return func(*args, **kwargs)
        found = [kwargs.pop("device")] if kwargs.get("device") is not None else []
        if func is not Tensor.to:
            found, rest = [_CPU if func is Tensor.cpu else GPU], []
        kept = []
        for each in rest:
            if isinstance(each, (str, torch.device)):
                found.append(each)
            elif isinstance(each, Tensor):
                found.append(GPU if _marked(each) == "gpu" else _CPU)
                kept.append(each.dtype)
            elif each is not None:
                kept.append(each)
        here = _marked(x)
        to_gpu = torch.device(found[0]).type == "cuda" if found else here == "gpu"
        is_async = kwargs.pop("non_blocking", False)
        if to_gpu == (here == "gpu"):
            return x.to(*kept, **kwargs) if kept or kwargs else x
        with (
            torch.inference_mode(x.is_inference()),
            torch.set_grad_enabled(torch.is_grad_enabled()),
        ):
            result = x.to(*kept, **kwargs) if kept or kwargs else x
            result = result.clone() if result is x else result
        _mark(result, "gpu" if to_gpu else None)
        if to_gpu:
            self.gpu.copied(here, is_async, "copy")
        else:
            self.gpu.waited("copy back")
        return result


_GETTERS = (Tensor.device.__get__, Tensor.is_cuda.__get__, Tensor.is_cpu.__get__)


class _Generator(torch.Generator):
    """Random numbers for any device, from the CPU's generator."""

    def __new__(cls, device: Any = None) -> _Generator:
        return super().__new__(cls)


class _Kernels(TorchDispatchMode):
    """Kernels as a GPU takes them."""

    def __init__(self, gpu: PretendedGPU) -> None:
        super().__init__()
        self.gpu = gpu

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return True  # which takes seconds to import

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        with torch._C.DisableTorchFunction():
            operands = _tensors(args, kwargs)
            if any(isinstance(x, FakeTensor) or x.device.type == "meta" for x in operands):
                return func(*args, **(kwargs or {}))
            marks = [_marked(x) for x in operands]
            result = func(*args, **(kwargs or {}))
            is_gpu = "gpu" in marks if operands else self.gpu.of_call
            self._check(func.overloadpacket, func, args, kwargs or {}, operands, marks)
            if is_gpu:
                memories = {_memory(x)._cdata for x in operands}
                for x in _tensors(result):
                    if _memory(x)._cdata not in memories:
                        _mark(x, "gpu")
            return result

    def _check(
        self,
        packet: Any,
        func: Any,
        args: Any,
        kwargs: Any,
        operands: list[Tensor],
        marks: list[Any],
    ) -> None:
        if "gpu" not in marks:
            return
        if packet in _COPIES:
            if packet is aten.copy_ and marks[0] != marks[1]:
                if marks[0] == "gpu":
                    self.gpu.copied(marks[1], bool(args[2:] and args[2]), "copy")
                else:
                    self.gpu.waited("copy back")
            return
        name = packet.__name__
        if packet in _WAITING or (func in _REPEATING and kwargs.get("output_size") is None):
            self.gpu.waited(name)
        if packet in _INDEXED:
            indices = [i for i in args[1] if i is not None]
            if any(i.dtype in (torch.bool, torch.uint8) for i in indices):
                self.gpu.waited(f"{name} by a mask")
            for index in indices:
                if _marked(index) != "gpu":
                    self.gpu.copied(None, False, f"copy of an index for {name}")
            return
        takes_numbers = (
            torch.Tag.pointwise in func.tags
            or packet in _WITH_NUMBERS
            or name.startswith("_foreach")
        )
        others = [x for x, mark in zip(operands, marks, strict=True) if mark != "gpu"]
        if packet in _LENGTHS_ON_CPU:
            others = [x for x in others if x.dtype is not torch.int64]
        if takes_numbers:
            others = [x for x in others if x.dim()]
        if others:
            self.gpu.mixed[f"{name} in {_where()}"] += 1


@contextmanager
def pretended_gpu() -> Iterator[PretendedGPU]:
    """Run the block on a machine that has a GPU, which is the default device.

    Parameters made within lie on the pretended GPU, and so are data that are fed.
    """
    gpu = PretendedGPU()
    functions = _Functions(gpu)
    backward = torch.autograd._engine_run_backward
    own_device = FakeTensor.device.fget
    chosen = device._choice
    kept = chosen.default, chosen.fixed, chosen.excluded

    def run_backward(roots: Any, *args: Any, **kwargs: Any) -> Any:
        # Torch leaves the mode while it is within a function; gradients of Python functions must
        # see it.
        before, gpu.of_call = gpu.of_call, any(_marked(x) == "gpu" for x in _tensors(roots))
        try:
            with functions:
                return backward(roots, *args, **kwargs)
        finally:
            gpu.of_call = before

    def of_stand_in(x: FakeTensor) -> torch.device:
        caller = sys._getframe(1).f_globals.get("__name__", "")
        return GPU if caller.startswith("cntk.") else own_device(x)

    @contextmanager
    def quiet() -> Iterator[None]:
        # While a recording is made, stand-ins run, which this mode must leave alone.
        with _pop_mode_temporarily(), check.quiet():
            yield

    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        patch.setattr(record_training_step, "quiet", quiet)
        patch.setattr(record_loop_step, "quiet", quiet)
        patch.setattr(torch.autograd, "_engine_run_backward", run_backward)
        patch.setattr(torch, "Generator", _Generator)
        patch.setattr(torch.cuda, "device_count", lambda: 1)
        patch.setattr(torch.cuda, "get_device_name", lambda number: "pretended")
        patch.setattr(torch.cuda, "synchronize", lambda device=None: gpu.waited("synchronize"))
        patch.setattr(FakeTensor, "device", property(of_stand_in))
        chosen.default, chosen.excluded = device.gpu(0), ()
        stack.callback(lambda: setattr(chosen, "default", kept[0]))
        stack.callback(lambda: setattr(chosen, "excluded", kept[2]))
        with _Kernels(gpu), functions:
            yield gpu
