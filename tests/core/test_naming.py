"""What a network is called."""

import pytest

from vggexplorer.architectures import NETWORKS
from vggexplorer.naming import known_as
from vggexplorer.text import parse_network


@pytest.mark.parametrize("name", NETWORKS)
def test_a_named_network_keeps_its_name(name: str) -> None:
    assert known_as(NETWORKS[name]) == (name, False)


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        ({"arch": "1x64,1x128,2x256,2x512,2x500"}, "VGG-11"),
        ({"arch": "2x64,1x128,2x256,2x512,2x512"}, "VGG-11"),
        ({"arch": "1x32,1x64,2x128,2x256,2x256"}, "VGG-11"),
        ({"arch": "vgg16", "hidden": "512"}, "VGG-16"),
        ({"arch": "2x64,2x128,3x256,3x512,3x256"}, "VGG-16"),
        ({"arch": "alexnet", "hidden": "512"}, "AlexNet"),
        ({"arch": "1x8,1x16", "input": "1x28x28"}, None),
    ],
)
def test_an_edited_network_is_called_after_the_one_it_resembles(texts: dict[str, str], name: str | None) -> None:
    assert known_as(parse_network(texts)) == (name, True)
