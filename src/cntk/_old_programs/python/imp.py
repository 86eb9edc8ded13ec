"""Replacement of `imp`, by importlib."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
import tokenize
from collections.abc import Sequence
from importlib import reload as reload
from types import ModuleType
from typing import Any

(
    SEARCH_ERROR,
    PY_SOURCE,
    PY_COMPILED,
    C_EXTENSION,
    PY_RESOURCE,
    PKG_DIRECTORY,
    C_BUILTIN,
    PY_FROZEN,
) = range(8)

Description = tuple[str, str, int]


def new_module(name: str) -> ModuleType:
    """Return an empty module."""
    return ModuleType(name)


def get_magic() -> bytes:
    """Return the first bytes of compiled files."""
    return importlib.util.MAGIC_NUMBER


def get_suffixes() -> list[Description]:
    """Return the endings of files that hold modules."""
    machinery = importlib.machinery
    return [
        *((end, "rb", C_EXTENSION) for end in machinery.EXTENSION_SUFFIXES),
        *((end, "r", PY_SOURCE) for end in machinery.SOURCE_SUFFIXES),
        *((end, "rb", PY_COMPILED) for end in machinery.BYTECODE_SUFFIXES),
    ]


def cache_from_source(path: str, debug_override: bool | None = None) -> str:
    """Return where the compiled file of a source lies."""
    return importlib.util.cache_from_source(path, debug_override)


source_from_cache = importlib.util.source_from_cache


def acquire_lock() -> None:
    """Do nothing: imports lock by themselves."""


release_lock = acquire_lock


def lock_held() -> bool:
    """Return False: there is no lock over all imports."""
    return False


def find_module(
    name: str, path: Sequence[str] | None = None
) -> tuple[Any, str | None, Description]:
    """Find a module and return the open file, its path and what kind of file it is.

    Raises:
        ImportError: there is none.
    """
    if path is None and name in sys.builtin_module_names:
        return None, None, ("", "", C_BUILTIN)
    for folder in sys.path if path is None else path:
        package = os.path.join(folder, name)
        if os.path.isfile(os.path.join(package, "__init__.py")):
            return None, package, ("", "", PKG_DIRECTORY)
        for suffix, mode, kind in get_suffixes():
            file = package + suffix
            if os.path.isfile(file):
                return (
                    tokenize.open(file) if kind == PY_SOURCE else open(file, mode),
                    file,
                    (suffix, mode, kind),
                )
    raise ImportError(f"No module named {name!r}", name=name)


def load_module(name: str, file: Any, filename: str, details: Description) -> ModuleType:
    """Load what `find_module` found; a module that is loaded already is loaded anew."""
    kind = details[2]
    if kind == C_BUILTIN:
        return importlib.import_module(name)
    if kind == PKG_DIRECTORY:
        return _load(name, os.path.join(filename, "__init__.py"), [filename])
    return _load(name, filename)


def load_source(name: str, pathname: str, file: Any = None) -> ModuleType:
    """Load a module from a source file, whatever its ending."""
    return _load(name, pathname, loader=importlib.machinery.SourceFileLoader(name, pathname))


def load_compiled(name: str, pathname: str, file: Any = None) -> ModuleType:
    """Load a module from a compiled file."""
    return _load(name, pathname, loader=importlib.machinery.SourcelessFileLoader(name, pathname))


def load_dynamic(name: str, path: str, file: Any = None) -> ModuleType:
    """Load a module from a shared library."""
    return _load(name, path, loader=importlib.machinery.ExtensionFileLoader(name, path))


def load_package(name: str, path: str) -> ModuleType:
    """Load a package from its folder."""
    return load_module(name, None, path, ("", "", PKG_DIRECTORY))


def _load(name: str, path: str, search: list[str] | None = None, loader: Any = None) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        name, path, loader=loader, submodule_search_locations=search
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no module", name=name, path=path)
    module = sys.modules.get(name) or importlib.util.module_from_spec(spec)
    vars(module).update(__spec__=spec, __loader__=spec.loader, __file__=path)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return sys.modules[name]
