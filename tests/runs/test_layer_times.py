"""The example of layers' times that ships with the package."""

from vggexplorer.architectures import NETWORKS
from vggexplorer.runs.layer_times import recorded
from vggexplorer.summary import summarize


def test_the_example_has_every_layer_of_both_networks_of_compare() -> None:
    assert [case.network for case in recorded().times] == [NETWORKS["VGG-11"], NETWORKS["AlexNet"]]
    for case, timed in recorded().times.items():
        assert list(timed.layers) == [row.name for row in summarize(*case.network).rows]
        assert all(each.forward >= 0 and each.backward >= 0 for each in timed.layers.values())
        assert timed.step > max(each.forward + each.backward for each in timed.layers.values())


def test_it_says_where_it_was_measured() -> None:
    machine = recorded().machine
    assert machine.processor
    assert machine.threads > 0
    assert machine.torch.split(".")[0].isdigit()


def test_flops_are_not_time_in_it() -> None:
    """The first linear layer of both takes at least twice its share of the MACs: its weights must be read."""
    for case, timed in recorded().times.items():
        summary, whole = summarize(*case.network), sum(each.forward for each in timed.layers.values())
        row = summary.row("classifier.0")
        assert row
        assert timed.layers[row.name].forward / whole > 2 * row.macs / summary.totals.macs
