"""The small networks on which a device is measured, and for how long."""

from typing import NamedTuple

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network

BUDGET, FEWEST, MOST = 0.2, 3, 10
"""Seconds for the steps of a probe, before and while they are taken apart, and within which number of them."""


class Probe(NamedTuple):
    """A network that is measured, and with which batch."""

    network: Network
    batch: int


PROBES = (
    # The first one is small: what the process takes beside it is the context.
    Probe(NETWORKS["LeNet"], 32),
    # Blocks of more than 32 MiB, of maps and of weights. What is touched here need not be provided again.
    Probe(
        Network(
            Architecture((Block(1, 16, pool_type="avg"), Block(1, 24)), Head("adaptive", hidden=()), batch_norm=True),
            (1, 104, 104),
        ),
        64,
    ),
    Probe(Network(Architecture((Block(1, 64), Block(2, 384)), Head(hidden=(2048,))), (3, 20, 20)), 16),
    Probe(Network(Architecture((Block(1, 16), Block(2, 32), Block(2, 64)), Head(hidden=(512,))), (1, 32, 32)), 64),
    Probe(
        Network(
            Architecture(
                (
                    Block(1, 32, kernel_size=5, pool=(3, 2)),
                    Block(1, 64, pool_type="avg"),
                    Block(1, 96, kernel_size=1, pool=None),
                    Block(2, 160),
                ),
                Head("gap", hidden=(256,)),
                batch_norm=True,
            ),
            (1, 64, 64),
        ),
        32,
    ),
    Probe(
        Network(
            Architecture(
                (
                    Block(1, 64, kernel_size=11, stride=4, padding=1, pool=(3, 2)),
                    Block(1, 192, kernel_size=5, pool=(3, 2)),
                    Block(1, 256, pool=None),
                ),
                Head("adaptive", hidden=(2048, 1024)),
            ),
            (1, 96, 96),
        ),
        32,
    ),
    Probe(Network(Architecture((Block(1, 16, lrn=True), Block(1, 32, lrn=True)), Head(hidden=())), (1, 40, 40)), 32),
    Probe(
        Network(
            Architecture(
                (Block(2, 24, pool_type="avg"), Block(1, 40, kernel_size=7)), Head(hidden=()), activation="sigmoid"
            ),
            (1, 48, 48),
        ),
        64,
    ),
    # Few channels under large kernels, and many on maps of a few pixels.
    Probe(
        Network(
            Architecture(
                (Block(2, 8, kernel_size=7, pool=None), Block(1, 8, kernel_size=11), Block(2, 16, kernel_size=1)),
                Head("gap", hidden=()),
                batch_norm=True,
            ),
            (1, 40, 40),
        ),
        64,
    ),
    Probe(
        Network(
            Architecture(
                (Block(1, 64, kernel_size=5), Block(1, 128), Block(1, 256, kernel_size=1), Block(1, 384, kernel_size=5))
            ),
            (1, 32, 32),
        ),
        32,
    ),
    Probe(Network(Architecture((Block(2, 48), Block(1, 96)), Head("gap", hidden=())), (1, 80, 80)), 32),
    # Layers of which hardly more than the call is left.
    Probe(
        Network(
            Architecture(
                (Block(2, 16), Block(2, 32, pool_type="avg"), Block(2, 64)), Head("gap", hidden=(64,)), batch_norm=True
            ),
            (1, 12, 12),
        ),
        16,
    ),
)
