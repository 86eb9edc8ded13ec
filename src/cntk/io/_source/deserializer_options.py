"""Options of deserializers that have no argument, by their names in the original's configuration or
after its manner.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from cntk._errors import DataError


def set_option(
    reader: str, options: dict[str, int], least: Mapping[str, int], option: str, value: Any
) -> None:
    """Set an option of a deserializer.

    Args:
        reader: whose it is, for errors.
        options: what is set.
        least: the least value of each option that there is.
        option: its name.
        value: an integer, or a truth value.

    Raises:
        KeyError: for any other option.
        DataError: for any other value.
    """
    if option not in least:
        raise KeyError(f"{reader} has no option {option!r}; it has {', '.join(map(repr, least))}")
    if not isinstance(value, (int, np.integer)) or value < least[option]:
        raise DataError(
            f"{reader}: {option} must be a whole number, {least[option]} or more, got {value!r}"
        )
    options[option] = int(value)
