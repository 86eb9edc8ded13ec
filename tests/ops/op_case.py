"""One row of the operations' table: what an operation is given, what NumPy says it should give,
what must fail.

Everything that holds for every operation is tested from such rows by `test_cases.py`. A family's
rows are in ``cases.py`` or ``cases_<family>.py`` beside this file, in a tuple ``CASES``; they are
found by themselves.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse

import cntk as C

ROWS = 7  # samples in a row's minibatch: no static dimension of a case should be 7 as well
LENGTHS = (1, 4, 2)  # the same rows as frames of sequences


class Held(NamedTuple):
    """An operand that is a parameter, ``[*shape]``."""

    value: np.ndarray


class Apart(list):  # type: ignore[type-arg]
    """Sequences on an axis of their own; others are on one that they share."""


class Sparse(NamedTuple):
    """An operand with a batch axis, ``[n, width]``, given as a sparse input."""

    value: np.ndarray


Operand = np.ndarray | list[np.ndarray] | Held | Sparse


class Misuse(NamedTuple):
    """A call that must fail.

    Attributes:
        shapes: shapes of the input variables (float32, batch axis) that the operation is called
            with.
        match: a pattern in the error's text.
        kwargs: what to pass besides; the case's own arguments are not passed.
        error: what is raised.
    """

    shapes: tuple[tuple[int, ...], ...]
    match: str
    kwargs: dict[str, Any] = {}
    error: type[Exception] = ValueError


@dataclass(frozen=True)
class OpCase:
    """One operation on some data.

    Attributes:
        name: the row's name, unique.
        op: called with a variable for each operand, then ``kwargs``; returns a function.
        inputs: the operands. An array ``[n, *shape]`` has a batch axis; a list of arrays ``[length,
            *shape]`` a batch and a sequence axis; `Apart`, `Held` and `Sparse` say what they are.
            All dimensions of all operands, n included, should differ where the operation allows it:
            equal sizes hide mistakes.
        reference: the same in NumPy, for one sample: called with ``[*shape]`` or ``[length,
            *shape]`` for each operand (a held one whole); returns one sample's output, a tuple if
            there are several.
        kwargs: further arguments of ``op``.
        whole: whether ``reference`` is called with all samples at once, since they meet (batch
            normalisation).
        tolerance: largest difference from the reference, relative and absolute, in float64.
        gradient: operands whose gradient is compared with finite differences; None for every one.
        slope: the gradient where it is not what finite differences say: called as ``reference`` is,
            with the gradient of one sample's output last, it returns a tuple of gradients, None for
            an operand of no interest.
        on_sequences: whether the same must come out when the rows are frames of sequences.
        free: static axes of the first operand that may be free, that is, change from one evaluation
            to the next.
        errors: calls that must fail.
    """

    name: str
    op: Callable[..., Any]
    inputs: tuple[Operand, ...]
    reference: Callable[..., Any]
    kwargs: dict[str, Any] = field(default_factory=dict)
    whole: bool = False
    tolerance: float = 1e-9
    gradient: tuple[int, ...] | None = None
    slope: Callable[..., Any] | None = None
    on_sequences: bool = True
    free: tuple[int, ...] = ()
    errors: tuple[Misuse, ...] = ()

    @property
    def count(self) -> int:
        """Samples or sequences in the minibatch; 1 if nothing has a batch axis."""
        return next((len(raw(x)) for x in self.inputs if not isinstance(x, Held)), 1)

    @property
    def has_sequences(self) -> bool:
        """Whether an operand is a list of sequences."""
        return any(isinstance(x, list) for x in self.inputs)

    @property
    def has_rows(self) -> bool:
        """Whether an operand has a batch axis."""
        return any(not isinstance(x, Held) for x in self.inputs)


def raw(operand: Operand) -> Any:
    """An operand's numbers, without what says how it is given."""
    return operand.value if isinstance(operand, (Held, Sparse)) else operand


