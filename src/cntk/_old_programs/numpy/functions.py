"""Replacements of NumPy's former functions and tables."""

from __future__ import annotations

import functools
import inspect
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TextIO

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

NINF, NZERO, PZERO = -np.inf, -0.0, 0.0

sctypes: dict[str, list[type]] = {
    "int": [np.int8, np.int16, np.int32, np.int64],
    "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
    "float": [np.float16, np.float32, np.float64, np.longdouble],
    "complex": [np.complex64, np.complex128, np.clongdouble],
    "others": [bool, object, bytes, str, np.void],
}


class _Casts(dict[Any, Callable[[ArrayLike], NDArray[Any]]]):
    """Table of conversion functions by the name of a dtype."""

    def __missing__(self, dtype: Any) -> Callable[[ArrayLike], NDArray[Any]]:
        return functools.partial(_cast, dtype)


class _Sizes(dict[Any, int]):
    """Table of element sizes by the name of a dtype."""

    def __missing__(self, dtype: Any) -> int:
        return int(np.dtype(dtype).itemsize)


def _cast(dtype: Any, values: ArrayLike) -> NDArray[Any]:
    return np.asarray(values).astype(dtype)


cast, nbytes = _Casts(), _Sizes()


def asscalar(array: NDArray[Any]) -> Any:
    """Return the one value of an array as a Python number."""
    return np.asarray(array).item()


def in1d(
    first: ArrayLike, second: ArrayLike, assume_unique: bool = False, invert: bool = False
) -> NDArray[np.bool_]:
    """Tell of each value of the first array, flattened, whether it is in the second."""
    return np.isin(np.ravel(first), second, assume_unique=assume_unique, invert=invert)


def msort(array: ArrayLike) -> NDArray[Any]:
    """Return a copy sorted along the first axis."""
    return np.sort(np.asanyarray(array), axis=0)


def asfarray(array: ArrayLike, dtype: DTypeLike = np.float64) -> NDArray[Any]:
    """Return an array of floats; a dtype of integers becomes float64."""
    kind = np.dtype(dtype)
    return np.asarray(array, dtype=kind if np.issubdtype(kind, np.inexact) else np.float64)


def find_common_type(
    array_types: Sequence[DTypeLike], scalar_types: Sequence[DTypeLike]
) -> np.dtype[Any] | None:
    """Return the dtype of arrays and scalars together; scalars count only where they are of a
    higher kind.
    """
    arrays, scalars = (
        [np.dtype(one) for one in array_types],
        [np.dtype(one) for one in scalar_types],
    )
    if not arrays and not scalars:
        return None
    if not arrays or not scalars:
        return np.result_type(*(arrays or scalars))
    widest, scalar = np.result_type(*arrays), np.result_type(*scalars)
    order = "buifcSUVOMm"
    return (
        np.result_type(scalar, widest)
        if order.find(scalar.kind) > order.find(widest.kind)
        else widest
    )


def source(thing: Any, output: TextIO | None = None) -> None:
    """Print the source of a function."""
    print(
        f"In file: {inspect.getsourcefile(thing)}\n",
        inspect.getsource(thing),
        sep="\n",
        file=output or sys.stdout,
    )


def set_string_function(function: Callable[[NDArray[Any]], str] | None, repr: bool = True) -> None:
    """Set the function that prints arrays, as far as NumPy still allows: not with repr."""
    if function is None or repr:
        np.set_printoptions(override_repr=function)
    else:
        raise NotImplementedError(
            "np.set_string_function(..., repr=False): NumPy has no such setting any more"
        )


def issubclass_(one: Any, other: Any) -> bool:
    """Tell whether a class is another's subclass; False for what is no class."""
    return inspect.isclass(one) and issubclass(one, other)


def issctype(kind: Any) -> bool:
    """Tell whether a thing is the class of NumPy's scalars, or a dtype."""
    return isinstance(kind, np.dtype) or (inspect.isclass(kind) and issubclass(kind, np.generic))


def obj2sctype(thing: Any, default: Any = None) -> Any:
    """Return the class of scalars that a dtype, a name or an array has."""
    try:
        return thing.dtype.type if isinstance(thing, np.ndarray) else np.dtype(thing).type
    except TypeError:
        return default


def sctype2char(kind: Any) -> str:
    """Return the letter of a dtype."""
    return str(np.dtype(obj2sctype(kind, kind)).char)


def maximum_sctype(kind: Any) -> type:
    """Return the widest class of scalars of the same kind."""
    dtype = np.dtype(kind)
    names = {"i": "int", "u": "uint", "f": "float", "c": "complex"}
    return sctypes[names[dtype.kind]][-1] if dtype.kind in names else dtype.type


def disp(message: object, device: TextIO | None = None, linefeed: bool = True) -> None:
    """Print a message."""
    print(message, end="\n" if linefeed else "", file=device or sys.stdout, flush=True)


def fast_copy_and_transpose(array: ArrayLike) -> NDArray[Any]:
    """Return a copy, transposed."""
    return np.array(array).T.copy()


def recfromtxt(file: Any, **options: Any) -> Any:
    """Read a table from text as an array of records."""
    options.setdefault("dtype", None)
    read = np.genfromtxt(file, **options)
    return read.view(np.recarray) if read.dtype.names else read


def recfromcsv(file: Any, **options: Any) -> Any:
    """Read a table from text with commas, its names in the first line in lower case."""
    settings = {
        "case_sensitive": "lower",
        "names": True,
        "delimiter": ",",
        "dtype": None,
        **options,
    }
    return recfromtxt(file, **settings)


def deprecate(*arguments: Any, **options: Any) -> Any:
    """Mark a function as one that warns when it is called; with or without arguments."""
    if arguments and callable(arguments[0]):
        return _warning(arguments[0], **options)
    return lambda function: _warning(function, *arguments[1:], **options)


def _warning(
    function: Callable[..., Any],
    old_name: str | None = None,
    new_name: str | None = None,
    message: str | None = None,
) -> Callable[..., Any]:
    text = f"`{old_name or function.__name__}` is deprecated" + (
        f", use `{new_name}` instead!" if new_name else "!"
    )

    @functools.wraps(function)
    def warns(*arguments: Any, **options: Any) -> Any:
        warnings.warn(text + (f"\n{message}" if message else ""), DeprecationWarning, stacklevel=2)
        return function(*arguments, **options)

    return warns


def tostring(array: Any, order: Any = "C") -> bytes:
    """Return the bytes of an array."""
    content: bytes = array.tobytes(order)
    return content


def ptp(array: Any, axis: Any = None, out: Any = None, keepdims: bool = False) -> Any:
    """Return the difference of the greatest and the least value."""
    return np.ptp(array, axis, out, keepdims)


def itemset(array: Any, *arguments: Any) -> None:
    """Set one value: of the only item, of an item counted along all axes, or at an index."""
    *place, value = arguments
    index = place[0] if place else 0
    if isinstance(index, tuple):
        array[index] = value
    else:
        array.flat[index] = value


def newbyteorder(array: Any, new_order: Any = "S") -> Any:
    """Return the same bytes, read in another order."""
    return array.view(array.dtype.newbyteorder(new_order))
