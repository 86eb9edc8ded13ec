"""Replacements of former methods and functions of DataFrames, Series and pandas itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Table = Any
"""A DataFrame or a Series."""


class _Pandas:
    """pandas, imported when a program first uses one of its old names."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(importlib.import_module("pandas"), name)


pd: Any = _Pandas()


def append(
    table: Table,
    other: Any,
    ignore_index: bool = False,
    verify_integrity: bool = False,
    sort: bool = False,
) -> Table:
    """Return a table with rows after its own: of tables, of a Series or of a dictionary."""
    others = list(other) if isinstance(other, (list, tuple)) else [other]
    if isinstance(table, pd.DataFrame):
        others = [_as_rows(one, table, ignore_index) for one in others]
    return pd.concat(
        [table, *others], ignore_index=ignore_index, verify_integrity=verify_integrity, sort=sort
    )


def _as_rows(one: Any, table: Any, ignore_index: bool) -> Any:
    if isinstance(one, dict):
        one = pd.Series(one)
    if not isinstance(one, pd.Series):
        return one if isinstance(one, pd.DataFrame) else pd.DataFrame(one)
    if one.name is None and not ignore_index:
        raise TypeError("Can only append a Series if ignore_index=True or if the Series has a name")
    return one.to_frame().T.infer_objects()


def as_matrix(table: Table, columns: Any = None) -> Any:
    """Return the values as an array."""
    return (table if columns is None else table[columns]).to_numpy()


def iteritems(table: Table) -> Iterator[tuple[Any, Any]]:
    """Return the columns, or the values of a Series, with their names."""
    items: Iterator[tuple[Any, Any]] = table.items()
    return items


def applymap(table: Table, func: Callable[[Any], Any], **options: Any) -> Table:
    """Return a table with a function applied to every value."""
    return table.map(func, **options)


def sort(
    table: Table,
    columns: Any = None,
    axis: int = 0,
    ascending: Any = True,
    inplace: bool = False,
    by: Any = None,
    **_: Any,
) -> Table:
    """Sort by columns; a table without them by its index, as a Series without them by its
    values.
    """
    keys = by if columns is None else columns
    if isinstance(table, pd.Series):
        return table.sort_values(ascending=ascending if columns is None else columns, inplace=True)
    if keys is None:
        return table.sort_index(axis=axis, ascending=ascending, inplace=inplace)
    return table.sort_values(
        list(keys) if isinstance(keys, tuple) else keys,
        axis=axis,
        ascending=ascending,
        inplace=inplace,
    )


def order(table: Table, *_: Any, ascending: bool = True, **options: Any) -> Table:
    """Return the values, sorted."""
    return table.sort_values(ascending=ascending, **options)


def sortlevel(
    table: Table, level: Any = 0, axis: int = 0, ascending: bool = True, **_: Any
) -> Table:
    """Return the table sorted by a level of its index."""
    return table.sort_index(level=level, axis=axis, ascending=ascending)


def convert_objects(
    table: Table, convert_dates: Any = True, convert_numeric: Any = False, **_: Any
) -> Table:
    """Return a table whose columns of objects have narrower dtypes, where that fits."""
    result = table.infer_objects()
    if not convert_numeric:
        return result
    if isinstance(result, pd.Series):
        return _numeric(result)
    return result.apply(_numeric)


def _numeric(column: Any) -> Any:
    if not (pd.api.types.is_object_dtype(column) or pd.api.types.is_string_dtype(column)):
        return column
    numbers = pd.to_numeric(column, errors="coerce")
    return column if numbers.isna().all() else numbers


def get_value(table: Table, *place: Any) -> Any:
    """Return the value at a row and a column, or at a label of a Series."""
    return table.at[place[:2] if isinstance(table, pd.DataFrame) else place[0]]


def set_value(table: Table, *arguments: Any) -> Table:
    """Set the value at a row and a column, or at a label of a Series, and return the table."""
    *place, value = arguments
    table.at[tuple(place) if isinstance(table, pd.DataFrame) else place[0]] = value
    return table


def irow(table: Table, i: Any) -> Any:
    """Return a row by its count."""
    return table.iloc[i]


def icol(table: Table, i: Any) -> Any:
    """Return a column by its count."""
    return table.iloc[:, i]


def iget_value(table: Table, i: int, j: int) -> Any:
    """Return a value by counts."""
    return table.iat[i, j]