def numbers(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 1) -> np.ndarray:
    """Uniform random numbers ``[ROWS, *shape]``, the same at every call."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, (ROWS, *shape))


def held(*shape: int, low: float = -2.0, high: float = 2.0, seed: int = 2) -> Held:
    """A parameter of uniform random numbers, the same at every call."""
    return Held(np.random.default_rng([seed, *shape]).uniform(low, high, shape))


def sequences(*shape: int, lengths: Sequence[int] = LENGTHS, seed: int = 3) -> list[np.ndarray]:
    """Sequences of uniform random numbers from -2 to 2, the same at every call."""
    random = np.random.default_rng([seed, *shape])
    return [random.uniform(-2, 2, (n, *shape)) for n in lengths]


class Built:
    """A case's operation as a graph, with what feeds it.

    Args:
        case: the case.
        dtype: the dtype of operands and result.
        as_frames: whether operands with a batch axis become frames of sequences, of the lengths
            `LENGTHS`.
        free: whether the axes that the case says may be free are.
    """

    def __init__(
        self, case: OpCase, dtype: Any = np.float64, as_frames: bool = False, free: bool = False
    ) -> None:
        self.case, self.dtype, self.as_frames = case, dtype, as_frames
        self.variables = [self._variable(k, x, free) for k, x in enumerate(case.inputs)]
        self.function = case.op(*self.variables, **case.kwargs)

    def _variable(self, k: int, operand: Operand, free: bool) -> Any:
        if isinstance(operand, Held):
            return C.parameter(init=operand.value.astype(self.dtype), name=f"held{k}")
        rows = operand[0] if isinstance(operand, list) else raw(operand)
        shape = tuple(
            C.FreeDimension if free and k == 0 and i in self.case.free else d
            for i, d in enumerate(rows.shape[1:])
        )
        sparse = isinstance(operand, Sparse)
        make = (
            C.sequence.input_variable
            if isinstance(operand, list) or self.as_frames
            else C.input_variable
        )
        if isinstance(operand, Apart):
            make = functools.partial(make, sequence_axis=C.Axis(f"axis{k}"))
        return make(shape, self.dtype, needs_gradient=not sparse, is_sparse=sparse, name=f"x{k}")

    def feed(
        self, operands: Sequence[Operand] | None = None, sample: int | None = None
    ) -> dict[Any, Any]:
        """What `eval` is given: the case's operands or others like them, all samples or one."""
        result = {}
        for variable, operand in zip(self.variables, operands or self.case.inputs, strict=True):
            if isinstance(operand, Held):
                variable.value = operand.value
                continue
            data = raw(operand) if sample is None else raw(operand)[sample : sample + 1]
            if isinstance(data, list):
                result[variable] = [x.astype(self.dtype) for x in data]
            elif isinstance(operand, Sparse):
                rows = split(data) if self.as_frames else [data]
                matrices = [scipy.sparse.csr_matrix(x.astype(self.dtype)) for x in rows]
                result[variable] = matrices if self.as_frames else matrices[0]
            else:
                result[variable] = (
                    split(data.astype(self.dtype)) if self.as_frames else data.astype(self.dtype)
                )
        return result

    def eval(
        self, operands: Sequence[Operand] | None = None, sample: int | None = None
    ) -> list[Any]:
        """All outputs, each an array, or a list of arrays for sequences."""
        outputs = self.function.outputs
        results = self.function.eval(self.feed(operands, sample))
        return [densely(results if len(outputs) == 1 else results[v]) for v in outputs]


def split(rows: np.ndarray) -> list[np.ndarray]:
    """Rows as frames of sequences of the lengths `LENGTHS`."""
    return np.split(rows, np.cumsum(LENGTHS)[:-1])


def densely(result: Any) -> Any:
    """A result as dense arrays."""
    if isinstance(result, list):
        return [densely(r) for r in result]
    return result.toarray() if scipy.sparse.issparse(result) else np.asarray(result)


def expected(case: OpCase) -> list[Any]:
    """The reference's outputs, each a list of one array a sample; one array where samples do not
    stay apart.
    """
    arguments = [raw(x) for x in case.inputs]
    if case.whole or not case.has_rows:
        return as_list(case.reference(*arguments))
    samples = [as_list(case.reference(*sample(case, k))) for k in range(case.count)]
    return [list(outputs) for outputs in zip(*samples, strict=True)]


def sample(case: OpCase, k: int) -> list[np.ndarray]:
    """The k-th sample of each operand; held ones whole."""
    return [x.value if isinstance(x, Held) else raw(x)[k] for x in case.inputs]


def as_list(outputs: Any) -> list[Any]:
    """One or several outputs as a list."""
    return (
        list(outputs)
        if isinstance(outputs, tuple)
        else [np.asarray(outputs) if not isinstance(outputs, list) else outputs]
    )
