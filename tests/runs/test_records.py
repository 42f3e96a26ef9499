"""Records and outcomes as lines and files, and what is damaged of them."""

import json
from dataclasses import MISSING, fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import examples

from vggexplorer.errors import InputError, reason_from_json, reason_to_json
from vggexplorer.runs.folder.records import TIMING, Outcome, Record, parse_line
from vggexplorer.runs.folder.status import Word

numbers = st.floats(allow_nan=False, allow_infinity=False)
records = st.builds(
    Record,
    step=st.integers(0, 10**9),
    epoch=numbers,
    examples=st.integers(0, 10**12),
    batch_loss=numbers,
    train_loss=numbers,
    train_acc=numbers,
    lr=numbers,
    examples_per_sec=numbers,
    examples_per_sec_wall=numbers,
    seconds=numbers,
    memory=st.none() | st.integers(0, 2**50),
    test_loss=st.none() | numbers,
    test_acc=st.none() | numbers,
)
LINE = (
    b'{"step": 3, "epoch": 0.5, "examples": 384, "batch_loss": 2.3, "train_loss": 2.3, "train_acc": 0.1, "lr": 0.05,'
    b' "examples_per_sec": 87.5, "examples_per_sec_wall": 80.0, "seconds": 4.8}\n'
)


def changed(**values: Any) -> bytes:
    return json.dumps(json.loads(LINE) | values).encode() + b"\n"


@examples(100)
@given(records)
def test_a_line_holds_the_record(record: Record) -> None:
    line = record.line()
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert parse_line(line) == record


def test_the_fields_of_time_are_fields() -> None:
    assert set(TIMING) < {field.name for field in fields(Record)}


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"{}",
        b"[1]",
        b"null",
        LINE[:40],
        LINE.replace(b"step", b"stop"),
        LINE.replace(b'"', b"\xff", 1),
        changed(step=1.5),
        changed(step=True),
        changed(lr="0.05"),
        changed(lr=None),
        changed(lr=[]),
        changed(train_loss=float("nan")),
        changed(train_loss=float("inf")),
        b"[" * 100_000,
    ],
    ids=lambda line: repr(line[-30:]),
)
def test_a_damaged_line_is_none(line: bytes) -> None:
    assert parse_line(LINE) is not None
    assert parse_line(line) is None


def test_a_record_of_an_older_or_newer_version_is_read() -> None:
    """What it lacks has its default, what it has beside is left out; so it is with an outcome."""
    old = parse_line(LINE)
    assert old is not None
    late = {field.name: field.default for field in fields(Record) if field.default is not MISSING}
    assert {name: getattr(old, name) for name in late} == late
    assert parse_line(changed(gradient=[1.5], note="more")) == old
    assert Outcome.from_json({"status": "finished", "more": 1}) == Outcome(status="finished")


def test_what_is_not_a_number_is_never_written() -> None:
    record = parse_line(LINE)
    assert record is not None
    with pytest.raises(ValueError, match="float"):
        Record(**(record.to_json() | {"train_loss": float("nan")})).line()


@pytest.mark.parametrize(
    "outcome",
    [
        Outcome(status=Word.STOPPED),
        Outcome(status=Word.FINISHED, loss=0.2, train_acc=0.9, test_acc=0.91, best_test_acc=0.92, seconds=3.0, step=9),
        Outcome(status=Word.FINISHED, parts={"data": 0.5, "of a newer version": 1.0}),
        Outcome(status=Word.FAILED, reason=InputError("There is no device {name} here.", name="cuda:7"), device="cpu"),
    ],
    ids=lambda outcome: outcome.status,
)
def test_json_holds_the_outcome(outcome: Outcome) -> None:
    again = Outcome.from_json(json.loads(json.dumps(outcome.to_json())))
    assert str(again) == str(outcome)
    assert again.to_json() == outcome.to_json()


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        {"status": "running"},
        {"status": "finished", "step": "9"},
        {"status": "finished", "loss": float("nan")},
        {"status": "finished", "parts": 5},
        {"status": "finished", "parts": {"steps": "long"}},
        {"status": "failed", "reason": {"template": "{gone}", "values": {}}},
        {"status": "failed", "reason": "text"},
        {"status": "failed", "reason": {"template": "{x.y}", "values": {"x": "1"}}},
    ],
    ids=str,
)
def test_a_damaged_outcome_is_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="no "):
        Outcome.from_json(data)


def test_an_outcome_has_the_figures_of_the_last_record_and_the_best_test() -> None:
    tests = [parse_line(changed(step=step, test_acc=value)) for step, value in ((1, 0.5), (2, 0.9), (3, 0.7))]
    records = [each for each in (*tests, parse_line(changed(step=4))) if each]
    outcome = Outcome.of(Word.STOPPED, records[-1], records, device="cpu")
    assert (outcome.status, outcome.step, outcome.loss, outcome.device) == ("stopped", 4, 2.3, "cpu")
    assert (outcome.test_acc, outcome.best_test_acc) == (None, 0.9)
    assert Outcome.of(Word.STOPPED, None, []) == Outcome(status=Word.STOPPED)
    parts = Outcome.of(Word.STOPPED, None, [], parts={"data": 0.12345}).parts
    assert parts == Outcome.of(Word.STOPPED, records[-1], records, parts={"data": 0.12345}).parts == {"data": 0.123}


def test_a_reason_keeps_its_parts() -> None:
    reason = InputError("The {what} of {n:,} {n:byte|bytes}: {inner}", what="file", n=12345, inner=InputError("gone"))
    again = reason_from_json(json.loads(json.dumps(reason_to_json(reason))))
    assert str(again) == str(reason) == "The file of 12,345 bytes: gone"
    assert again.template == reason.template
