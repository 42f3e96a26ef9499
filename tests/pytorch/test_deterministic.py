"""Layers with a deterministic backward pass compute what PyTorch's do; the switches are set and taken back."""

import os
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from vggexplorer.pytorch import deterministic
from vggexplorer.pytorch.modules import build
from vggexplorer.text import parse_network

CPU = torch.device("cpu")


@pytest.fixture
def _switched_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(os, "environ", os.environ.copy())
    yield
    deterministic.switch(False)


def gradient(layer: nn.Module, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What comes out, and the gradient of a sum in which every element counts differently."""
    images = images.clone().requires_grad_()
    out = layer(images)
    weights = torch.arange(out.numel(), dtype=torch.float32).view_as(out).cos()
    torch.autograd.backward((out.float() * weights).sum())
    assert images.grad is not None
    return out.detach(), images.grad


@pytest.mark.parametrize("size", [(7, 7), (14, 14), (9, 13), (3, 5), (1, 1), (28, 8)])
@pytest.mark.parametrize("output", [7, 6, 1, (2, 3)])
def test_adaptive_pooling_is_pytorchs(size: tuple[int, int], output: int | tuple[int, int]) -> None:
    images = torch.rand(2, 3, *size).contiguous(memory_format=torch.channels_last)
    theirs = gradient(nn.AdaptiveAvgPool2d(output), images)
    for own, other in zip(gradient(deterministic.AdaptiveAvgPool2d(output), images), theirs, strict=True):
        torch.testing.assert_close(own, other)


@pytest.mark.parametrize("inputs", range(1, 30))
def test_every_window_is_pytorchs(inputs: int) -> None:
    line = torch.rand(1, 1, inputs, 1)
    for outputs in range(1, 12):
        pooled = nn.functional.adaptive_avg_pool2d(line, (outputs, 1))[0, 0]
        torch.testing.assert_close(deterministic.means(inputs, outputs, CPU) @ line[0, 0], pooled)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_local_response_norm_is_pytorchs(size: int) -> None:
    kinds = nn.LocalResponseNorm, deterministic.LocalResponseNorm
    layers = (kind(size, alpha=0.1, beta=0.75, k=2.0) for kind in kinds)
    images = torch.randn(2, 7, 4, 5)
    theirs, own = (gradient(layer, images) for layer in layers)
    for one, other in zip(own, theirs, strict=True):
        torch.testing.assert_close(one, other)


def test_bfloat16_stays_bfloat16() -> None:
    pooled = deterministic.AdaptiveAvgPool2d(2)(torch.rand(1, 1, 5, 5, dtype=torch.bfloat16))
    assert pooled.dtype == torch.bfloat16


@pytest.mark.parametrize("head", ["adaptive", "adaptive:6", "gap"])
def test_layers_are_replaced_and_weights_stay(head: str) -> None:
    network = parse_network({"arch": "1x4:lrn,1x8", "input": "1x28x28", "hidden": "8", "head": head, "bn": "1"})
    net = build(*network)
    before, images = net.state_dict(), torch.rand(2, 1, 28, 28)
    net.eval()
    scores = net(images)
    deterministic.replace_layers(net)
    kinds = {type(layer) for layer in net.modules()}
    assert {deterministic.AdaptiveAvgPool2d, deterministic.LocalResponseNorm} <= kinds
    assert not {nn.AdaptiveAvgPool2d, nn.LocalResponseNorm} & kinds
    assert net.state_dict().keys() == before.keys()
    torch.testing.assert_close(net(images), scores)


@pytest.mark.usefixtures("_switched_back")
def test_the_switches_are_set_and_taken_back() -> None:
    precision = torch.get_float32_matmul_precision()
    deterministic.switch(True)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert torch.backends.cudnn.deterministic
    assert not torch.backends.cudnn.benchmark
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert torch.get_float32_matmul_precision() == precision
    deterministic.switch(False)
    assert not torch.are_deterministic_algorithms_enabled()
    assert not torch.backends.cudnn.deterministic
