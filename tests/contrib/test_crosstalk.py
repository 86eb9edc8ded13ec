"""Values carried between scripts by files: parameters, layers, results, and what may not be
read.
"""

from __future__ import annotations

import io
import json
import pickle
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk.contrib.crosstalk import Conv2DArgs, Conv2DAttr, Crosstalk, EmbedAttr, RnnArgs, RnnAttr
from cntk.contrib.crosstalk.crosstalk_cntk import CNTKCrosstalk, DictParameterType, find_func_param
from cntk.contrib.crosstalk.crosstalk_tensorflow import (
    DictTrainableType,
    TensorFlowCrosstalk,
    TrainableType,
    VariableType,
    find_trainable,
)

LSTM = RnnAttr(bidirectional=True, op_type="lstm", input_dim=3, hidden_dim=2, forget_bias=0)
CONVOLUTION = Conv2DAttr(filter_shape=(3, 2), num_filters=2)
WORDS = EmbedAttr(dict=["a", "b/c", "ü"], input_dim=3)
ROWS = [np.arange(6, dtype=np.float32).reshape(2, 3) / 4, np.ones((3, 3), np.float32)]


def uniform(seed: int) -> Any:
    return C.initializer.uniform(1, seed=seed)


class Scene:
    """A model of everything that can be watched."""

    def __init__(self, folder: Path) -> None:
        self.talk = CNTKCrosstalk()
        self.talk.set_workdir(str(folder))
        self.s = C.sequence.input_variable(3)
        self.image = C.input_variable((1, 4, 4))
        self.conv = C.layers.Convolution2D((3, 2), 2, init=uniform(1), init_bias=0.5)(self.image)
        self.plain = C.layers.Convolution2D((3, 2), 2, init=uniform(1), bias=False)(self.image)
        cells = [
            C.layers.Recurrence(C.layers.LSTM(2, init=uniform(k)), go_backwards=k == 3)
            for k in (2, 3)
        ]
        self.both = C.splice(cells[0](self.s), cells[1](self.s))
        self.words = C.layers.Embedding(2, init=uniform(4))(C.input_variable(3))
        self.p = C.parameter((2, 3), init=np.arange(6, dtype=np.float32).reshape(2, 3))
        self.q = C.parameter(2, init=1)
        for name, var, kind, attr in [
            ("conv", self.conv, Conv2DAttr, CONVOLUTION),
            ("plain", self.plain, Conv2DAttr, CONVOLUTION),
            ("lstm", self.both, RnnAttr, LSTM),
            ("words", self.words.E, EmbedAttr, WORDS),
            ("p", self.p, None, None),
            ("pq", {"p": self.p, "q": self.q}, DictParameterType, None),
            ("result", self.both, None, None),
            ("output", self.both.output, None, None),
        ]:
            self.talk.watch(var, name, kind, attr)
        self.talk.set_data({self.s: ROWS})


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_values_are_the_originals(scene: Scene) -> None:
    talk = scene.talk
    conv = talk.fetch("conv")
    assert (
        conv.W.shape == (2, 3, 2)
        and conv.b.tolist() == [0.5, 0.5]
        and talk.fetch("plain").b is None
    )
    np.testing.assert_allclose(conv.W[0, 0], [-0.7322467, -0.7271859], rtol=1e-6)
    lstm = talk.fetch("lstm")
    assert [part.shape for part in lstm] == [(3, 8), (2, 8), (8,)] * 2
    np.testing.assert_allclose(lstm.fw_W[0, :3], [0.80720806, 0.7004723, 0.56764096], rtol=1e-6)
    np.testing.assert_allclose(lstm.bw_H[0, :3], [0.11753198, -0.60847247, 0.18048254], rtol=1e-6)
    words = talk.fetch("words")
    assert list(words) == WORDS.dict
    np.testing.assert_allclose(words["b/c"], [0.18850125, -0.8753803], rtol=1e-6)
    result = talk.fetch("result")
    np.testing.assert_allclose(
        result[0][0], [-0.01699694, 0.02725407, 0.09064697, -0.00013167], atol=1e-7
    )
    np.testing.assert_array_equal(talk.fetch("output")[1], result[1])
    assert [name for name in talk.vars if not talk.is_param(name)] == ["result", "output"]


