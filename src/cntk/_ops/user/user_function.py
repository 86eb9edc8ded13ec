"""User-defined functions: a Python class computes an operation and its gradient, with NumPy or any
other library.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from cntk._graph.function import Function
from cntk._graph.names.naming import next_uid
from cntk._graph.names.user_functions import note_class
from cntk._graph.op import Op, RunKernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType, TypeHint, common_dtype
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.support.operands import as_operands
from cntk._wording import operation_text, quoted
from cntk.errors import UserFunctionError

__all__ = ["UserFunction"]


class UserFunction(Function):
    """Base class of operations written in Python.

    A subclass says in `infer_outputs` what it gives, computes it in `forward`, and its gradient in
    `backward`. Its ``__init__`` hands the operands on to this one. `cntk.user_function` makes a
    function of an instance.

    Data come as NumPy arrays: ``[n, *shape]`` for samples, a list with an array ``[length,
    *shape]`` for each of the sequences, ``[*shape]`` for parameters and constants; inside a
    recurrence a list with an array ``[1, *shape]`` for each of the sequences that are still
    running, the longest first. Results are taken in the same forms.

    Args:
        inputs: the operands: variables, functions or numbers.
        as_numpy: whether data come as NumPy arrays, else as `Value`.
        attributes: a dictionary of one's own, to be found in ``attributes``; files do not hold it,
            see `serialize`.
        name: its name in the graph.

    Example:
        >>> import cntk as C
        >>> class Square(UserFunction):
        ...     def __init__(self, x, name=""):
        ...         super().__init__([x], name=name)
        ...
        ...     def infer_outputs(self):
        ...         x = self.inputs[0]
        ...         return [C.output_variable(x.shape, x.dtype, x.dynamic_axes)]
        ...
        ...     def forward(self, argument, device=None, outputs_to_retain=None):
        ...         return argument, argument**2
        ...
        ...     def backward(self, state, root_gradients):
        ...         return 2 * state * root_gradients
        >>> x = C.input_variable(2, needs_gradient=True)
        >>> C.user_function(Square(x)).grad([[1, 3]])
        array([[2., 6.]], dtype=float32)
    """

    _made_with: tuple[tuple[Any, ...], dict[str, Any]]
    _operands: list[Variable] | None = None
    _primitive: UserPrimitive | None = None
    _is_being_inferred = False
    _user_name = ""
    as_numpy = True

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        note_class(cls)

    def __new__(cls, *args: Any, **kwargs: Any) -> UserFunction:
        instance = super().__new__(cls)
        instance._made_with = (args, kwargs)
        return instance

    def __init__(
        self,
        inputs: Sequence[Any],
        as_numpy: bool = True,
        attributes: Mapping[str, Any] | None = None,
        name: str = "",
    ) -> None:
        if isinstance(inputs, (str, Mapping)) or not isinstance(inputs, Sequence):
            raise TypeError(
                f"{self._op_name()}: inputs must be a list of operands, got {type(inputs).__name__}"
            )
        self._operands = as_operands(inputs, self._op_name())
        self._user_name = name
        self._attributes = dict(attributes or {})
        self.as_numpy = as_numpy

    # -- what a subclass defines -------------------------------------------------------------------

    def infer_outputs(self) -> list[Variable]:
        """Return the function's outputs, which follow from its `inputs`.

        Called whenever more becomes known of the operands. As long as their shapes are unknown,
        ``(-2,)`` stands for them.

        Returns:
            A list of `output_variable`.
        """
        raise NotImplementedError(
            f"{self._op_name()} must define infer_outputs(self), which returns a list of "
            f"output_variable"
        )

    # The original's order: it differs from that of a graph's forward.
    def forward(  # type: ignore[override]
        self, arguments: Any, outputs: Any = None, device: Any = None, outputs_to_retain: Any = None
    ) -> Any:
        """Compute the outputs.

        With one output it is called as ``forward(arguments, device, outputs_to_retain)`` and
        returns a pair of a state for `backward` and the result. With several it is called as
        ``forward(arguments, outputs, device, outputs_to_retain)``, fills the dictionary ``outputs``
        by variable, and returns the state.

        Args:
            arguments: the operand's data; a tuple of the operands' data if there are several.
            outputs: with several outputs a dictionary whose keys are `outputs`, to be filled.
            device: where the function runs.
            outputs_to_retain: the outputs whose gradients will be asked for.
        """
        raise NotImplementedError(
            f"{self._op_name()} must define forward(self, arguments, device, outputs_to_retain), "
            f"with a dictionary `outputs` after the arguments if there are several outputs"
        )

    def backward(self, state: Any, root_gradients: Any, variables: Any = None) -> Any:  # type: ignore[override]
        """Compute the operands' gradients.

        With one operand it is called as ``backward(state, root_gradients)`` and returns the
        gradient. With several it is called with a dictionary ``variables`` as well, to be filled;
        what is left None counts as 0.

        Args:
            state: what `forward` returned.
            root_gradients: the output's gradient; with several outputs a dictionary of them by
                variable.
            variables: a dictionary whose keys are the `inputs` that need a gradient.
        """
        raise NotImplementedError(
            f"{self._op_name()} has no gradient: it must define backward(self, state, "
            f"root_gradients), with a dictionary `variables` at the end if there are several inputs"
        )

    def clone(self, cloned_inputs: Sequence[Variable]) -> UserFunction:  # type: ignore[override]
        """Return the same function on other operands, for a copy of the graph.

        Unless a subclass says otherwise, it is constructed again with the arguments that it was
        constructed with, those of them that are operands replaced.

        Args:
            cloned_inputs: the operands.
        """
        positional, named = self._made_with
        operands = dict(zip(self.inputs, cloned_inputs, strict=True))
        return type(self)(
            *(_with_operands(value, operands) for value in positional),
            **{key: _with_operands(value, operands) for key, value in named.items()},
        )

    def serialize(self) -> Any:
        """Return the state that `deserialize` will need: numbers, strings, arrays, None, or lists
        and dictionaries of these.
        """
        return None

    @staticmethod
    def deserialize(inputs: Sequence[Variable], name: str, state: Any) -> UserFunction:
        """Create the function from its saved state.

        Args:
            inputs: the operands.
            name: its name in the graph.
            state: what `serialize` returned.
        """
        raise NotImplementedError(
            "a user function that is loaded from a file must define a static deserialize(inputs, "
            "name, state)"
        )

    @classmethod
    def _op_name(cls) -> str:
        return f"{cls.__module__}.{cls.__name__}"

    # -- what it is --------------------------------------------------------------------------------

    @property
    def op_name(self) -> str:
        """The class's name with its module; a subclass may choose another, which files hold."""
        return self._op_name()

    @property
    def name(self) -> str:
        return self._user_name

    @name.setter
    def name(self, name: str) -> None:
        Function.name.fset(self, name)  # type: ignore[attr-defined]
        self._user_name = name

    @property
    def uid(self) -> str:
        """Its unique name in the graph."""
        return self.root_function.uid

    @property
    def inputs(self) -> tuple[Variable, ...]:
        if self._primitive is not None:
            return self._primitive.seen_operands()
        if self._operands is None:
            raise UserFunctionError(
                f"{self._op_name()}: its __init__ must call super().__init__(inputs, name=name)"
            )
        return tuple(self._operands)

    @property
    def attributes(self) -> dict[str, Any]:
        return self._attributes

    @property
    def root_function(self) -> Primitive:
        # Made when first needed: `infer_outputs` may need what a subclass's __init__ sets after
        # super().__init__.
        if self._primitive is None:
            if self._is_being_inferred:
                raise UserFunctionError(
                    f"{self._op_name()}: its outputs are not known while infer_outputs tells them"
                )
            self._primitive = UserPrimitive(self, list(self.inputs), self._user_name)
        return self._primitive

    def __getattr__(self, name: str) -> Any:
        if (
            name.startswith("_")
            or self._is_being_inferred
            or (self._primitive is None and not hasattr(Variable, name))
        ):
            raise AttributeError(f"'{type(self).__name__}' object has no attribute {quoted(name)}")
        return super().__getattr__(name)

    def declared_outputs(self) -> list[Variable]:
        """Return the result of `infer_outputs`, after a check.

        Raises:
            UserFunctionError: if it fails, or gives anything but a list of output variables.
        """
        self._is_being_inferred = True
        try:
            outputs = self.infer_outputs()
        except Exception as error:
            raise UserFunctionError.of(
                self.op_name, self._user_name, "infer_outputs", error
            ) from error
        finally:
            self._is_being_inferred = False
        if (
            not isinstance(outputs, (list, tuple))
            or not outputs
            or not all(isinstance(v, Variable) for v in outputs)
        ):
            raise UserFunctionError(
                f"{operation_text(self.op_name, self._user_name)}: infer_outputs must return a "
                f"list of cntk.output_variable, and returned {outputs!r}"
            )
        return list(outputs)


