"""Training: the trainer, training sessions, and `Function.train`."""

from cntk._graph.names.late_names import hand_on
from cntk.learners.schedules import minibatch_size_schedule
from cntk.train.distributed import (
    Communicator,
    DistributedLearner,
    WorkerDescriptor,
    block_momentum_distributed_learner,
    data_parallel_distributed_learner,
    mpi_communicator,
)
from cntk.train.session_config import CheckpointConfig, CrossValidationConfig, DataUnit, TestConfig
from cntk.train.trainer import Trainer
from cntk.train.training_session import TrainingSession, training_session

__all__ = [
    "CheckpointConfig",
    "Communicator",
    "CrossValidationConfig",
    "DataUnit",
    "DistributedLearner",
    "TestConfig",
    "Trainer",
    "TrainingSession",
    "WorkerDescriptor",
    "block_momentum_distributed_learner",
    "data_parallel_distributed_learner",
    "minibatch_size_schedule",
    "mpi_communicator",
    "training_session",
]

hand_on(globals())
