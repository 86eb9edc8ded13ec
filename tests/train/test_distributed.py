"""Distributed learners in one process: they train as the original's do in one process, checkpoints
included.
"""

from __future__ import annotations

import numpy as np
import pytest

import cntk as C
from cntk._persist import files
from cntk.train.distributed import (
    Communicator,
    DistributedLearner,
    WorkerDescriptor,
    block_momentum_distributed_learner,
    data_parallel_distributed_learner,
    mpi_communicator,
)

X, Y = np.array([[1, 2], [3, 1], [0, 1]], np.float32), np.array([[1], [0], [2]], np.float32)


def sgd(parameters):
    return C.sgd(parameters, C.learning_parameter_schedule(0.05))


def momentum(parameters):
    return C.momentum_sgd(parameters, C.learning_parameter_schedule(0.05), 0.9)


def adam(parameters):
    return C.adam(parameters, C.learning_parameter_schedule(0.05), 0.9)


def user_made(parameters):
    class Own(C.learners.UserLearner):
        def update(self, gradient_values, training_sample_count, sweep_end):
            for p, g in gradient_values.items():
                p.value = p.value - 0.05 * g.asarray() / training_sample_count
            return True

    return Own(parameters, C.learning_parameter_schedule(0.05))


def alone(learner, **options):
    return learner


def made(make=sgd, wrap=data_parallel_distributed_learner, writers=None, **options):
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1, init=0.5)(x)
    loss = C.squared_error(z, y)
    return C.Trainer(z, (loss, loss), [wrap(make(z.parameters), **options)], writers), {x: X, y: Y}


def losses(trainer, data, count):
    found = []
    for _ in range(count):
        assert trainer.train_minibatch(data)
        found.append(trainer.previous_minibatch_loss_average)
    return found


# What the original's trainings give, and how they go on from a checkpoint after the fourth
# minibatch.
TRAININGS = [
    (sgd, alone, {}, [2.16667, 1.37796, 1.08625, 0.92694], [0.81444]),
    (sgd, data_parallel_distributed_learner, {}, [2.16667, 1.37796, 1.08625, 0.92694], [0.81444]),
    (
        sgd,
        data_parallel_distributed_learner,
        {"num_quantization_bits": 1, "distributed_after": 10},
        [2.16667, 1.37796, 1.08625, 0.92694],
        [0.81444],
    ),
    (momentum, data_parallel_distributed_learner, {}, [2.1667, 2.0678, 1.8959, 1.6847], [1.46736]),
    (adam, data_parallel_distributed_learner, {}, [2.1667, 2.0709, 1.9837, 1.9052], [1.83522]),
    (
        sgd,
        block_momentum_distributed_learner,
        {"block_size": 100},
        [2.16667, 1.37796, 1.08625, 0.92694],
        [0.81444, 0.72634, 0.65500],
    ),
    (
        sgd,
        block_momentum_distributed_learner,
        {"block_size": 6, "block_momentum_as_time_constant": 20.0},
        [2.16667, 1.37796, 1.55613, 1.14168],
        [0.87239, 0.70355, 0.86765, 0.59694],
    ),
    (
        sgd,
        block_momentum_distributed_learner,
        {"block_size": 6, "block_momentum_as_time_constant": 20.0, "use_nestrov_momentum": False},
        [2.1667, 1.3780, 1.7912, 1.2356],
        [1.02975],
    ),
    (
        sgd,
        block_momentum_distributed_learner,
        {"block_size": 6, "block_momentum_as_time_constant": 20.0, "block_learning_rate": 0.5},
        [2.1667, 1.3780, 1.8361, 1.2531],
        [1.07486],
    ),
    (
        sgd,
        block_momentum_distributed_learner,
        {"block_size": 3, "block_momentum_as_time_constant": 20.0, "distributed_after": 6},
        [2.16667, 1.37796, 1.79122, 1.38077],
        [0.91390, 0.89059, 0.89507, 0.85671],
    ),
    (
        sgd,
        block_momentum_distributed_learner,
        {"block_size": 7, "block_momentum_as_time_constant": 20.0, "distributed_after": 4},
        [2.16667, 1.37796, 1.08625, 0.92694],
        [0.72333, 0.62405, 0.56493, 0.64281],
    ),
    (
        sgd,
        block_momentum_distributed_learner,
        {"block_size": 100, "block_momentum_as_time_constant": -4.0},
        [2.1667, 1.3780, 1.0862, 0.9269],
        [131824.36],
    ),
    (
        momentum,
        block_momentum_distributed_learner,
        {"block_size": 6},
        [2.1667, 2.0678, 1.8959, 1.8200],
        [1.68741],
    ),
    (
        momentum,
        block_momentum_distributed_learner,
        {"block_size": 6, "reset_sgd_momentum_after_aggregation": False},
        [2.1667, 2.0678, 1.8959, 1.6847],
        [1.46736],
    ),
    (
        momentum,
        block_momentum_distributed_learner,
        {"block_size": 4, "block_momentum_as_time_constant": 8.0, "use_nestrov_momentum": False},
        [2.16667, 2.06778, 2.01933, 1.93298],
        [1.65802, 1.60144, 1.50430, 1.45955],
    ),
]


