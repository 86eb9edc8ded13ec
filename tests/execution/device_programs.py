"""Small trainings whose copies to a GPU, and waits for it, are counted; their sequences' lengths
change from step to step.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse

import cntk as C

Feed = Callable[[], dict[Any, Any]]
_WORDS, _TAGS = 30, 4


class Training:
    """A trainer, and data for it.

    Args:
        loss, metric: the criterion.
        feed: gives the data of one minibatch.
        learner: makes a learner of parameters.
    """

    def __init__(
        self, loss: Any, metric: Any, feed: Feed, learner: Callable[[Any], Any] | None = None
    ) -> None:
        learners = [(learner or _sgd)(loss.parameters)]
        self.trainer = C.Trainer(loss, (loss, metric), learners)
        self.feed = feed

    def step(self, device: Any = None) -> None:
        """Train on one minibatch."""
        self.trainer.train_minibatch(self.feed(), device=device)


def _sgd(parameters: Any) -> Any:
    return C.sgd(parameters, C.learning_parameter_schedule(0.01, 1))


def _numbers() -> np.random.Generator:
    return np.random.default_rng(3)


def dense(learner: Callable[[Any], Any] | None = None) -> Training:
    """A classifier of vectors."""
    x, y = C.input_variable(3), C.input_variable(2)
    z = C.layers.Sequential([C.layers.Dense(4, C.tanh), C.layers.Dense(2)])(x)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        classes = numbers.integers(0, 2, 5)
        return {
            x: numbers.normal(size=(5, 3)).astype(np.float32),
            y: np.eye(2, dtype=np.float32)[classes],
        }

    return Training(C.cross_entropy_with_softmax(z, y), C.classification_error(z, y), feed, learner)


def images() -> Training:
    """Convolution, batch normalization, pooling and dropout."""
    x, y = C.input_variable((2, 6, 6)), C.input_variable(3)
    layers = [
        C.layers.Convolution2D((3, 3), 4, pad=True),
        C.layers.BatchNormalization(map_rank=1),
        C.relu,
        C.layers.MaxPooling((2, 2), 2),
        C.layers.Dropout(0.3),
        C.layers.Dense(3),
    ]
    z = C.layers.Sequential(layers)(x)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        classes = numbers.integers(0, 3, 4)
        return {
            x: numbers.normal(size=(4, 2, 6, 6)).astype(np.float32),
            y: np.eye(3, dtype=np.float32)[classes],
        }

    return Training(C.cross_entropy_with_softmax(z, y), C.classification_error(z, y), feed)


def _one_hot(lengths: Any, size: int, numbers: Any) -> Any:
    return C.Value.one_hot([numbers.integers(0, size, n).tolist() for n in lengths], size)


def tagger(
    layer: Any, learner: Callable[[Any], Any] | None = None, is_sparse: bool = True
) -> Training:
    """An embedding of words, a layer of sequences, and a tag for each word."""
    x = C.sequence.input_variable(_WORDS, is_sparse=is_sparse)
    y = C.sequence.input_variable(_TAGS, is_sparse=is_sparse)
    z = C.layers.Sequential([C.layers.Embedding(6), layer, C.layers.Dense(_TAGS)])(x)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        lengths = numbers.integers(1, 9, 5)
        return {x: _one_hot(lengths, _WORDS, numbers), y: _one_hot(lengths, _TAGS, numbers)}

    return Training(C.cross_entropy_with_softmax(z, y), C.classification_error(z, y), feed, learner)


def recurrent(layer: Any, lengths: Any = None) -> Training:
    """A layer of dense sequences, whose last state is classified.

    Args:
        layer: gives one frame for each sequence.
        lengths: of the sequences, in all minibatches; others in each if not given.
    """
    x, y = C.sequence.input_variable(3), C.input_variable(2)
    z = C.layers.Sequential([layer, C.layers.Dense(2)])(x)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        sizes = numbers.integers(1, 9, 5) if lengths is None else lengths
        sequences = [numbers.normal(size=(n, 3)).astype(np.float32) for n in sizes]
        return {x: sequences, y: np.eye(2, dtype=np.float32)[numbers.integers(0, 2, 5)]}

    return Training(C.cross_entropy_with_softmax(z, y), C.classification_error(z, y), feed)


def by_hand() -> Any:
    """A recurrence that is none of the known cells."""
    from cntk.layers import Dense, Recurrence

    @C.Function
    def step(h: Any, x: Any) -> Any:
        return C.softplus(Dense(4)(C.splice(h, x))) * 0.3

    return Recurrence(step)


def continued() -> Training:
    """Sequences that go on from one minibatch to the next."""
    x, y = C.sequence.input_variable(3), C.sequence.input_variable(2)
    z = C.layers.Sequential([C.layers.Recurrence(C.layers.GRU(4)), C.layers.Dense(2)])(x)
    z = z + C.sequence.past_value(z)
    numbers, seen = _numbers(), []

    def feed() -> dict[Any, Any]:
        lengths = numbers.integers(2, 6, 3)
        begins = [not seen, not seen, True]
        seen.append(lengths)
        frames = [numbers.normal(size=(n, 3)).astype(np.float32) for n in lengths]
        return {x: (frames, begins), y: ([f[:, :2].copy() for f in frames], begins)}

    return Training(C.squared_error(z, y), None, feed)


def chosen_frames() -> Training:
    """Frames selected by their content, and scattered again."""
    x, y = C.sequence.input_variable(3), C.sequence.input_variable(3)
    flag = C.slice(x, 0, 2, 3)
    some = C.sequence.gather(C.layers.Dense(3)(x), flag)
    z = C.sequence.scatter(some, flag) + y * 0
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        lengths = numbers.integers(2, 6, 3)
        frames = [numbers.normal(size=(n, 3)).astype(np.float32) for n in lengths]
        for f in frames:
            f[:, 2] = f[:, 0] > 0
            f[0, 2] = 1
        return {x: frames, y: frames}

    return Training(C.squared_error(z, y), None, feed)


def connectionist() -> Training:
    """Labels without a known place in time."""
    x, y = C.sequence.input_variable(3), C.sequence.input_variable(4)
    z = C.layers.Recurrence(C.layers.LSTM(4))(x)
    loss = C.forward_backward(C.labels_to_graph(y), z, 3, 2)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        lengths = numbers.integers(3, 7, 3)
        labels = [np.zeros((n, 4), np.float32) for n in lengths]
        for rows in labels:
            rows[:, 1] = 1
            rows[0, 1], rows[-1] = 2, [0, 0, 2, 0]
        return {x: [numbers.normal(size=(n, 3)).astype(np.float32) for n in lengths], y: labels}

    return Training(loss, C.edit_distance_error(z, y), feed)


def ranked() -> Training:
    """Documents ranked by groups."""
    x, gain, group = C.input_variable(3), C.input_variable(1), C.input_variable(1)
    z = C.layers.Dense(1)(x)
    loss = C.lambda_rank(z, gain, group)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        groups = np.sort(numbers.integers(0, 3, 7)).astype(np.float32)
        gains = numbers.integers(0, 3, 7).astype(np.float32)
        return {
            x: numbers.normal(size=(7, 3)).astype(np.float32),
            gain: gains[:, None],
            group: groups[:, None],
        }

    return Training(loss, C.ndcg_at_1(z, gain, group), feed)


def sparse_rows() -> Training:
    """Vectors with few numbers, that are no classes."""
    x, y = C.input_variable(_WORDS, is_sparse=True), C.input_variable(2)
    z = C.layers.Dense(2)(x)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        matrix = scipy.sparse.random(5, _WORDS, 0.2, "csr", np.float32, random_state=numbers)
        return {x: matrix, y: np.eye(2, dtype=np.float32)[numbers.integers(0, 2, 5)]}

    return Training(C.cross_entropy_with_softmax(z, y), None, feed)


def read() -> Training:
    """Minibatches of a source: dense sequences, and sparse ones that are one-hot."""
    x, y = C.sequence.input_variable(3), C.sequence.input_variable(_TAGS, is_sparse=True)
    z = C.layers.Dense(_TAGS)(x)
    numbers = _numbers()
    lengths = numbers.integers(1, 9, 30)
    frames = [numbers.normal(size=(n, 3)).astype(np.float32) for n in lengths]
    tags = [
        scipy.sparse.csr_matrix(np.eye(_TAGS, dtype=np.float32)[numbers.integers(0, _TAGS, n)])
        for n in lengths
    ]
    types = (
        C.layers.typing.Sequence[C.layers.typing.Tensor[3]],
        C.layers.typing.Sequence[C.layers.typing.SparseTensor[_TAGS]],
    )
    source = C.io.MinibatchSourceFromData({"x": (frames, types[0]), "y": (tags, types[1])})

    def feed() -> dict[Any, Any]:
        found = source.next_minibatch(20)
        return {x: found[source.streams.x], y: found[source.streams.y]}

    return Training(C.cross_entropy_with_softmax(z, y), C.classification_error(z, y), feed)


def unpacked() -> Training:
    """Sequences made rectangles and back."""
    x, y = C.sequence.input_variable(3), C.sequence.input_variable(3)
    values, mask = C.sequence.unpack(C.layers.Dense(3)(x), 0).outputs
    z = C.to_sequence_like(values / C.reduce_sum(mask, axis=0), y)
    numbers = _numbers()

    def feed() -> dict[Any, Any]:
        frames = [numbers.normal(size=(n, 3)).astype(np.float32) for n in numbers.integers(2, 6, 3)]
        return {x: frames, y: frames}

    return Training(C.squared_error(z, y), None, feed)


def _momentum(learner: Any, **options: Any) -> Callable[[Any], Any]:
    rate, momentum = C.learning_parameter_schedule(0.01, 1), C.momentum_schedule(0.9)
    return lambda parameters: learner(parameters, rate, momentum, **options)


def _plain(learner: Any, *values: Any, **options: Any) -> Callable[[Any], Any]:
    rate = C.learning_parameter_schedule(0.01, 1)
    return lambda parameters: learner(parameters, rate, *values, **options)


def _regularized(parameters: Any) -> Any:
    rate = C.learning_parameter_schedule(0.01, 1)
    return C.sgd(
        parameters,
        rate,
        l1_regularization_weight=0.1,
        l2_regularization_weight=0.1,
        gaussian_noise_injection_std_dev=0.1,
        gradient_clipping_threshold_per_sample=0.5,
        gradient_clipping_with_truncation=False,
    )


def _assigned(parameters: Any, gradients: Any) -> Any:
    return C.combine(
        [C.assign(p, p - 0.01 * g) for p, g in zip(parameters, gradients, strict=True)]
    )


LEARNERS: dict[str, Callable[[Any], Any]] = {
    "sgd": _plain(C.sgd),
    "momentum_sgd": _momentum(C.momentum_sgd),
    "nesterov": _momentum(C.nesterov),
    "adagrad": _plain(C.adagrad),
    "adadelta": _plain(C.adadelta),
    "adam": _momentum(C.adam),
    "adamax": _momentum(C.adam, adamax=True),
    "fsadagrad": _momentum(C.fsadagrad),
    "rmsprop": _plain(C.rmsprop, 0.9, 1.2, 0.7, 10, 0.1),
    "regularized": _regularized,
    "universal": lambda parameters: C.universal(_assigned, parameters),
}

PROGRAMS: dict[str, Callable[[], Training]] = {
    **{
        f"dense.{name}": lambda learner=learner: dense(learner)
        for name, learner in LEARNERS.items()
    },
    "images": images,
    "tagger.lstm": lambda: tagger(C.layers.Recurrence(C.layers.LSTM(5))),
    "tagger.dense_data": lambda: tagger(C.layers.Recurrence(C.layers.LSTM(5)), is_sparse=False),
    "tagger.bidirectional": lambda: tagger(
        C.layers.BiRecurrence(C.layers.LSTM(5), C.layers.LSTM(5))
    ),
    "tagger.attention": lambda: tagger(C.layers.TransformerBlock(2, 6, 8)),
    **{
        f"tagger.{name}": lambda name=name: tagger(
            C.layers.Recurrence(C.layers.GRU(5)), LEARNERS[name]
        )
        for name in ("adam", "adagrad", "momentum_sgd")
    },
    "lstm": lambda: recurrent(C.layers.Fold(C.layers.LSTM(4))),
    "gru": lambda: recurrent(C.layers.Fold(C.layers.GRU(4))),
    "rnn": lambda: recurrent(C.layers.Fold(C.layers.RNNStep(4))),
    "by_hand": lambda: recurrent(C.layers.Sequential([by_hand(), C.sequence.last])),
    "backwards": lambda: recurrent(
        C.layers.Sequential(
            [C.layers.Recurrence(C.layers.LSTM(4), go_backwards=True), C.sequence.first]
        )
    ),
    "reduced": lambda: recurrent(C.layers.Sequential([C.layers.Dense(4), C.sequence.reduce_sum])),
    "largest": lambda: recurrent(C.layers.Sequential([C.layers.Dense(4), C.sequence.reduce_max])),
    "windows": lambda: recurrent(
        C.layers.Sequential(
            [lambda x: C.sequence.window(x, 3), C.layers.Dense(4), C.sequence.reduce_mean]
        )
    ),
    "continued": continued,
    "chosen_frames": chosen_frames,
    "connectionist": connectionist,
    "ranked": ranked,
    "sparse_rows": sparse_rows,
    "unpacked": unpacked,
    "read": read,
}

# Those whose steps are recorded: sizes are the same in all minibatches.
RECORDED: dict[str, Callable[[], Training]] = {
    "dense": lambda: dense(LEARNERS["adam"]),
    "images": images,
    "lstm": lambda: recurrent(C.layers.Fold(C.layers.LSTM(4)), [3] * 5),
    "gru": lambda: recurrent(C.layers.Fold(C.layers.GRU(4)), [3, 2, 4, 2, 1]),
}
