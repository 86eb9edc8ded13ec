"""Types of arguments, for annotations in programs and in this package's own signatures.

Example:
    >>> import cntk as C
    >>> from cntk.typing import Operand
    >>> def swish(x: Operand) -> C.Function:
    ...     return x * C.sigmoid(x)
    >>> swish(C.input_variable(2)).eval([[0, 1]])
    array([[0.       , 0.7310586]], dtype=float32)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk.axis import Axis
from cntk.core import NDArrayView, Value
from cntk.default_options import default_override_or
from cntk.device import DeviceDescriptor
from cntk.initializer import Initializer

__all__ = [
    "ActivationLike",
    "Arguments",
    "ArrayLike",
    "AxesLike",
    "AxisLike",
    "DTypeLike",
    "Data",
    "DeviceLike",
    "InitializerLike",
    "Node",
    "Operand",
    "ShapeLike",
    "SparseMatrix",
]


class SparseMatrix(Protocol):
    """A sparse matrix of SciPy, such as a ``csr_matrix``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    def tocsr(self) -> Any:
        """Return it in compressed rows."""


ArrayLike: TypeAlias = npt.ArrayLike
"""A number, a NumPy array, or nested lists of numbers."""

ShapeLike: TypeAlias = int | Sequence[int]
"""A shape: one dimension, or a sequence of them; -1 is inferred, -3 is free."""

AxisLike: TypeAlias = int | Axis
"""One axis: an integer for a static axis, or an `Axis`."""

AxesLike: TypeAlias = AxisLike | Sequence[AxisLike]
"""One axis or several."""

DTypeLike: TypeAlias = npt.DTypeLike | default_override_or | None
"""A dtype: a NumPy type such as ``np.float32``, or its name; None for that of the operands. As a
default it may stand aside for `cntk.default_options`.
"""

DeviceLike: TypeAlias = DeviceDescriptor | None
"""A device; None for the default one."""

Node: TypeAlias = Variable | Function
"""A node of a graph: a variable, or a function with one output."""

Operand: TypeAlias = Node | Value | NDArrayView | ArrayLike
"""What operations take: a node of a graph, or a number or an array, which become constants."""

Data: TypeAlias = (
    ArrayLike
    | SparseMatrix
    | Value
    | NDArrayView
    | Sequence[ArrayLike | SparseMatrix]
    | tuple[Any, Sequence[bool]]
)
"""What an input takes: samples in an array, a list of sequences, sparse matrices, a `Value`; or a
pair of any of these and of flags that say which sequences begin here.
"""

Arguments: TypeAlias = Mapping[Any, Any] | Data | None
"""What a function is evaluated on: data by variable or name, or the data of the only argument."""

ActivationLike: TypeAlias = Callable[[Any], Any] | default_override_or | None
"""An activation function such as `cntk.relu`; None for none. As a default it may stand aside for
`cntk.default_options`.
"""

InitializerLike: TypeAlias = (
    Initializer | Node | NDArrayView | ArrayLike | np.generic | default_override_or
)
"""First values: an initializer, a number, or an array of the shape. As a default it may stand aside
for `cntk.default_options`.
"""


def __dir__() -> list[str]:
    return [*__all__]
