"""The training loop: against a plain loop in the book's manner, stopped and resumed, looked at, led astray."""

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vggexplorer.errors import InputError
from vggexplorer.pytorch import data, look, machine, step, weights
from vggexplorer.pytorch.chance import make_network, order_of, seed_of
from vggexplorer.pytorch.loop import Trainer, fit
from vggexplorer.pytorch.optimizers import SGD
from vggexplorer.pytorch.step import Plain, Task
from vggexplorer.runs import verdict
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import Dataset
from vggexplorer.runs.folder import safetensors
from vggexplorer.runs.folder.records import TIMING, Record
from vggexplorer.runs.options import INITS, Training
from vggexplorer.runs.trainer import rhythm
from vggexplorer.runs.trainer.session import Command, Session
from vggexplorer.text import parse_network

SMALL = parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "none"})
PLAIN = Training(epochs=2, batch_size=500, lr=0.1, precision="float32")
EVERYTHING = replace(
    PLAIN,
    **{"momentum": 0.9, "weight_decay": 1e-3, "batch_norm": True, "flip": True, "crop": 2, "brightness": 0.2},
    lr=0.05,
    schedule="linear",
)
ADAM = replace(PLAIN, optimizer="adam", lr=0.003, weight_decay=1e-3, schedule="cosine", warmup=0.5, batch_norm=True)
WITH_DROPOUT = parse_network({"arch": "1x4,1x8", "input": "1x28x28", "hidden": "16", "dropout": "0.5"})
Data = tuple[Tensor, Tensor, Tensor, Tensor]


def config(network: Any = SMALL, **training: Any) -> Config:
    return Config(network=network, training=replace(PLAIN, **training), device="cpu")


@pytest.fixture(autouse=True)
def _no_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Threads that wait for each other are slow where tests run side by side; records do not depend on the time."""
    before = torch.get_num_threads()
    monkeypatch.setattr(machine, "threads", lambda *_: 1)
    torch.set_num_threads(1)
    monkeypatch.setattr(rhythm, "APART", 0.0)  # each step has its record
    yield
    torch.set_num_threads(before)


class Keeper(Session):
    """Keeps all it is told; its commands come from `commands`, one for each question, then it is GO."""

    def __init__(self, path: Path | None = None, commands: Iterable[Command] = (), view_at: int | None = None) -> None:
        self.path = path
        self.commands = iter(commands)
        self.view_at = view_at
        self.phases: list[str] = []
        self.views: list[Mapping[str, Any]] = []
        self.saves = self.sleeps = 0
        self.environment: Mapping[str, Any] = {}
        self.result: Mapping[str, Any] = {}
        self.reason: InputError | None = None
        self.weights: dict[str, Tensor] = {}
        self.kept: list[tuple[int, float]] = []

    def end(self, reason: InputError) -> None:
        self.reason = reason

    def begin(self, environment: Mapping[str, Any]) -> None:
        self.environment = environment

    def phase(self, name: str) -> None:
        self.phases.append(name)

    def command(self, step: int) -> Command:
        return next(self.commands, Command.GO)

    def sleep(self) -> None:
        self.sleeps += 1

    def wants_view(self, step: int) -> bool:
        return step == self.view_at

    def show(self, view: Mapping[str, Any]) -> None:
        self.views.append(view)

    def checkpoint(self) -> Path | None:
        return self.path if self.path and self.path.exists() else None

    def save(self, write: Callable[[Path], None]) -> None:
        self.saves += 1
        if self.path:
            write(self.path)

    def keep_best(self, write: Callable[[Path], None]) -> None:
        """The checkpoint is that of the very weights that are kept."""
        assert self.path
        write(best := self.path.with_name("best"))
        texts, tensors = safetensors.metadata(best), weights.load(best)
        checkpoint = weights.load(self.path)
        assert texts["step"] == safetensors.metadata(self.path)["step"]
        assert all(torch.equal(tensor, checkpoint[name]) for name, tensor in tensors.items())
        self.kept.append((int(texts["step"]), float(texts["test_acc"])))

    def finish(
        self, write: Callable[[Path], None], result: Mapping[str, Any], reason: InputError | None = None
    ) -> None:
        assert self.path
        write(self.path.with_name("model"))
        self.weights = weights.load(self.path.with_name("model"))
        self.result, self.reason = result, reason


def timeless(records: Iterable[Record]) -> list[dict[str, Any]]:
    return [{name: value for name, value in record.to_json().items() if name not in TIMING} for record in records]


# --- against a plain loop --------------------------------------------------------------------------------


def plain_network() -> nn.Sequential:
    """A slim VGG as the book writes it, of PyTorch's own parts."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2)),
        nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2, 2)),
        *(nn.Flatten(), nn.Linear(8 * 7 * 7, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10)),
    )


