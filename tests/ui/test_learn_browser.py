"""Learn in a real browser: every task is failed and solved in both languages, by pointer and by keyboard."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from conftest import OpenTab, Server, StartServer, wait_until
from test_learn_page import LOCALES
from test_lessons import DEEP_RUN, GAP_RUN, SLIM_RUN, SMALL_RUN, WIDE_RUN
from test_runs_page import make

from vggexplorer.lessons.asks import Ask, Choice, Edit, Number, Order, Task, Trial
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.lessons.window import COLUMN, ROW

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Response

WORDS = {
    "en": {"right": ("Right.",), "close": ("Close.",), "wrong": ("Not yet.", "Surprised?")},
    "zh": {"right": ("正确。",), "close": ("接近了。",), "wrong": ("还不对。", "没想到吧？")},
}
SETTLED = """() => {
    const app = document.querySelector('[data-testid=stApp]')
    return app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]')
}"""


class Learn:
    """The page as a person uses it."""

    def __init__(self, page: "Page", server: Server, speaks: str = "en") -> None:
        self.page, self.server, self.words = page, server, WORDS[speaks]
        self.complaints: list[str] = []
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, path: str = "/learn", **params: str) -> "Learn":
        self.page.goto(f"{self.server.url}{path}" + (f"?{urlencode(params)}" if params else ""))
        self.page.wait_for_selector("h1")
        return self.settle()

    def settle(self) -> "Learn":
        self.page.wait_for_timeout(60)
        self.page.wait_for_function(SETTLED)
        return self

    def box(self, ask: Ask) -> "Locator":
        return self.page.locator(f".st-key-ask-{ask.key}")

    def says(self, ask: Ask, *words: str) -> None:
        """Wait until the verdict on an answer is one of `words`."""
        alert = self.box(ask).locator("[data-testid=stAlert]")
        wanted = tuple(text for word in words for text in self.words[word])

        def told() -> bool:
            texts = alert.all_inner_texts()
            found = any(word in text for text in texts for word in wanted)  # before it stands the icon's name
            return found or bool(self.page.wait_for_timeout(40))

        wait_until(told, 60, f"{words} on {ask.key}")
        self.settle()

    def check(self, ask: Ask) -> None:
        """Press the button below the answer: Check, or for a guess Lock."""
        self.box(ask).locator("button[kind^=primary]").first.click()
        self.settle()

    def go(self, task: Task, ask: Ask) -> None:
        """Go to a question."""
        self.page.locator(f".st-key-step-{task.asks.index(ask) + 1} button").click()
        self.box(ask).wait_for()
        self.settle()

    def guess(self, task: Task) -> "Learn":
        """Lock a guess that is far off, so that the workbench opens."""
        ask = task.asks[0]
        self.enter(ask, "1000000007")
        self.page.locator(".st-key-beside-the-truth h3").nth(1).wait_for()
        return self.settle()

    def enter(self, ask: Ask, text: str) -> None:
        field = self.box(ask).locator("input")
        field.fill(text)
        field.press("Enter")

    def choose(self, ask: Ask, place: int) -> None:
        self.box(ask).locator("[data-testid=stRadio] label[data-baseweb=radio], [role=radiogroup] label").nth(
            place
        ).click()
        self.settle()
        self.check(ask)

    def arrange(self, ask: Order, places: Sequence[int]) -> None:
        lines = self.box(ask).locator(".order li")
        for to, place in enumerate(places):
            line = self.box(ask).locator(f".order li[data-place='{place}']")
            while (at := [int(each.get_attribute("data-place") or 0) for each in lines.all()].index(place)) > to:
                line.locator(".up").click()
                self.settle()
                assert lines.nth(at - 1).get_attribute("data-place") == str(place)
        self.check(ask)

    def answer(self, task: Task, ask: Ask, right: bool) -> None:
        match ask:
            case Number():
                self.go(task, ask)
                self.enter(ask, f"{ask.answer() if right else 7 * ask.answer():.9g}")
            case Choice():
                self.go(task, ask)
                self.choose(ask, ask.answer() if right else (ask.answer() + 1) % len(ask.options))
            case Order():
                self.go(task, ask)
                self.arrange(ask, ask.answer() if right else ask.answer()[::-1])
            case Edit() if right:
                lang = {} if self.words is WORDS["en"] else {"lang": "zh"}
                self.open(task=task.key, **(task.start | ask.solution), **lang)
                self.go(task, ask)
                self.check(ask)
            case _:
                self.go(task, ask)
                self.check(ask)

    def params(self) -> dict[str, str]:
        return {key: values[0] for key, values in parse_qs(urlsplit(self.page.url).query).items()}

    def kept(self) -> str:
        return str(self.page.evaluate("localStorage.getItem('vggexplorer.progress')"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A folder for runs that stays empty, and one with finished runs that answer every question about runs."""
    full = tmp_path_factory.mktemp("finished")
    for day, run in enumerate((SLIM_RUN, GAP_RUN, WIDE_RUN, DEEP_RUN, SMALL_RUN), 1):
        make(full, f"#{day}", asked=run.config, best=run.test_acc + 0.1, day=day)
    return {"empty": tmp_path_factory.mktemp("none"), "full": full}


