"""The named networks in a menu, each with where it comes from, and what a network is called in a heading."""

from vggexplorer.architectures import Network
from vggexplorer.naming import known_as
from vggexplorer.origins import ORIGINS
from vggexplorer.ui.i18n import t

NAMES = tuple(ORIGINS)


def label(name: str) -> str:
    """How a menu shows a named network."""
    return f"{name} · {t(ORIGINS[name])}"


def heading(network: Network) -> str:
    """Its name, or that of the nearest named network with "edited"; never how it is written down."""
    name, edited = known_as(network)
    if name is None:
        return t("Own network")
    return t("{name} · edited", name=name) if edited else name
