"""Programs in the manner of the original's first tutorials (101 to 106): samples, images, series,
from arrays and files.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import math
import os

import numpy as np

import cntk as C
import cntk.tests.test_utils
from tests.programs.tutorials.tutorial_files import averages, dense, write_samples, write_text


def _two_kinds(rng, size):
    """Points whose two classes lie apart, as tutorials 101 and 102 make them."""
    kinds = rng.randint(size=(size, 1), low=0, high=2)
    points = ((rng.randn(size, 2) + 3) * (kinds + 1)).astype(np.float32)
    return points, np.hstack([kinds == 0, kinds == 1]).astype(np.float32)


def logistic_regression(folder):
    """101: weights and bias by hand, a rate for a minibatch, a printer, and a test on samples never
    seen.
    """
    cntk.tests.test_utils.set_device_from_pytest_env()
    rng = np.random.RandomState(0)
    feature = C.input_variable(2, np.float32)
    label = C.input_variable(2, np.float32)
    parameters = {"w": C.parameter(shape=(2, 2)), "b": C.parameter(shape=(2))}
    z = C.times(feature, parameters["w"]) + parameters["b"]
    loss = C.cross_entropy_with_softmax(z, label)
    error = C.classification_error(z, label)
    schedule = C.learning_rate_schedule(0.1, C.UnitType.minibatch)
    trainer = C.Trainer(z, (loss, error), [C.sgd(z.parameters, schedule)])
    told = []
    for number in range(40):
        features, labels = _two_kinds(rng, 25)
        trainer.train_minibatch({feature: features, label: labels})
        if number % 8 == 0:
            told += averages(trainer)
    features, labels = _two_kinds(rng, 100)
    probabilities = C.softmax(z).eval({feature: features})
    wrong = np.argmax(probabilities, 1) != np.argmax(labels, 1)
    told += [parameters["b"].value[0], parameters["w"].value[0, 1], np.mean(wrong)]
    return [*told, trainer.test_minibatch({feature: features, label: labels})]


def feed_forward(folder):
    """102: hidden layers by hand and by the layers library, progress by a writer of the trainer's
    own.
    """
    rng = np.random.RandomState(0)
    x, y = C.input_variable(2), C.input_variable(2)

    def linear(before, size):
        weights = C.parameter(shape=(before.shape[0], size), init=C.glorot_uniform())
        return C.parameter(shape=(size)) + C.times(before, weights)

    def by_hand(h):
        for _ in range(2):
            h = C.sigmoid(linear(h, 10))
        return linear(h, 2)

    def by_layers(features):
        with C.layers.default_options(init=C.layers.glorot_uniform(), activation=C.sigmoid):
            h = features
            for _ in range(2):
                h = C.layers.Dense(10)(h)
            return C.layers.Dense(2, activation=None)(h)

    told = []
    for model in (by_hand, by_layers):
        z = model(x / 5.0)
        criterion = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
        learner = C.sgd(z.parameters, C.learning_rate_schedule(0.5, C.UnitType.minibatch))
        trainer = C.Trainer(
            z, criterion, [learner], [C.logging.ProgressPrinter(10, tag="Training")]
        )
        for _ in range(20):
            features, labels = _two_kinds(rng, 25)
            trainer.train_minibatch({x: features, y: labels})
            told += averages(trainer)
        trainer.summarize_training_progress()
        features, labels = _two_kinds(rng, 25)
        told.append(trainer.test_minibatch({x: features, y: labels}))
    return told


def _digits(rng, count):
    """Images of 8 x 8 pixels of ten kinds: places that are bright in each, and noise."""
    patterns = np.random.RandomState(5).rand(10, 64) < 0.3
    kinds = rng.randint(0, 10, count)
    images = np.round(patterns[kinds] * 90 + rng.rand(count, 64) * 165)
    return images.astype(np.float32), np.eye(10, dtype=np.float32)[kinds]


def create_reader(path, is_training, input_dim, num_label_classes):
    label_stream = C.io.StreamDef(field="labels", shape=num_label_classes)
    feature_stream = C.io.StreamDef(field="features", shape=input_dim)
    deserializer = C.io.CTFDeserializer(
        path, C.io.StreamDefs(labels=label_stream, features=feature_stream)
    )
    return C.io.MinibatchSource(
        deserializer, randomize=is_training, max_sweeps=C.io.INFINITELY_REPEAT if is_training else 1
    )


def _digits_from_files(folder, make, shape=64, rate=0.2, minibatches=20):
    """103: read by a minibatch source, train, then test minibatch by minibatch, as 103B, C and D
    all do.
    """
    rng = np.random.RandomState(1)
    paths = [
        write_samples(folder, name + ".txt", *_digits(rng, n))
        for name, n in (("train", 300), ("test", 100))
    ]
    x, y = C.input_variable(shape), C.input_variable(10)
    z = make(x / 255.0)
    loss, error = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
    learner = C.sgd(z.parameters, C.learning_rate_schedule(rate, C.UnitType.minibatch))
    trainer = C.Trainer(z, (loss, error), [learner])
    reader = create_reader(paths[0], True, 64, 10)
    input_map = {y: reader.streams.labels, x: reader.streams.features}
    told = []
    for _ in range(minibatches):
        trainer.train_minibatch(reader.next_minibatch(32, input_map=input_map))
        told += averages(trainer)
    reader = create_reader(paths[1], False, 64, 10)
    input_map = {y: reader.streams.labels, x: reader.streams.features}
    result, tests = 0.0, 0
    while True:
        data = reader.next_minibatch(30, input_map=input_map)
        if not data:
            break
        told.append(data[y].num_samples)
        result += trainer.test_minibatch(data)
        tests += 1
    reader = create_reader(paths[1], False, 64, 10)
    data = reader.next_minibatch(7, input_map={x: reader.streams.features})
    told += [float(np.argmax(p)) for p in C.softmax(z).eval({x: data[x]})]
    return [*told, result / tests]


def digits_softmax(folder):
    """103B: one dense layer."""

    def make(features):
        with C.layers.default_options(init=C.glorot_uniform()):
            return C.layers.Dense(10, activation=None)(features)

    return _digits_from_files(folder, make)


def digits_perceptron(folder):
    """103C: hidden layers."""

    def make(features):
        with C.layers.default_options(init=C.layers.glorot_uniform(), activation=C.ops.relu):
            h = features
            for _ in range(2):
                h = C.layers.Dense(20)(h)
            return C.layers.Dense(10, activation=None)(h)

    return _digits_from_files(folder, make)


def digits_convolutions(folder):
    """103D: convolutions with strides over images that the file holds as vectors."""

    def make(features):
        with C.layers.default_options(init=C.glorot_uniform(), activation=C.relu):
            h = C.layers.Convolution2D(
                filter_shape=(5, 5), num_filters=4, strides=(2, 2), pad=True, name="first"
            )(features)
            h = C.layers.Convolution2D(
                filter_shape=(3, 3), num_filters=6, strides=(1, 1), pad=True, name="second"
            )(h)
            return C.layers.Dense(10, activation=None, name="classify")(h)

    return _digits_from_files(folder, make, (1, 8, 8))


def digits_pooling(folder):
    """103D: poolings between the convolutions."""

    def make(features):
        with C.layers.default_options(activation=C.relu, pad=False):
            conv1 = C.layers.Convolution2D((3, 3), 4, init=C.glorot_uniform(), pad=True)(features)
            pool1 = C.layers.MaxPooling((3, 3), (2, 2))(conv1)
            conv2 = C.layers.Convolution2D((3, 3), 6, pad=True)(pool1)
            pool2 = C.layers.AveragePooling((3, 3), (2, 2))(conv2)
            return C.layers.Dense(10, activation=None)(
                C.layers.Dropout(0.0)(C.layers.Dense(12)(pool2))
            )

    return _digits_from_files(folder, make, (1, 8, 8))


def next_day(folder):
    """104: whether a price will rise, from differences to days before and averages, which NumPy
    computes.
    """
    rng = np.random.RandomState(2)
    prices = 100 + np.cumsum(rng.randn(260) + np.sin(np.arange(260) / 5.0))
    known = range(20, 259)
    returns = [[prices[t] - prices[t - lag] for lag in range(1, 9)] for t in known]
    signal = np.array(
        [r + [prices[t] - prices[t - 9 : t + 1].mean()] for t, r in zip(known, returns)], np.float32
    )
    rises = np.array([prices[t + 1] > prices[t] for t in known])
    goals = np.stack([rises, ~rises], 1).astype(np.float32)
    C.cntk_py.set_fixed_random_seed(10)
    x, y = C.input_variable(9), C.input_variable(2)

    def create_model(net_input):
        with C.layers.default_options(init=C.glorot_uniform()):
            return C.layers.Sequential(
                [C.layers.Dense(15, activation=C.ops.relu), C.layers.Dense(2)]
            )(net_input)

    z = create_model(x)
    loss, error = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
    learner = C.sgd(
        z.parameters, lr=C.learning_parameter_schedule_per_sample([0.005, 0.0005], 1000)
    )
    trainer = C.Trainer(z, (loss, error), [learner])
    told = []
    for begin in range(0, 200, 20):
        trainer.train_minibatch({x: signal[begin : begin + 20], y: goals[begin : begin + 20]})
        told += averages(trainer)
    mask = [data[-39:] for data in (signal, goals)]
    right = np.argmax(C.softmax(z).eval({x: mask[0]}), 1) == np.argmax(mask[1], 1)
    return [*told, right.mean(), trainer.test_minibatch({x: mask[0], y: mask[1]})]


def _autoencoder(folder, sizes, rate):
    """105: images through few numbers, the reader's labels unused, averages over the epoch by
    hand.
    """
    rng = np.random.RandomState(3)
    path = write_samples(folder, "images.txt", *_digits(rng, 200))
    x = C.input_variable(64)
    scaled = x / 255.0
    with C.layers.default_options(init=C.glorot_uniform()):
        h = scaled
        for size in sizes:
            h = C.layers.Dense(size, activation=C.relu)(h)
        model = C.layers.Dense(64, activation=C.sigmoid)(h)
    loss = -(scaled * C.log(model) + (1 - scaled) * C.log(1 - model))
    error = C.classification_error(model, scaled)
    schedule = C.learning_parameter_schedule_per_sample([rate], epoch_size=200)
    learner = C.adam(
        model.parameters, lr=schedule, momentum=C.momentum_schedule(0.9126265014311797, 20)
    )
    printer = C.logging.ProgressPrinter(0)
    trainer = C.Trainer(model, (loss, error), learner, progress_writers=printer)
    reader = create_reader(path, True, 64, 10)
    input_map = {x: reader.streams.features}
    told, totals, samples = [], np.zeros(2), 0
    for _ in range(16):
        data = reader.next_minibatch(20, input_map=input_map)
        trainer.train_minibatch(data)
        count = data[x].num_samples
        samples += count
        totals += np.array(averages(trainer)) * count
        told.append(trainer.previous_minibatch_loss_average)
    reader = create_reader(path, False, 64, 10)
    tested = trainer.test_minibatch(
        reader.next_minibatch(50, input_map={x: reader.streams.features})
    )
    narrow = C.combine(
        [
            C.logging.graph.depth_first_search(
                model, lambda f: getattr(f, "op_name", "") == "Dense"
            )[0]
        ]
    )
    return [*told, *(totals * 100.0 / samples), len(narrow.outputs), tested]


def simple_autoencoder(folder):
    """105: one layer."""
    return _autoencoder(folder, [8], 0.002)


def deep_autoencoder(folder):
    """105: several layers on each side."""
    return _autoencoder(folder, [32, 16, 4, 16, 32], 0.002)


def _sine(rng, time_steps, begin, count):
    """Windows of a sine, and the value some steps behind each."""
    wave = np.sin(np.linspace(0, 100, 2000, dtype=np.float32))
    x = [wave[i : i + time_steps, np.newaxis] for i in range(begin, begin + count)]
    return x, np.array(
        [[wave[i + time_steps + 3]] for i in range(begin, begin + count)], np.float32
    )


def sine_forecast(folder):
    """106A: the value five steps on, by the last state of an LSTM, from arrays."""
    rng = np.random.RandomState(4)

    def create_model(x):
        with C.layers.default_options(initial_state=0.1):
            m = C.layers.Recurrence(C.layers.LSTM(5))(x)
            m = C.sequence.last(m)
            m = C.layers.Dropout(0.0, seed=1)(m)
            return C.layers.Dense(1)(m)

    x = C.sequence.input_variable(1)
    z = create_model(x)
    target = C.input_variable(1, dynamic_axes=z.dynamic_axes, name="y")
    loss = error = C.squared_error(z, target)
    momentum = C.momentum_schedule(0.9, minibatch_size=20)
    lr = C.learning_parameter_schedule(0.02)
    learner = C.fsadagrad(z.parameters, lr=lr, minibatch_size=20, momentum=momentum, unit_gain=True)
    trainer = C.Trainer(z, (loss, error), [learner])
    told = []
    for _ in range(2):
        for begin in range(0, 200, 20):
            xs, ys = _sine(rng, 5, begin, 20)
            trainer.train_minibatch({x: xs, target: ys})
            if begin % 60 == 0:
                told.append(trainer.previous_minibatch_loss_average)
    xs, ys = _sine(rng, 5, 500, 30)
    told.append(trainer.test_minibatch({x: xs, target: ys}))
    predicted = z.eval({x: xs[:10]})
    return [*told, *predicted[:2, 0], math.sqrt(np.mean((predicted - ys[:10]) ** 2))]


def power_forecast(folder):
    """106B: a day's output from sequences of different length in a file; the model goes to a file
    and comes back.
    """
    rng = np.random.RandomState(5)
    lines, days = [], 40
    for day in range(days):
        curve = np.cumsum(rng.rand(rng.randint(3, 8), 2), 0)
        total = [curve[-1].sum() / 4 - 1]
        lines += [
            f"{day} " + dense("x", row) + ("" if t else " " + dense("y", total))
            for t, row in enumerate(curve)
        ]
    path = write_text(folder, "solar.ctf", lines)
    streams = C.io.StreamDefs(x=C.io.StreamDef("x", 2), y=C.io.StreamDef("y", 1))
    source = C.io.MinibatchSource(C.io.CTFDeserializer(path, streams), randomize=False)
    x, y = C.sequence.input_variable(2), C.input_variable(1)
    with C.layers.default_options(initial_state=0.1):
        model = C.layers.Sequential(
            [
                C.layers.Recurrence(C.layers.LSTM(6)),
                C.sequence.last,
                C.layers.Dropout(0.0),
                C.layers.Dense(1),
            ]
        )
    z = model(x)
    loss, error = C.squared_error(z, y), C.squared_error(z, y)
    learner = C.adam(
        z.parameters, C.learning_parameter_schedule(0.05), momentum=C.momentum_schedule(0.9)
    )
    trainer = C.Trainer(z, (loss, error), [learner], C.logging.ProgressPrinter(freq=5))
    told = []
    for _ in range(15):
        data = source.next_minibatch(40, {x: source.streams.x, y: source.streams.y})
        trainer.train_minibatch(data)
        told += [data[x].num_sequences, trainer.previous_minibatch_loss_average]
    path = os.path.join(folder, "solar.model")
    z.save(path)
    again = C.load_model(path)
    data = source.next_minibatch(30, {x: source.streams.x, y: source.streams.y})
    told += again.eval({again.arguments[0]: data[x]}).ravel().tolist()
    return [*told, trainer.total_number_of_samples_seen, trainer.test_minibatch(data)]


PROGRAMS = [
    logistic_regression,
    feed_forward,
    digits_softmax,
    digits_perceptron,
    digits_convolutions,
    digits_pooling,
    next_day,
    simple_autoencoder,
    deep_autoencoder,
    sine_forecast,
    power_forecast,
]
