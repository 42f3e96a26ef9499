"""A dashboard that is there to look at: who comes in, what is refused whoever asks, what a visitor may cost."""

import asyncio
import http.client
import io
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from conftest import ROOT, Server, StartServer, status_of
from test_access import TEACHER, Asked, own_surroundings  # noqa: F401 (a fixture)
from test_runs_page import config, make

from vggexplorer import exhibit
from vggexplorer.errors import InputError
from vggexplorer.processes import answer, detached, need_torch
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.sweeps.folder import Sweep
from vggexplorer.server import archives, dashboard, files, keys, visitors
from vggexplorer.server.keys import HERE, VISITOR, Person
from vggexplorer.server.visitors import Rate, Visitors
from vggexplorer.ui import access, jobs

REFUSED = "This dashboard is there to look at"
RECORDED = Runs(layout.RECORDED).all(recorded=False)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process has such a dashboard."""
    monkeypatch.setenv(exhibit.VARIABLE, "1")


# --- who comes in ------------------------------------------------------------------------------------------


@pytest.fixture
def asked(shown: None, monkeypatch: pytest.MonkeyPatch) -> Asked:
    options = {"server.address": "0.0.0.0", "server.allowedHosts": ["*", "localhost", "127.0.0.1"]}
    return Asked(monkeypatch, **options)


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_everybody_comes_in_as_the_same_visitor_by_any_name_and_from_any_site(asked: Asked, kind: str) -> None:
    elsewhere: dict[str, str] = {
        "host": "somebody-cnn.hf.space",
        "client": "203.0.113.7",
        "origin": "https://other.site",
    }
    for given in ({}, elsewhere, elsewhere | {"sec_fetch_site": "cross-site", "sec_fetch_dest": "iframe"}):
        answer = asked.ask(kind=kind, x_vggexplorer_person="t 1111111111111111", **given)
        assert answer.person == f"s {VISITOR.id}", given
        assert b"origin" not in dict(asked.scope["headers"])
    assert asked.ask(kind=kind, host=None).person is None
    assert asked.ask("/?token=x").person == f"s {VISITOR.id}", "a token means nothing"


def test_any_site_may_have_it_in_a_frame(asked: Asked) -> None:
    headers = asked.ask().headers
    assert "frame-ancestors *;" in headers["content-security-policy"]
    assert "x-frame-options" not in headers


def test_no_key_is_made_and_the_terminal_says_who_may_do_what(capsys: pytest.CaptureFixture[str], asked: Asked) -> None:
    assert not (Path(os.environ["VGGEXPLORER_RUNS"]) / keys.KEY_FILE).exists()
    assert "Nobody trains or measures here, and nothing is kept." in capsys.readouterr().out


# --- what is refused ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("person", [VISITOR, TEACHER, HERE])
def test_whatever_starts_changes_or_brings_a_run_is_refused_whoever_asks(
    shown: None, person: Person, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(keys, "ungated", person)
    runs, run = Runs(tmp_path / "runs"), make(tmp_path, "one", "stopped")
    acts: list[Callable[[], object]] = [
        lambda: access.start_run(runs, config()),
        lambda: access.start_race(runs, [config(), config()]),
        lambda: access.start_sweep(runs, [config()]),
        lambda: access.resume_run(runs, run),
        lambda: access.check(run),
        lambda: access.check_sweep(Sweep(tmp_path)),
        lambda: access.bring_run(runs, io.BytesIO(b"")),
        lambda: archives._made(run),
        lambda: need_torch(),
        lambda: answer("vggexplorer.runs.survey"),
        lambda: detached(["x"], tmp_path / "log", {}),
    ]
    for act in acts:
        with pytest.raises(InputError, match=REFUSED):
            act()
    assert not runs.path.exists()
    assert not (tmp_path / "log").exists()
    job = jobs.Job(lambda _: 1, needs=lambda: None, torch=False)
    assert (str(job.error)[: len(REFUSED)], job.running, job.answer) == (REFUSED, False, None)


def test_there_is_no_folder_of_runs_and_none_can_be_made(shown: None) -> None:
    runs = Runs.at()
    assert [run.id for run in runs.all()] == sorted(run.id for run in RECORDED)
    with pytest.raises(OSError, match=os.devnull):
        runs.lock("start")
    with pytest.raises(InputError):
        runs.create(config())


def test_the_routes_are_those_that_were_looked_at() -> None:
    """A new one that starts or writes something must ask `exhibit.check`, and be asked for below."""
    own = {getattr(route, "path", "") for route in files.routes("")}
    pages = {"/", "/compare", "/train", "/runs", "/learn", "/compare/", "/train/", "/runs/", "/learn/", "/explore"}
    assert own - pages == {
        "/assets/{edition}/{name}",
        "/download/{token}/{name}",
        "/live",
        "/records/{run}",
        "/tables/{run}.csv",
        "/archives/{run}.zip",
    }
    assert (ROOT / "app.py").read_text("utf-8").count("Route(f") == len(("answer", "watch", "listed"))


# --- the real server ---------------------------------------------------------------------------------------


class Shown(NamedTuple):
    """A dashboard of the tests, the folder that holds all that it could write to, and a run that is not shown."""

    server: Server
    around: Path
    hidden: str

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int, str]:
        """Status and text of an answer."""
        connection = http.client.HTTPConnection(self.server.url.removeprefix("http://"), timeout=30)
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(errors="replace")

    def files(self) -> dict[str, tuple[int, int]]:
        """All that is there, with sizes and times."""
        found = (path for path in self.around.rglob("*") if path.name != "log.txt")
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


@pytest.fixture(scope="module")
def demo(server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    """Started as README has it; nothing that could be written to is any other after it."""
    around = tmp_path_factory.mktemp("around")
    folders = {"HOME": "home", "TMPDIR": "tmp", "VGGEXPLORER_RUNS": "runs", "XDG_DATA_HOME": "data"}
    for name in folders.values():
        (around / name).mkdir()
    hidden = make(around / "runs", "somebody's")
    env = {name: str(around / folder) for name, folder in folders.items()}
    shown = Shown(server(sys.executable, "-m", "vggexplorer", "--demo", env=env), around, hidden.id)
    before = shown.files()
    yield shown
    assert shown.files() == before


def test_recorded_runs_are_shown_and_no_others(demo: Shown) -> None:
    ours = RECORDED[0].id
    for route in ("records", "watch"):
        assert demo.ask("GET", f"/{route}/{ours}")[0] == 200
        assert demo.ask("GET", f"/{route}/{demo.hidden}")[0] == 404
    assert demo.ask("GET", f"/tables/{ours}.csv")[0] == 200
    assert demo.ask("GET", f"/tables/{demo.hidden}.csv")[0] == 404
    listed = demo.ask("GET", "/listed?lang=en", **{"Accept-Encoding": "identity"})
    assert listed[0] == 200
    assert demo.ask("GET", f"/live?run={demo.hidden}") == (200, "{}")


def test_an_archive_would_be_written_first_and_is_refused(demo: Shown) -> None:
    status, text = demo.ask("GET", f"/archives/{RECORDED[0].id}.zip")
    assert (status, text[: len(REFUSED)]) == (409, REFUSED)
    assert demo.ask("GET", f"/archives/{demo.hidden}.zip")[0] == 404


def test_figures_of_networks_are_answered(demo: Shown) -> None:
    status, _ = demo.ask("GET", "/answer?arch=1x64&parts=totals,layers")
    assert status == 200


def test_a_file_belongs_to_a_page_that_is_open(demo: Shown) -> None:
    """How large it may be is told to Streamlit, which looks at the page first."""
    assert "--server.maxUploadSize=1" in dashboard.SMALL
    assert demo.ask("PUT", "/_stcore/upload_file/x/y", b"x" * 2_000_000)[0] == 400


def test_who_asks_too_much_is_told_to_wait_and_others_are_not(demo: Shown) -> None:
    """By one address; the files of the pages come all the same, and so does the answer of the health check."""
    found = {demo.ask("GET", "/live")[0] for _ in range(visitors.REQUESTS[0] + 100)}
    assert found <= {200, 429}
    assert status_of(f"{demo.server.url}/{files.url('live.js')}") == 200
    time.sleep(2 / visitors.REQUESTS[1])
    assert demo.ask("GET", "/live")[0] == 200


def test_the_demo_goes_with_no_command(capsys: pytest.CaptureFixture[str]) -> None:
    from vggexplorer.cli import main

    assert main(["--demo", "profile", "lenet"]) == 2
    assert capsys.readouterr().err == "--demo does not go with profile.\n"


# --- what a visitor may cost -------------------------------------------------------------------------------


def test_so_many_at_once_and_then_so_many_in_each_second() -> None:
    now = [100.0]
    rate = Rate(3, 2.0, lambda: now[0])
    assert [rate.wait("a") for _ in range(3)] == [0, 0, 0]
    assert rate.wait("a") == pytest.approx(0.5)
    assert rate.wait("b") == 0, "another one is not the first one's keeper"
    now[0] += 0.5
    assert rate.wait("a") == 0
    assert rate.wait("a") == pytest.approx(0.5)
    now[0] += 60
    assert [rate.wait("a") for _ in range(3)] == [0, 0, 0], "rest is not saved up"
    assert rate.wait("a") > 0


def test_visitors_that_have_rested_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "_MOST_KNOWN", 10)
    now = [0.0]
    rate = Rate(3, 1.0, lambda: now[0])
    for place in range(1000):
        now[0] += 1
        rate.wait(str(place))
    assert len(rate._rested) <= 11


class Outside:
    """Visitors before an application that answers everything, and that reads what an open page sends."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.visitors = Visitors(self.app)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            self.heard.append(message["text"])

    async def ask(self, path: str = "/answer", client: str = "203.0.113.7", method: str = "GET", **headers: str) -> int:
        given = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "client": (client, 1), "headers": given}
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        await self.visitors(scope, None, send)  # type: ignore[arg-type]
        return int(sent[0]["status"])

    async def page(self, client: str = "203.0.113.7", messages: int = 0) -> "tuple[asyncio.Event, list[Any]]":
        """Open one that sends so many messages; it is closed when the event is set."""
        end, sent, texts = asyncio.Event(), [], iter(range(messages))

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            if (number := next(texts, None)) is not None:
                return {"type": "websocket.receive", "text": str(number)}
            await end.wait()
            return {"type": "websocket.disconnect"}

        scope = {"type": "websocket", "path": "/_stcore/stream", "client": (client, 1), "headers": []}
        self.task = asyncio.ensure_future(self.visitors(scope, receive, send))
        await asyncio.sleep(0)
        return end, sent


