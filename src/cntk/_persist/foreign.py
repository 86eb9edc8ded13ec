"""Recognises files of other programs by their first bytes, for errors."""

from __future__ import annotations

from cntk._persist.protobuf.wire import read_varint
from cntk.errors import FileFormatError

# The number of first bytes that determine every kind.
ENOUGH = 512

# The first bytes of a file, its kind, and what to do with it.
_BEGINNINGS = (
    (
        b"\x89HDF\r\n\x1a\n",
        "a Keras model or another HDF5 file",
        "load it with Keras, or read its weights with h5py",
    ),
    (b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "a PyTorch file", "load it with torch.load"),
    (b"\x93NUMPY", "a NumPy array", "load it with numpy.load"),
    (
        b"\x80",
        "a Python pickle",
        "load it with the program that wrote it, and only if that is trusted",
    ),
    (b"\x1f\x8b", "compressed with gzip", "decompress it first"),
    (b"BZh", "compressed with bzip2", "decompress it first"),
    (b"\xfd7zXZ\x00", "compressed with xz", "decompress it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it first"),
    (b"GGUF", "a GGUF model", "load it with the program that wrote it"),
    (b"ctfb", "data in CNTK's binary format", "read it with CBFDeserializer"),
    (
        b"version https://git-lfs",
        "a pointer of Git LFS, not the file itself",
        "fetch the file with git lfs pull",
    ),
    (b"|", "data in CNTK's text format", "read it with CTFDeserializer"),
)
_WEB_PAGES = (b"<!doctype html", b"<html", b"<?xml")
# The end of the name of an archive's first member.
_ARCHIVES = (
    ("data.pkl", "a PyTorch file", "load it with torch.load"),
    ("/.format_version", "a PyTorch file", "load it with torch.load"),
    ("/data/0", "a PyTorch file", "load it with torch.load"),
    ("metadata.json", "a Keras model", "load it with Keras"),
    ("config.json", "a Keras model", "load it with Keras"),
    (".npy", "NumPy arrays", "load them with numpy.load"),
)


def what_it_is(start: bytes) -> str:
    """Return what errors say of a file that is no model of CNTK's.

    Args:
        start: the file's first `ENOUGH` bytes, all if there are fewer.

    Example:
        >>> what_it_is(b"GGUF" + bytes(20))
        'it is a GGUF model; load it with the program that wrote it'
    """
    kind, way_out = _kind(start)
    return f"it is {kind}; {way_out}" if way_out else f"it is {kind}"


def is_onnx(start: bytes) -> bool:
    """Return whether a file begins like an ONNX model.

    Its fields are a version, then the producer's name, a domain, or the graph itself.
    """
    try:
        if not start.startswith(b"\x08"):
            return False
        _, second = read_varint(memoryview(start), 1)
        if start[second : second + 1] in (b"\x3a", b"\x42", b"\x1a"):
            return True
        _, behind = read_varint(memoryview(start), second + 1)
    except FileFormatError:
        return False
    # In a dictionary of CNTK's, and in Core ML, the second field is a message, which has a first
    # field of its own.
    return start[second : second + 1] == b"\x12" and start[behind : behind + 1].isalnum()


def _kind(start: bytes) -> tuple[str, str]:
    for beginning, kind, way_out in _BEGINNINGS:
        if start.startswith(beginning):
            return kind, way_out
    if is_onnx(start):
        return "a model in ONNX", "models of that format are not read yet"
    if start.startswith(b"PK\x03\x04"):
        return _archive(start)
    if start[8:10] == b'{"' and int.from_bytes(start[:8], "little") < 2**27:
        return "a safetensors file", "load it with safetensors"
    if start[4:8] == b"TFL3":
        return "a TensorFlow Lite model", "load it with TensorFlow"
    if start.lstrip().lower().startswith(_WEB_PAGES):
        return "a web page", "the address that it comes from has no model; download it anew"
    if not start:
        return "empty", ""
    if _is_text(start):
        return "text, and no model", ""
    return "not in CNTK's format of version 2 or 1", ""


def _archive(start: bytes) -> tuple[str, str]:
    length = int.from_bytes(start[26:28], "little")
    first = start[30 : 30 + length].decode("utf-8", "replace")
    for ending, kind, way_out in _ARCHIVES:
        if first.endswith(ending):
            return kind, way_out
    return "a zip archive", "unpack it first"


def _is_text(start: bytes) -> bool:
    return all(32 <= byte < 127 or byte in b"\t\r\n" for byte in start)
