"""What people call a network: by its name, or by that of the named network which it resembles most."""

from collections.abc import Hashable, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from vggexplorer.architectures import NETWORKS, Architecture, Block, Network
from vggexplorer.text import title

ALIKE = 0.6
"""From here on two orders of layers (1 if they are the same) are taken for the same network, edited."""


def known_as(network: Network) -> tuple[str | None, bool]:
    """The named network that this one is or resembles most (None if there is none), and whether it was edited."""
    name = title(network)
    return (name, False) if name in NETWORKS else (_nearest(network.architecture), True)


@lru_cache(maxsize=512)
def _nearest(own: Architecture) -> str | None:
    """First by the order of its layers, then by their sizes, then by the head; of equals the first one."""

    def likeness(name: str) -> tuple[float, float]:
        other = NETWORKS[name].architecture
        order, sizes = _alike(_order(own), _order(other)), _alike(own.items, other.items)
        return order, order + sizes + (own.head == other.head) / 100

    best = max(NETWORKS, key=lambda name: likeness(name)[1])
    return best if likeness(best)[0] >= ALIKE else None


def _order(architecture: Architecture) -> list[Hashable]:
    """The items without their channels."""
    return [
        (item.num_convs, item.kernel_size, item.pool is None) if isinstance(item, Block) else item.kind
        for item in architecture.items
    ]


def _alike(own: Sequence[Hashable], other: Sequence[Hashable]) -> float:
    return SequenceMatcher(None, own, other, autojunk=False).ratio()
