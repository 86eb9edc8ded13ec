"""Misuses of all kinds: the class of each error is the original's, or derived from it."""

from __future__ import annotations

import os

import numpy as np
import pytest

import cntk as C

X = np.ones((2, 2), np.float32)
BELOW_A_FILE = os.path.join(os.path.abspath(__file__), "no", "file")


def x():
    return C.input_variable(2, name="x")


def s():
    return C.sequence.input_variable(2, name="s")


def im():
    return C.input_variable((1, 4, 4))


def w(shape=(2, 3)):
    return C.parameter(shape, name="w")


def g():
    return C.input_variable(2, needs_gradient=True)


def z():
    return C.layers.Dense(1)(x())


def trainer(learners, *more):
    """A trainer of a model's criterion, which may have more functions, with learners made of the
    model.
    """
    m = z()
    return C.Trainer(m, (C.squared_error(m, C.input_variable(1)), None, *more), learners(m))


def tr():
    """A trainer, its input and its target."""
    i, target = x(), C.input_variable(1)
    model = C.layers.Dense(1)(i)
    return (
        C.Trainer(model, (C.squared_error(model, target), None), C.sgd(model.parameters, 0.1)),
        i,
        target,
    )


def setv(holder, value):
    holder.value = value


def misfeed(i, value):
    return (i * 2).eval({i: value})


