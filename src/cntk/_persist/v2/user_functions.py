"""Converts user functions to and from dictionaries: their names and state.

The program itself has the classes or factories that make them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from cntk._graph.function import Function
from cntk._graph.names.user_functions import loader_of
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable
from cntk._ops.user.native_function import NativePrimitive, native_function
from cntk._ops.user.user_function import UserPrimitive
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import Single, Size, Wrapped
from cntk.errors import FileFormatError, UserFunctionError

USER_FUNCTION_VERSION = 0
_STATE_VERSION = 1


class _Nothing(Wrapped):
    """None that files have as a value of kind `Kind.Nothing`, rather than not at all."""

    wrapped = None


def user_function_to_file(
    primitive: UserPrimitive | NativePrimitive, uid: str, operands: Sequence[str]
) -> Any:
    """Convert a user function to a dictionary.

    Args:
        primitive: the function's operation in the graph.
        uid: its uid in the file.
        operands: the operands' uids.

    Raises:
        FileFormatError: if its state has a value that files cannot hold.
    """
    native = isinstance(primitive, NativePrimitive)
    state = primitive.serialize()
    described = {
        "version": Size(USER_FUNCTION_VERSION),
        "type": "UserDefinedFunction",
        "native": native,
        "uid": uid,
        "inputs": list(operands),
        "user_defined_state": {key: _to_file(value) for key, value in state.items()}
        | {"version": Size(_STATE_VERSION) if native else _STATE_VERSION},
    }
    return described | ({"name": primitive._name} if primitive._name else {})


def _to_file(value: Any) -> Any:
    """Convert a program's own value to one of files: None is kept, large integers become `Size`."""
    if value is None:
        return _Nothing()
    if isinstance(value, Mapping):
        return {key: _to_file(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_file(item) for item in value]
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 2**31:
        return Size(value)
    return value


def _from_file(value: Any) -> Any:
    """Convert a value of a file to plain Python types."""
    if isinstance(value, dict):
        return {key: _from_file(item) for key, item in value.items()}
    if isinstance(value, NDShape):
        return tuple(reversed(value))
    if isinstance(value, list):
        return [_from_file(item) for item in value]
    return (
        int(value)
        if isinstance(value, Size)
        else float(value)
        if isinstance(value, Single)
        else value
    )


def user_function_from_file(
    values: Mapping[str, Any], native: bool, operands: Sequence[Variable], name: str, uid: str
) -> Primitive:
    """Make a user function by the program's own class or registered factory.

    Args:
        values: its dictionary.
        native: whether it was made by a registered factory rather than a class.
        operands: its operands.
        name: its name in the graph.
        uid: its uid in the file.

    Raises:
        UserFunctionError: if the program has not defined or registered it, or making it raises or
            returns something else.
    """
    if native:
        return _with_uid(uid, _native_from_file(values, operands, name))
    op_name, module, cls = (_text(values, key) for key in ("op_name", "module", "class"))
    loader = loader_of(op_name, module, cls)
    try:
        made = loader(list(operands), name, _from_file(values.get("state")))
    except Exception as error:
        raise UserFunctionError.of(op_name, name, "deserialize", error) from error
    if not isinstance(made, Function):
        raise UserFunctionError(
            f"{op_name} '{name}': deserialize must return a UserFunction or another function, and "
            f"returned a {type(made).__name__}"
        )
    root = made.root_function
    root._name = root._name or name
    return _with_uid(uid, root)


def _with_uid(uid: str, root: Primitive) -> Primitive:
    """Set the function's uid to that of the file, unless the program replaced it by others."""
    if isinstance(root, (UserPrimitive, NativePrimitive)):
        root._uid = uid
        for k, variable in enumerate(root.results):
            variable._uid = f"{uid}_Output_{k}"
    return root


def _native_from_file(
    values: Mapping[str, Any], operands: Sequence[Variable], name: str
) -> Primitive:
    attributes = _from_file(values.get("user_defined_state") or {})
    op_id = _text(values, "op")
    hint = (
        f"it was register_native_user_function('{op_id}', '{_text(values, 'module')}', "
        f"'{_text(values, 'deserialize_method')}') where the file was written"
    )
    return native_function(op_id, operands, attributes, name, hint).root_function


def _text(values: Mapping[str, Any], key: str) -> str:
    value = values.get(key)
    if not isinstance(value, str):
        raise FileFormatError(f"a user function has no '{key}'; the file is damaged")
    return value
