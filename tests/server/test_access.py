"""Who comes in, and who may do what: keys, the gate before all requests, owners of runs, a teacher's limits."""

import asyncio
import os
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from conftest import ROOT
from real_runs import folder_of_runs
from streamlit.testing.v1 import AppTest
from test_runs_page import config, make

from vggexplorer.errors import InputError
from vggexplorer.runs import launch, limits
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.line import Line
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.limits import Limits
from vggexplorer.server import dashboard, gate, keys, login
from vggexplorer.server.gate import Gate
from vggexplorer.server.keys import HERE, NOBODY, Keys, Person
from vggexplorer.server.login import Login
from vggexplorer.ui import access
from vggexplorer.ui.session import instead

MAIN = ROOT / "vggexplorer" / "ui" / "main.py"
TEACHER, ANNA, BEN = Person("1" * 16, True), Person("a" * 16, False), Person("b" * 16, False)


# --- keys --------------------------------------------------------------------------------------------------


def test_the_teachers_link_works_once_and_the_students_for_all(tmp_path: Path) -> None:
    ours = Keys(tmp_path)
    first = ours.teacher_token
    teacher = ours.admit(first)
    assert teacher
    assert teacher.teacher
    assert ours.admit(first) is None
    assert ours.teacher_token != first
    students = [ours.admit(ours.student_token) for _ in range(20)]
    assert len(set(students)) == 20
    assert not any(student is None or student.teacher for student in students)


def test_who_is_in_stays_who_they_are(tmp_path: Path) -> None:
    ours = Keys(tmp_path)
    assert ours.admit(ours.student_token, ANNA) == ANNA
    assert ours.admit(ours.student_token, TEACHER) == TEACHER
    assert ours.admit(ours.teacher_token, ANNA) == Person(ANNA.id, True)


def test_tokens_are_256_bits_and_never_the_same(tmp_path: Path) -> None:
    ours, others = Keys(tmp_path), Keys(tmp_path)
    tokens = {ours.teacher_token, ours.student_token, others.teacher_token, others.student_token}
    assert len(tokens) == 4
    assert min(map(len, tokens)) >= 256 / 6


@pytest.mark.parametrize("token", ["", "x", "ü", "\udcff", "x" * 10_000])
def test_no_other_token_opens(tmp_path: Path, token: str) -> None:
    ours = Keys(tmp_path)
    assert ours.admit(token) is None
    assert ours.admit(ours.student_token[:-1]) is None


def test_a_cookie_outlasts_the_server_but_not_its_key(tmp_path: Path) -> None:
    cookie = Keys(tmp_path / "one").cookie(ANNA)
    assert Keys(tmp_path / "one").person(cookie) == ANNA
    assert Keys(tmp_path / "other").person(cookie) is None


def test_a_cookie_cannot_be_changed(tmp_path: Path) -> None:
    ours = Keys(tmp_path)
    cookie = ours.cookie(ANNA)
    for place, char in enumerate(cookie):
        other = "0" if char != "0" else "1"
        assert ours.person(cookie[:place] + other + cookie[place + 1 :]) is None, place
    assert ours.person("t" + cookie[1:]) is None
    assert ours.person(None) is None
    assert ours.person(cookie + "\n") is None


