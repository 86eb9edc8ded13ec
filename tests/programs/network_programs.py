"""Small programs over samples, as users of CNTK 2 write them; each gives the numbers of its course.

Runs with the original too, on Python 3.6.
"""

import os
import tempfile

import numpy as np

import cntk as C
from cntk.layers import (
    AveragePooling,
    BatchNormalization,
    Convolution,
    Convolution2D,
    ConvolutionTranspose2D,
    Dense,
    Dropout,
    For,
    GlobalAveragePooling,
    MaxPooling,
    MaxUnpooling,
    Sequential,
    Signature,
    Tensor,
    default_options,
)
from tests.programs.small_training import classification, course, one_hot, random, rate, uniform


def autoencoder():
    """Through a narrow layer and back, with a criterion from primitive operations."""
    x = C.input_variable(20)
    scaled = x / 255.0
    with default_options(init=C.layers.glorot_uniform(), activation=C.ops.relu):
        narrow = Sequential([Dense(12), Dense(4)])
        wide = Sequential([Dense(12), Dense(20, activation=C.sigmoid)])
    model = wide(narrow(scaled))
    loss = -(scaled * C.log(model) + (1 - scaled) * C.log(1 - model))
    rng = random(0)
    minibatches = [{x: 255 * uniform(rng, 8, 20)} for _ in range(3)]
    rates = C.learning_parameter_schedule([0.01, 0.01, 0.001], epoch_size=20)
    learner = C.adam(model.parameters, rates, C.momentum_schedule(0.91, 6))
    return course(model, (loss, C.classification_error(model, scaled)), learner, minibatches)


def adversaries():
    """A generator and a discriminator, which is cloned with shared parameters, and a trainer for
    each.
    """
    noise, real = C.input_variable(4), C.input_variable(10)
    scaled = real / 128 - 1.0
    with default_options(init=C.xavier()):
        fake = Sequential([Dense(8, activation=C.relu), Dense(10, activation=C.tanh)])(noise)
        of_real = Sequential([Dense(6, activation=C.relu), Dense(1, activation=C.sigmoid)])(scaled)
    of_fake = of_real.clone(method="share", substitutions={scaled.output: fake.output})
    options = {"lr": rate(0.005), "momentum": C.momentum_schedule(0.5)}
    make = C.Trainer(fake, (1.0 - C.log(of_fake), None), C.fsadagrad(fake.parameters, **options))
    loss = -(C.log(of_real) + C.log(1.0 - of_fake))
    tell = C.Trainer(of_real, (loss, None), C.fsadagrad(of_real.parameters, **options))
    rng, numbers = random(1), []
    for _ in range(6):
        tell.train_minibatch({real: 255 * uniform(rng, 5, 10), noise: uniform(rng, 5, 4)})
        make.train_minibatch({noise: uniform(rng, 5, 4)})
        numbers += [tell.previous_minibatch_loss_average, make.previous_minibatch_loss_average]
    return numbers


def residual_network():
    """Convolutions with normalization and shortcuts around them."""

    def normalized(x, size, count, strides):
        layer = Convolution(
            size, count, activation=None, init=C.he_normal(), pad=True, strides=strides, bias=False
        )
        return BatchNormalization(
            map_rank=1, normalization_time_constant=4096, use_cntk_engine=False
        )(layer(x))

    def block(x, count, strides=(1, 1)):
        inner = normalized(C.relu(normalized(x, (3, 3), count, strides)), (3, 3), count, (1, 1))
        return C.relu(inner + (x if strides == (1, 1) else normalized(x, (1, 1), count, strides)))

    x, y = C.input_variable((3, 8, 8)), C.input_variable(4)
    features = block(block(C.relu(normalized(x, (3, 3), 4, (1, 1))), 4), 8, (2, 2))
    scores = Dense(4, init=C.normal(0.01))(AveragePooling((4, 4))(features))
    learner = C.momentum_sgd(
        scores.parameters,
        rate([1.0, 0.1]),
        C.momentum_schedule(0.9, 128),
        l2_regularization_weight=0.0001,
    )
    return course(scores, classification(scores, y), learner, _images(2, x, y))


def many_options():
    """Layers by ranges, with options for all of them."""
    x, y = C.input_variable((2, 9, 9)), C.input_variable(3)
    with default_options(activation=C.relu, init=C.glorot_uniform(), pad=True):
        stage = lambda i: [Convolution((3, 3), [4, 6][i]), MaxPooling((3, 3), strides=2)]  # noqa: E731
        model = Sequential(
            [
                For(range(2), stage),
                GlobalAveragePooling(),
                For(range(1), lambda: [Dense(8), Dropout(0.0)]),
                Dense(3, activation=None),
            ]
        )
    scores = model((x - C.constant(0.5)) / 2)
    criterion = C.cross_entropy_with_softmax(scores, y), C.classification_error(scores, y, topN=2)
    learner = C.nesterov(scores.parameters, rate(0.05), C.momentum_schedule(0.9))
    return course(scores, criterion, learner, _images(3, x, y))


