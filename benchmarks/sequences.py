"""Training over sequences of very different length: one-hot words on CNTK's side, word indices on PyTorch's.

PyTorch's side is written twice, over a padded rectangle with a mask and over packed sequences where its layers take
these, and the faster of the two counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import cntk as C

from .timing import Contestants, Run, Workload, faster
from .training import LEARNING_RATE, NUM_MINIBATCHES, cntk_training, pytorch_training, random_classes, repeat

VOCAB = 1000
EMBEDDING = 64
HIDDEN = 128
NUM_CLASSES = 5
LENGTH = 80
MINIBATCH_SIZE = 32
NUM_TAGS = 20
IGNORED = -100


class SequenceClassifier(nn.Module):
    """An embedding, a recurrent layer and a linear one on its last state; over sequences of one length."""

    def __init__(self, recurrence: type[nn.RNNBase] = nn.LSTM) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, EMBEDDING)
        self.recurrence = recurrence(EMBEDDING, HIDDEN, batch_first=True)
        self.linear = nn.Linear(HIDDEN, NUM_CLASSES)

    def forward(self, tokens: Tensor) -> Tensor:
        states, _ = self.recurrence(self.embedding(tokens))
        return self.linear(states[:, -1])


class PaddedClassifier(SequenceClassifier):
    """The same over padded sequences, whose last states are picked."""

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        tokens, lengths = batch
        states, _ = self.recurrence(self.embedding(tokens))
        return self.linear(states[torch.arange(len(lengths)), lengths - 1])


class PackedClassifier(SequenceClassifier):
    """The same over packed sequences."""

    def forward(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        tokens, lengths = batch
        packed = pack_padded_sequence(self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False)
        _, last = self.recurrence(packed)
        return self.linear((last[0] if isinstance(last, tuple) else last)[-1])


def cntk_network(cell: Callable[[int], C.Function]) -> C.Function:
    return C.layers.Sequential(
        [C.layers.Embedding(EMBEDDING), C.layers.Recurrence(cell(HIDDEN)), C.sequence.last, C.layers.Dense(NUM_CLASSES)]
    )


def random_words(rng: np.random.Generator, shortest: int, longest: int) -> list[list[int]]:
    lengths = rng.integers(shortest, longest + 1, MINIBATCH_SIZE)
    return [rng.integers(VOCAB, size=n).tolist() for n in lengths]


def padded(sequences: Sequence[Sequence[int]], value: int) -> Tensor:
    longest = max(map(len, sequences))
    return torch.tensor([[*s, *[value] * (longest - len(s))] for s in sequences])


def build_equal_lengths() -> Contestants:
    rng = np.random.default_rng(0)
    tensors, values = [], []
    for _ in range(NUM_MINIBATCHES):
        tokens = rng.integers(VOCAB, size=(MINIBATCH_SIZE, LENGTH))
        classes, one_hot = random_classes(rng, MINIBATCH_SIZE, NUM_CLASSES)
        tensors.append((torch.from_numpy(tokens), torch.from_numpy(classes)))
        values.append((C.Value.one_hot(tokens.tolist(), VOCAB), one_hot))
    features = C.sequence.input_variable(VOCAB, is_sparse=True)
    return Contestants(
        pytorch_training(SequenceClassifier(), tensors),
        cntk_training(cntk_network(C.layers.LSTM)(features), features, NUM_CLASSES, values),
    )


def build_classifier(recurrence: type[nn.RNNBase], cell: Callable[[int], C.Function]) -> Contestants:
    rng = np.random.default_rng(0)
    tensors, values = [], []
    for _ in range(NUM_MINIBATCHES):
        words = random_words(rng, 10, 160)
        classes, one_hot = random_classes(rng, MINIBATCH_SIZE, NUM_CLASSES)
        batch = padded(words, 0), torch.tensor(list(map(len, words)))
        tensors.append((batch, torch.from_numpy(classes)))
        values.append((C.Value.one_hot(words, VOCAB), one_hot))
    features = C.sequence.input_variable(VOCAB, is_sparse=True)
    return Contestants(
        faster(*(pytorch_training(kind(recurrence), tensors) for kind in (PaddedClassifier, PackedClassifier))),
        cntk_training(cntk_network(cell)(features), features, NUM_CLASSES, values),
    )


class Tagger(nn.Module):
    """A tag for each word, from states of some body over padded sequences."""

    def __init__(self, body: nn.Module, size: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, EMBEDDING)
        self.body = body
        self.linear = nn.Linear(size, NUM_TAGS)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        return self.linear(self.body(self.embedding(tokens), lengths))


class PaddedRecurrence(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(EMBEDDING, size, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return self.lstm(x)[0]


class PackedRecurrence(PaddedRecurrence):
    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


class Layers(nn.Module):
    """Two fully connected layers on each word, padding included."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(EMBEDDING, size), nn.ReLU(), nn.Linear(size, size), nn.ReLU())

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        return self.layers(x)