def _with_operands(value: Any, operands: Mapping[Variable, Variable]) -> Any:
    """Replace the operands in an argument of a constructor."""
    if isinstance(value, (list, tuple)):
        return type(value)(_with_operands(item, operands) for item in value)
    if isinstance(value, Function) and len(value.outputs) == 1:
        return operands.get(value.output, value)
    return operands.get(value, value) if isinstance(value, Variable) else value


class UserPrimitive(Primitive, inner=True):
    """A node with a user function.

    Args:
        user: the function.
        operands: what it reads.
        name: its name in the graph.

    Attributes:
        differentiable: for each output whether `infer_outputs` lets gradients through it.
    """

    def __init__(self, user: UserFunction, operands: Sequence[Variable], name: str) -> None:
        self.user = user
        self.differentiable: tuple[bool, ...] = ()
        self._seen: tuple[Variable, ...] | None = None
        super().__init__(UserOp(user), operands, name, next_uid("UserDefinedFunction"))

    def seen_operands(self) -> tuple[Variable, ...]:
        """Return the operands, or, while types are inferred for a run, variables of their types in
        that run.
        """
        return tuple(self.operands) if self._seen is None else self._seen

    def _create_results(self) -> None:
        self._set_constant_dtypes()
        declared = self.user.declared_outputs()
        self.results = tuple(
            Variable.make(VariableKind.Output, v.type_, v._name, uid=f"{self.uid}_Output_{k}")
            for k, v in enumerate(declared)
        )
        for variable in self.results:
            variable._owner = self
        self._take_over(declared)

    def _set_constant_dtypes(self) -> None:
        """Give numbers among the operands the others' dtype."""
        dtype = common_dtype(tuple(v.type_ for v in self.operands))
        for variable in self.operands:
            if (
                variable.kind is VariableKind.Constant
                and variable.type_.dtype is None
                and dtype is not None
            ):
                variable.refine(replace(variable.type_, dtype=dtype))

    def infer_results(self, partial: TypeHint = TypeHint.AXES) -> bool:
        self._set_constant_dtypes()
        return self._take_over(self.declared_outputs())

    def _take_over(self, declared: Sequence[Variable]) -> bool:
        flows = any(v.needs_gradient_ for v in self.operands)
        self.differentiable = tuple(v.needs_gradient_ for v in declared)
        changed = False
        for variable, output in zip(self.results, declared, strict=True):
            variable.needs_gradient_ = flows and output.needs_gradient_
            changed |= variable.refine(output.type_)
        return changed

    def declared_outputs(self, types: Sequence[TensorType] | None = None) -> list[Variable]:
        """Return the function's declared outputs.

        Args:
            types: the operands' types, if not their own.
        """
        if types is not None and any(
            t != v.type_ for t, v in zip(types, self.operands, strict=True)
        ):
            pairs = zip(self.operands, types, strict=True)
            self._seen = tuple(
                Variable.make(v.kind, t, v._name, v.needs_gradient_, v.uid) for v, t in pairs
            )
        try:
            declared = self.user.declared_outputs()
        finally:
            self._seen = None
        if len(declared) != len(self.results):
            raise UserFunctionError(
                f"{operation_text(self.user.op_name, self._name)}: infer_outputs told "
                f"{len(self.results)} outputs at first and {len(declared)} now; their number must "
                f"not change"
            )
        return declared

    def serialize(self) -> dict[str, Any]:
        """Return the function's entry in a file: its name, its class, and its ``state``."""
        cls = type(self.user)
        try:
            state = self.user.serialize()
        except Exception as error:
            raise UserFunctionError.of(self.user.op_name, self._name, "serialize", error) from error
        return {
            "version": 1,
            "class": cls.__name__,
            "module": cls.__module__,
            "op_name": self.user.op_name,
            "state": state,
        }

    def copied(self, op: Op, operands: Sequence[Variable]) -> Primitive:
        """Return the same function on other operands; see `UserFunction.clone`."""
        what = operation_text(self.user.op_name, self._name)
        try:
            copy = self.user.clone(operands)
        except Exception as error:
            raise UserFunctionError(
                f"{what} cannot be copied: {type(error).__name__}: {error}; define clone(self, "
                f"cloned_inputs), which returns the same function on other operands"
            ) from error
        if (
            not isinstance(copy, UserFunction)
            or copy is self.user
            or len(copy.inputs) != len(operands)
        ):
            raise UserFunctionError(
                f"{what}: clone(cloned_inputs) must return a UserFunction of its own on these "
                f"{len(operands)} operands, and returned {copy!r}"
            )
        copy._operands, copy._user_name, copy._primitive = list(operands), self._name, None
        return copy.root_function


@dataclass(frozen=True, eq=False)
class UserOp(Op):
    """The operation of a user function, as the compiler sees it.

    Attributes:
        user: the function.
    """

    user: UserFunction

    op_name = "UserFunction"
    pure = False
    not_recordable = "it runs code of the program"
    changes_batch_size = True

    @property
    def sparse_operands(self) -> tuple[int, ...]:  # type: ignore[override]
        return tuple(range(len(self.user.inputs)))

    def attributes(self) -> dict[str, Any]:
        return self.user.attributes

    def _primitive(self) -> UserPrimitive:
        return cast(UserPrimitive, self.user.root_function)

    def infer(self, *operands: TensorType) -> tuple[TensorType, ...]:
        return tuple(v.type_ for v in self._primitive().declared_outputs(operands))

    def infer_partial(self, *operands: TensorType) -> tuple[TensorType, ...]:  # type: ignore[override]
        return self.infer(*operands)

    def lower(self, *operands: TensorType) -> RunKernel:
        from cntk._ops.user.user_call import user_kernel

        return user_kernel(self._primitive(), operands)
