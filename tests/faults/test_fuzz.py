"""Whatever a person, a link or a damaged file sends: the core answers with a value or a sentence, soon and cheaply.

Each reader gets texts, JSON and bytes that began as valid ones and were damaged. It must give a value that comes back
from its own text, or an `InputError` that can stand on a page; any other exception fails. A run
tries a sample of the 10,000 cases.
"""

import gzip
import json
import math
import os
import struct
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from hypothesis import HealthCheck, given, reject, settings
from hypothesis import strategies as st
from samples import examples
from strategies import edited_networks, networks
from test_link import states
from test_runs_page import config, make, record

from vggexplorer import cli
from vggexplorer.architectures import Block, Network
from vggexplorer.errors import InputError, ShapeError, reason_from_json
from vggexplorer.paths import COMPARE, EXPLORE, RUNS
from vggexplorer.runs import folders, launch
from vggexplorer.runs.config import Config
from vggexplorer.runs.datasets import Dataset, find
from vggexplorer.runs.folder.records import Outcome, parse_line
from vggexplorer.runs.folder.run import Run, clean_name
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.safetensors import read_layout
from vggexplorer.runs.folder.status import STATUSES
from vggexplorer.runs.formats import read_idx
from vggexplorer.server import metrics
from vggexplorer.summary import summarize
from vggexplorer.terminal.runs import rows
from vggexplorer.text import KEYS, checked, format_network, parse_arch, parse_items, parse_network, parse_ratio
from vggexplorer.ui.link import Pin, State, read, write

SECONDS = 1.0
"""The most time of the processor that an answer may take."""
BYTES = 200 * 10**6
"""The most memory that an answer may take."""
CASES = {"text": 2_400, "link": 2_000, "config": 1_500, "run": 1_500, "binary": 1_500, "folder": 400, "command": 1_200}
"""How many cases there are, by what is read."""
BOOK = "conv_arch = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))  # 这里(2,256)2指重复两次"


def test_there_are_ten_thousand_cases() -> None:
    assert sum(CASES.values()) >= 10_000


# --- what is demanded of every answer -------------------------------------------------------------------------


def said(error: InputError) -> None:
    """The sentence can stand on a page: there is one, it is not endless, and UTF-8 has all of it."""
    text = str(error)
    assert text.strip()
    assert len(text) < 3_000
    text.encode()


def answer(ask: Callable[[], Any]) -> Any:
    """What `ask` gives, or None if it was a sentence; fails if it takes too long."""
    start = time.thread_time()
    try:
        value = ask()
    except InputError as error:
        said(error)
        value = None
    assert time.thread_time() - start < SECONDS
    return value


def fuzz(name: str, strategy: st.SearchStrategy[Any], check: Callable[..., None], most: int, *given_too: Any) -> None:
    """Have Hypothesis try `check` on so many cases, or a sample of them."""
    calls = 0
    drawn = settings(examples(most), suppress_health_check=list(HealthCheck))

    @drawn
    @given(strategy)
    def counted(case: Any) -> None:
        nonlocal calls
        calls += 1
        check(case, *given_too)

    counted()
    print(f"{name}: {calls} cases")
    assert calls >= drawn.max_examples * 0.9  # Hypothesis does not repeat itself


# --- damaged texts ----------------------------------------------------------------------------------------------

