"""User functions that several tests use: each in one of the forms that `forward` and `backward` may
have.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import cntk as C
from cntk.ops.functions import UserFunction


def like(variable: Any, **kwargs: Any) -> Any:
    """An output variable of another's type."""
    return C.output_variable(variable.shape, variable.dtype, variable.dynamic_axes, **kwargs)


def each(function: Any, *data: Any) -> Any:
    """A function of arrays, of each sequence's arrays where data are lists."""
    if isinstance(data[0], list):
        return [function(*items) for items in zip(*data, strict=True)]
    return function(*data)


class Cube(UserFunction):
    """``factor * x ** 3``; one operand, the state is the operand."""

    def __init__(self, x: Any, factor: float = 1.0, name: str = "") -> None:
        super().__init__([x], name=name)
        self.factor = factor
        self.calls: list[str] = []
        self.seen: list[Any] = []

    def infer_outputs(self) -> list[Any]:
        return [like(self.inputs[0])]

    def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        self.calls.append("forward")
        self.seen.append(argument)
        return argument, each(lambda x: self.factor * x**3, argument)

    def backward(self, state: Any, root_gradients: Any) -> Any:
        self.calls.append("backward")
        return each(lambda x, g: 3 * self.factor * x**2 * g, state, root_gradients)

    def serialize(self) -> Any:
        return {"factor": self.factor, "calls": self.calls, "nothing": None}

    @staticmethod
    def deserialize(inputs: Any, name: str, state: Any) -> Cube:
        made = Cube(inputs[0], state["factor"], name)
        made.calls = state["calls"]
        assert state["nothing"] is None
        return made


class Product(UserFunction):
    """``x * y``; two operands of the same axes."""

    def __init__(self, x: Any, y: Any, name: str = "") -> None:
        super().__init__([x, y], name=name)
        self.wanted: list[set[Any]] = []

    def infer_outputs(self) -> list[Any]:
        return [like(self.inputs[0])]

    def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        return arguments, each(np.multiply, *arguments)

    def backward(self, state: Any, root_gradients: Any, variables: Any) -> None:
        self.wanted.append(set(variables))
        for k, other in ((0, state[1]), (1, state[0])):
            if self.inputs[k] in variables:
                variables[self.inputs[k]] = each(np.multiply, root_gradients, other)


class SumAndDifference(UserFunction):
    """``x + 2 y`` and ``x - y``; two outputs."""

    def __init__(self, x: Any, y: Any, name: str = "") -> None:
        super().__init__([x, y], name=name)
        self.roots: list[Any] = []

    def infer_outputs(self) -> list[Any]:
        return [like(self.inputs[0], name="sum"), like(self.inputs[0], name="difference")]

    def forward(
        self, arguments: Any, outputs: Any, device: Any = None, outputs_to_retain: Any = None
    ) -> Any:
        outputs[self.outputs[0]] = each(lambda x, y: x + 2 * y, *arguments)
        outputs[self.outputs[1]] = each(np.subtract, *arguments)
        return "state"

    def backward(self, state: Any, root_gradients: Any, variables: Any) -> None:
        assert state == "state"
        self.roots.append(root_gradients)
        first, second = (root_gradients[v] for v in self.outputs)
        variables[self.inputs[0]] = each(np.add, first, second)
        variables[self.inputs[1]] = each(lambda a, b: 2 * a - b, first, second)


class RunningSum(UserFunction):
    """The sum of a sequence's frames so far: what cannot be done frame by frame."""

    def __init__(self, x: Any, name: str = "") -> None:
        super().__init__([x], name=name)

    def infer_outputs(self) -> list[Any]:
        return [like(self.inputs[0])]

    def forward(self, argument: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        return None, [np.cumsum(x, 0) for x in argument]

    def backward(self, state: Any, root_gradients: Any) -> Any:
        return [np.cumsum(g[::-1], 0)[::-1] for g in root_gradients]


class Weighted(UserFunction):
    """``x @ w`` for samples and a parameter."""

    def __init__(self, x: Any, w: Any, name: str = "") -> None:
        super().__init__([x, w], name=name)

    def infer_outputs(self) -> list[Any]:
        x, w = self.inputs
        return [C.output_variable((w.shape[1],), x.dtype, x.dynamic_axes)]

    def forward(self, arguments: Any, device: Any = None, outputs_to_retain: Any = None) -> Any:
        return arguments, arguments[0] @ arguments[1]

    def backward(self, state: Any, root_gradients: Any, variables: Any) -> None:
        x, w = state
        if self.inputs[0] in variables:
            variables[self.inputs[0]] = root_gradients @ w.T
        variables[self.inputs[1]] = x.T @ root_gradients
