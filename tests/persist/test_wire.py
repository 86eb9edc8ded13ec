"""The wire format, dictionaries and files: values come back as they went in, and nothing a file
says is believed.
"""

from __future__ import annotations

import gc
import os
import random
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from cntk._persist import files
from cntk._persist.protobuf import dictionary
from cntk._persist.protobuf.arrays import NDShape
from cntk._persist.protobuf.dictionary import MAX_DEPTH, Single, Size
from cntk._persist.protobuf.number_lists import decode_numbers
from cntk._persist.protobuf.wire import Message, fields, read_varint, scan, signed, varint
from cntk.axis import Axis
from cntk.errors import FileFormatError


def encoded(values: dict[str, Any]) -> bytes:
    return b"".join(bytes(part) for part in files.encode_dictionary(values)._parts)


def decoded(data: bytes) -> dict[str, Any]:
    return files.decode(memoryview(data))


def check_same(one: Any, other: Any) -> None:
    assert type(one) is type(other)
    if isinstance(one, dict):
        assert list(one) == list(other)
        for key in one:
            check_same(one[key], other[key])
    elif isinstance(one, list):
        assert len(one) == len(other)
        for a, b in zip(one, other, strict=True):
            check_same(a, b)
    elif isinstance(one, np.ndarray):
        assert one.dtype == other.dtype and one.shape == other.shape
        np.testing.assert_array_equal(one, other)
    else:
        assert one == other


@given(st.integers(0, 2**64 - 1))
def test_numbers_come_back(number: int) -> None:
    data = varint(number)
    assert read_varint(memoryview(data), 0) == (number, len(data))


@given(st.integers(-(2**63), 2**63 - 1))
def test_signed_numbers_come_back(number: int) -> None:
    assert signed(read_varint(memoryview(varint(number)), 0)[0]) == number


def axes() -> st.SearchStrategy[Axis]:
    special = [
        Axis.all_axes(),
        Axis.all_static_axes(),
        Axis.default_batch_axis(),
        Axis.default_dynamic_axis(),
    ]
    return st.one_of(
        st.integers(-64, 64).map(Axis),
        st.sampled_from([*special, Axis("words"), Axis("bag", False)]),
    )


def arrays() -> st.SearchStrategy[np.ndarray]:
    formats = st.sampled_from([np.float32, np.float64, np.float16, np.int8, np.int16])
    return formats.flatmap(
        lambda f: hnp.arrays(
            f,
            hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
            elements={"allow_nan": False} if np.dtype(f).kind == "f" else None,
        )
    )


LEAVES = st.one_of(
    st.booleans(),
    st.integers(-(2**31), 2**31 - 1),
    st.integers(0, 2**64 - 1).map(Size),
    st.floats(width=32, allow_nan=False).map(Single),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=20),
    st.lists(st.sampled_from([-3, -1, 0, 1, 2, 2**40]), max_size=5).map(NDShape),
    axes(),
    arrays(),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5))
def test_dictionaries_come_back(values: dict[str, Any]) -> None:
    check_same(decoded(encoded(values)), values)


