"""Programs with random numbers that the original and this package must give the same results for.

Run by the interpreter of either, so written for both.
"""

from functools import partial

import numpy as np
import scipy.sparse

import cntk as C
import cntk.random as random

DRAWS = {
    "uniform": {"low": -2, "high": 5},
    "normal": {"mean": 0.5, "scale": 2},
    "gumbel": {"loc": 0.5, "scale": 2},
    "bernoulli": {"mean": 0.3},
}
FORMATS = {"float": np.float32, "double": np.float64}


def of_a_shape(kind, dtype, shape):
    """Three evaluations of one function: it goes on in its numbers."""
    f = getattr(random, kind)(shape, dtype, seed=7, **DRAWS[kind])
    return [f.eval() for _ in range(3)]


def like_samples(kind, dtype):
    x = C.input_variable((3, 2), dtype)
    f = getattr(random, kind + "_like")(x, seed=2**40 + 7, **DRAWS[kind])
    return [f.eval({x: np.zeros((n, 3, 2), dtype)}) for n in (3, 1, 2)]


def like_sequences(kind, lengths):
    x = C.sequence.input_variable(3)
    f = getattr(random, kind + "_like")(x, seed=8, **DRAWS[kind])
    data = [np.zeros((n, 3), np.float32) for n in lengths]
    return [np.concatenate(f.eval({x: data})) for _ in range(2)]


def within_loop(kind, delay):
    """What is drawn inside a recurrence, which the original runs step by step."""
    x, state = C.sequence.input_variable(3), C.placeholder(3)
    before = delay(state)
    noise = getattr(random, kind + "_like")(before, seed=9, **DRAWS[kind])
    f = noise + 0.5 * before + x
    f.replace_placeholders({state: f.output})
    data = [np.zeros((n, 3), np.float32) for n in (1, 4, 2, 1)]
    return [np.concatenate(f.eval({x: data})) for _ in range(2)]


def changing_shapes():
    """All evaluations of a graph go on in the same numbers, whatever is asked of it."""
    x = C.input_variable(C.FreeDimension)
    f = random.uniform_like(x, seed=7)
    g = C.combine([f, f * 2])
    results = [f.eval({x: np.zeros((1, n), np.float32)}) for n in (2, 3, 2, 4)]
    results += [g.eval({x: np.zeros((1, 3), np.float32)}, outputs=[v]) for v in g.outputs]
    return results + [f.eval({x: np.zeros((1, 2), np.float32)})]


def seed_set_again():
    f = random.uniform(2, seed=7)
    results = [f.eval()]
    for seed in (8, 8, 7):
        f.set_attribute("rngSeed", seed)
        results.append(f.eval())
    return results


def automatic_seeds():
    C.cntk_py.reset_random_seed(5)
    f, g, h = random.uniform(2), random.uniform(2, seed=1), random.uniform(2)
    return [f.eval(), g.eval(), h.eval()]


def sampled(allow_duplicates):
    weights = np.arange(1, 51, dtype=np.float32)
    f = C.random_sample(weights, 10, allow_duplicates, seed=5)
    return [C.times(f, np.arange(50, dtype=np.float32).reshape(50, 1)).eval() for _ in range(2)] + [
        f.eval().toarray().argmax(1).astype(np.float32) for _ in range(3)
    ]


def inclusion_frequency(allow_duplicates, dtype):
    weights = C.parameter(init=np.arange(1, 51, dtype=dtype))
    f = C.random_sample_inclusion_frequency(weights, 10, allow_duplicates, seed=5)
    results = [f.eval(), f.eval()]
    weights.value = np.ones(50, dtype)
    return results + [f.eval()]


CLASSES = 9


def label_rows(labels):
    return scipy.sparse.csr_matrix(np.eye(CLASSES, dtype=np.float32)[labels])


def nce(allow_duplicates, sparse, in_sequences=False):
    """The loss and its gradients, twice: each evaluation draws other classes."""
    make = C.sequence.input_variable if in_sequences else C.input_variable
    x, y = make(3, needs_gradient=True), make(CLASSES, is_sparse=sparse)
    weights = C.parameter(
        init=np.sin(np.arange(3.0 * CLASSES, dtype=np.float32)).reshape(CLASSES, 3)
    )
    biases = C.parameter(
        init=np.cos(np.arange(1.0 * CLASSES, dtype=np.float32)).reshape(CLASSES, 1)
    )
    noise = np.array([1, 2, 0, 4, 5, 6, 7, 1, 1], np.float32)
    f = C.nce_loss(weights, biases, x, y, noise, 4, allow_duplicates, seed=11)
    inputs, labels = np.cos(np.arange(12, dtype=np.float32)).reshape(4, 3), [1, 8, 3, 0]
    rows = label_rows(labels)
    if in_sequences:
        feed = {x: [inputs[:1], inputs[1:]], y: [rows[:1], rows[1:]]}
    else:
        feed = {x: inputs, y: rows if sparse else rows.toarray()}
    results = []
    for _ in range(2):
        gradients = f.grad(feed, [weights, biases], as_numpy=False)
        results += [dense(gradients[weights]), dense(gradients[biases])]
        results.append(np.array(gradients[weights].is_sparse))
        results.append(f.eval(feed) if not in_sequences else np.concatenate(f.eval(feed)))
    return results


