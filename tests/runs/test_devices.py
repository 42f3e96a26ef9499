"""Which devices there are, asked of PyTorch once; and what a device says of itself while it trains."""

import json
import os
import platform
import shutil
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from conftest import ROOT, wait_until

from vggexplorer import processes
from vggexplorer.errors import InputError
from vggexplorer.forecast.precision import decide
from vggexplorer.processes import NoAnswerError, peak_memory, process_began, resident_memory
from vggexplorer.pytorch import devices as torch_devices
from vggexplorer.runs import devices
from vggexplorer.runs.devices import Device, known, look, resolve
from vggexplorer.runs.trainer.telemetry import Sampler

GPU = {"name": "cuda:0", "title": "GPU", "memory": 8 * 2**30, "speedup": 3.0, "uuid": "GPU-1"}
CPU = {"name": "cpu", "title": "CPU", "memory": 2**33, "speedup": 1.05}


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the process that asks PyTorch does: the `error` it ends with, and how often it was `asked`."""
    says: dict[str, Any] = {"error": None, "asked": 0}

    def answer(*_: object, **__: object) -> dict[str, Any]:
        says["asked"] += 1
        if says["error"]:
            raise says["error"]
        return {"devices": [GPU, CPU]}

    monkeypatch.setattr(devices, "answer", answer)
    return says


def test_pytorch_is_asked_once(tmp_path: Path, answer: dict[str, Any]) -> None:
    runs = tmp_path / "runs"
    assert known(runs) is None
    found = look(runs)
    assert found == [Device(**GPU), Device(**CPU)]
    assert look(runs) == found == known(runs)
    assert answer["asked"] == 1
    assert [device.precision for device in found] == ["bfloat16", "float32"]


def test_another_machine_or_pytorch_is_asked_again(
    tmp_path: Path, answer: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    look(tmp_path)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert known(tmp_path) is None
    look(tmp_path)
    assert answer["asked"] == 2


@pytest.mark.parametrize("content", ["", "[]", "{}", "null", '{"machine": 1}', '{"machine": {}, "devices": 5}'])
def test_a_damaged_file_is_as_if_nobody_had_looked(tmp_path: Path, content: str) -> None:
    (tmp_path / "devices.json").write_text(content)
    assert known(tmp_path) is None


def test_no_answer_is_explained(tmp_path: Path, answer: dict[str, Any]) -> None:
    answer["error"] = NoAnswerError("{reason}", reason="ImportError: no libtorch")
    with pytest.raises(InputError, match="PyTorch could not be asked for its devices: ImportError: no libtorch"):
        look(tmp_path)
    assert known(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "found"), [("auto", "cuda:0"), ("cuda", "cuda:0"), ("cuda:0", "cuda:0"), ("cpu", "cpu")]
)
def test_a_name_means_a_device(tmp_path: Path, answer: dict[str, Any], name: str, found: str) -> None:
    assert resolve(name, tmp_path).name == found


@pytest.mark.parametrize("name", ["mps", "cuda:1"])
def test_a_device_that_is_not_there(tmp_path: Path, answer: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=f"There is no device {name} here; there are cuda:0, cpu."):
        resolve(name, tmp_path)


@pytest.mark.long
def test_pytorch_itself_answers() -> None:
    """The real process: the processor is always there, and the last one."""
    done = subprocess.run(
        [sys.executable, "-m", "vggexplorer.pytorch.devices"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    found = [Device(**device) for device in json.loads(done.stdout)["devices"]]
    assert found[-1].name == "cpu"
    assert found[-1].title
    assert all(device.speedup >= 0 for device in found)
    assert 1e-14 < found[-1].pace < 1e-7  # of the slowest processors and beyond the fastest GPUs


STEPS = """
import json
from vggexplorer.pytorch import devices
types, seconds = [], devices._seconds
devices._seconds = lambda device, dtype, images: (types.append(str(dtype)), seconds(device, dtype, images))[1]
print(json.dumps([devices.measure("cpu")["speedup"], sorted(set(types))]))
"""


@pytest.mark.long
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the switches are for these processors")
def test_a_processor_without_bfloat16_does_no_step_in_it() -> None:
    without = {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2"}
    command = [sys.executable, "-c", STEPS]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | without, capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout) == [0, ["torch.float32"]], done.stderr


@pytest.mark.parametrize(
    ("single", "half", "speedup", "rounds"),
    [
        ([3, 2, 2, 2, 2], [1, 1, 1, 0.5, 1], 4, 5),
        ([3, 2, 2, 2, 2], [3, 2, 2, 2.5, 2], 1, 5),  # the first round may be slow
        ([3, 2, 2, 2, 2], [8], 0.25, 1),
    ],
    ids=["faster", "as fast", "slower"],
)
def test_what_is_slower_in_bfloat16_is_tried_once(
    monkeypatch: pytest.MonkeyPatch, single: list[float], half: list[float], speedup: float, rounds: int
) -> None:
    times = {torch.float32: iter(single), torch.bfloat16: iter(half)}
    tried: list[torch.dtype] = []
    monkeypatch.setattr(torch_devices, "_seconds", lambda _, dtype, __: (tried.append(dtype), next(times[dtype]))[1])
    monkeypatch.setattr(torch_devices, "_processor_has_bfloat16", lambda: True)
    assert torch_devices.measure("cpu") == {"speedup": speedup, "pace": min(single) / (32 * torch_devices.MACS)}
    assert tried == [torch.float32] * 5 + [torch.bfloat16] * rounds


def test_a_gpu_is_measured_with_as_many_images_as_keep_it_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """An image takes 20 microseconds in float32, 10 in bfloat16, and launching 300: a small block would hide it."""
    monkeypatch.setattr(torch_devices, "has_bfloat16", lambda _: True)
    each = {torch.float32: 20e-6, torch.bfloat16: 10e-6}
    monkeypatch.setattr(torch_devices, "_seconds", lambda _, dtype, images: 300e-6 + images * each[dtype])
    assert torch_devices.measure("cpu")["speedup"] < 1.6
    found = torch_devices.measure("cuda:0")
    assert found["speedup"] > 1.8
    assert found["pace"] == pytest.approx(each[torch.float32] / torch_devices.MACS, rel=0.1)


@pytest.mark.parametrize("most", [0, 100, 5000])
def test_a_gpu_with_little_memory_gets_fewer_images(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    def seconds(_: str, __: torch.dtype, images: int) -> float:
        if images > most:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return 1e-4

    monkeypatch.setattr(torch_devices, "has_bfloat16", lambda _: False)
    monkeypatch.setattr(torch_devices, "_seconds", seconds)
    images = {0: 0, 100: 64, 5000: torch_devices.MOST}[most]
    pace = 1e-4 / (images * torch_devices.MACS) if images else 0.0
    assert torch_devices.measure("cuda:0") == {"speedup": 0.0, "pace": pace}


def test_where_pytorch_does_not_say_bfloat16_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "ops", SimpleNamespace(mkldnn=SimpleNamespace()))
    assert torch_devices._processor_has_bfloat16()


def test_what_was_decided_is_kept_for_the_next_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    decided = decide(True, 2.0, 1.0, 8)
    assert devices.known_decision(tmp_path, "steps") is None
    devices.keep_decision(tmp_path, "steps", decided)
    devices.keep_decision(tmp_path, "others", decide(True, 1.0, 2.0))
    assert devices.known_decision(tmp_path, "steps") == decided
    monkeypatch.setattr(devices, "MOST_DECISIONS", 1)
    devices.keep_decision(tmp_path, "new", decided)
    assert (devices.known_decision(tmp_path, "new"), devices.known_decision(tmp_path, "steps")) == (decided, None)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert devices.known_decision(tmp_path, "new") is None
    for content in ("", "[]", '{"machine": 1}', "null", '{"machine": {}, "decisions": 5}'):
        (tmp_path / "precisions.json").write_text(content)
        assert devices.known_decision(tmp_path, "new") is None
    devices.keep_decision(tmp_path / "gone", "steps", decided)  # it is not worth an end


def test_a_device_whose_trial_did_not_end_is_known_until_pytorch_is_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert devices.begin_trial(tmp_path, "cuda:0 GPU")
    assert not devices.begin_trial(tmp_path, "cuda:0 GPU")
    assert devices.begin_trial(tmp_path, "cuda:1 GPU")
    devices.end_trial(tmp_path, "cuda:1 GPU")
    assert devices.begin_trial(tmp_path, "cuda:1 GPU")
    monkeypatch.setattr(devices, "version", lambda _: "3.0")
    assert devices.begin_trial(tmp_path, "cuda:0 GPU")
    for content in ("", "[]", '{"machine": 1}', "null", json.dumps({"machine": devices.machine(), "begun": 5})):
        (tmp_path / "trials.json").write_text(content)
        assert devices.begin_trial(tmp_path, "cuda:0 GPU")
    devices.end_trial(tmp_path / "gone", "cuda:0 GPU")
    assert devices.begin_trial(tmp_path / "gone", "cuda:0 GPU")


# --- while it trains -------------------------------------------------------------------------------------


def test_a_processor_says_how_busy_it_is() -> None:
    sampler = Sampler("cpu")
    sum(range(10**6))
    sample = json.loads(sampler.line())
    assert 0 <= sample["utilization"] <= 101
    assert sample["seconds"] >= 0
    assert sample["took"] >= 0
    if memory := resident_memory():
        assert abs(sample["memory"] - memory) < 2**28
        assert (peak_memory() or memory) > 2**20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="only Linux hands the figure on")
def test_the_peak_is_a_process_its_own() -> None:
    ballast = bytearray(b"1") * 2**28  # of the parent, which the child must not count
    code = "from vggexplorer.processes import NoAnswerError, peak_memory; print(peak_memory())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(ballast) > 2 * int(done.stdout)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux says it of other processes")
def test_the_processes_of_a_run_are_taken_together() -> None:
    other = subprocess.Popen([sys.executable, "-c", "sum(range(10**7)); input()"], stdin=subprocess.PIPE)
    try:
        wait_until(lambda: processes.busy_seconds(other.pid) > 0.05)
        alone, both = (Sampler("cpu", others=lambda pids=pids: pids).sample() for pids in ([], [other.pid]))
        assert both["memory"] > alone["memory"] + 2**20
        assert both["utilization"] >= 0
    finally:
        other.communicate(b"\n")
    assert processes.busy_seconds(other.pid) == 0.0
    assert resident_memory(other.pid) is None


class Nvml(SimpleNamespace):
    """Stands for the module pynvml: one GPU whose temperature cannot be read."""

    NVML_TEMPERATURE_GPU = 0

    def __init__(self) -> None:
        super().__init__(asked=[])

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlDeviceGetHandleByUUID(self, uuid: bytes) -> str:  # noqa: N802
        self.asked.append(uuid)
        return "handle"

    def nvmlDeviceGetUtilizationRates(self, _: str) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(gpu=97)

    def nvmlDeviceGetMemoryInfo(self, _: str) -> SimpleNamespace:  # noqa: N802
        return SimpleNamespace(used=3 * 2**30, total=6 * 2**30)

    def nvmlDeviceGetTemperature(self, *_: object) -> int:  # noqa: N802
        raise RuntimeError("not supported")

    def nvmlDeviceGetPowerUsage(self, _: str) -> int:  # noqa: N802
        return 98_123

    def nvmlDeviceGetEnforcedPowerLimit(self, _: str) -> int:  # noqa: N802
        return 80_000


def test_a_gpu_says_what_it_can(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)  # type: ignore[arg-type]
    sample = Sampler("cuda:0", "GPU-1").sample()
    assert sample == {"utilization": 97, "memory": 3 * 2**30, "memory_total": 6 * 2**30, "power": 98.1} | {
        "power_limit": 80.0
    }
    assert nvml.asked == [b"GPU-1"]


def test_without_its_library_a_gpu_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert Sampler("cuda:0", "GPU-1").sample() == {}


def test_how_old_a_process_is() -> None:
    code = "import time; from vggexplorer.processes import age; first = age(); time.sleep(0.2); print(first, age())"
    began = time.monotonic()
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    first, second = map(float, done.stdout.split())
    if sys.platform == "linux":
        assert 0 < first < second - 0.15 < time.monotonic() - began
    else:
        assert first == second == 0


def test_when_a_process_began() -> None:
    if not Path("/proc/self/stat").exists():
        assert process_began(1) is None
        return
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    began = process_began(process.pid)
    assert began is not None
    assert began == process_began(process.pid)
    if shutil.which("ps"):
        assert abs((processes._began_by_ps(process.pid) or 0) - time.time()) < 60
    process.communicate(b"\n")
    assert process_began(process.pid) is processes._began_by_ps(process.pid) is None


def test_the_share_of_the_processors_is_what_is_left_by_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """By how much of them was had, or of what they did at all, whichever is more."""
    now = {"own": 10.0, "all": 100.0, "time": 0.0}
    monkeypatch.setattr(processes, "busy_seconds", lambda: now["own"])
    monkeypatch.setattr(processes, "all_busy_seconds", lambda: now["all"])
    monkeypatch.setattr(time, "monotonic", lambda: now["time"])
    share = processes.Share()
    assert share.of(2) == 1
    for own, everybody, threads, expected in (
        *((18.0, 19.0, 2, 18 / 19), (4.0, 20.0, 2, 0.2)),
        *((40.0, 44.0, 16, 40 / 44), (0.0, 20.0, 2, 0.01), (25.0, 20.0, 2, 1.0)),
    ):
        now |= {"own": 10 + own, "all": 100 + everybody, "time": 10.0}
        assert share.of(threads) == pytest.approx(expected)
    assert processes.Share().of(2, idle=5.0) == 1
    monkeypatch.setattr(processes, "all_busy_seconds", lambda: None)
    assert processes.Share().of(2) == 1


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it")
def test_what_all_processes_did_is_no_less_than_what_this_one_did() -> None:
    own, everybody = processes.busy_seconds(), processes.all_busy_seconds()
    ended = time.monotonic() + 0.3
    while time.monotonic() < ended:
        pass
    after = processes.all_busy_seconds()
    assert everybody is not None
    assert after is not None
    assert after - everybody >= 0.5 * (processes.busy_seconds() - own) > 0