@given(st.dictionaries(st.text(max_size=8), VALUES, max_size=5))
def test_every_beginning_of_a_file_is_refused_or_a_shorter_dictionary(
    values: dict[str, Any],
) -> None:
    data = encoded(values)
    for size in range(0, len(data), max(1, len(data) // 20)):
        try:
            assert set(decoded(data[:size])) <= set(values)
        except FileFormatError:
            pass


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    try:
        decoded(data)
    except FileFormatError:
        pass


def test_very_large_files_keep_arrays_behind_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    values = {
        "a": np.arange(6, dtype=np.float32).reshape(2, 3),
        "b": [np.array([1.5, -2], np.float16), np.zeros((0, 2)), np.array([300, -1], np.int16)],
        "c": {"d": np.arange(3, dtype=np.float64), "e": np.array([1, -1], np.int8)},
    }
    monkeypatch.setattr(files, "_LARGEST_MESSAGE", 0)
    files.write(tmp_path / "large", values)
    data = (tmp_path / "large").read_bytes()
    assert data[:4] == b"ktnc" and data.endswith(np.array([1, -1], np.int8).tobytes())
    check_same(files.read(tmp_path / "large"), values)
    for size in range(len(data)):
        with pytest.raises(FileFormatError):
            files.read(data[:size])


def test_what_files_cannot_hold_is_refused_by_its_name(tmp_path: Path) -> None:
    for value in (object(), 2**40, Size(-1), np.zeros(2, np.int64), {1: 2}, 1j):
        with pytest.raises(FileFormatError, match="outer: .*"):
            files.write(tmp_path / "x", {"outer": {"inner": value}})
    assert os.listdir(tmp_path) == []


def entry(key: str, value: Message) -> bytes:
    message = Message().number(1, 2).message(2, Message().data(1, key).message(2, value))
    return b"".join(bytes(part) for part in message._parts)


def array_of(number: int, shape: list[int], elements: bytes, storage: int = 0) -> Message:
    array = Message().number(1, number).number(2, storage)
    array.message(3, Message().data(1, b"".join(map(varint, shape))))
    return (
        Message()
        .number(1, 2)
        .number(2, 11)
        .message(13, array.message(4, Message().data(1, elements)))
    )


LIES = {
    "elements": (array_of(1, [2**31, 2**20], b"abcd"), "should have"),
    "no elements": (array_of(1, [2**62, 2**62], b""), "should have"),
    "unknown dimension": (array_of(1, [-1], b"abcd"), "unknown shape"),
    "dtype": (array_of(3, [1], b"abcd"), "unknown dtype"),
    "sparse": (array_of(1, [1], b"abcd", storage=1), "sparse"),
    "part of an element": (array_of(1, [1], b"abcde"), "cut off"),
    "axes": (array_of(1, [1] * 1000, b"abcd"), "more than"),
    "kind": (Message().number(1, 2).number(2, 12).number(14, 5), "unknown kind"),
    "other kind": (Message().number(1, 2).number(2, 6).number(4, 5), "does not fit its kind"),
    "text": (Message().number(1, 2).number(2, 6).data(8, b"\xff\xfe"), "UTF-8"),
    "version": (Message().number(1, 9).number(2, 1).number(3, 1), "version 9"),
    "axis": (
        Message()
        .number(1, 2)
        .number(2, 8)
        .message(10, Message().number(1, 1_000_000).data(2, "staticAxisIdx=1000000")),
        "axis",
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused_before_anything_is_made_of_them(lie: str) -> None:
    value, reason = LIES[lie]
    data = entry("w", value)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=reason):
            files.read(data)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", ["list", "dictionary"])
def test_endless_nesting_is_refused(kind: str) -> None:
    value = Message().number(1, 2).number(2, 1).number(3, 1)
    for _ in range(MAX_DEPTH + 100):
        if kind == "list":
            value = Message().number(1, 2).number(2, 9).message(11, Message().message(1, value))
        else:
            held = Message().number(1, 2).message(2, Message().data(1, "k").message(2, value))
            value = Message().number(1, 2).number(2, 10).message(12, held)
    with pytest.raises(FileFormatError, match="levels deep"):
        files.read(entry("w", value))


def test_a_message_is_not_longer_than_what_holds_it() -> None:
    for data in (
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01a",
        b"\x0a\x05abc",
        b"\x0d\x01\x02",
        b"\x80" * 20,
        b"\x0b",
        b"\x00",
    ):
        with pytest.raises(FileFormatError):
            list(fields(memoryview(data)))
        with pytest.raises(FileFormatError):
            scan(memoryview(data), 0, len(data))


# -- lists of numbers, which are read all at once --------------------------------------------------

SEEN_AT_ONCE: dict[str, list[Any]] = {
    "bool": [True, False] * 20,
    "int": [0, 1, -1, 127, 128, -128, 2**31 - 1, -(2**31)] * 5,
    "size": [Size(v) for v in (0, 1, 127, 128, 10, 2**14, 2**32, 2**63, 2**64 - 1)] * 5,
    "single": [Single(v) for v in (0.0, -1.5, np.inf, 2.0**-149)] * 10,
    "double": [0.0, -1.5, np.inf, 1e-300] * 10,
}


@pytest.mark.parametrize("kind", SEEN_AT_ONCE)
def test_lists_of_numbers_come_back(kind: str) -> None:
    wanted = SEEN_AT_ONCE[kind]
    data = files.encode_dictionary({"x": wanted, "y": {"z": [wanted, wanted[:3]]}}).to_bytes()
    found = files.decode(memoryview(data))
    for values in (found["x"], found["y"]["z"][0], found["y"]["z"][1]):
        assert values == wanted[: len(values)] and {type(v) for v in values} == {type(wanted[0])}
    # Not at its beginning.
    assert decode_numbers(memoryview(dictionary.encode_value(wanted).to_bytes())[6:]) is None


@pytest.mark.parametrize("kind", SEEN_AT_ONCE)
def test_damaged_lists_of_numbers_are_read_as_one_by_one(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = random.Random(kind)
    whole = files.encode_dictionary({"x": SEEN_AT_ONCE[kind]}).to_bytes()
    cases = [bytes(whole)]
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 2))):
            data[draw.randrange(8, len(data))] = draw.choice(
                (0, 1, 2, 8, 10, 0x12, 0x28, 0x80, 0xFF, draw.randrange(256))
            )
        cases.append(bytes(data))
    at_once = [outcome(data) for data in cases]
    monkeypatch.setattr(dictionary, "decode_numbers", lambda content: None)
    assert at_once == [outcome(data) for data in cases]


def outcome(data: bytes) -> str:
    """What comes of decoding, as a string in which nan is equal to itself."""
    try:
        return repr(files.decode(memoryview(data)))
    except FileFormatError:
        return "refused"


def test_how_many_values_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    data = memoryview(files.encode_dictionary({"x": [1] * 100, "y": ["a"] * 100}).to_bytes())
    for limit, reason in (
        ("MAX_NUMBERS", "more than 99 numbers"),
        ("MAX_VALUES", "more than 99 values"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(dictionary, limit, 99)
            with pytest.raises(FileFormatError, match=reason):
                files.decode(data)


def test_reading_leaves_the_collection_of_garbage_as_it_was() -> None:
    for data in (b"\x08\x02", b"\x08"):
        outcome(data)
        assert gc.isenabled()