def train_ch6(
    net: nn.Module, pictures: Data, epochs: int, batch_size: int, lr: float, seed: int, falls: bool
) -> list[tuple[float, float, float, float]]:
    """The book's loop, a step at a time: mean loss, training and test accuracy, last learning rate of each epoch."""
    images, labels, test_images, test_labels = pictures
    optimizer = torch.optim.SGD(net.parameters(), lr=lr)
    steps = epochs * math.ceil(len(labels) / batch_size)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0 if falls else 1, steps)
    measure = nn.CrossEntropyLoss()
    figures = []
    step = 0
    for epoch in range(epochs):
        metric = [0.0, 0.0, 0]
        rows = order_of(seed, epoch, len(labels)).tolist()
        for start in range(0, len(rows), batch_size):
            net.train()
            chosen = rows[start : start + batch_size]
            x = torch.stack([images[row].float() / 255 for row in chosen])
            y = torch.stack([labels[row] for row in chosen])
            torch.manual_seed(seed_of(seed, "step", step))
            optimizer.zero_grad()
            scores = net(x)
            loss = measure(scores, y)
            loss.backward()
            (used,) = scheduler.get_last_lr()
            optimizer.step()
            scheduler.step()
            with torch.no_grad():
                metric[0] += float(loss) * len(chosen)
                metric[1] += float((scores.argmax(1) == y).sum())
                metric[2] += len(chosen)
            step += 1
        net.eval()
        with torch.no_grad():
            right = float((net(test_images.float() / 255).argmax(1) == test_labels).float().mean())
        figures.append((metric[0] / metric[2], metric[1] / metric[2], right, used))
    return figures


@pytest.mark.parametrize("schedule", ["constant", "linear"])
def test_it_trains_as_a_plain_loop_in_the_books_manner(tmp_path: Path, schedule: str) -> None:
    asked = config(WITH_DROPOUT, batch_size=512, lr=0.05, epochs=2, schedule=schedule)
    net = plain_network()
    start = list(make_network(asked).parameters())
    with torch.no_grad():
        for own, other in zip(net.parameters(), start, strict=True):
            own.copy_(other)
    pictures = data.load(Dataset("sample"), (1, 28, 28))[:4]
    figures = train_ch6(net, pictures, 2, 512, 0.05, asked.seed, schedule == "linear")
    keeper = Keeper(tmp_path / "checkpoint")
    records = list(fit(asked, keeper))
    assert records[-1].step == 24  # 6,000 examples make 11 whole batches and a smaller one
    for own, other, before in zip(net.parameters(), keeper.weights.values(), start, strict=True):
        torch.testing.assert_close(own.detach(), other, rtol=0, atol=1e-5)
        assert not torch.allclose(other, before, atol=1e-4)
    ends = [record for record in records if record.test_acc is not None]
    assert [record.step for record in ends] == [12, 24]
    for record, (loss, train_acc, test_acc, lr) in zip(ends, figures, strict=True):
        assert record.train_loss == pytest.approx(loss, abs=1e-5)
        assert record.train_acc == pytest.approx(train_acc, abs=2 / 6000)
        assert record.test_acc == pytest.approx(test_acc, abs=2 / 1000)
        assert record.lr == pytest.approx(lr)


def test_labels_are_smoothed_in_training_alone() -> None:
    """With smoothing s, the loss is (1 - s) of the plain one and s of the mean over all classes taken for right."""
    plain, smoothed = (Trainer(config(label_smoothing=share), Session()) for share in (0.0, 0.3))
    rows = torch.arange(50)
    scores, loss = plain.descent.learn(rows, 0.1)
    same, smooth = smoothed.descent.learn(rows, 0.1)
    assert torch.equal(scores, same)
    spread = -torch.log_softmax(scores, 1).mean()
    assert smooth.item() == pytest.approx(0.7 * loss.item() + 0.3 * spread.item())
    smoothed.net.load_state_dict(plain.net.state_dict())
    assert smoothed.test()[:2] == plain.test()[:2]


def test_it_learns() -> None:
    last = list(fit(config(batch_size=100, epochs=1, momentum=0.9, batch_norm=True)))[-1]
    assert last.test_acc is not None
    assert last.test_acc > 0.6


# --- records ---------------------------------------------------------------------------------------------


