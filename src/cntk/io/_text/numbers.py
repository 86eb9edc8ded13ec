"""Parses many decimal numbers at once with NumPy.

Up to eight digits are one 64-bit word: three multiplications combine adjacent digits, then pairs,
then fours (SWAR, after Lemire and Langdale), for all numbers of a block at once. A decimal is two
such integers. Numbers with an exponent or more digits are left to NumPy's own parser, a few times
slower.
"""

from __future__ import annotations

import numpy as np

PAD = 16
"""Number of bytes of white space that must surround the text on both sides."""

_LOW_NIBBLES = np.uint64(0x0F0F0F0F0F0F0F0F)
_BYTES, _PAIRS = np.uint64(0x00FF00FF00FF00FF), np.uint64(0x0000FFFF0000FFFF)
_TENS, _HUNDREDS, _THOUSANDS = np.uint64(2561), np.uint64(6553601), np.uint64(42949672960001)
_POWERS = 10.0 ** np.arange(17)
_DIGIT, _SPACE = 10, 32


def read_numbers(text: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray | None:
    """Parse numbers at known offsets.

    Args:
        text: uint8 with `PAD` bytes of white space at both ends.
        begins: offset of each number, int64 ``[numbers]``.
        ends: offset behind each number; the byte there is not part of it.

    Returns:
        float64 ``[numbers]``, or None if one is not of the form
        ``[+-]digits[.digits][e[+-]digits]``.
    """
    marks = np.flatnonzero((text - np.uint8(48) >= _DIGIT) & (text > _SPACE))
    if not len(marks):
        return _integers(text, begins, ends)
    letters = text[marks]
    dots, exponents = marks[letters == ord(".")], marks[(letters | 32) == ord("e")]
    signs = marks[(letters == ord("-")) | (letters == ord("+"))]
    if len(dots) + len(exponents) + len(signs) != len(marks) or not _are_well_placed(
        text, dots, exponents, signs
    ):
        return None
    with_dot, with_exponent = _owners(begins, ends, dots), _owners(begins, ends, exponents)
    if _repeats(with_dot) or _repeats(with_exponent):
        return None
    signs = signs[text[signs - 1] <= _SPACE] if len(exponents) else signs
    signed = _owners(begins, ends, signs)
    begins = begins.copy()
    begins[signed] += 1
    points = ends.copy()
    points[with_dot] = dots
    if len(exponents):
        stops = ends.copy()
        stops[with_exponent] = exponents
        if (points[with_dot] > stops[with_dot]).any():
            return None
    values = _decimals(text, begins, points, ends) if len(dots) else _integers(text, begins, ends)
    if len(exponents):
        values[with_exponent] = _parse_slowly(text, begins[with_exponent], ends[with_exponent])
    values[signed[text[signs] == ord("-")]] *= -1
    return values


def _are_well_placed(
    text: np.ndarray, dots: np.ndarray, exponents: np.ndarray, signs: np.ndarray
) -> bool:
    """Return whether the bytes beside each dot, exponent and sign are allowed there."""

    def digit(offsets: np.ndarray) -> np.ndarray:
        is_digit: np.ndarray = text[offsets] - np.uint8(48) < _DIGIT
        return is_digit

    before, behind = text[signs - 1], text[exponents + 1]
    signs_fit = ((before <= _SPACE) | ((before | 32) == ord("e"))) & digit(signs + 1)
    dots_fit = digit(dots - 1) & (digit(dots + 1) | (text[dots + 1] <= _SPACE))
    exponents_fit = digit(exponents - 1) & (
        digit(exponents + 1) | (behind == ord("-")) | (behind == ord("+"))
    )
    return bool(signs_fit.all() and dots_fit.all() and exponents_fit.all())


def _owners(begins: np.ndarray, ends: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Return the index of the number that has each offset."""
    if len(offsets) == len(begins) and ((begins <= offsets) & (offsets < ends)).all():
        return np.arange(len(begins))
    # For few offsets a binary search is faster; for many, a running count over all bytes.
    if len(offsets) * 8 < len(begins):
        return np.searchsorted(begins, offsets, side="right") - 1
    first = int(begins[0])
    started = np.zeros(int(ends[-1]) - first, np.int32)
    started[begins - first] = 1
    owners: np.ndarray = np.cumsum(started, out=started)[offsets - first] - 1
    return owners


def _repeats(sorted_numbers: np.ndarray) -> bool:
    return bool((sorted_numbers[1:] == sorted_numbers[:-1]).any())


def _integers(text: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Parse numbers that are digits only; those of more than 16 by NumPy's parser."""
    lengths = ends - begins
    longest = int(lengths.max(initial=0))
    if longest <= 4:
        return _up_to_four(text, ends, lengths)
    if longest <= 8:
        return _up_to_eight(text, ends, lengths)
    values = _up_to_eight(text, ends, np.minimum(lengths, 8))
    upper = np.clip(lengths - 8, 0, 8)
    values += _up_to_eight(text, ends - 8, upper) * 1e8
    long = np.flatnonzero(lengths > 16)
    if len(long):
        values[long] = _parse_slowly(text, begins[long], ends[long])
    return values


def _up_to_eight(text: np.ndarray, ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Parse the 0 to 8 digits before each end as float64."""
    words: np.ndarray = np.ndarray((len(text) - 7,), "<u8", text.data, strides=(1,))[ends - 8]
    # Half of the shift, done twice, because a shift by 64 bits is undefined.
    shift = ((8 - lengths) * 4).view(np.uint64)
    words >>= shift
    words >>= shift
    words <<= shift
    words <<= shift
    words &= _LOW_NIBBLES
    words *= _TENS
    words >>= np.uint64(8)
    words &= _BYTES
    words *= _HUNDREDS
    words >>= np.uint64(16)
    words &= _PAIRS
    words *= _THOUSANDS
    words >>= np.uint64(32)
    numbers: np.ndarray = words.astype(np.float64)
    return numbers


def _up_to_four(text: np.ndarray, ends: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Parse the 0 to 4 digits before each end as float64, in half the time."""
    words: np.ndarray = np.ndarray((len(text) - 3,), "<u4", text.data, strides=(1,))[ends - 4]
    # Half of the shift, done twice, because a shift by 32 bits is undefined.
    shift = (4 - lengths).astype(np.uint32)
    shift *= np.uint32(4)
    words >>= shift
    words >>= shift
    words <<= shift
    words <<= shift
    words &= np.uint32(0x0F0F0F0F)
    words *= np.uint32(2561)
    words >>= np.uint32(8)
    words &= np.uint32(0x00FF00FF)
    words *= np.uint32(6553601)
    words >>= np.uint32(16)
    numbers: np.ndarray = words.astype(np.float64)
    return numbers


def _decimals(
    text: np.ndarray, begins: np.ndarray, points: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Parse decimals without sign; the values of numbers with an exponent are arbitrary.

    Args:
        text: the bytes.
        begins: offset of each number.
        points: offset of its decimal point, or behind the number if it has none.
        ends: offset behind it.
    """
    values = _integers(text, begins, points)
    first = points + 1
    lasts = np.minimum(ends, points + 17)
    np.minimum(first, lasts, out=first)
    digits = lasts - first
    fractions = _integers(text, first, lasts)
    alike = (digits == digits[-1]).all()
    fractions /= _POWERS[digits[-1] if alike else digits]
    values += fractions
    # More than 16 decimals do not fit two words, and may still change a float64.
    long = np.flatnonzero(ends - points > 16)
    if len(long):
        values[long] = _parse_slowly(text, begins[long], ends[long])
    return values


def _parse_slowly(text: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Parse numbers of any length, with exponents, by NumPy's parser."""
    from cntk.io._corpus.chunk import spans

    offsets = spans(begins, ends - begins + 1)
    gathered = text[offsets]
    gathered[np.cumsum(ends - begins + 1) - 1] = _SPACE
    with np.errstate(over="ignore"):
        return np.fromstring(gathered.tobytes(), np.float64, sep=" ")