def lookup(table: Table, row_labels: Any, col_labels: Any) -> Any:
    """Return the values at pairs of labels."""
    return table.to_numpy()[
        table.index.get_indexer(row_labels), table.columns.get_indexer(col_labels)
    ]


def mad(table: Table, axis: Any = 0, skipna: bool = True, **_: Any) -> Any:
    """Return the mean distance from the mean."""
    if isinstance(table, pd.Series):
        return (table - table.mean(skipna=skipna)).abs().mean(skipna=skipna)
    numbers = table.select_dtypes("number")
    off = numbers.sub(
        numbers.mean(axis=axis, skipna=skipna), axis=1 if axis in (0, "index", None) else 0
    )
    return off.abs().mean(axis=axis or 0, skipna=skipna)


def clip_lower(table: Table, threshold: Any, axis: Any = None, inplace: bool = False) -> Table:
    """Return the table with values not below a bound."""
    return table.clip(lower=threshold, axis=axis, inplace=inplace)


def clip_upper(table: Table, threshold: Any, axis: Any = None, inplace: bool = False) -> Table:
    """Return the table with values not above a bound."""
    return table.clip(upper=threshold, axis=axis, inplace=inplace)


def bfill(table: Table, **options: Any) -> Table:
    """Return the table with gaps filled from behind."""
    return table.bfill(**options)


def ffill(table: Table, **options: Any) -> Table:
    """Return the table with gaps filled from before."""
    return table.ffill(**options)


def first(table: Table, offset: Any) -> Table:
    """Return the rows of a first stretch of time."""
    end = table.index[0] + pd.tseries.frequencies.to_offset(offset)
    return table[table.index < end]


def last(table: Table, offset: Any) -> Table:
    """Return the rows of a last stretch of time."""
    return table[table.index > table.index[-1] - pd.tseries.frequencies.to_offset(offset)]


def swapaxes(table: Table, axis1: Any, axis2: Any, copy: bool = True) -> Table:
    """Return the table with its axes exchanged."""
    numbers = [{"index": 0, "rows": 0, "columns": 1}.get(axis, axis) for axis in (axis1, axis2)]
    return table.copy() if numbers[0] == numbers[1] else table.T


def tshift(table: Table, periods: int = 1, freq: Any = None, axis: int = 0) -> Table:
    """Return the table with its times shifted."""
    times = table.axes[axis]
    return table.shift(periods, freq=freq or times.freq or times.inferred_freq, axis=axis)


def itself(table: Table, inplace: bool = False) -> Table:
    """Return the table."""
    return table


def get_dtype_counts(table: Table) -> Any:
    """Return how many columns there are of each dtype."""
    return table.dtypes.map(lambda dtype: dtype.name).value_counts().sort_index()


def compress(series: Any, condition: Any, *_: Any, **__: Any) -> Any:
    """Return the values for which a condition is true."""
    return series[condition]


def nonzero(series: Any) -> Any:
    """Return where the values are not zero."""
    return series.to_numpy().nonzero()


def ptp(series: Any, *_: Any, **__: Any) -> Any:
    """Return the difference of the greatest and the least value."""
    return series.max() - series.min()


def reshape(series: Any, *shape: Any, **options: Any) -> Any:
    """Return the values as an array of another shape."""
    return series.to_numpy().reshape(*shape, **options)


def valid(series: Any, inplace: bool = False, **_: Any) -> Any:
    """Return the values that are there."""
    return series.dropna(inplace=inplace)


def view(series: Any, dtype: Any = None) -> Any:
    """Return the values with their bytes read as another dtype."""
    return pd.Series(series.to_numpy().view(dtype), index=series.index, name=series.name)


def contains(index: Any, key: Any) -> bool:
    """Tell whether a label is there."""
    return key in index


def get_duplicates(index: Any) -> list[Any]:
    """Return the labels that are there more than once."""
    return list(index[index.duplicated()].unique())


def to_pydatetime(time: Any) -> Any:
    """Return Python's own time."""
    return time.to_pydatetime()


def _of(method: str) -> property:
    def value(thing: Any) -> Any:
        attribute = getattr(thing, method)
        return attribute() if callable(attribute) else attribute

    return property(value)


is_monotonic, labels, weekday_name = _of("is_monotonic_increasing"), _of("codes"), _of("day_name")
real = property(lambda series: np.real(series.to_numpy()))
imag = property(lambda series: np.imag(series.to_numpy()))


