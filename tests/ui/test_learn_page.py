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
from vggexplorer.ui.learn import bench, progress
from vggexplorer.ui.link import HIDEABLE, read, write
from vggexplorer.ui.run import rows

MAIN = ROOT / "vggexplorer" / "ui" / "main.py"
PAGE = str(ROOT / "pages" / "learn.py")
MARKS = re.compile(r":material/\w+:|:[a-z]+-badge\[|\bms\b|AMD EPYC|RTX|PRO|Max\W+Q|Core|ResNet|timm.*csv")
"""Icons and colours within a text, a unit, names of devices, of a network and of a source."""
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
        """Go to a question and put an answer on the page: the right one, or a wrong one."""
        place = next(i for i, each in enumerate(TASKS[task].asks) if each.key == ask.key)
        self.click(f"step {place + 1}")
        match ask:
            case Number():
                self.test.text_input[0].set_value(repr(ask.answer() if right else 7 * ask.answer()))
            case Choice():
                self.test.radio[0].set_value(ask.answer() if right else (ask.answer() + 1) % len(ask.options))
            case Order():
                answer = list(ask.answer())
                name = f"answer {task}.{ask.key}{self.suffix}"
                generation = self.test.session_state["generations"].get(name)
                key = f"{name} #{generation} moves" if generation else f"{name} moves"
                live.trigger(self.test, key, "order", answer if right else answer[::-1])
            case Edit():
                params = ask.solution if right else TASKS[task].start
                state = self.test.session_state["state"]
                changed = read({"task": task} | params)[0]
                self.test.session_state["state"] = type(state)(network=changed.network, task=task, lang=state.lang)
                self.run()
        self.click(f"check {task}.{ask.key}")

    @property
    def suffix(self) -> str:
        """What the keys of translated widgets end with."""
        return " zh" if self.test.context["locale"] == "zh-CN" else ""

    def opens(self, task: str) -> "Page":
        """Open a task by its card."""
        live.trigger(self.test, "cards", "open", task)
        return self

    def guess(self, task: str) -> "Page":
        """Lock a guess, so that the workbench opens."""
        self.test.text_input[0].set_value("1000000007")
        return self.click(f"check {task}.{TASKS[task].asks[0].key}")

    def verdict(self, ask: Ask) -> str:
        """What the page says about an answer: its word, without the rest."""
        box = self.test.get_by_key(f"ask {ask.key}")
        for kind, word in (("success", "right"), ("warning", "close"), ("error", "wrong"), ("info", "wrong")):
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
    first = f"{key}.{task.asks[0].key}"
    assert list(page.test.session_state["done"]) == [first]  # the guess
    page.click("begin again")
    assert page.test.session_state["done"] == {}
    runs(folder)
    for ask in task.asks:
        page.answer(key, ask, right=True)
        assert page.verdict(ask) == "right", ask.key
    assert list(page.test.session_state["done"]) == [f"{key}.{ask.key}" for ask in task.asks]
    while page.has("hint"):
        page.click("hint")
    page.test.session_state["share"] = True
    page.run()
    link = page.test.code[0].value
    texts = [MARKS.sub("", text) for text in seen(page.test._tree) if text and text != link]
    if speaks == "zh":
        assert [(text, words) for text in texts if (words := english_in(text))] == []
    else:
        assert not has_chinese(texts)
    page.click("all tasks")
    assert card(page, key)["state"] == {"en": "✓ done", "zh": "✓ 已完成"}[speaks]


def card(page: Page, key: str) -> dict[str, Any]:
    """What a card of the index says."""
    groups = live.data(page.test, "cards")["groups"]
    return next(card for group in groups for card in group["cards"] if card["key"] == key)


@pytest.mark.sample(6)
@pytest.mark.parametrize("key", TASKS)
def test_a_task_begins_with_its_network_under_a_cover(folder: Path, key: str) -> None:
    page = Page(task=key)
    assert page.params == {"task": key}
    assert page.test.session_state["state"].network == parse_network(TASKS[key].start)
    assert "The workbench is covered" in page.text
    assert not page.has("hint")
    assert not page.has("show working")
    assert not page.has("next question")
    assert live.told(page.test) == {}
    assert [button.disabled for button in page.test.button if str(button.key).startswith("step ")][1:] == [True] * (
        len(TASKS[key].asks) - 1
    )
    page.guess(key)
    assert "The workbench is covered" not in page.text
    assert page.has("next question")