def test_a_cookie_lasts_a_term(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ours, now = Keys(tmp_path), time.time()
    cookie = ours.cookie(ANNA)
    monkeypatch.setattr(keys.time, "time", lambda: now + 199 * 86_400)
    assert ours.person(cookie) == ANNA
    monkeypatch.setattr(keys.time, "time", lambda: now + 201 * 86_400)
    assert ours.person(cookie) is None


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_the_key_is_for_us_only(tmp_path: Path) -> None:
    Keys(tmp_path)
    assert stat.S_IMODE((tmp_path / keys.KEY_FILE).stat().st_mode) == 0o600


def test_a_damaged_key_is_named(tmp_path: Path) -> None:
    (tmp_path / keys.KEY_FILE).write_bytes(b"short")
    with pytest.raises(InputError, match="is damaged"):
        Keys(tmp_path)


def test_whose_runs_may_be_changed() -> None:
    for person, owner, may in (
        (TEACHER, ANNA.id, True),
        (ANNA, ANNA.id, True),
        (BEN, ANNA.id, False),
        (BEN, "", False),
        (HERE, "", True),
        (HERE, ANNA.id, True),
        (NOBODY, "", False),
    ):
        assert person.may_change(owner) is may, (person, owner)


# --- the gate ----------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """What came back; `person` is what the application behind the gate was told, None if it was not asked."""

    status: int
    headers: dict[str, str]
    body: str
    person: str | None


class Asked:
    """A gate with a stand-in for the application behind it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **options: Any) -> None:
        defaults = {"server.address": "127.0.0.1", "server.allowedHosts": ["localhost", "127.0.0.1"]}
        known = defaults | {"server.port": 8501, "server.baseUrlPath": ""} | options
        monkeypatch.setattr(gate.st, "get_option", known.__getitem__)
        self.scope: dict[str, Any] = {}
        self.headers: list[tuple[bytes, bytes]] = []
        self.gate = Gate(self.app)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 200, "headers": [*self.headers]})
            await send({"type": "http.response.body", "body": b""})
        elif scope["type"] == "websocket":
            await send({"type": "websocket.accept"})

    def ask(
        self,
        path: str = "/",
        *,
        kind: str = "http",
        method: str = "GET",
        host: str | None = "127.0.0.1:8501",
        client: str = "127.0.0.1",
        server: str = "127.0.0.1",
        cookie: str = "",
        **headers: str,
    ) -> Answer:
        given = {name.replace("_", "-"): text for name, text in headers.items()}
        given |= ({"host": host} if host is not None else {}) | ({"cookie": cookie} if cookie else {})
        scope: dict[str, Any] = {
            "type": kind,
            "scheme": {"http": "http", "websocket": "ws"}[kind],
            "path": path.partition("?")[0],
            "query_string": path.partition("?")[2].encode(),
            "headers": [(name.encode(), text.encode("latin-1")) for name, text in given.items()],
            "client": (client, 50_000),
            "server": (server, 8501),
        } | ({"method": method} if kind == "http" else {})
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        self.scope = {}
        with ThreadPoolExecutor(1) as pool:  # this thread may have Playwright's event loop
            pool.submit(lambda: asyncio.run(self.gate(scope, receive, send))).result()
        first = sent[0]
        status = first.get("status") or {"websocket.accept": 101, "websocket.close": 403}[first["type"]]
        answered = {name.decode(): text.decode() for name, text in first.get("headers", [])}
        body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        told = [text.decode() for name, text in self.scope.get("headers", []) if name == gate.PERSON.encode()]
        assert len(told) < 2
        return Answer(status, answered, body.decode(), (told or [""])[0] if self.scope else None)

    def come_in(self, token: str, **options: Any) -> str:
        """The cookie that a link is exchanged for."""
        return self.ask(f"/?token={token}", **options).headers["set-cookie"].partition(";")[0]


@pytest.fixture(autouse=True)
def own_surroundings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for keys, no secrets, and no gate standing for the sessions of AppTest afterwards."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path / "runs"))
    monkeypatch.delenv(gate.URL, raising=False)
    for name in ("MINUTES", "PARAMS", "MACS", "RUNS"):
        monkeypatch.setenv(f"VGGEXPLORER_MAX_{name}", "")  # so that what a test sets is taken away after it
        monkeypatch.delenv(f"VGGEXPLORER_MAX_{name}")
    monkeypatch.setattr(gate, "standing", False)
    monkeypatch.setattr(gate, "_login", lambda: None)


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """On this machine's own address."""
    return Asked(monkeypatch)


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """On all addresses of the machine."""
    return Asked(monkeypatch, **{"server.address": "0.0.0.0", "server.allowedHosts": ["*", "localhost", "127.0.0.1"]})


KINDS = pytest.mark.parametrize("kind", ["http", "websocket"])
ALL_PATHS = (
    "/",
    "/runs",
    "/answer?arch=1x8",
    "/records/x",
    "/watch/x",
    "/listed",
    "/download/x/y",
    "/archives/x.zip",
    "/assets/0/x",
    "/_stcore/stream",
    "/_stcore/upload_file/1/2",
)
ALL_PATHS += ("/media/x", "/_stcore/metrics", "/_stcore/host-config", "/static/js/x.js", "/component/x")


@KINDS
def test_the_machine_itself_needs_no_key(here: Asked, kind: str) -> None:
    for host in ("127.0.0.1:8501", "localhost:8501", "LOCALHOST", "[::1]:8501"):
        assert here.ask(kind=kind, host=host).person == "t ", host


@KINDS
@pytest.mark.parametrize(
    "host",
    [
        *("evil.example", "evil.example:8501", "127.0.0.1.evil.example", "localhost.evil.example", "a@127.0.0.1"),
        *("", "192.168.1.5:8501", "127.0.0.1:port", "a b", "169.254.169.254", None),
    ],
)
def test_another_name_is_not_answered(here: Asked, kind: str, host: str | None) -> None:
    for path in ALL_PATHS:
        answer = here.ask(path, kind=kind, host=host)
        assert (answer.status, answer.person) == (403, None), path


@KINDS
@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8501", "file://", "http://127.0.0.1"],
)
def test_another_sites_page_is_not_answered(here: Asked, kind: str, origin: str) -> None:
    for path in ALL_PATHS:
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS") if kind == "http" else ("GET",):
            answer = here.ask(path, kind=kind, method=method, origin=origin)
            assert (answer.status, answer.person) == (403, None), path


@KINDS
def test_our_own_page_is_answered(here: Asked, kind: str) -> None:
    assert here.ask(kind=kind, origin="http://127.0.0.1:8501", sec_fetch_site="same-origin").person == "t "
    assert here.ask(kind=kind, sec_fetch_site="none").person == "t "


