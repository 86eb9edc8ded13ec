"""Values of models of this package, for `cntk.contrib.crosstalk`; `instance` is ready for use."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cntk import ops
from cntk._graph.function import Function
from cntk._graph.variable import Variable
from cntk.contrib.crosstalk import (
    Conv2DArgs,
    Conv2DAttr,
    Crosstalk,
    CrosstalkError,
    EmbedAttr,
    RnnArgs,
    RnnAttr,
)
from cntk.variables import Parameter

__all__ = ["CNTKCrosstalk", "DictParameterType", "find_func_param", "instance"]

Array = NDArray[Any]

DictParameterType = "DictParameter"
"""Watches a dictionary of parameters as one variable: ``watch({'W': W, 'b': b}, 'layer',
DictParameterType)``.
"""

_GATES = 4


def find_func_param(
    func: Function,
    name: str | None = None,
    shape: tuple[int, ...] | None = None,
    allow_not_found: bool = False,
) -> Any:
    """Return the parameter of a function that has a name or a shape; if it has a single one, that.

    Args:
        func: the function.
        name: the parameter's name.
        shape: its shape.
        allow_not_found: whether to return None if there is none.

    Raises:
        CrosstalkError: (a ValueError) if there is none, or more than one.

    Example:
        >>> import cntk as C
        >>> layer = C.layers.Dense(3)(C.input_variable(2))
        >>> find_func_param(layer, name="b").shape, find_func_param(layer, shape=(2, 3)).name
        ((3,), 'W')
    """
    parameters = func.parameters
    return (
        parameters[0]
        if len(parameters) == 1
        else _find_parameter(parameters, name, shape, allow_not_found)
    )


def _find_parameter(
    parameters: Iterable[Any], name: str | None, shape: Any, allow_not_found: bool = False
) -> Any:
    matches = [p for p in parameters if (shape and p.shape == shape) or p.name == name]
    if not matches and allow_not_found:
        return None
    if len(matches) != 1:
        description = " or ".join(
            [f"named '{name}'"] * (name is not None) + [f"of shape {shape}"] * (shape is not None)
        )
        raise CrosstalkError(
            f"expected one parameter {description}, found {len(matches)} among {list(parameters)}"
        )
    return matches[0]


def _set_all(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Set parameters, none of them if one value is of another shape."""
    checked = [(parameter, np.asarray(value)) for parameter, value in pairs]
    for parameter, value in checked:
        if parameter.shape != value.shape:
            raise CrosstalkError(
                f"{parameter!r} has shape {parameter.shape}, and the value {value.shape}"
            )
    for parameter, value in checked:
        parameter.value = value


def _get_parameter(parameter: Any, attr: Any) -> Array:
    return parameter.value  # type: ignore[no-any-return]


def _set_parameter(parameter: Any, value: Array, attr: Any) -> None:
    _expect(value, np.ndarray)
    _set_all([(parameter, value)])


def _get_parameters(parameters: Mapping[str, Any], attr: Any) -> dict[str, Array]:
    return {key: parameter.value for key, parameter in parameters.items()}


def _expect(value: Any, kind: type) -> None:
    """Refuse values of another kind, as a file may hold."""
    if not isinstance(value, kind):
        raise CrosstalkError(f"expected a {kind.__name__} as value, got a {type(value).__name__}")


def _set_parameters(parameters: Mapping[str, Any], value: Mapping[str, Array], attr: Any) -> None:
    _expect(value, dict)
    if parameters.keys() != value.keys():
        raise CrosstalkError(f"expected values for {sorted(parameters)}, got {sorted(value)}")
    _set_all((parameters[key], value[key]) for key in parameters)


def _convolution(function: Function, attr: Conv2DAttr) -> tuple[Any, Any]:
    """Return a convolution's filters, and its bias if it has one."""
    filters = _find_parameter(function.parameters, None, (attr.num_filters, 1, *attr.filter_shape))
    return filters, _find_parameter(
        function.parameters, None, (attr.num_filters, 1, 1), allow_not_found=True
    )


def _get_convolution(function: Function, attr: Conv2DAttr) -> Conv2DArgs:
    filters, bias = _convolution(function, attr)
    return Conv2DArgs(W=filters.value[:, 0], b=None if bias is None else bias.value.reshape(-1))


def _set_convolution(function: Function, value: Conv2DArgs, attr: Conv2DAttr) -> None:
    _expect(value, Conv2DArgs)
    filters, bias = _convolution(function, attr)
    pairs = [(filters, value.W[:, np.newaxis])]
    if value.b is not None:
        if bias is None:
            raise CrosstalkError(f"{function} has no bias, and the value has one")
        pairs.append((bias, value.b.reshape(-1, 1, 1)))
    _set_all(pairs)


def _check_lstm(attr: RnnAttr) -> None:
    if not attr.bidirectional or attr.op_type != "lstm":
        raise NotImplementedError(f"recurrent layers must be bidirectional LSTMs, and not {attr}")


def _directions(function: Function) -> list[Any]:
    """Return the six parameters of two LSTMs, forward and backward, whose outputs are spliced."""
    root = function.root_function
    if (
        root.op_name != "Splice"
        or len(root.inputs) != 2
        or not all(v.is_output for v in root.inputs)
    ):
        raise NotImplementedError(
            f"{function} must be a splice of a forward and a backward recurrence, or an "
            f"optimized_rnnstack"
        )
    return [
        _find_parameter(v.owner.parameters, name, None)
        for v in root.inputs
        for name in ("W", "H", "b")
    ]