def test_every_part_of_the_bench_is_used() -> None:
    used = {name for task in TASKS.values() for ask in task.asks for name in task.bench_of(ask)}
    assert used == bench.BENCH.keys() | {bench.EDITOR}


def test_the_index_has_all_tasks_by_theme_and_the_glossary(folder: Path) -> None:
    page = Page()
    groups = live.data(page.test, "cards")["groups"]
    assert [group["theme"] for group in groups] == ["Cost", "Structure", "Training"]
    titles = [card["title"] for group in groups for card in group["cards"]]
    assert titles == [f"{number}. {task.title.template}" for number, task in enumerate(TASKS.values(), 1)]
    assert f"0 of {len(TASKS)} tasks are done." in page.text
    for term in GLOSSARY.values():
        assert term.meaning.template in page.text.replace("\\", "")


def test_one_goes_on_where_one_was(folder: Path) -> None:
    page = Page()
    assert page.test.button(key="go on").label == "Begin: Why VGG is slower and larger than AlexNet"
    page.opens("pools").guess("pools").click("all tasks")
    assert page.test.button(key="go on").label == "Continue: A pool after each convolution"
    page.click("go on")
    assert page.params == {"task": "pools"}


@pytest.mark.parametrize("speaks", ["zh"], indirect=True)
def test_the_glossary_has_the_english_word_beside_the_chinese(folder: Path, speaks: str) -> None:
    text = Page("zh-CN").text
    assert "感受野" in text
    assert "receptive field" in text


def test_an_edit_on_the_bench_is_in_the_link_and_undone(folder: Path) -> None:
    page = Page(task="table1").guess("table1").click("step 2")
    live.perform(page.test, {"do": "set", "row": 0, "field": "num_convs", "value": 2})
    assert page.params == {"task": "table1", "arch": "2x64,1x128,2x256,2x512,2x512"}
    again = Page(**page.params)
    assert again.test.session_state["state"].network == page.test.session_state["state"].network
    page.click("undo")
    assert page.params == {"task": "table1"}
    page.click("begin again")
    assert page.params == {"task": "table1"}


def test_only_what_a_question_needs_is_on_its_bench(folder: Path) -> None:
    page = Page(task="head").guess("head")
    assert "totals" in live.figures(page.test)
    page.click("step 3")
    assert {"totals", "layers"} <= live.figures(page.test).keys()
    assert "drawing" not in live.figures(page.test)
    page.click("step 5")
    assert "layers" not in live.figures(page.test)
    assert "start line" in keys(page)


def test_after_the_last_question_the_next_task_is_offered(folder: Path) -> None:
    page = Page(task="gigabyte")
    for ask in TASKS["gigabyte"].asks:
        page.answer("gigabyte", ask, right=True)
    assert page.test.button(key="next task").label == "Next: FLOPs are not time: a public table"
    page.click("next task")
    assert page.params["task"] == "speeds"
    page.click("all tasks")
    assert "task" not in page.params


def test_a_question_stays_until_one_goes_on(folder: Path) -> None:
    page = Page(task="flops").guess("flops")
    assert "The answer" in page.text
    page.click("next question")
    page.answer("flops", TASKS["flops"].asks[1], right=True)
    assert page.verdict(TASKS["flops"].asks[1]) == "right"
    page.click("next question")
    page.click("next question")  # a question may be skipped
    assert "ask why" in keys(page)


def test_a_verdict_goes_when_the_answer_changes(folder: Path) -> None:
    page = Page(task="listing").guess("listing")
    ask = TASKS["listing"].asks[1]
    page.answer("listing", ask, right=True)
    assert page.verdict(ask) == "right"
    page.click("step 3").click("check listing.where")
    assert page.verdict(TASKS["listing"].asks[2]) == "wrong"  # nothing is given yet
    page.click("step 2")
    assert page.verdict(ask) == "right"
    page.answer("listing", ask, right=False)
    assert page.verdict(ask) == "wrong"
    assert list(page.test.session_state["done"]) == ["listing.deeper", "listing.convolutions"]


