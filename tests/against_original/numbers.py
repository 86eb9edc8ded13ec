"""The laws that operands' numbers are drawn by, each known by its name; NumPy's old generator never
changes.
"""

import numpy as np

# Where functions bend, break or overflow.
EXTREME = (
    0.0,
    -0.0,
    1.0,
    -1.0,
    0.5,
    -0.5,
    2.5,
    -2.5,
    1.5,
    3.0,
    -3.0,
    1e-30,
    -1e-30,
    1e4,
    -1e4,
    100.0,
    -100.0,
)


def uniform(random, shape, low, high):
    return random.uniform(low, high, shape)


def integers(random, shape, low, high):
    """Whole numbers below `high`: many are equal."""
    return random.randint(low, high, shape).astype(float)


def distinct(random, shape):
    """No two are equal, so that it is plain which is the largest."""
    size = int(np.prod(shape))
    return (random.permutation(size).reshape(shape) - 0.4 * size) * 0.31


def extreme(random, shape):
    return np.array(EXTREME)[random.randint(0, len(EXTREME), shape)]


def chosen(random, shape, values):
    return np.array(values, float)[random.randint(0, len(values), shape)]


def given(random, shape, values):
    """The same numbers in every sample."""
    return np.broadcast_to(np.array(values, float), shape)


def one_hot(random, shape):
    """A single 1 along the last axis."""
    return np.eye(shape[-1])[random.randint(0, shape[-1], shape[:-1])]


def few(random, shape):
    """Mostly zeros, and never a whole row of them: the original refuses to be fed that where it is
    sparse.
    """
    kept = random.uniform(0, 1, shape) < 0.3
    kept[..., random.randint(0, shape[-1])] = True
    return random.uniform(-2, 2, shape) * kept


def probabilities(random, shape):
    """Positive and of sum 1 along the last axis."""
    weights = random.uniform(0.1, 1, shape)
    return weights / weights.sum(axis=-1, keepdims=True) if shape else weights


def boxes(random, shape):
    """Corners `x1, y1, x2, y2` of regions of a picture of 8 by 8."""
    corners = random.randint(0, 5, shape[:-1] + (2,))
    return np.concatenate(
        [corners, corners + random.randint(1, 4, shape[:-1] + (2,))], axis=-1
    ).astype(float)


LAWS = {
    law.__name__: law
    for law in (
        uniform,
        integers,
        distinct,
        extreme,
        chosen,
        given,
        one_hot,
        few,
        probabilities,
        boxes,
    )
}


def drawn(random, law, shape):
    """Numbers by the law `[name, *settings]`."""
    return LAWS[law[0]](random, shape, *law[1:])
