"""Programs in the manner of the original's tutorials and examples that foretell the next word: 207,
CharRNN, LightRNN.

Each takes a folder for its files and gives numbers, the test's metric last. Runs with the original
too, on Python 3.6.
"""

import os
from math import sqrt

import numpy as np

import cntk as C
from cntk.layers import LSTM, Dense, Dropout, Embedding, For, Recurrence, Sequential, Stabilizer
from cntk.logging import ProgressPrinter
from tests.programs.tutorials.tutorial_files import averages


def _sampled_softmax(h, target, num_classes, hidden_dim, num_samples, weights, allow_duplicates):
    """207: scores of a few drawn classes, corrected by how often they are drawn; and those of
    all.
    """
    b = C.Parameter(shape=(num_classes, 1), init=0)
    w = C.Parameter(shape=(num_classes, hidden_dim), init=C.glorot_uniform())
    selector = C.random_sample(weights, num_samples, allow_duplicates)
    log_prior = C.log(C.random_sample_inclusion_frequency(weights, num_samples, allow_duplicates))
    drawn = C.times_transpose(C.times(selector, w), h) + C.times(selector, b)
    drawn = drawn - C.times_transpose(selector, log_prior)
    wanted = (
        C.times_transpose(C.times(target, w), h)
        + C.times(target, b)
        - C.times_transpose(target, log_prior)
    )
    cross_entropy = C.log_add_exp(wanted, C.reduce_log_sum_exp(drawn)) - wanted
    z = C.reshape(C.times_transpose(w, h) + b, shape=(num_classes))
    return z, cross_entropy, C.less(wanted, C.reduce_max(drawn))


def _softmax_of_all(h, target, num_classes, hidden_dim):
    b = C.Parameter(shape=(num_classes, 1), init=0)
    w = C.Parameter(shape=(num_classes, hidden_dim), init=C.glorot_uniform())
    z = C.reshape(C.times_transpose(w, h) + b, (1, num_classes))
    return (
        z,
        C.cross_entropy_with_softmax(z, target),
        C.less(C.times_transpose(z, target), C.reduce_max(z)),
    )


def sampled_softmax(folder):
    """207: from a random projection back to the word, with sampled classes, repeated or not, and
    with all of them.
    """
    classes, hidden = 20, 6
    rng, told = np.random.RandomState(3), []
    projection = rng.normal(scale=sqrt(1.0 / hidden), size=(classes, hidden)).astype(np.float32)
    weights = np.repeat(1.0 / classes, classes)
    weights[:3] *= 2
    for kind in (True, False, None):
        labels = C.sequence.input_variable(shape=classes, is_sparse=True)
        h = C.times(labels, C.constant(shape=(classes, hidden), value=projection))
        if kind is None:
            z, ce, errs = _softmax_of_all(h, labels, classes, hidden)
        else:
            z, ce, errs = _sampled_softmax(h, labels, classes, hidden, 5, weights, kind)
        learner = C.momentum_sgd(
            z.parameters,
            C.learning_rate_schedule(0.03, C.UnitType.sample),
            C.momentum_as_time_constant_schedule(5 * 25),
            True,
        )
        trainer = C.Trainer(z, (ce, errs), learner, ProgressPrinter(freq=5, tag="Training"))
        for number in range(10):
            indices = rng.choice(range(classes), size=25, p=weights / weights.sum()).reshape(
                (1, 25)
            )
            trainer.train_minibatch({labels: C.Value.one_hot(indices, classes)})
            # Where the word itself is drawn, its two scores differ by rounding alone, and so does
            # the metric.
            if number % 3 == 0:
                told += averages(trainer)[: 2 if kind is None else 1]
        indices = rng.randint(0, classes, 30)
        scores = (
            z.eval(C.Value.one_hot([indices.tolist()], classes))[0]
            .reshape(30, classes)
            .astype(float)
        )
        told.append(np.mean(np.log(np.exp(scores).sum(1)) - scores[range(30), indices]))
    return told


