"""Everything that cntkx offers, a library written on CNTK, gives what it gives on the original.

The library is not installed with this package: `pip install cntkx==0.1.54`, or put it on the path.
What it gives on the original was recorded by `record_cntkx`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from tests.against_original.record_cntkx import read

pytest.importorskip("cntkx", reason="pip install cntkx==0.1.54", exc_type=ImportError)
from tests.against_original.cntkx_calls import ALONE, CASES, result

pytestmark = [
    pytest.mark.filterwarnings("ignore:batch_normalization"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:cntkx"),
]

RECORDED = read()
# Stages that fail on the original, with the reason, and give a result here.
BROKEN = {
    ("BertEmbeddings", "gradients"): "the loss alone has a sparse constant as its operand",
    (
        "PreTrainedBertEmbeddings",
        "gradients",
    ): "the loss alone has a sparse constant as its operand",
    ("PositionalEmbedding", "gradients"): "one_hot has no gradient",
    ("PositionalEmbedding", "trained"): "one_hot has no gradient",
    ("SequentialConvolution groups", "output"): "convolutions along sequences take no groups",
    ("sample_top_k", "gradients"): "one_hot has no gradient",
}


def close(one: Any, other: Any) -> bool:
    scale = float(np.abs(other[np.isfinite(other)]).max(initial=0))
    return one.shape == other.shape and np.allclose(
        one, other, rtol=1e-4, atol=max(1e-5, 2e-5 * scale), equal_nan=True
    )


def test_every_case_is_recorded() -> None:
    assert sorted(RECORDED) == sorted([*CASES, *ALONE])


@pytest.mark.parametrize("name", RECORDED)
def test_gives_what_the_original_gave(name: str) -> None:
    ours, theirs = result(name), RECORDED[name]
    for stage, expected in theirs.items():
        found, reason = ours.get(stage), ours.get(f"{stage} message", "")
        if isinstance(expected, str):
            assert isinstance(found, str) != ((name, stage) in BROKEN), (
                f"{stage}: {found}, not {expected}: {reason}"
            )
            continue
        assert isinstance(found, list), f"{stage}: {found}: {reason}"
        assert [x.shape for x in found] == [x.shape for x in expected], stage
        for k, (one, other) in enumerate(zip(found, expected, strict=True)):
            assert close(one, other), f"{stage} {k}:\n{one}\nis not\n{other}"