def test_another_site_may_link_to_us_but_not_frame_or_fetch(here: Asked) -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert here.ask("/?arch=1x8", **link).status == 200
    for change in ({"sec_fetch_dest": "iframe"}, {"sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}):
        assert here.ask("/?arch=1x8", **link | change).status == 403
    assert here.ask("/", method="POST", **link).status == 403


@KINDS
@pytest.mark.parametrize("header", ["x_forwarded_for", "x_forwarded_host", "x_real_ip", "forwarded", "via"])
def test_a_proxy_is_not_the_machine_itself(here: Asked, kind: str, header: str) -> None:
    assert here.ask(kind=kind, **{header: "x"}).status == 403


@KINDS
def test_a_server_that_was_bound_elsewhere_lets_no_stranger_in(here: Asked, kind: str) -> None:
    """As `uvicorn app:app --host 0.0.0.0` does, of which Streamlit's options say nothing."""
    far = {"host": "192.168.1.5:8501", "server": "192.168.1.5"}
    assert here.ask(kind=kind, client="192.168.1.9", **far).status == 403
    assert here.ask(kind=kind, client="127.0.0.1", **far).status == 403
    assert here.ask(kind=kind, client="192.168.1.9").status == 403
    assert here.ask(kind=kind, client="::ffff:127.0.0.1", server="::ffff:127.0.0.1").person == "t "


@pytest.fixture(params=["vgg", "/school/vgg/"])
def below(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Asked:
    """On all addresses of the machine, below a path that Streamlit was told."""
    options = {"server.address": "0.0.0.0", "server.allowedHosts": ["*"], "server.baseUrlPath": request.param}
    return Asked(monkeypatch, **options)


def test_below_a_path_the_gates_own_paths_are_there_and_only_there(below: Asked) -> None:
    prefix = gate.prefix()
    assert prefix in ("/vgg", "/school/vgg")
    assert below.ask(f"{prefix}/_stcore/health").person == ""
    for path in (
        "/_stcore/health",
        f"{prefix}_stcore/health",
        f"{prefix}{prefix}/_stcore/health",
        prefix,
        f"{prefix}/",
    ):
        assert below.ask(path).status == 403, path
    assert below.gate._link("x").endswith(f":8501{prefix}/?token=x")


def test_below_a_path_a_link_leads_to_its_page_and_the_cookie_stays_there(below: Asked) -> None:
    prefix, ours = gate.prefix(), below.gate._keys
    assert ours
    for path, home in (("/", "./"), ("/runs", "./runs"), ("", f"./{prefix.rpartition('/')[2]}")):
        answer = below.ask(f"{prefix}{path}?token={ours.student_token}&lang=zh")
        assert answer.headers["location"] == f"{home}?lang=zh"
        assert f"path={prefix};" in answer.headers["set-cookie"].lower()


def test_where_a_proxy_takes_a_path_away_the_browser_says_where_the_cookie_belongs(shared: Asked) -> None:
    answer = shared.ask(f"/runs?token={shared.gate._keys.student_token}")  # type: ignore[union-attr]
    assert "path=" not in answer.headers["set-cookie"].lower()


@KINDS
def test_what_comes_from_outside_about_a_person_is_dropped(shared: Asked, kind: str) -> None:
    assert shared.ask(kind=kind, **{gate.PERSON: "t 1"}).status == 403
    cookie = shared.come_in(shared.gate._keys.student_token)  # type: ignore[union-attr]
    told = shared.ask(kind=kind, cookie=cookie, **{gate.PERSON: "t 1"}).person
    assert told
    assert told.startswith("s ")


def test_on_another_address_nobody_comes_in_without_a_link(shared: Asked) -> None:
    for client, server in (("192.168.1.9", "192.168.1.5"), ("127.0.0.1", "127.0.0.1")):
        for path in ALL_PATHS:
            host = f"{server}:8501"
            assert shared.ask(path, client=client, server=server, host=host).status == 403
            assert shared.ask(path, kind="websocket", client=client, server=server, host=host).status == 403
            assert shared.ask(path, cookie="vggexplorer-8501=t.1.1.1", client=client, server=server).status == 403
    assert shared.ask("/_stcore/health").status == 200
    assert shared.ask("/_stcore/health").person == ""


def test_a_link_becomes_a_cookie_and_leaves_the_address(shared: Asked) -> None:
    ours = shared.gate._keys
    assert ours
    answer = shared.ask(f"/runs?arch=1x8%2C2x16&token={ours.student_token}&lang=zh")
    assert (answer.status, answer.headers["location"]) == (303, "./runs?arch=1x8%2C2x16&lang=zh")
    assert "httponly" in answer.headers["set-cookie"].lower()
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert "secure" not in answer.headers["set-cookie"].lower()
    assert ours.student_token not in str(answer)
    cookie = answer.headers["set-cookie"].partition(";")[0]
    for kind in ("http", "websocket"):
        assert (shared.ask(kind=kind, cookie=cookie).person or "").startswith("s ")


@pytest.mark.parametrize(
    ("address", "url", "said"),
    [
        ("127.0.0.1", "", "Nobody but programs on this machine can open its address."),
        ("0.0.0.0", "", "students, as often as they like"),
        ("127.0.0.1", "https://cnn.school.example", "students, as often as they like"),
        ("127.0.0.1", "http://localhost:8501", "nobody else can open it. --url says another."),
        ("127.0.0.1", "http://[", "students, as often as they like"),
        ("127.0.0.1", "http://[::1]:8501", "nobody else can open it. --url says another."),
    ],
)
def test_the_terminal_says_who_can_open_its_address(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], address: str, url: str, said: str
) -> None:
    monkeypatch.setenv(gate.URL, url)
    Asked(monkeypatch, **{"server.address": address})
    told = capsys.readouterr().out
    assert said in told
    assert ("nobody else" in told) == ("nobody else" in said)


def test_the_teachers_link_is_used_up_and_the_next_one_printed(
    shared: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = shared.gate._keys
    assert ours
    token = ours.teacher_token
    assert "sec-purpose" not in shared.ask(f"/?token={token}", method="HEAD").headers
    assert shared.ask(f"/?token={token}", sec_purpose="prefetch").status == 403
    assert ours.teacher_token == token, "a browser that looks ahead does not use it up"
    cookie = shared.come_in(token)
    assert (shared.ask(cookie=cookie).person or "").startswith("t ")
    again = shared.ask(f"/?token={token}")
    assert again.status == 403
    assert "no longer valid" in again.body
    assert ours.teacher_token in capsys.readouterr().out
    back = shared.ask(f"/runs?token={token}", cookie=cookie)
    assert (back.status, back.headers["location"]) == (303, "./runs")
    assert "set-cookie" not in back.headers


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "//evil.example", "/a:b", "/%0d%0aX:1"])
def test_a_link_leads_nowhere_else(shared: Asked, path: str) -> None:
    answer = shared.ask(f"{path}?token={shared.gate._keys.student_token}")  # type: ignore[union-attr]
    assert answer.headers["location"].startswith("./")
    assert "/" not in answer.headers["location"][2:]


def test_the_cookie_is_secure_where_the_proxy_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(gate.URL, "https://cnn.school.example/")
    asked = Asked(monkeypatch, **{"server.allowedHosts": ["cnn.school.example"]})
    assert asked.ask().status == 403, "before a proxy, this machine's own address is everybody's"
    ours = asked.gate._keys
    assert ours
    assert asked.gate._link("x") == "https://cnn.school.example/?token=x"
    options = {"host": "cnn.school.example", "origin": "https://cnn.school.example"}
    assert asked.ask(f"/?token={ours.student_token}", **options).status == 303
    scheme = asked.ask

    def https(path: str, **more: Any) -> Answer:
        return scheme(path, **more)

    monkeypatch.setattr(gate.HTTPConnection, "url", property(lambda self: _Https(self)))
    assert "secure" in https(f"/?token={ours.student_token}", **options).headers["set-cookie"].lower()


class _Https:
    """The address of a request that came by TLS."""

    def __init__(self, connection: Any) -> None:
        self.path, self.scheme = connection.scope["path"], "https"
        self.query = connection.scope["query_string"].decode()


def test_on_all_addresses_the_one_that_was_reached_is_ours(shared: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    cookie = shared.come_in(shared.gate._keys.student_token)  # type: ignore[union-attr]
    monkeypatch.setattr(gate.socket, "gethostname", lambda: "Lab-PC")
    far = {"client": "192.168.1.9", "server": "192.168.1.5", "cookie": cookie}
    for host in ("192.168.1.5", "192.168.1.5:8501", "lab-pc:8501", "lab-pc.local"):
        assert shared.ask(host=host, **far).status == 200, host
    for host in ("192.168.1.6", "evil.example", "lab-pc.evil.example"):
        assert shared.ask(host=host, **far).status == 403, host
    assert shared.ask(host="[fd00::5]:8501", **far | {"server": "fd00::5"}).status == 200


def test_a_link_on_another_site_finds_the_cookie_by_asking_again(shared: Asked) -> None:
    link = {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}
    assert "http-equiv=refresh" in shared.ask(**link).body
    assert "http-equiv=refresh" not in shared.ask(**link | {"sec_fetch_site": "same-origin"}).body


def test_the_refusal_is_in_the_browsers_language_and_quotes_nothing(shared: Asked) -> None:
    answer = shared.ask("/<script>?x=<script>", accept_language="zh-CN,zh;q=0.9")
    assert "请打开别人给你的链接" in answer.body
    assert "<script" not in answer.body
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_every_answer_keeps_the_page_in_its_place(here: Asked) -> None:
    headers = here.ask().headers
    assert headers["x-frame-options"] == "SAMEORIGIN"
    assert headers["x-content-type-options"] == "nosniff"
    scripts = next(part for part in headers["content-security-policy"].split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "http" not in headers["content-security-policy"]


def test_streamlit_never_sees_an_origin_that_it_would_ask_the_internet_about(here: Asked) -> None:
    here.ask(origin="http://127.0.0.1:8501")
    assert b"origin" not in dict(here.scope["headers"])
    here.ask(kind="websocket", origin="http://127.0.0.1:8501")
    assert dict(here.scope["headers"])[b"origin"] == b"http://127.0.0.1:8501"


def test_a_key_that_cannot_be_read_lets_nobody_in(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Path(os.environ["VGGEXPLORER_RUNS"])
    runs.mkdir()
    (runs / keys.KEY_FILE).write_bytes(b"")
    asked = Asked(monkeypatch, **{"server.address": "0.0.0.0"})
    answer = asked.ask("/?token=")
    assert answer.status == 403
    assert "is damaged" in answer.body


# --- logging in --------------------------------------------------------------------------------------------

AUTH = {"client_id": "x", "cookie_secret": "s" * 32, "google": {"client_id": "y"}, "client_kwargs": {"prompt": "login"}}
PEOPLE = {"teachers": ["Teacher@school.example"], "students": ["*@school.example"]}


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "teacher@school.example"}, "t"),
        ({"email": "TEACHER@school.example"}, "t"),
        ({"email": "anna@school.example"}, "s"),
        ({"email": "anna@school.example.evil.example"}, None),
        ({"email": "anna@evil.example"}, None),
        ({"email": "teacher@school.example", "email_verified": False}, None),
        ({"email": "teacher@school.example", "is_logged_in": "yes"}, None),
        ({"email": "teacher@school.example", "sub": ""}, None),
        ({}, None),
    ],
)
def test_who_may_come_in_by_a_login(monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], role: str | None) -> None:
    monkeypatch.setattr(login, "find_spec", lambda _: True)
    monkeypatch.setattr(gate, "_login", lambda: Login(AUTH, PEOPLE))
    asked = Asked(monkeypatch)
    whole = {"is_logged_in": True, "iss": "https://idp.example", "sub": "17"} | claims
    monkeypatch.setattr(login, "_claims", lambda _: whole)
    for kind in ("http", "websocket"):
        answer = asked.ask(kind=kind)
        assert answer.person == (role and f"{role} {keys.account_id('https://idp.example', '17')}")
        assert answer.status == (403 if role is None else 200 if kind == "http" else 101)


