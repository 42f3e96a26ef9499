"""`benchmarks/moved.py`: the bytes that it counts; the rate of a copy needs a GPU."""

from types import ModuleType

import pytest
import torch
from conftest import ROOT
from torch import Tensor, nn
from torch.nn import functional

pytest.importorskip("triton", reason="PyTorch for this system comes without Triton")

from vggexplorer.pytorch import kernels
from vggexplorer.pytorch.optimizers import optimizer
from vggexplorer.pytorch.step import Task
from vggexplorer.runs.options import Training

TRAINING = Training(batch_size=2, momentum=0.9)


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import moved

    return moved


@pytest.fixture
def by_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the kernels do, without Triton."""

    def act(x: Tensor, bias: Tensor) -> Tensor:
        return (x + bias.to(x.dtype)[:, None, None]).relu()

    def first(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        return functional.max_pool2d(act(functional.conv2d(x, weight), bias), 2)

    monkeypatch.setattr(
        kernels, "pixels", lambda _, rows, shape, pad, kind: torch.ones(len(rows), 1, 10, 10, dtype=kind)
    )
    monkeypatch.setattr(kernels, "first_block", first)
    monkeypatch.setattr(kernels, "bias_relu", act)
    monkeypatch.setattr(kernels, "bias_relu_pool", lambda x, bias, side: functional.max_pool2d(act(x, bias), side, 2))
    monkeypatch.setattr(kernels, "descend", lambda *_: None)


def test_the_bytes_that_our_kernels_move(
    benchmark: ModuleType, by_pytorch: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Images 8x8 with an edge of 1; 16 and 16 channels; a linear layer of 64 x 3."""
    net = nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(64, 3)),
    )
    images, labels = torch.zeros(4, 1, 8, 8, dtype=torch.uint8), torch.zeros(4, dtype=torch.int64)
    task = Task(net, optimizer(net, TRAINING), TRAINING, images, labels, (1, 8, 8))
    real = kernels.bias_relu
    monkeypatch.setattr(benchmark, "copy_rate", lambda _: 1e3)
    moved = benchmark.floors(task, torch.arange(2))
    assert kernels.bias_relu is real
    pixels, large, middle, small = 2 * 10 * 10, 2 * 16 * 8 * 8, 2 * 16 * 4 * 4, 2 * 16 * 2 * 2
    weights, biases = 16 * 9 + 2 * 16 * 16 * 9 + 64 * 3 + 3, 3 * 16  # the linear layer's bias has a half, too
    assert large == 4 * middle
    assert moved == {
        "_pixels": 2 * pixels,
        "_first_forward": 2 * pixels + 3 * middle,
        "_first_backward": 2 * pixels + 3 * middle,
        "_relu_forward": 4 * middle,
        "_relu_backward": 6 * middle,
        "_pool_forward": 2 * middle + 3 * small,
        "_pool_backward": 2 * middle + 3 * small,
        "_descend": 20 * weights + 20 * biases,
    }