def transfer():
    """A saved network's lower layers, frozen, under a new layer."""
    x = C.input_variable((3, 6, 6), name="features")
    layers = [
        Convolution2D((3, 3), 4, activation=C.relu),
        Dense(5, activation=C.tanh, name="hidden"),
        Dense(3),
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "base")
        Sequential(layers)(x).save(path)
        base = C.load_model(path)
    features, hidden = (
        C.logging.find_by_name(base, "features"),
        C.logging.find_by_name(base, "hidden"),
    )
    frozen = C.combine([hidden]).clone(
        C.CloneMethod.freeze, {features: C.placeholder(name="features")}
    )
    x, y = C.input_variable((3, 6, 6)), C.input_variable(2)
    scores = Dense(2, name="new")(frozen(x - C.Constant(0.5)))
    learner = C.momentum_sgd(scores.parameters, rate(0.1), 0.9, l2_regularization_weight=0.0005)
    return course(scores, classification(scores, y), learner, _images(4, x, y)) + [
        len(scores.parameters)
    ]  # noqa: RUF005


def style():
    """Gradients of an image, of what a frozen network makes of it."""
    x = C.input_variable((3, 8, 8), needs_gradient=True)
    layers = [Convolution2D((3, 3), 4, pad=True, activation=C.relu), MaxPooling((2, 2), (2, 2))]
    network = Sequential([*layers, Convolution2D((3, 3), 5, pad=True)])(x).clone(
        C.CloneMethod.freeze
    )
    rng = random(5)
    (content,), (texture,) = (
        network.eval({network.arguments[0]: uniform(rng, 1, 3, 8, 8)}) for _ in range(2)
    )
    wanted = texture.reshape(5, -1).dot(texture.reshape(5, -1).T)
    rows = C.reshape(network.output, (5, 16))
    likeness = C.reduce_mean(C.square(network.output - C.Constant(content)))
    loss = likeness + 0.1 * C.reduce_mean(
        C.square(C.times_transpose(rows, rows) - C.Constant(wanted))
    )
    image, numbers = uniform(rng, 1, 3, 8, 8), []
    for _ in range(4):
        argument = loss.arguments[0]
        gradient, value = loss.grad({argument: image}, wrt=[argument], outputs=[loss.output])
        numbers += [float(np.sum(value)), float(np.abs(gradient).sum())]
        image = image - 0.5 * np.asarray(gradient).reshape(image.shape)
    return numbers


def unpooling():
    """Images through the places of their largest values."""
    x = C.input_variable((1, 8, 8))
    seen = Convolution2D((3, 3), 4, pad=True, activation=C.relu)(x)
    again = MaxUnpooling((2, 2), (2, 2))(MaxPooling((2, 2), (2, 2))(seen), seen)
    model = ConvolutionTranspose2D((3, 3), 1, pad=True, bias=False)(again)
    loss = C.reshape(C.reduce_mean(C.square(model - x)), (1,))
    rng = random(6)
    minibatches = [{x: uniform(rng, 3, 1, 8, 8)} for _ in range(3)]
    return course(model, (loss, loss), C.adagrad(model.parameters, rate(0.05)), minibatches)


def action_values():
    """Values of actions, learned with clipped gradients."""
    state, value = C.input_variable(4), C.input_variable(2)
    with default_options(init=C.he_uniform()):
        model = Sequential([Dense(16, activation=C.relu), Dense(2)])(state)
    loss = C.reduce_mean(C.square(model - value), axis=0)
    rng = random(7)
    minibatches = [{state: uniform(rng, 8, 4), value: uniform(rng, 8, 2)} for _ in range(3)]
    learner = C.sgd(model.parameters, rate(0.01), gradient_clipping_threshold_per_sample=10)
    return course(model, (loss, loss), learner, minibatches)


def embeddings():
    """Words from words, sparse on both sides."""
    size = 10
    x, y = (C.input_variable(size, is_sparse=True) for _ in range(2))
    inner, outer = (C.parameter((size, 4), init=C.glorot_uniform()) for _ in range(2))
    scores = C.times_transpose(C.times(x, inner), outer)
    rng = random(8)
    pairs = [
        [C.Value.one_hot(rng.randint(0, size, 6).tolist(), size) for _ in range(2)]
        for _ in range(3)
    ]
    minibatches = [dict(zip((x, y), pair)) for pair in pairs]  # noqa: B905
    loss = C.cross_entropy_with_softmax(scores, y)
    return course(scores, (loss, None), C.sgd(scores.parameters, rate(0.2)), minibatches)


