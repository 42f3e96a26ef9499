"""axe-core looks at every page, in both colour schemes: nothing that keeps people out."""

from collections.abc import Callable
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from conftest import OpenTab, Server
from test_learn_browser import Learn

from vggexplorer.lessons.tasks import TASKS
from vggexplorer.runs.folder.layout import RECORDED

if TYPE_CHECKING:
    pass

AXE = (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
GRAVE = ("serious", "critical")
RECORDED_RUN = sorted(path.name for path in RECORDED.iterdir())[0]


def at_tab(name: str) -> Callable[[Learn], None]:
    return lambda page: page.page.get_by_role("tab", name=name, exact=True).click()


def opened(page: Learn) -> None:
    """A question with all that can be open: a verdict, a hint, the working, a word, the link."""
    task = TASKS[page.params()["task"]]
    page.guess(task).go(task, task.asks[1])
    page.check(task.asks[1])
    page.page.locator(".st-key-hint button").click()
    page.settle()
    page.page.get_by_text("Show the working").click()
    page.settle()
    page.page.get_by_role("button", name="Share").click()
    page.settle()
    page.page.locator(".st-key-terms button").first.click()
    page.settle()


def at_question(number: int) -> Callable[[Learn], None]:
    """A question of a task after a guess was locked."""

    def act(page: Learn) -> None:
        task = TASKS[page.params()["task"]]
        page.guess(task).go(task, task.asks[number - 1])

    return act


def nothing(page: Learn) -> None:
    """The page as it opens."""


def glossary(page: Learn) -> None:
    page.page.get_by_text("Glossary").click()


VIEWS: dict[str, tuple[str, dict[str, str], Callable[[Learn], None]]] = {
    "explore": ("/", {}, nothing),
    "explore, more columns": ("/", {}, lambda page: page.page.get_by_text("More columns").click()),
    "explore, charts": ("/", {}, at_tab("Charts")),
    "explore, receptive field": ("/", {}, at_tab("Receptive field")),
    "explore, check": ("/", {}, at_tab("Check")),
    "explore, take away": ("/", {}, at_tab("Take away")),
    "explore, a wrong link": ("/", {"arch": "alexnet", "input": "1x20x20", "colour": "red"}, nothing),
    "explore, Chinese": ("/", {"lang": "zh"}, nothing),
    "compare": ("/compare", {"arch": "1x8,1x16"}, lambda page: page.page.locator(".chips .more").first.click()),
    "compare, points": ("/compare", {"tab": "points"}, nothing),
    "compare, time": ("/compare", {"tab": "time"}, nothing),
    "train": ("/train", {}, lambda page: page.page.get_by_text("More settings").click()),
    "runs": ("/runs", {}, nothing),
    "a run": ("/runs", {"run": RECORDED_RUN}, nothing),
    "a run, mistakes": ("/runs", {"run": RECORDED_RUN, "tab": "mistakes"}, nothing),
    "a run, inside": ("/runs", {"run": RECORDED_RUN, "tab": "inside"}, nothing),
    "a run, settings": ("/runs", {"run": RECORDED_RUN, "tab": "settings"}, nothing),
    "learn": ("/learn", {}, glossary),
    "learn, make a lesson": ("/learn", {}, lambda page: page.page.get_by_text("Make a lesson").click()),
    "learn, covered": ("/learn", {"task": "flops"}, nothing),
    "learn, Chinese": ("/learn", {"lang": "zh"}, nothing),
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
}
"""What axe finds in Streamlit's own parts, as (rule, part of the element's markup), and why it may be."""


def grave(page: Learn, **options: Any) -> list[str]:
    """The serious and critical findings of axe on the page, but Streamlit's own known ones."""
    page.page.evaluate(AXE)
    found: dict[str, Any] = page.page.evaluate(
        "options => axe.run(document, options)", {"resultTypes": ["violations"], **options}
    )
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for violation in found["violations"]
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
        if not any(violation["id"] == rule and part in node["html"] for rule, part in STREAMLITS_OWN)
    ]


@pytest.mark.sample(8)
@pytest.mark.parametrize("view", VIEWS)
def test_nothing_serious_keeps_people_out(tab: OpenTab, dashboard: Server, view: str) -> None:
    path, params, act = VIEWS[view]
    page = Learn(tab(height=1000), dashboard)
    page.page.emulate_media(color_scheme="dark")
    page.open(path, **params)
    act(page)
    page.settle()
    page.page.wait_for_function(COMPLETE)
    page.page.wait_for_timeout(600)  # what fades in has its colours
    dark = page.page.evaluate(BACKGROUND)
    assert grave(page, runOnly=["color-contrast"]) == []
    page.page.emulate_media(color_scheme="light")
    page.page.wait_for_function(f"dark => {BACKGROUND} !== dark", arg=dark)
    page.page.wait_for_timeout(600)
    assert grave(page) == []


def test_axe_finds_what_is_wrong(tab: OpenTab, dashboard: Server) -> None:
    """Were a label forgotten, the test above would see it."""
    page = Learn(tab(), dashboard).open("/learn")
    page.page.evaluate("document.querySelector('[data-testid=stMain]').append(document.createElement('input'))")
    assert any(finding.startswith("label:") for finding in grave(page))


def test_the_tasks_that_are_looked_at_have_all_kinds_of_questions() -> None:
    looked_at = {params["task"] for _, params, _ in VIEWS.values() if "task" in params}
    kinds = {type(ask) for task in TASKS.values() for ask in task.asks}
    assert {type(ask) for key in looked_at for ask in TASKS[key].asks} == kinds
