"""The one place an operation is declared: the `Op` base class and the registry that everything else
reads.

An operation is a frozen dataclass. Its fields are its attributes as files hold them; its methods
are all that the system knows of it: types of its outputs (`infer`), what its operands' open
dimensions must be (`complete`), and the function over raw tensors that computes it (`lower`).
"""

from __future__ import annotations

import enum
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from cntk._graph.positions import SAME_POSITIONS, Positions
from cntk._graph.types import (
    UNKNOWN_AXES,
    UNKNOWN_SHAPE,
    InferredDimension,
    TensorType,
    common_dtype,
)
from cntk.errors import GraphError

if TYPE_CHECKING:
    from typing import Self

    from cntk._graph.variable import Variable


class PrimitiveOp(enum.IntEnum):
    """Numbers of operations in files. A number is never reused."""

    Negate = 0
    Sigmoid = 1
    Tanh = 2
    ReLU = 3
    Exp = 4
    Log = 5
    Sqrt = 6
    Floor = 7
    Abs = 8
    Reciprocal = 9
    Softmax = 10
    Hardmax = 11
    TransposeAxes = 12
    Where = 13
    Slice = 14
    Dropout = 15
    Reshape = 16
    Pooling = 17
    SumAll = 18
    Plus = 19
    Minus = 20
    ElementTimes = 21
    Equal = 22
    NotEqual = 23
    Less = 24
    LessEqual = 25
    Greater = 26
    GreaterEqual = 27
    PackedIndex = 28
    GatherPacked = 29
    ScatterPacked = 30
    Times = 31
    TransposeTimes = 32
    Convolution = 33
    SquaredError = 34
    CrossEntropyWithSoftmax = 35
    ClassificationError = 36
    PastValue = 37
    FutureValue = 38
    ReduceElements = 39
    BatchNormalization = 40
    Clip = 41
    Select = 42
    Splice = 43
    Combine = 44
    RandomSample = 45
    RandomSampleInclusionFrequency = 46
    ROIPooling = 47
    Logistic = 48
    OptimizedRNNStack = 49
    ReconcileDynamicAxis = 50
    LogSoftmax = 51
    LogPlus = 52
    CosDistance = 53
    Sin = 54
    Cos = 55
    Pass = 56
    Block = 57
    Unpooling = 58
    LambdaRank = 59
    NDCG = 60
    EditDistanceError = 61
    NoOp = 62
    LabelsToGraph = 63
    StopGradient = 64
    ELU = 65
    ForwardBackward = 66
    CosDistanceWithNegativeSamples = 67
    OneHotOp = 68
    Pow = 69
    ToSequence = 70
    ToSequenceLike = 71
    UnpackSequence = 72
    Assign = 73
    Gather = 74
    StableSigmoid = 75
    RandomDistribution = 76
    Sinh = 77
    Cosh = 78
    UnpackBatch = 79
    ToBatch = 80
    Asin = 81
    Acos = 82
    Pad = 83
    Crop = 84
    Atanh = 85
    Asinh = 86
    TopK = 87
    Squeeze = 88
    ConstantOp = 89
    LatticeSequenceWithSoftmax = 90
    Cast = 91
    EyeLikeOp = 92
    CustomProxyOp = 93
    StraightThrough = 94
    Tan = 95
    Atan = 96
    ConvolutionSequenceShape = 97


class DiskKind(enum.Enum):
    """Kind of an attribute on disk, where its annotation alone does not tell.

    Otherwise an ``int`` is an unsigned size, a ``float`` has 64 bits, a `Shape` and flags lie in
    reverse order, and an `Axis` counts from the last static axis.

    Attributes:
        Int: a signed number of 32 bits, or a list of them.
        Single: a number of 32 bits with a fraction.
        DynamicAxes: a list of axes in reverse order.
        GivenAxes: a list of static axes; those that count from the first stay negative, whatever
            the rank.
    """

    Int = enum.auto()
    Single = enum.auto()
    DynamicAxes = enum.auto()
    GivenAxes = enum.auto()


Kernel = Callable[..., Any]


class Reach(enum.Enum):
    """Frames of a sequence that an operation reads, besides those no later than the one it
    computes.

    Attributes:
        NONE: nothing: sequences may be given piece by piece.
        LATER: frames that come later, or the sequence's end. The original computes pieces as if
            nothing followed.
        WHOLE: all of the sequence. The original refuses pieces.
    """

    NONE = enum.auto()
    LATER = enum.auto()
    WHOLE = enum.auto()


@dataclass(frozen=True)
class RunKernel:
    """A kernel that needs to know the run it is part of: its layouts, its mode, its random numbers.

    Attributes:
        compute: called with the run first, then the operands' tensors.
    """

    compute: Callable[..., Any]


