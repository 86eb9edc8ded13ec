"""Saving, loading and restoring functions: what stays the same, and what must not happen when it
fails.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._graph import walk
from cntk._persist import files
from cntk._persist.protobuf.dictionary import Size
from cntk._persist.v2.load import from_dictionary
from cntk._persist.v2.save import to_dictionary
from cntk.errors import FileFormatError
from tests.persist.programs import PROGRAMS, data, evaluate


def saved(function: Any, folder: Path) -> Path:
    function.save(folder / "function.model")
    return folder / "function.model"


def check_same_outputs(one: Any, other: Any) -> None:
    values = data(one)
    for a, b in zip(evaluate(one, values), evaluate(other, values), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_function_built_here_comes_back(name: str, tmp_path: Path) -> None:
    function = PROGRAMS[name]()
    loaded = C.load_model(saved(function, tmp_path))
    check_same_outputs(function, loaded)
    for one, other in zip(
        (*function.parameters, *function.outputs),
        (*loaded.parameters, *loaded.outputs),
        strict=True,
    ):
        assert (one.name, one.shape, one.dtype, one.dynamic_axes) == (
            other.name,
            other.shape,
            other.dtype,
            other.dynamic_axes,
        )
    assert {v.name: v.dynamic_axes for v in function.arguments} == {
        v.name: v.dynamic_axes for v in loaded.arguments
    }
    assert (loaded.name, loaded.uid, loaded.root_function.uid) == (
        function.name,
        function.uid,
        function.root_function.uid,
    )
    assert {p.uid for p in function.parameters} == {p.uid for p in loaded.parameters}


def test_a_model_comes_from_a_path_bytes_or_a_file(tmp_path: Path) -> None:
    function = PROGRAMS["dense"]()
    path = saved(function, tmp_path)
    with open(path, "rb") as file:
        sources = [str(path), path, path.read_bytes(), io.BytesIO(path.read_bytes()), file]
        for source in sources:
            check_same_outputs(function, C.Function.load(source, device=C.cpu()))


def test_what_is_loaded_goes_on_learning(tmp_path: Path) -> None:
    losses = []
    x, y = C.input_variable(2, name="x"), C.input_variable(2, name="y")
    z = PROGRAMS["mlp"]()
    for model in (z, C.load_model(saved(z, tmp_path))):
        x, y = model.arguments[0], C.input_variable(2)
        loss = C.cross_entropy_with_softmax(model, y)
        model.find_by_name("hidden")
        learner = C.sgd(model.parameters, C.learning_parameter_schedule(0.1))
        trainer = C.Trainer(model, (loss, None), [learner])
        random = np.random.default_rng(1)
        for _ in range(5):
            rows = random.normal(size=(8, 3)).astype(np.float32)
            trainer.train_minibatch(
                {x: rows, y: np.eye(2, dtype=np.float32)[(rows[:, 0] > 0).astype(int)]}
            )
        losses.append(trainer.previous_minibatch_loss_average)
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_names_and_custom_attributes_stay(tmp_path: Path) -> None:
    x = C.input_variable(3, name="x")
    inner = C.plus(x, 1, name="inner")
    inner.custom_attributes = {
        "a": 1,
        "b": 2.5,
        "c": "text",
        "d": True,
        "e": [1, 2.5, "z"],
        "f": {"g": np.arange(3, dtype=np.int8)},
    }
    loaded = C.load_model(saved(C.relu(inner, name="outer"), tmp_path))
    found = loaded.find_by_name("inner")
    assert found.custom_attributes["e"] == [1, 2.5, "z"] and found.custom_attributes["c"] == "text"
    np.testing.assert_array_equal(found.custom_attributes["f"]["g"], [0, 1, 2])
    assert loaded.name == "outer" and loaded.arguments[0].name == "x"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_number_formats_stay(dtype: Any, tmp_path: Path) -> None:
    values = np.array([1, 2.5, -3], dtype)
    loaded = C.load_model(
        saved(C.input_variable(3, dtype=dtype) * C.parameter(init=values), tmp_path)
    )
    assert loaded.parameters[0].dtype == dtype and loaded.output.dtype == dtype
    np.testing.assert_array_equal(loaded.parameters[0].value, values)


def test_functions_of_placeholders_come_back(tmp_path: Path) -> None:
    feedback, weights = C.placeholder(), C.parameter(init=np.eye(3, dtype=np.float32) * 0.5)
    state = C.tanh(C.times(C.sequence.past_value(feedback), weights) + C.placeholder(name="step"))
    state.replace_placeholders({feedback: state})
    loaded = C.load_model(saved(state, tmp_path))
    assert [v.name for v in loaded.placeholders] == ["step"]
    x = C.sequence.input_variable(3)
    frames = [np.ones((2, 3), np.float32)]
    np.testing.assert_array_equal(loaded(x).eval(frames)[0], state(x).eval(frames)[0])


def test_two_of_the_same_file_live_in_one_function(tmp_path: Path) -> None:
    path = saved(PROGRAMS["sequence_classifier"](), tmp_path)
    first, second = C.load_model(path), C.load_model(path)
    first.parameters[0].value = first.parameters[0].value + 1
    both = C.load_model(saved(C.combine([first.output, second.output]), tmp_path))
    frames = data(first)["s"]
    results = both.eval(dict.fromkeys(both.arguments, frames))
    for output, single in zip(both.outputs, (first, second), strict=True):
        np.testing.assert_array_equal(results[output], single.eval(frames))
    assert len({p.uid for p in both.parameters}) == len(both.parameters) == 12


def test_a_checkpoint_is_no_model(tmp_path: Path) -> None:
    files.write(tmp_path / "state", {"version": Size(1), "type": "Learner"})
    with pytest.raises(FileFormatError, match="'Learner' where CompositeFunction was expected"):
        C.load_model(tmp_path / "state")


def test_a_file_that_is_not_there_is_missed() -> None:
    with pytest.raises(FileNotFoundError, match="no-such.model"):
        C.load_model("no-such.model")
    with pytest.raises(ValueError, match="no-such.model"):
        C.load_model("no-such.model")


@pytest.mark.parametrize(
    "content", [b"", b"hello world", b"ktnc", b"PK\x03\x04" * 10, b"\x08", b"\x00" * 100]
)
def test_a_foreign_file_is_refused_by_its_name(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "foreign.model").write_bytes(content)
    for read in (C.load_model, PROGRAMS["dense"]().restore):
        with pytest.raises(FileFormatError, match="foreign.model"):
            read(tmp_path / "foreign.model")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    content = saved(PROGRAMS["dense"](), tmp_path).read_bytes()
    for size in range(0, len(content), 97):
        with pytest.raises(FileFormatError):
            C.load_model(content[:size])


# -- saving that fails -----------------------------------------------------------------------------


class _Odd(Exception):
    pass


def test_a_save_that_fails_leaves_the_former_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(PROGRAMS["dense"](), tmp_path)
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise _Odd("no space left")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(_Odd):
        PROGRAMS["mlp"]().save(path)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_what_cannot_be_saved_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    path = saved(PROGRAMS["dense"](), tmp_path)
    before = path.read_bytes()
    with pytest.raises(
        FileFormatError, match="Sequence::Slice 'tail' cannot be saved before the types"
    ):
        C.sequence.slice(C.placeholder(), -3, 2, name="tail").save(path)
    with pytest.raises(ValueError, match="shape is still to be inferred"):
        C.times(C.placeholder(), C.parameter((C.InferredDimension, 2), init=1)).save(path)
    with pytest.raises(ValueError, match="ONNX"):
        PROGRAMS["dense"]().save(path, C.ModelFormat.ONNX)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_directories_are_made_and_links_are_followed(tmp_path: Path) -> None:
    path = saved(PROGRAMS["dense"](), tmp_path / "new" / "folder")
    link = tmp_path / "link.model"
    try:
        link.symlink_to(path)
    except OSError:
        pytest.skip("no symbolic links here")
    PROGRAMS["plus_one"]().save(link)
    assert link.is_symlink() and len(C.load_model(path).parameters) == 0


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    path = saved(PROGRAMS["dense"](), tmp_path)
    other = tmp_path / "other"
    other.write_bytes(b"")
    assert path.stat().st_mode == other.stat().st_mode
    path.chmod(0o640)
    saved(PROGRAMS["dense"](), tmp_path)
    assert path.stat().st_mode & 0o777 == 0o640


# -- restoring -------------------------------------------------------------------------------------


def test_restoring_takes_over_parameters_and_running_statistics(tmp_path: Path) -> None:
    function = PROGRAMS["convolutions"]()
    mean = next(c for c in function.constants if c.name == "aggregate_mean")
    mean.value = 3
    values = [v.value for v in (*function.parameters, *function.constants)]
    path = saved(function, tmp_path)
    for variable in (*function.parameters, *function.constants):
        variable.value = variable.value * 0 + 7
    function.restore(path)
    for variable, value in zip((*function.parameters, *function.constants), values, strict=True):
        np.testing.assert_array_equal(variable.value, value)


def test_another_functions_values_are_refused(tmp_path: Path) -> None:
    path = saved(PROGRAMS["dense"](), tmp_path)
    for name in ("plus_one", "mlp", "convolutions"):
        function = PROGRAMS[name]()
        before = [p.value for p in function.parameters]
        with pytest.raises(FileFormatError, match="holds another function"):
            function.restore(path)
        for parameter, value in zip(function.parameters, before, strict=True):
            np.testing.assert_array_equal(parameter.value, value)


# -- files that do not hold together ---------------------------------------------------------------


def changed(name: str, change: Any) -> dict[str, Any]:
    values = to_dictionary(PROGRAMS[name]())
    change(values)
    return values


def set_operation(values: dict[str, Any], number: int) -> None:
    values["primitive_functions"][0]["op"] = Size(number)


WRONG = {
    "unknown operation": (lambda v: set_operation(v, 9999), "number 9999"),
    "operation of the future": (
        lambda v: v["primitive_functions"][0].update(version=Size(99)),
        "version 99",
    ),
    "unknown attribute": (
        lambda v: v["primitive_functions"][0]["attributes"].update(fancy=1),
        "'fancy' that is not known",
    ),
    "attribute of another kind": (
        lambda v: v["primitive_functions"][0]["attributes"].update(outputRank="one"),
        "'outputRank' is the string 'one'",
    ),
    "missing function": (lambda v: v["primitive_functions"].pop(0), "is not there"),
    "missing variable": (lambda v: v["inputs"].pop(0), "is not there"),
    "missing root": (lambda v: v.pop("root"), "no 'root'"),
    "value of another shape": (
        lambda v: v["inputs"][0].update(value=np.zeros(3, np.float32)),
        "shape",
    ),
    "value of another format": (
        lambda v: v["inputs"][0].update(value=v["inputs"][0]["value"].astype(np.float64)),
        "float64",
    ),
    "no value": (lambda v: v["inputs"][0].pop("value"), "no 'value'"),
    "shapes that do not fit": (
        lambda v: v["inputs"][1].update(shape=v["inputs"][0]["shape"]),
        "must agree|shape",
    ),
    "unknown kind of variable": (lambda v: v["inputs"][0].update(kind=Size(17)), "17"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_file_that_does_not_hold_together_is_refused(wrong: str) -> None:
    change, reason = WRONG[wrong]
    with pytest.raises(FileFormatError, match=reason):
        from_dictionary(changed("dense", change), name="it")


def blocks(levels: int, width: int) -> dict[str, Any]:
    """Blocks inside blocks, each of which reads the one inside several times: far more operations
    than the file has.
    """
    values = to_dictionary(PROGRAMS["plus_one"]())
    functions, uid = values["primitive_functions"], values["root"]
    argument = next(v for v in values["inputs"] if v["kind"] == 0)["uid"]
    for level in range(levels):
        parts = []
        for k in range(width):
            parts.append(f"Block{level}x{k}")
            functions.append(
                {
                    "version": Size(24),
                    "type": "PrimitiveFunction",
                    "op": Size(57),
                    "uid": parts[-1],
                    "attributes": {},
                    "inputs": [argument],
                    "block_function_op_name": "Part",
                    "block_function_composite": {
                        "version": Size(3),
                        "type": "CompositeFunction",
                        "root": uid,
                        "uid": f"Composite{level}x{k}",
                    },
                    "block_function_composite_arguments_map_keys": [argument],
                    "block_function_composite_arguments_map_values": [argument],
                }
            )
        uid = f"Combine{level}"
        outputs = [f"{part}_Output_0" for part in parts]
        combine = {
            "version": Size(24),
            "type": "PrimitiveFunction",
            "op": Size(19),
            "uid": uid,
            "attributes": {},
        }
        functions.append(combine | {"inputs": outputs[:2]})
    return values | {"root": uid}


def test_a_few_blocks_inside_blocks_are_loaded() -> None:
    assert from_dictionary(blocks(3, 2)).eval([[1, 2, 3]]).tolist() == [[16, 24, 32]]


@pytest.mark.parametrize(
    ("levels", "reason"), [(14, "hold each other so often"), (60, "levels deep")]
)
def test_blocks_that_open_without_end_are_refused(levels: int, reason: str) -> None:
    with pytest.raises(FileFormatError, match=reason):
        from_dictionary(blocks(levels, 2))


def test_a_block_inside_itself_is_refused() -> None:
    values = blocks(1, 2)
    block = next(f for f in values["primitive_functions"] if f["uid"] == "Block0x0")
    block["block_function_composite"]["root"] = "Combine0"
    with pytest.raises(FileFormatError, match="inside themselves"):
        from_dictionary(values)


def test_a_loop_of_nothing_but_bundles_is_refused() -> None:
    values = to_dictionary(PROGRAMS["plus_one"]())
    bundle = {
        "version": Size(24),
        "type": "PrimitiveFunction",
        "op": Size(44),
        "uid": "Combine0",
        "attributes": {},
    }
    values["primitive_functions"] = [bundle | {"inputs": ["Combine0_Output_0"]}]
    with pytest.raises(FileFormatError):
        from_dictionary(values | {"root": "Combine0"})


def test_operations_go_before_what_reads_them(tmp_path: Path) -> None:
    function = PROGRAMS["mlp"]()
    listed = [f["uid"] for f in to_dictionary(function)["primitive_functions"]]
    order = [p.uid for p in walk.post_order(function.outputs)]
    assert [uid for uid in listed if uid in order] == order


def test_a_graph_may_have_a_name_of_its_own(tmp_path: Path) -> None:
    """As in the original: it goes to clones, calls and files, and is not its root's."""
    x = C.input_variable(2, name="x")
    named = C.plus(x, 1, name="p").root_function
    later = C.plus(x, 1)
    later.name = "later"
    for function, name, root in (
        (C.as_composite(named, "graph"), "graph", "p"),
        (C.as_composite(named), "", "p"),
        (C.as_composite(C.plus(x, 1).root_function, "graph"), "graph", ""),
        (C.alias(C.as_composite(named, "graph"), "alias"), "alias", "alias"),
        (C.as_composite(named, "graph").clone("clone"), "graph", "p"),
        (C.as_composite(named, "graph")(C.input_variable(2)), "graph", "p"),
        (C.as_composite(C.as_composite(named, "graph"), "other"), "graph", "p"),
        (C.plus(x, 1, name="p"), "p", "p"),
        (named.clone("share"), "", "p"),
        (later, "later", ""),
    ):
        loaded = C.load_model(saved(function, tmp_path))
        for found in (function, loaded):
            assert (found.name, found.root_function.name, found.output.name) == (name, root, root)
            assert str(found).startswith(f"{name}: " if name else function.root_function.op_name)
    with pytest.raises(ValueError, match="'later' has a name already"):
        later.name = "again"