def test_all_is_saved_loaded_and_compared(scene: Scene, tmp_path: Path) -> None:
    talk = scene.talk
    old = {name: talk.fetch(name) for name in talk.vars}
    talk.save_all()
    assert (tmp_path / "0_p.npy").exists() and (tmp_path / "0_lstm.npz").exists()
    for parameter in [
        *scene.conv.parameters,
        *scene.both.parameters,
        scene.words.E,
        scene.p,
        scene.q,
    ]:
        parameter.value = parameter.value + 1
    changed = [name for name in talk.vars if name != "plain"]
    assert [talk.compare(name) for name in changed] == [False] * len(changed)
    talk.load_all_params()
    assert all(talk.compare(name) for name in talk.vars)
    again = talk.fetch("lstm")
    assert isinstance(again, RnnArgs) and np.array_equal(again.bw_b, old["lstm"].bw_b)


def test_passes_have_files_of_their_own(scene: Scene, tmp_path: Path) -> None:
    scene.talk.save(["p", "not watched"])
    scene.talk.next_pass()
    scene.p.value = scene.p.value * 0
    scene.talk.save_all_params()
    assert np.load(tmp_path / "1_p.npy").max() == 0 and scene.talk.compare("p")
    scene.talk.passes = 0
    assert not scene.talk.compare("p")
    scene.talk.load(["p", "not watched"])
    assert scene.p.value.max() == 5
    scene.talk.reset()
    assert (scene.talk.vars, scene.talk.passes, len(scene.talk.funcs)) == ({}, 0, 7)


def test_values_are_assigned(scene: Scene) -> None:
    talk = scene.talk
    talk.assign("p", 2 * np.ones((2, 3)))
    talk.assign("pq", {"q": np.zeros(2, np.float32), "p": scene.p.value})
    talk.assign("conv", Conv2DArgs(W=np.ones((2, 3, 2), np.float32), b=None))
    talk.assign("words", {"ü": np.ones(2), "b/c": 2 * np.ones(2), "a": np.zeros(2)})
    lstm = talk.fetch("lstm")
    talk.assign("lstm", lstm._replace(fw_W=2 * lstm.fw_W))
    assert (
        scene.p.value.tolist() == [[2] * 3] * 2
        and scene.p.dtype == np.float32
        and scene.q.value.max() == 0
    )
    assert scene.conv.W.value.min() == 1 and scene.conv.b.value.max() == 0.5
    assert scene.words.E.value.tolist() == [[0, 0], [2, 2], [1, 1]]
    np.testing.assert_array_equal(talk.fetch("lstm").fw_W, 2 * lstm.fw_W)


def test_an_rnn_stack_takes_the_values_of_two_lstms(scene: Scene) -> None:
    W = C.parameter((C.InferredDimension, 4 * 2))
    stack = C.optimized_rnnstack(scene.s, W, 2, 1, bidirectional=True)
    scene.talk.watch(stack, "stack", RnnAttr, LSTM)
    scene.talk.save(["lstm"])
    scene.talk.assign("stack", load=True, load_name="lstm")
    for found, wanted in zip(
        stack.eval({scene.s: ROWS}), scene.both.eval({scene.s: ROWS}), strict=True
    ):
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    for found, wanted in zip(scene.talk.fetch("stack"), scene.talk.fetch("lstm"), strict=True):
        np.testing.assert_array_equal(found, wanted)


