"""Reading: text and binary files beside the original's reader, pictures beside a torch DataLoader.

The original runs in its own interpreter, which the environment variable CNTK_ORIGINAL names;
without it rows beside it are left out. A step is one shuffled sweep, from opening the file; rows
called `again` read a sweep more of what is open.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from cntk.io import StreamDef, StreamDefs, text_to_binary

from . import pictures, reading
from .timing import Contestants, Run, Workload

FILES = "CNTK_BENCHMARK_FILES"  # processes that share a folder make each file once
ORIGINAL = os.environ.get("CNTK_ORIGINAL", "")
PROGRAM = Path(reading.__file__)
DENSE = {
    "labels": {"field": "labels", "shape": 10},
    "features": {"field": "features", "shape": 784},
}
WORDS = {
    "words": {"field": "w", "shape": 943, "is_sparse": True},
    "intent": {"field": "i", "shape": 26, "is_sparse": True},
    "slots": {"field": "s", "shape": 129, "is_sparse": True},
}
BAGS = {
    "terms": {"field": "t", "shape": 20000, "is_sparse": True},
    "class": {"field": "c", "shape": 5, "is_sparse": True},
}


@functools.cache
def folder() -> Path:
    """Where the files are made: what `FILES` names, or a folder that goes when the program ends."""
    if FILES in os.environ:
        return Path(os.environ[FILES])
    made = tempfile.TemporaryDirectory(prefix="cntk-benchmark-")
    atexit.register(made.cleanup)
    return Path(made.name)


def digits(rng: np.random.Generator) -> str:
    """12,000 pictures of 28 x 28 numbers from 0 to 255, of which a fifth is not 0, in runs as
    strokes are.
    """
    lines = []
    for k in range(12000):
        picture = np.zeros((28, 28), np.int64)
        for row in range(4, 24):
            begin, length = rng.integers(6, 16), rng.integers(2, 12)
            picture[row, begin : begin + length] = rng.integers(1, 256, length)
        lines.append(labelled(k, map(str, picture.reshape(-1))))
    return "".join(lines)


def decimals(rng: np.random.Generator) -> str:
    """6,000 samples of 784 decimals of six digits."""
    return "".join(labelled(k, map("{:.6g}".format, rng.standard_normal(784))) for k in range(6000))


def labelled(k: int, features: Any) -> str:
    return (
        f"|labels {' '.join('1' if j == k % 10 else '0' for j in range(10))} |features "
        f"{' '.join(features)}\n"
    )


def sentences(rng: np.random.Generator) -> str:
    """60,000 sequences of 3 to 29 words, each with a tag, the first with a class."""
    lines = []
    for k in range(60000):
        for t in range(rng.integers(3, 30)):
            intent = f" |i {rng.integers(26)}:1" if t == 0 else ""
            lines.append(f"{k} |w {rng.integers(943)}:1{intent} |s {rng.integers(129)}:1\n")
    return "".join(lines)


def bags(rng: np.random.Generator) -> str:
    """8,000 sequences of 1 to 7 bags of 30 weighted terms."""
    lines = []
    for k in range(8000):
        for _ in range(rng.integers(1, 8)):
            terms = zip(np.sort(rng.choice(20000, 30, replace=False)), rng.random(30), strict=True)
            lines.append(f"{k} |t {' '.join(f'{a}:{b:.4g}' for a, b in terms)} |c {k % 5}:1\n")
    return "".join(lines)


@functools.cache
def text_file(make: Callable[[np.random.Generator], str]) -> Path:
    file = folder() / f"{make.__name__}.ctf"
    if not file.exists():
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        unfinished.write_text(make(np.random.default_rng(0)), encoding="ascii")
        unfinished.replace(file)
    return file


@functools.cache
def binary_file(make: Callable[[np.random.Generator], str]) -> Path:
    text = text_file(make)
    file = text.with_suffix(".bin")
    if not file.exists():
        unfinished = file.with_name(f"{file.name}.{os.getpid()}")
        text_to_binary(str(text), str(unfinished), definitions(DENSE))
        unfinished.replace(file)
    return file


def definitions(streams: dict[str, Any]) -> Any:
    return StreamDefs(**{name: StreamDef(**given) for name, given in streams.items()})


def reading_in(interpreter: list[str], job: dict[str, Any]) -> Run:
    """Steps of a job in another process, which lives as long as this one."""
    process = subprocess.Popen(
        [*interpreter, str(PROGRAM), json.dumps(job)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    atexit.register(process.terminate)

    def run(steps: int) -> None:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{steps}\n")
        process.stdin.flush()
        for line in process.stdout:
            if line == "done\n":
                return
        raise RuntimeError(f"{interpreter[0]} ended while it read {job['file']}")

    return run


@dataclass(frozen=True)
class Job:
    """What is read, and how.

    Attributes:
        file: makes the file, or finds it.
        kind: which deserializer, a key of `reading.KINDS`.
        streams: the arguments of their definitions.
        size: of a minibatch, in samples.
        again: whether a step is one sweep more of what is open.
    """

    file: Callable[[], Path]
    kind: str
    streams: dict[str, Any]
    size: int
    again: bool

    def described(self) -> dict[str, Any]:
        """The same for `reading.py`."""
        return {
            "file": str(self.file()),
            "kind": self.kind,
            "streams": self.streams,
            "size": self.size,
            "again": self.again,
        }

    def beside_the_original(self) -> Contestants:
        job = self.described()
        return Contestants(
            reading_in(shlex.split(ORIGINAL), job), reading_in([sys.executable], job)
        )

    def alone(self) -> Run:
        run: Run = reading.reads(self.described())
        return run


def workloads() -> list[Workload]:
    rows: list[tuple[str, str, Callable[[], Path], str, dict[str, Any], int]] = [
        ("cbf", "the digits as a binary file", partial(binary_file, digits), "cbf", {}, 256)
    ]
    for make, streams, size in (
        (digits, DENSE, 256),
        (decimals, DENSE, 256),
        (sentences, WORDS, 1000),
        (bags, BAGS, 256),
    ):
        what = (make.__doc__ or "").rstrip(".")
        rows.append((f"ctf_{make.__name__}", what, partial(text_file, make), "ctf", streams, size))
    found = []
    for name, what, file, kind, streams, size in rows:
        for again in (False, True):
            job = Job(file, kind, streams, size, again)
            found.append(
                Workload(f"{name}{'_again' * again}", what, job.beside_the_original, job.alone)
            )
    return found


BESIDE_THE_ORIGINAL = workloads()
WORKLOADS = BESIDE_THE_ORIGINAL + pictures.WORKLOADS
