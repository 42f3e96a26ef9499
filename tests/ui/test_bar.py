"""The bar of all pages in Streamlit's AppTest: Share, the projector's view."""

import re
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import live
import pytest
import segno
from streamlit.testing.v1 import AppTest

from vggexplorer.architectures import NETWORKS
from vggexplorer.drawing import draw
from vggexplorer.paths import LEARN, PACKAGE, PAGES, TRAIN, root
from vggexplorer.server.style import STYLE
from vggexplorer.summary import summarize
from vggexplorer.ui import share
from vggexplorer.ui.link import PROJECTOR

MAIN = str(PACKAGE / "ui" / "main.py")


@pytest.fixture(autouse=True)
def no_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))


def opened(page: str = "", **params: str) -> AppTest:
    test = AppTest.from_file(MAIN, default_timeout=60)
    test.context = {"locale": "en-US"}
    test.query_params.update(params)
    test.run()
    if page:
        test.switch_page(str(root() / "pages" / f"{page}.py")).run()
    assert not test.exception
    return test


def shared(test: AppTest) -> dict[str, str]:
    """The parameters of the link that Share hands out."""
    test.session_state["share"] = True
    test.run()
    return dict(parse_qsl(urlsplit(test.code[0].value).query))


def styles(test: AppTest) -> str:
    return " ".join(element.proto.body for element in test.get("html"))


def test_the_drawing_has_other_properties_than_the_scale_of_type() -> None:
    """One that both had would give the drawing's labels a size for their colour."""
    properties = [set(re.findall(r"--vgg-\w+", text)) for text in (STYLE, draw(summarize(*NETWORKS["VGG-11"])))]
    assert all(properties)
    assert set.intersection(*properties) == set()


@pytest.mark.parametrize("page", PAGES)
def test_every_page_has_a_title_and_the_link_to_itself(page: str) -> None:
    test = opened(page, arch="vgg13", view=PROJECTOR)
    titles = [item.value for item in test.get_by_key("header").markdown if item.value.startswith("# ")]
    assert titles or live.figures(test)["title"]["name"] == "VGG-13"
    assert not test.main.code
    address = {key: text if isinstance(text, str) else text[-1] for key, text in test.query_params.items()}
    assert shared(test) == address
    assert address["view"] == PROJECTOR
    assert ("hide" in [each.key for each in test.multiselect]) is (page in ("", TRAIN, LEARN))


def test_what_is_hidden_stands_in_the_link_and_changes_nothing_here() -> None:
    test = opened(arch="vgg13")
    assert shared(test) == {"arch": "vgg13"}
    test.multiselect(key="hide").set_value(["tools"]).run()
    assert shared(test) == {"arch": "vgg13", "hide": "tools"}
    assert test.button(key="undo")


@pytest.mark.parametrize(
    ("link", "local"),
    [
        ("http://127.0.0.1:8501/", True),
        ("http://[::1]:8501/train", True),
        ("http://localhost:8501/?arch=vgg13", True),
        ("http://vgg.localhost/", True),
        ("http://192.0.2.7:8501/", False),
        ("https://example.org/vgg/", False),
        ("?arch=vgg13", False),
    ],
)
def test_an_address_of_this_machine_is_known_as_one(link: str, local: bool) -> None:
    assert share.local(link) is local


def test_the_code_of_the_longest_link_can_be_made() -> None:
    longest = "https://example.org/" + "x" * (share.MOST - 20)
    assert segno.make(longest, micro=False).version <= 40
    assert share.code(longest).startswith("data:image/svg+xml")


def test_the_projectors_view_is_larger_and_no_edit() -> None:
    test = opened()
    normal = styles(test)
    test.button(key="projector").click().run()
    assert dict(test.query_params) == {"view": PROJECTOR}
    assert len(styles(test)) > len(normal)
    assert test.button(key="undo").disabled
    test.button(key="projector").click().run()
    assert "view" not in test.query_params
    assert styles(test) == normal
