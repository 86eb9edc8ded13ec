"""One operation of each family beside the torch call that does the same, arrays in and arrays out
on both sides.

The first row is small enough that only the overhead of an evaluation counts; in the others the work
does. Sequences are a list of arrays on both sides; PyTorch's makes a rectangle of them, whose mask
is made beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

import cntk as C

from .timing import Contestants, Run, Workload

LENGTHS = tuple(range(4, 47, 3))
WIDTH = 64
MASK = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]


def repeated(step: Callable[[], object]) -> Run:
    def run(steps: int) -> None:
        for _ in range(steps):
            step()

    return run


def uniform(*shape: int) -> np.ndarray:
    """Numbers from 0.1 to 1."""
    return np.random.default_rng(0).uniform(0.1, 1, shape).astype(np.float32)


def pytorch_results(op: Callable[..., Tensor], *arrays: np.ndarray) -> Run:
    @torch.inference_mode()
    def step() -> np.ndarray:
        return op(*map(torch.from_numpy, arrays)).numpy()

    return repeated(step)


def pytorch_gradients(op: Callable[..., Tensor], *arrays: np.ndarray) -> Run:
    def step() -> list[np.ndarray]:
        leaves = [torch.from_numpy(array).requires_grad_() for array in arrays]
        return [gradient.numpy() for gradient in torch.autograd.grad(op(*leaves).sum(), leaves)]

    return repeated(step)


def on_samples(
    ours: Callable[..., Any],
    theirs: Callable[..., Tensor],
    gradient: bool,
    *shapes: tuple[int, ...],
) -> Any:
    """Both sides of an operation on operands of some shapes, each with a batch axis."""
    arrays = [uniform(*shape) for shape in shapes]
    variables = [C.input_variable(shape[1:], needs_gradient=gradient) for shape in shapes]
    feed = dict(zip(variables, arrays, strict=True))
    function = ours(*variables)
    if gradient:
        return Contestants(
            pytorch_gradients(theirs, *arrays), repeated(lambda: function.grad(feed, wrt=variables))
        )
    return Contestants(pytorch_results(theirs, *arrays), repeated(lambda: function.eval(feed)))


def on_sequences(
    ours: Callable[..., Any], theirs: Callable[..., Tensor], gradient: bool
) -> Contestants:
    """Both sides of an operation on sequences of vectors; PyTorch's pads them."""
    sequences = [uniform(length, WIDTH) for length in LENGTHS]
    variable = C.sequence.input_variable(WIDTH, needs_gradient=gradient)
    made = ours(variable)
    function, others = made if isinstance(made, tuple) else (made, {})
    feed = {variable: sequences, **others}
    if gradient:
        return Contestants(
            pytorch_gradients(padded(theirs), *sequences),
            repeated(lambda: function.grad(feed, wrt=[variable])),
        )
    return Contestants(
        pytorch_results(padded(theirs), *sequences), repeated(lambda: function.eval(feed))
    )


