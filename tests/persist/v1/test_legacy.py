"""Model files of version 1: written byte for byte as the original does, read as it does, refused
where they are damaged.
"""

from __future__ import annotations

import os
import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cntk as C
from cntk._persist import files
from cntk._persist.v1.nodes import BY_NAME, BY_OPERATION
from cntk._persist.v1.wire import START, mark
from cntk._persist.v2.load import from_dictionary
from cntk.debugging import save_as_legacy_model
from cntk.errors import FileFormatError
from tests.persist.mutations import damaged, is_loaded, legacy_models, limit_memory, numbers_changed  # noqa: F401
from tests.persist.programs import Cube
from tests.persist.record.record_legacy_models import recorded
from tests.persist.test_mutations import child, only_linux
from tests.persist.v1 import legacy_files
from tests.persist.v1.legacy_programs import PROGRAMS, STATELESS, data, evaluate

FILES, RESULTS = recorded()
NAMES = list(PROGRAMS)


def check_outputs(name: str, function: Any, shapes: bool = True) -> None:
    outputs = evaluate(function, data(function))
    for k, output in enumerate(outputs):
        wanted = RESULTS[f"{name}/output_{k}"]
        assert output.dtype == wanted.dtype
        if shapes:
            assert output.shape == wanted.shape
        np.testing.assert_allclose(output.reshape(wanted.shape), wanted, rtol=1e-5, atol=1e-5)
    assert f"{name}/output_{len(outputs)}" not in RESULTS


@pytest.mark.parametrize("name", NAMES)
def test_the_originals_function_is_written_as_the_original_writes_it(
    name: str, tmp_path: Path
) -> None:
    # Operations that one kernel computes here are not looked for: inside they would have other
    # uids.
    function = from_dictionary(files.decode(memoryview(FILES[f"{name}.v2"])), contract=False)
    save_as_legacy_model(function, tmp_path / "again.v1")
    if name in ("several", "window"):
        # The original lists outputs in no order of its own, and may list one that it need not.
        loaded, wanted = C.load_model(tmp_path / "again.v1"), C.load_model(FILES[f"{name}.v1"])
        assert [v.uid for v in loaded.outputs] == [v.uid for v in wanted.outputs]
        return
    assert (tmp_path / "again.v1").read_bytes() == FILES[f"{name}.v1"]


@pytest.mark.parametrize("name", STATELESS)
def test_the_originals_file_computes_what_it_does_there(name: str) -> None:
    check_outputs(name, C.load_model(FILES[f"{name}.v1"]))


@pytest.mark.parametrize("name", STATELESS)
def test_functions_built_here_come_back(name: str, tmp_path: Path) -> None:
    path = Path(os.environ.get("CNTK_MODELS_SAVED_HERE", tmp_path)) / f"{name}.v1"
    save_as_legacy_model(PROGRAMS[name](), path)
    check_outputs(name, C.load_model(path))


# When loaded, reductions of all axes keep them, and outputs are in another order.
CHANGED = {"argmax", "squared_error", "of_all_static", "layer_normalization", "several", "window"}


@pytest.mark.parametrize("name", sorted(set(NAMES) - CHANGED))
def test_loaded_and_saved_again_the_file_is_the_same(name: str, tmp_path: Path) -> None:
    save_as_legacy_model(C.load_model(FILES[f"{name}.v1"]), tmp_path / "again.v1")
    assert (tmp_path / "again.v1").read_bytes() == FILES[f"{name}.v1"]


@pytest.mark.parametrize("name", legacy_files.FILES)
def test_files_of_other_programs_and_versions(name: str) -> None:
    function = C.load_model(legacy_files.FILES[name])
    variables = [*function.outputs, *sorted(function.inputs, key=lambda v: v.name)]
    found = [repr((v.name, tuple(v.shape), v.is_parameter, v.is_constant)) for v in variables]
    # There the original has a block, and the mean and the deviation twice.
    if name != "standardized":
        assert [text.replace("(1,)", "()") for text in found] == [
            text.replace("(1,)", "()") for text in RESULTS[f"{name}/variables"]
        ]
    check_outputs(name, function)


def test_most_kinds_of_nodes_are_compared() -> None:
    formats = [mark("float"), mark("double")]
    found = {
        kind
        for content in WHOLE
        for kind in BY_NAME
        if any(f + mark(kind) in content for f in formats)
    }
    left = {kind.name for kind in BY_OPERATION.values()} - found
    # None of these has fields.
    assert left == {"Sigmoid", "StraightThrough", "ToSequenceLike", "UnpackBatchAxis"}


