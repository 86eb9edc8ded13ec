"""Carries out one described call, by public names alone: the same code runs on Python 3.6 with the
original.

A description is plain JSON: operands (where they stand, their shape, how their numbers are drawn),
steps (the name of a builder, what it is applied to, its attributes), and how the gradient is taken.
The last step's result is what is evaluated.
"""

import zlib

import numpy as np
import scipy.sparse

import cntk as C
from tests.against_original.builders import BUILDERS
from tests.against_original.numbers import drawn

SEQUENCES = ("sequence", "other")  # two sequence axes; each has its own lengths


class Failed(Exception):
    """What a call raised, and how far it had come."""

    def __init__(self, stage, error):
        Exception.__init__(self, f"{stage}: {error}")
        self.stage, self.error = stage, error


class Operand:
    """An operand of a described call: the variable, and the data that feed it.

    Args:
        call: the call's description.
        k: which of its operands.
    """

    def __init__(self, call, k):
        self.description = call["operands"][k]
        self.on = self.description["on"]
        self.dtype = np.dtype(self.description.get("dtype", call["dtype"])).type
        self.shape = tuple(self.description["shape"])
        self.sparse = self.description.get("sparse", False)
        self.has_gradient = self.description["gradient"]
        self.random = np.random.RandomState(
            zlib.crc32("{} x{}".format(call["name"], k).encode()) & 0xFFFFFFFF
        )
        self.data = self._data(call["lengths"])
        self.variable = self._variable()

    def _numbers(self, *lead):
        numbers = drawn(self.random, self.description["numbers"], lead + self.shape)
        return np.array(numbers, self.dtype)

    def _data(self, lengths):
        if self.on in ("parameter", "constant"):
            return self._numbers()
        if self.on == "batch":
            rows = self._numbers(len(lengths["sequence"]))
            return [scipy.sparse.csr_matrix(x[None]) for x in rows] if self.sparse else rows
        sequences = [self._numbers(length) for length in lengths[self.on]]
        return [scipy.sparse.csr_matrix(x) for x in sequences] if self.sparse else sequences

    def _variable(self):
        if self.on == "parameter":
            return C.parameter(init=self.data, dtype=self.dtype)
        if self.on == "constant":
            return C.constant(self.data, dtype=self.dtype)
        free = self.description.get("free", ())
        shape = tuple(
            C.FreeDimension if axis in free else size for axis, size in enumerate(self.shape)
        )
        how = {"dtype": self.dtype, "needs_gradient": self.has_gradient, "is_sparse": self.sparse}
        if self.on == "batch":
            return C.input_variable(shape, **how)
        if self.on == "other":
            how["sequence_axis"] = C.Axis("other")
        return C.sequence.input_variable(shape, **how)

    @property
    def is_fed(self):
        return self.on not in ("parameter", "constant")


def reference(operands, results, name):
    """The variable or function that a step's operand is called by: `x0`, `f1`, or `f1.2` for a
    further output.
    """
    if name[0] == "x":
        return operands[int(name[1:])].variable
    number, _, output = name[1:].partition(".")
    return results[int(number)].outputs[int(output)] if output else results[int(number)]


def built(call, operands):
    """The function that a description's steps make."""
    results = []
    for name, applied_to, attributes in call["steps"]:
        arguments = [reference(operands, results, x) for x in applied_to]
        results.append(BUILDERS[name](*arguments, **attributes))
    return results[-1]


def arrays(result):
    """A result as a list of dense arrays: one for each sequence, or a single one."""
    parts = result if isinstance(result, list) else [result]
    return [np.asarray(x.toarray() if scipy.sparse.issparse(x) else x) for x in parts]


def gradients(call, function, feed, wanted):
    """The gradient of each wanted variable, from ones at the output or from random numbers; the
    result in training.
    """
    ones = call["root"] == "ones"
    sparse = any(x.get("sparse") for x in call["operands"])
    moving = sparse and all(v.is_parameter for v in wanted)
    if ones and len(function.outputs) == 1 and not sparse:
        found = function.grad(feed, wanted)
        return [found] if len(wanted) == 1 else [found[v] for v in wanted], []
    output = function.outputs[0]
    state, results = function.forward(feed, [output], {output})
    random = np.random.RandomState(zlib.crc32(call["name"].encode()) & 0xFFFFFFFF)
    result = results[output]
    parts = arrays(result)
    roots = [
        np.ones_like(x) if ones else random.uniform(0.5, 1.5, x.shape).astype(x.dtype)
        for x in parts
    ]
    found = function.backward(
        state,
        {output: roots if isinstance(result, list) else roots[0]},
        set(wanted),
        as_numpy=not moving,
    )
    return [moved(v, found[v]) if moving else found[v] for v in wanted], parts


def moved(parameter, gradient):
    """A gradient by what it moves: the original cannot show one that is sparse."""
    before = parameter.value
    C.sgd([parameter], C.learning_parameter_schedule_per_sample(1)).update(
        {parameter: gradient.data}, 1
    )
    return before - parameter.value


def attempt(stage, action):
    """What an action gives, or the stage and the name of what it raised."""
    try:
        return action()
    except Exception as error:  # whatever it is: that is the finding
        raise Failed(stage, error)  # noqa: B904


def run(call, with_gradients=True):
    """Everything that a call gives.

    Args:
        call: its description.
        with_gradients: False to ask for none, where the original is known to break down over them.

    Returns:
        dict: ``outputs``: for each its ``shape``, the number of its dynamic ``axes`` and its
        ``arrays``. ``training``: the first output's arrays in a training pass, where there was one.
        ``gradients``: a list of arrays for each operand that has one. ``after``: the values that
        watched parameters have in the end. ``error``: where something was raised, `[stage, type]`;
        the rest is what was found until then.
    """
    found = {"outputs": [], "training": [], "gradients": [], "after": []}
    try:
        operands = attempt(
            "build", lambda: [Operand(call, k) for k in range(len(call["operands"]))]
        )
        function = attempt("build", lambda: built(call, operands))
        used = attempt("build", lambda: set(function.arguments))
        feed = {x.variable: x.data for x in operands if x.is_fed and x.variable in used}
        results = attempt("forward", lambda: function.eval(feed))
        several = len(function.outputs) > 1
        for variable in function.outputs:
            output = {"shape": list(variable.shape), "axes": len(variable.dynamic_axes)}
            output["arrays"] = attempt(
                "forward", lambda v=variable: arrays(results[v] if several else results)
            )
            found["outputs"].append(output)
        known = used | set(function.parameters)
        wanted = [x.variable for x in operands if x.has_gradient and x.variable in known]
        if wanted and with_gradients:
            slopes, found["training"] = attempt(
                "gradient", lambda: gradients(call, function, feed, wanted)
            )
            found["gradients"] = [
                attempt("gradient", lambda s=slope: arrays(s)) for slope in slopes
            ]
        watched = [operands[k].variable for k in call.get("watch", [])]
        found["after"] = [np.array(v.value) for v in watched]
    except Failed as failure:
        found["error"] = [failure.stage, type(failure.error).__name__]
        found["message"] = str(failure.error)
        found["kinds"] = [kind.__name__ for kind in type(failure.error).__mro__]
    return found
