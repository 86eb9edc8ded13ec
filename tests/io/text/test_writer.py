"""Sequences as text: what the original writes, and what is written can be read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from cntk.io import (
    CTFDeserializer,
    MinibatchSource,
    StreamDef,
    StreamDefs,
    sequence_to_cntk_text_format,
)


@pytest.mark.parametrize(
    ("key", "fields", "text"),
    [
        (
            0,
            {"W": np.array([[[1, 0], [1, 0]], [[5, 6], [7, 8]]]), "L": np.array([[[2.5]]])},
            "0\t|L 2.5 |W 1 0 1 0\n0\t|W 5 6 7 8",
        ),
        (0, {"W": [{3: 1, 5: 2.5}, {1: 1}]}, "0\t|W 3:1 5:2.5\n0\t|W 1:1"),
        (
            3,
            {"W": [{5: 2, 3: 1}], "A": np.array([[1, 2], [3, 4]])},
            "3\t|A 1 2 |W 3:1 5:2\n3\t|A 3 4",
        ),
        (0, {"W": [{}]}, "0\t|W "),
        (2, {"W": np.array([1.0, 1e-7], np.float32)}, "2\t|W 1.0\n2\t|W 1e-07"),
        (2, {"W": [[1, 2], [3, 4]]}, "2\t|W 1 2\n2\t|W 3 4"),
        (0, {"W": np.array([])}, ""),
        (0, {"W": np.array([True, False])}, "0\t|W 1\n0\t|W 0"),
    ],
)
def test_text(key, fields, text):
    assert sequence_to_cntk_text_format(key, fields) == text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([object()], "must be an array"),
        (5, "must be an array"),
        ("abc", "must be an array"),
        ([np.array([1])], "must be an array"),
        ([{1: 2}, [1, 2]], "must be an array"),
        ([[1], [1, 2]], "differ in their shape"),
    ],
)
def test_what_cannot_be_written(data, words):
    with pytest.raises(ValueError, match=words):
        sequence_to_cntk_text_format(0, {"W": data})


finite = st.floats(-(2.0**99), 2.0**99, width=32)


@given(
    st.lists(
        st.tuples(
            st.lists(st.tuples(finite, finite), min_size=1, max_size=4),
            st.lists(
                st.dictionaries(st.integers(0, 49), finite, max_size=4), min_size=1, max_size=4
            ),
        ),
        min_size=1,
        max_size=6,
    )
)
@settings(max_examples=30)
def test_what_is_written_can_be_read(tmp_path_factory, sequences):
    file = tmp_path_factory.mktemp("written") / "data.ctf"
    text = [
        sequence_to_cntk_text_format(k, {"d": np.array(dense, np.float32), "s": sparse})
        for k, (dense, sparse) in enumerate(sequences)
    ]
    file.write_text("\n".join(text))
    streams = StreamDefs(d=StreamDef("d", 2), s=StreamDef("s", 50, is_sparse=True))
    source = MinibatchSource(CTFDeserializer(str(file), streams), randomize=False)
    minibatch = source.next_minibatch(sum(max(map(len, s)) for s in sequences))
    for found, (dense, _) in zip(
        minibatch[source.streams.d].as_sequences(), sequences, strict=True
    ):
        np.testing.assert_allclose(found, np.array(dense, np.float32), rtol=2e-7)
    for found, (_, sparse) in zip(
        minibatch[source.streams.s].as_sequences(), sequences, strict=True
    ):
        wanted = np.zeros((len(sparse), 50), np.float32)
        for row, sample in enumerate(sparse):
            wanted[row, list(sample)] = list(sample.values())
        np.testing.assert_allclose(found.toarray(), wanted, rtol=2e-7)
