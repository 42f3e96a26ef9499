"""ONNX models: opened again they hold the same numbers and give the same scores as PyTorch."""

import json
import math
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
import torch
from conftest import ROOT

from vggexplorer.architectures import Network
from vggexplorer.errors import InputError
from vggexplorer.processes import StoppedError
from vggexplorer.pytorch.onnx_export import export, seeded
from vggexplorer.server import files
from vggexplorer.summary import summarize
from vggexplorer.text import parse_network
from vggexplorer.ui.network import onnx_job

SMALL = {"arch": "1x8,2x6:nopool,1x4:avgpool3s2", "input": "2x33x30", "hidden": "16", "classes": "7"}


def run(params: dict[str, str], path: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "vggexplorer.pytorch.onnx_export", str(path)]
    return subprocess.run(command, input=json.dumps(params), capture_output=True, text=True, cwd=ROOT, timeout=180)


def shape(value: Any) -> list[str | int]:
    return [side.dim_param or side.dim_value for side in value.type.tensor_type.shape.dim]


def same_scores(network: Network, path: Path) -> None:
    """For a batch of 1 and of 3, the model's scores are PyTorch's, from the same weights."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    net = seeded(network)
    for batch in (1, 3):
        images = torch.randn(batch, *network.input_shape)
        (scores,) = session.run(["scores"], {"input": images.numpy()})
        with torch.inference_mode():
            torch.testing.assert_close(torch.from_numpy(scores), net(images), atol=1e-5, rtol=1e-4)


@pytest.mark.long
def test_the_process_writes_a_model_that_is_the_network(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    done = run(SMALL, path)
    assert done.returncode == 0, done.stderr
    network = parse_network(SMALL)
    params = summarize(*network).totals.params
    assert json.loads(done.stdout) == {"bytes": path.stat().st_size, "parameters": params}
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    weights = {item.name: math.prod(item.dims) for item in model.graph.initializer if item.data_type == 1}
    assert sum(weights.values()) == params
    assert weights == {name: value.numel() for name, value in seeded(network).state_dict().items()}
    assert [shape(value) for value in model.graph.input] == [["batch", 2, 33, 30]]
    assert [shape(value) for value in model.graph.output] == [["batch", 7]]
    assert {path.name for path in tmp_path.iterdir()} == {"net.onnx"}
    same_scores(network, path)


@pytest.mark.long
@pytest.mark.parametrize(
    "params",
    [
        {"arch": "1x8:lrn,1x6", "input": "1x20x20", "bn": "1", "head": "adaptive:3", "hidden": "none"},
        {"arch": "lenet"},
        {
            "arch": "conv8:p1:nobias,bn,leakyrelu0.2,pool3s2p1:ceil,conv12:p2:d2:g4,silu,avgpool3s2p1:nopad,adaptive3,"
            "tanh,drop0.5,flatten,linear9:nobias,bn1d,gelu,linear5",
            "input": "2x21x20",
        },
        {"arch": "1x4", "input": "3x9x9", "head": "gap", "hidden": "5", "dropout": "0.5:first"},
    ],
)
def test_every_kind_of_layer(params: dict[str, str], tmp_path: Path) -> None:
    export(params, tmp_path / "net.onnx")
    same_scores(parse_network(params), tmp_path / "net.onnx")


@pytest.mark.long
@pytest.mark.parametrize(
    ("params", "reason"),
    [({"arch": "vgg11", "hidden": "65536"}, "GiB"), ({"arch": "alexnet", "input": "1x64x64"}, "65×65")],
)
def test_what_cannot_be_written_is_said_in_a_sentence(params: dict[str, str], reason: str, tmp_path: Path) -> None:
    done = run(params, tmp_path / "net.onnx")
    assert done.returncode == 1
    assert list(json.loads(done.stdout)) == ["error"]
    assert reason in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


# --- the model that the dashboard offers -----------------------------------------------------------------


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the dashboard makes its folders for models."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.mark.long
def test_a_model_is_offered_and_removed() -> None:
    model = onnx_job.Model(parse_network(SMALL))
    *_, token, name = model.url.split("/")
    path, offered = files._offered[token]
    assert name == offered == model.name
    assert len(token) >= 40
    assert path.stat().st_size == model.bytes
    assert path.parent.stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    model.discard()
    assert not path.parent.exists()


@pytest.mark.long
def test_one_that_takes_too_long_leaves_no_file(folders: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_job, "EXPORT_TIMEOUT", 0.2)
    with pytest.raises(InputError, match=r"PyTorch could not write the model: no answer within 0\.2 s"):
        onnx_job.Model(parse_network(SMALL))
    assert list(folders.iterdir()) == []


@pytest.mark.long
def test_one_that_is_not_wanted_any_more_leaves_no_file(folders: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    with pytest.raises(StoppedError):
        onnx_job.Model(parse_network(SMALL), stop)
    assert list(folders.iterdir()) == []
