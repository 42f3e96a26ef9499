"""The Streamlit entry: `streamlit run app.py`, or simply `vggexplorer`."""

import streamlit as st

from vggexplorer.paths import PACKAGE
from vggexplorer.ui.web import lifespan, routes

app = st.App(PACKAGE / "ui" / "main.py", routes=routes(), lifespan=lifespan)
