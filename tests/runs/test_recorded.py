"""The runs that ship with the package: whole, labelled, light, and without contradictions."""

import zipfile
from pathlib import Path

import pytest
from conftest import ROOT

from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.folder import archive
from vggexplorer.runs.folder.layout import RECORDED
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.trainer.worker import closing_lines
from vggexplorer.text import title

RUNS = [Run(path) for path in sorted(RECORDED.iterdir()) if path.is_dir()]


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_a_recorded_run_is_whole_and_labelled(run: Run) -> None:
    config, outcome, environment = run.config(), run.outcome(), run.environment()
    assert outcome is not None
    assert outcome.status == "finished"
    assert config.dataset == Dataset("full")
    assert config.training.recipe.startswith("d2l-")
    assert environment["title"]
    assert environment["train_examples"] == 60_000
    assert run.created() is not None
    assert run.recorded
    assert not run.resumable(run.status())


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_its_figures_agree(run: Run) -> None:
    outcome, records = run.outcome(), run.records()
    assert outcome is not None
    last = records[-1]
    assert (last.step, last.train_loss, last.train_acc, last.test_acc) == (
        *(outcome.step, outcome.loss, outcome.train_acc),
        outcome.test_acc,
    )
    tested = [record.test_acc for record in records if record.test_acc is not None]
    assert outcome.best_test_acc == max(tested)
    assert [record.step for record in records] == sorted({record.step for record in records})
    result = run.json("result.json")
    cells = result["confusion"]
    assert [sum(row) for row in cells] == [1_000] * 10
    assert sum(cells[place][place] for place in range(10)) == round(10_000 * result["test_acc"])
    assert result["test_acc"] == outcome.test_acc
    assert closing_lines(last, "cpu")[0].startswith("loss 0.")


def test_they_are_light() -> None:
    assert all(run.weights() is None for run in RUNS)
    assert sum(run.size() for run in RUNS) < 2**20


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_each_is_the_content_of_its_archive(run: Run, tmp_path: Path) -> None:
    archive.pack(run, tmp_path / "run.zip")
    with zipfile.ZipFile(tmp_path / "run.zip") as packed:
        inside = {name: packed.read(name) for name in packed.namelist() if name != archive.MANIFEST}
    assert inside == {path.relative_to(run.path).as_posix(): path.read_bytes() for path in run.path.rglob("*.*")}


def test_they_are_in_every_list(tmp_path_factory: pytest.TempPathFactory) -> None:
    listed = Runs(tmp_path_factory.mktemp("empty")).all()
    assert [run.id for run in listed] == [run.id for run in RUNS]


THREADS = {"README.md": ", {} threads, ", "README.zh-CN.md": "，{} 个线程，"}


def row(run: Run, threads: str) -> str:
    """A run's line in a README."""
    config, outcome, environment = run.config(), run.outcome(), run.environment()
    assert outcome is not None
    side = config.trained.input_shape[1]
    epochs = f"{outcome.step / environment['steps_per_epoch']:.4g}"
    figures = " | ".join(f"{value or 0:.3f}" for value in (outcome.loss, outcome.train_acc, outcome.test_acc))
    about = f"{title(config.network)} | {config.training.recipe} | {side} | {epochs} | {figures}"
    device = environment["title"] + threads.format(environment["threads"]) + environment["precision"]
    return f"| {about} | {outcome.examples_per_sec or 0:.0f} | {device} |"


@pytest.mark.parametrize("readme", THREADS)
@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_the_readme_says_what_was_recorded(run: Run, readme: str) -> None:
    table = (ROOT / readme).read_text("utf-8").partition("<!-- recorded-table -->")[2]
    assert row(run, THREADS[readme]) in table
