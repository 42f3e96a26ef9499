"""Learn: the page in Streamlit's AppTest. Every task is solved and failed, in both languages."""

import re
from pathlib import Path
from typing import Any

import live
import pytest
from conftest import ROOT
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest
from test_i18n import english_in, has_chinese, seen
from test_lessons import DEEP_RUN, GAP_RUN, SLIM_RUN, SMALL_RUN, WIDE_RUN
from test_runs_page import make

from vggexplorer.lessons.asks import Ask, Choice, Edit, Number, Order
from vggexplorer.lessons.glossary import GLOSSARY
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.paths import LEARN
from vggexplorer.runs.folder import layout
from vggexplorer.text import parse_network
from vggexplorer.ui import i18n, widgets
from vggexplorer.ui.learn import tasks
from vggexplorer.ui.link import HIDEABLE, read, write
from vggexplorer.ui.run import rows

MAIN = ROOT / "vggexplorer" / "ui" / "main.py"
PAGE = str(ROOT / "pages" / "learn.py")
MARKS = re.compile(r":material/\w+:|:[a-z]+-badge\[")
"""Icons and colours within a text."""
LOCALES = {"en": "en-US", "zh": "zh-CN"}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr(layout, "RECORDED", tmp_path / "recorded")
    monkeypatch.setattr(widgets, "DOUBLE_CLICK", 0.0)
    rows.forget()
    return tmp_path


@pytest.fixture(params=list(LOCALES))
def speaks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The language; AppTest formats options outside of the session, where the page's language is not known."""
    inside = i18n.language
    spoken: str = request.param
    monkeypatch.setattr(i18n, "language", lambda: inside() if get_script_run_ctx(suppress_warning=True) else spoken)
    return spoken


def runs(folder: Path) -> None:
    """Finished runs that answer every question about runs."""
    for day, run in enumerate((SLIM_RUN, GAP_RUN, WIDE_RUN, DEEP_RUN, SMALL_RUN), 1):
        make(folder, f"#{day}", asked=run.config, best=run.test_acc + 0.1, day=day)
    rows.forget()


class Page:
    """The page in a session of its own."""

    def __init__(self, locale: str = "en-US", **params: str) -> None:
        self.test = AppTest.from_file(MAIN, default_timeout=60)
        self.test.context = {"locale": locale}
        self.test.run()
        self.test = self.test.switch_page(PAGE)
        for key, text in params.items():
            self.test.query_params[key] = text
        del self.test.session_state["state"]
        self.run()

    def run(self) -> "Page":
        self.test.run()
        assert not self.test.exception
        return self

    def click(self, key: str) -> "Page":
        self.test.button(key=key).click()
        return self.run()

    def has(self, key: str) -> bool:
        return any(button.key == key for button in self.test.button)

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.test.query_params)

    @property
    def text(self) -> str:
        return " ".join(seen(self.test._tree))

    def answer(self, task: str, ask: Ask, right: bool) -> None:
        """Put an answer on the page: the right one, or a wrong one."""
        place = next(i for i, each in enumerate(TASKS[task].asks) if each.key == ask.key)
        label = f"{place + 1}. "
        match ask:
            case Number():
                box: Any = next(box for box in self.test.text_input if box.label.startswith(label))
                box.set_value(repr(ask.answer() if right else 7 * ask.answer()))
            case Choice():
                box = next(box for box in self.test.radio if box.label.startswith(label))
                box.set_value(ask.answer() if right else (ask.answer() + 1) % len(ask.options))
            case Order():
                box = next(box for box in self.test.multiselect if box.label.startswith(label))
                answer = ask.answer()
                box.set_value(list(answer if right else answer[::-1]))
            case Edit():
                params = ask.solution if right else TASKS[task].start
                state = self.test.session_state["state"]
                changed = read({"task": task} | params)[0]
                self.test.session_state["state"] = type(state)(network=changed.network, task=task, lang=state.lang)
        self.run()
        self.click(f"check {task}.{ask.key}")

    def verdict(self, ask: Ask) -> str:
        """What the page says about an answer: its word, without the rest."""
        box = self.test.get_by_key(f"ask {ask.key}")
        for kind, word in (("success", "right"), ("warning", "close"), ("error", "wrong")):
            if box.get(kind):
                return word
        return ""


