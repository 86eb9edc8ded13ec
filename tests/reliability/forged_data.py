"""Forged files of data, of every kind that a minibatch source reads: all of their sweeps, and once
more behind an error.

A case is whole files of one kind of which one is changed: its bytes, its numbers of two to eight
bytes, or, of text, its words and lines. An error must name a file of the case.
"""

from __future__ import annotations

import base64
import importlib.util
import io
import random
import re
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from cntk.errors import DataError
from cntk.io import (
    ArrowDeserializer,
    Base64ImageDeserializer,
    CBFDeserializer,
    CTFDeserializer,
    HTKFeatureDeserializer,
    HTKMLFBinaryDeserializer,
    HTKMLFDeserializer,
    ImageDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    binary_to_text,
    text_to_binary,
    transforms,
)
from tests.io.cases.htk_cases import archive, labels

refusals = (DataError,)
LONGEST_TEXT = 1500
# Errors about several files together name none of them.
TOGETHER = re.compile("in common|frame_mode|truncation_length|differ in shape")

TEXT = StreamDefs(x=StreamDef("x", 6), s=StreamDef("s", 40, is_sparse=True), y=StreamDef("y", 1))
NUMBERS = [
    0,
    1,
    -1,
    2,
    127,
    128,
    255,
    2**15 - 1,
    2**15,
    2**16 - 1,
    2**31 - 1,
    2**31,
    2**32 - 1,
    2**62,
    2**63 - 1,
]
WORDS = [
    b"",
    b"0",
    b"-1",
    b"+",
    b".",
    b"1e999",
    b"-1e-999",
    b"nan",
    b"inf",
    b"-inf",
    b"NaN",
    b"0x10",
    b"1_000",
    b"\xd9\xa3",
    b"\xb2",
    b"9" * 19,
    b"9" * 40,
    b"9" * 5000,
    b"0" * 5000 + b"1",
    b"1" + b"0" * 400,
    b"-" + b"9" * 5000,
    b"1e" + b"9" * 400,
    b"2147483647",
    b"2147483648",
    b"4294967296",
    b"9223372036854775807",
    b"18446744073709551616",
    b"1.",
    b".5",
    b"1:",
    b":1",
    b"a" * 5000,
    b"a" * 100_000,
    b"\xc3\xa4" * 3000,
    b"e\xcc\x81" * 3000,
    b"\0",
    b"\xff\xfe",
    b"\xed\xa0\x80",
    b"/dev/zero",
    b"/dev/null",
    b"..",
    b".",
    b"/",
    b"\\\\x\\y",
    b"C:\\x",
    b"a.zip@/a.png",
    b"%s%n{0}",
    b"|",
    b"|x",
    b'"',
    b"#",
    b"[0,0]",
    b"x" * 300 + b"/" + b"y" * 300,
]
SEPARATORS = [
    b" ",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"|",
    b":",
    b"=",
    b"[",
    b"]",
    b",",
    b'"',
    b"\0",
    b"\x0b",
    b"\x1a",
    b"\xc2\xa0",
]
_WORD = re.compile(rb"[^\s|:=\[\],\"]+")


class Case(NamedTuple):
    """Forged files.

    Attributes:
        kind: which of `KINDS`.
        folder: where they are.
        seed: what else is random when they are read.
    """

    kind: str
    folder: Path
    seed: int


class Kind(NamedTuple):
    """Files of one kind.

    Attributes:
        files: the whole ones.
        text: which of them are text.
        binary: which are not, and are changed too.
        readers: what reads them from a folder.
        options: what the source may be told.
    """

    files: dict[str, bytes]
    text: tuple[str, ...]
    binary: tuple[str, ...]
    readers: Callable[[Path, random.Random], list[Any]]
    options: tuple[dict[str, Any], ...] = ({},)


def prepare() -> None:
    warnings.simplefilter("ignore")
    for name in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            for file, content in whole()[name].files.items():
                Path(folder, file).write_bytes(content)
            for seed in range(2):
                read(Case(name, Path(folder), seed))


