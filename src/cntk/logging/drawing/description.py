"""Description of the drawing of a function's graph: its nodes and edges, and the same as text for
Graphviz.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from cntk._graph.function import Function
from cntk._graph.variable import Variable, VariableKind

__all__ = [
    "Description",
    "EDGE_FONT_SIZE",
    "NODE_DEFAULTS",
    "PictureEdge",
    "PictureNode",
    "describe",
    "dot_text",
]


_SIGNS = {"Plus": "+", "Minus": "-", "ElementTimes": "*", "Times": "@"}
_DELAYS = ("PastValue", "FutureValue")
_THIN = ("Pass", "ParameterOrder")

NODE_DEFAULTS: dict[str, Any] = {
    "fillcolor": "lightgray",
    "fixedsize": "false",
    "fontsize": 12,
    "height": 0.85,
    "shape": "rectangle",
    "style": "filled",
    "width": 0.85,
}
EDGE_FONT_SIZE = 10


@dataclass(frozen=True)
class PictureNode:
    """A node with Graphviz's attributes, without the label."""

    uid: str
    label: str
    attributes: dict[str, Any]
    is_delay: bool = False

    def attribute(self, name: str) -> Any:
        """Return an attribute, or the default for all nodes."""
        return self.attributes.get(name, NODE_DEFAULTS.get(name))


@dataclass(frozen=True)
class PictureEdge:
    """An edge between two nodes, by their uids."""

    source: str
    target: str
    label: str


@dataclass
class Description:
    """Nodes and edges of a drawing, and a line of text for each output of an operation, operands
    first.
    """

    nodes: dict[str, PictureNode] = field(default_factory=dict)
    edges: list[PictureEdge] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add(self, node: PictureNode) -> None:
        """Add a node, unless it has been added."""
        self.nodes.setdefault(node.uid, node)


def describe(root: Any) -> Description:
    """Return the description of a graph, without the insides of its blocks.

    Args:
        root: a function, or a variable that one computes.
    """
    description = Description()
    top = root.root_function
    for function in _functions(top):
        inputs = _shown_inputs(function)
        operands = "".join(
            variable.uid + (", " if number + 1 < len(function.inputs) else "")
            for number, variable in inputs
        )
        description.lines += [
            f"{function.op_name}({operands}) -> {output.uid};\n" for output in function.outputs
        ]
        description.add(_function_node(function))
        for _, variable in inputs:
            description.add(
                _function_node(variable.owner.root_function)
                if variable.is_output
                else _leaf_node(variable)
            )
            source = variable.owner.root_function.uid if variable.is_output else variable.uid
            label = f"{variable.name or variable.uid}\n{_shape_text(variable)}"
            description.edges.append(PictureEdge(source, function.uid, label))
        if function is top:
            _add_results(description, function)
    description.lines.reverse()
    return description


def dot_text(description: Description) -> str:
    """Return a description for Graphviz, with the attributes that the original gives."""
    lines = ["digraph network_graph {", "rankdir=TB;", f"node {_attributes(NODE_DEFAULTS)};"]
    lines.append(f"edge {_attributes({'fontsize': EDGE_FONT_SIZE})};")
    lines += [
        f"{_id(n.uid)} {_attributes({**n.attributes, 'label': n.label})};"
        for n in description.nodes.values()
    ]
    lines += [
        f"{_id(e.source)} -> {_id(e.target)}  {_attributes({'label': e.label})};"
        for e in description.edges
    ]
    return "\n".join([*lines, "}", ""])


def _functions(top: Any) -> Iterator[Any]:
    """Yield the functions of a graph, depth first from the top."""
    seen: set[str] = set()
    waiting: list[Function | Variable] = [top]
    while waiting:
        node = waiting.pop()
        if node.uid in seen:
            continue
        seen.add(node.uid)
        if not isinstance(node, Variable):
            yield node
            waiting += reversed(node.inputs)
        elif node.is_output:
            waiting.append(node.owner.root_function)


def _shown_inputs(function: Any) -> list[tuple[int, Any]]:
    """Return a function's inputs with their numbers, without a block's own constants."""
    return [
        (n, v) for n, v in enumerate(function.inputs) if not (function.is_block and v.is_constant)
    ]


def _function_node(function: Any) -> PictureNode:
    thickness = 1 if function.op_name in _THIN else 4
    named_by_output = len(function.outputs) == 1 and function.outputs[0].name == function.name
    if function.is_block or not named_by_output:
        label = f"{function.op_name}\n{function.name}()" if function.name else function.op_name
        return PictureNode(
            function.uid,
            label,
            {"fixedsize": "true", "height": 1, "penwidth": thickness, "width": 1.3},
        )
    label = _SIGNS.get(function.op_name, function.op_name)
    round_ = len(label) <= 4
    size = 0.4 if round_ else 0.6
    attributes = {
        "fixedsize": "true" if round_ else "false",
        "fontsize": 20 if len(label) == 1 else 12,
        "height": size,
        "penwidth": thickness,
        "shape": "ellipse" if round_ else "box",
        "width": size,
    }
    return PictureNode(function.uid, label, attributes, is_delay=function.op_name in _DELAYS)


def _leaf_node(variable: Any) -> PictureNode:
    kind = variable.kind.name
    if variable.kind in (VariableKind.Input, VariableKind.Placeholder):
        return PictureNode(variable.uid, _leaf_label(kind, variable), _EGG)
    if variable.is_constant and not variable.name and variable.shape in ((), (1,)):
        attributes = {
            "color": "white",
            "fillcolor": "white",
            "height": 0.3,
            "shape": "box",
            "width": 0.4,
        }
        return PictureNode(variable.uid, str(variable.value), attributes)
    return PictureNode(
        variable.uid, _leaf_label(kind, variable), {"height": 0.6, "shape": "box", "width": 1}
    )


_EGG = {"fixedsize": "true", "height": 1, "penwidth": 4, "shape": "egg", "width": 1.3}


def _leaf_label(kind: str, variable: Any) -> str:
    named = [variable.name] if variable.name else []
    first = [] if variable.is_parameter and named else [kind]
    return "\n".join([*first, *named, _shape_text(variable)])


def _add_results(description: Description, function: Any) -> None:
    for output in function.outputs:
        shape = _shape_text(output)
        description.nodes[output.uid] = PictureNode(output.uid, f"{output.name}\n{shape}", _EGG)
        description.edges.append(PictureEdge(function.uid, output.uid, shape))


def _shape_text(variable: Any) -> str:
    """Return a shape as text, with a mark for each dynamic axis: # for the batch, * for a
    sequence.
    """
    axes = len(variable.dynamic_axes)
    return (f"[#{',*' * (axes - 1)}]" if axes else "") + str(variable.shape)


def _id(uid: str) -> str:
    return uid if uid.isidentifier() and uid.isascii() else _quoted(uid)


def _attributes(values: dict[str, Any]) -> str:
    texts = (
        f"{key}={_quoted(value) if key == 'label' else value}"
        for key, value in sorted(values.items())
    )
    return f"[{', '.join(texts)}]"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
