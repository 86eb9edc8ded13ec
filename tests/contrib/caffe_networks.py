"""Small networks of Caffe, written as its own files are, and what Caffe computes, with NumPy."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cntk._persist.protobuf.wire import Message, varint

Array = NDArray[Any]


def blob(values: Array, old: bool = False) -> Message:
    """A parameter; in old files it has four dimensions."""
    message = Message()
    if old:
        for number, size in enumerate([1] * (4 - values.ndim) + list(values.shape), start=1):
            message.number(number, size)
    else:
        message.message(7, Message().data(1, b"".join(map(varint, values.shape))))
    return message.data(5, np.ascontiguousarray(values, "<f4").tobytes())


def caffemodel(layers: Mapping[str, Sequence[Array]], old: bool = False) -> bytes:
    """A file of parameters."""
    net = Message().data(1, "net")
    for name, blobs in layers.items():
        layer = Message().data(4 if old else 1, name)
        for values in blobs:
            layer.message(6 if old else 7, blob(values, old))
        net.message(2 if old else 100, layer)
    return net.to_bytes()


def write(
    folder: Path,
    network: str,
    layers: Mapping[str, Sequence[Array]],
    old: bool = False,
    **more: Any,
) -> Path:
    """Write a network, its parameters, and the configuration of a conversion; return the latter."""
    (folder / "net.prototxt").write_text(network)
    (folder / "net.caffemodel").write_bytes(caffemodel(layers, old))
    conf = {
        "SourceSolver": {
            "Source": "Caffe",
            "ModelPath": str(folder / "net.prototxt"),
            "WeightsPath": str(folder / "net.caffemodel"),
        },
        "ModelSolver": {"CntkModelPath": str(folder / "net.model")},
    }
    for key, value in more.items():
        conf[key] = {**conf.get(key, {}), **value}
    (folder / "conf.json").write_text(json.dumps(conf))
    return folder / "conf.json"


def image_input(*shape: int) -> str:
    dims = " ".join(f"dim: {d}" for d in (1, *shape))
    return (
        f'layer {{ name: "data" type: "Input" top: "data" input_param {{ shape {{ {dims} }} }} }}\n'
    )


def layer(
    kind: str, options: str = "", bottom: str = "data", top: str = "y", name: str = "y"
) -> str:
    return f'layer {{ name: "{name}" type: "{kind}" bottom: "{bottom}" top: "{top}" {options} }}\n'


def convolved(
    x: Array,
    W: Array,
    b: Array | None,
    s: tuple[int, int],
    p: tuple[int, int],
    d: tuple[int, int] = (1, 1),
    group: int = 1,
) -> Array:
    """Caffe's convolution of one image."""
    x = np.pad(x, [(0, 0), (p[0], p[0]), (p[1], p[1])])
    n, _, kh, kw = W.shape
    sizes = [(x.shape[k + 1] - ((W.shape[k + 2] - 1) * d[k] + 1)) // s[k] + 1 for k in (0, 1)]
    found = np.zeros((n, *sizes))
    channels, filters = len(x) // group, n // group
    for f in range(n):
        part = x[f // filters * channels :][:channels]
        for i in range(sizes[0]):
            for j in range(sizes[1]):
                window = part[:, i * s[0] :, j * s[1] :][:, : kh * d[0] : d[0], : kw * d[1] : d[1]]
                found[f, i, j] = (window * W[f]).sum()
    return found if b is None else found + b[:, None, None]


def pooled(
    x: Array, k: tuple[int, int], s: tuple[int, int], p: tuple[int, int], average: bool
) -> Array:
    """Caffe's pooling of one image, whose last window may hang over the end."""
    size = x.shape[1:]
    counts = [-(-(size[a] + 2 * p[a] - k[a]) // s[a]) + 1 for a in (0, 1)]
    if any(p):
        counts = [c - ((c - 1) * s[a] >= size[a] + p[a]) for a, c in enumerate(counts)]
    found = np.zeros((len(x), *counts))
    for i in range(counts[0]):
        for j in range(counts[1]):
            starts = [i * s[0] - p[0], j * s[1] - p[1]]
            ends = [min(start + k[a], size[a] + p[a]) for a, start in enumerate(starts)]
            area = np.prod([e - b for b, e in zip(starts, ends, strict=True)])
            window = x[:, max(starts[0], 0) : ends[0], max(starts[1], 0) : ends[1]]
            found[:, i, j] = window.sum((1, 2)) / area if average else window.max((1, 2))
    return found


def normalized(x: Array, size: int, alpha: float, beta: float, k: float) -> Array:
    """Caffe's local response normalization of one image."""
    half = size // 2
    around = np.pad(x**2, [(half, half), (0, 0), (0, 0)])
    sums = np.stack([around[c : c + size].sum(0) for c in range(len(x))])
    return x / (k + alpha / size * sums) ** beta