def test_without_a_login_only_the_login_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login, "find_spec", lambda _: True)
    monkeypatch.setattr(login, "_claims", lambda _: None)
    monkeypatch.setattr(login.auth_util, "encode_provider_token", lambda name: f"token of {name}")
    monkeypatch.setattr(gate, "_login", lambda: Login(AUTH, PEOPLE))
    asked = Asked(monkeypatch)
    for path in ALL_PATHS:
        assert asked.ask(path).status == 403
        assert asked.ask(path, kind="websocket").status == 403
    page = asked.ask().body
    assert ('href="./log-in?with=default"' in page, 'href="./log-in?with=google"' in page) == (True, True)
    assert "client_kwargs" not in page
    assert asked.ask("/log-in?with=google").headers["location"] == "./auth/login?provider=token%20of%20google"
    assert asked.ask("/log-in?with=other").status == 403
    assert asked.ask("/oauth2callback").person == ""
    assert asked.ask("/auth/login", kind="websocket").status == 403


@pytest.mark.parametrize("base", ["", "vgg"])
def test_a_login_below_a_path_stays_there(monkeypatch: pytest.MonkeyPatch, base: str) -> None:
    """Whoever has the path, Streamlit or a proxy that takes it away: all ways are relative."""
    monkeypatch.setattr(login, "find_spec", lambda _: True)
    monkeypatch.setattr(login, "_claims", lambda _: {"is_logged_in": True})
    monkeypatch.setattr(login.auth_util, "encode_provider_token", lambda name: name)
    monkeypatch.setattr(gate, "_login", lambda: Login(AUTH, PEOPLE))
    asked = Asked(monkeypatch, **{"server.baseUrlPath": base})
    prefix = gate.prefix()
    for path, up in (("/", "./"), ("/runs", "./"), ("/records/x", "../")):
        page = asked.ask(f"{prefix}{path}").body
        assert f'href="{up}log-in?with=google"' in page, path
        assert f'href="{up}auth/logout"' in page, path
    assert asked.ask(f"{prefix}/log-in?with=google").headers["location"] == "./auth/login?provider=google"
    assert asked.ask("/nothing/log-in?with=google").status == 403
    for path, up in (("/auth/login", "../"), ("/auth/logout", "../"), ("/oauth2callback", "./")):
        asked.headers = [(b"location", f"{prefix}/".encode())]
        assert asked.ask(f"{prefix}{path}").headers["location"] == up
        asked.headers = [(b"location", b"https://idp.example/")]
        assert asked.ask(f"{prefix}{path}").headers["location"] == "https://idp.example/"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (lambda: Login({}, {}, damaged=True), "cannot be read"),
        (lambda: Login(AUTH | {"cookie_secret": "short"}, PEOPLE), "cookie_secret"),
        (lambda: Login({"client_id": "x"}, PEOPLE), "cookie_secret"),
    ],
)
def test_a_login_that_is_not_set_up_lets_nobody_in(monkeypatch: pytest.MonkeyPatch, given: Any, reason: str) -> None:
    monkeypatch.setattr(gate, "_login", given)
    everything = {"is_logged_in": True, "sub": "1", "email": "teacher@school.example"}
    monkeypatch.setattr(login, "_claims", lambda _: everything)
    answer = Asked(monkeypatch).ask()
    assert answer.status == 403
    assert reason in answer.body


