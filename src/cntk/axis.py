"""Axes of tensors: static ones, known by their index, and dynamic ones, known by their name."""

from __future__ import annotations

import re

from cntk._graph.names.late_names import hand_on
from cntk._wording import quoted
from cntk.errors import ArgumentError

_STATIC_NAME = "staticAxisIdx="
_ALL_STATIC, _ALL, _UNKNOWN = "AllStaticAxes", "AllAxes", "UnknownAxes"
# What stands in an index's place, for programs that ask without wanting to know and in files.
_NO_INDEX = {_ALL_STATIC: 2**31 - 2, _UNKNOWN: 2**31 - 3, _ALL: 2**31 - 5}
_LEADING_INDEX = 2**31 - 4
_BATCH, _SEQUENCE = "defaultBatchAxis", "defaultDynamicAxis"
# Names of dynamic axes so far, and the next number to try behind each that has been asked for
# again.
_known: dict[str, int] = {}


class Axis:
    """One axis of a tensor: a static one, known by its index, or a dynamic one, known by its name.

    Args:
        *args: an ``int`` (a static axis, negative ones count from the last), a name (a sequence
            axis of that name), a name and a bool (whether positions on the dynamic axis are
            ordered), or another axis.

    Raises:
        ArgumentError: for anything else.

    Example:
        >>> Axis(-1), Axis("words")
        (Axis('staticAxisIdx=-1'), Axis('words'))
        >>> Axis("words").is_sequence_axis
        True
    """

    __slots__ = ("_index", "_name", "_ordered")

    def __init__(self, *args: int | str | bool | Axis) -> None:
        self._name: str
        self._index: int | None = None
        self._ordered = True
        if len(args) == 1 and isinstance(args[0], Axis):
            other = args[0]
            self._name, self._index, self._ordered = other._name, other._index, other._ordered
        elif len(args) == 1 and isinstance(args[0], int) and not isinstance(args[0], bool):
            self._index = args[0]
            self._name = f"{_STATIC_NAME}{args[0]}"
        elif (
            args
            and isinstance(args[0], str)
            and len(args) <= 2
            and all(isinstance(a, (bool, int)) for a in args[1:])
        ):
            self._name = args[0]
            if match := re.fullmatch(_STATIC_NAME + r"(-?\d+)", self._name):
                self._index = int(match[1])
            self._ordered = (
                bool(args[1])
                if len(args) == 2
                else self._name != _BATCH and self._name not in _NO_INDEX
            )
            if self._index is None:
                _known.setdefault(self._name, 1)
        else:
            listed = repr(args[0]) if len(args) == 1 else args or "nothing"
            raise ArgumentError(f"Axis: expected an index, a name, or another Axis; got {listed}")

    @property
    def name(self) -> str:
        """The axis's name; a static axis's name contains its index."""
        return self._name

    @property
    def is_static_axis(self) -> bool:
        """True if this is one axis of a sample's shape."""
        return self._index is not None

    def is_dynamic_axis(self) -> bool:
        """Return whether this is a batch or a sequence axis.

        Example:
            >>> Axis.default_batch_axis().is_dynamic_axis(), Axis(0).is_dynamic_axis()
            (True, False)
        """
        return not self.is_static_axis

    def as_string(self) -> str:
        """Return a short description.

        Example:
            >>> Axis(1).as_string()
            "Axis('staticAxisIdx=1')"
        """
        return repr(self)

    @property
    def is_ordered(self) -> bool:
        """True if positions along the axis have an order: on static and on sequence axes."""
        return self._ordered

    @property
    def is_batch_axis(self) -> bool:
        """True if this dynamic axis counts the samples or sequences of a minibatch."""
        return self._index is None and not self._ordered and self._name not in _NO_INDEX

    @property
    def is_sequence_axis(self) -> bool:
        """True if this is the dynamic axis of a sequence."""
        return self._index is None and self._ordered

    def static_axis_index(self, checked: bool = True) -> int:
        """Return the index of a static axis.

        Args:
            checked: whether to refuse a dynamic axis; otherwise it gives a number that is no index.

        Raises:
            ValueError: for a dynamic axis, when ``checked``.
        """
        if self._index is not None:
            return self._index
        if checked:
            raise ValueError(f"{self} is a dynamic axis and has no static index")
        return _NO_INDEX.get(self._name, 2**31 - 1)

    @staticmethod
    def all_axes() -> Axis:
        """Return the axis that stands for all axes of an operand, static and dynamic: for
        reductions.
        """
        return Axis(_ALL, False)

    @staticmethod
    def all_static_axes() -> Axis:
        """Return the axis that stands for all static axes of an operand: for reductions."""
        return Axis(_ALL_STATIC, False)

    @staticmethod
    def default_batch_axis() -> Axis:
        """Return the batch axis, which every input has by default."""
        return Axis(_BATCH, False)

    @staticmethod
    def default_dynamic_axis() -> Axis:
        """Return the default sequence axis of sequence inputs."""
        return Axis(_SEQUENCE, True)

    @staticmethod
    def default_input_variable_dynamic_axes() -> tuple[Axis, Axis]:
        """Return batch and sequence axis, the original's default of sequence inputs."""
        return Axis.default_batch_axis(), Axis.default_dynamic_axis()

    @staticmethod
    def unknown_dynamic_axes() -> tuple[Axis]:
        """Return the axis that stands for the unknown axes of a placeholder."""
        return (Axis(_UNKNOWN, False),)

    @staticmethod
    def new_leading_axis() -> Axis:
        """Return the axis that stands for a new static axis before all others."""
        return Axis(_LEADING_INDEX)

    @staticmethod
    def new_unique_dynamic_axis(name: str) -> Axis:
        """Return a sequence axis that equals no other so far.

        Args:
            name: its name if no dynamic axis has it yet; else what its name begins with, before a
                number.

        Example:
            >>> [Axis.new_unique_dynamic_axis("words of a page").name for _ in range(3)]
            ['words of a page', 'words of a page1', 'words of a page2']
        """
        if not isinstance(name, str):
            raise ArgumentError(
                f"Axis.new_unique_dynamic_axis: expected a string as name, got {name!r}"
            )
        unique = name
        while unique in _known:
            unique = f"{name}{_known[name]}"
            _known[name] += 1
        return Axis(unique, True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Axis) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f"Axis({quoted(self._name)})"


hand_on(globals())
