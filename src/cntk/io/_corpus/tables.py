"""Rows of any data set as a deserializer: lists, Hugging Face and torch data sets, Arrow and
Parquet files.

Additions: the original has nothing of the kind. All are a `UserDeserializer`, so that rows are
asked for chunk by chunk when they are needed, and shuffled as such are.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cntk._errors import DataError
from cntk._files import opened
from cntk._graph.variable import as_shape
from cntk.io._corpus.streams import StreamConfiguration, StreamInformation, configurations
from cntk.io._corpus.user_deserializer import UserDeserializer
from cntk.io._text.listed_names import why


class RowDeserializer(UserDeserializer):
    """Reads rows: dictionaries, as Hugging Face data sets give, or tuples, as torch data sets give.

    A row is a sequence. In a dense stream its value is a sample of the stream's shape, or an array
    ``[length, *shape]``; in a sparse one it is the index of the one that is 1, a list of such
    indices (of words, for example), or a CSR matrix. An addition to CNTK.

    Args:
        rows: what has a length and gives rows by their number; a torch ``DataLoader``, of which the
            data set is read (in what batches and order is the minibatch source's affair); or
            anything that can be gone through, which is then read into memory.
        streams: `StreamDefs`; ``field`` is the row's key. Rows that are tuples give their items in
            the order of streams.
        rows_per_chunk: how many rows are read at once.

    Raises:
        ValueError: if there are no rows or no streams, or a stream has no shape.

    Example:
        >>> from cntk.io import MinibatchSource, StreamDef, StreamDefs
        >>> rows = [{"tokens": [5, 2, 7], "label": 1}, {"tokens": [3], "label": 0}]
        >>> streams = StreamDefs(
        ...     words=StreamDef("tokens", 10, is_sparse=True), label=StreamDef("label", 1)
        ... )
        >>> source = MinibatchSource(RowDeserializer(rows, streams), randomize=False)
        >>> source.next_minibatch(4)[source.streams.words]
        MinibatchData(data=Value([2 x 3 x 10], CPU), samples=4, seqs=2)
    """

    _ends_sweeps_late = False

    def __init__(self, rows: Any, streams: Any, rows_per_chunk: int = 1 << 10) -> None:
        super().__init__()
        self._rows = _indexable(rows)
        self._fields = _configured(streams, "RowDeserializer")
        self._rows_per_chunk = _positive(rows_per_chunk, "RowDeserializer: rows_per_chunk")
        if not len(self._rows):
            raise DataError("RowDeserializer: there are no rows")

    def stream_infos(self) -> list[StreamInformation]:
        """The streams."""
        return _informations(self._fields)

    def num_chunks(self) -> int:
        """How many chunks there are."""
        return -(-len(self._rows) // self._rows_per_chunk)

    def get_chunk(self, chunk_id: int) -> dict[str, Any]:
        """A chunk of rows.

        Args:
            chunk_id: its number.
        """
        first = chunk_id * self._rows_per_chunk
        numbers = range(first, min(first + self._rows_per_chunk, len(self._rows)))
        rows = [self._rows[k] for k in numbers]
        found: dict[str, Any] = {}
        for place, field in enumerate(self._fields):
            values = [
                _value(row, place, field, number) for row, number in zip(rows, numbers, strict=True)
            ]
            found[field.name] = _sequences(values, field, [f"row {number}" for number in numbers])
        return found


class ArrowDeserializer(UserDeserializer):
    """Reads Arrow (IPC, Feather) and Parquet files, a record batch or row group at a time.

    A row is a sequence; columns hold numbers, lists of numbers or lists of lists, as in
    `RowDeserializer`. Needs pyarrow, ``pip install 'cntk-torch[arrow]'``. An addition to CNTK.

    Args:
        files: a file, or several that are read one after another; ``.parquet`` tells Parquet from
            Arrow.
        streams: `StreamDefs`; ``field`` is the column.

    Raises:
        ImportError: if pyarrow is not there.
        ValueError: if a file cannot be read, or has no such column.
    """

    _ends_sweeps_late = False

    def __init__(self, files: Any, streams: Any) -> None:
        super().__init__()
        if importlib.util.find_spec("pyarrow") is None:
            raise ImportError(
                "ArrowDeserializer needs pyarrow; install it with: pip install 'cntk-torch[arrow]'"
            )
        self._fields = _configured(streams, "ArrowDeserializer")
        listed = [files] if isinstance(files, (str, Path)) else list(files)
        self._opened = [_open_table(str(file)) for file in listed]
        # File and part in it of each chunk.
        self._places = [
            (k, part) for k, (_, parts, _) in enumerate(self._opened) for part in range(parts)
        ]
        self._names = [str(file) for file in listed]
        for name, (_, _, columns) in zip(self._names, self._opened, strict=True):
            for field in self._fields:
                if (field.stream_alias or field.name) not in columns:
                    wanted = field.stream_alias or field.name
                    raise DataError(
                        f"{name}: has no column '{wanted}'; it has: {', '.join(columns)}"
                    )
        if not self._places:
            raise DataError(
                f"ArrowDeserializer: there are no rows in {', '.join(self._names) or 'no file'}"
            )

    def stream_infos(self) -> list[StreamInformation]:
        """The streams."""
        return _informations(self._fields)

    def num_chunks(self) -> int:
        """How many record batches or row groups there are."""
        return len(self._places)

    def _place_of_chunk(self, chunk_id: int) -> str:
        file, part = self._places[chunk_id]
        return f"{self._names[file]}, part {part}"

    def get_chunk(self, chunk_id: int) -> dict[str, Any]:
        """A record batch or row group.

        Args:
            chunk_id: its number.
        """
        file, part = self._places[chunk_id]
        where = self._place_of_chunk(chunk_id)
        columns = [f.stream_alias or f.name for f in self._fields]
        try:
            table = self._opened[file][0](part, columns)
            # What contradicts itself, as the ends of lists, would be believed.
            table.validate(full=True)
        except Exception:  # pyarrow's own kinds, which are many.
            raise DataError(f"{where}: it cannot be read: it is cut short or damaged") from None
        found = {}
        for field, name in zip(self._fields, columns, strict=True):
            column = table.column(name)
            if column.null_count:
                raise DataError(f"{where}, column '{name}': {column.null_count} rows have no value")
            try:
                values = (
                    column.to_numpy(zero_copy_only=False)
                    if hasattr(column, "type")
                    else column.to_pylist()
                )
            except Exception:  # As above; of text that is none.
                raise DataError(
                    f"{where}, column '{name}': its values are no numbers that can be read"
                ) from None
            found[field.name] = _sequences(
                list(values), field, [f"{where}, row {k}" for k in range(len(values))]
            )
        return found


def _open_table(file: str) -> tuple[Any, int, list[str]]:
    """A function that reads some columns of a part, how many parts there are, and the columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # The file is open only while a part is read: nobody could replace it on Windows.
    try:
        source = opened(file)
    except OSError as error:
        raise DataError(f"{file}: the file cannot be opened: {why(error, file)}") from None
    with source:
        try:
            if file.endswith(".parquet"):
                parquet = pq.ParquetFile(source)
                count, names, metadata = (
                    parquet.num_row_groups,
                    parquet.schema_arrow.names,
                    parquet.metadata,
                )
            else:
                reader = pa.ipc.open_file(source)
                count, names = reader.num_record_batches, reader.schema.names
        except Exception:  # pyarrow's own kinds, which are many.
            kind = "a Parquet file" if file.endswith(".parquet") else "an Arrow file"
            raise DataError(
                f"{file}: expected {kind}, and it is none, or is cut short or damaged"
            ) from None

    def row_group(part: int, columns: list[str]) -> Any:
        with opened(file) as source:
            return pq.ParquetFile(source, metadata=metadata).read_row_group(part, columns)

    def record_batch(part: int, columns: list[str]) -> Any:
        wanted = pa.ipc.IpcReadOptions(included_fields=[names.index(name) for name in columns])
        with opened(file) as source:
            return pa.ipc.open_file(source, options=wanted).get_batch(part).select(columns)

    return row_group if file.endswith(".parquet") else record_batch, count, names


def _indexable(rows: Any) -> Any:
    """Rows that can be asked for by number."""
    dataset = getattr(rows, "dataset", None)
    if dataset is not None and hasattr(rows, "collate_fn"):
        rows = dataset  # A torch DataLoader.
    if hasattr(rows, "__getitem__") and hasattr(rows, "__len__") and not isinstance(rows, Mapping):
        return rows
    if not isinstance(rows, Iterable) or isinstance(rows, Mapping):
        raise TypeError(
            f"RowDeserializer: expected rows, as a list or a data set, got {type(rows).__name__}"
        )
    return list(rows)


def _configured(streams: Any, reader: str) -> list[StreamConfiguration]:
    found = configurations(streams, reader)
    if not found:
        raise DataError(f"{reader}: no streams were given")
    return found


def _informations(fields: list[StreamConfiguration]) -> list[StreamInformation]:
    return [
        StreamInformation(
            f.name,
            k,
            "sparse" if f.is_sparse else "dense",
            np.float32,
            as_shape(f.dim),
            f.defines_mb_size,
        )
        for k, f in enumerate(fields)
    ]


def _positive(count: int, what: str) -> int:
    if count < 1:
        raise DataError(f"{what} must be positive, got {count}")
    return count


def _value(row: Any, place: int, field: StreamConfiguration, number: int) -> Any:
    name = field.stream_alias or field.name
    if isinstance(row, Mapping):
        if name not in row:
            raise DataError(f"row {number}: has no '{name}'; it has: {', '.join(map(str, row))}")
        return row[name]
    if not isinstance(row, (tuple, list)):
        raise DataError(f"row {number}: expected a dictionary or a tuple, got {type(row).__name__}")
    if place >= len(row):
        raise DataError(
            f"row {number}: has {len(row)} items, and stream '{field.name}' is number {place + 1}"
        )
    return row[place]


def _sequences(
    values: Sequence[Any], field: StreamConfiguration, places: Sequence[str]
) -> list[Any]:
    """A stream's sequences; the places are for errors."""
    shape = as_shape(field.dim)
    make = _one_hot if field.is_sparse else _dense
    found = []
    for value, place in zip(values, places, strict=True):
        try:
            found.append(make(value, shape))
        except (TypeError, ValueError) as error:
            raise DataError(f"{place}, stream '{field.name}': {error}") from None
    return found


def _dense(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = _array(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"expected numbers, got {type(value).__name__} {str(value)[:40]!r}")
    # A number is a sample of one; a list of numbers, in a stream of single numbers, a sequence of
    # them.
    if shape == (1,) and (array.ndim == 0 or (array.ndim == 1 and array.shape != (1,))):
        return array.reshape(-1, 1)
    return array


def _array(value: Any) -> np.ndarray:
    try:
        if isinstance(value, np.ndarray) and value.dtype == object:
            return np.stack([_array(v) for v in value]) if len(value) else np.zeros((0,))
        return np.asarray(value)
    except ValueError:
        raise ValueError(
            f"its lists differ in length, and rows of numbers were expected: {str(value)[:40]!r}"
        ) from None


def _one_hot(value: Any, shape: tuple[int, ...]) -> Any:
    from scipy.sparse import csr_matrix

    if hasattr(value, "tocsr"):
        return value
    indices = np.atleast_1d(np.asarray(value))
    width = int(np.prod(shape))
    if indices.shape == (0,):
        indices = indices.astype(np.int64)
    if indices.ndim != 1 or indices.dtype.kind not in "iu":
        raise ValueError(
            f"expected an index or a list of indices, got {type(value).__name__} "
            f"{str(value)[:40]!r}"
        )
    if len(indices) and not (0 <= indices.min() and indices.max() < width):
        wrong = indices[(indices < 0) | (indices >= width)][0]
        raise ValueError(f"index {wrong} is out of range, the stream has {width} columns")
    ones = np.ones(len(indices), np.float32)
    return csr_matrix((ones, indices, np.arange(len(indices) + 1)), (len(indices), width))
