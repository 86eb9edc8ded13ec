"""``type(f) == C.Function``, as programs write it, with the original's answer for each kind of
thing.
"""

import numpy as np
import pytest

import cntk as C

X, Y, W = C.input_variable(2), C.input_variable(2), C.parameter(2)
SEQUENCE = C.sequence.input_variable(2)


class Twice(C.ops.functions.UserFunction):
    def infer_outputs(self):
        return [C.output_variable(v.shape, v.dtype, v.dynamic_axes) for v in self.inputs]

    def forward(self, argument, device=None, outputs_to_retain=None):
        return None, 2 * argument

    def backward(self, state, root_gradients):
        return 2 * root_gradients


@C.Function
def decorated(a):
    return a + 1


@C.BlockFunction("Made", "made")
def made(a):
    return a + 1


def loaded(folder):
    C.layers.Dense(2)(X).save(str(folder / "model"))
    return C.load_model(str(folder / "model"))


FUNCTIONS = {
    "operation": lambda: C.plus(X, Y),
    "operator": lambda: X + Y,
    "index": lambda: X[0],
    "criterion": lambda: C.cross_entropy_with_softmax(X, Y),
    "root": lambda: C.plus(X, Y).root_function,
    "owner": lambda: C.plus(X, Y).output.owner,
    "combine": lambda: C.combine([X + 1, Y + 1]),
    "alias": lambda: C.alias(X),
    "assign": lambda: C.assign(W, W + 1),
    "random": lambda: C.random.uniform((2,)),
    "layer": lambda: C.layers.Dense(3),
    "layer in use": lambda: C.layers.Dense(3)(X),
    "several layers": lambda: C.layers.Sequential([C.layers.Dense(3), C.relu]),
    "cell": lambda: C.layers.LSTM(3),
    "recurrence": lambda: C.layers.Recurrence(C.layers.LSTM(3))(SEQUENCE),
    "decorated": lambda: decorated,
    "block": lambda: made,
    "block in use": lambda: made(X).root_function,
    "inside of a block": lambda: C.layers.Dense(2)(X).root_function.block_root,
    "user function in use": lambda: C.user_function(Twice([X])),
    "root of a user function": lambda: C.user_function(Twice([X])).root_function,
    "clone": lambda: C.plus(X, Y).clone("share"),
    "found by name": lambda: C.layers.Dense(2, name="q")(X).find_by_name("q"),
    "found in the graph": lambda: C.logging.graph.depth_first_search(X + Y, lambda node: True)[0],
    "composite": lambda: C.as_composite(C.plus(X, Y).root_function),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_functions(kind):
    function = FUNCTIONS[kind]()
    assert type(function) == C.Function  # noqa: E721
    assert C.Function == type(function) and not type(function) != C.Function  # noqa: E721
    assert type(function) in {C.Function} and isinstance(function, C.Function)


def test_loaded_functions(tmp_path):
    assert type(loaded(tmp_path)) == C.Function  # noqa: E721


def test_user_functions_are_of_their_own_kind():
    user = Twice([X])
    assert type(user) == Twice and type(user) != C.Function and type(user) is Twice  # noqa: E721
    assert isinstance(user, C.Function) and isinstance(user, C.ops.functions.UserFunction)


@pytest.mark.parametrize(
    "other", [X, W, C.constant(1), X.shape, np.ones(2), C.learners, C.relu], ids=range(7)
)
def test_what_is_no_function(other):
    assert type(other) != C.Function and not isinstance(other, C.Function)  # noqa: E721


def test_parameters_and_constants():
    layer = C.layers.Dense(2)(X)
    assert type(layer.parameters[0]) == C.Parameter and type((X + 1).constants[0]) == C.Constant  # noqa: E721
    assert type((X + 1).output) == type(X) == C.Variable  # noqa: E721
