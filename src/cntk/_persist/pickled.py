"""Pickles functions, variables, learners and trainers, for other processes and `copy`.

A pickle has graphs and parameters as files have them. Only leaves (parameters, constants, inputs)
are stored apart from their graph: so a model and its loss that are pickled together go on sharing
them, and a shallow copy shares them, too. Pickles may come from anybody: nothing here runs more
code than loading a file does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from cntk._graph.bfloat16 import dtype_named
from cntk._graph.block import combine_variables
from cntk._graph.composite import Composite, whole_graph
from cntk._graph.function import Function
from cntk._graph.primitive import Primitive
from cntk._graph.types import TensorType
from cntk._graph.variable import HOLDERS, Variable, VariableKind, as_dtype
from cntk._persist import files
from cntk._persist.learner_state import learner_from_file, learner_to_file, restore_own_state
from cntk._persist.protobuf.dictionary import encode_dictionary
from cntk._persist.v2.load import from_dictionary, leaf_from_dictionary
from cntk._persist.v2.save import leaf_to_dictionary, to_dictionary
from cntk._runtime.numpy_tensors import array_of, tensor_of
from cntk.errors import GraphError
from cntk.learners.base import Learner
from cntk.train.distributed import DistributedLearner
from cntk.variables import Constant, Parameter

_NAME = "what was pickled"
# What `__reduce__` returns: a function that makes the object again, and its arguments.
Parts = tuple[Callable[..., Any], tuple[Any, ...]]


# -- functions -------------------------------------------------------------------------------------


def function_parts(function: Function) -> Parts:
    """Return the pickled form of a function."""
    if not function.is_composite:
        return root_of, (whole_graph(function),)
    composite = whole_graph(function)
    return function_of, (*_graph_parts(composite), composite._declared)


def _graph_parts(
    composite: Composite, running: Sequence[Composite] = ()
) -> tuple[bytes, list[Variable]]:
    apart: list[Variable] = []
    return encode_dictionary(to_dictionary(composite, running, apart)).to_bytes(), apart


def function_of(graph: bytes, apart: Sequence[Variable], declared: Sequence[Variable]) -> Composite:
    """Return the function whose parts these are; see `function_parts`."""
    function = from_dictionary(files.decode(memoryview(graph)), name=_NAME, apart=apart)
    function._declared = tuple(declared)
    return function


def root_of(composite: Composite) -> Primitive:
    """Return a graph's last operation."""
    return composite.root_function


# -- variables -------------------------------------------------------------------------------------


def variable_parts(variable: Variable) -> Parts:
    """Return the pickled form of a variable."""
    owner = variable._owner
    if owner is not None:
        results = owner.root_function.results
        return output_of, (
            Composite(owner.root_function),
            next(k for k, v in enumerate(results) if v is variable),
        )
    if isinstance(variable, (Parameter, Constant)) and variable._data is None:
        return uninitialized_of, _uninitialized(variable)
    return variable_of, (encode_dictionary(leaf_to_dictionary(variable)).to_bytes(),)


def output_of(composite: Composite, index: int) -> Variable:
    """Return an output of a graph."""
    return composite.root_function.results[index]


def variable_of(content: bytes) -> Variable:
    """Return the variable that a dictionary describes."""
    return leaf_from_dictionary(files.decode(memoryview(content)), _NAME)


def _uninitialized(variable: Parameter | Constant) -> tuple[Any, ...]:
    """Return the parts of a parameter or constant whose shape or dtype is not inferred yet."""
    initial, type_ = variable._initial, variable.type_
    if isinstance(initial, torch.Tensor):
        initial = array_of(initial)
    if isinstance(initial, np.ndarray):
        initial = (str(initial.dtype), initial.shape, initial.tobytes())
    dtype = None if type_.dtype is None else type_.dtype.name
    return (
        int(variable.kind),
        type_.shape,
        dtype,
        initial,
        variable._name,
        variable._uid,
        variable.needs_gradient_,
    )


def uninitialized_of(
    kind: int,
    shape: tuple[int, ...],
    dtype: str | None,
    initial: Any,
    name: str,
    uid: str,
    needs_gradient: bool,
) -> Variable:
    """Return a parameter or constant that gets its value later; see `Parameter`.

    Raises:
        GraphError: for variables of other kinds.
    """
    if kind not in HOLDERS:
        raise GraphError(f"unpickling: a variable of kind {kind} has no value")
    if isinstance(initial, tuple):
        number, sizes, content = initial
        initial = np.frombuffer(content, dtype_named(number)).reshape(sizes)
    made_class = Parameter if kind == VariableKind.Parameter else Constant
    made = made_class.__new__(made_class)
    made._initialize(VariableKind(kind), shape, initial, as_dtype(dtype), None, name, uid)
    made.refine(TensorType(tuple(shape), (), as_dtype(dtype)))
    made.needs_gradient_ = needs_gradient
    return made


# -- learners --------------------------------------------------------------------------------------

# Attributes that `load_state_dict` sets.
_RESET: dict[str, Any] = {
    "_leaves": None,
    "_masters": None,
    "_restored": None,
    "_state": {},
    "fusible": False,
    "_is_single": False,
}


