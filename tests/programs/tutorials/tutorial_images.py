"""Programs in the manner of the original's image tutorials and examples, over image files that they
write.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os

import numpy as np

import cntk as C
import cntk.io.transforms as xforms
from cntk.initializer import he_normal, normal
from cntk.layers import (
    Activation,
    AveragePooling,
    BatchNormalization,
    Convolution,
    Convolution2D,
    Dense,
    Dropout,
    For,
    GlobalAveragePooling,
    MaxPooling,
    Sequential,
    default_options,
)
from cntk.train.training_session import (
    CheckpointConfig,
    CrossValidationConfig,
    TestConfig,
    training_session,
)
from tests.programs.tutorials.tutorial_files import (
    averages,
    numbers_in_log,
    write_images,
    write_mean,
)

SIZE, CLASSES = 12, 4


def _pictures(folder, name, seed, count, of_one_color=False):
    """Pictures of four kinds, each brighter in another corner or of another color, and the file
    that lists them.
    """
    rng = np.random.RandomState(seed)
    kinds = rng.randint(0, CLASSES, count)
    images = rng.randint(0, 130, (count, SIZE, SIZE, 3))
    for image, kind in zip(images, kinds):
        if of_one_color:
            image[:] = np.array([[200, 60, 60], [60, 200, 60], [60, 60, 200], [130, 130, 60]])[
                kind
            ] + rng.randint(-40, 40, 3)
        else:
            row, column = divmod(kind, 2)
            image[6 * row : 6 * row + 6, 6 * column : 6 * column + 6] += 125
    return write_images(folder, name, images, kinds)


def create_reader(map_file, mean_file, train, transforms=(), **options):
    transforms = list(transforms)
    transforms += [
        xforms.scale(width=SIZE, height=SIZE, channels=3, interpolations="linear"),
        xforms.mean(mean_file),
    ]
    streams = C.io.StreamDefs(
        features=C.io.StreamDef(field="image", transforms=transforms),
        labels=C.io.StreamDef(field="label", shape=CLASSES),
    )
    return C.io.MinibatchSource(
        C.io.ImageDeserializer(map_file, streams), randomize=train, **options
    )


def _mean(folder):
    return write_mean(
        folder, "mean.xml", np.random.RandomState(7).uniform(80, 120, (3, SIZE, SIZE))
    )


def _train_and_test(folder, make_model, epochs=4):
    """201B: epochs of a reader's minibatches, a printer that is told by hand, a test that adds up
    its metric.
    """
    mean = _mean(folder)
    reader_train = create_reader(_pictures(folder, "train", 1, 48), mean, True)
    reader_test = create_reader(_pictures(folder, "test", 2, 32), mean, False)
    input_var, label_var = C.input_variable((3, SIZE, SIZE)), C.input_variable((CLASSES))
    z = make_model(C.element_times(input_var, 1.0 / 256.0), out_dims=CLASSES)
    ce, pe = C.cross_entropy_with_softmax(z, label_var), C.classification_error(z, label_var)
    rates = C.learning_parameter_schedule_per_sample([0.03] * 2 + [0.01], epoch_size=48)
    momentum = C.momentum_schedule([0] * 2 + [0.9983347214509387], epoch_size=48, minibatch_size=1)
    learner = C.learners.momentum_sgd(
        z.parameters, lr=rates, momentum=momentum, l2_regularization_weight=0.001
    )
    printer = C.logging.ProgressPrinter(tag="Training", num_epochs=epochs)
    trainer = C.Trainer(z, (ce, pe), [learner], [printer])
    input_map = {input_var: reader_train.streams.features, label_var: reader_train.streams.labels}
    C.logging.log_number_of_parameters(z)
    told = []
    for _ in range(epochs):
        samples = 0
        while samples < 48:
            data = reader_train.next_minibatch(min(16, 48 - samples), input_map=input_map)
            trainer.train_minibatch(data)
            samples += data[label_var].num_samples
            told += averages(trainer)
        trainer.summarize_training_progress()
    input_map = {input_var: reader_test.streams.features, label_var: reader_test.streams.labels}
    wrong = samples = 0
    while samples < 32:
        data = reader_test.next_minibatch(min(12, 32 - samples), input_map=input_map)
        wrong += trainer.test_minibatch(data) * data[label_var].num_samples
        samples += data[label_var].num_samples
    return [*told, np.argmax(C.softmax(z).eval({input_var: data[input_var]})[0]), wrong / samples]


def vgg(folder):
    """201B: groups of convolutions and a pooling, by a range."""

    def create_vgg(x, out_dims):
        with C.layers.default_options(activation=C.relu, init=C.glorot_uniform(), pad=True):
            return C.layers.Sequential(
                [
                    C.layers.For(
                        range(2),
                        lambda i: [
                            C.layers.Convolution((3, 3), [4, 6][i]),
                            C.layers.Convolution((3, 3), [4, 6][i]),
                            C.layers.MaxPooling((3, 3), strides=(2, 2)),
                        ],
                    ),
                    C.layers.For(range(2), lambda: [C.layers.Dense(16), C.layers.Dropout(0.0)]),
                    C.layers.Dense(out_dims, activation=None),
                ]
            )(x)

    return _train_and_test(folder, create_vgg)


def normalized_convolutions(folder):
    """201B: convolutions normalized one by one, a dropout that keeps everything."""

    def create_model(x, out_dims):
        with C.layers.default_options(activation=C.relu, init=C.glorot_uniform()):
            h = C.layers.For(
                range(2),
                lambda i: [
                    C.layers.Convolution(
                        (5, 5),
                        [4, 6][i],
                        init=C.initializer.normal(0.05),
                        pad=True,
                        activation=None,
                    ),
                    C.layers.BatchNormalization(map_rank=1),
                    C.relu,
                    C.layers.MaxPooling((3, 3), strides=(2, 2)),
                ],
            )(x)
            h = C.layers.BatchNormalization(map_rank=1)(
                C.layers.Dense(10, init=C.initializer.normal(0.1))(h)
            )
            return C.layers.Dense(out_dims, activation=None)(C.layers.Dropout(0.0)(h))

    return _train_and_test(folder, create_model)


def conv_bn(x, filter_size, num_filters, strides=(1, 1), init=he_normal()):  # noqa: B008
    c = Convolution(
        filter_size, num_filters, activation=None, init=init, pad=True, strides=strides, bias=False
    )(x)
    return BatchNormalization(map_rank=1, normalization_time_constant=4096, use_cntk_engine=False)(
        c
    )


def conv_bn_relu(x, filter_size, num_filters, strides=(1, 1), init=he_normal()):  # noqa: B008
    return C.relu(conv_bn(x, filter_size, num_filters, strides, init))


def residual(folder):
    """ResNet: a session with checkpoints, validation, and a test; then it goes on from its
    checkpoint to twice the samples.
    """

    def basic(x, count):
        return C.relu(conv_bn(conv_bn_relu(x, (3, 3), count), (3, 3), count) + x)

    def wider(x, count, strides=(2, 2)):
        inner = conv_bn(conv_bn_relu(x, (3, 3), count, strides), (3, 3), count)
        return C.relu(inner + conv_bn(x, (1, 1), count, strides))

    train_map, test_map, mean = (
        _pictures(folder, "train", 1, 48),
        _pictures(folder, "test", 2, 32),
        _mean(folder),
    )

    def session(samples):
        features, label = (
            C.input_variable((3, SIZE, SIZE), name="features"),
            C.input_variable(CLASSES),
        )
        r = wider(basic(conv_bn_relu(features, (3, 3), 4), 4), 6)
        r = For(range(1), lambda: lambda x: basic(x, 6))(r)
        z = Dense(CLASSES, init=normal(0.01))(
            AveragePooling(filter_shape=(6, 6), name="final_avg_pooling")(r)
        )
        ce, pe = C.cross_entropy_with_softmax(z, label), C.classification_error(z, label)
        rates = C.learning_rate_schedule([0.2, 0.1], C.UnitType.minibatch, 48)
        local = C.momentum_sgd(
            z.parameters,
            rates,
            C.momentum_as_time_constant_schedule(64),
            l2_regularization_weight=1e-4,
        )
        learner = C.train.distributed.data_parallel_distributed_learner(local, 32, 0)
        log = os.path.join(folder, "residual.log")
        rank = C.train.distributed.Communicator.rank()
        printer = C.logging.ProgressPrinter(
            freq=2, tag="Training", log_to_file=log, rank=rank, num_epochs=2
        )
        trainer = C.Trainer(z, (ce, pe), learner, printer)
        source, test = (
            create_reader(train_map, mean, True, max_samples=96),
            create_reader(test_map, mean, False, max_sweeps=1),
        )
        checkpoint = CheckpointConfig(
            filename=os.path.join(folder, "resnet"), frequency=24, preserve_all=True
        )
        training_session(
            trainer=trainer,
            mb_source=source,
            model_inputs_to_streams={
                features: source.streams.features,
                label: source.streams.labels,
            },
            mb_size=C.minibatch_size_schedule(12),
            progress_frequency=48,
            max_samples=samples,
            checkpoint_config=checkpoint,
            cv_config=CrossValidationConfig(
                create_reader(test_map, mean, False, max_sweeps=1), frequency=48, minibatch_size=16
            ),
            test_config=TestConfig(test, minibatch_size=16),
        ).train()
        told = [
            trainer.total_number_of_samples_seen,
            z.parameters[0].value.sum(),
            len(z.parameters),
        ]
        return [*told, learner.communicator().num_workers()]

    told = session(48) + session(96)
    files = sum(name.startswith("resnet") for name in os.listdir(folder))
    return [*told, files, *numbers_in_log(folder, "residual.log")]


def local_response_normalization(k, n, alpha, beta, name=""):
    """Divide by a power of the mean square over so many channels, by a convolution over an axis of
    one's own.
    """
    x = C.placeholder(name="lrn_arg")
    squares = C.reshape(C.square(x), (1, C.InferredDimension), 0, 1)
    weights = C.constant(alpha / (2 * n + 1), (1, 2 * n + 1, 1, 1), name="W")
    sums = C.reshape(C.convolution(weights, squares), C.InferredDimension, 0, 2)
    den = C.exp(beta * C.log(k + sums))
    apply_x = C.element_divide(x, den)
    return C.as_block(
        apply_x, [(x, C.placeholder(name="lrn_in"))], "LocalResponseNormalization", name
    )


def augmented(folder):
    """ConvNet: random crops and flips, which leave pictures of one color as they are, and
    normalization over channels.
    """
    crops = [xforms.crop(crop_type="randomside", side_ratio=0.8, jitter_type="uniratio")]
    mean = _mean(folder)
    train = create_reader(
        _pictures(folder, "a", 3, 40, True), mean, True, crops, multithreaded_deserializer=True
    )
    test = create_reader(_pictures(folder, "b", 4, 30, True), mean, False)
    input_var, label_var = C.input_variable((3, SIZE, SIZE)), C.input_variable((CLASSES))
    scaled_input = C.element_times(C.constant(0.00390625), input_var)
    with default_options(activation=C.relu, pad=True):
        z = Sequential(
            [
                For(
                    range(2),
                    lambda: [
                        Convolution2D((3, 3), 5),
                        Convolution2D((3, 3), 5),
                        local_response_normalization(1.0, 2, 0.001, 0.75),
                        MaxPooling((3, 3), (2, 2)),
                    ],
                ),
                For(range(2), lambda i: [Dense([12, 8][i]), Dropout(0.0)]),
                Dense(CLASSES, activation=None),
            ]
        )(scaled_input)
    ce, pe = C.cross_entropy_with_softmax(z, label_var), C.classification_error(z, label_var)
    rates = C.learning_rate_schedule([0.01] * 2 + [0.004], unit=C.UnitType.sample, epoch_size=20)
    momentum = C.momentum_as_time_constant_schedule([0] * 2 + [600] * 2 + [1200], epoch_size=20)
    learner = C.momentum_sgd(
        z.parameters, rates, momentum, unit_gain=True, l2_regularization_weight=0.002
    )
    trainer = C.Trainer(z, (ce, pe), learner)
    printer = C.logging.ProgressPrinter(tag="Training", num_epochs=3)
    told = []
    for epoch in range(3):
        for _ in range(3):
            streams = {input_var: train.streams.features, label_var: train.streams.labels}
            trainer.train_minibatch(train.next_minibatch(14, input_map=streams))
            printer.update_with_trainer(trainer, with_metric=True)
            told += averages(trainer)
        printer.epoch_summary(with_metric=True)
        z.save(os.path.join(folder, f"augmented_{epoch}.dnn"))
    data = test.next_minibatch(
        30, input_map={input_var: test.streams.features, label_var: test.streams.labels}
    )
    again = C.load_model(os.path.join(folder, "augmented_2.dnn"))
    error = C.classification_error(again, C.input_variable(CLASSES, name="again"))
    tested = C.eval.Evaluator(error).test_minibatch(
        dict(zip(error.arguments, (data[input_var], data[label_var])))
    )
    return [*told, tested, trainer.test_minibatch(data)]


def inception(folder):
    """BN-Inception: branches of normalized convolutions and poolings, spliced."""

    def branches(x, one, two, three, pooled):
        first = conv_bn_relu(x, (1, 1), one)
        second = conv_bn_relu(conv_bn_relu(x, (1, 1), two[0]), (3, 3), two[1])
        third = conv_bn_relu(
            conv_bn_relu(conv_bn_relu(x, (1, 1), three[0]), (3, 3), three[1]), (3, 3), three[1]
        )
        fourth = conv_bn_relu(AveragePooling((3, 3), strides=(1, 1), pad=True)(x), (1, 1), pooled)
        return C.splice(first, second, third, fourth, axis=0)

    def passing(x, two, three):
        first = conv_bn_relu(conv_bn_relu(x, (1, 1), two[0]), (3, 3), two[1], (2, 2))
        second = conv_bn_relu(conv_bn_relu(x, (1, 1), three[0]), (3, 3), three[1], (2, 2))
        return C.splice(first, second, MaxPooling((3, 3), strides=(2, 2), pad=True)(x), axis=0)

    def model(x, out_dims):
        h = conv_bn_relu(x, (3, 3), 4, init=normal(0.1))
        h = passing(branches(h, 2, (2, 3), (2, 3), 2), (2, 3), (2, 3))
        h = GlobalAveragePooling()(h)
        return Dense(out_dims, init=he_normal())(Dropout(0.0)(h))

    return _train_and_test(folder, model)


def alexnet(folder):
    """AlexNet: activations as layers with names, normalization over channels, a network without its
    mean.
    """

    def model(x, out_dims):
        removed = C.minus(x, C.constant(0.1), name="mean_removed_input")
        with default_options(activation=None, pad=True, bias=True):
            return Sequential(
                [
                    Convolution2D((3, 3), 6, init=normal(0.1), pad=False, name="conv1"),
                    Activation(activation=C.relu, name="relu1"),
                    local_response_normalization(1.0, 2, 0.0001, 0.75, name="norm1"),
                    MaxPooling((3, 3), (2, 2), name="pool1"),
                    Convolution2D((3, 3), 8, init=normal(0.1), init_bias=0.1, name="conv2"),
                    Activation(activation=C.relu, name="relu2"),
                    local_response_normalization(1.0, 2, 0.0001, 0.75, name="norm2"),
                    Dense(12, init=normal(0.1), init_bias=0.1, name="fc6"),
                    Activation(activation=C.relu, name="relu6"),
                    Dropout(0.0, name="drop6"),
                    Dense(out_dims, init=normal(0.1), name="fc8"),
                ]
            )(removed)

    return _train_and_test(folder, model)


PROGRAMS = [vgg, normalized_convolutions, residual, augmented, inception, alexnet]
