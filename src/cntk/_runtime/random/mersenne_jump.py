"""Leaving out any number of words of a Mersenne Twister in the time of a few thousand.

A word is a linear function, over the field of two elements, of the words before it. All bits of the
sequence so obey one recurrence, whose characteristic polynomial p has the degree of the state,
19937 bits. With g = t^J modulo p, the words from place J on are the sums (exclusive or) of the
words from place i on, for the i at which g has a term.

H. Haramoto, M. Matsumoto, T. Nishimura, F. Panneton, P. L'Ecuyer: "Efficient jump ahead for
F2-linear random number generators", INFORMS J. Computing 20(3), 2008. The polynomial in closed
form: M. Matsumoto, T. Nishimura: "Mersenne Twister", ACM TOMACS 8(1), 1998, appendix A.

A polynomial is an array of 0 and 1 here, uint8, the constant term first. Products are convolutions
by Fourier transforms: the sums in them, up to the number of terms, are exact in float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

_Terms = npt.NDArray[np.uint8]
_Spectrum = npt.NDArray[np.complex128]

# How many shifted pieces of the sequence are added up at a time.
_ROWS = 256


@dataclass(frozen=True)
class Recurrence:
    """The recurrence of a Mersenne Twister, in the names of its authors' paper.

    Attributes:
        w: bits of a word.
        n: words of the state.
        m: the place of the word that is added.
        r: how many low bits of a word are taken from the next one.
        a: what is added where the lowest bit is set.

    Example:
        >>> Recurrence(w=64, n=312, m=156, r=31, a=0xB5026F5AA96619E9).degree
        19937
    """

    w: int
    n: int
    m: int
    r: int
    a: int

    @property
    def degree(self) -> int:
        """Number of bits of the state."""
        return self.w * self.n - self.r

    @cached_property
    def polynomial(self) -> _Terms:
        """The characteristic polynomial."""
        # Of both bases only two terms are left, as all is modulo 2; bits as an integer's are
        # quickly shifted.
        bit = [self.a >> k & 1 for k in range(self.w)]
        low = high = 1
        total = 0
        for k in range(self.w - 1, self.r - 1, -1):
            total ^= bit[k] * high
            high = high << self.n ^ high << self.m
        for k in range(self.r - 1, -1, -1):
            total ^= bit[k] * _product(high, low)
            low = low << self.n - 1 ^ low << self.m - 1
        return _terms(total ^ _product(high, low), self.degree + 1)

    def power(self, exponent: int) -> _Terms:
        """Return the power of t modulo the characteristic polynomial: terms ``[degree]``."""
        bits = max(1, exponent.bit_length())
        direct = max(k for k in range(bits + 1) if exponent >> bits - k < self.degree)
        terms = np.zeros(self.degree, np.uint8)
        terms[exponent >> bits - direct] = 1
        for k in range(bits - direct - 1, -1, -1):
            squared = np.zeros(2 * self.degree, np.uint8)
            shift = exponent >> k & 1
            squared[shift : 2 * self.degree - 1 + shift : 2] = terms
            terms = self._remainder(squared)
        return terms

    def jumped(self, words: npt.NDArray[np.uint64], distance: int) -> npt.NDArray[np.uint64]:
        """Return the state ``distance`` words later.

        Args:
            words: the sequence from the present state on, at least ``degree + n`` words.
            distance: number of words.

        Returns:
            ``[n]``; of the first word only the bits that are read again are right.
        """
        exponents = np.flatnonzero(self.power(distance))
        windows = np.lib.stride_tricks.sliding_window_view(words, self.n)
        state: npt.NDArray[np.uint64] = np.zeros(self.n, words.dtype)
        for begin in range(0, len(exponents), _ROWS):
            state ^= np.bitwise_xor.reduce(windows[exponents[begin : begin + _ROWS]], axis=0)
        return state

    # -- division: the quotient is a product with a reciprocal that is worked out once -------------

    @cached_property
    def _size(self) -> int:
        """Length of transforms for whole products."""
        return _fast_size(2 * self.degree)

    @cached_property
    def _half(self) -> int:
        """Length of transforms for remainders: the product's higher terms, which wrap around, are
        known.
        """
        return _fast_size(self.degree)

    @cached_property
    def _divisor(self) -> _Spectrum:
        return _spectrum(_wrapped(self.polynomial, self._half), self._half)

    @cached_property
    def _reciprocal(self) -> _Spectrum:
        """Reciprocal of the polynomial with reversed terms, as a power series of ``degree``
        terms.
        """
        reverse = self.polynomial[::-1]
        series = np.ones(1, np.uint8)
        while len(series) < self.degree:
            # Newton's step: modulo 2 it is a square times the series.
            known = min(2 * len(series), self.degree)
            squared = np.zeros(known, np.uint8)
            squared[::2] = series[: (known + 1) // 2]
            size = _fast_size(2 * known)
            series = _convolved(_spectrum(squared, size), reverse[:known], size)[:known]
        return _spectrum(series, self._size)

    def _remainder(self, terms: _Terms) -> _Terms:
        """Return the remainder of a polynomial with ``2 * degree`` terms."""
        count = self.degree
        quotient = _convolved(self._reciprocal, terms[: count - 1 : -1], self._size)[:count][::-1]
        product = _convolved(self._divisor, quotient, self._half)
        left: _Terms = (_wrapped(terms, self._half) ^ product)[:count]
        return left


def _fast_size(least: int) -> int:
    """Return a size with small prime factors alone, for fast transforms."""
    size = least
    while True:
        left = size
        for small in (2, 3, 5):
            while left % small == 0:
                left //= small
        if left == 1:
            return size
        size += 1


def _wrapped(terms: _Terms, size: int) -> _Terms:
    """Return a polynomial modulo t^size - 1."""
    rows = np.zeros((-(-len(terms) // size), size), np.uint8)
    rows.reshape(-1)[: len(terms)] = terms
    wrapped: _Terms = np.bitwise_xor.reduce(rows, axis=0)
    return wrapped


def _spectrum(terms: _Terms, size: int) -> _Spectrum:
    spectrum: _Spectrum = np.fft.rfft(terms.astype(np.float64), size)
    return spectrum


def _convolved(spectrum: _Spectrum, terms: _Terms, size: int) -> _Terms:
    sums = np.fft.irfft(spectrum * _spectrum(terms, size), size)
    odd: _Terms = (np.rint(sums).astype(np.int32) & 1).astype(np.uint8)
    return odd


def _product(one: int, other: int) -> int:
    """Return the product of two polynomials whose terms are an integer's bits."""
    result = 0
    while other:
        low = other & -other
        result ^= one << low.bit_length() - 1
        other ^= low
    return result


def _terms(bits: int, count: int) -> _Terms:
    packed = np.frombuffer(bits.to_bytes(-(-count // 8), "little"), np.uint8)
    return np.unpackbits(packed, count=count, bitorder="little")
