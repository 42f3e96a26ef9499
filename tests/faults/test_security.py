"""The real server against strangers, foreign sites, clever names, and its own curiosity about the internet."""

import ast
import base64
import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.cookiejar import CookieJar
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from conftest import ROOT, Server, StartServer, free_port, status_of, wait_until
from test_runs_page import config, make, result_json

from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.server import files
from vggexplorer.server.keys import KEY_FILE, account_id

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

VGGEXPLORER = (sys.executable, "-m", "vggexplorer")
STREAMLIT = (sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.headless=true")
UVICORN = (sys.executable, "-m", "uvicorn", "app:app", "--app-dir", str(ROOT))
EVERYWHERE = "0.0.0.0"
TOKEN = re.compile(r"[?&]token=([\w-]{43})")


@contextmanager
def started(folder: Path, command: tuple[str, ...], port_option: str, env: dict[str, str]) -> Iterator[Server]:
    """A server that is started in another way than by `vggexplorer`."""
    port, home = free_port(), folder / "home"
    home.mkdir(parents=True)
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, port_option, str(port)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=os.environ | {"HOME": str(home), "PYTHONUNBUFFERED": "1"} | env,
        )
    server = Server(f"http://127.0.0.1:{port}", process, log)
    try:
        wait_until(lambda: process.poll() is not None or status_of(f"{server.url}/_stcore/health") == 200)
        assert process.poll() is None, server.text()
        yield server
    finally:
        server.stop()


