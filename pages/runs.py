"""Runs: what was trained here, and what came of it?"""

from vggexplorer.ui import header
from vggexplorer.ui.i18n import t

header.show(t("Runs"), "")
