"""The pages speak English and Chinese: every text that is shown has a translation, and no page mixes the two."""

import ast
import json
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from string import Formatter
from typing import Any
from xml.etree import ElementTree

import live
import pytest
from conftest import ROOT
from google.protobuf.message import Message
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest
from test_link import BAD

from vggexplorer import layers
from vggexplorer.architectures import NETWORKS, Architecture, Block, Head
from vggexplorer.catalogue import is_plain
from vggexplorer.drawing import ENGLISH
from vggexplorer.errors import InputError
from vggexplorer.explain import explain
from vggexplorer.forecast.memory import COMPONENTS
from vggexplorer.notation import WORDS
from vggexplorer.origins import ORIGINS
from vggexplorer.runs import config, datasets, options
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.run import Run
from vggexplorer.runs.folder.status import STATUSES
from vggexplorer.runs.sweeps import folder
from vggexplorer.runs.trainer.session import PARTS
from vggexplorer.summary import DTYPES, summarize
from vggexplorer.text import slug
from vggexplorer.ui import i18n
from vggexplorer.ui.bar import SHORT
from vggexplorer.ui.learn import index
from vggexplorer.ui.link import COUNTS, HIDEABLE, LANGUAGES
from vggexplorer.ui.network import editor, edits
from vggexplorer.ui.run import actions, forecast
from vggexplorer.ui.run import words as run_words
from vggexplorer.ui.train import after
from vggexplorer.ui.widgets import SHORTCUTS

PACKAGE = ROOT / "vggexplorer"
MAIN = PACKAGE / "ui" / "main.py"
CHINESE: dict[str, str] = json.loads((PACKAGE / "assets" / "zh.json").read_text("utf-8"))


# --- the catalogue against the code ------------------------------------------------------------------------

PAGES = [path for path in (*(PACKAGE / "ui").rglob("*.py"), *(ROOT / "pages").glob("*.py")) if path.name != "i18n.py"]
CORE = [
    *(path for path in PACKAGE.glob("*.py") if path.name != "cli.py"),
    *(path for room in ("forecast", "lessons", "reading", "runs") for path in (PACKAGE / room).rglob("*.py")),
    *(PACKAGE / "server" / f"{name}.py" for name in ("answers", "gate", "keys", "login", "visitors")),
    *(PACKAGE / "pytorch" / f"{name}.py" for name in ("data", "distributed", "download", "inside", "loop")),
    *(PACKAGE / "pytorch" / f"{name}.py" for name in ("failures", "folder", "machine", "pictures", "predict")),
]
TRANSLATED = {
    "t": 0,
    "InputError": 0,
    "ShapeError": 0,
    "UnfitError": 0,
    "ChannelsLastError": 0,
    "NoAnswerError": 0,
    "StoppedError": 0,
    "ProcessLostError": 0,
    "NoNumberError": 0,
    "refused": 1,
    "check_int": 1,
    "check_choice": 1,
    "_integer": 1,
    "_choice": 1,
    "parse_list": 1,
    "_numbers": 1,
    "parse_whole": 1,
    "Remark": 0,
    "_remark": 0,
    "UnreadableError": 0,
    "_Rule": 0,
    "_Bound": 0,
}
"""What takes a text for people, and as its how-manieth argument; an argument called `what` always is one."""


class Finder(ast.NodeVisitor):
    """Collects the texts that are translated: those written there, and the expressions that stand for others."""

    def __init__(self, *paths: Path) -> None:
        self.texts: set[str] = set()
        self.expressions: set[str] = set()
        for path in paths:
            self.visit(ast.parse(path.read_text("utf-8")))

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", "")
        if name in TRANSLATED:
            for argument in node.args[TRANSLATED[name] :][:1]:
                self.take(argument)
            for keyword in node.keywords:
                if keyword.arg == "what":
                    self.take(keyword.value)
        elif name == "map" and ast.unparse(node.args[0]) == "t":
            self.expressions.add(f"each of {ast.unparse(node.args[1])}")
        self.generic_visit(node)

    def take(self, node: ast.expr) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.texts.add(node.value)
        elif not ast.unparse(node).startswith("t("):
            self.expressions.add(ast.unparse(node))


