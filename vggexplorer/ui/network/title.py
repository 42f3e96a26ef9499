"""The heading of a page that shows one network: what it is called, and what it takes and gives."""

from typing import Any

from vggexplorer.architectures import Network
from vggexplorer.layers import shape_text
from vggexplorer.notation import format_arch
from vggexplorer.text import format_tuple
from vggexplorer.ui.i18n import t
from vggexplorer.ui.network.named import heading


def described(network: Network) -> dict[str, Any]:
    """What a network is called, what it takes and gives, and how it is written: as data."""
    shape, classes = shape_text(network.input_shape), network.architecture.num_classes
    about = t("{shape} → {classes} {classes:class|classes}", shape=shape, classes=classes)
    written = format_tuple(network.architecture) or format_arch(network.architecture)
    return {"name": heading(network), "about": about, "written": written}