@pytest.fixture(scope="module")
def servers(server: StartServer, folders: dict[str, Path]) -> dict[str, Server]:
    return {name: server(env={"VGGEXPLORER_RUNS": str(folder)}) for name, folder in folders.items()}


@pytest.fixture
def learn(tab: OpenTab, servers: dict[str, Server]) -> Iterator[Learn]:
    learn = Learn(tab(height=1000), servers["full"])
    yield learn
    assert not learn.complaints


@pytest.mark.sample(7)
@pytest.mark.parametrize("speaks", LOCALES)
@pytest.mark.parametrize("key", TASKS)
def test_a_task_is_failed_and_then_solved(
    tab: OpenTab, servers: dict[str, Server], folders: dict[str, Path], key: str, speaks: str
) -> None:
    task = TASKS[key]
    learn = Learn(tab(LOCALES[speaks], height=1000), servers["full"], speaks).open(task=key)
    learn.guess(task)
    for ask in task.asks[1:]:
        if not isinstance(ask, Trial):
            learn.answer(task, ask, right=False)
            learn.says(ask, "wrong", "close")
    for ask in task.asks[1:]:
        learn.answer(task, ask, right=True)
        learn.says(ask, "right")
    assert json.loads(learn.kept()) == {
        f"{key}.{ask.key}": "1000000007" if ask is task.asks[0] else "" for ask in task.asks
    }
    if any(isinstance(ask, Trial) for ask in task.asks):
        alone = Learn(tab(LOCALES[speaks], height=1000), servers["empty"], speaks).open(task=key).guess(task)
        for ask in task.asks:
            if isinstance(ask, Trial):
                alone.answer(task, ask, right=False)
                alone.says(ask, "wrong")
    assert not learn.complaints


# --- the answer stands nowhere before the guess -----------------------------------------------------------------

EVERYTHING = """() => {
    const texts = [location.href, document.title, JSON.stringify(localStorage), JSON.stringify(sessionStorage)]
    const visit = (root) => {
        texts.push(root.innerHTML ?? root.documentElement.outerHTML)
        for (const node of root.querySelectorAll('*')) {
            if (node.shadowRoot) visit(node.shadowRoot)
            if ('value' in node) texts.push(String(node.value))
        }
    }
    for (const style of document.querySelectorAll('style, script')) style.textContent = ''
    visit(document)
    return texts.join('\\n')
}"""
"""The address, what the browser keeps, and all of the page with what is inside of components, attributes too."""


