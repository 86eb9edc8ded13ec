"""Learners with a rule of the user's own: written in Python, or as a CNTK function."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from torch import Tensor

from cntk._arguments import as_function
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._wording import quoted
from cntk.core import NDArrayView
from cntk.learners.base import Learner
from cntk.learners.options import learning_options
from cntk.learners.parameters import checked_parameters
from cntk.learners.schedules import learning_parameter_schedule
from cntk.variables import Constant

__all__ = ["CallableParameters", "Universal", "UserLearner", "universal"]


class CallableParameters(tuple[Any, ...]):
    """Parameters that may be called for, as those of user learners and of distributed ones are in
    the original.

    Example:
        >>> import cntk as C
        >>> learner = C.learners.UserLearner(
        ...     [C.parameter(2, name="w")], C.learning_parameter_schedule(0.1)
        ... )
        >>> learner.parameters == learner.parameters()
        True
    """

    __slots__ = ()

    def __call__(self) -> tuple[Any, ...]:
        """Return them."""
        return tuple(self)


class UserLearner(Learner):
    """Base of learners whose rule is written in Python: a subclass defines `update`.

    Args:
        parameters: list of the parameters to change.
        lr_schedule: the learning rates, which ``self.learning_rate()`` returns.
        as_numpy: kept for programs that give it; as in the original, `update` gets `NDArrayView`
            either way, of which ``asarray()`` makes NumPy arrays.

    Example:
        >>> import cntk as C
        >>> class Plain(C.learners.UserLearner):
        ...     def update(self, gradient_values, training_sample_count, sweep_end):
        ...         for parameter, gradient in gradient_values.items():
        ...             step = self.learning_rate() / training_sample_count
        ...             parameter.value = parameter.value - step * gradient.asarray()
        ...         return True
    """

    kind = "UserLearner"
    runs_users_code = True
    has_masters = False

    def __init__(self, parameters: Sequence[Any], lr_schedule: Any, as_numpy: bool = True) -> None:
        options = learning_options(self.kind)
        super().__init__(parameters, options.schedule("lr_schedule", lr_schedule), options)
        self.as_numpy = as_numpy

    @property
    def parameters(self) -> CallableParameters:
        """The parameters that this learner changes; ``self.parameters()`` gives them as well."""
        return CallableParameters(self._parameters)

    def update(  # type: ignore[override]  # the original names this argument otherwise here
        self, gradient_values: Mapping[Any, Any], training_sample_count: int, sweep_end: bool
    ) -> bool:
        """Change the parameters by one minibatch's gradients.

        Args:
            gradient_values: for each parameter its gradient summed over the minibatch, an
                `NDArrayView`.
            training_sample_count: number of samples in the minibatch.
            sweep_end: whether the minibatch ended a sweep over the data.

        Returns:
            Whether there was an update.

        Raises:
            NotImplementedError: unless a subclass defines it.
        """
        raise NotImplementedError(f"{type(self).__name__}: a UserLearner must define update()")

    def apply(self, gradients: list[Tensor], sample_count: int, is_sweep_end: bool = False) -> bool:
        """Hand the gradients to `update`. The samples are not counted: the schedule stays at its
        first value.
        """
        dense = [gradient.to_dense() if gradient.is_sparse else gradient for gradient in gradients]
        views = {
            p: NDArrayView.of(g.detach()) for p, g in zip(self._parameters, dense, strict=True)
        }
        return bool(self.update(views, sample_count, is_sweep_end))


class Universal(Learner, inner=True):
    """Evaluates a function that assigns to the parameters.

    Args:
        parameters: the parameters.
        gradients: constants of their shapes, which are given the gradients' sums before each
            evaluation.
        function: what is evaluated.
    """

    kind = "universal"
    runs_users_code = True
    has_masters = False

    def __init__(
        self, parameters: Sequence[Any], gradients: Sequence[Constant], function: Function
    ) -> None:
        options = learning_options(self.kind)
        super().__init__(parameters, learning_parameter_schedule(1.0), options)
        if not isinstance(function, Function):
            raise TypeError(
                f"universal: update_func must return a function, as combine does, got {function!r}"
            )
        used = whole_graph(function).parameters
        for parameter in self._parameters:
            if parameter not in used:
                raise RuntimeError(
                    f"universal: what update_func returns does not contain parameter "
                    f"{quoted(parameter.name)} (uid {parameter.uid}); assign to it"
                )
        self._gradients = list(gradients)
        self._function = function

    def rule(
        self, leaves: list[Tensor], gradients: list[Tensor], rate: float, samples: int
    ) -> None:
        """See `Learner.rule`."""
        for constant, gradient in zip(self._gradients, gradients, strict=True):
            constant.data.detach().copy_(gradient)
        # Where the parameters lie, whatever the default device is.
        self._function.eval({}, device=NDArrayView.of(leaves[0]).device, as_numpy=False)


def universal(update_func: Callable[..., Any], parameters: Sequence[Any]) -> Learner:
    """Create a learner whose rule is a CNTK function, so that it runs where the model runs.

    Args:
        update_func: given the tuple of parameters and the list of their gradients (constants of the
            same shapes, summed over the minibatch), returns a function whose evaluation assigns new
            values to the parameters.
        parameters: list of the parameters to change.

    Returns:
        The learner, for a `Trainer`.

    Raises:
        TypeError: if ``update_func`` is none, or returns something else.
        ValueError: if it does not take two arguments, or there are no parameters.
        RuntimeError: if the function leaves a parameter out.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> w = C.parameter((2,), init=1)
        >>> learner = C.universal(
        ...     lambda ps, gs: C.combine([C.assign(p, p - 0.1 * g) for p, g in zip(ps, gs)]), [w]
        ... )
        >>> learner.update({w: np.array([1.0, -2.0])}, 1)
        True
        >>> w.value
        array([0.9, 1.2], dtype=float32)
    """
    as_function(update_func, "universal: update_func", "of parameters and gradients")
    if len(inspect.signature(update_func).parameters) != 2:
        raise ValueError(
            "universal: update_func must take two arguments, the lists of parameters and of their "
            "gradients"
        )
    parameters = checked_parameters(Universal.kind, parameters)
    gradients = [Constant(0, p.shape, p.dtype, name="grad") for p in parameters]
    return Universal(parameters, gradients, update_func(parameters, gradients))
