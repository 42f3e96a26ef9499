"""Explore, run by Streamlit's own AppTest: what each control does to the network, the totals, the link."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

import live
import pytest
from conftest import ROOT
from hypothesis import Phase, given, settings
from samples import examples
from streamlit.testing.v1 import AppTest
from test_link import states

from vggexplorer.architectures import NETWORKS
from vggexplorer.formatting import exact, percent
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import format_network, parse_network, slug
from vggexplorer.ui.link import State, write

MAIN = ROOT / "vggexplorer" / "ui" / "main.py"


class Explore:
    """The page in a session of its own."""

    def __init__(self, **params: str | list[str]) -> None:
        self.test = AppTest.from_file(MAIN, default_timeout=30)
        self.test.context = {"locale": "en-US"}
        for key, value in params.items():
            self.test.query_params[key] = value
        self.run()

    def run(self) -> "Explore":
        self.test.run()
        assert not self.test.exception
        return self

    def widget(self, name: str) -> Any:
        """The widget `name`, whatever its key is by now."""
        generations = self.test.session_state.get("generations", {})
        return self.test.get_by_key(f"{name} #{generations[name]}" if name in generations else name)

    def set(self, key: str, value: Any) -> "Explore":
        """Give the widget `key`, or a field of the table of blocks, a value, as a person would."""
        field, _, row = key.partition(" ")
        if field in live.FIELDS:
            return self.perform(do="set", row=int(row), field=field, value=value)
        self.widget(key).set_value(value)
        return self.run()

    def compared(self) -> "Explore":
        """With the menu of the baseline open."""
        self.test.session_state["baseline"] = True
        return self.run()

    def click(self, key: str) -> "Explore":
        self.widget(key).click()
        return self.run()

    def choose(self, row: int, action: str) -> "Explore":
        return self.perform(do=action, row=row)

    def widen(self, ratio: str) -> "Explore":
        return self.perform(do="width", row=0, value=ratio)

    def perform(self, **act: Any) -> "Explore":
        live.perform(self.test, act)
        return self

    def value(self, key: str) -> Any:
        field, _, row = key.partition(" ")
        return live.value(self.test, int(row), field) if field in live.FIELDS else self.widget(key).value

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.test.query_params)

    @property
    def errors(self) -> list[str]:
        complaint = self.figures.get("blocks", {}).get("complaint")
        return [*(plain(error.value) for error in self.test.error), *([complaint] if complaint else [])]

    @property
    def figures(self) -> dict[str, Any]:
        return live.figures(self.test)

    @property
    def totals(self) -> list[str]:
        return written(self.figures.get("totals", []))

    @property
    def heading(self) -> str:
        return str(self.figures["title"]["name"])

    @property
    def layer(self) -> str:
        return json.dumps(self.figures["inspector"], ensure_ascii=False)

    @property
    def text(self) -> str:
        return " ".join(plain(element.value) for element in self.test.markdown)

    def shows(self, **params: str) -> None:
        """The link and the totals are those of the network that `params` name, and nothing is complained about."""
        assert self.errors == []
        assert self.params == params
        assert self.totals == expected(summary(**params))


def plain(markdown: str) -> str:
    """What is read where `markdown` stands with its punctuation escaped."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown)


def summary(**params: str) -> Summary:
    return summarize(*parse_network({"arch": "vgg11"} | params))


def written(cards: list[dict[str, Any]]) -> list[str]:
    """What stands on the cards of the totals."""
    return [text for card in cards for text in (card["exact"], *card.get("split", ()))]


def expected(summary: Summary, times: int = 1, bytes_each: int = 4, batch: int = 1) -> list[str]:
    """The same of a network; `bytes_each` are those of an element."""
    totals = summary.totals
    return [
        exact(totals.params),
        f"conv {percent(totals.conv_params, totals.params)}",
        f"fc {percent(totals.fc_params, totals.params)}",
        exact(totals.macs * times),
        f"conv {percent(totals.conv_macs, totals.macs)}",
        f"fc {percent(totals.fc_macs, totals.macs)}",
        f"{exact(totals.activations * bytes_each * batch)} B",
        f"{exact(totals.params * bytes_each)} B",
    ]


# --- what is shown -------------------------------------------------------------------------------------


