"""Streams by the names of the original's native layer, with the values that it shows."""

import numpy as np
import pytest

import cntk as C
from cntk import cntk_py
from cntk.io import (
    CTFDeserializer,
    MinibatchSource,
    MinibatchSourceFromData,
    StreamDef,
    StreamDefs,
    StreamInformation,
    UserMinibatchSource,
)

NAMES = ("m_name", "m_id", "m_storage_format", "m_element_type", "m_defines_mb_size")


def shown(stream):
    return [getattr(stream, name) for name in NAMES] + [stream.m_sample_layout.dimensions()]


class Ones(UserMinibatchSource):
    def __init__(self):
        self.made = StreamInformation("ones", 4, "sparse", np.float64, (2, 3))
        super().__init__()

    def stream_infos(self):
        return [self.made]


def test_numbers_of_sources():
    assert (MinibatchSource.infinitely_repeat, MinibatchSource.full_data_sweep) == (
        2**64 - 1,
        2**64 - 2,
    )
    assert MinibatchSource.default_randomization_window_in_chunks == 128


def test_streams_that_a_program_makes():
    stream = StreamInformation("a", 3, "dense", np.float32, (2, 3))
    assert shown(stream) == ["a", 3, 0, 1, False, (2, 3)]
    assert shown(StreamInformation("b", 1, "sparse", np.float64, (5,), True)) == [
        "b",
        1,
        1,
        2,
        True,
        (5,),
    ]
    assert stream.as_string() == str(stream) == "a([2 x 3])"
    assert isinstance(stream.m_sample_layout, cntk_py.NDShape)


def test_streams_of_sources(tmp_path):
    (tmp_path / "data.txt").write_text("0 |x 1 2 |y 3:1\n1 |x 1 2 |y 2:1\n")
    defs = StreamDefs(first=StreamDef("x", 2), second=StreamDef("y", 4, is_sparse=True))
    source = MinibatchSource(CTFDeserializer(str(tmp_path / "data.txt"), defs), randomize=False)
    assert [s.m_storage_format for s in (source.streams.first, source.streams.second)] == [0, 1]
    assert sorted(s.m_name for s in source.stream_infos()) == ["first", "second"]
    assert sorted(s.m_name for s in source.next_minibatch(2)) == ["first", "second"]
    memory = MinibatchSourceFromData({"x": np.ones((3, 2), "f")})
    assert shown(memory.streams.x)[2:] == [0, 1, False, (2,)]
    own = Ones()
    assert (
        own.streams.ones is own.made
        and own["ones"].m_id == 4
        and own.stream_infos()[0].m_name == "ones"
    )


def test_streams_change():
    stream = StreamInformation("a", 3, "sparse", np.float64, (2, 3))
    stream.m_name, stream.m_id = "z", 7
    stream.m_storage_format, stream.m_element_type = 0, cntk_py.DataType_Float
    stream.m_sample_layout, stream.m_defines_mb_size = cntk_py.NDShape((4, 6)), True
    assert shown(stream) == ["z", 7, 0, 1, True, (6, 4)] and str(stream) == "z([6 x 4])"
    assert (stream.name, stream.storage_format, stream.dtype, stream.sample_shape) == (
        "z",
        "dense",
        np.float32,
        (6, 4),
    )


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("m_name", 3, TypeError),
        ("m_id", "x", TypeError),
        ("m_id", 1.5, TypeError),
        ("m_id", -1, OverflowError),
        ("m_storage_format", "x", TypeError),
        ("m_element_type", "f", TypeError),
        ("m_sample_layout", (4,), TypeError),
    ],
)
def test_values_that_do_not_fit(name, value, error):
    stream = StreamInformation("a", 3, "dense", np.float32, (2, 3))
    with pytest.raises(error, match=f"^a.*{name} must be"):
        setattr(stream, name, value)
    assert shown(stream) == ["a", 3, 0, 1, False, (2, 3)]


def test_streams_are_alike():
    made = StreamInformation("a", 3, "dense", np.float32, (2, 3))
    assert made == StreamInformation("a", 3, "dense", np.float32, (2, 3))
    assert made != StreamInformation("a", 3, "sparse", np.float32, (2, 3))
    kept = {made: C.cpu()}
    made.m_name = "b"
    assert kept[made] == C.cpu()
