"""Networks with short names in configuration files: feed-forward and dueling."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from cntk import layers, losses, ops
from cntk._arguments import as_flag, as_function
from cntk._graph.function import Function
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError


class Models:
    """Networks for values of actions, or for logits of actions.

    Each is a dictionary: ``inputs``, the variable for observations; ``outputs``, the variable for
    what the network should say; ``f``, the network; ``loss``, of ``f`` and ``outputs``.
    """

    @staticmethod
    def feedforward_network(
        shape_of_inputs: tuple[int, ...],
        number_of_outputs: int,
        model_hidden_layers: str,
        loss_function: Callable[[Any, Any], Function] | None = None,
        use_placeholder_for_input: bool = False,
    ) -> dict[str, Any]:
        """Return a network of dense layers.

        Args:
            shape_of_inputs: the shape of an observation; a network takes float32.
            number_of_outputs: how many numbers it gives.
            model_hidden_layers: the sizes of the hidden layers, which have `relu`, as text: ``'[20,
                10]'``.
            loss_function: makes the loss of the network and what it should say; the squared error
                unless given.
            use_placeholder_for_input: whether ``inputs`` is a placeholder, for the caller to
                replace.

        Returns:
            The dictionary that the class describes.

        Raises:
            TypeError, ValueError: if the text is no list of positive integers. One class is both.

        Example:
            >>> network = Models.feedforward_network((3,), 2, "[4]")
            >>> network["f"].shape, [p.shape for p in network["f"].parameters]
            ((2,), [(4, 2), (2,), (3, 4), (4,)])
        """
        inputs = _inputs(shape_of_inputs, use_placeholder_for_input)
        f = _dense(_sizes(_literal(model_hidden_layers), model_hidden_layers), number_of_outputs)(
            inputs
        )
        return _network(inputs, f, number_of_outputs, loss_function)

    @staticmethod
    def dueling_network(
        shape_of_inputs: tuple[int, ...],
        number_of_outputs: int,
        model_hidden_layers: str,
        loss_function: Callable[[Any, Any], Function] | None = None,
        use_placeholder_for_input: bool = False,
    ) -> dict[str, Any]:
        """Return a network that values the state and what each action adds to it apart:
        https://arxiv.org/abs/1511.06581.

        The value of an action is that of the state, plus what it adds, less the mean of what
        actions add.

        Args:
            shape_of_inputs: the shape of an observation; a network takes float32.
            number_of_outputs: how many actions there are.
            model_hidden_layers: the sizes of the hidden layers, as text: those that both parts
                share, then a list for the state's value, then a list for the actions, as in ``'[20,
                [10], [10]]'``. None stands where there is none: ``'[None, [10], [None]]'``.
            loss_function: makes the loss of the network and what it should say; the squared error
                unless given.
            use_placeholder_for_input: whether ``inputs`` is a placeholder, for the caller to
                replace.

        Returns:
            The dictionary that the class describes.

        Raises:
            TypeError, ValueError: if the text has another structure. One class is both.

        Example:
            >>> network = Models.dueling_network((3,), 2, "[4, [3], [5]]")
            >>> network["f"].eval({network["inputs"]: [[1, 0, 0]]}).shape
            (1, 2)
        """
        inputs = _inputs(shape_of_inputs, use_placeholder_for_input)
        shared, for_value, for_actions = Models._parse_dueling_network_structure(
            model_hidden_layers
        )
        features = _hidden(shared)(inputs)
        value = _dense(for_value, 1)(features)
        advantage = _dense(for_actions, number_of_outputs)(features)
        f = value + advantage - layers.AveragePooling((number_of_outputs,))(advantage)
        return _network(inputs, f, number_of_outputs, loss_function)

    @staticmethod
    def _parse_dueling_network_structure(
        hidden_layers_str: str,
    ) -> tuple[list[Any], list[Any], list[Any]]:
        """Return the sizes of the shared layers, of those for the state's value and of those for
        the actions.
        """
        parts = _literal(hidden_layers_str)
        if not (
            isinstance(parts, (list, tuple))
            and len(parts) > 2
            and all(isinstance(p, list) for p in parts[-2:])
        ):
            raise ArgumentError(
                f"the layers of a dueling network are {hidden_layers_str!r}; expected the sizes of "
                f"shared layers or None, and two lists, as in '[20, [10], [10]]'"
            )
        split = (parts[:-2], parts[-2], parts[-1])
        shared, value, actions = (
            _sizes([p for p in part if p is not None], hidden_layers_str) for part in split
        )
        return shared, value, actions


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError) as error:
        raise ArgumentError(
            f"the layers {text!r} are no list; expected sizes, as in '[20, 10]'"
        ) from error


def _sizes(values: Any, text: str) -> list[Any]:
    """Return the sizes of layers; a size may be a shape, a tuple."""

    def fits(value: Any) -> bool:
        shape = value if isinstance(value, tuple) else (value,)
        return all(isinstance(d, int) and not isinstance(d, bool) and d > 0 for d in shape)

    if not isinstance(values, (list, tuple)) or not all(fits(value) for value in values):
        raise ArgumentError(
            f"the layers are {text!r}; expected a list of positive integers, as in '[20, 10]'"
        )
    return list(values)


def _inputs(shape: tuple[int, ...], as_placeholder: bool) -> Any:
    as_placeholder = as_flag(as_placeholder, "use_placeholder_for_input")
    return (
        ops.placeholder(shape=shape)
        if as_placeholder
        else ops.input_variable(shape=shape, dtype=np.float32)
    )


def loss_of(loss_function: Any) -> Callable[[Any, Any], Any]:
    """Return a network's loss; the squared error by default."""
    if loss_function is None:
        return losses.squared_error
    return as_function(
        loss_function, "loss_function", "of the network's output and its target", "or None"
    )


def _hidden(sizes: Sequence[Any]) -> Any:
    return layers.For(range(len(sizes)), lambda h: layers.Dense(sizes[h], activation=ops.relu))


def _dense(sizes: Sequence[Any], number_of_outputs: int) -> Any:
    return layers.Sequential([_hidden(sizes), layers.Dense(number_of_outputs, activation=None)])


def _network(inputs: Any, f: Any, number_of_outputs: int, loss_function: Any) -> dict[str, Any]:
    outputs = ops.input_variable(shape=(number_of_outputs,), dtype=np.float32)
    loss = loss_of(loss_function)(f, outputs)
    return {"inputs": inputs, "outputs": outputs, "f": f, "loss": loss}


hand_on(globals())