def test_it_opens_with_vgg11_and_nothing_to_complain() -> None:
    page = Explore()
    page.shows()
    assert (page.totals[0], page.totals[3]) == ("128,806,154", "7,547,232,256")
    assert not page.test.warning
    assert page.widget("undo").disabled
    assert page.widget("redo").disabled


@pytest.mark.sample(6)
@pytest.mark.parametrize("title", NETWORKS)
def test_every_named_network_by_its_link(title: str) -> None:
    page = Explore(arch=slug(title))
    assert page.totals == expected(summarize(*NETWORKS[title]))
    assert page.widget("preset").value == title
    assert page.params == ({} if title == "VGG-11" else {"arch": slug(title)})
    assert page.heading == title


@pytest.mark.sample(5)
@pytest.mark.parametrize("title", NETWORKS)
def test_every_named_network_by_the_menu(title: str) -> None:
    page = Explore(arch="1x8")
    page.set("preset", title)
    assert page.totals == expected(summarize(*NETWORKS[title]))


def test_the_text_of_a_network_is_shown_to_be_copied() -> None:
    assert Explore().widget("paste").value == "((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))"
    assert Explore(arch="lenet").widget("paste").value == "1x6:k5:avgpool2s2,1x16:k5:p0:avgpool2s2"


def test_the_panel_shows_the_formulas_of_the_selected_layer() -> None:
    page = Explore()
    assert "classifier.0" in page.layer
    assert "128 × 64 × 3 × 3 + 128" in page.perform(do="layer", name="features.3").layer
    assert "classifier.0" in page.perform(do="layer", name="gone.7").layer


# --- blocks --------------------------------------------------------------------------------------------


def test_numbers_of_a_block() -> None:
    page = Explore()
    page.set("num_convs 2", 3).shows(arch="1x64,1x128,3x256,2x512,2x512")
    page.set("out_channels 2", 300).shows(arch="1x64,1x128,3x300,2x512,2x512")
    assert page.widget("preset").value not in NETWORKS
    page.set("num_convs 2", 2).set("out_channels 2", 256).shows()


def test_kernel_stride_padding_pooling_and_normalisation_of_a_block() -> None:
    page = Explore(arch="1x8,1x16")
    page.set("kernel_size 1", 5).shows(arch="1x8,1x16:k5")
    page.set("padding 1", 0).shows(arch="1x8,1x16:k5:p0")
    page.set("kernel_size 1", 3).shows(arch="1x8,1x16:p0")
    page.set("stride 1", 2).shows(arch="1x8,1x16:s2:p0")
    page.set("pool 0", "avg 3/2").shows(arch="1x8:avgpool3s2,1x16:s2:p0")
    page.set("pool 0", "none").shows(arch="1x8:nopool,1x16:s2:p0")
    page.set("lrn 0", True).shows(arch="1x8:nopool:lrn,1x16:s2:p0")
    page.set("lrn 0", False).set("pool 0", "max 2/2").shows(arch="1x8,1x16:s2:p0")


def test_a_pool_of_its_own_can_be_chosen_back() -> None:
    page = Explore(arch="1x8:avgpool5s3")
    page.set("pool 0", "none").shows(arch="1x8:nopool")
    assert Explore(arch="1x8:avgpool5s3").value("pool 0") == "avg 5/3"


def test_the_menu_of_a_block() -> None:
    page = Explore(arch="1x8,2x16:k5")
    page.choose(0, "add").shows(arch="1x8,1x8,2x16:k5")
    page.choose(2, "up").shows(arch="1x8,2x16:k5,1x8")
    page.choose(1, "duplicate").shows(arch="1x8,2x16:k5,2x16:k5,1x8")
    page.choose(0, "down").shows(arch="2x16:k5,1x8,2x16:k5,1x8")
    page.choose(3, "delete").choose(0, "delete").choose(1, "delete").shows(arch="1x8")


def test_the_last_block_that_is_allowed() -> None:
    page = Explore(arch=",".join(["1x8:nopool"] * 63))
    page.choose(0, "duplicate")
    assert len(page.params["arch"].split(",")) == 64
    assert page.figures["blocks"]["full"]


