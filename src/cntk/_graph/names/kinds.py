"""Classes that programs know by another: what they are inside is nobody's business."""

from __future__ import annotations

from typing import Any


class Kind(type):
    """Makes inner classes equal to the class that programs know.

    ``type(f) == C.Function`` is so written in programs, where the original has one class. A class
    that is declared with ``inner=True`` is equal to the class above it, and has its hash.

    Example:
        >>> class Animal(metaclass=Kind):
        ...     pass
        >>> class Tabby(Animal, inner=True):
        ...     pass
        >>> class Dog(Animal):
        ...     pass
        >>> Tabby == Animal, Dog == Animal, {Animal: 1}[Tabby]
        (True, False, 1)
    """

    known_as: Kind

    def __new__(
        mcs,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        inner: bool = False,
        **options: Any,
    ) -> Kind:
        made = super().__new__(mcs, name, bases, namespace, **options)
        above = next((base for base in bases if isinstance(base, Kind)), None)
        made.known_as = above.known_as if inner and above is not None else made
        return made

    def __init__(
        cls,
        name: str,
        bases: tuple[type, ...],
        namespace: dict[str, Any],
        inner: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(name, bases, namespace, **options)

    def __eq__(cls, other: object) -> bool:
        return cls is other or (isinstance(other, Kind) and cls.known_as is other.known_as)

    def __hash__(cls) -> int:
        return type.__hash__(cls.known_as)
