"""Training a transformer over sequences of very different length: padded with a mask on PyTorch's
side, as they are here.

PyTorch's side is its own `nn.TransformerEncoder`; both sides have the same layers in the same order
and no dropout.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

import cntk as C
from cntk.layers import For, PositionalEncoding, Sequential, TransformerBlock

from .programs_of_cntk import NUM_TAGS, VOCAB, tagged, tagger
from .sequences import padded_tagging, pytorch_tagging
from .timing import Contestants, Workload

NUM_BLOCKS, MODEL_DIM, NUM_HEADS, HIDDEN_DIM = 4, 128, 4, 512
MINIBATCH_SIZE = 16


class PaddedEncoder(nn.Module):
    """A tag for each word of padded sequences, whose padding nobody looks at."""

    def __init__(self, longest: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCAB, MODEL_DIM)
        self.register_buffer("waves", waves(longest))
        layer = nn.TransformerEncoderLayer(
            MODEL_DIM, NUM_HEADS, HIDDEN_DIM, dropout=0.0, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, NUM_BLOCKS)
        self.linear = nn.Linear(MODEL_DIM, NUM_TAGS)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        extent = tokens.shape[1]
        padding = torch.arange(extent) >= lengths[:, None]
        x = self.embedding(tokens) + self.waves[:extent]
        return self.linear(self.encoder(x, src_key_padding_mask=padding))


def waves(longest: int) -> Tensor:
    """Sine and cosine of each place, ``[longest, MODEL_DIM]``."""
    places = torch.arange(longest)[:, None]
    angles = places * torch.exp(torch.arange(0, MODEL_DIM, 2) * (-math.log(10000.0) / MODEL_DIM))
    return torch.stack([angles.sin(), angles.cos()], 2).flatten(1)


def encoder() -> C.Function:
    def block() -> C.Function:
        return TransformerBlock(NUM_HEADS, MODEL_DIM, HIDDEN_DIM, normalize_first=False)

    return Sequential([PositionalEncoding(), For(range(NUM_BLOCKS), block)])


def build(shortest: int, longest: int, minibatch_size: int) -> Contestants:
    minibatches = tagged(shortest, longest, minibatch_size)
    rival = pytorch_tagging(PaddedEncoder(longest), padded_tagging(minibatches))
    return Contestants(rival, tagger(encoder(), minibatches, MODEL_DIM))


WORKLOADS = [
    Workload(
        "transformer",
        "4 blocks of 128 with 4 heads and 512 hidden, a tag for each word, lengths 10 to 200, "
        "batch 16",
        lambda: build(10, 200, MINIBATCH_SIZE),
    ),
    Workload(
        "transformer.short",
        "the same, lengths 4 to 46, batch 32",
        lambda: build(4, 46, 2 * MINIBATCH_SIZE),
    ),
]
