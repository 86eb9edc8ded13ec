"""Wording and kinds of errors: what was expected, what came, and a way out."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_SHOWN = 1000


class Escaped(Exception):
    """Text that names of a file or a program may be in: no name moves the cursor, colors a terminal
    or begins a line.
    """

    def __init__(self, *args: object) -> None:
        super().__init__(*(escaped(each) if isinstance(each, str) else each for each in args))


class GraphError(Escaped, ValueError, RuntimeError):
    """An operation's operands do not fit; raised while a graph is built or completed.

    The original raises ValueError for some operations and RuntimeError for others: programs may
    catch either.

    Attributes:
        reason: what is wrong, without the operation and its operands; None while these are still to
            be named.
    """

    reason: str | None = None


class ArgumentError(Escaped, TypeError, ValueError, NotImplementedError):
    """An argument is of a kind that cannot be used, as None or a string where an operand is
    expected.

    The original raises TypeError, ValueError or NotImplementedError, which is a RuntimeError, for
    these, as Python, NumPy or its native layer is the first to notice: programs may catch any of
    them.
    """


class RangeError(ArgumentError, OverflowError):
    """A number that was given is too small or too large.

    The original raises OverflowError where a negative number comes to its native layer, ValueError
    or others elsewhere.
    """


class FeedError(Escaped, ValueError, RuntimeError, TypeError):
    """Data given for a variable do not fit it."""


class SequenceStartsError(FeedError, NotImplementedError):
    """What was given to say which sequences begin here are no such flags; the original raises one
    or the other.
    """


class NodeAsSizeError(ArgumentError, KeyError):
    """A node of a graph was given where a layer expects a size; the original looks for sizes in it
    and raises KeyError.
    """

    def __str__(self) -> str:
        return Exception.__str__(self)  # a KeyError shows its text in quotes


class StateCountError(ValueError, TypeError):
    """There are not as many initial states as states; the original raises TypeError."""


class SettingError(ArgumentError):
    """A number or list that was given to set something up, as a learner's option or a schedule,
    cannot be used.
    """


class UserFunctionError(ValueError, RuntimeError):
    """A function that the program wrote itself failed or gave something that does not fit; the
    cause tells where.
    """

    @classmethod
    def of(cls, op_name: str, name: str, method: str, error: Exception) -> UserFunctionError:
        """The error for an exception in one of a user function's methods."""
        return cls(
            f"{operation_text(op_name, name)}: {method} raised {type(error).__name__}: {error}"
        )


class NotFiniteError(RuntimeError, FloatingPointError):
    """Numbers became infinite, or NaN, while that is looked for; the original raises RuntimeError
    in checked mode.

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
    """A file of data cannot be read; the error tells the file and the place in it.

    The original raises RuntimeError for most of these and ValueError for some: programs may catch
    either.
    """


class CheckpointStateError(ValueError, RuntimeError, TypeError, KeyError):
    """What a program gave is no state that a reader goes on from; the original raises KeyError or
    TypeError.
    """

    def __str__(self) -> str:
        return Exception.__str__(self)  # a KeyError shows its text in quotes


class ConversionError(Escaped, ValueError, AssertionError):
    """A model has something in it that a converter has no counterpart for; the original raises
    AssertionError for most.
    """


class NoDeviceError(RuntimeError):
    """Raised where no device is left to run on."""


class NotEnoughMemoryError(MemoryError, RuntimeError):
    """An operation's result, or a value, is larger than the memory that is left; the original
    raises RuntimeError.
    """


class ReleasedError(RuntimeError):
    """A result was read after its memory went back to the engine."""


def shape_text(shape: Iterable[int]) -> str:
    """A shape as errors and graphs show it: ``[3 x 4]``, ``?`` for a dimension not known yet, ``*``
    for a free one.

    Example:
        >>> shape_text((3, -1, -3))
        '[3 x ? x *]'
    """
    shape = tuple(shape)
    if shape == (-2,):
        return "[???]"
    return "[" + " x ".join({-1: "?", -3: "*"}.get(d, str(d)) for d in shape) + "]"


def escaped(text: str) -> str:
    r"""Escape what is not printable in a string: its names move no cursor, color no terminal and
    turn no line around.

    Example:
        >>> print(escaped("new\nline \x1b[31m größe"))
        new\nline \x1b[31m größe
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def quoted(name: str) -> str:
    """A name as errors show it, in quotes and escaped; of a very long one the beginning."""
    return f"'{escaped(name[:_LONGEST_SHOWN])}{'...' * (len(name) > _LONGEST_SHOWN)}'"


def operation_text(op_name: str, name: str = "") -> str:
    """An operation as errors name it: its kind, and its name in the graph where it has one."""
    return f"{escaped(op_name)} {quoted(name)}" if name else escaped(op_name)
