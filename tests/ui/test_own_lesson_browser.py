"""A lesson of a teacher's own in a real browser: written, saved, opened from its file and from its link by others."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import Server, StartServer, wait_until

from vggexplorer.lessons.asks import Choice, Number
from vggexplorer.lessons.packed import pack
from vggexplorer.lessons.written import example, read

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SMALL = "lesson: Small\nnetwork: A = lenet\nquestion: Layers?\nanswer: A.layers\n"
WORDS = {
    "en": ("en-US", "A lesson of your own", "Try it", "Open the lesson", "Download the lesson", "Line 13"),
    "zh": ("zh-CN", "自己的课程", "试一试", "打开这一课", "下载这一课", "第 13 行"),
}
SETTLED = """() => {
    const app = document.querySelector('[data-testid=stApp]')
    return app?.dataset.testScriptState === 'notRunning' && !document.querySelector('[data-stale=true]')
}"""


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, browser: "Browser", server: Server, language: str) -> None:
        locale, self.fold, self.try_it, self.open_it, self.download, self.line = WORDS[language]
        self.context = browser.new_context(locale=locale, viewport={"width": 1440, "height": 1000})
        self.page: Page = self.context.new_page()
        self.server = server
        self.complaints: list[str] = []
        self.page.set_default_timeout(60_000)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def settle(self) -> "Visitor":
        self.page.wait_for_timeout(60)
        self.page.wait_for_function(SETTLED)
        return self

    def open(self, link: str = "") -> "Visitor":
        self.page.goto(link or f"{self.server.url}/learn")
        self.page.wait_for_selector("h1")
        return self.settle()

    def unfold(self) -> "Visitor":
        self.page.locator(".st-key-write-a-lesson summary", has_text=self.fold).click()
        self.page.get_by_role("button", name=self.try_it).wait_for()
        return self.settle()

    def write(self, text: str) -> None:
        self.page.locator(".st-key-write-a-lesson textarea").fill(text)
        self.page.get_by_role("button", name=self.try_it).click()
        self.settle()

    def solve(self, text: str) -> None:
        """Guess and answer all questions."""
        for ask in read(text).asks:
            box = self.page.locator(f".st-key-ask-{ask.key}")
            box.wait_for()
            if isinstance(ask, Number):
                box.locator("input").fill(f"{ask.answer():.6g}")
            if isinstance(ask, Choice):
                box.locator("[role=radiogroup] label").nth(ask.answer()).click()
                self.settle()
            box.locator("button[data-testid*=primary], button[kind^=primary]").last.click()
            box.locator("[data-testid=stAlertContentSuccess]").wait_for()
            self.settle()
            if ask is not read(text).asks[-1]:
                self.page.locator(".st-key-next-question button").first.click()  # Streamlit has two of one with a help
                self.settle()

    def ticks(self) -> int:
        return self.page.locator(".st-key-steps [class*=st-key-step-]", has_text="✓").count()


@pytest.fixture(scope="module")
def dashboard(server: StartServer, tmp_path_factory: pytest.TempPathFactory) -> Server:
    return server(env={"VGGEXPLORER_RUNS": str(tmp_path_factory.mktemp("none"))})


@pytest.fixture
def visitors(browser: "Browser", dashboard: Server) -> Iterator[dict[str, Visitor]]:
    """Three people who share nothing; in the end nobody's browser must have complained."""
    yield (found := {})
    for visitor in found.values():
        visitor.context.close()
        assert not visitor.complaints


@pytest.mark.parametrize("language", WORDS)
def test_a_lesson_is_written_saved_and_opened_by_others(
    browser: "Browser", dashboard: Server, visitors: dict[str, Visitor], tmp_path: Path, language: str
) -> None:
    text = example(language).replace("# ", "#\n# ", 1)  # another text than the one to begin with
    teacher, student, guest = (Visitor(browser, dashboard, language) for _ in range(3))
    visitors.update(teacher=teacher, student=student, guest=guest)

    teacher.open().unfold()
    teacher.write(text.replace("A.macs", "A.macks", 1))
    alert = teacher.page.locator("[data-testid=stAlertContentError]")
    alert.wait_for()
    assert teacher.line in alert.inner_text()
    assert "macks" in alert.inner_text()
    teacher.write(text)
    teacher.page.get_by_text(teacher.download).wait_for()
    assert alert.count() == 0
    with teacher.page.expect_download() as download:
        teacher.page.get_by_text(teacher.download).click()
    file = tmp_path / "lesson.txt"
    download.value.save_as(file)
    assert file.read_text("utf-8") == text
    link = teacher.page.locator(".st-key-write-a-lesson code").inner_text().strip()
    assert link.startswith(f"{dashboard.url}/learn?task=own&lesson=")
    assert teacher.page.get_by_text("docs/class").count() >= 2, "the address is this machine's own"

    student.open().unfold()
    student.page.locator(".st-key-write-a-lesson input[type=file]").set_input_files(file)
    student.page.locator(".st-key-own-lesson").wait_for()
    student.page.locator(".st-key-open-own button").click()
    student.settle().solve(text)
    assert student.ticks() == 3
    student.open(student.page.url)
    wait_until(lambda: student.ticks() == 3 or bool(student.page.wait_for_timeout(40)), 30, "what was done is kept")

    guest.open(link)
    guest.page.locator("h1", has_text=str(read(text).title)).wait_for()
    assert guest.ticks() == 0
    guest.solve(text)
    assert guest.ticks() == 3


def test_a_damaged_link_is_told_of(browser: "Browser", dashboard: Server, visitors: dict[str, Visitor]) -> None:
    guest = visitors["guest"] = Visitor(browser, dashboard, "en")
    guest.open(f"{dashboard.url}/learn?task=own&lesson=eNp1VEtu2")
    guest.page.get_by_text("The lesson in the link cannot be read").wait_for()
    assert guest.page.locator(".st-key-own-lesson").count() == 0


@pytest.mark.parametrize("query", ["task=lenet", f"task=own&lesson={pack(SMALL)}"])
def test_back_from_another_page_leads_to_the_task(
    browser: "Browser", dashboard: Server, visitors: dict[str, Visitor], query: str
) -> None:
    guest = visitors["guest"] = Visitor(browser, dashboard, "en")
    guest.open(f"{dashboard.url}/learn?{query}")
    title = guest.page.locator("h1").first.inner_text()
    guest.page.get_by_role("link", name="Compare").first.click()
    guest.page.wait_for_url("**/compare?arch=lenet&arch=alexnet")
    guest.page.locator("h1", has_text="Compare").wait_for()
    guest.settle().page.go_back()
    guest.page.locator("h1", has_text=title).wait_for()
    guest.page.wait_for_url(f"**/learn?{query}")
