"""Learn in a real browser: every task is failed and solved in both languages, by pointer and by keyboard."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from conftest import OpenTab, Server, StartServer, wait_until
from test_learn_page import LOCALES
from test_lessons import DEEP_RUN, GAP_RUN, SLIM_RUN, SMALL_RUN, WIDE_RUN
from test_runs_page import make

from vggexplorer.lessons.asks import Ask, Choice, Edit, Number, Order, Task, Trial
from vggexplorer.lessons.tasks import TASKS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

WORDS = {
    "en": {"right": "Right.", "close": "Close.", "wrong": "Not yet."},
    "zh": {"right": "正确。", "close": "接近了。", "wrong": "还不对。"},
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
        wanted = tuple(self.words[word] for word in words)

        def told() -> bool:
            texts = alert.all_inner_texts()
            found = any(word in text for text in texts for word in wanted)  # before it stands the icon's name
            return found or bool(self.page.wait_for_timeout(40))

        wait_until(told, 60, f"{words} on {ask.key}")
        self.settle()

    def check(self, ask: Ask) -> None:
        self.box(ask).locator("button", has_text={"Right.": "Check", "正确。": "核对"}[self.words["right"]]).click()
        self.settle()

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
        field = self.box(ask).locator("[data-testid=stMultiSelect] input")
        for _ in ask.options:
            field.press("Backspace")
        for place in places:
            field.fill(str(ask.options[place].values["name"]))
            field.press("Enter")
            self.settle()
        field.press("Escape")
        self.check(ask)

    def answer(self, task: Task, ask: Ask, right: bool) -> None:
        match ask:
            case Number():
                self.enter(ask, f"{ask.answer() if right else 7 * ask.answer():.9g}")
            case Choice():
                self.choose(ask, ask.answer() if right else (ask.answer() + 1) % len(ask.options))
            case Order():
                self.arrange(ask, ask.answer() if right else ask.answer()[::-1])
            case Edit() if right:
                lang = {} if self.words is WORDS["en"] else {"lang": "zh"}
                self.open(task=task.key, **(task.start | ask.solution), **lang)
                self.check(ask)
            case _:
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
    for ask in task.asks:
        if not isinstance(ask, Trial):
            learn.answer(task, ask, right=False)
            learn.says(ask, "wrong", "close")
    for ask in task.asks:
        learn.answer(task, ask, right=True)
        learn.says(ask, "right")
    assert sorted(item.strip('"[] ') for item in learn.kept().split(",")) == sorted(
        f"{key}.{ask.key}" for ask in task.asks
    )
    if any(isinstance(ask, Trial) for ask in task.asks):
        alone = Learn(tab(LOCALES[speaks], height=1000), servers["empty"], speaks).open(task=key)
        for ask in task.asks:
            if isinstance(ask, Trial):
                alone.answer(task, ask, right=False)
                alone.says(ask, "wrong")
    assert not learn.complaints


# --- what the browser keeps ------------------------------------------------------------------------------------


def test_what_is_done_outlives_a_reload_and_is_nobody_elses(learn: Learn, browser: "Browser") -> None:
    ask = TASKS["pools"].asks[0]
    learn.open(task="pools")
    learn.enter(ask, "7")
    learn.says(ask, "right")
    wait_until(lambda: "pools.large" in learn.kept() or bool(learn.page.wait_for_timeout(40)), 30)
    learn.open()
    state = learn.page.locator(".st-key-line-pools")
    wait_until(lambda: "1 of 4" in state.inner_text() or bool(learn.page.wait_for_timeout(40)), 30, "what was kept")
    context = browser.new_context(locale="en-US")
    other = Learn(context.new_page(), learn.server).open()
    assert "0 of 4" in other.page.locator(".st-key-line-pools").inner_text()
    context.close()
    learn.page.get_by_role("button", name="Forget what is done").click()
    wait_until(lambda: learn.kept() == "None" or bool(learn.page.wait_for_timeout(40)), 30, "nothing kept")
    learn.open()
    assert "0 of 4" in state.inner_text()


@pytest.mark.sample(2)
@pytest.mark.parametrize("junk", ["{", "7", '["<b>", 1, "pools.large"]', '{"a": []}'])
def test_whatever_is_in_the_browser_the_page_opens(learn: Learn, junk: str) -> None:
    learn.open()
    learn.page.evaluate("junk => localStorage.setItem('vggexplorer.progress', junk)", junk)
    learn.open()
    learn.page.wait_for_timeout(500)
    wanted = "1 of 4" if "pools.large" in junk else "0 of 4"
    state = learn.page.locator(".st-key-line-pools")
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


def tab_to(learn: Learn, target: "Locator", most: int = 90) -> None:
    """Press Tab until `target` has the focus, and see that the focus can be seen."""
    handle = target.element_handle()
    for _ in range(most):
        learn.page.keyboard.press("Tab")
        if learn.page.evaluate(
            "node => node === document.activeElement || node.contains(document.activeElement)", handle
        ):
            return
    raise AssertionError("not reached by Tab")


def test_a_task_is_solved_by_keyboard_alone(learn: Learn) -> None:
    learn.open()
    button = learn.page.locator(".st-key-task-listing button")
    tab_to(learn, button)
    learn.page.keyboard.press("Enter")
    learn.page.wait_for_selector(".st-key-ask-convolutions")
    learn.settle()
    first, second, third = TASKS["listing"].asks
    tab_to(learn, learn.box(first).locator("input"))
    learn.page.keyboard.type("8")
    learn.page.keyboard.press("Enter")
    learn.says(first, "right")
    tab_to(learn, learn.box(second).locator("[role=radiogroup]"))
    learn.page.keyboard.press("Space")
    learn.page.keyboard.press("ArrowDown")
    learn.settle()
    tab_to(learn, learn.box(second).get_by_role("button", name="Check"))
    learn.page.keyboard.press("Enter")
    learn.says(second, "right")
    tab_to(learn, learn.box(third).locator("input"))
    learn.page.keyboard.type("8")
    learn.page.keyboard.press("Enter")
    learn.says(third, "right")


def test_a_lessons_link_opens_exactly_that(learn: Learn) -> None:
    learn.open(task="table1", arch="vgg13", hide="hints,working,channels,text")
    assert learn.params() == {"task": "table1", "arch": "vgg13", "hide": "channels,text,hints,working"}
    learn.page.get_by_label("Convolutions, block 1", exact=True).wait_for()
    assert learn.page.get_by_label("Channels, block 1", exact=True).count() == 0
    assert learn.page.get_by_text("Show the working").count() == 0
    assert learn.page.get_by_role("button", name="A hint").count() == 0
    ask = next(ask for ask in TASKS["table1"].asks if ask.key == "B")
    learn.check(ask)
    learn.says(ask, "right")
    learn.page.get_by_role("button", name="Show all").click()
    learn.page.get_by_label("Channels, block 1", exact=True).wait_for()


def test_back_leads_to_the_task_before(learn: Learn) -> None:
    learn.open()
    learn.page.locator(".st-key-task-pools button").click()
    learn.page.wait_for_selector(".st-key-ask-large")
    learn.settle()
    learn.page.locator(".st-key-next-task button").click()
    learn.page.wait_for_selector(".st-key-ask-weights")
    learn.settle()
    assert learn.params() == {"task": "gigabyte"}
    learn.page.go_back()
    learn.page.wait_for_selector(".st-key-ask-large")
    assert learn.params() == {"task": "pools"}


@pytest.mark.sample(2)
@pytest.mark.parametrize("key", ["listing", "slower", "fields", "deep"])
def test_a_task_fits_a_phone(learn: Learn, key: str) -> None:
    learn.page.set_viewport_size({"width": 390, "height": 844})
    learn.open(task=key)
    learn.page.wait_for_timeout(500)
    assert learn.page.evaluate("document.querySelector('[data-testid=stMain]').scrollWidth") <= 390


def test_a_run_that_is_started_here_is_followed_to_its_end(
    browser: "Browser", server: StartServer, tmp_path: Path
) -> None:
    context = browser.new_context(locale="en-US")
    learn = Learn(context.new_page(), server(env={"VGGEXPLORER_RUNS": str(tmp_path)}))
    learn.open(task="head", arch="1x4,1x8", head="gap", hidden="none")
    learn.page.get_by_role("button", name="Start", exact=True).click()
    line = learn.page.locator("[class*=st-key-line-of-]")
    line.wait_for()
    wait_until(lambda: "finished" in line.inner_text() or bool(learn.page.wait_for_timeout(200)), 240, "its end")
    assert "Test accuracy" in line.inner_text()
    ask = next(ask for ask in TASKS["head"].asks if isinstance(ask, Trial))
    learn.check(ask)
    learn.says(ask, "wrong")
    assert "Finished runs in your folder: 1." in learn.box(ask).inner_text()
    context.close()
    assert not learn.complaints
