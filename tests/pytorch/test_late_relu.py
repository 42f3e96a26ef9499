"""A max pool that does the ReLU before it gives the bits of PyTorch's two layers: values, gradients, weights."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vggexplorer.pytorch import late_relu
from vggexplorer.pytorch.chance import make_network
from vggexplorer.pytorch.modules import build
from vggexplorer.runs.config import Config
from vggexplorer.runs.options import Training
from vggexplorer.text import parse_network

POOLS: list[dict[str, Any]] = [
    {"kernel_size": 2},
    {"kernel_size": 2, "ceil_mode": True},
    {"kernel_size": 3, "stride": 2},
    {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
    {"kernel_size": 2, "stride": 1},
    {"kernel_size": (3, 2), "stride": (1, 2)},
    {"kernel_size": 2, "stride": 3, "dilation": 2},
]
SHAPES = [(2, 1, 7, 9), (3, 8, 12, 12), (1, 3, 5, 5), (2, 16, 6, 5)]


def both(pool: dict[str, Any]) -> tuple[nn.Sequential, nn.Sequential]:
    theirs, own = (nn.Sequential(nn.ReLU(), nn.MaxPool2d(**pool)) for _ in range(2))
    late_relu.replace_layers(own)
    assert type(own[1]) is late_relu.PooledReLU
    return theirs, own


def bits(net: nn.Module, maps: Tensor) -> list[Tensor]:
    """What comes out, and the gradient of a sum in which every element counts differently."""
    maps = maps.clone().requires_grad_()
    out = net(maps)
    weights = torch.arange(out.numel(), dtype=torch.float32).view_as(out).cos()
    torch.autograd.backward((out.float() * weights).sum())
    assert maps.grad is not None
    return [out.detach(), maps.grad]


def assert_same_bits(pool: dict[str, Any], maps: Tensor) -> None:
    theirs, own = both(pool)
    for one, other in zip(bits(own, maps), bits(theirs, maps), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
        assert one.stride() == other.stride()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("memory", [torch.channels_last, torch.contiguous_format])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_it_is_both_layers(
    pool: dict[str, Any], shape: tuple[int, ...], memory: torch.memory_format, dtype: torch.dtype
) -> None:
    assert_same_bits(pool, torch.randn(shape).to(dtype).contiguous(memory_format=memory))


@pytest.mark.parametrize("pool", POOLS, ids=str)
def test_the_first_of_equal_numbers_is_the_largest(pool: dict[str, Any]) -> None:
    assert_same_bits(pool, torch.randint(-2, 3, (3, 4, 9, 11)).float().contiguous(memory_format=torch.channels_last))


@pytest.mark.parametrize("pool", POOLS, ids=str)
@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), -0.0])
def test_what_is_no_number_stays_so(pool: dict[str, Any], odd: float) -> None:
    maps = torch.randn(2, 4, 9, 11)
    maps[torch.rand_like(maps) < 0.2] = odd
    assert_same_bits(pool, maps.contiguous(memory_format=torch.channels_last))


NETWORK = parse_network({"arch": "1x8,2x12:pool3s2,1x8:avgpool2s2", "hidden": "16", "input": "1x29x29"})


def test_a_network_learns_to_the_bit_what_it_did() -> None:
    learned = []
    for replace in (late_relu.replace_layers, nn.Module.train):
        net = make_network(Config(network=NETWORK, training=Training(input_size=None), seed=3)).to(
            memory_format=torch.channels_last
        )
        replace(net)
        torch.manual_seed(1)
        images = torch.rand(5, 1, 29, 29).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            scores = net(images)
        torch.autograd.backward(nn.functional.cross_entropy(scores.float(), torch.arange(5)))
        learned.append({name: parameter.grad for name, parameter in net.named_parameters()})
    torch.testing.assert_close(*learned, rtol=0, atol=0)


def test_only_a_relu_before_a_max_pool_waits() -> None:
    net = build(*NETWORK)
    names = list(dict(net.named_modules()))
    kept = list(net.state_dict())
    late_relu.replace_layers(net)
    assert (list(dict(net.named_modules())), list(net.state_dict())) == (names, kept)
    waiting = [name for name, module in net.named_modules() if isinstance(module, late_relu.Waiting)]
    assert waiting == ["features.1", "features.6"]
    assert [type(net.get_submodule(name)).__name__ for name in ("features.2", "features.7", "features.10")] == [
        "PooledReLU",
        "PooledReLU",
        "AvgPool2d",
    ]
