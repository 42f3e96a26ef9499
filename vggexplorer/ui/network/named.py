"""The named networks in a menu: each with where it comes from, those of one source together."""

from vggexplorer.origins import ORIGINS
from vggexplorer.ui.i18n import t

NAMES = tuple(ORIGINS)


def label(name: str) -> str:
    """How a menu shows a named network."""
    return f"{name} · {t(ORIGINS[name])}"
