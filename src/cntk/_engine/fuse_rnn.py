"""Recurrent components that are an LSTM or a plain RNN, whoever wrote them, on torch's fused kernels."""

from __future__ import annotations

from typing import Any


def fused_recurrence(loop: Any) -> Any:
    """A fused replacement for a loop, or None if it is none that is known."""
    return None
