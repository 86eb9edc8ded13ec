"""The file in which the original's results are kept: one compressed archive of two lists of numbers
and their index.

The index holds each call's description with what it gave: shapes, where numbers begin is known by
their order.
"""

import json
import os

import numpy as np

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recording.npz")
POOLS = ("float32", "float64")


def parts(found):
    """All arrays of a result, as `(holder, key)`, in the order in which they are written."""
    for output in found["outputs"]:
        for k in range(len(output["arrays"])):
            yield output["arrays"], k
    for k in range(len(found["training"])):
        yield found["training"], k
    for slopes in found["gradients"]:
        for k in range(len(slopes)):
            yield slopes, k
    for k in range(len(found["after"])):
        yield found["after"], k


def write(calls, path=PATH):
    """Keep `{name: (description, found)}`; the arrays in `found` are replaced by their shapes."""
    pools = {name: [] for name in POOLS}
    index = []
    for name in sorted(calls):
        description, found = calls[name]
        for holder, key in parts(found):
            array = holder[key]
            pool = "float64" if array.dtype == np.float64 else "float32"
            pools[pool].append(array.astype(pool).ravel())
            holder[key] = [POOLS.index(pool)] + list(array.shape)
        index.append([description, found])
    text = json.dumps(index, sort_keys=True, separators=(",", ":"))
    numbers = {name: np.concatenate(pools[name] + [np.zeros(0, name)]) for name in POOLS}
    # The exponents and leading digits of many numbers together compress better than number by
    # number.
    packed = {name: plane(x) for name, x in numbers.items()}
    np.savez_compressed(path, index=np.frombuffer(text.encode(), np.uint8), **packed)


def plane(numbers):
    """All first bytes of the numbers, all second ones, ..."""
    return np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, numbers.itemsize).T)


def read(path=PATH):
    """What `write` was given."""
    with np.load(path) as archive:
        index = json.loads(archive["index"].tobytes().decode())
        planes = {name: np.ascontiguousarray(archive[name].T) for name in POOLS}
    pools = [planes[name].reshape(-1).view(name) for name in POOLS]
    position = [0, 0]
    calls = {}
    for description, found in index:
        for holder, key in parts(found):
            pool, shape = holder[key][0], holder[key][1:]
            size = int(np.prod(shape))
            begin = position[pool]
            holder[key] = pools[pool][begin : begin + size].reshape(shape)
            position[pool] = begin + size
        calls[description["name"]] = (description, found)
    return calls
