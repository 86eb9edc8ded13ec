"""Sums of products over named axes, and cumulative sums: additions, which the original does not
have.

Each runs as one operation. In files it is a graph of the original's own operations, which the
original can load.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from string import ascii_letters
from typing import Any

import numpy as np
import torch

from cntk._arguments import as_string
from cntk._graph.composite import Composite
from cntk._graph.op import Kernel
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import Variable
from cntk._ops.math.arithmetic import ElementTimes
from cntk._ops.math.reduction import reduce_sum
from cntk._ops.math.times import Times
from cntk._ops.shape.reshape import reshape
from cntk._ops.shape.transpose import swapaxes, transpose
from cntk._ops.support.broadcasting import join_axes, static_axis
from cntk._ops.support.composite_op import Fused, compose_fused
from cntk._ops.support.operands import apply, as_operands
from cntk._ops.support.structure import NoOp
from cntk._wording import shape_text
from cntk.axis import Axis
from cntk.errors import GraphError
from cntk.typing import Operand
from cntk.variables import Constant

__all__ = ["batchmatmul", "cumsum", "einsum"]


@dataclass(frozen=True)
class Einsum(Fused):
    """A sum of products in Einstein's notation: axes of the same letter are aligned, and those that
    the result does not have are summed over.

    Attributes:
        equation: the operands' letters and the result's, such as ``"ij,jk->ik"``.
    """

    keeps_axes = True

    equation: str

    op_name = "Einsum"
    reads_operands = True
    shape_polymorphic = True

    @property
    def terms(self) -> tuple[list[str], str]:
        """Each operand's letters, and the result's."""
        left, _, right = self.equation.partition("->")
        return left.split(","), right

    def infer(self, *operands: TensorType) -> TensorType:
        terms, result = self.terms
        sizes = self._sizes(operands)
        for term, operand in zip(terms, operands, strict=True):
            if len(term) != operand.rank:
                raise GraphError(
                    f"'{self.equation}' names {len(term)} axes '{term}' of an operand "
                    f"{shape_text(operand.shape)}; give each static axis a letter, and no dynamic "
                    f"one"
                )
        shape = tuple(sizes[letter] for letter in result)
        return TensorType(shape, join_axes(operands, broadcast=False), operands[0].dtype)

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        pairs = zip(self.terms[0], operands, strict=True)
        return math.prod(
            {
                letter: d for term, t in pairs for letter, d in zip(term, t.shape, strict=False)
            }.values()
        )

    def _sizes(self, operands: Sequence[TensorType]) -> dict[str, int]:
        """Return the size of each letter's axes.

        Raises:
            GraphError: if two differ.
        """
        sizes: dict[str, int] = {}
        for term, operand in zip(self.terms[0], operands, strict=True):
            for letter, size in zip(term, operand.shape, strict=False):
                known = sizes.get(letter, size)
                if min(known, size) >= 0 and known != size:
                    raise GraphError(
                        f"the axes '{letter}' of '{self.equation}' have the sizes {known} and "
                        f"{size}, and must have the same"
                    )
                sizes[letter] = max(known, size) if max(known, size) >= 0 else min(known, size)
        return sizes

    def lower(self, *operands: TensorType) -> Kernel:
        terms, result = self.terms
        rows = next(letter for letter in ascii_letters if letter not in self.equation)
        listed = ",".join(
            (rows if t.lead else "") + term for term, t in zip(terms, operands, strict=True)
        )
        equation = f"{listed}->{rows if any(t.lead for t in operands) else ''}{result}"
        return lambda *tensors: torch.einsum(equation, *tensors)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        terms, result = self.terms
        sizes = self._sizes([v.type_ for v in operands])
        if any(d < 0 for d in sizes.values()):
            raise GraphError("a dimension of its operands is not known")
        named = [
            _without_repetition(v, term, sizes) for v, term in zip(operands, terms, strict=True)
        ]
        total = named[0]
        for k, other in enumerate(named[1:], 1):
            later = set(result).union(*(letters for _, letters in named[k + 1 :]))
            total = _product(total, other, later, sizes)
        value = _ordered(*_summed(*total, set(result)), result)
        return value if isinstance(value, Composite) else apply(NoOp(), (value,))

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[Einsum]:
        """Return nothing: a loaded graph runs as it is, since many equations lead to the same
        graph.
        """
        return ()


Named = tuple[Any, str]


def _without_repetition(value: Any, letters: str, sizes: dict[str, int]) -> Named:
    """Reduce axes of the same letter to their diagonal."""
    while True:
        twice = next((letter for letter, count in Counter(letters).items() if count > 1), None)
        if twice is None:
            return value, letters
        first, second = [k for k, letter in enumerate(letters) if letter == twice][:2]
        shape = [1] * len(letters)
        shape[first] = shape[second] = sizes[twice]
        diagonal = Constant(np.eye(sizes[twice]).reshape(shape), dtype=_dtype(value))
        value = reduce_sum(apply(ElementTimes(), (value, diagonal)), axis=second, keepdims=False)
        letters = letters[:second] + letters[second + 1 :]


def _dtype(value: Any) -> Any:
    dtype = (value if isinstance(value, Variable) else value.output).type_.dtype
    if dtype is None:
        raise GraphError("the operand's dtype is not known yet")
    return dtype


def _summed(value: Any, letters: str, needed: set[str]) -> Named:
    """Sum a value over the letters that are not needed any more."""
    for k in range(len(letters) - 1, -1, -1):
        if letters[k] not in needed:
            value = reduce_sum(value, axis=k, keepdims=False)
    return value, "".join(letter for letter in letters if letter in needed)


def _ordered(value: Any, letters: str, order: str) -> Any:
    if letters == order:
        return value
    return transpose(value, tuple(letters.index(letter) for letter in order))


def _product(left: Named, right: Named, later: set[str], sizes: dict[str, int]) -> Named:
    """Multiply two values, and sum over the letters that no later product needs."""
    (x, a), (y, b) = _summed(*left, later | set(right[1])), _summed(*right, later | set(left[1]))
    shared = [letter for letter in a if letter in b]
    rows, columns = [[letter for letter in term if letter not in shared] for term in (a, b)]
    if shared and columns and not later.intersection(shared):
        x, y = _ordered(x, a, "".join(rows + shared)), _ordered(y, b, "".join(shared + columns))
        return apply(Times(output_rank=len(columns)), (x, y)), "".join(rows + columns)
    every = a + "".join(letter for letter in b if letter not in a)
    wide = [
        reshape(
            _ordered(v, term, "".join(c for c in every if c in term)),
            tuple(sizes[c] if c in term else 1 for c in every),
        )
        for v, term in ((x, a), (y, b))
    ]
    return _summed(apply(ElementTimes(), wide), every, later)


def einsum(equation: str, *operands: Any, name: str = "") -> Composite:
    """Compute a sum of products over named axes, in Einstein's notation. An addition: the original
    has none.

    Only the static axes are named; samples and frames stay apart by themselves. A saved model loads
    in the original.

    Args:
        equation: a letter for each axis of each operand, and of the result: ``"ij,jk->ik"`` is the
            product of two matrices. Axes of the same letter run together; a letter that the result
            does not have is summed over. Without ``->`` the result has the letters that occur once,
            in alphabetical order.
        *operands: the operands.
        name: its name in the graph.

    Returns:
        A function with the result's axes on the operands' dynamic axes.

    Raises:
        GraphError: if the equation cannot be read, or does not fit the operands.

    Example:
        >>> einsum("ij,j->i", [[1, 2], [3, 4]], [10, 1]).eval()
        array([12., 34.], dtype=float32)
        >>> import cntk as C
        >>> query, key = C.input_variable((5, 4)), C.input_variable((6, 4))
        >>> einsum("qe,ke->qk", query, key).shape
        (5, 6)
    """
    op = Einsum(_read(equation, len(operands)))
    return compose_fused("Einsum", op, operands, name)


def _read(equation: str, count: int) -> str:
    """Parse an equation: remove blanks, and complete the result's letters if it names none.

    Raises:
        GraphError: if it cannot be read.
    """
    left, arrow, result = as_string(equation, "einsum: equation").replace(" ", "").partition("->")
    terms = left.split(",")
    wrong = sorted(
        {c for c in left + result if c not in ascii_letters and c != ","}
        | {c for c in result if c == ","}
    )
    if wrong:
        raise GraphError(
            f"einsum: '{equation}' has {wrong[0]!r}; only letters may name axes, commas part "
            f"operands, and the result stands behind '->'. Dynamic axes have no letter"
        )
    if len(terms) != count or not count:
        raise GraphError(
            f"einsum: '{equation}' is for {len(terms)} operands, got {count}; give each operand's "
            f"letters, parted by commas"
        )
    counts = Counter("".join(terms))
    if not arrow:
        result = "".join(sorted(letter for letter, n in counts.items() if n == 1))
    unknown = [letter for letter in result if letter not in counts or result.count(letter) > 1]
    if unknown:
        raise GraphError(
            f"einsum: the result '{result}' of '{equation}' must have each letter once, and only "
            f"letters of the operands; '{unknown[0]}' is not so"
        )
    return f"{','.join(terms)}->{result}"


def batchmatmul(left: Operand, right: Operand, name: str = "") -> Composite:
    """Multiply matrices, one pair for each index along the axes before the last two. An addition:
    the original has none.

    Args:
        left: an operand ``[*batch, m, k]``.
        right: an operand ``[*batch, k, n]``.
        name: its name in the graph.

    Returns:
        A function with output ``[*batch, m, n]``. For matrices alone, `times` does the same.

    Raises:
        GraphError: if the operands have not the same rank of two or more, or their axes do not fit.

    Example:
        >>> batchmatmul([[[1, 2]], [[3, 4]]], [[[1], [1]], [[2], [2]]]).eval()
        array([[[ 3.]],
        <BLANKLINE>
               [[14.]]], dtype=float32)
    """
    operands = as_operands((left, right), "batchmatmul")
    ranks = [v.type_.rank if v.type_.has_shape else -1 for v in operands]
    if -1 in ranks or ranks[0] != ranks[1] or ranks[0] < 2:
        raise GraphError(
            f"batchmatmul: expected two operands of the same, known rank, 2 at least, got "
            f"{operands[0].type_} and {operands[1].type_}"
        )
    batch_letters = ascii_letters[: ranks[0] - 2]
    return compose_fused(
        "Einsum", Einsum(f"{batch_letters}XY,{batch_letters}YZ->{batch_letters}XZ"), operands, name
    )


@dataclass(frozen=True)
class CumulativeSum(Fused):
    """Cumulative sum along a static axis.

    Attributes:
        axis: the axis.
    """

    keeps_axes = True

    axis: int

    op_name = "CumulativeSum"
    reads_operands = True
    shape_polymorphic = True

    def infer(self, *operands: TensorType) -> TensorType:
        (x,) = operands
        if not x.rank:
            raise GraphError(
                "the operand is a number and has no axis to sum along; it needs one static axis at "
                "least"
            )
        static_axis(self.axis, x.rank)
        return x.dense()

    def lower(self, *operands: TensorType) -> Kernel:
        (x,) = operands
        dim = static_axis(self.axis, x.rank) + x.lead
        return lambda t: t.cumsum(dim)

    def expand(self, *operands: Variable, name: str = "") -> Composite:
        (x,) = operands
        # Counted from the last axis, as in files.
        axis = static_axis(self.axis, x.type_.rank) - x.type_.rank
        size = x.type_.shape[axis]
        if size < 0:
            raise GraphError("the size of its axis is not known")
        sums = Constant(np.triu(np.ones((size, size))), dtype=_dtype(x))
        if axis == -1:
            return apply(Times(), (x, sums))
        return swapaxes(apply(Times(), (swapaxes(x, axis, -1), sums)), axis, -1)

    @classmethod
    def guesses(cls, inside: Sequence[Primitive]) -> Iterable[CumulativeSum]:
        ranks = {p.operands[0].type_.rank for p in inside if isinstance(p.op, Times)}
        return [cls(-1 - k) for rank in ranks for k in range(rank)]


def cumsum(x: Operand, axis: int = -1, name: str = "") -> Composite:
    """Compute the cumulative sum along a static axis. An addition: the original has none.

    A saved model loads in the original.

    Args:
        x: an operand ``[*shape]``.
        axis: the static axis, counted from the first, or negative from the last.
        name: its name in the graph.

    Returns:
        A function with output ``[*shape]``.

    Raises:
        GraphError: if there is no such axis.

    Example:
        >>> cumsum([[1, 2, 3], [4, 5, 6]]).eval()
        array([[ 1.,  3.,  6.],
               [ 4.,  9., 15.]], dtype=float32)
    """
    index = axis.static_axis_index() if isinstance(axis, Axis) and axis.is_static_axis else axis
    if not isinstance(index, int) or isinstance(index, bool):
        raise GraphError(f"cumsum: expected the index of a static axis, got {axis!r}")
    return compose_fused("CumulativeSum", CumulativeSum(index), (x,), name)
