"""Networks with every kind of layer, all the way through: text, JSON, code, other tools, memory, training, pictures."""

import json
import math
from fractions import Fraction
from itertools import permutations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from test_codegen import agrees
from test_forecast import BATCH, PRECISIONS, kept_by_autograd
from test_inside import PICTURE, Keeper
from test_onnx import same_scores

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.comparison import compare, stages, why
from vggexplorer.drawing import draw
from vggexplorer.explain import explain
from vggexplorer.export import profile
from vggexplorer.forecast.memory import activations
from vggexplorer.layers import Kind
from vggexplorer.peers import PEERS, Measured, reconcile
from vggexplorer.pytorch import crosscheck, inside, loop, onnx_export
from vggexplorer.receptive import fields
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import snapshots
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.options import Training
from vggexplorer.summary import Summary, add_up, summarize
from vggexplorer.text import format_network, parse_network


def narrow(name: str, ratio: Fraction, side: int, **texts: str) -> Network:
    """A named network with other channels, for pictures of one colour."""
    named = NETWORKS[name].architecture.scaled(ratio)
    return parse_network(texts, Network(named, (1, side, side)))


THROUGH = {
    "NiN": narrow("NiN", Fraction(1, 8), 67),
    "two towers": narrow("AlexNet (2012)", Fraction(1, 8), 67, classes="10", hidden="32"),
    "ZFNet": narrow("ZFNet", Fraction(1, 16), 65, classes="10", hidden="none"),
    "depthwise": parse_network(
        {
            "arch": "conv16:p1,silu,conv16:p1:g16:nobias,bn,silu,conv32:k1,silu,gap,"
            "flatten,linear16,bn1d,silu,linear10",
            "input": "1x28x28",
        }
    ),
    "rounded up": parse_network(
        {
            "arch": "1x8:nopool,leakyrelu0.2,pool3s2:ceil,conv12:d2:p2,tanh,avgpool3s2p1:ceil:nopad,gelu,"
            "2x12:k4,lrn:n3",
            "input": "1x30x27",
            "head": "adaptive:3",
            "hidden": "16",
            "act": "gelu",
        }
    ),
    "no linear layer": parse_network({"arch": "2x8,drop0.1,conv10:k1,sigmoid,gap,flatten", "input": "1x28x28"}),
}


@pytest.fixture(params=THROUGH)
def network(request: pytest.FixtureRequest) -> Network:
    return THROUGH[request.param]


@pytest.fixture
def summary(network: Network) -> Summary:
    return summarize(*network)


def test_every_kind_of_layer_is_among_them() -> None:
    assert {row.kind for network in THROUGH.values() for row in summarize(*network).rows} == set(Kind)


def test_json_and_link_name_the_very_network(network: Network, summary: Summary) -> None:
    told = json.loads(json.dumps(profile(summary)))
    assert parse_network(told["architecture"]) == parse_network(format_network(network)) == network
    assert sum(layer["macs"] for layer in told["layers"]) == told["totals"]["macs"] == summary.totals.macs
    assert len(summary.frame()) == len(told["layers"])


def test_the_source_is_the_network(network: Network) -> None:
    agrees(network)


@pytest.mark.parametrize("tool", PEERS)
def test_other_tools_are_explained_to_the_digit(tool: str, network: Network, summary: Summary) -> None:
    (check,) = reconcile(summary, {tool: Measured(**crosscheck.measure(tool, network))})
    assert (check.unexplained, check.unexplained_params) == (0, 0)


@pytest.mark.parametrize("precision", PRECISIONS)
def test_autograd_keeps_what_is_forecast(precision: str, network: Network, summary: Summary) -> None:
    assert activations(summary, BATCH, precision) == kept_by_autograd(network, precision, "cpu")


@pytest.mark.long
def test_the_model_gives_the_same_scores(network: Network, tmp_path: Path) -> None:
    onnx_export.export(format_network(network), tmp_path / "net.onnx")
    same_scores(network, tmp_path / "net.onnx")


@pytest.mark.sample(2)
def test_it_trains_on_the_sample_and_shows_its_inside(network: Network, tmp_path: Path) -> None:
    few = Training(epochs=1, images=200, batch_size=50, precision="float32")
    run = Runs(tmp_path).create(Config(network=network, training=few, device="cpu"))
    keeper = Keeper(run.path)
    keeper.trainer = loop.Trainer(run.config(), keeper)
    records = list(keeper.trainer.run())
    assert records[-1].step == 4
    assert all(math.isfinite(record.batch_loss) for record in records)
    assert records[-1].test_acc is not None
    for layer in inside.layers(run.config()):
        found = inside.inside(run, PICTURE, layer)["stages"]
        assert len(found) == len(snapshots.files(run.path)) > 1
        assert all(stage["maps"]["count"] for stage in found)


def test_it_is_drawn_and_every_figure_explained(network: Network, summary: Summary) -> None:
    drawn = {item.get("data-layer") for item in ElementTree.fromstring(draw(summary)).iter()}
    shaping = [row.name for row in summary.rows if row.output_shape != row.input_shape]
    assert drawn >= {"input", *shaping}
    for row in summary.rows:
        assert [figure.value for figure in explain(summary, row)].count(row.params) >= 1
        assert len(fields(summary, row).rows) == (row.output_shape[1] if len(row.output_shape) == 3 else 1)


def test_stages_hold_all_layers_and_reasons_are_given_between_any_two() -> None:
    entries = compare((network.architecture for network in THROUGH.values()), (1, 67, 67), 10)
    for entry in entries:
        assert entry.summary
        found = stages(entry.summary).values()
        convolutions = [row for row in entry.summary.rows if row.kind == Kind.CONV2D]
        assert sum(stage.convolutions for stage in found) == len(convolutions)
        assert sum(stage.totals.macs for stage in found) == add_up(entry.summary.rows).macs
    for one, other in permutations(entries, 2):
        sentences = [str(remark) for remark in why(one, other)]
        assert len(sentences) >= 4
        assert not [sentence for sentence in sentences if "{" in sentence or "None" in sentence]
