"""h5py as version 2 was: attributes that decode, files that can be written."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from cntk._old_programs.rows import Changed
from cntk._old_programs.tell import Teller, is_served


class Text(str):
    """A string that was bytes in version 2: it decodes to itself."""

    _row: Changed
    _teller: Teller

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        """Return the string."""
        self._teller.row(self._row)
        return str(self)


def text_that_decodes(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `AttributeManager.__getitem__` with strings that have `decode`."""

    def text(found: Any) -> Any:
        if type(found) is not str:
            return found
        made = Text(found)
        made._row, made._teller = row, teller
        return made

    @functools.wraps(function)
    def old(attributes: Any, name: Any) -> Any:
        found = function(attributes, name)
        if isinstance(found, np.ndarray) and found.dtype == object and is_served():
            flat = np.empty(found.size, object)
            flat[:] = [text(one) for one in found.ravel()]
            return flat.reshape(found.shape)
        return text(found) if type(found) is str and is_served() else found

    return old


def mode(function: Callable[..., Any], row: Changed, teller: Teller) -> Callable[..., Any]:
    """Return `File.__init__` that, without a mode, opens a file to write if it can, and makes it if there is none."""

    @functools.wraps(function)
    def old(file: Any, name: Any, *arguments: Any, **options: Any) -> None:
        if arguments or "mode" in options or not isinstance(name, (str, bytes, os.PathLike)) or not is_served():
            function(file, name, *arguments, **options)
            return
        writable = not os.path.exists(name) or os.access(name, os.W_OK)
        if writable:
            teller.row(row)
        function(file, name, "a" if writable else "r", **options)

    return old


def _value(dataset: Any) -> Any:
    return dataset[()]


value = property(_value)
