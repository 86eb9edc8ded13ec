"""Explanations of how something runs, and why not faster: plans, compiler passes, tiers and reasons
in words.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TextIO

from cntk._arguments import as_bool, shown
from cntk._compiler import plan_text
from cntk._compiler.plan import Plan
from cntk._execution import step_text
from cntk._execution.compiled_state import state_of
from cntk._execution.training_step import TrainingStep
from cntk._graph.composite import whole_graph
from cntk._graph.function import Function
from cntk._graph.variable import Variable, VariableKind
from cntk.errors import ArgumentError
from cntk.eval.evaluator import Evaluator
from cntk.io import MinibatchSource, UserMinibatchSource
from cntk.io._source.source_text import reader_lines, reader_reasons
from cntk.train.trainer import Trainer
from cntk.train.training_session import TrainingSession

__all__ = ["Explanation", "explain"]


# Plans of a graph that are told of, the last used first.
_MOST_PLANS = 3


@dataclass(frozen=True)
class Explanation:
    """Report of `explain`; ``str`` is its text.

    Attributes:
        title: what it is about.
        sections: a title and lines for each part.
        reasons: why something runs slower than it could.
    """

    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    reasons: tuple[str, ...]

    def __str__(self) -> str:
        parts = [self.title]
        for title, lines in (*self.sections, ("Why not faster", self.reasons or ("no reason",))):
            if lines:
                parts += ["", title, *(f"  {line}".rstrip() for line in lines)]
        return "\n".join(parts)

    def __repr__(self) -> str:
        return f"<Explanation of {self.title}: {len(self.reasons)} reasons>"


def explain(target: Any, code: bool = False, file: TextIO | None = None) -> Explanation:
    """Print what runs for a function, trainer, evaluator or reader, and why not faster.

    Nothing is run for it. A function that has not run yet is compiled, unless its inputs have free
    dimensions.

    Args:
        target: a function or variable, a trainer or training session, an evaluator, or a minibatch
            source.
        code: whether the code of recordings is shown too.
        file: where to print; the standard output if not given.

    Returns:
        The explanation; its ``reasons`` are for programs.

    Raises:
        TypeError: if it is anything else.
        ValueError: if a function has placeholders, and cannot be compiled.

    Example:
        >>> import cntk as C
        >>> import numpy as np
        >>> x, y = C.input_variable(2, name="x"), C.input_variable(1, name="y")
        >>> model = C.layers.Dense(1, name="d")(x)
        >>> loss = C.squared_error(model, y, name="loss")
        >>> trainer = C.Trainer(model, loss, C.sgd(model.parameters, 0.1))
        >>> data = {x: np.ones((4, 2), np.float32), y: np.ones((4, 1), np.float32)}
        >>> for _ in range(60):
        ...     updated = trainer.train_minibatch(data)
        >>> explanation = C.debugging.explain(trainer)  # doctest: +ELLIPSIS
        trainer of SquaredError 'loss'
        <BLANKLINE>
        Plan of SquaredError 'loss'
          %1 = Affine(x, W, b)...Times 'Times...' and Plus 'Plus...' in Dense 'd': [1] on [batch]
        ...
        Training steps
          60 minibatches: 39 eager, 21 recorded
          4 samples: recorded, 21 times since; 1 thread...
        ...
        Why not faster
          no reason
        >>> explanation.reasons
        ()
    """
    code = as_bool(code, "explain: code")
    if isinstance(target, TrainingSession):
        target = target.trainer
    explanation = _explained(target, code)
    print(explanation, file=sys.stdout if file is None else file)
    return explanation


def _explained(target: Any, code: bool) -> Explanation:
    if isinstance(target, Trainer):
        return _of_trainer(target._step, code)
    if isinstance(target, Evaluator):
        return _of_evaluations("evaluator", target._test_step.function)
    if isinstance(target, Function):
        return _of_evaluations("function", target)
    if isinstance(target, Variable):
        if target._owner is None:
            raise ArgumentError(f"explain: {target!r} is computed by no function")
        return _of_evaluations("function", target._owner)
    if isinstance(target, MinibatchSource):
        sections = [("Streams", tuple(map(str, target.stream_infos())))]
        sections.append(("Readers", tuple(reader_lines(target))))
        return Explanation("minibatch source", tuple(sections), tuple(reader_reasons(target)))
    if isinstance(target, UserMinibatchSource):
        text = f"{type(target).__name__} is code of the program: nothing of it is compiled"
        return Explanation("minibatch source of the program", (("Readers", (text,)),), ())
    raise ArgumentError(
        f"explain: expected a function, trainer, evaluator or minibatch source, got {shown(target)}"
    )


def _of_trainer(step: TrainingStep, code: bool) -> Explanation:
    plans = state_of(step.function).recent_plans() or _compiled(step.function)
    criterion = _outputs(step.function.outputs)
    sections = _plan_sections(plans, criterion, True, code)
    sections.append(("Training steps", tuple(step_text.tier_lines(step))))
    if code:
        sections.append(("Code of recorded steps", tuple(step_text.code_lines(step))))
    reasons = tuple(step_text.reason_lines(step))
    return Explanation(f"trainer of {criterion}", tuple(sections), reasons)


def _of_evaluations(kind: str, function: Function) -> Explanation:
    state = state_of(whole_graph(function))
    plans = state.recent_plans() or _compiled(function)
    name = _outputs(function.outputs)
    sections = _plan_sections(plans, name, False, False)
    sections.append(("Runs", ("evaluations and gradients are eager: only training is recorded",)))
    reasons = dict.fromkeys(
        [*state.reasons.sentences(), *(r for p in plans for r in plan_text.plan_reasons(p))]
    )
    return Explanation(f"{kind} {name}", tuple(sections), tuple(reasons))


def _plan_sections(
    plans: Sequence[Plan], name: str, training: bool, code: bool
) -> list[tuple[str, tuple[str, ...]]]:
    sections: list[tuple[str, tuple[str, ...]]] = []
    if not plans:
        text = "not compiled yet: the sizes of free dimensions are known once it has run"
        return [("Plan", (text,))]
    parts: list[tuple[str, Callable[[Plan], list[str]]]] = [
        (f"Plan of {name}", plan_text.plan_lines),
        ("Compiler passes", plan_text.pass_lines),
        ("Loops", plan_text.loop_lines),
        ("Threads", lambda plan: plan_text.thread_lines(plan, training)),
        *([("Code of recorded loops", plan_text.loop_code)] if code else []),
    ]
    for number, plan in enumerate(plans[:_MOST_PLANS]):
        more = "" if number == 0 else f", used before ({number + 1})"
        sections += [(f"{title}{more}", tuple(lines(plan))) for title, lines in parts]
    if len(plans) > _MOST_PLANS:
        text = "for other outputs, shapes of free dimensions or kinds of data"
        sections.append((f"{len(plans) - _MOST_PLANS} more plans", (text,)))
    return sections


def _compiled(function: Function) -> list[Plan]:
    """Return the plan of a function that has not run; none where sizes follow from data only."""
    graph = whole_graph(function)
    inputs = [v for v in graph.inputs if v.kind is VariableKind.Input]
    if any(d < 0 for v in inputs for d in v.shape):
        return []
    outputs = tuple(function.outputs)
    return [state_of(graph).plan_for(outputs, {})]


def _outputs(variables: Sequence[Variable]) -> str:
    return " and ".join(dict.fromkeys(map(plan_text.variable_text, variables)))