class _Ix:
    """Indexing by labels, and by position where the labels are no integers."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def __getitem__(self, key: Any) -> Any:
        return self._table.loc[self._by_labels(key)]

    def __setitem__(self, key: Any, value: Any) -> None:
        self._table.loc[self._by_labels(key)] = value

    def _by_labels(self, key: Any) -> Any:
        if (
            isinstance(key, tuple)
            and isinstance(self._table, pd.DataFrame)
            and not isinstance(self._table.index, pd.MultiIndex)
        ):
            return tuple(
                _labels(one, axis) for one, axis in zip(key, self._table.axes, strict=False)
            )
        return _labels(key, self._table.index)


def _labels(key: Any, axis: Any) -> Any:
    """Turn counts into the labels that they stand for; slices of counts exclude their end, slices
    of labels do not.
    """
    if pd.api.types.is_integer_dtype(axis):
        return key
    if isinstance(key, slice):
        if all(one is None or isinstance(one, (int, np.integer)) for one in (key.start, key.stop)):
            return axis[key]
        return key
    if isinstance(key, (int, np.integer)) and not isinstance(key, bool) and key not in axis:
        return axis[key]
    if isinstance(key, (list, np.ndarray)) and len(key) and all(
        isinstance(one, (int, np.integer)) and not isinstance(one, (bool, np.bool_)) for one in key
    ):  # fmt: skip
        return axis[np.asarray(key)]
    return key


ix = property(_Ix)


def _from_csv(
    path: Any,
    header: Any = 0,
    sep: str = ",",
    index_col: Any = 0,
    parse_dates: Any = True,
    **options: Any,
) -> Any:
    return pd.read_csv(
        path, header=header, sep=sep, index_col=index_col, parse_dates=parse_dates, **options
    )


def _from_items(items: Any, columns: Any = None, orient: str = "columns") -> Any:
    return pd.DataFrame.from_dict(dict(items), orient=orient, columns=columns)


from_csv, from_items = staticmethod(_from_csv), staticmethod(_from_items)


def _rolling(name: str) -> Callable[..., Any]:
    def rolling(
        arg: Any,
        window: int,
        *more: Any,
        min_periods: Any = None,
        center: bool = False,
        **options: Any,
    ) -> Any:
        table = (
            arg
            if isinstance(arg, (pd.Series, pd.DataFrame))
            else pd.DataFrame(arg)
            if np.ndim(arg) == 2
            else pd.Series(arg)
        )
        freed = {
            word: value
            for word, value in options.items()
            if word not in ("freq", "how") and value is not None
        }
        result = getattr(table.rolling(window, min_periods=min_periods, center=center), name)(
            *more, **freed
        )
        return result if table is arg else result.to_numpy()

    rolling.__name__ = f"rolling_{name}"
    return rolling


rolling_count, rolling_sum, rolling_mean = _rolling("count"), _rolling("sum"), _rolling("mean")
rolling_median, rolling_var, rolling_std = _rolling("median"), _rolling("var"), _rolling("std")
rolling_min, rolling_max, rolling_skew = _rolling("min"), _rolling("max"), _rolling("skew")
rolling_kurt, rolling_quantile, rolling_apply = (
    _rolling("kurt"),
    _rolling("quantile"),
    _rolling("apply"),
)


def rolling_corr(arg1: Any, arg2: Any = None, window: Any = None, **options: Any) -> Any:
    """Return correlations of the values in each window."""
    return _rolling("corr")(arg1, window, arg2, **options)


def rolling_cov(arg1: Any, arg2: Any = None, window: Any = None, **options: Any) -> Any:
    """Return covariances of the values in each window."""
    return _rolling("cov")(arg1, window, arg2, **options)


def _weighted(name: str, old: str) -> Callable[..., Any]:
    def weighted(
        arg: Any,
        com: Any = None,
        span: Any = None,
        halflife: Any = None,
        min_periods: int = 0,
        adjust: bool = True,
        **_: Any,
    ) -> Any:
        table = pd.Series(arg) if isinstance(arg, np.ndarray) and arg.ndim == 1 else arg
        window = table.ewm(
            com=com, span=span, halflife=halflife, min_periods=min_periods, adjust=adjust
        )
        return getattr(window, name)()

    weighted.__name__ = old
    return weighted


ewma, ewmstd = _weighted("mean", "ewma"), _weighted("std", "ewmstd")
