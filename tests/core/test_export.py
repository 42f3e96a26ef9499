"""A network's costs as files: tables, names, the drawing on its own."""

import csv
import io
import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from samples import examples
from strategies import networks

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.drawing import HEIGHT, WIDTH, svg_file
from vggexplorer.errors import InputError
from vggexplorer.export import MAX_WEIGHTS, check_weights, file_name, markdown, profile, rows_csv
from vggexplorer.formatting import exact
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network

TITLES = list(NETWORKS)


def records(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.mark.parametrize("title", TITLES)
def test_the_csv_has_every_layer_and_sums_to_the_totals(title: str) -> None:
    summary = summarize(*NETWORKS[title])
    rows = records(rows_csv(summary))
    assert [row["layer"] for row in rows] == [row.name for row in summary.rows]
    for column in ("params", "macs", "activations"):
        assert sum(int(row[column]) for row in rows) == getattr(summary.totals, column)
    for row, layer in zip(rows, profile(summary)["layers"], strict=True):
        assert row["output_shape"] == "x".join(map(str, layer["output_shape"]))
        assert row["receptive_field"] == ("" if layer["receptive_field"] is None else str(layer["receptive_field"]))


def test_the_csv_of_vgg_11_line_by_line() -> None:
    lines = rows_csv(summarize(*NETWORKS["VGG-11"])).splitlines()
    header = "layer,kind,block,input_shape,output_shape,params,macs,activations,receptive_field,stride"
    assert lines[0] == header
    assert lines[1] == "features.0,Conv2d,1,1x224x224,64x224x224,640,28901376,3211264,3,1"
    assert lines[-1] == "classifier.6,Linear,,4096,10,40970,40960,10,,"


@pytest.mark.parametrize("title", TITLES)
def test_the_markdown_is_one_table_with_totals_and_the_convention(title: str) -> None:
    summary = summarize(*NETWORKS[title])
    text = markdown(summary)
    table = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.count("|") for line in table} == {7}
    assert len(table) == 2 + len(summary.rows) + 3
    totals = summary.totals
    cells = [cell.strip() for cell in table[-1].strip("|").split("|")]
    assert cells[3:] == [exact(totals.params), exact(totals.macs), exact(totals.activations)]
    assert exact(totals.conv_macs) in table[-3]
    assert exact(totals.fc_params) in table[-2]
    assert f"FLOPs = 2 × MACs = {exact(totals.flops)}" in text


def test_a_frame_has_what_the_table_has() -> None:
    network = parse_network({"arch": "1x8,conv9:g1,gap,flatten"})
    summary = summarize(*network)
    frame = summary.frame()
    lines = rows_csv(summary).splitlines()
    assert ",".join(frame.columns) == lines[0]
    assert len(frame) == len(summary.rows) == len(lines) - 1
    assert int(frame["macs"].sum()) == summary.totals.macs
    assert list(frame["block"].fillna(0)) == [1, 1, 1, 0, 0, 0]
    assert frame["output_shape"][0] == (8, 224, 224)
    assert frame["receptive_field"].isna().sum() == 1


# --- names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"arch": "vgg11"}, "vgg11-1x224x224.csv"),
        ({"arch": "vgg11", "input": "3x96x64", "classes": "100"}, "vgg11-3x96x64-classes100.csv"),
        ({"arch": "alexnet-tv", "bn": "1"}, "alexnet-tv-3x224x224-bn1.csv"),
        ({"arch": "1x8:k5,2x16:nopool"}, "1x8-k5_2x16-nopool-1x224x224.csv"),
        ({"arch": "vgg11-160", "dropout": "0.3:first"}, "vgg11-160-1x160x160-dropout0.3-first.csv"),
    ],
)
def test_a_file_name_says_what_is_inside(params: dict[str, str], name: str) -> None:
    assert file_name(parse_network(params), "csv") == name


@examples(100)
@given(networks())
def test_a_file_name_is_safe_everywhere(network: Network) -> None:
    name = file_name(network, "csv")
    assert re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}\.csv", name)


def test_long_names_are_cut_and_still_differ() -> None:
    texts = [",".join(["1x64:k5:s1:p0:avgpool3s2"] * 30 + [last]) for last in ("1x8", "1x9")]
    names = {file_name(parse_network({"arch": text, "input": "1x8000x8000"}), "csv") for text in texts}
    assert len(names) == 2
    assert all(len(name) == 64 for name in names)


# --- what is too large -----------------------------------------------------------------------------------


def test_weights_that_are_too_much_for_a_file_are_refused_with_their_size() -> None:
    for title in TITLES:
        check_weights(summarize(*NETWORKS[title]))
    summary = summarize(*parse_network({"arch": "vgg11", "hidden": "16384"}))
    assert 4 * summary.totals.params > MAX_WEIGHTS
    with pytest.raises(InputError, match=r"1\.57\D+GiB .*420,441,354 parameters × 4 bytes"):
        check_weights(summary)


# --- the drawing as a file -------------------------------------------------------------------------------


@pytest.mark.parametrize("title", TITLES)
def test_the_drawing_stands_alone(title: str) -> None:
    text = svg_file(summarize(*NETWORKS[title]))
    root = ElementTree.fromstring(text)
    assert (root.get("width"), root.get("height"), root.get("viewBox")) == (
        str(WIDTH),
        str(HEIGHT),
        f"0 0 {WIDTH} {HEIGHT}",
    )
    for dependent in ("var(", "currentColor", "inherit", "cursor", "tabindex", "button"):
        assert dependent not in text
    assert [element.get("fill") for element in root if element.tag.endswith("path")] == ["white"]


def test_its_parts_have_their_colours(tmp_path: Path) -> None:
    text = svg_file(summarize(*NETWORKS["VGG-11"]))
    style = text.partition("<style>")[2].partition("</style>")[0]
    assert ".vgg-conv{fill:#3b6fb6}" in style
    assert style.count("{") == style.count("}")
    used = set(re.findall(r"vgg-[a-z]+", text.replace(style, "")))
    assert used - set(re.findall(r"vgg-[a-z]+", style)) == set()


def test_profile_is_json() -> None:
    summary = summarize(*NETWORKS["AlexNet"])
    assert json.loads(json.dumps(profile(summary)))["totals"]["params"] == 46_764_746
