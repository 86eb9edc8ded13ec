"""Wrong calls of readers, streams and transforms."""

from __future__ import annotations

import numpy as np

from cntk import Value, io
from cntk.io import transforms as T
from tests.wrong_calls.checker import Wrong, wrong
from tests.wrong_calls.nodes import something
from tests.wrong_calls.trained import STREAMS, Chunks, X, data, source

ARRAY = np.ones((2, 3))
NAN, INFINITE = float("nan"), float("inf")
COUNTS = (
    "max_samples max_sweeps randomization_window_in_chunks randomization_window_in_samples "
    "randomization_seed trace_level truncation_length max_errors"
).split()
FILES = {
    "CTFDeserializer": lambda f: io.CTFDeserializer(f, STREAMS),
    "CBFDeserializer": lambda f: io.CBFDeserializer(f, STREAMS),
    "ImageDeserializer": lambda f: io.ImageDeserializer(f, io.StreamDefs(f=io.StreamDef("image"))),
    "Base64ImageDeserializer": lambda f: io.Base64ImageDeserializer(
        f, io.StreamDefs(f=io.StreamDef("image"))
    ),
}
DEFINED = {
    "CTFDeserializer": lambda s: io.CTFDeserializer("f", s),
    "CBFDeserializer": lambda s: io.CBFDeserializer("f", s),
    "ImageDeserializer": lambda s: io.ImageDeserializer("f", s),
    "Base64ImageDeserializer": lambda s: io.Base64ImageDeserializer("f", s),
    "HTKFeatureDeserializer": io.HTKFeatureDeserializer,
    "HTKMLFDeserializer": lambda s: io.HTKMLFDeserializer("f", s),
    "HTKMLFBinaryDeserializer": io.HTKMLFBinaryDeserializer,
}


class Given(io.UserMinibatchSource):
    """A source whose streams are what it is given."""

    def __init__(self, infos: object) -> None:
        self.infos = infos
        super().__init__()

    def stream_infos(self) -> object:
        return self.infos


