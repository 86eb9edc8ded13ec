"""Values of TensorFlow graphs and sessions, for `cntk.contrib.crosstalk`; `instance` is ready for
use.

TensorFlow is imported when it is first needed; of version 2, it is the interface
``tensorflow.compat.v1``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cntk.contrib.crosstalk import (
    Conv2DArgs,
    Conv2DAttr,
    Crosstalk,
    CrosstalkError,
    EmbedAttr,
    RnnArgs,
    RnnAttr,
)

__all__ = [
    "DictTrainableType",
    "TensorFlowCrosstalk",
    "TrainableType",
    "VariableType",
    "find_trainable",
    "instance",
]

Array = NDArray[Any]

VariableType = "Variable"
"""Watches a tensor that is computed."""

TrainableType = "Trainable"
"""Watches a trainable variable."""

DictTrainableType = "DictTrainable"
"""Watches a dictionary of trainable variables as one."""

_GATES = 4


def _tensorflow() -> Any:
    try:
        tensorflow = importlib.import_module("tensorflow")
    except ImportError as error:
        raise ImportError(
            "cntk.contrib.crosstalk.crosstalk_tensorflow needs TensorFlow; pip install tensorflow"
        ) from error
    return getattr(getattr(tensorflow, "compat", None), "v1", tensorflow)


def find_trainable(name: str, scope: str | None = None) -> Any:
    """Return the trainable variable that has something in its name.

    Args:
        name: part of the name.
        scope: the scope to look in; all by default.

    Raises:
        ImportError: if TensorFlow is not installed.
        CrosstalkError: (a ValueError) if there is none, or more than one.
    """
    tf = _tensorflow()
    matches = [
        v for v in tf.get_collection(tf.GraphKeys.TRAINABLE_VARIABLES, scope) if name in v.name
    ]
    if len(matches) != 1:
        where = f" in '{scope}'" if scope else ""
        raise CrosstalkError(
            f"expected one trainable variable with '{name}' in its name{where}, found "
            f"{[v.name for v in matches]}"
        )
    return matches[0]


def _shape(variable: Any) -> tuple[int, ...]:
    return tuple(int(d) for d in variable.get_shape())


def _recurrent(scope: str) -> list[Any]:
    """Return matrix and bias of the forward and of the backward LSTM in a scope."""
    return [
        find_trainable(name, f"{scope}/{way}")
        for way in ("fw", "bw")
        for name in ("kernel", "bias")
    ]


def _with_forget_bias(bias: Array, amount: float) -> Array:
    """Add a number to the third gate's bias: TensorFlow's cell adds it while it runs; elsewhere it
    is part of the bias.
    """
    gates = bias.reshape(_GATES, -1).copy()
    gates[2] += amount
    return gates.reshape(-1)


class _Session:
    """Gets and sets values in a session.

    Args:
        session: the session.
        data: what tensors are computed with.
    """

    def __init__(self, session: Any, data: Mapping[Any, Any]) -> None:
        self.session, self.data = session, data

    def get(self, variable: Any, attr: Any = None) -> Array:
        return variable.eval(session=self.session)  # type: ignore[no-any-return]

    def set(self, variable: Any, value: Any, attr: Any = None) -> None:
        self._set_all([(variable, value)])

    def _set_all(self, pairs: list[tuple[Any, Any]]) -> None:
        """Set variables, none of them if one value has another number of elements."""
        checked = [(variable, np.asarray(value)) for variable, value in pairs]
        for variable, value in checked:
            if value.size != int(np.prod(_shape(variable))):
                raise CrosstalkError(
                    f"{variable.name} has shape {_shape(variable)}, and the value {value.shape}"
                )
        for variable, value in checked:
            _tensorflow().assign(variable, value.reshape(_shape(variable))).eval(
                session=self.session
            )

    def compute(self, tensor: Any, attr: Any = None) -> Array:
        return tensor.eval(self.data, session=self.session)  # type: ignore[no-any-return]

    def get_dict(self, variables: Mapping[str, Any], attr: Any = None) -> dict[str, Array]:
        return {key: self.get(variable) for key, variable in variables.items()}

    def set_dict(
        self, variables: Mapping[str, Any], value: Mapping[str, Array], attr: Any = None
    ) -> None:
        if variables.keys() != value.keys():
            raise CrosstalkError(f"expected values for {sorted(variables)}, got {sorted(value)}")
        self._set_all([(variables[key], value[key]) for key in variables])

    def get_convolution(self, variables: Conv2DArgs, attr: Conv2DAttr) -> Conv2DArgs:
        filters = self.get(variables.W).reshape(*attr.filter_shape, attr.num_filters)
        bias = None if variables.b is None else self.get(variables.b).reshape(attr.num_filters)
        return Conv2DArgs(W=filters.transpose(2, 0, 1), b=bias)

    def set_convolution(self, variables: Any, value: Conv2DArgs, attr: Conv2DAttr) -> None:
        pairs: list[tuple[Any, Any]] = [(variables.W, value.W.transpose(1, 2, 0))]
        if variables.b is not None:
            if value.b is None:
                raise CrosstalkError(f"{variables.W.name} has a bias, and the value has none")
            pairs.append((variables.b, value.b))
        self._set_all(pairs)

    def get_lstm(self, scope: str, attr: RnnAttr) -> RnnArgs:
        _check_lstm(attr)
        parts = []
        matrices_and_biases = [self.get(variable) for variable in _recurrent(scope)]
        for matrix, bias in zip(matrices_and_biases[::2], matrices_and_biases[1::2], strict=True):
            parts += [
                *np.split(matrix, [attr.input_dim]),
                _with_forget_bias(bias, attr.forget_bias),
            ]
        return RnnArgs(*parts)

    def set_lstm(self, scope: str, value: RnnArgs, attr: RnnAttr) -> None:
        _check_lstm(attr)
        values = []
        for W, H, b in (value[:3], value[3:]):
            values += [np.concatenate((W, H)), _with_forget_bias(b, -attr.forget_bias)]
        self._set_all(list(zip(_recurrent(scope), values, strict=True)))

    def get_embedding(self, variable: Any, attr: EmbedAttr) -> dict[Any, Array]:
        return dict(zip(attr.dict[: attr.input_dim], self.get(variable), strict=False))

    def set_embedding(self, variable: Any, value: Mapping[Any, Array], attr: EmbedAttr) -> None:
        words = attr.dict[: attr.input_dim]
        if set(words) != set(value):
            raise CrosstalkError("the embedding and the value must have the same words")
        self.set(variable, np.stack([value[word] for word in words]))


def _check_lstm(attr: RnnAttr) -> None:
    if not attr.bidirectional or attr.op_type != "lstm":
        raise NotImplementedError(f"recurrent layers must be bidirectional LSTMs, and not {attr}")


class TensorFlowCrosstalk(Crosstalk):
    """Gets and sets trainable variables of a session, and computes tensors in it.

    A convolution is watched as a `Conv2DArgs` of its variables, with ``var_type=Conv2DAttr``; a
    bidirectional LSTM by its scope, with ``var_type=RnnAttr``.
    """

    def set_data(self, sess: Any, data: Mapping[Any, Any]) -> None:
        """Set the session that holds the values, and the data that tensors are computed with.

        Args:
            sess: the session.
            data: values by placeholder.
        """
        session = _Session(sess, data)
        functions: dict[Any, tuple[Callable[..., None] | None, Callable[..., Any]]] = {
            TrainableType: (session.set, session.get),
            DictTrainableType: (session.set_dict, session.get_dict),
            VariableType: (None, session.compute),
            Conv2DAttr: (session.set_convolution, session.get_convolution),
            RnnAttr: (session.set_lstm, session.get_lstm),
            EmbedAttr: (session.set_embedding, session.get_embedding),
        }
        for kind, (setter, getter) in functions.items():
            self.register_funcs(kind, setter, getter)

    def is_trainable(self, name: str) -> bool:
        """Return whether what is watched under a name is made of trainable variables, and not
        computed.

        Args:
            name: the name.
        """
        return bool(self._watched(name).type != VariableType)

    def load_all_trainables(self) -> None:
        """Set all watched trainable variables from the files of their names."""
        self.load([name for name in self.vars if self.is_trainable(name)])

    def save_all_trainables(self) -> None:
        """Write the values of all trainable variables that are watched to files."""
        self.save([name for name in self.vars if self.is_trainable(name)])


instance = TensorFlowCrosstalk()
"""The one that scripts share."""
