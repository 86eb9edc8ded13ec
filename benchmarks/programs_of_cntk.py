"""The workloads over sequences as CNTK programs that the original runs too: nothing here is newer
than Python 3.6.

Run as a program of its own, it builds one of them and answers over pipes: each line that comes is a
number of steps to train, each line that goes a JSON object with what the training returned and the
peak of memory so far.

    python benchmarks/programs_of_cntk.py NAME THREADS
"""

import json
import os
import resource
import sys
from itertools import cycle, islice
from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

import cntk as C

VOCAB = 1000
EMBEDDING = 64
HIDDEN = 128
NUM_CLASSES = 5
NUM_TAGS = 20
LENGTH = 80
MINIBATCH_SIZE = 32
NUM_MINIBATCHES = 16
LEARNING_RATE = 0.01
SEED = 1

Layer = Callable[..., Any]
Indices = List[List[int]]


class Classified(NamedTuple):
    """Sequences of words, each with a class."""

    words: Indices
    classes: np.ndarray


class Tagged(NamedTuple):
    """Sequences of words, each word with a tag."""

    words: Indices
    tags: Indices


def random_indices(rng: Any, lengths: Sequence[int], extent: int) -> Indices:
    return [rng.integers(extent, size=n).tolist() for n in lengths]


def classified(shortest: int, longest: int) -> List[Classified]:
    """The same minibatches each time, lengths drawn from `shortest` to `longest`."""
    rng = np.random.default_rng(0)
    minibatches = []
    for _ in range(NUM_MINIBATCHES):
        lengths = rng.integers(shortest, longest + 1, MINIBATCH_SIZE)
        words = random_indices(rng, lengths, VOCAB)
        minibatches.append(Classified(words, rng.integers(NUM_CLASSES, size=MINIBATCH_SIZE)))
    return minibatches


def tagged(
    shortest: int,
    longest: int,
    minibatch_size: int = MINIBATCH_SIZE,
    num_minibatches: int = NUM_MINIBATCHES,
) -> List[Tagged]:
    rng = np.random.default_rng(0)
    minibatches = []
    for _ in range(num_minibatches):
        lengths = rng.integers(shortest, longest + 1, minibatch_size)
        words = random_indices(rng, lengths, VOCAB)
        minibatches.append(Tagged(words, random_indices(rng, lengths, NUM_TAGS)))
    return minibatches


def training(
    model: Any, criteria: Sequence[Any], minibatches: Sequence[Dict[Any, Any]]
) -> Callable[[int], Any]:
    """Plain gradient descent on minibatches, again and again; a run returns the averages of its
    last minibatch.
    """
    learner = C.sgd(model.parameters, C.learning_parameter_schedule(LEARNING_RATE))
    trainer = C.Trainer(model, tuple(criteria), [learner])

    def run(steps: int) -> Tuple[float, ...]:
        for minibatch in islice(cycle(minibatches), steps):
            trainer.train_minibatch(minibatch)
        if len(criteria) == 1:
            return (trainer.previous_minibatch_loss_average,)
        return (
            trainer.previous_minibatch_loss_average,
            trainer.previous_minibatch_evaluation_average,
        )

    return run


def classifier(cell: Layer, minibatches: Sequence[Classified]) -> Callable[[int], Any]:
    """An embedding, a recurrence and a dense layer on its last state."""
    words = C.sequence.input_variable(VOCAB, is_sparse=True)
    label = C.input_variable(NUM_CLASSES)
    layers = [C.layers.Embedding(EMBEDDING), C.layers.Recurrence(cell(HIDDEN)), C.sequence.last]
    scores = C.layers.Sequential(layers + [C.layers.Dense(NUM_CLASSES)])(words)
    criteria = C.cross_entropy_with_softmax(scores, label), C.classification_error(scores, label)
    one_hot = np.eye(NUM_CLASSES, dtype=np.float32)
    feeds = [
        {words: C.Value.one_hot(m.words, VOCAB), label: C.Value(one_hot[m.classes])}
        for m in minibatches
    ]
    return training(scores, criteria, feeds)