def _get_lstm(function: Function, attr: RnnAttr) -> RnnArgs:
    _check_lstm(attr)
    if len(function.parameters) == 1:
        return _unpack(function.parameters[0].value, attr)
    return RnnArgs(*(parameter.value for parameter in _directions(function)))


def _set_lstm(function: Function, value: RnnArgs, attr: RnnAttr) -> None:
    _check_lstm(attr)
    _expect(value, RnnArgs)
    if len(function.parameters) == 1:
        _set_all([(function.parameters[0], _pack(value).reshape(function.parameters[0].shape))])
    else:
        _set_all(zip(_directions(function), value, strict=True))


def _reorder_gates(gates: Array) -> Array:
    """Reorder gates from cuDNN's order (input, forget, cell, output) to the layers' (input, cell,
    forget, output), or back.
    """
    first, second, third, last = np.split(gates, _GATES, axis=-1)
    return np.concatenate((first, third, second, last), axis=-1)


def _unpack(packed: Array, attr: RnnAttr) -> RnnArgs:
    """Split the parameter of `optimized_rnnstack`: all matrices first, then two biases for each
    direction.
    """
    rows = _GATES * attr.hidden_dim
    sizes = [rows * attr.input_dim, rows * attr.hidden_dim] * 2 + [rows] * 4
    if packed.size != sum(sizes):
        raise CrosstalkError(
            f"an LSTM as {attr} has {sum(sizes)} parameters, and this one {packed.size}"
        )
    parts = np.split(packed.reshape(-1), np.cumsum(sizes)[:-1])
    matrices = [_reorder_gates(part.reshape(rows, -1).T) for part in parts[:4]]
    biases = [_reorder_gates(parts[k] + parts[k + 1]) for k in (4, 6)]
    return RnnArgs(matrices[0], matrices[1], biases[0], matrices[2], matrices[3], biases[1])


def _pack(value: RnnArgs) -> Array:
    """Join parameters for `optimized_rnnstack`, with 0 as the second bias of each direction; the
    inverse of `_unpack`.
    """
    matrices = [
        _reorder_gates(m).T.reshape(-1) for m in (value.fw_W, value.fw_H, value.bw_W, value.bw_H)
    ]
    biases = [
        part for b in (value.fw_b, value.bw_b) for part in (_reorder_gates(b), np.zeros_like(b))
    ]
    return np.concatenate([*matrices, *biases])


def _get_embedding(parameter: Any, attr: EmbedAttr) -> dict[Any, Array]:
    return dict(zip(attr.dict[: attr.input_dim], parameter.value, strict=False))


def _set_embedding(parameter: Any, value: Mapping[Any, Array], attr: EmbedAttr) -> None:
    _expect(value, dict)
    words = attr.dict[: attr.input_dim]
    different = set(words) ^ set(value)
    if different:
        raise CrosstalkError(
            f"the embedding and the value must have the same words; "
            f"{sorted(map(str, different))[:5]} differ"
        )
    _set_all([(parameter, np.stack([value[word] for word in words]))])


class CNTKCrosstalk(Crosstalk):
    """Gets and sets parameters of this package's models, and evaluates functions and variables of
    them.

    Example:
        >>> import cntk as C
        >>> talk = CNTKCrosstalk()
        >>> talk.set_workdir("exchange")
        >>> x = C.input_variable(2)
        >>> layer = C.layers.Dense(2, init=1)(x)
        >>> talk.watch(layer.W, "weights")
        >>> talk.watch(layer, "result")
        >>> talk.set_data({x: [[1, 2]]})
        >>> talk.save_all()
        >>> talk.assign("weights", 2 * talk.fetch("weights"))
        >>> talk.fetch("result"), talk.compare("result")
        (array([[6., 6.]], dtype=float32), False)
        >>> talk.load_all_params()
        >>> talk.compare("result")
        True
    """

    def __init__(self) -> None:
        super().__init__()
        self.register_funcs(Parameter, _set_parameter, _get_parameter)
        self.register_funcs(DictParameterType, _set_parameters, _get_parameters)
        self.register_funcs(Conv2DAttr, _set_convolution, _get_convolution)
        self.register_funcs(RnnAttr, _set_lstm, _get_lstm)
        self.register_funcs(EmbedAttr, _set_embedding, _get_embedding)

    def set_data(self, data: Any) -> None:
        """Set the data that functions and variables are evaluated with.

        Args:
            data: the arguments, as for `Function.eval`.
        """
        self.register_funcs(Function, getter=_evaluate(data))
        self.register_funcs(Variable, getter=_evaluate(data))

    def is_param(self, name: str) -> bool:
        """Return whether what is watched under a name is made of parameters, and not computed.

        Args:
            name: the name.
        """
        return self._watched(name).type not in (Function, Variable)

    def load_all_params(self) -> None:
        """Set all watched parameters from the files of their names."""
        self.load([name for name in self.vars if self.is_param(name)])

    def save_all_params(self) -> None:
        """Write the values of all parameters that are watched to files."""
        self.save([name for name in self.vars if self.is_param(name)])


def _evaluate(data: Any) -> Callable[[Any, Any], Any]:
    """Return a function that evaluates a function, or an output of one."""

    def get(node: Any, attr: Any) -> Any:
        if isinstance(node, Function):
            return node.eval(data)
        if not node.is_output:
            raise CrosstalkError(f"{node!r} is not computed: watch the output of a function")
        return ops.combine([node]).eval(data)

    return get


instance = CNTKCrosstalk()
"""The one that scripts share."""