def quantities() -> set[str]:
    """What the panel of a layer can name."""
    summaries = [summarize(NETWORKS["VGG-11"].architecture, shape) for shape in ((1, 64, 64), (1, 64, 32))]
    return {figure.quantity for summary in summaries for row in summary.rows for figure in explain(summary, row)}


OPTIONS = list(options.OPTIONS.values())
STAND_FOR: dict[str, set[str]] = {
    "POOLINGS[name]": set(editor.POOLINGS.values()),
    "each of ENGLISH": set(ENGLISH),
    "label": set(edits.ACTIONS.values()),
    "COMPONENTS[name]": set(COMPONENTS.values()),
    "forecast.MEASURES[name]": set(forecast.MEASURES.values()),
    "MEASURES[name]": set(forecast.MEASURES.values()),
    "KINDS[each.what]": set(forecast.KINDS.values()),
    "CLASSES[place]": set(datasets.CLASSES),
    "ORIGINS[name]": set(ORIGINS.values()),
    "quantity": quantities() | set(COUNTS),
    "template": set(),  # of a reason that was kept in a file
    "reason.template": set(),  # of a remark that was kept in a file
    "ABOUT[chosen().recipe]": set(options.ABOUT.values()),
    "known.label": set(datasets.LABELS.values()),
    "datasets.LABELS[name]": set(datasets.LABELS.values()),
    "datasets.LABELS[dataset.kind]": set(datasets.LABELS.values()),
    "way.label": {way.label for way in after.WAYS.values()},
    "action.label": {action.label for action in actions.ACTIONS.values()},
    "action.help": {action.help for action in actions.ACTIONS.values() if action.help},
    "classes[place]": set(datasets.CLASSES),
    "source": {source for book in config.PUBLISHED.values() for source, _ in book.runs},
    "words[each]": {"yes", "no"}.union(*(each.words.values() for each in OPTIONS if isinstance(each, options.OneOf))),
    "self.what": {option.what for option in OPTIONS},
    "option.label": {option.label for option in OPTIONS},
    "unit": {option.unit for option in OPTIONS if isinstance(option, options.Number)} - {""},
    "option.empty": {option.empty for option in OPTIONS} - {""},
    "run.name()": {Run(path).name() for path in layout.RECORDED.iterdir()},
    "THEMES[theme]": set(index.THEMES.values()),
    "LABELS[name]": set(run_words.LABELS.values()),
    "words": set(PARTS.values()),
    "STATUSES[word]": set(STATUSES.values()),
    "PLANNED": {folder.PLANNED},
    "each of names": {name for known in datasets.KNOWN.values() for name in known.classes},
    "term.name": set(),  # of a `_Rule`, which is found
    "name": set(),  # of an argument in PyTorch or Keras, the same in every language
    "what": set(),  # handed on; the caller's is found
    "remark.template": set(),  # found where the remark is made
    "error.template": set(),  # found where the error is made
    "HIDEABLE[name]": set(HIDEABLE.values()),
}
"""The texts for which an expression stands, by expression."""


def test_every_expression_that_is_translated_is_known() -> None:
    """A new one has to be added to `STAND_FOR`, with all the texts that it can be."""
    assert Finder(*PAGES, *CORE).expressions == STAND_FOR.keys()


def test_every_sentence_of_the_core_can_be_kept_in_a_file_and_read_again() -> None:
    for text in Finder(*CORE).texts:
        assert is_plain(text), text


def test_every_text_is_translated_and_every_translation_used() -> None:
    texts = Finder(*PAGES, *CORE).texts.union(*STAND_FOR.values())
    assert texts > {"Undo", "the batch size", "{what} must be a whole number, not {value}.", "receptive field"}
    assert sorted(texts - CHINESE.keys()) == [], "not in zh.json"
    assert sorted(CHINESE.keys() - texts) == [], "in zh.json, but nowhere in the code"


def fields(template: str) -> list[str]:
    return sorted(field for _, field, _, _ in Formatter().parse(template) if field is not None)


