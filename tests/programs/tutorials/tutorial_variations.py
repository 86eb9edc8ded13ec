"""More programs as users of the original write them: generators, pictures made larger or cut apart,
ranks, words' vectors.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os

import numpy as np

import cntk as C
from cntk.layers import (
    BatchNormalization,
    Convolution2D,
    ConvolutionTranspose2D,
    Dense,
    Dropout,
    Embedding,
    MaxPooling,
    Recurrence,
    Sequential,
    default_options,
)
from tests.programs.tutorials.tutorial_files import averages, dense, write_text


def variational_autoencoder(folder):
    """Random numbers inside of the graph, a divergence beside the reconstruction, gradients
    clipped.
    """
    rng = np.random.RandomState(0)
    x = C.input_variable(12)
    with default_options(init=C.glorot_uniform(), activation=C.tanh):
        h = Dense(8)(x)
        mean, log_variance = Dense(3, activation=None)(h), Dense(3, activation=None)(h)
    noise = C.random.normal_like(mean, seed=3)
    code = mean + C.exp(0.5 * log_variance) * noise
    code = code + C.random.uniform(mean.shape, low=-0.01, high=0.01, seed=4)
    decode = Sequential([Dense(8, activation=C.relu), Dense(12, activation=C.sigmoid)])
    y = decode(code)
    divergence = -0.5 * C.reduce_sum(1 + log_variance - C.square(mean) - C.exp(log_variance))
    loss = C.binary_cross_entropy(y, x) + divergence
    learner = C.rmsprop(
        y.parameters,
        C.learning_parameter_schedule(0.01),
        0.9,
        1.1,
        0.8,
        5.0,
        0.1,
        gradient_clipping_threshold_per_sample=3,
    )
    trainer = C.Trainer(y, (loss, divergence), [learner])
    told = []
    for _ in range(8):
        trainer.train_minibatch({x: (rng.rand(10, 12) > 0.5).astype(np.float32)})
        told += averages(trainer)
    drawn = decode(C.input_variable(3)).eval(rng.randn(2, 3).astype(np.float32))
    return [*told, float(drawn.sum()), trainer.test_minibatch({x: np.ones((4, 12), np.float32)})]


def neighbours_of_words(folder):
    """Words' vectors by noise contrastive estimation, then by a softmax in two levels."""
    rng, size = np.random.RandomState(2), 12
    told = []
    x, y = (C.input_variable(size, is_sparse=True) for _ in range(2))
    h = Embedding(4)(x)
    weights, biases = (
        C.parameter((size, 4), init=C.glorot_uniform()),
        C.parameter((size, 1), init=0),
    )
    counts = rng.randint(1, 9, size).astype(np.float32)
    loss = C.nce_loss(weights, biases, h, y, counts, num_samples=6, allow_duplicates=True, seed=5)
    z = C.times_transpose(h, weights) + C.reshape(biases, (size,))
    error = C.classification_error(z, y)
    trainer = C.Trainer(z, (loss, error), [C.sgd(z.parameters, C.learning_parameter_schedule(0.3))])
    for _ in range(8):
        words = rng.randint(0, size, 10)
        pair = [C.Value.one_hot(w.tolist(), size) for w in (words, (words + 1) % size)]
        trainer.train_minibatch({x: pair[0], y: pair[1]})
        told += averages(trainer)
    return [
        *told,
        float(np.abs(weights.value).sum()),
        trainer.test_minibatch({x: pair[0], y: pair[1]}),
    ]


def ranks(folder):
    """Documents of a query in their order, by LambdaRank and the gain of the first."""
    rng = np.random.RandomState(3)
    x, gain, group = C.input_variable(5), C.input_variable(1), C.input_variable(1)
    score = Dense(1)(Dense(6, activation=C.relu)(x))
    loss, metric = C.lambda_rank(score, gain, group), C.ndcg_at_1(score, gain, group)
    trainer = C.Trainer(
        score, (loss, metric), [C.sgd(score.parameters, C.learning_parameter_schedule(0.05))]
    )

    def minibatch():
        data = rng.rand(12, 5).astype(np.float32)
        gains = np.round(3 * data[:, :1])
        return {x: data, gain: gains, group: np.repeat([[1], [2], [3]], 4, 0).astype(np.float32)}

    told = []
    for _ in range(6):
        trainer.train_minibatch(minibatch())
        told += averages(trainer)
    return [*told, trainer.test_minibatch(minibatch())]


