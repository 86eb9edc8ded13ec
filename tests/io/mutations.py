"""Damaged text, binary, speech and image files, made of whole ones at random, and what reading them
does.

Run as a program, with the number of files and a seed: it reads that many, a quarter of each kind,
and prints for each kind how many were read and how many refused. Anything else ends it: another
error than one that names the file, text that is read as something else than it says, more memory
than twice the file and a fixed allowance, or half a minute.
"""

from __future__ import annotations

import base64
import faulthandler
import io
import os
import random
import re
import signal
import sys
import tempfile
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cntk.errors import DataError
from cntk.io import (
    Base64ImageDeserializer,
    CBFDeserializer,
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    text_to_binary,
    transforms,
)
from cntk.io._native import loader
from cntk.io._text.lines import Field, Lines, read_lines
from tests.io.cases.htk_cases import archive, labels

# For buffers, for what a minibatch source is, and what compiles regular expressions and decodes
# images.
ALLOWANCE = 6 << 20
SECONDS = 30
MOST_FRAMES = 1 << 22
BYTES = [
    b"\0",
    b"\xff",
    b"\n",
    b"|",
    b":",
    b".",
    b"-",
    b"e",
    b" ",
    b"9",
    b"x",
    b"[",
    b"]",
    b"=",
    b'"',
    b"\x7f\xff\xff\xff",
]
TEXT = StreamDefs(x=StreamDef("x", 6), s=StreamDef("s", 40, is_sparse=True), y=StreamDef("y", 1))
FIELDS = [
    Field("x", b"x", 6, False, np.dtype(np.float32)),
    Field("s", b"s", 40, True, np.dtype(np.float32)),
    Field("y", b"y", 1, False, np.dtype(np.float32)),
]


@dataclass(frozen=True)
class Kind:
    """Files of one kind.

    Attributes:
        files: the whole files by name; those that are damaged first.
        damaged: which of these are.
        readers: what reads them.
        check: looks at what was read, a list of minibatches of sequences by stream.
    """

    files: dict[str, bytes]
    damaged: tuple[str, ...]
    readers: Callable[[], list[Any]]
    check: Callable[[list[dict[str, Any]]], None]


def damaged(content: bytes, draw: random.Random) -> bytes:
    """A file with some of its bytes changed, lost, or added, or cut off."""
    if draw.random() < 0.1:
        return content[: draw.randrange(len(content))]
    for _ in range(draw.choice((1, 1, 1, 2, 4))):
        begin = draw.randrange(len(content) + 1)
        end = min(begin + draw.choice((0, 1, 1, 1, 2, 4, 30)), len(content))
        new = draw.choice(
            (b"", draw.choice(BYTES), draw.randbytes(draw.randint(1, 4)), content[end : end + 9])
        )
        content = content[:begin] + new + content[end:]
    return content


def nothing(minibatches: list[dict[str, Any]]) -> None:
    """All is well that was read."""


def text(draw: random.Random) -> bytes:
    """Sequences of every kind of number."""
    lines = []
    for k in range(150):
        for t in range(draw.randint(1, 4)):
            numbers = " ".join(
                draw.choice(("0", "7", "-3", "255", "0.25", "-1.5e-3", "12.")) for _ in range(6)
            )
            entries = " ".join(
                f"{draw.randrange(40)}:{draw.choice(('1', '0.5', '-2e1'))}"
                for _ in range(draw.randint(0, 3))
            )
            lines.append(f"{k} |x {numbers} |s {entries} |y {k}" + (" |# a note" if t else ""))
    return ("\n".join(lines) + "\n").encode()


def check_text(minibatches: list[dict[str, Any]]) -> None:
    """The sequences are what the file says line by line."""
    content = Path("d.ctf").read_bytes()
    expected = read_lines(
        Lines("d.ctf", 1, content.lstrip(), content.lstrip()[:1].isdigit()), FIELDS
    )
    for field, samples in zip(FIELDS, expected, strict=True):
        found = [s for m in minibatches for s in m[field.name]]
        if field.is_sparse:
            columns = np.concatenate([s.indices for s in found])
            assert np.array_equal(columns, samples.frames.columns)
            assert np.allclose(
                np.concatenate([s.data for s in found]),
                samples.frames.values,
                rtol=3e-7,
                equal_nan=True,
            )
        else:
            assert np.allclose(np.concatenate(found), samples.frames, rtol=3e-7, equal_nan=True)


