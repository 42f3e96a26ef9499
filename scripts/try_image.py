"""Takes the steps of deploy/Dockerfile where there is no Docker: `python scripts/try_image.py FOLDER`, as root.

In place of the image that it begins with, debootstrap makes a Debian with its own Python in FOLDER. The other steps are
taken as they stand there, in a chroot, and the server is started as it would be, by the same user. It prints what all
of it takes on the disk, how the health check ends, and what the server has written. What pip needs to find packages
comes from the environment (PIP_*), and with --bind from folders that are there during the installation only.
"""

import argparse
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

CLONE = Path(__file__).resolve().parent.parent
DOCKERFILE = CLONE / "deploy" / "Dockerfile"
PACKAGES = "python3,python3-venv,ca-certificates"
FOR_PIP = re.compile(r"PIP_\w+|\w+_proxy|\w+_PROXY|SSL_CERT_FILE|REQUESTS_CA_BUNDLE")
"""The variables that a step of the installation gets from outside."""
PATIENCE = 120
"""Seconds for the server to answer."""


def steps(text: str) -> Iterator[tuple[str, str]]:
    """The instructions of a Dockerfile, each with what it is given."""
    for line in re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", text)).splitlines():
        if line.strip():
            word, _, rest = line.strip().partition(" ")
            yield word.upper(), rest.strip()


@dataclass
class Image:
    """A folder that becomes an image, step by step."""

    root: Path
    binds: Sequence[Path]
    user: str = "root"
    workdir: str = "/"
    variables: dict[str, str] = field(default_factory=dict)
    arguments: dict[str, str] = field(default_factory=dict)
    health: list[str] = field(default_factory=list)
    entry: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)

    def take(self, word: str, given: str) -> None:
        """Take one step."""
        match word:
            case "ARG":
                self.arguments |= dict(each.split("=", 1) for each in shlex.split(given))
            case "ENV":
                self.variables |= dict(each.split("=", 1) for each in shlex.split(given))
            case "COPY":
                self._copy(*given.split())
            case "RUN":
                with self._bound():
                    outside = {name: text for name, text in os.environ.items() if FOR_PIP.fullmatch(name)}
                    self.run(["sh", "-c", given], outside | self.arguments)
            case "USER":
                self.user = given
            case "WORKDIR":
                self.workdir = given
            case "HEALTHCHECK":
                self.health = json.loads(given.partition("CMD")[2])
            case "ENTRYPOINT":
                self.entry = json.loads(given)
            case "CMD":
                self.command = json.loads(given)
            case "FROM" | "VOLUME" | "EXPOSE":
                pass
            case _:
                sys.exit(f"{DOCKERFILE.name} has a step that is not known here: {word} {given}")

    def _copy(self, source: str, target: str) -> None:
        """What Docker would send: all that the list of what is ignored does not ignore."""
        if source != ".":
            sys.exit(f"Only the whole clone is copied here, not {source}")
        for line in (DOCKERFILE.with_name("Dockerfile.dockerignore")).read_text("utf-8").splitlines():
            if line.startswith("!"):
                found, to = CLONE / line[1:], self.root / target[1:] / line[1:]
                if found.is_dir():
                    shutil.copytree(found, to, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    to.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(found, to)

    @contextmanager
    def _bound(self) -> Iterator[None]:
        """The folders and files that are there for a while."""
        with ExitStack() as stack:
            for path in self.binds:
                place = self.root / str(path)[1:]
                new = [each for each in (place, *place.parents) if each != self.root and not each.exists()]
                if path.is_dir():
                    place.mkdir(parents=True, exist_ok=True)
                else:
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.touch()
                for each in reversed(new):
                    stack.callback(each.rmdir if path.is_dir() or each != place else each.unlink)
                done("mount", "--bind", str(path), str(place))
                stack.callback(done, "umount", str(place))
            yield

    def inside(self, command: Sequence[str], more: dict[str, str]) -> list[str]:
        """`command` as the present user in the image."""
        home = "/root" if self.user == "root" else f"/home/{self.user}"
        path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        own = {"PATH": path, "HOME": home} | more | self.variables
        assigned = [f"{name}={text}" for name, text in own.items()]
        there = ["sh", "-c", f'cd {shlex.quote(self.workdir)} && exec "$@"', "sh", *command]
        return ["chroot", f"--userspec={self.user}", str(self.root), "env", "-i", *assigned, *there]

    def run(self, command: Sequence[str], more: dict[str, str] | None = None) -> None:
        """Run it to its end, which must be a good one."""
        done(*self.inside(command, more or {}))


def done(*command: str) -> None:
    """Run a command; what it prints goes to standard error."""
    subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 (of this file and the Dockerfile)


def megabytes(root: Path) -> float:
    """What a folder takes on the disk."""
    seen: dict[tuple[int, int], int] = {}
    for folder, folders, names in os.walk(root):
        for name in (*folders, *names):
            about = os.lstat(os.path.join(folder, name))
            seen[about.st_dev, about.st_ino] = 512 * about.st_blocks
    return sum(seen.values()) / 1e6


def written(root: Path, since: float) -> list[str]:
    """The files that are newer."""
    found = (os.path.join(folder, name) for folder, _, names in os.walk(root) for name in names)
    return [path for path in found if os.lstat(path).st_mtime > since]


def answer(url: str) -> str:
    """What is answered at an address: the status, and how much."""
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=30) as found:
        return f"{found.status}, {len(found.read()):,} bytes"


