"""The kernels of `kernels.py`, and the step made of them: what they do, in a process of its own, and that they compile.

Triton reads when it is imported whether it is to interpret: the tests themselves are `kernel_cases.py`, `fast_cases.py`
and `trial_cases.py`, which are run in Triton's interpreter here, and on a GPU as they are.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT
from torch import Tensor

from vggexplorer.architectures import NETWORKS
from vggexplorer.pytorch.modules import build
from vggexplorer.pytorch.optimizers import optimizer
from vggexplorer.pytorch.step import Task
from vggexplorer.runs.options import Training

triton = pytest.importorskip("triton", reason="PyTorch for this system comes without Triton")

CUOBJDUMP = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
CASES = [Path(__file__).with_name(name) for name in ("kernel_cases.py", "fast_cases.py", "trial_cases.py")]
TYPES = {
    torch.uint8: "*u8",
    torch.int8: "*i8",
    torch.int64: "*i64",
    torch.bfloat16: "*bf16",
    torch.float32: "*fp32",
    int: "i32",
    float: "fp32",
}


def run_cases(options: Any, **env: str) -> None:
    command = [sys.executable, "-m", "pytest", "-o", "addopts=", "-q", "-p", "no:cacheprovider"]
    command += [f"--seed={options.seed}", *(["--all"] if options.all else []), *map(str, CASES)]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | env, cwd=ROOT, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_in_the_interpreter_they_do_what_pytorch_does(pytestconfig: pytest.Config) -> None:
    run_cases(pytestconfig.option, TRITON_INTERPRET="1", CUDA_VISIBLE_DEVICES="")


@pytest.mark.gpu
def test_on_a_gpu_they_do_what_pytorch_does(pytestconfig: pytest.Config) -> None:
    run_cases(pytestconfig.option)


def step(name: str, momentum: float) -> None:
    """A fused step of a network of the book on one image; what it makes is not looked at."""
    from vggexplorer.pytorch.fast import Fast

    net = build(*NETWORKS[name]).to(memory_format=torch.channels_last)
    training = Training(batch_size=1, momentum=momentum)
    images, labels = torch.zeros(1, 1, 28, 28, dtype=torch.uint8), torch.zeros(1, dtype=torch.int64)
    Fast(Task(net, optimizer(net, training), training, images, labels, (1, 224, 224))).learn(labels, 0.1)


@pytest.mark.long
@pytest.mark.parametrize(("name", "momentum", "kernels"), [("VGG-11 slim", 0.9, 8), ("AlexNet", 0.0, 6)])
def test_they_compile_for_an_h100(
    name: str, momentum: float, kernels: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As they are launched, down to the machine's own instructions, with all that they hold in registers.

    The compiler needs no GPU for it.
    """
    from triton import compile as compiled
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.runtime import JITFunction

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    seen: dict[str, str] = {}

    def run(kernel: Any, *args: Any, grid: Any, warmup: bool, num_stages: int = 3) -> None:
        signature, constants, aligned = {}, {}, {}
        for place, (parameter, value) in enumerate(zip(kernel.params, args, strict=True)):
            if parameter.is_constexpr:
                signature[parameter.name], constants[(place,)] = "constexpr", value
                continue
            signature[parameter.name] = TYPES[value.dtype if isinstance(value, Tensor) else type(value)]
            if isinstance(value, Tensor) and not parameter.do_not_specialize:
                aligned[(place,)] = [["tt.divisibility", 16]]
        if (what := f"{signature} {constants}") in seen:
            return
        source = ASTSource(kernel, signature, constants, aligned)
        made = compiled(source, target=GPUTarget("cuda", 90, 32), options={"num_stages": num_stages})
        (tmp_path / "cubin").write_bytes(made.asm["cubin"])
        told = subprocess.run([CUOBJDUMP, "--dump-resource-usage", tmp_path / "cubin"], capture_output=True, text=True)
        assert " STACK:0 " in told.stdout, kernel.__name__ + told.stdout + told.stderr
        seen[what] = kernel.__name__

    monkeypatch.setattr(JITFunction, "run", run)
    step(name, momentum)
    assert len(set(seen.values())) == kernels
