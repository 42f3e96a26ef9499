"""Sweeps on Compare and on Runs, in Streamlit's AppTest, with run folders made by hand."""

# ruff: noqa: F811 (fixtures of other modules)
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from test_compare_page import Compare
from test_i18n import english_in, has_chinese, seen
from test_pages import plain
from test_runs_page import OURS, Page, chinese, config, folder, make  # noqa: F401 (fixtures)
from test_sweeps import NETS, runs  # noqa: F401 (a fixture)

from vggexplorer.errors import InputError
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.folder.files import write_json
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import STATUSES
from vggexplorer.runs.places import Place
from vggexplorer.runs.sweeps import start
from vggexplorer.runs.sweeps.folder import Sweep, all_sweeps
from vggexplorer.runs.sweeps.pareto import Result, points_of
from vggexplorer.server.keys import NOBODY, Person
from vggexplorer.ui import access, widgets
from vggexplorer.ui.run import rows, scatter
from vggexplorer.ui.run.rows import forget
from vggexplorer.ui.runs import listing

pytestmark = pytest.mark.usefixtures("folder")
LIMITS = ("MINUTES", "PARAMS", "MACS", "RUNS")


@pytest.fixture(autouse=True)
def _unkept(monkeypatch: pytest.MonkeyPatch) -> None:
    """No keeper is started; a click right after another is one of its own."""
    monkeypatch.setattr(start, "_keep", lambda *_: None)
    monkeypatch.setattr(widgets, "DOUBLE_CLICK", 0)
    for name in LIMITS:
        monkeypatch.delenv(f"VGGEXPLORER_MAX_{name}", raising=False)


def swept(folder: Path, *best: float | None, owner: str = "") -> Sweep:
    """A sweep of two networks with two seeds; its first runs ended with these accuracies, or were interrupted."""
    configs = [replace(config(network), seed=seed) for seed in (0, 1) for network in NETS[:2]]
    sweep = start.start_sweep(Runs(folder), configs, "my <b>sweep</b> **x**", owner)
    for member, reached in zip(sweep.members(), best, strict=False):
        made = make(folder / "elsewhere", member.name, "interrupted" if reached is None else "finished", reached or 0.1)
        if reached is None:
            (made.path / "metrics.jsonl").unlink()
        write_json(made.path / "config.json", member.config.to_json())
        write_json(made.path / "created.json", {"owner": owner})
        (made.path / "started").touch()
        made.path.rename(member.run.path)
    return sweep


class SweepPage(Page):
    """Runs with a sweep in view."""

    def __init__(self, sweep: str, locale: str = "en-US") -> None:
        super().__init__(locale=locale)
        self.test.query_params["sweep"] = [sweep]
        del self.test.session_state["state"]
        self.run()

    @property
    def figure(self) -> dict[str, Any]:
        """The chart of accuracy against cost."""
        for component in self.test.get("bidi_component"):
            if component.key == "sweep scatter":
                return dict(json.loads(component.proto.json)["figure"])
        return {}

    @property
    def buttons(self) -> set[str]:
        return {button.key for button in self.test.button}


# --- on Runs -------------------------------------------------------------------------------------------------


def groups() -> dict[str, dict[str, Any]]:
    """The groups of the list of runs, as the browser gets them."""
    forget()
    lines = listing.listed("en").whole()["lines"]
    return {key: line for key, line in lines.items() if line and "kind" in line}


def test_without_a_sweep_nothing_of_it_is_shown(folder: Path) -> None:
    make(folder, "one")
    assert groups() == {}
    assert "There is no sweep nothing here" in SweepPage("nothing").text


def test_a_sweep_is_a_group_of_the_list_with_its_runs(folder: Path) -> None:
    first, second = swept(folder, 0.5, 0.8), swept(folder)
    found = groups()
    assert set(found) == {first.id, second.id}
    group = found[first.id]
    assert group["runs"] == [member.run.id for member in first.members()[:2]]
    assert (group["name"], group["reason"], group["word"]) == (
        "my <b>sweep</b> **x**",
        "2 of 4 runs finished",
        "interrupted",
    )
    assert (group["cells"]["best"]["value"], group["cells"]["progress"]["value"]) == (0.8, 0.5)
    assert "2 of 4 runs finished" in SweepPage(first.id).text
    assert "1 of 4" not in SweepPage(second.id).text