@dataclass(frozen=True)
class StreamKernel:
    """A kernel that goes on in a stream of random numbers from run to run.

    Attributes:
        compute: called with the run, the stream, then the operands' tensors.
        begin: makes the stream when the operation first runs in a graph.
    """

    compute: Callable[..., Any]
    begin: Callable[[], Any]


@dataclass(frozen=True)
class CarryingKernel:
    """A kernel that keeps values which the next minibatch goes on from.

    Attributes:
        compute: called with the run, the name to keep them under, then the operands' tensors.
    """

    compute: Callable[..., Any]


class Op(ABC):
    """One operation: attributes as dataclass fields, behaviour as methods."""

    primitive: ClassVar[PrimitiveOp | None] = None
    op_name: ClassVar[str] = ""
    # Whether its outputs are its operands themselves: it computes nothing.
    is_bundle: ClassVar[bool] = False
    # Whether it stands for a graph; see `Block`.
    is_block: ClassVar[bool] = False
    # How many operands it may have; empty for any number.
    operand_counts: ClassVar[tuple[int, ...]] = ()
    # Attributes that become elements of results: they may be nan or infinite. Others that may be
    # infinite alone.
    filling: ClassVar[tuple[str, ...]] = ()
    endless: ClassVar[tuple[str, ...]] = ()
    # Attributes that are not in files: they are the values of constants among the operands.
    held_by_operands: ClassVar[tuple[str, ...]] = ()
    # Operands that a kernel takes as sparse rows; all others are made dense before it is called.
    sparse_operands: ClassVar[tuple[int, ...]] = ()
    # Attributes that `Function.set_attribute` may change, by their name on disk.
    settable: ClassVar[tuple[str, ...]] = ()
    # Whether two of the same operation on the same operands may be computed as one.
    pure: ClassVar[bool] = True
    # Whether it runs although nothing reads its output.
    has_side_effect: ClassVar[bool] = False
    # Why no training step with it is recorded; empty where its calls are torch's own, the same for
    # all data of these sizes.
    not_recordable: ClassVar[str] = ""
    # Whether its kernel is the same for all sizes of the operands' free dimensions, so that it need
    # not wait for them.
    shape_polymorphic: ClassVar[bool] = False
    # Whether each element of the result comes from elements at the same place along the operands'
    # last two axes alone.
    pointwise: ClassVar[bool] = False
    # Whether it may take or give batches of another size than the rest of the minibatch.
    changes_batch_size: ClassVar[bool] = False
    # Whether the result lies on its operands' dynamic axes.
    keeps_axes: ClassVar[bool] = False
    # What it reads of its sequences.
    reach: ClassVar[Reach] = Reach.NONE
    # True if operands may differ in their dtype.
    allows_mixed_dtypes: ClassVar[bool] = False
    # Whether an operand with a batch axis alone stretches along the others' sequences by itself.
    broadcasts_over_sequence: ClassVar[bool] = False
    # In files: names of attributes that are not their field's in camel case, and kinds that
    # annotations do not tell.
    disk_names: ClassVar[Mapping[str, str]] = {}
    disk_kinds: ClassVar[Mapping[str, DiskKind]] = {}
    # Whether files hold the operands in reverse order.
    reversed_on_disk: ClassVar[bool] = False

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        taken = [
            name
            for name in cls.__dict__.get("__annotations__", ())
            if callable(getattr(Op, name, None))
        ]
        if taken:
            raise TypeError(
                f"{cls.__name__}: a field cannot be called '{taken[0]}': operations have a method "
                f"of that name"
            )

    @property
    def output_count(self) -> int:
        """Number of outputs."""
        return 1

    def check(self) -> None:
        """Refuse attributes that no such operation can have: called before it is put into a graph.

        Raises:
            GraphError: saying which attribute it is.
        """
        for name in _numbers_of(type(self)):
            value = getattr(self, name)
            for number in value if isinstance(value, tuple) else (value,):
                if (
                    number is None
                    or math.isfinite(number)
                    or (name in self.endless and number == math.inf)
                ):
                    continue
                raise GraphError(f"{name} must be a finite number, got {number:g}")

    @abstractmethod
    def infer(self, *operands: TensorType) -> TensorType | tuple[TensorType, ...]:
        """Infer the outputs' types. Pure; called when every operand's rank and axes are known."""

    def infer_partial(self, *operands: TensorType) -> TensorType | None:
        """Infer the output's type inside a loop, where an operand may still be unknown; None if
        nothing can be said.
        """
        return None

    def infer_known(self, *operands: TensorType) -> TensorType | None:
        """Infer from the operands that are known what the output is, in a loop or not; None if
        nothing can be said.

        The output of an operation that lies on its operands' dynamic axes has those of the first
        operand that has any.
        """
        if not self.keeps_axes:
            return None
        axes = next(
            (t.dynamic_axes for t in operands if t.has_axes and t.dynamic_axes), UNKNOWN_AXES
        )
        return TensorType(UNKNOWN_SHAPE, axes, common_dtype(operands))

    def complete(self, *operands: TensorType) -> tuple[TensorType, ...]:
        """Return the operands' types with inferred dimensions (-1) filled in where the other
        operands settle them.
        """
        return operands

    def lower(self, *operands: TensorType) -> Kernel | RunKernel | StreamKernel | CarryingKernel:
        """Return a function over raw tensors that computes the operation; called once per plan."""
        raise NotImplementedError(f"{self.op_name} is not computed by itself")

    def multiplications(self, operands: tuple[TensorType, ...], result: TensorType) -> int:
        """About how many multiplications one row of the result takes, beyond touching each element
        once.

        Args:
            operands: the operands' types, with definite sizes.
            result: the type of the first result.
        """
        return 0

    def bind_axis_names(self, operands: Sequence[Variable]) -> Op:
        """Return the same operation once its operands' types are known, where an attribute is
        named after the operands.
        """
        return self

    def output_name(self, index: int, name: str) -> str:
        """Return an output's name, from the program's name for the operation."""
        return name

    def positions(self, *operands: TensorType) -> tuple[Positions | None, ...]:
        """For each operand where the result's elements lie on it, along the last two axes; None if
        nowhere.

        Args:
            operands: the operands' types, complete.
        """
        if not self.pointwise:
            return (None,) * len(operands)
        planes = [t.shape[-2:] if t.rank > 1 else (1, 1) for t in operands]
        whole = tuple(map(max, zip(*planes, strict=True)))
        return tuple(
            SAME_POSITIONS if t.rank > 1 and t.shape[-2:] == whole else None for t in operands
        )

    def attributes(self) -> dict[str, Any]:
        """Return the attributes by their names on disk."""
        return {name: getattr(self, field) for field, name in self.disk_fields().items()}

    @classmethod
    def disk_fields(cls) -> dict[str, str]:
        """Return the names on disk of the fields."""
        return {f.name: cls.disk_names.get(f.name) or disk_name(f.name) for f in fields(cls)}  # type: ignore[arg-type]

    @classmethod
    def from_file(cls, values: Mapping[str, Any], operands: Sequence[Variable]) -> Self:
        """Return the operation that a file describes.

        Args:
            values: fields that the file has.
            operands: the operands, for operations that take some of their attributes from constants
                among them.
        """
        return cls(**values)

    def canonical_for_disk(self, *operands: TensorType) -> Op:
        """Return the same operation as files hold it, where operands' types decide what an
        attribute means.
        """
        return self