# By a few words that say what is wrong: the class of the original's error, and the misuse.
MISUSES = {
    # -- AttributeError
    "value of an input": (AttributeError, lambda: x().value),
    "clone substitution None": (
        AttributeError,
        lambda: (lambda i: (i * 2).clone("share", {i: None}))(x()),
    ),
    "attribute unknown": (AttributeError, lambda: z().nothing),
    "attribute of a variable": (AttributeError, lambda: x().nothing),
    # -- IndexError
    "index text": (IndexError, lambda: x()["a"]),
    "index None": (IndexError, lambda: x()[None]),
    "index float": (IndexError, lambda: x()[0.5]),
    # -- KeyError
    "index of two": (KeyError, lambda: C.combine([x() * 1, x() * 2])[5]),
    "index of two text": (KeyError, lambda: C.combine([x() * 1, x() * 2])["a"]),
    # -- NotImplementedError
    "assign to a function": (NotImplementedError, lambda: C.assign(x() * 2, x())),
    "constant of text": (NotImplementedError, lambda: C.constant("a")),
    "parameter init text": (NotImplementedError, lambda: C.parameter(2, init="a")),
    "gradient of an integer root": (
        NotImplementedError,
        lambda: (lambda i: (i * 2).grad({i: X}, [i], grad_root="a"))(g()),
    ),
    "save to number": (NotImplementedError, lambda: z().save(3)),
    "pooling kind": (NotImplementedError, lambda: C.pooling(im(), "max", (2, 2))),
    "one_hot size": (NotImplementedError, lambda: C.one_hot(x(), "a")),
    "name number": (NotImplementedError, lambda: C.input_variable(2, name=3)),
    "name of op number": (NotImplementedError, lambda: C.relu(x(), name=3)),
    "sgd of inputs": (NotImplementedError, lambda: C.sgd([x()], 0.1)),
    "sgd of constants": (NotImplementedError, lambda: C.sgd([C.constant(1)], 0.1)),
    "trainer learner text": (NotImplementedError, lambda: trainer(lambda m: ["a"])),
    "two outputs as one": (NotImplementedError, lambda: C.relu(C.combine([x() * 1, x() * 2]))),
    "Function of number": (NotImplementedError, lambda: C.Function(3)),
    "Recurrence initial text": (
        NotImplementedError,
        lambda: C.layers.Recurrence(C.layers.LSTM(2), initial_state="a")(s()),
    ),
    "Dense init text": (NotImplementedError, lambda: C.layers.Dense(2, init="a")(x())),
    "device text": (NotImplementedError, lambda: C.try_set_default_device("cpu")),
    "initializer text": (NotImplementedError, lambda: C.initializer.normal("a")),
    "initializer None": (NotImplementedError, lambda: C.initializer.normal(None)),
    "minibatch size negative": (NotImplementedError, lambda: C.minibatch_size_schedule(-1)),
    "source of text": (NotImplementedError, lambda: C.io.MinibatchSource("a")),
    # -- RuntimeError
    "parameter value of another shape": (RuntimeError, lambda: setv(w(), np.ones((2, 2), "f"))),
    "parameter value of another rank": (RuntimeError, lambda: setv(w(), np.ones(2, "f"))),
    "set_value shape": (
        RuntimeError,
        lambda: w().set_value(C.NDArrayView.from_dense(np.ones((2, 2), "f"))),
    ),
    "constant value shape": (RuntimeError, lambda: setv(C.constant(1, (2,)), np.ones(3, "f"))),
    "gradient of two outputs": (
        RuntimeError,
        lambda: (lambda i: C.combine([i * 2, i * 3]).grad({i: X}, [i]))(g()),
    ),
    "missing checkpoint file": (
        RuntimeError,
        lambda: tr()[0].restore_from_checkpoint("no/such/file"),
    ),
    "missing model restore": (RuntimeError, lambda: z().restore("no/such/file")),
    "model from number": (RuntimeError, lambda: C.load_model(3)),
    "save to nowhere": (RuntimeError, lambda: z().save(BELOW_A_FILE)),
    "checkpoint to nowhere": (RuntimeError, lambda: tr()[0].save_checkpoint(BELOW_A_FILE)),
    "missing text file": (
        RuntimeError,
        lambda: C.io.MinibatchSource(
            C.io.CTFDeserializer("no/such", C.io.StreamDefs(a=C.io.StreamDef("a", 2)))
        ),
    ),
    "plus of sizes that differ": (RuntimeError, lambda: x() + C.input_variable(3)),
    "slice beyond": (RuntimeError, lambda: C.slice(x(), 0, 0, 5)),
    "transpose of one axis": (RuntimeError, lambda: C.transpose(x(), (1, 0))),
    "last of no sequence": (RuntimeError, lambda: C.sequence.last(x())),
    "past value of no sequence": (RuntimeError, lambda: C.sequence.past_value(x())),
    "schedule empty": (RuntimeError, lambda: C.learning_parameter_schedule([])),
    "average before training": (RuntimeError, lambda: tr()[0].previous_minibatch_loss_average),
    "set attribute": (RuntimeError, lambda: C.dropout(x(), 0.5).set_attribute("nothing", 1)),
    "set dropout text": (
        RuntimeError,
        lambda: C.dropout(x(), 0.5).set_attribute("dropoutRate", "a"),
    ),
    "set attribute of relu": (RuntimeError, lambda: C.relu(x()).set_attribute("dropoutRate", 0.1)),
    "output of two": (RuntimeError, lambda: C.combine([x() * 1, x() * 2]).output),
    "index beyond": (RuntimeError, lambda: x()[5]),
    "owner of an input": (RuntimeError, lambda: x().owner),
    "Recurrence of no sequence": (RuntimeError, lambda: C.layers.Recurrence(C.layers.LSTM(2))(x())),
    # -- TypeError
    "clip without bounds": (TypeError, lambda: C.clip(x())),
    "clip with one bound": (TypeError, lambda: C.clip(x(), 0)),
    "dict operand": (TypeError, lambda: x() + {}),
    "object operand": (TypeError, lambda: x() + object()),
    "type operand": (TypeError, lambda: x() + int),
    "complex operand": (TypeError, lambda: x() + 1j),
    "combine text": (TypeError, lambda: C.combine(["a"])),
    "parameter value text": (TypeError, lambda: setv(w(), "a")),
    "parameter value None": (TypeError, lambda: setv(w(), None)),
    "parameter value ragged": (TypeError, lambda: setv(w(), [[1, 2], [3]])),
    "parameter value of a function": (TypeError, lambda: setv(w(), x())),
    "For with a number": (TypeError, lambda: C.layers.For(range(2), 3)),
    "For with text": (TypeError, lambda: C.layers.For(range(2), "a")),
    "For with None": (TypeError, lambda: C.layers.For(range(2), None)),
    "For number range": (TypeError, lambda: C.layers.For(2, lambda: C.layers.Dense(2))(x())),
    "For giving None": (TypeError, lambda: C.layers.For(range(2), lambda: None)(x())),
    "For giving number": (TypeError, lambda: C.layers.For(range(2), lambda: 3)(x())),
    "For two arguments": (
        TypeError,
        lambda: C.layers.For(range(2), lambda a, b: C.layers.Dense(2))(x()),
    ),
    "Sequential number": (TypeError, lambda: C.layers.Sequential([3])(x())),
    "Sequential None": (TypeError, lambda: C.layers.Sequential([None])(x())),
    "Sequential text": (TypeError, lambda: C.layers.Sequential("ab")(x())),
    "argument twice": (TypeError, lambda: z()(x(), x=x())),
    "argument twice by name": (TypeError, lambda: (x() + 1)(x(), x=x())),
    "argument unknown": (TypeError, lambda: z()(y=x())),
    "too many arguments": (TypeError, lambda: z()(x(), x())),
    "too few arguments": (TypeError, lambda: (x() + C.input_variable(2))(x())),
    "no arguments": (TypeError, lambda: z()()),
    "mixed data and variables": (TypeError, lambda: (x() + C.input_variable(2))(x(), X)),
    "argument map twice": (TypeError, lambda: z().argument_map(x(), x=x())),
    "gradient by text": (
        TypeError,
        lambda: (lambda i: C.layers.Dense(1)(i).grad({i: X}, ["W"]))(x()),
    ),
    "data by number": (TypeError, lambda: (x() * 2).eval({3: X})),
    "dropout text": (TypeError, lambda: C.dropout(x(), "a")),
    "shape None": (TypeError, lambda: C.input_variable(None)),
    "dynamic axes text": (TypeError, lambda: C.input_variable(2, dynamic_axes="a")),
    "placeholder replaced by array": (
        TypeError,
        lambda: (lambda p: (p * 2).replace_placeholders({p: X}))(C.placeholder()),
    ),
    "clone substitution": (TypeError, lambda: z().clone("share", {3: x()})),
    "momentum missing": (TypeError, lambda: C.momentum_sgd(z().parameters, 0.1)),
    "adam missing": (TypeError, lambda: C.adam(z().parameters, 0.1)),
    "schedule index": (TypeError, lambda: C.learning_parameter_schedule([0.1])["a"]),
    "trainer without loss": (TypeError, lambda: C.Trainer(z(), None, C.sgd(z().parameters, 0.1))),
    "trainer loss text": (TypeError, lambda: C.Trainer(z(), "a", C.sgd(z().parameters, 0.1))),
    "trainer loss number": (
        TypeError,
        lambda: C.Trainer(z(), (3, None), C.sgd(z().parameters, 0.1)),
    ),
    "trainer learner None": (TypeError, lambda: trainer(lambda m: None)),
    "minibatch None": (TypeError, lambda: (lambda t: t[0].train_minibatch(None))(tr())),
    "minibatch outputs text": (
        TypeError,
        lambda: (lambda t: t[0].train_minibatch({t[1]: X, t[2]: X[:, :1]}, outputs=["a"]))(tr()),
    ),
    "length of a function": (TypeError, lambda: len(x() * 2)),
    "float of a function": (TypeError, lambda: float(x() * 2)),
    "as_parameter of an input": (TypeError, lambda: x().as_parameter()),
    "Function unused argument": (TypeError, lambda: C.Function(lambda a, b: a * 2)),
    "Function returning None": (TypeError, lambda: C.Function(lambda a: None)),
    "Dense None": (TypeError, lambda: C.layers.Dense(None)),
    "Dense activation number": (TypeError, lambda: C.layers.Dense(2, activation=3)(x())),
    "Dense activation text": (TypeError, lambda: C.layers.Dense(2, activation="relu")(x())),
    "Dense called without": (TypeError, lambda: C.layers.Dense(2)()),
    "LSTM None": (TypeError, lambda: C.layers.LSTM(None)),
    "LSTM called with one": (TypeError, lambda: C.layers.LSTM(2)(x())),
    "Convolution without filter": (TypeError, lambda: C.layers.Convolution2D(None, 2)),
    "MaxPooling None": (TypeError, lambda: C.layers.MaxPooling(None)),
    "NDArrayView text": (TypeError, lambda: C.NDArrayView.from_dense("a")),
    "NDArrayView None": (TypeError, lambda: C.NDArrayView.from_dense(None)),
    "training session without trainer": (TypeError, lambda: C.training_session(None, None, 32)),
    "from data text": (TypeError, lambda: C.io.MinibatchSourceFromData({"a": "b"})),
    "from data of two counts": (
        TypeError,
        lambda: C.io.MinibatchSourceFromData({"a": X, "b": np.ones((3, 2), "f")}),
    ),
    # -- ValueError
    "assign to an input": (ValueError, lambda: C.assign(x(), x())),
    "assign another shape": (ValueError, lambda: C.assign(C.parameter(3), C.constant(1, (2,)))),
    "assign None": (ValueError, lambda: C.assign(C.parameter(3), None)),
    "clip with None": (ValueError, lambda: C.clip(x(), None, None)),
    "clip text": (ValueError, lambda: C.clip(x(), "a", 1)),
    "constant without a value": (ValueError, lambda: C.constant()),
    "constant None": (ValueError, lambda: C.constant(None)),
    "Constant without value": (ValueError, lambda: C.Constant()),
    "constant of None list": (ValueError, lambda: C.constant([None])),
    "constant of ragged": (ValueError, lambda: C.constant([[1, 2], [3]])),
    "text as operand": (ValueError, lambda: x() + "a"),
    "None as operand": (ValueError, lambda: x() + None),
    "text times": (ValueError, lambda: C.times(x(), "a")),
    "None in plus": (ValueError, lambda: C.plus(x(), None)),
    "None alone": (ValueError, lambda: C.relu(None)),
    "text alone": (ValueError, lambda: C.relu("a")),
    "None in times": (ValueError, lambda: C.times(None, x())),
    "list with None": (ValueError, lambda: x() + [1, None]),
    "list with text": (ValueError, lambda: x() + [1, "a"]),
    "empty list operand": (ValueError, lambda: x() + []),
    "None minus": (ValueError, lambda: None - x()),
    "None in splice": (ValueError, lambda: C.splice(x(), None)),
    "None in loss": (ValueError, lambda: C.squared_error(x(), None)),
    "text in loss": (ValueError, lambda: C.cross_entropy_with_softmax(x(), "a")),
    "None in select": (ValueError, lambda: C.element_select(x(), None, x())),
    "None in reduce": (ValueError, lambda: C.reduce_sum(None)),
    "value of an inferred parameter": (
        ValueError,
        lambda: C.parameter((C.InferredDimension, 2)).value,
    ),
    "For with a layer": (ValueError, lambda: C.layers.For(range(2), C.layers.Dense(2))(x())),
    "argument None": (ValueError, lambda: z()(None)),
    "argument text": (ValueError, lambda: z()("a")),
    "argument number": (ValueError, lambda: z()(3)),
    "gradient of what needs none": (ValueError, lambda: z().grad({})),
    "gradient by an input without gradients": (
        ValueError,
        lambda: (lambda i: C.layers.Dense(1)(i).grad({i: X}, [i]))(x()),
    ),
    "gradient by a constant": (
        ValueError,
        lambda: (lambda i, k: (i * k).grad({i: X}, [k]))(x(), C.constant([1, 2])),
    ),
    "gradient by a foreign parameter": (
        ValueError,
        lambda: (lambda i: C.layers.Dense(1)(i).grad({i: X}, [w()]))(x()),
    ),
    "gradient of nothing learnable": (ValueError, lambda: (lambda i: (i * 2).grad({i: X}))(x())),
    "gradient without data": (ValueError, lambda: (lambda i: (i * 2).grad({}, [i]))(g())),
    "missing model file": (ValueError, lambda: C.load_model("no/such/file")),
    "model from None": (ValueError, lambda: C.load_model(None)),
    "save to None": (ValueError, lambda: z().save(None)),
    "Function.load missing": (ValueError, lambda: C.Function.load("no/such/file")),
    "data of another shape": (ValueError, lambda: misfeed(x(), np.ones((2, 3), "f"))),
    "data None": (ValueError, lambda: misfeed(x(), None)),
    "data text": (ValueError, lambda: misfeed(x(), "a")),
    "data number": (ValueError, lambda: misfeed(x(), 3)),
    "data empty": (ValueError, lambda: misfeed(x(), [])),
    "data missing": (ValueError, lambda: (x() * 2).eval({})),
    "data by foreign variable": (ValueError, lambda: (x() * 2).eval({x(): X})),
    "data by wrong name": (ValueError, lambda: (x() * 2).eval({"y": X})),
    "data of two counts": (
        ValueError,
        lambda: (lambda a, b: (a + b).eval({a: X, b: np.ones((3, 2), "f")}))(
            x(), C.input_variable(2)
        ),
    ),
    "eval of a placeholder": (ValueError, lambda: (C.placeholder() * 2).eval()),
    "times of sizes that differ": (ValueError, lambda: C.times(x(), w((3, 2)))),
    "splice of sizes that differ": (
        ValueError,
        lambda: C.splice(C.input_variable((2, 2)), C.input_variable((3, 3))),
    ),
    "reshape of another size": (ValueError, lambda: C.reshape(x(), (3,))),
    "axis beyond": (ValueError, lambda: C.reduce_sum(x(), axis=3)),
    "swapaxes beyond": (ValueError, lambda: C.swapaxes(x(), 0, 1)),
    "convolution of a vector": (ValueError, lambda: C.layers.Convolution2D((2, 2), 1)(x())),
    "pooling window too large": (ValueError, lambda: C.pooling(im(), C.MAX_POOLING, (9, 9))),
    "dropout rate": (ValueError, lambda: C.dropout(x(), 1.5)),
    "dtype object": (ValueError, lambda: C.input_variable(2, object)),
    "dtype int32": (ValueError, lambda: C.input_variable(2, np.int32)),
    "name None": (ValueError, lambda: C.input_variable(2, name=None)),
    "placeholder that is none": (
        ValueError,
        lambda: (lambda i: (i * 2).replace_placeholders({i: x()}))(x()),
    ),
    "placeholder of another": (
        ValueError,
        lambda: (x() * 2).replace_placeholders({C.placeholder(): x()}),
    ),
    "replace_placeholder without": (ValueError, lambda: (x() * 2).replace_placeholder(x())),
    "clone method": (ValueError, lambda: z().clone("copy")),
    "clone None": (ValueError, lambda: z().clone(None)),
    "clone number": (ValueError, lambda: z().clone(3)),
    "clone substitution array": (
        ValueError,
        lambda: (lambda i: (i * 2).clone("share", {i: X}))(x()),
    ),
    "sgd without parameters": (ValueError, lambda: C.sgd([], 0.1)),
    "sgd None": (ValueError, lambda: C.sgd(None, 0.1)),
    "sgd rate text": (ValueError, lambda: C.sgd(z().parameters, "a")),
    "sgd rate None": (ValueError, lambda: C.sgd(z().parameters, None)),
    "momentum text": (
        ValueError,
        lambda: C.momentum_sgd(z().parameters, C.learning_parameter_schedule(0.1), "a"),
    ),
    "schedule text": (ValueError, lambda: C.learning_parameter_schedule("a")),
    "schedule None": (ValueError, lambda: C.learning_parameter_schedule(None)),
    "trainer without learners": (ValueError, lambda: trainer(lambda m: [])),
    "trainer foreign learner": (ValueError, lambda: trainer(lambda m: C.sgd(z().parameters, 0.1))),
    "minibatch missing data": (
        ValueError,
        lambda: (lambda t: t[0].train_minibatch({t[1]: X}))(tr()),
    ),
    "minibatch list": (ValueError, lambda: (lambda t: t[0].train_minibatch([X, X[:, :1]]))(tr())),
    "test without metric": (
        ValueError,
        lambda: (lambda t: t[0].test_minibatch({t[1]: X, t[2]: X[:, :1]}))(tr()),
    ),
    "metric average without metric": (
        ValueError,
        lambda: (
            lambda t: (
                t[0].train_minibatch({t[1]: X, t[2]: X[:, :1]}),
                t[0].previous_minibatch_evaluation_average,
            )
        )(tr()),
    ),
    "evaluator None": (ValueError, lambda: C.eval.Evaluator(None)),
    "name twice": (ValueError, lambda: C.splice(C.relu(x(), name="r"), C.tanh(x(), name="r")).r),
    "find name None": (ValueError, lambda: z().find_by_name(None)),
    "find name number": (ValueError, lambda: z().find_by_name(3)),
    "rename": (ValueError, lambda: setattr(C.relu(x(), name="a"), "name", "b")),
    "index too many": (ValueError, lambda: x()[0, 0]),
    "block root of no block": (ValueError, lambda: C.relu(x()).block_root),
    "block map of no block": (ValueError, lambda: C.relu(x()).block_arguments_mapping),
    "as_block without map": (ValueError, lambda: C.as_block(C.relu(C.placeholder()), [], "b")),
    "as_block with input": (
        ValueError,
        lambda: (lambda i: C.as_block(C.relu(i), [(i, x())], "b"))(x()),
    ),
    "Dense of text": (ValueError, lambda: C.layers.Dense(2)("a")),
    "Dense of None": (ValueError, lambda: C.layers.Dense(2)(None)),
    "Dense of a number": (ValueError, lambda: C.layers.Dense(2)(3)),
    "Embedding without shape": (ValueError, lambda: C.layers.Embedding()),
    "Embedding both": (ValueError, lambda: C.layers.Embedding(2, weights=np.ones((2, 2), "f"))),
    "Dropout none": (ValueError, lambda: C.layers.Dropout()),
    "Dropout both": (ValueError, lambda: C.layers.Dropout(0.5, 0.5)),
    "Dropout rate": (ValueError, lambda: C.layers.Dropout(2.0)),
    "axis new": (ValueError, lambda: C.Axis(None)),
    "Value one_hot text": (ValueError, lambda: C.Value.one_hot("a", 3)),
    "Value one_hot beyond": (ValueError, lambda: C.Value.one_hot([5], 3)),
    "train text": (ValueError, lambda: C.squared_error(z(), C.input_variable(1)).train("a")),
    "minibatch size None": (ValueError, lambda: C.minibatch_size_schedule(None)),
    "minibatch size text": (ValueError, lambda: C.minibatch_size_schedule("a")),
    "source of nothing": (ValueError, lambda: C.io.MinibatchSource([])),
    "from data None": (ValueError, lambda: C.io.MinibatchSourceFromData(None)),
}


