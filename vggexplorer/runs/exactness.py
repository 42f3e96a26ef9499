"""Whether a run can be had again to the bit: `exactness` alone says so, for pages, terminal and the run's files.

A checkpoint says which kind of step made it. A run that another kind goes on with does not end with the bits of an
uninterrupted one, and its files say from which step on.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.runs.config import Config
from vggexplorer.runs.options import Training


class StepKind(NamedTuple):
    """What the bits of a step depend on beside what was asked of the run, as texts.

    `kind` is which of our steps it is, `exact` whether its sums have one order, `title` the device by its maker's name.
    None is what is not known: checkpoints of older versions say less.
    """

    kind: str | None = None
    exact: str | None = None
    precision: str | None = None
    device: str | None = None
    title: str | None = None
    threads: str | None = None
    processes: str | None = None
    torch: str | None = None

    @staticmethod
    def of(texts: Mapping[str, str]) -> "StepKind":
        """As the texts of a checkpoint have it."""
        return StepKind(*map(texts.get, StepKind._fields))

    def texts(self) -> dict[str, str]:
        """For the texts of a checkpoint."""
        return {name: value for name, value in self._asdict().items() if value is not None}


PLAIN = "plain"
"""PyTorch's own step: `Plain` of `pytorch/step.py`."""
FAST = "fast"
"""The step with fused kernels: `Fast` of `pytorch/fast.py`."""
WHAT = {
    "kind": "kind of step",
    "exact": "exact bits",
    "precision": "precision",
    "device": "device",
    "title": "device",
    "threads": "threads",
    "processes": "processes",
    "torch": "PyTorch",
}
"""What the fields of a `StepKind` are called."""


def change(texts: Mapping[str, str], step: int, now: StepKind) -> dict[str, Any] | None:
    """The first change of a run's kind of step, from the texts of the checkpoint of `step` and those steps that go on.

    It is kept as JSON among the texts as `changed`: `step`, and `what` changed from `before` to `now`. `ValueError` if
    that is damaged.
    """
    if "changed" in texts:
        return dict(json.loads(texts["changed"]))
    for name, before, after in zip(StepKind._fields, StepKind.of(texts), now, strict=True):
        counts = name != "threads" or now.device == "cpu"
        if counts and before is not None and after is not None and before != after:
            return {"step": step, "what": WHAT[name], "before": before, "now": after}
    return None


class Exactness(NamedTuple):
    """Whether two runs of one seed have equal bits, and a resumed one those of an uninterrupted one; and why."""

    holds: bool
    remarks: tuple[Remark, ...]

    def __str__(self) -> str:
        return " ".join(map(str, self.remarks))


def exactness(config: Config, facts: Mapping[str, Any]) -> Exactness:
    """What can be promised of a run: by its device, the switch `exact`, its processes, and what went on with it.

    `facts` is what environment.json holds, or what is known of it before the start; `price` in it is how many times as
    long an exact step takes on this GPU, if that was measured.
    """
    training, changed = config.training, facts.get("changed")
    kind = str(facts.get("device") or config.device).partition(":")[0]
    if kind == "cuda" and not training.exact:
        return Exactness(False, (_ANY_ORDER, _price(facts.get("price"))))
    if kind not in ("cpu", "cuda"):
        return Exactness(False, (_NOT_TRIED if kind == "mps" else _DEPENDS,))
    if facts.get("processes", 1) != 1:
        return Exactness(False, (_SEVERAL,))
    if isinstance(changed, Mapping):
        return Exactness(False, (_changed(changed),))
    if training.time_budget is not None:
        return Exactness(False, (_BUDGET,))
    if kind == "cpu":
        return Exactness(True, (_ON_A_PROCESSOR, *([_FREE] if training.exact else [])))
    return Exactness(True, (_ON_A_GPU, _price(facts.get("price"))))


def notice(config: Config, facts: Mapping[str, Any]) -> Exactness | None:
    """What a person must be told: nothing where nobody asked and runs are exact, or end early by a time budget."""
    found = exactness(config, facts)
    usual = found.holds or found.remarks == (_BUDGET,)
    return None if usual and not config.training.exact else found


def check(training: Training, device: str, processes: int) -> None:
    """`InputError` if a training is to be exact where that cannot be had; `device` as PyTorch names it."""
    if training.exact and device == "mps":
        raise InputError("Exact training is there for processors and NVIDIA GPUs, not for {device}.", device=device)
    if training.exact and processes > 1:
        raise InputError("An exact run is one process: several add up their gradients in an order of their own.")


_ANY_ORDER = Remark(
    "A GPU's sums come in another order each time: two runs of one seed differ in their last digits, and a resumed run "
    "does not end with the bits of an uninterrupted one. The option exact bits (--exact) changes that."
)
_NOT_TRIED = Remark("Whether two runs of one seed have equal bits was not tried on Apple's GPUs: nothing is promised.")
_DEPENDS = Remark("Whether two runs of one seed have equal bits depends on the device.")
_SEVERAL = Remark(
    "Several processes add up their gradients in an order of their own: two runs of one seed may differ in their last "
    "digits, and a resumed run need not end with the bits of an uninterrupted one."
)
_BUDGET = Remark(
    "A time budget ends each run after another number of steps; up to there, two runs of one seed have equal bits."
)
_ON_A_PROCESSOR = Remark(
    "Two runs of one seed have equal bits, and so has one that was stopped and resumed: on such a processor, with as "
    "many threads and the same PyTorch."
)
_FREE = Remark("On a processor that is so without the option exact bits, which costs nothing there.")
_ON_A_GPU = Remark(
    "Two runs of one seed have equal bits, and so has one that was stopped and resumed: on such a GPU, with the same "
    "PyTorch."
)


def _price(times: Any) -> Remark:
    if not isinstance(times, int | float):
        return Remark("How much longer an exact step takes was not measured here.")
    return Remark("An exact step takes {times}× as long here.", {"times": f"{times:.2f}"})


def _changed(what: Mapping[str, Any]) -> Remark:
    return Remark(
        "Since step {step} another kind of step goes on with it ({what}: {now}, before {before}): it does not end with "
        "the bits of an uninterrupted run.",
        {name: str(what.get(name, ""))[:100] for name in ("step", "what", "now", "before")},
    )