@pytest.mark.parametrize(("make", "wrap", "options", "before", "after"), TRAININGS)
def test_trainings_are_the_original_s(make, wrap, options, before, after, tmp_path):
    trainer, data = made(make, wrap, **options)
    assert losses(trainer, data, len(before)) == pytest.approx(before, rel=2e-5, abs=6e-5)
    trainer.save_checkpoint(tmp_path / "c", {"position": 7})
    assert losses(trainer, data, len(after)) == pytest.approx(after, rel=2e-5, abs=6e-5)
    fresh, fresh_data = made(make, wrap, **options)
    for restored, given in ((trainer, data), (fresh, fresh_data)):
        assert restored.restore_from_checkpoint(tmp_path / "c") == {"position": 7}
        assert restored.total_number_of_samples_seen == 12
        assert losses(restored, given, len(after)) == pytest.approx(after, rel=2e-5, abs=6e-5)


@pytest.mark.parametrize("make", [sgd, momentum, adam, user_made])
def test_a_wrapped_learner_trains_as_it_would_alone(make):
    """To the bit, through the change to recorded steps."""
    single, data = made(make, alone)
    wrapped, other = made(make)
    assert losses(single, data, 45) == losses(wrapped, other, 45)


def test_blocks_end_in_recorded_steps_too():
    options = {"block_size": 6, "block_momentum_as_time_constant": 20.0}
    recorded, data = made(sgd, block_momentum_distributed_learner, **options)
    eager, other = made(user_made, block_momentum_distributed_learner, **options)
    assert losses(recorded, data, 50) == pytest.approx(losses(eager, other, 50), rel=1e-4)


def test_checkpoints_hold_what_the_original_s_hold(tmp_path):
    trainer, data = made(sgd, block_momentum_distributed_learner, block_size=6)
    losses(trainer, data, 3)
    trainer.save_checkpoint(tmp_path / "c", {"a": 1})
    values = files.read(tmp_path / "c.ckp")
    assert values["DistributedState"] == {
        "0": {"external_worker_state": {"a": 1}, "internal_worker_state": {}}
    }
    assert values["ExternalState"] == {"a": 1}
    (learner,) = values["Learners"]
    assert set(learner) == {"base", "localTotalNumSamplesSeen", "blockLevelSmoothedGradient"}
    assert set(learner["base"]) == {"localLearners", "totalNumberOfSamplesSeen"}
    assert [a.shape for a in learner["blockLevelSmoothedGradient"]] == [(2, 1), (1,)]
    single, given = made(sgd, alone)
    single.restore_from_checkpoint(tmp_path / "c")  # one goes on with what several have trained
    assert single.total_number_of_samples_seen == 9
    plain, given = made(sgd, alone)
    plain.save_checkpoint(tmp_path / "plain")
    made(sgd)[0].restore_from_checkpoint(tmp_path / "plain")
    with pytest.raises(RuntimeError, match="not of a learner with block momentum"):
        made(sgd, block_momentum_distributed_learner, block_size=6)[0].restore_from_checkpoint(
            tmp_path / "plain"
        )


def test_the_processes():
    assert C.distributed is C.train.distributed and C.Communicator is Communicator
    assert C.mpi_communicator is C.train.mpi_communicator is mpi_communicator
    communicator = mpi_communicator()
    assert (Communicator.rank(), Communicator.num_workers(), communicator.is_main()) == (0, 1, True)
    assert communicator.workers() == [communicator.current_worker()]
    assert isinstance(communicator.current_worker(), WorkerDescriptor)
    assert communicator.current_worker().global_rank == 0 and communicator.current_worker().host_id
    assert communicator.barrier() is None and Communicator.finalize() is None


@pytest.mark.parametrize("name", ["OMPI_COMM_WORLD_SIZE", "WORLD_SIZE"])
def test_several_processes_are_refused(monkeypatch, name):
    monkeypatch.setenv(name, "4")
    for call in (mpi_communicator, Communicator.rank, Communicator.num_workers, made):
        with pytest.raises(RuntimeError, match=f"{name} says that there are 4"):
            call()
    monkeypatch.setenv(name, "1")
    assert Communicator.num_workers() == 1


def test_what_a_distributed_learner_tells():
    trainer, data = made(momentum)
    (learner,) = trainer.parameter_learners
    assert isinstance(learner, DistributedLearner) and learner.communicator().is_main()
    assert learner.learning_rate() == 0.05 and learner.total_number_of_samples_seen == 0
    losses(trainer, data, 2)
    assert (
        learner.total_number_of_samples_seen == 6
        and learner.total_number_of_minibatches_seen() == 2
    )
    learner.reset_learning_rate(C.learning_parameter_schedule(0.2))
    assert learner.learning_rate() == 0.2
    state = learner.create_checkpoint()
    losses(trainer, data, 2)
    learner.restore_from_checkpoint(state)
    assert learner.total_number_of_samples_seen == 6
    twice = data_parallel_distributed_learner(learner)
    assert twice.total_number_of_samples_seen == 6 and twice.parameters == learner.parameters


