"""Waiting policy of OpenMP's threads, which is read once, while torch is loaded."""

from __future__ import annotations

import os
import sys

# Turns that a thread waits in a loop before it sleeps. GNU OpenMP takes as many by itself where it
# has more threads than CPUs, and 300 times as many else: beside other programs, threads then wait
# for one that does not run.
_TURNS = "1000"

# What a program or its user may have said already.
_CHOICES = ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY")


def load_torch() -> None:
    """Load torch so that its threads wait briefly, if it is not loaded and no other policy was
    chosen.

    The environment is the same afterwards, for other libraries and for programs that this one
    starts.
    """
    if (
        "torch" in sys.modules
        or sys.platform != "linux"
        or any(name in os.environ for name in _CHOICES)
    ):
        return
    os.environ["GOMP_SPINCOUNT"] = _TURNS
    try:
        import torch as torch
    finally:
        del os.environ["GOMP_SPINCOUNT"]


load_torch()
