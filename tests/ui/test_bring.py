"""Networks that people bring to Explore and Compare as text."""

import pytest
from test_compare_page import Compare
from test_pages import Explore, plain
from test_reader import CASES

from vggexplorer.reading.reader import picked, read
from vggexplorer.text import format_network


@pytest.mark.parametrize("name", ["with the small one", "NiN", "torchvision.models.vgg16", "a class of a repository"])
def test_source_brings_its_network_with_input_and_head(name: str) -> None:
    text, _, pick, _ = CASES[name]
    page = Explore(input="1x64x64", hidden="99").set("paste", text)
    assert not page.errors
    assert page.params == format_network(picked(read(text), pick))


def test_a_list_keeps_the_head_and_the_input() -> None:
    page = Explore(head="gap", hidden="none", input="3x32x32", classes="7").set("paste", "[8, 'M', 16, 16, 'A']")
    page.shows(arch="1x8,2x16:avgpool2s2", head="gap", hidden="none", input="3x32x32", classes="7")


def test_of_several_networks_one_is_chosen() -> None:
    page = Explore().set("paste", CASES["several lists"].text)
    page.shows()
    assert page.widget("paste").value == CASES["several lists"].text
    page.set("paste pick", "D").shows(arch="vgg16")


def test_what_was_left_out_is_said_until_something_else_is_read() -> None:
    page = Explore().set("paste", "import os\nwhile True:\n    pass\nnet = vgg(conv_arch)\n")
    page.shows()
    said = [plain(caption.value) for caption in page.test.caption]
    assert "Not read: line 2." in said
    assert "conv_arch is not in this text: the book's own was taken." in said
    page.set("out_channels 0", 65)
    assert not any("Not read" in caption.value for caption in page.test.caption)
    page.set("out_channels 0", 64).set("paste", "vgg13")
    assert not any("Not read" in caption.value for caption in page.test.caption)


def test_a_mistake_is_said_at_its_token_and_the_text_stays() -> None:
    text = "net = nn.Sequential(nn.Conv2d(1, 8, 3),\n  nn.Conv3d(8, 8, 3), nn.Flatten(), nn.LazyLinear(10))"
    page = Explore(arch="1x8").set("paste", text)
    assert len(page.errors) == 1
    assert page.errors[0].startswith("Line 2, column 3, “nn.Conv3d(8, 8, 3)”: ")
    assert page.widget("paste").value == text
    assert page.params == {"arch": "1x8"}


def test_compare_takes_source_too() -> None:
    page = Compare(arch=["vgg11", "vgg13"])
    page.test.text_area(key="add text").set_value(CASES["LeNet"].text).run()
    assert not page.test.error
    assert page.test.query_params["arch"] == ["vgg11", "vgg13", "lenet"]
