"""Train, run by Streamlit's own AppTest: what is set up, what Start starts, what is said of a run."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import live
import pytest
from conftest import ROOT, wait_until
from filelock import FileLock
from streamlit.testing.v1 import AppTest
from test_i18n import all_chinese, explore  # noqa: F401 (a fixture)
from test_pages import Explore, plain

from vggexplorer.architectures import NETWORKS
from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.formatting import exact, size
from vggexplorer.layers import shape_text
from vggexplorer.runs import datasets, folders, launch
from vggexplorer.runs.config import RECIPES, Config, as_row, command, picked, recipe
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.demo import ROWS, pick
from vggexplorer.runs.devices import Device
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Status, Word
from vggexplorer.runs.survey import ROLLS, Near, Picture, Shown, Sizes, Survey
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network
from vggexplorer.ui import jobs, widgets
from vggexplorer.ui import pictures as drawn_pictures
from vggexplorer.ui.run import start_button
from vggexplorer.ui.train import dataset, downloading

TRAIN = str(ROOT / "pages" / "train.py")
CPU = Device("cpu", "9700X", 8 * 2**30, 2.0)
SLIM = NETWORKS["VGG-11 slim"]


@pytest.fixture(autouse=True)
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """A folder of runs where the devices are known, and nobody trains."""
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path))
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [CPU])
    return Runs(tmp_path)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Config]:
    """What was started; the runs are made, but not trained."""
    configs: list[Config] = []

    def start(runs: Runs, config: Config, name: str | None = None, owner: str = "", **_: object) -> Run:
        configs.append(config)
        return runs.create(config, name)

    monkeypatch.setattr(launch, "start", start)
    return configs


class Train(Explore):
    """The page in a session of its own."""

    def __init__(self, **params: str | list[str]) -> None:
        self.test = AppTest.from_file(ROOT / "vggexplorer" / "ui" / "main.py", default_timeout=30)
        self.test.context = {"locale": "en-US"}
        self.test.run()
        self.test = self.test.switch_page(TRAIN)
        for key, value in params.items():
            self.test.query_params[key] = value
        for key in ("state", "own network"):
            del self.test.session_state[key]
        self.run()

    @property
    def metrics(self) -> list[str]:
        return [metric.value for metric in self.test.metric]

    @property
    def captions(self) -> str:
        return " ".join(plain(caption.value) for caption in self.test.caption)


def a_run(runs: Runs, **files: Any) -> Run:
    """A run whose trainer left these files: JSON, or lines of JSON for a list."""
    network = parse_network({"arch": "1x4", "hidden": "none"})
    run = runs.create(Config(network=network, training=recipe("quick-demo", network)))
    for name, content in files.items():
        lines = content if isinstance(content, list) else [content]
        path = run.path / {"metrics": "metrics.jsonl", "heartbeat": "heartbeat"}.get(name, f"{name}.json")
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return run


RECORD = {
    **{"step": 47, "epoch": 1.0, "examples": 3000, "batch_loss": 0.5, "train_loss": 0.6123, "train_acc": 0.7012},
    **{"lr": 0.02, "examples_per_sec": 1234.4, "examples_per_sec_wall": 1100.0, "seconds": 75.0, "memory": 2**30},
    **{"test_loss": 0.55, "test_acc": 0.7654},
}
ENVIRONMENT = {"device": "cpu", "num_steps": 141, "steps_per_epoch": 47, "precision": "float32", "time": "now"}


# --- setting up --------------------------------------------------------------------------------------------


def test_a_first_visit_offers_the_slim_vgg_with_the_quick_demo(started: list[Config]) -> None:
    page = Train()
    assert page.errors == []
    network = parse_network({"arch": "vgg11-slim"})
    trained = Config(network=network, training=recipe("quick-demo", network)).trained
    totals = summarize(*trained).totals
    assert page.metrics[:4] == [exact(totals.params), exact(totals.macs), shape_text(trained.input_shape), "3 × 47"]
    assert "1×224×224 → 1×32×32" in page.captions
    assert "43,093,322" in page.captions
    page.click("start")
    assert [config.network for config in started] == [network]


def test_an_edited_network_is_taken(started: list[Config]) -> None:
    page = Train(arch="alexnet", head="gap").click("start")
    assert started[0].network == parse_network({"arch": "alexnet", "head": "gap"})
    assert started[0].trained.input_shape == (1, 65, 65)
    assert page.params["arch"] == "alexnet"


def test_a_chosen_vgg11_stays_after_a_reload() -> None:
    page = Train().set("preset", "VGG-11")
    assert page.params["arch"] == "vgg11"
    again = Train(arch="vgg11")
    assert again.widget("preset").value == "VGG-11"


def test_the_recipe_and_everything_else_can_be_changed(started: list[Config]) -> None:
    page = Train().set("recipe", "d2l-vgg")
    page.set("training epochs", 2).set("training lr", 0.5).set("training input_size", "96").set("seed", 7)
    page.set("training conv_init", "kaiming").set("training batch_norm", "yes").set("training flip", True)
    page.set("training images", "1000").set("training schedule", "linear")
    assert page.metrics[3] == "2 × 8"
    page.click("start")
    training = started[0].training
    assert (training.images, training.schedule) == (1000, "linear")
    assert (training.epochs, training.lr, training.input_size, started[0].seed) == (2, 0.5, 96, 7)
    assert (training.conv_init, training.batch_norm, training.flip, training.momentum) == ("kaiming", True, True, 0.0)
    page.click("back to recipe")
    assert page.widget("training epochs").value == RECIPES["d2l-vgg"].epochs


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("training lr", 0.0, "learning rate must be above 0"),
        ("training epochs", 0, "number of epochs must be from 1"),
        ("training batch_size", 0, "batch size must be from 1"),
        ("training momentum", 1.0, "momentum must be at least 0 and below 1"),
        ("training dropout", "1", "dropout must be at least 0 and below 1"),
        ("seed", -1, "seed must be from 0"),
    ],
)
def test_what_is_out_of_bounds_is_said_and_the_field_gets_its_value_back(field: str, value: float, words: str) -> None:
    page = Train()
    before = page.widget(field).value
    page.set(field, value)
    assert words in page.errors[0]
    assert page.widget(field).value == before


@pytest.mark.parametrize(("field", "value", "words"), [("training input_size", "31", "32")])
def test_what_the_network_cannot_take_is_said_and_not_started(field: str, value: str, words: str) -> None:
    page = Train().set(field, value)
    assert words in page.errors[0]
    assert "start" not in [button.key for button in page.test.button]
    assert page.widget(field).value == value


@pytest.mark.parametrize("text", ["much", "nan", "1e999"])
def test_an_optional_number_that_is_none_is_refused(text: str) -> None:
    page = Train().set("training time_budget", text)
    assert "must be a number" in page.errors[0]
    assert page.widget("training time_budget").value == ""


def test_an_optional_number_can_be_emptied_again(started: list[Config]) -> None:
    page = Train().set("training dropout", "0.3").set("training time_budget", "20")
    page.set("training dropout", "").set("training time_budget", "").click("start")
    assert (started[0].training.dropout, started[0].training.time_budget) == (None, None)


def test_fewer_classes_than_the_data_has_are_refused() -> None:
    assert "Fashion-MNIST has 10 classes" in Train(classes="9").errors[0]


def test_the_data_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = Train()
    assert "6,000 images to train, 1,000 to test" in page.captions
    monkeypatch.setattr(datasets, "find", lambda _: None)
    assert "Not found on this computer." in page.set("dataset", "full").captions
    assert page.widget("download data") is not None
    monkeypatch.setattr(datasets, "find", lambda _: tmp_path)
    assert str(tmp_path) in page.run().captions


def test_a_folder_of_images_is_named(started: list[Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "MOMENT", 0)
    monkeypatch.setattr(folders, "TIMES", 0)
    page = Train().set("dataset", "folder")
    assert page.errors == ["Choose a folder that has one subfolder for each class."]
    for name in ("cat", "dog", "empty"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for number in range(2 if name != "empty" else 0):
            (tmp_path / "mine" / name / f"{number}.png").write_bytes(b"")
    page.set("data folder", str(tmp_path / "mine"))
    assert "“empty”" in page.errors[0]
    (tmp_path / "mine" / "empty").rmdir()
    page.run()
    words = "2 classes, with the number of files to train and to test on: “cat” (1 + 1), “dog” (1 + 1)"
    assert words in page.captions
    assert "The first of every 7 pictures of a class is for testing." in page.captions
    assert "could not be used" not in page.text
    (tmp_path / "mine" / "cat" / "gone.png").symlink_to("nowhere")
    (tmp_path / "mine" / "cat" / "2.heic").touch()
    assert "“cat/gone.png”: not a file" in page.run().text
    assert "1 file has a name of a kind that is not read: .heic (1)." in page.captions
    assert "1 file could not be used" in [each.label for each in page.test.expander]
    page.click("fit classes").click("start")
    assert str(started[0].dataset) == f"folder:{tmp_path / 'mine'}"
    assert started[0].network.architecture.num_classes == 2
    assert page.errors == []


# --- the data ----------------------------------------------------------------------------------------------


def one_pixel(level: int) -> Picture:
    return dict(drawn_pictures.grey(bytes([level]), 1, 1))


def rolled(first: int) -> list[list[Shown]]:
    """A picture for each roll, as light as its number says."""
    return [[Shown(one_pixel(roll), "bag")] for roll in range(first, first + ROLLS)]


NEAREST = Near(3, (one_pixel(1), one_pixel(2)), ("bag", "coat"), ("train", "test"), ("a/1.png", "b/2.png"))
FOUND = Survey(
    counts={"bag": (300, 20), "coat": (100, 5)},
    mean=(0.25,),
    spread=(0.5,),
    sizes=Sizes(40, (10, 20), (30, 40), (50, 60), enlarged=10, squeezed=4),
    said=(Remark("The first of every {n} pictures of a class is for testing.", {"n": 7}),),
    odd=("“a/x.png”: not a picture",),
    num_odd=1,
    distance=15,
    bits=512,
    compared=425,
    alike=2,
    across=2,
    nearest=(NEAREST,),
)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """From which rolls on pictures were asked for; all answers come at once."""
    firsts: list[int] = []
    monkeypatch.setattr(dataset, "survey", lambda *_: FOUND)
    monkeypatch.setattr(dataset, "rolls", lambda _, first, __: firsts.append(first) or rolled(first))
    monkeypatch.setattr(jobs.Job, "running", property(lambda job: bool(job._thread.join(30))))
    return firsts


@pytest.mark.torch
def test_the_pictures_are_read_when_somebody_asks(asked: list[int]) -> None:
    page = Train()
    assert "Of 425 pictures" not in page.text
    page.click("read pictures")
    for sentence in (
        "There are 3 times as many training pictures of bag as of coat.",
        "A network that takes everything for bag is right in 80.0 % of the test.",
        "mean 0.2500, standard deviation 0.5000",
        "Of 40 files looked at, the smallest is 10×20, the middle one 30×40, the largest 50×60 (height × width).",
        "25.0 % are smaller than 32×32 and made larger",
        "10.0 % have another shape and are squeezed into 32×32.",
        "The first of every 7 pictures of a class is for testing.",
        "Of 425 pictures **2** look like another one (at most 15 of 512 bits of their difference hashes differ)",
    ):
        assert sentence in page.text.replace("\xa0", " ")
    assert "1 file could not be used" in [each.label for each in page.test.expander]
    near = live.data(page.test, "near 0")["items"]
    assert [each["caption"] for each in near] == ["bag\nto train on\na/1.png", "coat\nto test on\nb/2.png"]
    assert asked == [0]


@pytest.mark.torch
def test_the_dice_draws_others_and_asks_for_more_when_all_were_seen(asked: list[int]) -> None:
    page = Train().click("read pictures")
    seen = [live.data(page.test, "drawn")["items"][0]["picture"]]
    for _ in range(ROLLS):
        page.click("dice")
        seen.append(live.data(page.test, "drawn")["items"][0]["picture"])
    assert seen == [one_pixel(roll) for roll in range(ROLLS + 1)]
    assert asked == [0, ROLLS]


@pytest.mark.torch
def test_what_was_read_is_of_the_data_and_the_size_that_are_chosen(asked: list[int]) -> None:
    """With another input, pictures are read anew; with other chance, others are drawn."""
    page = Train().click("read pictures")
    assert "nothing changed at random" in page.captions
    page.set("training flip", True)
    assert "every other one mirrored" in page.captions
    assert live.data(page.test, "drawn") == {}
    page.click("dice")
    assert asked == [0, 0]
    page.set("training input_size", "64")
    assert "Of 425 pictures" not in page.text
    assert [each.label for each in page.test.button].count("Read all pictures") == 1


@pytest.mark.torch
def test_data_that_cannot_be_read_gets_a_sentence_and_another_try(
    asked: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Survey:
        raise InputError("The class {name} in {folder} has no files.", name="“bag”", folder="“x”")

    monkeypatch.setattr(dataset, "survey", refuse)
    page = Train().click("read pictures")
    assert page.errors == ["The class “bag” in “x” has no files."]
    monkeypatch.setattr(dataset, "survey", lambda *_: FOUND)
    assert "Of 425 pictures" in page.click("read pictures").text


# --- starting ----------------------------------------------------------------------------------------------


def test_start_shows_the_run_and_a_double_click_makes_no_second(
    started: list[Config], runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(widgets, "DOUBLE_CLICK", 60.0)
    page = Train().click("start")
    assert page.params["run"] == next(run.id for run in runs.all(recorded=False))
    page.click("start")
    assert len(started) == 1


def test_two_starts_make_two_runs(started: list[Config], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(widgets, "DOUBLE_CLICK", 0.0)
    Train().click("start").click("start")
    assert len(started) == 2


def test_a_reload_makes_no_run(started: list[Config]) -> None:
    page = Train().click("start").run()
    Train(run=page.params["run"]).run()
    assert len(started) == 1


def test_train_comes_back_to_what_trains_or_was_started_here_last(started: list[Config], runs: Runs) -> None:
    page = Train().click("start")
    (mine,) = (run.id for run in runs.all(recorded=False))
    seen = a_run(runs)

    def by_way_of_runs() -> str | None:
        page.test.switch_page(str(ROOT / "pages" / "runs.py"))
        page.test.query_params.clear()
        page.test.query_params["run"] = seen.id
        page.run()
        page.test.switch_page(TRAIN)
        page.test.query_params.clear()
        return page.run().params.get("run")

    assert by_way_of_runs() == mine
    with FileLock(seen.path / "run.lock"):  # somebody trains it
        assert by_way_of_runs() == seen.id
    assert by_way_of_runs() == mine


@pytest.mark.torch
def test_a_run_that_cannot_be_started_is_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VGGEXPLORER_RUNS", str(tmp_path / "file" / "runs"))
    (tmp_path / "file").write_text("")
    page = Train().click("start")
    assert "could not be written" in page.errors[0]


# --- a run -------------------------------------------------------------------------------------------------


def test_a_finished_run_says_what_the_book_prints(runs: Runs) -> None:
    outcome = {"status": "finished", "loss": 0.6123, "train_acc": 0.7012, "test_acc": 0.7654, "step": 47, "seconds": 75}
    run = a_run(runs, metrics=[RECORD], environment=ENVIRONMENT, outcome=outcome)
    page = Train(run=run.id)
    figures = live.run_figures(page.test)
    assert (figures["Train loss"], figures["Train accuracy"]) == ("0.612", "0.701")
    assert next(iter(figures.items())) == ("Last test accuracy", "0.765")
    assert figures["Time"] == "1:15"
    assert figures["Examples per second"] == "1,234"
    told = live.watched(page.test)
    assert "1,100 examples/s with testing" in told["progress"]
    assert "finished" in told["badge"]["text"]


ON_A_GPU = ENVIRONMENT | {"device": "cuda:0", "title": "NVIDIA H100", "precision": "bfloat16"}
SAMPLE = {
    **{"seconds": 9.0, "utilization": 97, "memory": 5 * 2**30, "memory_total": 80 * 2**30, "temperature": 61},
    **{"power": 455.6, "power_limit": 700.0, "took": 0.4},
}


def running(run: Run, monkeypatch: pytest.MonkeyPatch, sample: dict[str, Any]) -> Train:
    """The page while the trainer of `run` lives and has sampled its device."""
    (run.path / "telemetry.jsonl").write_text(json.dumps(sample) + "\n")
    monkeypatch.setattr(Run, "status", lambda *_: Status(Word.RUNNING, 47))
    return Train(run=run.id)


def test_a_run_on_a_gpu_shows_what_nvidia_smi_does(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    page = running(a_run(runs, metrics=[RECORD], environment=ON_A_GPU), monkeypatch, SAMPLE)
    figures = live.run_figures(page.test)
    shown = {"Temperature": "61 °C", "Power": "456 / 700 W", "GPU busy": "97 %"}
    shown["Memory in use"] = f"{size(5 * 2**30)} / {size(80 * 2**30)}".replace("\xa0", " ")
    assert figures.items() >= shown.items()
    assert "NVIDIA H100 · bfloat16" in live.watched(page.test)["about"]
    assert page.captions.count("A GPU's sums come in another order each time") == 1


def test_a_run_on_a_processor_shows_what_a_processor_has(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    page = running(a_run(runs, environment=ENVIRONMENT), monkeypatch, {"utilization": 93.4, "memory": 2**30})
    figures = live.run_figures(page.test)
    assert figures.items() >= {"Memory in use": size(2**30).replace("\xa0", " "), "Processors busy": "93 %"}.items()
    assert not {"GPU busy", "Temperature", "Power"} & figures.keys()
    assert "bits" not in page.captions


@pytest.mark.parametrize("changed", [None, {"step": 30, "what": "threads", "before": "2", "now": "1"}])
def test_a_stopped_run_promises_no_more_than_holds(runs: Runs, changed: dict[str, Any] | None) -> None:
    outcome = {"status": "stopped", "step": 47}
    run = a_run(runs, metrics=[RECORD], environment=ENVIRONMENT | {"changed": changed}, outcome=outcome)
    page = Train(run=run.id)
    assert live.watched(page.test)["explained"] == "Stopped at step 47. Resume goes on there."
    said = "Since step 30 another kind of step goes on with it (threads: 1, before 2)"
    assert (said in page.captions) is bool(changed)


def test_what_exact_bits_cost_is_said_before_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Train()
    assert "bits" not in page.captions
    assert "costs nothing there" in page.set("training exact", True).captions
    gpu = Device("cuda:0", "NVIDIA H100", 80 * 2**30, 2.0)
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [gpu, CPU])
    page = Train()
    assert "another order each time" in page.captions
    assert "How much longer an exact step takes was not measured here." in page.captions
    monkeypatch.setattr(start_button, "known_price", lambda *_: 1.3)
    assert "An exact step takes 1.30× as long here." in page.set("training exact", True).captions
    assert "another order each time" not in page.captions


def test_an_interrupted_run_says_where_and_can_be_resumed(runs: Runs, monkeypatch: pytest.MonkeyPatch) -> None:
    beat = {"beat": 9, "phase": "training", "step": 47, "ahead": 0}
    run = a_run(runs, metrics=[RECORD], environment=ENVIRONMENT, heartbeat=beat)
    page = Train(run=run.id)
    assert "interrupted at step 47" in live.watched(page.test)["explained"]
    resumed: list[str] = []
    monkeypatch.setattr(launch, "resume", lambda _, run: resumed.append(run.id))
    page.click("resume run")
    assert resumed == [run.id]


def test_a_failed_run_says_why(runs: Runs) -> None:
    reason = {"text": "x", "template": "The disk is full; free some space, then resume the run.", "values": {}}
    run = a_run(runs, outcome={"status": "failed", "reason": reason})
    assert Train(run=run.id).errors == ["The disk is full; free some space, then resume the run."]


def test_a_damaged_config_is_a_sentence(runs: Runs) -> None:
    run = a_run(runs)
    (run.path / "config.json").write_text("{")
    assert Train(run=run.id).errors == ["The file config.json does not describe a run."]


def test_an_unknown_run_is_said_to_be_missing() -> None:
    page = Train(run="20990101-000000-nothing-ffff")
    assert "There is no run 20990101-000000-nothing-ffff here." in plain(page.test.warning[0].value)
    assert Train(run="../../etc").errors == ["There is no run “../../etc” here."]


def test_a_close_look_at_a_step(runs: Runs) -> None:
    picture = {"width": 1, "height": 1, "channels": 1, "bytes": "AA=="}
    pictures = [{"picture": picture, "label": 0, "guess": 1, "chance": 0.25}]
    view = {"step": 8, "loss": 2.3, "correct": 0, "examples": 1, "gradients": {"features.0": 0.5}, "pictures": pictures}
    environment = ENVIRONMENT | {"classes": list(datasets.CLASSES)}
    beat = {"beat": 3, "phase": "paused", "step": 8, "ahead": 0}
    run = a_run(runs, metrics=[RECORD], environment=environment, step=view, heartbeat=beat)
    with FileLock(run.path / "run.lock"):
        page = Train(run=run.id)
    (norms,) = (item for item in page.test.get("bidi_component") if item.key == "gradients")
    assert json.loads(norms.proto.json)["rows"] == [{"name": "features.0", "text": "0.5", "share": 1.0}]
    assert "0 of 1 right" in page.text
    (run.path / "outcome.json").write_text(json.dumps({"status": "stopped", "reason": None, "step": 8}))
    assert "0 of 1 right" in Train(run=run.id).text, "after a stop, too"
    (run.path / "outcome.json").write_text(json.dumps({"status": "stopped", "reason": None, "step": 9}))
    assert "0 of 1 right" not in Train(run=run.id).text


@pytest.mark.parametrize(("accuracy", "words"), [(0.912, "This run is inside."), (0.93, "This run is outside.")])
def test_the_books_own_run_stands_beside_the_published_figures(runs: Runs, accuracy: float, words: str) -> None:
    network = NETWORKS["VGG-11 slim"]
    run = runs.create(Config(network=network, training=recipe("d2l-vgg", network), dataset=Dataset("full")))
    outcome = {"status": "finished", "loss": 0.2, "train_acc": 0.93, "test_acc": accuracy, "step": 4690}
    (run.path / "outcome.json").write_text(json.dumps(outcome))
    page = Train(run=run.id)
    assert "Over 73 published builds of the book the test accuracy was from 0.900 to 0.925." in page.captions
    assert words in page.captions
    assert all(figure in page.text for figure in ("0.924", "746.9 examples/sec", "3,598 MiB", "98 W"))
    band = [item for item in page.test.get("bidi_component") if item.key == "curves"]
    assert json.loads(band[0].proto.json)["band"]["high"] == 0.925


@pytest.mark.torch
def test_a_failed_download_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise InputError("There is no way to the internet.")

    monkeypatch.setattr(datasets, "find", lambda _: None)
    monkeypatch.setattr(downloading, "answer", fail)
    page = Train().set("dataset", "full").click("download data")
    wait_until(lambda: not jobs.find("download full").running)
    assert [plain(warning.value) for warning in page.run().test.warning] == ["There is no way to the internet."]


# --- in Chinese --------------------------------------------------------------------------------------------


def test_it_is_chinese(explore: Callable[..., AppTest], runs: Runs) -> None:  # noqa: F811
    page = explore().switch_page(TRAIN).run()
    all_chinese(page)


# --- the row of the quick demo -----------------------------------------------------------------------------------


def test_the_page_says_which_row_a_device_gets_and_trains_it(
    monkeypatch: pytest.MonkeyPatch, started: list[Config]
) -> None:
    """A slow processor is offered a time budget; what is asked for explicitly stays."""
    slow = CPU._replace(pace=1e-9)
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [slow])
    page = Train()
    found = pick(SLIM, slow.speed("bfloat16"))
    assert found.row == ROWS[0]
    for remark in found.said():
        assert plain(str(remark)) in plain(page.captions)
    page.click("time budget")
    page.click("start")
    assert started[0].training == replace(as_row(found.row, SLIM), time_budget=30.0)
    assert [code.value for code in page.test.code if code.value == command(started[0])]


def test_an_input_that_is_chosen_gets_the_row_that_fits_it_and_what_is_chosen_besides_stays(
    monkeypatch: pytest.MonkeyPatch, started: list[Config]
) -> None:
    fast = CPU._replace(pace=3e-11)
    monkeypatch.setattr("vggexplorer.runs.devices.known", lambda _: [fast])
    page = Train()
    page.test.text_input(key="training input_size").set_value("224").run()
    page.test.number_input(key="training epochs").set_value(4).run()
    page.click("start")
    images = picked(SLIM, fast.speed("bfloat16"), {"input_size": 224}).row.images
    assert images < picked(SLIM, fast.speed("bfloat16")).row.images
    training = started[0].training
    assert (training.input_size, training.epochs, training.images) == (224, 4, images)
