"""nginx and Caddy themselves, with the files of `deploy/`, before the dashboard: in a browser, with TLS."""

import datetime
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from conftest import ROOT, Server, StartServer, free_port, wait_until
from test_browser import Explore, summary

from vggexplorer.server.dashboard import BASE_PATH

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NGINX, CADDY = ((ROOT / "deploy" / name).read_text("utf-8") for name in ("nginx.conf", "Caddyfile"))
NAME, DASHBOARD = "cnn.school.example", "127.0.0.1:8501"
STUDENTS = re.compile(r"students, as often as they like: (\S+)")
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text("utf-8")


class Way(NamedTuple):
    """Where the dashboard stands behind a proxy, and the environment that it needs there."""

    path: str
    row: str
    env: dict[str, str]


WAYS = {
    "at the root": Way("", "", {}),
    "the proxy takes the path away": Way("/vgg", "the proxy", {}),
    "Streamlit has the path": Way("/vgg", "Streamlit", {BASE_PATH: "vgg"}),
}


def said(way: Way) -> tuple[str, str]:
    """What the documents say of nginx and Caddy where the dashboard is below a path."""
    rows = [line.split("|")[1:] for line in DEPLOYMENT.splitlines() if line.startswith("| ")]
    (nginx,) = (cells[1].strip(" `") for cells in rows if cells[0].strip() == way.row)
    strips, leaves = re.findall(r"```caddyfile\n(.*?)```", DEPLOYMENT, re.DOTALL)
    return nginx, leaves if way.env else strips


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate that we signed ourselves, and its key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    folder, key = tmp_path_factory.mktemp("certificate"), ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    form, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return paths


@contextmanager
def running(*command: str, folder: Path, port: int) -> Iterator[None]:
    """A proxy, once it takes connections on `port`."""
    log = folder / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, cwd=folder, env=os.environ | {"HOME": str(folder)}
        )

    def ready() -> bool:
        assert process.poll() is None, log.read_text("utf-8")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        wait_until(ready, what=command[0])
        yield
    finally:
        process.terminate()
        process.wait(20)


def nginx(way: Way, port: int, dashboard: str, certificate: tuple[Path, Path], folder: Path) -> list[str]:
    """The command that serves our file, which stands in a folder of the tests."""
    text = NGINX
    if way.path:
        text, count = re.subn(r"location / \{\s+proxy_pass \S+;", said(way)[0], text)
        assert count == 1
    for ours, there in (
        (f"/etc/ssl/{NAME}.pem", str(certificate[0])),
        (f"/etc/ssl/{NAME}.key", str(certificate[1])),
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        (NAME, "localhost"),
        (DASHBOARD, dashboard),
    ):
        assert ours in text
        text = text.replace(ours, there)
    places = "".join(f"{name}_temp_path {folder};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    logs = f"access_log off; error_log {folder}/error.txt;"
    (folder / "site.conf").write_text(text, "utf-8")
    whole = f"daemon off; pid {folder}/pid; events {{}}\nhttp {{ {logs} {places} include {folder}/site.conf; }}\n"
    (folder / "nginx.conf").write_text(whole, "utf-8")
    command = ["nginx", "-e", f"{folder}/error.txt", "-c", f"{folder}/nginx.conf"]
    subprocess.run([*command, "-t"], check=True)
    return command


def caddy(way: Way, port: int, dashboard: str, certificate: tuple[Path, Path], folder: Path) -> list[str]:
    """The same of Caddy; its certificate is ours, as it cannot ask for one here."""
    text = CADDY
    if way.path:
        assert text.count("reverse_proxy") == 1
        text = text.replace(f"reverse_proxy {DASHBOARD}", said(way)[1])
    tls = f"tls {certificate[0]} {certificate[1]}\n"
    text = text.replace(f"\n{NAME} {{", f"\nhttps://localhost:{port} {{\n{tls}").replace(DASHBOARD, dashboard)
    text = f"{{\nadmin off\nauto_https off\nskip_install_trust\n}}\n{text}"
    (folder / "Caddyfile").write_text(text, "utf-8")
    return ["caddy", "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


@pytest.mark.sample(2)
@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("proxy", [nginx, caddy])
def test_the_dashboard_lives_behind_it(
    proxy: Callable[..., list[str]],
    way: Way,
    certificate: tuple[Path, Path],
    server: StartServer,
    browser: "Browser",
    tmp_path: Path,
) -> None:
    if not shutil.which(proxy.__name__):
        pytest.skip(f"{proxy.__name__} is not installed")
    port = free_port()
    url = f"https://localhost:{port}{way.path}"
    dashboard = server(sys.executable, "-m", "vggexplorer", "--url", url, env=way.env)
    inner = dashboard.url.removeprefix("http://").partition("/")[0]
    command = proxy(way, port, inner, certificate, tmp_path)
    with running(*command, folder=tmp_path, port=port):
        context = browser.new_context(ignore_https_errors=True, locale="en-US")
        try:
            visit(Explore(context.new_page(), Server(url, dashboard.process, dashboard.log)), dashboard.text())
            (cookie,) = (each for each in context.cookies() if each["name"].startswith("vggexplorer-"))
            assert cookie["secure"], "it was told that the visitor came by TLS"
        finally:
            context.close()


def visit(explore: Explore, printed: str) -> None:
    """Come in by the students' link, edit, look at a run, take a long link."""
    page, refused = explore.page, []
    page.on("response", lambda answer: answer.status >= 400 and refused.append(answer.url))
    (link,) = STUDENTS.findall(printed)
    page.goto(link)
    explore.settle().shows(summary())
    explore.fill("Channels, block 3", "320")
    explore.shows(summary(arch="1x64,1x128,2x320,2x512,2x512"))
    page.get_by_text("From a file").click()
    source = b"import torchvision\nnet = torchvision.models.vgg13()\n"
    page.locator("input[type=file]").set_input_files({"name": "net.py", "mimeType": "text/x-python", "buffer": source})
    explore.shows(summary(arch="vgg13", input="3x224x224", classes="1000", head="adaptive"))
    page.get_by_role("link", name="Runs").click()
    page.locator("tbody th.name button").first.click()
    page.locator(".js-plotly-plot .main-svg").first.wait_for()
    page.goto(f"{explore.server.url}/learn?lesson={'x' * 29_000}")
    page.get_by_role("heading", name="Learn").wait_for()
    assert (refused, explore.complaints) == ([], [])
