"""Serves a folder as a static host does: `python scripts/serve_site.py FOLDER [--port 8700] [--path /cnn/]`.

/compare is answered with compare.html, and what is not there with 404.html. Files are sent compressed, and a browser
that has one asks only whether it has changed.
"""

import argparse
import gzip
import sys
from functools import cache, partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import urlsplit


class Host(SimpleHTTPRequestHandler):
    """Answers for the files below `directory`, as if it lay at `path`."""

    protocol_version = "HTTP/1.1"
    extensions_map: ClassVar[dict[str, str]] = {
        **SimpleHTTPRequestHandler.extensions_map,  # what is not here, Windows looks up in its registry
        **dict.fromkeys((".js", ".mjs"), "text/javascript"),
        ".wasm": "application/wasm",
        ".json": "application/json",
    }

    def __init__(self, *given: object, path: str = "/", **named: object) -> None:
        self._path = path
        super().__init__(*given, **named)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        """A file, or that it has not changed."""
        file, status = self._file()
        edition = f'"{file.stat().st_mtime_ns}"'
        content = b""
        if status == 200 and self.headers.get("If-None-Match") == edition:
            status = 304
        else:
            content = packed(file, edition)
        self.send_response(status)
        for name, value in {
            "Content-Type": self.guess_type(str(file)),
            "Content-Encoding": "gzip",
            "Content-Length": str(len(content)),
            "Cache-Control": "max-age=600",
            "ETag": edition,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _file(self) -> tuple[Path, int]:
        root, path = Path(self.directory), urlsplit(self.path).path
        file = root / (path.removeprefix(self._path) or "index.html")
        found = [each for each in (file, file.with_name(f"{file.name}.html")) if each.is_file()]
        inside = path.startswith(self._path) and file.resolve().is_relative_to(root.resolve())
        return (found[0], 200) if found and inside else (root / "404.html", 404)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


@cache
def packed(file: Path, edition: str) -> bytes:
    """A file's content, compressed, once for each of its editions."""
    return gzip.compress(file.read_bytes(), 6)


class Server(ThreadingHTTPServer):
    """A thread for each connection; a browser may close one as it likes."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Say what went wrong here, but nothing of a browser that went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


def server(folder: Path, port: int = 0, path: str = "/") -> Server:
    """A server of `folder` on this machine, which serves once it is told to."""
    return Server(("127.0.0.1", port), partial(Host, directory=str(folder), path=path))


def main() -> None:
    """The command, until Ctrl-C."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=8700)
    parser.add_argument("--path", default="/", help="serve it below this path, such as /cnn/")
    options = parser.parse_args()
    with server(options.folder, options.port, options.path) as host:
        print(f"http://127.0.0.1:{host.server_port}{options.path}", flush=True)
        host.serve_forever()


if __name__ == "__main__":
    main()
