"""Copies of graphs with substitutions, and placeholders replaced in place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cntk._arguments import shown
from cntk._graph import walk
from cntk._graph.composite import Composite
from cntk._graph.function import CloneMethod, Function
from cntk._graph.infer import infer_graph
from cntk._graph.primitive import Primitive
from cntk._graph.tracing import open_arguments
from cntk._graph.types import TensorType
from cntk._graph.variable import HOLDERS, Variable, VariableKind
from cntk.errors import ArgumentError, GraphError


def as_variable(node: Any, what: str) -> Variable:
    """Return a variable, or a function's only output.

    Raises:
        AttributeError: for None, as the original.
        ArgumentError: for anything else.
    """
    if isinstance(node, Variable):
        return node
    if isinstance(node, Function):
        return node.output
    if node is None:
        raise AttributeError(
            f"{what}: got None instead of a variable or function; was a node not found by its name?"
        )
    raise ArgumentError(f"{what}: expected a variable or function, got {type(node).__name__}")


def _substitution_map(substitutions: Mapping[Any, Any]) -> dict[Variable, Variable]:
    result: dict[Variable, Variable] = {}
    if not isinstance(substitutions, Mapping):
        raise ArgumentError(
            f"clone: substitutions: expected a dictionary of variables or functions, got "
            f"{shown(substitutions)}"
        )
    for old, new in substitutions.items():
        if (
            isinstance(old, Function)
            and isinstance(new, Function)
            and len(old.outputs) == len(new.outputs) > 1
        ):
            result.update(zip(old.outputs, new.outputs, strict=True))
        else:
            result[as_variable(old, "clone")] = as_variable(new, "clone")
    return result


def clone(
    function: Function, method: CloneMethod | str, substitutions: Mapping[Any, Any]
) -> Composite:
    """Return a copy of a graph; see `Function.clone`."""
    try:
        method = CloneMethod(method)
    except ValueError:
        allowed = ", ".join(f"'{m.value}'" for m in CloneMethod)
        raise ValueError(f"clone: unknown method {method!r}; use one of {allowed}") from None
    mapping = _substitution_map(substitutions)
    root = function.root_function
    for output in root.results:
        if len(root.results) == 1 and output in mapping:
            return _as_composite(mapping[output])
    declared = function._declared if isinstance(function, Composite) else ()
    shared = [(v, v.type_) for v in (*walk.leaves(root), *mapping.values()) if v.kind in HOLDERS]
    try:
        copy = _Cloning(method, mapping).graph(root)
    except GraphError:
        # Parameters may have taken on dimensions before another operation was refused.
        for variable, type_ in shared:
            variable.type_ = type_
        raise
    arguments = tuple(mapping.get(v, v) for v in declared)
    # Where something computed has taken an argument's place, the arguments are those of the graph,
    # in its order.
    name = function._own_name if isinstance(function, Composite) else ""
    return Composite(copy, arguments if all(v._owner is None for v in arguments) else (), name)


def _as_composite(variable: Variable) -> Composite:
    from cntk._graph.block import combine_variables

    owner = variable._owner
    if owner is not None and owner.outputs == (variable,):
        return Composite(owner.root_function)
    return combine_variables([variable])


class _Cloning:
    """One clone call: what has been copied so far."""

    def __init__(self, method: CloneMethod, mapping: dict[Variable, Variable]) -> None:
        self.method = method
        self.mapping = mapping
        # What the program wants replaced, in blocks too.
        self.replaced = frozenset(mapping)
        for new in list(mapping.values()):
            # What takes another's place, or is read by what does, is there already, wherever else
            # the graph has it.
            read = (new,) if new._owner is None else walk.leaves(new._owner.root_function)
            for leaf in read:
                if leaf is new or leaf.kind not in HOLDERS:
                    mapping.setdefault(leaf, leaf)

    def graph(self, root: Primitive) -> Primitive:
        stand_ins: dict[Variable, Variable] = {}
        copies: dict[int, Primitive] = {}
        for primitive in self._needed(root):
            operands = [self._operand(v, stand_ins) for v in primitive.operands]
            copy = primitive.copied(self._operation(primitive), operands)
            copy.custom = dict(primitive.custom)
            copies[id(primitive)] = copy
            if not primitive.op.is_bundle:
                for old, new in zip(primitive.results, copy.results, strict=True):
                    self.mapping.setdefault(old, new)
        result = copies[id(root)]
        if stand_ins:
            _substitute(
                result, {stand_in: self.mapping[old] for old, stand_in in stand_ins.items()}
            )
            infer_graph(result.results)
        return result

    def _needed(self, root: Primitive) -> list[Primitive]:
        """Primitives to copy: those below substituted variables stay out."""
        cut = self.mapping
        return walk.depth_first(
            [root], lambda p: walk.owners(v for v in p.operands if v not in cut)
        )

    def _operand(self, variable: Variable, stand_ins: dict[Variable, Variable]) -> Variable:
        if variable in self.mapping:
            return self.mapping[variable]
        if variable.kind is VariableKind.Output:
            # The far end of a loop: its copy comes later.
            if variable not in stand_ins:
                type_ = TensorType(dtype=variable.type_.dtype)
                stand_ins[variable] = Variable.make(VariableKind.Placeholder, type_, variable.name)
            return stand_ins[variable]
        self.mapping[variable] = self._leaf(variable)
        return self.mapping[variable]

    def _leaf(self, variable: Variable) -> Variable:
        if variable.kind in HOLDERS:
            if self.method is CloneMethod.share:
                return variable
            copy: Variable = variable.copied(self.method is CloneMethod.freeze)  # type: ignore[attr-defined]
            return copy
        if variable in open_arguments():
            return variable
        return Variable.make(variable.kind, variable.type_, variable.name, variable.needs_gradient_)

    def _operation(self, primitive: Primitive) -> Any:
        block = primitive.block
        if block is None:
            return primitive.op
        inner = {
            v: Variable.make(VariableKind.Placeholder, TensorType(dtype=v.type_.dtype), v._name)
            for v in block.arguments
        }
        nested = _Cloning(self.method, {**self.mapping, **inner})
        nested.replaced = self.replaced
        body = nested.graph(block.composite.root_function)
        # Parameters seen first inside a block are the same copies outside.
        for leaf in walk.leaves(block.composite.root_function):
            if leaf in nested.mapping and leaf not in inner:
                self.mapping.setdefault(leaf, nested.mapping[leaf])
        inside = (
            v
            for p in walk.primitives(block.composite.root_function)
            for v in (*p.operands, *p.results)
        )
        single = None if any(v in self.replaced for v in inside) else block.single
        return replace(
            block, composite=Composite(body), arguments=tuple(inner.values()), single=single
        )


def replace_placeholders(function: Function, substitutions: Mapping[Variable, Any]) -> None:
    """Put variables in the places of placeholders; see `Function.replace_placeholders`."""
    if substitutions is None:  # nothing to replace, as in the original
        return
    if not isinstance(substitutions, Mapping):
        raise ArgumentError(
            f"replace_placeholders: expected a dictionary of placeholders and variables, got "
            f"{shown(substitutions)}"
        )
    mapping = {
        as_variable(old, "replace_placeholders"): as_variable(new, "replace_placeholders")
        for old, new in substitutions.items()
    }
    wrong = [v for v in mapping if not v.is_placeholder]
    if wrong:
        raise GraphError(
            f"replace_placeholders: {wrong[0]!r} is not a placeholder; use clone with "
            f"substitutions instead"
        )
    root = function.root_function
    present = {v for v in walk.leaves(root) if v.is_placeholder}
    absent = [v for v in mapping if v not in present]
    if absent:
        raise GraphError(f"replace_placeholders: {absent[0]!r} is no placeholder of {function}")
    before = _State(root)
    _substitute(root, mapping)
    try:
        infer_graph(root.results)
        for new in mapping.values():
            if new.kind is VariableKind.Output:
                infer_graph([new])
    except GraphError:
        before.restore()
        raise
    if isinstance(function, Composite):
        function._declared = tuple(mapping.get(v, v) for v in function._declared)


class _State:
    """Snapshot of a graph's nodes, to go back to where a change is refused."""

    def __init__(self, root: Primitive) -> None:
        self.primitives: dict[Primitive, tuple[list[Variable], tuple[Variable, ...]]] = {}
        self.types: dict[Variable, TensorType] = {}
        self._add(root)

    def _add(self, root: Primitive) -> None:
        for primitive in (*walk.post_order(root.results), root):
            self.primitives[primitive] = (primitive.operands, primitive.results)
            self.types.update({v: v.type_ for v in (*primitive.operands, *primitive.results)})
            if primitive.block is not None:
                self._add(primitive.block.composite.root_function)

    def restore(self) -> None:
        for primitive, (operands, results) in self.primitives.items():
            primitive.operands, primitive.results = operands, results
        for variable, type_ in self.types.items():
            variable.type_ = type_


def _substitute(root: Primitive, mapping: Mapping[Variable, Variable]) -> None:
    primitives = walk.post_order(root.results)
    if all(p is not root for p in primitives):
        primitives.append(root)
    for primitive in primitives:
        if any(v in mapping for v in primitive.operands):
            primitive.rewire(mapping.get(v, v) for v in primitive.operands)
