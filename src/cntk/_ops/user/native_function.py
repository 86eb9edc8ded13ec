"""Functions that a factory makes, known by a name: what the original's extension libraries are,
written in Python.

The original loads a shared library. Here a factory is a Python function that builds a graph or a
`UserFunction`::

    def CreateScaled(operands, attributes, name):
        return operands[0] * attributes["factor"]

It stands in a module that can be imported, and is registered under the name that graphs and files
know it by.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cntk._arguments import as_string, shown
from cntk._graph.block import Block
from cntk._graph.composite import Composite
from cntk._graph.function import Function
from cntk._graph.names.naming import next_uid
from cntk._graph.op import Op
from cntk._graph.primitive import Primitive
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.support.operands import as_operands
from cntk._wording import operation_text, quoted
from cntk.errors import ArgumentError, GraphError, UserFunctionError

__all__ = ["native_user_function", "register_native_user_function"]

# The one library that the original brings along; its version stands behind the name.
_EXAMPLES, _EXAMPLES_MODULE = "Cntk.ExtensibilityExamples-", "cntk._ops.user.extensibility_examples"


@dataclass(frozen=True)
class _Registration:
    """A factory and where it came from.

    Attributes:
        module: the module, as the program named it.
        method: the factory's name there.
        factory: the factory.
    """

    module: str
    method: str
    factory: Callable[[Sequence[Variable], dict[str, Any], str], Any]


_registered: dict[str, _Registration] = {}


def register_native_user_function(op_id: str, module_name: str, factory_method_name: str) -> None:
    """Make a factory of functions known under a name.

    Args:
        op_id: the name under which graphs and files know what it makes.
        module_name: a Python module that can be imported.
        factory_method_name: a function in it, called with a list of operands, a dictionary of
            attributes and a name; returns a function of the operands or a `UserFunction`.

    Raises:
        ValueError: if there is one of that name already.
        RuntimeError: if there is no such module, or no such function in it.

    Example:
        >>> register_native_user_function(
        ...     "ExampleTimes", "Cntk.ExtensibilityExamples-2.7", "CreateUserTimesFunction"
        ... )
        >>> is_native_user_function_registered("ExampleTimes")
        True
    """
    for what, value in (
        ("op_id", op_id),
        ("module_name", module_name),
        ("factory_method_name", factory_method_name),
    ):
        as_string(value, f"register_native_user_function: {what}")
    if op_id in _registered:
        raise ValueError(
            f"register_native_user_function: there is a '{op_id}' already; choose another name"
        )
    name = _EXAMPLES_MODULE if module_name.startswith(_EXAMPLES) else module_name
    try:
        module = importlib.import_module(name)
    except (ImportError, ValueError) as error:
        raise UserFunctionError(
            f"register_native_user_function '{op_id}': the module {quoted(module_name)} cannot be "
            f"imported ({error}); what the original has in a shared library must be a Python "
            f"module here"
        ) from error
    factory = getattr(module, factory_method_name, None)
    if not callable(factory):
        raise UserFunctionError(
            f"register_native_user_function '{op_id}': the module {quoted(module_name)} has no "
            f"function '{factory_method_name}'"
        )
    _registered[op_id] = _Registration(module_name, factory_method_name, factory)


def is_native_user_function_registered(op_id: str) -> bool:
    """Return whether a factory is registered under a name."""
    return op_id in _registered


def native_user_function(
    op_id: str,
    operands: Sequence[Any],
    attributes: Mapping[str, Any] | None = None,
    user_function_instance_name: str = "",
) -> Composite:
    """Create a function by a registered factory.

    Args:
        op_id: the factory's name; see `register_native_user_function`.
        operands: the operands.
        attributes: a dictionary for the factory, saved with the function.
        user_function_instance_name: its name in the graph.

    Raises:
        ValueError: if there is no factory of that name.
        UserFunctionError: if the factory fails, or makes no function of its operands.

    Example:
        >>> import cntk as C
        >>> if not is_native_user_function_registered("Times"):
        ...     register_native_user_function(
        ...         "Times", "Cntk.ExtensibilityExamples-2.7", "CreateUserTimesFunction"
        ...     )
        >>> x = C.input_variable(2)
        >>> w = C.parameter((2, 2), init=[[1, 2], [3, 4]])
        >>> native_user_function("Times", [w, x]).eval([[1, 1]])
        array([[4., 6.]], dtype=float32)
    """
    as_string(op_id, "native_user_function: op_id")
    if isinstance(operands, str) or not isinstance(operands, Iterable):
        raise ArgumentError(
            f"native_user_function '{op_id}': expected a list of operands, got {shown(operands)}"
        )
    if attributes is not None and not isinstance(attributes, Mapping):
        raise ArgumentError(
            f"native_user_function '{op_id}': attributes: expected a dictionary, got "
            f"{shown(attributes)}"
        )
    return native_function(
        op_id,
        as_operands(list(operands), op_id),
        dict(attributes or {}),
        user_function_instance_name,
        f"register_native_user_function('{op_id}', module_name, factory_method_name) makes one "
        f"known",
    )


def native_function(
    op_id: str, operands: Sequence[Variable], attributes: dict[str, Any], name: str, hint: str
) -> Composite:
    """Create a function by a registered factory; see `native_user_function`.

    Args:
        op_id: the factory's name.
        operands: the operands.
        attributes: the factory's dictionary.
        name: the function's name in the graph.
        hint: what the error says if there is no such factory.
    """
    registration = _registered.get(op_id)
    if registration is None:
        raise UserFunctionError(f"no native user function '{op_id}' is registered; {hint}")
    inside = [
        Variable.make(VariableKind.Placeholder, v.type_, v._name, v.needs_gradient_)
        for v in operands
    ]
    try:
        made = registration.factory(list(inside), dict(attributes), name)
    except Exception as error:
        raise UserFunctionError.of(op_id, name, registration.method, error) from error
    if not isinstance(made, Function):
        raise UserFunctionError(
            f"{operation_text(op_id, name)}: {registration.method} must return a function of the "
            f"operands, and returned a {type(made).__name__}"
        )
    body = Composite(made.root_function)
    foreign = [v for v in body.arguments if v not in inside]
    if foreign:
        raise UserFunctionError(
            f"{operation_text(op_id, name)}: {registration.method} returned a function of "
            f"{foreign[0]!r}, which is none of the operands that it was given"
        )
    captured = [v for v in body.inputs if v not in inside]
    op = _Native(body, tuple(inside), op_id, attributes, registration)
    return Composite(
        NativePrimitive(op, [*captured, *operands], name, next_uid("UserDefinedFunction"))
    )


@dataclass(frozen=True, eq=False)
class _Native(Block):
    """The function of a factory as one operation.

    Attributes:
        arguments_of_factory: the attributes passed to the factory.
        registration: the factory.
    """

    arguments_of_factory: dict[str, Any]
    registration: _Registration

    def attributes(self) -> dict[str, Any]:
        return self.arguments_of_factory


class NativePrimitive(Primitive, inner=True):
    """A node with a factory's function."""

    op: _Native

    @property
    def is_block(self) -> bool:
        return False

    @property
    def inputs(self) -> tuple[Variable, ...]:
        return tuple(self.operands[len(self.operands) - len(self.op.arguments) :])

    def copied(self, op: Op, operands: Sequence[Variable]) -> Primitive:
        return NativePrimitive(op, operands, self._name, next_uid("UserDefinedFunction"))

    def serialize(self) -> dict[str, Any]:
        """Return the function's entry in a file: the factory and the attributes.

        Raises:
            GraphError: if the factory's function has parameters of its own, which files have no
                place for.
        """
        captured = self.operands[: len(self.operands) - len(self.op.arguments)]
        parameters = [v for v in captured if v.kind is VariableKind.Parameter]
        if parameters:
            raise GraphError(
                f"{operation_text(self.op_name, self._name)} cannot be saved: its factory has made "
                f"{parameters[0]!r}, and files hold none but the operands; make the parameter "
                f"outside and give it as an operand"
            )
        return {
            "type": "NativeUserDefinedFunction",
            "op": self.op.block_name,
            "module": self.op.registration.module,
            "deserialize_method": self.op.registration.method,
            "user_defined_state": self.op.arguments_of_factory,
        }
