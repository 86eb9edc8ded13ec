"""A training program drawn at random: inputs, a graph, a criterion, a learner and minibatches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse

import cntk as C
from tests.random_programs import elementwise, networks, sequences, shapes  # noqa: F401
from tests.random_programs.drawing import OPERATIONS, Chance, Drawn, Shape

SEQUENCES = [(4, 4), (3, 3, 3), (5, 3, 4), (4, 2, 6, 1), (5,), (1, 1), (1,), (3, 7)]
SHAPES: list[Shape] = [
    (),
    (1,),
    (3,),
    (5,),
    (2, 3),
    (3, 1),
    (2, 3, 2),
    (2, 5, 4),
    (3, 6, 5),
    (4, 4, 3),
]
DENSE_KINDS = [
    "unary",
    "binary",
    "binary",
    "axis",
    "shape",
    "shape",
    "product",
    "product",
    "image",
    "image",
    "normalization",
]
SEQUENCE_KINDS = ["sequence", "sequence", "recurrence", "recurrence"]


@dataclass
class Program:
    """A program, ready to be trained.

    Attributes:
        loss, metric: the criterion; the metric may be None.
        outputs: what else is asked for with each minibatch.
        feeds: the minibatches, in their order.
        learner: makes the learner of some parameters.
        said: what was drawn.
    """

    loss: Any
    metric: Any
    outputs: list[Any]
    feeds: list[dict[Any, Any]]
    learner: str
    said: list[str]

    def learners(self) -> Any:
        """The learner of all parameters."""
        rate = C.learning_parameter_schedule(0.02)
        momentum = C.momentum_schedule(0.9)
        return {
            "sgd": lambda p: C.sgd(p, rate),
            "momentum": lambda p: C.momentum_sgd(p, rate, momentum),
            "adam": lambda p: C.adam(
                p, C.learning_parameter_schedule(0.005), momentum, epsilon=1e-3
            ),
            "clipped": lambda p: C.sgd(
                p, rate, l2_regularization_weight=0.01, gradient_clipping_threshold_per_sample=2
            ),
            "nothing": lambda p: C.sgd(p, C.learning_parameter_schedule(0.0)),
        }[self.learner](self.loss.parameters)


def draw(
    seed: int, dtype: type = np.float32, smooth: bool = False, minibatches: int = 6
) -> Program:
    """Draw a program.

    Args:
        seed: the same seed gives the same program, parameters and data, in either dtype.
        dtype: float32 or float64.
        smooth: whether all of its gradients are derivatives and it draws no random numbers while it
            runs.
        minibatches: how many minibatches.

    Returns:
        The program.
    """
    chance = Chance(seed, dtype, smooth)
    C.cntk_py.set_fixed_random_seed(seed % 10**6 + 1)
    with C.default_options(dtype=dtype):
        x, feeds = _input(chance, minibatches)
        inputs = next(iter(feeds[0]))
        values = [x]
        for _ in range(chance.between(2, 9)):
            new = _step(chance, values[-1] if chance.often(0.85) else chance.one_of(values))
            if new is not None and np.prod(new.shape, initial=1) <= 600:
                values.append(new)
        loss, metric = _criterion(chance, values[-1], inputs, feeds)
        outputs = (
            [chance.one_of(values[1:] or [values[-1]]).f.output]
            if len(values) > 1 and chance.often(0.25)
            else []
        )
    learner = chance.one_of(["sgd", "momentum", "adam", "clipped", "nothing"])
    return Program(loss, metric, outputs, feeds, learner, chance.said)


def _step(chance: Chance, x: Drawn) -> Drawn | None:
    kinds = DENSE_KINDS if x.lengths is None else [*DENSE_KINDS, *SEQUENCE_KINDS * 2]
    table = [e for e in OPERATIONS[chance.one_of(kinds)] if not (e[2] and chance.smooth)]
    name, operation, _ = chance.one_of(table)
    mark = len(chance.said)
    new = operation(chance, x)
    if new is None:
        del chance.said[mark:]
        return None
    chance.said.insert(mark, f"{name} {list(x.shape)}->{list(new.shape)}")
    return new


def _input(chance: Chance, minibatches: int) -> tuple[Drawn, list[dict[Any, Any]]]:
    """The first input, with its data for each minibatch: all of one size, or of two in turn."""
    is_sequence = chance.often(0.5)
    shape = chance.one_of(SHAPES)
    sizes = [chance.one_of(SEQUENCES) if is_sequence else chance.one_of([1, 1, 2, 3, 5])]
    if chance.often(0.2):
        sizes.append(chance.one_of(SEQUENCES) if is_sequence else chance.between(1, 4))
    chance.said.append(
        f"{'sequences' if is_sequence else 'samples'} {list(shape)} of {sizes}, "
        f"{chance.dtype.__name__}"
    )
    turns = [sizes[k % len(sizes)] for k in range(minibatches)]
    if not is_sequence:
        variable = C.input_variable(shape, chance.dtype)
        return Drawn(variable, shape), [
            {variable: _laid(chance, chance.array(n, *shape))} for n in turns
        ]
    lengths = tuple(sizes)
    if len(shape) == 1 and shape[0] > 1 and chance.often(0.25):
        variable = C.sequence.input_variable(shape, chance.dtype, is_sparse=True)
        chance.said.append("one-hot")
        feeds = [{variable: [_one_hot(chance, n, shape[0]) for n in each]} for each in turns]
        return Drawn(C.times(variable, chance.parameter(shape[0], 3)), (3,), lengths), feeds
    variable = C.sequence.input_variable(shape, chance.dtype)
    return Drawn(variable, shape, lengths), [
        {variable: [chance.array(n, *shape) for n in each]} for each in turns
    ]


def _laid(chance: Chance, data: np.ndarray) -> np.ndarray:
    """The same numbers, perhaps in another order in memory."""
    if data.ndim < 3 or chance.often(0.6):
        return data
    order = (0, *range(2, data.ndim), 1)
    return np.ascontiguousarray(data.transpose(order)).transpose(np.argsort(order))


def _one_hot(chance: Chance, rows: int, width: int) -> Any:
    columns = chance.numbers.randint(0, width, rows)
    return scipy.sparse.csr_matrix(
        (np.ones(rows, chance.dtype), (np.arange(rows), columns)), shape=(rows, width)
    )


def _criterion(
    chance: Chance, x: Drawn, inputs: Any, feeds: list[dict[Any, Any]]
) -> tuple[Any, Any]:
    """A loss of a value, with parameters in it, and perhaps a metric."""
    if not x.rank:
        x = x.with_(C.reshape(x.f, (1,)))
    if not getattr(x.f, "parameters", ()):
        x = x.with_(x.f * chance.parameter(*x.shape))
    how = chance.one_of(["square", "mean", "labels", "softmax", "binary", "distance", "axes"])
    chance.said.append(f"loss: {how}")
    everywhere = C.Axis.all_static_axes()
    metric = C.reduce_sum(C.abs(x.f), axis=everywhere) if chance.often(0.3) else None
    flat = C.reshape(x.f, (-1,))
    size = flat.shape[0]
    if how == "mean":
        return C.reduce_mean(C.square(x.f), axis=C.Axis.all_axes()), metric
    if how == "labels" and x.lengths is None:
        label = C.input_variable(size, chance.dtype)
        for feed in feeds:
            feed[label] = chance.array(len(feed[inputs]), size)
        return C.squared_error(flat, label), metric
    if how == "softmax" and size > 1:
        target = np.eye(size, dtype=chance.dtype)[chance.below(size)]
        return C.cross_entropy_with_softmax(flat, C.constant(target, dtype=chance.dtype)), metric
    if how == "binary":
        target = np.array(chance.numbers.randint(0, 2, size), chance.dtype)
        return C.binary_cross_entropy(
            0.1 + 0.8 * C.sigmoid(flat), C.constant(target, dtype=chance.dtype)
        ), metric
    if how == "distance":
        return C.squared_error(flat, C.constant(chance.array(size), dtype=chance.dtype)), metric
    if how == "axes":
        return C.reduce_sum(C.tanh(x.f), axis=C.Axis.all_axes()), metric
    return C.reduce_mean(C.square(x.f), axis=everywhere), metric