@pytest.mark.parametrize("case", MISUSES)
def test_the_class_of_the_error_is_the_originals(case):
    kind, misuse = MISUSES[case]
    with pytest.raises(kind) as caught:
        misuse()
    assert str(caught.value)


# The original comes upon these by accident, in the middle of its own code; here the error is of the
# kind that says what is wrong.
ELSEWHERE = {
    "axis text": (TypeError, lambda: C.reduce_sum(x(), axis="a")),
    "axis float": (TypeError, lambda: C.reduce_sum(x(), axis=0.5)),
    "shape text": (ValueError, lambda: C.input_variable("a")),
    "shape of None": (ValueError, lambda: C.input_variable((None, 2))),
    "data objects": (TypeError, lambda: misfeed(x(), [object()])),
    "Function returning text": (TypeError, lambda: C.Function(lambda a: "a")),
    "Recurrence without step": (TypeError, lambda: C.layers.Recurrence(None)),
    "Fold of a number": (TypeError, lambda: C.layers.Fold(3)),
    "Dense text": (TypeError, lambda: C.layers.Dense("a")),
    "iteration of a function": (TypeError, lambda: list(x() * 2)),
    # What follows makes the original's process crash.
    "splice of nothing": (ValueError, lambda: C.splice()),
    "combine None": (ValueError, lambda: C.combine([None])),
    "set_value None": (ValueError, lambda: w().set_value(None)),
    "gradient by None in a list": (ValueError, lambda: z().grad({}, [None])),
    "placeholder replaced by None": (
        AttributeError,
        lambda: (lambda p: (p * 2).replace_placeholders({p: None}))(C.placeholder()),
    ),
}


