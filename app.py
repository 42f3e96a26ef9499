"""The Streamlit entry: `streamlit run app.py`, or simply `vggexplorer`."""

import streamlit as st
from starlette.middleware import Middleware

from vggexplorer.paths import PACKAGE
from vggexplorer.ui.gate import Gate
from vggexplorer.ui.web import lifespan, routes

app = st.App(PACKAGE / "ui" / "main.py", routes=routes(), middleware=[Middleware(Gate)], lifespan=lifespan)