def run(work: Callable[[Outside], Any]) -> None:
    """`work` in a loop of its own: this thread may have Playwright's."""
    failed: list[BaseException] = []

    def here() -> None:
        try:
            asyncio.run(work(Outside()))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=here)
    thread.start()
    thread.join()
    for error in failed:
        raise error


def test_one_visitor_and_all_together_have_so_many_pages_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "PAGES", 2)
    monkeypatch.setattr(visitors, "PAGES_OF_ALL", 3)

    async def work(outside: Outside) -> None:
        ends = [(await outside.page())[0] for _ in range(2)]
        _, refused = await outside.page()
        assert refused == [{"type": "websocket.close", "code": 1013}]
        opening = {"sec_fetch_mode": "navigate"}
        assert await outside.ask("/", **opening) == 503
        assert await outside.ask("/answer") == 200, "a page that is open goes on"
        assert await outside.ask("/", client="203.0.113.8", **opening) == 200
        await outside.page(client="203.0.113.8")
        assert await outside.ask("/", client="203.0.113.9", **opening) == 503
        ends[0].set()
        await asyncio.sleep(0.01)
        assert await outside.ask("/", client="203.0.113.9", **opening) == 200

    run(work)


def test_messages_wait_for_their_turn_and_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitors, "MESSAGES", (5, 100.0))

    async def work(outside: Outside) -> None:
        began = time.monotonic()
        end, _ = await outside.page(messages=15)
        end.set()
        await outside.task
        assert outside.heard == [str(number) for number in range(15)]
        assert time.monotonic() - began > 0.09

    run(work)


def test_files_are_fewer_than_requests_and_what_is_the_same_for_all_is_free() -> None:
    async def work(outside: Outside) -> None:
        sent = [await outside.ask("/_stcore/upload_file/1/2", method="PUT") for _ in range(visitors.FILES[0] + 1)]
        assert sent == [200] * visitors.FILES[0] + [429]
        assert {await outside.ask() for _ in range(visitors.REQUESTS[0] + 50)} == {200, 429}
        assert await outside.ask("/static/js/x.js") == 200
        assert await outside.ask(f"/{files.url('live.js')}") == 200

    run(work)


@pytest.mark.parametrize(
    ("client", "who"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("somewhere", "somewhere"),
    ],
)
def test_a_visitor_is_an_address_or_the_network_of_a_house(client: str, who: str) -> None:
    assert visitors._address({"client": (client, 1)}) == who
