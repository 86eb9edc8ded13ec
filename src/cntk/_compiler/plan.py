"""Plans: a graph and its required outputs, compiled once into a straight list of torch calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from operator import itemgetter
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cntk._compiler import lowering, profiling, value_log, verify
from cntk._compiler.ir import Flattener, Node, Ref, held_constants
from cntk._compiler.lookahead import Reaching
from cntk._compiler.observation import OBSERVATION
from cntk._compiler.passes.flat_graph import FlatGraph, results
from cntk._compiler.passes.pipeline import SWITCHED_OFF, rewrite
from cntk._compiler.probe import Probe
from cntk._compiler.recurrence.loop import Loop
from cntk._compiler.work import Work
from cntk._graph.op import Kernel, RunKernel
from cntk._graph.types import Shape, TensorType, check_sizes
from cntk._graph.variable import Variable, VariableKind
from cntk._ops.user.user_function import UserOp
from cntk._runtime.context import RunContext
from cntk._runtime.memory_shortage import is_shortage, shortage_text
from cntk._runtime.random.streams import Streams
from cntk._runtime.transfer import MOVES
from cntk._wording import operation_text, shape_text
from cntk.errors import FeedError, GraphError, NotEnoughMemoryError


class Step(NamedTuple):
    """Call of a kernel in a plan.

    Attributes:
        compute: the kernel.
        operands: the registers that it reads.
        outputs: the registers that it writes.
        wants_run: True if it takes the run.
        several: True if it returns several results.
        single: the register that it reads, if there is only one.
        read: returns the operands from the registers, if there are several.
        free: registers that no later step reads.
    """

    compute: Kernel
    operands: tuple[int, ...]
    outputs: tuple[int, ...]
    wants_run: bool
    several: bool
    single: int | None
    read: Callable[[list[Any]], tuple[Any, ...]]
    free: tuple[int, ...] = ()


@cache
def _keep_freed_memory() -> None:
    """Have the C library keep freed blocks for the next step instead of giving them back to the
    system.

    glibc raises its limits for that to the size of the largest block that was ever freed, up to 32
    MiB. Without this, each step of a convolutional net takes all its memory page by page from the
    system again.
    """
    torch.empty(2**25 - 2**12, dtype=torch.uint8)


class Plan:
    """Compiled graph.

    Args:
        outputs: the variables to compute.
        shapes: shapes of inputs with free dimensions, as bound.
        off: names of compiler passes to leave out, besides those that `pipeline.without` does.
        dense: sparse inputs that are bound as dense rows, because their gradient is asked for.

    Attributes:
        inputs: the inputs that must be bound.
        parameters: the parameters that take part.
        holders: the parameters and constants that take part.
        changes_batch_size: True if its inputs may have batches of different sizes, since an
            operation changes them.
        types: the outputs' types.
        is_watched: True if a user function takes part, which must see all gradients.
        final_nodes: the operations that compute the outputs.
        work: estimate of a run's work.
        streams: random streams of operations that draw numbers.
        last_use: when it was last used, as its graph counts.
        pass_reports: what each compiler pass did, in the order in which they ran.
        passes: number of training passes before it was compiled, where training goes on.
    """

    def __init__(
        self,
        outputs: Sequence[Variable],
        shapes: Mapping[Variable, Shape],
        off: Collection[str] = (),
        dense: Collection[Variable] = (),
    ) -> None:
        _keep_freed_memory()
        refs, order = Flattener(shapes, dense).flatten(outputs)
        graph = FlatGraph(refs, [*order])
        self.pass_reports = rewrite(graph, {*off, *SWITCHED_OFF.get()})
        refs, work = graph.outputs, graph.work
        self.types = [ref.type for ref in refs]
        self.final_nodes = [ref.node for ref in refs if ref.node is not None]
        self.nodes = work
        self._registers: dict[tuple[int, int], int] = {}
        self._template: list[Any] = []
        self._leaves: dict[Variable, int] = {}
        self._mutable = [(n.primitive, n.primitive.op) for n in order if n.primitive.op.settable]
        # Constants that are folded into attributes of operations.
        self._folded_constants = [v for n in order for v in held_constants(n.primitive)]
        self.reaching = Reaching(order)
        self.carry: dict[str, Any] = {}
        self.streams = Streams()
        self.passes = 0
        self.lies_on: tuple[torch.device, int] | None = None
        self.last_use = 0
        self.steps: list[Step] = [self._step(item) for item in work]
        self._checks = [_described(item) for item in work]
        _check_sizes(order)
        self.output_registers = [self._register(ref) for ref in refs]
        self._several_outputs = len(refs) > 1
        self._outputs: Callable[[list[Any]], Any] = itemgetter(*self.output_registers)
        self._free_after_use()
        self.inputs = [v for v in self._leaves if v.kind is VariableKind.Input]
        self.input_registers = [self._leaves[v] for v in self.inputs]
        self.parameters = [v for v in self._leaves if v.kind is VariableKind.Parameter]
        self.holders = [
            v for v in self._leaves if v.kind in (VariableKind.Parameter, VariableKind.Constant)
        ]
        self.is_watched = any(isinstance(n.op, UserOp) for n in self.single_nodes())
        self.work = Work(work, [math.prod(v.shape) for v in self.parameters])
        self.changes_batch_size = any(n.op.changes_batch_size for n in order)

    def single_nodes(self) -> Iterator[Node]:
        """Yield all operations, those of loops one by one."""
        for item in self.nodes:
            if isinstance(item, Loop):
                yield from item.members
            else:
                yield item

    @cached_property
    def changed_constants(self) -> list[Any]:
        """Constants that a pass changes, such as running statistics."""
        impure = {
            id(r.leaf)
            for n in self.single_nodes()
            if not n.op.pure
            for r in n.operands
            if r.leaf is not None
        }
        return [v for v in self.holders if id(v) in impure and v.kind is VariableKind.Constant]

    @cached_property
    def held_memory(self) -> frozenset[int]:
        """Addresses of the parameters' and constants' memory."""
        return frozenset(v.freeze_storage().untyped_storage().data_ptr() for v in self.holders)  # type: ignore[attr-defined]

    def lie_on(self, device: torch.device) -> None:
        """Move parameters and constants to the device of a run.

        Not needed where `lies_on` is that device and `MOVES.count`.
        """
        for variable in self.holders:
            variable.move_to(device)  # type: ignore[attr-defined]
        self.__dict__.pop("held_memory", None)
        self.lies_on = device, MOVES.count

    def is_stale(self) -> bool:
        """Return whether an attribute has been changed since the plan was compiled."""
        for primitive, op in self._mutable:
            if primitive.op is not op:
                return True
        for constant in self._folded_constants:  # no generator: this is asked at each run
            if constant.is_changed:
                return True
        return False

    def changes(self) -> list[str]:
        """Return the changes since the plan was compiled, for an explanation."""
        changed = [p for p, op in self._mutable if p.op is not op]
        ops = [f"attributes of {operation_text(p.op_name, p.name or p.uid)}" for p in changed]
        return [*ops, *(repr(c) for c in self._folded_constants if c.is_changed)]

    def watch(self, rows: Sequence[Any]) -> tuple[list[Any], list[Tensor]]:
        """Give everything that needs a gradient one, asked for or not, so that user functions
        see it.

        Args:
            rows: rows for each of `inputs`.

        Returns:
            The rows, and what gradients are to be computed for besides those that are asked for.
        """
        pairs = zip(self.inputs, rows, strict=True)
        leaves = [
            x.detach().requires_grad_()
            if v.needs_gradient_ and isinstance(x, Tensor) and not x.requires_grad
            else x
            for v, x in pairs
        ]
        weights = [v.data for v in self.parameters]  # type: ignore[attr-defined]
        return leaves, [x for x in (*leaves, *weights) if isinstance(x, Tensor) and x.requires_grad]

    # -- compiling ---------------------------------------------------------------------------------

    def _register(self, ref: Ref) -> int:
        register = self._registers.get(ref.key)
        if register is None:
            register = self._registers[ref.key] = len(self._template)
            value = None
            if ref.leaf is not None:
                if ref.leaf.kind in (VariableKind.Parameter, VariableKind.Constant):
                    value = ref.leaf.data  # type: ignore[attr-defined]
                self._leaves[ref.leaf] = register
            self._template.append(value)
        return register

    def _step(self, item: Node | Loop) -> Step:
        operands = tuple(self._register(ref) for ref in item.operands)
        kernel = item.lower() if isinstance(item, Loop) else lowering.lower_node(item)
        outputs = results(item)
        registers = tuple(self._register(ref) for ref in outputs)
        wants_run = isinstance(kernel, RunKernel)
        compute = kernel.compute if isinstance(kernel, RunKernel) else kernel
        several = isinstance(item, Loop) or len(registers) > 1
        single = operands[0] if len(operands) == 1 else None
        read: Any = itemgetter(*operands) if operands else lambda _: ()
        return Step(compute, operands, registers, wants_run, several, single, read)

    def _free_after_use(self) -> None:
        """Let each step empty the registers that no later one reads, so that their memory is
        reused.
        """
        live = {
            *self.output_registers,
            *(k for k, value in enumerate(self._template) if value is not None),
        }
        steps: list[Step] = []
        for step in reversed(self.steps):
            touched = dict.fromkeys((*step.operands, *step.outputs))
            free = tuple(k for k in touched if k not in live)
            live.update(free)
            steps.append(step._replace(free=free))
        self.steps = steps[::-1]

    # -- running -----------------------------------------------------------------------------------

    def execute(
        self, inputs: Sequence[Any], run: RunContext, holder_tensors: Sequence[Any] | None = None
    ) -> list[Any]:
        """Compute the outputs.

        Args:
            inputs: rows for each of `Plan.inputs`.
            run: the run's layouts and mode.
            holder_tensors: tensors in place of those of `holders`.
        """
        registers = self._template.copy()
        if holder_tensors is not None:
            for variable, value in zip(self.holders, holder_tensors, strict=True):
                registers[self._leaves[variable]] = value
        for register, rows in zip(self.input_registers, inputs, strict=True):
            registers[register] = rows
        if OBSERVATION.any or run.probe is not None:
            return self._execute_observed(registers, run)
        try:
            for compute, _, outputs, wants_run, several, single, read, free in self.steps:
                if single is not None:
                    result = (
                        compute(run, registers[single]) if wants_run else compute(registers[single])
                    )
                elif wants_run:
                    result = compute(run, *read(registers))
                else:
                    result = compute(*read(registers))
                if several:
                    for register, value in zip(outputs, result, strict=True):
                        registers[register] = value
                else:
                    registers[outputs[0]] = result
                for register in free:
                    registers[register] = None
        except (RuntimeError, MemoryError) as error:
            if (
                type(error) is not RuntimeError
                and not is_shortage(error)
                and not _is_missing(error)
            ):
                raise
            raise self._explained(error, outputs, registers) from error
        return (
            list(self._outputs(registers)) if self._several_outputs else [self._outputs(registers)]
        )

    def _explained(
        self, error: Exception, outputs: tuple[int, ...], registers: Sequence[Any]
    ) -> Exception:
        """Return torch's error as one that names the operation and its operands."""
        number = next(k for k, step in enumerate(self.steps) if step.outputs is outputs)
        values = [registers[k] for k in self.steps[number].operands]
        shapes = " and ".join(
            shape_text(x.shape) if hasattr(x, "shape") else "nothing" for x in values
        )
        what, rest = (
            self._checks[number][0][1],
            f"its operands are, with their rows, {shapes or 'none'}",
        )
        if is_shortage(error):
            return NotEnoughMemoryError(f"{what}: {shortage_text(error)}; {rest}")
        if _is_missing(error):
            dtypes = " and ".join(
                dict.fromkeys(
                    str(x.dtype).removeprefix("torch.") for x in values if isinstance(x, Tensor)
                )
            )
            return FeedError(
                f"{what}: nothing computes it in {dtypes} on this device; use cntk.cast to "
                f"float32; {rest}"
            )
        return FeedError(f"{what}: {error}; {rest}")

    def _execute_observed(self, registers: list[Any], run: RunContext) -> list[Any]:
        """Run as `execute`, with every result checked or logged, or every operation timed."""
        checks, times, tells = OBSERVATION.checks, OBSERVATION.times, OBSERVATION.log_level > 0
        if checks and run.probe is None:
            run.probe = Probe(strict=True)
        for item, step, described in zip(self.nodes, self.steps, self._checks, strict=True):
            compute, outputs, wants_run = step.compute, step.outputs, step.wants_run
            values = [registers[k] for k in step.operands]
            begun = profiling.now(run.device) if times else 0.0
            if run.probe is not None:
                result = run.probe.run(item, compute, run, wants_run, values)
            else:
                result = compute(run, *values) if wants_run else compute(*values)
            results = result if step.several else (result,)
            if times:
                profiling.note(described[0][2], begun, values, results, run.device)
            for register, value, (type_, what, _) in zip(outputs, results, described, strict=True):
                if checks:
                    verify.check(value, type_, run, what)
                if tells:
                    value_log.tell(what, value)
                registers[register] = value
        return [registers[k] for k in self.output_registers]


def _check_sizes(nodes: Iterable[Node]) -> None:
    for node in nodes:
        try:
            check_sizes(node.types, [ref.type for ref in node.operands])
        except GraphError as error:
            raise node.primitive.misfit(str(error)) from None


def _is_missing(error: Exception) -> bool:
    """Return whether an error says that torch has no kernel for a dtype."""
    return isinstance(error, RuntimeError) and "not implemented for '" in str(error)


def _described(item: Node | Loop) -> list[tuple[TensorType, str, str]]:
    """For each output of a step its type, a name for errors, and the operation's uid."""
    refs = results(item)
    nodes = [ref.node.primitive for ref in refs if ref.node is not None]
    return [
        (ref.type, operation_text(p.op_name, p.name or p.uid), p.uid)
        for ref, p in zip(refs, nodes, strict=True)
    ]
