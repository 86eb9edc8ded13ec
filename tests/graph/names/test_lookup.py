"""Finding nodes by name, by uid and as attributes; names, attributes, and what a function is made
of.
"""

from __future__ import annotations

import pytest

import cntk as C
from cntk._graph.walk import cycles, depth_first_search, leaves, post_order


def nested() -> tuple[C.Function, C.Variable]:
    x, y = C.input_variable(3, name="x"), C.input_variable(3, name="y")
    block = C.BlockFunction("B", "outer")(
        lambda v: C.alias(C.relu(v, name="inner") + 1, name="last")
    )
    return C.plus(block(x + y), 1, name="top"), x


@pytest.mark.parametrize("depth", [0, 1, 2, -1])
def test_names_are_found_as_deep_as_asked(depth):
    function, x = nested()
    assert function.find_by_name("x", depth) is x
    assert function.find_by_name("top", depth) is function.root_function
    assert function.find_by_name("outer", depth).op_name == "B"
    for name, op_name in (("inner", "ReLU"), ("last", "NoOp")):
        found = function.find_by_name(name, depth)
        assert found is None if depth == 0 else found.op_name == op_name


def test_names_that_are_not_there():
    function, _ = nested()
    assert function.find_by_name("nothing") is None
    assert function.find_all_with_name("nothing", -1) == []
    assert function.find_by_uid("Nothing0") is None


def test_several_nodes_of_a_name():
    x, y = C.input_variable(3), C.input_variable(3)
    function = C.relu(x, name="r") - C.relu(y, name="r")
    found = function.find_all_with_name("r")
    assert [f.operands[0] for f in found] == [x, y]
    for look in (lambda: function.find_by_name("r"), lambda: function.r):
        with pytest.raises(ValueError, match="2 nodes are named 'r'; find_all_with_name"):
            look()


def test_nodes_without_a_name():
    function, _ = nested()
    assert {f.op_name for f in function.find_all_with_name("") if isinstance(f, C.Function)} == {
        "Plus"
    }
    assert len(function.find_all_with_name("", -1)) > len(function.find_all_with_name(""))


def test_uids():
    function, x = nested()
    inner = function.inner
    assert function.find_by_uid(x.uid) is x
    assert function.find_by_uid(function.root_function.uid) is function.root_function
    assert function.find_by_uid(inner.uid) is None
    assert function.find_by_uid(inner.uid, depth=-1) is inner


def test_nodes_as_attributes():
    function, x = nested()
    assert function.x is x
    assert function.top is function.root_function
    assert [function.outer.op_name, function.inner.op_name, function.outer.inner.op_name] == [
        "B",
        "ReLU",
        "ReLU",
    ]
    dense = C.layers.Dense(2, name="d")(x)
    assert dense.W.is_parameter and dense.W.shape == (3, 2) and dense.d.is_block


def test_the_outputs_properties_as_attributes():
    function, _ = nested()
    assert function.shape == (3,) and function.dtype == C.input_variable(1).dtype
    assert function.is_output and not function.is_input and function.owner is function.root_function
    assert function.dynamic_axes == (C.Axis.default_batch_axis(),)


def test_attributes_that_are_not_there():
    function, x = nested()
    with pytest.raises(AttributeError, match="no attribute, argument, or node named 'nonsense'"):
        _ = function.nonsense
    both = C.combine([function, x + 1])
    with pytest.raises(AttributeError, match="'shape'.*outputs, of which there are 2"):
        _ = both.shape
    assert both.top is function.root_function
    assert not hasattr(function, "__array__") and not hasattr(function, "_private")


def test_a_name_is_given_once():
    function = C.input_variable(3) + 1
    assert function.name == ""
    function.name = "sum"
    assert (
        function.name == "sum"
        and function.root_function.name == ""
        and str(function).startswith("sum: Plus")
    )
    with pytest.raises(ValueError, match="'sum' has a name already"):
        function.name = "total"
    assert function.name == "sum"


def test_what_kind_of_function():
    block = C.BlockFunction("B", "b")(lambda v: v + 1)(C.input_variable(3))
    root = block.root_function
    assert block.is_composite and not block.is_primitive and not block.is_block
    assert root.is_primitive and not root.is_composite and root.is_block
    assert (block.op_name, root.op_name) == ("CompositeFunctionOpName", "B")
    assert block.name == root.name == "b"


def test_all_functions_of_graphs_are_of_one_type_as_in_the_original():
    class Own(C.ops.functions.UserFunction):
        pass

    f = C.BlockFunction("B", "b")(lambda x: C.relu(x) + 1)(C.input_variable(3))
    for function in (f, f.root_function, f.root_function.block_root):
        assert type(function) == C.Function and C.Function == type(function)  # noqa: E721
        assert {C.Function: "known"}[type(function)] == "known"
    for other in (Own, C.ops.functions.UserFunction, C.Variable, int):
        assert not other == C.Function and C.Function != other
    assert len({Own, C.ops.functions.UserFunction, C.Function, type(f)}) == 3


