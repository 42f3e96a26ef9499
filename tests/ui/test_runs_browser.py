"""Runs in a real browser: choosing, sorting, renaming, deleting, and a picture for a network trained here."""

import csv
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import OpenTab, Server, StartServer, wait_until
from filelock import FileLock
from test_keyboard_browser import Hands
from test_predict import file_of, shirt
from test_runs_page import config, make, record

from vggexplorer.catalogue import catalogue
from vggexplorer.pytorch import look
from vggexplorer.runs import launch
from vggexplorer.runs.folder import snapshots
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.records import Outcome, Record
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.places import Place
from vggexplorer.text import parse_network

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

NAME = "first <b>run</b> **x**"
MAIN = "document.querySelector('[data-testid=stMain]')"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was really trained, and three made by hand."""
    path = tmp_path_factory.mktemp("runs")
    trained = Runs(path).create(config(epochs=1), "trained here")
    subprocess.run(launch.command(trained), check=True, capture_output=True, timeout=120)
    make(path, NAME, best=0.7, day=1)
    make(path, "second", best=0.9, day=2, asked=config(parse_network({"arch": "2x8,2x16", "input": "1x28x28"}), lr=0.5))
    make(path, "third", "failed", best=0.8, day=3)
    return path


@pytest.fixture(scope="module")
def dashboard(server: StartServer, folder: Path) -> Server:
    return server(env={"VGGEXPLORER_RUNS": str(folder)})


class RunsPage:
    """The page as a person uses it."""

    def __init__(self, page: "Page", url: str) -> None:
        self.page = page
        self.url = url
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def open(self, *ids: str, lang: str = "en", tab: str = "") -> "RunsPage":
        shown = f"&tab={tab}" if tab else ""
        self.page.goto(f"{self.url}/runs?lang={lang}" + "".join(f"&run={run_id}" for run_id in ids) + shown)
        return self.settle()

    def settle(self) -> "RunsPage":
        self.page.wait_for_timeout(100)
        self.page.wait_for_function(
            """() => document.querySelector('[data-testid=stApp]')?.dataset.testScriptState === 'notRunning'
                && !document.querySelector('[data-stale=true]')"""
        )
        return self

    def button(self, name: str) -> "Locator":
        return self.page.get_by_role("button", name=name, exact=True)

    def choose(self, name: str) -> None:
        self.page.get_by_role("checkbox", name=f"Choose {name}", exact=True).click()

    def names(self) -> list[str]:
        return self.page.locator("tbody th.name .open").all_inner_texts()

    def waits_for(self, names: list[str]) -> None:
        wait_until(lambda: self.names()[: len(names)] == names, 30, f"{names}, not {self.names()}")


@pytest.fixture
def runs(tab: OpenTab, dashboard: Server) -> Iterator[RunsPage]:
    page = RunsPage(tab(height=1200), dashboard.url)
    yield page
    assert page.errors == []


AXES = """() => {
    const plot = document.querySelector('.plot')._fullLayout
    const range = (axis) => axis.range.map((end) => Math.round(end * 100) / 100)
    return [plot.xaxis.type, plot.xaxis.title.text, range(plot.xaxis), range(plot.yaxis)]
}"""


def test_a_range_test_shows_the_loss_against_the_rate(runs: RunsPage, folder: Path) -> None:
    """Up to twice the first loss: what follows is many powers of ten, which the button shows."""
    asked = config(schedule="range", lr=1.0, range_ratio=1e4)
    run = make(folder, "rates", day=4, asked=asked)
    losses = [2.3, 2.2, 1.5, 9.0, 1e20]
    lines = [replace(record(step + 1), batch_loss=loss, lr=10.0 ** (step - 4)) for step, loss in enumerate(losses)]
    (run.path / "metrics.jsonl").write_bytes(b"".join(line.line() for line in lines))
    try:
        runs.open(run.id)
        runs.page.locator(".plot .main-svg").first.wait_for()
        assert runs.page.evaluate(AXES) == ["log", "Learning rate", [-4, 0], [0, 4.6]]
        assert runs.page.locator(".plot .annotation-text").first.text_content() == "batch"
        runs.button("Logarithmic loss").click()
        wait_until(lambda: runs.page.evaluate(AXES)[3][1] > 20, 10)
        runs.button("Epochs").click()
        wait_until(lambda: runs.page.evaluate(AXES)[:2] == ["linear", "Epochs"], 10)
    finally:
        run.delete()


def test_two_chosen_runs_are_laid_over_each_other_and_compared(runs: RunsPage) -> None:
    runs.open().choose(NAME)
    runs.choose("second")
    table = runs.page.locator(".st-key-run-differences table")
    table.wait_for()
    assert "Learning rate\t0.1\t0.5" in table.inner_text()
    assert NAME in table.inner_text()
    runs.page.locator(".st-key-chosen-curves .main-svg").first.wait_for()
    assert runs.page.url.count("run=2026") == 2
    runs.page.locator(".st-key-runs-against").get_by_text("MACs").click()
    runs.page.get_by_text("against its cost: MACs").first.wait_for()
    runs.choose("third")
    runs.page.get_by_text("3 runs compared").wait_for()
    assert runs.page.locator(".st-key-run-differences").count() == 0
    runs.page.reload()
    runs.page.get_by_text("3 runs compared").wait_for()
    boxes = runs.page.get_by_role("checkbox")
    wait_until(lambda: sum(box.is_checked() for box in boxes.all()) == 3, 15, "three checked boxes")
    for name in (NAME, "second", "third"):
        runs.choose(name)
    runs.page.get_by_text("Choose two or more runs").wait_for()
    wait_until(lambda: "run=" not in runs.page.url, 10)


def test_a_page_shows_its_own_and_what_was_chosen_stays(runs: RunsPage, folder: Path) -> None:
    """Train is not led astray by what Runs shows; a press on the tab of Runs leads to the list; all room is used."""
    ids = [run.id for run in Runs(folder).all(recorded=False) if run.name() in (NAME, "second")]
    missing: list[str] = []
    runs.page.on("response", lambda answer: answer.status >= 400 and missing.append(answer.url))

    def tab(name: str) -> None:
        runs.page.get_by_role("link", name=name).first.click()
        runs.page.locator("h1", has_text=name).wait_for()
        runs.settle()

    runs.open(*ids)
    runs.page.get_by_text("2 runs compared").wait_for()
    assert missing == [], "on a direct load of a page"
    tab("Train")
    assert runs.page.get_by_text("The network as it will be trained").count() == 1
    assert runs.page.locator(".st-key-run-actions").count() == 0
    tab("Runs")
    runs.page.get_by_text("2 runs compared").wait_for()
    box = runs.page.locator(".st-key-chosen-curves")
    plot = box.locator(".main-svg").first
    wide = "([plot, box]) => plot.clientWidth / box.clientWidth"
    wait_until(
        lambda: (
            runs.page.evaluate(wide, [plot.element_handle(), box.element_handle()]) > 0.95
            or runs.page.wait_for_timeout(50)
        ),
        5,
        "curves as wide as the page",
    )
    runs.button("third").click()
    runs.page.locator("h1", has_text="third").wait_for()
    tab("Train")
    assert runs.page.locator(".st-key-run-actions").count() == 0
    tab("Runs")
    runs.page.get_by_text("2 runs compared").wait_for()


def test_the_table_is_sorted_and_filtered_by_keyboard(runs: RunsPage) -> None:
    runs.open()
    runs.waits_for(["trained here", "third", "second", NAME])
    head = runs.page.get_by_role("columnheader", name=re.compile("Best test accuracy"))
    head.get_by_role("button").focus()
    runs.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert [name for name in runs.names() if name in (NAME, "second", "third")] == ["second", "third", NAME]
    runs.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert [name for name in runs.names() if name in (NAME, "second", "third")] == [NAME, "third", "second"]
    runs.page.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "none"
    runs.page.get_by_role("searchbox").fill("failed third")
    assert runs.names() == ["third"]
    assert "1 of" in runs.page.locator(".tools span[role=status]").first.inner_text()
    runs.page.get_by_role("searchbox").fill("nothing like this")
    assert "No run matches" in runs.page.locator(".tools span[role=status]").first.inner_text()
    runs.page.get_by_role("searchbox").fill("")
    runs.button("third").focus()
    runs.page.keyboard.press("ArrowDown")
    runs.page.keyboard.press("Enter")
    runs.page.locator("h1", has_text="second").wait_for()
    assert "run=20260102" in runs.page.url
    runs.page.go_back()
    wait_until(lambda: {"trained here", "third"} <= set(runs.names()), 30, "both")


def test_a_run_is_renamed_and_deleted_only_after_a_question(runs: RunsPage, folder: Path) -> None:
    run = make(folder, "to go", day=9)
    runs.open(run.id)
    field = runs.page.get_by_label("Name", exact=True)
    field.fill("gone <i>soon</i>")
    field.press("Enter")
    runs.page.locator("h1", has_text="gone <i>soon</i>").wait_for()
    assert run.name() == "gone <i>soon</i>"
    field.fill(" ")
    field.press("Enter")
    runs.page.get_by_text("A name has from 1 to 80 characters").wait_for()
    runs.button("Delete …").click()
    runs.page.get_by_text("This cannot be undone").wait_for()
    assert run.path.exists()
    runs.button("Delete").click()
    runs.waits_for(["trained here", "third", "second", NAME])
    assert not run.path.exists()


def test_a_picture_of_ones_own_and_a_test_picture_are_tried(runs: RunsPage, folder: Path, tmp_path: Path) -> None:
    run = trained(folder)
    runs.open(run.id, tab="picture")
    runs.page.locator(".pictures figure canvas").nth(9).wait_for()
    upload = tmp_path / "trouser.png"
    upload.write_bytes(file_of(shirt("RGB")))
    runs.page.locator("input[type=file]").set_input_files(str(upload))
    runs.page.get_by_text(re.compile(r"Taken for .*, [\d.]+.% sure")).wait_for(timeout=60_000)
    box = runs.page.get_by_role("checkbox", name="Light background: invert")
    assert box.is_checked()
    runs.page.get_by_text("Light background: invert").click()
    wait_until(lambda: box.count() and not box.is_checked(), 30)
    runs.page.get_by_text(re.compile("As the network sees it, 28×28")).wait_for()
    runs.page.get_by_role("button", name="trouser", exact=True).click()
    runs.page.get_by_text(re.compile("Taken for trouser")).wait_for(timeout=60_000)


def test_a_tab_has_an_address_and_keeps_what_was_computed(runs: RunsPage, folder: Path) -> None:
    run = trained(folder)
    runs.open(run.id)

    def tab(name: str, key: str) -> None:
        runs.page.get_by_role("tab", name=name, exact=True).click()
        wait_until(lambda: f"tab={key}" in runs.page.url or runs.page.wait_for_timeout(50), 10, f"the tab {key}")
        runs.settle()

    tab("Try a picture", "picture")
    runs.page.get_by_role("button", name="trouser", exact=True).click()
    runs.page.get_by_text(re.compile(r"Taken for .*, [\d.]+.% sure")).wait_for(timeout=60_000)
    tab("Settings", "settings")
    runs.page.get_by_text("Learning rate:").wait_for()
    runs.page.go_back()
    runs.page.get_by_text(re.compile(r"Taken for .*, [\d.]+.% sure")).wait_for(timeout=5000)
    runs.page.reload()
    runs.page.get_by_text("A picture of your own").wait_for()
    assert runs.page.get_by_role("tab", selected=True).inner_text() == "Try a picture"


def test_a_press_on_a_cell_of_the_matrix_shows_its_pictures(runs: RunsPage, folder: Path) -> None:
    run = trained(folder)
    kept = run.json("result.json")
    names, rows = kept["classes"], kept["confusion"]
    pairs = [(at, to) for at in range(10) for to in range(10) if rows[at][to]]
    runs.page.set_viewport_size({"width": 1440, "height": 1000})
    runs.open(run.id, tab="mistakes")
    matrix = runs.page.locator(".matrix")
    matrix.wait_for()
    box = matrix.bounding_box()
    assert box
    assert abs(box["width"] - box["height"]) < 8
    heading, shown = runs.page.locator("section h2"), runs.page.locator("section canvas")
    for at, to in (pairs[0], pairs[-1]):
        label = f"{names[at]}, taken for {names[to]}: {rows[at][to]}"
        matrix.get_by_role("button", name=label, exact=True).click()
        assert heading.inner_text() == label
        assert shown.count() == min(look.EACH, rows[at][to])
    section = runs.page.locator("section").bounding_box()
    assert section
    assert section["x"] > box["x"] + box["width"] - 1
    runs.page.keyboard.press("ArrowUp")
    at, to = pairs[-1]
    assert heading.inner_text() == f"{names[at - 1]}, taken for {names[to]}: {rows[at - 1][to]}"
    assert runs.page.locator(".matrix button[tabindex='0']").count() == 1


@pytest.mark.sample(1)
@pytest.mark.parametrize(
    ("lang", "look", "first", "last"),
    [
        ("en", "Look inside", "Before the first step", "After the last step"),
        ("zh", "查看内部", "第一步之前", "最后一步之后"),
    ],
)
def test_the_filters_form_as_one_scrubs_through_the_training(
    runs: RunsPage, folder: Path, lang: str, look: str, first: str, last: str
) -> None:
    run = trained(folder)
    runs.open(run.id, lang=lang, tab="inside").page.get_by_role("button", name=look).click()
    slider, said = runs.page.locator(".inside input[type=range]"), runs.page.locator(".inside output")
    slider.wait_for(timeout=60_000)
    sheets = runs.page.locator(".inside .tiles canvas")  # all maps, one of them enlarged, the filters
    sheets.nth(2).wait_for()  # the slider is there before the script that draws them
    assert sheets.count() == 3
    assert said.inner_text() == last
    assert int(slider.get_attribute("max") or 0) == len(snapshots.files(run.path)) > 3
    at_the_end = [sheets.nth(place).evaluate("canvas => canvas.toDataURL()") for place in (0, 1, 2)]
    bars = runs.page.locator(".inside .answer .share")
    answer = bars.all_inner_texts()
    assert bars.count() == 10
    assert runs.page.locator(".inside .way button").count() == len(run.config().trained.architecture.blocks) * 2
    slider.press("Home")
    assert said.inner_text() == slider.get_attribute("aria-valuetext") == first
    assert bars.all_inner_texts() != answer, "the head is small, so the answer at each step is known"
    for place in (0, 2):
        assert sheets.nth(place).evaluate("canvas => canvas.toDataURL()") != at_the_end[place]
    slider.press("ArrowRight")
    assert re.search(r"1 ?.*, .*\d\.\d{3}", said.inner_text().replace("，", ", "))
    runs.page.locator(".inside .scrub button").click()
    wait_until(lambda: said.inner_text() == last, 30, "the end of the film")
    runs.page.get_by_role("combobox", name=re.compile("Feature maps of|查看哪一层的特征图")).click()
    runs.page.get_by_role("option", name=re.compile("features.0$")).click()
    runs.page.locator(".inside figcaption strong", has_text="features.0").wait_for(timeout=60_000)
    runs.page.get_by_role("tab", name=re.compile("^(Try a picture|用图片试一试)$")).click()
    runs.page.get_by_role("button", name=re.compile("^(trouser|裤子)$")).click()
    runs.page.get_by_role("tab", name=re.compile("^(Inside|内部)$")).click()
    wait_until(lambda: sheets.count() == 3 and sheets.nth(0).evaluate("c => c.toDataURL()") != at_the_end[0], 60)
    runs.page.locator(".inside .way button").last.click()
    pool = runs.page.locator(".inside .way button").last
    wait_until(lambda: pool.get_attribute("aria-pressed") == "true" or runs.page.wait_for_timeout(100), 60)
    large = sheets.nth(1)
    before = large.evaluate("c => c.toDataURL()")
    sheets.nth(0).focus()
    runs.page.keyboard.press("ArrowRight")
    assert large.evaluate("c => c.toDataURL()") != before
    large.hover()
    assert runs.page.locator(".inside .mark").is_visible()


def test_a_run_is_opened_and_looked_into_by_keyboard(runs: RunsPage, folder: Path) -> None:
    hands = Hands(runs.open().page)
    hands.to("Choose ")
    assert hands.press("End") != hands.press("Home") == "Choose trained here"
    assert hands.press("Tab") == "trained here"
    hands.press("Enter")
    hands.to("Curves")
    hands.press("ArrowRight", "Enter")
    runs.page.locator(".matrix").wait_for()
    hands.to(".*, taken for ")
    cell = hands.press("ArrowUp", "ArrowRight")
    assert runs.page.locator("section h2").inner_text() == cell
    hands.to("Mistakes", "Shift+Tab")
    hands.press("ArrowRight")
    runs.page.wait_for_url("**tab=picture**")
    runs.settle()
    hands.press("ArrowRight")
    runs.page.locator(".st-key-look-inside").wait_for()
    hands.to("Look inside|.*\nLook inside")
    hands.press("Enter")
    runs.page.locator(".way button").first.wait_for(timeout=60_000)
    hands.to("▶ Play")
    when = runs.page.locator(".inside output")
    before = when.inner_text()
    hands.press("Enter")
    wait_until(lambda: when.inner_text() != before, 30, "the film")
    hands.to("Feature maps of ")
    large = runs.page.locator(".inside .large strong")
    assert large.inner_text() == "Map 1"
    hands.press("ArrowRight")
    assert large.inner_text() == "Map 2"


def trained(folder: Path) -> Run:
    return next(run for run in Runs(folder).all(recorded=False) if run.weights())


def test_weights_and_records_are_downloaded(runs: RunsPage, folder: Path) -> None:
    run = trained(folder)
    runs.open(run.id, tab="run-files")
    with runs.page.expect_download() as waiting:
        runs.page.get_by_role("link", name="Records (CSV)").click()
    rows = list(csv.DictReader(waiting.value.path().read_text("utf-8").splitlines()))
    assert waiting.value.suggested_filename == f"{run.id}.csv"
    assert [int(row["step"]) for row in rows] == [record.step for record in run.records()]
    assert set(rows[0]) == set(Record.__dataclass_fields__)
    with runs.page.expect_download() as waiting:
        runs.page.get_by_role("link", name=re.compile("safetensors")).click()
    weights = run.weights()
    assert weights
    assert waiting.value.path().read_bytes() == weights.read_bytes()


def test_a_run_that_trains_is_followed_without_a_click(runs: RunsPage, folder: Path) -> None:
    run = make(folder, "at work", "interrupted", day=8)
    row = runs.page.locator(f"[data-run='{run.id}']")
    with FileLock(run.path / "run.lock"):
        beats = iter(range(100, 200))
        beat(run, next(beats))
        runs.open()
        assert "running" in row.inner_text()
        with (run.path / "metrics.jsonl").open("ab") as file:
            file.write(record(150, 0.987).line())
        beat(run, next(beats))
        wait_until(lambda: beat(run, next(beats)) or "0.987" in row.inner_text(), 15, "the new figure")
    write_json(run.path / "outcome.json", Outcome(status="stopped", step=150).to_json())
    wait_until(lambda: "stopped" in row.inner_text(), 15, "the end")
    shutil.rmtree(run.path)


def test_a_page_stays_where_it_is_scrolled_to_while_a_run_trains(runs: RunsPage, folder: Path) -> None:
    """The list is drawn anew with each new figure, and the focus is in it."""
    run = make(folder, "at work", "interrupted", day=8)
    row = runs.page.locator(f"[data-run='{run.id}']")
    runs.page.set_viewport_size({"width": 1000, "height": 600})
    with FileLock(run.path / "run.lock"):
        beats = iter(range(100, 300))
        beat(run, next(beats))
        runs.open().choose("second")
        runs.choose("third")
        runs.page.locator(".st-key-chosen-curves .main-svg").first.scroll_into_view_if_needed()
        runs.settle()
        runs.page.wait_for_timeout(1000)
        at = runs.page.evaluate(f"() => {{ {MAIN}.scrollTop = 90; return {MAIN}.scrollTop }}")
        assert at > 50
        runs.page.locator(".scroll").evaluate("scroll => (scroll.scrollTop = 40)")
        for step, figure in ((150, 0.951), (200, 0.962), (250, 0.973)):
            with (run.path / "metrics.jsonl").open("ab") as file:
                file.write(record(step, figure).line())
            wait_until(
                lambda figure=figure: beat(run, next(beats)) or f"{figure}" in row.inner_text(), 15, "the figure"
            )
        assert runs.page.evaluate(f"{MAIN}.scrollTop") == at
        assert runs.page.locator(".scroll").evaluate("scroll => scroll.scrollTop") == 40
    shutil.rmtree(run.path)


def beat(run: Run, count: int) -> None:
    write_json(run.path / "heartbeat", {"beat": count, "phase": "training", "step": 100, "ahead": 0, "pid": 0})
    time.sleep(0.5)


def test_a_double_click_on_run_again_starts_one_run(runs: RunsPage, folder: Path) -> None:
    before = {run.id for run in Runs(folder).all(recorded=False)}
    runs.open(trained(folder).id)
    runs.button("Run again").dblclick()
    runs.page.wait_for_url(re.compile("/train"))
    new = [run for run in Runs(folder).all(recorded=False) if run.id not in before]
    assert [run.name() for run in new] == ["trained here (2)"]
    wait_until(lambda: f"run={new[0].id}" in runs.page.url, 10, "the run's address")
    runs.page.wait_for_timeout(1000)
    assert len(Runs(folder).all(recorded=False)) == len(before) + 1
    launch.stop(new[0])
    wait_until(lambda: not new[0].status().active, 60, "the end of the run")


def test_in_chinese_on_a_phone_the_page_does_not_move_sideways(
    browser: "Browser", dashboard: Server, folder: Path
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 800}, locale="zh-CN")
    page = RunsPage(context.new_page(), dashboard.url).open(lang="zh")
    page.page.get_by_text(
        catalogue()["Disk used by runs: {size}. The weights of the newest {most} are kept."][:6]
    ).wait_for()
    for ids in ((), (trained(folder).id,)):
        page.open(*ids, lang="zh")
        page.page.wait_for_timeout(500)
        assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.errors == []
    context.close()


def test_the_server_has_not_loaded_pytorch(dashboard: Server) -> None:
    """After all of the above."""
    maps = Path(f"/proc/{dashboard.process.pid}/maps")
    if not maps.exists():
        pytest.skip("no /proc here")
    assert not re.search("libtorch", maps.read_text(encoding="utf-8"))


# --- the list, the drawer, the bar ---------------------------------------------------------------------------


def box_of(runs: RunsPage, place: str) -> dict[str, float]:
    box = runs.page.locator(place).first.bounding_box()
    assert box
    return dict(box)


def test_what_is_chosen_is_drawn_beside_the_list_and_the_bar_stays_in_view(runs: RunsPage) -> None:
    runs.page.set_viewport_size({"width": 1440, "height": 900})
    runs.open()
    runs.page.locator(".st-key-one-curve .main-svg").first.wait_for()
    page = {"width": 1440, "height": 900}

    def is_seen(place: str) -> dict[str, float]:
        box = box_of(runs, place)
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= page["height"]
        return box

    assert box_of(runs, ".st-key-one-curve")["x"] > page["width"] / 2 - 40
    assert is_seen(".st-key-one-curve .main-svg")["width"] > 500
    runs.choose("second")
    runs.choose("third")
    runs.page.locator(".st-key-chosen-curves .main-svg").first.wait_for()
    runs.settle()
    assert is_seen(".st-key-chosen-curves .main-svg")["x"] > page["width"] / 2 - 40
    is_seen(".st-key-runs-bar")
    page["height"] = 500
    runs.page.set_viewport_size({"width": 1440, "height": 500})
    for place in (0, 10_000):
        runs.page.evaluate(f"{MAIN}.scrollTop = {place}")
        is_seen(".st-key-delete-chosen")
    runs.page.set_viewport_size({"width": 1000, "height": 900})
    runs.settle()
    wait_until(
        lambda: (
            box_of(runs, ".st-key-runs-drawer")["y"] > box_of(runs, ".st-key-runs-list")["y"] + 200
            or runs.page.wait_for_timeout(50)
        ),
        5,
        "the drawer below the list",
    )


def test_what_can_be_done_with_the_chosen_runs_stands_in_the_bar(runs: RunsPage, folder: Path) -> None:
    gone = [make(folder, f"gone {day}", day=day) for day in (11, 12)]
    runs.open()
    for name in ("gone 11", "gone 12", "VGG-11 slim, all of Fashion-MNIST"):
        runs.choose(name)
    bar = runs.page.locator(".st-key-runs-bar")
    bar.get_by_text("3 selected").wait_for()
    with runs.page.expect_download() as waiting:
        bar.get_by_role("button", name="CSV").click()
    rows = list(csv.DictReader(waiting.value.path().read_text("utf-8").splitlines()))
    assert [row["name"] for row in rows] == ["gone 11", "gone 12", "VGG-11 slim, all of Fashion-MNIST"]
    bar.get_by_role("button", name="Delete 2 of the 3 chosen runs …").click()
    bar.get_by_text("Delete gone 11, gone 12, with all figures").wait_for()
    bar.get_by_role("button", name="Delete", exact=True).click()
    bar.get_by_text("1 selected").wait_for()
    wait_until(lambda: not {"gone 11", "gone 12"} & set(runs.names()) or runs.page.wait_for_timeout(50), 10)
    assert not any(run.path.exists() for run in gone)
    runs.choose("second")
    bar.get_by_role("button", name="Compare the networks").click()
    runs.page.wait_for_url(re.compile("/compare"))
    runs.page.locator(".chips li").nth(1).wait_for()
    assert "VGG-11 slim" in runs.page.locator(".chips").inner_text()


def test_a_row_has_a_small_curve_of_the_whole_run(runs: RunsPage, folder: Path) -> None:
    runs.open()
    run = next(run for run in Runs(folder).all(recorded=False) if run.name() == "second")
    curve = runs.page.locator(f"[data-run='{run.id}'] .spark")
    curve.wait_for()
    assert curve.locator("circle").count() == 2
    heights = [float(curve.locator("circle").nth(place).get_attribute("cy") or 0) for place in (0, 1)]
    assert heights[0] < heights[1], "0.9 lies above 0.8"


def test_the_menus_filter_and_the_columns_are_remembered(runs: RunsPage) -> None:
    runs.open()
    wait_until(lambda: {"trained here", "third"} <= set(runs.names()), 30, "both")
    runs.page.locator(".tools .status").select_option(label="failed")
    assert runs.names() == ["third"]
    runs.page.locator(".tools .status").select_option(label="Every status")
    runs.page.locator(".tools .network").select_option(label="2x8,2x16")
    assert runs.names() == ["second"]
    runs.page.locator(".tools .network").select_option(label="Every network")
    runs.page.locator(".columns summary").click()
    runs.page.locator(".columns label", has_text="Recipe").click()
    assert runs.page.get_by_role("columnheader", name="Recipe").count() == 0
    runs.page.keyboard.press("Escape")
    runs.page.reload()
    wait_until(lambda: {"trained here", "third"} <= set(runs.names()), 30, "both")
    assert runs.page.get_by_role("columnheader", name="Data", exact=True).count() == 1
    assert runs.page.get_by_role("columnheader", name="Recipe").count() == 0


def test_a_group_opens_and_is_drawn_beside_the_list(runs: RunsPage, folder: Path) -> None:
    members = [make(folder, name, day=day) for day, name in ((13, "left"), (14, "right"))]
    for run in members:
        Place(race=tuple(each.id for each in members)).keep(run)
    runs.open()
    group = runs.page.locator("tr[data-group]")
    group.wait_for()
    assert not {"left", "right"} & set(runs.names())
    fold = group.locator(".fold")
    assert fold.get_attribute("aria-expanded") == "false"
    fold.focus()
    runs.page.keyboard.press("Enter")
    assert fold.get_attribute("aria-expanded") == "true"
    assert {"left", "right"} <= set(runs.names())
    assert runs.page.locator(".st-key-one-curve").count() == 1, "the triangle only opens"
    fold.click()
    assert not {"left", "right"} & set(runs.names())
    runs.page.get_by_role("searchbox").fill("left")
    assert runs.names()[1:] == ["left"]
    runs.page.get_by_role("searchbox").fill("")
    group.locator(".open").click()
    runs.page.get_by_text("2 runs compared").wait_for()
    assert {"left", "right"} <= set(runs.names())
    assert group.get_by_role("checkbox").is_checked()
    for run in members:
        run.delete()


@pytest.mark.long
def test_5000_runs_open_and_only_those_looked_at_are_drawn(tab: OpenTab, server: StartServer, tmp_path: Path) -> None:
    first = make(tmp_path / "runs", "one")
    for number in range(5000):
        shutil.copytree(first.path, tmp_path / "runs" / f"20260201-120000-{number:06d}")
    page = RunsPage(tab(), server(env={"VGGEXPLORER_RUNS": str(tmp_path / "runs")}).url)
    page.open()
    rows = page.page.locator("tbody tr")
    rows.nth(50).wait_for()
    drawn = rows.count()
    assert drawn <= 200
    wait_until(lambda: page.page.locator("table[data-complete=true]").count() or page.page.wait_for_timeout(200), 120)
    assert page.page.locator("table.runs").get_attribute("data-runs") == "5003"
    assert rows.count() == drawn
    page.page.locator(".scroll").evaluate("scroll => (scroll.scrollTop = scroll.scrollHeight)")
    wait_until(lambda: rows.count() > drawn or page.page.wait_for_timeout(50), 10, "more rows")
    page.page.get_by_role("searchbox").fill("000123")
    assert page.names() == ["one"]
    assert page.errors == []
