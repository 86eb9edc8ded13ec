"""A program of `programs_of_cntk` in a process of its own, under any interpreter that can import
`cntk`: the original's, say.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType

from . import programs_of_cntk


class Elsewhere:
    """A program that trains in another process when it is called; use it in a `with` statement.

    Attributes:
        peak: most bytes of memory that the process has used, as of the last call.
    """

    def __init__(self, interpreter: str, name: str, threads: int) -> None:
        self._complaints = tempfile.TemporaryFile("w+")
        self._interpreter = interpreter
        self._process = subprocess.Popen(
            [interpreter, str(Path(programs_of_cntk.__file__)), name, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
            text=True,
            env=os.environ | limits(threads),
        )
        self.peak = 0

    def __call__(self, steps: int) -> tuple[float, ...]:
        """Trains for so many steps; the averages of the last minibatch."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            self._process.stdin.write(f"{steps}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._complaints.seek(0)
            raise SystemExit(
                f"{self._interpreter} ended instead of training:\n{self._complaints.read()[-3000:]}"
            )
        answer = json.loads(line)
        self.peak = answer["peak"]
        return tuple(answer["averages"])

    def __enter__(self) -> Elsewhere:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.communicate()
        self._complaints.close()


def limits(threads: int) -> dict[str, str]:
    """Environment for so many threads of OpenMP. One means one: else a second would wait in a busy
    loop.
    """
    return {"OMP_NUM_THREADS": str(threads)} | ({"OMP_THREAD_LIMIT": "1"} if threads == 1 else {})
