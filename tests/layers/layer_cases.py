"""Layers, what they are applied to and what is asked of them, for comparison with the original.

The module is read by Python 3.6 too, where the original runs: `record_layers.py` writes down what
each layer is there, and `test_layers.py` compares. The layers themselves stand in the tables
`feed_forward_layers`, `convolution_layers`, `recurrent_layers` and `layers_of_layers`. A row is a
builder with the inputs that its layer is applied to: a builder of one argument, the `cntk` module,
gives a layer; one that is handed the inputs too gives what the layer makes of them.
"""

import inspect
import re

import numpy as np
import scipy.sparse

SEQUENCE_LENGTHS = (4, 1, 3)
BATCH = 3


def x(*shape, **more):
    """An input with a batch axis."""
    return lambda C: C.input_variable(shape, needs_gradient=not more, name="x", **more)


def s(*shape, **more):
    """An input with a sequence axis, the default one or a named one."""

    def make(C):
        axis = {"sequence_axis": C.Axis(more["axis"])} if "axis" in more else {}
        sparse = more.get("is_sparse", False)
        return C.sequence.input_variable(
            shape, needs_gradient=not sparse, is_sparse=sparse, name="x", **axis
        )

    return make


def data_for(variable, place, dtype=np.float32):
    """Data for an input: the same numbers everywhere; other lengths on an axis with a name."""
    shape = tuple(variable.shape)
    random = np.random.RandomState(3 + place)
    if len(variable.dynamic_axes) < 2:
        return _stored(random.uniform(-1, 1, (BATCH,) + shape).astype(dtype), variable)
    default = variable.dynamic_axes[1].name == "defaultDynamicAxis"
    lengths = SEQUENCE_LENGTHS if default else [n + 1 for n in SEQUENCE_LENGTHS]
    return [_stored(random.uniform(-1, 1, (n,) + shape).astype(dtype), variable) for n in lengths]


def _stored(rows, variable):
    """Rows as they are, or half of them empty in a sparse matrix."""
    return scipy.sparse.csr_matrix(np.where(rows > 0, rows, 0)) if variable.is_sparse else rows


def settle(parameters):
    """Give parameters values of their own, so that none is left at 0 or 1; the same everywhere."""
    for k, parameter in enumerate(parameters):
        random = np.random.RandomState(50 + k)
        parameter.value = random.uniform(-0.8, 0.8, parameter.shape).astype(parameter.value.dtype)


def applied(C, case):
    """A layer of the table, with automatic seeds started afresh, and its applied form; and the
    inputs.
    """
    build, inputs = case
    C.cntk_py.reset_random_seed(1)
    arguments = [make(C) for make in inputs]
    if len(inspect.signature(build).parameters) == 1:
        layer = build(C)
        return layer, layer(*arguments), arguments
    function = build(C, *arguments)
    return function, function, arguments


GIVEN_AXES = ("defaultBatchAxis", "defaultDynamicAxis", "source", "target", "words")


def written(function):
    """How a function prints; axes that it made itself have no name that lasts."""
    made = r"SequenceOver\[(?!(" + "|".join(GIVEN_AXES) + r")\])\w+\]"
    return re.sub(made, "SequenceOver[new]", str(function))


def facts(C, layer, function):
    """What can be read off a layer without running it."""
    root = function.root_function
    return {
        "unapplied": written(layer) if isinstance(layer, C.Function) else "",
        "text": written(function),
        "root": [root.op_name, root.name, root.is_block, function.name],
        "inputs": sorted([_kind(v), v.name, list(v.shape)] for v in function.inputs),
        "arguments": [v.name for v in function.arguments],
        "outputs": [
            [
                v.name,
                list(v.shape),
                [a.name if a.name in GIVEN_AXES else "new" for a in v.dynamic_axes],
                v.dtype.__name__,
            ]
            for v in function.outputs
        ],
        "parameters": [[p.name, list(p.shape)] for p in function.parameters],
    }


def _kind(variable):
    kinds = ("parameter", "constant", "placeholder", "input")
    return next(k for k in kinds if getattr(variable, "is_" + k))


def numbers(C, function, arguments, dense_gradients=False):
    """All numbers of a layer: first values of its parameters; with other values, results,
    gradients, and constants.

    The gradients are those of a weighted sum of all outputs' elements.

    Args:
        dense_gradients: whether gradients are taken with dense data in place of sparse ones, as the
            original needs it.
    """
    found = [[np.asarray(p.value) for p in function.parameters]]
    settle(function.parameters)
    used = [v for v in arguments if v in function.arguments]
    feed = {v: data_for(v, k, v.dtype) for k, v in enumerate(arguments) if v in function.arguments}
    values = function.eval(feed)
    found += [_arrays(values[v] if len(function.outputs) > 1 else values) for v in function.outputs]
    wanted = [v for v in list(function.parameters) + used if not v.is_sparse]
    if dense_gradients:
        function, feed = _dense(C, function, feed)
    if wanted:
        gradients = _weighted(C, function.outputs).grad(feed, wrt=wanted)
        gradients = gradients if isinstance(gradients, dict) else {wanted[0]: gradients}
        found += [_arrays(gradients[v]) for v in wanted]
    return found + [[np.asarray(c.value) for c in function.constants if c.name]]


def _weighted(C, outputs):
    """The sum of all elements, each with a weight of its own."""
    sums = []
    for output in outputs:
        weights = (
            1 + np.arange(int(np.prod(output.shape)), dtype=output.dtype).reshape(output.shape) % 7
        )
        sums.append(
            C.reduce_sum(C.element_times(output, C.constant(weights)))
            if output.shape
            else output * 1
        )
    return C.combine(sums) if len(sums) == 1 else C.plus(*sums)


def _dense(C, function, feed):
    """A function, and its data, with dense inputs."""
    dense = {v: C.input_variable(v.shape, dynamic_axes=v.dynamic_axes) for v in feed if v.is_sparse}
    if not dense:
        return function, feed
    data = {dense.get(v, v): feed[v] for v in feed}
    for variable in dense.values():
        batch = data[variable]
        data[variable] = (
            [np.asarray(m.todense()) for m in batch] if isinstance(batch, list) else batch.toarray()
        )
    return function.clone("share", dense), data


def _arrays(value):
    """A batch as one array, sequences as a list of arrays."""
    if isinstance(value, (list, tuple)):
        return [np.asarray(v.todense() if scipy.sparse.issparse(v) else v) for v in value]
    return [np.asarray(value)]
