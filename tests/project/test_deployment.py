"""What the documents say of serving the dashboard is what the code has."""

import json
import re
import subprocess
import sys
import tomllib

import try_image
from conftest import ROOT, free_port

from vggexplorer.reading.reader import MAX_CHARACTERS
from vggexplorer.server import dashboard, visitors
from vggexplorer.text import MAX_BLOCKS, MAX_LAYERS

DEPLOY = ROOT / "deploy"
COLOURS = {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}
"""Those that a Space may have."""
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text("utf-8")


def test_the_bounds_on_a_visitor_are_those_of_the_code() -> None:
    table = re.search(r"\n\n(\| what \| one visitor .*?)\n\n", DEPLOYMENT, re.DOTALL)
    assert table
    rows = table[1].splitlines()[2:]
    figures = [[int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*\b", row)] for row in rows]
    file, message = (int(option.partition("=")[2]) for option in dashboard.SMALL[:2])
    files, each = visitors.FILES
    assert figures[:-1] == [
        [visitors.PAGES, visitors.PAGES_OF_ALL],
        [*map(int, visitors.REQUESTS)],
        [*map(int, visitors.MESSAGES)],
        [file, files, round(60 * each)],
        [message],
        [MAX_CHARACTERS],
    ]
    assert figures[-1][:2] == [MAX_BLOCKS, MAX_LAYERS]


# --- deploy/ -----------------------------------------------------------------------------------------------


def step(word: str) -> str:
    """What the one instruction of the Dockerfile that begins with `word` is given."""
    (given,) = (rest for name, rest in try_image.steps(text("Dockerfile")) if name == word)
    return given


def text(name: str) -> str:
    return (DEPLOY / name).read_text("utf-8")


def front_matter(name: str) -> dict[str, str]:
    """What stands between the two lines of dashes at the top of a Space's README."""
    found = re.match(r"---\n((?:[A-Za-z_]+: \S.*\n)+)---\n\n\S", text(name))
    assert found, name
    return dict(line.split(": ", 1) for line in found[1].splitlines())


def test_the_image_takes_the_steps_that_are_tried_without_docker() -> None:
    words = [word for word, _ in try_image.steps(text("Dockerfile"))]
    assert words[0] == "FROM"
    assert step("COPY") == ". /src"
    assert step("RUN") == 'sh /src/deploy/install.sh /src "$EXTRA" && rm -rf /src'
    assert words.index("RUN") < words.index("USER") < words.index("ENTRYPOINT")
    assert step("FROM").startswith("python:3.")
    assert step("CMD") == '["--demo"]'


def test_its_user_is_the_one_that_the_installation_makes() -> None:
    assert re.findall(r"useradd .*?(\S+)$", text("install.sh"), re.MULTILINE) == [step("USER")]
    assert "--uid 1000" in text("install.sh"), "the user that a Space runs an image as"
    assert step("WORKDIR") == f"/home/{step('USER')}"


def test_the_port_is_the_same_everywhere() -> None:
    entry = json.loads(step("ENTRYPOINT"))
    port = entry[entry.index("--port") + 1]
    assert step("EXPOSE") == port
    assert front_matter("space-docker.md")["app_port"] == port
    assert re.findall(r"127.0.0.1:(\d+)", text("healthy.py")) == [port]
    published = re.findall(r"--publish 127.0.0.1:(\d+):(\d+)", DEPLOYMENT + text("Dockerfile"))
    assert set(published) == {(port, port)}


def test_the_proxies_pass_on_to_the_dashboards_own_port() -> None:
    for name in ("nginx.conf", "Caddyfile"):
        assert set(re.findall(r"127\.0\.0\.1:(\d+)", text(name))) == {str(dashboard.FIRST_PORT)}, name


def test_all_that_the_installation_needs_is_sent_to_the_image() -> None:
    sent = {line[1:] for line in text("Dockerfile.dockerignore").splitlines() if line.startswith("!")}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    targets = project["tool"]["hatch"]["build"]["targets"]
    wheel = {path.split("/")[0] for path in (*targets["wheel"]["packages"], *targets["wheel"]["force-include"])}
    assert sent >= wheel | {project["project"]["readme"], *project["project"]["license-files"], "pyproject.toml"}
    assert sent >= {"deploy", "constraints.txt"}
    assert "deploy" in targets["sdist"]["include"]


def test_a_space_has_the_front_matter_that_it_asks_for() -> None:
    static, docker = front_matter("space-static.md"), front_matter("space-docker.md")
    assert (static["sdk"], static["app_file"], docker["sdk"]) == ("static", "index.html", "docker")
    for found in (static, docker):
        assert found.keys() >= {"title", "emoji", "colorFrom", "colorTo", "license"}
        assert {found["colorFrom"], found["colorTo"]} <= COLOURS
        assert len(found["short_description"]) <= 60


def test_the_light_image_was_below_800_megabytes() -> None:
    """As it was tried, and as both READMEs say it."""
    whole = re.search(r"on the disk +(\d+) MB", DEPLOYMENT)
    assert whole
    assert int(whole[1]) < 800
    for name in ("README.md", "README.zh-CN.md"):
        assert f"{whole[1]} MB" in (ROOT / name).read_text("utf-8")


def test_the_health_check_fails_where_nobody_answers() -> None:
    code = text("healthy.py").replace("7860", str(free_port()))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