def forged(draw: random.Random, folder: Path) -> Case:
    name = draw.choice(sorted(KINDS))
    kind = whole()[name]
    for file, content in kind.files.items():
        (folder / file).write_bytes(content)
    file = draw.choice((*kind.text, *kind.binary))
    content = kind.files[file]
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        is_text = file in kind.text and draw.random() < 0.7
        content = changed_text(content, draw) if is_text else changed_bytes(content, draw)
    (folder / file).write_bytes(content)
    return Case(name, folder, draw.randrange(1 << 30))


def read(case: Case) -> None:
    kind, draw = whole()[case.kind], random.Random(case.seed)
    try:
        source = MinibatchSource(
            kind.readers(case.folder, draw),
            randomize=draw.random() < 0.5,
            max_sweeps=draw.choice((1, 2)),
            multithreaded_deserializer=draw.random() < 0.5,
            max_errors=draw.choice((0, 0, 0, 3)),
            **draw.choice(kind.options),
        )
        size = draw.choice((1, 7, 50, 10_000))
        try:
            read_through(source, size)
        except DataError:
            read_on(source, size)
            raise
        convert(case, draw)
    except DataError as error:
        text = str(error)
        if len(text) > LONGEST_TEXT:
            raise AssertionError(f"an error of {len(text)} characters: {text[:500]}") from error
        if not TOGETHER.search(text) and not any(file in text for file in kind.files):
            raise AssertionError(f"an error that names no file: {text[:500]}") from error
        raise


def read_through(source: MinibatchSource, size: int) -> None:
    while minibatch := source.next_minibatch(size):
        counts = {len(data.as_sequences()) for data in minibatch.values()}
        if len(counts) != 1:
            raise AssertionError(f"streams have different numbers of sequences: {counts}")


def read_on(source: MinibatchSource, size: int) -> None:
    """Ask again behind an error: there is one again, or what follows."""
    for _ in range(2):
        try:
            source.next_minibatch(size)
        except DataError:
            pass


def convert(case: Case, draw: random.Random) -> None:
    if case.kind == "text" and draw.random() < 0.2:
        text_to_binary(str(case.folder / "d.ctf"), str(case.folder / "out"), TEXT)
    if case.kind == "binary" and draw.random() < 0.2:
        binary_to_text(str(case.folder / "d.bin"), str(case.folder / "out"))


# -- changes ---------------------------------------------------------------------------------------


def changed_bytes(content: bytes, draw: random.Random) -> bytes:
    """A file with some of its bytes changed, lost, repeated or put elsewhere, or one of its
    numbers.
    """
    at = draw.randrange(len(content) + 1)
    if draw.random() < 0.3:
        at = draw.choice((0, 0, max(len(content) - 40, 0))) + draw.randrange(
            min(40, len(content) + 1)
        )
    end = min(at + draw.choice((0, 1, 1, 2, 4, 8, 40, 400)), len(content))
    how = draw.randrange(8)
    if how < 3:
        form = draw.choice(("<H", ">H", "<I", ">I", "<q", ">q"))
        size = struct.calcsize(form)
        number = draw.choice(NUMBERS) & (1 << 8 * size) - 1
        number -= (number >> 63) << 64
        new = struct.pack(form, number)
        return content[:at] + new + content[at + size :]
    if how == 3:
        return content[:at]
    if how == 4:
        return content[:at] + content[end:]
    if how == 5:
        return content[:at] + content[at:end] * draw.choice((2, 3, 1000)) + content[end:]
    if how == 6:
        other = draw.randrange(len(content) + 1)
        return content[:at] + content[other : other + end - at] + content[end:]
    changed = bytearray(content)
    for place in range(at, end):
        changed[place] ^= 1 << draw.randrange(8) if draw.random() < 0.5 else draw.randrange(256)
    return bytes(changed)


