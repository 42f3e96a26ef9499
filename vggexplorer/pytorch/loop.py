"""The training loop, `fit(config)`; `train` is the door to it as a process of its own.

Nothing random is stored. The order of an epoch comes from a generator seeded by (seed, "order", epoch), and
before each step PyTorch's seed is set from (seed, "step", step); so a run that goes on from a checkpoint does
what it would have done. Whether that is so to the bit, `runs/exactness.py` says.
"""

import json
import math
import time
from collections.abc import Generator, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from vggexplorer.comparison import remark_to_json
from vggexplorer.errors import InputError
from vggexplorer.forecast.memory import tested_at_once
from vggexplorer.forecast.precision import Decision, Why
from vggexplorer.pytorch import (
    batch_norm,
    data,
    deterministic,
    distributed,
    late_relu,
    look,
    machine,
    precision,
    trial,
    weights,
)
from vggexplorer.pytorch import checkpoint as checkpoints
from vggexplorer.pytorch.chance import make_network, order_of, seed_of
from vggexplorer.pytorch.checkpoint import Best, Kept, Reached
from vggexplorer.pytorch.failures import in_a_sentence
from vggexplorer.pytorch.optimizers import optimizer
from vggexplorer.pytorch.step import Plain, Step, Task, autocast
from vggexplorer.pytorch.trial import Maker, fused
from vggexplorer.runs.config import Config
from vggexplorer.runs.exactness import StepKind, change, exactness
from vggexplorer.runs.exactness import check as check_exact
from vggexplorer.runs.folder import snapshots
from vggexplorer.runs.folder.records import Record
from vggexplorer.runs.folder.status import Phase
from vggexplorer.runs.options import PRECISIONS, RANGE
from vggexplorer.runs.steps import Choice
from vggexplorer.runs.trainer.rhythm import Rhythm
from vggexplorer.runs.trainer.session import Command, Session, useless
from vggexplorer.summary import FEATURES
from vggexplorer.text import format_network


class NoNumberError(InputError):
    """The loss is not a number any more."""


COMMANDS = (Command.GO, Command.PAUSE, Command.STOP)
"""Of two commands the later one is obeyed."""


def fit(config: Config, session: Session | None = None, make: Maker = fused) -> Iterator[Record]:
    """Train as `config` says; a record whenever there is news. `make` makes the step that is tried beside PyTorch's.

    `InputError` if the data, the device or the memory does not allow it, or if the loss is not a number any more.
    """
    session = session or Session()
    with in_a_sentence(config, session.rank.world):
        trainer = Trainer(config, session, make)
        yield from trainer.run()
        trainer.group.leave()


# --- the loop ----------------------------------------------------------------------------------------------