# --- networks, width, text -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "chosen", "after"),
    [
        ({"arch": "lenet"}, "VGG-11", {}),
        ({"arch": "alexnet-tv"}, "VGG-16", {"arch": "vgg16"}),
        ({"arch": "vgg11-160"}, "LeNet", {"arch": "lenet"}),
        ({"input": "3x96x128"}, "AlexNet", {"arch": "alexnet", "input": "3x96x128"}),
        ({"classes": "1000"}, "LeNet", {"arch": "lenet", "classes": "1000"}),
        ({"arch": "lenet", "input": "1x64x64"}, "VGG-13", {"arch": "vgg13", "input": "1x64x64"}),
        ({"arch": "alexnet-tv", "classes": "7"}, "VGG-16", {"arch": "vgg16", "classes": "7"}),
        ({"arch": "1x8,1x16", "input": "3x64x64"}, "VGG-11", {"input": "3x64x64"}),
        ({"arch": "vgg13", "bn": "1", "head": "gap"}, "VGG-16", {"arch": "vgg16"}),
    ],
)
def test_another_network_keeps_the_input_and_classes_that_a_person_set(
    before: dict[str, str], chosen: str, after: dict[str, str]
) -> None:
    Explore(**before).set("preset", chosen).shows(**after)


@pytest.mark.parametrize("edit", [("batch_norm", True), ("out_channels 0", 8)])
def test_the_input_of_an_edited_network_is_still_its_own(edit: tuple[str, Any]) -> None:
    Explore(arch="lenet").set(*edit).set("preset", "VGG-11").shows()


def test_the_width_of_all_blocks() -> None:
    page = Explore()
    page.widen("1/4").shows(arch="vgg11-slim")
    page.widen("2").widen("2").shows()
    page.widen("1/2")
    assert page.params == format_network(
        NETWORKS["VGG-11"]._replace(architecture=NETWORKS["VGG-11"].architecture.scaled(Fraction(1, 2)))
    )


@pytest.mark.parametrize(
    ("arch", "ratio", "words"),
    [("1x8,1x3", "1/4", ["1/4", "block 2", "0 channels"]), ("1x40000", "2", ["65,536", "80000"])],
)
def test_a_width_that_cannot_be_is_refused(arch: str, ratio: str, words: list[str]) -> None:
    page = Explore(arch=arch)
    before = page.totals
    page.widen(ratio)
    (error,) = page.errors
    assert all(word in error for word in words)
    assert page.params == {"arch": arch}
    assert page.totals == before
    assert page.widget("undo").disabled


@pytest.mark.parametrize(
    ("text", "params"),
    [
        ("((1, 8), (2, 16))", {"arch": "1x8,2x16"}),
        ("conv_arch = ((1, 64), (1, 128))  # 这里", {"arch": "1x64,1x128"}),
        ("1x8:k5,2x16:nopool", {"arch": "1x8:k5,2x16:nopool"}),
        ("vgg16", {"arch": "vgg16"}),
        ("（（１，８））", {"arch": "1x8"}),
    ],
)
def test_paste(text: str, params: dict[str, str]) -> None:
    page = Explore(classes="7").set("paste", text)
    page.shows(**params, classes="7")


def test_a_pasted_text_keeps_the_head_unless_it_is_a_name() -> None:
    page = Explore(head="gap", hidden="none")
    page.set("paste", "1x8").shows(arch="1x8", head="gap", hidden="none")
    page.set("paste", "vgg13").shows(arch="vgg13")


@pytest.mark.parametrize(("key", "text"), [("paste", "1x8,2y"), ("paste", ""), ("hidden", "many"), ("hidden", "8,x")])
def test_what_is_typed_wrong_stays_to_be_corrected(key: str, text: str) -> None:
    page = Explore(arch="1x8,1x16")
    right = page.widget(key).value
    page.set(key, text)
    assert len(page.errors) == 1
    assert page.widget(key).value == text
    assert page.params == {"arch": "1x8,1x16"}
    assert page.totals == expected(summary(arch="1x8,1x16"))
    page.set(key, right).shows(arch="1x8,1x16")


def test_another_edit_puts_the_text_right_again() -> None:
    page = Explore(arch="1x8,1x16").set("paste", "nonsense")
    page.set("out_channels 0", 9).shows(arch="1x9,1x16")
    assert page.widget("paste").value == "((1, 9), (1, 16))"


# --- input, head -----------------------------------------------------------------------------------------