@pytest.mark.parametrize("english", CHINESE)
def test_a_translation_has_the_same_values_and_marks(english: str) -> None:
    chinese = CHINESE[english]
    assert chinese.strip()
    assert set(fields(chinese)) == set(fields(english))
    assert chinese.count("**") == english.count("**")
    assert chinese.count("`") == english.count("`")
    values = dict.fromkeys(fields(english), "x")
    assert "{" not in chinese.format(**values)


# --- a word for one and a word for several -----------------------------------------------------------------

PLURAL = re.compile(
    r"\{(\w+)\}\*{0,2} (?:(?:of them|more|such|unknown|active|test|published) )?([A-Za-z]*[a-z]s|are|have)\b(?!/)"
)
VERBS = {
    "is",
    "its",
    "has",
    "gives",
    "does",
    "needs",
    "holds",
    "sees",
    "reaches",
    "helps",
    "contradicts",
    "works",
    "looks",
    "adds",
    "belongs",
    "shows",
}
MANY = {
    *("parameters", "weights", "activations", "elements", "positions", "units", "layers", "sigmoids", "lines"),
    *("MACs", "FLOPs", "bytes", "pixels", "megapixels", "points", "characters"),
    *("tools", "tasks", "networks", "processes", "builds"),
}
"""What there is never one of: numbers that any network has, units, and what the program has several of."""
SEVERAL = {
    *("most runs", "most channels", "most minutes", "most are", "least are", "count blocks"),  # bounds
    *("convs convolutions", "channels channels", "inputs inputs", "base examples"),  # of the named networks
    *("needed classes", "groups groups", "train images", "count pictures", "after channels"),
    *("most hints", "most questions", "most sentences"),
    *("text are", "folder are", "share are", "part are"),  # names
    *("n pictures", "folders folders", "most files", "count files"),  # bounds of a folder of pictures
    *("compared pictures", "most classes", "ratio times", "largest as", "bits bits", "share have"),  # what it holds
    "more runs",  # a race has two or three
    *("images images", "epochs times"),  # of the rows of the quick demo
    *(
        "all places",
        "own pictures",
        "gain as",
        "filters kernels",
        "kernel weights",
        "positions positions",
        "macs multiplications",
    ),
}


def test_a_word_after_a_count_has_a_form_for_one() -> None:
    found = {(match[1], match[2]): text for text in CHINESE for match in PLURAL.finditer(text)}
    missing = {
        pair: text for pair, text in found.items() if pair[1] not in MANY | VERBS and " ".join(pair) not in SEVERAL
    }
    assert not missing, "write {count:run|runs}, or add to SEVERAL what is never one"


def test_a_form_is_chosen_by_the_count_and_not_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "{count} {count:run is|runs are} before this one in the line for the device."
    for count in (0, 1, "1", 2, "1,001"):
        word = "run is" if str(count) == "1" else "runs are"
        assert i18n.t(text, count=count) == f"{count} {word} before this one in the line for the device."
    assert str(InputError(text, count=1)).startswith("1 run is ")
    monkeypatch.setattr(i18n, "language", lambda: "zh")
    assert i18n.t(text, count=1) == "在等待该设备的队列中，前面还有 1 次运行。"
    assert not any("|" in str(spec) for chinese in CHINESE.values() for *_, spec, _ in Formatter().parse(chinese))


# --- the page as it is shown -------------------------------------------------------------------------------

