"""Records the public interface of the original toolkit, CNTK 2.7, as facts: names, parameters,
their order, defaults.

Run by hand with the original's own interpreter; `test_api.py` compares this package with what it
prints:

    python3.6 tests/api/record_api.py > tests/api/api_of_the_original.json
"""

import importlib
import inspect
import json
import pkgutil
import types

from described import described_signature

import cntk

LEFT_OUT = (
    "cntk.cntk_py",
    "cntk.internal",
    "cntk.conftest",
    "cntk.sample_installer",
    "cntk.contrib.crosstalk",
)


def module_names():
    found = ["cntk"]
    for module in pkgutil.walk_packages(cntk.__path__, "cntk.", onerror=lambda name: None):
        parts = module.name.split(".")
        private = any(part.startswith("_") or part in ("tests", "test") for part in parts)
        if not private and not module.name.startswith(LEFT_OUT):
            found.append(module.name)
    return found


def members(cls):
    """The public members of the class itself and of mixins; other bases are listed themselves, or
    native.
    """
    found = {}
    for base in reversed(cls.__mro__):
        if base is not cls and not base.__name__.endswith("Mixin"):
            continue
        for name, member in vars(base).items():
            if name.startswith("_") and name not in ("__init__", "__call__"):
                continue
            if isinstance(member, property):
                found[name] = "property"
            elif isinstance(member, (staticmethod, classmethod)):
                found[name] = "static " + described_signature(member.__func__)
            elif inspect.isfunction(member):
                found[name] = described_signature(member)
            else:
                found[name] = "attribute"
    return found


def describe(module, value):
    """What a name stands for, or None if it is not of the public interface."""
    if isinstance(value, (bool, int, float)):
        return value
    home = getattr(value, "__module__", None) or ""
    if (
        not isinstance(value, (type, types.FunctionType))
        or not home.startswith("cntk")
        or home == "cntk.cntk_py"
    ):
        return None
    # A package's face hands on what is within; else it is there because the module uses it.
    if home != module:
        return home if module == "cntk" or home.startswith(module + ".") else None
    return members(value) if isinstance(value, type) else described_signature(value)


def main():
    api = {}
    for name in module_names():
        try:
            module = importlib.import_module(name)
        except ImportError:
            continue
        entries = {
            key: describe(name, value)
            for key, value in vars(module).items()
            if not key.startswith("_")
        }
        entries = {key: entry for key, entry in entries.items() if entry is not None}
        if entries:
            api[name] = entries
    print(json.dumps(api, indent=1, sort_keys=True))


if __name__ == "__main__":
    main()
