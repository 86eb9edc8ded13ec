"""Functions: what they are, how they are cloned, and how Python functions become them."""

from cntk._graph.define import BlockFunction
from cntk._graph.function import CloneMethod, Function

__all__ = ["BlockFunction", "CloneMethod", "Function"]