VALID = [
    *("vgg11", "VGG-16", "alexnet-tv", "1x64,1x128,2x256", "1x96:k11:s4:p1:pool3s2,2x384:nopool", "1x64:lrn", BOOK),
    *(
        "((1, 64), (1, 128))",
        "[[1, 64], [2, 128]]",
        ">>> conv_arch = [(1, 64)]\n... ",
        "（（１，６４），（１，１２８））",
    ),
    *("1x224x224", "3×96*64", "10", "flatten", "adaptive:6", "gap", "4096,4096", "none", "0.5", "0.5:first", "1/4"),
    *("relu", "sigmoid", "float32", "FLOPs", "zh", "alexnet;head=gap;hidden=none", "vgg16;input=3x64x48;classes=7"),
    *("sample", "full:~/data", "folder:/tmp/pictures", "20260101-120000-1", "1e-3", "cuda:0", "quick-demo", "auto"),
]
PIECES = [
    *("", " ", "\n", "\t", ",", "，", "、", ";", ":", "=", "(", ")", "[", "]", "{", "}", "(" * 30, "#", "'", '"', "\\"),
    *("-1", "0", "00", "1e999", "NaN", "Infinity", "-0.0", "9" * 9, "9" * 10, "9" * 5000, "1j", "0x10", "1_000", "١٢"),
    *("１", "²", "½", "x", "×", "\0", "\ud800", "\udcff", "\u202e", "\ufeff", "\U0001f600", "e\u0301", "\ufdfa", "\r"),
    *("<img src=x onerror=alert(1)>", "**x**", "$x$", "{0}", "{what}", "{n:999999999}", "%s", "../..", "~", "~root"),
    *("None", "True", "lambda: 0", "__import__('os')", "f'{1}'", "*", "**", "/", "&", "?", "arch=", "--json", "-"),
]
ENDLESS = {
    "nested round brackets": "(" * 10**5,
    "nested square brackets": "[" * 10**5 + "]" * 10**5,
    "as many brackets as are read": "=" + "[" * 19_999,
    "nested calls": "=" + "a(" * 9_000,
    "signs": "=(" + "-" * 19_000 + "1,1)",
    "a long sum": "=(" + "1+" * 9_000 + "1,1)",
    "a large number": "((1," + "9" * 19_000 + "),)",
    "a power": "((9**9**9**9,1),)",
    "a repetition": "[(1,1)]*10**9",
    "a megabyte of digits": "9" * 10**6,
    "a megabyte of blocks": "1x64," * 200_000,
    "a megabyte of keys": ";".join(f"k{number}=1" for number in range(100_000)),
    "a megabyte of emoji": "\U0001f600" * 250_000,
    "characters that become eighteen": "\ufdfa" * 20_000,
    "a tuple of three thousand": "(" + "(1,64)," * 2_800 + ")",
    "options": "1x1" + ":k1" * 6_000,
    "hidden layers": "4096," * 3_900,
    "strings": "=(" + "'a' " * 4_900 + ")",
    "attributes": "=a" + ".a" * 9_000,
    "comparisons": "=1" + "<1" * 9_000,
    "f-strings": "(f'" + '{f"' * 4_000,
    "lines": "=\n" * 9_000 + "(",
    "spaces": " " * 19_999,
    "NUL": "\0" * 19_999,
    "surrogates": "\ud800" * 19_999,
}


@st.composite
def damaged(draw: st.DrawFn, valid: list[str] = VALID) -> str:
    """A valid text with a few pieces put in, taken out, doubled or replaced."""
    text = draw(st.sampled_from(valid))
    for _ in range(draw(st.integers(0, 3))):
        first, last = sorted((draw(st.integers(0, len(text))), draw(st.integers(0, len(text)))))
        piece = draw(st.sampled_from(PIECES))
        middle = draw(st.sampled_from([piece, piece + text[first:last], "", 2 * text[first:last], piece * 40]))
        text = text[:first] + middle + text[last:]
    return text


texts = damaged() | damaged() | st.text(max_size=40) | st.sampled_from(list(ENDLESS.values()))


def check_text(text: str) -> None:
    """Everything that reads one text of a person."""
    for parse in (parse_arch, parse_network_of):
        if network := answer(lambda parse=parse: checked(parse(text))):
            assert parse_network(format_network(network)) == network
    if items := answer(lambda: parse_items(text)):
        assert 0 < len(items) <= 400
        assert sum(isinstance(item, Block) for item in items) <= 64
    for key in KEYS:
        network = answer(lambda key=key: parse_network({"arch": "vgg11", key: text}))
        assert network is None or parse_network(format_network(network)) == network
    if pin := answer(lambda: Pin.parse(text)):
        assert Pin.parse(str(pin)) == pin
    if ratio := answer(lambda: parse_ratio(text)):
        assert 0 < ratio < 10**12
    if name := answer(lambda: clean_name(text)):
        assert clean_name(name) == name
        assert name.isprintable()


def parse_network_of(text: str) -> Network:
    return parse_network({"arch": text, "input": "3x224x224"})


def test_texts() -> None:
    fuzz("text", texts, check_text, CASES["text"])


keys = st.sampled_from([*KEYS, "arch", "pin", "batch", "dtype", "count", "lang", "run", "x", "", "<b>", "\ud800"])
links = st.dictionaries(keys, st.lists(texts, max_size=4) | texts, max_size=6)


