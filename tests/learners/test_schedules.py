"""Schedules: their values at each count, as the original gives them, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

import cntk.learners as L
from cntk.learners import UnitType
from cntk.learners.schedules import minibatch_size_schedule

COUNTS = (0, 1, 4, 5, 9, 10, 14, 15, 99, 1_000_000)


@pytest.mark.parametrize(
    "schedule, values, minibatch_size, explicit, by_sweeps",
    [
        (L.learning_parameter_schedule(0.2), [0.2] * 10, 0, False, True),
        (L.learning_parameter_schedule(0.2, 3), [0.2] * 10, 3, True, True),
        (L.learning_parameter_schedule(0.2, 0), [0.2] * 10, 0, True, True),
        (L.learning_parameter_schedule([0.1, 0.2]), [0.1] + [0.2] * 9, 0, False, True),
        (L.learning_parameter_schedule([0.1, 0.2], 4, 5), [0.1] * 3 + [0.2] * 7, 4, True, False),
        (L.learning_parameter_schedule([(3, 0.2), (2, 0.4), (1, 0.8)], 13, 5), [0.2] * 7 + [0.4] + [0.8] * 2, 13, True,
         False),
        (L.learning_parameter_schedule([(1, 0.2), 0.4], None, 5), [0.2] * 3 + [0.4] * 7, 0, False, False),
        (L.learning_parameter_schedule([(9, 0.2), (0, 0.4)]), [0.2] * 4 + [0.4] * 6, 0, False, True),
        (L.learning_parameter_schedule([(3, 0.2), (0, 0.4)], 1, 5), [0.2] * 7 + [0.4] * 3, 1, True, False),
        (L.learning_parameter_schedule([[9, 0.2], [1, 0.4]]), [0.2] * 4 + [0.4] * 6, 0, False, True),
        (L.learning_parameter_schedule([(0, 0.4)]), [0.4] * 10, 0, False, True),
        (L.learning_parameter_schedule([(True, 0.1), (False, 0.2)]), [0.1] + [0.2] * 9, 0, False, True),
        (L.momentum_schedule([(9, 0.9), (0, 0.99)], None), [0.9] * 4 + [0.99] * 6, 0, False, True),
        (L.learning_parameter_schedule([0.1, 0.2], epoch_size=0), [0.1] + [0.2] * 9, 0, False, True),
        (L.learning_parameter_schedule_per_sample([0.1, 0.2], 10), [0.1] * 5 + [0.2] * 5, 1, True, False),
        (L.learning_rate_schedule(0.1, UnitType.sample), [0.1] * 10, 1, True, True),
        (L.learning_rate_schedule(0.1, UnitType.minibatch), [0.1] * 10, 0, True, True),
        (L.learning_rate_schedule([0.1, 0.2], UnitType.sample, 10), [0.1] * 5 + [0.2] * 5, 1, True, False),
        (L.training_parameter_schedule(0.1, "sample"), [0.1] * 10, 0, True, True),  # as the original takes the word
        (L.momentum_schedule([0.9, 0.8], 10, 32), [0.9] * 5 + [0.8] * 5, 32, True, False),
        (L.momentum_schedule_per_sample(0.9), [0.9] * 10, 1, True, True),
        (L.momentum_as_time_constant_schedule([980, 0], 10), [np.exp(-1 / 980)] * 5 + [0] * 5, 1, True, False),
    ],
)  # fmt: skip
def test_values(schedule, values, minibatch_size, explicit, by_sweeps):
    np.testing.assert_allclose([schedule[count] for count in COUNTS], values, rtol=1e-15)
    assert schedule.minibatch_size == minibatch_size
    assert schedule.is_minibatch_size_explicitly_specified is explicit
    assert schedule.is_sweep_based() is by_sweeps


def test_schedules_pass_through():
    schedule = L.learning_parameter_schedule([0.3, 0.2], 4, 5)
    assert L.learning_parameter_schedule(schedule, 7, 9) is schedule
    assert L.momentum_schedule(schedule) is schedule
    assert L.learning_rate_schedule(schedule, UnitType.sample).minibatch_size == 4
    assert L.training_parameter_schedule(
        L.learning_parameter_schedule(1)
    ).is_minibatch_size_explicitly_specified


def test_schedules_run_over_counts():
    taken = [
        value
        for value, _ in zip(
            L.momentum_as_time_constant_schedule([980, 520]), range(3), strict=False
        )
    ]
    np.testing.assert_allclose(taken, np.exp(-1 / np.array([980.0, 520, 520])), rtol=1e-15)


def test_from_now():
    schedule = L.learning_parameter_schedule([0.5, 0.6], 1, 4).from_now(4)
    assert [schedule[count] for count in (4, 7, 8, 12)] == [0.5, 0.5, 0.6, 0.6]


def test_minibatch_sizes():
    assert minibatch_size_schedule(32)[10**9] == 32
    assert [minibatch_size_schedule([32, 64])[count] for count in (0, 1, 2)] == [32, 64, 64]
    assert minibatch_size_schedule([(2, 32), (1, 64)], 10)[20] == 64
    with pytest.raises(ValueError, match="epoch_size 10 has no effect"):
        minibatch_size_schedule(32, 10)
    with pytest.raises(ValueError, match="minibatch_size_schedule: expected a number"):
        minibatch_size_schedule(1.5)


@pytest.mark.parametrize(
    "make",
    [
        lambda: L.learning_parameter_schedule(0.01, epoch_size=10),
        lambda: L.momentum_as_time_constant_schedule(100, 10),
        lambda: L.learning_rate_schedule(0.1, UnitType.sample, 10),
    ],
)
def test_a_number_needs_no_epoch_size(make):
    with pytest.warns(RuntimeWarning, match="epoch_size has no effect") as caught:
        make()
    assert len(caught) == 1


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: L.learning_parameter_schedule("fast"), "expected a number, a list of numbers"),
        (lambda: L.learning_parameter_schedule(None), "expected a number, a list of numbers"),
        (lambda: L.learning_parameter_schedule((0.1, 0.2)), "expected a number, a list of numbers"),
        (lambda: L.learning_parameter_schedule([]), "the list is empty"),
        (
            lambda: L.learning_parameter_schedule([(0, 0.1), (1, 0.2)]),
            r"at least 1.*got \(0, 0.1\)",
        ),
        (
            lambda: L.learning_parameter_schedule([(1, 0.1), (0, 0.2), (1, 0.3)]),
            r"at least 1.*got \(0, 0.2\)",
        ),
        (
            lambda: L.learning_parameter_schedule([(0, 0.1), (0, 0.2)]),
            r"at least 1.*got \(0, 0.1\)",
        ),
        (lambda: L.learning_parameter_schedule([(1, 0.1), (-1, 0.2)]), r"got \(-1, 0.2\)"),
        (lambda: L.learning_parameter_schedule([(1.0, 0.1)]), r"got \(1.0, 0.1\)"),
        (
            lambda: minibatch_size_schedule(-1),
            "minibatch_size_schedule: must be at least 0, got -1",
        ),
        (
            lambda: minibatch_size_schedule([4, -2]),
            "minibatch_size_schedule: must be at least 0, got -2",
        ),
        (lambda: L.learning_parameter_schedule([(1, 0.1, 2)]), "pairs of a number of epochs"),
        (
            lambda: L.learning_parameter_schedule(0.1, -1),
            "minibatch_size: must be at least 0, got -1",
        ),
        (
            lambda: L.learning_parameter_schedule([0.1, 0.2], 1, 2.5),
            "epoch_size: expected an integer, got 2.5",
        ),
        (lambda: L.learning_rate_schedule(0.1, "epoch"), "UnitType.sample or UnitType.minibatch"),
        (lambda: L.training_parameter_schedule(0.1, 5), "UnitType.sample or UnitType.minibatch"),
    ],
)
def test_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_refusals_are_of_the_original_s_classes():
    for error, schedule in (
        (RuntimeError, []),
        (NotImplementedError, [(1, "a")]),
        (RuntimeError, [(0, 1.0), (1, 2.0)]),
    ):
        with pytest.raises(error):
            L.learning_parameter_schedule(schedule)


def test_the_last_value_ends_as_if_it_held_for_an_epoch():
    """So files have it, where values are kept by their ends."""
    assert L.learning_parameter_schedule([(1000, 0.9), (0, 0.99)], None, 5).ends == (5000, 5005)


def test_counts_start_at_zero():
    with pytest.raises(IndexError):
        L.learning_parameter_schedule([0.1, 0.2])[-1]
