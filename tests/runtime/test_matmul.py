"""Products of matrices by either library: the same numbers and gradients, however the matrices lie
in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from cntk._runtime import matmul
from cntk._runtime.matmul import add_product, addmm, mm

LAYOUTS: dict[str, Callable[[int, int], Tensor]] = {
    "rows": lambda n, m: torch.randn(n, m),
    "columns": lambda n, m: torch.randn(m, n).t(),
    "part": lambda n, m: torch.randn(n, 3 * m)[:, m : 2 * m],
    "stretched": lambda n, m: torch.randn(1, m).expand(n, m),
}


@pytest.fixture(params=["chosen", "forced"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The library that this machine's processor gets, and oneDNN whatever the processor is."""
    linear = getattr(torch.ops.mkldnn, "_linear_pointwise", None)
    if request.param == "forced":
        if linear is None:
            pytest.skip("this torch has no oneDNN")
        monkeypatch.setattr(matmul, "_by_onednn", lambda: linear)
        monkeypatch.setattr(matmul, "LEAST", 1)
    torch.manual_seed(0)
    yield


@pytest.mark.parametrize("left", LAYOUTS)
@pytest.mark.parametrize("right", LAYOUTS)
@pytest.mark.parametrize("with_bias", [False, True])
def test_products_and_gradients(left: str, right: str, with_bias: bool, library: None) -> None:
    a, b = LAYOUTS[left](37, 150).requires_grad_(), LAYOUTS[right](150, 66).requires_grad_()
    bias = torch.randn(66, requires_grad=True)
    operands = [a, b, bias] if with_bias else [a, b]
    found = addmm(bias, a, b) if with_bias else mm(a, b)
    wanted = torch.addmm(bias, a, b) if with_bias else torch.mm(a, b)
    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-4)
    seed = torch.randn_like(wanted)
    for one, other in zip(
        torch.autograd.grad(found, operands, seed),
        torch.autograd.grad(wanted, operands, seed),
        strict=True,
    ):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16])
def test_other_formats_are_torchs(dtype: torch.dtype, library: None) -> None:
    a, b = torch.randn(40, 50).to(dtype), torch.randn(50, 60).to(dtype)
    assert torch.equal(mm(a, b), torch.mm(a, b))


def test_only_what_needs_a_gradient_gets_one(library: None) -> None:
    a, b = torch.randn(40, 50), torch.randn(50, 60, requires_grad=True)
    (gradient,) = torch.autograd.grad(mm(a, b).sum(), [b])
    torch.testing.assert_close(gradient, a.t() @ torch.ones(40, 60))
    assert not mm(a, b.detach()).requires_grad
    with torch.inference_mode():
        assert mm(a, b).shape == (40, 60)


@pytest.mark.parametrize("shape", [(0, 5, 6), (3, 0, 6), (3, 5, 0), (1, 5, 6)])
def test_empty_and_single_rows(shape: tuple[int, int, int], library: None) -> None:
    rows, inner, columns = shape
    a, b = torch.randn(rows, inner), torch.randn(inner, columns)
    torch.testing.assert_close(mm(a, b), a @ b)


def test_added_in_place(library: None) -> None:
    target, a, b = torch.randn(60, 70), torch.randn(200, 60), torch.randn(200, 70)
    wanted = target - 0.5 * (a.t() @ b)
    add_product(target, a.t(), b, -0.5)
    torch.testing.assert_close(target, wanted, rtol=1e-4, atol=1e-4)