@st.composite
def damaged_links(draw: st.DrawFn) -> dict[str, str | list[str]]:
    """The link of a state, one of its texts damaged."""
    state = draw(states)
    params: dict[str, Any] = dict(write(state, draw(st.sampled_from([EXPLORE, COMPARE])))) or {"arch": "vgg11"}
    key = draw(st.sampled_from(sorted(params)))
    params[key] = draw(damaged([params[key]])) if isinstance(params[key], str) else [*params[key], draw(damaged())]
    return params


def check_link(params: dict[str, str | list[str]]) -> None:
    start = time.thread_time()
    state, errors = read(params)
    assert time.thread_time() - start < SECONDS
    assert len(errors) < 40
    for error in errors:
        said(error)
    network, beside, runs = state.network, state.beside, state.runs
    assert read(write(state)) == (replace(state, beside=State().beside, runs=()), [])
    assert read(write(state, RUNS))[0].runs == runs
    again, others = read(write(state, COMPARE))
    assert (again.beside, others) == (beside, [])
    assert again.network.architecture.items == network.architecture.items
    for pin in (state.pin, *beside):
        answer(lambda pin=pin: summarize(*pin.network(network)))


def test_links() -> None:
    fuzz("link", links | damaged_links(), check_link, CASES["link"])


# --- damaged files of a run -------------------------------------------------------------------------------------

ODD: list[Any] = [
    *(None, True, -1, 0, 3.5, 10**19, 10**400, -(10**400), math.nan, math.inf, "", "x", "x" * 10_000, "\0", "\ud800"),
    *([], {}, [[]], {"": {}}, {"version": 1}, [1, 2], "٣", "1e999", "{n:999999999}", "{x.y}", "{}", "9" * 5000, 1e308),
    *({"template": "{n:999999999}", "values": {"n": 1}}, {"template": "{}", "values": []}, "2026-01-01T00:00:00"),
    *("0001-01-01T00:00:00+14:00", "../../etc/passwd", "<script>", "full:\ud800", "folder:~\ud800", "folder:~\udcff/x"),
]
BYTES_OF = [
    b"",
    b"\n",
    b"\0",
    b"{",
    b"}",
    b"[" * 10**5,
    b'"',
    b"NaN",
    b"1e999",
    b"9" * 5000,
    b"\xff\xfe",
    b"\xef\xbb\xbf",
]


@st.composite
def edited(draw: st.DrawFn, data: Any) -> Any:
    """JSON data with one value, at any depth, replaced by something odd, renamed or taken out."""
    if isinstance(data, dict | list) and data and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(data) if isinstance(data, dict) else range(len(data))))
        copy = data.copy()
        match draw(st.sampled_from(["inside", "inside", "inside", "out", "named"])):
            case "inside":
                copy[key] = draw(edited(data[key]))
            case "out":
                del copy[key]
            case "named" if isinstance(copy, dict):
                copy[draw(st.sampled_from(["", "x", "version", "template", "self"]))] = copy.pop(key)
        return copy
    return draw(st.sampled_from(ODD))


@st.composite
def damaged_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Bytes with a few flipped, put in, or cut off."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(content)))
        match draw(st.sampled_from(["flip", "flip", "in", "cut"])):
            case "flip":
                content = content[:place] + bytes([draw(st.integers(0, 255))]) + content[place + 1 :]
            case "in":
                content = content[:place] + draw(st.sampled_from(BYTES_OF)) + content[place:]
            case "cut":
                content = content[:place]
    return content


def json_files(valid: list[Any]) -> st.SearchStrategy[bytes]:
    """JSON files that were edited by hand or damaged."""

    def of(data: Any) -> st.SearchStrategy[bytes]:
        return edited(data).map(lambda each: json.dumps(each).encode()) | damaged_bytes(json.dumps(data).encode())

    return st.sampled_from(valid).flatmap(of)


@st.composite
def asked(draw: st.DrawFn) -> Config:
    """A config of a network of any sort."""
    network = draw(networks() | edited_networks())
    architecture = replace(network.architecture, num_classes=10)
    side = max(network.input_shape[1], architecture.min_side())
    try:
        return config(network._replace(architecture=architecture), input_size=side, batch_norm=draw(st.booleans()))
    except ShapeError:  # maps that are not of one pixel are no scores
        reject()


configs = [config().to_json(), config(parse_network({"arch": "alexnet"}), input_size=224, time_budget=60.0).to_json()]


