# ruff: noqa: B905 - Python 3.6 has no strict zip
"""Whether two results of a call agree, and what differs if they do not."""

import numpy as np

# Relative to each element; relative to the largest of its array; absolute, since operands are about
# 1 and sums cancel.
TOLERANCE = {"float32": (1e-4, 1e-5, 2e-6), "float64": (1e-8, 1e-10, 1e-13)}

# Where the original's own code stumbles over an argument of a wrong type.
MEANT = {"AttributeError": "TypeError"}


def close(one, other):
    """Whether two arrays hold the same numbers up to rounding, infinities and what is no number
    included.
    """
    format_ = "float64" if one.dtype == other.dtype == np.float64 else "float32"
    relative, floor, least = TOLERANCE[format_]
    finite = np.abs(other[np.isfinite(other)])
    largest = float(finite.max()) if finite.size else 0.0
    return np.allclose(
        one.astype(float),
        other.astype(float),
        rtol=relative,
        atol=max(floor * largest, least),
        equal_nan=True,
    )


def compare(what, ours, theirs):
    """A sentence if two lists of arrays differ."""
    if [x.shape for x in ours] != [x.shape for x in theirs]:
        return f"{what}: shapes are {[x.shape for x in ours]}, not {[x.shape for x in theirs]}"
    for one, other in zip(ours, theirs):
        if one.dtype != other.dtype and "float64" in (one.dtype.name, other.dtype.name):
            return f"{what}: format is {one.dtype}, not {other.dtype}"
        if not close(one, other):
            return f"{what}:\n{one}\nis not\n{other}"
    return None


def difference(description, ours, theirs):
    """The first thing in which a result differs from another; None if they agree."""
    stages = [found.get("error", ["none", ""])[0] for found in (ours, theirs)]
    # Which of the two is a matter of taste.
    refused = [stage in ("build", "forward") for stage in stages]
    if all(refused):
        kind = MEANT.get(theirs["error"][1], theirs["error"][1])
        return (
            None
            if kind in ours.get("kinds", [kind])
            else "{}, not {}".format(ours["error"], theirs["error"])
        )
    if any(refused):
        return "{}, not {}".format(ours.get("error", "a result"), theirs.get("error", "a result"))
    if len(ours["outputs"]) != len(theirs["outputs"]):
        return "{} outputs, not {}".format(len(ours["outputs"]), len(theirs["outputs"]))
    for k, (one, other) in enumerate(zip(ours["outputs"], theirs["outputs"])):
        if (one["shape"], one["axes"]) != (other["shape"], other["axes"]):
            kinds = ["{} on {} dynamic axes".format(x["shape"], x["axes"]) for x in (one, other)]
            return f"output {k} is {kinds[0]}, not {kinds[1]}"
        different = compare(f"output {k}", one["arrays"], other["arrays"])
        if different:
            return different
    if stages[0] != stages[1]:
        return "{}, not {}".format(
            ours.get("error", "a gradient"), theirs.get("error", "a gradient")
        )
    differentiable = [k for k, x in enumerate(description["operands"]) if x["gradient"]]
    for k, (one, other) in enumerate(zip(ours["gradients"], theirs["gradients"])):
        name = f"gradient {k} of operands {differentiable}"
        different = compare(name, one, other)
        if different:
            return different
    different = compare("output in training", ours["training"], theirs["training"])
    if different:
        return different
    return compare("what is held afterwards", ours["after"], theirs["after"])
