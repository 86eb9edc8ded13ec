"""Table of pandas: removed names and modules, and functions with changed behaviour."""

from __future__ import annotations

from cntk._old_programs.rows import Advice, Changed, Module, Name, Row, keyword

BOTH = (  # old name of DataFrame and Series, what stands in for it, the line to write, gone since
    ("append", "append", "pd.concat([a, b])", "2.0"),
    ("as_matrix", "as_matrix", "x.to_numpy()", "1.0"),
    ("backfill", "bfill", "x.bfill()", "3.0"),
    ("clip_lower", "clip_lower", "x.clip(lower=...)", "1.0"),
    ("clip_upper", "clip_upper", "x.clip(upper=...)", "1.0"),
    ("convert_objects", "convert_objects", "x.infer_objects(), or pd.to_numeric(...)", "1.0"),
    ("first", "first", "x.loc[:end]", "3.0"),
    ("get_value", "get_value", "x.at[...]", "1.0"),
    ("get_values", "as_matrix", "x.to_numpy()", "1.0"),
    ("irow", "irow", "x.iloc[...]", "0.19"),
    ("iteritems", "iteritems", "x.items()", "2.0"),
    ("ix", "ix", "x.loc[...] or x.iloc[...]", "1.0"),
    ("last", "last", "x.loc[start:]", "3.0"),
    ("mad", "mad", "(x - x.mean()).abs().mean()", "2.0"),
    ("order", "order", "x.sort_values()", "0.20"),
    ("pad", "ffill", "x.ffill()", "3.0"),
    ("set_value", "set_value", "x.at[...] = value", "1.0"),
    ("sort", "sort", "x.sort_values(...) or x.sort_index()", "0.20"),
    ("sortlevel", "sortlevel", "x.sort_index(level=...)", "1.0"),
    ("swapaxes", "swapaxes", "x.transpose()", "3.0"),
    ("tshift", "tshift", "x.shift(..., freq=...)", "2.0"),
)
FRAME = (
    ("applymap", "applymap", "x.map(...)", "3.0"),
    ("consolidate", "itself", "leave it out", "1.0"),
    ("get_dtype_counts", "get_dtype_counts", "x.dtypes.value_counts()", "1.0"),
    ("icol", "icol", "x.iloc[:, ...]", "0.19"),
    ("iget_value", "iget_value", "x.iat[...]", "0.19"),
    ("lookup", "lookup", "x.to_numpy()[rows, columns]", "2.0"),
)
SERIES = (
    ("compress", "compress", "x[...]", "1.0"),
    ("iget", "irow", "x.iloc[...]", "0.19"),
    ("iget_value", "irow", "x.iloc[...]", "0.19"),
    ("is_monotonic", "is_monotonic", "x.is_monotonic_increasing", "2.0"),
    ("nonzero", "nonzero", "x.to_numpy().nonzero()", "1.0"),
    ("ptp", "ptp", "np.ptp(x)", "1.0"),
    ("ravel", "as_matrix", "x.to_numpy()", "3.0"),
    ("real", "real", "np.real(x)", "1.0"),
    ("imag", "imag", "np.imag(x)", "1.0"),
    ("reshape", "reshape", "x.to_numpy().reshape(...)", "0.20"),
    ("valid", "valid", "x.dropna()", "1.0"),
    ("view", "view", "x.to_numpy().view(...)", "3.0"),
)
INDEX = (
    ("contains", "contains", "key in x", "1.0"),
    ("get_duplicates", "get_duplicates", "x[x.duplicated()].unique()", "1.0"),
    ("get_values", "as_matrix", "x.to_numpy()", "1.0"),
    ("is_monotonic", "is_monotonic", "x.is_monotonic_increasing", "2.0"),
    ("order", "order", "x.sort_values()", "0.20"),
)
NAMES = (  # owner, old name, place, the line to write, gone since
    ("pandas:MultiIndex", "labels", "labels", "x.codes", "1.0"),
    ("pandas:Timestamp", "weekday_name", "weekday_name", "x.day_name()", "1.0"),
    ("pandas:Timestamp", "to_datetime", "to_pydatetime", "x.to_pydatetime()", "0.23"),
    ("pandas:DatetimeIndex", "weekday_name", "weekday_name", "x.day_name()", "1.0"),
    ("pandas", "ewma", "ewma", "x.ewm(...).mean()", "0.23"),
    ("pandas", "ewmstd", "ewmstd", "x.ewm(...).std()", "0.23"),
    ("pandas", "rolling_apply", "rolling_apply", "x.rolling(...).apply(...)", "0.23"),
)
ELSEWHERE = (  # names of pandas that are other places' today
    ("TimeSeries", "pandas:Series", "pd.Series", "0.20"),
    ("scatter_matrix", "pandas.plotting:scatter_matrix", "pd.plotting.scatter_matrix(...)", "0.25"),
    ("Int64Index", "pandas:Index", "pd.Index(..., dtype='int64')", "2.0"),
    ("UInt64Index", "pandas:Index", "pd.Index(..., dtype='uint64')", "2.0"),
    ("Float64Index", "pandas:Index", "pd.Index(..., dtype='float64')", "2.0"),
    ("TimeGrouper", "pandas:Grouper", "pd.Grouper(freq=...)", "1.0"),
    ("datetime", "datetime:datetime", "from datetime import datetime", "2.0"),
    ("np", "numpy", "import numpy as np", "2.0"),
    ("Panel", None, "a DataFrame with a MultiIndex, or xarray.DataArray", "0.25"),
    ("Panel4D", None, "xarray.DataArray, from: pip install xarray", "0.25"),
    ("WidePanel", None, "a DataFrame with a MultiIndex, or xarray.DataArray", "0.20"),
    ("ols", None, "statsmodels.api.OLS(y, X).fit(), from: pip install statsmodels", "0.20"),
    ("read_msgpack", None, "pd.read_parquet(...), once rewritten by the pandas of its time", "1.0"),
    ("SparseDataFrame", None, "pd.DataFrame.sparse.from_spmatrix(...)", "1.0"),
    ("SparseSeries", None, "pd.Series(..., dtype=pd.SparseDtype())", "1.0"),
)
ROLLING = "count sum mean median var std min max corr cov skew kurt quantile".split()
READER = (
    "pandas_datareader, from: pip install pandas-datareader; most of its addresses are dead: say "
    "so to read_csv"
)
MODULES = (  # old name, what stands in for it, the line to write, gone since
    ("pandas.core.categorical", "pandas", "pd.Categorical", "1.0"),
    (
        "pandas.core.datetools",
        "pandas.tseries.offsets",
        "from pandas.tseries.offsets import ...",
        "1.0",
    ),
    ("pandas.core.index", "pandas", "from pandas import Index, MultiIndex", "2.0"),
    ("pandas.io.data", None, READER, "0.19"),
    ("pandas.io.ga", None, READER, "0.19"),
    ("pandas.io.wb", None, READER, "0.19"),
    ("pandas.stats.moments", ".pandas.functions", "x.rolling(...), x.ewm(...)", "0.23"),
    ("pandas.stats.api", None, "statsmodels.api, from: pip install statsmodels", "0.20"),
    ("pandas.tools.merge", "pandas", "from pandas import concat, merge", "0.20"),
    ("pandas.tools.pivot", "pandas", "from pandas import pivot_table, crosstab", "0.20"),
    ("pandas.tools.plotting", "pandas.plotting", "from pandas.plotting import ...", "0.20"),
    ("pandas.tools.tile", "pandas", "from pandas import cut, qcut", "0.20"),
    (
        "pandas.tseries.converter",
        "pandas.plotting",
        "pandas.plotting.register_matplotlib_converters()",
        "1.0",
    ),
    ("pandas.tseries.index", "pandas", "from pandas import DatetimeIndex, date_range", "0.20"),
    ("pandas.tseries.tdi", "pandas", "from pandas import TimedeltaIndex", "0.20"),
    ("pandas.tseries.period", "pandas", "from pandas import PeriodIndex, period_range", "0.20"),
    ("pandas.tseries.resample", "pandas", "from pandas import Grouper", "0.20"),
    ("pandas.tseries.tools", "pandas", "from pandas import to_datetime", "0.20"),
    ("pandas.util.testing", "pandas.testing", "from pandas.testing import ...", "2.0"),
)
KEYWORDS = (  # owner, function, old argument, new one, gone since
    ("pandas", "read_csv", "warn_bad_lines", "", "2.0"),
    ("pandas", "read_csv", "mangle_dupe_cols", "", "2.0"),
    ("pandas", "read_csv", "tupleize_cols", "", "1.0"),
    ("pandas", "read_csv", "infer_datetime_format", "", "3.0"),
    ("pandas", "read_excel", "sheetname", "sheet_name", "0.25"),
    ("pandas", "read_excel", "parse_cols", "usecols", "1.0"),
    ("pandas", "to_datetime", "infer_datetime_format", "", "3.0"),
    ("pandas:DataFrame", "to_csv", "line_terminator", "lineterminator", "2.0"),
    ("pandas:DataFrame", "to_csv", "tupleize_cols", "", "1.0"),
    ("pandas:Series", "to_csv", "line_terminator", "lineterminator", "2.0"),
    ("pandas:DataFrame", "to_excel", "encoding", "", "2.0"),
    ("pandas:DataFrame", "groupby", "squeeze", "", "2.0"),
    ("pandas:DataFrame", "drop_duplicates", "cols", "subset", "0.20"),
    ("pandas:DataFrame", "drop_duplicates", "take_last", "", "0.20"),
    ("pandas:DataFrame", "pivot_table", "rows", "index", "0.20"),
    ("pandas:DataFrame", "pivot_table", "cols", "columns", "0.20"),
    ("pandas", "concat", "join_axes", "", "1.0"),
)
NUMERIC = ("mean", "median", "std", "var", "sum", "corr", "cov", "quantile", "skew")
POSITIONAL = (  # functions that took more by position: their owner, their name, the names by position
    ("pandas:DataFrame", "drop", "labels axis index columns level inplace errors"),
    ("pandas:Series", "drop", "labels axis index columns level inplace errors"),
    ("pandas:DataFrame", "dropna", "axis how thresh subset inplace"),
    ("pandas:DataFrame", "pivot", "index columns values"),
    ("pandas:DataFrame", "reset_index", "level drop inplace col_level col_fill"),
    ("pandas:DataFrame", "set_index", "keys drop append inplace verify_integrity"),
    ("pandas:DataFrame", "sort_values", "by axis ascending inplace kind na_position"),
    ("pandas", "concat", "objs axis join"),
    ("pandas", "read_csv", "filepath_or_buffer sep delimiter header names index_col"),
    ("pandas", "read_table", "filepath_or_buffer sep delimiter header names index_col"),
)

