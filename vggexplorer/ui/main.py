"""What every page shares: page settings, the session's state, the menu."""

import streamlit as st

from vggexplorer import palette
from vggexplorer.paths import PACKAGE, root
from vggexplorer.server.keys import NOBODY
from vggexplorer.ui.access import person
from vggexplorer.ui.i18n import t
from vggexplorer.ui.state import begin, publish, travel, visit
from vggexplorer.ui.widgets import RED

PAGES = root() / "pages"
# What all pages look like; nothing but our own colours is put in.
_RED = ", ".join(f".st-key-{key.replace(' ', '-')}" for key in RED)
STYLE = f"""<style>
[data-testid=stMainBlockContainer] {{ padding-inline: clamp(1rem, 2.6vw, 3rem); }}
.st-key-header h1 {{ padding-block: 0; }}
[data-testid=stCaptionContainer] {{ color: inherit; opacity: 0.8; }}
[data-testid=stBaseButton-primary] {{ color: {palette.ON_PRIMARY.css}; }}
:is([data-testid=stBaseButton-tertiary], [data-testid=stPopoverButton]):is(:hover, :active, [aria-expanded=true]) {{
  color: {palette.LINK.css};
}}
[data-testid=stMarkdownContainer]:has(table) {{ overflow-x: auto; }}
:is({_RED}) button:enabled {{ color: {palette.RED.css}; border-color: currentColor; }}
:is({_RED}) button:enabled:hover {{ background: {palette.RED_GROUND.css}; }}
</style>"""

st.set_page_config(
    page_title="vggexplorer",
    page_icon=str(PACKAGE / "assets" / "icon.svg"),
    layout="wide",
    initial_sidebar_state=410,
)
begin()
if person() == NOBODY:
    st.error(
        t("The pages are closed, as no gate stands before them. Start them with vggexplorer or streamlit run app.py.")
    )
    st.stop()
st.html(STYLE)
page = st.navigation(
    [
        st.Page(PAGES / "explore.py", title=t("Explore"), icon=":material/tune:", default=True),
        st.Page(PAGES / "compare.py", title=t("Compare"), icon=":material/balance:"),
        st.Page(PAGES / "train.py", title=t("Train"), icon=":material/play_circle:"),
        st.Page(PAGES / "runs.py", title=t("Runs"), icon=":material/history:"),
        st.Page(PAGES / "learn.py", title=t("Learn"), icon=":material/school:"),
    ],
    position="top",
)
visit(page.url_path)
publish(page.url_path)
st.logo(str(PACKAGE / "assets" / "logo.svg"), icon_image=str(PACKAGE / "assets" / "icon.svg"))
travel()
page.run()