def test_records_count_steps_epochs_and_examples() -> None:
    records = list(fit(config(batch_size=700)))  # 9 batches, the last one of 400
    assert [record.step for record in records] == list(range(1, 19))
    assert [record.examples for record in records] == [
        epoch * 6000 + min(700 * step, 6000) for epoch in range(2) for step in range(1, 10)
    ]
    assert records[8].epoch == 1
    assert [record.test_acc is not None for record in records] == [step in (9, 18) for step in range(1, 19)]
    assert all(0 < record.examples_per_sec_wall <= record.examples_per_sec for record in records)
    assert all(first.seconds < second.seconds for first, second in pairwise(records))
    assert records[0].batch_loss == pytest.approx(records[0].train_loss)
    assert records[9].train_loss == pytest.approx(records[9].batch_loss)  # the sums begin anew


def test_an_epoch_is_once_over_the_images_that_are_used(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "checkpoint")
    records = list(fit(config(batch_size=700, images=1500), keeper))
    assert [record.examples for record in records] == [700, 1400, 1500, 2200, 2900, 3000]
    counts = [keeper.environment[name] for name in ("train_examples", "test_examples", "steps_per_epoch")]
    assert counts == [1500, 1000, 3]


def test_where_steps_are_quick_there_are_the_books_points_and_those_where_the_run_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rhythm, "APART", 10**9)
    asked, path = config(images=1500, batch_size=60), tmp_path / "checkpoint"
    assert [record.step for record in fit(asked)] == [1, *range(5, 51, 5)]
    assert [record.step for record in fit(config(batch_size=3000))] == [1, 2, 3, 4]
    commands = [*[Command.GO] * 6, Command.PAUSE, *[Command.GO] * 2, Command.STOP]
    assert [record.step for record in fit(asked, Keeper(path, commands))] == [1, 5, 6, 8]
    rest = fit(asked, Keeper(path, [*[Command.GO] * 3, Command.STOP]))
    assert [record.step for record in rest] == [9, 10, 11]


class Whenever(rhythm.Rhythm):
    """A record exactly when it is told so."""

    now = False

    def due(self, step: int, now: float) -> bool:
        return self.now


def test_a_step_without_a_record_asks_the_device_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """On PyTorch's device `meta`, which has no data: whatever would wait for a figure of a device raises there."""
    trainer = Trainer(Config(network=WITH_DROPOUT, training=EVERYTHING, device="cpu"), Session())
    monkeypatch.setattr(step, "autocast", lambda *_: nullcontext())
    for name in ("train_labels", "sums"):
        setattr(trainer, name, getattr(trainer, name).to("meta"))
    net, task = trainer.net.to("meta"), trainer.task
    images, labels = task.images.to("meta"), task.labels.to("meta")
    trainer.descent = Plain(Task(net, SGD(net, task.training), task.training, images, labels, task.shape), "float32")
    trainer.rhythm = told = Whenever(trainer.steps_per_epoch)
    rows = torch.zeros(500, dtype=torch.int64, device="meta")
    for index in range(3):
        assert list(trainer._one_step(index, rows)) == []
    assert all(parameter.grad is not None for parameter in trainer.net.parameters())
    told.now = True
    with pytest.raises(NotImplementedError, match="meta"):
        list(trainer._one_step(3, rows))


@pytest.mark.parametrize(("batch_norm", "steps"), [(True, 1), (False, 2)])
def test_batch_norm_skips_a_last_batch_of_one(batch_norm: bool, steps: int) -> None:
    records = list(fit(config(batch_size=5999, batch_norm=batch_norm, epochs=2)))
    assert [record.step for record in records] == list(range(1, 2 * steps + 1))
    assert records[-1].examples == 2 * (5999 if batch_norm else 6000)


def test_batch_norm_of_a_vector_skips_it_too() -> None:
    network = parse_network({"arch": "1x4,flatten,bn1d,linear10", "input": "1x28x28"})
    assert [record.step for record in fit(config(network, batch_size=5999, epochs=1))] == [1]


def test_coloured_networks_train_on_grey_pictures() -> None:
    network = parse_network({"arch": "1x4", "input": "3x28x28", "hidden": "none"})
    assert len(list(fit(config(network, batch_size=3000, epochs=1)))) == 2


def test_more_classes_than_the_data_has(tmp_path: Path) -> None:
    network = parse_network({"arch": "1x4", "input": "1x28x28", "hidden": "none", "classes": "13"})
    keeper = Keeper(tmp_path / "checkpoint")
    list(fit(config(network, batch_size=3000, epochs=1), keeper))
    assert [len(row) for row in keeper.result["confusion"]] == [10] * 10


def test_fewer_classes_than_the_data_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = config()
    found = data.load(Dataset("sample"), (1, 28, 28))
    monkeypatch.setattr(data, "load", lambda *_: found._replace(classes=(*found.classes, "hat")))
    with pytest.raises(InputError, match="The pictures are of 11 classes, the network has 10"):
        list(fit(asked))