def asked(
    server: Server,
    path: str,
    *,
    method: str = "GET",
    websocket: bool = False,
    host: str | None = None,
    to: str = "127.0.0.1",
    **headers: str,
) -> int:
    """The status that a request gets; of a WebSocket 101 if it was opened."""
    port = urlsplit(server.url).port
    connection = http.client.HTTPConnection(to, port or 0, timeout=20)
    given = {"Host": host or f"127.0.0.1:{port}"} | {name.replace("_", "-"): text for name, text in headers.items()}
    if websocket:
        key = base64.b64encode(os.urandom(16)).decode()
        given |= {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        given |= {"Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": "streamlit"}
    try:
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, text in given.items():
            connection.putheader(name, text)
        connection.endheaders()
        return connection.getresponse().status
    finally:
        connection.close()


def paths(run_id: str = "x") -> list[str]:
    """What the server answers, one of each kind; without the gate each is 200, 400 or 404."""
    own = ["/", "/runs", f"/{files.url('components.js')}", f"/records/{run_id}", "/download/x/y", "/explore"]
    theirs = ["/_stcore/host-config", "/_stcore/metrics", "/_stcore/upload_file/1/2", "/media/x", "/static/x"]
    return [*own, *theirs, "/auth/login", "/oauth2callback", "/%2e%2e/etc/passwd"]


def token(server: Server, place: int = -1) -> str:
    """The student's token that the terminal shows, or at place -2 the teacher's."""
    found: list[str] = wait_until(lambda: TOKEN.findall(server.text()), what="the links")
    return found[place]


# --- every way to start it ---------------------------------------------------------------------------------

WAYS = {
    "vggexplorer": ((*VGGEXPLORER, "--no-browser", "--address", EVERYWHERE), "--port"),
    "streamlit run": ((*STREAMLIT, f"--server.address={EVERYWHERE}"), "--server.port"),
    "uvicorn": ((*UVICORN, "--host", EVERYWHERE), "--port"),
}


def own_address() -> str | None:
    """An address of this machine in its network, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        found = str(probe.getsockname()[0])
    return None if found.startswith("127.") else found


@pytest.mark.parametrize("way", WAYS)
def test_on_another_address_nothing_is_answered_without_a_link(tmp_path: Path, way: str) -> None:
    command, port_option = WAYS[way]
    with started(tmp_path, command, port_option, {"VGGEXPLORER_RUNS": str(tmp_path / "runs")}) as server:
        for to in filter(None, ("127.0.0.1", own_address())):
            host = f"{to}:{urlsplit(server.url).port}"
            for path in paths():
                for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
                    assert asked(server, path, method=method, host=host, to=to) == 403, (method, path)
            assert asked(server, "/_stcore/stream", websocket=True, host=host, to=to) == 403
            assert asked(server, "/_stcore/stream", websocket=True, host=host, to=to, Cookie="a=b") == 403
        assert asked(server, f"/?token={token(server)}x") == 403
        assert asked(server, f"/?token={token(server)}") == 303
        key = tmp_path / "runs" / KEY_FILE
        assert key.read_bytes() not in server.log.read_bytes()


def test_the_port_of_a_server_that_was_bound_elsewhere_is_closed_to_others(tmp_path: Path) -> None:
    """Of an address that another server's option says, Streamlit's options know nothing."""
    address = own_address()
    if address is None:
        pytest.skip("this machine has no address of its own in a network")
    env = {"VGGEXPLORER_RUNS": str(tmp_path / "runs")}
    (tmp_path / ".streamlit").mkdir()
    (tmp_path / ".streamlit" / "config.toml").write_text('[server]\naddress = "127.0.0.1"\n')
    with started(tmp_path, *WAYS["uvicorn"], env) as server:
        port = urlsplit(server.url).port
        assert asked(server, "/") == 200
        assert TOKEN.findall(server.text()) == []
        for host in (f"{address}:{port}", f"127.0.0.1:{port}", "localhost"):
            assert asked(server, "/", host=host, to=address) == 403
            assert asked(server, "/_stcore/stream", websocket=True, host=host, to=address) == 403
        assert asked(server, "/", X_Forwarded_For=address) == 403


# --- foreign names and foreign sites -----------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "169.254.169.254"])
def test_a_name_that_leads_here_by_a_trick_is_not_answered(dashboard: Server, host: str) -> None:
    """DNS rebinding: a foreign page whose name is made to mean 127.0.0.1."""
    for path in paths():
        assert asked(dashboard, path, host=host) == 403, path
        assert asked(dashboard, path, host=host, Origin=f"http://{host}") == 403, path
    assert asked(dashboard, "/_stcore/stream", websocket=True, host=host) == 403
    assert asked(dashboard, "/_stcore/stream", websocket=True, host=host, Origin=f"http://{host}") == 403


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://127.0.0.1:1"])
def test_a_foreign_page_is_not_answered(dashboard: Server, origin: str) -> None:
    for path in paths():
        assert asked(dashboard, path, Origin=origin) == 403, path
        assert asked(dashboard, path, method="PUT", Origin=origin) == 403, path
    assert asked(dashboard, "/_stcore/stream", websocket=True, Origin=origin) == 403


def test_the_own_page_is_answered(dashboard: Server) -> None:
    assert asked(dashboard, "/", Origin=dashboard.url) == 200
    assert asked(dashboard, f"/{files.url('components.js')}") == 200
    assert asked(dashboard, "/_stcore/stream", websocket=True, Origin=dashboard.url) == 101


def test_a_run_id_never_leaves_the_folder(server: StartServer, tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    run = make(runs, "inside")
    make(tmp_path, "outside", day=2)
    served = server(env={"VGGEXPLORER_RUNS": str(runs)})
    outside = next(path.name for path in tmp_path.iterdir() if path.name.startswith("2026"))

    def is_answered(run_id: str) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(served.url).port or 0, timeout=20)
        connection.request("GET", f"/records/{run_id}")
        answer = connection.getresponse()
        return answer.status == 200 and answer.headers.get_content_type() == "application/json"

    assert is_answered(run.id)
    for trick in (f"../{outside}", f"..%2f{outside}", f"%2e%2e/{outside}", f"..%5c{outside}", str(tmp_path / outside)):
        assert not is_answered(trick), trick
        assert not is_answered(quote(trick, safe="")), trick


# --- links and cookies in a browser ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shared") / "runs"


@pytest.fixture(scope="module")
def shared(server: StartServer, folder: Path) -> Server:
    return server(*VGGEXPLORER, "--address", EVERYWHERE, env={"VGGEXPLORER_RUNS": str(folder)})


@pytest.fixture
def context(browser: "Browser") -> "Iterator[BrowserContext]":
    with_cookies = browser.new_context(locale="en-US")
    yield with_cookies
    with_cookies.close()


def settled(page: "Page") -> "Page":
    page.wait_for_function(
        """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
            && !document.querySelector('[data-stale=true]')"""
    )
    return page


def cookie_id(context: "BrowserContext") -> str:
    """The id of the person whose browser it is."""
    return next(each["value"] for each in context.cookies() if each["name"].startswith("vggexplorer")).split(".")[1]


def test_a_student_comes_in_by_the_link_and_stays_in(shared: Server, context: "BrowserContext") -> None:
    page = context.new_page()
    page.goto(f"{shared.url}/runs?lang=en")
    assert "open the link" in page.inner_text("body")
    page.goto(f"{shared.url}/runs?token={token(shared)}&lang=zh")
    settled(page)
    assert "token" not in page.url
    assert "lang=zh" in page.url
    page.get_by_role("heading", name="运行").first.wait_for()
    assert page.evaluate("document.cookie").find("vggexplorer") == -1, "scripts cannot read it"
    who = cookie_id(context)
    page.goto(f"{shared.url}/?token={token(shared)}")
    assert cookie_id(context) == who
    settled(page)


def test_a_link_on_another_site_opens_for_who_is_in(shared: Server, context: "BrowserContext", tmp_path: Path) -> None:
    """The cookie is SameSite=Strict, and does not come with the first request from another site."""
    port = urlsplit(shared.url).port

    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            text = f"<a id=state href='http://127.0.0.1:{port}/?arch=1x8&hidden=none'>a</a>"
            text += f"<a id=token href='http://127.0.0.1:{port}/?token={token(shared)}'>b</a>"
            self.wfile.write(text.encode())

        def log_message(self, *_: Any) -> None:
            pass

    elsewhere = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
    site = f"http://localhost:{elsewhere.server_port}/"  # to a browser another site than 127.0.0.1
    try:
        page = context.new_page()
        page.goto(site)
        page.click("#state")
        page.get_by_text("open the link").wait_for()
        page.goto(site)
        page.click("#token")
        page.locator("[data-testid=stApp]").wait_for()
        page.goto(site)
        page.click("#state")
        page.locator("[data-testid=stApp]").wait_for()
        settled(page)
        assert "arch=1x8" in page.url
    finally:
        elsewhere.shutdown()
        elsewhere.server_close()


def test_a_student_changes_only_their_own_run_and_the_teacher_all(
    shared: Server, browser: "Browser", folder: Path
) -> None:
    with ExitStack() as stack:

        def come_in(place: int) -> "BrowserContext":
            context = browser.new_context(locale="en-US")
            stack.callback(context.close)
            context.new_page().goto(f"{shared.url}/?token={token(shared, place)}")
            return context

        anna, ben = come_in(-1), come_in(-1)
        assert cookie_id(anna) != cookie_id(ben)
        run = Runs(folder).create(config(), "of Anna", cookie_id(anna))
        write_json(run.path / "outcome.json", Outcome(status="stopped", step=1).to_json())

        def delete_button(context: "BrowserContext") -> Any:
            page = context.pages[0]
            page.goto(f"{shared.url}/runs?run={run.id}")
            button = page.get_by_role("button", name="Delete …")
            button.wait_for()
            settled(page)
            return button

        assert not delete_button(ben).is_enabled()
        ben.pages[0].get_by_text("You can watch this run").wait_for()
        assert delete_button(anna).is_enabled()
        teacher = come_in(0)
        assert delete_button(teacher).is_enabled()
        assert len(TOKEN.findall(shared.text())) == 3, "the next link of the teacher is printed"
        delete_button(teacher).click()
        teacher.pages[0].get_by_role("button", name="Delete", exact=True).click()
        wait_until(lambda: not run.path.exists())


def test_a_cookie_outlasts_the_server(tmp_path: Path, server: StartServer) -> None:
    command = (*VGGEXPLORER, "--address", EVERYWHERE, "--max-runs", "1")
    env = {"VGGEXPLORER_RUNS": str(tmp_path / "runs")}
    statuses = []
    cookie = ""
    for _ in range(2):
        served = server(*command, env=env)
        port = urlsplit(served.url).port
        if not cookie:
            link = urllib.request.Request(f"{served.url}/?token={token(served)}", headers={"Cookie": ""})
            with pytest.raises(urllib.error.HTTPError) as answer:
                urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay).open(link, timeout=20)
            cookie = answer.value.headers["Set-Cookie"].partition(";")[0].partition("=")[2]
        statuses.append(asked(served, "/", Cookie=f"vggexplorer-{port}={cookie}"))
    assert statuses == [200, 200]


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


# --- logging in --------------------------------------------------------------------------------------------


class Provider(BaseHTTPRequestHandler):
    """An OpenID provider that lets everybody log in as the one in `email`."""

    email, nonce, url = "", "", ""
    key: Any = None

    def do_GET(self) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        match urlsplit(self.path).path:
            case "/.well-known/openid-configuration":
                places = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
                urls = {name: f"{self.url}/{path}" for name, path in places.items()}
                self.answer({"issuer": self.url, "id_token_signing_alg_values_supported": ["RS256"]} | urls)
            case "/keys":
                self.answer({"keys": [self.key.as_dict(private=False)]})
            case "/authorize":
                type(self).nonce = query.get("nonce", "")
                self.send_response(302)
                back = urlencode({"code": "c", "state": query["state"]})
                self.send_header("Location", f"{query['redirect_uri']}?{back}")
                self.end_headers()

    def do_POST(self) -> None:
        from joserfc import jwt

        self.rfile.read(int(self.headers["Content-Length"]))
        about = {"iss": self.url, "aud": "us", "sub": f"id of {self.email}", "email": self.email, "nonce": self.nonce}
        claims = about | {"exp": 4_000_000_000, "iat": 1_700_000_000}
        signed = jwt.encode({"alg": "RS256", "kid": self.key.as_dict()["kid"]}, claims, self.key)
        self.answer({"access_token": "a", "token_type": "Bearer", "id_token": signed})

    def answer(self, data: Any) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(data).encode())

    def log_message(self, *_: Any) -> None:
        pass


SECRETS = """
[auth]
redirect_uri = "http://127.0.0.1:{{port}}/oauth2callback"
cookie_secret = "{secret}"
client_id = "us"
client_secret = "hush"
server_metadata_url = "{provider}/.well-known/openid-configuration"

[vggexplorer]
teachers = ["teacher@school.example"]
students = ["*@school.example"]
"""


@pytest.fixture(scope="module")
def provider() -> Iterator[type[Provider]]:
    pytest.importorskip("authlib")
    from joserfc.jwk import RSAKey

    serving = HTTPServer(("127.0.0.1", 0), Provider)
    Provider.url = f"http://127.0.0.1:{serving.server_port}"
    Provider.key = RSAKey.generate_key(2048, {"kid": "1"})
    threading.Thread(target=serving.serve_forever, daemon=True).start()
    yield Provider
    serving.shutdown()
    serving.server_close()


@pytest.mark.parametrize("address", ["127.0.0.1", EVERYWHERE])
def test_with_streamlits_login_only_those_on_the_list_come_in(
    tmp_path: Path, provider: type[Provider], address: str
) -> None:
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text(SECRETS.format(secret="s" * 40, provider=provider.url))
    command = (*VGGEXPLORER, "--no-browser", "--address", address)
    with started(tmp_path, command, "--port", {"VGGEXPLORER_RUNS": str(tmp_path / "runs")}) as server:
        for path in set(paths()) - {"/auth/login", "/oauth2callback"}:
            assert asked(server, path) == 403, path
        assert asked(server, "/_stcore/stream", websocket=True) == 403
        assert asked(server, f"/?token={'x' * 43}") == 403
        for email, status in (("teacher", 200), ("anna", 200)):
            cookies = logged_in(server, provider, f"{email}@school.example")
            assert asked(server, "/", Cookie=cookies) == status
            assert asked(server, "/_stcore/stream", websocket=True, Cookie=cookies, Origin=server.url) == 101
            assert asked(server, "/", Cookie=cookies.replace("_streamlit_user=", "_streamlit_user=x")) == 403
        cookies = logged_in(server, provider, "mallory@evil.example")
        assert asked(server, "/", Cookie=cookies) == 403
        assert asked(server, "/_stcore/stream", websocket=True, Cookie=cookies) == 403
        assert account_id(provider.url, "id of anna@school.example") not in server.text()


def logged_in(server: Server, provider: type[Provider], email: str) -> str:
    """The cookies of a browser that went through the login."""
    provider.email = email
    jar = CookieJar()
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(jar))
    with suppress(urllib.error.HTTPError):  # who is not on the list is told so at the end
        opener.open(f"{server.url}/log-in?with=default", timeout=30).close()
    names = {cookie.name for cookie in jar}
    assert "_streamlit_user" in names, (names, server.text())
    return "; ".join(f"{cookie.name}={cookie.value}" for cookie in jar)


@pytest.mark.parametrize("content", ["[auth\n", "[auth]\nclient_id = 'x'\ncookie_secret = ''\n"])
def test_secrets_that_are_damaged_let_nobody_in(tmp_path: Path, content: str) -> None:
    secrets = tmp_path / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir()
    secrets.write_text(content)
    env = {"VGGEXPLORER_RUNS": str(tmp_path / "runs")}
    with started(tmp_path, (*VGGEXPLORER, "--no-browser"), "--port", env) as server:
        assert asked(server, "/") == 403
        assert asked(server, "/_stcore/stream", websocket=True) == 403


# --- nothing leaves the machine ----------------------------------------------------------------------------

RECORDER = """
import os, socket

def _note(what):
    with open(os.environ["CONNECTIONS"], "a") as file:
        file.write(f"{what}\\n")

def _far(address):
    host = address[0] if isinstance(address, tuple) else "127.0.0.1"
    return not str(host).startswith(("127.", "::1", "::ffff:127.", "localhost")) and host != ""

class _Socket(socket.socket):
    def connect(self, address):
        if _far(address) and self.type != socket.SOCK_DGRAM:  # of these, connecting sends nothing
            _note(("connect", address))
        return super().connect(address)

    def connect_ex(self, address):
        if _far(address) and self.type != socket.SOCK_DGRAM:
            _note(("connect", address))
        return super().connect_ex(address)

    def sendto(self, data, *rest):
        if _far(rest[-1]):
            _note(("send", rest[-1]))
        return super().sendto(data, *rest)

socket.socket = _Socket
_looked_up = socket.getaddrinfo

def _look_up(host, *rest, **options):
    if host not in (None, "", "localhost", "0.0.0.0", "::", socket.gethostname()) and _far((host,)):
        _note(("look up", host))
    return _looked_up(host, *rest, **options)

socket.getaddrinfo = _look_up
_note("recording")
"""


@pytest.mark.sample(1)
@pytest.mark.parametrize("way", ["own", "vggexplorer", "streamlit run"])
def test_the_server_connects_to_nothing(tmp_path: Path, browser: "Browser", way: str) -> None:
    recorder = tmp_path / "recorder"
    recorder.mkdir()
    (recorder / "sitecustomize.py").write_text(RECORDER)
    noted = tmp_path / "connections.txt"
    path = os.pathsep.join(filter(None, (str(recorder), os.environ.get("PYTHONPATH"))))
    env = {"VGGEXPLORER_RUNS": str(tmp_path / "runs"), "PYTHONPATH": path, "CONNECTIONS": str(noted)}
    command, option = WAYS.get(way, ((*VGGEXPLORER, "--no-browser"), "--port"))
    with started(tmp_path, command, option, env) as server, ExitStack() as stack:
        context = browser.new_context(locale="en-US", viewport={"width": 1400, "height": 1200})
        stack.callback(context.close)
        requests: list[str] = []
        context.on("request", lambda request: requests.append(request.url))
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.on("websocket", lambda opened: requests.append(opened.url))
        query = f"?token={token(server)}" if way != "own" else ""
        page.goto(f"{server.url}/{query}")
        recorded = next(run.id for run in Runs(tmp_path).all() if run.recorded)
        for place in ("/", "/compare", "/train", "/runs", f"/runs?run={recorded}"):
            page.goto(server.url + place)
            settled(page)
            page.wait_for_timeout(500)
            for tab in page.get_by_role("tab").all():
                tab.click()
                settled(page)
        page.wait_for_timeout(1000)
        hosts = {urlsplit(url).netloc for url in requests if not url.startswith(("data:", "blob:"))}
        assert hosts == {urlsplit(server.url).netloc}
        assert len(requests) > 50
        assert [text for text in complaints if "Content Security Policy" in text] == []
        if way == "own":
            assert asked(server, "/_stcore/stream", websocket=True, Origin="http://evil.example") == 403
    found = noted.read_text().splitlines()
    assert found.count("recording") >= 1
    assert [line for line in found if line != "recording"] == []


def test_the_recorder_itself_sees_a_connection(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(RECORDER)
    noted = tmp_path / "connections.txt"
    program = "import socket; one = socket.socket(); one.settimeout(0.01); one.connect_ex(('192.0.2.1', 80))"
    env = os.environ | {"PYTHONPATH": str(tmp_path), "CONNECTIONS": str(noted)}
    subprocess.run([sys.executable, "-c", program], check=True, env=env)
    assert "connect" in noted.read_text()


# --- texts of people ---------------------------------------------------------------------------------------

TEXTS = {
    "image": "<img src=x onerror=alert(1)>",
    "bold": "**x** __y__ ~~z~~ `c` $m$",
    "link": "[a](javascript:alert(1)) :red[r] :smile: <b>x</b>",
    "script": "<script>alert(1)</script>{name}%s",
}


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of runs whose names, classes and reasons are clever."""
    path = tmp_path_factory.mktemp("named") / "runs"
    for day, text in enumerate(TEXTS.values(), start=1):
        run = make(path, text, "failed" if day == 2 else "finished", day=day)
        names = [f"{text} {place}" for place in range(10)]
        write_json(run.path / "result.json", result_json() | {"classes": names})
        said = [{"template": text, "values": {}}, {"template": "{part} is not used.", "values": {"part": text}}]
        about = run.environment() | {"classes": names, "device": text, "odd": [text], "said": said, "title": text}
        write_json(run.path / "environment.json", about)
        data = run.json("config.json") | {"dataset": f"folder:/nowhere/{text.replace('/', '')}"}
        write_json(run.path / "config.json", data)
        if day == 2:
            outcome = run.json("outcome.json") | {"reason": {"template": "{reason}", "values": {"reason": text}}}
            write_json(run.path / "outcome.json", outcome)
            (run.path / "output.log").write_text(text)
    return path


@pytest.fixture(scope="module")
def clever(server: StartServer, named: Path) -> Server:
    return server(env={"VGGEXPLORER_RUNS": str(named)})


@pytest.fixture
def guarded(context: "BrowserContext") -> "Iterator[Page]":
    """A page that says when a script of a text runs."""
    page = context.new_page()
    page.set_viewport_size({"width": 1400, "height": 2400})
    alarms: list[str] = []
    page.on("dialog", lambda dialog: (alarms.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: alarms.append(str(error)))
    page.on("console", lambda message: alarms.append(message.text) if "Security Policy" in message.text else None)
    yield page
    assert alarms == []


def foreign_elements(page: "Page") -> list[str]:
    """Elements that only a text can have brought: in the page and in the shadow roots of its parts."""
    return list(
        page.evaluate(
            """() => {
            const found = []
            const look = (root) => {
              for (const node of root.querySelectorAll('*')) {
                if (node.shadowRoot) look(node.shadowRoot)
                if (node.matches('img[src=x], [onerror], a[href^="javascript"], .katex')) found.push(node.outerHTML)
                if (node.matches('[class*="ColoredText"], [data-testid*="ColoredText"]')) found.push(node.outerHTML)
                if (node.matches('b, strong, em, del, code') && ['x', 'y', 'z', 'c', 'r'].includes(node.textContent))
                  found.push(node.outerHTML)
              }
            }
            look(document)
            return found
          }"""
        )
    )


@pytest.mark.sample(2)
@pytest.mark.sample(4)
@pytest.mark.parametrize("text", TEXTS)
def test_a_clever_name_is_shown_as_it_is(clever: Server, guarded: "Page", named: Path, text: str) -> None:
    name = TEXTS[text]
    run = next(run for run in Runs(named).all(recorded=False) if run.name() == name)
    guarded.goto(f"{clever.url}/runs")
    settled(guarded)
    guarded.get_by_role("button", name=name, exact=True).wait_for()
    assert foreign_elements(guarded) == []
    for place in (f"/runs?run={run.id}", f"/train?run={run.id}"):
        guarded.goto(clever.url + place)
        settled(guarded)
        guarded.wait_for_timeout(700)
        assert name in guarded.inner_text("body").replace("\xa0", " "), place
        assert foreign_elements(guarded) == []
    guarded.goto(f"{clever.url}/runs?run={run.id}")
    settled(guarded)
    guarded.get_by_role("button", name="Delete …").click()
    settled(guarded)
    assert f"Delete {name}, with all figures" in guarded.inner_text(".st-key-confirm")
    assert foreign_elements(guarded) == []


def test_clever_names_beside_each_other(clever: Server, guarded: "Page", named: Path) -> None:
    ids = "&".join(f"run={run.id}" for run in Runs(named).all(recorded=False))
    for query in (ids, "&".join(ids.split("&")[:2])):
        guarded.goto(f"{clever.url}/runs?{query}")
        settled(guarded)
        guarded.locator(".main-svg").first.wait_for()
        guarded.wait_for_timeout(700)
        assert foreign_elements(guarded) == []


@pytest.mark.sample(4)
@pytest.mark.parametrize("text", TEXTS)
def test_a_clever_path_and_a_clever_link_are_shown_as_they_are(
    clever: Server, guarded: "Page", tmp_path: Path, text: str
) -> None:
    name = TEXTS[text]
    if sys.platform != "win32":
        folder = tmp_path / name.replace("/", "")
        for label in ("a", name.replace("/", "")):
            (folder / label).mkdir(parents=True)
            (folder / label / "one.png").write_bytes(b"")
        guarded.goto(f"{clever.url}/train")
        settled(guarded)
        guarded.get_by_role("combobox", name="Data").click()
        guarded.get_by_role("option", name="my own images").click()
        field = guarded.get_by_label("folder with one subfolder for each class")
        for path in (str(folder), f"/nowhere/{name}"):
            field.fill(path)
            field.press("Enter")
            settled(guarded)
            guarded.wait_for_timeout(300)
            assert foreign_elements(guarded) == []
            shown = guarded.locator("[data-testid=stSidebar]").inner_text().replace("\xa0", " ")
            assert name.replace("/", "") in shown.replace("/", "")
    keys = ("arch", "run", "lang", "input", "pin", "head", name)
    query = "&".join(f"{quote(key)}={quote(name)}" for key in keys)
    for place in ("/", "/compare", "/train", "/runs"):
        guarded.goto(f"{clever.url}{place}?{query}")
        settled(guarded)
        assert foreign_elements(guarded) == []


# --- what the code does not contain ------------------------------------------------------------------------

SOURCES = [ROOT / "app.py", *(ROOT / "vggexplorer").rglob("*.py"), *(ROOT / "pages").glob("*.py")]
SOURCES += [*(ROOT / "scripts").glob("*.py")]
CODE_IN_DATA = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "yaml"}


def calls(path: Path) -> Iterator[tuple[str, ast.Call]]:
    """The name of each call of a file, without what is before its last dot, and the call."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func).rpartition(".")[2], node


def suspicious(path: Path) -> list[str]:
    """What could run code that stands in data, or show a text as HTML."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in CODE_IN_DATA]
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in CODE_IN_DATA:
            found.append(str(node.module))
    for name, call in calls(path):
        options = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        called = ast.unparse(call.func)
        if called in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"):
            found.append(called)
        if called == "torch.load" and options.get("weights_only") != "True":
            found.append("torch.load without weights_only")
        if options.get("allow_pickle", "False") != "False" or options.get("shell", "False") != "False":
            found.append(ast.unparse(call))
        if options.get("unsafe_allow_html", "False") != "False":
            found.append(ast.unparse(call))
        if name == "html" and called.startswith("st.") and not _constant(call.args[0]):
            found.append(ast.unparse(call))
    return found


def _constant(node: ast.expr) -> bool:
    """Whether a text stands in the code: written there, or a name in capitals."""
    return isinstance(node, ast.Constant) or (isinstance(node, ast.Name) and node.id.isupper())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_code_comes_from_data_and_no_html_from_texts(path: Path) -> None:
    assert suspicious(path) == []


@pytest.mark.parametrize(
    "code",
    [
        *("import pickle", "from joblib import load", "torch.load(p)", "torch.load(p, weights_only=False)", "eval(x)"),
        *(
            "numpy.load(p, allow_pickle=True)",
            "st.markdown(x, unsafe_allow_html=True)",
            "st.html(f'{x}')",
            "st.html(x)",
        ),
    ],
)
def test_the_check_itself_finds_it(tmp_path: Path, code: str) -> None:
    path = tmp_path / "code.py"
    path.write_text(code)
    assert suspicious(path)


def test_scripts_put_texts_in_as_text() -> None:
    """The one place that takes HTML gets a drawing that we made, wide or narrow, with escaped texts (test_drawing)."""
    sources = [path.read_text("utf-8") for path in (ROOT / "vggexplorer" / "assets").glob("*.js")]
    places = re.findall(r"\S+\.(?:inner|outer)HTML *=.*", "\n".join(sources))
    assert places == ["box.innerHTML = lines ? narrow.svg : svg"]
    assert not any(re.search(r"\beval\(|new Function|document\.write|insertAdjacentHTML", text) for text in sources)