def test_names_and_axes_come_back() -> None:
    function = C.load_model(FILES["own_axis.v1"])
    (words,) = function.arguments
    assert words.name == "words" and [axis.name for axis in words.dynamic_axes] == [
        "defaultBatchAxis",
        "Words",
    ]
    assert C.load_model(FILES["sparse.v1"]).arguments[0].is_sparse
    assert C.load_model(FILES["with_gradient.v1"]).arguments[0].needs_gradient
    assert C.load_model(FILES["named.v1"]).find_by_name("a name").op_name == "Plus"
    assert C.load_model(FILES["doubles.v1"]).parameters[0].dtype == np.float64
    assert not C.load_model(FILES["frozen.v1"]).parameters


def test_it_goes_on_in_training(tmp_path: Path) -> None:
    path = tmp_path / "model.v1"
    save_as_legacy_model(PROGRAMS["criterion"](), path)
    loaded = C.load_model(path)
    loss = next(v for v in loaded.outputs if v.owner.op_name == "Minus")
    trainer = C.Trainer(
        None,
        (loss, None),
        [C.sgd(loaded.parameters, C.learning_rate_schedule(0.5, C.UnitType.minibatch))],
    )
    before = loaded.parameters[0].value
    trainer.train_minibatch({v: data(loaded)[v.name] for v in loaded.arguments})
    assert np.abs(loaded.parameters[0].value - before).max() > 1e-3


# -- what the format cannot hold -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("build", "reason"),
    [
        (
            lambda: C.one_hot(C.input_variable(2), 5),
            "OneHotOp cannot be saved in the format of version 1",
        ),
        (lambda: C.pad(C.input_variable(2), [(1, 1)], name="p"), "Pad 'p' cannot be saved"),
        (lambda: C.top_k(C.input_variable(5), 2), "TopK cannot be saved"),
        (lambda: C.zeros_like(C.input_variable(5)), "ConstantOp cannot be saved"),
        (lambda: C.user_function(Cube(C.input_variable(3))), "cannot be saved"),
        (
            lambda: C.abs(C.input_variable((C.FreeDimension, 3), name="x")),
            "no free or inferred dimensions",
        ),
        (
            lambda: C.abs(C.placeholder(shape=(3,), dynamic_axes=[C.Axis.default_batch_axis()])),
            "placeholder",
        ),
        (
            lambda: C.abs(C.input_variable(3, dynamic_axes=[], name="x")),
            "every input has a batch axis",
        ),
        (lambda: C.abs(C.input_variable(3, dtype=np.float16)), "float32 or float64 alone"),
        (lambda: C.cast(C.input_variable(3, dtype=np.float64), np.float32), "Cast cannot be saved"),
        (
            lambda: C.convolution(
                C.parameter((4, 1, 3, 3)),
                C.input_variable((2, 8, 9)),
                groups=2,
                auto_padding=[False],
            ),
            "no convolution in groups",
        ),
    ],
)
def test_what_cannot_be_held_is_refused_and_the_former_file_stays(
    build: Any, reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.v1"
    path.write_bytes(b"as before")
    with pytest.raises(FileFormatError, match=reason):
        save_as_legacy_model(build(), path)
    assert path.read_bytes() == b"as before" and [p.name for p in tmp_path.iterdir()] == [
        "model.v1"
    ]


def test_only_functions_are_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="expected a function"):
        save_as_legacy_model(C.input_variable(3), tmp_path / "model.v1")  # type: ignore[arg-type]


def test_a_failing_disk_leaves_the_former_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.v1"
    save_as_legacy_model(PROGRAMS["abs"](), path)
    before = path.read_bytes()

    def fail(handle: int) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is full"):
        save_as_legacy_model(PROGRAMS["loop"](), path)
    assert path.read_bytes() == before and [p.name for p in tmp_path.iterdir()] == ["model.v1"]


# -- files that are damaged, or of another kind ----------------------------------------------------


