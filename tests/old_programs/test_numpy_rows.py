"""NumPy's rows: each name is gone without `cntk run`, and stands for what it did with it."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from cntk._old_programs.hook import Hook
from cntk._old_programs.numpy.names import NUMPY
from cntk._old_programs.rows import Module, Name
from cntk._old_programs.table import TABLE
from cntk._old_programs.tell import Teller

NAMES = [row for row in NUMPY if isinstance(row, Name)]
FINANCE = [row.title for row in NAMES if row.value.startswith("numpy_financial")]
"""A package of its own today, which is not installed."""
STILL_THERE = {"numpy.bool", "numpy.long"}
"""Today these are other things, in NumPy 1.26 they are gone."""


@pytest.fixture
def old() -> Iterator[None]:
    with Hook(TABLE, Teller(quiet=True)):
        yield


def present(row: Name) -> bool:
    module, _, kind = row.owner.partition(":")
    owner = importlib.import_module(module)
    return hasattr(getattr(owner, kind) if kind else owner, row.name)


@pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.4.0", reason="an older NumPy still has some"
)
@pytest.mark.filterwarnings("ignore")
def test_what_the_table_lists_is_gone() -> None:
    assert {row.title for row in NAMES if present(row)} == STILL_THERE
    modules = [row.name for row in NUMPY if isinstance(row, Module)]
    for name in modules:
        with pytest.raises(ModuleNotFoundError):
            importlib.import_module(name)


@pytest.mark.usefixtures("old")
def test_every_name_is_served() -> None:
    assert [row.title for row in NAMES if not present(row)] == FINANCE
    for row in NUMPY:
        if isinstance(row, Module):
            importlib.import_module(row.name)


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize(
    ("found", "value"),
    [
        (lambda: (np.float, np.int, np.object, np.complex), (float, int, object, complex)),
        (lambda: (np.zeros(2, np.float).dtype.name), "float64"),
        (lambda: (np.Inf, -np.NINF, np.isnan(np.NaN)), (np.inf, np.inf, True)),
        (lambda: (np.product([2, 3]), np.cumproduct([2, 3]).tolist()), (6, [2, 6])),
        (lambda: (np.alltrue([1, 0]), np.sometrue([1, 0])), (False, True)),
        (lambda: np.asscalar(np.array([3])), 3),
        (lambda: (np.rank([[1]]), np.alen([1, 2])), (2, 2)),
        (lambda: (np.msort([[2, 1], [1, 2]]).tolist()), [[1, 1], [2, 2]]),
        (lambda: (np.asfarray([1, 2], np.int32).dtype.name), "float64"),
        (lambda: (np.find_common_type([np.float32], [np.int64, np.float64]).name), "float32"),
        (lambda: (np.find_common_type([np.int64], [np.float32]).name), "float64"),
        (lambda: (np.find_common_type([], [np.int8, np.int16]).name), "int16"),
        (lambda: (np.find_common_type([], [])), None),
        (lambda: (np.cast['float32']([1]).dtype.name, np.cast[int](2.7).item()), ("float32", 2)),
        (lambda: (np.nbytes['float32'], np.nbytes[np.float64]), (4, 8)),
        (lambda: (np.in1d([[1, 2]], [2]).tolist()), [False, True]),
        (lambda: (np.trapz([1, 2, 3])), 4.0),
        (lambda: (np.issubclass_(np.int32, np.integer), np.issubclass_(3, int)), (True, False)),
        (lambda: (np.obj2sctype('f4').__name__, np.sctype2char('f4'), np.maximum_sctype('f4').__name__),
         ("float32", "f", np.longdouble.__name__)),
        (lambda: np.math.factorial(5), 120),
        (lambda: (np.array([[1], [2, 3]]).dtype.name, np.asarray([[1], [2, 3]]).shape), ("object", (2,))),
        (lambda: (np.max([[1], [2, 3]]), np.shape([[1], [2, 3]]), np.sort([[2], [1, 3]]).tolist()),
         ([2, 3], (2,), [[1, 3], [2]])),
        (lambda: (np.array([1, 2], copy=False).tolist()), [1, 2]),
        (lambda: (np.array([1, -1, 256], np.uint8).tolist()), [1, 255, 0]),
        (lambda: (np.array([1, -1], dtype=np.uint8).tolist()), [1, 255]),
        (lambda: (np.asarray([1, -1], np.uint8).tolist()), [1, 255]),
        (lambda: (np.array(object=[1, -1], dtype=np.uint8).tolist()), [1, 255]),
        (lambda: (np.asarray(a=[[1], [2, 3]]).shape, np.array(object=[1, 2]).tolist()), ((2,), [1, 2])),
        (lambda: (np.fromstring(b'\x01\x00', np.int16).tolist()), [1]),
        (lambda: (np.fromstring('1 2', sep=' ').tolist()), [1.0, 2.0]),
        (lambda: (np.linspace(0, 1, 3.0).tolist()), [0.0, 0.5, 1.0]),
        (lambda: (np.histogram([1, 2], bins=2, normed=True)[0].tolist()), [1.0, 1.0]),
        (lambda: (np.percentile([1, 2], 50, interpolation='lower').item()), 1),
        (lambda: (np.reshape([1, 2], newshape=(2, 1)).shape), (2, 1)),
    ],
)  # fmt: skip
def test_values(found: Callable[[], object], value: object) -> None:
    assert found() == value


@pytest.mark.usefixtures("old")
def test_what_was_an_error_is_one() -> None:
    with pytest.raises(ValueError, match="sequence"):
        np.array([[1], [2, 3]], dtype=float)
    with pytest.raises(AttributeError, match="'nothing'"):
        np.nothing  # noqa: B018
    with pytest.raises(
        AttributeError,
        match=r"numpy.pmt is gone since NumPy 1.20; write: numpy_financial.pmt\(...\), from: pip",
    ):
        np.pmt(0.1, 2, 3)
    with pytest.raises(ValueError, match="buffer size"):
        np.fromstring(b"abc", np.int16)
