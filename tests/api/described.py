"""How signatures are written down, in the same way for the original and for this package."""

import enum
import inspect
import math


def described_signature(function):
    """Parameters in their order, with their defaults; how they may be passed is left out, but for
    ``*`` and ``**``.
    """
    marks = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    described = []
    for p in inspect.signature(function).parameters.values():
        default = "" if p.default is p.empty else "=" + described_default(p.default)
        described.append(marks.get(p.kind, "") + p.name + default)
    return "(" + ", ".join(described) + ")"


def described_default(value):
    """A default as text: what it is where that is plain, else what kind of thing it is."""
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or isinstance(value, (bool, int, str)):
        return repr(value)
    if isinstance(value, float):
        return repr(int(value)) if math.isfinite(value) and value == int(value) else repr(value)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(described_default, value)) + "]"
    if hasattr(value, "readline"):
        return "<stream>"
    if type(value).__name__ == "Axis":
        return repr(value)
    if any(base.__name__ == "Initializer" for base in type(value).__mro__):
        return "<dictionary>"  # the original describes initial values by dictionaries
    kind = getattr(value, "__name__", type(value).__name__).lower()
    return (
        "<"
        + next((word for word in ("override", "schedule", "dictionary") if word in kind), kind)
        + ">"
    )
