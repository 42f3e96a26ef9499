"""The dashboard in a browser: what stlite runs in place of app.py and its gate."""

import runpy
import warnings

import streamlit.runtime as runtime

from vggexplorer.server import keys

if not hasattr(runtime.Runtime, "exists"):  # stlite 1.9.2 took both away; Streamlit's components ask for them
    runtime.Runtime.exists = staticmethod(runtime.exists)
    runtime.Runtime.instance = staticmethod(runtime.get_instance)
warnings.filterwarnings("ignore", "only soft file lock")  # nobody else writes here
keys.ungated = keys.HERE  # nobody else can reach these pages
runpy.run_module("vggexplorer.ui.main")
