"""Starting the dashboard: Streamlit in this very process, on this machine's own address unless told otherwise."""

import errno
import ipaddress
import os
import runpy
import socket
import sys
import threading
import time
import tomllib
import urllib.request
import webbrowser
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from vggexplorer import exhibit
from vggexplorer.architectures import shown
from vggexplorer.errors import InputError
from vggexplorer.paths import WINDOWS, prefix, root
from vggexplorer.processes import end_quietly_at_ctrl_c

ADDRESS = "127.0.0.1"
"""Only programs on the same machine can reach the dashboard."""
FIRST_PORT = 8501
"""Streamlit's own default; the next free one is taken if somebody has it."""
BASE_PATH = "STREAMLIT_SERVER_BASE_URL_PATH"
"""The environment variable from which `streamlit run` takes a path below which everything is served."""
_PORTS_TRIED = 100
_NOT_OURS = (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL)
_OPTIONS = (
    # What holds whatever the environment says; the rest is in .streamlit/config.toml, beside app.py.
    "--server.headless=true",  # no question about an email address; the browser is opened here
    "--browser.gatherUsageStats=false",
)
SMALL = (
    "--server.maxUploadSize=1",
    "--server.maxMessageSize=10",
    "--server.enableXsrfProtection=false",  # its cookie does not come with a frame of another site
)
"""For a dashboard that is there to look at: a file and a message in megabytes. A larger file would come by the disk."""


def serve(port: int | None, open_browser: bool, address: str = ADDRESS, url: str | None = None) -> None:
    """Serve the dashboard until Ctrl-C, which ends the process with status 0.

    Without a `port` the first free one from `FIRST_PORT` on is taken. Of an `address` other than this machine's own
    one, or with the `url` of a proxy that stands before it, the gate in `gate.py` asks everybody who they are; the
    terminal shows the links then, and no browser is opened. `InputError` if the port is not free, the address is none
    of this machine, the `url` is none or has another path than Streamlit, or Streamlit is not installed.
    """
    if find_spec("streamlit") is None:
        raise InputError("The dashboard needs Streamlit, which is not installed here; pip install streamlit helps.")
    here = _checked(address)
    port = _free_port(address) if port is None else _usable(port, address)
    hosts = [address] if here else ["*"]  # the gate knows better which
    base = _base_path()
    if url is not None:
        hosts = [*(hosts if here else []), _host(url)]
        os.environ["VGGEXPLORER_URL"] = url
        if what := _asked_of_the_proxy(url, base):
            print(what, flush=True)
    shared = not here or url is not None
    if exhibit.on():
        hosts = ["*"]
    if open_browser and not shared:
        ours = f"http://{_bracketed(address)}:{port}{base}"
        threading.Thread(target=_open_when_ready, args=(ours,), daemon=True).start()
    end_quietly_at_ctrl_c()
    options = [f"--server.address={address}", f"--server.port={port}"]
    options += ["--logger.hideWelcomeMessage=true"] if shared else []
    options += SMALL if exhibit.on() else []
    options += [f"--server.allowedHosts={host}" for host in (*hosts, "localhost", ADDRESS)]
    sys.argv = ["streamlit", "run", str(root() / "app.py"), *options, *_OPTIONS]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def _checked(address: str) -> bool:
    """Whether `address` can be reached from this machine only; `InputError` if it is none."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        raise InputError(
            "The address must be one of this machine such as 192.168.1.5, or 0.0.0.0 for all of them, not {value}.",
            value=shown(address),
        ) from None


def _host(url: str) -> str:
    """The host of a proxy's `url`; `InputError` if it has none."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.query or parts.fragment or parts.username:
        raise InputError(
            "The URL must be what others open, such as https://cnn.school.example, not {value}.", value=shown(url)
        )
    return host


def _base_path() -> str:
    """The path below which Streamlit will serve everything: its `server.baseUrlPath`, empty unless set.

    Looked up where `streamlit run` does, in its order. Streamlit itself, asked before it starts, would complain then
    that its options changed.
    """
    base = os.environ.get(BASE_PATH, "")
    for folder in (root(), Path.cwd(), Path(os.path.expanduser("~"))):
        with suppress(OSError, ValueError):  # of which Streamlit complains
            section = tomllib.loads((folder / ".streamlit" / "config.toml").read_text("utf-8")).get("server")
            base = base or (str(section.get("baseUrlPath", "")) if isinstance(section, dict) else "")
    return prefix(base)


def _asked_of_the_proxy(url: str, base: str) -> str:
    """What a proxy at `url` must do with the paths of requests, if `url` has a path; `base` is that of Streamlit.

    `InputError` if Streamlit has one, and `url` not the same.
    """
    path = urlsplit(url).path.rstrip("/")
    if base and path != base:
        raise InputError(
            "The URL has the path {path}, but Streamlit's server.baseUrlPath is {base}: they must be the same.",
            path=shown(path or "/"),
            base=shown(base),
        )
    if base:
        return f"The proxy must leave {path} in the paths that it passes on."
    return path and (
        f"The proxy must take {path} away from the paths that it passes on; "
        f"with {BASE_PATH}={path[1:]} it must leave it."
    )


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _refusal(port: int, address: str = ADDRESS) -> int | None:
    """The system's error number if it does not let us serve on `port`."""
    with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET) as probe:
        if not WINDOWS:  # where it would take a port from the program that has it
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen()
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return None


def _usable(port: int, address: str) -> int:
    refusal = _refusal(port, address)
    if refusal in _NOT_OURS:
        raise InputError("The address {address} is none of this machine.", address=address)
    if refusal == errno.EACCES:
        raise InputError("Port {port} may not be used: the system does not permit it.", port=port)
    if refusal is not None:
        raise InputError("Port {port} is taken by another program; choose another one with --port.", port=port)
    return port


def _free_port(address: str = ADDRESS) -> int:
    ports = range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED)
    free = next((port for port in ports if _refusal(port, address) is None), None)
    if free is None and _refusal(ports[0], address) in _NOT_OURS:
        raise InputError("The address {address} is none of this machine.", address=address)
    if free is None:
        raise InputError(
            "The ports from {first} to {last} are all taken; choose another one with --port.",
            first=ports[0],
            last=ports[-1],
        )
    return free


def _open_when_ready(url: str, timeout: float = 60) -> None:
    """Open the browser as soon as the server answers; give up after `timeout` seconds."""
    deadline = time.monotonic() + timeout
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        try:
            direct.open(f"{url}/_stcore/health", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            webbrowser.open(url)
            return
