"""Both READMEs are true: their command lines run, print what they say, and their links lead somewhere."""

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

READMES = {name: (ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")}
in_both = pytest.mark.parametrize("text", READMES.values(), ids=READMES)
_FENCE = re.compile(r"^```(console|bash|sh|shell)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXTRA = re.compile(r"(?:\.|vggexplorer|clone|\.whl)\[(\w+)\]")
_LINK = re.compile(r"\]\(([^)\s]+)[^)]*\)|(?:src|href|srcset)=\"([^\"]+)\"|^\[[^\]]+\]:\s*(\S+)", re.MULTILINE)


class Example(NamedTuple):
    """A command line of a README with the lines it shows below it."""

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


def prose(text: str) -> str:
    """A Markdown text without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """What a `#` can name in a Markdown text: its headings as GitHub makes anchors of them, and ids."""
    headings = re.findall(r"^#+ (.+)$", prose(text), re.MULTILINE)
    made = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r"<a id=\"([^\"]+)\">", text))


def broken_links(text: str, folder: Path) -> list[str]:
    """The relative links and pictures of a Markdown text that lead nowhere, or to no chapter of their page."""

    def broken(target: str) -> bool:
        path, _, anchor = target.partition("#")
        if path and not (folder / path).exists():
            return True
        return bool(anchor) and anchor not in anchors((folder / path).read_text("utf-8") if path else text)

    targets = {next(filter(None, found)) for found in _LINK.findall(prose(text))}
    return sorted(target for target in targets if not re.match(r"[a-z]+:|//", target) and broken(target))


EXAMPLES = dict.fromkeys(example for text in READMES.values() for example in examples(text))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.command)
def test_a_command_line_runs_and_prints_what_is_shown(example: Example, tmp_path: Path) -> None:
    printed = output_of(example.command, tmp_path)
    assert difference(example.output, printed) is None, printed


@in_both
def test_there_are_command_lines_to_run(text: str) -> None:
    assert examples(text)


@pytest.mark.parametrize("page", [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    assert broken_links(page.read_text("utf-8"), page.parent) == []


def test_the_first_command_installs_everything_and_every_extra_that_is_named_is_there() -> None:
    texts = {path: path.read_text("utf-8") for path in (*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"))}
    for name in READMES:
        assert _FENCE.findall(texts[ROOT / name])[0] == ("bash", 'pip install ".[train]" && vggexplorer\n')
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    installed = [name for text in (*texts.values(), INSTALL) for name in _EXTRA.findall(text)]
    assert set(installed) == set(extras)


@in_both
def test_the_test_command_is_marked(text: str) -> None:
    """`.ci/run` takes it from README.md."""
    block = re.search(r"<!-- test-command -->\s*^```\w*\n(.*?)^```$", text, re.M | re.S)
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
[this](#here-and-there) [that](#nowhere) [of another](README.md#start) [of none](README.md#end)
## Here, and there
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
    assert broken_links(SAMPLE, ROOT) == ["#nowhere", "README.md#end", "docs/nowhere.png", "gone.svg"]


def table(text: str, mark: str) -> list[tuple[str, ...]]:
    """The rows of the first table behind a mark, its head first."""
    head, _, *rows = text.partition(mark)[2].strip().split("\n\n")[0].splitlines()
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in (head, *rows)]


ORACLE = dict.fromkeys(row for text in READMES.values() for row in table(text, "<!-- oracle-table -->")[1:])


@pytest.mark.parametrize("row", ORACLE, ids=lambda row: f"{row[0]}@{row[1]}")
def test_the_table_of_the_books_networks_is_true(row: tuple[str, ...]) -> None:
    name, side, *shown = row
    architecture = parse_arch(name).architecture
    totals = summarize(architecture, (1, int(side), int(side))).totals
    counted = totals[:3] + totals[3:6]
    assert [int(cell.replace(",", "")) for cell in shown] == list(counted)


@in_both
def test_the_table_of_the_books_networks_is_there(text: str) -> None:
    assert len(table(text, "<!-- oracle-table -->")) == 7


@pytest.mark.parametrize("name", READMES)
def test_the_table_of_doors_is_what_the_benchmark_printed(name: str) -> None:
    printed = table((ROOT / "benchmarks" / "results" / "doors.md").read_text("utf-8"), "\n\n")
    shown = table(READMES[name], "<!-- doors-table -->")
    assert [row[1:] for row in shown[1:]] == [row[1:] for row in printed[1:]]
    assert name != "README.md" or shown == printed