def plain_cell(size: int) -> Any:
    return C.layers.RNNStep(size, activation=C.tanh)


def stabilized_cell(size: int) -> Any:
    return C.layers.LSTM(size, enable_self_stabilization=True)


def tagger(
    body: Layer, minibatches: Sequence[Tagged], embedding: int = EMBEDDING
) -> Callable[[int], Any]:
    """An embedding, a body, and a dense layer that scores tags for each word."""
    words = C.sequence.input_variable(VOCAB, is_sparse=True)
    tags = C.sequence.input_variable(NUM_TAGS, is_sparse=True)
    scores = C.layers.Dense(NUM_TAGS)(body(C.layers.Embedding(embedding)(words)))
    feeds = [
        {words: C.Value.one_hot(m.words, VOCAB), tags: C.Value.one_hot(m.tags, NUM_TAGS)}
        for m in minibatches
    ]
    return training(scores, [C.cross_entropy_with_softmax(scores, tags)], feeds)


def bidirectional(size: int) -> Layer:
    forwards = C.layers.Recurrence(C.layers.LSTM(size))
    backwards = C.layers.Recurrence(C.layers.LSTM(size), go_backwards=True)
    return lambda x: C.splice(forwards(x), backwards(x))


def dense_layers() -> Layer:
    return C.layers.Sequential(
        [C.layers.Dense(512, activation=C.relu), C.layers.Dense(512, activation=C.relu)]
    )


def gated_cell(size: int) -> Layer:
    """h = z h' + (1 - z) tanh(W x + R h') from primitive operations."""
    weights = C.parameter((EMBEDDING, 2 * size), init=C.glorot_uniform())
    recurrent = C.parameter((size, 2 * size), init=C.glorot_uniform())
    bias = C.parameter(2 * size)

    def layer(x: Any) -> Any:
        feedback = C.placeholder(size)
        before = C.sequence.past_value(feedback)
        both = C.times(x, weights) + bias + C.times(before, recurrent)
        gate = C.sigmoid(C.slice(both, 0, 0, size))
        state = gate * before + (1 - gate) * C.tanh(C.slice(both, 0, size, 2 * size))
        return state.replace_placeholders({feedback: state.output})

    return layer


PROGRAMS: Dict[str, Callable[[], Callable[[int], Any]]] = {
    "lstm": lambda: classifier(C.layers.LSTM, classified(LENGTH, LENGTH)),
    "lstm.lengths": lambda: classifier(C.layers.LSTM, classified(10, 160)),
    "gru.lengths": lambda: classifier(C.layers.GRU, classified(10, 160)),
    "rnn.lengths": lambda: classifier(plain_cell, classified(10, 160)),
    "stabilized": lambda: classifier(stabilized_cell, classified(10, 160)),
    "tagger": lambda: tagger(bidirectional(150), tagged(4, 46)),
    "words": lambda: tagger(dense_layers(), tagged(4, 46)),
    "gated": lambda: tagger(gated_cell(128), tagged(20, 80)),
    "memory.long": lambda: tagger(
        C.layers.Recurrence(C.layers.LSTM(256)), tagged(5000, 5000, 1, 2)
    ),
    "memory.batch": lambda: tagger(C.layers.Recurrence(C.layers.LSTM(256)), tagged(1, 1000, 64, 2)),
}


def build(name: str) -> Callable[[int], Any]:
    """The named program, whose parameters start with the same values wherever it runs."""
    C.cntk_py.set_fixed_random_seed(SEED)
    return PROGRAMS[name]()


def peak_memory() -> int:
    """Most bytes that this process has had in memory. Linux's `getrusage` counts what the process
    was forked from, too.
    """
    if os.path.exists("/proc/self/status"):
        with open("/proc/self/status") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def main(name: str, threads: str) -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what CNTK prints does not mix with the answers
    C.cntk_py.set_max_num_cputhreads(int(threads))
    run = build(name)
    for line in sys.stdin:
        averages = run(int(line))
        answers.write(json.dumps({"averages": averages, "peak": peak_memory()}) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