@pytest.mark.sample(3)
@pytest.mark.parametrize("key", TASKS)
def test_every_task_can_be_failed_and_solved(folder: Path, speaks: str, key: str) -> None:
    page = Page(LOCALES[speaks], task=key)
    task = TASKS[key]
    for ask in task.asks:
        page.answer(key, ask, right=False)
        assert page.verdict(ask) in ("wrong", "close"), ask.key
    assert page.test.session_state["done"] == []
    runs(folder)
    for ask in task.asks:
        page.answer(key, ask, right=True)
        assert page.verdict(ask) == "right", ask.key
    assert page.test.session_state["done"] == [f"{key}.{ask.key}" for ask in task.asks]
    while page.has("hint"):
        page.click("hint")
    page.test.session_state[f"working {key}"] = True
    page.test.session_state["share"] = True
    page.run()
    link = page.test.code[0].value
    texts = [MARKS.sub("", text) for text in seen(page.test._tree) if text and text != link]
    if speaks == "zh":
        assert [(text, words) for text in texts if (words := english_in(text))] == []
    else:
        assert not has_chinese(texts)
    page.click("all tasks")
    assert page.test.get_by_key(f"line {key}").caption[0].value == {"en": "✓ done", "zh": "✓ 已完成"}[speaks]


@pytest.mark.sample(6)
@pytest.mark.parametrize("key", TASKS)
def test_a_task_begins_with_its_network_and_shows_its_bench(folder: Path, key: str) -> None:
    page = Page(task=key)
    assert page.params == {"task": key}
    assert page.test.session_state["state"].network == parse_network(TASKS[key].start)
    assert set(TASKS[key].bench) <= tasks.BENCH.keys()
    assert page.test.header or "Workbench" in page.text


def test_every_part_of_the_bench_is_used() -> None:
    assert {name for task in TASKS.values() for name in task.bench} == tasks.BENCH.keys()


def test_the_list_names_all_tasks_and_the_glossary(folder: Path) -> None:
    page = Page()
    labels = [button.label for button in page.test.button]
    assert [f"{number}. {task.title.template}" for number, task in enumerate(TASKS.values(), 1)] == [
        label.replace("\\", "") for label in labels if label[0].isdigit()
    ]
    assert "0 of 13 tasks are done." in page.text
    for term in GLOSSARY.values():
        assert term.meaning.template in page.text.replace("\\", "")


@pytest.mark.parametrize("speaks", ["zh"], indirect=True)
def test_the_glossary_has_the_english_word_beside_the_chinese(folder: Path, speaks: str) -> None:
    text = Page("zh-CN").text
    assert "感受野" in text
    assert "receptive field" in text


def test_an_edit_on_the_bench_is_in_the_link_and_undone(folder: Path) -> None:
    page = Page(task="table1")
    live.perform(page.test, {"do": "set", "row": 0, "field": "num_convs", "value": 2})
    assert page.params == {"task": "table1", "arch": "2x64,1x128,2x256,2x512,2x512"}
    again = Page(**page.params)
    assert again.test.session_state["state"].network == page.test.session_state["state"].network
    page.click("undo")
    assert page.params == {"task": "table1"}
    page.click("begin again")
    assert page.params == {"task": "table1"}


def test_one_goes_from_task_to_task_and_back_to_the_list(folder: Path) -> None:
    page = Page()
    page.click("task listing").click("next task")
    assert page.params == {"task": "slower"}
    page.click("previous task")
    assert page.params == {"task": "listing"}
    assert page.test.button(key="previous task").disabled
    page.click("all tasks")
    assert page.params == {}


def test_a_verdict_goes_when_the_answer_changes(folder: Path) -> None:
    page = Page(task="listing")
    ask = TASKS["listing"].asks[0]
    page.answer("listing", ask, right=True)
    assert page.verdict(ask) == "right"
    page.test.button(key="check listing.where").click()
    page.run()
    assert page.verdict(ask) == "right"
    assert page.verdict(TASKS["listing"].asks[1]) == "wrong"  # nothing is given yet
    page.answer("listing", ask, right=False)
    assert page.verdict(ask) == "wrong"
    assert page.test.session_state["done"] == ["listing.convolutions"]


def test_a_number_is_checked_as_soon_as_it_is_entered(folder: Path) -> None:
    page = Page(task="pools")
    page.test.text_input[0].set_value("７")
    page.run()
    assert page.verdict(TASKS["pools"].asks[0]) == "right"


def test_nothing_given_is_not_an_error(folder: Path) -> None:
    page = Page(task="slower")
    for ask in TASKS["slower"].asks:
        page.click(f"check slower.{ask.key}")
    assert page.test.session_state["done"] == []


def test_an_input_that_is_too_small_is_said_on_the_bench_and_by_the_check(folder: Path) -> None:
    page = Page(task="pixels", arch="vgg11", input="1x16x16")
    assert "32×32" in page.test.warning[0].value
    page.click("check pixels.edit")
    assert "32×32" in page.test.get_by_key("ask edit").error[0].value
    assert page.test.session_state["done"] == []


@pytest.mark.parametrize(("task", "shape"), [("pixels", "1×56×56"), ("head", "1×32×32")])
def test_small_pictures_are_trained_at_the_input_on_the_bench(folder: Path, task: str, shape: str) -> None:
    """The quick demo has a smaller one, with which the task cannot be solved."""
    page = Page(task=task)
    assert shape in [metric.value for metric in page.test.get_by_key("as trained").metric]


