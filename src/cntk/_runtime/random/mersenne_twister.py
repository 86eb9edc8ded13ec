"""The original's random numbers: the 64-bit Mersenne Twister, and uniform and normal numbers drawn
from it.

Seeded initial values, random operations, dropout and injected noise of the original all come from
this generator, so a program that sets a seed sees the very same numbers here. Words are made in
blocks with NumPy.

M. Matsumoto, T. Nishimura: "Mersenne Twister: a 623-dimensionally equidistributed uniform
pseudorandom number generator", ACM TOMACS 8(1), 1998; T. Nishimura: "Tables of 64-bit Mersenne
Twisters", ACM TOMACS 10(4), 2000. G. Marsaglia, W. W. Tsang: "The Ziggurat method for generating
random variables", J. Stat. Software 5(8), 2000.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from cntk._runtime.random.mersenne_jump import Recurrence

_Words = npt.NDArray[np.uint64]
_Doubles = npt.NDArray[np.float64]

_STATE = 312
_MIDDLE = 156
# The twist of one word needs the next word too, so all but the last can be made at once.
_STEP = _STATE - 1
_BLOCK = 1 << 16
_LOW_BITS = (1 << 31) - 1
_UPPER, _LOWER = np.uint64(~_LOW_BITS & (1 << 64) - 1), np.uint64(_LOW_BITS)
_TWIST = np.uint64(0xB5026F5AA96619E9)
_RECURRENCE = Recurrence(w=64, n=_STATE, m=_MIDDLE, r=31, a=int(_TWIST))
# Fewer words are sooner made than jumped over.
_JUMP = 1 << 21
_ONE = np.uint64(1)
_WORD_RANGE = 2.0**64

_LAYERS = 128
_BASE = 3.4426198558966521214  # where the tail begins, for 128 layers of equal area


def _ziggurat() -> tuple[_Doubles, _Doubles]:
    """Right edges of the layers, from the bottom to the top, and the density there."""
    density = math.exp(-_BASE * _BASE / 2)
    area = _BASE * density + math.sqrt(math.pi / 2) * math.erfc(_BASE / math.sqrt(2))
    edges = [area / density, _BASE]
    while len(edges) < _LAYERS:
        edges.append(math.sqrt(-2 * math.log(math.exp(-(edges[-1] ** 2) / 2) + area / edges[-1])))
    x = np.array([*edges, 0.0])
    return x, np.exp(-x * x / 2)


_EDGE, _DENSITY = _ziggurat()


class MersenneTwister64:
    """A stream of random numbers.

    Args:
        seed: a number of up to 64 bits; the same seed gives the same stream, which is that of C++'s
            ``mt19937_64``.

    Example:
        >>> MersenneTwister64(5489).words(1)
        array([14514284786278117030], dtype=uint64)
    """

    def __init__(self, seed: int) -> None:
        mask = (1 << 64) - 1
        word = seed & mask
        state = [word]
        for k in range(1, _STATE):
            word = (6364136223846793005 * (word ^ (word >> 62)) + k) & mask
            state.append(word)
        self._state: _Words = np.array(state, np.uint64)
        self._ready: _Words = np.empty(0, np.uint64)

    def words(self, count: int) -> _Words:
        """Return the next ``count`` words of 64 random bits, uint64 ``[count]``."""
        taken = self.peek(count)
        self._ready = self._ready[count:]
        return taken

    def peek(self, count: int) -> _Words:
        """Return the next ``count`` words without taking them."""
        self._fill(count)
        return self._ready[:count]

    def skip(self, count: int) -> None:
        """Leave out the next ``count`` words, in milliseconds however many they are."""
        if count >= _JUMP:
            count -= len(self._ready)
            self._ready = self._ready[:0]
            self._state = _RECURRENCE.jumped(self._raw(_RECURRENCE.degree), count)
            return
        for start in range(0, count, _BLOCK):
            self.words(min(_BLOCK, count - start))

    def uniform(self, count: int) -> _Doubles:
        """Return the next ``count`` numbers uniform on [0, 1), float64 ``[count]``; each takes one
        word.
        """
        out = np.empty(count)
        for start in range(0, count, _BLOCK):
            np.divide(
                self.words(min(_BLOCK, count - start)), _WORD_RANGE, out=out[start : start + _BLOCK]
            )
        return out

    def normal(self, count: int) -> _Doubles:
        """Return the next ``count`` standard normal numbers, float64 ``[count]``; each takes one or
        more words.
        """
        out = np.empty(count)
        done = 0
        while done < count:
            done += self._normal_block(out[done : done + _BLOCK])
        return out

    def _fill(self, count: int) -> None:
        """Have at least ``count`` words ready."""
        missing = count - len(self._ready)
        if missing > 0:
            self._ready = np.concatenate((self._ready, self._make(missing)))

    def _make(self, count: int) -> _Words:
        """Return at least ``count`` new words."""
        words = self._raw(count)
        self._state = words[-_STATE:].copy()
        return _temper(words[_STATE:])

    def _raw(self, count: int) -> _Words:
        """Return the state, followed by at least ``count`` new words before tempering."""
        steps = -(-count // _STEP)
        words: _Words = np.empty(_STATE + steps * _STEP, np.uint64)
        words[:_STATE] = self._state
        upper, twisted = np.empty(_STEP, np.uint64), np.empty(_STEP, np.uint64)
        for k in range(0, steps * _STEP, _STEP):
            np.bitwise_and(words[k : k + _STEP], _UPPER, out=upper)
            np.bitwise_and(words[k + 1 : k + _STATE], _LOWER, out=twisted)
            np.bitwise_or(upper, twisted, out=upper)
            np.bitwise_and(upper, _ONE, out=twisted)
            np.multiply(twisted, _TWIST, out=twisted)
            np.right_shift(upper, _ONE, out=upper)
            np.bitwise_xor(twisted, upper, out=twisted)
            new = words[k + _STATE : k + _STATE + _STEP]
            np.bitwise_xor(words[k + _MIDDLE : k + _STATE], twisted[:_MIDDLE], out=new[:_MIDDLE])
            np.bitwise_xor(new[: _STEP - _MIDDLE], twisted[_MIDDLE:], out=new[_MIDDLE:])
        return words

    def _normal_block(self, out: _Doubles) -> int:
        """Fill the front of ``out``; return the number of elements filled.

        Nearly every word alone decides a number; the few that fall beside a layer's sure part take
        more words, and are walked through one by one.
        """
        words = self.peek(len(out))
        layer = (words & np.uint64(255)).astype(np.int64)
        sign = (layer & 1) * 2 - 1
        layer >>= 1
        x = (words >> np.uint64(8)) * 2.0**-56 * _EDGE[layer]
        unsure = np.flatnonzero(x >= _EDGE[layer + 1]).tolist()
        x *= sign
        done = used = 0
        for at in unsure:
            if at < used:  # this word went into an earlier number
                continue
            done, used = _copy(out, done, x[used:at], used)
            if done == len(out):
                break
            number, used = self._unsure(float(x[at]), int(layer[at]), at + 1)
            if number is not None:
                out[done] = number
                done += 1
        else:
            done, used = _copy(out, done, x[used:], used)
        self._ready = self._ready[used:]
        return done

    def _unsure(self, x: float, layer: int, used: int) -> tuple[float | None, int]:
        """Decide on a point beside the sure part of its layer: a number, or None for another try;
        and words used.
        """
        if layer == 0:
            tail, used = self._tail(used)
            return math.copysign(tail, x), used
        share, used = self._uniform_at(used)
        height = _DENSITY[layer] + share * (_DENSITY[layer + 1] - _DENSITY[layer])
        return (x if height < math.exp(-x * x / 2) else None), used

    def _tail(self, used: int) -> tuple[float, int]:
        while True:
            first, used = self._uniform_at(used)
            second, used = self._uniform_at(used)
            beyond = -math.log(1 - first) / _BASE
            if -2 * math.log(1 - second) > beyond * beyond:
                return beyond + _BASE, used

    def _uniform_at(self, at: int) -> tuple[float, int]:
        self._fill(at + 1)
        return int(self._ready[at]) / _WORD_RANGE, at + 1


def _copy(out: _Doubles, done: int, numbers: _Doubles, used: int) -> tuple[int, int]:
    """Append numbers to ``out`` as far as there is room."""
    count = min(len(numbers), len(out) - done)
    out[done : done + count] = numbers[:count]
    return done + count, used + count


def _temper(words: _Words) -> _Words:
    out: _Words = words ^ ((words >> np.uint64(29)) & np.uint64(0x5555555555555555))
    out ^= (out << np.uint64(17)) & np.uint64(0x71D67FFFEDA60000)
    out ^= (out << np.uint64(37)) & np.uint64(0xFFF7EEE000000000)
    out ^= out >> np.uint64(43)
    return out