def test_input() -> None:
    page = Explore()
    page.set("input 1", 96).shows(input="1x96x96")
    page.set("input 2", 64).shows(input="1x96x64")
    page.set("input 1", 128).shows(input="1x128x64")
    page.set("input 0", 3).shows(input="3x128x64")
    assert [page.widget(f"input {axis}").value for axis in range(3)] == [3, 128, 64]


@pytest.mark.parametrize(
    ("key", "value", "params"),
    [
        ("pooling", "adaptive", {"head": "adaptive"}),
        ("pooling", "gap", {"head": "gap"}),
        ("hidden", "1024, 128", {"hidden": "1024,128"}),
        ("hidden", "none", {"hidden": "none"}),
        ("hidden", "", {"hidden": "none"}),
        ("dropout", 0.25, {"dropout": "0.25"}),
        ("dropout", 0.0, {"dropout": "0"}),
        ("num_classes", 1000, {"classes": "1000"}),
        ("batch_norm", True, {"bn": "1"}),
        ("activation", "sigmoid", {"act": "sigmoid"}),
    ],
)
def test_head_normalisation_and_activation(key: str, value: Any, params: dict[str, str]) -> None:
    page = Explore().set(key, value)
    page.shows(**params)
    page.click("undo").shows()


def test_the_help_says_what_the_papers_lenet_has_that_the_books_has_not() -> None:
    help_text = plain(Explore(arch="lenet").widget("preset").help)
    assert "60,000 trained parameters, the book's has 61,706" in help_text
    assert "60,000" not in plain(Explore(arch="vgg11").widget("preset").help)


# --- what is no block ----------------------------------------------------------------------------------

MIXED = "1x8,conv6:k1,relu,2x4"


def test_layers_among_blocks_are_one_row_that_opens_as_text() -> None:
    page = Explore(arch=MIXED)
    page.shows(arch=MIXED)
    row = page.figures["blocks"]["rows"][1]
    assert (row["place"], row["label"], row["text"]) == ("2–3", "2 layers", "conv6:k1,relu")
    page.perform(do="text", row=1, value=[2, "conv12:k1:g2 bn"]).shows(arch="1x8,conv12:k1:g2,bn,2x4")
    page.choose(3, "up").shows(arch="1x8,conv12:k1:g2,2x4,bn")
    page.set("num_convs 2", 1).shows(arch="1x8,conv12:k1:g2,1x4,bn")
    page.perform(do="text", row=1, value=[1, ""]).shows(arch="1x8,1x4,bn")


def test_what_cannot_be_a_layer_is_said() -> None:
    page = Explore(arch=MIXED)
    page.perform(do="text", row=1, value=[2, "conv6:k1,flatten"])
    assert page.errors == ["Flatten can only stand once, where the maps end and the head begins."]
    page.perform(do="text", row=1, value=[2, "conv6:k1,gelu"]).shows(arch="1x8,conv6:k1,gelu,2x4")


def test_a_head_of_layers_opens_as_text_and_gives_way_to_a_head() -> None:
    page = Explore(arch="1x8,gap,flatten,linear9,bn1d,relu,linear4")
    page.shows(arch="1x8,gap,flatten,linear9,bn1d,relu,linear4")
    assert page.widget("pooling").value == "layers"
    page.set("head layers", "flatten,linear7").shows(arch="1x8,gap,flatten,linear7")
    page.set("num_classes", 5).shows(arch="1x8,gap,flatten,linear5")
    page.set("pooling", "flatten").shows(arch="1x8,gap", classes="5")


def test_what_belongs_to_blocks_is_not_asked_where_there_are_none() -> None:
    def asked(**params: str) -> set[str]:
        test = Explore(**params).test
        return {widget.key for widget in (*test.toggle, *test.selectbox)} & {"batch_norm", "activation"}

    assert asked(arch="1x8") == {"batch_norm", "activation"}
    assert asked(arch="conv8,relu") == {"activation"}
    assert asked(arch="conv8,relu,gap,flatten") == set()


def test_pasted_layers_bring_their_head() -> None:
    page = Explore(hidden="99")
    page.set("paste", "2x8,conv10:k1,relu,gap,flatten").shows(arch="2x8,conv10:k1,relu,gap,flatten")
    page.set("paste", "2x8").shows(arch="2x8")


