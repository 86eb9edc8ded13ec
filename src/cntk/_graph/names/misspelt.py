"""Names that are not there: what was probably meant, said by the error once somebody reads it.

Programs ask with ``hasattr`` for names that they do not need: nothing is looked for before the text
is wanted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from cntk._wording import quoted
from cntk.errors import UnknownNameError

# Where a name of one module may be that was looked for in another.
_PLACES = (
    "cntk cntk.layers cntk.ops cntk.ops.sequence cntk.learners cntk.losses cntk.metrics "
    "cntk.initializer cntk.io cntk.io.transforms cntk.logging cntk.logging.graph cntk.train "
    "cntk.train.distributed cntk.device cntk.random cntk.debugging cntk.variables cntk.axis "
    "cntk.core cntk.ops.functions cntk.layers.typing"
).split()
# What other libraries call it.
_ELSEWHERE = {
    **dict.fromkeys(("cat", "concat", "concatenate", "hstack", "vstack"), "cntk.splice"),
    **dict.fromkeys(("matmul", "mm", "dot"), "cntk.times"),
    **dict.fromkeys(("add",), "cntk.plus"),
    **dict.fromkeys(("sub", "subtract"), "cntk.minus"),
    **dict.fromkeys(("mul", "multiply"), "cntk.element_times"),
    **dict.fromkeys(("div", "divide", "true_divide"), "cntk.element_divide"),
    **dict.fromkeys(("maximum",), "cntk.element_max"),
    **dict.fromkeys(("minimum",), "cntk.element_min"),
    **dict.fromkeys(("neg", "negative"), "cntk.negate"),
    "power": "cntk.pow",
    "where": "cntk.element_select",
    "clamp": "cntk.clip",
    "clip_by_value": "cntk.clip",
    "unsqueeze": "cntk.expand_dims",
    "view": "cntk.reshape",
    "permute": "cntk.transpose",
    "max": "cntk.reduce_max",
    "min": "cntk.reduce_min",
    "prod": "cntk.reduce_prod",
    "logsumexp": "cntk.reduce_log_sum_exp",
    "topk": "cntk.top_k",
    "detach": "cntk.stop_gradient",
    "Variable": "cntk.input_variable",
    "Input": "cntk.input_variable",
    **dict.fromkeys(("Linear", "FullyConnected", "fully_connected", "linear"), "cntk.layers.Dense"),
    **{
        f"{name}{n}{d}": f"cntk.layers.Convolution{n}D"
        for n in (1, 2, 3)
        for d in "Dd"
        for name in ("Conv", "conv")
    },
    "Conv": "cntk.layers.Convolution",
    **dict.fromkeys(
        ("Conv2DTranspose", "ConvTranspose2d", "Deconvolution2D"),
        "cntk.layers.ConvolutionTranspose2D",
    ),
    **{f"MaxPool{n}{d}": "cntk.layers.MaxPooling" for n in (1, 2, 3) for d in "Dd"},
    **{f"MaxPooling{n}D": "cntk.layers.MaxPooling" for n in (1, 2, 3)},
    **{f"AvgPool{n}d": "cntk.layers.AveragePooling" for n in (1, 2, 3)},
    **{f"AveragePooling{n}D": "cntk.layers.AveragePooling" for n in (1, 2, 3)},
    **{f"BatchNorm{n}d": "cntk.layers.BatchNormalization" for n in (1, 2, 3)},
    "BatchNorm": "cntk.layers.BatchNormalization",
    "LayerNorm": "cntk.layers.LayerNormalization",
    "RNN": "cntk.layers.Recurrence",
    "Bidirectional": "cntk.layers.BiRecurrence",
    **dict.fromkeys(
        ("CrossEntropyLoss", "cross_entropy", "softmax_cross_entropy"),
        "cntk.cross_entropy_with_softmax",
    ),
    **dict.fromkeys(("MSELoss", "mse_loss", "mean_squared_error"), "cntk.squared_error"),
    "BCELoss": "cntk.binary_cross_entropy",
    **dict.fromkeys(("SGD", "GradientDescentOptimizer"), "cntk.sgd"),
    **dict.fromkeys(("Adam", "AdamOptimizer"), "cntk.adam"),
    "Adagrad": "cntk.adagrad",
    "RMSprop": "cntk.rmsprop",
    **dict.fromkeys(("xavier_uniform", "GlorotUniform"), "cntk.glorot_uniform"),
    **dict.fromkeys(("kaiming_normal", "HeNormal"), "cntk.he_normal"),
    "DataLoader": "cntk.io.MinibatchSource",
    "load": "cntk.load_model",
}


def unknown_name(module: str, name: str, known: Callable[[], Iterable[str]]) -> UnknownNameError:
    """Return the error for a name that a module does not have.

    Args:
        module: the module.
        name: the name.
        known: gives the names that it has.

    Example:
        >>> str(unknown_name("cntk.ops", "softMax", lambda: ["softmax", "splice"]))
        "module 'cntk.ops' has no attribute 'softMax'; did you mean 'softmax'?"
    """
    return UnknownNameError(
        f"module '{module}' has no attribute '{name}'", lambda: _hint(module, name, known())
    )


def meant(name: str, known: Iterable[str], alike: float = 0.76) -> str | None:
    """Return the known name that was probably meant: the same but for capital letters and
    underscores, or one like it.

    Args:
        name: the name.
        known: names that there are.
        alike: how much of it there must be, from 0 to 1.

    Example:
        >>> (
        ...     meant("relU", ["relu", "selu"]),
        ...     meant("soft_max", ["softmax", "softplus"]),
        ...     meant("W7", ["b"]),
        ... )
        ('relu', 'softmax', None)
    """
    import difflib  # only where a name is wrong

    names = [n for n in known if not n.startswith("_")]
    same = [n for n in names if _plain(n) == _plain(name)]
    return next(iter(same or difflib.get_close_matches(name, names, 1, alike)), None)


def did_you_mean(name: str, known: Iterable[str], alike: float = 0.76) -> str:
    """Return the hint for an error about a name; '' if none is like it. See `meant`."""
    match = meant(name, known, alike)
    return "" if match is None else f"; did you mean {quoted(match)}?"


def _hint(module: str, name: str, known: Iterable[str]) -> str:
    if name.startswith("_"):
        return ""
    names = list(known)
    if any(_plain(n) == _plain(name) for n in names):
        return did_you_mean(name, names)
    elsewhere = _ELSEWHERE.get(name) or _elsewhere(module, name, _plain(name))
    if elsewhere is None and (own := did_you_mean(name, names)):
        return own
    if elsewhere is None and (
        like := meant(name, [n for place in _PLACES for n in _names_of(place)], 0.8)
    ):
        elsewhere = _elsewhere(module, like, _plain(like))
    if elsewhere is None:
        return ""
    place, _, short = elsewhere.rpartition(".")
    shown = short if place == module else elsewhere.replace("cntk.ops.sequence.", "cntk.sequence.")
    return f"; did you mean {quoted(shown)}?"


def _names_of(place: str) -> Iterable[str]:
    return (
        [n for n in vars(sys.modules[place]) if not n.startswith("_")]
        if place in sys.modules
        else ()
    )


def _elsewhere(module: str, name: str, plain: str) -> str | None:
    """Return where another module has the same name, or one that differs in capital letters and
    underscores alone.
    """
    for place in _PLACES:
        names = _names_of(place) if place != module else ()
        same = name if name in names else next((n for n in names if _plain(n) == plain), None)
        if same is not None:
            return f"{place}.{same}"
    return None


def _plain(name: str) -> str:
    return name.replace("_", "").lower()