def experts():
    """A mixture of highway layers."""
    x, y = C.input_variable(6), C.input_variable(2)

    def highway(x):
        gate, new = Dense(6, activation=C.sigmoid, init_bias=-1)(x), Dense(6, activation=C.relu)(x)
        return gate * new + (1 - gate) * x

    opinions = C.splice(*[C.reshape(Dense(2)(highway(x)), (1, 2)) for _ in range(3)], axis=0)
    model = C.reshape(C.times(C.reshape(C.softmax(Dense(3)(x)), (1, 3)), opinions), (2,))
    rng = random(9)
    minibatches = [{x: uniform(rng, 5, 6), y: uniform(rng, 5, 2)} for _ in range(3)]
    learner = C.rmsprop(model.parameters, rate(0.01), 0.9, 1.2, 0.7, 10, 0.01)
    return course(model, (C.squared_error(model, y), None), learner, minibatches)


def double_precision():
    """All of it in float64."""
    x, y = (C.input_variable(size, dtype=np.float64) for size in (3, 2))
    with C.default_options(dtype=np.float64):
        scores = Sequential([Dense(4, activation=C.relu), BatchNormalization(), Dense(2)])(x)
    rng = random(10)
    minibatches = [{x: rng.rand(6, 3), y: np.eye(2)[rng.randint(0, 2, 6)]} for _ in range(3)]
    learner = C.adadelta(scores.parameters, C.learning_parameter_schedule_per_sample(1.0))
    return course(scores, classification(scores, y), learner, minibatches)


def older_schedules():
    """Rates and momentum as programs of CNTK 2.0 give them."""
    x, y = C.input_variable(4), C.input_variable(2)
    scores = Dense(2)(Dense(5, activation=C.sigmoid)(x))
    learner = C.momentum_sgd(
        scores.parameters,
        C.learning_rate_schedule([0.2, 0.1], C.UnitType.sample, 10),
        C.momentum_as_time_constant_schedule(20),
        l1_regularization_weight=0.001,
    )
    rng = random(11)
    minibatches = [{x: uniform(rng, 7, 4), y: one_hot(rng, 7, 2)} for _ in range(3)]
    return course(scores, classification(scores, y), learner, minibatches)


def own_rule():
    """A learner that is itself a graph."""
    x, y = C.input_variable(3), C.input_variable(1)
    model = Dense(1)(x)

    def rule(parameters, gradients):
        updates = []
        for p, g in zip(parameters, gradients):  # noqa: B905
            moving = C.constant(0, shape=p.shape, dtype=p.dtype)
            updates += [
                C.assign(moving, 0.9 * moving + g),
                C.assign(p, p - 0.01 * (0.9 * moving + g)),
            ]
        return C.combine(updates)

    rng = random(12)
    minibatches = [{x: uniform(rng, 5, 3), y: uniform(rng, 5, 1)} for _ in range(3)]
    return course(
        model, (C.squared_error(model, y), None), C.universal(rule, model.parameters), minibatches
    )


def criterion_that_trains():
    """`Function.train` and `Function.test`."""
    model = Sequential([Dense(5, activation=C.relu), Dense(2)])

    @C.Function
    @Signature(data=Tensor[3], label=Tensor[2])
    def criterion(data, label):
        scores = model(data)
        return C.cross_entropy_with_softmax(scores, label), C.classification_error(scores, label)

    rng = random(13)
    data = uniform(rng, 40, 3), one_hot(rng, 40, 2)
    learner = C.sgd(model.parameters, rate(0.1))
    summaries = criterion.train(
        data, minibatch_size=8, max_epochs=3, parameter_learners=[learner]
    ).epoch_summaries
    numbers = [number for s in summaries for number in (s.loss, s.metric, s.samples)]
    return numbers + [criterion.test(data, minibatch_size=8).metric]  # noqa: RUF005


def _images(seed, x, y):
    """Minibatches of images with a class each."""
    rng = random(seed)
    return [{x: uniform(rng, 6, *x.shape), y: one_hot(rng, 6, y.shape[0])} for _ in range(3)]


PROGRAMS = [
    autoencoder,
    adversaries,
    residual_network,
    many_options,
    transfer,
    style,
    unpooling,
    action_values,
    embeddings,
    experts,
    double_precision,
    older_schedules,
    own_rule,
    criterion_that_trains,
]