def changed_text(content: bytes, draw: random.Random) -> bytes:
    """A string with some of its words, lines or separators changed, or in another encoding."""
    how = draw.randrange(10)
    if how < 5:
        words = list(_WORD.finditer(content))
        if not words:
            return draw.choice(WORDS)
        word = draw.choice(words)
        begin, end = word.span()
        other = draw.choice(words).group()
        new = draw.choice(
            (
                draw.choice(WORDS),
                draw.choice(WORDS),
                other,
                word.group() * 2,
                word.group() + draw.choice(WORDS),
            )
        )
        return content[:begin] + new + content[end:]
    if how == 5:
        at = draw.randrange(len(content) + 1)
        return (
            content[:at]
            + draw.choice(SEPARATORS) * draw.choice((1, 1, 2, 5000))
            + content[at + draw.randrange(2) :]
        )
    lines = content.split(b"\n")
    at, other = draw.randrange(len(lines)), draw.randrange(len(lines))
    if how == 6:
        lines[at], lines[other] = lines[other], lines[at]
    elif how == 7:
        lines[at : at + 1] = [lines[at]] * draw.choice((0, 2, 2, 200))
    elif how == 8:
        lines[at] += draw.choice((b" ", b"\t", b"")) + lines[other] * draw.choice((1, 1, 300))
    else:
        encoding = draw.choice(("utf-16", "utf-32", "utf-16-le", "utf-8-sig", "crlf", "cr"))
        if encoding.startswith("utf"):
            return content.decode("latin-1").encode(encoding)
        return content.replace(b"\n", b"\r\n" if encoding == "crlf" else b"\r")
    return b"\n".join(lines)


# -- whole files -----------------------------------------------------------------------------------


@cache
def whole() -> dict[str, Kind]:
    """Whole files of each kind."""
    return {name: make() for name, make in KINDS.items()}


def lines_of_text(with_ids: bool) -> bytes:
    draw = random.Random(1)
    lines = []
    for k in range(40):
        for t in range(draw.randint(1, 3) if with_ids else 1):
            numbers = " ".join(
                draw.choice(("0", "7", "-3", "255", "0.25", "-1.5e-3", "12.")) for _ in range(6)
            )
            entries = " ".join(
                f"{draw.randrange(40)}:{draw.choice(('1', '0.5', '-2e1'))}"
                for _ in range(draw.randint(0, 3))
            )
            key = f"{k} " if with_ids else ""
            lines.append(f"{key}|x {numbers} |s {entries} |y {k}" + (" |# a note" if t else ""))
    return ("\n".join(lines) + "\n").encode()


def text() -> Kind:
    def readers(folder: Path, draw: random.Random) -> list[Any]:
        deserializer = CTFDeserializer(str(folder / "d.ctf"), TEXT)
        if draw.random() < 0.3:
            deserializer["chunkSizeInBytes"] = draw.choice((1, 200, 1000))
        if draw.random() < 0.3:
            deserializer["skipSequenceIds"] = True
        return [deserializer]

    return Kind({"d.ctf": lines_of_text(True)}, ("d.ctf",), (), readers)


def text_without_ids() -> Kind:
    def readers(folder: Path, draw: random.Random) -> list[Any]:
        return [CTFDeserializer(str(folder / "d.ctf"), TEXT)]

    return Kind({"d.ctf": lines_of_text(False)}, ("d.ctf",), (), readers)


def index() -> Kind:
    def readers(folder: Path, draw: random.Random) -> list[Any]:
        deserializer = CTFDeserializer(str(folder / "d.ctf"), TEXT)
        deserializer["cacheIndex"] = True
        return [deserializer]

    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        (folder / "d.ctf").write_bytes(lines_of_text(True))
        MinibatchSource(readers(folder, random.Random(0)))
        files = {name: (folder / name).read_bytes() for name in ("d.ctf", "d.ctf.index")}
    return Kind(files, (), ("d.ctf.index",), readers)


def binary() -> Kind:
    with tempfile.TemporaryDirectory() as folder:
        source, target = f"{folder}/d.ctf", f"{folder}/d.bin"
        Path(source).write_bytes(lines_of_text(True))
        text_to_binary(source, target, TEXT, chunk_bytes=1500)
        content = Path(target).read_bytes()

    def readers(folder: Path, draw: random.Random) -> list[Any]:
        streams = StreamDefs(other=StreamDef("x", (2, 3))) if draw.random() < 0.3 else {}
        return [CBFDeserializer(str(folder / "d.bin"), streams)]

    return Kind({"d.bin": content}, (), ("d.bin",), readers)