def test_hints_come_one_by_one(folder: Path) -> None:
    page = Page(task="pools")
    hints = TASKS["pools"].hints
    for count in range(len(hints) + 1):
        shown = [hint.template in page.text.replace("\\", "") for hint in hints]
        assert shown == [True] * count + [False] * (len(hints) - count)
        if count < len(hints):
            page.click("hint")
    assert not page.has("hint")


# --- links of lessons ---------------------------------------------------------------------------------------

EDITOR = {"network": "preset", "tools": "undo", "text": "paste", "input": "input 1", "head": "pooling"}
"""A widget of each control of the editor that a link can hide."""
TABLE = ("tools", "convolutions", "channels", "columns")
"""What it can hide in the table of blocks."""


def keys(page: Page) -> set[str]:
    found: set[str] = set()

    def visit(node: Any) -> None:
        if key := getattr(node, "key", None):
            found.add(key)
        for child in getattr(node, "children", {}).values():
            visit(child)

    visit(page.test._tree)
    return found


@pytest.mark.parametrize("name", dict.fromkeys([*EDITOR, *TABLE]))
def test_a_link_hides_a_control_and_only_that(folder: Path, name: str) -> None:
    page = Page(task="table1", hide=name)
    shown = keys(page)
    assert [other for other, key in EDITOR.items() if key not in shown] == [name] * (name in EDITOR)
    assert live.figures(page.test)["blocks"]["hidden"] == [name] * (name in TABLE)
    assert page.params == {"task": "table1", "hide": name}
    page.click("show all")
    assert set(EDITOR.values()) <= keys(page)
    assert live.figures(page.test)["blocks"]["hidden"] == []
    assert page.params == {"task": "table1"}


def test_a_link_hides_hints_and_the_working(folder: Path) -> None:
    assert {"hint", "working pools"} <= keys(Page(task="pools"))
    page = Page(task="pools", hide="working,hints")
    assert not {"hint", "working pools"} & keys(page)
    assert page.params == {"task": "pools", "hide": "hints,working"}
    assert "Not shown in this lesson: hints, the working." in page.text.replace("\\", "")


def test_a_teacher_gets_the_link_of_what_is_hidden(folder: Path) -> None:
    page = Page(task="deep")
    page.test.session_state["share"] = True
    page.run()
    page.test.multiselect(key="hide").set_value(["hints", "network"])
    page.run()
    link = page.test.code[0].value
    assert link.endswith("?task=deep&hide=network,hints")
    state, errors = read({"task": "deep", "hide": "network,hints"})
    assert not errors
    assert write(state, LEARN) == {"task": "deep", "hide": "network,hints"}


def test_explore_hides_the_same_controls_and_makes_the_same_links(folder: Path) -> None:
    page = Page()
    page.test = AppTest.from_file(MAIN, default_timeout=60)
    page.test.context = {"locale": "en-US"}
    page.test.query_params["arch"] = "vgg13"
    page.test.query_params["hide"] = "network,text"
    page.run()
    assert [name for name, key in EDITOR.items() if key not in keys(page)] == ["network", "text"]
    assert page.params == {"arch": "vgg13", "hide": "network,text"}
    page.test.session_state["share"] = True
    page.run()
    page.test.multiselect(key="hide").set_value(["head"])
    page.run()
    assert page.test.code[0].value.endswith("/?arch=vgg13&hide=head")
    page.click("show all")
    assert page.params == {"arch": "vgg13"}


def test_all_that_can_be_hidden_is_tested() -> None:
    assert EDITOR.keys() | set(TABLE) | {"hints", "working"} == HIDEABLE.keys()


@pytest.mark.parametrize(
    ("params", "word"), [({"task": "none"}, "none"), ({"hide": "all"}, "all"), ({"hide": "hints,"}, "hints")]
)
def test_a_wrong_link_gets_a_sentence(folder: Path, params: dict[str, str], word: str) -> None:
    page = Page(**params)
    assert len(page.test.error) == 1
    assert word in page.test.error[0].value
    assert page.params == {}


# --- what is kept -------------------------------------------------------------------------------------------


def test_only_known_items_are_taken_from_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr(tasks.st, "session_state", state)
    for junk in (None, 7, "listing.where", {"listing.where": 1}, [1, None, [], "x", "<b>"]):
        tasks._add(junk)
        assert state["done"] == []
    tasks._add(["listing.where", "<b>", "listing.where"])
    assert state["done"] == ["listing.where"]


def test_progress_can_be_forgotten(folder: Path) -> None:
    page = Page(task="listing")
    page.answer("listing", TASKS["listing"].asks[0], right=True)
    page.click("all tasks")
    assert "1 of 3" in page.text
    page.click("forget")
    assert "1 of 3" not in page.text
    assert not page.has("forget")
