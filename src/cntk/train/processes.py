"""The processes that train together: one, until there is an exchange between several.

If a launcher has started several, `mpi_communicator` refuses, instead of training each of them by
itself.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass

__all__ = ["Communicator", "WorkerDescriptor", "mpi_communicator"]


# Where launchers of several processes say how many they have started.
_SIZES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", "WORLD_SIZE")


@dataclass(frozen=True)
class WorkerDescriptor:
    """One of the processes that train together.

    Attributes:
        global_rank: its number, from 0.
        host_id: name of the machine that it runs on.
    """

    global_rank: int
    host_id: str


class Communicator:
    """The processes that train together; made by `mpi_communicator`.

    Example:
        >>> communicator = mpi_communicator()
        >>> communicator.is_main(), [worker.global_rank for worker in communicator.workers()]
        (True, [0])
        >>> Communicator.rank(), Communicator.num_workers()
        (0, 1)
    """

    def workers(self) -> list[WorkerDescriptor]:
        """Return all of them."""
        return [self.current_worker()]

    def current_worker(self) -> WorkerDescriptor:
        """Return this process."""
        return WorkerDescriptor(self.rank(), socket.gethostname())

    def is_main(self) -> bool:
        """Return whether this process is the one that saves and reports: that of rank 0."""
        return self.current_worker().global_rank == 0

    def barrier(self) -> None:
        """Wait until all processes are here; one process need not wait."""

    @staticmethod
    def rank() -> int:
        """Return this process's number."""
        _check_alone()
        return 0

    @staticmethod
    def num_workers() -> int:
        """Return the number of processes."""
        _check_alone()
        return 1

    @staticmethod
    def finalize() -> None:
        """End communication; programs call it last. One process has nothing to end."""


def _check_alone() -> None:
    for name in _SIZES:
        size = os.environ.get(name, "")
        if size.isdecimal() and int(size) > 1:
            raise RuntimeError(
                f"distributed: training in several processes is not available yet, and {name} says "
                f"that there are {size}; start one process, or unset {name} if it has nothing to "
                f"do with this program"
            )


def mpi_communicator() -> Communicator:
    """Return the communicator of all processes.

    Raises:
        RuntimeError: if a launcher has started several processes, which is not available yet.

    Example:
        >>> mpi_communicator().workers()[0].global_rank
        0
    """
    _check_alone()
    return Communicator()