@cache
def _numbers_of(cls: type[Op]) -> tuple[str, ...]:
    """Return the attributes that are numbers with a fraction, or several, but for those that
    results are filled with.
    """
    return tuple(
        f.name
        for f in fields(cls)  # type: ignore[arg-type]
        if str(f.type).startswith(("float", "tuple[float")) and f.name not in cls.filling
    )


def disk_name(field_name: str) -> str:
    """Return the name on disk of an attribute: ``dropout_rate`` is ``dropoutRate``."""
    head, *tail = field_name.split("_")
    return head + "".join(part.capitalize() for part in tail)


registry: dict[PrimitiveOp, type[Op]] = {}
OpClass = TypeVar("OpClass", bound=type[Op])


def primitive(number: PrimitiveOp) -> Callable[[OpClass], OpClass]:
    """Register an operation under its number on disk.

    Args:
        number: the number; each may be taken once.

    Raises:
        ValueError: if the number is taken.
    """

    def register(cls: OpClass) -> OpClass:
        known = registry.get(number)
        if known is not None and (known.__module__, known.__qualname__) != (
            cls.__module__,
            cls.__qualname__,
        ):
            raise ValueError(
                f"{number.name} ({int(number)}) is declared twice: {known.__name__} and "
                f"{cls.__name__}"
            )
        cls.primitive = number
        cls.op_name = cls.__dict__.get("op_name") or number.name
        registry[number] = cls
        return cls

    return register


def fill(shape: tuple[int, ...], source: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape with its inferred dimensions taken from another of the same rank."""
    return tuple(s if d == InferredDimension else d for d, s in zip(shape, source, strict=True))
