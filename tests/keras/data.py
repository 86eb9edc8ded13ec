"""Makes the files that the dataset loaders of Keras 2.3.1 read, out of a folder of real data at
hand.

Keras would download them; here they come from the folder that CNTK_TEST_DATA names, cut down to
what lies there: MNIST, a part of CIFAR-10, of IMDB's reviews and of Reuters' news, the stories of
bAbI, and spelled words with their sounds, in the place of English sentences with French ones.

    CNTK_TEST_DATA=folder python tests/keras/data.py KERAS_HOME

`KERAS_HOME/datasets` then has `mnist.npz`, `cifar-10-batches-py`, `imdb.npz`, `reuters.npz`, both
word indices, `babi-tasks-v1-2.tar.gz` and `fra-eng/fra.txt`. The examples' checksums are those of
the full sets: who runs them has to leave the comparison out.
"""

from __future__ import annotations

import collections
import gzip
import html
import io
import json
import lzma
import os
import pickle
import re
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

CIFAR_BATCH = 10_000
"""Images in each of the six files; what is at hand is repeated to that number."""
SMALLEST_TOPIC = 20
LONGEST_WORD = 5


def idx(file: Path, header: int) -> NDArray[np.uint8]:
    return np.frombuffer(gzip.decompress(file.read_bytes()), np.uint8, offset=header)


def mnist(source: Path, target: Path) -> None:
    parts = {}
    for name, part in (("train", "train"), ("test", "t10k")):
        parts[f"x_{name}"] = idx(source / f"mnist/{part}-images-idx3-ubyte.gz", 16).reshape(
            -1, 28, 28
        )
        parts[f"y_{name}"] = idx(source / f"mnist/{part}-labels-idx1-ubyte.gz", 8)
    np.savez(target / "mnist.npz", **parts)


def cifar10(source: Path, target: Path) -> None:
    folder = target / "cifar-10-batches-py"
    folder.mkdir(exist_ok=True)
    names = [("train_first4000", f"data_batch_{k}") for k in range(1, 6)] + [
        ("test_first1000", "test_batch")
    ]
    for part, name in names:
        rows = np.frombuffer(
            lzma.decompress((source / f"cifar10/{part}.bin.xz").read_bytes()), np.uint8
        )
        rows = np.resize(rows.reshape(-1, 3073), (CIFAR_BATCH, 3073))
        images = Array(np.ndarray, (CIFAR_BATCH, 3072), "uint8", rows[:, 1:].tobytes())
        (folder / name).write_bytes(
            pickle.dumps({b"data": images, b"labels": rows[:, 0].tolist()}, protocol=3)
        )
    (
        target / "cifar-10-batches-py.tar.gz"
    ).touch()  # Keras looks for the archive, and then into the folder


def words_of(text: str) -> list[str]:
    return re.findall(r"[a-z0-9']+", text.lower())


def ranks(texts: Iterable[list[str]]) -> dict[str, int]:
    """Number words from 1, the most frequent first."""
    counts = collections.Counter(word for words in texts for word in words)
    return {
        word: rank
        for rank, (word, _) in enumerate(sorted(counts.items(), key=lambda it: (-it[1], it[0])), 1)
    }


def numbers(texts: list[list[str]], index: dict[str, int]) -> list[list[int]]:
    return [[index[word] for word in words if word in index] for words in texts]


