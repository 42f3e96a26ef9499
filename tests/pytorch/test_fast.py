"""What of a network is fused, and which steps are replayed; what the steps make is tried by `test_kernels.py`."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

pytest.importorskip("triton", reason="PyTorch for this system comes without Triton")

from vggexplorer.architectures import NETWORKS
from vggexplorer.layers import Shape
from vggexplorer.pytorch import fast
from vggexplorer.pytorch.fast import Dense, Fast, Fused, Made, Replayed, convolution, pixels_fit, pool_side
from vggexplorer.pytorch.modules import build
from vggexplorer.pytorch.optimizers import optimizer
from vggexplorer.pytorch.step import Learned, Task
from vggexplorer.runs.options import Training
from vggexplorer.text import Network, parse_network

TRAINING = Training(batch_size=8)


def named(part: Callable[[Tensor], Tensor]) -> str:
    if isinstance(part, Fused):
        return "whole" if part.whole_fits else "ReLU" if part.side is None else f"ReLU, pool {part.side}"
    return "half" if isinstance(part, Dense) else type(part).__name__


def parts(network: Network) -> list[str]:
    with torch.device("meta"):
        net = build(network.architecture, network.input_shape)
    images, labels = torch.zeros(20, *network.input_shape, dtype=torch.uint8), torch.zeros(20, dtype=torch.int64)
    task = Task(net, optimizer(net, TRAINING), TRAINING, images, labels, network.input_shape)
    return [named(part) for part in Fast(task)._parts]


HEAD = ["Flatten", "half", "ReLU", "Dropout", "half", "ReLU", "Dropout", "half"]
DEEP = ["ReLU, pool 2", *3 * ["ReLU", "ReLU, pool 2"]]
ALEXNET = ["ReLU, pool 3", "ReLU, pool 3", "ReLU", "ReLU", "ReLU, pool 3", *HEAD]


@pytest.mark.parametrize(
    ("name", "wanted"),
    [("VGG-11 slim", ["whole", *DEEP, *HEAD]), ("VGG-11", ["ReLU, pool 2", *DEEP, *HEAD]), ("AlexNet", ALEXNET)],
)
def test_what_is_fused_in_the_books_networks(name: str, wanted: list[str]) -> None:
    assert parts(NETWORKS[name]) == wanted


def test_what_no_kernel_knows_is_pytorchs_own() -> None:
    text = {"arch": "1x8,1x8", "input": "1x12x12", "hidden": "none", "classes": "5"}
    assert parts(parse_network(text | {"bn": "1"}))[:4] == ["Convolution", "BatchNorm2d", "ReLU", "MaxPool2d"]
    assert parts(parse_network(text | {"act": "sigmoid"}))[:3] == ["Convolution", "Sigmoid", "MaxPool2d"]


@pytest.mark.parametrize(
    ("pool", "side"),
    [
        (nn.MaxPool2d(2), 2),
        (nn.MaxPool2d((2, 2), stride=(2, 2), padding=(0, 0)), 2),
        (nn.MaxPool2d(3, 2), 3),
        (nn.MaxPool2d(3), None),
        (nn.MaxPool2d(2, 1), None),
        (nn.MaxPool2d(4, 2), None),
        (nn.MaxPool2d((2, 3), 2), None),
        (nn.MaxPool2d(3, 2, padding=1), None),
        (nn.MaxPool2d(2, 2, ceil_mode=True), None),
        (nn.MaxPool2d(2, 2, dilation=2), None),
        (nn.MaxPool2d(2, 2, return_indices=True), None),
        (nn.AvgPool2d(2), None),
        (None, None),
    ],
    ids=str,
)
def test_pools_that_are_fused(pool: nn.Module | None, side: int | None) -> None:
    assert pool_side(pool) == side


def test_a_convolution_that_pads_with_anything_but_zeros_stays_whole() -> None:
    assert convolution(nn.Conv2d(1, 4, 3, padding=1, padding_mode="circular")) is None
    assert convolution(nn.Conv1d(1, 4, 3)) is None
    assert convolution(plain := nn.Conv2d(1, 4, 3, stride=2, groups=1)) is plain


@pytest.mark.parametrize(
    ("stored", "shape", "changes", "fits"),
    [
        ((1, 28, 28), (1, 224, 224), {}, True),
        ((1, 28, 28), (3, 28, 28), {}, True),
        ((3, 32, 32), (3, 32, 40), {}, True),
        ((3, 32, 32), (1, 32, 32), {}, False),
        ((1, 28, 28), (1, 14, 56), {}, False),
        ((1, 28, 28), (1, 9000, 9000), {}, False),
        ((1, 28, 28), (1, 28, 28), {"flip": True}, False),
        ((1, 28, 28), (1, 28, 28), {"crop": 2}, False),
        ((1, 28, 28), (1, 28, 28), {"brightness": 0.1}, False),
    ],
)
def test_batches_that_one_pass_makes(stored: Shape, shape: Shape, changes: dict[str, float], fits: bool) -> None:
    images = torch.zeros(2, *stored, dtype=torch.uint8)
    assert pixels_fit(replace(TRAINING, **changes), images, shape) == fits
    assert not pixels_fit(TRAINING, images.transpose(2, 3), shape)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_gradient_gets_the_layout_of_its_weight(layout: torch.memory_format) -> None:
    weight = torch.zeros(4, 3, 2, 2).contiguous(memory_format=torch.channels_last)
    gradient = torch.rand(4, 3, 2, 2).bfloat16().contiguous(memory_format=layout)
    laid = fast.laid(gradient, weight)
    assert (laid.stride(), laid.dtype) == (weight.stride(), gradient.dtype)
    assert torch.equal(laid, gradient)


class Pretended:
    """A graph whose memory is one place: a replay changes what the one before has given."""

    def __init__(self, room: bool = True) -> None:
        self.room = room
        self.done: list[str] = []

    def aside(self, act: Callable[[], Made]) -> Made:
        self.done.append("aside")
        return act()

    def record(self, act: Callable[[], Made]) -> Callable[[], Made]:
        if not self.room:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        self.done.append("record")
        place = torch.zeros(8)

        def replay() -> Made:
            self.done.append("replay")
            made = act()
            place.copy_(made.learned.scores)
            return made._replace(learned=made.learned._replace(scores=place))

        return replay


class Sums:
    """A step that gives back the rows it has seen, and remembers them."""

    def __init__(self) -> None:
        self.seen: list[list[int]] = []

    def __call__(self, rows: Tensor) -> Made:
        self.seen.append(rows.tolist())
        return Made(Learned(rows.float(), rows.float().sum()), {})


def rows(length: int, number: int) -> Tensor:
    return torch.arange(length) + 100 * number


@pytest.mark.parametrize(
    ("lengths", "done"),
    [
        ([8, 8, 8, 5, 8, 8, 5, 8], "aside aside aside record replay replay replay"),
        ([8, 8, 5, 8, 8, 8, 8, 5], "aside aside aside record replay replay replay"),  # 3 steps before an epoch's end
        ([5, 8, 5, 8, 5, 8, 5, 8], "aside aside aside record replay"),
        ([5, 5, 5, 5], ""),
        ([8, 8], "aside aside"),
    ],
)
def test_each_batch_is_learned_once_and_only_whole_ones_are_replayed(lengths: list[int], done: str) -> None:
    graphs, step = Pretended(), Sums()
    replayed = Replayed(step, torch.zeros(8, dtype=torch.int64), graphs)
    wanted = [rows(length, number) for number, length in enumerate(lengths)]
    assert [replayed(each).learned.scores.tolist() for each in wanted] == [each.tolist() for each in wanted]
    assert step.seen == [each.tolist() for each in wanted]
    assert " ".join(graphs.done) == done


def test_what_a_replay_has_given_is_good_until_the_next() -> None:
    replayed = Replayed(Sums(), torch.zeros(8, dtype=torch.int64), Pretended())
    *_, fourth = (replayed(rows(8, number)).learned.scores for number in range(4))
    assert fourth.tolist() == rows(8, 3).tolist()
    replayed(rows(8, 4))
    assert fourth.tolist() == rows(8, 4).tolist()


def test_without_memory_for_a_graph_the_steps_go_on() -> None:
    graphs, step = Pretended(room=False), Sums()
    replayed = Replayed(step, torch.zeros(8, dtype=torch.int64), graphs)
    for number in range(6):
        assert replayed(rows(8, number)).learned.scores.tolist() == rows(8, number).tolist()
    assert len(step.seen) == 6
