"""Functions: what they are, how they are cloned and loaded, and how Python functions become
them.
"""

from __future__ import annotations

from typing import Any

from cntk._graph.composite import Composite
from cntk._graph.define import BlockFunction
from cntk._graph.function import CloneMethod, Function
from cntk._graph.function_methods import ModelFormat
from cntk._graph.names.late_names import hand_on
from cntk._ops.user.native_function import native_user_function, register_native_user_function
from cntk._ops.user.user_function import UserFunction
from cntk.device import DeviceDescriptor

__all__ = [
    "BlockFunction",
    "CloneMethod",
    "Function",
    "ModelFormat",
    "UserFunction",
    "load_model",
    "native_user_function",
    "register_native_user_function",
]


def load_model(
    model: Any, device: DeviceDescriptor | None = None, format: ModelFormat = ModelFormat.CNTKv2
) -> Composite:
    """Read a function from a file of version 2, or of version 1, from CNTK before 2.0.

    Nothing that a file holds is run as a program, and nothing larger than the file is made of it.

    Args:
        model: a path; the bytes of a file; or a file opened for reading in binary mode.
        device: where parameters and constants go.
        format: the file's format.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is cut short, damaged, or of another kind, or if it holds an operation or
            a user function that is not known; see `Function.register_udf_deserialize_callback`.

    Example:
        >>> import cntk as C, os, tempfile
        >>> x = C.input_variable(2)
        >>> path = os.path.join(tempfile.mkdtemp(), "sum.model")
        >>> C.reduce_sum(x, axis=0).save(path)
        >>> load_model(path).eval([[1, 2]])
        array([[3.]], dtype=float32)
    """
    return Function.load(model, device, format)


hand_on(globals())