def test_sequences_are_compared_with_padded_ones(
    scene: Scene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    padded = np.full((2, 5, 4), 7, np.float32)
    for row, sequence in zip(padded, scene.talk.fetch("result"), strict=True):
        row[: len(sequence)] = sequence
    np.save(tmp_path / "0_padded.npy", padded)
    assert scene.talk.compare("result", "padded")
    padded[1, 2] += 1
    np.save(tmp_path / "0_padded.npy", padded)
    assert not scene.talk.compare("result", "padded") and "sequence 1" in capsys.readouterr().out
    own = Crosstalk()
    own.set_workdir(str(tmp_path))
    own.register_funcs(list, getter=lambda v, attr: v[0])
    own.watch([padded], "array")
    own.watch([np.float32([1, np.nan])], "nan")
    own.save(["nan"])
    scene.talk.save(["result"])
    assert not own.compare("array", "result") and own.compare("array", "result", atol=2)
    assert not own.compare("nan") and own.compare("nan", equal_nan=True)


def test_find_func_param(scene: Scene) -> None:
    assert find_func_param(scene.plain, "any") is find_func_param(scene.plain)
    assert find_func_param(scene.conv, "b").shape == (2, 1, 1) and find_func_param(
        scene.conv, shape=(2, 1, 3, 2)
    )
    assert find_func_param(scene.conv, "x", allow_not_found=True) is None
    for function, found in ((scene.conv, "found 0"), (scene.both, "found 2")):
        with pytest.raises(ValueError, match=found):
            find_func_param(function, "x" if function is scene.conv else "W")


@pytest.mark.parametrize(
    "value",
    [
        [np.zeros((2, 3)), np.ones(0)],
        [],
        {},
        {"a": np.zeros(2), "b": np.zeros(3)},
        {1: np.zeros(2), 2.5: np.ones(2)},
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.zeros(0, np.float32),
        np.array(3, np.int8),
        Conv2DArgs(np.zeros((1, 2, 2)), None),
    ],
    ids=["list", "nothing", "no words", "unlike", "numbers", "columns", "empty", "scalar", "layer"],
)
def test_files_hold_all_kinds_of_values(value: Any, tmp_path: Path) -> None:
    talk = Crosstalk()
    talk.set_workdir(str(tmp_path))
    talk.register_funcs(tuple, getter=lambda v, attr: v[0])
    talk.watch((value,), "value")
    talk.save_all()
    found = talk.load_raw_value("value")
    assert type(found) is type(value) and talk.compare("value")
    assert not isinstance(value, dict) or list(found) == list(value)
    assert [getattr(found, name, None) for name in ("shape", "dtype")] == [
        getattr(value, name, None) for name in ("shape", "dtype")
    ]


def npz(**arrays: Any) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


def zipped(name: str, content: bytes, compression: int) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr(name, content)
    return file.getvalue()


def npy(shape: str, count: int = 0, descr: str = "<f8") -> bytes:
    """A file of NumPy's whose header says what it likes."""
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}}}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + bytes(count)


