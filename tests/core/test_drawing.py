import re
from dataclasses import replace
from itertools import combinations, pairwise
from typing import get_args
from xml.etree import ElementTree

import pytest

from vggexplorer.architectures import MAX_CHANNELS, MAX_SIDE, NETWORKS, Architecture, Block, Head, blocks
from vggexplorer.drawing import (
    AXIS,
    ENGLISH,
    HEIGHT,
    NARROW,
    WIDTH,
    Failure,
    Item,
    Quantity,
    Words,
    describe,
    draw,
    layout,
    lines,
    shares,
    text_width,
    thickness,
)
from vggexplorer.palette import HEAT
from vggexplorer.summary import Summary, UnfitError, summarize
from vggexplorer.text import parse_arch

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {
    "Conv2d": "conv",
    "MaxPool2d": "pool",
    "AvgPool2d": "pool",
    "AdaptiveAvgPool2d": "pool",
    "Flatten": "flatten",
    "Linear": "fc",
}
CHINESE = Words(
    title="网络图",
    description="输入{input}，{blocks}块，{convs}卷积，{pools}汇聚，{maps}，{features}，{linears}全连接，{classes}类",
    description_to_failure="{input}，{maps}，{failure}",
    failure="{kind}，{name}，{shape}，{reason}",
    layer="{name}：{shape}",
    layer_with_params="{name}：{shape}，{params}个参数",
    input="输入",
    convolution="卷积",
    pooling="汇聚",
    flatten="展平",
    fully_connected="全连接",
    conv="卷积",
    pool="汇聚",
    fc="全连接",
    classes="类",
    failed="失败",
    scales="尺度：平方根",
    params="占参数",
    macs="占乘加",
    activations="占激活",
)


def network(title: str) -> Summary:
    return summarize(*NETWORKS[title])


def plain(*pairs, shape=(3, 224, 224), **more) -> Summary:
    return summarize(Architecture(blocks(pairs), **more), shape)


