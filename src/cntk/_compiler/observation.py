"""Switches of what observes runs of plans: checks, timing, the log of values; read at every run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Observation:
    """Switches of the observers.

    Attributes:
        checks: True if results are compared with their inferred types; see `verify`.
        times: True if operations are timed; see `profiling`.
        log_level: how much of values is logged; see `value_log`.
        any: True if anything is on.
    """

    checks: bool = False
    times: bool = False
    log_level: int = 0
    any: bool = False

    def switch(
        self,
        checks: bool | None = None,
        times: bool | None = None,
        log_level: int | None = None,
    ) -> None:
        """Switch something on or off; None leaves it as it is."""
        self.checks = self.checks if checks is None else checks
        self.times = self.times if times is None else times
        self.log_level = self.log_level if log_level is None else log_level
        self.any = self.checks or self.times or self.log_level > 0


OBSERVATION = Observation()
