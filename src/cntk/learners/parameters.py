"""Check of the parameters that a learner is to change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cntk._arguments import shown
from cntk._wording import quoted, shape_text
from cntk.errors import ArgumentError

__all__ = ["checked_parameters"]


def checked_parameters(learner: str, parameters: Any) -> tuple[Any, ...]:
    """Return a learner's parameters as a tuple, after checking them.

    Raises:
        ValueError: for none at all, for one that is given twice, or whose shape is not known yet.
        ArgumentError: for anything but a list of parameters.
    """
    if (
        isinstance(parameters, (str, Mapping))
        or not hasattr(parameters, "__iter__")
        or hasattr(parameters, "uid")
    ):
        raise ArgumentError(
            f"{learner}: expected a list of parameters, such as model.parameters, got "
            f"{shown(parameters)}"
        )
    members = tuple(parameters)
    if not members:
        raise ValueError(
            f"{learner}: the list of parameters is empty; does the model have any "
            f"(model.parameters)?"
        )
    seen = set()
    for parameter in members:
        if not getattr(parameter, "is_parameter", hasattr(parameter, "uid")):
            raise ArgumentError(
                f"{learner}: expected parameters, got {shown(parameter)}; constants and inputs are "
                f"not learned"
            )
        if any(dimension < 0 for dimension in parameter.shape):
            raise ValueError(
                f"{learner}: parameter {quoted(parameter.name)} has shape "
                f"{shape_text(parameter.shape)}, which is still to be inferred; apply the model to "
                f"its input first"
            )
        if parameter.uid in seen:
            raise ValueError(
                f"{learner}: parameter {quoted(parameter.name)} (uid {parameter.uid}) is in the "
                f"list twice"
            )
        seen.add(parameter.uid)
    return members