TERMS = [
    *(*LANGUAGES, *LANGUAGES.values(), *SHORT.values()),
    *(kind for kind, value in vars(layers).items() if isinstance(value, type) and issubclass(value, layers.Layer)),
    *(name for title in NETWORKS for name in (title, slug(title))),
    *(*COUNTS, "MAC", "LRN", "vggexplorer", "Enter", "top-1"),
    *DTYPES,
    *(
        "int8",
        "conv",
        "fc",
        "flatten",
        "adaptive",
        "gap",
        "relu",
        "Sigmoid",
        "sigmoid",
        "bn",
        "Bn",
        "dropout",
        "head",
        "hidden",
        "act",
    ),
    *(
        "nn.Sequential",
        "Keras",
        "forward",
        "super",
        "conv_arch",
        "none",
        "nopool",
        "avgpool2s2",
        "pool2s2",
        "avgpool",
        "lrn",
        "CxHxW",
        "max",
        "avg",
    ),
    *("KiB", "MiB", "GiB", "TiB"),
    *(
        "Fashion-MNIST",
        "KMNIST",
        "MNIST",
        "GTX 1660 Ti",
        "auto",
        "cpu",
        "quick-demo",
        "d2l-vgg",
        "d2l-alexnet",
        "d2l-en-vgg",
        "d2l-160",
    ),
    *("Xavier", "Kaiming", "xavier", "kaiming", "SGD", "Adam", "train", "test"),
    *("Krizhevsky", "Zeiler", "Fergus", "torchvision", "CIFAR"),
    *("VGG", "Shift", "Simonyan", "Zisserman", "ReLU", "FLOP", "MFLOPs", "GFLOPs", "GB", "MB", "log", "exp", "max"),
    *("PyTorch", "torchinfo", "fvcore", "FlopCounterMode", "pip install torch torchinfo fvcore"),
    *(*SHORTCUTS.values(), "Mac"),
]
"""What is the same in every language: names of layers and networks, units, and what one types."""
NEUTRAL = re.compile(
    "|".join(
        [
            r"“[^”]*”|“.*…",  # what a person typed, quoted
            r"\b(?:features|classifier)\.\d+",
            r":[a-z]+\[",  # Markdown's :small[
            r"\{[a-z]+\}",  # a place for a value that a script puts in
            r"(?<![A-Za-z])(?:" + "|".join(map(re.escape, sorted(TERMS, key=len, reverse=True))) + r")(?![A-Za-z])",
            r"\d+x\d+(?:x\d+|(?::[a-z0-9]+)*)",  # a block or an input
            r"(?<![A-Za-z])(?:" + "|".join(word.text for word in WORDS.values()) + r")\d*(?::[a-z0-9.]+)*(?![A-Za-z])",
            r"(?<![A-Za-z])[kspx](?=\d)",
        ]
    )
)
UNSEEN = {
    "id",
    "icon",
    "key",
    "type",
    "format",
    "color",
    "language",
    "js_content",
    "css_content",
    "html_content",
    "component_name",
    "shortcut",
    "page",
    "page_script_hash",
    "form_id",
}
"""Fields of Streamlit's elements that are not text for people."""
SETTINGS = {"type", "orientation", "xaxis", "yaxis", "marker", "side", "barmode", "exponentformat", "rangemode"}
SETTINGS |= {"insidetextanchor", "insidetextfont", "textposition", "traceorder", "gridcolor", "customdata", "plotly"}
SETTINGS |= {
    "task",
    "ask",
    "query",
    "drawn",
    "route",
    "hidden",
    "text",
    "pools",
    "shade",
    "done",
    "session",
    "forget",
    "part",
    "mode",
    "line",
    "legendgroup",
    "bytes",
}
SETTINGS |= {
    "against",
    "pictures",
    "color",
    "colors",
    "symbol",
    "ring",
    "found",
    "paper",
    "route",
    "owner",
    "code",
    "id",
    "url",
}
"""Parts of the data of our own components that are not text for people."""


