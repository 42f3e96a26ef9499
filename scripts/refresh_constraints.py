"""Writes constraints.txt: the versions that are installed here of all that the package and its extras need.

Run it where all tests have passed, in an environment with every extra: `refresh_constraints.py`. What other systems
need beside (`colorama` on Windows) is not installed here and stays free; what they do not need (the libraries of
NVIDIA's GPUs) does no harm, as a constraint installs nothing.
"""

import platform
import sys
import tomllib
from collections.abc import Callable, Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parent.parent
FILE = ROOT / "constraints.txt"
HEAD = """\
# Versions that were tested together, on Python {python} and {system}, for a class in which all have the same:
#   pip install -c constraints.txt ".[train]"
# Written by scripts/refresh_constraints.py.
"""


class Installed(NamedTuple):
    """A package that is installed: its version, and what it needs."""

    version: str
    needs: tuple[str, ...]


Look = Callable[[str], Installed | None]
"""What is installed by a name; None if nothing is."""


def installed(name: str) -> Installed | None:
    """What is installed here."""
    try:
        found = distribution(name)
    except PackageNotFoundError:
        return None
    return Installed(found.version, tuple(found.requires or ()))


def direct() -> list[Requirement]:
    """What pyproject.toml names, with every extra, but for this package itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    named = map(Requirement, [*project["dependencies"], *(each for extra in extras for each in extra)])
    return [each for each in named if each.name != project["name"]]


def needed(first: Iterable[Requirement], look: Look = installed) -> dict[str, str]:
    """The public versions of what is needed, by name, also of what that needs in turn; `LookupError` if one is missing.

    Of what is needed in turn some may be missing: it is for other systems, by a marker that this one does not meet.
    """
    versions: dict[str, str] = {}
    done: set[tuple[str, frozenset[str]]] = set()
    waiting = [(each, True) for each in first]
    while waiting:
        need, must = waiting.pop()
        name, extras = canonicalize_name(need.name), frozenset(need.extras)
        if (name, extras) in done:
            continue
        done.add((name, extras))
        found = look(name)
        if found is None:
            if must:
                raise LookupError(f"{need} is not installed here; pip install -e '.[test,cluster]' helps.")
            continue
        versions[name] = Version(found.version).public
        waiting += [(each, False) for each in map(Requirement, found.needs) if _applies(each, extras)]
    return dict(sorted(versions.items()))


def _applies(need: Requirement, extras: Iterable[str]) -> bool:
    """Whether a package needs it on this system, with some of its extras."""
    return need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, ""))


def text(versions: dict[str, str]) -> str:
    """The file: a line for each package."""
    head = HEAD.format(python=platform.python_version(), system=f"{platform.system()} {platform.machine()}")
    return head + "".join(f"{name}=={version}\n" for name, version in versions.items())


def main() -> int:
    """Write the file; 1 if something that is needed is not installed."""
    try:
        versions = needed(direct())
    except LookupError as error:
        print(error, file=sys.stderr)
        return 1
    FILE.write_text(text(versions), "utf-8")
    print(f"{len(versions)} versions in {FILE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