# --- beginning -------------------------------------------------------------------------------------------


def linear_and_conv(net: nn.Module) -> tuple[Tensor, Tensor]:
    return (
        next(module.weight.detach() for module in net.modules() if isinstance(module, nn.Linear)),
        next(module.weight.detach() for module in net.modules() if isinstance(module, nn.Conv2d)),
    )


WIDE = parse_network({"arch": "1x64", "input": "1x28x28", "hidden": "none"})


def bound(weight: Tensor, fan: str) -> float:
    """The bound of Xavier's or Kaiming's uniform distribution."""
    field = math.prod(weight.shape[2:])
    ins, outs = weight.shape[1] * field, weight.shape[0] * field
    return math.sqrt(6 / (ins + outs)) if fan == "xavier" else math.sqrt(6 / ins)


def check_init(name: str, weight: Tensor) -> None:
    largest = float(weight.abs().max())
    if name == "constant":
        assert weight.unique().tolist() == [1.0]
    elif name == "normal":
        assert float(weight.std()) == pytest.approx(0.01, rel=0.15)
        assert abs(float(weight.mean())) < 0.002
    elif name == "uniform10":
        assert bool(((weight == 0) | (weight.abs() >= 5)).all())
        assert float((weight == 0).float().mean()) == pytest.approx(0.5, abs=0.08)
        assert 9 < largest <= 10
    elif name in ("xavier", "kaiming"):
        assert 0.9 * bound(weight, name) < largest <= bound(weight, name)
    else:  # PyTorch: Kaiming's with a = sqrt(5), that is 1 / sqrt(fan in)
        assert 0.9 < largest * math.sqrt(weight[0].numel()) <= 1.0001


@pytest.mark.parametrize("conv_init", list(INITS))
@pytest.mark.parametrize("linear_init", ["xavier", "uniform10"])
def test_every_initialisation(conv_init: str, linear_init: str) -> None:
    net = make_network(config(WIDE, conv_init=conv_init, linear_init=linear_init))
    linear, conv = linear_and_conv(net)
    check_init(conv_init, conv)
    check_init(linear_init, linear)


@pytest.mark.parametrize("name", list(INITS))
def test_biases_keep_pytorchs_default(name: str) -> None:
    own = make_network(config(WIDE, conv_init="pytorch", linear_init="pytorch"))
    check_init(name, linear_and_conv(make_network(config(WIDE, linear_init=name)))[0])
    other = make_network(config(WIDE, conv_init=name, linear_init=name))
    biases = [dict(net.named_parameters())["features.0.bias"] for net in (own, other)]
    assert torch.equal(*biases)
    assert float(biases[0].detach().abs().max()) > 0