class GatedCell(nn.Module):
    """A gated cell in a loop over time: h = z h' + (1 - z) tanh(W x + R h')."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.from_input = nn.Linear(EMBEDDING, 2 * size)
        self.from_state = nn.Linear(size, 2 * size, bias=False)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        inputs = self.from_input(x)
        state = x.new_zeros(x.shape[0], self.size)
        states = []
        for step in inputs.unbind(1):
            gate, candidate = (step + self.from_state(state)).chunk(2, 1)
            gate = torch.sigmoid(gate)
            state = gate * state + (1 - gate) * torch.tanh(candidate)
            states.append(state)
        return torch.stack(states, 1)


def gated_cell(size: int) -> Callable[..., C.Variable]:
    """The same cell from CNTK's primitive operations."""
    weights = C.parameter((EMBEDDING, 2 * size), init=C.glorot_uniform())
    recurrent = C.parameter((size, 2 * size), init=C.glorot_uniform())
    bias = C.parameter(2 * size)

    def layer(x: C.Function) -> C.Function:
        feedback = C.placeholder(size)
        before = C.sequence.past_value(feedback)
        both = C.times(x, weights) + bias + C.times(before, recurrent)
        gate = C.sigmoid(C.slice(both, 0, 0, size))
        state = gate * before + (1 - gate) * C.tanh(C.slice(both, 0, size, 2 * size))
        return state.replace_placeholders({feedback: state.output})

    return layer


def bidirectional(size: int) -> Callable[..., C.Function]:
    forwards, backwards = (
        C.layers.Recurrence(C.layers.LSTM(size)),
        C.layers.Recurrence(C.layers.LSTM(size), go_backwards=True),
    )
    return lambda x: C.splice(forwards(x), backwards(x))


def pytorch_tagging(model: nn.Module, batches: Sequence[tuple[Tensor, Tensor, Tensor]]) -> Run:
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)

    def run(steps: int) -> float:
        model.train()
        total = torch.zeros(())
        for tokens, lengths, tags in repeat(batches, steps):
            optimizer.zero_grad(set_to_none=True)
            scores = model(tokens, lengths)
            loss = F.cross_entropy(scores.flatten(0, 1), tags.flatten(), ignore_index=IGNORED)
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return total.item() / steps

    return run


def cntk_tagging(
    body: Callable[..., C.Function], batches: Sequence[tuple[C.Value, C.Value]], embedding: int = EMBEDDING
) -> Run:
    words = C.sequence.input_variable(VOCAB, is_sparse=True)
    tags = C.sequence.input_variable(NUM_TAGS, is_sparse=True)
    scores = C.layers.Dense(NUM_TAGS)(body(C.layers.Embedding(embedding)(words)))
    learner = C.sgd(scores.parameters, C.learning_parameter_schedule(LEARNING_RATE))
    trainer = C.Trainer(scores, C.cross_entropy_with_softmax(scores, tags), [learner])

    def run(steps: int) -> float:
        for inputs, targets in repeat(batches, steps):
            trainer.train_minibatch({words: inputs, tags: targets})
        return trainer.previous_minibatch_loss_average

    return run


def build_tagger(
    bodies: Sequence[Callable[[], tuple[nn.Module, int]]],
    body: Callable[[], Callable[..., C.Function]],
    shortest: int,
    longest: int,
) -> Contestants:
    rng = np.random.default_rng(0)
    tensors, values = [], []
    for _ in range(NUM_MINIBATCHES):
        words = random_words(rng, shortest, longest)
        tags = [rng.integers(NUM_TAGS, size=len(s)).tolist() for s in words]
        tensors.append((padded(words, 0), torch.tensor(list(map(len, words))), padded(tags, IGNORED)))
        values.append((C.Value.one_hot(words, VOCAB), C.Value.one_hot(tags, NUM_TAGS)))
    rivals = [pytorch_tagging(Tagger(*make()), tensors) for make in bodies]
    return Contestants(faster(*rivals), cntk_tagging(body(), values))


def dense_layers() -> Callable[..., C.Function]:
    return C.layers.Sequential([C.layers.Dense(512, activation=C.relu), C.layers.Dense(512, activation=C.relu)])


WORKLOADS = [
    Workload("lstm", "embedding 1000 to 64, LSTM 128, dense 5, length 80, batch 32", build_equal_lengths),
    Workload(
        "lstm.lengths",
        "the same, lengths 10 to 160",
        lambda: build_classifier(nn.LSTM, C.layers.LSTM),
    ),
    Workload(
        "gru.lengths",
        "the same with a GRU",
        lambda: build_classifier(nn.GRU, C.layers.GRU),
    ),
    Workload(
        "tagger",
        "bidirectional LSTM 150, a tag for each word, lengths 4 to 46",
        lambda: build_tagger(
            (lambda: (PaddedRecurrence(150), 300), lambda: (PackedRecurrence(150), 300)),
            lambda: bidirectional(150),
            4,
            46,
        ),
    ),
    Workload(
        "words",
        "two dense layers of 512 on each word, lengths 4 to 46",
        lambda: build_tagger((lambda: (Layers(512), 512),), dense_layers, 4, 46),
    ),
    Workload(
        "gated",
        "a gated cell of 128 written by hand, lengths 20 to 80",
        lambda: build_tagger((lambda: (GatedCell(128), 128),), lambda: gated_cell(128), 20, 80),
    ),
]