def english_in(text: str) -> str:
    """The words of `text` that should have been translated; a command is none."""
    if text.startswith("vggexplorer train "):
        return ""
    plain = re.sub(r"<style>.*?</style>", "", re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", text), flags=re.DOTALL)
    return " ".join(re.findall(r"[A-Za-z]{2,}(?:[ '-]+[A-Za-z]+)*", NEUTRAL.sub(" ", plain)))


def seen(node: Any) -> Iterator[str]:
    """All texts of a page that a person sees or hears."""
    if isinstance(getattr(node, "proto", None), Message):
        yield from _texts(node.proto)
    for child in getattr(node, "children", {}).values():
        yield from seen(child)


def _texts(message: Message) -> Iterator[str]:
    for field, value in message.ListFields():
        if field.name == "json":
            yield from _data(json.loads(value))
        elif field.name not in UNSEEN:
            for item in value if isinstance(value, Sequence) and not isinstance(value, str) else [value]:
                if isinstance(item, Message):
                    yield from _texts(item)
                elif isinstance(item, str):
                    yield item


def _data(value: Any, key: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in SETTINGS | {"key"}:
                yield from _data(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _data(inner, key)
    elif key == "svg":
        for element in ElementTree.fromstring(value).iter():
            if not element.tag.endswith("style"):
                yield element.text or ""
                yield element.get("aria-label", "")
    elif key == "hovertemplate":
        yield re.sub(r"%\{.*?\}|<extra></extra>", "", value)
    elif isinstance(value, str):
        yield value


def has_chinese(texts: list[str]) -> bool:
    return any(re.search("[一-鿿]", text) for text in texts if text not in (LANGUAGES["zh"], SHORT["zh"]))


Open = Callable[..., AppTest]


@pytest.fixture
def explore(monkeypatch: pytest.MonkeyPatch) -> Open:
    """Opens Explore in a browser of some language.

    AppTest formats options outside of the session when it reads a widget, where the page's language is not known.
    """
    inside = i18n.language
    told = {"language": "en"}

    def language() -> str:
        return inside() if get_script_run_ctx(suppress_warning=True) else told["language"]

    monkeypatch.setattr(i18n, "language", language)

    def open_page(locale: str | None = "zh-CN", speaks: str = "zh", **params: str) -> AppTest:
        told["language"] = speaks
        page = AppTest.from_file(MAIN, default_timeout=30)
        page.context = {"locale": locale} if locale else {}
        for key, text in params.items():
            page.query_params[key] = text
        return page.run()

    return open_page


def all_chinese(page: AppTest, part: Any = None) -> None:
    """The page, or a part of it, is in Chinese and has no exception."""
    texts = [text for text in seen(part or page._tree) if text]
    assert not page.exception
    assert has_chinese(texts)
    assert [(text, words) for text in texts if (words := english_in(text))] == []


def test_english_is_noticed() -> None:
    """Were a word forgotten, the tests below would see it."""
    assert english_in("参数量 of MACs") == "of"
    assert english_in(":small[stride]  \n**4**") == "stride"
    assert english_in("块 3 的 MaxPool2d 无法处理 256×1×1，VGG\\-11，1x8:k5:nopool，“any words”。") == ""


def test_an_english_page_holds_the_texts_that_are_checked(explore: Open) -> None:
    """Labels, helps, options, the drawing, the table: what is seen in English is what is looked at in Chinese."""
    page = explore("en-US", "en")
    texts = " ".join(seen(page._tree))
    assert not has_chinese(list(seen(page._tree)))
    parts = ["Undo", "Move down", "adaptive: fixed size", "rounded down", "Compared with", "One MAC is one"]
    parts += ["Drawing of the network", "fully connected", "Linear classifier.0", "Receptive field"]
    assert [part for part in parts if part not in texts] == []


def test_the_page_is_chinese(explore: Open) -> None:
    all_chinese(explore())


def test_with_flops_charts_and_shades_it_is_chinese(explore: Open) -> None:
    page = explore(arch="1x8:pool3s3,2x16:nopool", input="3x64x48", count="FLOPs", head="adaptive:3")
    all_chinese(page)
    page = explore(arch="1x8:pool3s3,2x16:nopool", tab="charts", shade="macs")
    assert {chart["key"] for chart in live.figures(page)["charts"]["charts"]} == {"costs", "split"}
    all_chinese(page)


def test_the_panel_of_every_kind_of_layer_is_chinese(explore: Open) -> None:
    architecture = Architecture((Block(1, 8, lrn=True), Block(1, 8, pool_type="avg")), Head("gap"), batch_norm=True)
    summary = summarize(architecture, (1, 64, 48))
    page = explore(arch="1x8:lrn,1x8:avgpool2s2", head="gap", bn="1", input="1x64x48")
    for row in summary.rows:
        live.perform(page, {"do": "layer", "name": row.name})
        assert live.figures(page)["inspector"]["name"] == row.name
        all_chinese(page)


def test_the_title_of_an_edited_network_is_chinese(explore: Open) -> None:
    all_chinese(explore(arch="1x8", head="gap", hidden="none", dropout="0", act="sigmoid", bn="1"))


def test_pinned_and_moved_back_it_is_chinese(explore: Open) -> None:
    page = explore(arch="vgg16", pin="alexnet-tv;input=3x96x96")
    page.session_state["baseline"] = True
    all_chinese(page.run())
    page.button(key="pin").click().run()
    all_chinese(page)
    page.button(key="unpin").click().run()
    page.button(key="undo").click().run()
    all_chinese(page)


def test_a_baseline_that_cannot_take_the_input_is_explained_in_chinese(explore: Open) -> None:
    page = explore(arch="1x8", input="1x32x32")
    assert any("65×65" in text for text in seen(page._tree))
    all_chinese(page)


@pytest.mark.parametrize(
    "params",
    [
        {"arch": "alexnet", "input": "1x64x64"},
        {"arch": "1x8:k9:p0", "input": "1x4x4"},
        {"arch": "1x8:k9:p0", "input": "1x9x4"},
        {"arch": ",".join(["1x1:k3:s8000:p0:nopool"] * 3), "input": "1x8x8"},
    ],
)
def test_an_input_that_is_too_small_is_explained_in_chinese(explore: Open, params: dict[str, str]) -> None:
    page = explore(**params)
    assert len(page.warning) == 1
    all_chinese(page)


@pytest.mark.sample(10)
@pytest.mark.parametrize(
    ("key", "text"),
    BAD,
    ids=[f"{key}={text[:30]}" for key, text in BAD],
)
def test_what_is_wrong_in_a_link_is_said_in_chinese(explore: Open, key: str, text: str) -> None:
    page = explore(**{key: text})
    assert len(page.error) == 1
    all_chinese(page)


@pytest.mark.parametrize(("key", "text"), [("paste", "1x8,2y"), ("paste", "((1, 64), 7)"), ("hidden", "many")])
def test_what_is_typed_wrong_is_said_in_chinese(explore: Open, key: str, text: str) -> None:
    page = explore()
    box: Any = page.get_by_key(key)
    box.set_value(text).run()
    assert len(page.error) == 1
    all_chinese(page)


def test_a_width_that_leaves_no_channels_is_refused_in_chinese(explore: Open) -> None:
    page = explore(arch="1x8,1x3")
    live.perform(page, {"do": "width", "row": 0, "value": "1/4"})
    assert live.figures(page)["blocks"]["complaint"]
    all_chinese(page)


# --- which language ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "params", "language"),
    [
        ("zh-CN", {}, "zh"),
        ("zh", {}, "zh"),
        ("zh-TW", {}, "zh"),
        ("ZH-hans", {}, "zh"),
        ("en-US", {}, "en"),
        ("de-DE", {}, "en"),
        ("xx-nonsense", {}, "en"),
        (None, {}, "en"),
        ("zh-CN", {"lang": "en"}, "en"),
        ("en-US", {"lang": "zh"}, "zh"),
        (None, {"lang": "zh"}, "zh"),
        ("zh-CN", {"lang": "de"}, "zh"),
        ("en-US", {"lang": "de"}, "en"),
    ],
)
def test_the_link_decides_then_the_browser(
    explore: Open, locale: str | None, params: dict[str, str], language: str
) -> None:
    page = explore(locale, **params)
    assert page.segmented_control(key="language").value == language
    assert page.button(key="undo").label == {"en": "Undo", "zh": "撤销"}[language]
    assert page.query_params.get("lang") == (params["lang"] if params.get("lang") in LANGUAGES else None)


def test_the_switch_changes_every_text_and_the_link(explore: Open) -> None:
    page = explore("en-US", "en", arch="vgg16")
    page.segmented_control(key="language").set_value("zh").run()
    assert dict(page.query_params) == {"arch": "vgg16", "lang": "zh"}
    all_chinese(page)
    other = explore("zh-CN", "zh", arch="vgg16")
    other.segmented_control(key="language").set_value("en").run()
    assert dict(other.query_params) == {"arch": "vgg16", "lang": "en"}
    assert not has_chinese(list(seen(other._tree)))
