"""What `test_kernels.py` has run in a process of its own: the kernels beside PyTorch, in float64 where that is exact.

In Triton's interpreter (TRITON_INTERPRET=1), which takes bfloat16 operands of a matrix product for integers, all is in
float32; on a GPU it is bfloat16, as in a run.
"""

import os
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from vggexplorer.pytorch import kernels
from vggexplorer.pytorch.data import to_batch

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
DEVICE = "cpu" if INTERPRETED else "cuda"
KIND = torch.float32 if INTERPRETED else torch.bfloat16
COPY = torch.float16 if INTERPRETED else torch.bfloat16
"""Of copies of weights: the interpreter cuts off what does not fit into bfloat16, in place of rounding."""
NEAR = 1e-5 if INTERPRETED else 4e-3
"""How far a result may be, relative to its norm: by some roundings of its type."""


@pytest.fixture(autouse=True)
def _the_same_chance() -> None:
    torch.manual_seed(0)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """So few programs that each makes several steps, on inputs as small as here."""
    monkeypatch.setattr(kernels, "PROGRAMS", 2)


def check(found: Tensor, wanted: Tensor | None) -> None:
    assert wanted is not None
    assert found.shape == wanted.shape
    apart = (found.double() - wanted.double()).norm() / wanted.double().norm().clamp_min(1e-30)
    assert apart < NEAR


def values(*size: int) -> Tensor:
    """Many equal ones, half of them negative, and some others, as they are in bfloat16."""
    ties = torch.randint(-3, 4, size) / 4
    return torch.where(torch.rand(size) < 0.3, torch.randn(size), ties).bfloat16().to(DEVICE, KIND)


def exact(tensor: Tensor) -> Tensor:
    return tensor.detach().double().requires_grad_()


def compare(result: Callable[..., Tensor], wanted: Callable[..., Tensor], *inputs: Tensor) -> None:
    """The result and the gradients of all inputs that have one."""
    doubles = [exact(each) for each in inputs]
    found, known = result(*inputs), wanted(*doubles)
    check(found, known)
    gradient = torch.randn_like(known).to(found.dtype)
    (found * gradient).sum().backward()  # PyTorch comes first in its thread for gradients: it opens the GPU there
    (known * gradient.double()).sum().backward()
    for each, double in zip(inputs, doubles, strict=True):
        if each.requires_grad:
            check(each.grad, double.grad)


SIZES = [(16, 4, 6), (5, 7, 5), (48, 3, 9), (1, 4, 4), (512, 3, 4)]
"""Channels, height and width."""


