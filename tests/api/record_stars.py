"""Records which names a star import brings from each module of the original toolkit, CNTK 2.7.

Run by hand with the original's own interpreter; `test_stars.py` compares this package with what it
prints:

    python3.6 tests/api/record_stars.py > tests/api/stars_of_the_original.json
"""

import importlib
import json
import pkgutil

import cntk

# Examples, the toolkit's own tests, and the native layer; `test_stars.py` says why.
LEFT_OUT = (
    "cntk.contrib",
    "cntk.conftest",
    "cntk.cntk_py",
    "cntk.cntk_py_init",
    "cntk.sample_installer",
)


def module_names():
    yield "cntk"
    for module in pkgutil.walk_packages(cntk.__path__, "cntk.", onerror=lambda name: None):
        parts = module.name.split(".")
        private = any(part.startswith("_") or part in ("tests", "test") for part in parts)
        if not private and ".".join(parts[:2]) not in LEFT_OUT:
            yield module.name


def brought(module):
    space = {}
    exec("from " + module + " import *", space)  # noqa: S102
    return " ".join(sorted(set(space) - {"__builtins__"}))


def main():
    stars = {}
    for name in module_names():
        try:
            importlib.import_module(name)
        except ImportError:
            continue
        stars[name] = brought(name)
    print(json.dumps(stars, indent=0, sort_keys=True))


if __name__ == "__main__":
    main()