def written(ask: Number) -> "re.Pattern[str]":
    """The answer in the ways that it could be written, with three digits at least."""
    answer = ask.answer()
    texts = {f"{answer:.{digits}f}" for digits in range(5)} | {f"{answer:.{digits}g}" for digits in (3, 4, 5)}
    texts |= {f"{answer:,.0f}", f"{answer / 100:.4f}", f"{answer / 100:.3f}", repr(answer)}
    long = {text for text in texts if len(re.sub(r"^[0.]+|[.,]", "", text)) >= 3}
    return re.compile(r"(?<![\w.,])(?:" + "|".join(map(re.escape, sorted(long))) + r")(?![\w])")


def plain(text: str) -> str:
    """Without the marks that Markdown puts before signs."""
    return text.replace("\\", "")


@pytest.mark.sample(3)
@pytest.mark.parametrize("key", TASKS)
def test_the_answer_stands_nowhere_before_the_guess_is_locked(learn: Learn, key: str) -> None:
    """Nor does it come with anything that the server sends."""
    task = TASKS[key]
    ask = task.asks[0]
    assert isinstance(ask, Number)
    sent: list[str] = []

    def took(payload: bytes | str) -> None:
        sent.append(payload.decode("utf-8", "replace") if isinstance(payload, bytes) else payload)

    def came(response: "Response") -> None:
        if not re.search(r"/static/|plotly|/assets/", response.url):  # files that are the same for everybody
            sent.append(response.url + str(response.headers))
            with suppress(Exception):  # a request that was broken off, or a redirection: nothing came
                sent.append(response.text())

    learn.page.on("websocket", lambda socket: socket.on("framereceived", took))
    learn.page.on("response", came)
    learn.open(task=key)
    learn.page.get_by_text("The workbench is covered").wait_for()
    learn.page.locator(".st-key-terms button").first.click()
    learn.enter(ask, "many")
    learn.settle()
    found = written(ask)
    before = plain("\n".join([*sent, learn.page.evaluate(EVERYTHING)]))
    assert len(before) > 20_000
    assert [before[max(0, at.start() - 60) : at.end() + 20] for at in found.finditer(before)] == []
    for remark in ask.reason():
        assert str(remark) not in before
    learn.guess(task)
    assert found.search(plain("\n".join(sent)))
    assert found.search(learn.page.evaluate(EVERYTHING))


# --- what the browser keeps ------------------------------------------------------------------------------------


def test_what_is_done_outlives_a_reload_and_is_nobody_elses(learn: Learn, browser: "Browser") -> None:
    learn.open(task="pools").guess(TASKS["pools"])
    wait_until(lambda: "pools.left" in learn.kept() or bool(learn.page.wait_for_timeout(40)), 30)
    learn.open()
    state = learn.page.locator("[data-task=pools] .state")
    wait_until(lambda: "1 of 5" in state.inner_text() or bool(learn.page.wait_for_timeout(40)), 30, "what was kept")
    context = browser.new_context(locale="en-US")
    other = Learn(context.new_page(), learn.server).open()
    assert other.page.locator("[data-task=pools] .state").inner_text() == "0 of 5"
    context.close()
    learn.page.get_by_role("button", name="Forget what is done").click()
    wait_until(lambda: learn.kept() == "None" or bool(learn.page.wait_for_timeout(40)), 30, "nothing kept")
    learn.open()
    assert state.inner_text() == "0 of 5"


@pytest.mark.sample(2)
@pytest.mark.parametrize("junk", ["{", "7", '{"<b>": "", "pools.large": 1, "pools.left": "3"}', '{"a": []}', '["x"]'])
def test_whatever_is_in_the_browser_the_page_opens(learn: Learn, junk: str) -> None:
    learn.open()
    learn.page.evaluate("junk => localStorage.setItem('vggexplorer.progress', junk)", junk)
    learn.open()
    learn.page.wait_for_timeout(500)
    wanted = "1 of 5" if "pools.left" in junk else "0 of 5"
    state = learn.page.locator("[data-task=pools] .state")
    wait_until(lambda: wanted in state.inner_text() or bool(learn.page.wait_for_timeout(40)), 30, wanted)
    assert learn.page.locator("[data-testid=stAlert]").count() == 0


