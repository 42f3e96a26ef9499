"""Which tests run, and in how many processes.

What is generated (places of a fault, damaged texts, random networks) runs as a sample; all of it with `--all`.
Tests that take long, and those that start processes again and again, run in turn: a part of them in each run, all of
those in a file that is named. Those of faults, of a cluster and of the doors (ways to the dashboard) run when their
folder is named. A sample is drawn anew in each run, from a seed that the summary prints;
`pytest --seed N` draws the same one again.
"""

import importlib
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from secrets import randbelow
from typing import Any, Protocol, TypeVar

import pytest
from hypothesis import settings

T = TypeVar("T")
TESTS = Path(__file__).resolve().parent
CLUSTER = TESTS / "cluster"
DOORS = TESTS / "doors"
APART = (TESTS / "faults", CLUSTER, DOORS)
"""The folders that a run leaves out unless they are named."""
SHARE = 20
"""A sample of random examples is this part of all of them, but `FEWEST` at least."""
FEWEST = 20
TURNS, TURNS_OF_HEAVY = 16, 4
"""Each run takes one in so many of the tests that take long, and of those in `HEAVY`."""
HEAVY = (
    *("test_worker", "test_distributed", "test_crosscheck", "test_calibration", "test_cli_train", "test_sweeps"),
    *("test_train", "test_trial", "test_disk", "test_processes", "test_security", "test_images", "test_best"),
    "test_kernels",
)
"""Files of tests that start processes, or train, again and again."""
_everything = False


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("samples")
    group.addoption("--all", action="store_true", help="run all that is generated, not a sample of it")
    group.addoption("--seed", type=int, help="draw the sample that an earlier run has printed the seed of")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Before Hypothesis reads its own options."""
    global _everything
    if config.option.seed is None:
        config.option.seed = getattr(config, "workerinput", {}).get("seed", randbelow(10**6))
    config.option.hypothesis_seed = str(config.option.seed)
    _everything = config.option.all
    settings.register_profile("tests", deadline=None, database=None)  # the machine of the tests may be busy
    settings.load_profile("tests")
    config.addinivalue_line("markers", "sample(count): so many of the test's cases run, all of them with --all.")
    config.addinivalue_line("markers", "long: takes long; a part of these tests runs each time, all with --all.")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """All processes of a run draw the same sample."""
    node.workerinput["seed"] = node.config.option.seed


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """How many processes run the tests: one for a file that is named, and for the cluster or the GPU, of which there
    is one.

    There is one more than processors, as many tests wait for a browser, a server or a trainer.
    """
    in_cluster = any(Path(argument).resolve() == CLUSTER for argument in config.args)
    if _of_a_file(config) or in_cluster or config.option.markexpr == "gpu":
        return 0
    return min(4, 1 + (os.cpu_count() or 1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    drawn = terminalreporter.config.option.seed
    terminalreporter.write_line(f"what was drawn at random is drawn again by --seed {drawn}; --all runs all of it")


def _of_a_part(config: pytest.Config) -> bool:
    """Whether files or folders of the tests were asked for by their names."""
    return not any(Path(argument).resolve() in (TESTS, TESTS.parent) for argument in config.args)


def _of_a_file(config: pytest.Config) -> bool:
    """Whether a file, or a test in it, was asked for by its name."""
    return any(".py" in argument for argument in config.args)


def either(everything: T, sample: T) -> T:
    """How much of something: with `--all`, or in other runs."""
    return everything if _everything else sample


def examples(count: int) -> settings:
    """Settings for a test over random examples of which there are `count`."""
    return settings(max_examples=either(count, min(count, max(FEWEST, count // SHARE))))


class Sample(Protocol):
    """Draws some of a list, in their order; all of them with `--all`."""

    def __call__(self, places: Sequence[T], count: int) -> Sequence[T]: ...


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> Random:
    """Chance that depends on the seed and the test."""
    return _dice(request.config, request.node.nodeid)


@pytest.fixture
def sample(dice: Random) -> Sample:
    def draw(places: Sequence[T], count: int) -> Sequence[T]:
        return either(places, _some(dice, places, count))

    return draw


def _some(dice: Random, places: Sequence[T], count: int) -> Sequence[T]:
    return [places[place] for place in sorted(dice.sample(range(len(places)), min(count, len(places))))]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not asked for, and what was not drawn of tests marked `sample` or `long`.

    Files that take long come first, so that the processes, which share the work by files, end together.
    """
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and item.path.parent != DOORS:
            item.add_marker("long")
    if not _everything:
        _leave_out(config, items)
    first = {item.path for item in items if item.get_closest_marker("long") or item.path.stem in HEAVY}
    items.sort(key=lambda item: item.path not in first)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test of a GPU says why it does not run."""
    if item.get_closest_marker("gpu") and not importlib.import_module("torch").cuda.is_available():
        pytest.skip("needs an NVIDIA GPU, and there is none here")


def _leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    left_out = set() if _of_a_part(config) else {item for item in items if item.path.parent in APART}
    groups: dict[tuple[str, int], list[pytest.Item]] = defaultdict(list)
    for item in items:
        if mark := item.get_closest_marker("sample"):
            groups[item.nodeid.partition("[")[0], mark.args[0]].append(item)
    for (name, count), cases in groups.items():
        left_out |= set(cases) - set(_some(_dice(config, name), cases, count))
    if not _of_a_file(config):
        left = [item for item in items if item not in left_out]
        long = [item for item in left if item.get_closest_marker("long")]
        heavy = [item for item in left if item.path.stem in HEAVY and item not in long]
        left_out |= _not_in_turn(config, "long", long, TURNS)
        left_out |= _not_in_turn(config, "heavy", heavy, TURNS_OF_HEAVY)
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _not_in_turn(config: pytest.Config, name: str, items: Sequence[pytest.Item], turns: int) -> set[pytest.Item]:
    return set(items) - set(_some(_dice(config, name), items, -(-len(items) // turns)))


def _dice(config: pytest.Config, name: str) -> Random:
    return Random(f"{config.option.seed} {name}")