# --- the command line --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url", ["cnn.school.example", "ftp://a", "https://", "https://a?b", "https://u@a", "http://a:b"]
)
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="what others open"):
        dashboard._host(url)


@pytest.mark.parametrize(
    ("url", "base", "said"),
    [
        ("https://a", "", ""),
        ("https://a/", "", ""),
        ("https://a/vgg", "", "must take /vgg away"),
        ("https://a/b/vgg/", "", "with STREAMLIT_SERVER_BASE_URL_PATH=b/vgg it must leave it"),
        ("https://a/vgg/", "/vgg", "must leave /vgg in"),
    ],
)
def test_what_a_proxy_must_do_with_the_path_of_its_url_is_said(url: str, base: str, said: str) -> None:
    sentence = dashboard._asked_of_the_proxy(url, base)
    assert said in sentence
    assert bool(said) is bool(sentence)


def test_the_path_of_streamlit_is_looked_up_where_streamlit_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(variable, str(tmp_path / "home"))
    monkeypatch.delenv(dashboard.BASE_PATH, raising=False)
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert dashboard._base_path() == ""
    for folder, text, found in (
        ("home", 'server = "damaged"', ""),
        ("home", '[server]\nbaseUrlPath = "of-home/"', "/of-home"),
        ("here", "[server\n", "/of-home"),
        ("here", "[server]\nbaseUrlPath = '/of/here'", "/of/here"),
    ):
        file = tmp_path / folder / ".streamlit" / "config.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        assert dashboard._base_path() == found
    monkeypatch.setenv(dashboard.BASE_PATH, "told")
    assert dashboard._base_path() == "/told"