def inputs(channels: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    x = values(2, channels, height, width).contiguous(memory_format=torch.channels_last)
    return x.requires_grad_(), (values(channels).float() / 2).requires_grad_()


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_bias_and_relu(size: tuple[int, int, int]) -> None:
    compare(kernels.bias_relu, lambda x, bias: (x + bias[:, None, None]).relu(), *inputs(*size))


@pytest.mark.parametrize("size", SIZES[:2], ids=str)
def test_each_program_may_make_one_step(size: tuple[int, int, int]) -> None:
    compare(kernels.bias_relu, lambda x, bias: (x + bias[:, None, None]).relu(), *inputs(*size))


@pytest.mark.usefixtures("few")
@pytest.mark.sample(5)
@pytest.mark.parametrize("side", [2, 3])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_bias_relu_and_pool(size: tuple[int, int, int], side: int) -> None:
    compare(
        lambda x, bias: kernels.bias_relu_pool(x, bias, side),
        lambda x, bias: (functional.max_pool2d(x, side, 2) + bias[:, None, None]).relu(),
        *inputs(*size),
    )


FIRST = [(1, 16, 8, 12), (3, 16, 7, 9), (1, 5, 6, 5), (2, 32, 6, 6), (4, 24, 4, 4), (1, 64, 5, 4)]
"""Channels, filters, height and width."""


@pytest.mark.usefixtures("few")
@pytest.mark.sample(3)
@pytest.mark.parametrize("size", FIRST, ids=str)
def test_the_first_block(size: tuple[int, ...]) -> None:
    channels, filters, height, width = size
    weight = values(filters, channels, 3, 3).contiguous(memory_format=torch.channels_last)
    bias = values(filters).float()
    weight[0] = bias[0] = 0  # a ReLU of 0 has a gradient of 0
    x = torch.rand(2, channels, height, width).to(DEVICE, KIND)
    black = functional.pad(x, (kernels.PAD,) * 4)
    compare(
        lambda weight, bias: kernels.first_block(black, weight, bias),
        lambda weight, bias: (
            functional.max_pool2d(functional.conv2d(x.double(), weight, padding=1), 2) + bias[:, None, None]
        ).relu(),
        weight.requires_grad_(),
        bias.requires_grad_(),
    )


def test_the_first_block_is_for_few_sums() -> None:
    fitting = [size for size in ((1, 16), (1, 32), (2, 16), (1, 64), (3, 16), (5, 16)) if kernels.first_fits(*size)]
    assert fitting == [(1, 16), (1, 32), (2, 16)]


@pytest.mark.parametrize("pad", [0, 1])
@pytest.mark.parametrize(
    ("stored", "shape"),
    [((1, 7, 5), (1, 21, 20)), ((1, 4, 4), (3, 8, 8)), ((3, 5, 6), (3, 5, 9)), ((3, 4, 4), (3, 4, 4))],
    ids=str,
)
def test_pixels(stored: tuple[int, int, int], shape: tuple[int, int, int], pad: int) -> None:
    images = torch.randint(256, (4, *stored), dtype=torch.uint8, device=DEVICE)
    index = torch.tensor([2, 0, 2], device=DEVICE)
    found = kernels.pixels(images, index, shape, pad, KIND)
    assert found.is_contiguous(memory_format=torch.channels_last)
    check(found, functional.pad(to_batch(images[index], shape), (pad,) * 4))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("halved", [False, True])
def test_the_update(momentum: float, halved: bool) -> None:
    weight = torch.randn(6, 5, 3, 3, device=DEVICE).contiguous(memory_format=torch.channels_last)
    gradients = [torch.randn_like(weight).to(KIND) for _ in range(2)]
    known = weight.clone().requires_grad_()
    sgd = torch.optim.SGD([known], 0.1, momentum=momentum, weight_decay=1e-2)
    velocity = torch.zeros_like(weight) if momentum else None
    half = torch.empty_like(weight, dtype=COPY) if halved else None
    for gradient in gradients:
        kernels.descend(weight, gradient, half, velocity, torch.tensor([0.1], device=DEVICE), momentum, 1e-2)
        known.grad = gradient.float()
        sgd.step()
    assert torch.allclose(weight, known, rtol=1e-6, atol=1e-7)
    if half is not None:
        assert torch.equal(half, weight.to(COPY))
    if velocity is not None:
        assert torch.allclose(velocity, sgd.state[known]["momentum_buffer"], rtol=1e-6, atol=1e-7)


def nans(tensor: Tensor) -> list[list[int]]:
    return tensor.isnan().nonzero().tolist()


@pytest.mark.parametrize("side", [2, 3])
def test_what_is_not_a_number_stays_so(side: int) -> None:
    """In the results as in the gradients, wherever PyTorch has it."""
    x = torch.ones(1, 16, 5, 5, device=DEVICE, dtype=KIND).contiguous(memory_format=torch.channels_last)
    x[0, 3, 1, 0] = x[0, 4, 4, 4] = x[0, 5, 0, 0] = x[0, 5, 1, 1] = torch.nan
    bias = torch.zeros(16, device=DEVICE)
    bias[7] = torch.nan
    for fused, known in (
        (kernels.bias_relu, lambda x, bias: (x + bias[:, None, None]).relu()),
        (
            lambda x, bias: kernels.bias_relu_pool(x, bias, side),
            lambda x, bias: (functional.max_pool2d(x, side, 2) + bias[:, None, None]).relu(),
        ),
    ):
        results = []
        for act in (fused, known):
            given = x.clone().requires_grad_(), bias.clone().requires_grad_()
            y = act(*given)
            y.float().square().sum().backward()
            results.append([nans(each) for each in (y, given[0].grad, given[1].grad)])
        assert results[0] == results[1]
        assert results[0][0]


def test_a_weight_of_the_first_block_that_is_not_a_number_is_seen() -> None:
    weight, bias = torch.ones(16, 1, 3, 3, device=DEVICE, dtype=KIND), torch.zeros(16, device=DEVICE)
    weight[2, 0, 0, 1] = torch.nan
    found = kernels.first_block(torch.ones(1, 1, 6, 6, device=DEVICE, dtype=KIND), weight.requires_grad_(), bias)
    found.sum().backward()
    assert {channel for _, channel, _, _ in nans(found)} == {2}
    assert len(nans(found)) == 4