# --- an input that does not fit ------------------------------------------------------------------------


def test_a_network_that_cannot_take_its_input_is_drawn_as_far_as_it_comes() -> None:
    page = Explore(input="3x16x24")
    assert "MaxPool2d of block 5 cannot take 512×1×1" in plain(page.test.warning[0].value)
    assert page.totals == []
    page.click("smallest input")
    page.shows(input="3x32x32")


def test_no_smallest_input_is_offered_where_it_is_no_remedy() -> None:
    page = Explore(arch="conv9,gap,conv9,gap,flatten")
    assert len(page.test.warning) == 1
    assert "smallest input" not in [button.key for button in page.test.button]


def test_channels_at_the_end_of_a_link_are_put_first_by_a_button() -> None:
    page = Explore(input="96x96x3")
    assert "channels first: 3x96x96" in page.errors[0]
    page.click("use 3x96x96 page").shows(input="3x96x96")


def test_an_even_kernel_says_how_the_maps_grow() -> None:
    rows = Explore(arch="1x8:k4,1x8:k4:p1,1x8").figures["blocks"]["rows"]
    assert [row["note"] for row in rows if "note" in row] == [
        "Each convolution of block 1 adds 1 to height and width: padding 2 on both sides, kernel 4."
    ]


def test_back_to_the_size_of_an_adaptive_pool() -> None:
    page = Explore(head="adaptive:3")
    page.shows(head="adaptive:3")
    page.set("num_classes", 7).shows(head="adaptive:3", classes="7")


EMPTIED = ["input 0", "input 1", "input 2", "num_classes", "dropout", "batch"]


@pytest.mark.parametrize("key", EMPTIED)
def test_an_emptied_field_changes_nothing(key: str) -> None:
    params = {"arch": "1x8,3x16", "input": "3x64x48", "classes": "7", "dropout": "0.3", "batch": "8"}
    page = Explore(**params)
    value = page.widget(key).value
    page.set(key, None)
    assert page.params == params
    assert page.widget(key).value == value
    assert page.widget("undo").disabled


# --- units -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "bytes_each"), [("bfloat16", 2), ("float16", 2), ("float64", 8)])
def test_batch_and_data_type_change_the_memory_alone(dtype: str, bytes_each: int) -> None:
    page = Explore().set("dtype", dtype)
    assert page.totals == expected(summary(), bytes_each=bytes_each)
    page.set("batch", 128)
    assert page.totals == expected(summary(), bytes_each=bytes_each, batch=128)
    assert page.params == {"dtype": dtype, "batch": "128"}


def test_flops_are_twice_the_macs_everywhere() -> None:
    page = Explore().set("count", "FLOPs")
    assert page.totals == expected(summary(), times=2)
    card = page.figures["totals"][1]
    assert card["label"] == "FLOPs"
    assert exact(2 * summary().totals.conv_macs) in card["help"]
    assert "2 × 4096 × 25088" in page.layer
    assert exact(2 * 4096 * 25088) in page.layer
    assert page.params == {"count": "FLOPs"}


# --- the baseline ----------------------------------------------------------------------------------------


def test_pin_and_unpin() -> None:
    page = Explore(arch="vgg16")
    assert "AlexNet" in page.compared().text
    page.click("pin")
    assert page.params == {"arch": "vgg16", "pin": "vgg16;input=1x224x224;classes=10"}
    assert page.figures["totals"][0]["ratio"] == "1.00×"
    page.set("num_classes", 1000)
    assert "4.06" in page.figures["totals"][0]["difference"]
    page.click("unpin")
    assert page.params == {"arch": "vgg16", "classes": "1000"}
    with pytest.raises(KeyError):
        page.widget("unpin")


def test_the_difference_to_the_baseline() -> None:
    """VGG-11 has 2.75 times the parameters and 8.04 times the MACs of AlexNet."""
    assert [card["ratio"] for card in Explore().figures["totals"]] == ["2.75×", "8.04×", "12.3×", "2.75×"]


