"""What can be taken away of a comparison."""

import json
from collections.abc import Sequence

import streamlit as st

from vggexplorer import export
from vggexplorer.comparison import Entry
from vggexplorer.paths import COMPARE
from vggexplorer.ui import components, link, share
from vggexplorer.ui.i18n import t
from vggexplorer.ui.network import compared, compared_figures
from vggexplorer.ui.state import current


def show(entries: Sequence[Entry]) -> None:
    """The totals of several networks as files, their parts as a picture, and the link."""
    able = [entry for entry in entries if entry.summary]
    summaries = [entry.summary for entry in able if entry.summary]
    _, height, width = summaries[0].input_shape
    name = f"comparison-{len(able)}-networks-{height}x{width}"
    st.markdown(f"## {t('Numbers')}")
    data = json.dumps(export.comparison(able), indent=2, ensure_ascii=False) + "\n"
    texts = {"csv": export.totals_csv(summaries), "json": data}
    numbers = [{"label": end.upper(), "name": f"{name}.{end}", "text": text} for end, text in texts.items()]
    components.downloads(numbers, "", key="take-comparison")
    st.markdown(f"## {t('Pictures')}")
    figure = {"figure": compared_figures.parts(compared.able(entries))}
    files = [{"label": t("Parts (PNG)"), "name": f"{name}.png", **figure}]
    components.downloads(files, t("The picture could not be made."), key="comparison-pictures")
    st.markdown(f"## {t('Link')}")
    share.hand_out(link.address(st.context.url or "", link.write(current(), COMPARE)))
