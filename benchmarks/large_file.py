"""How much memory reading a large text file takes: makes one, reads a sweep of it, prints resident
memory and speed.

python -m benchmarks.large_file --gigabytes 3
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from cntk.io import CTFDeserializer, MinibatchSource

from .readers import DENSE, definitions, labelled


def write(file: Path, size: int) -> None:
    """Samples of 784 whole numbers, again and again the same thousand."""
    rng = np.random.default_rng(0)
    pixels = np.where(rng.random((1000, 784)) < 0.2, rng.integers(1, 256, (1000, 784)), 0)
    block = "".join(labelled(k, map(str, row)) for k, row in enumerate(pixels.tolist()))
    with open(file, "w", encoding="ascii") as opened:
        for _ in range(-(-size // len(block))):
            opened.write(block)


def resident() -> float:
    """Most megabytes that were ever in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.large_file", description="Memory of reading a large file."
    )
    parser.add_argument(
        "--gigabytes", type=float, default=3.0, help="size of the file (default: 3)"
    )
    parser.add_argument(
        "--folder", type=Path, help="where to make it; by default where temporary files are"
    )
    parser.add_argument("--in-order", action="store_true", help="do not shuffle")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        file = Path(folder) / "large.ctf"
        write(file, int(arguments.gigabytes * 1e9))
        size = file.stat().st_size / 1e6
        print(f"{size:.0f} MB of text; before: {resident():.0f} MB resident", flush=True)
        start = time.perf_counter()
        source = MinibatchSource(
            CTFDeserializer(str(file), definitions(DENSE)),
            max_sweeps=1,
            randomize=not arguments.in_order,
        )
        print(f"opened after {time.perf_counter() - start:.1f} s: {resident():.0f} MB", flush=True)
        samples = 0
        while minibatch := source.next_minibatch(256):
            samples += minibatch[source.streams.labels].num_samples
        seconds = time.perf_counter() - start
        print(
            f"{samples} samples after {seconds:.1f} s ({size / seconds:.0f} MB/s): "
            f"{resident():.0f} MB resident at most"
        )


if __name__ == "__main__":
    main()