def dense(gradient):
    """The original reads a gradient that holds only some rows by a product alone."""
    if not gradient.is_sparse:
        return gradient.asarray()
    x = C.input_variable(gradient.shape)
    return C.times(x, np.eye(gradient.shape[-1], dtype=np.float32)).eval({x: gradient})[0]


def nce_trained(make_learner):
    """Losses of a training; weights of classes that do not come up stay as they are."""
    x, y = C.input_variable(3), C.input_variable(CLASSES, is_sparse=True)
    weights = C.parameter((CLASSES, C.InferredDimension), init=C.glorot_uniform(seed=3))
    biases = C.parameter((CLASSES, 1))
    loss = C.nce_loss(
        weights,
        biases,
        C.dropout(x, 0.0),
        y,
        np.arange(1, CLASSES + 1, dtype=np.float32),
        3,
        seed=12,
    )
    trainer = C.Trainer(None, (loss, None), [make_learner(loss.parameters)])
    losses = []
    for k in range(8):
        inputs = np.sin(np.arange(k, k + 12, dtype=np.float32)).reshape(4, 3)
        trainer.train_minibatch({x: inputs, y: label_rows([k, 1, 2, 3])})
        losses.append(trainer.previous_minibatch_loss_average)
    return [np.array(losses, np.float32), weights.value, biases.value]


def hierarchical(label_dim, label_classes, dims):
    C.cntk_py.reset_random_seed(20)
    x, label = C.input_variable(3, needs_gradient=True), C.input_variable(dims)
    chosen, of_groups, of_labels = C.hierarchical_softmax_layer(x, label, label_dim, label_classes)
    labels = np.array([-1, 0, 3, 4, 9, 1.7], np.float32).reshape((6,) + dims)
    feed = {x: np.cos(np.arange(18, dtype=np.float32)).reshape(6, 3), label: labels}
    parameters = list(chosen.parameters)
    gradients = chosen.grad(feed, [x] + parameters)
    results = [chosen.eval(feed), of_groups.eval({x: feed[x]})] + [
        f.eval({x: feed[x]}) for f in of_labels
    ]
    return (
        results
        + [gradients[x]]
        + [gradients[p] for p in parameters]
        + [p.value for p in parameters]
    )


def programs():
    """Name of each program, and what runs it: it gives a list of arrays."""
    for kind in sorted(DRAWS):
        for name, dtype in sorted(FORMATS.items()):
            for shape in ((), (3,), (2, 33)):
                if dtype == np.float64 or shape == (3,):
                    yield f"{kind} {name} {shape}", partial(of_a_shape, kind, dtype, shape)
        yield kind + " like samples", partial(like_samples, kind, np.float64)
        yield kind + " half", partial(like_samples, kind, np.float16)
        for lengths in ((2,), (3, 3), (1, 4, 2, 1, 1, 3), (2, 3, 1, 5, 2)):
            yield f"{kind} like sequences {lengths}", partial(like_sequences, kind, lengths)
        yield kind + " within a loop", partial(within_loop, kind, C.sequence.past_value)
        yield kind + " within a loop backwards", partial(within_loop, kind, C.sequence.future_value)
    yield "changing shapes", partial(changing_shapes)
    yield "seed set again", partial(seed_set_again)
    yield "automatic seeds", partial(automatic_seeds)
    for duplicates in (True, False):
        yield f"sampled {duplicates}", partial(sampled, duplicates)
        for name, dtype in sorted(FORMATS.items()):
            yield (
                f"inclusion frequency {duplicates} {name}",
                partial(inclusion_frequency, duplicates, dtype),
            )
        for sparse in (True, False):
            yield f"nce {duplicates} {sparse}", partial(nce, duplicates, sparse)
    yield "nce in sequences", partial(nce, True, True, in_sequences=True)
    rate = C.learning_parameter_schedule_per_sample(0.1)
    momentum = C.momentum_schedule_per_sample(0.9)
    yield "nce trained sgd", partial(nce_trained, lambda p: C.sgd(p, rate))
    yield "nce trained momentum", partial(nce_trained, lambda p: C.momentum_sgd(p, rate, momentum))
    yield "nce trained adagrad", partial(nce_trained, lambda p: C.adagrad(p, rate))
    for label_dim, label_classes, dims in (
        (10, None, (1,)),
        (7, 2, ()),
        (5, 5, (1,)),
        (4, 1, (1,)),
    ):
        name = f"hierarchical softmax {label_dim} {label_classes} {dims}"
        yield name, partial(hierarchical, label_dim, label_classes, dims)
