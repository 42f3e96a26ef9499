"""Starting the dashboard: Streamlit in this very process, on this machine's own address only."""

import errno
import os
import runpy
import signal
import socket
import sys
import threading
import time
import urllib.request
import webbrowser
from importlib.util import find_spec

from vggexplorer.errors import InputError
from vggexplorer.paths import root

ADDRESS = "127.0.0.1"
"""Only programs on the same machine can reach the dashboard."""
FIRST_PORT = 8501
"""Streamlit's own default; the next free one is taken if somebody has it."""
_PORTS_TRIED = 100
_OPTIONS = (
    # What holds whatever the environment says; the rest is in .streamlit/config.toml, beside app.py.
    f"--server.address={ADDRESS}",
    f"--server.allowedHosts={ADDRESS}",
    "--server.allowedHosts=localhost",
    "--server.headless=true",  # no question about an email address; the browser is opened here
    "--browser.gatherUsageStats=false",
)


def start(port: int | None, open_browser: bool) -> None:
    """Serve the dashboard until Ctrl-C, which ends the process with status 0.

    Without a `port` the first free one from `FIRST_PORT` on is taken. `InputError` if the port is
    not free or Streamlit is not installed.
    """
    if find_spec("streamlit") is None:
        raise InputError("The dashboard needs Streamlit, which is not installed here; pip install streamlit helps.")
    port = _free_port() if port is None else _usable(port)
    if open_browser:
        threading.Thread(target=_open_when_ready, args=(f"http://{ADDRESS}:{port}",), daemon=True).start()
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    sys.argv = ["streamlit", "run", str(root() / "app.py"), f"--server.port={port}", *_OPTIONS]
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def _refusal(port: int) -> int | None:
    """The system's error number if it does not let us serve on `port`."""
    with socket.socket() as probe:
        if os.name != "nt":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
            probe.listen()
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return None


def _usable(port: int) -> int:
    refusal = _refusal(port)
    if refusal == errno.EACCES:
        raise InputError("Port {port} may not be used: the system does not permit it.", port=port)
    if refusal is not None:
        raise InputError("Port {port} is taken by another program; choose another one with --port.", port=port)
    return port


def _free_port() -> int:
    ports = range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED)
    free = next((port for port in ports if _refusal(port) is None), None)
    if free is None:
        raise InputError(
            "The ports from {first} to {last} are all taken; choose another one with --port.",
            first=ports[0],
            last=ports[-1],
        )
    return free


def _open_when_ready(url: str, patience: float = 60) -> None:
    """Open the browser as soon as the server answers; give up after `patience` seconds."""
    deadline = time.monotonic() + patience
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        try:
            direct.open(f"{url}/_stcore/health", timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            webbrowser.open(url)
            return
