"""Variables with values: parameters, which are learned, and constants, which are not; and records
of them.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch

from cntk._arguments import shown
from cntk._graph.bfloat16 import is_bfloat16, is_computed, is_floating, is_number
from cntk._graph.names.late_names import hand_on
from cntk._graph.types import MAX_HELD, Shape, TensorType, element_count
from cntk._graph.variable import Variable, VariableKind, VariableMixin, as_dtype, as_shape
from cntk._runtime.memory_shortage import is_shortage, shortage_text
from cntk._runtime.numpy_tensors import array_of, tensor_of
from cntk._runtime.random.seeds import next_seed
from cntk._runtime.transfer import move
from cntk._wording import operation_text, quoted, shape_text
from cntk.core import ArrayMixin, NDArrayView, Value
from cntk.default_options import default_override_or, get_default_override
from cntk.device import DeviceDescriptor, torch_device
from cntk.errors import ArgumentError, FeedError, NotEnoughMemoryError
from cntk.initializer import Initializer

__all__ = ["Constant", "Parameter", "Record", "Variable", "VariableMixin"]


class _Holder(Variable, ArrayMixin):
    """A variable with a value of its own, created when its shape and dtype are known."""

    _data: torch.Tensor | None
    # The number that a constant was made as, and whether it was another at some version of the
    # tensor.
    _number: float | None = None
    _seen: tuple[int, bool] = (0, False)
    _initial: Any
    _device: torch.device
    _is_pinned = False

    def _initialize(
        self,
        kind: VariableKind,
        shape: Any,
        initial: Any,
        dtype: Any,
        device: Any,
        name: str,
        uid: str = "",
    ) -> None:
        if isinstance(initial, Value):
            initial = initial.data
        if isinstance(initial, NDArrayView):
            initial = initial.tensor
        called = operation_text(kind.name, name) if isinstance(name, str) else kind.name
        dtype = as_dtype(dtype, f"{called}: dtype")
        if isinstance(initial, torch.Tensor):
            array_shape: tuple[int, ...] | None = tuple(initial.shape)
            dtype = dtype or as_dtype(str(initial.dtype).removeprefix("torch."))
        elif isinstance(initial, Initializer):
            initial.validate(name)
            if initial.seed is None:
                initial = initial.seeded(next_seed())
            array_shape = None
        else:
            initial = _numbers(initial, called)
            array_shape = initial.shape
            if dtype is None and is_computed(initial.dtype) and initial.ndim:
                dtype = initial.dtype
        # An array's own shape counts.
        target_shape = (
            array_shape if shape is None or array_shape else as_shape(shape, f"{called}: shape")
        )
        if target_shape is None:
            raise ValueError(
                f"{called}: needs a shape, since an initializer alone does not tell one"
            )
        self._initial, self._data = initial, None
        self._device = torch_device(device, f"{called}: device")
        self._set_up(
            kind, TensorType(target_shape, (), dtype), name, kind is VariableKind.Parameter, uid
        )
        if dtype is not None and all(d >= 0 for d in target_shape):
            self._make()

    def _make(self) -> None:
        shape, dtype = self.shape, self.type_.dtype
        if any(d < 0 for d in shape):
            raise ValueError(
                f"{self!r}: its value is not there yet, since its shape is still to be inferred; "
                f"apply the function that holds it to an input of known shape first"
            )
        if dtype is None:
            dtype = np.dtype(np.float32)
            self.refine(TensorType(shape, (), dtype))
        if isinstance(self._initial, Initializer) and not is_floating(dtype):
            raise ValueError(
                f"{self!r}: an initializer draws no {dtype.name}; give a number or an array"
            )
        count = element_count(shape)
        if count > MAX_HELD:
            raise NotEnoughMemoryError(
                f"{self!r}: a value may have {MAX_HELD} elements, and this has {count}"
            )
        try:
            self._make_value(shape, dtype)
        except (MemoryError, RuntimeError) as error:
            if not is_shortage(error):
                raise
            raise NotEnoughMemoryError(f"{self!r}: {shortage_text(error)}") from error

    def _make_value(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        torch_dtype = getattr(torch, dtype.name)
        drawn = np.dtype(np.float32) if is_bfloat16(dtype) else dtype
        # The first to want the value may be an evaluation, the next a gradient.
        with torch.inference_mode(False):
            if isinstance(self._initial, Initializer):
                value = tensor_of(self._initial.sample(shape, drawn, self._initial.seed or 0))
            elif isinstance(self._initial, torch.Tensor):
                value = self._initial.detach().clone()
            else:
                value = tensor_of(
                    np.array(
                        np.broadcast_to(self._initial, shape)
                        if self._initial.ndim == 0
                        else self._initial
                    )
                )
            if self.is_constant and not shape:
                self._number = float(value.to(torch_dtype))
            value = value.to(device=self._device, dtype=torch_dtype).reshape(shape).contiguous()
            self._data = value.requires_grad_(self.is_parameter and value.is_floating_point())
        self._initial, self._seen = None, (self._data._version, False)

    @property
    def is_changed(self) -> bool:
        """True if a constant that is a scalar no longer has its initial value."""
        if self._number is None or self._data is None:
            return False
        if self._data._version != self._seen[0]:  # something has been written there since
            number = float(self._data)
            same = number == self._number or (math.isnan(number) and math.isnan(self._number))
            self._seen = self._data._version, not same
        return self._seen[1]

    @property
    def data(self) -> torch.Tensor:
        """The value as the torch tensor that runs read and learners change in place."""
        if self._data is None:
            self._make()
        return self._data  # type: ignore[return-value]

    def freeze_storage(self) -> torch.Tensor:
        """Return the value, detached, for users that keep its memory: from now on its memory layout
        stays as it is.
        """
        self._is_pinned = True
        return self.data.detach()

    def move_to(self, device: torch.device) -> None:
        """Move the value to a device; the tensor stays the same."""
        if move(self.data, device):
            self._device = device

    def use_column_major(self) -> None:
        """Store a matrix in column-major order, as some kernels want it; nothing else about it
        changes.
        """
        data = self.data
        if data.dim() == 2 and not self._is_pinned:
            with torch.inference_mode(False), torch.no_grad():
                data.data = data.detach().t().contiguous().t()

    @property
    def value(self) -> np.ndarray:
        """A copy of the value, ``[*shape]``. May be set to an array, a number, or an `NDArrayView`
        of that shape.

        Raises:
            ValueError: when read while the shape is still to be inferred.
            FeedError: when set to a value of another shape, or to what is no value.
        """
        return array_of(self.data).copy()

    @value.setter
    def value(self, value: Any) -> None:
        if isinstance(value, Value):
            value = value.data
        new = value.tensor if isinstance(value, NDArrayView) else self._numbers(value)
        data = self.data
        if new.numel() != data.numel() and new.ndim:
            raise FeedError(
                f"{self!r}: expected a value of shape {shape_text(self.shape)}, got "
                f"{shape_text(new.shape)}"
            )
        with torch.no_grad():
            data.copy_(new.reshape(data.shape) if new.ndim and new.shape != data.shape else new)

    def _numbers(self, value: Any) -> torch.Tensor:
        """Convert numbers to a tensor.

        Raises:
            FeedError: for anything else.
        """
        try:
            return value if isinstance(value, torch.Tensor) else tensor_of(np.array(value))
        except (TypeError, ValueError):
            raise FeedError(
                f"{self!r}: expected a number, an array or an NDArrayView as its value, got "
                f"{value!r}"
            ) from None

    def _as_numpy(self) -> np.ndarray:
        return self.value

    def set_value(self, value: Any) -> None:
        """Set the value; see `value`."""
        self.value = value

    def get_value(self) -> NDArrayView:
        """Return the value as an `NDArrayView` of the same memory.

        Example:
            >>> Parameter((2, 3), init=1).get_value()
            NDArrayView([2 x 3], CPU)
        """
        return NDArrayView.of(self.data.detach())

    @property
    def device(self) -> torch.device:
        """The device of the value."""
        return self._device

    def copied(self, freeze: bool) -> _Holder:
        """Return a new variable with the same value: a constant if ``freeze``."""
        initial = self._initial if self._data is None else self._data.detach()
        target: type[_Holder] = Constant if freeze or self.is_constant else Parameter
        copy = target.__new__(target)
        kind = VariableKind.Constant if target is Constant else VariableKind.Parameter
        copy._initialize(kind, self.shape, initial, self.type_.dtype, None, self._name)
        copy._device = self._device
        return copy


def _numbers(value: Any, called: str) -> np.ndarray:
    """Convert the value of a parameter or constant to an array.

    Raises:
        ArgumentError: for anything that is no number, or lists of different length.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError):  # NumPy takes no lists of different length
        array = np.asarray(None)
    if not is_number(array.dtype) or (not array.size and isinstance(value, (list, tuple))):
        kind = (
            ""
            if isinstance(value, np.ndarray)
            else ", lists of one length" * isinstance(value, (list, tuple))
        )
        raise ArgumentError(
            f"{called}: expected numbers, as a number or an array{kind}, or an initializer such as "
            f"cntk.glorot_uniform() as its value, got {shown(value)}"
        )
    return array


