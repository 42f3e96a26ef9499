"""The fast step, for an NVIDIA GPU: bfloat16 with few passes over memory, replayed as one CUDA graph.

The network's float32 weights stay the masters. Convolutions and linear layers compute with bfloat16 copies of them, the
halves, which the update writes in the same pass. What follows a convolution is fused with it by `kernels.py` where that
knows it: ReLU, a pool of side 2 or 3 and stride 2, and the whole first block if its channels are few. All else is
PyTorch's own, as it would be in the plain step.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from vggexplorer.layers import Shape
from vggexplorer.pytorch import kernels
from vggexplorer.pytorch.step import Learned, Task, autocast
from vggexplorer.runs.exactness import FAST
from vggexplorer.runs.options import Training

Part = Callable[[Tensor], Tensor]
TILES = 65535 * 1024
"""The most elements of an image that `kernels.pixels` makes: the tiles of a CUDA grid's second axis."""


# --- which modules are fused -------------------------------------------------------------------------------


def leaves(net: nn.Module) -> Iterator[nn.Module]:
    """The modules that are called one after the other; what is no plain `nn.Sequential` is one of them."""
    if type(net) is not nn.Sequential:
        yield net
        return
    for module in net:
        yield from leaves(module)


def convolution(module: nn.Module) -> nn.Conv2d | None:
    """The module, if it is a convolution that pads with zeros, or not at all."""
    return module if type(module) is nn.Conv2d and module.padding_mode == "zeros" else None


def pool_side(module: nn.Module | None) -> int | None:
    """The side of a max pool that the kernels know; None of any other module."""
    if type(module) is not nn.MaxPool2d or module.ceil_mode or module.return_indices:
        return None
    side, stride, padding, dilation = map(_pair, (module.kernel_size, module.stride, module.padding, module.dilation))
    known = side in ((2, 2), (3, 3)) and (stride, padding, dilation) == ((2, 2), (0, 0), (1, 1))
    return side[0] if known else None


def _pair(size: int | tuple[int, ...]) -> tuple[int, ...]:
    return (size, size) if isinstance(size, int) else size


def pixels_fit(training: Training, images: Tensor, shape: Shape) -> bool:
    """Whether one pass makes a batch of images (n, c, h, w): as they are or enlarged, and nothing by chance."""
    (stored, height, width), (channels, tall, wide) = images.shape[1:], shape
    if training.flip or training.crop or training.brightness or stored not in (1, channels):
        return False
    enlarged = height <= tall and width <= wide and images.is_contiguous()
    return enlarged and channels * (tall + 2 * kernels.PAD) * (wide + 2 * kernels.PAD) <= TILES


@dataclass(frozen=True)
class Convolution:
    """A convolution by the half of its weight."""

    conv: nn.Conv2d
    half: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """As the module itself: the bias is the master's, which autocast halves."""
        return self.with_bias(x, self.conv.bias)

    def with_bias(self, x: Tensor, bias: Tensor | None) -> Tensor:
        """As the module with this bias."""
        conv = self.conv
        return functional.conv2d(x, self.half, bias, conv.stride, conv.padding, conv.dilation, conv.groups)


@dataclass(frozen=True)
class Fused:
    """A convolution with the ReLU after it, and with the max pool after that if it has a `side`."""

    before: Convolution
    bias: Tensor
    side: int | None

    def __call__(self, x: Tensor) -> Tensor:
        """The convolution by cuDNN, the rest by a kernel; all by PyTorch where offsets of 32 bits are not enough."""
        y = self.before.with_bias(x, None)
        if y.numel() > kernels.MOST:
            y = (y + self.bias.to(y.dtype)[:, None, None]).relu()
            return y if self.side is None else functional.max_pool2d(y, self.side, 2)
        return kernels.bias_relu(y, self.bias) if self.side is None else kernels.bias_relu_pool(y, self.bias, self.side)

    def whole(self, x: Tensor) -> Tensor:
        """All of it by one kernel, for images that have a black edge."""
        return kernels.first_block(x, self.before.half, self.bias)

    @property
    def whole_fits(self) -> bool:
        """Whether it is a block that this kernel knows: a 3x3 convolution of few channels, and a pool of side 2."""
        conv = self.before.conv
        how = conv.kernel_size, conv.stride, conv.padding, conv.dilation, conv.groups
        same = how == ((3, 3), (1, 1), (1, 1), (1, 1), 1)
        return same and self.side == 2 and kernels.first_fits(conv.in_channels, conv.out_channels)

    def most_images(self, shape: Shape) -> int:
        """How many images of `shape` it can count the elements of."""
        channels, height, width = shape
        given = channels * (height + 2 * kernels.PAD) * (width + 2 * kernels.PAD)
        return kernels.MOST // max(given, len(self.bias) * (height // 2) * (width // 2))


