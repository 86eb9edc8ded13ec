"""The generator against the standard's own check value, and against numbers that the original drew."""

from __future__ import annotations

import numpy as np
import pytest

from cntk._engine.mersenne_twister import MersenneTwister64


def test_the_standards_check_value():
    assert MersenneTwister64(5489).words(10000)[-1] == 9981545732273789042


@pytest.mark.parametrize("draw", ["words", "uniform", "normal"])
def test_pieces_of_a_stream_join_to_the_whole(draw):
    whole = getattr(MersenneTwister64(12), draw)(70_000)
    pieces = MersenneTwister64(12)
    joined = np.concatenate([getattr(pieces, draw)(n) for n in (1, 2, 0, 311, 312, 313, 9_061, 60_000)])
    np.testing.assert_array_equal(joined, whole)


@pytest.mark.parametrize(
    "seed, where, values, total, absolute",
    [  # the first three of each list lie in the tail, which one number in 2500 does
        (0, [4462, 7584, 19999], [3.8560881615789673, 3.455383450123726, 0.38571391395772714], 288.9578053795987,
         15931.148839238675),
        (5, [348, 5362, 7908], [3.889850944249801, -3.5310266413437392, -3.534925088657818], 75.01029074849194,
         15984.280703443123),
    ],
)  # fmt: skip
def test_normal_numbers_are_the_originals(seed, where, values, total, absolute):
    numbers = MersenneTwister64(seed).normal(20_000)
    np.testing.assert_allclose(numbers[where], values, rtol=1e-13)
    assert numbers.sum() == pytest.approx(total, abs=1e-9)
    assert np.abs(numbers).sum() == pytest.approx(absolute, abs=1e-9)


def test_uniform_numbers_stay_below_one():
    numbers = MersenneTwister64(3).uniform(200_000)
    assert 0 <= numbers.min() < 1e-4 and 1 - 1e-4 < numbers.max() < 1


def test_words_after_normals_are_the_ones_not_used():
    stream, reference = MersenneTwister64(8), MersenneTwister64(8)
    stream.normal(1000)
    following = stream.words(5)
    words = reference.words(1200)
    assert following[0] in words[1000:]
    at = int(np.flatnonzero(words == following[0])[0])
    np.testing.assert_array_equal(words[at : at + 5], following)
