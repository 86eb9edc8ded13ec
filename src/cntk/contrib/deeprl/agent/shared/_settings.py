"""Configuration files of agents, in the ini format."""

from __future__ import annotations

import ast
import configparser
import io
import os
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

from cntk._arguments import as_path
from cntk._writing.whole_files import replacing

T = TypeVar("T")


def read_configuration(config_file: Any, keeps_case: bool = True) -> configparser.ConfigParser:
    """Read a configuration file.

    Args:
        config_file: its path, or a list of paths of which later ones override; ``''`` for defaults
            alone.
        keeps_case: whether names of parameters differ by case.

    Returns:
        What it says. Where there is no such file that is nothing, with a warning.

    Raises:
        configparser.Error: if it is not in the ini format.
    """
    for path in config_file if isinstance(config_file, (list, tuple)) else [config_file]:
        as_path(path, "configuration of an agent")
    config = configparser.ConfigParser()
    if keeps_case:
        config.optionxform = str  # type: ignore[assignment,method-assign]
    read = config.read(config_file)
    if not read and config_file:
        warnings.warn(
            f"there is no configuration file {config_file!r}: all parameters have defaults",
            stacklevel=4,
        )
    return config


class Settings:
    """The parameters in a configuration file, each with a default.

    Args:
        config_file: its path, or a list of paths of which later ones override; ``''`` for defaults
            alone.

    Attributes:
        config: what the file says.
    """

    def __init__(self, config_file: Any) -> None:
        self._file = config_file
        self.config = read_configuration(config_file)

    def save(self, config_file: str | os.PathLike[str]) -> None:
        """Write what the file said to another; defaults are not written.

        Args:
            config_file: the path; a file of that name is replaced once all is written, and not
                before.

        Raises:
            OSError: if it cannot be written.
        """
        text = io.StringIO()
        self.config.write(text)
        with replacing(config_file, "save") as file:
            file.write(text.getvalue().encode())

    def _text(self, section: str, key: str, default: str) -> str:
        return self.config.get(section, key, fallback=default)

    def _number(self, section: str, key: str, default: float) -> float:
        return self._converted(self.config.getfloat, section, key, default, "a number")

    def _integer(self, section: str, key: str, default: int) -> int:
        return self._converted(self.config.getint, section, key, default, "an integer")

    def _count(self, section: str, key: str, default: int) -> int:
        value = self._integer(section, key, default)
        if value < 1:
            raise ValueError(
                f"{key} in section [{section}] of {self._file!r} is {value}; expected at least 1"
            )
        return value

    def _flag(self, section: str, key: str, default: bool) -> bool:
        return self._converted(self.config.getboolean, section, key, default, "true or false")

    def _literal(self, section: str, key: str, default: str) -> Any:
        def read(section: str, key: str, *, fallback: str) -> Any:
            try:
                return ast.literal_eval(self.config.get(section, key, fallback=fallback))
            except SyntaxError as error:
                raise ValueError from error

        return self._converted(read, section, key, default, "an integer or a list of integers")

    def _converted(
        self, read: Callable[..., T], section: str, key: str, default: Any, expected: str
    ) -> T:
        try:
            return read(section, key, fallback=default)
        except ValueError as error:
            raise ValueError(
                f"{key} in section [{section}] of {self._file!r} is "
                f"{self.config.get(section, key)!r}; expected {expected}"
            ) from error
