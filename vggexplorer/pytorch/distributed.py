"""Several processes that train one network by PyTorch's DistributedDataParallel, started by torchrun.

All of them do the same steps on the same weights, each on its own share of every batch. They tell each other the
gradients, the figures of a step, and what is wanted of them. A run of one process asks the same questions;
`SingleProcess` answers them without anybody else.

Two things are not as in one process. Each process draws dropout and augmentation for its own share. And batch norm on
a processor takes its statistics in training from the share; on GPUs it is SyncBatchNorm, which takes them from the
whole batch. Those of tests are estimated from the same images as in one process.
"""

import math
import re
from typing import NamedTuple

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from vggexplorer.errors import InputError
from vggexplorer.runs.folder.ranks import ProcessLostError, Rank


class Share(NamedTuple):
    """What one process takes of a batch: the images `rows`, of which `own` are its own (all, or none).

    Its mean loss times `weight`, as a mean over all processes, is the mean loss of the batch: DistributedDataParallel
    takes the mean of the gradients.
    """

    rows: Tensor
    own: int
    weight: float


class Figures(NamedTuple):
    """The sum of the losses of a batch, how many of its images were guessed right, and the mean loss."""

    loss_sum: Tensor
    correct: Tensor
    loss: Tensor


def shared(rows: Tensor, number: int, world: int) -> Share:
    """The part of the batch `rows` of process `number`, as even as can be, the first ones of one more image.

    A process without an image of its own does its step with one of another's that counts nothing: all have to take
    part.
    """
    own = torch.tensor_split(rows, world)[number]
    return Share(own if len(own) else rows[:1], len(own), len(own) * world / len(rows))


class SingleProcess:
    """The one process of a run."""

    def most(self, number: int) -> int:
        """The largest number that any process has, the same in all of them."""
        return number

    def check_same(self, step: int) -> None:
        """`InputError` unless all processes begin after the same step."""

    def wrap(self, net: nn.Module) -> nn.Module:
        """`net` as it is called; all processes have the weights of the first one then, and add up their gradients."""
        return net

    def chance(self, what: str) -> str:
        """What chance is drawn for, in each process another one."""
        return what

    def share(self, rows: Tensor) -> Share:
        """What this process takes of the batch `rows`."""
        return Share(rows, len(rows), 1)

    def normalized(self, rows: Tensor) -> Tensor:
        """What this process takes of a batch that batch norm's statistics are estimated from."""
        return rows

    def figures(self, share: Share, loss: Tensor, correct: Tensor) -> Figures:
        """Those of the whole batch, from the mean loss of a share and how many of it were guessed right."""
        return Figures(loss * share.own, correct, loss)

    def tested(self, images: Tensor) -> Tensor:
        """What this process tests of the test images; all take equally many."""
        return images

    def gathered(self, scores: Tensor, count: int) -> Tensor:
        """The scores of all `count` test images, from those of what was `tested`: images x classes."""
        return scores

    def leave(self) -> None:
        """Tell the others that this process is at its end."""


class DataParallel(SingleProcess):
    """One of several processes."""

    def __init__(self, rank: Rank, device: torch.device) -> None:
        self.rank = rank
        self.device = device
        if device.type == "cuda":
            torch.cuda.set_device(device)
        dist.init_process_group("cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo")

    def most(self, number: int) -> int:
        """The largest number that any process has, the same in all of them."""
        largest = torch.tensor(int(number))
        dist.all_reduce(largest, dist.ReduceOp.MAX)
        return int(largest)

    def check_same(self, step: int) -> None:
        """`InputError` unless all processes begin after the same step."""
        if (self.most(step), self.most(-step)) != (step, -step):
            raise InputError(
                "The processes of the run do not find the same checkpoint; all hosts need the same folder of runs."
            )

    def wrap(self, net: nn.Module) -> nn.Module:
        """`net` as it is called; all processes have the weights of the first one then, and add up their gradients."""
        if self.device.type != "cuda":
            return DistributedDataParallel(net)
        net = nn.SyncBatchNorm.convert_sync_batchnorm(net)  # type: ignore[no-untyped-call]
        return DistributedDataParallel(net, device_ids=[self.device.index])

    def chance(self, what: str) -> str:
        """What chance is drawn for, in each process another one."""
        return f"{what} of {self.rank.number}" if self.rank.number else what

    def share(self, rows: Tensor) -> Share:
        """What this process takes of the batch `rows`."""
        return shared(rows, self.rank.number, self.rank.world)

    def normalized(self, rows: Tensor) -> Tensor:
        """What this process takes of a batch that batch norm's statistics are estimated from.

        SyncBatchNorm adds them up over the shares of all processes; else each process has the whole batch go through.
        """
        return self.share(rows).rows if self.device.type == "cuda" else rows

    def figures(self, share: Share, loss: Tensor, correct: Tensor) -> Figures:
        """Those of the whole batch, from the mean loss of a share and how many of it were guessed right."""
        count = torch.tensor(share.own, device=self.device)
        sums = torch.stack((loss.double() * count, correct * count.sign(), count))
        dist.all_reduce(sums)
        return Figures(sums[0], sums[1], sums[0] / sums[2])

    def tested(self, images: Tensor) -> Tensor:
        """What this process tests of the test images; all take equally many, the last ones some that others have."""
        size = math.ceil(len(images) / self.rank.world)
        return images[torch.arange(self.rank.number * size, (self.rank.number + 1) * size) % len(images)]

    def gathered(self, scores: Tensor, count: int) -> Tensor:
        """The scores of all `count` test images, from those of what was `tested`: images x classes."""
        parts = [torch.empty_like(scores) for _ in range(self.rank.world)]
        dist.all_gather(parts, scores.contiguous())
        return torch.cat(parts)[:count]

    def leave(self) -> None:
        """Tell the others that this process is at its end."""
        dist.destroy_process_group()


def join(rank: Rank, device: torch.device) -> SingleProcess:
    """Wait for all processes of a run; each trains on its own `device`."""
    return DataParallel(rank, device) if rank.world > 1 else SingleProcess()


_LOST = re.compile("gloo|nccl|closed by peer|reset by peer|broken pipe|timed out", re.IGNORECASE)
"""In the messages of PyTorch's libraries when another process is gone or silent for very long."""
_PLACE_IN_SOURCE = re.compile(r"^(\[[^\]]*\] ?)+")


def lost(error: RuntimeError) -> ProcessLostError | None:
    """What to say of `error` if another process of the run is the reason."""
    text = str(error).strip()
    if not isinstance(error, dist.DistError) and not _LOST.search(text):
        return None
    return ProcessLostError(
        "A process of the run died, or does not answer ({reason}). The run can be resumed, with any number of "
        "processes.",
        reason=_PLACE_IN_SOURCE.sub("", text.partition("\n")[0]).partition(". ")[0][:200].rstrip("."),
    )
