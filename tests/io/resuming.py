"""Every kind of reader, and its minibatches after each of its checkpoints: in this process, or in
one of their own.

Run as a program in the folder that `write` filled, it reads a list of states for each reader from
standard input, goes on from each, and prints what it read.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cntk.io import (
    ArrayDeserializer,
    ArrowDeserializer,
    Base64ImageDeserializer,
    BucketedMinibatchSource,
    CBFDeserializer,
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    MinibatchSourceFromData,
    RowDeserializer,
    StreamDef,
    StreamDefs,
    text_to_binary,
    transforms,
)
from cntk.io._text import deserializer
from tests.io.cases.htk_cases import archive, labels
from tests.io.cases.user_cases import Numbered

TEXT = StreamDefs(x=StreamDef("x", 2), w=StreamDef("w", 9, is_sparse=True))
COUNT = 14
Options = dict[str, Any]


def write(folder: Path) -> None:
    """Fill a folder with files of every kind."""
    import pyarrow as pa
    import pyarrow.parquet as pq
    from PIL import Image

    rng = np.random.default_rng(0)
    lengths = [1 + (5 * k) % 4 for k in range(COUNT)]
    lines = [
        f"{k} |x {k} {t} |w {(k + t) % 9}:1\n" for k, n in enumerate(lengths) for t in range(n)
    ]
    (folder / "d.ctf").write_text("".join(lines))
    (folder / "e.ctf").write_text("".join(f"{k} |y {k}\n" for k in range(COUNT, -1, -1)))
    text_to_binary(str(folder / "d.ctf"), str(folder / "d.bin"), TEXT, chunk_bytes=300)
    (folder / "d.chunk").write_bytes(archive([[float(t)] for t in range(5 * COUNT)]))
    (folder / "d.scp").write_text(
        "".join(f"u{k}={folder}/d.chunk[{5 * k},{5 * k + 4}]\n" for k in range(COUNT))
    )
    (folder / "d.mlf").write_text(
        labels(*((f"u{k}.lab", [(0, 2, "a"), (2, 5, "b")]) for k in range(COUNT)))
    )
    (folder / "d.list").write_text("a\nb\n")
    encoded = []
    for k in range(COUNT):
        written = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (9, 12, 3), np.uint8)).save(written, "PNG")
        (folder / f"{k}.png").write_bytes(written.getvalue())
        encoded.append(f"{k % 3}\t{base64.b64encode(written.getvalue()).decode()}\n")
    (folder / "d.base64").write_text("".join(encoded))
    (folder / "d.map").write_text("".join(f"{folder}/{k}.png\t{k % 3}\n" for k in range(COUNT)))
    table = pa.table(
        {"x": [[float(k)] * n for k, n in enumerate(lengths)], "c": list(range(COUNT))}
    )
    pq.write_table(table, folder / "d.parquet", row_group_size=4)


def images(kind: Any, file: str) -> Any:
    steps = [
        transforms.crop("randomside", side_ratio=(0.5, 1), jitter_type="uniratio"),
        transforms.color(0.2, 0.2, 0.2),
    ]
    streams = StreamDefs(
        i=StreamDef("image", transforms=[*steps, transforms.scale(6, 5, 3)]),
        c=StreamDef("label", shape=3),
    )
    return kind(file, streams)


def text() -> Any:
    return CTFDeserializer("d.ctf", TEXT)


def large_text() -> Any:
    """Text that is read sequence by sequence."""
    deserializer._LARGE = 1
    return text()


def speech() -> list[Any]:
    features = StreamDefs(f=StreamDef(scp="d.scp", shape=1, context=(1, 1)))
    states = StreamDefs(l=StreamDef(mlf="d.mlf", shape=2))
    return [HTKFeatureDeserializer(features), HTKMLFDeserializer("d.list", states)]


def rows() -> list[dict[str, Any]]:
    return [{"x": [float(k)] * (1 + k % 3), "w": list(range(k % 4 + 1))} for k in range(COUNT)]


def source(deserializers: Any, **options: Any) -> MinibatchSource:
    return MinibatchSource(deserializers, max_sweeps=2, **options)


WORDS = StreamDefs(x=StreamDef("x", 1), w=StreamDef("w", 9, is_sparse=True))
# Reader: what makes it, the minibatch size, and which worker of how many it is for.
READERS: dict[str, tuple[Callable[[], Any], int, tuple[int, int] | None]] = {
    "text": (lambda: source(text()), 5, None),
    "text in order": (lambda: source(text(), randomize=False), 5, None),
    "text for a worker": (lambda: source(text(), randomize=False), 8, (2, 1)),
    "text in pieces": (lambda: source(text(), truncation_length=2), 5, None),
    "texts": (
        lambda: source([text(), CTFDeserializer("e.ctf", StreamDefs(y=StreamDef("y", 1)))]),
        5,
        None,
    ),
    "binary": (lambda: source(CBFDeserializer("d.bin"), randomization_window_in_chunks=2), 5, None),
    "speech": (lambda: source(speech()), 12, None),
    "speech in frames": (lambda: source(speech(), frame_mode=True), 9, None),
    "speech in pieces": (lambda: source(speech(), truncation_length=3), 9, None),
    "images": (lambda: source(images(ImageDeserializer, "d.map")), 3, None),
    "base64 images": (lambda: source(images(Base64ImageDeserializer, "d.base64")), 3, None),
    "arrays": (
        lambda: source(ArrayDeserializer({"x": np.arange(40.0)}, samples_per_chunk=7)),
        3,
        None,
    ),
    "rows": (lambda: source(RowDeserializer(rows(), WORDS, rows_per_chunk=4)), 5, None),
    "parquet": (
        lambda: source(ArrowDeserializer("d.parquet", StreamDefs(x=StreamDef("x", 1)))),
        5,
        None,
    ),
    "a program's own": (
        lambda: source(Numbered([3, 2, 4, 3]), randomization_window_in_chunks=2),
        4,
        None,
    ),
    "buckets": (lambda: BucketedMinibatchSource(text(), 6, max_sweeps=2), 5, None),
    "data": (
        lambda: MinibatchSourceFromData({"x": np.arange(9, dtype=np.float32)}, max_samples=20),
        4,
        None,
    ),
    "large text": (lambda: source(large_text()), 5, None),
}


def rest(reader: Any, size: int, worker: tuple[int, int] | None) -> list[str]:
    """All that comes, a hash for each minibatch, and the states before and after each."""
    partition = (
        {} if worker is None else {"num_data_partitions": worker[0], "partition_index": worker[1]}
    )
    found = []
    while minibatch := reader.next_minibatch(size, **partition):
        digest = hashlib.sha1()
        for info, data in sorted(minibatch.items(), key=lambda item: item[0].name):
            sequences = [
                s.toarray() if hasattr(s, "toarray") else np.asarray(s) for s in data.as_sequences()
            ]
            digest.update(
                repr(
                    (
                        info.name,
                        data.num_samples,
                        data.end_of_sweep,
                        [s.tolist() for s in sequences],
                    )
                ).encode()
            )
        found.append(digest.hexdigest()[:12])
    return found


def main() -> None:
    states = json.load(sys.stdin)
    found = {}
    for name, (make, size, worker) in READERS.items():
        found[name] = []
        for state in states[name]:
            reader = make()
            reader.restore_from_checkpoint(state)
            found[name].append(rest(reader, size, worker))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
