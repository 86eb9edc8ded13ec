"""Programs in the manner of the original's tutorials on networks inside of networks: transfer,
deconvolution, style, games.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os

import numpy as np

import cntk as C
from cntk.layers import (
    BatchNormalization,
    Convolution,
    Convolution2D,
    ConvolutionTranspose2D,
    Dense,
    MaxPooling,
    MaxUnpooling,
    Sequential,
    default_options,
)
from cntk.logging.graph import (
    depth_first_search,
    find_all_with_name,
    find_by_name,
    get_node_outputs,
)
from tests.programs.tutorials.tutorial_files import averages, write_images, write_samples


def _shapes(rng, count, channels=1, size=8, kinds=3):
    """Pictures of bars at places of three kinds, with noise; and their classes."""
    classes = rng.randint(0, kinds, count)
    pictures = rng.rand(count, channels, size, size)
    for picture, kind in zip(pictures, classes):
        picture[:, 2 * kind : 2 * kind + 2] += 0.8
    return pictures.astype(np.float32), np.eye(kinds, dtype=np.float32)[classes]


def _base_model(folder):
    """A network that has learned something, in a file."""
    rng = np.random.RandomState(0)
    x, y = C.input_variable((3, 8, 8), name="features"), C.input_variable(3)
    with default_options(activation=C.relu, init=C.glorot_uniform(), pad=True):
        net = Convolution((3, 3), 4, name="z.x.x")(x)
        net = MaxPooling((2, 2), (2, 2))(BatchNormalization(map_rank=1)(net))
        net = Dense(8, name="z.x")(net)
    z = Dense(3, name="z")(net)
    loss, error = C.cross_entropy_with_softmax(z, y), C.classification_error(z, y)
    trainer = C.Trainer(
        z, (loss, error), [C.sgd(z.parameters, C.learning_rate_schedule(0.1, C.UnitType.minibatch))]
    )
    for _ in range(10):
        pictures, classes = _shapes(rng, 16, 3)
        trainer.train_minibatch({x: pictures, y: classes})
    path = os.path.join(folder, "base.model")
    z.save(path)
    return path


def transfer_learning(folder):
    """301: a saved network's lower layers, cloned as they are or to train on, under a new layer,
    over pictures in files.
    """
    path = _base_model(folder)
    rng = np.random.RandomState(1)
    pictures, classes = _shapes(rng, 44, 3, kinds=2)
    images = np.floor(np.transpose(pictures, (0, 2, 3, 1)) * 140)
    map_file = write_images(folder, "pictures", images, np.argmax(classes, 1))

    def create_mb_source(randomize):
        scale = C.io.transforms.scale(width=8, height=8, channels=3, interpolations="linear")
        streams = C.io.StreamDefs(
            features=C.io.StreamDef(field="image", transforms=[scale], is_sparse=False),
            labels=C.io.StreamDef(field="label", shape=2, is_sparse=False),
        )
        return C.io.MinibatchSource(C.io.ImageDeserializer(map_file, streams), randomize=randomize)

    def create_model(freeze, feature):
        base_model = C.load_model(path)
        feature_node, last_node = (
            find_by_name(base_model, "features"),
            find_by_name(base_model, "z.x"),
        )
        method = C.CloneMethod.freeze if freeze else C.CloneMethod.clone
        cloned = C.combine([last_node.owner]).clone(
            method, {feature_node: C.placeholder(name="features")}
        )
        normalized = feature / C.Constant(200.0)
        return Dense(2, activation=None, name="new")(cloned(normalized))

    told = []
    for freeze in (True, False):
        image_input, label_input = C.input_variable((3, 8, 8)), C.input_variable(2)
        z = create_model(freeze, image_input)
        ce, pe = (
            C.cross_entropy_with_softmax(z, label_input),
            C.classification_error(z, label_input),
        )
        rates = C.learning_parameter_schedule([0.2] * 3 + [0.1])
        momentum = C.momentum_schedule(0.9)
        learner = C.momentum_sgd(z.parameters, rates, momentum, l2_regularization_weight=0.0005)
        printer = C.logging.ProgressPrinter(tag="Training", num_epochs=2)
        trainer = C.Trainer(z, (ce, pe), learner, printer)
        source = create_mb_source(True)
        input_map = {image_input: source["features"], label_input: source["labels"]}
        for _ in range(8):
            trainer.train_minibatch(source.next_minibatch(11, input_map=input_map))
            told += averages(trainer)
        trainer.summarize_training_progress()
        told += [len(z.parameters), len(z.constants), len(get_node_outputs(z))]
        new = os.path.join(folder, f"new_{freeze}.model")
        z.save(new)
        again = C.softmax(C.load_model(new))
        pixels = np.ascontiguousarray(
            np.transpose(images[0, :, :, ::-1], (2, 0, 1)), dtype=np.float32
        )
        told += again.eval({again.arguments[0]: [pixels]})[0].tolist()
        source = create_mb_source(False)
        input_map = {image_input: source["features"], label_input: source["labels"]}
        told.append(trainer.test_minibatch(source.next_minibatch(44, input_map=input_map)))
    return told


def deconvolution(folder):
    """07: pictures through convolutions and poolings and back; then what its inner nodes make of a
    minibatch.
    """
    rng = np.random.RandomState(2)
    pictures, classes = _shapes(rng, 60)
    pictures = np.round(pictures * 140).reshape(60, 64)
    path = write_samples(folder, "pictures.txt", pictures, classes)

    def create_reader(is_training):
        streams = C.io.StreamDefs(
            features=C.io.StreamDef("features", 64), labels=C.io.StreamDef("labels", 3)
        )
        sweeps = C.io.INFINITELY_REPEAT if is_training else 1
        return C.io.MinibatchSource(
            C.io.CTFDeserializer(path, streams), randomize=is_training, max_sweeps=sweeps
        )

    input_var = C.input_variable((1, 8, 8))
    scaled = C.element_times(C.constant(0.00390625), input_var, name="input_node")
    conv1 = Convolution2D((5, 5), 4, pad=True, activation=C.relu)(scaled)
    pool1 = MaxPooling((2, 2), (2, 2), name="pooling_node")(conv1)
    conv2 = Convolution2D((3, 3), 3, pad=True, activation=C.relu)(pool1)
    unpool1 = MaxUnpooling((2, 2), (2, 2))(conv2, C.slice(conv1, 0, 0, 3))
    z = ConvolutionTranspose2D(
        (5, 5), 1, pad=True, bias=False, init=C.glorot_uniform(0.001), name="output_node"
    )(unpool1)
    err = C.reshape(C.reduce_mean(C.square(z - scaled), axis=(1, 2)), (1,))
    rmse = C.sqrt(C.reduce_mean(C.square(z - scaled)))
    rates = C.learning_rate_schedule([0.05], C.UnitType.sample, epoch_size=60)
    learner = C.adagrad(z.parameters, lr=rates, gradient_clipping_threshold_per_sample=0.5)
    printer = C.logging.ProgressPrinter(tag="Training")
    trainer = C.Trainer(z, (err, rmse), learner, progress_writers=[printer])
    reader = create_reader(True)
    input_map = {input_var: reader.streams.features}
    told = []
    for _ in range(2):
        for _ in range(5):
            trainer.train_minibatch(reader.next_minibatch(12, input_map=input_map))
            told += averages(trainer)
        trainer.summarize_training_progress()
    z.save(os.path.join(folder, "07_deconvolution.model"))
    model = C.load_model(os.path.join(folder, "07_deconvolution.model"))
    nodes = [find_by_name(model, name) for name in ("input_node", "pooling_node", "output_node")]
    output_nodes = C.combine([node.owner for node in nodes])
    reader = create_reader(False)
    features = reader.streams["features"]
    data = reader.next_minibatch(3)
    output = output_nodes.eval(
        {output_nodes.arguments[0]: data[features].asarray().reshape(3, 1, 8, 8)}
    )
    told += [float(np.abs(output[node]).mean()) for node in output_nodes.outputs]
    told += [
        len(depth_first_search(model, lambda f: True)),
        len(find_all_with_name(model, "pooling_node")),
    ]
    return [*told, trainer.test_minibatch({input_var: pictures.reshape(60, 1, 8, 8)})]


def style_transfer(folder):
    """205: an image follows the gradient of what constant convolutions make of it, by forward and
    backward passes and by `grad`.
    """
    rng = np.random.RandomState(3)
    kernels = [rng.randn(*shape).astype(np.float32) * 0.2 for shape in ((4, 3, 3, 3), (5, 4, 3, 3))]
    biases = [rng.randn(n, 1, 1).astype(np.float32) * 0.1 for n in (4, 5)]

    def vggblock(x, arrays, layer_map, name):
        kernel, bias = (C.constant(value=array) for array in arrays)
        k = C.relu(C.convolution(kernel, x, auto_padding=[False, True, True]) + bias)
        layer_map[name] = k
        return k

    def build_model(x, layers):
        k = vggblock(x, (kernels[0], biases[0]), layers, "conv1_1")
        k = C.pooling(k, C.AVG_POOLING, (2, 2), (2, 2))
        k = vggblock(k, (kernels[1], biases[1]), layers, "conv2_1")
        return k, C.combine([f.output for f in layers.values()])

    def flatten(x):
        assert len(x.shape) >= 3
        return C.reshape(x, (x.shape[-3], x.shape[-2] * x.shape[-1]))

    def gram(x):
        features = C.minus(flatten(x), C.reduce_mean(x))
        return C.times_transpose(features, features)

    def npgram(x):
        features = np.reshape(x, (-1, x.shape[-2] * x.shape[-1])) - np.mean(x)
        return features.dot(features.T)

    def style_loss(a, b):
        channels, x, y = a.shape
        return C.squared_error(gram(a), npgram(b)) / (channels**2 * x**2 * y**2)

    def total_variation_loss(x):
        delta = np.array([-1, 1], dtype=np.float32)
        kx = C.constant(value=delta.reshape(1, 1, 1, 1, 2))
        ky = C.constant(value=delta.reshape(1, 1, 1, 2, 1))
        # The kernel passes over the channels one by one.
        images = C.reshape(x, (1, *x.shape))
        dx, dy = (C.convolution(k, images, auto_padding=[False]) for k in (kx, ky))
        return C.reduce_mean(C.square(dx)) + C.reduce_mean(C.square(dy))

    content, style = (rng.rand(1, 3, 8, 8).astype(np.float32) * 2 - 1 for _ in "ab")
    y, layers = C.input_variable((3, 8, 8), needs_gradient=True), {}
    model, intermediate = build_model(y, layers)
    found = intermediate.eval({y: [[content[0]]]})
    content_activations = {name: found[layer.output] for name, layer in layers.items()}
    found = intermediate.eval({y: [style[0]]})
    style_activations = {name: found[output] for name, output in zip(layers, intermediate.outputs)}
    total = C.squared_error(layers["conv2_1"], np.squeeze(content_activations["conv2_1"]))
    for i, name in enumerate(("conv1_1", "conv2_1")):
        total = total + 2.0 / (2**i) * style_loss(layers[name], np.squeeze(style_activations[name]))
    loss = total + 0.1 * total_variation_loss(y)

    def value_and_gradient(x):
        state, result = loss.forward({y: [x]}, [loss.output], set([loss.output]))  # noqa: C405
        ones = np.ones_like(result[loss.output])
        gradient = loss.backward(state, {loss.output: ones}, set([y]))[y]  # noqa: C405
        return float(np.sum(result[loss.output])), np.asarray(gradient).reshape(3, 8, 8)

    told, x = [len(layers), len(intermediate.outputs)], content[0]
    for _ in range(8):
        value, gradient = value_and_gradient(x)
        other = loss.grad({y: [x]}, wrt=[y])
        told += [
            value,
            float(np.abs(gradient).mean()),
            float(np.abs(np.asarray(other) - gradient).max()),
        ]
        x = x - 0.05 * gradient
    return [*told, value_and_gradient(x)[0]]


def regions(folder):
    """Fast R-CNN: features of regions, each with a class; a loss whose weights leave regions
    out.
    """
    rng = np.random.RandomState(4)
    num_rois, num_classes = 4, 3
    image_input = C.input_variable(
        (3, 16, 16), dynamic_axes=[C.Axis.default_batch_axis()], name="data"
    )
    roi_input = C.input_variable(
        (num_rois, 4), dynamic_axes=[C.Axis.default_batch_axis()], name="rois"
    )
    label_input = C.input_variable(
        (num_rois, num_classes), dynamic_axes=[C.Axis.default_batch_axis()]
    )
    with default_options(activation=C.relu, pad=True, init=C.glorot_uniform()):
        conv = Sequential(
            [Convolution((3, 3), 4), MaxPooling((2, 2), (2, 2)), Convolution((3, 3), 5)]
        )(image_input - 0.5)
    roi_out = C.roipooling(conv, roi_input, C.MAX_POOLING, (3, 3), spatial_scale=0.5)
    fc_out = Dense((8,), map_rank=1, activation=C.relu, init=C.glorot_uniform())(roi_out)
    w = C.parameter(shape=(8, num_classes), init=C.glorot_uniform(), name="cls.W")
    b = C.parameter(shape=num_classes, init=0, name="cls.b")
    cls_score = C.times(fc_out, w) + b
    ce = C.cross_entropy_with_softmax(cls_score, label_input, axis=1)
    pe = C.classification_error(cls_score, label_input, axis=1)
    criterion = C.reduce_sum(ce), C.reduce_mean(pe)
    rates = C.learning_rate_schedule([0.001] * 6 + [0.0005], unit=C.UnitType.sample)
    bias_lr = C.learning_rate_schedule(0.002, C.UnitType.sample)
    others = [p for p in cls_score.parameters if len(p.shape) > 1]
    biases = [p for p in cls_score.parameters if len(p.shape) == 1]
    learners = [
        C.momentum_sgd(
            others, rates, C.momentum_as_time_constant_schedule(10), l2_regularization_weight=0.0005
        ),
        C.momentum_sgd(biases, bias_lr, C.momentum_as_time_constant_schedule(10)),
    ]
    trainer = C.Trainer(cls_score, criterion, learners)

    def minibatch():
        image = rng.rand(1, 3, 16, 16).astype(np.float32)
        boxes, labels = [], []
        for _ in range(num_rois):
            x, y = rng.randint(0, 8, 2)
            kind = rng.randint(0, num_classes)
            image[0, kind, y : y + 6, x : x + 6] += 1
            boxes.append([x, y, x + 6, y + 6])
            labels.append(np.eye(num_classes)[kind])
        rois = np.array([boxes], np.float32)
        return {image_input: image, roi_input: rois, label_input: np.array([labels], np.float32)}

    told = []
    for _ in range(12):
        trainer.train_minibatch(minibatch())
        told += averages(trainer)
    return [*told, trainer.test_minibatch(minibatch())]


def _train_game(noise, real, fake, of_real, of_fake, losses, learners, minibatches, turns=1):
    """206: two trainers, a discriminator's turns before each of the generator's."""
    g_loss, d_loss = losses
    printer = C.logging.ProgressPrinter(freq=4, tag="Game")
    make = C.Trainer(fake, (g_loss, None), learners[0], printer)
    tell = C.Trainer(of_real, (d_loss, None), learners[1], printer)
    rng, told = np.random.RandomState(6), []
    for _ in range(minibatches):
        for _ in range(turns):
            images = np.round(255 * _shapes(rng, 8)[0] / 1.8).reshape(8, *real.shape)
            tell.train_minibatch(
                {real: images, noise: rng.uniform(-1, 1, (8, *noise.shape)).astype(np.float32)}
            )
        make.train_minibatch({noise: rng.uniform(-1, 1, (8, *noise.shape)).astype(np.float32)})
        told += [tell.previous_minibatch_loss_average, make.previous_minibatch_loss_average]
    told.append(
        float(fake.eval({noise: rng.uniform(-1, 1, (3, *noise.shape)).astype(np.float32)}).mean())
    )
    return [*told, make.previous_minibatch_loss_average]


def game_of_layers(folder):
    """206A: dense layers; the discriminator on real images, and its clone with the same parameters
    on generated ones.
    """
    noise, real = C.input_variable(6, name="Z"), C.input_variable(64)
    scaled = 2 * (real / 255.0) - 1.0

    def generator(z):
        with default_options(init=C.xavier()):
            return Dense(64, activation=C.tanh)(Dense(12, activation=C.relu)(z))

    def discriminator(x):
        with default_options(init=C.xavier()):
            return Dense(1, activation=C.sigmoid)(Dense(10, activation=C.relu)(x))

    fake, of_real = generator(noise), discriminator(scaled)
    of_fake = of_real.clone(method="share", substitutions={scaled.output: fake.output})
    g_loss, d_loss = 1.0 - C.log(of_fake), -(C.log(of_real) + C.log(1.0 - of_fake))
    learners = [
        C.fsadagrad(
            parameters=f.parameters,
            lr=C.learning_parameter_schedule_per_sample(0.002),
            momentum=C.momentum_schedule_per_sample(0.9985724484938566),
        )
        for f in (fake, of_real)
    ]
    return _train_game(noise, real, fake, of_real, of_fake, (g_loss, d_loss), learners, 8)


def game_of_convolutions(folder):
    """206B: transposed convolutions with batch normalization, a leaky discriminator, adam."""
    noise, real = C.input_variable(6), C.input_variable(64)
    scaled = real / 127.5 - 1.0

    def bn_with_relu(x, activation=C.relu):
        return activation(BatchNormalization(map_rank=1)(x))

    def bn_with_leaky_relu(x, leak=0.2):
        return C.param_relu(
            C.constant((np.ones(x.shape) * leak).astype(np.float32)),
            BatchNormalization(map_rank=1)(x),
        )

    def generator(z):
        with default_options(init=C.normal(scale=0.1)):
            h1 = bn_with_relu(Dense(4 * 2 * 2, activation=None)(z))
            h1 = C.reshape(h1, (4, 2, 2))
            options = {
                "pad": True,
                "bias": False,
                "init": C.normal(scale=0.1),
                "strides": (2, 2),
                "activation": None,
            }
            h2 = bn_with_relu(ConvolutionTranspose2D((4, 4), 3, output_shape=(4, 4), **options)(h1))
            options["activation"] = C.sigmoid
            return C.reshape(
                ConvolutionTranspose2D((4, 4), 1, output_shape=(8, 8), **options)(h2), 64
            )

    def discriminator(x):
        with default_options(init=C.normal(scale=0.1)):
            h = C.reshape(x, (1, 8, 8))
            h = Convolution2D((3, 3), 3, activation=None, pad=True, strides=(2, 2), bias=False)(h)
            h = bn_with_leaky_relu(h)
            h = bn_with_leaky_relu(Dense(8, activation=None)(h))
            return Dense(1, activation=C.sigmoid)(h)

    fake, of_real = generator(noise), discriminator(scaled)
    of_fake = of_real.clone(method="share", substitutions={scaled.output: fake.output})
    g_loss, d_loss = 1.0 - C.log(of_fake), -(C.log(of_real) + C.log(1.0 - of_fake))
    rates, momentum = C.learning_parameter_schedule(0.002), C.momentum_schedule(0.5)
    learners = [
        C.adam(
            f.parameters,
            lr=rates,
            momentum=momentum,
            variance_momentum=C.momentum_schedule(0.999),
            unit_gain=False,
        )
        for f in (fake, of_real)
    ]
    return _train_game(noise, real, fake, of_real, of_fake, (g_loss, d_loss), learners, 6, turns=2)


def _game_without_logarithms(losses, clip):
    noise, real = C.input_variable(6), C.input_variable(64)
    scaled = real / 255.0
    with default_options(init=C.normal(scale=0.1)):
        fake = Sequential([Dense(12, activation=C.relu), Dense(64, activation=C.sigmoid)])(noise)
        of_real = Sequential([Dense(10, activation=C.leaky_relu), Dense(1, activation=None)])(
            scaled
        )
    of_fake = of_real.clone(method="share", substitutions={scaled.output: fake.output})
    options = {
        "lr": C.learning_parameter_schedule(0.005),
        "momentum": C.momentum_schedule(0.0),
        "unit_gain": False,
    }
    learners = [
        C.adam(f.parameters, variance_momentum=C.momentum_schedule(0.999), **options)
        for f in (fake, of_real)
    ]
    if clip:
        clipped = C.combine([C.assign(p, C.clip(p, -clip, clip)) for p in of_real.parameters])
        g_loss, d_loss = losses(of_real, of_fake)
        told = []
        for _ in range(3):
            told += _train_game(noise, real, fake, of_real, of_fake, (g_loss, d_loss), learners, 1)
            clipped.eval({})
            told.append(max(float(np.abs(p.value).max()) for p in of_real.parameters))
        return told
    return _train_game(noise, real, fake, of_real, of_fake, losses(of_real, of_fake), learners, 6)


def game_of_distances(folder):
    """206C: Wasserstein's losses, the discriminator's parameters clipped by assignments."""
    return _game_without_logarithms(lambda of_real, of_fake: (-of_fake, -(of_real - of_fake)), 0.05)


def game_of_squares(folder):
    """206C: squares of distances."""

    def losses(of_real, of_fake):
        return 0.5 * C.square(of_fake - 1.0), 0.5 * (C.square(of_real - 1.0) + C.square(of_fake))

    return _game_without_logarithms(losses, None)


PROGRAMS = [
    transfer_learning,
    deconvolution,
    style_transfer,
    regions,
    game_of_layers,
    game_of_convolutions,
    game_of_distances,
    game_of_squares,
]
