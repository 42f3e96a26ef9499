"""What every page shares: page settings, the session's state, the menu."""

import streamlit as st

from vggexplorer.paths import PACKAGE, root
from vggexplorer.server import style
from vggexplorer.server.keys import NOBODY
from vggexplorer.ui import bar
from vggexplorer.ui.access import person
from vggexplorer.ui.i18n import t
from vggexplorer.ui.link import PROJECTOR
from vggexplorer.ui.state import begin, current, publish, travel, visit

PAGES = root() / "pages"
LARGER = f"<style>{style.PROJECTOR}</style>"

begin()
st.set_page_config(
    page_title="vggexplorer",
    page_icon=str(PACKAGE / "assets" / "icon.svg"),
    layout="wide",
    initial_sidebar_state=350,
    menu_items={"About": t("vggexplorer shows what a CNN costs, layer by layer, and lets you change it.")},
)
if person() == NOBODY:
    st.error(
        t("The pages are closed, as no gate stands before them. Start them with vggexplorer or streamlit run app.py.")
    )
    st.stop()
if current().view == PROJECTOR:
    st.html(LARGER)
pages = [
    st.Page(PAGES / "explore.py", title=t("Explore"), icon=":material/tune:", default=True),
    st.Page(PAGES / "compare.py", title=t("Compare"), icon=":material/balance:"),
    st.Page(PAGES / "train.py", title=t("Train"), icon=":material/play_circle:"),
    st.Page(PAGES / "runs.py", title=t("Runs"), icon=":material/history:"),
    st.Page(PAGES / "learn.py", title=t("Learn"), icon=":material/school:"),
]
page = st.navigation(pages, position="top")
st.set_page_config(page_title=f"{page.title} · vggexplorer")
visit(page.url_path)
publish(page.url_path)
st.logo(str(PACKAGE / "assets" / "logo.svg"))
travel()
bar.show(page.url_path)
bar.bottom(pages, page)
page.run()
