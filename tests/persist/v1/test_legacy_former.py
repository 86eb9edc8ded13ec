"""Nodes of version 1 that version 2 never had: computed by a graph, or refused when they are
evaluated.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from cntk._ops.support import version1_nodes
from cntk._persist.v1.former import FORMER
from cntk.errors import FileFormatError, GraphError
from tests.persist.v1.legacy_former import COMPUTED, NOT_COMPUTED

RNG = np.random.default_rng(5)
X = RNG.uniform(0.1, 0.9, (4, 3)).astype(np.float32)
LABELS = np.eye(3, dtype=np.float32)[[0, 2, 1, 1]]
WORDS = np.eye(3, dtype=np.float32)[[[0, 2], [1, 1], [2, 0], [0, 0]]].reshape(4, 6)
SQUARE = np.arange(1, 10, dtype=np.float32).reshape(3, 3)  # by columns in the file
V = np.array([1, -2, 0.5], np.float32)
TABLE = np.arange(1, 7, dtype=np.float32).reshape(3, 2)
FED = {"features": X, "labels": LABELS, "words": WORDS, "b": X[:, None]}

WANTED: dict[str, Callable[[], np.ndarray]] = {
    "CrossEntropy": lambda: -(LABELS * np.log(X)).sum(),
    "Diagonal": lambda: np.diag(SQUARE)[:, None],
    "KhatriRaoProduct": lambda: (X[:, :, None] * V).reshape(4, 9),
    "LegacyReshape": lambda: WORDS.reshape(4, 2, 1, 3),
    "LookupTable": lambda: (WORDS.reshape(4, 2, 3) @ TABLE).reshape(4, 4),
    "MatrixL1Reg": lambda: np.abs(SQUARE).sum(),
    "MatrixL2Reg": lambda: np.sqrt((V**2).sum()),
    "PerDimMeanVarDeNormalization": lambda: X / V + V,
    "RowRepeat": lambda: np.tile(X, 3),
    "Trace": lambda: X,
}


def output(model: C.Function, name: str) -> C.Function:
    return C.combine([v for v in model.outputs if v.name == name])


@pytest.mark.parametrize("kind", COMPUTED)
def test_what_a_graph_computes(kind: str, tmp_path: Path) -> None:
    model = C.load_model(COMPUTED[kind])
    model.save(tmp_path / "again.model")
    for function in (model, C.load_model(tmp_path / "again.model")):
        z = output(function, "z")
        np.testing.assert_allclose(
            z.eval({v: FED[v.name] for v in z.arguments}), WANTED[kind](), rtol=1e-5
        )


@pytest.mark.parametrize("kind", NOT_COMPUTED)
def test_what_nothing_computes_is_refused_when_it_is_evaluated(kind: str) -> None:
    model = C.load_model(NOT_COMPUTED[kind])
    h, z = output(model, "h"), output(model, "z")
    (x,) = h.arguments
    np.testing.assert_allclose(np.reshape(h.eval({x: FED[x.name]}), (4, 3)), np.tanh(X), rtol=1e-5)
    with pytest.raises(GraphError, match=r"'z'.*not computed"):
        z.eval(
            {
                v: np.ones(
                    (2, 1, *v.shape) if kind.startswith("Lattice") else (2, *v.shape), np.float32
                )
                for v in z.arguments
            }
        )


def test_each_node_is_there_with_its_reason(tmp_path: Path) -> None:
    assert {*COMPUTED, *NOT_COMPUTED} - {"LatticeSequenceWithSoftmax"} == set(FORMER)
    assert {kind.name for kind in FORMER.values() if kind.build is None} == set(
        version1_nodes._REASONS
    )
    with pytest.raises(FileFormatError, match=r"FormerNode 'z' cannot be saved"):
        C.load_model(NOT_COMPUTED["DummyCriterion"]).save(tmp_path / "again.model")


def test_the_attributes_of_lattices() -> None:
    criterion = C.load_model(NOT_COMPUTED["LatticeSequenceWithSoftmax"]).find_by_name("z")
    wanted = {
        "StateListPath": "states",
        "SeqGammarLMF": 13,
        "SeqGammarWordPen": 0.25,
        "SeqGammarUsesMBR": True,
    }
    assert {name: criterion.attributes[name] for name in wanted} == wanted
