"""Networks that people bring, in a real browser: each kind of text is pasted once, and files are dropped."""

from pathlib import Path

from test_browser import Explore
from test_reader import CASES

from vggexplorer.reading.reader import picked, read
from vggexplorer.summary import summarize

KINDS = (
    "with the small one",
    "the new edition",
    "a list with a name",
    "VGG-D",
    "torchvision.models.vgg16",
    "a class of a repository",
    "a class like torchvision's",
    "a printed model",
    "Keras, added one by one",
    "NiN",
    "the table",
)


def test_each_kind_of_text_is_pasted(explore: Explore) -> None:
    explore.open()
    for name in KINDS:
        network = picked(read(CASES[name].text), CASES[name].pick)
        explore.paste(CASES[name].text)
        explore.shows(summarize(*network))


def test_one_of_several_is_chosen_and_a_mistake_leaves_the_text(explore: Explore) -> None:
    explore.open()
    explore.paste(CASES["several lists"].text)
    explore.select("The text has several networks", "D")
    explore.shows(summarize(*picked(read(CASES["several lists"].text), "D")))
    explore.paste("net = nn.Sequential(\n    nn.Conv3d(1, 64, 3))")
    assert "Line 2, column 5, “nn.Conv3d(1, 64, 3)”" in explore.alert()
    assert explore.text().endswith("nn.Conv3d(1, 64, 3))")


def test_a_notebook_is_dropped(explore: Explore, tmp_path: Path) -> None:
    file = tmp_path / "vgg.ipynb"
    file.write_text(CASES["a notebook to its end"].text, "utf-8")
    explore.open()
    explore.page.get_by_text("From a file").click()
    explore.page.locator("input[type=file]").set_input_files(file)
    explore.shows(summarize(*picked(read(file.read_text("utf-8")), None)))
