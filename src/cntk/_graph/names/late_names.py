"""Names that a module hands out though it does not define them: they live in `cntk.internal.names`,
floors above.
"""

from __future__ import annotations

from typing import Any

from cntk._graph.names.handed_on import handed_on
from cntk._graph.names.misspelt import unknown_name


def hand_on(namespace: dict[str, Any]) -> None:
    """Have a module hand out what the original's does, asked for by name or by a star import.

    Called at a module's end. What begins with one underscore is found by name alone.

    Args:
        namespace: the module's ``globals()``.
    """
    module: str = namespace["__name__"]
    names = handed_on(module)

    def find(name: str) -> Any:
        if name == "__all__":  # of a module that has none: a star import brings all that is public
            own = [
                key
                for key, value in namespace.items()
                if not key.startswith("_") and value is not hand_on
            ]
            return [*dict.fromkeys([*own, *names])]
        if name not in names and (not name.startswith("_") or name.startswith("__")):
            raise unknown_name(module, name, lambda: [*namespace, *names])
        from cntk.internal.names import name_in

        return name_in(module, name)

    def listed() -> list[str]:
        """Return the names for completion: those of a star import, and those that Python adds."""
        added = (key for key in namespace if key.startswith("__"))
        public = namespace["__all__"] if "__all__" in namespace else find("__all__")
        return sorted({*public, *added})

    namespace["__getattr__"], namespace["__dir__"] = find, listed
    if "__all__" in namespace:
        namespace["__all__"] = [*dict.fromkeys([*namespace["__all__"], *names])]
