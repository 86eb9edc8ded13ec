"""Import hook that restores old names when the module that lacks them is imported; it imports no
module itself.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from cntk._old_programs.rows import Advice, Changed, Module, Name, Row, resolve
from cntk._old_programs.tell import Teller, is_served


class Hook(importlib.abc.MetaPathFinder):
    """Finder of the modules of a table, which restores each one's old names after it has been run.

    Args:
        table: the rows.
        teller: says what is used.
    """

    def __init__(self, table: Iterable[Row], teller: Teller) -> None:
        self.teller = teller
        self._rows: dict[str, list[Name | Changed]] = {}
        self._undo: list[Callable[[], None]] = []
        modules: dict[str, Module] = {}
        for row in table:
            if isinstance(row, Module):
                modules[row.name] = row
            elif not isinstance(row, Advice):
                self._rows.setdefault(row.owner.partition(":")[0], []).append(row)
        self._gone = GoneModules(modules, teller)

    def __enter__(self) -> Hook:
        self.install()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def install(self) -> None:
        """Serve modules that are imported from now on, and those that have been."""
        sys.meta_path.insert(0, self)
        sys.meta_path.append(self._gone)
        for name in self._rows:
            if name in sys.modules:
                self.put_names(name, sys.modules[name])

    def remove(self) -> None:
        """Leave every module as it was."""
        sys.meta_path.remove(self)
        sys.meta_path.remove(self._gone)
        for undo in reversed(self._undo):
            undo()
        self._undo.clear()
        self._gone.forget()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of the table where it would be found anyway, with a loader that restores
        its names.
        """
        if fullname not in self._rows:
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec: importlib.machinery.ModuleSpec | None = (
                find(fullname, path, target) if find is not None else None
            )
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self)
                return spec
        return None

    def put_names(self, place: str, module: ModuleType) -> None:
        """Restore the names of the table in a module."""
        rows = self._rows[place]
        names: dict[str, Name] = {}
        for row in rows:
            if isinstance(row, Changed):
                self._change(module, row)
            elif ":" in row.owner:
                self._add_member(module, row)
            elif place == "builtins":  # names are looked up there without asking for attributes
                self._set(module, row.name, _first_said(row, self.teller))
            else:
                names[row.name] = row
        if names:
            previous = vars(module).get("__getattr__")
            self._set(module, "__getattr__", _attributes(place, names, previous, self.teller))

    def _change(self, module: ModuleType, row: Changed) -> None:
        owner = _owner(module, row)
        current = getattr(owner, row.name, None) if owner is not None else None
        if current is not None:
            changed = resolve(row.value)(current, row, self.teller)
            if isinstance(current, _Unbound) or not hasattr(current, "__get__"):
                changed = _Unbound(changed)
            self._set(owner, row.name, changed)

    def _add_member(self, module: ModuleType, row: Name) -> None:
        owner = _owner(module, row)
        if owner is not None and not hasattr(owner, row.name):
            self._set(owner, row.name, _Member(row, self.teller))

    def _set(self, owner: Any, name: str, value: object) -> None:
        before = vars(owner).get(name, self)

        def undo() -> None:
            if before is not self:
                setattr(owner, name, before)
            elif _is_of_c(owner):
                _set_in_c_class(owner, name, None)
            else:
                delattr(owner, name)

        if _is_of_c(owner):
            _set_in_c_class(owner, name, value)
        else:
            setattr(owner, name, value)
        self._undo.append(undo)


IMMUTABLE = 1 << 8
"""The bit of a class's flags that says that its attributes cannot be set."""


def _is_of_c(owner: Any) -> bool:
    return isinstance(owner, type) and bool(owner.__flags__ & IMMUTABLE)


def _set_in_c_class(owner: type, name: str, value: object) -> None:
    """Set an attribute of a class that is written in C, or remove it (None); Python itself refuses
    to.
    """
    for namespace in gc.get_referents(vars(owner)):
        if type(namespace) is dict:
            if value is None:
                namespace.pop(name, None)
            else:
                namespace[name] = value
            ctypes.pythonapi.PyType_Modified(ctypes.py_object(owner))


def _first_said(row: Name, teller: Teller) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return _stand_in(row, teller)(*arguments, **options)

    return _Unbound(call)