def test_a_seed_decides_the_beginning_and_the_order() -> None:
    first, again, other = (linear_and_conv(make_network(replace(config(), seed=seed)))[0] for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    orders = [order_of(seed, epoch, 100).tolist() for seed, epoch in ((0, 0), (0, 1), (1, 0), (0, 0))]
    assert orders[0] == orders[3]
    assert len({tuple(order) for order in orders}) == 3
    assert sorted(orders[0]) == list(range(100))
    assert 0 <= seed_of(2**31 - 1, "step", 10**9) < 2**63


# --- stopping and going on -------------------------------------------------------------------------------


@pytest.mark.sample(2)
@pytest.mark.parametrize(("precision", "stop"), [("float32", 13), ("bfloat16", 17)])
@pytest.mark.parametrize("training", [PLAIN, EVERYTHING, ADAM], ids=["plain", "everything", "Adam"])
def test_what_stopped_and_went_on_has_the_same_bits(
    tmp_path: Path, training: Training, precision: str, stop: int
) -> None:
    asked = Config(network=WITH_DROPOUT, training=replace(training, precision=precision), device="cpu", seed=3)
    whole, halves = Keeper(tmp_path / "a"), tmp_path / "b"
    records = list(fit(asked, whole))
    torch.manual_seed(99)
    before = list(fit(asked, Keeper(halves, [Command.GO] * stop + [Command.STOP])))
    assert before[-1].step == stop
    torch.manual_seed(7)
    rest = Keeper(halves)
    after = list(fit(asked, rest))
    assert after[0].step == stop + 1
    assert timeless(before + after) == timeless(records)
    assert after[0].seconds > before[-1].seconds
    assert whole.weights.keys() == rest.weights.keys()
    assert all(torch.equal(tensor, rest.weights[name]) for name, tensor in whole.weights.items())
    assert {**whole.result} == {**rest.result}


def test_the_checkpoint_decides_precision_and_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "checkpoint"
    list(fit(config(precision="bfloat16"), Keeper(path, [Command.GO, Command.STOP])))
    for threads, used in (("1", 1), ("2", 2), ("4096", 2)):  # never more than there are processors
        monkeypatch.setattr(machine, "threads", lambda *_: 2)
        weights.save(path, weights.load(path), safetensors.metadata(path) | {"threads": threads})
        rest = Keeper(path, [Command.STOP])
        assert list(fit(config(precision="float32"), rest)) == []
        assert (rest.environment["precision"], rest.environment["threads"]) == ("bfloat16", used)
        changed = None if used == int(threads) else {"step": 1, "what": "threads", "before": threads, "now": str(used)}
        assert (rest.environment["changed"], rest.environment["exact"]) == (changed, changed is None)


def test_what_another_kind_of_step_went_on_with_is_not_called_exact_any_more(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    list(fit(config(), Keeper(path, [Command.GO, Command.STOP])))
    own = safetensors.metadata(path)
    assert (own["kind"], own["exact"], own["device"], own["processes"]) == ("plain", "yes", "cpu", "1")
    weights.save(path, weights.load(path), own | {"kind": "faster"})
    list(fit(config(), Keeper(path, [Command.GO, Command.STOP])))
    rest = Keeper(path, [Command.STOP])
    list(fit(config(), rest))  # the second start of this kind knows of the first
    assert rest.environment["changed"] == {"step": 1, "what": "kind of step", "before": "faster", "now": "plain"}
    assert rest.environment["exact"] is False


def test_a_checkpoint_of_an_older_version_is_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    list(fit(config(), Keeper(path, [Command.GO] * 3 + [Command.STOP])))
    known = ("step", "step_seconds", "seconds", "threads", "processes", "device", "precision")
    texts = safetensors.metadata(path)
    weights.save(path, weights.load(path), {name: texts[name] for name in known})
    rest = Keeper(path)
    assert next(iter(fit(config(), rest))).step == 4
    assert (rest.environment["changed"], rest.environment["exact"]) == (None, True)


def test_exact_on_a_processor_is_what_it_is_anyway(tmp_path: Path) -> None:
    plain, exact = Keeper(tmp_path / "a"), Keeper(tmp_path / "b")
    records = [timeless(fit(config(epochs=1, exact=each), keeper)) for each, keeper in ((False, plain), (True, exact))]
    assert records[0] == records[1]
    assert plain.environment["exact"] is exact.environment["exact"] is True
    assert not torch.are_deterministic_algorithms_enabled()
    assert all(torch.equal(value, exact.weights[name]) for name, value in plain.weights.items())


@pytest.mark.parametrize("damage", ["garbage", "cut", "texts", "another network"])
def test_a_checkpoint_that_cannot_be_used_is_explained(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "checkpoint"
    list(fit(config(), Keeper(path, [Command.GO, Command.STOP])))
    if damage == "garbage":
        path.write_bytes(b"garbage" * 100)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-10])
    elif damage == "texts":
        weights.save(path, weights.load(path), {"step": "one"})
    network = WITH_DROPOUT if damage == "another network" else SMALL
    with pytest.raises(InputError, match=r"The checkpoint cannot be used: .+[^.]\. Start a new run"):
        list(fit(config(network), Keeper(path)))


def test_stopped_before_the_first_step_there_is_nothing_to_keep(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "checkpoint", [Command.STOP])
    assert list(fit(config(), keeper)) == []
    assert keeper.saves == 0
    assert keeper.result == {}


def test_a_pause_keeps_a_checkpoint_and_waits(tmp_path: Path) -> None:
    commands = [Command.GO, Command.PAUSE, Command.PAUSE, Command.PAUSE]
    keeper = Keeper(tmp_path / "checkpoint", commands)
    records = list(fit(config(epochs=1), keeper))
    assert (keeper.saves, keeper.sleeps) == (1, 3)
    assert len(records) == 12
    assert {"loading", "training", "paused", "saving", "evaluating"} <= set(keeper.phases)


def test_a_pause_takes_no_time(tmp_path: Path) -> None:
    class Sleeper(Keeper):
        def sleep(self) -> None:
            time.sleep(2)

    records = list(fit(config(epochs=1), Sleeper(tmp_path / "c", [Command.GO, Command.PAUSE, Command.PAUSE])))
    assert records[1].seconds - records[0].seconds < 2
    assert 1000 / records[1].examples_per_sec < 2


def test_a_single_step_is_looked_at(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "checkpoint", view_at=2)
    records = list(fit(config(epochs=1), keeper))
    (view,) = keeper.views
    assert view["step"] == 3
    assert view["loss"] == pytest.approx(records[2].batch_loss)
    assert (view["examples"], len(view["pictures"])) == (500, look.MOST_PICTURES)
    layers = make_network(config()).named_modules()
    assert list(view["gradients"]) == [name for name, layer in layers if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert all(norm > 0 for norm in view["gradients"].values())
    first = view["pictures"][0]
    assert (first["picture"]["width"], first["picture"]["height"], first["picture"]["channels"]) == (28, 28, 1)
    found = data.load(Dataset("sample"), (1, 28, 28))
    row = int(order_of(0, 0, 6000)[1000])
    assert first["label"] == int(found.train_labels[row])
    assert first["picture"] == look.picture(found.train_images[row])
    assert 0 <= view["correct"] <= 500


# --- the end ---------------------------------------------------------------------------------------------


def test_the_result_counts_every_test_picture(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "checkpoint")
    last = list(fit(config(epochs=1, lr=0.3), keeper))[-1]
    result = keeper.result
    assert result["test_acc"] == last.test_acc
    assert [sum(row) for row in result["confusion"]] == [100] * 10
    assert sum(result["confusion"][index][index] for index in range(10)) == pytest.approx(1000 * result["test_acc"])
    mistakes = result["mistakes"]
    assert len(mistakes) == look.MOST_MISTAKES
    assert [each["chance"] for each in mistakes] == sorted((each["chance"] for each in mistakes), reverse=True)
    assert all(each["label"] != each["guess"] for each in mistakes)


@pytest.mark.parametrize(("lr", "learned"), [(1e-9, False), (0.1, True)])
def test_of_a_network_that_has_learned_nothing_it_is_said(tmp_path: Path, lr: float, learned: bool) -> None:
    keeper, asked = Keeper(tmp_path / "checkpoint"), config(epochs=2, lr=lr, momentum=0.9, batch_norm=True)
    last = list(fit(replace(asked, training=replace(asked.training, batch_size=128)), keeper))[-1]
    assert last.test_acc is not None
    assert (last.test_acc > 0.3) is learned
    assert keeper.reason is None
    known = verdict.facts(keeper.result, asked, last.train_acc)
    assert known
    told = " ".join(map(str, verdict.judge(known)))
    assert ("learned nothing" in told) is not learned
    assert "batch norm" not in told


def test_each_cell_of_the_matrix_has_some_pictures_the_surest_first() -> None:
    torch.manual_seed(0)
    labels, scores = torch.randint(3, (200,)), 3 * torch.randn(200, 3)
    images = torch.randint(256, (200, 1, 4, 4)).to(torch.uint8)
    result = look.result(images, labels, scores, ["a", "b", "c"])
    for at, row in enumerate(result["confusion"]):
        for to, count in enumerate(row):
            found = [each["chance"] for each in result["examples"] if (each["label"], each["guess"]) == (at, to)]
            assert len(found) == min(look.EACH, count)
            assert found == sorted(found, reverse=True)
    large = torch.zeros(200, 3, 100, 100, dtype=torch.uint8)
    kept = look.result(large, labels, scores, ["a", "b", "c"])["examples"]
    assert 0 < len(kept) * 3 * 100 * 100 <= look.MOST_BYTES
    many = [str(place) for place in range(look.MOST_CLASSES + 1)]
    assert look.result(images, labels, torch.randn(200, len(many)), many)["examples"] == []


def test_without_mistakes_there_are_none_to_show() -> None:
    labels = torch.arange(3)
    result = look.result(torch.zeros(3, 1, 2, 2, dtype=torch.uint8), labels, torch.eye(3), ["a", "b", "c"])
    assert result["mistakes"] == []
    assert result["confusion"] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


def test_the_test_is_done_once_after_the_last_step(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "checkpoint")
    list(fit(config(epochs=2), keeper))
    assert keeper.phases.count("evaluating") == 2


def test_a_time_budget_ends_it_with_test_figures(tmp_path: Path) -> None:
    keeper = Keeper(tmp_path / "checkpoint")
    records = list(fit(config(epochs=10_000, time_budget=1.0, schedule="linear"), keeper))
    assert 1 <= records[-1].seconds < 10
    assert records[-1].test_acc is not None
    assert len({record.step for record in records}) == len(records)
    assert str(keeper.reason).startswith("The time budget of 1 s was used up after ")
    assert records[-1].lr > 0.9 * records[0].lr  # it falls over the steps that were asked for
    assert keeper.result["test_acc"] == records[-1].test_acc


def test_a_time_budget_that_was_used_up_before(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    list(fit(config(), Keeper(path, [Command.GO] * 3 + [Command.STOP])))
    records = list(fit(config(time_budget=1.0), Keeper(path)))
    assert records[-1].step >= 3
    texts = safetensors.metadata(path)
    weights.save(path, weights.load(path), {**texts, "seconds": "5.0"})
    keeper = Keeper(path)
    (record,) = fit(config(time_budget=1.0), keeper)
    assert record.step == 3
    assert 0 < record.batch_loss < 5
    assert keeper.reason is not None


# --- the best test ---------------------------------------------------------------------------------------


@pytest.fixture
def accuracies(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The test accuracy after each epoch of two steps, as the list has it."""
    accuracies = [0.5, 0.7, 0.7, 0.6, 0.8, 0.8, 0.75, 0.9]

    def test(self: Trainer) -> tuple[float, float, Tensor]:
        self._tested = self.step, 1.0, accuracies[(self.step - 1) // 2], torch.eye(10)[self.test_labels]
        return self._tested[1:]

    monkeypatch.setattr(Trainer, "test", test)
    return accuracies


@pytest.mark.parametrize(
    ("patience", "ends", "words"),
    [
        (1, 3, "not better than 0.700 for 1 epoch: the training ended early, after epoch 3."),
        (2, 4, "not better than 0.700 for 2 epochs: the training ended early, after epoch 4."),
        (3, 8, ""),
        (None, 8, ""),
    ],
)
def test_patience_ends_it(tmp_path: Path, accuracies: list[float], patience: int | None, ends: int, words: str) -> None:
    asked = config(batch_size=3000, epochs=len(accuracies), patience=patience)
    keeper = Keeper(tmp_path / "checkpoint")
    records = list(fit(asked, keeper))
    assert [record.step for record in records] == list(range(1, 2 * ends + 1))
    assert records[-1].test_acc == keeper.result["test_acc"] == accuracies[ends - 1]
    assert words in str(keeper.reason)
    assert bool(words) is (keeper.reason is not None)


@pytest.mark.sample(3)
@pytest.mark.parametrize("stop", range(1, 8))
def test_patience_goes_on_counting_after_a_resume(tmp_path: Path, accuracies: list[float], stop: int) -> None:
    asked, path = config(batch_size=3000, epochs=len(accuracies), patience=2), tmp_path / "checkpoint"
    whole, rest = Keeper(tmp_path / "whole"), Keeper(path)
    records = list(fit(asked, whole))
    before = list(fit(asked, Keeper(path, [Command.GO] * stop + [Command.STOP])))
    after = list(fit(asked, rest))
    assert timeless(before + after) == timeless(records)
    assert str(rest.reason) == str(whole.reason)
    assert all(torch.equal(tensor, rest.weights[name]) for name, tensor in whole.weights.items())


def test_the_best_weights_are_kept(tmp_path: Path, accuracies: list[float]) -> None:
    asked = config(batch_size=3000, epochs=6, keep_best=True)
    plain, keeper = Keeper(tmp_path / "plain"), Keeper(tmp_path / "checkpoint")
    records = list(fit(replace(asked, training=replace(asked.training, keep_best=False)), plain))
    assert timeless(fit(asked, keeper)) == timeless(records)
    assert keeper.kept == [(2, 0.5), (4, 0.7), (10, 0.8)]  # not at step 6, which is only as good as step 4
    assert (plain.kept, plain.saves, keeper.saves) == ([], 0, 3)
    assert all(torch.equal(tensor, keeper.weights[name]) for name, tensor in plain.weights.items())
    assert keeper.result == plain.result  # of the network as it is in the end


@pytest.mark.sample(3)
@pytest.mark.parametrize("stop", range(1, 8))
def test_the_best_weights_after_a_resume(tmp_path: Path, accuracies: list[float], stop: int) -> None:
    """What was the best before is so after; at its own step it is written again: a kill may have come before."""
    asked, path = config(batch_size=3000, epochs=4, keep_best=True), tmp_path / "checkpoint"
    first, rest = Keeper(path, [Command.GO] * stop + [Command.STOP]), Keeper(path)
    before = list(fit(asked, first))
    after = list(fit(asked, rest))
    assert [record.step for record in (*before, *after)] == list(range(1, 9))
    best = [(2, 0.5), (4, 0.7)]
    assert first.kept == [each for each in best if each[0] <= stop]
    assert rest.kept == [each for each in best if each[0] >= stop]


def test_a_best_test_by_the_end_of_the_time_is_recorded_once(tmp_path: Path, accuracies: list[float]) -> None:
    path = tmp_path / "checkpoint"
    asked = config(batch_size=3000, epochs=4, keep_best=True, time_budget=1.0)
    list(fit(asked, Keeper(path, [Command.GO] * 2 + [Command.STOP])))
    texts = safetensors.metadata(path)
    weights.save(path, weights.load(path), texts | {"seconds": "5.0"})
    keeper = Keeper(path)
    assert list(fit(asked, keeper)) == []  # the test of step 2 was the best one: its record is there
    assert keeper.result["test_acc"] == 0.5


# --- led astray ------------------------------------------------------------------------------------------


def test_a_loss_that_is_no_number_ends_it_with_advice() -> None:
    with pytest.raises(InputError, match=r"The loss is not a number any more \(step \d+\)\. A smaller learning rate"):
        list(fit(config(lr=1000.0, epochs=100, batch_size=100, weight_decay=1.0)))


RISING = {"schedule": "range", "epochs": 1, "batch_size": 100, "weight_decay": 1.0}


def test_a_range_test_ends_where_the_loss_is_no_number(tmp_path: Path) -> None:
    asked = config(lr=1000.0, range_ratio=1e6, **RISING)
    keeper = Keeper(tmp_path / "checkpoint")
    records = list(fit(asked, keeper))
    assert 10 < len(records) < 60
    assert [record.step for record in records] == list(range(1, len(records) + 1))
    assert [record.lr for record in records] == [asked.training.lr_at(step, 60) for step in range(len(records))]
    assert records[-1].lr / records[0].lr == pytest.approx(10 ** (6 * (len(records) - 1) / 59))
    rate = f"{asked.training.lr_at(len(records), 60):.3g}"
    assert str(keeper.reason) == (
        f"The range test ended at a learning rate of {rate}: the loss is not a number any more "
        f"(step {len(records) + 1})."
    )
    assert (keeper.weights, keeper.result) == ({}, {})


def test_a_range_test_that_diverges_does_so_after_a_resume(tmp_path: Path) -> None:
    asked, path = config(lr=1000.0, range_ratio=1e6, **RISING), tmp_path / "checkpoint"
    whole, rest = Keeper(tmp_path / "whole"), Keeper(path)
    records = list(fit(asked, whole))
    before = list(fit(asked, Keeper(path, [Command.GO] * 7 + [Command.STOP])))
    assert timeless([*before, *fit(asked, rest)]) == timeless(records)
    assert str(rest.reason) == str(whole.reason)


def test_a_range_test_to_its_end_is_a_run_like_others_without_advice(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(rhythm, "APART", 10**9)  # but each step has its record
    keeper = Keeper(tmp_path / "checkpoint")
    records = list(fit(config(lr=1e-8, **RISING), keeper))
    assert [record.step for record in records] == list(range(1, 61))
    assert records[-1].lr == 1e-8
    assert keeper.result["test_acc"] == records[-1].test_acc
    assert keeper.reason is None


def test_a_test_loss_that_is_no_number_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Trainer, "_scores", lambda self: torch.full((1000, 10), math.nan))
    with pytest.raises(InputError, match="The loss is not a number any more"):
        list(fit(config()))


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes."),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes."),
        RuntimeError("MPS backend out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED"),
        MemoryError(),
    ],
    ids=lambda error: str(error)[:40],
)
def test_too_little_memory_is_said_in_a_sentence(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(Plain, "learn", fails)
    with pytest.raises(InputError, match="The memory of cpu is not enough; a smaller batch"):
        list(fit(config()))


@pytest.mark.parametrize(
    "message",
    [
        "adaptive_avg_pool2d_backward_cuda does not have a deterministic implementation, but you set",
        "Deterministic behavior was enabled with either `torch.use_deterministic_algorithms(True)` or",
        "GET was unable to find an engine to execute this computation",
    ],
)
def test_what_pytorch_cannot_do_exactly_is_said(message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError(message)

    monkeypatch.setattr(Plain, "learn", fails)
    with pytest.raises(InputError, match="PyTorch cannot train this network exactly on the device cpu: "):
        list(fit(config(exact=True)))
    with pytest.raises(RuntimeError, match=message[:20]):
        list(fit(config()))


def test_another_error_stays_what_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(Plain, "learn", fails)
    with pytest.raises(RuntimeError, match="mat1"):
        list(fit(config()))


def test_a_device_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="The device cuda:77 cannot be used: "):
        list(fit(replace(config(), device="cuda:77")))


def test_batch_norm_with_one_example_at_a_time_is_refused_where_nothing_can_be_learned() -> None:
    network = parse_network({"arch": "1x4:k28:p0:nopool", "input": "1x28x28", "hidden": "none", "bn": "1"})
    with pytest.raises(InputError, match="Batch norm needs more than one example in a batch"):
        list(fit(config(network, batch_size=1)))