ROWS: list[Wrong] = [
    # Sources.
    *(wrong("MinibatchSource", lambda v, d=d: io.MinibatchSource(d), "deserializer", "CTFDeserializer", error=e)
      for d, e in (([], RuntimeError), (None, TypeError), ("x", TypeError), ([None], TypeError), (5, TypeError), (ARRAY,
        TypeError))),
    *(wrong("MinibatchSource", lambda v, o=o, b=b: source(**{o: b}), o, "integer", error=TypeError)
      for o in COUNTS for b in (None, "x", 2.5, NAN, [], ARRAY)),
    *(wrong("MinibatchSource", lambda v, o=o: source(**{o: -1}), o, "at least", error=OverflowError) for o in COUNTS),
    *(wrong("MinibatchSource", lambda v, o=o: source(**{o: 2**70}), o, "at most", error=OverflowError) for o in COUNTS),
    wrong("MinibatchSource", lambda v: source(max_samples=0), "max_samples", "at least 1", error=RuntimeError),
    *(wrong("MinibatchSource", lambda v, o=o, b=b: source(**{o: b}), o, "True or False", error=TypeError)
      for o in ("frame_mode", "multithreaded_deserializer") for b in ("x", 2, ARRAY)),
    wrong("MinibatchSource", lambda v: source(randomize=ARRAY), "randomize", error=ValueError),
    wrong("MinibatchSource", lambda v: source(max_samples=4, max_sweeps=2), "exclude", error=RuntimeError),
    wrong("MinibatchSource", lambda v: source(randomization_window_in_samples=4), "both", error=RuntimeError),
    *(wrong("next_minibatch", lambda v, n=n: source().next_minibatch(n), "integer", error=NotImplementedError)
      for n in (None, "x", 2.5, NAN, ARRAY, True)),
    *(wrong("next_minibatch", lambda v, n=n: source().next_minibatch(n), error=ValueError) for n in (0, -1, 2**70)),
    *(wrong("next_minibatch", lambda v, m=m: source().next_minibatch(1, m), "input_map", "dictionary", error=TypeError)
      for m in ("x", 5, [1], ARRAY)),
    wrong("next_minibatch", lambda v: source().next_minibatch(1, {v.x: "x"}), "streams are: x", error=KeyError),
    wrong("next_minibatch", lambda v: source().next_minibatch(1, device="cpu"), r"cntk\.cpu\(\)",
      error=TypeError, named="device"),
    *(wrong("next_minibatch", lambda v, k=k, b=b: source().next_minibatch(1, **{k: b}), k, error=NotImplementedError)
      for k in ("num_data_partitions", "partition_index") for b in ("x", 2.5, ARRAY)),
    wrong("next_minibatch", lambda v: source().next_minibatch(1, None, None, 2, 2), "out of range for 2", error=ValueError),
    *(wrong("stream_info", lambda v, n=n: source().stream_info(n), "there are: x", error=RuntimeError, named=(
                                                                       "no stream is named"
                                                                   ))
      for n in (None, "q", [], ARRAY)),
    *(wrong("restore_from_checkpoint", lambda v, s=s: source().restore_from_checkpoint(s), error=ValueError, named="state")
      for s in (None, "x", {}, {"cursor": "x"})),
    # Deserializers.
    *(wrong(n, lambda v, m=m, f=f: m(f), "filename", "path", error=TypeError)
      for n, m in FILES.items() for f in (None, 5, 2.5, [], ARRAY, "a\0b", b"x")),
    *(wrong(n, lambda v, m=m, s=s: m(s), "streams", "StreamDefs", error=TypeError) for n, m in DEFINED.items()
      for s in (None, 5, "x", ARRAY)),
    *(wrong(n, lambda v, m=m: m(io.StreamDefs(q=5)), "'q'", "StreamDef", error=TypeError)
      for n, m in DEFINED.items() if "Image" not in n),
    *(wrong("CTFDeserializer", lambda v, s=s: DEFINED["CTFDeserializer"](io.StreamDefs(q=io.StreamDef("q", s))), "'q'",
      "shape", error=e)
      for s, e in (("x", TypeError), (0, ValueError), (-5, ValueError), (2.5, TypeError), (INFINITE, TypeError), (2**70,
        ValueError))),
    wrong("CTFDeserializer", lambda v: DEFINED["CTFDeserializer"](io.StreamDefs(q=io.StreamDef("q"))), "no shape",
      error=ValueError),
    wrong("HTKFeatureDeserializer", lambda v: io.HTKFeatureDeserializer(io.StreamDefs(a=io.StreamDef(shape=3))), "scp",
      error=ValueError),
    wrong("HTKFeatureDeserializer",
          lambda v: io.HTKFeatureDeserializer(io.StreamDefs(a=io.StreamDef(shape=3, scp="s", context=5))), "context",
            error=ValueError),
    wrong("HTKMLFDeserializer", lambda v: io.HTKMLFDeserializer(None, io.StreamDefs(a=io.StreamDef(shape=3, mlf="m"))), "states",
          error=ValueError),
    wrong("LatticeDeserializer", lambda v: io.LatticeDeserializer("x", STREAMS), "lattice", error=NotImplementedError),
    *(wrong("StreamDef", lambda v, a=a, b=b: io.StreamDef(**{a: b}), a, error=TypeError)
      for a, b in (("field", 5), ("field", ARRAY), ("is_sparse", ARRAY), ("defines_mb_size", ARRAY), ("broadcast", ARRAY),
                   ("max_sequence_length", "x"), ("max_sequence_length", -1))),
    wrong("StreamDef", lambda v: io.StreamDef(dim=3), "dim", error=TypeError),
    *(wrong("StreamConfiguration", lambda v, a=a: io.StreamConfiguration(*a), w, error=NotImplementedError)
      for a, w in (((None, 2), "name"), (("x", "y"), "dim"), (("x", 2, "z"), "is_sparse"), (("x", 2, False, 5), "stream_alias"),
                   (("x", 2, False, "", 5), "defines_mb_size"))),
    *(wrong("StreamInformation", lambda v, a=a: io.StreamInformation(*a), w, error=TypeError)
      for a, w in (((None, 0, "dense", np.float32, 2), "name"), (("x", "y", "dense", np.float32, 2), "stream_id"),
                   (("x", -1, "dense", np.float32, 2), "stream_id"), (("x", 0, ARRAY, np.float32, 2), "storage_format"),
                   (("x", 0, "thick", np.float32, 2), "'dense' or 'sparse'"), (("x", 0, "dense", np.float32, 2, 5),
                     "defines_mb_size"))),
    # A program's own.
    *(wrong("UserDeserializer", lambda v, i=i: io.MinibatchSource([Chunks(infos=i)]), "list of StreamInformation",
      error=TypeError,
            named="stream_infos") for i in (None, "x", [], 5, [None])),
    *(wrong("UserDeserializer", lambda v, n=n: io.MinibatchSource([Chunks(count=n)]), "1 or more",
      error=RuntimeError, named="num_chunks")
      for n in (None, "x", 0, -1, NAN, 2**70, ARRAY)),
    *(wrong("UserDeserializer", lambda v, c=c: io.MinibatchSource([Chunks(chunk=c)]).next_minibatch(1), error=RuntimeError,
            named="get_chunk") for c in (None, "x", {}, {"q": X}, {"x": None}, {"x": "y"})),
    *(wrong("UserMinibatchSource", lambda v, i=i: Given(i), "list of StreamInformation", error=TypeError, named="stream_infos")
      for i in (None, "x", 5, [None], something())),
    wrong("UserMinibatchSource", lambda v: io.UserMinibatchSource(), "stream_infos", error=NotImplementedError),
    # Data in memory.
    *(wrong("MinibatchSourceFromData", lambda v, d=d: io.MinibatchSourceFromData(d), error=e)
      for d, e in ((None, TypeError), ("x", TypeError), ({}, ValueError), ({"x": None}, TypeError), ({"x": "y"}, TypeError),
                   ({"x": [[1]]}, TypeError), ({"x": X, "y": X[:2]}, TypeError), ({"x": X[:0]}, ValueError))),
    *(wrong("MinibatchSourceFromData", lambda v, n=n: data(max_samples=n), "max_samples", error=TypeError)
      for n in (None, "x", NAN, [], ARRAY)),
    *(wrong("MinibatchSourceFromData", lambda v, t=t: io.MinibatchSourceFromData({"x": (X, t)}), "'x'", "type", error=ValueError)
      for t in ("y", 5, something())),
    *(wrong("next_minibatch", lambda v, n=n: data().next_minibatch(n), error=ValueError) for n in (None, "x", 2.5, NAN, 0, -1)),
    *(wrong("next_minibatch", lambda v, k=k, b=b: data().next_minibatch(2, **{k: b}), k, error=TypeError)
      for k in ("number_of_workers", "worker_rank") for b in (None, "x", -1, 2**70)),
    *(wrong("restore_from_checkpoint", lambda v, s=s: data().restore_from_checkpoint(s), "cursor", error=TypeError)
      for s in (None, "x", 5, {}, {"cursor": "x", "total_num_samples": 0}, {"cursor": 99, "total_num_samples": 0})),
    *(wrong("sequence_to_cntk_text_format", lambda v, a=a: io.sequence_to_cntk_text_format(*a), error=ValueError)
      for a in ((None, {"x": X}), ("x", {"x": X}), (NAN, {"x": X}), (1, None), (1, "x"), (1, {"x": None}), (1, {"x": [[1],
        [1, 2]]}))),
    *(wrong("MinibatchData", lambda v, a=a: io.MinibatchData(*a), w, error=TypeError) for a, w in (
        ((None, 1, 1, False), "value"), ((X, 1, 1, False), "Value"), ((Value(X), None, 1, False), "num_sequences"),
        ((Value(X), 4, "x", False), "num_samples"), ((Value(X), -1, 4, False), "num_sequences"), ((Value(X), 4, 4, ARRAY),
          "sweep_end"))),
    # Transforms.
    *(wrong("transforms.crop", lambda v, a=a, b=b: T.crop(**{a: b}), a, error=ValueError)
      for a, b in (("crop_type", "x"), ("crop_size", "x"), ("crop_size", NAN), ("crop_size", -1), ("crop_size", 2.5),
        ("crop_size", (1, 2, 3)),
                   ("side_ratio", 2), ("side_ratio", NAN), ("side_ratio", (0.5, 0.2)), ("area_ratio", -1), ("aspect_ratio", 0),
                   ("aspect_ratio", INFINITE), ("aspect_ratio", ARRAY), ("jitter_type", "x"))),
    *(wrong("transforms.scale", lambda v, a=a, b=b: T.scale(**({"width": 4, "height": 4, "channels": 3} | {a: b})), a,
      error=ValueError)
      for a, b in (("width", 0), ("width", "x"), ("height", -1), ("height", 2.5), ("width", 2**70), ("channels", 2),
        ("channels", None),
                   ("interpolations", "x"), ("scale_mode", "x"), ("pad_value", "x"))),
    *(wrong("transforms.mean", lambda v, f=f: T.mean(f), "path", error=TypeError) for f in (None, 5, ARRAY)),
    *(wrong("transforms.color", lambda v, a=a, b=b: T.color(**{a: b}), a, error=ValueError)
      for a in ("brightness_radius", "contrast_radius", "saturation_radius") for b in (None, "x", 2, -0.1, NAN, ARRAY)),
]  # fmt: skip
