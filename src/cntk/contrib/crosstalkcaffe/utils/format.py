"""Names in files and in Python, and files in JSON."""

from __future__ import annotations

import json
import re
from typing import Any

from cntk.errors import DataError
from cntk.io._text.encoding import text_of

__all__ = ["camel_to_snake", "json_parser"]


def camel_to_snake(camel_string: str) -> str:
    """Return a name as Python writes it.

    Example:
        >>> camel_to_snake("CntkModelPath"), camel_to_snake("LRN"), camel_to_snake("Conv2")
        ('cntk_model_path', 'lrn', 'conv_2')
    """
    found = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", camel_string)
    found = re.sub(r"(.)([0-9]+)", r"\1_\2", found)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", found).lower()


def json_parser(path: str) -> dict[str, Any]:
    """Return what a file in JSON holds.

    Args:
        path: its path. What stands behind the first object is passed over.

    Raises:
        DataError: (a ValueError and RuntimeError) if it holds no object.
    """
    try:
        found = json.JSONDecoder().raw_decode(text_of(path).lstrip())[0]
    except ValueError as error:
        raise DataError(f"'{path}' is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise DataError(f"'{path}' must hold an object in JSON, and holds a {type(found).__name__}")
    return found