def test_the_tour_is_opened_left_and_opened_again(learn: Learn) -> None:
    learn.open("/")
    card = learn.page.get_by_role("region", name="Tour")
    learn.page.get_by_role("button", name="Show the tour").click()
    card.wait_for()
    for step in range(2, 6):
        card.get_by_role("button", name="Next").press("Enter")
        assert f"{step} of 5" in card.inner_text()
    card.get_by_role("button", name="Back").click()
    assert "4 of 5" in card.inner_text()
    where = "document.querySelector('[data-testid=stMain]').scrollTop"
    before = learn.page.evaluate(where)
    card.get_by_role("button", name="Leave the tour").click()
    assert card.count() == 0
    assert learn.page.evaluate(where) == before
    learn.page.get_by_role("button", name="Show the tour").click()
    card.wait_for()
    assert "1 of 5" in card.inner_text()
    learn.page.keyboard.press("Escape")
    assert card.count() == 0


def test_every_step_of_the_tour_names_a_part_that_is_there(learn: Learn) -> None:
    learn.open("/")
    card = learn.page.get_by_role("region", name="Tour")
    learn.page.get_by_role("button", name="Show the tour").click()
    card.wait_for()
    for _ in range(4):
        selector = str(learn.page.locator(".tour .light").get_attribute("data-part"))
        assert learn.page.locator(selector).count() >= 1, selector
        card.get_by_role("button", name="Next").click()


# --- by keyboard, and as a lesson ------------------------------------------------------------------------------


HAS_FOCUS = """node => {
    let at = document.activeElement
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement
    return node === at || node.contains(at)
}"""


def tab_to(learn: Learn, target: "Locator", most: int = 90) -> None:
    """Press Tab until `target` has the focus, and see that the focus can be seen."""
    handle = target.element_handle()
    for _ in range(most):
        learn.page.keyboard.press("Tab")
        if learn.page.evaluate(HAS_FOCUS, handle):
            return
    raise AssertionError("not reached by Tab")


def by_keys(learn: Learn, ask: Ask, given: object) -> None:
    """Answer the question in view by keyboard."""
    keyboard = learn.page.keyboard
    match ask:
        case Number():
            tab_to(learn, learn.box(ask).locator("input"))
            keyboard.press("ControlOrMeta+A")
            keyboard.type(str(given))
            keyboard.press("Enter")
            learn.settle()
            return
        case Choice():
            tab_to(learn, learn.box(ask).locator("[role=radiogroup]"))
            keyboard.press("Space")
            choose = "() => [...document.querySelectorAll('[role=radiogroup] input')].findIndex((each) => each.checked)"
            while learn.page.evaluate(choose) != given:
                keyboard.press("ArrowDown")
                learn.settle()
        case Edit():
            box = learn.page.locator(".st-key-paste-box textarea")
            tab_to(learn, box)
            keyboard.press("ControlOrMeta+A")
            keyboard.type(str(given))
            keyboard.press("ControlOrMeta+Enter")
            learn.settle()
    tab_to(learn, learn.box(ask).locator("button[kind^=primary]"))
    keyboard.press("Enter")
    learn.settle()


def wrong_then_right(learn: Learn, task: Task, ask: Ask, give: Callable[[Learn, Any, Any], None]) -> None:
    """Answer the question in view wrongly, then rightly; a guess is locked with the first answer."""
    learn.box(ask).wait_for()
    learn.settle()
    wrong: object = "1x16,1x32"
    right: object = None
    match ask:
        case Number():
            wrong, right = 7 * ask.answer(), ask.answer()
        case Choice():
            wrong, right = (ask.answer() + 1) % len(ask.options), ask.answer()
        case Edit():
            right = ask.solution["arch"]
    give(learn, ask, wrong)
    learn.says(ask, "wrong", "close")
    if ask is not task.asks[0]:
        give(learn, ask, right)
        learn.says(ask, "right")