def test_a_baseline_that_cannot_take_the_input_leaves_the_totals() -> None:
    page = Explore(input="1x32x32")
    page.shows(input="1x32x32")
    assert not any("ratio" in card for card in page.figures["totals"])
    assert "65×65" in plain(" ".join(caption.value for caption in page.test.caption))
    offered = page.widget("another baseline").options
    assert {"LeNet", "VGG-16"} <= set(offered)
    assert not {"AlexNet", "VGG-11"} & set(offered), "the one that cannot take it, and the one in view"
    page.set("another baseline", "VGG-16")
    assert page.params == {"input": "1x32x32", "pin": "vgg16"}
    assert all("ratio" in card for card in page.figures["totals"])
    page.set("input 1", 224).set("input 2", 224)
    assert page.params == {"pin": "vgg16"}
    page.compared().click("unpin")
    assert page.params == {}


# --- undo, redo ------------------------------------------------------------------------------------------


def test_undo_and_redo() -> None:
    page = Explore(arch="1x8")
    page.set("out_channels 0", 9).set("num_classes", 7).set("count", "FLOPs").compared().click("pin")
    states = [page.params]
    while not page.widget("undo").disabled:
        states.append(page.click("undo").params)
    assert states[1:] == [
        {"arch": "1x9", "classes": "7", "count": "FLOPs"},
        {"arch": "1x9", "classes": "7"},
        {"arch": "1x9"},
        {"arch": "1x8"},
    ]
    for params in reversed(states[:-1]):
        assert page.click("redo").params == params
    assert page.widget("redo").disabled


def test_undo_after_an_edit_that_failed_takes_back_the_one_before() -> None:
    page = Explore(arch="1x8,1x16").set("out_channels 1", 2)
    page.widen("1/4")
    assert len(page.errors) == 1
    page.click("undo").shows(arch="1x8,1x16")
    page.click("redo").shows(arch="1x8,1x2")


def test_undo_puts_a_wrong_text_away() -> None:
    page = Explore(arch="1x8").set("out_channels 0", 9).set("paste", "nonsense")
    page.click("undo").shows(arch="1x8")
    assert page.widget("paste").value == "((1, 8),)"


def test_an_edit_ends_what_could_be_redone() -> None:
    page = Explore(arch="1x8").set("out_channels 0", 9).click("undo")
    assert page.set("num_classes", 7).widget("redo").disabled


# --- what cannot be ----------------------------------------------------------------------------------------


def test_too_many_layers_are_refused() -> None:
    page = Explore().set("num_convs 0", 400)
    (error,) = page.errors
    assert "400" in error
    assert "layers" in error
    assert page.value("num_convs 0") == 1
    assert page.totals == expected(summary())


def test_an_input_that_is_too_small_leaves_the_editor_and_says_what_would_do() -> None:
    page = Explore(arch="alexnet", batch="8", count="FLOPs").set("input 1", 64)
    (warning,) = (plain(warning.value) for warning in page.test.warning)
    assert "MaxPool2d of block 4" in warning
    assert "65×65" in warning
    assert page.totals == []
    assert page.errors == []
    page.set("input 1", 65)
    assert not page.test.warning
    assert page.params == {"arch": "alexnet", "input": "1x65x65", "batch": "8", "count": "FLOPs"}
    assert page.totals == expected(summary(arch="alexnet", input="1x65x65"), times=2, batch=8)


def test_a_link_with_errors_shows_a_sentence_for_each_and_the_rest() -> None:
    page = Explore(arch="vgg13", input="banana", colour="red", batch="0")
    assert len(page.errors) == 3
    assert all(any(word in error for error in page.errors) for word in ("banana", "colour", "batch"))
    assert page.params == {"arch": "vgg13"}
    assert page.totals == expected(summary(arch="vgg13"))
    page.set("num_classes", 7).shows(arch="vgg13", classes="7")


EXTREMES: list[dict[str, str]] = [
    {"dropout": "0.995"},
    {"dropout": "0.99999999999999"},
    {"dropout": "1e-300"},
    {"classes": "65536"},
    {"hidden": ",".join(["65536"] * 100)},
    {"hidden": "none", "head": "adaptive:8192"},
    {"batch": "65536", "dtype": "float64", "count": "FLOPs", "input": "65536x8192x8192"},
    {"arch": "1x65536:k8192:s8192:p8192:avgpool1s8192:lrn", "input": "65536x8192x8192"},
    {"arch": ",".join(["2x8:nopool"] * 64)},
    {"arch": "190x8:nopool", "bn": "0"},
    {"arch": "1x1:k1:nopool", "input": "1x1x1", "hidden": "none", "classes": "1"},
]


