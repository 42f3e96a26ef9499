"""The README is true: its command lines run, print what it says they print, and its links lead somewhere."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from conftest import ROOT

from vggexplorer.processes import INSTALL
from vggexplorer.summary import summarize
from vggexplorer.text import parse_arch

README = ROOT / "README.md"
_FENCE = re.compile(r"^```(console|bash|sh|shell)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXTRA = re.compile(r"(?:\.|vggexplorer|clone|\.whl)\[(\w+)\]")
_LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:src|href|srcset)=\"([^\"]+)\"|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)


class Example(NamedTuple):
    """A command line of the README with the lines it shows below it."""

    command: str
    output: tuple[str, ...]


def examples(text: str) -> list[Example]:
    """The `vggexplorer profile` commands of console and shell blocks.

    In a console block a command starts with `$ ` and other lines are output; in a shell block every
    line is a command. A backslash at the end of a line continues it.
    """
    found: list[Example] = []
    for language, block in _FENCE.findall(text):
        lines = block.replace("\\\n", " ").splitlines()
        console = language == "console" or any(line.startswith("$ ") for line in lines)
        for line in lines:
            if line.startswith("$ ") or not console:
                found.append(Example(line.removeprefix("$ ").strip(), ()))
            elif found:
                found[-1] = found[-1]._replace(output=(*found[-1].output, line))
    return [example for example in found if example.command.startswith("vggexplorer profile")]


def difference(shown: tuple[str, ...], printed: str) -> str | None:
    """The first line shown that was not printed in its place; None if all match.

    Spaces at the end of a line and empty lines do not count; a line `...` stands for any lines.
    """
    lines = [line.rstrip() for line in printed.replace("\xa0", " ").splitlines() if line.strip()]
    position, anywhere = 0, False
    for line in (line.replace("\xa0", " ").rstrip() for line in shown if line.strip()):
        if line.strip() in ("...", "…"):
            anywhere = True
        elif anywhere and line in lines[position:]:
            position, anywhere = lines.index(line, position) + 1, False
        elif not anywhere and lines[position : position + 1] == [line]:
            position += 1
        else:
            return line
    return None if anywhere or position == len(lines) or not shown else "(the end of the output)"


def output_of(command: str, cwd: Path) -> str:
    """What a command line prints; one with a pipe or a redirection is given to a shell."""
    words = [sys.executable, "-m", "vggexplorer"]
    environment = os.environ | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"}
    if re.search(r"[|<>;&$]", command):
        shell = shutil.which("bash")
        if not shell:
            pytest.skip("this line needs a shell, and there is no bash here")
        rest = command.removeprefix("vggexplorer")
        line = [shell, "-o", "pipefail", "-c", shlex.join(words) + rest]
    else:
        line = [*words, *shlex.split(command, comments=True)[1:]]
    done = subprocess.run(line, cwd=cwd, env=environment, capture_output=True, encoding="utf-8", timeout=60)
    assert done.returncode == 0, f"{command}\n{done.stderr}"
    return done.stdout


def broken_links(text: str, folder: Path) -> list[str]:
    """The relative links and pictures of a Markdown text that lead nowhere."""
    prose = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    targets = {next(filter(None, found)) for found in _LINK.findall(prose)}
    relative = (target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#|//", target))
    return sorted(target for target in relative if target and not (folder / target).exists())


@pytest.mark.parametrize("example", examples(README.read_text("utf-8")), ids=lambda example: example.command)
def test_a_command_line_runs_and_prints_what_is_shown(example: Example, tmp_path: Path) -> None:
    printed = output_of(example.command, tmp_path)
    assert difference(example.output, printed) is None, printed


def test_there_are_command_lines_to_run() -> None:
    assert examples(README.read_text("utf-8"))


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page.read_text("utf-8"), page.parent) == []


def test_the_first_command_installs_everything_and_every_extra_that_is_named_is_there() -> None:
    texts = {path: path.read_text("utf-8") for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))}
    assert _FENCE.findall(texts[README])[0] == ("bash", 'pip install ".[train]" && vggexplorer\n')
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    installed = [name for text in (*texts.values(), INSTALL) for name in _EXTRA.findall(text)]
    assert set(installed) == set(extras)


def test_the_test_command_is_marked() -> None:
    """`.ci/run` takes it from there."""
    block = re.search(r"<!-- test-command -->\s*^```\w*\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    assert block
    assert "pytest" in block[1]


# --- the checks themselves ---------------------------------------------------------------------------

SAMPLE = """
```console
$ vggexplorer profile lenet \\
    --json
{
...
}
$ ls
nothing
```
```bash
vggexplorer profile vgg11 | head -1
```
![here](docs) ![nowhere](docs/nowhere.png) [there](https://example.org) <img src="gone.svg">
"""


def test_commands_and_their_output_are_found() -> None:
    assert examples(SAMPLE) == [
        Example("vggexplorer profile lenet      --json", ("{", "...", "}")),
        Example("vggexplorer profile vgg11 | head -1", ()),
    ]


def test_a_wrong_output_is_noticed() -> None:
    assert difference(("a", "...", "c"), "a\nb\n\nc  \n") is None
    assert difference((), "a\n") is None
    assert difference(("a", "c"), "a\nb\n") == "c"
    assert difference(("...", "c"), "a\nb\n") == "c"
    assert difference(("a",), "a\nb\n") == "(the end of the output)"


def test_a_link_that_leads_nowhere_is_noticed() -> None:
    assert broken_links(SAMPLE, ROOT) == ["docs/nowhere.png", "gone.svg"]


def oracle_rows(text: str) -> list[list[str]]:
    """The rows of the README's table of the book's networks."""
    lines = text.partition("<!-- oracle-table -->")[2].strip().split("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.mark.parametrize("row", oracle_rows(README.read_text("utf-8")), ids=lambda row: f"{row[0]}@{row[1]}")
def test_the_table_of_the_books_networks_is_true(row: list[str]) -> None:
    name, side, *shown = row
    architecture = parse_arch(name).architecture
    totals = summarize(architecture, (1, int(side), int(side))).totals
    counted = totals[:3] + totals[3:6]
    assert [int(cell.replace(",", "")) for cell in shown] == list(counted)


def test_the_table_of_the_books_networks_is_there() -> None:
    assert len(oracle_rows(README.read_text("utf-8"))) == 6


def test_the_table_of_doors_is_what_the_benchmark_printed() -> None:
    printed = (ROOT / "benchmarks" / "results" / "doors.md").read_text("utf-8").strip().partition("\n\n")[2]
    assert README.read_text("utf-8").partition("<!-- doors-table -->\n")[2].startswith(f"{printed}\n\n")
