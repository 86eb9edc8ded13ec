"""Number of threads of a run's kernels: all that torch has, or one where there is little to do.

Threads that share a small product gain nothing; beside other programs they wait for each other many
times as long as it takes. torch has one number of threads for the whole process, and OpenMP one for
each thread that calls it: that is what is changed here, for the time of a run, so that nobody else
notices.
"""

from __future__ import annotations

import ctypes
import functools
import sys
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import torch


class OneThread:
    """A context in which the kernels that this thread calls run on it alone.

    A number of threads that is chosen meanwhile stays chosen.
    """

    __slots__ = ("_before", "_of_mkl")

    def __enter__(self) -> OneThread:
        library = _library()
        self._before = 1
        if library is not None:
            self._before = library.most()
            if self._before > 1:
                library.choose(1)
                self._of_mkl = library.choose_for_mkl(1)
        return self

    def lift(self) -> None:
        """Have kernels take all threads again from now on."""
        library = _library()
        if self._before > 1 and library is not None and library.most() == 1:
            library.choose(self._before)
            library.choose_for_mkl(self._of_mkl)
        self._before = 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before > 1:
            self.lift()


class _Library:
    """The calls of OpenMP and MKL for the thread that makes them.

    Attributes:
        most: returns how many threads a kernel may take.
        choose: sets that number.
        choose_for_mkl: sets MKL's own number, 0 for OpenMP's, and returns the one before.
    """

    def __init__(self, openmp: ctypes.CDLL, mkl: Callable[[int], int] | None) -> None:
        self.most: Callable[[], int] = openmp.omp_get_max_threads
        self.choose: Callable[[int], None] = openmp.omp_set_num_threads
        openmp.omp_get_max_threads.argtypes = ()
        openmp.omp_set_num_threads.argtypes = (ctypes.c_int,)
        openmp.omp_set_num_threads.restype = None
        self.choose_for_mkl = mkl or (lambda count: count)


@functools.cache
def _library() -> _Library | None:
    """Return the library whose threads torch uses; None where torch has none, or hides it."""
    if not torch.backends.openmp.is_available():
        return None
    mkl = None
    openmp = None
    for path in _candidates():
        try:
            loaded = ctypes.PyDLL(str(path))
        except OSError:
            continue
        if openmp is None and hasattr(loaded, "omp_set_num_threads"):
            openmp = loaded
        if mkl is None and hasattr(loaded, "MKL_Set_Num_Threads_Local"):
            mkl = loaded.MKL_Set_Num_Threads_Local
            mkl.argtypes = (ctypes.c_int,)
    return None if openmp is None else _Library(openmp, mkl)


def _candidates() -> list[Path]:
    """Return the files that may have the calls: those that torch has loaded, never another copy."""
    if sys.platform != "win32":
        return [Path(torch._C.__file__)]  # with all that it depends on
    folder = Path(torch.__file__).parent / "lib"
    return [folder / "libiomp5md.dll", folder / "torch_cpu.dll"]
