"""Options of deserializers that are set by name, because no argument has them.

The names are those of the original's configuration files, or follow their style.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cntk.errors import DataError


def set_option(
    reader: str, options: dict[str, int], least: Mapping[str, int], option: str, value: Any
) -> None:
    """Set an option of a deserializer.

    Args:
        reader: name of the deserializer, for errors.
        options: the options by name; changed in place.
        least: the smallest allowed value of each known option.
        option: name of the option to set.
        value: its new value, an integer or a bool.

    Raises:
        KeyError: if ``option`` is not known.
        DataError: if ``value`` is not an integer, or too small.
    """
    if option not in least:
        raise KeyError(f"{reader} has no option {option!r}; it has {', '.join(map(repr, least))}")
    if not isinstance(value, (int, np.integer)) or value < least[option]:
        raise DataError(
            f"{reader}: {option} must be an integer, {least[option]} or more, got {value!r}"
        )
    options[option] = int(value)
