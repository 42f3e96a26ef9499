"""What a run tells: records while it trains, an outcome at its end."""

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from types import MappingProxyType
from typing import Any

from vggexplorer.errors import InputError, reason_from_json, reason_to_json
from vggexplorer.runs.folder.status import OUTCOMES, Word

TIMING = ("seconds", "examples_per_sec", "examples_per_sec_wall", "memory")
"""The fields of a record that differ from one run of the same config to the next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Where a run is after `step` steps.

    `epoch` is a fraction of epochs, `examples` all that were trained on so far. `train_loss` and `train_acc` are means
    over the epoch so far, what the book draws; the losses in training have the label smoothing that was asked for.
    `examples_per_sec` counts the time of steps only, as the book does, `examples_per_sec_wall` all time; `seconds` is
    all time but pauses, `memory` the most bytes in use so far (of the device, or of the process on a CPU). The last
    record of an epoch has the test figures.
    """

    step: int
    epoch: float
    examples: int
    batch_loss: float
    train_loss: float
    train_acc: float
    lr: float
    examples_per_sec: float
    examples_per_sec_wall: float
    seconds: float
    memory: int | None = None
    test_loss: float | None = None
    test_acc: float | None = None

    def to_json(self) -> dict[str, Any]:
        """The fields by name; those that are None are left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def line(self) -> bytes:
        """One line of metrics.jsonl."""
        return json.dumps(self.to_json(), allow_nan=False).encode() + b"\n"


_TYPES: dict[str, type | tuple[type, ...]] = {
    each.name: int if "int" in str(each.type) else (int, float) for each in fields(Record)
}
_NEEDED = {each.name for each in fields(Record) if each.default is MISSING}


def parse_line(line: bytes) -> Record | None:
    """The record of one line of metrics.jsonl, or None if the line is damaged.

    What came to `Record` later, and an older program did not write, has its default; what only a newer one knows is
    left out: figures are for looking at.
    """
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(data, dict) or not data.keys() >= _NEEDED:
        return None
    known = {name: data[name] for name in data.keys() & _TYPES.keys()}
    if not all(_is_number(value, _TYPES[name]) for name, value in known.items()):
        return None
    return Record(**known)


def _is_number(value: Any, kind: type | tuple[type, ...]) -> bool:
    return (
        isinstance(value, kind)
        and not isinstance(value, bool)
        and isinstance(value, int | float)
        and -sys.float_info.max <= value <= sys.float_info.max  # an integer may be larger than any float
    )


def tested(records: Iterable[Record]) -> list[float]:
    """The test accuracies, one for each record that has one."""
    return [record.test_acc for record in records if record.test_acc is not None]


def best(records: Iterable[Record]) -> float | None:
    """The best test accuracy so far."""
    return max(tested(records), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended: `status` is one of `OUTCOMES`; `reason` says why, if there is anything to say.

    `parts` are the seconds of what the trainer did at its last start, by name.
    """

    status: Word
    reason: InputError | None = None
    loss: float | None = None
    train_acc: float | None = None
    test_acc: float | None = None
    best_test_acc: float | None = None
    examples_per_sec: float | None = None
    examples_per_sec_wall: float | None = None
    seconds: float | None = None
    step: int = 0
    device: str | None = None
    parts: Mapping[str, float] = field(default_factory=dict)

    @staticmethod
    def of(
        status: Word,
        last: Record | None,
        records: Iterable[Record],
        *,
        reason: InputError | None = None,
        device: str | None = None,
        parts: Mapping[str, float] = MappingProxyType({}),
    ) -> "Outcome":
        """An end after the record `last`; the best test accuracy is that of `records`."""
        parts = {name: round(seconds, 3) for name, seconds in parts.items()}
        if last is None:
            return Outcome(status=status, reason=reason, device=device, parts=parts)
        return Outcome(
            status=status,
            reason=reason,
            loss=last.train_loss,
            train_acc=last.train_acc,
            test_acc=last.test_acc,
            best_test_acc=best(records),
            examples_per_sec=last.examples_per_sec,
            examples_per_sec_wall=last.examples_per_sec_wall,
            seconds=last.seconds,
            step=last.step,
            device=device,
            parts=parts,
        )

    def to_json(self) -> dict[str, Any]:
        """What outcome.json holds."""
        data = {each.name: getattr(self, each.name) for each in fields(self)}
        return data | {"reason": self.reason and reason_to_json(self.reason)}

    @staticmethod
    def from_json(data: Any) -> "Outcome":
        """The outcome that `to_json` wrote; `ValueError` if it is damaged."""
        names = {each.name for each in fields(Outcome)}
        if not isinstance(data, dict) or data.get("status") not in OUTCOMES:
            raise ValueError("no outcome")
        reason = data.get("reason")
        values = {name: value for name, value in data.items() if name in names - {"status", "reason"}}
        parts = values.get("parts", {})
        if not isinstance(parts, dict):
            raise ValueError("no outcome")
        figures = [value for name, value in values.items() if name not in ("device", "parts") and value is not None]
        texts = isinstance(values.get("device", ""), str | None)
        if not (
            texts
            and type(values.get("step", 0)) is int
            and all(_is_number(each, (int, float)) for each in (*figures, *parts.values()))
        ):
            raise ValueError("no outcome")
        return Outcome(status=Word(data["status"]), reason=reason_from_json(reason) if reason else None, **values)


def table(records: Iterable[Record]) -> str:
    """A line for each record, below the names of its fields."""
    out = io.StringIO()
    writer = csv.DictWriter(out, [field.name for field in fields(Record)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in records)
    return out.getvalue()
