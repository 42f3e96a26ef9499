"""The source that is taken away: run as it stands, it is the very network."""

import io
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from samples import examples
from strategies import networks

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network
from vggexplorer.codegen import is_chapter, source
from vggexplorer.errors import InputError
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_network

PLAIN = {"head": "gap", "bn": "1", "act": "sigmoid"}


def run_on_meta(code: str) -> tuple[dict[str, Any], list[str]]:
    """The variables and the printed lines after the source was executed without any memory for numbers."""
    names: dict[str, Any] = {}
    with redirect_stdout(io.StringIO()) as output, torch.device("meta"):
        exec(compile(code, "taken-away.py", "exec"), names)
    return names, output.getvalue().splitlines()


def shapes_of(summary: Summary) -> list[tuple[int, ...]]:
    """What the loop prints: a shape per block in the chapter's form, else per layer."""
    chapter = is_chapter(summary.architecture)
    rows = [group.rows[-1] for group in summary.groups()] if chapter else summary.rows
    return [(1, *row.output_shape) for row in rows]


def agrees(network: Network) -> None:
    summary = summarize(*network)
    code = source(*network)
    names, lines = run_on_meta(code)
    assert sum(parameter.numel() for parameter in names["net"].parameters()) == summary.totals.params
    assert lines[-1] == f"parameters: {summary.totals.params}"
    shapes = [line.partition(" output shape: ")[2] for line in lines[:-1]]
    assert shapes == [str(shape) for shape in shapes_of(summary)]
    totals = summary.totals
    comment = f"# Expected: {totals.params} parameters = {totals.conv_params} in "
    assert comment in code
    assert f" + {totals.fc_params} in " in code


@pytest.mark.parametrize("title", NETWORKS)
def test_every_named_network(title: str) -> None:
    agrees(NETWORKS[title])


@pytest.mark.parametrize("title", NETWORKS)
def test_every_named_network_with_other_options(title: str) -> None:
    agrees(parse_network(PLAIN, NETWORKS[title]))


@examples(100)
@given(networks())
def test_any_network(network: Network) -> None:
    agrees(network)


@pytest.mark.parametrize(
    ("title", "chapter"), [("VGG-11", True), ("VGG-19", True), ("AlexNet", False), ("VGG-11-LRN", False)]
)
def test_the_chapters_form_where_it_can_be_used(title: str, chapter: bool) -> None:
    code = source(*NETWORKS[title])
    assert ("def vgg_block(num_convs, in_channels, out_channels):" in code) == chapter
    assert ("net = nn.Sequential(" in code) != chapter


@pytest.mark.parametrize("option", [{"head": "gap"}, {"bn": "1"}, {"act": "sigmoid"}])
def test_what_the_chapter_cannot_write_is_flat(option: dict[str, str]) -> None:
    code = source(*parse_network({"arch": "vgg11"} | option))
    assert "vgg_block" not in code


def test_alexnet_has_its_real_arguments() -> None:
    code = source(*NETWORKS["AlexNet"])
    assert "    nn.Conv2d(1, 96, kernel_size=11, stride=4, padding=1),  # 96x54x54\n" in code
    assert "    nn.MaxPool2d(kernel_size=3, stride=2),  # 96x26x26\n" in code
    assert "    nn.Linear(6400, 4096),  # 4096\n" in code


def test_the_chapters_table_and_listing() -> None:
    code = source(*NETWORKS["VGG-11"])
    assert "\nconv_arch = ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))\n" in code
    assert "nn.Linear(in_channels * 7 * 7, 4096)," in code
    assert "# Expected: 128806154 parameters = 9219328 in " in code


def test_one_block_is_still_a_table() -> None:
    assert "conv_arch = ((1, 8),)\n" in source(*parse_network({"arch": "1x8"}))


def test_it_is_ascii_and_its_lines_are_not_too_long() -> None:
    many = Network(Architecture((Block(30, 64),) * 12, Head(hidden=(7,) * 20)), (1, 8192, 4100))
    for network in [*NETWORKS.values(), many]:
        code = source(*network)
        assert code.isascii()
        assert max(map(len, code.splitlines())) <= 120
    agrees(many)


def test_an_input_that_is_too_small_is_refused() -> None:
    with pytest.raises(InputError, match="65×65"):
        source(NETWORKS["AlexNet"].architecture, (1, 64, 64))


@pytest.mark.parametrize(
    "params", [{"arch": "vgg11", "input": "1x64x64", "hidden": "32"}, {"arch": "lenet", "bn": "1"}]
)
def test_it_runs_as_it_stands(params: dict[str, str], tmp_path: Path) -> None:
    network = parse_network(params)
    path = tmp_path / "net.py"
    path.write_text(source(*network), "utf-8")
    done = subprocess.run([sys.executable, path.name], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    summary = summarize(*network)
    lines = done.stdout.splitlines()
    assert lines[-1] == f"parameters: {summary.totals.params}"
    assert lines[-2] == "Linear output shape: (1, 10)"
    assert len(lines) == len(shapes_of(summary)) + 1