class Trainer:
    """One training: device, data, network, optimizer, and how far it is.

    Its step is PyTorch's own, unless the one that `make` makes is better.
    """

    def __init__(self, config: Config, session: Session, make: Maker | None = None) -> None:
        self.config = config
        self.training = config.training
        self.session = session
        checkpoint = session.checkpoint()
        self._use_device(before := checkpoints.about(checkpoint) if checkpoint else {})
        self.group = distributed.join(session.rank, self.device)
        session.parts.over("device")
        self._load_data()
        session.parts.over("data")
        self.net = make_network(config)
        if self._on_exact_gpu:
            deterministic.replace_layers(self.net)
        if self.device.type == "cpu":
            late_relu.replace_layers(self.net)
        self.net = self.net.to(memory_format=torch.channels_last).to(self.device)
        self.optimizer = optimizer(self.net, self.training)
        self.task = Task(self.net, self.optimizer, self.training, self.train_images, self.train_labels, self.shape)
        self.descent: Step = Plain(self.task, self.precision)
        size = sum(value.numel() * torch.bfloat16.itemsize for value in self._seen_inside().values())
        self.snapshot_steps = snapshots.schedule(self.num_steps, size)
        # Of the epoch: the sum of all examples' losses, how many were guessed right; the mean loss of the last batch.
        exactly = torch.float32 if self.device.type == "mps" else torch.float64
        self.sums = torch.zeros(3, device=self.device, dtype=exactly)
        self.order: Tensor | None = None
        self._tested: tuple[int, float, float, Tensor] | None = None
        self.best: Best | None = None
        self.step = 0
        self.step_seconds = self.seconds = 0.0
        self._saved_step = 0
        self.changed: dict[str, Any] | None = None
        self.choice: Choice | None = None
        self._warm = False
        session.parts.over("network")
        if self.precision == "auto":
            self._choose_precision()
            session.parts.over("precision")
        if checkpoint:
            self._restore(checkpoint, before)
            session.parts.over("checkpoints")
        self.rhythm = Rhythm(1 if self.training.schedule == RANGE else self.steps_per_epoch)
        self._recorded_step = self.step
        self.group.check_same(self.step)
        self.model = self.group.wrap(self.net)
        self.descent = Plain(self.task, self.precision, self.model)
        if make:
            self._choose_step(make)
            session.parts.over("step")
        if checkpoint:
            self._compare_steps(before)

    def _use_device(self, before: dict[str, str]) -> None:
        """The device, its precision and number of threads: those of the checkpoint, as far as they are to be had."""
        name = machine.best() if self.config.device == "auto" else self.config.device
        rank = self.session.rank
        check_exact(self.training, name, rank.world)
        self._on_exact_gpu = self.training.exact and name.startswith("cuda")
        deterministic.switch(self._on_exact_gpu)
        self.device = machine.opened(name)
        most = machine.threads(rank.local_world)
        same = before.get("processes", "1") == str(rank.world)
        torch.set_num_threads(max(1, min(int(before.get("threads", most)), most) if same else most))
        self.precision = self.training.precision
        self.decided: Decision | None = None
        if before.get("device") == self.device.type and before.get("precision") in PRECISIONS:
            self.precision, self.decided = before["precision"], checkpoints.decided(before)

    def _choose_precision(self) -> None:
        """The one that such steps had before, or the faster one; of several processes all have the same."""
        steps = precision.described(self)
        known = self.session.known_decision(steps)
        decided = known or precision.faster(self)
        if decided.timed and not known:
            self.session.keep_decision(steps, decided)
        self.precision = "float32" if self.group.most(decided.precision == "float32") else "bfloat16"
        self.decided = decided if decided.precision == self.precision else None

    def _choose_step(self, make: Maker) -> None:
        """The fused one, if it is better; a precision that was left open may become bfloat16 for it."""
        place = trial.place(self.device, self.session.rank.world)
        decided = self.decided if self.step == 0 else None
        either = self.training.precision == "auto" and decided is not None and decided.why is Why.NOT_FASTER
        precision = "bfloat16" if either else self.precision
        left = self.num_steps - self.step
        chosen = trial.choose(self.task, self.descent, place, precision, left, self.session, make)
        self.choice = chosen.choice
        if chosen.step:
            self.descent, self.precision = chosen.step, "bfloat16"
            if either:
                self.decided = Decision("bfloat16", Why.FASTER, *self.choice[1:4])

    def _load_data(self) -> None:
        self.session.phase(Phase.LOADING)
        self.shape = self.config.trained.input_shape
        found = data.limited(data.load(self.config.dataset, self.shape), self.training.images)
        classes = self.config.network.architecture.num_classes
        if classes < len(found.classes):
            raise InputError(
                "The pictures are of {needed} classes, the network has {classes}.",
                needed=len(found.classes),
                classes=classes,
            )
        self.found = found
        self.train_images, self.train_labels, self.test_images, self.test_labels = (
            tensor.to(self.device) for tensor in found[:4]
        )
        count, batch = len(self.train_labels), self.training.batch_size
        self.steps_per_epoch = math.ceil(count / batch)
        if count % batch == 1 and count > 1 and self.config.trained.architecture.normalizes:
            self.steps_per_epoch -= 1  # batch norm cannot learn from one example
        self.num_steps = self.steps_per_epoch * self.training.epochs

    @property
    def step_kind(self) -> StepKind:
        """What the bits of a step of this trainer depend on."""
        return StepKind(
            kind=self.descent.kind,
            exact="yes" if self._on_exact_gpu or self.device.type == "cpu" else "no",
            precision=self.precision,
            device=self.device.type,
            title=machine.title(self.device),
            threads=str(torch.get_num_threads()),
            processes=str(self.session.rank.world),
            torch=torch.__version__,
        )

    def environment(self) -> dict[str, Any]:
        """What a reader of the run may want to know of its surroundings."""
        about: dict[str, Any] = {
            "device": str(self.device),
            "title": machine.title(self.device),
            "kind": self.descent.kind,
            "step": self.choice and self.choice.to_json(),
            "changed": self.changed,
            "precision": self.precision,
            "decided": self.decided and self.decided.to_json(),
            "threads": torch.get_num_threads(),
            "processes": self.session.rank.world,
            "torch": torch.__version__,
            "steps_per_epoch": self.steps_per_epoch,
            "num_steps": self.num_steps,
            "train_examples": len(self.train_labels),
            "test_examples": len(self.test_labels),
            "classes": list(self.found.classes),
            "counts": self.found.counts,
            "said": [remark_to_json(remark) for remark in self.found.said],
            "odd": list(self.found.odd),
            "num_odd": self.found.num_odd,
            "time": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        }
        if self.device.type == "cuda":
            about["uuid"] = machine.uuid(self.device)
        return about | {"exact": exactness(self.config, about).holds}

    def run(self) -> Iterator[Record]:
        """All steps that are left, unless a command, the time budget or the patience ends them.

        A range test ends where the loss is not a number any more, as it is meant to; nothing is left to be kept then.
        """
        try:
            yield from self._run()
        except NoNumberError:
            if self.training.schedule != RANGE:
                raise
            self.session.end(
                InputError(
                    "The range test ended at a learning rate of {lr}: the loss is not a number any more (step {step}).",
                    lr=f"{self._lr_of(self.step - 1):.3g}",
                    step=self.step,
                )
            )

    def _run(self) -> Iterator[Record]:
        self.session.begin(self.environment())
        self._clock = time.perf_counter()
        self._start_of_run = self._clock - self.seconds
        self.session.parts.over("network")
        self._snapshot()
        yield from self._keep_best()
        self._over = self._out_of_time() or self._out_of_patience()
        while self.step < self.num_steps and not self._over:
            if not (yield from self._may_go_on()):
                return
            epoch, index = divmod(self.step, self.steps_per_epoch)
            if index == 0:
                self.sums.zero_()
            if index == 0 or self.order is None:
                self.order = order_of(self.config.seed, epoch, len(self.train_labels)).to(self.device)
            batch = slice(index * self.training.batch_size, (index + 1) * self.training.batch_size)
            yield from self._one_step(index, self.order[batch])
            self._warm_up()
            self._snapshot()
            self._answer()
        if self.step < self.num_steps and not self._was_tested():
            yield self._record(tested=True)
            yield from self._keep_best()
        self._end()

    def _one_step(self, index: int, rows: Tensor) -> Iterator[Record]:
        """Train on one batch, the images `rows`, or our share of them; a record if it is time for one."""
        viewed = bool(self.group.most(self.session.wants_view(self.step)))
        torch.manual_seed(seed_of(self.config.seed, self.group.chance("step"), self.step))
        share = self.group.share(rows)
        labels = self.train_labels[share.rows]
        scores, loss = self.descent.learn(share.rows, self._lr_of(self.step), share.weight)
        figures = self.group.figures(share, loss, (scores.argmax(1) == labels).sum())
        self.sums[0] += figures.loss_sum
        self.sums[1] += figures.correct
        self.sums[2] = figures.loss
        self.step += 1
        self._over = self._out_of_time()
        last = index + 1 == self.steps_per_epoch or self._over
        if self.rhythm.due(self.step, time.perf_counter()) or last or viewed:
            yield self._record(tested=last)
        if last:
            yield from self._keep_best()
            self._over = self._over or self._out_of_patience()
        if viewed:
            seen = look.step(self.net, self.descent.gradient, self.train_images[share.rows], labels, scores)
            self.session.show({"step": self.step, "loss": float(figures.loss), **seen})
            self._restart_clock("looks")

    def _lr_of(self, step: int) -> float:
        """The learning rate of step number `step` (from 0)."""
        return self.training.lr_at(step, self.steps_per_epoch)

    def _warm_up(self) -> None:
        """Wait for the first step of this start, in which libraries are loaded, so that its time is its own."""
        if not self._warm:
            machine.wait(self.device)
            self.session.parts.over("first step")
            self._warm = True

    def _record(self, tested: bool) -> Record:
        """Where the run is now; waits for the device. `tested` adds the test figures."""
        self._recorded_step = self.step
        loss_sum, correct, batch_loss = self.sums.tolist()
        self._count_time()
        self._check_loss(batch_loss)
        test_loss, test_acc = self.test()[:2] if tested else (None, None)
        self._check_loss(test_loss or 0.0)
        if test_acc is not None and (self.best is None or test_acc > self.best.accuracy):
            self.best = Best(self.step, test_acc)
        epoch, index = divmod(self.step - 1, self.steps_per_epoch)
        seen = min((index + 1) * self.training.batch_size, len(self.train_labels))
        examples = epoch * self._epoch_examples() + seen
        self.seconds = time.perf_counter() - self._start_of_run
        return Record(
            step=self.step,
            epoch=self.step / self.steps_per_epoch,
            examples=examples,
            batch_loss=batch_loss,
            train_loss=loss_sum / seen,
            train_acc=correct / seen,
            lr=self._lr_of(self.step - 1),
            examples_per_sec=examples / self.step_seconds,
            examples_per_sec_wall=examples / self.seconds,
            seconds=self.seconds,
            memory=machine.memory(self.device),
            test_loss=test_loss,
            test_acc=test_acc,
        )

    def _check_loss(self, loss: float) -> None:
        if not math.isfinite(loss):
            raise NoNumberError(
                "The loss is not a number any more (step {step}). A smaller learning rate, or Xavier initialisation, "
                "helps.",
                step=self.step,
            )

    def _epoch_examples(self) -> int:
        return min(self.steps_per_epoch * self.training.batch_size, len(self.train_labels))

    def _count_time(self) -> None:
        """Add what has passed since the last call, or since `_restart_clock`, to the time of steps."""
        now = time.perf_counter()
        self.step_seconds += now - self._clock
        self._clock = now
        self.session.parts.over("steps" if self._warm else "first step")

    def _restart_clock(self, part: str) -> None:
        """What has passed was no step, but `part`."""
        self._clock = time.perf_counter()
        self.session.parts.over(part)

    # --- testing

    def test(self) -> tuple[float, float, Tensor]:
        """Loss and accuracy on the test images, and the class scores: images x classes."""
        if self._tested is None or self._tested[0] != self.step:
            self.session.phase(Phase.EVALUATING)
            scores = self._scores()
            loss = cross_entropy(scores, self.test_labels).item()
            accuracy = (scores.argmax(1) == self.test_labels).float().mean().item()
            self._tested = (self.step, loss, accuracy, scores)
            self.session.phase(Phase.TRAINING)
            self._restart_clock("tests")
        return self._tested[1:]

    @torch.no_grad()
    def _scores(self) -> Tensor:
        at_once = tested_at_once(self.training.batch_size)
        seen = batch_norm.batches(self.config.seed, len(self.train_labels), at_once)
        images = (self.train_images[self.group.normalized(rows.to(self.device))] for rows in seen)
        batch_norm.estimate(self.net, images, lambda part: self._unchanged(self.net, part))
        self.model.eval()
        tested = torch.split(self.group.tested(self.test_images), at_once)
        scores = torch.cat([self._unchanged(self.model, part) for part in tested])
        return self.group.gathered(scores, len(self.test_images))

    def _unchanged(self, net: nn.Module, images: Tensor) -> Tensor:
        """What `net` makes of images as they are, without flip, crop and the like: images x classes."""
        batch = data.to_batch(images, self.shape).contiguous(memory_format=torch.channels_last)
        with autocast(self.device, self.precision):
            scores: Tensor = net(batch)
        return scores.float()

    def _answer(self) -> None:
        """Tell what the network takes some test pictures for, if somebody watches. No chance is used for it."""
        if not self.session.wants_answers():
            return
        machine.wait(self.device)
        self._count_time()
        self.session.answer(self.step, self._answers)
        self._restart_clock("looks")

    @torch.no_grad()
    def _answers(self) -> list[dict[str, Any]]:
        self.net.eval()
        images, labels = self.test_images[self.watched], self.test_labels[self.watched]
        return look.answers(images, labels, self._unchanged(self.net, images))

    @cached_property
    def watched(self) -> Tensor:
        """The test pictures that are looked at while it trains, by their places."""
        return look.some(self.test_labels)

    # --- commands, checkpoints, the end

    def _may_go_on(self) -> Generator[Record, None, bool]:
        """Write a checkpoint if it is time for one, wait while a pause is wanted; False if the run is to stop."""
        while (command := self._command()) is not Command.GO:
            yield from self._save()
            if command is Command.STOP:
                return False
            began = time.perf_counter()
            self.session.phase(Phase.PAUSED)
            self.session.sleep()
            self._start_of_run += time.perf_counter() - began
            self._restart_clock("pauses")
        self.session.phase(Phase.TRAINING)
        if self.session.wants_checkpoint():
            yield from self._save()
        return True

    def _command(self) -> Command:
        return COMMANDS[self.group.most(COMMANDS.index(self.session.command(self.step)))]

    def _save(self) -> Iterator[Record]:
        """Write a checkpoint, unless there is one of this very step; the record of the step, if it has none yet."""
        if self._recorded_step != self.step:
            yield self._record(tested=False)
        if self._saved_step == self.step:
            self._restart_clock("checkpoints")
            return
        machine.wait(self.device)
        self._count_time()
        self.session.phase(Phase.SAVING)
        self.session.save(self._write_checkpoint)
        self._saved_step = self.step
        self._restart_clock("checkpoints")

    def _keep_best(self) -> Iterator[Record]:
        """Keep the weights if no test was better than that of this step.

        The checkpoint of the step comes first: whatever it is that goes on, it finds them, or can make them.
        """
        if self.training.keep_best and self.best and self.best.step == self.step:
            yield from self._save()
            self.session.phase(Phase.SAVING)
            about = self._about_network() | {"step": str(self.step), "test_acc": repr(self.best.accuracy)}
            self.session.keep_best(lambda path: weights.save(path, self.net.state_dict(), about))
            self._restart_clock("checkpoints")

    def _about_network(self) -> dict[str, str]:
        """The texts beside weights: in PyTorch's layout, of this network."""
        return {"format": "pt", **{f"network.{k}": v for k, v in format_network(self.config.trained).items()}}

    def _was_tested(self) -> bool:
        """Whether the record of this step has test figures: the best one has, wherever that was."""
        return any(each is not None and each[0] == self.step for each in (self._tested, self.best))

    def _snapshot(self) -> None:
        """Keep what the convolutions are, if it is time for that."""
        if self.step in self.snapshot_steps:
            self._count_time()
            self.session.snapshot(self.step, self._write_snapshot)
            self._restart_clock("snapshots")

    def _write_snapshot(self, path: Path) -> None:
        about = {"step": str(self.step), "loss": repr(float(self.sums[2])) if self.step else ""}
        halves = {
            name: value.to(torch.bfloat16) if value.is_floating_point() else value
            for name, value in self._seen_inside().items()
        }
        weights.save(path, halves, about)

    def _seen_inside(self) -> dict[str, Tensor]:
        """The weights and statistics of all layers before the head; of a small network of all layers."""
        state = self.net.state_dict()
        if snapshots.with_head(sum(value.numel() * torch.bfloat16.itemsize for value in state.values())):
            return state
        return {name: value for name, value in state.items() if name.startswith(FEATURES)}

    def _write_checkpoint(self, path: Path) -> None:
        reached = Reached(self.step, self.step_seconds, time.perf_counter() - self._start_of_run, self.best)
        about = {
            **reached.texts(),
            **self.step_kind.texts(),
            "decided": json.dumps(self.decided and self.decided.to_json()),
            **({"changed": json.dumps(self.changed)} if self.changed else {}),
        }
        Kept(self.net, self.optimizer, self.sums).write(path, about)

    def _restore(self, path: Path, about: dict[str, str]) -> None:
        """Go on where the checkpoint was written; `InputError` if it cannot be used."""
        try:
            Kept(self.net, self.optimizer, self.sums).read(path)
            self.step, self.step_seconds, self.seconds, self.best = Reached.of(about)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise useless(error) from error
        self._saved_step = self.step

    def _compare_steps(self, about: dict[str, str]) -> None:
        """Whether another kind of step goes on than that of the checkpoint; `InputError` if that is damaged."""
        try:
            self.changed = change(about, self.step, self.step_kind)
        except ValueError as error:
            raise useless(error) from error

    def _out_of_time(self) -> bool:
        budget = self.training.time_budget
        if budget is None or self.step == 0:
            return False
        return bool(self.group.most(time.perf_counter() - self._start_of_run >= budget))

    def _out_of_patience(self) -> bool:
        """Whether no test was better for as many epochs as are waited for: it follows from what a checkpoint holds."""
        patience, best = self.training.patience, self.best
        if patience is None or best is None:
            return False
        return bool(self.group.most(self.step - best.step >= patience * self.steps_per_epoch))

    def _why_early(self) -> InputError:
        """Why it ends before its last step."""
        if self.best and self._out_of_patience():
            return InputError(
                "The test accuracy was not better than {best} for {count} {count:epoch|epochs}: the training ended "
                "early, after epoch {epoch}.",
                best=f"{self.best.accuracy:.3f}",
                count=self.training.patience,
                epoch=f"{self.step / self.steps_per_epoch:g}",
            )
        return InputError(
            "The time budget of {seconds} s was used up after {epochs} {epochs:epoch|epochs}.",
            seconds=f"{self.training.time_budget:g}",
            epochs=f"{self.step / self.steps_per_epoch:.2f}",
        )

    def _end(self) -> None:
        """Keep the weights, and what the trained network makes of the test images."""
        reason = self._why_early() if self.step < self.num_steps else None
        loss, accuracy, scores = self.test()
        result = look.result(self.test_images, self.test_labels, scores, self.found.classes)
        result |= {"test_loss": loss, "test_acc": accuracy}
        self.session.finish(
            lambda path: weights.save(path, self.net.state_dict(), self._about_network()), result, reason
        )