def padded(op: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """An operation on a rectangle, for sequences one by one."""
    return lambda *sequences: op(pad_sequence(sequences, batch_first=True))


def masked_softmax(x: Tensor) -> Tensor:
    return torch.where(MASK[..., None], x, -torch.inf).softmax(1)


def last(x: Tensor) -> Tensor:
    return x[torch.arange(len(LENGTHS)), MASK.sum(1) - 1]


def previous(x: Tensor) -> Tensor:
    return F.pad(x, (0, 0, 1, 0))[:, :-1] * MASK[..., None]


def cross_entropy(x: Tensor, target: Tensor) -> Tensor:
    return F.cross_entropy(x, target, reduction="none")


def normalized(x: Tensor) -> Tensor:
    return F.batch_norm(
        x, torch.zeros(16), torch.ones(16), torch.ones(16), torch.zeros(16), False, 0.0, 1e-5
    )


def normalization(x: Any) -> Any:
    scale, bias, mean, variance = (C.parameter(16, init=k) for k in (1, 0, 0, 1))
    count = C.constant(0)
    return C.batch_normalization(x, scale, bias, mean, variance, count, True, epsilon=1e-5)


def dropped(x: Any) -> Any:
    return C.dropout(x, 0.25, seed=1)


def attention(x: Any) -> Any:
    return C.sequence.scaled_dot_product_attention(x, x, x)


def masked_attention(x: Tensor) -> Tensor:
    return F.scaled_dot_product_attention(x, x, x, attn_mask=MASK[:, None, :])


def stack(x: Any) -> Any:
    return C.optimized_rnnstack(x, C.parameter((C.InferredDimension, 1), init=0.01), 64, 2)


STACK = nn.LSTM(WIDTH, 64, 2, batch_first=True)
LABELS = [np.arange(length) % 7 // 6 * (1 + np.arange(length) % 5) for length in LENGTHS]
TARGETS = [torch.from_numpy(labels[labels > 0]) for labels in LABELS]


def ctc(x: Any) -> Any:
    """Labels of the given frames, as paths with the first frame of each label marked by 2."""
    marks = [
        np.eye(WIDTH, dtype=np.float32)[labels] * (1 + (labels > 0))[:, None] for labels in LABELS
    ]
    graph = C.labels_to_graph(C.sequence.input_variable(WIDTH))
    return C.forward_backward(graph, x, 0), {graph.arguments[0]: marks}


def pytorch_ctc(x: Tensor) -> Tensor:
    lengths = torch.tensor(LENGTHS)
    targets, sizes = torch.cat(TARGETS), torch.tensor([len(t) for t in TARGETS])
    return F.ctc_loss(x.log_softmax(-1).transpose(0, 1), targets, lengths, sizes, reduction="sum")


IMAGE = (16, 16, 32, 32)
MATRIX = (256, 256)
FILTERS = uniform(32, 16, 3, 3)
WEIGHTS = uniform(256, 128)

# Name, this package's operation, torch's, and the operands' shapes, the batch axis first.
ON_SAMPLES: Sequence[
    tuple[str, Callable[..., Any], Callable[..., Tensor], tuple[tuple[int, ...], ...]]
] = (
    ("overhead", C.relu, torch.relu, ((4, 16),)),
    ("unary", C.exp, torch.exp, (MATRIX,)),
    ("trigonometry", C.sin, torch.sin, (MATRIX,)),
    ("rounding", C.floor, torch.floor, (MATRIX,)),
    ("activation", C.relu, torch.relu, (MATRIX,)),
    ("gelu", C.gelu, F.gelu, (MATRIX,)),
    ("dropout", dropped, partial(F.dropout, p=0.25), (MATRIX,)),
    ("random", C.random.uniform_like, torch.rand_like, (MATRIX,)),
    (
        "logic",
        C.element_and,
        lambda x, y: torch.logical_and(x > 0, y > 0).to(x.dtype),
        (MATRIX, MATRIX),
    ),
    ("cumsum", partial(C.cumsum, axis=0), partial(torch.cumsum, dim=1), (MATRIX,)),
    ("einsum", partial(C.einsum, "ij,jk->ik"), torch.bmm, ((32, 32, 32), (32, 32, 32))),
    ("elementwise", C.plus, torch.add, (MATRIX, MATRIX)),
    ("division", C.element_divide, torch.div, (MATRIX, MATRIX)),
    ("comparison", C.less, torch.lt, (MATRIX, MATRIX)),
    (
        "gather",
        lambda k: C.gather(C.constant(WEIGHTS), k),
        lambda k: torch.from_numpy(WEIGHTS)[k.long()],
        ((256, 8),),
    ),
    (
        "top_k",
        lambda x: C.combine([C.top_k(x, 5).outputs[0]]),
        lambda x: x.topk(5).values,
        (MATRIX,),
    ),
    ("softmax", C.softmax, partial(torch.softmax, dim=-1), (MATRIX,)),
    (
        "reduction",
        partial(C.reduce_sum, axis=0),
        partial(torch.sum, dim=-1, keepdim=True),
        (MATRIX,),
    ),
    (
        "transpose",
        partial(C.transpose, perm=(1, 0)),
        lambda x: x.transpose(1, 2).contiguous(),
        ((16, 64, 64),),
    ),
    (
        "reshape",
        partial(C.reshape, shape=(16, 16)),
        lambda x: x.reshape(-1, 16, 16).clone(),
        (MATRIX,),
    ),
    ("slice", lambda x: C.slice(x, 0, 8, 200), lambda x: x[:, 8:200].contiguous(), (MATRIX,)),
    ("splice", C.splice, lambda x, y: torch.cat((x, y), -1), (MATRIX, MATRIX)),
    ("pad", partial(C.pad, pattern=[(2, 3)]), partial(F.pad, pad=(2, 3)), (MATRIX,)),
    (
        "times",
        lambda x: C.times(x, C.constant(WEIGHTS)),
        lambda x: x @ torch.from_numpy(WEIGHTS),
        (MATRIX,),
    ),
    (
        "convolution",
        lambda x: C.convolution(C.constant(FILTERS), x, auto_padding=[False, True, True]),
        lambda x: F.conv2d(x, torch.from_numpy(FILTERS), padding=1),
        (IMAGE,),
    ),
    (
        "pooling",
        lambda x: C.pooling(x, C.MAX_POOLING, (2, 2), (2, 2)),
        lambda x: F.max_pool2d(x, 2),
        (IMAGE,),
    ),
    ("normalization", normalization, normalized, (IMAGE,)),
    ("cross_entropy", C.cross_entropy_with_softmax, cross_entropy, (MATRIX, MATRIX)),
    ("squared_error", C.squared_error, lambda x, y: (x - y).square().sum(-1), (MATRIX, MATRIX)),
    ("cosine", C.cosine_distance, F.cosine_similarity, (MATRIX, MATRIX)),
)
ON_SEQUENCES: Sequence[tuple[str, Callable[..., Any], Callable[..., Tensor]]] = (
    ("sequence.first", C.sequence.first, lambda x: x[:, 0].contiguous()),
    ("sequence.last", C.sequence.last, last),
    ("sequence.reduce_sum", C.sequence.reduce_sum, lambda x: (x * MASK[..., None]).sum(1)),
    ("sequence.softmax", C.sequence.softmax, masked_softmax),
    ("sequence.past_value", C.sequence.past_value, previous),
    ("sequence.unpack", lambda x: C.sequence.unpack(x, 0, no_mask_output=True), lambda x: x),
    ("sequence.reverse", C.sequence.reverse, lambda x: x.flip(1)),
    ("attention", attention, masked_attention),
    ("rnn_stack", stack, lambda x: STACK(x)[0]),
    ("ctc", ctc, pytorch_ctc),
)
WITHOUT_GRADIENT = {"rounding", "comparison", "gather", "random", "logic"}
WITHOUT_RESULT = {"dropout"}  # outside training it does nothing


def workloads() -> list[Workload]:
    """A row for the result of each operation, and one for its gradient where it has any."""
    rows = []
    for gradient, what in ((False, "result"), (True, "gradient")):
        for name, ours, theirs, shapes in ON_SAMPLES:
            build = partial(on_samples, ours, theirs, gradient, *shapes)
            rows.append(
                (name, gradient, f"{what}, operands {' and '.join(map(shape_text, shapes))}", build)
            )
        for name, ours, theirs in ON_SEQUENCES:
            build = partial(on_sequences, ours, theirs, gradient)
            rows.append(
                (
                    name,
                    gradient,
                    f"{what}, {len(LENGTHS)} sequences of 4 to 46 vectors of {WIDTH}",
                    build,
                )
            )
    return [
        Workload(f"{name}.gradient" if gradient else name, description, build)
        for name, gradient, description, build in rows
        if name not in (WITHOUT_GRADIENT if gradient else WITHOUT_RESULT)
    ]


def shape_text(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


WORKLOADS = workloads()
