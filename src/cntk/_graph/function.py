"""Functions: what primitives, which hold one operation, and composites, which are graphs of them,
have in common.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Self

from cntk._arguments import as_integer, as_string, shown
from cntk._graph import printing, walk
from cntk._graph.composition import Composition
from cntk._graph.function_methods import RunMethods
from cntk._graph.names.kinds import Kind
from cntk._graph.names.misspelt import did_you_mean
from cntk._graph.names.naming import renaming_allowed
from cntk._graph.operators import Operators
from cntk._graph.tracing import open_arguments
from cntk._graph.variable import Variable, VariableKind
from cntk._wording import operation_text, quoted
from cntk.errors import ArgumentError, UnknownNameError

if TYPE_CHECKING:
    from cntk._graph.block import Block
    from cntk._graph.composite import Composite
    from cntk._graph.primitive import Primitive


class CloneMethod(enum.Enum):
    """Treatment of parameters by a clone.

    Attributes:
        share: the clone has the same parameters.
        clone: the clone has copies of its own, with the same values.
        freeze: the clone has constants with the same values instead.
    """

    share = "share"
    clone = "clone"
    freeze = "freeze"


class _FunctionType(Kind):
    """Lets `Function` stand as a decorator in front of a Python function, while its subclasses are
    made as usual.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is not Function:
            return super().__call__(*args, **kwargs)
        if args and isinstance(args[0], Function):
            return args[0]
        if not args and "body" not in kwargs:
            raise ArgumentError(
                "Function: expected a Python function, as in @Function or Function(lambda x: x + "
                "1), got none"
            )
        from cntk._graph.define import function_from_callable

        return function_from_callable(*args, **kwargs)