def kinds(draw: random.Random) -> dict[str, Kind]:
    """The whole files, in the folder in which the program runs."""
    Path("d.ctf").write_bytes(text(draw))
    text_to_binary("d.ctf", "d.bin", TEXT, chunk_bytes=9000)
    states = [
        (f"u{k}.lab", [(0, 2 + k % 3, "a"), (2 + k % 3, 9, "b"), (9, 12, "c")]) for k in range(40)
    ]
    script = "".join(f"u{k}.mfc=d.chunk[{12 * k},{12 * k + 11}]\n" for k in range(40))
    speech = {
        "d.chunk": archive([[draw.random() for _ in range(9)] for _ in range(480)]),
        "d.scp": script.encode(),
        "d.mlf": labels(*states).encode(),
        "d.list": b"a\nb\nc\n",
    }
    return {
        "text": Kind(
            {"d.ctf": Path("d.ctf").read_bytes()},
            ("d.ctf",),
            lambda: [CTFDeserializer("d.ctf", TEXT)],
            check_text,
        ),
        "binary": Kind(
            {"d.bin": Path("d.bin").read_bytes()},
            ("d.bin",),
            lambda: [CBFDeserializer("d.bin")],
            nothing,
        ),
        "speech": Kind(speech, ("d.chunk", "d.scp", "d.mlf"), speech_readers, nothing),
        "images": images(draw),
    }


def speech_readers() -> list[Any]:
    features = StreamDefs(f=StreamDef(scp="d.scp", shape=9, context=(1, 1)))
    return [
        HTKFeatureDeserializer(features),
        HTKMLFDeserializer("d.list", StreamDefs(l=StreamDef(mlf="d.mlf", shape=3))),
    ]


def images(draw: random.Random) -> Kind:
    """Files by name and as base64 text."""
    from PIL import Image

    files = {}
    for name, kind in (
        ("a.png", "PNG"),
        ("b.jpg", "JPEG"),
        ("c.bmp", "BMP"),
        ("d.gif", "GIF"),
        ("e.tif", "TIFF"),
    ):
        pixels = np.random.default_rng(draw.randrange(99)).integers(0, 256, (24, 32, 3), np.uint8)
        written = io.BytesIO()
        Image.fromarray(pixels).save(written, kind)
        files[name] = written.getvalue()
    names = list(files)
    files["d.map"] = "".join(f"{name}\t{k}\n" for k, name in enumerate(names)).encode()
    files["d.base64"] = b"".join(
        b"%d\t%s\n" % (k, base64.b64encode(files[name])) for k, name in enumerate(names)
    )

    def readers() -> list[Any]:
        streams = StreamDefs(
            i=StreamDef("image", transforms=[transforms.scale(8, 6, 3)]),
            c=StreamDef("label", shape=5),
        )
        is_text = draw.random() < 0.5
        return [
            (Base64ImageDeserializer if is_text else ImageDeserializer)(
                "d.base64" if is_text else "d.map", streams
            )
        ]

    return Kind(files, (*names, *names, "d.map", "d.base64", "d.base64"), readers, nothing)


def read(kind: Kind) -> list[dict[str, Any]]:
    """The minibatches of a sweep, in order, as sequences by stream."""
    source = MinibatchSource(kind.readers(), randomize=False, max_sweeps=1)
    found = []
    while minibatch := source.next_minibatch(50):
        found.append({info.name: data.as_sequences() for info, data in minibatch.items()})
        lengths = {len(s) for s in found[-1].values()}
        assert len(lengths) == 1, f"streams have different numbers of sequences: {lengths}"
    return found


def outcomes(kind: Kind, count: int, draw: random.Random) -> Iterator[bool]:
    """Whether each of so many damaged files was read."""
    for _ in range(count):
        name = draw.choice(kind.damaged)
        content = damaged(kind.files[name], draw)
        Path(name).write_bytes(content)
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        signal.alarm(SECONDS)
        try:
            minibatches = read(kind)
            taken = tracemalloc.get_traced_memory()[1] - before
            kind.check(minibatches)
            yield True
        except DataError as error:
            taken = tracemalloc.get_traced_memory()[1] - before
            known = [*kind.files, "in common", "frame_mode"]
            assert any(other in str(error) for other in known), f"no file is named: {error}"
            yield False
        except BaseException:
            print(f"{name}: {content!r}", file=sys.stderr)
            raise
        finally:
            signal.alarm(0)
            Path(name).write_bytes(kind.files[name])
        size = sum(map(len, kind.files.values())) + len(content) + said(name, content)
        assert taken < 2 * size + ALLOWANCE, f"{name} of {len(content)} bytes took {taken}"


def said(name: str, content: bytes) -> int:
    """Bytes of the frames that a label file says there are, of which each line may stand for many;
    at most so many.
    """
    if name != "d.mlf":
        return 0
    ends = [int(end) // 100000 for end in re.findall(rb"^\s*\d+\s+(\d+)", content, re.MULTILINE)]
    return sum(128 * min(end, MOST_FRAMES) for end in ends if end > 200)


def main(count: int, seed: int) -> None:
    faulthandler.enable()
    faulthandler.register(signal.SIGALRM, chain=True)
    warnings.simplefilter("ignore")
    draw = random.Random(seed)
    if seed % 2:
        while loader.compiled_module(1 << 30) is None:
            time.sleep(0.1)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        found = kinds(draw)
        for kind in found.values():
            for name, content in kind.files.items():
                Path(name).write_bytes(content)
            kind.check(read(kind))
        tracemalloc.start()
        for name, kind in found.items():
            read_at_all = sum(outcomes(kind, count // 4, draw))
            print(name, read_at_all, count // 4 - read_at_all, flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