def check_config(content: bytes) -> None:
    try:
        data = json.loads(content)
    except (ValueError, RecursionError):
        data = {}
    found = answer(lambda: Config.from_json(data))
    if found:
        assert Config.from_json(json.loads(json.dumps(found.to_json()))) == found
        assert Dataset.parse(str(found.dataset)) == found.dataset


def test_config_files() -> None:
    asked_for = asked().flatmap(lambda each: json_files([each.to_json()]))
    fuzz("config", json_files(configs) | asked_for, check_config, CASES["config"])


reason = {"text": "a 1", "template": "{what} must be from {low}.", "values": {"what": "a", "low": 1}}
outcomes = [
    {"status": "finished", "step": 100, "device": "cpu", "loss": 0.5, "seconds": 1.5},
    {"status": "failed", "step": 3, "reason": reason},
    Outcome(status="stopped", reason=InputError("{n} times", n=3), step=7).to_json(),
]
FILES: dict[str, list[Any]] = {
    "config.json": configs,
    "created.json": [{"time": "2026-01-01T12:00:00+00:00"}],
    "environment.json": [{"device": "cpu", "classes": ["a", "b"], "num_steps": 100, "time": "x", "threads": 2}],
    "heartbeat": [{"beat": 5, "phase": "training", "step": 100, "ahead": 0, "pid": 0}],
    "control.json": [{"until": None, "stop": False}, {"until": 7, "stop": True}],
    "outcome.json": outcomes,
    "result.json": [{"classes": ["a", "b"], "confusion": [[1, 2], [3, 4]], "mistakes": []}],
    "step.json": [{"step": 7, "loss": 0.5, "pictures": [], "gradients": {"a": 1.0}}],
    "metrics.jsonl": [record(1).to_json(), record(2, 0.5).to_json()],
    "telemetry.jsonl": [{"utilization": 50, "memory": 2**30}],
    "name.txt": ["a name"],
}
run_files = st.sampled_from(sorted(FILES)).flatmap(
    lambda name: st.tuples(
        st.just(name), json_files(FILES[name]).map(lambda content: content + b"\n" * name.endswith(".jsonl"))
    )
)


def check_run(case: tuple[str, bytes], runs: Runs) -> None:
    """All that is read of a run that is over and of one with a trainer, when one of their files is damaged."""
    name, content = case
    for run in runs.all(recorded=False):
        path = run.path / name
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(content)
        try:
            read_all(run)
        finally:
            path.unlink() if before is None else path.write_bytes(before)


def read_all(run: Run) -> None:
    start = time.thread_time()
    answer(run.config)
    found = run.status()
    assert found.word in STATUSES
    assert type(found.step) is type(found.ahead) is int
    run.name().encode("utf-8", "surrogatepass")
    assert len(run.name()) <= 80
    run.created(), run.environment(), run.control(), run.telemetry(), run.heartbeat(), run.saved_step(), run.size()
    for each in run.records():
        assert parse_line(each.line()) == each
        assert all(math.isfinite(value) for value in each.to_json().values())
    run.last_record()
    run.resumable(found)
    if outcome := run.outcome():
        assert Outcome.from_json(json.loads(json.dumps(outcome.to_json()))).to_json() == outcome.to_json()
        if outcome.reason:
            said(outcome.reason)
    if not found.active:  # of the others it would be watched for seconds whether they live
        json.dumps(rows([run]))
    json.dumps(metrics.answer(run, 0, ""), allow_nan=False)
    assert time.thread_time() - start < SECONDS


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runs]:
    """One run that is over, and one whose lock is held as its trainer would."""
    monkeypatch.setattr("vggexplorer.runs.folder.files.PROBE", 0.001)  # nobody else looks at these runs
    make(tmp_path / "runs", "one", day=1)
    living = make(tmp_path / "runs", "two", "interrupted", day=2)
    with FileLock(living.path / "run.lock"):
        yield Runs(tmp_path / "runs")


def test_files_of_a_run(runs: Runs) -> None:
    fuzz("run", run_files, check_run, CASES["run"], runs)


@pytest.mark.parametrize(
    "content", [b"[" * 10**6, b'{"a":' * 10**5, b" " * 10**7, b"9" * 10**7, b"[],[" * 10**6, b'["' + b"x" * 10**7]
)
def test_endless_files_of_a_run(content: bytes, runs: Runs) -> None:
    for name in FILES:
        check_run((name, content), runs)
    check_config(content)


