"""A watch that stops training at the first number that is not finite, and names the operation that
it came from.
"""

from __future__ import annotations

from typing import Any

from cntk._execution.nan_watch import watch
from cntk._graph.names.late_names import hand_on
from cntk.errors import ArgumentError, NotFiniteError

__all__ = ["NanWatch", "NotFiniteError", "watch_nan"]


class NanWatch:
    """Result of `watch_nan`: watches until `stop`, or to the end of its ``with`` block."""

    def __init__(self, step: Any) -> None:
        self._step = step
        self._is_on = True
        watch(step, True)

    def stop(self) -> None:
        """Stop watching; a second call does nothing.

        Example:
            >>> watch_nan().stop()
        """
        if self._is_on:
            self._is_on = False
            watch(self._step, False)

    def __enter__(self) -> NanWatch:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()


def watch_nan(trainer: Any = None) -> NanWatch:
    """Stop a training at its first NaN or infinity, and say where it arose.

    From now on each minibatch's loss, gradients and new parameters are looked at. Once one of them
    is not finite, ``train_minibatch`` raises an error that names the operation where that began:
    the first one, in the forward pass, whose operands are finite and whose result is not; else the
    first one, in the backward pass, whose gradient came in finite and went on otherwise. It tells
    the sample, or the sequence and frame, and the number of the minibatch. Parameters, learners,
    running statistics and random numbers are then as they were before that minibatch, which can be
    evaluated, or trained on once more. Infinities that do not reach loss or gradients, as those of
    masks, do not count.

    Only then is the minibatch repeated to find the operation; before that, watching costs one look
    at the gradients and a copy of what the learners change. What a learner written in Python keeps
    by itself cannot be put back.

    Args:
        trainer: a `Trainer` or a training session; every training of the program, that of
            `Function.train` included, if none is given.

    Returns:
        The watch: ``stop()`` ends it, as does the end of a ``with`` block.

    Raises:
        ArgumentError: for anything else.

    Example:
        >>> import cntk as C
        >>> x, y = C.input_variable(2), C.input_variable(1)
        >>> w = C.parameter((2, 1), init=1, name="w")
        >>> loss = C.squared_error(C.exp(C.times(x, w), name="grown"), y)
        >>> trainer = C.Trainer(None, loss, C.sgd(loss.parameters, 0.1))
        >>> try:
        ...     with C.debugging.watch_nan(trainer):
        ...         trainer.train_minibatch({x: [[0, 0], [60, 60]], y: [[1], [1]]})
        ... except C.debugging.NotFiniteError as error:
        ...     print(str(error).partition(".")[0])
        minibatch 1: loss or gradients are not finite: Exp 'grown' is the first that gives infinity,
        at sample 1
    """
    trainer = getattr(trainer, "trainer", trainer)
    step = None if trainer is None else getattr(trainer, "_step", None)
    if trainer is not None and step is None:
        raise ArgumentError(f"watch_nan: expected a Trainer or a training session, got {trainer!r}")
    return NanWatch(step)


hand_on(globals())