def learner_parts(learner: Learner | DistributedLearner) -> Parts:
    """Return the pickled form of a learner."""
    attributes = {
        key: _without_tensors(value) for key, value in vars(learner).items() if key not in _RESET
    }
    state = (
        encode_dictionary(learner_to_file(learner)).to_bytes()
        if isinstance(learner, Learner)
        else b""
    )
    return learner_of, (type(learner), attributes, state)


def learner_of(
    kind: type, attributes: dict[str, Any], state: bytes
) -> Learner | DistributedLearner:
    """Return the learner whose parts these are; see `learner_parts`.

    Raises:
        TypeError: if they are of something else.
    """
    if not issubclass(kind, (Learner, DistributedLearner)):
        raise TypeError(f"unpickling: expected a kind of learner, got {kind!r}")
    learner: Learner | DistributedLearner = kind.__new__(kind)
    vars(learner).update({key: _with_tensors(value) for key, value in attributes.items()})
    if isinstance(learner, Learner):
        vars(learner).update(
            {key: value.copy() if value == {} else value for key, value in _RESET.items()}
        )
        values = files.decode(memoryview(state))
        loaded, own = learner_from_file(values, learner, [p.uid for p in learner.parameters])
        learner.load_state_dict(loaded)
        restore_own_state(learner, own)
    return learner


class _Arrays(tuple):  # type: ignore[type-arg]
    """Tensors, each as its dtype, shape and bytes, or None."""


def _without_tensors(value: Any) -> Any:
    if isinstance(value, list) and any(isinstance(item, torch.Tensor) for item in value):
        arrays = [None if item is None else array_of(item) for item in value]
        return _Arrays(None if a is None else (str(a.dtype), a.shape, a.tobytes()) for a in arrays)
    return value


def _with_tensors(value: Any) -> Any:
    if not isinstance(value, _Arrays):
        return value
    return [
        None
        if part is None
        else tensor_of(np.frombuffer(part[2], dtype_named(part[0])).reshape(part[1]).copy())
        for part in value
    ]


# -- trainers --------------------------------------------------------------------------------------


def trainer_parts(trainer: Any) -> Parts:
    """Return the pickled form of a trainer: all that it trains as one graph, and its progress."""
    nodes = (trainer._model, trainer._loss, trainer._metric)
    outputs = [v for node in nodes for v in _outputs(node)]
    graph, apart = _graph_parts(combine_variables(outputs), [trainer._step.function])
    described = [_described(node) for node in nodes]
    progress = (trainer._step.trained, *trainer._step.passes())
    # Progress writers refer to these sums.
    sums = (trainer._tested, trainer._trained_loss, trainer._trained_metric, trainer._notice)
    return trainer_of, (
        type(trainer),
        graph,
        apart,
        described,
        trainer._learners,
        trainer._writers,
        sums,
        progress,
    )


def trainer_of(
    kind: type,
    graph: bytes,
    apart: Sequence[Variable],
    described: Sequence[tuple[str, int, str]],
    learners: Sequence[Any],
    writers: Sequence[Any],
    sums: tuple[Any, ...],
    progress: tuple[int, int, dict[str, int]],
) -> Any:
    """Return the trainer whose parts these are; see `trainer_parts`.

    Raises:
        TypeError: if they are of something else.
    """
    from cntk.train.trainer import Trainer

    if not issubclass(kind, Trainer):
        raise TypeError(f"unpickling: expected a kind of trainer, got {kind!r}")
    outputs = list(function_of(graph, apart, ()).outputs)
    model, loss, metric = (
        _node(kind_of, [outputs.pop(0) for _ in range(count)], name)
        for kind_of, count, name in described
    )
    # `__init__` would tell the learners of writers that they know already.
    trainer = kind.__new__(kind)
    known = [list(learner._writers) for learner in learners if isinstance(learner, Learner)]
    Trainer.__init__(trainer, model, (loss, metric), list(learners), list(writers))
    for learner, before in zip(
        (each for each in learners if isinstance(each, Learner)), known, strict=True
    ):
        learner._writers = before
    trainer._tested, trainer._trained_loss, trainer._trained_metric, trainer._notice = sums
    trainer._step.trained, passes, sizes = progress
    trainer._step.begin_anew(passes, sizes)
    return trainer


def _outputs(node: Any) -> Sequence[Variable]:
    if node is None:
        return ()
    return node.outputs if isinstance(node, Function) else (node,)


def _described(node: Any) -> tuple[str, int, str]:
    """Describe a model or criterion: its kind, number of outputs, and name."""
    if not isinstance(node, Function):
        return ("nothing" if node is None else "variable"), len(_outputs(node)), ""
    return (
        ("combination" if node.root_function.op.is_bundle else "function"),
        len(node.outputs),
        node.name,
    )


def _node(kind: str, outputs: list[Variable], name: str) -> Any:
    if kind == "nothing":
        return None
    if kind == "variable":
        return outputs[0]
    owner = outputs[0]._owner
    if kind == "combination" or owner is None:
        return combine_variables(outputs, name)
    return Composite(owner.root_function, (), name)
