"""Element-wise operations on numbers at the ends of what floating point holds: zeros, the smallest,
the largest, inf, nan.

The module is read by Python 3.6 too, where the original runs: `record_extremes.py` writes down its
numbers, and `test_extremes.py` compares.
"""

import numpy as np

UNARY = """
    abs acos asin asinh atan atanh ceil cos cosh element_not elu exp floor hard_sigmoid leaky_relu log negate reciprocal
    relu round selu sigmoid sin sinh softplus softsign sqrt square tan tanh
"""  # noqa: E501
BINARY = """
    element_and element_divide element_max element_min element_or element_times element_xor equal greater greater_equal
    less less_equal log_add_exp minus not_equal plus pow
"""  # noqa: E501
MORE = {"hard_sigmoid": (0.2, 0.5)}
PLAIN = [0.5, 1.0, 2.0, 3.0, 1e-8, 1e10]
ENDS = {
    "float32": [0.0, 1e-45, 1e-38, 1e-20, 88.0, 89.0, 1e30, 3.4e38, np.inf],
    "float64": [0.0, 5e-324, 1e-308, 1e-160, 709.0, 711.0, 1e200, 1.7e308, np.inf],
}
ROWS = [(name, dtype) for dtype in sorted(ENDS) for name in (UNARY + BINARY).split()]


def operands(name, dtype):
    """The numbers, with both signs; for an operation on two of them all pairs, as two arrays."""
    upper = np.array(ENDS[dtype] + PLAIN, dtype)
    numbers = np.concatenate([upper, -upper, np.array([np.nan], dtype)])
    if name in UNARY.split():
        return [numbers]
    return [grid.ravel() for grid in np.meshgrid(numbers, numbers, indexing="ij")]


def results(C, name, dtype):
    """The result, and the gradient of its sum with respect to each operand, one row each."""
    data = operands(name, dtype)
    variables = [C.input_variable((), getattr(np, dtype), needs_gradient=True) for _ in data]
    function = getattr(C, name)(*(variables + list(MORE.get(name, ()))))
    feed = {variables[k]: numbers for k, numbers in enumerate(data)}
    gradients, result = function.grad(feed, wrt=variables, outputs=[function.output])
    slopes = [gradients[v] for v in variables] if len(variables) > 1 else [gradients]
    return np.stack([np.asarray(row).reshape(-1) for row in [result] + slopes])