def larger_pictures(folder):
    """302: blocks with slopes that are learned, depth to space, the difference to a picture."""
    rng = np.random.RandomState(4)
    x, y = C.input_variable((3, 4, 4)), C.input_variable((3, 8, 8))

    def prelu(h):
        return C.param_relu(C.parameter(h.shape, init=0.2), h)

    def conv(h, size, count):
        return Convolution2D((size, size), count, pad=True, init=C.he_normal(), bias=False)(h)

    def block(h):
        inner = prelu(BatchNormalization(map_rank=1)(conv(h, 3, 4)))
        return h + BatchNormalization(map_rank=1, init_scale=0.5)(conv(inner, 3, 4))

    h = prelu(conv(x / 255.0, 3, 4))
    h = block(block(h)) + h
    z = C.tanh(conv(prelu(C.depth_to_space(conv(h, 3, 16), 2)), 3, 3))
    mse = C.reduce_mean(C.square(z - y / 255.0))
    psnr = 10 * C.log(C.element_divide(1.0, mse)) / np.log(10).astype(np.float32)
    trainer = C.Trainer(
        z,
        (mse, psnr),
        [C.adam(z.parameters, C.learning_parameter_schedule(0.01), C.momentum_schedule(0.9))],
    )

    def minibatch():
        large = rng.randint(0, 255, (4, 3, 4, 4)).repeat(2, 2).repeat(2, 3).astype(np.float32)
        return {x: large[:, :, ::2, ::2], y: large}

    told = []
    for _ in range(6):
        trainer.train_minibatch(minibatch())
        told += averages(trainer)
    again = C.space_to_depth(z, 2).eval({x: minibatch()[x]})
    return [*told, float(again.sum()), trainer.test_minibatch(minibatch())]


def balanced_game(folder):
    """302: BEGAN, whose discriminator is an autoencoder and whose balance is a constant that the
    program sets.
    """
    rng = np.random.RandomState(5)
    noise, real = C.input_variable(4), C.input_variable(16)
    scaled = real / 255.0

    def decoder():
        return Sequential([Dense(8, activation=C.elu), Dense(16, activation=C.sigmoid)])

    with default_options(init=C.xavier()):
        fake = decoder()(noise)
        of_real = Sequential([Dense(6, activation=C.elu), Dense(3), decoder()])(scaled)
    of_fake = of_real.clone(method="share", substitutions={scaled.output: fake.output})
    k = C.Constant(0.0, shape=(1,))
    loss_real = C.reduce_mean(C.abs(scaled - of_real))
    loss_fake = C.reduce_mean(C.abs(fake - of_fake))
    rates, momentum = C.learning_parameter_schedule(0.01), C.momentum_schedule(0.5)
    make = C.Trainer(fake, (loss_fake, loss_fake), C.adam(fake.parameters, rates, momentum))
    tell = C.Trainer(
        of_real, (loss_real - k * loss_fake, loss_real), C.adam(of_real.parameters, rates, momentum)
    )
    told = []
    for _ in range(6):
        images, z = (
            rng.randint(0, 255, (6, 16)).astype(np.float32),
            rng.uniform(-1, 1, (6, 4)).astype(np.float32),
        )
        tell.train_minibatch({real: images, noise: z})
        make.train_minibatch({noise: z})
        real_now, fake_now = (
            tell.previous_minibatch_evaluation_average,
            make.previous_minibatch_loss_average,
        )
        k.value = np.clip(k.value + 0.1 * (0.5 * real_now - fake_now), 0, 1)
        told += [*averages(tell), fake_now, float(k.value[0])]
    return [*told, make.test_minibatch({noise: z})]


