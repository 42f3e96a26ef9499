"""The command line from outside: what it prints, how it fails, and the dashboard it starts."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from conftest import StartServer, status_of, wait_until
from test_reader import VGG_11, notebook

from vggexplorer import cli
from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.export import profile
from vggexplorer.runs.cluster.holder import Free
from vggexplorer.server import dashboard
from vggexplorer.summary import summarize
from vggexplorer.terminal import cluster
from vggexplorer.text import parse_network, slug

VGGEXPLORER = (sys.executable, "-m", "vggexplorer")
TOTALS = ("params", "conv_params", "fc_params", "macs", "conv_macs", "fc_macs")
TORCHVISION = ("--input", "3x224x224", "--classes", "1000", "--head", "adaptive")
VGG_11_TUPLE = "((1,64),(1,128),(2,256),(2,512),(2,512))"


def run(*arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*VGGEXPLORER, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        env=os.environ | {"PYTHONIOENCODING": "utf-8", "COLUMNS": "80"} | env,
        encoding=env.get("PYTHONIOENCODING", "utf-8"),
    )


def profiled(*arguments: str) -> dict[str, Any]:
    done = run("profile", *arguments, "--json")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)  # type: ignore[no-any-return]


# --- the numbers -------------------------------------------------------------------------------------

# Dive into Deep Learning's networks, recomputed with PyTorch: params, of these conv and FC; MACs likewise.
BOOK = {
    ("alexnet",): (46_764_746, 3_723_968, 43_040_778, 938_146_176, 895_113_600, 43_032_576),
    ("alexnet", "--input", "1x96x96"): (21_598_922, 3_723_968, 17_874_954, 134_474_112, 116_607_360, 17_866_752),
    ("vgg11",): (128_806_154, 9_219_328, 119_586_826, 7_547_232_256, 7_427_653_632, 119_578_624),
    ("vgg11", "--input", "1x96x96"): (44_920_074, 9_219_328, 35_700_746, 1_399_955_456, 1_364_262_912, 35_692_544),
    ("vgg16",): (134_300_362, 14_713_536, 119_586_826, 15_408_406_528, 15_288_827_904, 119_578_624),
    ("vgg11", "--width", "1/4"): (43_093_322, 576_832, 42_516_490, 512_155_648, 469_647_360, 42_508_288),
}
ACTIVATIONS = {
    ("alexnet",): 1_333_642,
    ("vgg11",): 16_407_050,
    ("vgg11", "--width", "0.25"): 4_120_202,
}
# torchvision's published parameter counts.
PUBLISHED = {
    ("vgg11", *TORCHVISION): 132_863_336,
    ("vgg13", *TORCHVISION): 133_047_848,
    ("vgg16", *TORCHVISION): 138_357_544,
    ("vgg19", *TORCHVISION): 143_667_240,
    ("alexnet-tv",): 61_100_840,
}


@pytest.mark.parametrize(("arguments", "expected"), BOOK.items(), ids=map(" ".join, BOOK))
def test_the_books_networks(arguments: tuple[str, ...], expected: tuple[int, ...]) -> None:
    totals = profiled(*arguments)["totals"]
    assert tuple(totals[name] for name in TOTALS) == expected
    assert totals["flops"] == 2 * totals["macs"]


@pytest.mark.parametrize(("arguments", "expected"), ACTIVATIONS.items(), ids=map(" ".join, ACTIVATIONS))
def test_activations(arguments: tuple[str, ...], expected: int) -> None:
    assert profiled(*arguments)["totals"]["activations"] == expected


@pytest.mark.parametrize(("arguments", "expected"), PUBLISHED.items(), ids=map(" ".join, PUBLISHED))
def test_torchvisions_counts(arguments: tuple[str, ...], expected: int) -> None:
    assert profiled(*arguments)["totals"]["params"] == expected


# --- the shape of the JSON ---------------------------------------------------------------------------


def test_the_object_has_what_the_contract_says_and_no_more() -> None:
    data = profiled("vgg11")
    assert list(data) == ["architecture", "input_shape", "totals", "layers"]
    assert list(data["totals"]) == [*TOTALS, "flops", "activations"]
    assert data["input_shape"] == [1, 224, 224]
    assert data["layers"][0] == {
        "name": "features.0",
        "kind": "Conv2d",
        "input_shape": [1, 224, 224],
        "output_shape": [64, 224, 224],
        "params": 640,
        "macs": 28_901_376,
        "receptive_field": 3,
    }
    flatten = next(layer for layer in data["layers"] if layer["kind"] == "Flatten")
    assert (flatten["output_shape"], flatten["receptive_field"]) == ([25_088], None)


def test_integers_are_integers() -> None:
    data = profiled("vgg11", "--width", "0.25")
    counts = [*data["totals"].values(), *(layer[key] for layer in data["layers"] for key in ("params", "macs"))]
    assert {type(count) for count in counts} == {int}


def test_layers_add_up_to_the_totals() -> None:
    data = profiled("vgg16", "--batch-norm")
    for count in ("params", "macs"):
        assert sum(layer[count] for layer in data["layers"]) == data["totals"][count]
        assert data["totals"][f"conv_{count}"] + data["totals"][f"fc_{count}"] == data["totals"][count]


@pytest.mark.parametrize("network", NETWORKS.values(), ids=map(slug, NETWORKS))
def test_the_architectures_texts_give_the_network_again(network: Network) -> None:
    texts = profile(summarize(*network))["architecture"]
    assert parse_network(texts) == network
    assert parse_network(texts | {"arch": texts["blocks"]}) == network
    if texts["tuple"]:
        assert parse_network(texts | {"arch": texts["tuple"]}) == network


@pytest.mark.parametrize("arch", [VGG_11_TUPLE, "1x64,1x128,2x256,2x512,2x512", "VGG-11"])
def test_an_architecture_may_be_written_in_several_ways(arch: str) -> None:
    assert profiled(arch) == profiled("vgg11")


def test_every_option_arrives() -> None:
    data = profiled(
        *("1x8,1x16", "--input", "3x32x48", "--classes", "7", "--head", "gap", "--hidden", "20", "--dropout", "0.25"),
        *("--batch-norm", "--activation", "sigmoid", "--width", "1/2"),
    )
    texts = data["architecture"]
    assert data["input_shape"] == [3, 32, 48]
    assert (texts["blocks"], texts["tuple"]) == ("1x4,1x8", "((1, 4), (1, 8))")
    assert [texts[key] for key in ("input", "classes", "head", "hidden", "dropout", "bn", "act")] == [
        *("3x32x48", "7", "gap", "20", "0.25", "1", "sigmoid")
    ]
    kinds = [layer["kind"] for layer in data["layers"]]
    block = ["Conv2d", "BatchNorm2d", "Sigmoid", "MaxPool2d"]
    assert kinds == [*block, *block, "AdaptiveAvgPool2d", "Flatten", "Linear", "Sigmoid", "Dropout", "Linear"]


def test_an_option_not_given_leaves_a_networks_own() -> None:
    texts = profiled("lenet", "--classes", "26")["architecture"]
    assert (texts["hidden"], texts["dropout"], texts["act"], texts["input"]) == ("120,84", "0", "sigmoid", "1x28x28")


@pytest.mark.parametrize("hidden", ["none", ""])
def test_hidden_none_leaves_one_linear_layer(hidden: str) -> None:
    assert [layer["kind"] for layer in profiled("vgg11", "--hidden", hidden)["layers"]].count("Linear") == 1


# --- the table ---------------------------------------------------------------------------------------

WHOLE_NUMBER = re.compile(r"[\d,]+")


def rows_of(output: str) -> list[list[str]]:
    """The cells of the rows that are layers: name, kind, output, then four numbers."""
    rows = [line.split() for line in output.splitlines()]
    return [row for row in rows if len(row) == 7 and WHOLE_NUMBER.fullmatch(row[3])]


@pytest.mark.parametrize("arch", ["vgg11", "vgg19", "alexnet", "alexnet-tv", "lenet", "vgg16-c"])
def test_the_columns_of_the_table_add_up(arch: str) -> None:
    output, totals = run("profile", arch).stdout, profiled(arch)["totals"]
    columns = list(zip(*rows_of(output), strict=True))[3:6]
    sums = [sum(int(cell.replace(",", "")) for cell in column) for column in columns]
    assert sums == [totals["params"], totals["macs"], totals["activations"]]
    for total in totals.values():
        assert f"{total:,}" in output


@pytest.mark.parametrize(
    "arguments",
    [
        ("vgg11",),
        ("vgg19", "--batch-norm", *TORCHVISION),
        ("vgg16", "--head", "gap"),
        ("vgg11-lrn",),
        ("alexnet-tv",),
        ("lenet",),
    ],
    ids=" ".join,
)
def test_the_table_fits_80_columns_and_has_no_colour_codes_when_piped(arguments: tuple[str, ...]) -> None:
    output = run("profile", *arguments).stdout
    assert max(map(len, output.splitlines())) <= 80
    assert "\x1b" not in output
    assert "…" not in output


def test_a_number_is_never_cut_off() -> None:
    arguments = ("64x65536", "--input", "3x8192x8192", "--head", "gap")
    output = run("profile", *arguments, COLUMNS="20").stdout
    assert f"{profiled(*arguments)['totals']['macs']:,}" in output
    assert len(rows_of(output)) >= 128


def test_the_table_says_how_it_counts() -> None:
    assert "FLOPs = 2 × MACs" in run("profile", "vgg11").stdout.splitlines()[-1]


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "gbk", "utf-8"])
@pytest.mark.parametrize("arguments", [("vgg11",), ("vgg11", "--input", "1x8x8"), ("×", "--json")], ids=" ".join)
def test_any_encoding_of_the_terminal_will_do(encoding: str, arguments: tuple[str, ...]) -> None:
    done = run("profile", *arguments, PYTHONIOENCODING=encoding)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if arguments == ("vgg11",) else 2)
    if not done.returncode:
        assert re.search("64[x×]224[x×]224", done.stdout)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes break differently on Windows")
@pytest.mark.parametrize("option", ["--json", "--input=1x224x224"])
def test_a_reader_may_leave(option: str) -> None:
    command = [*VGGEXPLORER, "profile", "64x64,64x64", "--hidden", "none", option]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""


# --- bad input ---------------------------------------------------------------------------------------

BAD = {
    "no ARCH": (("profile",), "required: ARCH"),
    "unknown command": (("profil", "vgg11"), "'profil'"),
    "unknown network": (("profile", "vgg12"), "There is no network “vgg12”; there are alexnet, vgg11"),
    "unknown option": (("profile", "vgg11", "--depth", "3"), "Unrecognized arguments: --depth 3."),
    "abbreviated option": (("profile", "vgg11", "--inp", "1x224x224"), "--inp"),
    "option without a value": (("profile", "vgg11", "--width"), "Argument --width: expected one argument."),
    "empty ARCH": (("profile", ""), "at least one block"),
    "not a block": (("profile", "1x64,x"), "Block 2: “x” is neither a block"),
    "not a table": (("profile", "((1,64),(1,"), "is not a table"),
    "code in a table": (("profile", "(__import__('os'),)"), "There is no network in “(__import__('os'),)”"),
    "code that is no network": (("profile", "net = f(1)"), "“f(1)”: “f” is neither in this text nor known here."),
    "no such file": (("profile", "missing.ipynb"), "The file missing.ipynb cannot be read: No such file"),
    "several networks": (("profile", "{'A': [8, 'M'], 'B': [9, 'M']}"), "several networks, A, B: pick one of them."),
    "none of several": (("profile", "{'A': [8, 'M'], 'B': [9, 'M']}", "--pick", "C"), "“C” is not one of A, B."),
    "too many channels": (("profile", "1x65537"), "from 1 to 65,536, not 65537"),
    "too many blocks": (("profile", ",".join(["1x1:nopool"] * 65)), "at most 64"),
    "input of two sides": (("profile", "vgg11", "--input", "224x224"), "“224x224” is not of the form CxHxW"),
    "input too small": (("profile", "alexnet", "--input", "1x64x64"), "smallest input for this network is 65×65."),
    "input too large": (("profile", "vgg11", "--input", "1x9000x9000"), "from 1 to 8,192, not 9000"),
    "negative dropout": (("profile", "vgg11", "--dropout", "-1"), "Dropout must be a probability"),
    "dropout of one": (("profile", "vgg11", "--dropout", "1"), "Dropout must be a probability"),
    "unknown head": (("profile", "vgg11", "--head", "foot"), "“foot” is not one of flatten"),
    "hidden is no list": (("profile", "vgg11", "--hidden", "many"), "must be a whole number"),
    "classes is no number": (("profile", "vgg11", "--classes", "1.5"), "must be a whole number, not “1.5”."),
    "unknown activation": (("profile", "vgg11", "--activation", "step"), "not one of relu, sigmoid"),
    "width of nothing": (("profile", "vgg11", "--width", "0"), "not a positive ratio"),
    "width by nothing": (("profile", "vgg11", "--width", "1/0"), "not a positive ratio"),
    "width too narrow": (("profile", "lenet", "--width", "0.1"), "Width × 1/10"),
    "line break in a value": (("profile", "vgg11", "--head", "a\nb"), "is not one of flatten"),
    "port is no number": (("--port", "http"), "whole number from 1 to 65535, not “http”."),
    "port of nought": (("--port", "0"), "whole number from 1 to 65535, not “0”."),
    "port too large": (("--port", "65536"), "whole number from 1 to 65535, not “65536”."),
    "cluster is no address": (("cluster", "x"), "The address of a cluster is auto, or a host and a port"),
    "port for a command": (("--port", "8501", "profile", "vgg11"), "--port does not go with profile."),
}


@pytest.mark.sample(12)
@pytest.mark.parametrize(("arguments", "sentence"), BAD.values(), ids=BAD)
def test_bad_input_ends_with_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    done = run(*arguments)
    last = done.stderr.splitlines()[-1]
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in last
    assert re.fullmatch(r"\S.*\.", last)
    assert "Traceback" not in done.stderr


# --- help, version, speed ----------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [("--help",), ("profile", "--help")], ids=" ".join)
def test_help_shows_examples_that_work(arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    examples = re.findall(r"^ *vggexplorer (profile .*)$", done.stdout, re.MULTILINE)
    assert done.returncode == 0
    assert len(examples) == 5
    for example in examples:
        assert run(*shlex.split(example)).returncode == 0


def test_a_notebook_is_profiled_and_what_was_left_out_is_said(tmp_path: Path) -> None:
    file = tmp_path / "chapter.ipynb"
    file.write_text(notebook("import os", "net = vgg(conv_arch)\n"), "utf-8")
    done = run("profile", str(file), "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout)["totals"]["params"] == VGG_11
    assert done.stderr == "conv_arch is not in this text: the book's own was taken.\n"


def test_of_several_networks_one_is_picked() -> None:
    done = run("profile", "{'A': [8, 'M'], 'B': [16, 'M', 16, 'M']}", "--pick", "B", "--json")
    assert [row["kind"] for row in json.loads(done.stdout)["layers"]][:3] == ["Conv2d", "ReLU", "MaxPool2d"]
    assert json.loads(done.stdout)["layers"][0]["output_shape"][0] == 16


def test_version() -> None:
    assert re.fullmatch(r"vggexplorer \d+\.\d+\.\d+\n", run("--version").stdout)


def test_json_loads_nothing_that_is_slow() -> None:
    program = "import sys; from vggexplorer.cli import main; main(); print(*sys.modules, file=sys.stderr)"
    command = [sys.executable, "-c", program, "profile", "vgg11", "--json"]
    loaded = set(subprocess.check_output(command, stderr=subprocess.STDOUT).decode().split())
    assert {"vggexplorer", "json"} < loaded
    slow = {"rich", "streamlit", "torch", "pandas", "numpy", "plotly", "asyncio", "filelock"}
    assert not loaded & {*slow, "vggexplorer.runs", "vggexplorer.server", "vggexplorer.lessons"}


@pytest.mark.parametrize("as_json", [True, False])
def test_what_a_cluster_has(as_json: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    asked: list[str] = []
    monkeypatch.setattr(cluster, "ask", lambda address: (asked.append(address), Free(3, 12, 5, 2, 1))[1])
    assert cli.main(["cluster", "--json"] if as_json else ["cluster", "10.0.0.1:6379"]) == 0
    out = capsys.readouterr().out
    assert asked == ["auto" if as_json else "10.0.0.1:6379"]
    if as_json:
        free = {"nodes": 3, "processors": 12, "free_processors": 5, "gpus": 2, "free_gpus": 1}
        assert json.loads(out) == free
    else:
        assert out.splitlines() == ["nodes       3", "processors  12, 5 free", "GPUs        2, 1 free"]


@pytest.mark.parametrize("command", [*cli._COMMANDS, *(f"sweep {verb}" for verb in cli._SWEEP)])
def test_each_command_has_a_help_of_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([*command.split(), "--help"])
    assert not end.value.code
    assert f"usage: vggexplorer {command} " in capsys.readouterr().out


@pytest.mark.parametrize("does", [does for does, *_ in (*cli._COMMANDS.values(), *cli._SWEEP.values()) if does])
def test_each_command_is_answered(does: str) -> None:
    module, _, command = does.partition(".")
    assert callable(getattr(import_module(f"vggexplorer.terminal.{module}"), command))


# --- the dashboard -----------------------------------------------------------------------------------


def test_the_dashboard_answers_and_writes_nothing_into_the_home(server: StartServer) -> None:
    started = server()
    assert status_of(f"{started.url}/") == 200
    assert started.url in started.text()
    assert "email" not in started.text().lower()
    assert list((started.log.parent / "home").rglob("*.toml")) == []


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run("--no-browser", "--port", str(port))
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (f"Port {port} is taken by another program; choose another one with --port.")


def test_without_a_port_the_next_free_one_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dashboard, "_refusal", lambda port, address: None if port == 8503 else 98)
    assert dashboard._free_port() == 8503


@pytest.mark.skipif(sys.platform == "win32", reason="a console's Ctrl-C cannot be sent to one process on Windows")
@pytest.mark.parametrize("connected", [False, True], ids=["alone", "with a browser"])
def test_ctrl_c_ends_with_status_0(server: StartServer, connected: bool, request: pytest.FixtureRequest) -> None:
    started = server()
    if connected:
        page = request.getfixturevalue("browser").new_page()
        page.goto(started.url)
        page.wait_for_selector("[data-testid=stApp]")
    started.process.send_signal(signal.SIGINT)
    assert started.process.wait(20) == 0
    assert "Traceback" not in started.text()
    if connected:
        page.close()


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for a browser is a shell script")
def test_the_browser_is_opened_once_the_server_answers(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    opened = tmp_path / "opened.txt"
    stand_in = tmp_path / "browser"
    stand_in.write_text(f'#!/bin/sh\necho "$1" >> "{opened}"\n')
    stand_in.chmod(0o755)
    url = request.getfixturevalue("dashboard").url
    program = f"from vggexplorer.server.dashboard import _open_when_ready; _open_when_ready({url!r})"
    subprocess.run([sys.executable, "-c", program], env=os.environ | {"BROWSER": str(stand_in)}, check=True)
    assert wait_until(opened.exists, 5, "the browser")
    assert opened.read_text() == f"{url}\n"


def test_what_is_opened_lies_below_the_path_of_streamlit(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setenv(dashboard.BASE_PATH, "vgg")
    monkeypatch.setattr(dashboard, "_open_when_ready", opened.append)
    monkeypatch.setattr(dashboard, "end_quietly_at_ctrl_c", lambda: None)
    monkeypatch.setattr(dashboard.runpy, "run_module", lambda *_, **__: None)
    monkeypatch.setattr(sys, "argv", [])
    dashboard.serve(None, open_browser=True)
    (port,) = (option.partition("=")[2] for option in sys.argv if option.startswith("--server.port="))
    assert wait_until(lambda: opened, 5) == [f"http://127.0.0.1:{port}/vgg"]


def test_a_url_with_another_path_than_streamlits_does_not_start() -> None:
    done = run("--no-browser", "--url", "https://school.example/cnn", **{dashboard.BASE_PATH: "vgg"})
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == (
        "The URL has the path “/cnn”, but Streamlit's server.baseUrlPath is “/vgg”: they must be the same."
    )
