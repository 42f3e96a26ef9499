"""axe-core looks at every page, in both languages and both colour schemes: nothing of any impact is found."""

import subprocess
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import pytest
from conftest import OpenTab, Server, StartServer
from real_runs import folder_of_runs
from test_learn_browser import Learn
from test_runs_page import config

from vggexplorer.catalogue import catalogue
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.runs import launch
from vggexplorer.runs.folder.layout import RECORDED

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
RECORDED_RUN = sorted(path.name for path in RECORDED.iterdir())[0]
Say = Callable[[str], str]
"""A text of the pages in the language of the page that is looked at."""
Act = Callable[[Learn, Say], None]


@pytest.fixture(scope="module")
def dashboard(server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """One that has a run with its weights, too."""
    runs = folder_of_runs(tmp_path_factory.mktemp("seen") / "runs")
    trained = runs.create(config(epochs=1), "trained here")
    subprocess.run(launch.command(trained), check=True, capture_output=True, timeout=120)
    return server(env={"VGGEXPLORER_RUNS": str(runs.path)})


def opened(page: Learn, say: Say) -> None:
    """A question with all that can be open: a verdict, a hint, the working, a word, the link."""
    task = TASKS[page.params()["task"]]
    page.guess(task).go(task, task.asks[1])
    page.check(task.asks[1])
    page.page.locator(".st-key-hint button").click()
    page.settle()
    page.page.get_by_text(say("Show the working")).click()
    page.settle()
    page.page.get_by_role("button", name=say("Share")).click()
    page.settle()
    page.page.locator(".st-key-terms button").first.click()
    page.settle()


def at_question(number: int) -> Act:
    """A question of a task after a guess was locked."""

    def act(page: Learn, say: Say) -> None:
        task = TASKS[page.params()["task"]]
        page.guess(task).go(task, task.asks[number - 1])

    return act


def nothing(page: Learn, say: Say) -> None:
    """The page as it opens."""


def text(words: str) -> Act:
    """Click on what says `words`."""
    return lambda page, say: page.page.get_by_text(say(words), exact=True).click()


def place(selector: str) -> Act:
    """Click on the first of what `selector` finds."""
    return lambda page, say: page.page.locator(f"{selector} >> visible=true").first.click()


def compared(page: Learn, say: Say) -> None:
    for box in page.page.locator("[data-run] input").all()[:2]:
        box.click()
        page.settle()
    page.page.locator(".columns summary").click()


def inside(page: Learn, say: Say) -> None:
    run = page.page.locator("tr[data-run]", has_text="trained here").get_attribute("data-run")
    lang = page.params().get("lang", "en")
    page.open("/runs", run=str(run), tab="inside", lang=lang)
    page.page.get_by_role("button", name=say("Look inside")).click()
    page.page.locator(".way button").first.wait_for()


def data(page: Learn, say: Say) -> None:
    text("The data, as the network gets it")(page, say)
    page.page.get_by_role("button", name=say("Read all pictures")).click()
    page.page.locator(".st-key-drawn canvas").nth(11).wait_for()
    page.page.locator(".st-key-nearest canvas").first.wait_for()


VIEWS: dict[str, tuple[str, dict[str, str], Act]] = {
    "explore": ("/", {}, nothing),
    "explore, more columns": ("/", {}, text("More columns")),
    "explore, a block's menu": ("/", {}, place(".number")),
    "explore, tour": ("/", {}, place(".tour .again")),
    "explore, share": ("/", {}, place(".st-key-share button")),
    "explore, units": ("/", {}, place("[data-testid=stPopoverButton]:below(.st-key-bar)")),
    "explore, charts": ("/", {"tab": "charts"}, nothing),
    "explore, receptive field": ("/", {"tab": "field"}, nothing),
    "explore, check": ("/", {"tab": "check"}, nothing),
    "explore, take away": ("/", {"tab": "away"}, nothing),
    "explore, a wrong link": ("/", {"arch": "alexnet", "input": "1x20x20", "colour": "red"}, nothing),
    "compare": ("/compare", {"arch": "1x8,1x16"}, place(".chips .more")),
    "compare, add": ("/compare", {}, place(".st-key-add-network button")),
    "compare, points": ("/compare", {"tab": "points"}, nothing),
    "compare, sizes": ("/compare", {"tab": "sizes"}, nothing),
    "compare, time": ("/compare", {"tab": "time"}, nothing),
    "compare, train": ("/compare", {"tab": "train"}, nothing),
    "compare, files": ("/compare", {"tab": "files"}, nothing),
    "train": ("/train", {}, text("More settings")),
    "train, data": ("/train", {}, data),
    "runs": ("/runs", {}, nothing),
    "runs, two": ("/runs", {}, compared),
    "a run": ("/runs", {"run": RECORDED_RUN}, nothing),
    "a run, mistakes": ("/runs", {"run": RECORDED_RUN, "tab": "mistakes"}, nothing),
    "a run, picture": ("/runs", {"run": RECORDED_RUN, "tab": "picture"}, nothing),
    "a run, inside": ("/runs", {}, inside),
    "a run, settings": ("/runs", {"run": RECORDED_RUN, "tab": "settings"}, nothing),
    "a run, files": ("/runs", {"run": RECORDED_RUN, "tab": "run-files"}, nothing),
    "learn": ("/learn", {}, text("Glossary")),
    "learn, write a lesson": ("/learn", {}, place(".st-key-write-a-lesson summary")),
    "learn, make a lesson": ("/learn", {}, text("Make a lesson")),
    "learn, covered": ("/learn", {"task": "flops"}, nothing),
    **{f"learn, {key}": ("/learn", {"task": key}, opened) for key in ("slower", "fields", "table1")},
    **{
        f"learn, {key}": ("/learn", {"task": key}, at_question(n))
        for key, n in (("head", 5), ("lenet", 3), ("input", 3))
    },
    "learn, hidden": ("/learn", {"task": "pools", "hide": "hints,working,network,head"}, nothing),
}
COMPLETE = """() => !document.querySelector('.chart:not([aria-label])') &&
    [...document.querySelectorAll('style')].some((style) => style.textContent.includes('stCaptionContainer'))"""
"""Whether charts and our own style sheet, which come last, are there."""
BACKGROUND = "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
STREAMLITS_OWN = {
    # Long lines of st.code scroll sideways; Tab does not stop there in browsers that do not make such parts focusable
    # by themselves. The button that copies the text is reached.
    ("scrollable-region-focusable", '<pre class="st-emotion-cache'),
    # The place for a file says that it is nothing, and has a name; the button in it is reached and says what it does.
    ("presentation-role-conflict", 'data-testid="stFileUploaderDropzone"'),
}
"""What axe finds in Streamlit's own parts, as (rule, part of the element's markup), and why it may be."""


def findings(page: Learn) -> list[str]:
    """What axe finds on the page, of any impact, but Streamlit's own known ones."""
    page.page.evaluate(AXE)
    options = {"resultTypes": ["violations"], "rules": {"target-size": {"enabled": True}}}
    found: dict[str, Any] = page.page.evaluate("options => axe.run(document, options)", options)
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in found["violations"]
        for node in violation["nodes"]
        if not any(violation["id"] == rule and part in node["html"] for rule, part in STREAMLITS_OWN)
    ]


