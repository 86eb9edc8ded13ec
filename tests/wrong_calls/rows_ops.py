"""Wrong calls of operations."""

from __future__ import annotations

import cntk as C
from tests.wrong_calls.checker import wrong
from tests.wrong_calls.nodes import something

ROWS = [
    wrong("relu", lambda v: C.relu(v.x, v.y), "as name", "Input", error=NotImplementedError),
    wrong("relu", lambda v: C.relu(None), "operand", "NoneType", error=ValueError),
    wrong("relu", lambda v: C.relu("text"), "operand", "str", error=ValueError),
    wrong("relu", lambda v: C.relu(something()), "operand", error=ValueError),
    wrong("relu", lambda v: C.relu([]), "operand", r"\[\]", "empty", error=ValueError),
    wrong("relu", lambda v: C.relu(v.x, nam="n"), "nam", error=TypeError),
    wrong("relu", lambda v: C.relu(), "missing", error=TypeError),
    wrong("plus", lambda v: C.plus(v.x, [[1, 2], [3]]), "different length", error=ValueError),
]