def replaced(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content
    return content.replace(old, new, 1)


LAST_CHANNELS = legacy_files.of_samples(
    legacy_files.IMAGE,
    ("Pooling", "z", legacy_files.windows(31, (2, 2, 1), (1,), (2, 2, 1), 2, layout=0), ["image"]),
)
LARGE = struct.pack("<Q", 2**62)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (START, "'BVersion' was expected"),
        (legacy_files.times(10)[:200], "cut short"),
        (legacy_files.of_samples(legacy_files.X, version=31), "no outputs"),
        (legacy_files.model([], version=32), "version 32, and the newest one known is 31"),
        (legacy_files.model([], version=9), "version 9; those before 10 cannot be read"),
        (legacy_files.of_samples(legacy_files.X, ("Lookup", "z", b"", [])), "node 'z' is a Lookup"),
        (
            legacy_files.of_samples(legacy_files.X, ("Abs", "z", b"", ["y"])),
            "'y' is referred to and is not there",
        ),
        (legacy_files.of_samples(legacy_files.X, legacy_files.X), "twice"),
        (
            legacy_files.of_samples(legacy_files.X, ("Clip", "z", b"", ["features"])),
            "Clip reads 1 values, and needs 3",
        ),
        (replaced(legacy_files.times(31), mark("float"), mark("half")), "unknown dtype 'half'"),
        (replaced(legacy_files.times(31), struct.pack("<QQ", 2, 3), LARGE + LARGE), "cut short"),
        (
            replaced(legacy_files.times(31), struct.pack("<QQ", 2, 3), struct.pack("<QQ", 2, 2)),
            "'EMAT' was expected",
        ),
        (
            replaced(legacy_files.times(31), b"d" + mark("BMAT"), b"s" + mark("BMAT")),
            "sparse storage",
        ),
        (
            replaced(
                legacy_files.times(31),
                mark("EVersion") + struct.pack("<Q", 4),
                mark("EVersion") + LARGE,
            ),
            "nodes",
        ),
        (
            replaced(legacy_files.times(31), mark("z") + struct.pack("<Q", 2), mark("z") + LARGE),
            "more values than any",
        ),
        (LAST_CHANNELS, "channels last"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(content: bytes, reason: str) -> None:
    with pytest.raises(FileFormatError, match=reason):
        C.load_model(content)


def test_a_file_may_be_given_by_path_by_bytes_and_opened(tmp_path: Path) -> None:
    path = tmp_path / "model.v1"
    path.write_bytes(FILES["abs.v1"])
    with open(path, "rb") as file:
        functions = [
            C.load_model(path),
            C.load_model(str(path)),
            C.load_model(FILES["abs.v1"]),
            C.load_model(file),
        ]
    assert [f.outputs[0].owner.op_name for f in functions] == ["Abs"] * 4


def test_values_can_be_restored_from_it(tmp_path: Path) -> None:
    function = PROGRAMS["times"]()
    wanted = function.parameters[0].value
    save_as_legacy_model(function, tmp_path / "model.v1")
    loaded = C.load_model(tmp_path / "model.v1")
    loaded.parameters[0].value = wanted * 0
    loaded.restore(tmp_path / "model.v1")
    np.testing.assert_array_equal(loaded.parameters[0].value, wanted)


WHOLE = legacy_models()


def test_damaged_files_are_loaded_or_refused_by_one_kind_of_error() -> None:
    draw = random.Random(11)
    loaded = sum(is_loaded(damaged(WHOLE[k % len(WHOLE)], draw)) for k in range(1500))
    assert 20 < loaded < 1400


def test_files_cut_anywhere_are_refused() -> None:
    content = FILES["named.v1"]
    assert not any(is_loaded(content[:size]) for size in range(len(content)))


def test_forged_numbers_are_loaded_or_refused_by_one_kind_of_error() -> None:
    draw = random.Random(12)
    loaded = sum(is_loaded(numbers_changed(WHOLE[k % len(WHOLE)], draw)) for k in range(1500))
    assert 20 < loaded < 1400


LOAD_ALL = """
import random
from tests.persist.v1.test_legacy import WHOLE, damaged, is_loaded, limit_memory, numbers_changed
assert all(map(is_loaded, WHOLE))
limit_memory(max(map(len, WHOLE)))
draw = random.Random(13)
print(sum(is_loaded((damaged, numbers_changed)[k % 2](WHOLE[k % len(WHOLE)], draw)) for k in range(1000)))
"""  # noqa: E501


@only_linux
def test_damaged_files_take_no_memory_above_twice_their_size() -> None:
    assert 20 < int(child("-c", LOAD_ALL)) < 900