def kinds(value):
    if isinstance(value, dict):
        return {key: kinds(item) for key, item in value.items()}
    return [item.shape for item in value] if isinstance(value, list) else type(value)


SCHEDULE = {
    "epoch_size": int,
    "ref_mb_size": int,
    "schedule": {"0": float},
    "type": str,
    "version": int,
}
# As the original's learners give them.
STATE = {
    "learnig_rate_schedule": SCHEDULE,
    "master_parameter_updated": bool,
    "minibatchCount": int,
    "noise_injection_seed": int,
    "sample_count": int,
    "smoothed_count": float,
    "smoothed_gradients": [(4, 1), (2, 1)],
    "sweepCount": int,
    "type": str,
    "version": int,
}
AROUND = {"localLearners": STATE, "totalNumberOfSamplesSeen": int}
STATES = [
    (alone, {}, STATE),
    (data_parallel_distributed_learner, {}, AROUND),
    (
        block_momentum_distributed_learner,
        {"block_size": 4},
        {
            "base": AROUND,
            "localTotalNumSamplesSeen": int,
            "blockLevelSmoothedGradient": [(2, 1), (1,)],
        },
    ),
]


@pytest.mark.parametrize(("wrap", "options", "expected"), STATES)
def test_the_state_of_a_learner(wrap, options, expected, tmp_path):
    trainer, data = made(adam, wrap, **options)
    (learner,) = trainer.parameter_learners
    losses(trainer, data, 1)
    state = learner.create_checkpoint()
    assert isinstance(state, C.cntk_py.Dictionary)
    assert {key: kinds(state[key]) for key in state} == expected
    state.save(tmp_path / "state")
    weights = [p.value for p in learner.parameters]
    after = losses(trainer, data, 3)
    for kept in (state, C.cntk_py.Dictionary.load(tmp_path / "state")):
        for parameter, value in zip(learner.parameters, weights, strict=True):
            parameter.value = value
        learner.restore_from_checkpoint(kept)
        assert losses(trainer, data, 3) == after


def test_states_that_are_none():
    trainer, _ = made()
    (learner,) = trainer.parameter_learners
    for wrong in (None, 5, "x"):
        with pytest.raises(TypeError, match="expected what create_checkpoint returned"):
            learner.restore_from_checkpoint(wrong)
    block = block_momentum_distributed_learner(sgd(learner.parameters), 4)
    with pytest.raises(RuntimeError, match="not of a learner with block momentum"):
        block.restore_from_checkpoint(learner.create_checkpoint())


def test_parameters_are_an_attribute_and_a_call():
    trainer, _ = made()
    (learner,) = trainer.parameter_learners
    assert learner.parameters == learner.parameters() == learner.local.parameters
    assert type(learner.parameters()) is tuple
    assert learner.set_as_metric_aggregator() is None and learner.is_metric_aggregator()


def test_distributed_learners_train_in_one_call():
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1, init=0.5)(x)
    learner = data_parallel_distributed_learner(sgd(z.parameters))
    progress = C.squared_error(z, y).train(
        (X, Y), parameter_learners=[learner], minibatch_size=2, max_epochs=2
    )
    assert [s.samples for s in progress.epoch_summaries] == [3, 3]


def test_all_learners_are_distributed_or_none():
    x, y = C.input_variable(2), C.input_variable(1)
    z = C.layers.Dense(1)(x)
    loss = C.squared_error(z, y)
    mixed = [data_parallel_distributed_learner(sgd([z.W])), sgd([z.b])]
    with pytest.raises(ValueError, match="some learners are distributed and others are not"):
        C.Trainer(z, loss, mixed)
    both = [data_parallel_distributed_learner(sgd([p])) for p in (z.W, z.b)]
    assert C.Trainer(z, loss, both).train_minibatch({x: X, y: Y})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda p: data_parallel_distributed_learner(None), ValueError, "got None"),
        (
            lambda p: data_parallel_distributed_learner("a"),
            NotImplementedError,
            "expected a learner",
        ),
        (
            lambda p: data_parallel_distributed_learner([sgd(p)]),
            NotImplementedError,
            "expected a learner",
        ),
        (
            lambda p: data_parallel_distributed_learner(sgd(p), -1),
            NotImplementedError,
            "distributed_after: must be at least 0, got -1",
        ),
        (
            lambda p: data_parallel_distributed_learner(sgd(p), 0, 32, True),
            RuntimeError,
            "asynchronous",
        ),
        (lambda p: block_momentum_distributed_learner(sgd(p), 0), ValueError, "at least 1 sample"),
        (
            lambda p: block_momentum_distributed_learner(sgd(p), -1),
            NotImplementedError,
            "block_size: .* got -1",
        ),
        (
            lambda p: block_momentum_distributed_learner(sgd(p), None),
            NotImplementedError,
            "block_size: .* got None",
        ),
        (lambda p: block_momentum_distributed_learner(None, 10), ValueError, "got None"),
    ],
)
def test_refused(call, error, message):
    with pytest.raises(error, match=message):
        call([C.parameter(2)])
