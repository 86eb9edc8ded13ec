"""Recorded steps after their cleaning: fewer calls, the same numbers, also where calls write into
memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor
from torch.fx.experimental.proxy_tensor import make_fx

from cntk._compiler.recording.fx_passes import optimize


def cleaned(f: Callable[..., list[Tensor]], *examples: Tensor, gradients: int = 0, inputs: int = 0):
    """A recorded function after its cleaning, the number of calls before and after, and which
    results are factors.
    """
    module = make_fx(f, tracing_mode="fake")(*examples)
    before = sum(n.op == "call_function" for n in module.graph.nodes)
    products = optimize(module, gradients, inputs)
    return module, before, sum(n.op == "call_function" for n in module.graph.nodes), products


def check(f: Callable[..., list[Tensor]], *examples: Tensor) -> tuple[int, int]:
    module, before, after, _ = cleaned(f, *examples)
    wanted = f(*[x.clone() for x in examples])
    for _ in range(2):  # a replay must not change what the next one finds
        found = module.forward(*[x.clone() for x in examples])
        assert len(found) == len(wanted)
        for one, other in zip(found, wanted, strict=True):
            assert torch.equal(one, other)
    return before, after


X, Y = torch.arange(6.0).reshape(2, 3) + 1, torch.arange(6.0).reshape(2, 3) * 2


def test_repeated_calls_are_made_once():
    assert check(lambda x, y: [torch.exp(x) + y, torch.exp(x) * y], X, Y) == (4, 3)


def test_calls_for_nothing_are_left_out():
    def f(x: Tensor, y: Tensor) -> list[Tensor]:
        torch.exp(y)
        return [x.detach().view(2, 3).t().t() * torch.ones_like(x) + y]

    assert check(f, X, Y)[1] == 1


def test_sums_that_keep_an_axis_for_nothing():
    before, after = check(lambda x: [x.sum(0, keepdim=True).view(3)], X)
    assert (before, after) == (2, 1)


def fills(x: Tensor) -> list[Tensor]:
    first, second = torch.empty_like(x), torch.empty_like(x)
    first.copy_(x)
    second.copy_(x * 2)
    return [first, second]


def changes_between_reads(x: Tensor) -> list[Tensor]:
    y = x * 1.5
    before = torch.exp(y)
    y.add_(1)
    return [before, torch.exp(y)]


def writes_rows(x: Tensor) -> list[Tensor]:
    out = x.new_zeros(2, 3)
    out[0] = x[1]
    read = out[1].clone()
    out[1] = x[0] + out[0]
    return [out, read, out[1].clone()]


def changes_ones(x: Tensor) -> list[Tensor]:
    ones = torch.ones_like(x)
    ones.mul_(3)
    return [x * ones, x * torch.ones_like(x)]


def multiplies_then_changes(x: Tensor) -> list[Tensor]:
    y = x + 1
    product = y * torch.ones_like(x)
    y.mul_(2)
    return [product, y]


def sums_before_a_change(x: Tensor) -> list[Tensor]:
    y = x + 1
    total = y.sum(0, keepdim=True)
    y.mul_(2)
    return [total.view(3), y]


def writes_by_out(x: Tensor) -> list[Tensor]:
    first, second = torch.empty_like(x), torch.empty_like(x)
    torch.mul(x, 2, out=first)
    torch.mul(x, 2, out=second)
    second.add_(1)
    return [first, second]


@pytest.mark.parametrize(
    "f",
    [
        fills,
        changes_between_reads,
        writes_rows,
        changes_ones,
        multiplies_then_changes,
        sums_before_a_change,
        writes_by_out,
    ],
)
def test_memory_that_is_written_into(f):
    check(f, X)


def test_random_numbers_are_not_shared():
    module, *_ = cleaned(lambda x: [torch.rand_like(x), torch.rand_like(x)], X)
    first, second = module.forward(X)
    assert not torch.equal(first, second)


# -- gradients as factors --------------------------------------------------------------------------


def step(x: Tensor, w: Tensor) -> list[Tensor]:
    w = w.detach().requires_grad_()
    loss = torch.tanh(x @ w).sum()
    return [loss.detach(), *torch.autograd.grad(loss, [w])]


def restored(found: Sequence[object], products: Sequence[bool]) -> list[Tensor]:
    return [g[0].t() @ g[1] if p else g for g, p in zip(found, products, strict=True)]


def test_a_gradient_of_a_weight_is_left_as_factors():
    w = torch.linspace(-1, 1, 12).reshape(3, 4)
    module, _, _, products = cleaned(step, X, w, gradients=1, inputs=1)
    assert products == [True]
    loss, gradient = module.forward(X, w)
    wanted = step(X, w)
    assert torch.equal(loss, wanted[0])
    torch.testing.assert_close(restored([gradient], products)[0], wanted[1])


def test_factors_that_change_later_are_multiplied_at_once():
    def f(x: Tensor, w: Tensor) -> list[Tensor]:
        y = x * 2
        gradient = y.t() @ (x @ w)
        y.zero_()
        return [y, gradient]

    w = torch.linspace(-1, 1, 12).reshape(3, 4)
    module, _, _, products = cleaned(f, X, w, gradients=1, inputs=1)
    assert products == [False]
    torch.testing.assert_close(module.forward(X, w)[1], f(X, w)[1])


def test_factors_that_are_weights_are_multiplied_at_once():
    """Updating one weight must not change another's gradient."""

    def f(x: Tensor, w: Tensor) -> list[Tensor]:
        return [x, w.t() @ (x @ w).t().mm(x)[:3, :]]

    w = torch.linspace(-1, 1, 9).reshape(3, 3)
    _, _, _, products = cleaned(f, X, w, gradients=1, inputs=1)
    assert products == [False]
