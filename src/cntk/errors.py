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

from collections.abc import Callable

from cntk._wording import Escaped, operation_text

__all__ = [
    "ArgumentError",
    "CheckpointStateError",
    "ConversionError",
    "DataError",
    "FeedError",
    "FileFormatError",
    "GraphError",
    "LearnerStateError",
    "ModelNotFoundError",
    "NoDeviceError",
    "NodeAsSizeError",
    "NotEnoughMemoryError",
    "NotFiniteError",
    "NotWritableError",
    "RangeError",
    "ReleasedError",
    "SequenceStartsError",
    "SettingError",
    "StateCountError",
    "TornCheckpointError",
    "UnknownNameError",
    "UserFunctionError",
]


class GraphError(Escaped, ValueError, RuntimeError):
    """Raised where operands do not fit an operation, while a graph is built or completed.

    A ValueError and a RuntimeError: the original raises one or the other. Way out: bring the
    operands to the shapes, dtypes and dynamic axes that the message asks for, or use the operation
    that it names.

    Attributes:
        reason: what is wrong, without the operation and its operands; None while these are still to
            be named.
    """

    reason: str | None = None


class ArgumentError(Escaped, TypeError, ValueError, NotImplementedError):
    """Raised for an argument of a type that cannot be used, as None or a string where an operand is
    expected.

    A TypeError, a ValueError and a NotImplementedError, which is a RuntimeError: the original
    raises one of these, as Python, NumPy or its native layer is the first to notice. Way out: give
    what the message expects.
    """


class RangeError(ArgumentError, OverflowError):
    """Raised for a number that is too small or too large.

    The original raises OverflowError where a negative number comes to its native layer, ValueError
    or others elsewhere.
    """


class FeedError(Escaped, ValueError, RuntimeError, TypeError):
    """Data given for a variable do not fit it; raised where a graph is evaluated or trained.

    A ValueError, a RuntimeError and a TypeError. Way out: give samples of the variable's shape, or
    a list of sequences where it has a sequence axis, for every argument.
    """


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
    """A function that the program wrote itself failed, or its result does not fit.

    A ValueError and a RuntimeError. Way out: mend the method that the message names; the error's
    ``__cause__`` tells the line.
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

    A RuntimeError, as the original raises for most of these, and a ValueError, as for some. Way
    out: mend the file there; ``max_errors`` of a source leaves out as many malformed samples.
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
    """No device is left to run on: all are excluded or locked by other processes.

    A RuntimeError. Way out: `cntk.device.set_excluded_devices` with fewer devices.
    """


class NotEnoughMemoryError(MemoryError, RuntimeError):
    """Raised where a result, or a value, is larger than the free memory; the original raises
    RuntimeError.
    """


class ReleasedError(RuntimeError):
    """A `Value` was read after its function ran again.

    A RuntimeError. Way out: read it before, or have results as NumPy arrays (``as_numpy=True``).
    """


class FileFormatError(Escaped, ValueError, RuntimeError):
    """A model, a checkpoint or a dictionary is cut short, damaged, not of this kind, or holds what
    cannot be read or written.

    A ValueError and a RuntimeError. Way out: save the model again, or give the path of the file
    that was meant.
    """


class TornCheckpointError(FileFormatError):
    """A model and the states beside it are not of the same checkpoint.

    Way out: go on from a checkpoint of which both files were copied.
    """


class ModelNotFoundError(FileNotFoundError, ValueError, RuntimeError):
    """There is no such file to load or to go on from.

    A FileNotFoundError; a ValueError too, as the original raises for models, and a RuntimeError, as
    it does for checkpoints. Way out: the message tells a file of nearly that name, if there is one.
    """


class LearnerStateError(RuntimeError):
    """A checkpoint's learner is of another kind than the one to be restored, or had other
    parameters.

    A RuntimeError. Way out: make the trainer with the learner that the checkpoint was saved with.
    """


class NotWritableError(OSError, RuntimeError):
    """A file cannot be written.

    An OSError, and a RuntimeError as in the original. Way out: a path that this user may write to,
    on a disk with room. Its `errno` and `filename` are those of the system's error, where there was
    one.
    """

    def __str__(self) -> str:
        return self.strerror or super().__str__()


class UnknownNameError(AttributeError):
    """There is no such name; the text says which one was probably meant.

    Args:
        text: what has no such name.
        hint: gives what to add.
    """

    def __init__(self, text: str, hint: Callable[[], str] = str) -> None:
        super().__init__(text)
        self._hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]}{self._hint()}"

    def __reduce__(self) -> tuple[type[AttributeError], tuple[str]]:
        return AttributeError, (str(self),)  # a hint is no data


def __dir__() -> list[str]:
    return [*__all__]
