"""Deserializers of rows: lists, Hugging Face and torch data sets, Arrow and Parquet files.

Additions: the original has nothing of the kind. Each is a `UserDeserializer`, so that rows are
read and shuffled chunk by chunk, when they are needed.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cntk._graph.variable import as_shape
from cntk._writing.whole_files import opened
from cntk.errors import DataError
from cntk.io._corpus.streams import StreamConfiguration, StreamInformation, configurations
from cntk.io._corpus.user_deserializer import UserDeserializer
from cntk.io._text.listed_names import why


class RowDeserializer(UserDeserializer):
    """Deserializer of rows: dictionaries, as of Hugging Face data sets, or tuples, as of torch's.

    A row is a sequence. In a dense stream its value is a sample of the stream's shape, or an array
    ``[length, *shape]``; in a sparse one it is the index of the one that is 1, a list of such
    indices (of words, for example), or a CSR matrix. An addition to CNTK.

    Args:
        rows: an object with a length that is indexed by row number; a torch ``DataLoader``, whose
            data set is read (the minibatch source decides on batches and order); or any iterable,
            which is then read into memory.
        streams: `StreamDefs`; ``field`` is the row's key. Rows that are tuples have their items in
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
        """Return all streams."""
        return _informations(self._fields)

    def num_chunks(self) -> int:
        """Return the number of chunks."""
        return -(-len(self._rows) // self._rows_per_chunk)

    def get_chunk(self, chunk_id: int) -> dict[str, Any]:
        """Read a chunk of rows.

        Args:
            chunk_id: index of the chunk.
        """
        first = chunk_id * self._rows_per_chunk
        numbers = range(first, min(first + self._rows_per_chunk, len(self._rows)))
        rows = [self._rows[k] for k in numbers]
        sequences: dict[str, Any] = {}
        for column, field in enumerate(self._fields):
            values = [
                _value(row, column, field, number)
                for row, number in zip(rows, numbers, strict=True)
            ]
            labels = [f"row {number}" for number in numbers]
            sequences[field.name] = _sequences(values, field, labels)
        return sequences


class ArrowDeserializer(UserDeserializer):
    """Deserializer of Arrow (IPC, Feather) and Parquet files.

    A record batch or row group is a chunk, and a row is a sequence; columns hold numbers, lists of
    numbers or lists of lists, as in `RowDeserializer`. Needs pyarrow: ``pip install
    'cntk-torch[arrow]'``. An addition to CNTK.

    Args:
        files: a file, or several that are read one after another; ``.parquet`` tells Parquet from
            Arrow.
        streams: `StreamDefs`; ``field`` is the column.

    Raises:
        ImportError: if pyarrow is not installed.
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
        # Of each chunk the index of its file, and the index of its part within the file.
        self._parts = [
            (k, part) for k, (_, parts, _) in enumerate(self._opened) for part in range(parts)
        ]
        self._names = [str(file) for file in listed]
        for name, (_, _, columns) in zip(self._names, self._opened, strict=True):
            for field in self._fields:
                column = field.stream_alias or field.name
                if column not in columns:
                    raise DataError(
                        f"{name}: has no column '{column}'; it has: {', '.join(columns)}"
                    )
        if not self._parts:
            raise DataError(
                f"ArrowDeserializer: there are no rows in {', '.join(self._names) or 'no file'}"
            )

    def stream_infos(self) -> list[StreamInformation]:
        """Return all streams."""
        return _informations(self._fields)

    def num_chunks(self) -> int:
        """Return the number of record batches or row groups."""
        return len(self._parts)

    def _place_of_chunk(self, chunk_id: int) -> str:
        file, part = self._parts[chunk_id]
        return f"{self._names[file]}, part {part}"

    def get_chunk(self, chunk_id: int) -> dict[str, Any]:
        """Read a record batch or row group.

        Args:
            chunk_id: index of the chunk.
        """
        file, part = self._parts[chunk_id]
        where = self._place_of_chunk(chunk_id)
        columns = [f.stream_alias or f.name for f in self._fields]
        try:
            table = self._opened[file][0](part, columns)
            # Otherwise pyarrow believes contradictory contents, such as wrong offsets of lists.
            table.validate(full=True)
        except Exception:  # pyarrow raises many kinds.
            raise DataError(f"{where}: it cannot be read: it is cut short or damaged") from None
        sequences = {}
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
            except Exception:  # As above; also for strings that are not valid UTF-8.
                raise DataError(
                    f"{where}, column '{name}': its values are no numbers that can be read"
                ) from None
            sequences[field.name] = _sequences(
                list(values), field, [f"{where}, row {k}" for k in range(len(values))]
            )
        return sequences


def _open_table(file: str) -> tuple[Any, int, list[str]]:
    """Return a function that reads columns of one part, the number of parts, and the columns."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    # The file is open only while a part is read: on Windows an open file cannot be replaced.
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
        except Exception:  # pyarrow raises many kinds.
            kind = "a Parquet file" if file.endswith(".parquet") else "an Arrow file"
            raise DataError(
                f"{file}: expected {kind}, but it is of another kind, cut short or damaged"
            ) from None

    def row_group(part: int, columns: list[str]) -> Any:
        with opened(file) as source:
            return pq.ParquetFile(source, metadata=metadata).read_row_group(part, columns)

    def record_batch(part: int, columns: list[str]) -> Any:
        read_options = pa.ipc.IpcReadOptions(
            included_fields=[names.index(name) for name in columns]
        )
        with opened(file) as source:
            return pa.ipc.open_file(source, options=read_options).get_batch(part).select(columns)

    return row_group if file.endswith(".parquet") else record_batch, count, names


def _indexable(rows: Any) -> Any:
    """Return rows that can be indexed by number."""
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
    fields = configurations(streams, reader)
    if not fields:
        raise DataError(f"{reader}: no streams were given")
    return fields


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


def _value(row: Any, column: int, field: StreamConfiguration, number: int) -> Any:
    name = field.stream_alias or field.name
    if isinstance(row, Mapping):
        if name not in row:
            raise DataError(f"row {number}: has no '{name}'; it has: {', '.join(map(str, row))}")
        return row[name]
    if not isinstance(row, (tuple, list)):
        raise DataError(f"row {number}: expected a dictionary or a tuple, got {type(row).__name__}")
    if column >= len(row):
        raise DataError(
            f"row {number}: has {len(row)} items, and stream '{field.name}' is number {column + 1}"
        )
    return row[column]


def _sequences(
    values: Sequence[Any], field: StreamConfiguration, labels: Sequence[str]
) -> list[Any]:
    """Convert values to the sequences of a stream; the labels name the rows in errors."""
    shape = as_shape(field.dim)
    make = _one_hot if field.is_sparse else _dense
    sequences = []
    for value, label in zip(values, labels, strict=True):
        try:
            sequences.append(make(value, shape))
        except (TypeError, ValueError) as error:
            raise DataError(f"{label}, stream '{field.name}': {error}") from None
    return sequences


def _dense(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    array = _array(value)
    if array.dtype.kind not in "fiub":
        raise ValueError(f"expected numbers, got {type(value).__name__} {str(value)[:40]!r}")
    # A scalar is a sequence of one sample. In a stream of scalars a list of numbers is a sequence.
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