@pytest.mark.parametrize("case", ELSEWHERE)
def test_misuses_that_the_original_finds_by_accident(case):
    kind, misuse = ELSEWHERE[case]
    with pytest.raises(kind):
        misuse()


def test_a_device_is_a_device():
    """A name in its place changes nothing."""
    before = C.use_default_device()
    with pytest.raises(NotImplementedError, match="expected a device such as cntk.cpu"):
        C.try_set_default_device("cpu")
    assert C.use_default_device() == before
    for misuse in (
        lambda: z().eval(device="cpu"),
        lambda: C.parameter(2, device="cpu"),
        lambda: C.NDArrayView(2, device=0),
    ):
        with pytest.raises(TypeError):
            misuse()


def test_the_value_of_a_parameter_is_left_as_it_was():
    p = C.parameter((2, 3), init=1)
    for value in (np.ones((3, 3)), [[1, 2], [3]], "a", None, x()):
        with pytest.raises(TypeError):
            p.value = value
    np.testing.assert_array_equal(p.value, np.ones((2, 3)))


def test_nothing_is_at_the_path_of_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("as it was")
    for save in (z().save, tr()[0].save_checkpoint):
        with pytest.raises(OSError, match="cannot write"):
            save(str(tmp_path / "file" / "model"))
    assert [p.name for p in tmp_path.iterdir()] == ["file"] and (
        tmp_path / "file"
    ).read_text() == "as it was"
