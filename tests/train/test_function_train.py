"""`Function.train` and `Function.test` take the original's arguments and forms of data, and give
what it gives.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import cntk as C
from tests.train.function_programs import (
    HOT,
    HOT_ROWS,
    LENGTHS,
    PROGRAMS,
    SX,
    SY,
    X,
    Y,
    test,
    train,
)

ORIGINAL = json.loads(Path(__file__).with_name("functions_of_the_original.json").read_text())
try_out = test  # pytest would take it for a test of its own
del test


def close(found, wanted):
    assert [n for *_, n in found] == [n for *_, n in wanted]
    np.testing.assert_allclose(np.array(found, float), np.array(wanted, float), atol=2e-3)


@pytest.mark.parametrize("program", PROGRAMS)
def test_trainings_give_what_the_original_s_give(program):
    found, wanted = train(**PROGRAMS[program]), ORIGINAL[program]
    if len(wanted) == 1:
        names = {
            "ArgumentError": ("TypeError", "ValueError", "NotImplementedError"),
            "SettingError": ("ValueError", "RuntimeError", "NotImplementedError"),
        }
        assert len(found) == 1 and wanted[0] in names.get(found[0], found)
        return
    close(found[0], wanted[0])
    close(found[1], wanted[1])
    assert found[2] == wanted[2]


def test_every_program_is_recorded():
    assert set(PROGRAMS) == set(ORIGINAL)


# Forms of sequences, of which the original takes the lists alone, and those only where minibatches
# happen to fit.
FORMS = {
    "dense": ("sequences", lambda x: SX),
    "dense Value": ("sequences", lambda x: C.Value.create(x, SX)),
    "lists of lists": ("sequences", lambda x: [s.tolist() for s in SX]),
    "sparse": ("sequences sparse", lambda x: HOT_ROWS),
    "sparse Value": ("sequences sparse", lambda x: C.Value.create(x, HOT_ROWS)),
    "one-hot Value": (
        "sequences sparse",
        lambda x: C.Value.one_hot([h.argmax(1).tolist() for h in HOT], 3),
    ),
    "dense for a sparse input": ("sequences sparse", lambda x: HOT),
    "sparse for a dense input": ("sequences", lambda x: HOT_ROWS),
}


@pytest.mark.parametrize("size", [4, 10, 100])
@pytest.mark.parametrize("tagged", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_forms_of_sequences_are_one(name, tagged, size):
    kind, form = FORMS[name]
    targets = SY if tagged else Y
    kind += " tagged" if tagged else ""
    reference = HOT if "sparse" in name or "hot" in name else SX
    dense = kind.replace(" sparse", "")
    options = {"minibatch_size": size, "max_epochs": 2}
    found = train(kind, lambda x, y: (form(x), targets), **options)
    wanted = train(dense, lambda x, y: (reference, targets), **options)
    assert len(found) == 3 and [n for *_, n in found[1]] == [sum(LENGTHS) if tagged else 10] * 2
    close(found[0], wanted[0])
    assert found[2] == wanted[2]
    tried, expected = (
        try_out(k, lambda x, y, f=f: (f(x), targets), minibatch_size=size)
        for k, f in ((kind, form), (dense, lambda x: reference))
    )
    assert tried[1:] == expected[1:] and tried[0] == pytest.approx(expected[0], abs=2e-3)


@pytest.mark.parametrize("size", [4, 10])
def test_a_minibatch_counts_frames(size):
    """At least one sequence is taken; the original fails where the first is longer than the
    minibatch.
    """
    _, _, course = train("sequences tagged", lambda x, y: (SX, SY), minibatch_size=size)
    taken = [int(line.split()[1]) for line in course if line.startswith("trained")]
    assert sum(taken) == sum(LENGTHS) and all(n <= size or n in LENGTHS for n in taken)


def test_a_part_of_an_epoch_of_sequences():
    _, epochs, _ = train("sequences", lambda x, y: (SX, Y), minibatch_size=100, max_epochs=0.5)
    assert [n for *_, n in epochs] == [5]  # 14 of the 29 frames


@pytest.mark.parametrize(
    ("data", "kind", "message"),
    [
        ((X,), ValueError, "pass a tuple of 2 arrays"),
        ((X, Y, Y), ValueError, "you passed 3"),
        ((X, Y[:5]), TypeError, "same number of items"),
        ((X[:0], Y[:0]), ValueError, "empty"),
        (("a", "b"), TypeError, "expected an array, a CSR matrix, a Value or a list"),
        (None, TypeError, "pass a tuple of 2 arrays"),
        ({"x": X}, TypeError, "pass a tuple of 2 arrays"),
        ((X[:, :2], Y), ValueError, "do not end with the variable's shape"),
        ((X.astype("u1"), Y), RuntimeError, "you gave uint8"),
        ((SX, Y), ValueError, "single samples are expected"),
    ],
)
def test_data_that_do_not_fit(data, kind, message):
    x, y = C.input_variable(3), C.input_variable(2)
    z = C.layers.Dense(2)(x)
    loss = C.squared_error(z, y)
    before = z.W.value
    with pytest.raises(kind, match=message):
        loss.train(data, parameter_learners=[C.sgd(z.parameters, 0.1)])
    with pytest.raises(kind, match=message):
        loss.test(data)
    np.testing.assert_array_equal(z.W.value, before)


def test_streams_that_do_not_fit():
    x, y = C.input_variable(3), C.input_variable(2)
    z = C.layers.Dense(2)(x)
    loss, learners = C.squared_error(z, y), [C.sgd(z.parameters, 0.1)]
    source = C.io.MinibatchSourceFromData({"x": X, "y": Y})
    streams = (source.streams.x, source.streams.y)
    mapping = {x: source.streams.x, y: source.streams.y}
    for error in (TypeError, ValueError):
        with pytest.raises(error, match="has 2 arguments, and 1 streams were given"):
            loss.train(source, streams=streams[:1], parameter_learners=learners, max_samples=4)
    with pytest.raises(ValueError, match="say the same"):
        loss.train(
            source,
            streams=streams,
            model_inputs_to_streams=mapping,
            parameter_learners=learners,
            max_samples=4,
        )
    with pytest.raises(ValueError, match="have no streams"):
        loss.train((X, Y), model_inputs_to_streams=mapping, parameter_learners=learners)
    with pytest.raises(ValueError, match="limited number of samples or sweeps"):
        loss.test(source, streams=streams)


def test_arrays_are_not_copied():
    given = X.copy()
    source = C.io.MinibatchSourceFromData({"x": given})
    given[0] = 7
    np.testing.assert_array_equal(source.next_minibatch(1)[source.streams.x].asarray(), [[7, 7, 7]])


def test_the_end_of_the_samples_wanted_ends_a_sweep():
    """So summaries by sweeps tell of what came last."""
    source = C.io.MinibatchSourceFromData({"x": X}, max_samples=14)
    found = []
    while minibatch := source.next_minibatch(4):
        data = minibatch[source.streams.x]
        found.append((data.num_samples, data.end_of_sweep))
    assert found == [(4, False), (4, False), (2, True), (4, True)]