DAMAGED: dict[str, tuple[str, bytes]] = {
    "huge": (".npy", npy("(1000000000000,)", 8)),
    "negative": (".npy", npy("(-1, -1)", 8)),
    "short": (".npy", npy("(2,)", 8)),
    "objects": (".npy", npy("(1,)", 8, "|O")),
    "no array": (".npy", b"hello"),
    "empty": (".npy", b""),
    "no archive": (".npz", b"PK nothing"),
    "no header": (".npz", npz(a=np.zeros(2))),
    "unknown": (".npz", npz(header=np.array('{"kind": "eval"}'))),
    "missing part": (
        ".npz",
        npz(header=np.array('{"kind": "dict", "keys": ["a", "b"]}'), **{"0": np.zeros(2)}),
    ),
    "header": (".npz", npz(header=np.array("[1"))),
    "bomb": (".npz", zipped("header.npy", bytes(10**6), zipfile.ZIP_DEFLATED)),
    "huge part": (".npz", zipped("header.npy", npy("(1000000000000,)", 8), zipfile.ZIP_STORED)),
    "pickle": (".pkl", pickle.dumps({"a": 1})),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files_are_refused(name: str, tmp_path: Path) -> None:
    ending, content = DAMAGED[name]
    (tmp_path / f"0_p{ending}").write_bytes(content)
    talk = CNTKCrosstalk()
    talk.set_workdir(str(tmp_path))
    parameter = C.parameter(2, init=1)
    talk.watch(parameter, "p")
    with pytest.raises((ValueError, RuntimeError), match=rf"0_p\{ending}"):
        talk.assign("p", load=True)
    assert parameter.value.tolist() == [1, 1]


def test_a_newer_file_of_another_kind_takes_the_place(tmp_path: Path) -> None:
    talk, here = Crosstalk(), [np.zeros(2)]
    talk.set_workdir(str(tmp_path))
    talk.register_funcs(list, getter=lambda v, attr: v[0])
    talk.watch(here, "x")
    talk.save_all()
    here[0] = {"a": np.ones(2)}  # type: ignore[call-overload]
    talk.save_all()
    assert (
        list(talk.load_raw_value("x")) == ["a"]
        and json.dumps(sorted(p.name for p in tmp_path.iterdir())) == '["0_x.npz"]'
    )


ERRORS: dict[str, tuple[Any, type[Exception], str]] = {
    "twice": (lambda t: t.watch(3, "p"), ValueError, "'p' is watched already"),
    "unknown": (lambda t: t.fetch("x"), KeyError, "nothing is watched.*'x'"),
    "no functions": (lambda t: (t.watch(3, "n"), t.fetch("n")), KeyError, "registered for int"),
    "no file": (lambda t: t.load(["p"]), FileNotFoundError, "0_p.npy"),
    "two sources": (lambda t: t.assign("p", np.zeros(3), load=True), ValueError, "not both"),
    "shape": (lambda t: t.assign("p", np.zeros(3)), ValueError, r"\(2, 3\), and the value \(3,\)"),
    "kind": (lambda t: t.assign("p", [1, 2]), ValueError, "expected a ndarray, got a list"),
    "computed": (lambda t: t.assign("result", t.fetch("result")), ValueError, "no setter"),
    "keys": (
        lambda t: t.assign("pq", {"p": np.zeros(1), "z": np.zeros(2)}),
        ValueError,
        "expected values for",
    ),
    "words": (lambda t: t.assign("words", {"a": np.zeros(2)}), ValueError, "the same words"),
    "no bias": (
        lambda t: t.assign("plain", Conv2DArgs(np.zeros((2, 3, 2)), np.zeros(2))),
        ValueError,
        "has no bias",
    ),
    "one way": (
        lambda t: (
            t.watch(t.vars["result"].var, "n", RnnAttr, LSTM._replace(bidirectional=False)),
            t.fetch("n"),
        ),
        NotImplementedError,
        "bidirectional",
    ),
    "no lstm": (
        lambda t: (t.watch(t.vars["conv"].var, "n", RnnAttr, LSTM), t.fetch("n")),
        NotImplementedError,
        "splice",
    ),
    "input": (
        lambda t: (t.watch(C.input_variable(2), "n"), t.fetch("n")),
        RuntimeError,
        "not computed",
    ),
    "another kind": (
        lambda t: (t.save(["p", "words"]), t.compare("p", "words")),
        ValueError,
        "the file holds a dict",
    ),
    "another file": (
        lambda t: (t.save(["p", "words"]), t.assign("conv", load=True, load_name="words")),
        ValueError,
        "expected a Conv2DArgs",
    ),
    "unlike": (
        lambda t: (t.save(["p"]), t.compare("pq", "p")),
        ValueError,
        "a dict of 2.*a ndarray",
    ),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(scene: Scene, name: str) -> None:
    wrong, kind, words = ERRORS[name]
    with pytest.raises(kind, match=words):
        wrong(scene.talk)
    assert scene.p.value.tolist() == [[0, 1, 2], [3, 4, 5]] and scene.q.value.tolist() == [1, 1]


def test_a_folder_is_needed() -> None:
    talk = Crosstalk()
    with pytest.raises(AttributeError, match="set_workdir"):
        talk.load_raw_value("x")


def test_values_that_files_cannot_hold(tmp_path: Path) -> None:
    talk = Crosstalk()
    talk.set_workdir(str(tmp_path))
    talk.register_funcs(tuple, getter=lambda v, attr: v[0])
    for k, value in enumerate(
        [{(1, 2): np.zeros(2)}, [1, 2], np.array([None]), "text", [np.array(["a"], object)]]
    ):
        talk.watch((value,), str(k))
        with pytest.raises((TypeError, ValueError)):
            talk.fetch(str(k), save=True)
    assert not list(tmp_path.iterdir())


class Variable:
    """A variable of the stand-in for TensorFlow below."""

    def __init__(self, name: str, value: Any) -> None:
        self.name, self.value = name, np.asarray(value, np.float32)

    def get_shape(self) -> tuple[int, ...]:
        return self.value.shape

    def eval(self, data: Any = None, session: Any = None) -> Any:
        return self.value if data is None else self.value + data["more"]


def assignment(variable: Variable, value: Any) -> Any:
    assert variable.value.shape == value.shape
    return SimpleNamespace(eval=lambda session: setattr(variable, "value", value))


@pytest.fixture
def tensorflow(monkeypatch: pytest.MonkeyPatch) -> list[Variable]:
    """A stand-in for the little of TensorFlow that is used."""
    random = np.random.RandomState(1)
    shapes = {
        "fw/cell/kernel": (5, 8),
        "fw/cell/bias": 8,
        "bw/cell/kernel": (5, 8),
        "bw/cell/bias": 8,
    }
    variables = [
        Variable(f"rnn/{name}", random.randn(*np.atleast_1d(shape)))
        for name, shape in shapes.items()
    ]
    keys = SimpleNamespace(TRAINABLE_VARIABLES="trainable")
    v1 = SimpleNamespace(
        GraphKeys=keys,
        assign=assignment,
        get_collection=lambda key, scope: [v for v in variables if v.name.startswith(scope or "")],
    )
    monkeypatch.setitem(sys.modules, "tensorflow", SimpleNamespace(compat=SimpleNamespace(v1=v1)))  # type: ignore[arg-type]
    return variables


def test_tensorflow_and_this_package_exchange_values(
    scene: Scene, tensorflow: list[Variable], tmp_path: Path
) -> None:
    talk = TensorFlowCrosstalk()
    talk.set_workdir(str(tmp_path))
    filters, bias = Variable("W", np.zeros((3, 2, 1, 2))), Variable("b", np.zeros((2,)))
    words, p, q = (
        Variable("E", np.zeros((3, 2))),
        Variable("p", np.zeros((2, 3))),
        Variable("q", np.zeros((1, 2))),
    )
    talk.watch(Conv2DArgs(filters, bias), "conv", Conv2DAttr, CONVOLUTION)  # type: ignore[arg-type]
    talk.watch("rnn", "lstm", RnnAttr, LSTM._replace(forget_bias=1))
    talk.watch(words, "words", EmbedAttr, WORDS)
    talk.watch(p, "p", TrainableType)
    talk.watch({"p": p, "q": q}, "pq", DictTrainableType)
    talk.watch(p, "computed", VariableType)
    talk.set_data("session", {"more": 1})
    scene.talk.save_all()
    talk.load_all_trainables()
    assert [name for name in talk.vars if not talk.is_trainable(name)] == ["computed"]
    np.testing.assert_array_equal(
        filters.value[:, :, 0].transpose(2, 0, 1), scene.talk.fetch("conv").W
    )
    np.testing.assert_array_equal(words.value, scene.words.E.value)
    np.testing.assert_array_equal(talk.fetch("computed"), scene.p.value + 1)
    lstm = scene.talk.fetch("lstm")
    np.testing.assert_array_equal(tensorflow[0].value, np.concatenate([lstm.fw_W, lstm.fw_H]))
    np.testing.assert_array_equal(tensorflow[1].value, [0, 0, 0, 0, -1, -1, 0, 0])
    assert all(talk.compare(name) for name in ("conv", "lstm", "words", "p"))
    tensorflow[0].value = 2 * tensorflow[0].value
    talk.save_all_trainables()
    scene.talk.load(["lstm"])
    np.testing.assert_array_equal(scene.talk.fetch("lstm").fw_W, 2 * lstm.fw_W)
    with pytest.raises(ValueError, match="found .*fw/cell/kernel.*bw/cell/kernel"):
        find_trainable("kernel")
    with pytest.raises(ValueError, match=r"p has shape \(2, 3\)"):
        talk.assign("p", np.zeros(5, np.float32))


def test_without_tensorflow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ImportError, match="pip install tensorflow"):
        find_trainable("kernel")
