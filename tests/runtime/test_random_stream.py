"""Random words go on where they were left, in another stream and across the places where the
generator begins anew.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

import cntk as C
from cntk._runtime.random.streams import RandomStream

CPU = torch.device("cpu")


def words(stream: RandomStream, *counts: int) -> list[list[int]]:
    return [stream.uint16(count, CPU).tolist() for count in counts]


@pytest.mark.parametrize("block", [1, 3, 7, 2**26])
def test_words_go_on_at_an_offset(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    monkeypatch.setattr(RandomStream, "block", block)
    whole = RandomStream(5)
    first = words(whole, 8, 3, 1, 0, 6)
    assert whole.offset == 8 + 4 + 4 + 0 + 8
    rest = words(whole, 40, 5)
    assert words(RandomStream(5, whole.offset - 40 - 8), 40, 5) == rest
    assert words(RandomStream(5, 8), 3) == first[1:2]
    assert words(RandomStream(5), 8) == first[:1] != words(RandomStream(6), 8)


def test_words_do_not_depend_on_how_many_are_taken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RandomStream, "block", 5)
    assert sum(words(RandomStream(1), *[4] * 12), []) == words(RandomStream(1), 48)[0]


def test_blocks_have_words_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RandomStream, "block", 4)
    (found,) = words(RandomStream(9), 64)
    assert len({tuple(found[k : k + 16]) for k in range(0, 64, 16)}) == 4


def test_dropout_goes_on_after_saving_and_loading(tmp_path: Path) -> None:
    x = C.input_variable(7)
    f = C.dropout(x, 0.5, seed=4)
    data = np.ones((3, 7), np.float32)

    def dropped(function: C.Function) -> np.ndarray:
        return next(
            iter(
                function.forward({function.arguments[0]: data}, keep_for_backward=function.outputs)[
                    1
                ].values()
            )
        )

    first = dropped(f)
    f.save(tmp_path / "f")
    loaded = C.load_model(tmp_path / "f")
    assert loaded.root_function.attributes["rngOffset"] == 24
    again = [dropped(f) for _ in range(3)]
    np.testing.assert_array_equal([dropped(loaded) for _ in range(3)], again)
    assert not np.array_equal(first, again[0])
