"""Programs with random numbers that the original and this package must give the same results for.

Run by the interpreter of either, so written for both.
"""

import numpy as np

import cntk as C
import cntk.random as random

DRAWS = {
    "uniform": dict(low=-2, high=5),
    "normal": dict(mean=0.5, scale=2),
    "gumbel": dict(loc=0.5, scale=2),
    "bernoulli": dict(mean=0.3),
}
FORMATS = {"float": np.float32, "double": np.float64}


def of_a_shape(kind, dtype, shape):
    """Three evaluations of one function, the next ones of a reloaded... see `reloaded`."""
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
        f.eval().toarray().argmax(1) for _ in range(3)
    ]


def inclusion_frequency(allow_duplicates, dtype):
    weights = C.parameter(init=np.arange(1, 51, dtype=dtype))
    f = C.random_sample_inclusion_frequency(weights, 10, allow_duplicates, seed=5)
    results = [f.eval(), f.eval()]
    weights.value = np.ones(50, dtype)
    return results + [f.eval()]


def programs():
    """Name and results, arrays, of each program."""
    for kind in sorted(DRAWS):
        for name, dtype in sorted(FORMATS.items()):
            for shape in ((), (3,), (2, 33)):
                if dtype == np.float64 or shape == (3,):
                    yield "%s %s %s" % (kind, name, shape), of_a_shape(kind, dtype, shape)
        yield kind + " like samples", like_samples(kind, np.float64)
        yield kind + " half", like_samples(kind, np.float16)
        for lengths in ((2,), (3, 3), (1, 4, 2, 1, 1, 3), (2, 3, 1, 5, 2)):
            yield "%s like sequences %s" % (kind, lengths), like_sequences(kind, lengths)
        yield kind + " within a loop", within_loop(kind, C.sequence.past_value)
        yield kind + " within a loop backwards", within_loop(kind, C.sequence.future_value)
    yield "changing shapes", changing_shapes()
    yield "seed set again", seed_set_again()
    yield "automatic seeds", automatic_seeds()
    for duplicates in (True, False):
        yield "sampled %s" % duplicates, sampled(duplicates)
        for name, dtype in sorted(FORMATS.items()):
            yield "inclusion frequency %s %s" % (duplicates, name), inclusion_frequency(duplicates, dtype)