def test_a_guess_is_locked_once_and_stands_beside_the_truth(folder: Path) -> None:
    page = Page(task="slower")
    page.test.text_input[0].set_value("many")
    page.click("check slower.macs")
    assert "The workbench is covered" in page.text
    assert "Write a number" in page.text
    page.test.text_input[0].set_value("１２")
    page.click("check slower.macs")
    assert page.test.session_state["done"] == {"slower.macs": "１２"}
    text = page.text.replace("\\", "")
    assert "### 12×" in text
    assert "### 8.045×" in text
    assert "Your guess is 1.49× the answer." in text
    assert not page.has("check slower.macs")
    again = Page(task="slower")
    again.test.session_state["done"] = {"slower.macs": ""}  # an earlier visit, of which no guess is known
    again.run()
    assert "### 8.045×" in again.click("step 1").text.replace("\\", "")


def test_the_working_says_what_the_answer_is_and_why(folder: Path) -> None:
    page = Page(task="gigabyte").guess("gigabyte").click("step 2")
    page.click("show working")
    assert "42,991,616 weights." in page.text.replace("\\", "")
    assert "gigabyte.weights" not in page.test.session_state["done"]
    page = Page(task="slower").guess("slower").click("step 2").click("show working")
    assert "the second convolution of block 3" in page.text
    page = Page(task="table1").guess("table1").click("step 2").click("show working")
    assert "Block 1: convolutions 1, in the paper 2." in page.text


def test_the_working_of_what_was_done_in_an_earlier_visit_can_be_seen(folder: Path) -> None:
    page = Page(task="gigabyte")
    page.test.session_state["done"] = {"gigabyte.size": "1", "gigabyte.weights": ""}
    page.run()
    page.click("step 2").click("show working")
    assert "42,991,616 weights." in page.text.replace("\\", "")
    assert "show working" not in keys(page.click("step 1"))
    page.click("step 2").test.text_input(key="answer gigabyte.weights").set_value("43 million")
    assert "show working" not in keys(page.click("check gigabyte.weights"))


def test_a_number_may_be_written_in_full_width(folder: Path) -> None:
    page = Page(task="pools").guess("pools").click("step 2")
    page.test.text_input(key="answer pools.large").set_value("７")
    page.click("check pools.large")
    assert page.verdict(TASKS["pools"].asks[1]) == "right"


def test_the_tolerance_stands_beside_the_field(folder: Path) -> None:
    page = Page(task="gigabyte").guess("gigabyte").click("step 2")
    assert "± 2 % counts as right" in page.text.replace("\\", "")
    page = Page(task="pools").guess("pools").click("step 2")
    assert "must be exact" in page.text


def test_nothing_given_is_not_an_error(folder: Path) -> None:
    page = Page(task="slower").click("check slower.macs")
    assert not page.test.session_state["done"]
    assert "There is no answer yet." in page.text
    page.guess("slower")
    for place, ask in list(enumerate(TASKS["slower"].asks, 1))[1:]:
        page.click(f"step {place}").click(f"check slower.{ask.key}")
    assert list(page.test.session_state["done"]) == ["slower.macs"]


def test_an_input_that_is_too_small_is_said_on_the_bench_and_by_the_check(folder: Path) -> None:
    page = Page(task="pixels", arch="vgg11", input="1x16x16").guess("pixels").click("step 5")
    assert "32×32" in page.test.warning[0].value
    page.click("check pixels.edit")
    assert "32×32" in page.test.get_by_key("ask edit").error[0].value
    assert list(page.test.session_state["done"]) == ["pixels.left"]


