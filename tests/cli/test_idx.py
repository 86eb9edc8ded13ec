"""The reader of idx files: what it reads, and that nothing a file says can make it crash or take
memory.
"""

from __future__ import annotations

import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st

from cntk._cli.idx import IdxError, read_idx
from tests.cli.mnist_files import idx


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (5, 7, 3), np.uint8)


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_reads_what_was_written(tmp_path: Path, images: np.ndarray, pack) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(idx(images)))
    content = read_idx(path, rank=3)
    assert content.dtype == np.uint8
    np.testing.assert_array_equal(content, images)


def test_reads_gzip_of_several_members_and_large_blocks(tmp_path: Path) -> None:
    labels = np.arange(3_000_000, dtype=np.uint8)
    data = idx(labels)
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(data[:1_000_000]) + gzip.compress(data[1_000_000:]))
    np.testing.assert_array_equal(read_idx(path, rank=1), labels)


def test_reads_no_pictures_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(idx(np.zeros((0, 28, 28), np.uint8)))
    assert read_idx(path, rank=3).shape == (0, 28, 28)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an idx file .it begins with nothing, expected 00 00 08 03"),
        (b"\0\0", "not an idx file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not an idx file .it begins with 89 50 4e 47"),
        (b"\0\0\x0a\x03" + bytes(12), "not an idx file"),
        (b"\0\0\x0d\x03" + bytes(12), "holds float32, expected unsigned bytes"),
        (idx(np.zeros(4, np.uint8)), r"has 1 axes, expected 3 \(images\)"),
        (b"\0\0\x08\x03" + bytes(11), "truncated within its header"),
        (idx(np.zeros((2, 3, 4), np.uint8))[:-1], "truncated: its header says 2 x 3 x 4, 24 bytes"),
        (idx(np.zeros((2, 3, 4), np.uint8)) + b"\0", "goes on after the 2 x 3 x 4 elements"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "more than 1,073,741,824 are not read"),
        (b"\0\0\x08\x03" + struct.pack(">3I", 1000, 1000, 1000), "truncated"),
    ],
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_says_what_is_wrong(tmp_path: Path, data: bytes, message: str, pack) -> None:
    path = tmp_path / "odd-file"
    path.write_bytes(pack(data))
    with pytest.raises(IdxError, match=message) as caught:
        read_idx(path, rank=3)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_truncated_or_damaged_gzip(tmp_path: Path, images: np.ndarray) -> None:
    whole = gzip.compress(idx(images))
    path = tmp_path / "file.gz"
    for length in range(2, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(IdxError, match="truncated|damaged|not an idx file"):
            read_idx(path, rank=3)
    damaged = bytearray(whole)
    damaged[-6] ^= 0xFF
    path.write_bytes(damaged)
    with pytest.raises(IdxError, match="damaged"):
        read_idx(path, rank=3)


@pytest.mark.parametrize("claim", [1000, (1 << 32) - 1])
def test_memory_is_not_taken_on_the_word_of_a_header(tmp_path: Path, claim: int) -> None:
    """Neither a small file with a large claim nor a small file that unpacks to a large one costs
    memory.
    """
    lie, bomb = tmp_path / "lie", tmp_path / "bomb.gz"
    lie.write_bytes(b"\0\0\x08\x03" + struct.pack(">3I", claim, 1000, 1000) + bytes(50))
    bomb.write_bytes(gzip.compress(idx(np.zeros((1, 2, 3), np.uint8)) + bytes(1 << 26)))
    tracemalloc.start()
    try:
        for path in (lie, bomb):
            with pytest.raises(IdxError):
                read_idx(path, rank=3)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@given(st.binary(max_size=64), st.sampled_from([1, 3]), st.booleans())
def test_any_bytes_give_an_array_or_an_idx_error(
    tmp_path_factory, data: bytes, rank: int, with_magic: bool
) -> None:
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_bytes((b"\0\0\x08" + bytes([rank]) if with_magic else b"") + data)
    try:
        assert read_idx(path, rank).ndim == rank
    except IdxError as error:
        assert str(path) in str(error)