def test_a_lesson_is_done_by_keyboard_alone(learn: Learn) -> None:
    """Guesses and answers are wrong first; from question to question, and to the next task, goes a shortcut."""
    learn.open(tasks="gigabyte,pools")
    tab_to(learn, learn.page.locator("[data-task=gigabyte]"))
    learn.page.keyboard.press("Enter")
    for key in ("gigabyte", "pools"):
        task = TASKS[key]
        for ask in task.asks:
            wrong_then_right(learn, task, ask, by_keys)
            learn.page.keyboard.press("Alt+n")
            learn.settle()
    learn.page.get_by_text("This task is done, and with it all of them.").wait_for()
    tab_to(learn, learn.page.get_by_role("button", name="All tasks"))
    learn.page.keyboard.press("Enter")
    learn.page.get_by_text("2 of 2 tasks are done.").wait_for()


def by_hand(learn: Learn, ask: Number | Choice, given: Any) -> None:
    """Answer the question in view by touch."""
    if isinstance(ask, Number):
        learn.enter(ask, str(given))
    else:
        learn.choose(ask, given)


def test_a_lesson_is_done_on_a_phone_in_chinese(browser: "Browser", servers: dict[str, Server]) -> None:
    context = browser.new_context(
        locale="zh-CN", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    learn = Learn(context.new_page(), servers["full"], "zh").open(tasks="gigabyte,listing")
    learn.page.locator("[data-task=gigabyte]").tap()
    for key in ("gigabyte", "listing"):
        task = TASKS[key]
        for ask in task.asks:
            wrong_then_right(learn, task, ask, by_hand)
            assert learn.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390
            further = learn.page.locator(".st-key-next-question button, .st-key-next-task button").last
            if key == "listing" and ask is task.asks[-1]:
                assert further.count() == 0
            else:
                further.tap()
            learn.settle()
    learn.page.get_by_text("所有的练习也都完成了").wait_for()
    learn.page.get_by_role("button", name="全部练习").tap()
    learn.page.get_by_text("共 2 个练习，已完成 2 个").wait_for()
    assert not learn.complaints
    context.close()


def test_things_are_put_in_order_by_keyboard(learn: Learn) -> None:
    task = TASKS["slower"]
    ask = task.asks[1]
    assert isinstance(ask, Order)
    learn.open(task="slower").guess(task).go(task, ask)
    first = learn.box(ask).locator(".order li[data-place='2']")
    tab_to(learn, first.locator(".up"))
    learn.page.keyboard.press("Enter")
    learn.settle()
    learn.page.keyboard.press("Enter")  # the focus has gone along
    learn.settle()
    lines = learn.box(ask).locator(".order li")
    assert [line.get_attribute("data-place") for line in lines.all()] == ["2", "0", "1", "3"]


def test_a_lessons_link_opens_exactly_that(learn: Learn) -> None:
    learn.open(task="table1", arch="vgg13", hide="hints,working,channels,text")
    assert learn.params() == {"task": "table1", "arch": "vgg13", "hide": "channels,text,hints,working"}
    task = TASKS["table1"]
    ask = next(ask for ask in task.asks if ask.key == "B")
    learn.guess(task).go(task, ask)
    learn.page.get_by_label("Convolutions, block 1", exact=True).wait_for()
    assert learn.page.get_by_label("Channels, block 1", exact=True).count() == 0
    assert learn.page.get_by_text("Show the working").count() == 0
    assert learn.page.get_by_role("button", name="A hint").count() == 0
    learn.check(ask)
    learn.says(ask, "right")
    learn.page.get_by_role("button", name="Show all").click()
    learn.page.get_by_label("Channels, block 1", exact=True).wait_for()


def test_back_leads_to_the_task_before(learn: Learn) -> None:
    learn.open()
    learn.page.locator("[data-task=pools]").click()
    learn.page.wait_for_selector(".st-key-ask-left")
    learn.settle()
    learn.page.locator(".st-key-all-tasks button").click()
    learn.page.locator("[data-task=gigabyte]").click()
    learn.page.wait_for_selector(".st-key-ask-size")
    learn.settle()
    assert learn.params() == {"task": "gigabyte"}
    learn.page.go_back()
    learn.page.go_back()
    learn.page.wait_for_selector(".st-key-ask-left")
    assert learn.params() == {"task": "pools"}


@pytest.mark.sample(2)
@pytest.mark.parametrize("key", ["listing", "slower", "fields", "deep"])
def test_a_task_fits_a_phone(learn: Learn, key: str) -> None:
    learn.page.set_viewport_size({"width": 390, "height": 844})
    learn.open(task=key).guess(TASKS[key])
    learn.page.wait_for_timeout(500)
    assert learn.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def test_a_run_that_is_started_here_is_followed_to_its_end(
    browser: "Browser", server: StartServer, tmp_path: Path
) -> None:
    context = browser.new_context(locale="en-US")
    learn = Learn(context.new_page(), server(env={"VGGEXPLORER_RUNS": str(tmp_path)}))
    task = TASKS["head"]
    ask = next(ask for ask in task.asks if isinstance(ask, Trial))
    learn.open(task="head", arch="1x4,1x8", head="gap", hidden="none").guess(task).go(task, ask)
    learn.page.get_by_role("button", name="Start", exact=True).click()
    badge = learn.page.locator(".st-key-watched .badge")
    wait_until(lambda: "finished" in badge.inner_text() or bool(learn.page.wait_for_timeout(200)), 240, "its end")
    learn.settle()
    learn.page.locator(".st-key-task-curves .plot .main-svg").first.wait_for()
    learn.check(ask)
    learn.says(ask, "wrong")
    assert "Finished runs in your folder: 1." in learn.box(ask).inner_text()
    context.close()
    assert not learn.complaints


def test_a_task_is_seen_from_its_top_and_a_question_takes_the_keys(learn: Learn) -> None:
    task = TASKS["pixels"]
    learn.open()
    card = learn.page.locator(f".st-key-cards [data-task={task.key}]")
    card.scroll_into_view_if_needed()
    main = learn.page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollTop") > 0
    card.click()
    field = learn.box(task.asks[0]).locator("input")
    field.and_(learn.page.locator(":focus")).wait_for()
    assert main.evaluate("main => main.scrollTop") == 0
    learn.page.keyboard.type("9")
    learn.page.keyboard.press("Enter")
    learn.says(task.asks[0], "right", "close", "wrong")
    for ask in task.asks[1:3]:  # answered, and skipped with the keys in the field
        learn.page.keyboard.press("Alt+n")
        learn.box(ask).locator("input").first.and_(learn.page.locator(":focus")).wait_for()
        learn.settle()


def test_a_convolution_is_stepped_played_and_stopped(learn: Learn) -> None:
    task = TASKS["window"]
    learn.open(task="window").guess(task).go(task, task.asks[1])
    part = learn.page.locator(".st-key-window .window")
    place, results = part.locator("output"), part.locator(".sum p b")
    assert place.inner_text() == "row 1, column 1"
    assert part.locator(".cell.outside").count() == 5
    part.get_by_role("button", name="One step", exact=True).click()
    assert place.inner_text() == "row 1, column 2"
    frame = part.locator(".frame").first
    frame.focus()
    learn.page.keyboard.press("ArrowDown")
    learn.page.keyboard.press("ArrowLeft")
    assert place.inner_text() == "row 2, column 1"
    part.get_by_role("button", name="Play").click()
    wait_until(lambda: "row 3" in place.inner_text() or bool(learn.page.wait_for_timeout(40)), 30, "the third row")
    part.get_by_role("button", name="Stop").click()
    stopped = place.inner_text()
    learn.page.wait_for_timeout(400)
    assert place.inner_text() == stopped
    part.get_by_label("Position").fill(str((ROW - 1) * 32 + COLUMN - 1))
    assert place.inner_text() == f"row {ROW}, column {COLUMN}"
    asked = task.asks[2]
    assert isinstance(asked, Number)
    assert results.nth(2).inner_text() == f"{asked.answer():.3f}"
    assert results.nth(3).inner_text() == f"{asked.answer():.3f}"