@dataclass(frozen=True)
class Dense:
    """A linear layer by the halves of its weight and its bias."""

    half: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """(n, inputs) -> (n, outputs)."""
        return functional.linear(x, self.half, self.bias)


# --- the step ----------------------------------------------------------------------------------------------


class Made(NamedTuple):
    """What a step makes beside the new weights."""

    learned: Learned
    gradients: dict[Tensor, Tensor]


class Fast:
    """A `Step` of gradient descent (`step.py`); `graphs` is how it is recorded: by CUDA on a GPU, else not at all.

    Triton's interpreter, in which it is tried without a GPU, multiplies matrices in float32 alone; a run has bfloat16.
    """

    kind = FAST

    def __init__(self, task: Task, precision: str = "bfloat16", graphs: "Graphs | None" = None) -> None:
        self.task, self.precision = task, precision
        self.device, self.dtype = task.images.device, torch.bfloat16 if precision == "bfloat16" else torch.float32
        self._halves: dict[Tensor, Tensor] = {}
        self._parts = list(self._make_parts(list(leaves(task.net))))
        state = task.optimizer.state()
        self._velocities: dict[Tensor, Tensor | None] = {
            each: state.get(f"momentum.{name}") for name, each in task.net.named_parameters()
        }
        self._gradients: dict[Tensor, Tensor] = {}
        self._lr = torch.zeros(1, device=self.device)
        self._pixels_fit = pixels_fit(task.training, task.images, task.shape)
        if self.device.type == "cuda":
            graphs = graphs or CudaGraphs(self.device)
        rows = torch.zeros(min(task.training.batch_size, len(task.labels)), dtype=torch.int64, device=self.device)
        self._replayed = Replayed(self._step, rows, graphs) if graphs else self._step

    @property
    def settled(self) -> int:
        """All later steps are replays."""
        return Replayed.BEFORE + 1

    def learn(self, rows: Tensor, lr: float, weight: float = 1) -> Learned:
        """One step of gradient descent."""
        self.task.net.train()
        self._gradients = {}
        with _current(self.device):
            self._lr.fill_(lr)
            made = self._replayed(rows) if weight == 1 else self._step(rows, weight)
        self._gradients = made.gradients
        return made.learned

    def gradient(self, parameter: nn.Parameter) -> Tensor | None:
        """Of a weight with a half, it is the half's."""
        return self._gradients.get(parameter)

    @torch.no_grad()
    def refresh(self) -> None:
        """The halves follow the weights."""
        for weight, half in self._halves.items():
            half.copy_(weight)

    def found(self, rows: Tensor, weight: float = 1) -> Made:
        """Scores, loss and gradients of a batch, with no step made of them."""
        with autocast(self.device, self.precision):
            scores = self._scores(rows)
        smoothing = self.task.training.label_smoothing
        loss = functional.cross_entropy(scores.float(), self.task.labels[rows], label_smoothing=smoothing)
        parameters = [each for each in self._velocities if each.requires_grad]
        used = [self._halves.get(each, each) for each in parameters]
        found = torch.autograd.grad(loss if weight == 1 else loss * weight, used, allow_unused=True)
        gradients = {each: laid(grad, each) for each, grad in zip(parameters, found, strict=True) if grad is not None}
        return Made(Learned(scores.detach(), loss.detach()), gradients)

    def _step(self, rows: Tensor, weight: float = 1) -> Made:
        made = self.found(rows, weight)
        momentum, decay = float(self.task.training.momentum), float(self.task.training.weight_decay)
        for each, gradient in made.gradients.items():
            half, velocity = self._halves.get(each), self._velocities[each]
            kernels.descend(each.detach(), gradient, half, velocity, self._lr, momentum, decay)
        return made

    def _scores(self, rows: Tensor) -> Tensor:
        """The class scores of the images `rows`: rows x classes."""
        first, *rest = self._parts
        if isinstance(first, Fused) and first.whole_fits and len(rows) <= first.most_images(self.task.shape):
            x = first.whole(self._images(rows, kernels.PAD))
        else:
            x = first(self._images(rows, 0))
        for part in rest:
            x = part(x)
        return x

    def _images(self, rows: Tensor, pad: int) -> Tensor:
        """The training images `rows` as the network gets them, with a black edge of `pad` pixels.

        By their strides they are channels last even with one channel: what a convolution makes of them follows that.
        """
        task = self.task
        if self._pixels_fit:
            return kernels.pixels(task.images, rows, task.shape, pad, self.dtype)
        images = task.batch(rows)
        batch = torch.empty_like(images, dtype=self.dtype, memory_format=torch.channels_last).copy_(images)
        return functional.pad(batch, (pad,) * 4) if pad else batch

    def _make_parts(self, modules: Sequence[nn.Module]) -> Iterator[Part]:
        """The network, cut so that a part is one module, or some that are fused."""
        at = 0
        while at < len(modules):
            module, (after, then) = modules[at], (*modules[at + 1 : at + 3], None, None)[:2]
            at += 1
            if conv := convolution(module):
                part = Convolution(conv, self._half(conv.weight))
                if type(after) is nn.ReLU and conv.bias is not None:
                    side = pool_side(then)
                    at += 1 if side is None else 2
                    yield Fused(part, conv.bias, side)
                else:
                    yield part
            elif type(module) is nn.Linear:
                yield Dense(self._half(module.weight), None if module.bias is None else self._half(module.bias))
            else:
                yield module

    def _half(self, weight: Tensor) -> Tensor:
        return self._halves.setdefault(weight, weight.detach().to(self.dtype, copy=True).requires_grad_())