def cut_apart(folder):
    """U-Net: halves and doubles, what was before beside what comes after, the overlap as
    criterion.
    """
    rng = np.random.RandomState(6)
    x, y = C.input_variable((1, 8, 8)), C.input_variable((1, 8, 8))
    with default_options(activation=C.relu, pad=True, init=C.he_uniform()):
        conv1 = Sequential([Convolution2D((3, 3), 4), Convolution2D((3, 3), 4)])(x)
        pool1 = MaxPooling((2, 2), strides=(2, 2))(conv1)
        conv2 = Sequential([Convolution2D((3, 3), 6), Dropout(0.0)])(pool1)
        up = ConvolutionTranspose2D((3, 3), 4, strides=2, output_shape=(8, 8))(conv2)
        conv3 = Convolution2D((3, 3), 4)(C.splice(up, conv1, axis=0))
        z = Convolution2D((1, 1), 1, activation=C.sigmoid)(conv3)
    both = C.reduce_sum(z * y, axis=[0, 1, 2])
    dice = (2 * both + 1) / (C.reduce_sum(z) + C.reduce_sum(y) + 1)
    cropped = C.crop_manual(z, C.slice(y, [1, 2], [0, 0], [6, 6]), 1, 1)
    metric = C.reduce_mean(C.not_equal(C.greater(cropped, 0.5), y[:, 1:7, 1:7]))
    learner = C.momentum_sgd(
        z.parameters,
        C.learning_parameter_schedule([0.5, 0.1], epoch_size=20),
        C.momentum_schedule(0.8),
    )
    trainer = C.Trainer(z, (1 - dice, metric), [learner])

    def minibatch():
        masks = np.zeros((5, 1, 8, 8), np.float32)
        for mask in masks:
            r, c = rng.randint(0, 4, 2)
            mask[0, r : r + 4, c : c + 4] = 1
        return {x: masks + 0.3 * rng.randn(*masks.shape).astype(np.float32), y: masks}

    told = []
    for _ in range(8):
        trainer.train_minibatch(minibatch())
        told += averages(trainer)
    return [*told, trainer.test_minibatch(minibatch())]


class Teller(C.cntk_py.ProgressWriter):
    """A writer of one's own, which keeps what it is told."""

    def __init__(self, frequency, first):
        super(Teller, self).__init__(frequency, first, 1, 0, 1, 0)
        self.told = []
        self.__disown__()

    def on_write_training_update(self, samples, updates, aggregate_loss, aggregate_metric):
        self.told += [
            1,
            *samples,
            *updates,
            aggregate_loss[1] - aggregate_loss[0],
            aggregate_metric[1] - aggregate_metric[0],
        ]

    def on_write_test_update(self, samples, updates, aggregate_metric):
        self.told += [2, *samples, *updates, aggregate_metric[1] - aggregate_metric[0]]

    def on_write_training_summary(
        self, samples, updates, summaries, aggregate_loss, aggregate_metric, elapsed_milliseconds
    ):
        self.told += [3, samples, updates, summaries, aggregate_loss, aggregate_metric]

    def on_write_test_summary(
        self, samples, updates, summaries, aggregate_metric, elapsed_milliseconds
    ):
        self.told += [4, samples, updates, summaries, aggregate_metric]

    def write(self, key, value):
        self.told += [5, len(key), value]