def test_a_sweep_whose_runs_were_all_deleted_says_so_and_offers_to_start_none(folder: Path) -> None:
    sweep = swept(folder, 0.5, 0.8, 0.7, 0.9)
    assert groups()[sweep.id]["reason"] == "4 of 4 runs finished"
    for member in sweep.members():
        sweep.note(member.run.id)
        member.run.delete()
    assert groups()[sweep.id]["reason"] == "All its runs were deleted."
    page = SweepPage(sweep.id)
    assert "All its runs were deleted." in page.text
    assert "of 4" not in page.text
    assert "resume the rest" not in page.buttons
    page.click("remove sweep")
    assert groups() == {}


def test_a_race_is_a_group_of_the_list_as_long_as_two_members_are_there(folder: Path) -> None:
    runs = [make(folder, name, status, best, day=day) for day, (name, status, best) in enumerate(RACERS, start=1)]
    for run in runs:
        Place(race=tuple(each.id for each in runs)).keep(run)
    (race,) = groups().values()
    assert race["name"] == "Race: 1x4,1x8, hidden none · 1x4,1x8, hidden none · 1x4,1x8, hidden none"
    assert race["runs"] == [run.id for run in runs]
    assert (race["word"], race["cells"]["best"]["value"]) == ("stopped", 0.9)
    with FileLock(runs[2].path / "run.lock"):
        (race,) = groups().values()
        assert race["active"]
    runs[0].delete()
    (race,) = groups().values()
    assert race["runs"] == [run.id for run in runs[1:]]
    runs[1].delete()
    assert groups() == {}


RACERS = (("one", "finished", 0.7), ("two", "stopped", 0.9), ("three", "interrupted", 0.8))


def test_a_sweep_in_view_and_chosen_runs_do_not_mix(folder: Path) -> None:
    sweep = swept(folder, 0.5, 0.6)
    page = SweepPage(sweep.id)
    assert "sweep scatter" in page.keys
    page.click("curves of sweep")
    assert "chosen curves" in page.keys
    assert not {"sweep scatter"} & page.keys
    assert "sweep" not in page.test.query_params


def test_medians_their_range_and_the_front_are_drawn(folder: Path) -> None:
    sweep = swept(folder, 0.5, 0.8, 0.7, 0.9)
    page = SweepPage(sweep.id)
    points = points_of([Result(each.config, None, None) for each in sweep.members()])
    line, *marks = page.figure["data"]
    assert [mark["x"] for mark in marks] == [[point.params] for point in points]
    assert [mark["y"][0] for mark in marks] == pytest.approx([0.6, 0.85])
    assert marks[0]["error_y"]["array"] == marks[0]["error_y"]["arrayminus"] == pytest.approx([0.1])
    cheap, dear = sorted(points, key=lambda point: point.params)
    assert line["x"] == ([cheap.params, dear.params] if cheap is points[0] else [cheap.params])
    for cost in ("macs", "seconds"):
        page.test.session_state["sweep against"] = cost
        assert page.run().figure["data"][1]["x"] == [points[0].macs if cost == "macs" else 100.0]
    assert "4 of 4 runs finished" in page.text
    assert "my <b>sweep</b> **x**" in page.text
    assert "0.600 (0.500–0.700)" in page.text
    assert {"stop all", "resume the rest"} & page.buttons == set()