class Parameter(_Holder):
    """A variable that learners change.

    Args:
        shape: its shape; dimensions may be `InferredDimension`. An array given as ``init`` has its
            own, which counts.
        init: an initializer, a number, or an array.
        dtype: float32, float64, float16 or bfloat16; arrays take it on as well. `cntk.parameter`
            keeps an array's own.
        device: the device of the data.
        name: its name in the graph.

    Raises:
        ValueError: if there is neither shape nor array, or the initializer's scale is not positive.

    Example:
        >>> w = Parameter((2, 3), init=1, name="w")
        >>> w.value.sum()
        np.float32(6.0)
    """

    def __init__(
        self,
        shape: Any = None,
        init: Any = None,
        dtype: Any = default_override_or(np.float32),
        device: DeviceDescriptor | None = None,
        name: str = "",
    ) -> None:
        if shape is None and init is None:
            shape = ()
        self._initialize(
            VariableKind.Parameter,
            shape,
            0 if init is None else init,
            _option(dtype, init, Parameter),
            device,
            name,
        )

    def as_parameter(self) -> Parameter:
        """Return this very parameter."""
        return self


class Constant(_Holder):
    """A variable with a value that learners leave alone.

    Args:
        value: a number, an array, or an initializer.
        shape: its shape. An array given as ``value`` has its own, which counts.
        dtype: float32, float64, float16 or bfloat16; arrays take it on as well. `cntk.constant`
            keeps an array's own.
        device: the device of the data.
        name: its name in the graph.

    Example:
        >>> Constant([[1, 2], [3, 4]]).value
        array([[1., 2.],
               [3., 4.]], dtype=float32)
    """

    def __init__(
        self,
        value: Any = None,
        shape: Any = None,
        dtype: Any = default_override_or(np.float32),
        device: DeviceDescriptor | None = None,
        name: str = "",
    ) -> None:
        if shape is None and value is None:
            raise ValueError(
                f"constant {quoted(name)}: needs a value, as in constant(0), or a shape of zeros, "
                f"constant(shape=3)"
            )
        self._initialize(
            VariableKind.Constant,
            shape,
            0 if value is None else value,
            _option(dtype, value, Constant),
            device,
            name,
        )

    @classmethod
    def of_later_dtype(cls, value: Any) -> Constant:
        """Create a scalar whose dtype is that of the operation's other operands, once these are
        known.
        """
        constant = cls.__new__(cls)
        constant._initialize(VariableKind.Constant, (), float(value), None, None, "")
        return constant

    def as_constant(self) -> Constant:
        """Return this very constant."""
        return self


