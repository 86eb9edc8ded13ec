"""Errors that programs may catch.

A message names the operation, what was expected, what came, and a way out. Each class is also the
built-in class that the original raises in its place: programs written for the original catch what
they always did.

Example:
    >>> import cntk as C
    >>> x, y = C.input_variable(2), C.input_variable(3)
    >>> try:
    ...     x + y
    ... except C.errors.GraphError as error:
    ...     print(error)
    Plus: static axis -1 of the operands must agree or be 1, but has 2, 3; ...
"""

from __future__ import annotations

from cntk._wording import Escaped, operation_text

__all__ = [
    "ArgumentError",
    "CheckpointStateError",
    "ConversionError",
    "DataError",
    "FeedError",
    "GraphError",
    "NoDeviceError",
    "NodeAsSizeError",
    "NotEnoughMemoryError",
    "NotFiniteError",
    "RangeError",
    "ReleasedError",
    "SequenceStartsError",
    "SettingError",
    "StateCountError",
    "UserFunctionError",
]


class GraphError(Escaped, ValueError, RuntimeError):
    """Raised where operands do not fit an operation, while a graph is built or completed.

    The original raises ValueError for some operations and RuntimeError for others: programs may
    catch either.

    Attributes:
        reason: what is wrong, without the operation and its operands; None while these are still to
            be named.
    """

    reason: str | None = None


class ArgumentError(Escaped, TypeError, ValueError, NotImplementedError):
    """Raised for an argument of a type that cannot be used, as None or a string where an operand is
    expected.

    The original raises TypeError, ValueError or NotImplementedError, which is a RuntimeError, for
    these, as Python, NumPy or its native layer is the first to notice: programs may catch any of
    them.
    """


class RangeError(ArgumentError, OverflowError):
    """Raised for a number that is too small or too large.

    The original raises OverflowError where a negative number comes to its native layer, ValueError
    or others elsewhere.
    """


class FeedError(Escaped, ValueError, RuntimeError, TypeError):
    """Raised for data that do not fit their variable."""


class SequenceStartsError(FeedError, NotImplementedError):
    """Raised for flags of sequence starts that are no such flags; the original raises one or the
    other.
    """


class NodeAsSizeError(ArgumentError, KeyError):
    """Raised for a node of a graph where a layer expects a size; the original looks for sizes in it
    and raises KeyError.
    """

    def __str__(self) -> str:
        return Exception.__str__(self)  # a KeyError shows its text in quotes


class StateCountError(ValueError, TypeError):
    """Raised where the number of initial states is not that of the states; the original raises
    TypeError.
    """


class SettingError(ArgumentError):
    """Raised for a number or list that cannot be used as a setting, such as a learner's option or a
    schedule.
    """


class UserFunctionError(ValueError, RuntimeError):
    """Raised where a user-defined function fails or returns something that does not fit; the cause
    tells where.
    """

    @classmethod
    def of(cls, op_name: str, name: str, method: str, error: Exception) -> UserFunctionError:
        """Return the error for an exception in one of a user function's methods."""
        return cls(
            f"{operation_text(op_name, name)}: {method} raised {type(error).__name__}: {error}"
        )


class NotFiniteError(RuntimeError, FloatingPointError):
    """Raised where numbers became infinite or NaN, while that is checked; the original raises
    RuntimeError in checked mode.

    Attributes:
        direction: ``"forward"``, ``"backward"`` or ``"update"``: in which pass.
        operation: the kind of the operation where they arose, such as ``"Exp"``; empty where it was
            none.
        name: its name in the graph, or that of the parameter or input that held them.
        uid: its uid.
        minibatch: the number of the minibatch, from 1, counted by the trainer; 0 outside a
            training.
    """

    def __init__(
        self,
        text: str,
        direction: str = "forward",
        operation: str = "",
        name: str = "",
        uid: str = "",
        minibatch: int = 0,
    ) -> None:
        super().__init__(text)
        self.direction, self.minibatch = direction, minibatch
        self.operation, self.name, self.uid = operation, name, uid


class DataError(Escaped, ValueError, RuntimeError):
    """Raised where a data file cannot be read; the message names the file and the position in it.

    The original raises RuntimeError for most of these and ValueError for some: programs may catch
    either.
    """


class CheckpointStateError(ValueError, RuntimeError, TypeError, KeyError):
    """Raised for a state that no reader can be restored from; the original raises KeyError or
    TypeError.
    """

    def __str__(self) -> str:
        return Exception.__str__(self)  # a KeyError shows its text in quotes


class ConversionError(Escaped, ValueError, AssertionError):
    """Raised where a converter has no counterpart for a part of a model; the original raises
    AssertionError for most.
    """


class NoDeviceError(RuntimeError):
    """Raised where no device is left to run on."""


class NotEnoughMemoryError(MemoryError, RuntimeError):
    """Raised where a result, or a value, is larger than the free memory; the original raises
    RuntimeError.
    """


class ReleasedError(RuntimeError):
    """Raised where a result is read after its memory was reused."""
