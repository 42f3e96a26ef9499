"""The cluster is offered whether Ray is installed or not; without it a sentence says how to get it."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import ROOT, wait_until
from test_train_page import Train, runs, started  # noqa: F401 (fixtures)

from vggexplorer.errors import InputError
from vggexplorer.runs import launch, places
from vggexplorer.runs.cluster import holder
from vggexplorer.runs.cluster.holder import Free, wanted
from vggexplorer.runs.config import Config, recipe
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.places import Place
from vggexplorer.text import parse_network
from vggexplorer.ui import jobs
from vggexplorer.ui.train import setup

ADVICE = 'Runs on a cluster need Ray, which is not installed here; pip install "vggexplorer[cluster]" helps.'
NETWORK = parse_network({"arch": "1x4", "hidden": "none"})
CONFIG = Config(network=NETWORK, training=recipe("quick-demo", NETWORK))


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    yield
    jobs._named.pop("cluster", None)
    setup._free.clear()


@pytest.fixture
def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "find_spec", lambda name: None)


def on_the_cluster() -> Train:
    """The page after the cluster was chosen and has answered, or not."""
    page = Train()
    page.test.selectbox(key="cluster").select("auto")
    page.run()
    wait_until(lambda: (job := jobs.find("cluster")) and not job.running)
    page.run()
    return page


@pytest.mark.torch
@pytest.mark.usefixtures("without_ray")
def test_without_ray_the_page_says_how_to_get_it_and_all_else_works(runs: Runs) -> None:  # noqa: F811
    page = on_the_cluster()
    assert ADVICE in [each.value.replace("\\", "") for each in page.test.warning]
    page.click("start")
    assert any(ADVICE in each.value.replace("\\", "") for each in page.test.error)
    assert runs.all(recorded=False) == []
    page.test.selectbox(key="cluster").select("")
    page.run()
    assert not page.test.warning


@pytest.mark.torch
@pytest.mark.usefixtures("without_ray")
def test_without_ray_no_run_is_made(runs: Runs) -> None:  # noqa: F811
    with pytest.raises(InputError) as refused:
        launch.start(runs, CONFIG, place=Place(cluster="auto"))
    assert str(refused.value) == ADVICE
    with pytest.raises(InputError):
        holder.ask("auto")
    assert runs.all(recorded=False) == []


@pytest.mark.torch
@pytest.mark.parametrize("options", [("train", "lenet", "--on", "auto"), ("cluster",)])
def test_without_ray_the_command_says_how_to_get_it(options: tuple[str, ...]) -> None:
    program = f"""
import sys
from vggexplorer.runs import places
places.find_spec = lambda name: None
from vggexplorer.cli import main
sys.exit(main({options!r}))
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].endswith(ADVICE)


def test_the_page_says_what_is_free_and_asks_for_it(
    started: list[Config],  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = []
    monkeypatch.setattr(setup, "need_ray", lambda: None)
    monkeypatch.setattr(holder, "ask", lambda *_: Free(3, 12, 5, 2, 1))
    fake = launch.start
    monkeypatch.setattr(launch, "start", lambda *args, place, **more: (asked.append(place), fake(*args, **more))[1])
    page = on_the_cluster()
    assert "3 nodes; processors: 5 of 12 free; GPUs: 1 of 2 free." in page.captions
    page.test.number_input(key="cores").set_value(4)
    page.run()
    page.click("start")
    assert asked == [Place(cluster="auto", cores=4)]
    assert [config.device for config in started] == ["auto"]


@pytest.mark.parametrize(
    "address", ["local", "ray://127.0.0.1:10001", "127.0.0.1", "-x:1", "a b:1", "127.0.0.1:123456"]
)
def test_an_address_is_a_host_and_a_port(address: str) -> None:
    with pytest.raises(InputError, match="The address of a cluster"):
        Place(cluster=address)


class Cluster:
    """What of Ray says what nodes there are."""

    def __init__(self, *resources: dict[str, float]) -> None:
        self.resources = resources

    def nodes(self) -> list[dict[str, object]]:
        return [{"Alive": True, "Resources": each} for each in self.resources] + [
            {"Alive": False, "Resources": {"CPU": 64.0, "GPU": 8.0}}
        ]


@pytest.mark.parametrize(
    ("device", "place", "found"),
    [
        ("auto", Place(), ("cuda:0", {"num_gpus": 1, "num_cpus": 0})),
        ("cpu", Place(cores=3), ("cpu", {"num_cpus": 3})),
        ("cuda:1", Place(cores=2), ("cuda:0", {"num_gpus": 1, "num_cpus": 0})),
    ],
)
def test_a_run_asks_for_a_gpu_or_for_processors(device: str, place: Place, found: tuple[str, dict[str, float]]) -> None:
    nodes = Cluster({"CPU": 8.0}, {"CPU": 4.0, "GPU": 2.0})
    config = Config(network=NETWORK, training=CONFIG.training, device=device)
    assert wanted(nodes, config, place) == found


@pytest.mark.parametrize(("device", "cores"), [("cuda", 1), ("cpu", 9), ("auto", 9), ("mps", 1)])
def test_what_no_living_node_has_is_refused(device: str, cores: int) -> None:
    config = Config(network=NETWORK, training=CONFIG.training, device=device)
    with pytest.raises(InputError):
        wanted(Cluster({"CPU": 8.0}), config, Place(cores=cores))


def test_on_a_cluster_a_run_is_one_process() -> None:
    with pytest.raises(InputError, match="one process"):
        Place(cluster="auto", nproc=2)