def _option(dtype: Any, value: Any, cls: type) -> Any:
    """Return a dtype: the argument, a tensor's own, or the default option's, which NumPy arrays
    take on.
    """
    chosen = get_default_override(cls, dtype=dtype)
    if isinstance(dtype, default_override_or) and isinstance(
        value, (torch.Tensor, NDArrayView, Value)
    ):
        return None
    return chosen


class Record(dict):  # type: ignore[type-arg]
    """A dictionary whose entries are attributes as well; it is immutable.

    Args:
        **args_dict: the entries.

    Example:
        >>> r = Record(loss=0.5, samples=100)
        >>> r.loss, r.updated_with(loss=0.25).loss
        (0.5, 0.25)
    """

    def __init__(self, **args_dict: Any) -> None:
        super().__init__(**args_dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(
                f"Record has no entry {quoted(name)}; it has: {', '.join(self) or 'none'}"
            ) from None

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"Record entries cannot be set; use updated_with({name}=...)")

    def updated_with(self, **kwargs: Any) -> Record:
        """Return a copy with some entries changed.

        Raises:
            AttributeError: for an entry that the record does not have.
        """
        unknown = [k for k in kwargs if k not in self]
        if unknown:
            raise AttributeError(
                f"Record has no entry '{unknown[0]}'; it has: {', '.join(self) or 'none'}"
            )
        return Record(**{**self, **kwargs})


hand_on(globals())