class Function(Composition, RunMethods, Operators, metaclass=_FunctionType):
    """A computation: a graph of operations with arguments, parameters and outputs.

    ``@Function`` in front of a Python function turns it into one: its parameters become the
    arguments.

    Example:
        >>> import cntk as C
        >>> @C.Function
        ... def affine(x, scale):
        ...     return x * scale + 1
        >>> print(affine(C.input_variable(3, name="x"), C.input_variable(3, name="s")))
        Composite(x: Tensor[3], s: Tensor[3]) -> Tensor[3]
    """

    if TYPE_CHECKING:  # the metaclass makes functions

        def __new__(cls, *args: Any, **kwargs: Any) -> Self: ...

    _uid: str
    # Whether an operator such as `<` made it: its truth is that of numbers which are not known.
    _is_condition = False

    def __bool__(self) -> bool:
        if self._is_condition:
            called = operation_text(self.root_function.op_name, self.name)
            raise ArgumentError(
                f"{called}: a comparison of nodes is itself a node, neither true nor false before "
                f"it is evaluated; use cntk.element_select(condition, x, y) in the graph, or "
                f"compare what eval gives"
            )
        return True

    # -- what it is --------------------------------------------------------------------------------

    @property
    def uid(self) -> str:
        """The unique name that files know it by."""
        return self._uid

    @property
    def root_function(self) -> Primitive:
        """The primitive that computes the outputs."""
        raise NotImplementedError

    @property
    def is_composite(self) -> bool:
        """True if this is a graph: the operation that computes the outputs and all that it
        depends on.
        """
        return False

    @property
    def is_primitive(self) -> bool:
        """True if this is one operation."""
        return not self.is_composite

    @property
    def is_block(self) -> bool:
        """True if this is one operation that stands for a graph of its own; a composite's root
        may be.
        """
        return False

    @property
    def op_name(self) -> str:
        """The operation's name; for a composite, 'CompositeFunctionOpName'."""
        return "CompositeFunctionOpName"

    @property
    def name(self) -> str:
        """The name, or ''. May be set once. A graph's is that of its root unless it has been given
        one of its own.
        """
        return self.root_function._name

    @name.setter
    def name(self, name: str) -> None:
        self.check_renaming(name)
        self.root_function._name = name

    def check_renaming(self, name: str) -> None:
        """Refuse another name for a function that has one.

        Raises:
            ValueError: for such a function.
        """
        if self.name and not renaming_allowed():
            raise ValueError(
                f"function {quoted(self.name)} has a name already and cannot be renamed to "
                f"{quoted(name)}"
            )

    @property
    def outputs(self) -> tuple[Variable, ...]:
        """All output variables."""
        return self.root_function.results

    @property
    def output(self) -> Variable:
        """The one output variable.

        Raises:
            RuntimeError: if there are several.
        """
        results = self.root_function.results
        if len(results) != 1:
            raise RuntimeError(
                f"{self!r} has {len(results)} outputs and cannot stand for a single variable; pick "
                f"one of `.outputs`"
            )
        return results[0]

    @property
    def type(self) -> str:
        """The output's type in the vocabulary of `cntk.layers.typing`, such as
        ``Sequence[Tensor[3]]``.
        """
        return printing.outputs_text(self)

    @property
    def inputs(self) -> tuple[Variable, ...]:
        """A primitive's operands; a composite's leaves: parameters, constants, inputs and
        placeholders.
        """
        raise NotImplementedError

    @property
    def arguments(self) -> tuple[Variable, ...]:
        """The inputs and placeholders among the inputs."""
        kinds = (VariableKind.Input, VariableKind.Placeholder, VariableKind.Output)
        return tuple(dict.fromkeys(v for v in self.inputs if v.kind in kinds))

    @property
    def signature(self) -> tuple[Variable, ...]:
        """The arguments in the order in which a call takes them.

        What belongs to a Python function around this one that is still being made is not among
        them: it stays as it is.
        """
        outer = open_arguments()
        return tuple(v for v in self.arguments if v not in outer) if outer else self.arguments

    def _leaves_on_disk(self) -> tuple[Variable, ...]:
        """Leaves of a composite's graph, or those among a primitive's own operands, in the
        original's order: that of files.
        """
        return tuple(
            dict.fromkeys(
                v for v in walk.operands_as_on_disk(self.root_function) if v._owner is None
            )
        )

    @property
    def parameters(self) -> tuple[Any, ...]:
        """A composite's parameters, depth first from the root; of a primitive, such as a layer
        found by its name, its own.

        Example:
            >>> import cntk as C
            >>> hidden = C.layers.Dense(3, name="hidden")(C.input_variable(2))
            >>> scores = C.layers.Dense(4, name="scores")(hidden)
            >>> (
            ...     [p.shape for p in scores.parameters],
            ...     [p.shape for p in scores.find_by_name("scores").parameters],
            ... )
            ([(3, 4), (4,), (2, 3), (3,)], [(3, 4), (4,)])
        """
        return tuple(v for v in self._leaves_on_disk() if v.kind is VariableKind.Parameter)

    @property
    def constants(self) -> tuple[Any, ...]:
        """The constants, found as `parameters` are."""
        return tuple(v for v in self._leaves_on_disk() if v.kind is VariableKind.Constant)

    @property
    def placeholders(self) -> tuple[Variable, ...]:
        """The placeholders, found as `parameters` are."""
        return tuple(v for v in self._leaves_on_disk() if v.kind is VariableKind.Placeholder)

    @property
    def custom_attributes(self) -> dict[str, Any]:
        """A dictionary of one's own that is saved with the function."""
        return self.root_function.custom

    @custom_attributes.setter
    def custom_attributes(self, values: Mapping[str, Any]) -> None:
        if not isinstance(values, Mapping):
            raise ArgumentError(
                f"custom_attributes of {self}: expected a dictionary, got {shown(values)}"
            )
        self.root_function.custom = dict(values)

    @property
    def block_root(self) -> Primitive:
        """The root of the graph that a block stands for.

        Raises:
            ValueError: if this is no block.
        """
        return self._block().composite.root_function

    @property
    def block_arguments_mapping(self) -> tuple[tuple[Variable, Variable], ...]:
        """Pairs of a block's inner argument and the variable that it stands for.

        Raises:
            ValueError: if this is no block.
        """
        block = self._block()
        return tuple(
            zip(block.arguments, block.operands_of(self.root_function.operands), strict=True)
        )

    def _block(self) -> Block:
        block = self.root_function.block
        if block is None:
            raise ValueError(
                f"{self} is not a block; only functions made by as_block or BlockFunction are"
            )
        return block

    # -- copying -----------------------------------------------------------------------------------

    def clone(
        self, method: CloneMethod | str, substitutions: Mapping[Any, Any] | None = None
    ) -> Composite:
        """Return a copy of the graph.

        Args:
            method: what to do with parameters: 'share', 'clone' or 'freeze'.
            substitutions: variables or functions of the graph and what to put in their place.

        Raises:
            ValueError: for an unknown method.
            TypeError: for a substitution that is neither variable nor function.
            AttributeError: for a substitution of or by None.
        """
        from cntk._graph.clone import clone

        return clone(self, method, substitutions or {})

    def replace_placeholders(self, substitutions: Mapping[Variable, Any]) -> Function:
        """Put variables or functions in the places of placeholders, in this graph itself.

        Args:
            substitutions: placeholders and what takes their place.

        Returns:
            This function.
        """
        from cntk._graph.clone import replace_placeholders

        replace_placeholders(self, substitutions)
        return self

    def replace_placeholder(self, substitution: Any) -> Function:
        """Put a variable or function in the place of the only placeholder.

        Raises:
            ValueError: unless there is exactly one.
        """
        placeholders = self.placeholders
        if len(placeholders) != 1:
            raise ValueError(
                f"replace_placeholder: {self} has {len(placeholders)} placeholders, not one; use "
                f"replace_placeholders"
            )
        return self.replace_placeholders({placeholders[0]: substitution})

    @staticmethod
    def register_udf_deserialize_callback(op_name: str, callback: Callable[..., Any]) -> None:
        """Say how user functions of a name are made when files that hold them are loaded.

        Without a callback the static `UserFunction.deserialize` of the class is called, if the
        program has defined it. Nothing is imported because a file says so.

        Args:
            op_name: what such functions are called: module and class, unless the class overrides
                ``op_name``.
            callback: is called with the list of operands, the function's name and what its
                ``serialize`` returned; returns a `UserFunction`, or any function with as many
                outputs.

        Raises:
            ValueError: if there is one for that name already.
            TypeError: for anything but a name and something that can be called.
        """
        from cntk._graph.names.user_functions import register_callback

        register_callback(op_name, callback)

    @staticmethod
    def with_signature(*args: Any, **kwargs: Any) -> Callable[[Callable[..., Any]], Composite]:
        """Decorator: as ``@Function``, with types for the parameters.

        Args:
            *args: types of `cntk.layers.typing`, in the order of the parameters.
            **kwargs: the same, by name.

        Raises:
            TypeError: if there is not one type for each parameter.

        Example:
            >>> import cntk as C
            >>> @C.Function.with_signature(C.layers.typing.Tensor[3])
            ... def twice(x):
            ...     return 2 * x
            >>> twice([[1, 2, 3]])
            array([[2., 4., 6.]], dtype=float32)
        """
        from cntk._graph.define import function_of_types

        return lambda body: function_of_types(body, args, kwargs)

    def declare_args(self, *arg_types: Any) -> None:
        """Give the placeholders of a function types, before it is built further."""
        self.update_signature(*arg_types)

    def update_signature(self, *arg_types: Any, **kwarg_types: Any) -> None:
        """Give the arguments types: input variables of these types take the placeholders' places.

        Args:
            *arg_types: a shape or a type of `cntk.layers.typing` for each argument.
            **kwarg_types: the same, by name.
        """
        from cntk._graph.call import update_signature

        update_signature(self, arg_types, kwarg_types)

    def set_attribute(self, name: str, value: Any) -> None:
        """Change an attribute of the root operation that may change: ``dropoutRate`` or
        ``rngSeed``.

        Raises:
            GraphError: for any other attribute.
        """
        self.root_function.change_attribute(name, value)

    # -- looking inside ----------------------------------------------------------------------------

    def find_all_with_name(self, name: str, depth: int = 0) -> list[Any]:
        """All functions and variables of a name; see `find_by_name`."""
        if not isinstance(name, str):
            raise ArgumentError(
                f"find_all_with_name, find_by_name: expected a name, got {shown(name)}"
            )
        depth = as_integer(depth, "find_all_with_name, find_by_name: depth")
        return walk.depth_first_search(self, lambda node: node.name == name, depth)

    def find_by_name(self, name: str, depth: int = 0) -> Any:
        """Return the function or variable of a name, or None.

        Args:
            name: the name.
            depth: how many levels of blocks to look into; -1 for all.

        Raises:
            ValueError: if there are several of that name.
        """
        matches = self.find_all_with_name(name, depth)
        if len(matches) > 1:
            raise ValueError(
                f"{self}: {len(matches)} nodes are named {quoted(name)}; find_all_with_name gives "
                f"all of them"
            )
        return matches[0] if matches else None

    def find_by_uid(self, uid: str, depth: int = 0) -> Any:
        """Return the function or variable of a uid, or None; see `find_by_name`."""
        as_string(uid, "find_by_uid: uid")
        depth = as_integer(depth, "find_by_uid: depth")
        return next(iter(walk.depth_first_search(self, lambda node: node.uid == uid, depth)), None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("uid", "operands", "results", "op", "block", "custom"):
            raise AttributeError(name)
        results = self.root_function.results
        if len(results) == 1 and hasattr(results[0], name):
            return getattr(results[0], name)
        block = self.root_function.block if self.is_block else None
        # Of a block, only what is inside.
        node = (block.composite if block else self).find_by_name(name, depth=-1)
        if node is not None:
            return node
        if len(results) != 1:
            raise UnknownNameError(
                f"Function {self} has no {quoted(name)}, and it cannot be looked up in its "
                f"outputs, of which there are {len(results)}",
                lambda: self._did_you_mean(name),
            )
        raise UnknownNameError(
            f"Function {self} has no attribute, argument, or node named {quoted(name)}",
            lambda: self._did_you_mean(name),
        )

    def _did_you_mean(self, name: str) -> str:
        nodes = walk.depth_first_search(self, lambda node: bool(node.name), -1)
        named = did_you_mean(name, [node.name for node in nodes], 0.6)
        return named or did_you_mean(name, [*dir(type(self)), *dir(Variable)])

    def __getitem__(self, key: Any) -> Any:
        results = self.root_function.results
        if len(results) == 1:
            return super().__getitem__(key)
        if isinstance(key, int) and -len(results) <= key < len(results):
            return results[key]
        raise KeyError(
            f"{self} has {len(results)} outputs; [{key!r}] must select one of them by its number"
        )

    def __reduce_ex__(self, protocol: Any) -> Any:
        from cntk._persist.pickled import function_parts

        return function_parts(self)

    def __str__(self) -> str:
        return printing.function_text(self)

    def __repr__(self) -> str:
        return printing.function_repr(self)