class _Unbound:
    """A function that is not bound as a method in a class, like functions written in C."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        return self._function(*arguments, **options)

    def __reduce__(self) -> str:
        return str(vars(self)["__qualname__"])


def _owner(module: ModuleType, row: Name | Changed) -> Any:
    """Return the module or the class in it that a row is about; None if this release has no such
    class.
    """
    _, _, names = row.owner.partition(":")
    owner: Any = module
    for name in names.split(".") if names else ():
        owner = getattr(owner, name, None)
    return owner


def _attributes(
    module: str, names: dict[str, Name], previous: Callable[[str], Any] | None, teller: Teller
) -> Callable[[str], Any]:
    """Return a module's `__getattr__`, which is asked for what the module lacks."""
    everything = names.get("*")

    def attribute(name: str) -> Any:
        row = names.get(name)
        if row is not None and is_served():
            return _stand_in(row, teller)
        try:
            if previous is not None:
                return previous(name)
        except AttributeError:
            if everything is None:
                raise
        if everything is not None and not name.startswith("_") and is_served():
            value = getattr(resolve(everything.value or ""), name, None)
            if value is not None and not isinstance(value, ModuleType):
                teller.row(everything, name)
                return value
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return attribute


def _stand_in(row: Name, teller: Teller) -> Any:
    """Return what stands in for a name.

    Raises:
        AttributeError: nothing does, or what does lies in a package that is not installed.
    """
    try:
        value = None if row.value is None else resolve(row.value)
    except ImportError:
        value = None
    teller.row(row)  # first, for `from module import name` hides what an AttributeError says
    if value is None:
        raise AttributeError(f"{row.title} is gone since {row.gone}; write: {row.write}")
    return value


class _Member:
    """A removed attribute of a class: a method or a property."""

    def __init__(self, row: Name, teller: Teller) -> None:
        self._row, self._teller = row, teller

    def __get__(self, instance: object, owner: type | None = None) -> Any:
        # Others see it in dir() and expect that it is there; they are told nothing.
        value = _stand_in(self._row, self._teller if is_served() else Teller(quiet=True))
        return value.__get__(instance, owner) if hasattr(value, "__get__") else value


class _Loader(importlib.abc.Loader):
    """A loader that calls a module's own loader, and then restores names."""

    def __init__(self, loader: Any, hook: Hook) -> None:
        self._loader, self._hook = loader, hook

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        """Make the module as its own loader does."""
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Run the module; from then on its own loader is the one that is seen."""
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        name = module.__name__
        self._hook.put_names(name, sys.modules.get(name, module))


class GoneModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finder of removed modules, and of the packages that contained them."""

    def __init__(self, modules: dict[str, Module], teller: Teller) -> None:
        self._modules, self._teller = modules, teller
        self._packages = {
            name[:at] for name in modules for at, letter in enumerate(name) if letter == "."
        }
        self._provided: dict[str, tuple[ModuleType | None, str]] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a module of the table for a program that asks for it."""
        known = fullname in self._modules or fullname in self._packages
        if not known or not is_served() or not _top_exists(fullname, self._modules):
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=fullname in self._packages)

    def exec_module(self, module: ModuleType) -> None:
        """Give the module that took its place, under the old name too, or leave it empty."""
        name = module.__name__
        parent, _, last = name.rpartition(".")
        self._provided[name] = (sys.modules.get(parent), last)
        row = self._modules.get(name)
        if row is None:
            return
        if row.value is None:
            raise ModuleNotFoundError(
                f"{name} is gone since {row.gone}; write: {row.write}", name=name
            )
        self._teller.row(row)
        if row.value:
            stand_in = sys.modules[name] = resolve(row.value)
            if name in self._packages:
                # So that the modules below it are asked for.
                vars(stand_in).setdefault("__path__", [])

    def forget(self) -> None:
        """Take the modules away again."""
        for name, (parent, last) in self._provided.items():
            sys.modules.pop(name, None)
            vars(parent).pop(last, None) if parent is not None else None
        self._provided.clear()


def _top_exists(name: str, modules: dict[str, Module]) -> bool:
    """Tell whether the package that a module lay in is installed: a missing library stays
    missing.
    """
    top = name.partition(".")[0]
    return top in modules or top in sys.modules
