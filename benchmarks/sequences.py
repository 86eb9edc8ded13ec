"""Training over sequences of very different length: one-hot words on CNTK's side, word indices on
PyTorch's.

PyTorch's side is written twice, over a padded rectangle with a mask and over packed sequences where
its layers take these, and the faster of the two counts. CNTK's side is in `programs_of_cntk`, which
the original runs too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from .programs_of_cntk import (
    EMBEDDING,
    HIDDEN,
    LEARNING_RATE,
    LENGTH,
    NUM_CLASSES,
    NUM_TAGS,
    VOCAB,
    Classified,
    Tagged,
    build,
    classified,
    tagged,
)
from .timing import Contestants, Run, Workload, faster
from .training import pytorch_training, repeat

IGNORED = -100


class SequenceClassifier(nn.Module):
    """An embedding, a recurrent layer and a linear one on its last state; over sequences of one
    length.
    """

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
        packed = pack_padded_sequence(
            self.embedding(tokens), lengths, batch_first=True, enforce_sorted=False
        )
        _, last = self.recurrence(packed)
        return self.linear((last[0] if isinstance(last, tuple) else last)[-1])


def padded(sequences: Sequence[Sequence[int]], value: int) -> Tensor:
    longest = max(map(len, sequences))
    return torch.tensor([[*s, *[value] * (longest - len(s))] for s in sequences])


def build_equal_lengths() -> Contestants:
    minibatches = classified(LENGTH, LENGTH)
    tensors = [(torch.tensor(m.words), torch.from_numpy(m.classes)) for m in minibatches]
    return Contestants(pytorch_training(SequenceClassifier(), tensors), build("lstm"))


def build_classifier(
    recurrence: type[nn.RNNBase], minibatches: Sequence[Classified], name: str
) -> Contestants:
    tensors = []
    for words, classes in minibatches:
        batch = padded(words, 0), torch.tensor(list(map(len, words)))
        tensors.append((batch, torch.from_numpy(classes)))
    rivals = (
        pytorch_training(kind(recurrence), tensors) for kind in (PaddedClassifier, PackedClassifier)
    )
    return Contestants(faster(*rivals), build(name))


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
    """Both directions over padded sequences, the second over each sequence turned round, so that it
    meets no padding.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.forwards = nn.LSTM(EMBEDDING, size, batch_first=True)
        self.backwards = nn.LSTM(EMBEDDING, size, batch_first=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        count, extent, _ = x.shape
        steps = torch.arange(extent)
        turned = torch.where(steps < lengths[:, None], lengths[:, None] - 1 - steps, steps)
        places = (turned + extent * torch.arange(count)[:, None]).flatten()
        states = self.backwards(_chosen(x, places))[0]
        return torch.cat([self.forwards(x)[0], _chosen(states, places)], 2)


def _chosen(x: Tensor, places: Tensor) -> Tensor:
    """Faster than `gather`, above all on the way back."""
    return x.flatten(0, 1).index_select(0, places).view_as(x)


class PackedRecurrence(nn.Module):
    def __init__(self, size: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(EMBEDDING, size, batch_first=True, bidirectional=True)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return pad_packed_sequence(self.lstm(packed)[0], batch_first=True)[0]


class Layers(nn.Module):
    """Two fully connected layers on each word, padding included."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(EMBEDDING, size), nn.ReLU(), nn.Linear(size, size), nn.ReLU()
        )

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


def build_tagger(
    bodies: Sequence[Callable[[], tuple[nn.Module, int]]], minibatches: Sequence[Tagged], name: str
) -> Contestants:
    tensors = padded_tagging(minibatches)
    rivals = [pytorch_tagging(Tagger(*make()), tensors) for make in bodies]
    return Contestants(faster(*rivals), build(name))


def padded_tagging(minibatches: Sequence[Tagged]) -> list[tuple[Tensor, Tensor, Tensor]]:
    """Words, lengths and tags as PyTorch takes them."""
    return [
        (padded(m.words, 0), torch.tensor(list(map(len, m.words))), padded(m.tags, IGNORED))
        for m in minibatches
    ]


def classifying(name: str, description: str, recurrence: type[nn.RNNBase]) -> Workload:
    return Workload(
        name, description, lambda: build_classifier(recurrence, classified(10, 160), name)
    )


WORKLOADS = [
    Workload(
        "lstm", "embedding 1000 to 64, LSTM 128, dense 5, length 80, batch 32", build_equal_lengths
    ),
    classifying("lstm.lengths", "the same, lengths 10 to 160", nn.LSTM),
    classifying("gru.lengths", "the same with a GRU", nn.GRU),
    classifying("rnn.lengths", "the same with a plain recurrence", nn.RNN),
    classifying(
        "stabilized",
        "the same with a self-stabilized LSTM, whose factor PyTorch's side leaves out",
        nn.LSTM,
    ),
    Workload(
        "tagger",
        "bidirectional LSTM 150, a tag for each word, lengths 4 to 46",
        lambda: build_tagger(
            (lambda: (PaddedRecurrence(150), 300), lambda: (PackedRecurrence(150), 300)),
            tagged(4, 46),
            "tagger",
        ),
    ),
    Workload(
        "words",
        "two dense layers of 512 on each word, lengths 4 to 46",
        lambda: build_tagger((lambda: (Layers(512), 512),), tagged(4, 46), "words"),
    ),
    Workload(
        "gated",
        "a gated cell of 128 written by hand, lengths 20 to 80",
        lambda: build_tagger((lambda: (GatedCell(128), 128),), tagged(20, 80), "gated"),
    ),
]