@pytest.mark.parametrize(("task", "step", "shape"), [("pixels", 6, "1×56×56"), ("head", 5, "1×32×32")])
def test_small_pictures_are_trained_at_the_input_on_the_bench(folder: Path, task: str, step: int, shape: str) -> None:
    """The quick demo has a smaller one, with which the task cannot be solved."""
    page = Page(task=task).guess(task).click(f"step {step}")
    assert shape in [metric.value for metric in page.test.get_by_key("as trained").metric]


def test_the_curves_of_the_last_runs_are_on_the_bench(folder: Path) -> None:
    page = Page(task="head").guess("head").click("step 5")
    assert live.data(page.test, "task curves") == {}
    runs(folder)
    page.run()
    assert len(live.data(page.test, "task curves")["runs"]) == 2


def test_hints_come_one_by_one(folder: Path) -> None:
    page = Page(task="pools").guess("pools")
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
    page = Page(task="table1", hide=name).guess("table1").click("step 2")
    shown = keys(page)
    assert [other for other, key in EDITOR.items() if key not in shown] == [name] * (name in EDITOR)
    assert live.figures(page.test)["blocks"]["hidden"] == [name] * (name in TABLE)
    assert page.params == {"task": "table1", "hide": name}
    page.click("show all")
    assert set(EDITOR.values()) <= keys(page)
    assert live.figures(page.test)["blocks"]["hidden"] == []
    assert page.params == {"task": "table1"}


def test_a_link_hides_hints_and_the_working(folder: Path) -> None:
    assert {"hint", "show working"} <= keys(Page(task="pools").guess("pools").click("step 2"))
    page = Page(task="pools", hide="working,hints").guess("pools").click("step 2")
    assert not {"hint", "show working"} & keys(page)
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


def test_a_teacher_makes_a_lesson_of_some_tasks(folder: Path) -> None:
    page = Page()
    page.test.session_state["make a lesson"] = True
    page.run()
    page.test.button_group(key="lesson tasks").set_value(["pools", "slower"])
    page.test.multiselect(key="hide").set_value(["hints"])
    page.run()
    link = page.test.code[0].value
    assert link.endswith("?tasks=slower,pools&hide=hints")
    lesson = Page(tasks="slower,pools", hide="hints")
    cards = [card["key"] for group in live.data(lesson.test, "cards")["groups"] for card in group["cards"]]
    assert cards == ["slower", "pools"]
    assert "This lesson has 2 tasks." in lesson.text
    lesson.opens("slower")
    assert lesson.params == {"task": "slower", "tasks": "slower,pools", "hide": "hints"}
    assert "Task 1 of 2" in lesson.text
    for ask in TASKS["slower"].asks:
        lesson.answer("slower", ask, right=True)
    assert lesson.test.button(key="next task").label == "Next: A pool after each convolution"
    lesson.click("all tasks").click("all of them")
    assert lesson.params == {}


# --- what is kept -------------------------------------------------------------------------------------------


def test_only_known_items_are_taken_from_the_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr(progress.st, "session_state", state)
    for junk in (
        None,
        7,
        "listing.where",
        ["listing.where"],
        {"listing.where": 1},
        {"<b>": ""},
        {"pools.left": "9" * 99},
    ):
        progress.add(junk)
        assert state["done"] == {}
    progress.add({"listing.where": "", "<b>": "1", "pools.left": "3 %"})
    assert state["done"] == {"listing.where": "", "pools.left": "3 %"}


def test_progress_can_be_forgotten(folder: Path) -> None:
    page = Page(task="listing").guess("listing").click("all tasks")
    assert card(page, "listing")["state"] == "1 of 4"
    page.click("forget")
    assert card(page, "listing")["state"] == "0 of 4"
    assert not page.has("forget")
    page.opens("listing")
    assert "The workbench is covered" in page.text
    assert page.test.text_input[0].value == ""


def test_beginning_again_leaves_the_other_tasks_as_they_are(folder: Path) -> None:
    page = Page(task="pools").guess("pools").click("step 2").click("hint").click("show working")
    page.click("all tasks").opens("listing").guess("listing").click("step 2").click("hint")
    page.click("begin again")
    state = page.test.session_state
    assert (list(state["done"]), state["hints"], state["told"]) == (["pools.left"], {"pools": 1}, ["pools.large"])