@pytest.mark.parametrize(
    "template",
    ["\ud800", "{n:999999999}", "{n:a|{n:999999999}}", "{n!r:>999999999}", "{n.real}", "{n[0]}", "{", "x" * 10**6, 7],
)
def test_a_reason_with_more_than_names_is_none(template: Any) -> None:
    with pytest.raises(ValueError, match="no reason"):
        reason_from_json({"template": template, "values": {"n": 1}})


# --- damaged data ----------------------------------------------------------------------------------------------


def idx(*shape: int, content: bytes = b"") -> bytes:
    return struct.pack(f">BBBB{len(shape)}I", 0, 0, 8, len(shape), *shape) + content


def safetensors(header: Any, content: bytes = bytes(64)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + content


entry = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
layout = {"__metadata__": {"step": "7"}, "a.weight": entry, "b": {**entry, "data_offsets": [24, 48]}}
images = idx(2, 28, 28, content=bytes(2 * 28 * 28))
binary = st.one_of(
    damaged_bytes(images),
    damaged_bytes(gzip.compress(images, mtime=0)),
    damaged_bytes(gzip.compress(images, mtime=0)).map(lambda content: content * 3),
    json_files([layout]).map(safetensors),
    json_files([layout]).map(lambda text: safetensors(text, b"")),
    damaged_bytes(safetensors(layout)),
    st.binary(max_size=64),
)
HUGE: dict[str, Callable[[], bytes]] = {
    "a bomb of gzip": lambda: gzip.compress(bytes(3 * 10**8), 9),
    "bombs of gzip one after the other": lambda: gzip.compress(bytes(10**8), 9) * 5,
    "a shape of gigabytes": lambda: idx(2**31, 2**31, 2**31),
    "a header of a hundred megabytes": lambda: safetensors(b'{"a":[' + b"[]," * 33_000_000 + b"[]]}"),
    "a header that is longer than the file": lambda: struct.pack("<Q", 2**40) + b"{}",
    "a long header": lambda: safetensors(json.dumps({f"t{n}": entry for n in range(30_000)}).encode()),
    "a shape of large numbers": lambda: safetensors({"a": {**entry, "shape": [10**4000] * 400}}),
    "a shape of many numbers": lambda: safetensors({"a": {**entry, "shape": [2**62] * 40_000}}),
    "a nested header": lambda: safetensors(b"[" * 10**6),
}


def check_binary(content: bytes, path: Path) -> None:
    """The readers of bytes: IDX, and the header of safetensors, where a damaged file is a `ValueError`."""
    path.write_bytes(content)
    if found := answer(lambda: read_idx(path)):
        assert math.prod(found[0]) == len(found[1])
    start = time.thread_time()
    try:
        about = read_layout(path)
    except ValueError:
        pass
    else:
        assert all(8 <= each.begin <= each.end <= len(content) for each in about.tensors.values())
    assert time.thread_time() - start < SECONDS


def test_data_files(tmp_path: Path) -> None:
    fuzz("binary", binary, check_binary, CASES["binary"], tmp_path / "file")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two classes, and things that a listing may stumble on."""
    folder = tmp_path_factory.mktemp("pictures")
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "1.png").write_bytes(b"")
    (folder / "loop").symlink_to(folder)
    (folder / "gone").symlink_to(folder / "nothing")
    os.mkfifo(folder / "pipe")
    (folder / "a" / os.fsdecode(b"\xff\xfe")).write_bytes(b"")
    return folder


def check_folder(path: str, folder: Path) -> None:
    path = path.replace("/tmp/pictures", str(folder))
    if found := answer(lambda: folders.find(Path(path))):
        assert len(found.counts) >= 2
    dataset = answer(lambda: Dataset.parse(path))
    answer(lambda: find(Dataset("full", path)))
    if dataset:
        Config(network=config().network, training=config().training, dataset=dataset)


PLACES = ["/tmp/pictures", "/tmp/pictures/a", "/tmp/pictures/pipe", "/tmp/pictures/loop", "~/x", "/", "/dev", "/root"]
FOLDERS = [
    *PLACES,
    "folder:/tmp/pictures",
    "full:/tmp/pictures/gone",
    "/proc/self",
    "~nobody/x",
    "x" * 300,
    "x/" * 3000,
]


def test_data_folders(pictures: Path) -> None:
    fuzz("folder", damaged(FOLDERS) | texts, check_folder, CASES["folder"], pictures)


# --- command lines ----------------------------------------------------------------------------------------------

OPTIONS = [
    *("--input", "--classes", "--head", "--hidden", "--dropout", "--width", "--activation", "--batch-norm", "--json"),
    *("--recipe", "--dataset", "--input-size", "--epochs", "--batch-size", "--lr", "--momentum", "--weight-decay"),
    *("--conv-init", "--flip", "--crop", "--brightness", "--time-budget", "--seed", "--device", "--precision"),
    *("--checkpoint-every", "--name", "--runs", "--port", "--no-browser", "--version", "-h", "--", "--x"),
    *("--optimizer", "--schedule", "--step-epochs", "--step-factor", "--warmup", "--range-ratio", "--label-smoothing"),
    *("--patience", "--keep-best"),
    *("--nproc", "--on", "--cores", "--list", "--dry-run"),
]


def possible(text: str) -> bool:
    """Whether the system can pass `text` to a program."""
    try:
        return b"\0" not in os.fsencode(text)
    except UnicodeEncodeError:
        return False


words = texts.filter(possible)
commands = st.tuples(
    st.sampled_from(["profile", "compare", "train", "train", "resume", "race", "sweep", "sweep", "runs", "cluster"])
    | words,
    st.lists(words | st.sampled_from(["vgg11", "alexnet", "1x8", "start", "resume", "stop", "list"]), max_size=3),
    st.lists(st.tuples(st.sampled_from(OPTIONS), words | st.sampled_from(["1", "0.5", "3x64x64"])), max_size=4),
).map(lambda parts: [parts[0], *parts[1], *(word for pair in parts[2] for word in pair)])


def check_command(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The status is 0, or 2 with a sentence as the last line of standard error."""
    start = time.thread_time()
    try:
        status = cli.main(argv)
    except SystemExit as end:
        status = end.code or 0
    assert time.thread_time() - start < SECONDS
    _, complaint = capsys.readouterr()
    assert status in (0, 2), (status, complaint)
    assert "Traceback" not in complaint
    if status:
        last = complaint.rstrip("\n").rpartition("\n")[2]
        assert last.endswith((".", "!", "?")), complaint
        assert len(last) < 10 * sum(map(len, argv)) + 2_000


@pytest.fixture
def no_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither trainings nor dashboards are really started, and nothing is written outside of the test's folder."""

    def refuse(*_: Any, **__: Any) -> None:
        raise InputError("Nothing is started here.")

    for name in ("start", "resume"):
        monkeypatch.setattr(launch, name, refuse)
    monkeypatch.setattr("vggexplorer.runs.races.check", refuse)
    monkeypatch.setattr("vggexplorer.terminal.sweeps.forecast", refuse)
    monkeypatch.setattr("vggexplorer.terminal.cluster.ask", refuse)
    monkeypatch.setattr("vggexplorer.server.dashboard.serve", refuse)
    monkeypatch.setattr("vggexplorer.terminal.asked.resolve", refuse)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("no_start")
def test_command_lines(capsys: pytest.CaptureFixture[str]) -> None:
    fuzz("command", commands, check_command, CASES["command"], capsys)


# --- what takes memory -------------------------------------------------------------------------------------------


def peak(ask: Callable[[], Any]) -> int:
    """The most bytes that Python had in use for an answer."""
    tracemalloc.start()
    try:
        answer_slowly(ask)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def answer_slowly(ask: Callable[[], Any]) -> None:
    """The answer without a limit of time: counting memory takes time of its own."""
    try:
        ask()
    except InputError as error:
        said(error)
    except ValueError:  # how the readers of safetensors refuse
        pass


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_endless_texts(text: str) -> None:
    check_text(text)
    check_link(dict.fromkeys((*KEYS, "arch", "pin", "batch", "run", "lang"), text))
    check_link({"arch": [text] * 20, "run": [text] * 100, text[:10_000]: text})
    assert peak(lambda: parse_arch(text)) < BYTES
    assert peak(lambda: read({"arch": [text] * 20, "pin": text, "hidden": text})) < BYTES


def test_a_link_of_a_hundred_thousand_keys() -> None:
    params: dict[str, str | list[str]] = {f"key{number}": "1" for number in range(100_000)}
    check_link(params)
    assert peak(lambda: read(params)) < BYTES


@pytest.mark.parametrize("name", HUGE)
def test_huge_files(name: str, tmp_path: Path) -> None:
    path = tmp_path / "file"
    check_binary(HUGE[name](), path)
    assert peak(lambda: read_idx(path)) < BYTES
    assert peak(lambda: read_layout(path)) < BYTES
