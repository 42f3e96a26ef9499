"""How fast a processor trains, by what it is: read from what systems say, worked out without PyTorch."""

import subprocess
from types import SimpleNamespace

import pytest

from vggexplorer import processor as reading
from vggexplorer.forecast.processor import UNITS, estimate
from vggexplorer.processor import Processor, held, of_cpuinfo, processor

EPYC = Processor(2, 2.6e9, frozenset(["sse2", "sse4_1", "avx", "avx2", "fma", "avx512f", "avx512bw", "avx512_bf16"]))
"""Of this kind the short measurement said 6e-11 to 8e-11 s for each MAC where nobody else was at work."""
KNOWN = [
    # processor, seconds of a step for each MAC in float32; of all but the first an estimate from rates of their kind
    (Processor(2, 2.6e9, frozenset({"sse2", "avx", "avx2"})), 5.1e-11),  # EPYC held to AVX2: 117 GFLOP/s in the demo
    (Processor(2, 2.3e9, frozenset({"sse2", "avx", "avx2"})), 1.0e-10),  # older EPYC: a step of the demo in 0.17 s
    (Processor(2, 2.2e9, frozenset({"sse2", "avx", "avx2"})), 9.7e-11),  # laptop of 2015: 62 GFLOP/s
    (Processor(4, 1.5e9, frozenset({"asimd"})), 2.5e-10),  # Raspberry Pi 4: about 24 GFLOP/s
]
CPUINFO = """processor : 0
model name : Intel(R) Core(TM) i5-5200U CPU @ 2.20GHz
cpu MHz : 799.9
physical id : 0
core id : 0
flags : fpu sse2 avx avx2

processor : 1
model name : Intel(R) Core(TM) i5-5200U CPU @ 2.20GHz
cpu MHz : 2400.0
physical id : 0
core id : 0
flags : fpu sse2 avx avx2

processor : 2
physical id : 0
core id : 1

processor : 3
physical id : 0
core id : 1
"""
ARM = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd\n\nprocessor\t: 1\n\nHardware : BCM\n"


@pytest.mark.parametrize(("found", "pace"), KNOWN)
def test_the_estimate_is_half_or_twice_of_what_such_processors_do(found: Processor, pace: float) -> None:
    guess = estimate(found)
    assert guess
    assert pace / 2 <= guess.pace <= 2 * pace


def test_more_cores_a_faster_clock_and_newer_instructions_are_never_slower() -> None:
    for unit in UNITS:
        one = estimate(Processor(1, 2e9, frozenset({unit.flag})))
        assert one
        for more in (Processor(2, 2e9, frozenset({unit.flag})), Processor(1, 3e9, frozenset({unit.flag}))):
            faster = estimate(more)
            assert faster
            assert faster.pace < one.pace
    paces = [estimate(EPYC._replace(flags=frozenset({each.flag}))).pace for each in UNITS]  # type: ignore[union-attr]
    x86 = [pace for pace, unit in zip(paces, UNITS, strict=True) if not unit.flag.startswith("asimd")]
    assert x86 == sorted(x86)


def test_of_what_is_not_known_nothing_is_said() -> None:
    assert estimate(Processor(None, 3e9, EPYC.flags)) is None
    assert estimate(Processor(4, 3e9, frozenset())) is None
    assert estimate(Processor(4, 3e9, frozenset({"altivec"}))) is None
    assert estimate(EPYC._replace(clock=None))


def test_linux_says_it_in_a_file() -> None:
    assert of_cpuinfo(CPUINFO) == Processor(2, 2.2e9, frozenset(["fpu", "sse2", "avx", "avx2"]))
    assert of_cpuinfo(CPUINFO, {1}).cores == 1
    assert of_cpuinfo(CPUINFO, {0, 3}).cores == 2
    assert of_cpuinfo(ARM) == Processor(2, None, frozenset({"fp", "asimd"}))


@pytest.mark.parametrize(
    "text", ["", "\n\n", "processor", ":::\n:", "processor : 0\ncpu MHz : fast\nflags", CPUINFO[:70]]
)
def test_odd_files_are_read_as_far_as_they_go(text: str) -> None:
    found = of_cpuinfo(text)
    assert found.clock is None or found.clock > 0


def test_a_container_has_a_part_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"/proc/cpuinfo": CPUINFO, "/sys/fs/cgroup/cpu.max": "150000 100000"}
    monkeypatch.setattr(reading, "_text", lambda path: files.get(path, ""))
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    assert reading._on_linux().cores == 1.5
    files["/sys/fs/cgroup/cpu.max"] = "max 100000"
    files["/sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq"] = "2700000"
    assert reading._on_linux() == Processor(2, 2.7e9, frozenset(["fpu", "sse2", "avx", "avx2"]))


@pytest.mark.parametrize(
    ("asked", "cores", "best"),
    [
        ({}, 2, "avx512_bf16"),
        ({"OMP_NUM_THREADS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"}, 1, "avx2"),
        ({"ONEDNN_MAX_CPU_ISA": "avx512_core"}, 2, "avx512f"),
        ({"OMP_NUM_THREADS": "8", "ONEDNN_MAX_CPU_ISA": "SSE41"}, 2, "sse4_1"),
        ({"OMP_NUM_THREADS": "many", "ONEDNN_MAX_CPU_ISA": "?"}, 2, "avx512_bf16"),
        ({"OMP_NUM_THREADS": "0"}, 2, "avx512_bf16"),
    ],
)
def test_what_pytorch_is_held_to_counts(asked: dict[str, str], cores: int, best: str) -> None:
    found = held(EPYC, asked)
    assert found.cores == cores
    assert next(unit.flag for unit in UNITS if unit.flag in found.flags) == best


def test_macos_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    says = {"hw.physicalcpu": "4", "hw.cpufrequency_max": "2900000000", "machdep.cpu.features": "SSE2 AVX1.0"}
    says["machdep.cpu.leaf7_features"] = "AVX2 BMI1"

    def run(command: list[str], **_: object) -> SimpleNamespace:
        return SimpleNamespace(stdout=says.get(command[-1], "") + "\n")

    monkeypatch.setattr("subprocess.run", run)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    assert reading._on_macos() == Processor(4, 2.9e9, frozenset({"sse2", "avx1.0", "avx2", "bmi1"}))
    monkeypatch.setattr("platform.machine", lambda: "arm64")
    assert estimate(reading._on_macos())

    def missing(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("sysctl", 2)

    monkeypatch.setattr("subprocess.run", missing)
    assert reading._on_macos() == Processor(None, None, frozenset({"asimd", "asimddp"}))


def test_here_it_is_read() -> None:
    found = processor({})
    assert found.cores is None or found.cores > 0