@pytest.mark.sample(5)
@pytest.mark.parametrize("params", EXTREMES)
def test_everything_that_is_allowed_is_shown_and_can_be_edited(params: dict[str, str]) -> None:
    """No widget has narrower bounds than the core."""
    page = Explore(**params)
    assert page.errors == []
    assert page.params == {key: text for key, text in params.items() if (key, text) != ("bn", "0")}
    page.set("activation", "sigmoid")
    assert page.params["act"] == "sigmoid"


@given(states)
@settings(examples(25), phases=[Phase.generate])
def test_every_link_that_can_be_written_can_be_opened(state: State) -> None:
    state = replace(state, lang=None)  # for Chinese pages see test_i18n.py
    page = Explore(**write(state))
    assert page.errors == []
    assert page.params == write(state)
    if state.network.architecture.blocks:
        assert page.params == write(state)


def test_a_key_that_stands_twice_in_the_link() -> None:
    page = Explore(arch=["vgg13", "vgg16"])
    assert page.errors == []
    assert page.totals == expected(summary(arch="vgg13"))


HOSTILE = [
    "**bold**",
    "<img src=x onerror=alert(1)>",
    "$x^2$",
    ":red[x]",
    ":material/home:",
    "[a](https://example.com)",
    "![a](https://example.com/a.png)",
    "`code`",
    "# title",
    "1x8,**bold**",
    "\\**bold**",
    "~~gone~~",
    "| a | b |",
]


def all_escaped(markdown: str) -> bool:
    """Whether no punctuation of `markdown` can mean anything: a backslash stands before each."""
    return not re.search(r"[!-/:-@\[-`{-~]", re.sub(r"\\[!-/:-@\[-`{-~]", "", markdown))


@pytest.mark.sample(24)
@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize(
    "open_with",
    [
        lambda text: Explore(arch=text),
        lambda text: Explore(pin=text),
        lambda text: Explore(**{text: "1"}),
        lambda text: Explore(batch=text, head=text),
        lambda text: Explore().set("paste", text),
        lambda text: Explore().set("hidden", text),
    ],
    ids=["arch", "pin", "key", "batch and head", "paste", "hidden"],
)
def test_what_a_person_typed_is_never_markup(open_with: Callable[[str], Explore], text: str) -> None:
    page = open_with(text)
    assert page.errors
    assert any("“" in error for error in page.errors)
    assert all(all_escaped(error.value) for error in page.test.error)


def test_escaping_is_noticed() -> None:
    assert not all_escaped("“**x**”")
    assert not all_escaped(r"\\*x")
    assert all_escaped(r"“\*\*x\*\*”")


def test_names_of_networks_are_never_markup() -> None:
    """A title holds what was typed, as block text: nothing in it may become emphasis or an icon."""
    page = Explore(arch="1x8:k5:s1:p0:nopool", pin="2x8:k5:nopool:lrn;head=gap")
    page.compared()
    compared = next(element.value for element in page.test.markdown if "Compared" in element.value)
    assert all_escaped(compared.split("**")[1])


# --- where to begin ----------------------------------------------------------------------------------------


def begins(page: Explore) -> set[str]:
    return {button.key for button in page.test.button if str(button.key).startswith("begin ")}


def test_a_first_visit_has_three_questions_and_an_edit_ends_them() -> None:
    page = Explore()
    assert begins(page) == {"begin cheaper", "begin slower", "begin train"}
    assert begins(page.set("num_classes", 7)) == set()
    assert begins(Explore(arch="vgg13")) == set()


def test_to_make_it_cheaper_vgg11_is_the_baseline_and_the_colours_show_the_parameters() -> None:
    page = Explore().click("begin cheaper")
    assert page.params == {"pin": "vgg11", "shade": "params"}
    assert len(page.test.info) == 1
    page.widen("1/2")
    assert page.figures["totals"][1]["ratio"] == "0.26×"
    page.compared().click("unpin")
    assert not page.test.info


@pytest.mark.parametrize(("question", "title"), [("slower", "# Compare"), ("train", "# Train")])
def test_the_other_questions_lead_to_their_pages(question: str, title: str) -> None:
    page = Explore().click(f"begin {question}")
    assert title in [element.value for element in page.test.markdown]
