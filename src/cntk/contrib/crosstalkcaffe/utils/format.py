"""Conversion of names between files and Python, and reading of JSON files."""

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
    snake = re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", camel_string)
    snake = re.sub(r"(.)([0-9]+)", r"\1_\2", snake)
    return re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", snake).lower()


def json_parser(path: str) -> dict[str, Any]:
    """Return what a file in JSON holds.

    Args:
        path: its path. What stands behind the first object is passed over.

    Raises:
        DataError: (a ValueError and RuntimeError) if it holds no object.
    """
    try:
        content = json.JSONDecoder().raw_decode(text_of(path).lstrip())[0]
    except ValueError as error:
        raise DataError(f"'{path}' is no JSON: {error}") from None
    if not isinstance(content, dict):
        raise DataError(
            f"'{path}' must hold an object in JSON, and holds a {type(content).__name__}"
        )
    return content