def test_inside_a_block():
    x = C.input_variable(3, name="x")
    root = C.BlockFunction("B", "b")(lambda v: C.relu(v) + 1)(x).root_function
    assert root.block_root.op_name == "Plus"
    ((inner, outer),) = root.block_arguments_mapping
    assert inner.is_placeholder and inner.shape == (3,) and outer is x
    plain = (x + 1).root_function
    for inside in ("block_root", "block_arguments_mapping"):
        with pytest.raises(ValueError, match="not a block"):
            getattr(plain, inside)


def test_what_a_function_is_made_of():
    x, y, w = C.input_variable(3, name="x"), C.input_variable(3, name="y"), C.parameter(3, name="w")
    function = (x * w + y) * (x - w)
    assert [v.name for v in function.inputs] == ["x", "w", "y"]
    assert function.arguments == (x, y) and function.parameters == (w,) and function.constants == ()
    assert [v.owner.op_name for v in function.root_function.inputs] == ["Plus", "Minus"]
    assert [p.op_name for p in post_order(function.outputs)] == [
        "ElementTimes",
        "Plus",
        "Minus",
        "ElementTimes",
    ]
    assert leaves(function.root_function) == function.inputs


def test_attributes_of_operations():
    x = C.input_variable(3)
    assert C.dropout(x, 0.3).attributes["dropoutRate"] == pytest.approx(0.3)
    assert set(C.dropout(x, 0.3).root_function.attributes) >= {"dropoutRate", "rngSeed"}
    assert C.plus(x, 1).attributes == {}


def test_attributes_that_may_change():
    function = C.dropout(C.input_variable(3), 0.3, name="drop")
    function.set_attribute("dropoutRate", 0.6)
    function.set_attribute("rngSeed", 5)
    assert function.attributes["dropoutRate"] == 0.6 and function.attributes["rngSeed"] == 5
    with pytest.raises(
        RuntimeError, match="Dropout 'drop'.*'colour'.*settable: dropoutRate, rngSeed"
    ):
        function.set_attribute("colour", 1)
    with pytest.raises(ValueError, match="Plus.*'dropoutRate'.*settable: none"):
        (function + 1).set_attribute("dropoutRate", 0.1)
    assert function.attributes["dropoutRate"] == 0.6


def test_custom_attributes():
    function = C.input_variable(3) + 1
    assert function.custom_attributes == {}
    function.custom_attributes = {"a": 1}
    function.custom_attributes["b"] = "text"
    assert function.root_function.custom_attributes == {"a": 1, "b": "text"}


def test_search_by_predicate():
    function, x = nested()
    found = depth_first_search(
        function, lambda node: isinstance(node, C.Function) and node.op_name == "Plus", -1
    )
    assert len(found) == 3
    assert depth_first_search(x, lambda node: True) == [x]


def test_components_that_feed_themselves():
    edges = {1: [2], 2: [3], 3: [1], 4: [3], 5: [5], 6: [4, 5], 7: []}
    nodes = {k: [k] for k in edges}  # lists, since only their identity counts
    found = cycles([nodes[k] for k in edges], lambda node: [nodes[k] for k in edges[node[0]]])
    assert sorted(sorted(n[0] for n in component) for component in found) == [[1, 2, 3], [5]]


def test_a_name_that_several_nodes_have_is_refused_as_an_attribute():
    """As in the original: parameters, inputs and operations count alike; of a block, what is inside
    alone.
    """
    x = C.input_variable(3, name="x")
    model = C.layers.Sequential(
        [C.layers.Dense(2, name="first"), C.layers.Dense(4, name="second")]
    )(x)
    assert model.first.W.shape == (3, 2) and model.second.W.shape == (2, 4)
    shared = C.layers.Dense(2)
    assert C.splice(shared(x), shared(x + 1)).W.shape == (3, 2)
    ambiguous = [
        (model, "W"),
        (x * C.input_variable(3, name="x"), "x"),
        (C.parameter(3, name="P") * C.input_variable(3, name="P"), "P"),
        (C.tanh(C.parameter(3, name="P") * x, name="P"), "P"),
        (C.tanh(x, name="q") + C.sigmoid(x, name="q"), "q"),
    ]
    for function, name in ambiguous:
        with pytest.raises(ValueError, match=f"2 nodes are named '{name}'; find_all_with_name"):
            getattr(function, name)


def test_arguments_are_listed_once_and_inputs_as_often_as_they_are_read():
    x = C.input_variable(3, name="x")
    double = (x + x).root_function
    assert double.arguments == (x,) and double.inputs == (x, x)
    assert str(double) == "Plus(x: Tensor[3]) -> Tensor[3]"


def test_a_python_function_becomes_a_block_on_request():
    block = C.Function(lambda v: C.tanh(v * 2), make_block=True, op_name="Twice", name="mine")
    assert block.root_function.is_block and block.name == "mine"
    assert str(block(C.input_variable(3, name="x"))) == "mine: Twice(x: Tensor[3]) -> Tensor[3]"
    assert C.Function(lambda v: v * 2, name="unused").name == ""
