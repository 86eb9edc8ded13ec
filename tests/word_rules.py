"""The words that `src/cntk` avoids, and a search that finds them in a source file."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SOURCES = Path(__file__).parent.parent / "src" / "cntk"

# In comments, docstrings and messages: the field's word instead.
PHRASES = {
    r"number formats?": "dtype",
    r"whole numbers?": "integer",
    r"single numbers?": "scalar",
    r"a text(?! (?:file|format|line|stream|field|table|reader|editor|column))": "a string",
    r"the processor(?!-)": "the CPU",
}
# Words of a phrase may be on two lines, of a comment or of a string in two parts.
_GAP = r"(?:\s|#|[\"'] *\n\s*[rf]?[\"'])+"
_PHRASE = {
    re.compile(rf"\b{phrase.replace(' ', _GAP)}\b", re.IGNORECASE): say
    for phrase, say in PHRASES.items()
}

_OWN_NOUN = "the thing's own noun, such as result, samples, matches"
# Of functions, classes, arguments, variables and attributes, without leading underscores.
NAMES = {
    **dict.fromkeys(["found", "wanted", "given", "kept", "held", "lent"], _OWN_NOUN),
    **dict.fromkeys(["Fed", "feed", "hold"], "BoundInput, bind_input, to_value"),
    **dict.fromkeys(["moved", "standing"], "permute_rows, inverse_index, or what it holds"),
    **dict.fromkeys(["Expr", "Columns"], "SymbolicExpr, WeightSlices"),
    "Run": "RunContext",
    "places": "index_map, indices, offsets",
    "pieces": "time_chunks, segments",
    "slots": "registers (of a plan), lanes (packed), states (of a learner)",
    "groups": "length_buckets",
    "rectangles": "padded_blocks",
    "settled": "canonical_for_disk",
    "bound": "bind_axis_names",
    "acts": "has_side_effect",
    "regroups": "changes_batch_size",
    "mixes_formats": "allows_mixed_dtypes",
    "takes_any_size": "shape_polymorphic",
    "contracted": "recognise_fused_op",
    "lie_by_columns": "use_column_major",
    "lies_as": "match_strides",
    "pin": "freeze_storage",
    "late": "lower_on_first_shape",
}
# Words that mean something else elsewhere: counted in these folders only.
_ONLY_IN = {
    "feed": ("_runtime", "_execution"),
    "groups": ("_runtime", "_compiler"),
}
# File and name, where somebody else's interface prescribes the word.
PRESCRIBED = {
    ("_old_programs/drawing/matplotlib_functions.py", "hold"): "pyplot.hold",
}

_RIDDLES = ("Whether", "What", "How", "Where", "Which")
_NOUN_PHRASES = ("The", "A", "An")
_IMPERATIVE = "begin with a verb in the imperative: Return, Compute, Split, Raise, Read"


@dataclass(frozen=True)
class Finding:
    """A word to avoid, where it stands, and another to say instead."""

    file: str
    line: int
    word: str
    say: str

    def __str__(self) -> str:
        return f"src/cntk/{self.file}:{self.line}: {self.word!r}; say instead: {self.say}"


def _phrases(file: str, source: str) -> Iterator[Finding]:
    for pattern, say in _PHRASE.items():
        for match in pattern.finditer(source):
            line = source.count("\n", 0, match.start()) + 1
            yield Finding(file, line, re.sub(_GAP, " ", match.group()), say)


def _defined(node: ast.AST) -> str | None:
    """Return the name that a node defines or assigns, if it is such a node."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return node.name
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        return node.id
    if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
        return node.attr
    return None


def _is_counted(file: str, node: ast.AST, word: str) -> bool:
    if (file, word) in PRESCRIBED or word not in NAMES:
        return False
    if word == "bound":  # the name of a method only: a lower bound is a bound
        return isinstance(node, ast.FunctionDef)
    folders = _ONLY_IN.get(word)
    return folders is None or file.split("/")[0] in folders


def _is_property(node: ast.AST) -> bool:
    decorators = getattr(node, "decorator_list", [])
    return any("property" in ast.unparse(d) or ".setter" in ast.unparse(d) for d in decorators)


def _opening(file: str, node: ast.AST) -> Iterator[Finding]:
    """Find a docstring's first word that makes a riddle of it."""
    if not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)):
        return
    words = (ast.get_docstring(node) or "").split(maxsplit=1)
    first = words[0] if words else ""
    is_function = isinstance(node, ast.FunctionDef) and not _is_property(node)
    if first in _RIDDLES or (is_function and first in _NOUN_PHRASES):
        say = _IMPERATIVE if is_function else "begin with a noun phrase: True if ..., Number of ..."
        line = 1 if isinstance(node, ast.Module) else node.body[0].lineno
        yield Finding(file, line, f"{first} ...", say)


def search(file: str, source: str) -> dict[str, list[Finding]]:
    """Find the words to avoid in one file: phrases, names, and openings of docstrings."""
    names: list[Finding] = []
    openings: list[Finding] = []
    for node in ast.walk(ast.parse(source)):
        name = _defined(node)
        word = (name or "").lstrip("_")
        if name is not None and _is_counted(file, node, word):
            names.append(Finding(file, node.lineno, name, NAMES[word]))
        openings += _opening(file, node)
    return {"phrases": list(_phrases(file, source)), "names": names, "openings": openings}


def search_folder(folder: str) -> dict[str, list[Finding]]:
    """Find the words to avoid in all files of a top-level folder; "." has the files beside them."""
    findings_by_kind: dict[str, list[Finding]] = {"phrases": [], "names": [], "openings": []}
    paths = SOURCES.glob("*.py") if folder == "." else (SOURCES / folder).rglob("*.py")
    for path in sorted(paths):
        file = path.relative_to(SOURCES).as_posix()
        for kind, findings in search(file, path.read_text(encoding="utf-8")).items():
            findings_by_kind[kind] += findings
    return findings_by_kind
