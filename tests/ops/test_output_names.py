"""Names of operations' further outputs; they are the original's."""

from __future__ import annotations

import cntk as C


def test_the_indices_of_top_k_have_a_name_of_their_own() -> None:
    x = C.input_variable(3)
    assert [v.name for v in C.top_k(x, 2, name="best").outputs] == ["best", "best_TopKIndexMask"]
    assert [v.name for v in C.top_k(x, 2).outputs] == ["", ""]
