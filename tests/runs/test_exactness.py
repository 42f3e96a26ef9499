"""What is promised of a run's bits: by its device, its switch, its processes, and what went on with it."""

import json
from dataclasses import replace
from typing import Any

import pytest
from conftest import ROOT

from vggexplorer.errors import InputError
from vggexplorer.runs.config import Config
from vggexplorer.runs.exactness import WHAT, StepKind, change, check, exactness, notice
from vggexplorer.runs.options import Training
from vggexplorer.runs.places import Place
from vggexplorer.text import parse_network

PLAIN = Config(network=parse_network({"arch": "lenet"}), training=Training(input_size=None))
EXACT = replace(PLAIN, training=replace(PLAIN.training, exact=True))
HURRIED = replace(PLAIN, training=replace(PLAIN.training, time_budget=60.0))
CHANGED = {"step": 350, "what": "threads", "before": "2", "now": "1"}


@pytest.mark.parametrize(
    ("config", "facts", "holds", "words"),
    [
        (PLAIN, {"device": "cpu", "processes": 1}, True, "on such a processor, with as many threads"),
        (PLAIN, {"device": "cpu"}, True, "on such a processor"),  # an older version said less
        (EXACT, {"device": "cpu"}, True, "costs nothing there"),
        (PLAIN, {"device": "cuda:0"}, False, "come in another order each time"),
        (EXACT, {"device": "cuda:1"}, True, "on such a GPU, with the same PyTorch"),
        (EXACT, {"device": "cuda:1", "price": 1.256}, True, "An exact step takes 1.26× as long here."),
        (PLAIN, {"device": "cuda:1"}, False, "was not measured here"),
        (PLAIN, {"device": "mps"}, False, "nothing is promised"),
        (PLAIN, {}, False, "depends on the device"),
        (EXACT, {}, False, "depends on the device"),
        (PLAIN, {"device": "cpu", "processes": 2}, False, "Several processes"),
        (EXACT, {"device": "cuda:0", "processes": 2}, False, "Several processes"),
        (PLAIN, {"device": "cpu", "changed": CHANGED}, False, "Since step 350 another kind of step goes on with it"),
        (EXACT, {"device": "cuda:0", "changed": CHANGED}, False, "(threads: 1, before 2)"),
        (PLAIN, {"device": "cpu", "changed": None}, True, "on such a processor"),
        (HURRIED, {"device": "cpu"}, False, "A time budget ends each run after another number of steps"),
        (PLAIN, {"device": 7, "processes": "many", "changed": [], "price": []}, False, "depends on the device"),
    ],
)
def test_what_is_promised(config: Config, facts: dict[str, Any], holds: bool, words: str) -> None:
    found = exactness(config, facts)
    assert found.holds is holds
    assert words in str(found)


def test_a_person_is_told_only_what_is_not_as_one_expects() -> None:
    assert notice(PLAIN, {"device": "cpu"}) is notice(HURRIED, {"device": "cpu"}) is None
    assert notice(PLAIN, {"device": "cuda:0"}) == exactness(PLAIN, {"device": "cuda:0"})
    assert notice(EXACT, {"device": "cpu"}) == exactness(EXACT, {"device": "cpu"})


NOW = StepKind("plain", "yes", "float32", "cpu", "AMD", "2", "1", "2.9")


def test_the_first_change_of_the_kind_of_step_is_kept() -> None:
    texts = NOW.texts()
    assert change(texts, 10, NOW) is None
    found = change(texts, 10, NOW._replace(threads="1", torch="2.10"))
    assert found == {"step": 10, "what": "threads", "before": "2", "now": "1"}
    assert change(texts | {"changed": json.dumps(found)}, 20, NOW._replace(precision="bfloat16")) == found
    with pytest.raises(ValueError, match="Expecting value"):
        change({"changed": "nothing"}, 20, NOW)


@pytest.mark.parametrize("name", StepKind._fields)
def test_each_part_of_a_kind_counts(name: str) -> None:
    found = change(NOW.texts(), 3, NOW._replace(**{name: "another"}))
    assert found == {"step": 3, "what": WHAT[name], "before": getattr(NOW, name), "now": "another"}


def test_on_a_gpu_the_threads_of_the_processor_do_not_count() -> None:
    gpu = NOW._replace(device="cuda", title="NVIDIA H100")
    assert change(gpu.texts(), 3, gpu._replace(threads="16")) is None


def test_what_an_older_checkpoint_does_not_say_is_no_change() -> None:
    old = {"step": "3", "threads": "2", "processes": "1", "device": "cpu", "precision": "float32"}
    assert StepKind.of(old).kind is None
    assert change(old, 3, NOW) is None
    assert change(old | {"threads": "4"}, 3, NOW) == {"step": 3, "what": "threads", "before": "4", "now": "2"}


def test_what_changed_has_words_in_chinese() -> None:
    chinese = json.loads((ROOT / "vggexplorer" / "assets" / "zh.json").read_text("utf-8"))
    assert WHAT.keys() == set(StepKind._fields)
    assert set(WHAT.values()) <= chinese.keys()


def test_exact_runs_are_refused_where_they_cannot_be_had(tmp_path: Any) -> None:
    with pytest.raises(InputError, match="not for mps"):
        check(EXACT.training, "mps", 1)
    with pytest.raises(InputError, match="An exact run is one process"):
        Place(nproc=2).check(replace(EXACT, device="cuda:0"), tmp_path)
    for training, device, processes in ((EXACT.training, "cuda:0", 1), (PLAIN.training, "mps", 1)):
        check(training, device, processes)
