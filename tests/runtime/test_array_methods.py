"""What programs do with arrays and values by the native layer's methods, with the original's
answers.
"""

import numpy as np
import pytest

import cntk as C
from cntk import cntk_py
from cntk.ops.functions import UserFunction

SEQUENCE = C.sequence.input_variable(2)


def view(value=1.0, shape=(3, 2), dtype=np.float32, **options):
    return C.NDArrayView.from_dense(np.full(shape, value, dtype), **options)


def value(of=1.0):
    return C.Value.create(SEQUENCE, [np.full((2, 2), of, "f"), np.full((3, 2), of, "f")])


MADE = {
    "array": view,
    "value": lambda: C.Value(view()),
    "sequences": value,
    "one-hot": lambda: C.Value.one_hot([1, 2], 3),
}


@pytest.mark.parametrize(
    ("name", "storage", "masked"),
    [("array", 0, None), ("value", 0, 0), ("sequences", 0, 1), ("one-hot", 1, 0)],
)
def test_what_they_are(name, storage, masked):
    made = MADE[name]()
    assert (made.get_data_type(), made.get_storage_format()) == (cntk_py.DataType_Float, storage)
    assert made.as_string() == str(made) and made.as_string().endswith("CPU)")
    if masked is not None:
        assert made.masked_count() == masked and type(made).one_hot_skip == 2**32 - 1


@pytest.mark.parametrize("name", MADE)
def test_copies_and_aliases(name):
    made = MADE[name]()
    for options in ((), (False,), (C.cpu(), False)):
        assert not made.deep_clone(*options).is_read_only
    for options in ((True,), (C.cpu(), True)):
        assert made.deep_clone(*options).is_read_only
    assert made.alias(True).is_read_only and not made.alias().is_read_only
    copied, same = made.deep_clone(), made.alias()
    assert cntk_py.are_equal(copied, made) and cntk_py.are_equal(same, made)
    assert type(copied) is type(same) is type(made)


def test_aliases_share_memory():
    made = view()
    copied, same = made.deep_clone(), made.alias()
    made.set_value(4)
    assert (
        copied.asarray().tolist() == np.ones((3, 2)).tolist()
        and same.to_ndarray().tolist() == np.full((3, 2), 4).tolist()
    )
    made.copy_from(view(7.0))
    assert same.asarray()[0].tolist() == [7, 7]
    made.change_device(C.cpu())
    assert (
        made.device == C.DeviceDescriptor.cpu_device() == C.cpu() and str([made.device]) == "[CPU]"
    )


def test_values_are_copied():
    array = view()
    whole = C.Value(array)
    whole.copy_from(C.Value(view(3.0)))
    assert whole.asarray()[0].tolist() == [3, 3]
    sequences = value()
    sequences.copy_from(value(5.0))
    assert [x.tolist() for x in sequences.as_sequences()] == [
        np.full((n, 2), 5).tolist() for n in (2, 3)
    ]
    hot = C.Value.one_hot([1, 2], 3)
    hot.copy_from(C.Value.one_hot([0, 2], 3))
    assert hot.asarray().toarray().tolist() == [[1, 0, 0], [0, 0, 1]]
    sequences.erase()
    assert not sequences.is_valid


def test_sequences_by_themselves():
    views = value().unpack_variable_value(SEQUENCE, C.cpu())
    assert [v.shape for v in views] == [(2, 2), (3, 2)]
    views, starts = value().unpack_variable_value(SEQUENCE, True, C.cpu())
    assert [v.shape for v in views] == [(2, 2), (3, 2)] and starts == (True, True)


@pytest.mark.parametrize(
    ("action", "error"),
    [
        (lambda: view().copy_from(view(shape=(2, 2))), ValueError),
        (lambda: view().copy_from(view(dtype=np.float64)), RuntimeError),
        (lambda: view().copy_from(np.ones((3, 2), "f")), TypeError),
        (lambda: view().copy_from(C.Value(view())), TypeError),
        (lambda: view().set_value(np.ones((3, 2), "f")), NotImplementedError),
        (lambda: view().change_device("cpu"), TypeError),
    ],
    ids=["shape", "dtype", "array", "value", "set array", "device"],
)
def test_what_does_not_fit(action, error):
    with pytest.raises(error, match=r"copy_from|change_device"):
        action()


class Native(UserFunction):
    """Returns what it is told to make of its argument and of the gradient."""

    def __init__(self, x, returned):
        self.returned, self.seen = returned, []
        super().__init__([x], as_numpy=False)

    def infer_outputs(self):
        return [C.output_variable(v.shape, v.dtype, v.dynamic_axes) for v in self.inputs]

    def forward(self, argument, device=None, outputs_to_retain=None):
        self.seen.append(argument)
        return None, self.returned(argument)

    def backward(self, state, root_gradients):
        self.seen.append(root_gradients)
        return self.returned(root_gradients)


RETURNED = {
    "itself": lambda v: v,
    "copy": lambda v: v.deep_clone(),
    "copy that may be written to": lambda v: v.deep_clone(False),
    "copy elsewhere": lambda v: v.deep_clone(v.device(), True),
    "alias": lambda v: v.alias(True),
    "data": lambda v: v.data(),
    "data as an attribute": lambda v: v.data.deep_clone(),
    "value of its data": lambda v: C.Value(v.data().deep_clone()),
    "value of an array": lambda v: C.Value(np.array(v.asarray())),
    "array": lambda v: v.data.to_ndarray(),
}


@pytest.mark.parametrize("name", RETURNED)
def test_user_functions_return_them(name):
    x = C.input_variable(2, needs_gradient=True)
    user = Native(x, RETURNED[name])
    f = C.user_function(user)
    data = np.arange(4, dtype="f").reshape(2, 2)
    assert f.eval({x: data}).tolist() == data.tolist()
    assert C.reduce_sum(f * 2).grad({x: data}, [x]).tolist() == np.full((2, 2), 2).tolist()
    for seen in user.seen:
        assert seen.shape() == seen.shape == seen.data().shape() == (2, 2)
        assert seen.shape().dimensions() == (2, 2) and (
            seen.shape().rank(),
            seen.shape().total_size(),
        ) == (2, 4)
        assert seen.device() == seen.device == C.cpu() and C.cpu() == seen.data().device()
        assert seen.is_sparse() is False and not seen.is_sparse and seen.is_valid() is True
        assert seen.mask() is None and seen.masked_count() == 0


def test_masks_of_user_functions():
    user = Native(SEQUENCE, lambda v: v.deep_clone())
    f = C.user_function(user)
    data = [np.ones((2, 2), "f"), np.ones((3, 2), "f")]
    assert [x.tolist() for x in f.eval({SEQUENCE: data})] == [x.tolist() for x in data]
    seen = user.seen[0]
    assert seen.shape() == (2, 3, 2) and seen.masked_count() == 1 == seen.mask().masked_count()
    assert seen.mask().to_ndarray().tolist() == seen.mask.tolist() == [[2, 1, 0], [2, 1, 1]]
    assert seen.deep_clone().mask().asarray().tolist() == [[2, 1, 0], [2, 1, 1]]
