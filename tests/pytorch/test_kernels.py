"""The kernels of `kernels.py`, and the step made of them: what they do, in a process of its own, and that they compile.

Triton reads when it is imported whether it is to interpret: the tests themselves are `kernel_cases.py` and
`fast_cases.py`, which are run in Triton's interpreter here, and on a GPU as they are.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT
from torch import Tensor

triton = pytest.importorskip("triton", reason="PyTorch for this system comes without Triton")

CUOBJDUMP = Path(triton.__file__).parent / "backends" / "nvidia" / "bin" / "cuobjdump"
CASES = [Path(__file__).with_name(name) for name in ("kernel_cases.py", "fast_cases.py")]
HALF = torch.bfloat16
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


def both_ways(act: Callable[..., Tensor], *inputs: Any) -> None:
    y = act(*inputs)
    y.backward(torch.ones_like(y))


def launches() -> None:
    """Each kernel, as a slim VGG-11 and AlexNet have them; what it makes is not looked at."""
    from vggexplorer.pytorch import kernels

    index, images = torch.arange(2), torch.zeros(2, 1, 28, 28, dtype=torch.uint8)
    bias = torch.zeros(16, requires_grad=True)
    weight = torch.zeros(16, 1, 3, 3, dtype=HALF, requires_grad=True)
    black = kernels.pixels(images, index, (1, 32, 32), kernels.PAD, HALF)
    both_ways(kernels.first_block, black, weight, bias)
    x = torch.zeros(2, 16, 13, 13, dtype=HALF, requires_grad=True)
    both_ways(kernels.bias_relu, x, bias)
    for side in (2, 3):
        both_ways(kernels.bias_relu_pool, x, bias, side)
    master, lr = torch.zeros(32), torch.zeros(1)
    kernels.descend(master, master.to(HALF), master.to(HALF), master, lr, 0.9, 0.0)
    kernels.descend(master, master, None, None, lr, 0.0, 0.0)


@pytest.mark.long
def test_they_compile_for_an_h100(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As they are launched, down to the machine's own instructions, with all that they hold in registers.

    The compiler needs no GPU for it.
    """
    from triton import compile as compiled
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    from triton.runtime import JITFunction

    monkeypatch.setenv("TRITON_CACHE_DIR", str(tmp_path))
    seen: set[str] = set()

    def run(kernel: Any, *args: Any, grid: Any, warmup: bool, num_stages: int = 3) -> None:
        signature, constants, aligned = {}, {}, {}
        for place, (parameter, value) in enumerate(zip(kernel.params, args, strict=True)):
            if parameter.is_constexpr:
                signature[parameter.name], constants[(place,)] = "constexpr", value
                continue
            signature[parameter.name] = TYPES[value.dtype if isinstance(value, Tensor) else type(value)]
            if isinstance(value, Tensor) and not parameter.do_not_specialize:
                aligned[(place,)] = [["tt.divisibility", 16]]
        source = ASTSource(kernel, signature, constants, aligned)
        made = compiled(source, target=GPUTarget("cuda", 90, 32), options={"num_stages": num_stages})
        (tmp_path / "cubin").write_bytes(made.asm["cubin"])
        told = subprocess.run([CUOBJDUMP, "--dump-resource-usage", tmp_path / "cubin"], capture_output=True, text=True)
        assert " STACK:0 " in told.stdout, kernel.__name__ + told.stdout + told.stderr
        seen.add(kernel.__name__)

    monkeypatch.setattr(JITFunction, "run", run)
    launches()
    assert len(seen) == 8