_HERE = ".pandas.functions:"

PANDAS: list[Row] = [
    *(
        Name(f"pandas:{kind}", name, _HERE + value, write, f"pandas {gone}")
        for kinds, rows in ((("DataFrame", "Series"), BOTH), (("DataFrame",), FRAME), (("Series",), SERIES), (("Index",), INDEX))
        for kind in kinds
        for name, value, write, gone in rows
    ),
    *(Name(owner, name, _HERE + value, write, f"pandas {gone}") for owner, name, value, write, gone in NAMES),
    *(Name("pandas", name, value, write, f"pandas {gone}") for name, value, write, gone in ELSEWHERE),
    *(
        Name("pandas", f"rolling_{name}", f"{_HERE}rolling_{name}", f"x.rolling(...).{name}()", "pandas 0.23")
        for name in ROLLING
    ),
    Name("pandas:DataFrame", "from_csv", _HERE + "from_csv", "pd.read_csv(..., index_col=0, parse_dates=True)", "pandas 1.0"),
    Name("pandas:DataFrame", "from_items", _HERE + "from_items", "pd.DataFrame(dict(...))", "pandas 1.0"),
    *(Module(name, value, write, f"pandas {gone}") for name, value, write, gone in MODULES),
    *(keyword(owner, name, old, new, f"pandas {gone}") for owner, name, old, new, gone in KEYWORDS),
    *(
        Changed(owner, name, ".pandas.changes:by_position", "arguments by position", f"their names: {words.replace(' ', '=, ')}=",
                "pandas 2.0", words)
        for owner, name, words in POSITIONAL
    ),
    *(
        Changed("pandas:DataFrame", name, ".pandas.changes:numbers_only", "columns that are no numbers", "numeric_only=True",
                "pandas 2.0")
        for name in NUMERIC
    ),
    Changed("pandas", "read_csv", ".pandas.changes:squeezed", "the argument squeeze=", "pd.read_csv(...).squeeze('columns')",
            "pandas 2.0"),
    Changed("pandas", "read_csv", ".pandas.changes:bad_lines", "the argument error_bad_lines=", "on_bad_lines='skip'",
            "pandas 2.0"),
    Changed("pandas", "read_csv", ".pandas.changes:by_spaces", "the argument delim_whitespace=", "sep=r'\\s+'", "pandas 3.0"),
    Changed("pandas:DataFrame", "fillna", ".pandas.changes:filled", "the argument method=", "x.ffill() or x.bfill()",
            "pandas 3.0"),
    Changed("pandas:Series", "fillna", ".pandas.changes:filled", "the argument method=", "x.ffill() or x.bfill()",
            "pandas 3.0"),
    Changed("pandas:DataFrame", "resample", ".pandas.changes:resampled", "the argument how=", "x.resample(...).mean()",
            "pandas 0.25"),
    Changed("pandas:Series", "resample", ".pandas.changes:resampled", "the argument how=", "x.resample(...).mean()",
            "pandas 0.25"),
    Advice(r"ValueError: Invalid frequency: (M|Q|Y|A|H|T|S|L|BM)\b", "the new names: ME, QE, YE, h, min, s, ms, BME",
           "pandas 3.0"),
]  # fmt: skip
