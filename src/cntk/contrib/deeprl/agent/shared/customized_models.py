"""Networks that configuration files name in full, as programs' own are named.

A function of your own takes the shape of observations and how many numbers to give, then, unless it
leaves them at their defaults, the function that makes the loss and whether the input is a
placeholder; it returns a dictionary as `Models` does. Name it in ``QRepresentation`` or
``PolicyRepresentation`` as ``module.function``, and import its module in your program: a
configuration file never makes Python import one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from cntk import layers, ops
from cntk._arguments import as_flag
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk.contrib.deeprl.agent.shared.models import loss_of


def conv_dqn(
    shape_of_inputs: tuple[int, ...],
    number_of_outputs: int,
    loss_function: Callable[[Any, Any], Function] | None = None,
    use_placeholder_for_input: bool = False,
) -> dict[str, Any]:
    """Return the convolutional network that learned to play Atari games, for pixels from 0 to 255.

    Three convolutions and one hidden dense layer of 512, as in the paper on deep Q-learning.

    Args:
        shape_of_inputs: the shape of an observation, ``(channels, height, width)``; a network takes
            float32.
        number_of_outputs: how many actions there are.
        loss_function: makes the loss of the network and what it should say; the squared error
            unless given.
        use_placeholder_for_input: whether ``inputs`` is a placeholder, for the caller to replace.

    Returns:
        A dictionary: ``inputs``, ``outputs``, ``f`` and ``loss``, as from `Models`.

    Example:
        >>> network = conv_dqn((4, 84, 84), 3)
        >>> network["f"].shape, [p.shape for p in network["f"].parameters][:3]
        ((3,), [(512, 3), (3,), (64, 4, 4, 512)])
    """
    if as_flag(use_placeholder_for_input, "conv_dqn: use_placeholder_for_input"):
        inputs = ops.placeholder(shape=shape_of_inputs)
    else:
        inputs = ops.input_variable(shape=shape_of_inputs, dtype=np.float32)
    outputs = ops.input_variable(shape=(number_of_outputs,), dtype=np.float32)
    network = layers.Sequential(
        [
            layers.Convolution((8, 8), 32, activation=ops.relu, strides=4),
            layers.Convolution((4, 4), 64, activation=ops.relu, strides=2),
            layers.Convolution((3, 3), 64, activation=ops.relu, strides=2),
            layers.Dense((512,), activation=ops.relu),
            layers.Dense(number_of_outputs, activation=None),
        ]
    )
    f = network((inputs - 128) / 256)
    return {
        "inputs": inputs,
        "outputs": outputs,
        "f": f,
        "loss": loss_of(loss_function)(f, outputs),
    }


hand_on(globals())
