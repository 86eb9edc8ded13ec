"""Table of h5py: changes of version 3."""

from __future__ import annotations

from cntk._old_programs.rows import Changed, Name, Row

H5PY: list[Row] = [
    Name("h5py:Dataset", "value", ".h5py.changes:value", "dataset[()]", "h5py 3.0"),
    Name("h5py:File", "fid", ".h5py.changes:fid", "file.id", "h5py 3.0"),
    Changed("h5py:AttributeManager", "__getitem__", ".h5py.changes:ascii_is_bytes",
            "attribute that was bytes", "leave .decode('utf8') out", "h5py 3.0"),
    *(
        Changed("h5py:AttributeManager", name, ".h5py.changes:fixed_bytes",
                "lists of bytes, in a field of fixed width", "np.array([...])", "h5py 3.0")
        for name in ("__setitem__", "create")
    ),
    Changed("h5py:Dataset", "__getitem__", ".h5py.changes:strings", "strings, read from UTF-8", "dataset.asstr()[...]",
            "h5py 3.0"),
    Changed("h5py:File", "__init__", ".h5py.changes:mode", "no mode, to write", "h5py.File(name, 'a')",
            "h5py 3.0"),
]  # fmt: skip