def told_by_a_writer(folder):
    """A writer of one's own in a training from two files, dropout with the original's masks, rates
    set anew.
    """
    rng = np.random.RandomState(7)
    C.cntk_py.set_fixed_random_seed(2)
    lines = [dense("x", rng.randn(4)) for _ in range(40)]
    first = write_text(folder, "x.txt", [f"{i} {line}" for i, line in enumerate(lines)])
    second = write_text(
        folder, "y.txt", [f"{i} " + dense("y", np.eye(3)[rng.randint(0, 3)]) for i in range(40)]
    )
    parts = [
        C.io.CTFDeserializer(first, C.io.StreamDefs(features=C.io.StreamDef("x", 4))),
        C.io.CTFDeserializer(second, C.io.StreamDefs(classes=C.io.StreamDef("y", 3))),
    ]
    source = C.io.MinibatchSource(
        parts, randomize=True, randomization_window_in_chunks=2, randomization_seed=3
    )
    x, y = C.input_variable(4), C.input_variable(3)
    z = Sequential([Dense(6, activation=C.relu), Dense(3)])(x)
    criterion = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y, topN=2)
    learner = C.adam(z.parameters, 0.1, 0.9, adamax=True)
    writer = Teller(2, 1)
    trainer = C.Trainer(z, criterion, [learner], [writer])
    input_map = {x: source.streams.features, y: source.streams.classes}
    for number in range(9):
        data = source.next_minibatch(10, input_map, num_data_partitions=2, partition_index=0)
        if not data:
            continue
        trainer.train_minibatch(data)
        if number == 4:
            trainer.summarize_training_progress()
            learner.reset_learning_rate(C.learning_parameter_schedule([0.05, 0.01], epoch_size=10))
        trainer.test_minibatch(data)
    trainer.summarize_training_progress()
    trainer.summarize_test_progress()
    trainer.parameter_learners[0].reset_learning_rate(
        C.learning_parameter_schedule_per_sample(0.01)
    )
    trainer.train_minibatch(
        {x: rng.randn(3, 4).astype(np.float32), y: np.eye(3, dtype=np.float32)[[0, 2, 1]]}
    )
    return [*writer.told, trainer.total_number_of_samples_seen, *averages(trainer)]


def values_by_hand(folder):
    """Values, views and flags made by hand; values that stay where they are; a function's forward
    and backward.
    """
    rng = np.random.RandomState(8)
    x, y = C.sequence.input_variable(3), C.input_variable(2)
    z = Sequential([Recurrence(C.layers.RNNStep(4)), C.sequence.last, Dense(2)])(x)
    loss = C.squared_error(z, y)
    trainer = C.Trainer(z, (loss, loss), [C.sgd(z.parameters, C.learning_parameter_schedule(0.1))])
    told = []
    for _ in range(3):
        arrays = [rng.randn(n, 3).astype(np.float32) for n in (3, 1, 2)]
        value = C.Value.create(x, arrays, [True] * 3)
        view = C.NDArrayView.from_dense(rng.randn(3, 2).astype(np.float32))
        trainer.train_minibatch({x: value, y: C.Value(view)})
        told += [*averages(trainer), value.shape[1], len(value.as_sequences(x))]
    out = z.eval({x: value}, as_numpy=False)
    told += [float(out.asarray().sum()), out.shape[0]]
    state, result = loss.forward(
        {x: arrays, y: np.zeros((3, 2), np.float32)}, [loss.output], {loss.output}
    )
    gradients = loss.backward(
        state, {loss.output: np.ones_like(result[loss.output])}, set(z.parameters)
    )
    told += [float(np.abs(gradients[p]).sum()) for p in z.parameters]
    w = C.parameter((2, 3), init=np.arange(6, dtype=np.float32).reshape(2, 3))
    w.set_value(C.NDArrayView.from_dense(np.ones((2, 3), np.float32)))
    w.value = w.value * 2
    told += [w.value.sum(), w.data().asarray().sum() if callable(getattr(w, "data", None)) else -1]
    free = C.input_variable((C.FreeDimension, 3))
    mean = C.reduce_mean(C.times(free, w.value.T), axis=0)
    told += [float(mean.eval({free: [rng.rand(n, 3).astype(np.float32)]}).sum()) for n in (2, 4)]
    path = os.path.join(folder, "z")
    z.save(path)
    again = C.load_model(path).clone("clone", {})
    return [
        *told,
        float(again.eval({again.arguments[0]: arrays}).sum()),
        trainer.test_minibatch({x: value, y: view}),
    ]


PROGRAMS = [
    variational_autoencoder,
    neighbours_of_words,
    ranks,
    larger_pictures,
    balanced_game,
    cut_apart,
    told_by_a_writer,
    values_by_hand,
]
