"""The generator against the standard's own check value, and against numbers that the original
drew.
"""

from __future__ import annotations

import numpy as np
import pytest

from cntk._runtime.random import mersenne_twister
from cntk._runtime.random.mersenne_jump import Recurrence
from cntk._runtime.random.mersenne_twister import _RECURRENCE, MersenneTwister64


def test_the_standards_check_value():
    assert MersenneTwister64(5489).words(10000)[-1] == 9981545732273789042


@pytest.mark.parametrize("draw", ["words", "uniform", "normal"])
def test_pieces_of_a_stream_join_to_the_whole(draw):
    whole = getattr(MersenneTwister64(12), draw)(70_000)
    pieces = MersenneTwister64(12)
    joined = np.concatenate(
        [getattr(pieces, draw)(n) for n in (1, 2, 0, 311, 312, 313, 9_061, 60_000)]
    )
    np.testing.assert_array_equal(joined, whole)


@pytest.mark.parametrize(
    "seed, where, values, total, absolute",
    [  # the first three of each list lie in the tail, which one number in 2500 does
        (
            0,
            [4462, 7584, 19999],
            [3.8560881615789673, 3.455383450123726, 0.38571391395772714],
            288.9578053795987,
            15931.148839238675,
        ),
        (
            5,
            [348, 5362, 7908],
            [3.889850944249801, -3.5310266413437392, -3.534925088657818],
            75.01029074849194,
            15984.280703443123,
        ),
    ],
)
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


# -- leaving out words -----------------------------------------------------------------------------


def stepped(seed: int, count: int) -> MersenneTwister64:
    """A generator after so many words, made one after another."""
    stream = MersenneTwister64(seed)
    for begin in range(0, count, 1 << 16):
        stream.words(min(1 << 16, count - begin))
    return stream


@pytest.mark.parametrize("taken", [0, 1, 1000])
@pytest.mark.parametrize(
    "distance", [312, 313, 623, 624, 19_936, 19_937, 19_938, 39_874, 100_003, 2**20 + 1]
)
def test_a_jump_goes_where_steps_go(
    distance: int, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mersenne_twister, "_JUMP", 0)
    jumped = MersenneTwister64(3)
    jumped.words(taken)
    jumped.skip(distance)
    reference = stepped(3, taken + distance)
    np.testing.assert_array_equal(jumped.words(1000), reference.words(1000))


def test_a_long_jump_goes_where_steps_go() -> None:
    jumped = MersenneTwister64(4)
    jumped.skip(3_000_001)
    np.testing.assert_array_equal(jumped.words(1000), stepped(4, 3_000_001).words(1000))


def test_jumps_add_up() -> None:
    once, twice = MersenneTwister64(5), MersenneTwister64(5)
    once.skip(2**64 - 1)
    twice.skip(2**63 - 12345)
    twice.words(10)
    twice.skip(2**63 + 12334)
    np.testing.assert_array_equal(once.words(1000), twice.words(1000))


def test_the_polynomial_is_that_of_the_sequence() -> None:
    words = MersenneTwister64(6)._raw(_RECURRENCE.degree + 1000)[1:]
    places = np.flatnonzero(_RECURRENCE.polynomial)
    assert places[-1] == _RECURRENCE.degree == 19937
    windows = np.lib.stride_tricks.sliding_window_view(words, 900)
    assert not np.bitwise_xor.reduce(windows[places], axis=0).any()


def test_jumps_of_the_32_bit_generator_are_numpys() -> None:
    """NumPy leaves out 2**128 words of it at a time."""
    recurrence = Recurrence(w=32, n=624, m=397, r=31, a=0x9908B0DF)
    begun = np.random.MT19937(9)
    begun.random_raw(1)  # the last word of the block that it begins with
    words = begun.state["state"]["key"].tolist()
    for k in range(recurrence.degree):
        mixed = words[k] & 0x80000000 | words[k + 1] & 0x7FFFFFFF
        words.append(words[k + 397] ^ mixed >> 1 ^ (mixed & 1) * recurrence.a)
    found = recurrence.jumped(np.array(words, np.uint64), 2**128)
    wanted = begun.jumped().state["state"]  # its oldest word stands at 'pos'
    assert found[1:].tolist() == np.roll(wanted["key"], -wanted["pos"])[1:].tolist()
