"""State that a graph keeps between its runs: plans, random streams, states that sequences carry
over.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cntk._compiler.passes.pipeline import SWITCHED_OFF
from cntk._compiler.plan import Plan
from cntk._graph.block import combine_variables
from cntk._graph.composite import Composite
from cntk._graph.types import Shape
from cntk._graph.variable import Variable, VariableKind
from cntk._graph.walk import leaves
from cntk._runtime.bind_input import BoundInput
from cntk._runtime.random.streams import Streams
from cntk._runtime.reasons import Reasons

# So many plans are kept for a graph, for other outputs and other sizes of free dimensions; each
# takes some ten kilobytes, and milliseconds to make.
_MOST_PLANS = 200
_uses = itertools.count()

# What a plan is compiled for: outputs, shapes of inputs with free dimensions, sparse inputs that
# are fed dense rows, compiler passes that are left out.
PlanKey = tuple[
    tuple[Variable, ...],
    tuple[tuple[Variable, Shape], ...],
    tuple[Variable, ...],
    frozenset[str],
]


@dataclass
class CompiledState:
    """State that one graph keeps between its runs.

    Attributes:
        plans: compiled plans.
        inputs: the inputs that some outputs depend on, by these outputs.
        streams: random streams, shared by all plans.
        carry: states that sequences carry over to the next minibatch, shared by all plans.
        passes: how many training passes there were before the plans were compiled.
        valid_values: results that are valid until the graph runs again.
        reasons: why plans were compiled anew.
    """

    plans: dict[PlanKey, Plan] = field(default_factory=dict)
    inputs: dict[tuple[Variable, ...], tuple[Variable, ...]] = field(default_factory=dict)
    streams: Streams = field(default_factory=Streams)
    carry: dict[str, Any] = field(default_factory=dict)
    passes: int = 0
    valid_values: list[weakref.ref[Any]] = field(default_factory=list)
    reasons: Reasons = field(default_factory=lambda: Reasons("a plan was compiled anew"))

    def begin_anew(self, passes: int) -> None:
        """Forget all plans, as in a new process.

        Args:
            passes: how many training passes there have been.
        """
        self.plans.clear()
        self.passes = passes

    def needed_inputs(self, outputs: tuple[Variable, ...]) -> tuple[Variable, ...]:
        """Return the inputs that some outputs depend on."""
        inputs = self.inputs.get(outputs)
        if inputs is None:
            all_leaves = leaves(combine_variables(outputs).root_function)
            inputs = tuple(v for v in all_leaves if v.kind is VariableKind.Input)
            # An input may take a placeholder's place.
            if not any(v.is_placeholder for v in all_leaves):
                self.inputs[outputs] = inputs
        return inputs

    def plan_for(
        self,
        outputs: tuple[Variable, ...],
        fed: Mapping[Variable, BoundInput],
        off: frozenset[str] = frozenset(),
    ) -> Plan:
        """Return the plan for some outputs and the shapes that were fed; compile it at first use.

        Args:
            outputs: what to compute.
            fed: the inputs' data.
            off: names of compiler passes to leave out, besides those that `pipeline.without` does.
        """
        free: tuple[tuple[Variable, Shape], ...] = ()
        dense: tuple[Variable, ...] = ()
        for variable, data in fed.items():
            type_ = variable.type_
            if -1 in type_.shape or -3 in type_.shape:
                free += ((variable, data.shape),)
            if type_.is_sparse and isinstance(data.rows, Tensor):
                dense += (variable,)
        off |= SWITCHED_OFF.get()
        key = (outputs, free, dense, off)
        plan = self.plans.get(key)
        if plan is None or plan.is_stale():
            for change in [] if plan is None else plan.changes():
                self.reasons.keep(f"{change} changed")
            self._drop_old_plans()
            plan = self.plans[key] = Plan(outputs, dict(free), off, dense)
            plan.streams, plan.carry, plan.passes = self.streams, self.carry, self.passes
        plan.last_use = next(_uses)
        return plan

    def recent_plans(self) -> list[Plan]:
        """Return all plans, the last used first."""
        return sorted(self.plans.values(), key=lambda plan: -plan.last_use)

    def _drop_old_plans(self) -> None:
        """Drop the less recently used half of the plans if there are many."""
        if len(self.plans) >= _MOST_PLANS:
            uses = [(plan.last_use, key) for key, plan in list(self.plans.items())]
            for _, key in sorted(uses, key=lambda each: each[0])[: len(uses) // 2]:
                self.plans.pop(key, None)


def state_of(composite: Composite) -> CompiledState:
    """Return a graph's state; it gets one when it first runs."""
    state = composite.compiled
    if state is None:
        state = composite.compiled = CompiledState()
    return state  # type: ignore[no-any-return]


def share_carried_states(one: Composite, other: Composite) -> None:
    """Have two functions of one graph go on from the same states, whichever of them a minibatch
    went through.
    """
    state_of(other).carry = state_of(one).carry


def random_offsets(graph: Composite) -> dict[int, int]:
    """Return how many random numbers each operation of a graph has taken; see `Streams.offsets`."""
    return {} if graph.compiled is None else graph.compiled.streams.offsets()
