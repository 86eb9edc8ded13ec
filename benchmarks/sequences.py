"""Training of a recurrent classifier of token sequences: one-hot words on CNTK's side, word indices on PyTorch's."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

import cntk as C

from .timing import Contestants, Workload
from .training import NUM_MINIBATCHES, cntk_training, pytorch_training, random_classes

VOCAB = 1000
EMBEDDING = 64
HIDDEN = 128
NUM_CLASSES = 5
LENGTH = 80
MINIBATCH_SIZE = 32


class SequenceClassifier(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, EMBEDDING)
        self.lstm = nn.LSTM(EMBEDDING, HIDDEN, batch_first=True)
        self.linear = nn.Linear(HIDDEN, NUM_CLASSES)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        _, (last_hidden, _) = self.lstm(self.embedding(tokens))
        return self.linear(last_hidden[-1])


def cntk_network() -> C.Function:
    return C.layers.Sequential(
        [
            C.layers.Embedding(EMBEDDING),
            C.layers.Recurrence(C.layers.LSTM(HIDDEN)),
            C.sequence.last,
            C.layers.Dense(NUM_CLASSES),
        ]
    )


def build_lstm() -> Contestants:
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
        cntk_training(cntk_network()(features), features, NUM_CLASSES, values),
    )


WORKLOADS = [Workload("lstm", "embedding 1000 to 64, LSTM 128, dense 5, length 80, batch 32", build_lstm)]