def say(what: str, value: object) -> None:
    """A line of the result."""
    print(f"{what:<42} {value}", flush=True)


def begin(root: Path, suite: str, mirror: str | None) -> None:
    """A Debian in place of the image that the Dockerfile begins with, without what only apt needs."""
    done("debootstrap", "--variant=minbase", f"--include={PACKAGES}", suite, str(root), *([mirror] if mirror else []))
    for kept in (root / "var/cache/apt", root / "var/lib/apt/lists"):
        shutil.rmtree(kept)
        kept.mkdir()


def serve(image: Image, look: float) -> None:
    """Start what the image starts, ask the health check and some pages, and end it."""
    began = time.time()
    command = image.inside([*image.entry, *image.command], {})
    with subprocess.Popen(command, stdout=sys.stderr, start_new_session=True) as server:  # noqa: S603
        try:
            check = image.inside(image.health, {})
            while (health := subprocess.run(check, capture_output=True, check=False)).returncode:  # noqa: S603
                if server.poll() is not None or time.time() - began > PATIENCE:
                    sys.exit(f"The server does not answer: {health.stderr.decode()}")
                time.sleep(0.5)
            say("health check", f"status {health.returncode}, after {time.time() - began:.1f} s")
            status = Path(f"/proc/{server.pid}/status").read_text("ascii")
            (uid,) = re.findall(r"(?m)^Uid:\s+(\d+)", status)
            say("runs as", f"{image.user}, uid {uid}")
            base = f"http://127.0.0.1:{image.entry[image.entry.index('--port') + 1]}"
            for path in ("/", "/answer?arch=vgg16&parts=totals", "/listed?lang=zh"):
                say(f"GET {path}", answer(base + path))
            time.sleep(look)
        finally:
            server.kill()
    say("ended with", server.returncode)
    say("files written while it served", written(image.root, began) or "none")


def main() -> None:
    """Make the image in a folder, and try it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("folder", type=Path, help="a new folder, which stays")
    parser.add_argument("--suite", default="bookworm", help="of Debian")
    parser.add_argument("--mirror", help="where its packages come from (default: debootstrap's own)")
    parser.add_argument("--bind", type=Path, action="append", default=[], help="what pip needs, as pip.conf names it")
    parser.add_argument("--extra", default="", help="of pyproject.toml, in place of the light image")
    parser.add_argument("--look", type=float, default=0, help="seconds for which the server stays to be looked at")
    options = parser.parse_args()
    image, began = Image(options.folder.absolute(), options.bind), time.monotonic()
    begin(image.root, options.suite, options.mirror)
    first = megabytes(image.root)
    say("in place of the first image", f"{first:.0f} MB, Debian {options.suite}, {time.monotonic() - began:.0f} s")
    for word, given in steps(DOCKERFILE.read_text("utf-8")):
        before, then = megabytes(image.root), time.monotonic()
        image.take(word, f'EXTRA="{options.extra}"' if given == 'EXTRA=""' else given)
        if word in ("COPY", "RUN"):
            say(f"{word} {given}"[:41], f"{megabytes(image.root) - before:+.0f} MB, {time.monotonic() - then:.0f} s")
    whole = megabytes(image.root)
    say("on the disk", f"{whole:.0f} MB, of which {whole - first:.0f} MB are ours")
    serve(image, options.look)


if __name__ == "__main__":
    main()
