"""A callback is done to its end, though the next request is there already."""

import re

import pytest
from conftest import ROOT
from streamlit.testing.v1 import AppTest

begun: list[int] = []
"""One for each run of the script."""


def app() -> None:
    import streamlit as st
    from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx
    from test_session import begun

    from vggexplorer.ui.session import session

    def add() -> None:
        for _ in range(session.get("requests", 0)):
            get_script_run_ctx().script_requests.request_rerun(RerunData())
            session["sum"] = session["sum"] + session["number"]

    begun.append(1)
    session.setdefault("sum", 0)
    st.number_input("number", 0, key="number", on_change=add)


@pytest.mark.parametrize("requests", [1, 3])
def test_requests_that_come_during_a_callback_wait_for_its_end(requests: int) -> None:
    begun.clear()
    test = AppTest.from_function(app).run()
    test.session_state["requests"] = requests
    test.number_input[0].set_value(5).run()
    assert test.session_state["sum"] == 5 * requests
    assert len(begun) == 3, "the first, that of the callback, and one for all requests that came"


def test_all_pages_use_it() -> None:
    for path in [*ROOT.glob("pages/*.py"), *ROOT.glob("vggexplorer/ui/**/*.py")]:
        direct = re.search(r"st\.session_state", path.read_text("utf-8"))
        assert direct is None or path.name == "session.py", path.name
