"""What is written for TensorBoard: record by record what the original writes, in files that can
always be read.
"""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk.logging import TensorBoardProgressWriter
from cntk.logging.event_file import crc32c, to_record
from cntk.logging.png import encode_png
from tests.logging.event_files import grouped, read_folder, read_records
from tests.logging.tensorboard_programs import (
    FREQUENCIES,
    MODELS,
    PROGRAMS,
    Course,
    X,
    Y,
    graph_of,
    run,
)

ORIGINAL = json.loads(Path(__file__).with_name("tensorboard_of_the_original.json").read_text())


def told(record):
    """What a record is of, and its numbers."""
    if record[0] == "version":
        return record, []
    return [record[:2], *(tag for tag, _ in record[2])], [value for _, value in record[2]]


@pytest.mark.parametrize("frequency", FREQUENCIES, ids=str)
@pytest.mark.parametrize("program", PROGRAMS)
def test_records_are_the_original_s(program, frequency, tmp_path):
    found, wanted = (
        run(program, frequency, str(tmp_path)),
        ORIGINAL["programs"][f"{program} {frequency}"],
    )
    assert [[told(record)[0] for record in file] for file in found] == [
        [told(r)[0] for r in file] for file in wanted
    ]
    for file, other in zip(found, wanted, strict=True):
        for record, expected in zip(file, other, strict=True):
            assert told(record)[1] == pytest.approx(told(expected)[1], rel=1e-5, abs=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_graphs_are_the_original_s(model, tmp_path):
    assert graph_of(model, str(tmp_path)) == ORIGINAL["graphs"][model]


def test_everything_is_recorded():
    assert set(ORIGINAL["graphs"]) == set(MODELS)
    assert set(ORIGINAL["programs"]) == {
        f"{program} {frequency}" for program in PROGRAMS for frequency in FREQUENCIES
    }


def bytes_of(folder):
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def masked(checksum):
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


@pytest.mark.parametrize(
    "data, checksum",
    [(b"", 0), (b"123456789", 0xE3069283), (bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43),
     (bytes(range(32)), 0x46DD794E), (bytes(range(31, -1, -1)), 0x113FDB5C)],
    ids=["nothing", "digits", "zeros", "ones", "up", "down"],
)  # fmt: skip
def test_checksums_are_those_of_rfc_3720(data, checksum):
    assert crc32c(data) == checksum
    record = to_record(data)
    length = struct.pack("<Q", len(data))
    wanted = (
        length
        + struct.pack("<I", masked(crc32c(length)))
        + data
        + struct.pack("<I", masked(checksum))
    )
    assert record == wanted


def test_bytes_of_a_record_of_the_original():
    record = bytes.fromhex(
        "17 00 00 00 00 00 00 00 e7 ce f8 1e 09 00 00 c0 a0 71 c3 da 41 10 01 2a 0a 0a 08 0a 01 61 "
        "15 00 00 80 3f c6 fd 25 4e"
    )
    assert to_record(record[12:-4]) == record


def test_each_writer_has_a_file_of_its_own(tmp_path):
    writers = [TensorBoardProgressWriter(log_dir=tmp_path / "runs" / "a") for _ in range(3)]
    assert not (tmp_path / "runs").exists()
    for number, writer in enumerate(writers):
        writer.write_value("value", number, 1)
    before = bytes_of(tmp_path / "runs" / "a")
    for writer in writers[:2]:
        writer.close()
    writers.append(TensorBoardProgressWriter(log_dir=str(tmp_path / "runs" / "a")))
    writers[3].write_value("value", 3, 1)
    assert [file[1][2] for file in read_folder(str(tmp_path / "runs" / "a"))] == [
        [["value", n]] for n in range(4)
    ]
    assert bytes_of(tmp_path / "runs" / "a")[:3] == before
    names = sorted(path.name for path in (tmp_path / "runs" / "a").iterdir())
    assert all(name.startswith("events.out.tfevents.") for name in names) and len(names) == 4


def test_records_can_be_read_before_the_file_is_closed(tmp_path):
    writer = TensorBoardProgressWriter(log_dir=tmp_path)
    for step in range(3):
        writer.write_value("value", step, step)
        assert len(read_folder(str(tmp_path))[0]) == step + 2


def test_no_part_of_a_record_is_left(tmp_path):
    """Where the disk is full in the middle of a record, its beginning is taken back."""
    writer = TensorBoardProgressWriter(log_dir=tmp_path)
    writer.write_value("first", 1, 1)
    (before,) = bytes_of(tmp_path)

    class FullDisk:
        def __init__(self, file):
            self.file, self.name = file, file.name
            self.tell, self.truncate, self.seek, self.close = (
                file.tell,
                file.truncate,
                file.seek,
                file.close,
            )
            self.room = 10

        def write(self, data):
            if not self.room:
                raise OSError("no space left on device")
            self.room -= 5
            return self.file.write(data[:5])

    file = writer.writer._file
    writer.writer._file = FullDisk(file)
    with pytest.raises(RuntimeError, match="cannot write .*no space left on device"):
        writer.write_value("second", 2, 2)
    assert bytes_of(tmp_path) == [before]
    writer.writer._file = file
    writer.write_value("third", 3, 3)
    assert [record[2] for record in read_folder(str(tmp_path))[0][1:]] == [
        [["first", 1]],
        [["third", 3]],
    ]


def test_only_process_0_writes(tmp_path):
    other, main = (
        TensorBoardProgressWriter(log_dir=tmp_path / "log", rank=rank) for rank in (1, 0)
    )
    other.write_value("a", 1, 1)
    other.write_image("a", {}, 1)
    other.flush()
    other.close()
    other.close()
    assert other.writer is None and not other.closed and not (tmp_path / "log").exists()
    main.write_value("a", 1, 1)
    assert len(read_folder(str(tmp_path / "log"))) == 1


def test_closed_writers_write_nothing(tmp_path):
    writer = TensorBoardProgressWriter(log_dir=tmp_path / "log")
    writer.close()
    assert writer.closed and not (tmp_path / "log").exists()
    calls = [
        writer.close,
        writer.flush,
        lambda: writer.write_value("a", 1, 1),
        lambda: writer.write_image("a", {}, 1),
    ]
    for call in calls:
        with pytest.raises(RuntimeError, match="has been closed"):
            call()


def test_a_graph_alone_is_written(tmp_path):
    writer = TensorBoardProgressWriter(log_dir=tmp_path, model=MODELS["dense"]())
    writer.close()
    assert [record[0] for record in read_folder(str(tmp_path))[0]] == ["version", "graph"]


def written_nodes(model, folder):
    writer = TensorBoardProgressWriter(log_dir=folder, model=model)
    writer.close()
    return {
        name: (operation, operands)
        for name, operation, operands, _, _ in read_folder(str(folder))[0][1][1]
    }


def test_equal_names_are_told_apart(tmp_path):
    """The original gives several nodes one name, which TensorBoard refuses."""
    x = C.input_variable(2, name="x")
    same = C.plus(C.relu(x, name="same"), C.tanh(x, name="same"), name="same")
    assert written_nodes(same, tmp_path) == {
        "same": ("Plus", ["same_1", "same_2"]),
        "same_1": ("ReLU", ["x"]),
        "x": ("Input", []),
        "same_2": ("Tanh", ["x"]),
    }


def test_graphs_of_which_little_is_known(tmp_path):
    """The original raises for types that it does not know, and for 16 bits."""
    nodes = written_nodes(
        C.layers.Dense(2, name="d")(C.placeholder(name="p")), tmp_path / "placeholder"
    )
    assert nodes["d/Plus" + [n for n in nodes if n.startswith("d/Plus")][0][6:]][0] == "Plus"
    assert nodes["p"] == ("Placeholder", [])
    half = C.relu(C.input_variable(3, dtype=np.float16, name="x"), name="r")
    assert written_nodes(half, tmp_path / "half") == {"r": ("ReLU", ["x"]), "x": ("Input", [])}


def test_deep_graphs(tmp_path):
    z = C.input_variable(2, name="x")
    for number in range(1500):
        z = C.relu(z, name=f"n{number}")
    assert len(written_nodes(z, tmp_path)) == 1501


def drawn(batch, folder):
    """The pictures that a batch becomes, as Pillow reads them: mode and pixels."""
    image = pytest.importorskip("PIL.Image")
    writer = TensorBoardProgressWriter(log_dir=folder)
    writer.write_image("picture", {"x": batch}, 3)
    writer.close()
    ((_, record),) = ([*read_records(path)] for path in folder.iterdir())
    found = []
    for value in grouped(grouped(record)[5][0])[1]:
        told = grouped(grouped(value)[4][0])
        picture = image.open(io.BytesIO(told[4][0]))
        assert (told[1][0], told[2][0], told[3][0]) == (
            picture.height,
            picture.width,
            len(picture.getbands()),
        )
        found.append((picture.mode, np.asarray(picture)))
    return found


@pytest.mark.parametrize(
    "channels, mode, order", [(1, "L", [0]), (3, "RGB", [2, 1, 0]), (4, "RGBA", [2, 1, 0, 3])]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "uint8", "int32"])
