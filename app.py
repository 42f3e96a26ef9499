"""The Streamlit entry: `streamlit run app.py`, or simply `vggexplorer`."""

import streamlit as st
from starlette.middleware import Middleware

from vggexplorer.paths import PACKAGE
from vggexplorer.server.files import lifespan, routes
from vggexplorer.server.gate import Gate, prefix

app = st.App(PACKAGE / "ui" / "main.py", routes=routes(prefix()), middleware=[Middleware(Gate)], lifespan=lifespan)