def test_the_rest_is_resumed_by_who_started_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = swept(folder, 0.5, None, owner="pupil")
    kept: list[str] = []
    monkeypatch.setattr(start, "_keep", lambda sweep, _: kept.append(sweep.id))
    for key in ("resume the rest", "remove sweep"):  # drawn for the owner, pressed by somebody else
        monkeypatch.setattr(access, "person", lambda: Person("pupil", False))
        page = SweepPage(sweep.id)
        monkeypatch.setattr(access, "person", lambda: Person("another", False))
        assert "Only who started this sweep" in plain(page.click(key).test.error[0].value)
        assert all(page.test.button(key=name).disabled for name in page.buttons & {"resume the rest", "remove sweep"})
        assert "You can watch this sweep" in " ".join(plain(caption.value) for caption in page.test.caption)
    assert not kept
    monkeypatch.setattr(access, "person", lambda: Person("pupil", False))
    page = SweepPage(sweep.id).click("resume the rest")
    assert not page.test.error
    assert kept == [sweep.id]


def test_all_is_stopped_and_then_removed_without_its_runs(folder: Path) -> None:
    sweep = swept(folder, None)
    busy = sweep.members()[0].run
    with FileLock(busy.path / "run.lock"), FileLock(sweep.path / "keeper.lock"):
        page = SweepPage(sweep.id)
        assert "step 100 of 100" in page.text
        assert "remove sweep" not in page.buttons
        page.click("stop all")
        assert page.test.button(key="stop all").disabled
        assert busy.control()["stop"]
        assert sweep.stopping()
    page.run().click("remove sweep")
    assert all_sweeps(Runs(folder)) == []
    assert busy.path.exists()
    assert "sweep" not in page.test.query_params


def test_the_curves_of_its_runs_are_laid_over_each_other(folder: Path) -> None:
    page = SweepPage(swept(folder, 0.5, 0.6).id).click("curves of sweep")
    assert "2 runs compared" in page.text


@pytest.mark.parametrize("text", ["", "{}", '{"version": 1, "runs": 7}'])
def test_a_damaged_sweep_gets_a_sentence_and_can_be_removed(folder: Path, text: str) -> None:
    sweep = swept(folder)
    (sweep.path / "sweep.json").write_text(text)
    page = SweepPage(sweep.id)
    assert "cannot be read" in plain(page.test.error[0].value)
    page.click("remove sweep")
    assert all_sweeps(Runs(folder)) == []


def test_only_points_on_the_front_have_their_names_beside_them() -> None:
    marks = [scatter.Mark(f"<i>{place}", place + 1, 0.5, 0.5, 0.5, place) for place in range(60)]
    line, *points = scatter.figure(marks, "macs", marks[:1])["data"]
    assert [point["mode"] for point in points] == ["markers+text"] + ["markers"] * 59
    assert points[0]["text"] == ["&lt;i&gt;0"]
    assert line["x"] == [1]
    assert not points[0]["error_y"]["visible"]


def test_of_very_many_points_those_behind_the_front_are_one_cloud() -> None:
    marks = [scatter.Mark(f"<i>{place}", place + 1, 0.5, 0.4, 0.6, place) for place in range(1000)]
    cloud, line, *points = scatter.figure(marks, "macs", marks[:2])["data"]
    assert cloud["x"] == list(range(3, 1001))
    assert cloud["text"][0] == "&lt;i&gt;2"
    assert "error_y" not in cloud
    assert line["x"] == [1, 2]
    assert [(point["mode"], point["error_y"]["visible"]) for point in points] == [("markers+text", True)] * 2
    assert len(json.dumps(scatter.figure(marks, "macs", marks[:2]))) < 50_000


# --- from Compare ----------------------------------------------------------------------------------------------