SPEECH_OPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {},
    {"frame_mode": True},
    {"truncation_length": 5},
)


def features() -> Kind:
    """Features alone, of archives with and without compression."""
    draw = random.Random(2)
    plain = archive([[draw.random() for _ in range(3)] for _ in range(120)])
    packed = struct.pack(">iihH", 64, 100000, 6, 9 | 0o2000) + struct.pack(
        ">6f", *[100.0] * 3, *[0.5] * 3
    )
    packed += struct.pack(">180h", *range(180))
    script = "".join(f"u{k}.mfc=.../d.chunk[{12 * k},{12 * k + 11}]\n" for k in range(10))
    script += "".join(f"v{k}.mfc=.../p.chunk[{6 * k},{6 * k + 5}]\n" for k in range(10))

    def readers(folder: Path, draw: random.Random) -> list[Any]:
        context = draw.choice(((0, 0), (1, 1), (0, 4)))
        return [
            HTKFeatureDeserializer(
                StreamDefs(f=StreamDef(scp=str(folder / "d.scp"), shape=3, context=context))
            )
        ]

    files = {"d.chunk": plain, "p.chunk": packed, "d.scp": script.encode()}
    return Kind(files, ("d.scp", "d.scp"), ("d.chunk", "p.chunk"), readers, SPEECH_OPTIONS)


def speech() -> Kind:
    """Features and labels of both forms."""
    states = [
        (f"u{k}.lab", [(0, 2 + k % 3, "a"), (2 + k % 3, 9, "b"), (9, 12, "c")]) for k in range(10)
    ]
    numbers = b"".join(
        struct.pack("<H2sIH6H", 2, b"u%d" % k, 12, 3, 0, 3, 1, 6, 2, 3) for k in range(10)
    )
    files = dict(features().files) | {
        "d.mlf": labels(*states).encode(),
        "d.mlb": b"MLF\2\0" + numbers,
        "d.list": b"a\nb\nc\n",
    }

    def readers(folder: Path, draw: random.Random) -> list[Any]:
        of_features = [
            HTKFeatureDeserializer(StreamDefs(f=StreamDef(scp=str(folder / "d.scp"), shape=3)))
        ]
        stream = StreamDefs(l=StreamDef(mlf=str(folder / "d.mlf"), shape=3))
        of_labels: list[Any] = [
            HTKMLFDeserializer(str(folder / "d.list"), stream),
            HTKMLFBinaryDeserializer(StreamDefs(b=StreamDef(mlf=str(folder / "d.mlb"), shape=3))),
        ]
        return draw.choice((of_features + of_labels, of_labels, of_labels[:1], of_labels[1:]))

    return Kind(
        files, ("d.mlf", "d.mlf", "d.list", "d.scp"), ("d.mlb", "d.mlb"), readers, SPEECH_OPTIONS
    )


@cache
def pictures() -> dict[str, bytes]:
    from PIL import Image, features

    formats = {
        "a.png": "PNG",
        "b.jpg": "JPEG",
        "c.bmp": "BMP",
        "d.gif": "GIF",
        "e.tif": "TIFF",
        "f.ppm": "PPM",
    }
    for name, kind in (("g.webp", "webp"), ("h.jp2", "jpg_2000")):
        if features.check(kind):
            formats[name] = {"webp": "WEBP", "jpg_2000": "JPEG2000"}[kind]
    found = {}
    for number, (name, kind) in enumerate(formats.items()):
        pixels = np.random.default_rng(number).integers(0, 256, (12, 16, 3), np.uint8)
        written = io.BytesIO()
        options: dict[str, Any] = {"progressive": True} if kind == "JPEG" else {}
        Image.fromarray(pixels).save(written, kind, **options)
        found[name] = written.getvalue()
    return found


def streams_of_images(folder: Path, draw: random.Random) -> Any:
    steps = draw.choice(
        (
            [transforms.scale(8, 6, 3)],
            [transforms.scale(8, 6, 1)],
            [
                transforms.crop("randomside", side_ratio=0.8),
                transforms.scale(8, 6, 3, scale_mode="crop"),
            ],
            [
                transforms.scale(16, 12, 3, scale_mode="pad"),
                transforms.mean(str(folder / "mean.xml")),
            ],
            [],
        )
    )
    return StreamDefs(i=StreamDef("image", transforms=steps), c=StreamDef("label", shape=9))