@pytest.mark.sample(8)
@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_keeps_people_out(tab: OpenTab, dashboard: Server, view: str, lang: str) -> None:
    path, params, act = VIEWS[view]
    page = Learn(tab(height=1000), dashboard)
    page.page.emulate_media(color_scheme="dark")
    page.open(path, **params, lang=lang)
    act(page, lambda words: catalogue()[words] if lang == "zh" else words)
    page.settle()
    page.page.wait_for_function(COMPLETE)
    page.page.wait_for_timeout(600)  # what fades in has its colours
    page.page.wait_for_selector(f"html[lang={lang}]", state="attached")
    dark = page.page.evaluate(BACKGROUND)
    assert findings(page) == []
    page.page.emulate_media(color_scheme="light")
    page.page.wait_for_function(f"dark => {BACKGROUND} !== dark", arg=dark)
    page.page.wait_for_timeout(600)
    assert findings(page) == []


def test_axe_finds_what_is_wrong(tab: OpenTab, dashboard: Server) -> None:
    """Were a label forgotten, the test above would see it."""
    page = Learn(tab(), dashboard).open("/learn")
    page.page.evaluate("document.querySelector('[data-testid=stMain]').append(document.createElement('input'))")
    assert any(finding.startswith("label:") for finding in findings(page))


def test_the_tasks_that_are_looked_at_have_all_kinds_of_questions() -> None:
    looked_at = {params["task"] for _, params, _ in VIEWS.values() if "task" in params}
    kinds = {type(ask) for task in TASKS.values() for ask in task.asks}
    assert {type(ask) for key in looked_at for ask in TASKS[key].asks} == kinds
