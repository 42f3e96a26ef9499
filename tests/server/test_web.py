"""The files that the browser loads once, and the address of the page."""

import gzip
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import Server

from vggexplorer.paths import PAGES
from vggexplorer.server import files


class Answer(NamedTuple):
    status: int
    headers: Any
    body: bytes


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)


def get(server: Server, path: str) -> Answer:
    """What the server answers, redirections not followed."""
    try:
        with _OPENER.open(server.url + path, timeout=20) as answer:
            return Answer(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        return Answer(error.code, error.headers, error.read())


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file that is served in place of components.js, read anew by every test."""
    path = tmp_path / "components.js"
    path.write_text("export const one = 1", "utf-8")
    real = files.place
    monkeypatch.setattr(files, "place", lambda name: path if name == path.name else real(name))
    files.url.cache_clear()
    yield path
    files.url.cache_clear()


def test_the_address_changes_with_the_content(script: Path) -> None:
    first, beside = files.url("components.js"), files.url("curves.js")
    files.url.cache_clear()
    assert files.url("components.js") == first
    script.write_text("export const one = 2", "utf-8")
    files.url.cache_clear()
    assert files.url("components.js") != first
    assert files.url("curves.js") != beside, "they import each other"
    assert re.fullmatch(r"assets/[0-9a-f]{16}/components\.js", first)


def test_the_address_of_plotly_needs_its_version_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_folder_of", lambda _: pytest.fail("the file is not asked for"))
    files.url.cache_clear()
    assert files.url(files.PLOTLY) == f"assets/{version('plotly')}/plotly.min.js"


@pytest.mark.parametrize("name", files.FILES)
def test_a_file_comes_packed_and_may_be_kept_for_ever(dashboard: Server, name: str) -> None:
    answer = get(dashboard, f"/{files.url(name)}")
    assert answer.status == 200
    assert answer.headers["Content-Encoding"] == "gzip"
    assert answer.headers["Content-Type"].startswith("text/javascript")
    assert "immutable" in answer.headers["Cache-Control"]
    assert "max-age=31536000" in answer.headers["Cache-Control"]
    assert gzip.decompress(answer.body) == files.place(name).read_bytes()


@pytest.mark.parametrize("path", ["/assets/0/secret.js", "/assets/0/zh.json", "/assets/0/components.js"])
def test_an_unknown_name_is_not_found(dashboard: Server, path: str) -> None:
    assert get(dashboard, path).status == 404


@pytest.mark.parametrize("path", ["/assets/0/..%2f..%2flink.py", "/assets/0/..%2fzh.json", "/assets/../link.py"])
def test_no_other_file_of_the_package_is_served(dashboard: Server, path: str) -> None:
    answer = get(dashboard, path)
    assert b"InputError" not in answer.body
    assert "撤销".encode() not in answer.body


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("/explore", "./"),
        ("/explore?x=1", "./?x=1"),
        ("/explore?arch=1x8%2C2x16&pin=a%3Bb", "./?arch=1x8%2C2x16&pin=a%3Bb"),
    ],
)
def test_explore_leads_home_with_its_parameters(dashboard: Server, path: str, home: str) -> None:
    answer = get(dashboard, path)
    assert answer.status in (302, 307, 308)
    assert answer.headers["Location"] == home


@pytest.mark.parametrize("page", [page for page in PAGES if page])
def test_a_page_with_a_slash_behind_it_leads_to_the_page(dashboard: Server, page: str) -> None:
    answer = get(dashboard, f"/{page}/?arch=1x8%2C2x16")
    assert (answer.status, answer.headers["Location"]) == (307, f"../{page}?arch=1x8%2C2x16")


def test_a_redirection_stays_on_this_server(dashboard: Server) -> None:
    for path in ("/explore?//evil.example", "/explore?%0d%0aSet-Cookie:a=b", "/explore?@evil.example"):
        answer = get(dashboard, path)
        assert answer.headers["Location"].startswith("./?")
        assert "Set-Cookie" not in answer.headers
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(dashboard.url + "/explore?x=1") as page:
        assert page.url == f"{dashboard.url}/?x=1"
        assert page.status == 200