def mean_image() -> bytes:
    data = " ".join(["0.5"] * 16 * 12 * 3)
    head = "<Channel>3</Channel><Row>12</Row><Col>16</Col>"
    return (
        f'<?xml version="1.0"?>\n<opencv_storage>{head}<MeanImg '
        f'type_id="opencv-matrix"><rows>1</rows><cols>576</cols><dt>f</dt>'
        f"<data>{data}</data></MeanImg></opencv_storage>\n"
    ).encode()


def images() -> Kind:
    names = list(pictures())
    files = dict(pictures()) | {"mean.xml": mean_image()}
    files["d.map"] = "".join(f".../{name}\t{k}\n" for k, name in enumerate(names)).encode()

    def readers(folder: Path, draw: random.Random) -> list[Any]:
        return [ImageDeserializer(str(folder / "d.map"), streams_of_images(folder, draw))]

    return Kind(files, ("d.map", "d.map", "mean.xml"), tuple(names), readers)


def images_in_archives() -> Kind:
    names = list(pictures())
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in names:
            packed.writestr(name, pictures()[name])
        packed.writestr("h.zip", b"PK\5\6" + bytes(18))
    files = {"d.zip": written.getvalue(), "mean.xml": mean_image()}
    files["d.map"] = "".join(
        f"{k}\t.../d.zip@/{name}\t{k}\n" for k, name in enumerate(names)
    ).encode()

    def readers(folder: Path, draw: random.Random) -> list[Any]:
        return [ImageDeserializer(str(folder / "d.map"), streams_of_images(folder, draw))]

    return Kind(files, ("d.map",), ("d.zip",) * 4, readers)


def images_as_text() -> Kind:
    files = {"mean.xml": mean_image()}
    coded = [base64.b64encode(content) for content in pictures().values()]
    files["d.base64"] = b"".join(
        b"%d\t%d\t%s\n" % (k, k, content) for k, content in enumerate(coded)
    )

    def readers(folder: Path, draw: random.Random) -> list[Any]:
        return [Base64ImageDeserializer(str(folder / "d.base64"), streams_of_images(folder, draw))]

    return Kind(files, ("d.base64",), (), readers)


def tables() -> Kind:
    """Arrow and Parquet files of numbers, lists of them, and indices."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {
        "x": [[[float(k), 1.0], [2.0, 3.0]] for k in range(12)],
        "s": [[k % 4, 3] for k in range(12)],
        "y": [float(k) for k in range(12)],
    }
    table = pa.table(columns)
    written = {
        "d.arrow": pa.BufferOutputStream(),
        "d.parquet": pa.BufferOutputStream(),
        "p.arrow": pa.BufferOutputStream(),
    }
    for name, options in (
        ("d.arrow", None),
        ("p.arrow", pa.ipc.IpcWriteOptions(compression="lz4")),
    ):
        with pa.ipc.new_file(written[name], table.schema, options=options) as out:
            out.write_table(table, max_chunksize=5)
    pq.write_table(table, written["d.parquet"], row_group_size=5)
    files = {name: stream.getvalue().to_pybytes() for name, stream in written.items()}
    streams = StreamDefs(
        x=StreamDef("x", 2), s=StreamDef("s", 4, is_sparse=True), y=StreamDef("y", 1)
    )

    def readers(folder: Path, draw: random.Random) -> list[Any]:
        return [ArrowDeserializer([str(folder / name) for name in files], streams)]

    return Kind(files, (), tuple(files), readers)


KINDS: dict[str, Callable[[], Kind]] = {
    "text": text,
    "text_without_ids": text_without_ids,
    "index": index,
    "binary": binary,
    "features": features,
    "speech": speech,
    "images": images,
    "images_in_archives": images_in_archives,
    "images_as_text": images_as_text,
}
if importlib.util.find_spec("pyarrow") is not None:
    KINDS["tables"] = tables
