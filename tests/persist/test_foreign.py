"""Files of other programs that are given to `load_model`: each is named, with what to do with
it.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
import zlib

import numpy as np
import pytest
import torch

import cntk as C
from cntk._persist.foreign import is_onnx
from cntk.errors import FileFormatError


def torch_file(new):
    file = io.BytesIO()
    torch.save({"w": torch.ones(3)}, file, _use_new_zipfile_serialization=new)
    return file.getvalue()


def torch_script():
    file = io.BytesIO()
    torch.jit.save(torch.jit.trace(torch.nn.Linear(2, 1), torch.ones(1, 2)), file)
    return file.getvalue()


def numpy_file(save, *arrays):
    file = io.BytesIO()
    save(file, *arrays)
    return file.getvalue()


def archive(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name in names:
            written.writestr(name, "{}")
    return file.getvalue()


def safetensors_file():
    header = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return len(header).to_bytes(8, "little") + header + bytes(4)


# Fields of ONNX's ModelProto: 1 ir_version, 2 producer_name, 3 producer_version, 7 graph, 8
# opset_import.
ONNX = {
    "pytorch": b"\x08\x08\x12\x07pytorch\x1a\x052.1.0\x3a\x00",
    "cntk": b"\x08\x03\x12\x04CNTK\x1a\x032.7\x22\x07ai.cntk\x3a\x00",
    "no producer": b"\x08\x07\x3a\x02\x12\x00",
    "no name": b"\x08\x07\x1a\x011\x3a\x00",
    "opset first": b"\x08\x07\x42\x02\x10\x0b",
}
FOREIGN = {
    "torch": (torch_file(True), "a PyTorch file; load it with torch.load"),
    "torch before 1.6": (torch_file(False), "a PyTorch file; load it with torch.load"),
    "torch script": (torch_script(), "a PyTorch file"),
    "hdf5": (
        b"\x89HDF\r\n\x1a\n" + bytes(100),
        "a Keras model or another HDF5 file; load it with Keras",
    ),
    "keras": (
        archive("metadata.json", "config.json", "model.weights.h5"),
        "a Keras model; load it with Keras",
    ),
    "zip": (archive("a.model"), "a zip archive; unpack it first"),
    "npz": (numpy_file(np.savez, np.ones(3)), r"NumPy arrays; load them with numpy.load"),
    "npy": (numpy_file(np.save, np.ones(3)), "a NumPy array"),
    "pickle": (pickle.dumps({"a": 1}), "a Python pickle; .* only if that is trusted"),
    "old pickle": (pickle.dumps({"a": 1}, protocol=2), "a Python pickle"),
    "safetensors": (safetensors_file(), "a safetensors file; load it with safetensors"),
    "gzip": (b"\x1f\x8b\x08" + zlib.compress(b"a"), "compressed with gzip; decompress it first"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        "a pointer of Git LFS, not the file itself",
    ),
    "page": (b"\n <!DOCTYPE html><html>", "a web page"),
    "text": (b"NDLNetworkBuilder = [ ]", "text, and no model"),
    "data": (b"|x 1 2\n", "data in CNTK's text format; read it with CTFDeserializer"),
    "other": (bytes(range(200, 256)), "not in CNTK's format of version 2 or 1"),
    "empty": (b"", "empty"),
} | {
    f"onnx, {name}": (content, "a model in ONNX; models of that format are not read yet")
    for name, content in ONNX.items()
}


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize(
    "load", [C.load_model, C.cntk_py.Dictionary.load], ids=["model", "dictionary"]
)
def test_files_of_other_programs_are_named(name, load, tmp_path):
    content, said = FOREIGN[name]
    path = tmp_path / "a.file"
    path.write_bytes(content)
    with pytest.raises(FileFormatError, match=f"^'.*a.file' cannot be read: it is {said}"):
        load(str(path))
    if load is C.load_model:
        with pytest.raises(FileFormatError, match=f"cannot be read: it is {said}"):
            load(io.BytesIO(content))
        with pytest.raises(
            FileFormatError,
            match=rf"a model of {len(content)} bytes in memory cannot be read: it is {said}",
        ):
            load(content)


def test_a_folder_is_no_model(tmp_path):
    with pytest.raises(FileNotFoundError, match="is a folder; give the path of a model's file"):
        C.load_model(str(tmp_path))


@pytest.mark.parametrize("name", ["", "x", "pytorch", 20 * "long"])
def test_models_of_our_own_are_no_onnx(name):
    file = io.BytesIO()
    C.alias(C.input_variable(1) * 2, name).save(file)
    assert not is_onnx(file.getvalue()) and C.load_model(file.getvalue()).eval([[2]]) == 4
