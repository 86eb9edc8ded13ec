"""Most memory that training over long sequences takes: each case in a fresh process, as
`programs_of_cntk` describes it.
"""

from __future__ import annotations

import sys

from .elsewhere import Elsewhere

STEPS = 50  # enough for a step to be recorded, and to show memory that is not given back

CASES = {
    "memory.long": "LSTM 256, a tag for each word, one sequence of 5,000 words",
    "memory.batch": "the same, 64 sequences of 1 to 1,000 words",
}


def print_table(original: str | None, threads: int) -> None:
    """Prints megabytes of each case, with the original's beside them if its interpreter is
    named.
    """
    interpreters = {"cntk": sys.executable} | ({"CNTK 2.7": original} if original else {})
    print(f"{'memory':12}{''.join(f'  {name:>10}' for name in interpreters)}   one step is")
    for name, description in CASES.items():
        peaks = "".join(
            f"  {peak(interpreter, name, threads) / 2**20:7.0f} MB"
            for interpreter in interpreters.values()
        )
        print(f"{name:12}{peaks}   {description}", flush=True)


def peak(interpreter: str, name: str, threads: int) -> int:
    """Bytes, everything included: the interpreter, its libraries and the data."""
    with Elsewhere(interpreter, name, threads) as run:
        run(STEPS)
        return run.peak
