"""What programs hand to the processes that they spawn: it is pickled, or an error says what to hand
over instead.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import cntk as C
import cntk.io.transforms as xforms
from cntk.io import StreamDef, StreamDefs

STREAMS = StreamDefs(x=StreamDef("x", 1))
PICTURES = StreamDefs(
    i=StreamDef(
        "image", transforms=[xforms.crop("randomside", side_ratio=0.5), xforms.scale(2, 2, 3)]
    )
)

HANDED_OVER = {
    "streams": lambda: STREAMS,
    "text": lambda: C.io.CTFDeserializer("d.ctf", STREAMS),
    "binary": lambda: C.io.CBFDeserializer("d.bin", STREAMS),
    "images": lambda: C.io.ImageDeserializer("d.map", PICTURES),
    "images as text": lambda: C.io.Base64ImageDeserializer("d.txt", PICTURES),
    "speech": lambda: C.io.HTKFeatureDeserializer(StreamDefs(f=StreamDef(scp="d.scp", shape=1))),
    "labels": lambda: C.io.HTKMLFDeserializer(
        "d.list", StreamDefs(l=StreamDef(mlf="d.mlf", shape=1))
    ),
    "transform": lambda: xforms.color(0.1, 0.2, 0.3),
    "schedule": lambda: C.momentum_schedule([(2, 0.1), (1, 0.2)], 10),
    "initializer": lambda: C.glorot_uniform(seed=3),
    "axis": lambda: C.Axis("words"),
    "device": C.cpu,
}


def carried(made):
    return pickle.loads(pickle.dumps(made))  # noqa: S301


@pytest.mark.parametrize("name", list(HANDED_OVER))
def test_what_is_pickled_comes_back(name):
    made = HANDED_OVER[name]()
    again = carried(made)
    assert type(again) is type(made) and repr(again) == repr(made)
    assert again == made or name in ("initializer", "schedule")


def test_options_of_a_deserializer_come_along():
    made = C.io.CTFDeserializer("d.ctf", STREAMS)
    made["maxErrors"] = 3
    assert carried(made)._options == {"maxErrors": 3}


def test_numbers_come_back():
    for made in (
        C.Value(np.ones((2, 3), np.float32)),
        C.NDArrayView.from_dense(np.ones((2, 3), np.float32)),
    ):
        np.testing.assert_array_equal(carried(made).asarray(), made.asarray())


def test_sources_are_made_anew_instead(tmp_path):
    (tmp_path / "d.ctf").write_text("0 |x 1\n", encoding="utf-8")
    source = C.io.MinibatchSource(C.io.CTFDeserializer(str(tmp_path / "d.ctf"), STREAMS))
    with pytest.raises(TypeError, match="hand over its deserializers"):
        pickle.dumps(source)