def test_pictures(channels, mode, order, dtype, tmp_path):
    batch = np.random.default_rng(1).integers(0, 256, (2, channels, 5, 7)).astype(dtype)
    for (found_mode, pixels), planes in zip(drawn(batch, tmp_path), batch, strict=True):
        assert found_mode == mode
        np.testing.assert_array_equal(
            pixels.reshape(5, 7, channels), planes.transpose(1, 2, 0)[..., order]
        )


def test_levels_of_pictures(tmp_path):
    levels = np.array([-3, 0.5, 1.5, 254.6, 300, np.nan, np.inf, -np.inf], np.float32).reshape(
        1, 1, 2, 4
    )
    ((_, pixels),) = drawn(levels, tmp_path / "a")
    assert pixels.tolist() == [[0, 0, 2, 255], [255, 0, 255, 0]]
    ((_, pixels),) = drawn(
        np.array([0, 0.25, 0.5, 1], np.float32).reshape(1, 1, 2, 2), tmp_path / "b"
    )
    assert pixels.tolist() == [[0, 64], [128, 255]]
    ((_, pixels),) = drawn(C.NDArrayView.from_dense(levels), tmp_path / "c")
    assert pixels.shape == (2, 4)


def test_several_batches_and_none(tmp_path):
    writer = TensorBoardProgressWriter(log_dir=tmp_path)
    x, y = C.input_variable((1, 2, 3)), C.input_variable((3, 2, 3))
    writer.write_image("p", {x: np.zeros((1, 1, 2, 3)), y: np.zeros((2, 3, 2, 3))}, 4)
    writer.write_image("none", {}, 5)
    writer.close()
    assert read_folder(str(tmp_path))[0][1:] == [
        ["summary", 4, [["p/image/0", "image", 2, 3, 1]]],
        ["summary", 4, [["p/image/0", "image", 2, 3, 3], ["p/image/1", "image", 2, 3, 3]]],
    ]


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda w: w.write_value("loss", 1, -1), OverflowError, "'loss': expected a step from 0"),
        (
            lambda w: w.write_value("loss", 1, 2**64),
            OverflowError,
            "'loss': expected a step from 0",
        ),
        (lambda w: w.write_value("loss", 1e39, 1), OverflowError, "'loss': 1e.39 is too large"),
        (lambda w: w.write_value("loss", "x", 1), ValueError, "value: expected a number"),
        (
            lambda w: w.write_image("p", {"x": np.zeros((2, 8, 8))}, 1),
            ValueError,
            r"'p': .*got shape \[2, 8, 8\]",
        ),
        (
            lambda w: w.write_image("p", {"x": np.zeros((2, 2, 8, 8))}, 1),
            ValueError,
            r"got shape \[2, 2, 8, 8\]",
        ),
        (
            lambda w: w.write_image("p", {"x": np.zeros((2, 3, 0, 8))}, 1),
            ValueError,
            r"got shape \[2, 3, 0, 8\]",
        ),
        (
            lambda w: w.write_image("p", np.zeros((2, 3, 8, 8)), 1),
            TypeError,
            "expected a dictionary",
        ),
        (
            lambda w: w.write_image("p", {"x": np.zeros((1, 1, 2, 2))}, -1),
            OverflowError,
            "'p': expected a step",
        ),
        (
            lambda w: w.on_write_test_update((0, 1), (0, 1), (0, 1)),
            NotImplementedError,
            "minibatches of tests",
        ),
    ],
    ids=range(10),
)
def test_what_is_refused(call, error, text, tmp_path):
    with pytest.raises(error, match=text):
        call(TensorBoardProgressWriter(log_dir=tmp_path / "log"))
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    "given, error, text",
    [
        ({"freq": -1}, ValueError, "frequency of at least 0"),
        ({"freq": 1.5}, TypeError, "frequencies"),
        ({"log_dir": None}, TypeError, "path of a folder as log_dir"),
        ({"model": 3}, TypeError, "expected a function as model, got 3"),
    ],
    ids=["negative", "fraction", "folder", "model"],
)
def test_writers_that_are_refused(given, error, text):
    with pytest.raises(error, match=text):
        TensorBoardProgressWriter(**given)


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    writer = TensorBoardProgressWriter(log_dir=tmp_path / "file")
    with pytest.raises(RuntimeError, match=r"cannot write .*file.: .*is no folder"):
        writer.write_value("a", 1, 1)


def test_function_train_takes_it_alone(tmp_path):
    """The original asks its first writer for what only printers have."""
    course = Course()
    writer = TensorBoardProgressWriter(freq=2, log_dir=tmp_path)
    course.loss.train(
        (X, Y), parameter_learners=[course.learner], callbacks=[writer], minibatch_size=10
    )
    tags = [record[2][0][0] for record in read_folder(str(tmp_path))[0][1:]]
    assert tags == ["minibatch/avg_loss", "minibatch/avg_metric"] * 2 + [
        "summary/avg_loss",
        "summary/avg_metric",
    ]


def test_a_picture_as_png_is_refused_in_other_shapes():
    for pixels in (np.zeros((2, 2), np.uint8), np.zeros((2, 2, 5), np.uint8), np.zeros((2, 2, 3))):
        with pytest.raises(ValueError, match="encode_png: expected bytes"):
            encode_png(pixels)