VGG11 = NETWORKS["VGG-11"].architecture
SUMMARIES = {title: network(title) for title in NETWORKS} | {
    "VGG-19 on RGB": summarize(NETWORKS["VGG-19"].architecture, (3, 224, 224)),
    "gap": summarize(replace(VGG11, head=Head("gap", hidden=())), (3, 224, 224)),
    "adaptive": summarize(replace(VGG11, head=Head("adaptive"), batch_norm=True), (3, 32, 32)),
    "dropout first": summarize(replace(VGG11, head=Head(dropout_first=True)), (1, 224, 224)),
    "flat": summarize(VGG11, (3, 32, 512)),
    "tall": summarize(VGG11, (3, 512, 32)),
    "64 blocks": plain(*(Block(1, 16 * (1 + i // 8), pool=(2, 2) if i % 10 == 9 else None) for i in range(64))),
    "64 pooled blocks": plain(*(Block(1, 8 + i, pool=(1, 1)) for i in range(64))),
    "64 widths": plain(*(Block(1, 100 + i, pool=(2, 2) if i % 13 == 12 else None) for i in range(64))),
    "64 on a large input": plain(*[Block(1, 512, pool=None)] * 64, shape=(1, MAX_SIDE, MAX_SIDE)),
    "190 convolutions": plain((40, 64), (40, 128), (50, 256), (60, 512)),
    "wide": plain((1, 64), (2, MAX_CHANNELS), (1, 128), shape=(3, 64, 64)),
    "large": plain((1, 64), (1, 128), shape=(3, MAX_SIDE, MAX_SIDE), num_classes=MAX_CHANNELS),
    "one pixel": plain(Block(1, 1, pool=None), shape=(1, 1, 1), head=Head(hidden=()), num_classes=1),
    "growing": plain(Block(3, 8, kernel_size=1, padding=100, pool=None), shape=(1, 4, 4)),
    "many bars": summarize(replace(VGG11, head=Head(hidden=(4096,) * 40)), (1, 224, 224)),
}


@pytest.fixture(params=SUMMARIES)
def summary(request) -> Summary:
    return SUMMARIES[request.param]


def parse(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def drawn(svg: str) -> list[ElementTree.Element]:
    return [element for element in parse(svg).iter(f"{SVG}g") if "data-layer" in element.attrib]


def by_name(summary: Summary) -> dict[str, Item]:
    return {item.layer: item for item in layout(summary, ENGLISH).items}


def points(path: str) -> list[tuple[float, float]]:
    """The points that a path goes through."""
    found = [(0.0, 0.0)]
    for letter, numbers in re.findall(r"([MHlhvz])([^A-Za-z]*)", path):
        x, y = found[-1]
        given = [float(number) for number in numbers.split()]
        match letter:
            case "M":
                x, y = given
            case "H":
                x = given[0]
            case "l":
                x, y = x + given[0], y + given[1]
            case "h":
                x += given[0]
            case "v":
                y += given[0]
        found.append((x, y))
    return found[1:]


def anchored(text: ElementTree.Element) -> tuple[float, float, float]:
    """Left, right and baseline of a centred text, as 0.6 em a letter has it."""
    wide = text_width(text.text or "", 14 if text.get("class") == "vgg-size" else 13)
    x = float(text.attrib["x"])
    return x - wide / 2, x + wide / 2, float(text.attrib["y"])


def labels(svg: str) -> list[ElementTree.Element]:
    return [text for text in parse(svg).iter(f"{SVG}text") if text.get("class") in ("vgg-size", "vgg-note")]


# --- what is drawn -----------------------------------------------------------------------------------


def test_each_layer_with_a_shape_of_its_own_is_drawn_once_in_order(summary):
    found = [(element.attrib["data-layer"], element.attrib["class"]) for element in drawn(draw(summary))]
    expected = [(row.name, DRAWN[row.kind]) for row in summary.rows if row.kind in DRAWN]
    assert found == [("input", "input"), *expected]


def test_items_are_buttons_with_a_name(summary):
    for element in drawn(draw(summary)):
        assert (element.attrib["role"], element.attrib["tabindex"]) == ("button", "0")
        assert element.attrib["aria-label"] == element.findtext(f"{SVG}title")
        assert element.attrib["data-layer"] in element.attrib["aria-label"]


def test_an_item_says_kind_name_shape_and_parameters():
    titles = {item.layer: item.title for item in layout(SUMMARIES["VGG-19 on RGB"], ENGLISH).items}
    assert titles["features.0"] == "Conv2d features.0: 64×224×224, 1,792 parameters"
    assert titles["features.4"] == "MaxPool2d features.4: 64×112×112"
    assert titles["input"] == "input: 3×224×224"


def test_labels_of_vgg16():
    texts = [text.text for text in labels(draw(network("VGG-16")))]
    assert texts[:6] == ["1×224×224", "input", "224×224", "2 × conv 64", "112×112", "2 × conv 128"]
    assert texts[-8:] == ["25088", "flatten", "4096", "fc", "4096", "fc", "10", "classes"]


def test_without_room_the_word_goes_first():
    texts = [text.text for text in labels(draw(network("VGG-16-C")))]
    assert texts[2:8] == ["224×224", "2 × 64", "112×112", "2 × 128", "56×56", "2 × 256"]


@pytest.mark.parametrize("title", NETWORKS)
def test_named_networks_have_all_their_labels(title):
    summary = network(title)
    assert len(layout(summary, ENGLISH).labels) == 1 + sum(
        any(row.kind in DRAWN for row in group.rows) for group in summary.groups()
    )


def test_with_many_blocks_like_ones_share_a_label_and_ends_and_changes_keep_theirs():
    found = layout(SUMMARIES["64 blocks"], ENGLISH).labels
    assert (found[0].note, found[-1].note) == ("input", "classes")
    assert {"112×112", "56×56", "28×28", "14×14", "7×7", "3×3"} <= {label.size for label in found}
    assert "8 × 80" in [label.note for label in found]


def test_a_change_of_size_goes_before_a_change_of_channels():
    found = layout(SUMMARIES["64 widths"], ENGLISH).labels
    assert next(label.note for label in found if label.size == "112×112") == "113"
    assert next(label.note for label in found if label.size == "14×14") == "152"


def test_the_legend_names_only_what_is_drawn():
    svg = draw(SUMMARIES["one pixel"])
    assert "convolution</text>" in svg
    assert "pooling</text>" not in svg
    assert "pooling</text>" in draw(SUMMARIES["VGG-11"])


def stopped(arch, side=8):
    with pytest.raises(UnfitError) as caught:
        summarize(parse_arch(arch).architecture, (1, side, side))
    error = caught.value
    return error.so_far, Failure(error.place, str(error.reason))


@pytest.mark.parametrize(
    ("arch", "layer"),
    [
        ("1x8,1x9,conv9:k5,gap,flatten", "features.6"),
        ("conv9:k9,gap,flatten", "features.0"),
        ("conv9,flatten", "flatten"),
    ],
    ids=["in the middle", "the first", "Flatten"],
)
def test_a_network_that_does_not_fit_is_drawn_up_to_the_layer_that_fails(arch, layer):
    so_far, failure = stopped(arch)
    svg = draw(so_far, failure=failure)
    items = [item for item in ElementTree.fromstring(svg).iter() if item.get("data-layer")]
    assert items[-1].get("class") == "failed"
    assert items[-1].get("data-layer") == layer
    assert failure.reason in items[-1].get("aria-label")
    assert f"✕ {failure.place.layer.kind}" in svg
    assert "classes</text>" not in svg
    assert failure.reason in describe(so_far, failure=failure)


def test_the_description_counts():
    assert describe(network("VGG-16")) == (
        "From an input of 1×224×224 to 10 classes: 5 × block, 13 × convolution, 5 × pooling, "
        "feature maps of 512×7×7 at the end, flattened to 25088, 3 × fully connected."
    )
    assert describe(network("VGG-16")) == parse(draw(network("VGG-16"))).findtext(f"{SVG}desc")


# --- sizes -------------------------------------------------------------------------------------------


def test_more_is_never_drawn_smaller(summary):
    items = layout(summary, ENGLISH).items
    volumes = [item for item in items if len(item.shape) == 3]
    bars = [item for item in items if len(item.shape) == 1]
    sides = [(item.shape[1], item.height) for item in volumes] + [(item.shape[2], item.depth) for item in volumes]
    for pairs in (
        sides,
        [(item.shape[0], item.thickness) for item in volumes],
        [(item.shape[0], item.height) for item in bars],
    ):
        for (less, small), (more, big) in pairwise(sorted(pairs)):
            assert small < big if less < more else small == big


def test_equal_shapes_are_drawn_equal_and_far_shapes_visibly_different():
    items = by_name(network("VGG-16"))
    assert items["features.0"][5:] == items["features.2"][5:]
    assert items["features.0"].height > 4 * items["features.30"].height > 4 * 20
    assert thickness(512) > 2 * thickness(64) > 20


def test_thickness_tells_channels_apart_over_the_whole_range():
    steps = [thickness(channels) for channels in (1, 3, 64, 128, 512, 2048, MAX_CHANNELS)]
    assert all(after - before > 0.5 for before, after in pairwise(steps))


def test_thickness_is_the_same_in_every_drawing_that_is_not_squeezed():
    assert by_name(network("VGG-11"))["features.0"].thickness == thickness(64)
    assert by_name(network("VGG-11 slim"))["features.0"].thickness == thickness(16)
    assert layout(SUMMARIES["190 convolutions"], ENGLISH).squeeze < 0.5


def test_items_follow_each_other_without_touching(summary):
    for before, after in pairwise(layout(summary, ENGLISH).items):
        assert before.end < after.x


def test_everything_is_within_the_picture(summary):
    svg = draw(summary, summary.rows[0].name)
    root = parse(svg)
    assert root.attrib["viewBox"] == f"0 0 {WIDTH} {HEIGHT}"
    for element in root.iter(f"{SVG}path"):
        for x, y in points(element.attrib["d"]):
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT
    for text in labels(svg):
        left, right, base = anchored(text)
        assert left >= 0
        assert right <= WIDTH
        assert base <= HEIGHT - 5


def test_a_narrow_drawing_has_all_of_it_in_a_few_lines(summary):
    found = lines(summary, ENGLISH)
    assert 1 <= len(found) <= 4
    order = [item.layer for item in layout(summary, ENGLISH).items]
    assert [item.layer for line in found for item in line.items] == order
    for line in found:
        assert line.labels
        for before, after in pairwise(line.items):
            assert before.end < after.x
        for left, right in pairwise(line.labels):
            assert left.x + left.width / 2 < right.x - right.width / 2
    svg = draw(summary, summary.rows[0].name, narrow=True)
    assert [element.attrib["data-layer"] for element in drawn(svg)] == order
    for element in parse(svg).iter(f"{SVG}path"):
        assert all(0 <= x <= NARROW for x, _ in points(element.attrib["d"]))
    for text in labels(svg):
        start, end, _ = anchored(text)
        assert start >= 0
        assert end <= NARROW


def test_lines_of_a_narrow_drawing_are_clear_of_each_other_and_of_the_legend():
    root = parse(draw(network("VGG-11"), narrow=True))
    height = float(root.attrib["viewBox"].split()[-1])
    above = 30.0 * 2
    shifts = [float(group.attrib["transform"].split()[1].rstrip(")")) for group in root if "transform" in group.attrib]
    assert len(shifts) == 2
    for group, shift in zip((each for each in root if "transform" in each.attrib), shifts, strict=True):
        ys = [y + shift for path in group.iter(f"{SVG}path") for _, y in points(path.attrib["d"])]
        assert min(ys) >= above
        above = shift + max(float(text.attrib["y"]) for text in group.iter(f"{SVG}text"))
    assert above < height


def test_volumes_are_centred_on_the_axis_and_clear_of_legend_and_labels(summary):
    for element in drawn(draw(summary)):
        heights = [y for _, y in points(element.find(f"{SVG}path").attrib["d"])]
        assert (min(heights) + max(heights)) / 2 == pytest.approx(AXIS, abs=0.3)
        assert min(heights) > 28
        assert max(heights) < 240


def test_labels_do_not_overlap(summary):
    boxes = [anchored(text) for text in labels(draw(summary))]
    assert boxes
    for one, other in combinations(boxes, 2):
        assert one[2] != other[2] or one[1] < other[0] or other[1] < one[0]


@pytest.mark.parametrize("words", [ENGLISH, CHINESE, ENGLISH._replace(pooling="pooling " * 9, scales="long " * 9)])
def test_the_legend_does_not_overlap(words):
    found = [text for text in parse(draw(network("VGG-11"), words=words)).iter(f"{SVG}text") if text.get("y") == "20"]
    ends = [
        (float(text.attrib["x"]) - (text_width(text.text, 13) if text.get("class") else 0), text_width(text.text, 13))
        for text in found
    ]
    assert len(ends) >= 5
    for (x, wide), (following, _) in pairwise(ends):
        assert x + wide < following


# --- selection ---------------------------------------------------------------------------------------


def chosen(svg: str) -> list[str]:
    return [element.attrib["data-layer"] for element in drawn(svg) if "selected" in element.attrib["class"].split()]


def test_the_selected_layer_is_marked_once_and_outlined():
    svg = draw(network("VGG-11"), "features.6")
    assert chosen(svg) == ["features.6"]
    assert svg.count('class="vgg-ring"') == svg.count('aria-current="true"') == 1
    body = next(element for element in drawn(svg) if element.attrib["data-layer"] == "features.6").find(f"{SVG}path")
    assert f'<path class="vgg-ring" d="{body.attrib["d"]}"/>' in svg


@pytest.mark.parametrize(
    ("selected", "marked"),
    [
        ("features.1", ["features.0"]),
        ("features.2", ["features.0"]),
        ("classifier.2", ["classifier.0"]),
        ("flatten", ["flatten"]),
        ("input", ["input"]),
        ("features.999", []),
        (None, []),
    ],
)
def test_a_layer_that_is_not_drawn_selects_the_item_before_it(selected, marked):
    summary = SUMMARIES["adaptive"]
    assert chosen(draw(summary, selected)) == marked


def test_every_row_selects_exactly_one_item(summary):
    for row in summary.rows[:40]:
        assert len(chosen(draw(summary, row.name))) == 1


# --- words and page ----------------------------------------------------------------------------------


def visible(svg: str) -> str:
    root = parse(svg)
    texts = [element.text or "" for tag in ("text", "title", "desc") for element in root.iter(SVG + tag)]
    return " ".join([*texts, *(element.attrib["aria-label"] for element in drawn(svg))])


@pytest.mark.parametrize("title", ["VGG-11", "VGG-16-C", "LeNet", "AlexNet (torchvision)"])
def test_every_word_is_translated(title):
    text = visible(draw(network(title), words=CHINESE))
    assert not re.findall(r"[A-Za-z]+", re.sub(r"(features|classifier)\.\d+|flatten：|avgpool：", "", text))
    assert all(word in text for word in (CHINESE.title, CHINESE.classes, CHINESE.fully_connected, CHINESE.scales))


def test_every_word_is_used_and_escaped():
    marks = {name: f"<&{chr(0x3B1 + i)}>" for i, name in enumerate(Words._fields)}
    words = Words(**marks)._replace(failure="<&failure>{kind}", description_to_failure="<&part>{failure}")
    marks |= {"failure": "<&failure>Conv2d", "description_to_failure": "<&part>"}
    so_far, failure = stopped("conv9,conv9:k7,gap,flatten")
    drawn = (draw(network("AlexNet (torchvision)"), words=words), draw(so_far, words=words, failure=failure))
    drawn += tuple(draw(network("VGG-11"), words=words, by=by) for by in get_args(Quantity))
    text = "".join(map(visible, drawn))
    assert [name for name, mark in marks.items() if mark not in text] == []


def test_ids_differ_from_drawing_to_drawing_and_every_reference_is_defined():
    one, other = (draw(network("VGG-11"), ident=ident) for ident in ("one", "two"))
    ids = [set(re.findall(r' id="([^"]+)"', svg)) for svg in (one, other)]
    assert not ids[0] & ids[1]
    for svg, known in zip((one, other), ids, strict=True):
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) == known


def test_nothing_but_shapes_and_text(summary):
    svg = draw(summary)
    tags = {element.tag.removeprefix(SVG) for element in parse(svg).iter()}
    assert tags == {"svg", "title", "desc", "style", "defs", "pattern", "g", "path", "text"}
    assert not re.search(r"href|script|@import|\son\w+=", svg)
    assert re.findall(r"https?://[^\"]*", svg) == ["http://www.w3.org/2000/svg"]


def test_each_colour_can_be_set_and_has_a_fallback():
    style = parse(draw(network("VGG-11"))).findtext(f"{SVG}style")
    variables = re.findall(r"var\((--vgg-\w+),[^)]+\)", style)
    assert {"--vgg-text", "--vgg-input", "--vgg-conv", "--vgg-pool", "--vgg-fc", "--vgg-edge"} <= set(variables)
    assert style.count("var(") == len(variables)
    selectors = re.findall(r"^([^{\n]+)\{", style, re.MULTILINE)
    assert all(part.startswith(".vgg-") for selector in selectors for part in selector.split(","))


def test_letters_are_large_enough():
    sizes = re.findall(r"font-size:(\d+)px", parse(draw(network("VGG-11"))).findtext(f"{SVG}style"))
    assert min(map(int, sizes)) >= 11


def test_coordinates_have_one_decimal(summary):
    paths = " ".join(element.attrib["d"] for element in parse(draw(summary)).iter(f"{SVG}path"))
    assert not re.search(r"\.\d\d|e[-+]?\d|nan|inf", paths)


def test_the_same_network_gives_the_same_text(summary):
    again = summarize(summary.architecture, summary.input_shape)
    assert draw(summary, "flatten") == draw(again, "flatten")


def test_it_is_small():
    assert len(draw(network("VGG-16")).encode()) < 25_000


@pytest.mark.parametrize("by", get_args(Quantity))
@pytest.mark.parametrize("title", NETWORKS)
def test_the_shares_of_what_is_drawn_add_up_and_the_largest_is_the_darkest(title, by):
    summary = network(title)
    found = shares(summary, by)
    assert sum(found.values()) == pytest.approx(1)
    items = layout(summary, ENGLISH, by=by).items
    assert {item.layer: item.share for item in items} == {item.layer: found.get(item.layer, 0.0) for item in items}
    assert f'fill="{HEAT[1]}"' in draw(summary, by=by)
