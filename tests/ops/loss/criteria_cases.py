"""Criteria of sequences and rankings on random data, as the original and this package both compute
them.

The file is read by the original's interpreter too (Python 3.6): the recording script and the test
both run `CASES`. Each is called with the dtype and gives a list of arrays: values, then
gradients.
"""

from collections import OrderedDict

import numpy as np

import cntk as C

CLASSES = 4
BLANK = 3
DELAYS = (-1, -1, -1, 0, 1, 2, 5, -2)
SCALES = (1, 1, 5, 30, 1e4)
PENALTIES = (
    (1, 1, 1),
    (0, 0, 0),
    (1, 2, 3),
    (3, 1, 1),
    (2.5, 1, 0.5),
    (0, 1, 1),
    (1, 0, 0),
    (0.3, 0.1, 0.2),
)
IGNORED = ([], [0], [1, 3])


def one_hot(classes, values, width):
    rows = np.zeros((len(classes), width))
    rows[np.arange(len(classes)), classes] = values
    return rows


def label_marks(random, length):
    """A frame of marks for each of a sequence's frames; now and then a sequence has more labels
    than fit.
    """
    most = 2 if random.randint(4) else 1
    begins = random.randint(0, 1 + most, length) == most
    return one_hot(random.randint(0, BLANK, length), 1 + begins, CLASSES)


def connectionist(number):
    def run(dtype):
        random = np.random.RandomState(number)
        lengths = random.randint(1, 10, 1 + number % 4)
        marks = [label_marks(random, n).astype(dtype) for n in lengths]
        scores = [(random.randn(n, CLASSES) * SCALES[number % 5]).astype(dtype) for n in lengths]
        labels = C.sequence.input_variable(CLASSES, dtype=dtype)
        features = C.sequence.input_variable(CLASSES, dtype=dtype, needs_gradient=True)
        # With a delay the original reads behind the last sequence's labels: a sequence without any
        # is put there.
        delay = DELAYS[number % 8]
        if delay >= 0:
            marks[-1] = np.where(marks[-1] == 2, 1, marks[-1]).astype(dtype)
        loss = C.forward_backward(C.labels_to_graph(labels), features, BLANK, delay)
        return differentiated(loss, {labels: marks, features: scores}, features)

    return run


def edited(number):
    def run(dtype):
        random = np.random.RandomState(1000 + number)
        lengths = random.randint(1, 12, 1 + number % 4)
        first, second = (C.sequence.input_variable(5, dtype=dtype) for _ in range(2))
        data = [[random.randn(n, 5).astype(dtype) for n in lengths] for _ in range(2)]
        penalties, ignored = PENALTIES[number % 8], IGNORED[number % 3]
        error = C.edit_distance_error(
            first, second, penalties[0], penalties[1], penalties[2], bool(number % 2), ignored
        )
        return [error.eval({first: data[0], second: data[1]})]

    return run


def ranked(number):
    def run(dtype):
        random = np.random.RandomState(2000 + number)
        sizes = random.randint(1, 7, random.randint(1, 5))
        count = int(sum(sizes))
        scores = (
            random.randint(-2, 3, count)
            if number % 3 == 0
            else random.randn(count) * (1, 1, 10)[number % 3]
        )
        gains = np.concatenate([random.randint(0, 5, n) for n in sizes])
        if number % 2:
            ends = np.cumsum(sizes)
            gains = np.concatenate([np.sort(gains[e - n : e])[::-1] for e, n in zip(ends, sizes)])  # noqa: B905
        groups = np.repeat(random.permutation(len(sizes)), sizes)
        score = C.input_variable(1, dtype=dtype, needs_gradient=True)
        plain, gain, group = (C.input_variable(1, dtype=dtype) for _ in range(3))
        columns = [np.asarray(x, dtype).reshape(-1, 1) for x in (scores, gains, groups)]
        metric = C.ndcg_at_1(plain, gain, group).eval(dict(zip((plain, gain, group), columns)))  # noqa: B905
        loss = C.lambda_rank(score, gain, group)
        return [metric] + differentiated(loss, dict(zip((score, gain, group), columns)), score)  # noqa: B905

    return run


def differentiated(function, feed, variable):
    gradient = function.grad(feed, wrt=[variable])
    rows = np.concatenate(gradient) if isinstance(gradient, list) else gradient
    return [function.eval(feed), rows.reshape(-1, variable.shape[0])]


CASES = OrderedDict()
CASES.update(("connectionist %d" % k, connectionist(k)) for k in range(80))  # noqa: UP031
CASES.update(("edited %d" % k, edited(k)) for k in range(72))  # noqa: UP031
CASES.update(("ranked %d" % k, ranked(k)) for k in range(60))  # noqa: UP031
