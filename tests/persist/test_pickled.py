"""Pickles of functions, variables, learners and trainers: what comes out computes, trains and is
named as what went in.
"""

from __future__ import annotations

import copy
import io
import multiprocessing
import pickle

import numpy as np
import pytest

import cntk as C
from cntk.errors import FileFormatError

FRAMES = [
    np.linspace(-1, 1, 12, dtype=np.float32).reshape(4, 3),
    np.linspace(1, -2, 6, dtype=np.float32).reshape(2, 3),
]
X = np.linspace(-1, 1, 24, dtype=np.float32).reshape(8, 3)
Y = np.eye(2, dtype=np.float32)[[0, 1, 1, 0, 1, 0, 0, 1]]


def carried(made):
    return pickle.loads(pickle.dumps(made))  # noqa: S301


class Recorder(pickle.Unpickler):
    """Notes what is looked up."""

    def __init__(self, content):
        super().__init__(io.BytesIO(content))
        self.found = set()

    def find_class(self, module, name):
        self.found.add(f"{module}.{name}")
        return super().find_class(module, name)


def looked_up(made):
    recorder = Recorder(pickle.dumps(made))
    recorder.load()
    return recorder.found


LAYERS = {
    "dense": lambda: C.layers.Dense(3, activation=C.tanh, init=C.normal(0.1, seed=4)),
    "no numbers yet": lambda: C.layers.Dense(3, init=0.5, init_bias=np.array([1, 2, 3])),
    "lstm": lambda: C.layers.Recurrence(C.layers.LSTM(3)),
    "gru": lambda: C.layers.Recurrence(C.layers.GRU(3), go_backwards=True),
    "normalized": lambda: C.layers.BatchNormalization(),
    "layer normalized": lambda: C.layers.LayerNormalization(),
    "embedding": lambda: C.layers.Embedding(4),
    "fold": lambda: C.layers.Fold(C.plus),
    "deep": lambda: C.layers.Sequential(
        [C.layers.Recurrence(C.layers.LSTM(3)), C.layers.Dropout(0.2), C.layers.Dense(2)]
    ),
    "convolution": lambda: C.layers.Convolution((2,), 3, sequential=True, pad=True),
}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("is_built", [False, True], ids=["unbuilt", "built"])
def test_layers(name, is_built):
    x = C.sequence.input_variable(3, name="x")
    layer = LAYERS[name]()
    made = layer(x) if is_built else layer
    again = carried(made)
    assert str(again) == str(made) and again.uid == made.uid and again.name == made.name
    assert [p.uid for p in again.parameters] == [p.uid for p in made.parameters]
    assert [a.name for a in again.arguments] == [a.name for a in made.arguments]
    ours, theirs = (made, again) if is_built else (made(x), again(x))
    for p, q in zip(ours.parameters, theirs.parameters, strict=True):
        assert p is not q and p.name == q.name and p.dtype == q.dtype
        np.testing.assert_array_equal(p.value, q.value)
    for a, b in zip(ours.eval([FRAMES[0]]), theirs.eval([FRAMES[0]]), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("name", LAYERS)
def test_only_our_loader_runs(name):
    x = C.sequence.input_variable(3)
    for made in (LAYERS[name](), LAYERS[name]()(x)):
        found = looked_up(made)
        assert "cntk._persist.pickled.function_of" in found
        assert all(each.startswith("cntk.") for each in found), found


def test_the_bytes_are_a_files():
    made = C.input_variable(2, name="x") * 2
    (_, (graph, _, _)) = made.__reduce_ex__(4)
    file = io.BytesIO()
    made.save(file)
    assert (
        graph[:2] == file.getvalue()[:2]
        and b"CompositeFunction" in graph
        and b"PrimitiveFunction" in graph
    )


def test_variables_of_every_kind():
    x = C.sequence.input_variable((2, 3), np.float64, needs_gradient=True, is_sparse=True, name="x")
    w, c = (
        C.parameter((2, 3), init=1.5, name="w"),
        C.constant([[1.0, 2.0]], dtype=np.float16, name="c"),
    )
    for variable in (x, w, c, C.placeholder(name="p"), C.placeholder(shape=(3,), name="q")):
        again = carried(variable)
        assert (
            repr(again) == repr(variable)
            and again.kind == variable.kind
            and again.uid == variable.uid
        )
        assert (again.dtype, again.is_sparse, again.needs_gradient) == (
            variable.dtype,
            variable.is_sparse,
            variable.needs_gradient,
        )
    np.testing.assert_array_equal(carried(c).value, c.value)
    output = carried((w * 2).output)
    assert output.is_output and (output + 1).eval().tolist() == [[4] * 3] * 2
    late = C.parameter((C.InferredDimension, 2), init=C.glorot_uniform(seed=3), name="late")
    assert carried(late).shape == (-1, 2) and late._data is None


def test_what_is_pickled_together_is_shared():
    x, w = C.input_variable(2, name="x"), C.parameter(2, init=1, name="w")
    f = x * w
    g = f + w
    f2, g2, x2, w2 = carried((f, g, x, w))
    w2.value = 5
    assert f2.eval({x2: [[1, 2]]}).tolist() == [[5, 10]] and g2.eval({x2: [[1, 2]]}).tolist() == [
        [10, 15]
    ]
    assert f2.parameters[0] is w2 is g2.parameters[0] and f2.arguments[0] is x2
    assert f.eval({x: [[1, 2]]}).tolist() == [[1, 2]]


def test_copies():
    x = C.input_variable(2)
    f = C.layers.Dense(1, init=1)(x)
    shallow, deep = copy.copy(f), copy.deepcopy(f)
    f.W.value = 3
    assert shallow.W is f.W and shallow.eval([[1, 1]]) == 6 and deep.eval([[1, 1]]) == 2
    root = carried(f.root_function)
    assert not root.is_composite and root.op_name == f.root_function.op_name


def test_random_numbers_go_on():
    x = C.input_variable(50)
    f = C.dropout(x, 0.5, seed=7)
    data = {f.arguments[0]: np.ones((1, 50), np.float32)}
    training = {"keep_for_backward": {f.output}}
    f.forward(data, outputs={f.output}, **training)
    again = carried(f)
    ours = f.forward(data, outputs={f.output}, **training)[1][f.output]
    theirs = again.forward(
        {again.arguments[0]: data[x]}, outputs={again.output}, keep_for_backward={again.output}
    )[1]
    np.testing.assert_array_equal(ours, theirs[again.output])


def test_arguments_keep_their_order():
    @C.Function
    def f(late, early):
        return early - late * 2

    again = carried(f)
    assert [a.name for a in again.arguments] == ["late", "early"]
    assert again(C.constant(1), C.constant(5)).eval() == 3


def rate():
    return C.learning_parameter_schedule([0.1, 0.05], epoch_size=16)


class Halving(C.learners.UserLearner):
    """Goes down by half the rate, and counts."""

    def __init__(self, parameters, schedule):
        super().__init__(parameters, schedule)
        self.count = 0

    def update(self, gradient_values, training_sample_count, sweep_end):
        self.count += 1
        for parameter, gradient in gradient_values.items():
            parameter.value = (
                parameter.value - 0.5 * self.learning_rate() * gradient.asarray() / self.count
            )
        return True


MOMENTUM = C.momentum_schedule(0.9)


def stepped(parameters, gradients):
    return C.combine([C.assign(p, p - 0.1 * g) for p, g in zip(parameters, gradients, strict=True)])


LEARNERS = {
    "sgd": lambda p: C.sgd(
        p, rate(), l2_regularization_weight=0.01, gaussian_noise_injection_std_dev=0.01
    ),
    "momentum": lambda p: C.momentum_sgd(p, rate(), MOMENTUM, minibatch_size=4),
    "nesterov": lambda p: C.nesterov(p, rate(), MOMENTUM),
    "adam": lambda p: C.adam(p, rate(), MOMENTUM, gradient_clipping_threshold_per_sample=1.0),
    "adamax": lambda p: C.adam(p, rate(), MOMENTUM, adamax=True),
    "adagrad": lambda p: C.adagrad(p, rate()),
    "adadelta": lambda p: C.adadelta(p, rate()),
    "rmsprop": lambda p: C.rmsprop(p, rate(), 0.9, 1.1, 0.9, 10, 0.1),
    "fsadagrad": lambda p: C.fsadagrad(p, rate(), MOMENTUM),
    "universal": lambda p: C.universal(
        lambda ps, gs: C.combine([C.assign(p, p - 0.1 * g) for p, g in zip(ps, gs, strict=True)]), p
    ),
    "user": lambda p: Halving(p, rate()),
    "parallel": lambda p: C.train.distributed.data_parallel_distributed_learner(
        C.momentum_sgd(p, rate(), MOMENTUM)
    ),
    "blocks": lambda p: C.train.distributed.block_momentum_distributed_learner(
        C.sgd(p, rate()), block_size=20
    ),
}


def trained(learner, writers=(), as_pair=True):
    x, y = C.input_variable(3, name="x"), C.input_variable(2, name="y")
    layers = [
        C.layers.Dense(3, C.relu, name="h"),
        C.layers.BatchNormalization(),
        C.layers.Dropout(0.5),
        C.layers.Dense(2),
    ]
    z = C.layers.Sequential(layers)(x)
    loss = C.cross_entropy_with_softmax(z, y)
    criterion = (loss, C.classification_error(z, y)) if as_pair else loss
    trainer = C.Trainer(z, criterion, [learner(z.parameters)], list(writers))
    for _ in range(3):
        trainer.train_minibatch({x: X, y: Y})
    return trainer


def course(trainer, count=5):
    losses = []
    for _ in range(count):
        arguments = {v.name: v for v in trainer.loss_function.arguments}
        trainer.train_minibatch({arguments["x"]: X, arguments["y"]: Y})
        losses.append(
            (trainer.previous_minibatch_loss_average, trainer.total_number_of_samples_seen)
        )
    return (
        losses,
        [p.value for p in trainer.model.parameters],
        trainer.model.eval({trainer.model.arguments[0]: X}),
    )


def assert_same(ours, theirs):
    assert ours[0] == theirs[0]
    for a, b in zip(ours[1], theirs[1], strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(ours[2], theirs[2])


@pytest.mark.parametrize("name", LEARNERS)
def test_trainers_go_on_to_the_bit(name):
    trainer = trained(LEARNERS[name])
    content = pickle.dumps(trainer)
    deep = copy.deepcopy(trainer)
    ours = course(trainer)
    again = pickle.loads(content)  # noqa: S301
    assert_same(ours, course(again))
    assert_same(ours, course(deep))
    learner = again.parameter_learners[0]
    assert type(learner) is type(trainer.parameter_learners[0])
    assert (
        learner.total_number_of_minibatches_seen()
        == trainer.parameter_learners[0].total_number_of_minibatches_seen()
    )
    allowed = ("cntk.", "collections.OrderedDict", f"{__name__}.Halving")
    assert all(each.startswith(allowed) for each in looked_up(deep)), looked_up(deep)


@pytest.mark.parametrize("model", ["function", "variable", "nothing", "combination"])
@pytest.mark.parametrize("as_pair", [True, False], ids=["pair", "loss"])
def test_models_of_trainers(model, as_pair):
    x, y = C.input_variable(3, name="x"), C.input_variable(2, name="y")
    z = C.layers.Dense(2, name="out")(x)
    loss = C.cross_entropy_with_softmax(z, y, name="ce")
    error = C.classification_error(z, y)
    given = {
        "function": z,
        "variable": z.output,
        "nothing": None,
        "combination": C.combine([z, loss], name="both"),
    }[model]
    trainer = C.Trainer(
        given,
        C.combine([loss, error]) if as_pair else (loss.output, None),
        C.sgd(z.parameters, 0.1),
    )
    again = carried(trainer)
    assert type(again.model) is type(given) and (given is None or again.model.name == given.name)
    if model == "combination":
        assert [v.name for v in again.model.outputs] == [v.name for v in given.outputs]
    assert (again.evaluation_function is None) is not as_pair
    names = {v.name: v for v in again._step.function.arguments}
    again.train_minibatch({names["x"]: X, names["y"]: Y})
    trainer.train_minibatch({x: X, y: Y})
    assert again.previous_minibatch_loss_average == trainer.previous_minibatch_loss_average
    if as_pair:
        assert again.test_minibatch({names["x"]: X, names["y"]: Y}) == trainer.test_minibatch(
            {x: X, y: Y}
        )


def test_a_model_beside_its_trainer():
    trainer = trained(LEARNERS["adam"])
    again, model, learner = carried((trainer, trainer.model, trainer.parameter_learners[0]))
    assert again.parameter_learners[0] is learner and set(learner.parameters) == set(
        model.parameters
    )
    before = model.eval({model.arguments[0]: X})
    course(again, 1)
    assert not np.array_equal(before, model.eval({model.arguments[0]: X}))


def test_writers_go_on(tmp_path, capsys):
    writers = [
        C.logging.ProgressPrinter(freq=2),
        C.logging.TensorBoardProgressWriter(log_dir=str(tmp_path)),
    ]
    trainer = trained(LEARNERS["sgd"], writers)
    content = pickle.dumps(trainer)
    capsys.readouterr()
    course(trainer)
    trainer.summarize_training_progress()
    ours = capsys.readouterr().out
    again = pickle.loads(content)  # noqa: S301
    course(again)
    again.summarize_training_progress()
    theirs = capsys.readouterr().out

    def untimed(text):
        return [line.split(" in ")[0].split("s (")[0][:60] for line in text.splitlines()]

    assert "Finished Epoch[1]" in ours and untimed(theirs) == untimed(ours)
    for each in (trainer, again):
        each._writers[1].close()
    assert len(list(tmp_path.iterdir())) == 2  # each begins a file of its own


def test_learners_by_themselves():
    trainer = trained(LEARNERS["adam"])
    learner = trainer.parameter_learners[0]
    again = carried(learner)
    assert (
        again.total_number_of_samples_seen() == 24
        and again.learning_rate() == learner.learning_rate()
    )
    gradients = {p: np.ones(p.shape, np.float32) for p in again.parameters}
    assert again.update(gradients, 8)
    assert learner.update({p: np.ones(p.shape, np.float32) for p in learner.parameters}, 8)
    for p, q in zip(learner.parameters, again.parameters, strict=True):
        np.testing.assert_array_equal(p.value, q.value)


def test_evaluators():
    x, y = C.input_variable(2, name="x"), C.input_variable(2, name="y")
    evaluator = carried(C.eval.Evaluator(C.classification_error(x, y)))
    x, y = evaluator.evaluation_function.arguments
    assert evaluator.test_minibatch({x: [[2, 1], [2, 1]], y: [[1, 0], [0, 1]]}) == 0.5


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_dtypes(dtype):
    x = C.input_variable(2, dtype)
    f = x * C.parameter(2, init=np.array([0.1, 0.2], dtype)) + C.constant(np.array([1, 2], dtype))
    again = carried(f)
    assert again.output.dtype == dtype
    np.testing.assert_array_equal(
        again.eval([np.array([1, 2], dtype)]), f.eval([np.array([1, 2], dtype)])
    )


class Scaled(C.ops.functions.UserFunction):
    """A user function with a state."""

    def __init__(self, arg, factor, name="scaled"):
        super().__init__([arg], name=name)
        self.factor = factor

    def infer_outputs(self):
        return [
            C.output_variable(
                self.inputs[0].shape, self.inputs[0].dtype, self.inputs[0].dynamic_axes
            )
        ]

    def forward(self, argument, device=None, outputs_to_retain=None):
        return None, argument * self.factor

    def backward(self, state, root_gradients):
        return root_gradients * self.factor

    def serialize(self):
        return {"factor": self.factor}

    @staticmethod
    def deserialize(inputs, name, state):
        return Scaled(inputs[0], state["factor"], name)


def test_user_functions():
    f = C.user_function(Scaled(C.input_variable(2), 3.0)) + 1
    assert carried(f).eval([[1, 2]]).tolist() == [[4, 7]]


@pytest.mark.parametrize(
    "parts",
    [
        (b"\x08\x02", (), ()),
        (b"", (), ()),
        (b"\x80\x04K\x01.", (), ()),
    ],
    ids=["nothing", "empty", "pickle"],
)
def test_damaged_bytes_are_refused_as_files_are(parts):
    from cntk._persist.pickled import function_of, variable_of

    with pytest.raises(FileFormatError):
        function_of(*parts)
    with pytest.raises(FileFormatError):
        variable_of(parts[0])


def test_places_that_are_not_there():
    from cntk._persist.pickled import function_of

    f = C.input_variable(2) * C.parameter(2)
    _, (graph, apart, declared) = f.__reduce_ex__(4)
    for wrong in (apart[:1], [None, *apart[1:]], [5, 6]):
        with pytest.raises(FileFormatError, match="is not there"):
            function_of(graph, wrong, declared)
    with pytest.raises(FileFormatError, match="has no 'type'"):
        function_of(graph, (), declared)


def evaluated(function):
    return function.eval([[1, 2]]).tolist()


@pytest.mark.slow
def test_another_process():
    f = C.layers.Dense(2, init=1)(C.input_variable(2))
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(evaluated, (f,)) == f.eval([[1, 2]]).tolist()


def test_joblib(tmp_path):
    joblib = pytest.importorskip("joblib")
    f = C.layers.Dense(2)(C.input_variable(3))
    joblib.dump({"model": f}, tmp_path / "a.joblib")
    np.testing.assert_array_equal(
        joblib.load(tmp_path / "a.joblib")["model"].eval([X[0]]), f.eval([X[0]])
    )