class Array:
    """An array, pickled as a call of NumPy that every release of it reads: `ndarray` or `array`."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.made = call, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.made


def save_numbered(file: Path, rows: dict[str, list[list[int]]], **arrays: NDArray) -> None:
    """Write an archive of arrays, with arrays of objects for rows."""
    np.savez(file, **arrays)
    with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
        for name, content in rows.items():
            header = io.BytesIO()
            shape = (len(content),)
            np.lib.format.write_array_header_1_0(
                header, {"descr": "|O", "fortran_order": False, "shape": shape}
            )
            archive.writestr(
                f"{name}.npy",
                header.getvalue() + pickle.dumps(Array(np.array, content, "O"), protocol=3),
            )


def save_index(file: Path, index: dict[str, int]) -> None:
    file.write_text(json.dumps(index), encoding="utf-8")


def imdb(source: Path, target: Path) -> None:
    texts, labels = {}, {}
    for part in ("train", "test"):
        with lzma.open(source / f"imdb/{part}.tsv.xz", "rt", encoding="utf-8") as lines:
            rows = [line.rstrip("\n").split("\t", 3) for line in lines]
        labels[part] = np.array([int(row[0]) for row in rows])
        texts[part] = [words_of(row[3].replace("<br />", " ")) for row in rows]
    index = ranks(texts["train"])
    rows = {f"x_{part}": numbers(texts[part], index) for part in texts}
    save_numbered(target / "imdb.npz", rows, **{f"y_{part}": labels[part] for part in labels})
    save_index(target / "imdb_word_index.json", index)


def news(source: Path) -> Iterator[tuple[str, str]]:
    """Yield (topic, text) of the stories that have one topic."""
    with tarfile.open(source / "reuters.tar.xz") as archive:
        members = sorted(
            (m for m in archive.getmembers() if m.name.endswith(".sgm")), key=lambda m: m.name
        )
        for member in members:
            file = archive.extractfile(member)
            for story in file.read().decode("latin-1").split("</REUTERS>") if file else ():
                topics = re.findall(
                    r"<D>(.*?)</D>", story.partition("<TOPICS>")[2].partition("</TOPICS>")[0]
                )
                body = re.search(r"<BODY>(.*?)</BODY>", story, re.DOTALL)
                if len(topics) == 1 and body:
                    yield topics[0], html.unescape(body[1])


def reuters(source: Path, target: Path) -> None:
    stories = list(news(source))
    counts = collections.Counter(topic for topic, _ in stories)
    topics = sorted(topic for topic, count in counts.items() if count >= SMALLEST_TOPIC)
    kept = [(topics.index(topic), words_of(text)) for topic, text in stories if topic in topics]
    index = ranks(words for _, words in kept)
    labels = np.array([topic for topic, _ in kept])
    save_numbered(
        target / "reuters.npz", {"x": numbers([words for _, words in kept], index)}, y=labels
    )
    save_index(target / "reuters_word_index.json", index)


def babi(source: Path, target: Path) -> None:
    """Put the stories where those of the larger set lie."""
    with (
        tarfile.open(source / "babi.tar.xz") as all_of_it,
        tarfile.open(target / "babi-tasks-v1-2.tar.gz", "w:gz") as out,
    ):
        for member in all_of_it.getmembers():
            file = all_of_it.extractfile(member)
            if file is not None:
                text = file.read()
                info = tarfile.TarInfo(f"tasks_1-20_v1-2/en-10k/{Path(member.name).name}")
                info.size = len(text)
                out.addfile(info, io.BytesIO(text))


def pairs(source: Path, target: Path) -> None:
    """Write short words, spelled, with their sounds: `a d d<TAB>ae d`."""
    with tarfile.open(source / "cmudict.tar.xz") as archive:
        file = archive.extractfile("cmudict-0.7b.test.txt")
        lines = file.read().decode("ascii").splitlines() if file else []
    found = []
    for line in lines:
        spelled, _, sounds = line.partition("<s/>")
        letters = spelled.replace("<s>", "").split()
        if len(letters) <= LONGEST_WORD:
            found.append(
                f"{' '.join(letters)}\t{' '.join(sounds.replace('</s>', '').replace('~', '').split())}\n"  # noqa: E501
            )
    (target / "fra-eng").mkdir(exist_ok=True)
    (target / "fra-eng/fra.txt").write_text("".join(found).lower(), encoding="utf-8")


MAKERS = {
    "mnist.npz": mnist,
    "cifar-10-batches-py.tar.gz": cifar10,
    "imdb_word_index.json": imdb,
    "reuters_word_index.json": reuters,
    "babi-tasks-v1-2.tar.gz": babi,
    "fra-eng/fra.txt": pairs,
}
"""By the last file that it writes what makes a set."""


def make(source: Path, home: Path) -> Path:
    """Make what is not there yet; return the folder of data sets."""
    target = home / "datasets"
    target.mkdir(parents=True, exist_ok=True)
    for file, maker in MAKERS.items():
        if not (target / file).exists():
            maker(source, target)
    return target


def main() -> int:
    source = os.environ.get("CNTK_TEST_DATA")
    if not source or len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 1
    print(make(Path(source), Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
