"""Wrong calls of methods of functions, and wrong data for them."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse

import cntk as C
from tests.wrong_calls.checker import wrong
from tests.wrong_calls.nodes import something

NOT_MATCHED = NotImplementedError
DATA = [[1, 2, 3]]
X, S, F = "Input('x'", "Input('s'", "f: Times"


def kept(v: Any) -> Any:
    state, _ = v.f.forward({v.x: DATA}, [v.f.output], {v.f.output})
    return state


def run_s(v: Any, data: Any) -> Any:
    return C.relu(v.s).eval({v.s: data})


ROWS = [
    # -- data
    wrong("eval", lambda v: v.f.eval(), "1 arguments", "'x'", named=F, error=ValueError),
    wrong("eval", lambda v: v.f.eval(None), "1 arguments", named=F, error=ValueError),
    wrong("eval", lambda v: v.f.eval({}), "no data were given", named=F, error=ValueError),
    wrong(
        "eval",
        lambda v: v.f.eval({"nope": DATA}),
        '"nope"',
        "names: x",
        named="nope",
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({3: DATA}),
        "variables or names as keys",
        "3",
        named=F,
        error=TypeError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({None: DATA}),
        "variables or names as keys",
        "None",
        named=F,
        error=TypeError,
    ),
    wrong("eval", lambda v: v.f.eval({v.x: None}), "NoneType", r"\[3\]", named=X, error=ValueError),
    wrong("eval", lambda v: v.f.eval({v.x: "a"}), "str", named=X, error=ValueError),
    wrong("eval", lambda v: v.f.eval({v.x: b"a"}), "bytes", named=X, error=ValueError),
    wrong(
        "eval", lambda v: v.f.eval({v.x: something()}), "SimpleNamespace", named=X, error=ValueError
    ),
    wrong("eval", lambda v: v.f.eval({v.x: {1: 2}}), "dict", named=X, error=ValueError),
    wrong("eval", lambda v: v.f.eval({v.x: {1.0, 2.0, 3.0}}), "set", named=X, error=ValueError),
    wrong("eval", lambda v: v.f.eval({v.x: len}), "function", named=X, error=ValueError),
    wrong("eval", lambda v: v.f.eval({v.x: v.y}), "Variable", named=X, error=ValueError),
    wrong(
        "eval", lambda v: v.f.eval({v.x: [[1, 2]]}), r"\[2\]", r"\[3\]", named=X, error=ValueError
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: [[1, 2, 3], [1, 2]]}),
        "element 1",
        r"\[2\]",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: [[1, 2, 3], None]}),
        "element 1|object",
        named=X,
        error=ValueError,
    ),
    wrong("eval", lambda v: v.f.eval({v.x: []}), "none", named=X, error=ValueError),
    wrong("eval", lambda v: v.f.eval({v.x: [[1, 2, "a"]]}), "float32", named=X, error=ValueError),
    wrong(
        "eval", lambda v: v.f.eval({v.x: [[[1, 2], [3]]]}), "element 0", named=X, error=ValueError
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: np.ones((1, 3), complex)}),
        "complex128",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: np.ones((1, 3), np.int8)}),
        "int8",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: np.array([["a", "b", "c"]])}),
        "<U1",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: np.array([[None, 1, 2]])}),
        "object",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: np.ones((1, 4), "f")}),
        r"\[1 x 4\]",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: np.ones((2, 2, 3), "f")}),
        "sequence.input_variable",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: np.ones((1, 1, 1, 3), "f")}),
        r"\[1 x 1 x 1 x 3\]",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: scipy.sparse.eye(4).tocsr()}),
        "4",
        "3 columns",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: C.Value(np.ones((2, 5), "f"))}),
        r"\[2 x 5\]",
        named=X,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: (DATA, [True])}),
        "no sequence axis",
        named=X,
        error=ValueError,
    ),
    wrong("eval", lambda v: v.f.eval(3), "int", named=X, error=ValueError),
    wrong("eval", lambda v: v.f.eval("a"), "str", named=X, error=ValueError),
    wrong(
        "eval",
        lambda v: (v.x + v.y).eval(DATA),
        "2 arguments",
        "dictionary",
        named="Plus",
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: (v.x + v.y).eval({v.x: DATA}),
        "no data",
        "'y'",
        named="Plus",
        error=ValueError,
    ),
    wrong("eval", lambda v: run_s(v, [[]]), "empty", named=S, error=ValueError),
    wrong("eval", lambda v: run_s(v, []), "none", named=S, error=ValueError),
    wrong(
        "eval", lambda v: run_s(v, [np.ones((2, 4), "f")]), r"\[2 x 4\]", named=S, error=ValueError
    ),
    wrong(
        "eval",
        lambda v: run_s(v, [np.ones((2, 3), "f"), np.ones((0, 3), "f")]),
        "sequence 1 is empty",
        named=S,
    ),
    wrong(
        "eval", lambda v: run_s(v, [[[1, 2, 3], [1, 2]]]), "element 0", named=S, error=ValueError
    ),
    wrong("eval", lambda v: run_s(v, None), "NoneType", named=S, error=ValueError),
    wrong("eval", lambda v: run_s(v, "a"), "str", named=S, error=ValueError),
    wrong(
        "eval",
        lambda v: run_s(v, ([DATA], ["a"])),
        "True or False",
        "'a'",
        named=S,
        error=(ValueError, RuntimeError),
    ),
    wrong(
        "eval",
        lambda v: run_s(v, ([DATA], [True, False])),
        "1 sequences",
        "2",
        named=S,
        error=(ValueError, RuntimeError),
    ),
    wrong("eval", lambda v: v.of_p.eval(DATA), "Placeholder", "replace_placeholders", named="of_p"),
    # -- what is asked for
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: DATA}, outputs="a"),
        "outputs",
        "'a'",
        named=F,
        error=TypeError,
    ),
    wrong(
        "eval", lambda v: v.f.eval({v.x: DATA}, outputs=3), "outputs", "3", named=F, error=TypeError
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: DATA}, outputs=[]),
        "outputs is empty",
        named=F,
        error=ValueError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: DATA}, outputs=[None]),
        "outputs",
        "None",
        named=F,
        error=TypeError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: DATA}, outputs=v.two),
        "one output",
        named=F,
        error=TypeError,
    ),
    wrong(
        "eval",
        lambda v: v.f.eval({v.x: DATA}, outputs=v.dropped),
        "not part of",
        named=F,
        error=ValueError,
    ),
    wrong("eval", lambda v: v.f.eval({v.x: DATA}, device=3), "device", "3", named=F),
    wrong("eval", lambda v: v.f.eval({v.x: DATA}, device="cpu"), r"cntk.cpu\(\)", "'cpu'", named=F),
    wrong("eval", lambda v: v.f.eval({v.x: DATA}, output=[v.f]), "output", error=TypeError),
    wrong("forward", lambda v: v.f.forward(None), "1 arguments", named=F, error=ValueError),
    wrong("forward", lambda v: v.f.forward(), "missing", error=TypeError),
    wrong(
        "forward",
        lambda v: v.f.forward({v.x: DATA}, keep_for_backward="a"),
        "keep_for_backward",
        "'a'",
        named=F,
        error=TypeError,
    ),
    wrong(
        "forward",
        lambda v: v.f.forward({v.x: DATA}, keep_for_backward=[v.dropped]),
        "not part of",
        named=F,
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(None, {v.f.output: [[1, 1]]}, [v.w]),
        "keep_for_backward",
        error=ValueError,
    ),
    wrong("backward", lambda v: v.f.backward(3, {v.f.output: [[1, 1]]}, [v.w]), "state", "3"),
    wrong("backward", lambda v: v.f.backward(kept(v), {}, [v.w]), "no gradients", error=ValueError),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), 3, [v.w]),
        "dictionary of gradients",
        "3",
        error=ValueError,
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {v.f.output: None}, [v.w]),
        "numbers",
        "None",
        error=ValueError,
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {v.f.output: "a"}, [v.w]),
        "numbers",
        "'a'",
        error=ValueError,
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {v.f.output: np.ones((3, 3))}, [v.w]),
        r"\[3 x 3\]",
        error=ValueError,
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {v.f.output: [[1, 2, 3]]}, [v.w]),
        r"\[1 x 2\]",
        error=ValueError,
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {v.y: [[1, 1]]}, [v.w]),
        "'y'",
        "not among the outputs",
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {3: [[1, 1]]}, [v.w]),
        "3",
        "not among the outputs",
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {v.f.output: [[1, 1]]}, []),
        "empty",
        named="gradient",
        error=ValueError,
    ),
    wrong(
        "backward",
        lambda v: v.f.backward(kept(v), {v.f.output: [[1, 1]]}, "w"),
        "variables",
        "'w'",
        named=F,
        error=TypeError,
    ),
    wrong(
        "grad", lambda v: v.f.grad({v.x: DATA}, wrt=[]), "wrt is empty", named=F, error=ValueError
    ),
    wrong("grad", lambda v: v.f.grad({v.x: DATA}, wrt="W"), "wrt", "'W'", named=F, error=TypeError),
    wrong("grad", lambda v: v.f.grad({v.x: DATA}, wrt=[None]), "wrt", "None", named=F),
    wrong("grad", lambda v: v.f.grad({v.x: DATA}), "needs_gradient", named=F, error=ValueError),
    wrong(
        "grad",
        lambda v: v.f.grad({v.x: DATA}, wrt=[v.m]),
        "neither an argument nor a parameter",
        named="gradient",
        error=ValueError,
    ),
    wrong(
        "grad", lambda v: v.f.grad({v.x: DATA}, wrt=[v.x]), "needs_gradient=True", named="gradient"
    ),
    wrong("grad", lambda v: v.f.grad(None, wrt=[v.w]), "1 arguments", named=F, error=ValueError),
    wrong(
        "grad", lambda v: v.f.grad({v.x: [[1, 2]]}, wrt=[v.w]), r"\[2\]", named=X, error=ValueError
    ),
    wrong(
        "grad", lambda v: v.f.grad({v.x: DATA}, [v.w], grad_root=3), "3", named=F, error=NOT_MATCHED
    ),
    wrong(
        "grad",
        lambda v: v.f.grad({v.x: DATA}, [v.w], outputs="a"),
        "outputs",
        "'a'",
        named=F,
        error=TypeError,
    ),
    # -- calls
    wrong("Function", lambda v: v.f(), "1 arguments", "arguments are: x", error=TypeError),
    wrong("Function", lambda v: v.f(v.x, v.x), "1 arguments, got 2", error=TypeError),
    wrong("Function", lambda v: v.f(y=v.x), "'y'", "arguments are: x", error=TypeError),
    wrong("Function", lambda v: v.f(v.m), "'x' is declared as", "'m'", named=F, error=TypeError),
    wrong("Function", lambda v: v.f(None), "'x' is None", named=F, error=ValueError),
    wrong("Function", lambda v: v.f(x=None), "'x' is None", named=F, error=ValueError),
    wrong("Function", lambda v: v.f("a"), "str", named=X, error=ValueError),
    wrong("Function", lambda v: v.f(3), "int", named=X, error=ValueError),
    wrong(
        "Function",
        lambda v: (v.x + v.y)(v.x, DATA),
        "is data",
        "cntk.constant",
        named="Plus",
        error=TypeError,
    ),
    wrong("Function", lambda v: C.Function(None), "Python function", "None", error=NOT_MATCHED),
    wrong("Function", lambda v: C.Function(3), "Python function", "3", error=NOT_MATCHED),
    wrong("Function", lambda v: C.Function(), "Python function"),
    wrong("BlockFunction", lambda v: C.BlockFunction(3, "a"), "op_name", "3"),
    wrong("BlockFunction", lambda v: C.BlockFunction("a", 3), "as name", "3"),
    wrong(
        "with_signature",
        lambda v: C.Function.with_signature(3, 4)(lambda x: x),
        "1|x",
        error=TypeError,
    ),
    wrong(
        "update_signature", lambda v: v.of_p.update_signature("a"), "'p'", "'a'", error=TypeError
    ),
    wrong(
        "update_signature",
        lambda v: v.of_p.update_signature(3, 4),
        "arguments",
        named="Function",
        error=TypeError,
    ),
    # -- graphs
    wrong(
        "clone",
        lambda v: v.f.clone("nope"),
        "'nope'",
        "'share', 'clone', 'freeze'",
        error=ValueError,
    ),
    wrong("clone", lambda v: v.f.clone(None), "None", "'share'", error=ValueError),
    wrong("clone", lambda v: v.f.clone(3), "3", "'share'", error=ValueError),
    wrong("clone", lambda v: v.f.clone(), "missing", error=TypeError),
    wrong("clone", lambda v: v.f.clone("share", 3), "substitutions", "3", error=TypeError),
    wrong(
        "clone", lambda v: v.f.clone("share", [v.x]), "substitutions", "dictionary", error=TypeError
    ),
    wrong(
        "clone",
        lambda v: v.f.clone("share", {v.x: None}),
        "None",
        "by its name",
        error=AttributeError,
    ),
    wrong(
        "clone",
        lambda v: v.f.clone("share", {3: v.x}),
        "variable or function",
        "int",
        error=TypeError,
    ),
    wrong(
        "clone",
        lambda v: v.f.clone("share", {v.x: "a"}),
        "variable or function",
        "str",
        error=TypeError,
    ),
    wrong("clone", lambda v: v.f.clone("share", {v.x: v.image}), "'image'", named="Times"),
    wrong("replace_placeholders", lambda v: v.f.replace_placeholders(3), "dictionary", "3"),
    wrong(
        "replace_placeholders",
        lambda v: v.f.replace_placeholders({v.x: 3}),
        "variable or function",
        "int",
        error=TypeError,
    ),
    wrong(
        "replace_placeholders",
        lambda v: v.f.replace_placeholders({v.x: v.y}),
        "not a placeholder",
        "clone",
    ),
    wrong(
        "replace_placeholders",
        lambda v: v.of_p.replace_placeholders({v.p: None}),
        "None",
        error=(TypeError, AttributeError),
    ),
    wrong(
        "replace_placeholders",
        lambda v: v.of_p.replace_placeholders({3: v.x}),
        "int",
        error=TypeError,
    ),
    wrong(
        "replace_placeholders",
        lambda v: v.of_p.replace_placeholders({C.placeholder(): v.x}),
        "no placeholder of",
    ),
    wrong(
        "replace_placeholder",
        lambda v: v.f.replace_placeholder(v.x),
        "0 placeholders",
        error=ValueError,
    ),
    wrong(
        "replace_placeholder",
        lambda v: v.of_p.replace_placeholder(None),
        "None",
        error=AttributeError,
    ),
    wrong("replace_placeholder", lambda v: v.of_p.replace_placeholder(3), "int", error=TypeError),
    wrong("find_by_name", lambda v: v.f.find_by_name(None), "name", "None", error=ValueError),
    wrong("find_by_name", lambda v: v.f.find_by_name(3), "name", "3", error=ValueError),
    wrong("find_by_name", lambda v: v.f.find_by_name("x", "a"), "depth", "'a'", error=TypeError),
    wrong(
        "find_by_name",
        lambda v: C.relu(C.relu(v.x, "n"), "n").find_by_name("n"),
        "2 nodes",
        "find_all_with_name",
        named="'n'",
    ),
    wrong("find_all_with_name", lambda v: v.f.find_all_with_name(b"x"), "name", "b'x'"),
    wrong("find_by_uid", lambda v: v.f.find_by_uid(None), "uid", "None"),
    wrong(
        "set_attribute",
        lambda v: v.f.set_attribute("a", 1),
        "'a'",
        "settable: none",
        error=RuntimeError,
    ),
    wrong(
        "set_attribute",
        lambda v: v.f.set_attribute(None, 1),
        "None",
        error=(ValueError, RuntimeError),
    ),
    wrong(
        "set_attribute",
        lambda v: v.dropped.set_attribute("dropoutRate", "a"),
        "'dropoutRate'",
        "'a'",
        error=RuntimeError,
    ),
    wrong("set_attribute", lambda v: v.dropped.set_attribute("rngSeed", -1), "not negative", "-1"),
    wrong("set_attribute", lambda v: v.dropped.set_attribute("rngSeed", 1.5), "number", "1.5"),
    wrong("custom_attributes", lambda v: setattr(v.f, "custom_attributes", 3), "dictionary", "3"),
    wrong("name", lambda v: setattr(v.f, "name", "other"), "'f'", "'other'", error=ValueError),
    wrong(
        "name",
        lambda v: setattr(v.x, "name", "other"),
        "'x'",
        "'other'",
        error=(ValueError, RuntimeError),
    ),
    wrong("output", lambda v: v.two.output, "2 outputs", "`.outputs`", error=RuntimeError),
    wrong("owner", lambda v: v.x.owner, "'x'", error=RuntimeError),
    wrong(
        "block_root",
        lambda v: v.f.block_root,
        "not a block",
        error=(ValueError, RuntimeError),
        named=F,
    ),
    wrong("combine", lambda v: v.two[5], "2 outputs", "5", error=KeyError, named="Tuple"),
    wrong("combine", lambda v: v.two["a"], "2 outputs", "'a'", error=KeyError, named="Tuple"),
    wrong("attribute", lambda v: v.f.nope, "'nope'", named=F, error=AttributeError),
    wrong(
        "attribute",
        lambda v: v.f.paramters,
        "did you mean 'parameters'",
        named=F,
        error=AttributeError,
    ),
    wrong(
        "attribute",
        lambda v: v.w.vlaue,
        "did you mean 'value'",
        named="Parameter 'w'",
        error=AttributeError,
    ),
    wrong("attribute", lambda v: v.x.nope, "'nope'", named="Variable 'x'", error=AttributeError),
    # -- files
    wrong("save", lambda v: v.f.save(None), "path", "None", error=ValueError),
    wrong("save", lambda v: v.f.save(3), "path", "3", error=NOT_MATCHED),
    wrong("save", lambda v: v.f.save(""), "path", "empty", error=RuntimeError),
    wrong("save", lambda v: v.f.save("f.model", "onnx"), "format", "'onnx'"),
    wrong("load_model", lambda v: C.load_model(None), "path", "None", error=ValueError),
    wrong("load_model", lambda v: C.load_model(3), "path", "3", error=ValueError),
    wrong("load_model", lambda v: C.load_model(""), "no file", error=ValueError, named="load"),
    wrong(
        "load_model",
        lambda v: C.load_model("no such file"),
        "no such file",
        error=ValueError,
        named="load",
    ),
    wrong("load_model", lambda v: C.load_model(b"a", device="cpu"), "device", "'cpu'"),
    wrong(
        "load_model",
        lambda v: C.load_model(b"not a model"),
        "cannot be read",
        named="model",
        error=(ValueError, RuntimeError),
    ),
    wrong("restore", lambda v: v.f.restore(None), "path", "None", error=ValueError),
    wrong(
        "restore",
        lambda v: v.f.restore("no such file"),
        "no such file",
        error=RuntimeError,
        named="load",
    ),
    # -- values
    wrong("Value", lambda v: C.Value("a"), "'a'", error=NOT_MATCHED),
    wrong("Value", lambda v: C.Value(None), "None"),
    wrong(
        "Value",
        lambda v: C.Value([[1, 2], [3]]),
        "different shape",
        error=(ValueError, RuntimeError),
    ),
    wrong("Value", lambda v: C.Value(np.ones((2, 3), "f"), 3), "seq_starts", "3"),
    wrong(
        "Value.one_hot", lambda v: C.Value.one_hot(None, 3), "list", "NoneType", error=ValueError
    ),
    wrong("Value.one_hot", lambda v: C.Value.one_hot([], 3), "empty", error=ValueError),
    wrong(
        "Value.one_hot",
        lambda v: C.Value.one_hot([1], None),
        "num_classes",
        "None",
        error=NOT_MATCHED,
    ),
    wrong(
        "Value.one_hot",
        lambda v: C.Value.one_hot([1], "a"),
        "num_classes",
        "'a'",
        error=NOT_MATCHED,
    ),
    wrong("Value.one_hot", lambda v: C.Value.one_hot([9], 3), "9", "3 classes", error=ValueError),
    wrong("Value.one_hot", lambda v: C.Value.one_hot([[1], 2], 3), "both"),
    wrong(
        "Value.one_hot", lambda v: C.Value.one_hot(["a"], 3), "class", error=(ValueError, TypeError)
    ),
    wrong("Value.create", lambda v: C.Value.create(None, [1]), "variable", "None", error=TypeError),
    wrong(
        "Value.create", lambda v: C.Value.create(v.x, None), "NoneType", named=X, error=ValueError
    ),
    wrong("Value.create", lambda v: C.Value.create(v.x, "a"), "str", named=X, error=ValueError),
    wrong("asarray", lambda v: C.asarray(None), "numbers", "None", error=ValueError),
    wrong("asarray", lambda v: C.asarray([[1, 2], [3]]), "one length"),
    wrong("asvalue", lambda v: C.asvalue(None, 3), "variable", "None"),
    wrong("NDArrayView", lambda v: C.NDArrayView("a", np.float32), "shape", "'a'"),
    wrong("NDArrayView", lambda v: C.NDArrayView((2, -1), np.float32), "known", "-1"),
    wrong("NDArrayView", lambda v: C.NDArrayView(3, "float99"), "data_type", "'float99'"),
    wrong("NDArrayView", lambda v: C.NDArrayView(3), "missing", "'data_type'", error=TypeError),
    wrong(
        "NDArrayView.from_dense",
        lambda v: C.NDArrayView.from_dense(None),
        "NumPy array",
        error=TypeError,
    ),
    wrong(
        "NDArrayView.from_dense",
        lambda v: C.NDArrayView.from_dense(np.array(["a"])),
        "numbers",
        "<U1",
    ),
    wrong(
        "NDArrayView.from_csr",
        lambda v: C.NDArrayView.from_csr(np.ones((2, 2))),
        "CSR|matrix",
        error=TypeError,
    ),
]