@pytest.mark.parametrize("url", ["https://a", "https://a/b", "https://a/vgg/b"])
def test_a_url_with_another_path_than_streamlit_is_refused(url: str) -> None:
    with pytest.raises(InputError, match=r"server\.baseUrlPath is “/vgg”: they must be the same"):
        dashboard._asked_of_the_proxy(url, "/vgg")


@pytest.mark.parametrize("address", ["school", "", "300.1.1.1", "0.0.0.0:80", "http://127.0.0.1"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with pytest.raises(InputError, match="address must be"):
        dashboard._checked(address)


@pytest.mark.parametrize(("address", "here"), [("127.0.0.1", True), ("::1", True), ("localhost", True)])
def test_which_addresses_are_the_machines_own(address: str, here: bool) -> None:
    assert dashboard._checked(address) is here
    assert dashboard._checked("0.0.0.0") is False
    assert dashboard._checked("192.168.1.5") is False


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(InputError, match="none of this machine"):
        dashboard._usable(8501, "192.0.2.77")


# --- owners ------------------------------------------------------------------------------------------------


@pytest.fixture
def runs() -> Runs:
    return Runs.at()


def made(runs: Runs, owner: str, *, active: bool = False) -> Run:
    """A run of `owner`; an active one counts as started just now."""
    run = runs.create(config(), None, owner)
    if active:
        started_now(runs, run)
    else:
        write_json(run.path / "outcome.json", {"status": "stopped", "step": 1})
    return run


def started_now(runs: Runs, run: Run, *_: object) -> None:
    """As if its trainer was about to begin."""
    run.mark_started()
    Line(runs).queue(run)


def sits_here(monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    monkeypatch.setattr(access, "person", lambda: person)


def page(name: str, *runs: Run) -> AppTest:
    app = AppTest.from_file(MAIN, default_timeout=30)
    app.run()
    app.switch_page(str(ROOT / "pages" / f"{name}.py"))
    app.query_params["run"] = [run.id for run in runs]
    del app.session_state["state"]
    app.run()
    assert not app.exception
    return app


def pressed(app: AppTest, key: str) -> AppTest:
    """The page after a button that may be disabled was pressed all the same, as a changed browser can."""
    button = app.button(key=key)
    button.proto.disabled = False
    button.click().run()
    assert not app.exception
    return app


def errors(app: AppTest) -> str:
    return " ".join(error.value for error in app.error).replace("\\", "")


REFUSED = "Only who started this run, or the teacher, can do that"


def test_the_owner_is_kept_with_the_run(runs: Runs) -> None:
    assert made(runs, ANNA.id).owner() == ANNA.id
    assert made(runs, "").owner() == ""
    assert make(runs.path, "by hand").owner() == ""


def test_others_can_watch_but_not_stop(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run = made(runs, ANNA.id, active=True)
    for name in ("runs", "train"):
        sits_here(monkeypatch, BEN)
        app = page(name, run)
        assert app.button(key="stop run").disabled
        assert "You can watch this run" in " ".join(caption.value for caption in app.caption)
        pressed(app, "stop run")
        sits_here(monkeypatch, ANNA)
        drawn_for_anna = page(name, run)
        sits_here(monkeypatch, BEN)
        assert REFUSED in errors(pressed(drawn_for_anna, "stop run"))
    assert run.control()["stop"] is False


@pytest.mark.parametrize("person", [ANNA, TEACHER, HERE])
def test_owner_and_teacher_stop(runs: Runs, monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    run = made(runs, ANNA.id, active=True)
    sits_here(monkeypatch, person)
    app = page("train", run)
    assert not app.button(key="stop run").disabled
    pressed(app, "stop run")
    assert run.control()["stop"] is True


def test_others_cannot_rename_resume_or_delete(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    run, started = made(runs, ANNA.id), []
    monkeypatch.setattr(launch, "resume", lambda *_: started.append(1))
    sits_here(monkeypatch, BEN)
    app = page("runs", run)
    fields = app.text_input(key=f"name of {run.id}"), app.button(key="resume run"), app.button(key="delete run")
    assert [field.disabled for field in fields] == [True] * 3
    assert page("train", run).button(key="resume run").disabled

    def of_anna(name: str, before: str = "") -> AppTest:
        """A page that was drawn for Anna, before which Ben sits now."""
        sits_here(monkeypatch, ANNA)
        drawn = page(name, run)
        if before:
            pressed(drawn, before)
        sits_here(monkeypatch, BEN)
        return drawn

    name, app = run.name(), of_anna("runs")
    app.text_input(key=f"name of {run.id}").set_value("mine").run()
    assert REFUSED in errors(app)
    assert REFUSED in errors(pressed(of_anna("runs"), "resume run"))
    assert REFUSED in errors(pressed(of_anna("runs", "delete run"), "delete now"))
    assert REFUSED in errors(pressed(of_anna("train"), "resume run"))
    assert (run.name(), run.path.exists(), started) == (name, True, [])


def test_only_ones_own_of_the_chosen_runs_are_deleted(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    mine, other = made(runs, BEN.id), made(runs, ANNA.id)
    sits_here(monkeypatch, BEN)
    app = page("runs", mine, other)
    assert "1 of the 2" in app.button(key="delete chosen").label
    pressed(pressed(app, "delete chosen"), "delete now")
    assert (mine.path.exists(), other.path.exists()) == (False, True)


@pytest.mark.torch
def test_a_run_belongs_to_who_started_it(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_spawn", lambda *_: None)
    sits_here(monkeypatch, ANNA)
    app = AppTest.from_file(MAIN, default_timeout=30).run()
    app.switch_page(str(ROOT / "pages" / "train.py")).run()
    pressed(app, "start")
    sits_here(monkeypatch, BEN)
    run = runs.all(recorded=False)[0]
    pressed(page("runs", run), "again run")
    assert sorted(each.owner() for each in runs.all(recorded=False)) == [ANNA.id, BEN.id]


@pytest.mark.parametrize("standing", [False, True], ids=["no gate", "behind a gate"])
def test_who_did_not_come_through_a_gate_is_shown_a_sentence(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, standing: bool
) -> None:
    """`streamlit run vggexplorer/ui/main.py` has no gate."""
    monkeypatch.setattr(gate, "standing", standing)
    monkeypatch.setattr(keys, "ungated", NOBODY)
    run = made(runs, "", active=True)
    app = AppTest.from_file(MAIN, default_timeout=30)
    app.query_params["run"] = run.id
    app.run()
    assert "The pages are closed" in errors(app)
    assert len(app.main.children) == 1
    assert not app.sidebar.children
    with pytest.raises(InputError, match=REFUSED):
        access.check(run)
    with pytest.raises(InputError, match="To come in"):
        access.start_run(runs, config())


def test_without_a_gate_nobody_is_who_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "ungated", NOBODY)
    monkeypatch.setattr(access.st, "context", SimpleNamespace(headers={gate.PERSON: "t somebody"}))
    assert access.person() == NOBODY
    monkeypatch.setattr(gate, "standing", True)
    assert access.person() == Person("somebody", teacher=True)


# --- a student and the machine's disk ----------------------------------------------------------------------


def test_a_student_names_no_folder_of_the_server(runs: Runs, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "private" / "letters").mkdir(parents=True)
    folder = f"folder:{tmp_path / 'private'}"
    sits_here(monkeypatch, ANNA)
    for dataset in (folder, f"full:{tmp_path}", "folder:~", "folder:."):
        with pytest.raises(InputError, match="Only the teacher can name a folder"):
            access.check_data(runs, Dataset.parse(dataset))
    access.check_data(runs, Dataset("sample"))
    access.check_data(runs, Dataset("full"))
    run = made(runs, TEACHER.id)
    write_json(run.path / "config.json", run.json("config.json") | {"dataset": folder})
    write_json(run.path / "created.json", run.json("created.json") | {"brought": True})
    with pytest.raises(InputError, match="Only the teacher can name a folder"):
        access.check_data(runs, Dataset.parse(folder))
    write_json(run.path / "created.json", run.json("created.json") | {"brought": False})
    access.check_data(runs, Dataset.parse(folder))
    for around in (f"{folder}/..", f"{folder}/../private", f"{folder}/letters"):
        with pytest.raises(InputError, match="Only the teacher can name a folder"):
            access.check_data(runs, Dataset.parse(around))


def test_a_student_learns_nothing_of_a_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "private" / "letters to my bank").mkdir(parents=True)
    sits_here(monkeypatch, ANNA)
    app = AppTest.from_file(MAIN, default_timeout=30).run()
    app.switch_page(str(ROOT / "pages" / "train.py")).run()
    app.selectbox(key="dataset").select("folder").run()
    app.text_input(key="data folder").set_value(str(tmp_path / "private")).run()
    assert "Only the teacher can name a folder" in errors(app)
    assert "letters" not in str([element.value for element in (*app.caption, *app.markdown, *app.error)])


# --- limits ------------------------------------------------------------------------------------------------


def test_what_is_larger_than_allowed_is_refused_with_both_figures() -> None:
    small = config()
    with pytest.raises(InputError, match="allows 10 parameters here, this network has "):
        Limits(params=10).held(small)
    with pytest.raises(InputError, match="allows 10 MACs here, this network has "):
        Limits(macs=10).held(small)
    assert Limits(params=10**9, macs=10**12, runs=1).held(small) == small


def test_a_run_is_over_after_the_allowed_minutes() -> None:
    small = config()
    assert Limits(minutes=2).held(small).training.time_budget == 120
    longer = replace(small, training=replace(small.training, time_budget=121.0))
    with pytest.raises(InputError, match="allows a run 120 s here; this one has a time budget of 121 s"):
        Limits(minutes=2).held(longer)
    shorter = replace(small, training=replace(small.training, time_budget=7.0))
    assert Limits(minutes=2).held(shorter) == shorter
    assert Limits(minutes=10**15).held(small).training.time_budget == 10**7


def test_each_person_has_room_for_so_many_runs(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_spawn", started_now)
    two = Limits(runs=2)
    made(runs, ANNA.id)
    for _ in range(2):
        limits.start(runs, config(), None, ANNA.id, two)
    with pytest.raises(InputError, match="allows 2 active runs for each person here, and you have 2"):
        limits.start(runs, config(), None, ANNA.id, two)
    limits.start(runs, config(), None, BEN.id, two)


def test_a_race_belongs_to_who_started_it_and_counts_as_its_members(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launch, "_spawn", started_now)
    monkeypatch.setenv("VGGEXPLORER_MAX_RUNS", "3")
    runs, mine, values = folder_of_runs(tmp_path / "runs"), config(), {"started": ["before"]}
    sits_here(monkeypatch, NOBODY)
    with pytest.raises(InputError, match="To come in"):
        access.start_race(runs, [mine, mine])
    sits_here(monkeypatch, ANNA)
    with pytest.raises(InputError, match="Only the teacher can name a folder"):
        access.start_race(runs, [mine, replace(mine, dataset=Dataset("folder", str(tmp_path)))])
    with instead(values):
        members = access.start_race(runs, [mine, mine])
        with pytest.raises(InputError, match="A race of 2 is 2 runs; the teacher allows 3 active runs"):
            access.start_race(runs, [mine, mine])
    assert {run.owner() for run in members} == {ANNA.id}
    assert values["started"] == [*(run.id for run in members), "before"]
    assert len(runs.all(recorded=False)) == 2


@pytest.mark.torch
def test_of_many_tabs_that_start_at_once_only_the_allowed_do(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "_spawn", started_now)

    def start(_: int) -> bool:
        try:
            limits.start(Runs(runs.path), config(), None, ANNA.id, Limits(runs=3))
        except InputError:
            return False
        return True

    with ThreadPoolExecutor(12) as pool:
        assert sum(pool.map(start, range(12))) == 3
    assert len(runs.all(recorded=False)) == 3


def test_a_stopped_run_goes_on_only_within_the_limits(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    resumed: list[str] = []
    monkeypatch.setattr(launch, "resume", lambda _, run: resumed.append(run.id))
    run = made(runs, ANNA.id)
    with pytest.raises(InputError, match="parameters"):
        limits.resume(runs, run, Limits(params=10))
    made(runs, ANNA.id, active=True)
    with pytest.raises(InputError, match="1 active run"):
        limits.resume(runs, run, Limits(runs=1))
    limits.resume(runs, run, Limits(minutes=1, runs=2))
    assert resumed == [run.id]


@pytest.mark.torch
@pytest.mark.parametrize(("person", "limited"), [(ANNA, True), (HERE, True), (TEACHER, False)])
def test_on_train_what_is_too_large_is_said_and_not_started(
    runs: Runs, monkeypatch: pytest.MonkeyPatch, person: Person, limited: bool
) -> None:
    monkeypatch.setattr(launch, "_spawn", lambda *_: None)
    Limits(params=1000, minutes=5).tell()
    sits_here(monkeypatch, person)
    app = AppTest.from_file(MAIN, default_timeout=30).run()
    app.switch_page(str(ROOT / "pages" / "train.py")).run()
    assert any("5 minutes" in caption.value for caption in app.caption) is limited
    pressed(app, "start")
    assert ("allows 1,000 parameters here" in errors(app)) is limited
    assert len(runs.all(recorded=False)) == (0 if limited else 1)


def test_limits_come_back_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    given = Limits(minutes=5, macs=10**9)
    given.tell()
    assert Limits.read() == given
    Limits().tell()
    assert Limits.read() == Limits()
    monkeypatch.setenv("VGGEXPLORER_MAX_RUNS", "-1")
    with pytest.raises(InputError, match="limit max-runs must be a whole number"):
        access.allowed()


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "x", "²", "9" * 17])
def test_a_limit_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="whole number from 1 on"):
        limits.whole(text, "minutes")