@pytest.fixture
def compare(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> Compare:
    """Two small networks side by side, on a machine that was measured."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(runs.path))
    rows.forget()
    page = Compare(arch=["1x4;hidden=none", "1x8,1x4;hidden=none"], input="1x32x32")
    return page.tab("train")


def fill(page: Compare, **texts: str) -> Compare:
    for name, text in texts.items():
        page.test.text_input(key=f"sweep {name}").set_value(text)
    return page.run()


def test_every_combination_is_started_after_a_look_at_the_forecast(compare: Compare, runs: Runs) -> None:
    fill(compare, seeds="3 4", sizes="28,40", widths="1, 2", epochs="7", name="mine")
    assert re.search(r"16 runs, one after the other: [\d.:]+ s? ?(to|–)", compare.text.replace("**", ""))
    compare.test.button(key="start sweep").click()
    compare.test.run()
    assert not compare.test.exception
    (sweep,) = all_sweeps(runs)
    asked = sweep.asked()
    assert asked.name == "mine"
    assert len(asked.configs) == 16
    assert {each.training.epochs for each in asked.configs.values()} == {7}
    assert {each.seed for each in asked.configs.values()} == {3, 4}
    assert compare.test.session_state["state"].sweep == sweep.id


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"seeds": ""}, "The seed must not be empty"),
        ({"seeds": "a"}, "must be a whole number, not “a”"),
        ({"seeds": "-1"}, "The seed must be from 0 to"),
        ({"sizes": "28, x"}, "The input size must be a whole number"),
        ({"sizes": "1"}, "."),
        ({"epochs": "0"}, "The number of epochs must be"),
        ({"widths": "0"}, "not a positive ratio"),
        ({"widths": "1/100"}, "channels"),
        ({"seeds": ",".join(map(str, range(600)))}, "from 1 to 1,000 runs"),
    ],
)
def test_what_cannot_be_trained_gets_a_sentence(compare: Compare, texts: dict[str, str], words: str) -> None:
    page = fill(compare, **texts)
    assert words in plain(page.test.error[0].value)
    assert "start sweep" not in {button.key for button in page.test.button}


def test_what_does_not_fit_is_left_out_and_the_rest_can_be_started(compare: Compare) -> None:
    compare.test.text_area(key="add text").set_value("alexnet").run()
    fill(compare, sizes="40")
    assert "Left out: AlexNet" in " ".join(plain(caption.value) for caption in compare.test.caption)
    assert compare.test.button(key="start sweep").label == "Start 6 runs"


def test_the_teachers_limits_hold(compare: Compare, runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VGGEXPLORER_MAX_PARAMS", "10")
    compare.click("start sweep")
    assert "The teacher allows 10 parameters" in plain(compare.test.error[0].value)
    assert all_sweeps(runs) == []


def test_nobody_starts_a_sweep_and_a_pupil_none_on_a_folder_of_the_server(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "person", lambda: NOBODY)
    with pytest.raises(InputError, match="To come in, open the link"):
        access.start_sweep(runs, [config()])
    monkeypatch.setattr(access, "person", lambda: Person("pupil", False))
    with pytest.raises(InputError, match="Only the teacher can name a folder"):
        access.start_sweep(runs, [config(), replace(config(), dataset=Dataset("folder", "/etc"))])
    assert all_sweeps(runs) == []
    assert access.start_sweep(runs, [config()]).asked().owner == "pupil"


# --- Chinese ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("best", [(), (0.5, None), (0.5, 0.8, 0.7, 0.9)])
def test_a_sweep_is_chinese(folder: Path, best: tuple[float | None, ...]) -> None:
    sweep = swept(folder, *best)
    write_json(sweep.path / "control.json", {"stop": True})
    page = SweepPage(sweep.id, locale="zh-CN")
    ours = [
        *OURS,
        re.escape("my <b>sweep</b> **x**"),
        re.escape(sweep.id),
        "seed",
        r"\d+x\d+",
        "hidden none",
        "hv|dot|skip",
    ]
    texts = [re.sub("|".join(ours), " ", plain(text), flags=re.DOTALL) for text in seen(page.test._tree)]
    assert has_chinese(texts)
    assert [text for text in texts if text not in STATUSES and english_in(text)] == []


@pytest.mark.usefixtures("chinese")
def test_the_form_is_chinese(compare: Compare) -> None:
    compare.test.text_area(key="add text").set_value("alexnet").run()
    form = fill(compare, sizes="40")
    texts = [text for block in form.test.main.children.values() for text in seen(block)]
    left = [
        re.sub("|".join([*OURS, "hidden none"]), " ", plain(text)) for text in texts if "训练" in text or "运行" in text
    ]
    assert left
    assert [text for text in left if english_in(text)] == []
