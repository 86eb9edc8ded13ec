"""Readers in words: which of them is compiled, and why not."""

from __future__ import annotations

from typing import Any

from cntk._wording import escaped
from cntk.io._native.loader import state_text
from cntk.io._source.minibatch_source import MinibatchSource
from cntk.io._text.deserializer import TextFile


def reader_lines(source: MinibatchSource) -> list[str]:
    """Return how the files of a minibatch source are read."""
    return [f"compiled code: {state_text()}", *map(_text, source._corpora)]


def reader_reasons(source: MinibatchSource) -> list[str]:
    """Return why files are read slower than they could be."""
    by_file = [c.reasons for c in source._corpora if isinstance(c, TextFile)]
    return list(dict.fromkeys(f"{r.about}: {text}" for r in by_file for text in r))


def _text(corpus: Any) -> str:
    streams = ", ".join(s.name for s in corpus.streams)
    if isinstance(corpus, TextFile):
        return f"text file {escaped(corpus.file)}: streams {streams}"
    return f"{type(corpus).__name__}: streams {streams}"