def _current(device: torch.device) -> AbstractContextManager[object]:
    """Triton launches on the current GPU."""
    return torch.cuda.device(device) if device.type == "cuda" else nullcontext()


def laid(gradient: Tensor, weight: Tensor) -> Tensor:
    """The gradient, as its weight lies in memory."""
    if gradient.stride() == weight.stride():
        return gradient
    return torch.empty_like(weight, dtype=gradient.dtype).copy_(gradient)


# --- as a graph --------------------------------------------------------------------------------------------


class Graphs(Protocol):
    """How a step is recorded; tests have one without a GPU."""

    def aside(self, act: Callable[[], Made]) -> Made:
        """Make a step where it will be recorded: libraries choose and kernels compile before that."""

    def record(self, act: Callable[[], Made]) -> Callable[[], Made]:
        """What makes the steps of `act` from now on; nothing is made by recording."""


class Replayed:
    """Steps of one length as replays of a graph; others, and the first `BEFORE`, are made as they are.

    `rows` is where a replay finds its images; its results are those of one place in memory, good until the next call.
    Of the device's chance it takes what its default generator would give at the time of the call.
    """

    BEFORE = 3

    def __init__(self, step: Callable[[Tensor], Made], rows: Tensor, graphs: Graphs) -> None:
        self.step, self.rows, self.graphs = step, rows, graphs
        self.before = self.BEFORE
        self.replay: Callable[[], Made] | None = None

    def __call__(self, rows: Tensor) -> Made:
        """One step on the images `rows`."""
        if len(rows) != len(self.rows):
            return self.step(rows)
        if self.before:
            self.before -= 1
            return self.graphs.aside(lambda: self.step(rows))
        self.rows.copy_(rows)
        if self.replay is None:
            self.replay = self._recorded()
        return self.replay()

    def _recorded(self) -> Callable[[], Made]:
        """A graph has memory of its own; where there is none left, the steps are made as they are."""
        step = partial(self.step, self.rows)
        try:
            return self.graphs.record(step)
        except torch.OutOfMemoryError:
            return step


class CudaGraphs:
    """Records on a stream of its own, as CUDA asks for."""

    def __init__(self, device: torch.device) -> None:
        self.stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def aside(self, act: Callable[[], Made]) -> Made:
        """On that stream, between what comes before and after on the ordinary one."""
        self.stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self.stream):
            made = act()
        torch.cuda.current_stream().wait_stream(self.stream)
        return made

    def record(self, act: Callable[[], Made]) -> Callable[[], Made]:
        """The graph, its memory and all that `act` holds live as long as what is returned."""
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=self.stream, capture_error_mode="thread_local"):
            made = act()

        def replay() -> Made:
            graph.replay()
            return made

        return replay
