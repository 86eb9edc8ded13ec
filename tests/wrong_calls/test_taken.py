"""What looks wrong and the original takes: it goes on being taken, with the original's result."""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C
from cntk import layers as L
from cntk.contrib.netopt import factorization
from tests.wrong_calls.nodes import Nodes
from tests.wrong_calls.trained import X, data, made, source, trainer

# A call, and what of its result is looked at.
TAKEN = {
    "no name of Sequential": (lambda v: L.Sequential([L.Dense(2)], name=None)(v.x).shape, (2,)),
    "no name of For": (lambda v: L.For(range(2), lambda: L.Dense(2), name=None)(v.x).shape, (2,)),
    "no name of ResNetBlock": (lambda v: L.ResNetBlock(L.Dense(3), name=None)(v.x).shape, (3,)),
    "no name of Recurrence": (lambda v: L.Recurrence(L.GRU(2), name=None)(v.s).shape, (2,)),
    "no name of Fold": (lambda v: L.Fold(C.plus, name=None)(v.s).shape, (3,)),
    "no filters": (lambda v: L.Convolution((3, 3), ())(v.image).shape, (4, 4)),
    "no bias of ConvolutionTranspose": (
        lambda v: L.ConvolutionTranspose((3, 3), 2, init_bias=None)(v.image).shape,
        (2, 8, 8),
    ),
    "infinite epsilon": (
        lambda v: L.LayerNormalization(epsilon=float("inf"))(v.x).eval({v.x: [[1, 2, 3]]}).tolist(),
        [[0, 0, 0]],
    ),
    "size of float": (lambda v: L.Dense(2.0)(v.x).shape, (2,)),
    "flag of NumPy": (lambda v: L.Dense(2, bias=np.False_)(v.x).parameters[0].name, "W"),
    "empty map of streams": (lambda v: [s.name for s in source().next_minibatch(1, {})], ["x"]),
    "no map of streams": (lambda v: [s.name for s in source().next_minibatch(1, [])], ["x"]),
    "infinite minibatch": (
        lambda v: next(iter(data().next_minibatch(float("inf")).values())).num_samples,
        4,
    ),
    "no longest sequence": (lambda v: C.io.StreamDef("x", 2, max_sequence_length=None).dim, 2),
    "empty minibatch": (lambda v: trainer().train_minibatch({}), False),
    "no samples at the end of a sweep": (lambda v: trainer().train_minibatch(({}, True)), False),
    "tag of a number": (lambda v: C.logging.ProgressPrinter(tag=5).tag, "[5] "),
    "key of a number": (lambda v: C.get_global_option(5, "default"), "default"),
    "name that is none": (lambda v: C.logging.graph.find_all_with_name(v.f, None), []),
    "no file of plot": (lambda v: C.logging.graph.plot(v.f, "").count("Times"), 2),
    "empty filter": (lambda v: factorization.factor_dense(v.f, len, filter_function=[]).name, "f"),
    "all columns": (lambda v: factorization.svd_subprojection(np.eye(2), None)[0].shape, (2, 2)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_taken(name: str) -> None:
    call, wanted = TAKEN[name]
    assert call(Nodes()) == wanted


def test_an_empty_minibatch_is_the_previous_one() -> None:
    model = made()
    trained = trainer(model)
    assert trained.train_minibatch(model.data)
    assert trained.previous_minibatch_sample_count == len(X)
    assert not trained.train_minibatch({})
    assert (trained.previous_minibatch_sample_count, trained.total_number_of_samples_seen) == (
        0,
        len(X),
    )
    with pytest.raises(RuntimeError, match="the last one was empty"):
        trained.previous_minibatch_loss_average  # noqa: B018
