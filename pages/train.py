"""Train: does this network learn, how fast, and how well?"""

from vggexplorer.ui import header
from vggexplorer.ui.i18n import t

header.show(t("Train"), "")