def next_characters(folder):
    """CharRNN: pieces of a text, one going on where the one before stopped; then the model writes,
    state by state.
    """
    text = "the cat sat on the mat. the rat ate that. " * 6
    chars = sorted(set(text))
    vocabulary, length = len(chars), 20
    indices = [chars.index(c) for c in text]
    axes = [C.Axis.default_batch_axis(), C.Axis("inputAxis")]
    given = C.input_variable(shape=vocabulary, dynamic_axes=axes)
    following = C.input_variable(shape=vocabulary, dynamic_axes=axes)
    layer = lambda: Sequential([Stabilizer(), Recurrence(LSTM(12), go_backwards=False)])  # noqa: E731
    z = Sequential([For(range(2), layer), Dense(vocabulary)])(given)
    ce, errs = C.cross_entropy_with_softmax(z, following), C.classification_error(z, following)
    learner = C.momentum_sgd(
        z.parameters,
        C.learning_parameter_schedule_per_sample(0.05),
        C.momentum_schedule_per_sample(0.99),
        gradient_clipping_threshold_per_sample=5.0,
        gradient_clipping_with_truncation=True,
    )
    trainer = C.Trainer(z, (ce, errs), learner, ProgressPrinter(freq=5, tag="Training"))
    eye, told, p = np.eye(vocabulary, dtype=np.float32), [], 0
    for number in range(16):
        if p + length + 1 >= len(indices):
            p = 0
        features, labels = [eye[indices[p : p + length]]], [eye[indices[p + 1 : p + length + 1]]]
        trainer.train_minibatch(({given: features, following: labels}, [p == 0]))
        if number % 3 == 0:
            told += averages(trainer)
        p += length
    path = os.path.join(folder, "chars.dnn")
    z.save(path)
    root = C.load_model(path)

    def sample(prime, steps):
        output, begin = [chars.index(prime)], True
        for _ in range(steps):
            x = np.zeros((1, vocabulary), dtype=np.float32)
            x[0, output[-1]] = 1
            p = np.exp(root.eval(([x], [begin]))[0].astype(float))
            output.append(int(np.random.choice(range(vocabulary), p=(p / np.sum(p)).ravel())))
            begin = False
        return output

    return [*told, *sample("t", 12), trainer.previous_minibatch_evaluation_average]


def two_tables(folder):
    """LightRNN: a word is a row and a column of a table; one cell takes both, one after another."""
    rng, side, cells = np.random.RandomState(4), 4, 6

    def light_lstm(input_dim, cell_dim):
        x, dh, dc = (C.placeholder(name=name) for name in ("x", "dh", "dc"))
        b = C.parameter(shape=(4 * cell_dim), init=0)
        w = C.parameter(shape=(input_dim, 4 * cell_dim), init=C.glorot_uniform())
        h = C.parameter(shape=(cell_dim, 4 * cell_dim), init=C.glorot_uniform())

        def step(x, before, state):
            four = b + C.times(x, w) + C.times(before, h)
            i, new, f, o = (C.slice(four, -1, k * cell_dim, (k + 1) * cell_dim) for k in range(4))
            state = C.sigmoid(f) * state + C.sigmoid(i) * C.tanh(new)
            return C.sigmoid(o) * C.tanh(state), state

        ht, ct = step(C.slice(x, -1, 0, input_dim), dh, dc)
        ht2, ct2 = step(C.slice(x, -1, input_dim, 2 * input_dim), ht, ct)
        past = C.sequence.past_value(ht2), C.sequence.past_value(ct2)
        ht.replace_placeholders({dh: past[0].output, dc: past[1].output})
        return C.splice(ht, ht2, axis=-1)

    row, col, row_label, col_label = (C.sequence.input_variable(shape=side) for _ in range(4))
    rows, cols = (Sequential([Embedding(5), Stabilizer(), Dropout(0.0)])(x) for x in (row, col))
    x = light_lstm(5, cells)(C.splice(rows, cols, axis=-1))
    x = For(range(1), lambda: light_lstm(cells, cells))(x)
    row_predict = Sequential([Dropout(0.0), Dense(side)])(C.slice(x, -1, 0, cells))
    col_predict = Sequential([Dropout(0.0), Dense(side)])(C.slice(x, -1, cells, 2 * cells))
    model = C.combine([row_predict, col_predict])
    labels = row_label, col_label
    ce = [
        C.cross_entropy_with_softmax(output, label) for output, label in zip(model.outputs, labels)
    ]
    pe = [C.classification_error(output, label) for output, label in zip(model.outputs, labels)]
    rates, momentum = (
        C.learning_rate_schedule(0.1, C.UnitType.minibatch),
        C.momentum_as_time_constant_schedule(100),
    )
    learner = C.adam(model.parameters, lr=rates, momentum=momentum)
    learner = C.train.distributed.data_parallel_distributed_learner(learner)
    communicator = learner.communicator()
    trainer = C.Trainer(model, (ce[0] + ce[1], pe[0] + pe[1]), learner)

    def minibatch():
        eye = np.eye(side, dtype=np.float32)
        words = [np.cumsum(rng.randint(1, 3, 7)) % side**2 for _ in range(4)]
        r, c = [eye[w // side] for w in words], [eye[w % side] for w in words]
        return {
            row: [x[:-1] for x in r],
            col: [x[:-1] for x in c],
            row_label: [x[1:] for x in r],
            col_label: [x[1:] for x in c],
        }

    told = [
        communicator.rank(),
        C.train.distributed.Communicator.num_workers(),
        communicator.is_main(),
    ]
    for _ in range(5):
        trainer.train_minibatch(minibatch())
        told += averages(trainer)
    data = minibatch()
    loss = C.combine([C.log(C.softmax(output)) for output in model.outputs])
    found = loss.eval({row: data[row], col: data[col]})
    told += [float(sum(x.sum() for x in found[output])) for output in loss.outputs]
    model.save(os.path.join(folder, "light.dnn"))
    model.restore(os.path.join(folder, "light.dnn"))
    return [*told, trainer.test_minibatch(data)]


PROGRAMS = [sampled_softmax, next_characters, two_tables]
