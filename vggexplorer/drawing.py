"""A network as an SVG drawing: volumes for feature maps, bars for vectors, as in the figures of VGG and AlexNet.

Two steps: `layout` turns a summary into placed items and labels, `draw` writes them. All volumes are
centred on one axis and seen from the front, above and the right: channels run along the axis, height
is height, and width runs backwards.

The scales are compressed, else 7 x 7 x 512 would vanish beside 224 x 224 x 64. Height and width are
a few pixels plus a square root, relative to the network's largest side (or 64). Thickness is a few
pixels plus a square root of the channels, the same in every drawing unless a deep network has to be
squeezed into the width. The length of a bar is the logarithm of its units.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from itertools import groupby, pairwise
from math import log2, sqrt
from typing import Literal, NamedTuple
from unicodedata import east_asian_width

from vggexplorer.architectures import Place
from vggexplorer.catalogue import fill
from vggexplorer.formatting import exact, percent
from vggexplorer.layers import Kind, Shape, shape_text
from vggexplorer.palette import COLORS, EDGE, PAPER, heat
from vggexplorer.summary import Group, Row, Summary

Part = Literal["input", "conv", "pool", "flatten", "fc", "failed"]
Quantity = Literal["params", "macs", "activations"]
"""What a drawing can be coloured by the shares of."""

WIDTH = 1300
HEIGHT = 300
NARROW = 560
"""The width of a drawing for narrow screens, which has several lines."""
MARGIN = 12
AXIS = 136
"""The y of the line on which everything is centred."""
FONT = 18
"""The size of the larger letters; the smaller are one less."""

_PARTS: dict[Kind, Part | None] = {
    Kind.CONV2D: "conv",
    Kind.MAX_POOL2D: "pool",
    Kind.AVG_POOL2D: "pool",
    Kind.ADAPTIVE_AVG_POOL2D: "pool",
    Kind.BATCH_NORM2D: None,
    Kind.BATCH_NORM1D: None,
    Kind.LOCAL_RESPONSE_NORM: None,
    Kind.RELU: None,
    Kind.LEAKY_RELU: None,
    Kind.GELU: None,
    Kind.SILU: None,
    Kind.SIGMOID: None,
    Kind.TANH: None,
    Kind.DROPOUT: None,
    Kind.FLATTEN: "flatten",
    Kind.LINEAR: "fc",
}
"""As what each kind of layer is drawn; what changes no shape is not."""
_BACK = (0.36, 0.28)
"""How far right and up one pixel of width goes backwards."""
_SMALLEST = 6.0
_BAR = {"fc": 13.0, "flatten": 4.0, "failed": 13.0}
_MARK = 60.0
"""The height of the mark that stands for the layer that fails."""
_BESIDE = 3.0
"""Between two volumes of a block, in pixels."""
_BETWEEN = (14.0, 64.0)
"""Between two groups, at least (if there is room) and at most, in pixels."""
_LABEL_GAP = 10.0


class Frame(NamedTuple):
    """The room for a line of a drawing: its width, the largest side in it, how far below its axis the labels begin."""

    width: float
    largest: float
    below: float


WIDE = Frame(WIDTH, 150.0, 104.0)
_NARROW = Frame(NARROW, 100.0, 72.0)
_MOST_LINES = 4


class Words(NamedTuple):
    """The words of a drawing, in one language."""

    title: str
    description: str
    description_to_failure: str
    failure: str
    layer: str
    layer_with_params: str
    input: str
    convolution: str
    pooling: str
    flatten: str
    fully_connected: str
    conv: str
    pool: str
    fc: str
    classes: str
    failed: str
    scales: str
    params: str
    macs: str
    activations: str


ENGLISH = Words(
    title="Drawing of the network",
    description=(
        "From an input of {input} to {classes} {classes:class|classes}: {blocks} × block, {convs} × convolution, "
        "{pools} × pooling, feature maps of {maps} at the end, flattened to {features}, {linears} × fully connected."
    ),
    description_to_failure="From an input of {input} up to {maps}, where the drawing ends. {failure}.",
    failure="{kind} ({name}) cannot take {shape}: {reason}",
    layer="{kind} {name}: {shape}",
    layer_with_params="{kind} {name}: {shape}, {params} parameters",
    input="input",
    convolution="convolution",
    pooling="pooling",
    flatten="flatten",
    fully_connected="fully connected",
    conv="conv",
    pool="pool",
    fc="fc",
    classes="classes",
    failed="fails",
    scales="scales: √ sides, √ channels, log units",
    params="share of the parameters",
    macs="share of the MACs",
    activations="share of the activations",
)


class Failure(NamedTuple):
    """The layer that cannot take what reaches it, at which a drawing ends, and why, in the drawing's language."""

    place: Place
    reason: str


class Item(NamedTuple):
    """Something drawn: a volume, or a bar (whose `depth` is 0). `x` is where it begins on the axis."""

    part: Part
    layer: str
    shape: Shape
    title: str
    x: float
    thickness: float
    height: float
    depth: float
    share: float = 0.0

    @property
    def end(self) -> float:
        """Where it ends on the axis."""
        return self.x + self.thickness


class Label(NamedTuple):
    """Two centred lines of text, under what lies from `start` to `end` on the axis."""

    x: float
    width: float
    size: str
    note: str
    start: float
    end: float


class Layout(NamedTuple):
    """Where everything goes; `squeeze` is what thickness was multiplied by to fit the width."""

    items: tuple[Item, ...]
    labels: tuple[Label, ...]
    squeeze: float


class _Cluster(NamedTuple):
    """Items that stand together and share a label; `short` is its second line where room is scarce."""

    items: tuple[Item, ...]
    size: str
    note: str
    short: str

    @property
    def solid(self) -> float:
        return sum(item.thickness for item in self.items) + _BESIDE * (len(self.items) - 1)

    @property
    def text(self) -> float:
        return max(text_width(self.size, FONT), text_width(self.note, FONT - 1))


# --- layout ---


def layout(summary: Summary, words: Words, failure: Failure | None = None, by: Quantity | None = None) -> Layout:
    """The items and labels of a drawing, in their places; it ends with the layer that fails, if there is one.

    With `by`, the labels say which share of that quantity each has, and the items have it as their `share`.
    """
    return _line(_all_clusters(summary, words, failure, by, WIDE), WIDE)


def lines(
    summary: Summary, words: Words, failure: Failure | None = None, by: Quantity | None = None
) -> Sequence[Layout]:
    """The same in as many lines as `NARROW` needs, one below the other."""
    clusters = _all_clusters(summary, words, failure, by, _NARROW)
    return [_line(line, _NARROW) for line in _broken(clusters, _NARROW)]


def _all_clusters(
    summary: Summary, words: Words, failure: Failure | None, by: Quantity | None, frame: Frame
) -> list[_Cluster]:
    clusters = list(_clusters(summary, words, frame))
    if by:
        clusters = _shared(clusters, shares(summary, by))
    if failure:
        clusters.append(_failed(summary, words, failure))
    return clusters


def _broken(clusters: Sequence[_Cluster], frame: Frame) -> list[list[_Cluster]]:
    """The clusters in lines that are about as long as each other; few enough, if need be too long ones."""
    shortest = [cluster._replace(note=cluster.short) for cluster in clusters]
    widths = [max(cluster.solid, cluster.text) + _BETWEEN[0] for cluster in shortest]
    room = _room(clusters, frame) + _BETWEEN[0]
    count = min(_MOST_LINES, len(_filled(widths, room)))
    limit = sum(widths) / count
    while len(_filled(widths, limit)) > count:
        limit *= 1.02
    return [list(clusters[line.start : line.stop]) for line in _filled(widths, limit)]


def _filled(widths: Sequence[float], limit: float) -> list[range]:
    """The places that go into each line, if a line takes what fits into `limit`."""
    found, start, filled = [], 0, 0.0
    for place, width in enumerate(widths):
        if place > start and filled + width > limit:
            found.append(range(start, place))
            start, filled = place, 0.0
        filled += width
    return [*found, range(start, len(widths))]


def _room(clusters: Sequence[_Cluster], frame: Frame) -> float:
    return frame.width - 2 * MARGIN - _BACK[0] * max(item.depth for cluster in clusters for item in cluster.items)


def _line(clusters: list[_Cluster], frame: Frame) -> Layout:
    gaps = max(1, len(clusters) - 1)
    room = _room(clusters, frame)
    gap = min(_BETWEEN[0], 0.25 * room / gaps)
    room -= gap * gaps
    if sum(max(cluster.solid, cluster.text) for cluster in clusters) > room:
        clusters = [cluster._replace(note=cluster.short) for cluster in clusters]
    squeeze = min(1.0, room / sum(cluster.solid for cluster in clusters))
    slots = _slots(clusters, room, squeeze)
    gap += min((room - sum(slots)) / gaps, _BETWEEN[1] - gap)
    placed = list(_place(clusters, slots, gap, squeeze, frame))
    return Layout(tuple(item for cluster in placed for item in cluster.items), _labels(placed, frame), squeeze)


def _clusters(summary: Summary, words: Words, frame: Frame) -> Iterator[_Cluster]:
    scale = _Scale(summary, frame.largest)
    shape = summary.input_shape
    first = scale.item("input", "input", shape, f"{words.input}: {shape_text(shape)}")
    yield _Cluster((first,), shape_text(shape), words.input, words.input)
    last = summary.rows[-1].name if summary.is_whole else ""
    for group in summary.groups():
        if items := tuple(scale.layer(row, part, words) for row in group.rows if (part := _PARTS[row.kind])):
            yield _Cluster(items, *_lines(group, items, last, words))


def shares(summary: Summary, by: Quantity) -> dict[str, float]:
    """The share of each item that is drawn: its layer's, with those after it that are not drawn."""
    whole = getattr(summary.totals, by) or 1
    found: dict[str, float] = {}
    owner = "input"
    for row in summary.rows:
        owner = row.name if _PARTS[row.kind] else owner
        found[owner] = found.get(owner, 0.0) + getattr(row, by) / whole
    return found


def _shared(clusters: Iterable[_Cluster], found: Mapping[str, float]) -> list[_Cluster]:
    """The clusters with the shares of their items, and their sum as second line of the label."""
    result = []
    for cluster in clusters:
        items = tuple(item._replace(share=found.get(item.layer, 0.0)) for item in cluster.items)
        total = percent(sum(item.share for item in items), 1)
        result.append(cluster._replace(items=items, note=total, short=total))
    return result


def _failed(summary: Summary, words: Words, failure: Failure) -> _Cluster:
    kind, name = failure.place.layer.kind, failure.place.name
    text = _failure_text(summary, words, failure)
    item = Item("failed", name, summary.reached, text, 0, _BAR["failed"], _MARK, 0)
    return _Cluster((item,), f"✕ {kind}", words.failed, words.failed)


def _failure_text(summary: Summary, words: Words, failure: Failure) -> str:
    place, shape = failure.place, shape_text(summary.reached)
    return fill(words.failure, kind=place.layer.kind, name=place.name, shape=shape, reason=failure.reason)


def _lines(group: Group, items: Sequence[Item], last: str, words: Words) -> tuple[str, str, str]:
    """What the label of a cluster says: the first line, the second, and the second in short."""
    item = items[0]
    if group.block is None and item.part == "conv":
        return shape_text(item.shape[1:]), f"{words.conv} {item.shape[0]}", f"{item.shape[0]}"
    if group.block is None:
        word = words.classes if item.layer == last else getattr(words, item.part)
        return shape_text(item.shape[1:] or item.shape), word, word
    convs = [item for item in items if item.part == "conv"]
    times, channels = f"{len(convs)} × " if len(convs) > 1 else "", item.shape[0]
    return shape_text(convs[-1].shape[1:]), f"{times}{words.conv} {channels}", f"{times}{channels}"


class _Scale:
    """From shapes to pixels, for one network."""

    def __init__(self, summary: Summary, largest: float) -> None:
        self._largest = largest
        shapes = [summary.input_shape, *(row.output_shape for row in summary.rows)]
        self._side = max([64, *(side for shape in shapes for side in shape[1:])])
        self._units = max([16.0, *(log2(1 + shape[0]) for shape in shapes if len(shape) == 1)])

    def side(self, pixels: int) -> float:
        return _SMALLEST + (self._largest - _SMALLEST) * sqrt((pixels - 1) / (self._side - 1))

    def length(self, units: int) -> float:
        return self._largest * log2(1 + units) / self._units

    def item(self, part: Part, layer: str, shape: Shape, title: str) -> Item:
        if len(shape) == 1:
            return Item(part, layer, shape, title, 0, _BAR[part], self.length(shape[0]), 0)
        return Item(part, layer, shape, title, 0, thickness(shape[0]), *map(self.side, shape[1:]))

    def layer(self, row: Row, part: Part, words: Words) -> Item:
        template = words.layer_with_params if row.params else words.layer
        shape = row.output_shape
        title = template.format(kind=row.kind, name=row.name, shape=shape_text(shape), params=exact(row.params))
        return self.item(part, row.name, shape, title)


def thickness(channels: int) -> float:
    """The thickness of a volume, in pixels, before squeezing."""
    return 3 + 27 * sqrt(channels / 512)


def text_width(text: str, font: int) -> float:
    """About how wide a text will be, in pixels: wide (Chinese) characters count as one em, others as 0.6."""
    return font * sum(1.0 if east_asian_width(letter) in "WF" else 0.6 for letter in text)


def _slots(clusters: Sequence[_Cluster], room: float, squeeze: float) -> list[float]:
    """How much of the axis each cluster gets: what it fills, and as far as there is room what its label wants."""
    solid = [cluster.solid * squeeze for cluster in clusters]
    wanted = [max(0.0, cluster.text - width) for cluster, width in zip(clusters, solid, strict=True)]
    share = min(1.0, max(0.0, room - sum(solid)) / (sum(wanted) or 1.0))
    return [width + share * want for width, want in zip(solid, wanted, strict=True)]


def _place(
    clusters: Iterable[_Cluster], slots: Sequence[float], gap: float, squeeze: float, frame: Frame
) -> Iterator[_Cluster]:
    x = (frame.width - sum(slots) - gap * (len(slots) - 1)) / 2
    for cluster, slot in zip(clusters, slots, strict=True):
        start = x + (slot - cluster.solid * squeeze) / 2
        yield cluster._replace(items=tuple(_row_of(cluster.items, start, squeeze)))
        x += slot + gap


def _row_of(items: Iterable[Item], x: float, squeeze: float) -> Iterator[Item]:
    for item in items:
        placed = item._replace(x=x, thickness=item.thickness * squeeze)
        yield placed
        x = placed.end + _BESIDE * squeeze


def _labels(clusters: Sequence[_Cluster], frame: Frame) -> tuple[Label, ...]:
    """A label for each cluster; where there is no room, for each run of like clusters, if need be not all."""
    labels = [_label([cluster], frame) for cluster in clusters]
    if len(_apart(labels)) < len(labels):
        runs = groupby(clusters, key=lambda cluster: (cluster.size, cluster.note))
        labels = [_label(list(run), frame) for _, run in runs]
        labels = _apart(_by_weight(labels))
    return tuple(sorted(labels))


def _label(run: Sequence[_Cluster], frame: Frame) -> Label:
    start, end = run[0].items[0].x, run[-1].items[-1].end
    times = f"{len(run)} × " if len(run) > 1 else ""
    cluster = run[0]._replace(note=times + run[0].note)
    edge = (MARGIN + cluster.text) / 2
    x = min(max((start + end) / 2, edge), frame.width - edge)
    return Label(x, cluster.text, cluster.size, cluster.note, start, end)


def _by_weight(labels: Sequence[Label]) -> list[Label]:
    """First the two ends, then where the size changes, then the others."""
    changes = [after for before, after in pairwise(labels) if before.size != after.size]
    return list(dict.fromkeys([labels[0], labels[-1], *changes, *labels]))


def _apart(labels: Iterable[Label]) -> list[Label]:
    """The labels without those that would touch an earlier one."""
    kept: list[Label] = []
    for label in labels:
        if all(abs(label.x - other.x) >= (label.width + other.width) / 2 + _LABEL_GAP for other in kept):
            kept.append(label)
    return kept


# --- SVG ---

_STYLE = """
.vgg-drawing{display:block;width:100%;min-width:640px;height:auto;font-family:var(--vgg-font,inherit)}
.vgg-drawing text{fill:var(--vgg-text,currentColor);font-size:17px;text-anchor:middle}
.vgg-drawing .vgg-size{font-size:18px;font-weight:600}
.vgg-drawing .vgg-legend text{text-anchor:start}
.vgg-drawing .vgg-legend .vgg-scales{text-anchor:end}
.vgg-scales,.vgg-note{fill-opacity:.75}
.vgg-flow,.vgg-brace{fill:none;stroke:var(--vgg-text,currentColor);stroke-opacity:.45}
.vgg-drawing [role=button]{cursor:pointer}
.vgg-body,.vgg-face{stroke:var(--vgg-edge,EDGE);stroke-linejoin:round}
.vgg-top{fill:white;fill-opacity:.3}
.vgg-side{fill:black;fill-opacity:.22}
.vgg-hatch{fill:none;stroke:white;stroke-opacity:.7}
.vgg-drawing [role=button]:hover .vgg-body{filter:brightness(1.15)}
.vgg-drawing [role=button]:focus-visible{outline:2px dashed;outline-offset:2px}
.vgg-drawing .selected .vgg-body,.vgg-ring{stroke:var(--vgg-selected,currentColor);stroke-width:4}
.vgg-failed{fill-opacity:.15;stroke:var(--vgg-failed,FAILED);stroke-dasharray:5 4}
.vgg-ring{fill:none;stroke-linejoin:round;pointer-events:none}
""".replace("EDGE", EDGE).replace("FAILED", COLORS["failed"])
_STYLE += "\n".join(f".vgg-{part}{{fill:var(--vgg-{part},{color})}}" for part, color in COLORS.items())


def draw(
    summary: Summary,
    selected: str | None = None,
    words: Words = ENGLISH,
    ident: str = "vgg",
    failure: Failure | None = None,
    by: Quantity | None = None,
    narrow: bool = False,
) -> str:
    """The network as an SVG element of 1300 x 300, to be put into a page; a `narrow` one has several lines.

    `selected` names a row of the summary, or is "input"; a row that is not drawn (an activation, dropout)
    selects the item before it. `ident` begins the ids: give each drawing of a page its own. Of a network that cannot
    take its input, the layers so far are drawn, and the one that fails as `failure`. With `by` the colours are not
    those of the kinds: the darker an item, the larger its share of that quantity.
    """
    frame = _NARROW if narrow else WIDE
    plans = lines(summary, words, failure, by) if narrow else [layout(summary, words, failure, by)]
    items = [item for plan in plans for item in plan.items]
    most = max(item.share for item in items) if by else 0.0
    legend, top = _heat_legend(getattr(words, by), most) if by else _legend(items, words, ident, frame)
    owner = _owner(summary, selected)
    step = 2 * frame.below + 44
    drawn = [_line_svg(plan, place, len(plans), frame, owner, ident, most) for place, plan in enumerate(plans)]
    if narrow:
        height = top + step * len(plans)
        shifts = (top + frame.below - AXIS + step * place for place in range(len(plans)))
        drawn = [f'<g transform="translate(0 {_n(y)})">{line}</g>' for y, line in zip(shifts, drawn, strict=True)]
    else:
        height = HEIGHT
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="vgg-drawing" viewBox="0 0 {_n(frame.width)} {_n(height)}" '
            'role="group">',
            f"<title>{escape(words.title)}</title><desc>{escape(describe(summary, words, failure))}</desc>",
            f"<style>{_STYLE}</style>{_patterns(ident)}{legend}",
            *drawn,
            "</svg>",
        )
    )


def _line_svg(plan: Layout, place: int, count: int, frame: Frame, owner: str | None, ident: str, most: float) -> str:
    """A line of a drawing; the flow goes on from one to the next."""
    first, last = plan.items[0], plan.items[-1]
    before = f'<path class="vgg-flow" d="M0 {AXIS}H{_n(first.x)}"/>' if place else ""
    after = f'<path class="vgg-flow" d="M{_n(last.end)} {AXIS}H{_n(frame.width)}"/>' if place < count - 1 else ""
    items = "".join(_items(plan.items, owner, ident, most))
    return "".join(
        (
            f'<g stroke-width="{_n(max(0.2, plan.squeeze))}">{before}{items}{after}</g>',
            f'<g aria-hidden="true">{"".join(_label_svg(label, frame) for label in plan.labels)}</g>',
            *(f'<path class="vgg-ring" d="{_outline(item)}"/>' for item in plan.items if item.layer == owner),
        )
    )


_STATIC = re.sub(
    r"^.*(?:role=button|selected|ring).*\n|display:.*?;height:auto;",
    "",
    re.sub(r"var\(--[\w-]+,([^)]*)\)", r"\1", _STYLE),
    flags=re.MULTILINE,
)
"""The style without what only a page can answer: variables, and things to click."""
_FILE_STYLE = _STATIC.replace("inherit", "Helvetica,Arial,sans-serif").replace("currentColor", PAPER["$text"])


def svg_file(summary: Summary, words: Words = ENGLISH) -> str:
    """The drawing as an SVG file of its own: on white, 1300 x 300, in plain colours that every program knows."""
    drawn = draw(summary, None, words).replace(_STYLE, _FILE_STYLE, 1)
    drawn = drawn.replace(' tabindex="0" role="button"', ' role="img"')
    drawn = drawn.replace("<svg ", f'<svg width="{WIDTH}" height="{HEIGHT}" ', 1)
    paper = f'<path fill="{PAPER["background"]}" d="M0 0h{WIDTH}v{HEIGHT}h-{WIDTH}z"/>'
    return drawn.replace("</style>", f"</style>{paper}", 1) + "\n"


def describe(summary: Summary, words: Words = ENGLISH, failure: Failure | None = None) -> str:
    """The network in one sentence, for those who cannot see the drawing."""
    if failure:
        return fill(
            words.description_to_failure,
            input=shape_text(summary.input_shape),
            maps=shape_text(summary.reached),
            failure=_failure_text(summary, words, failure),
        )
    parts = [_PARTS[row.kind] for row in summary.rows]
    flat = next(row for row in summary.rows if row.kind == Kind.FLATTEN)
    return fill(
        words.description,
        input=shape_text(summary.input_shape),
        blocks=len(summary.architecture.blocks),
        convs=parts.count("conv"),
        pools=parts.count("pool"),
        maps=shape_text(flat.input_shape),
        features=shape_text(flat.output_shape),
        linears=parts.count("fc"),
        classes=summary.architecture.num_classes,
    )


def _owner(summary: Summary, selected: str | None) -> str | None:
    """The layer whose item stands for `selected`."""
    owner = "input"
    if selected == owner:
        return owner
    for row in summary.rows:
        owner = row.name if _PARTS[row.kind] else owner
        if row.name == selected:
            return owner
    return None


def _n(number: float) -> str:
    return f"{round(number, 1):g}"


def _items(items: Sequence[Item], owner: str | None, ident: str, most: float) -> Iterator[str]:
    """The items, each nearer to the eye than the one before, and the flow between them."""
    before = items[0]
    for item in items:
        if item.x - before.end > _BESIDE:
            yield f'<path class="vgg-flow" d="M{_n(before.end)} {AXIS}H{_n(item.x)}"/>'
        yield _item(item, item.layer == owner, ident, most)
        before = item


def _item(item: Item, selected: bool, ident: str, most: float) -> str:
    title, state = escape(item.title), ' selected" aria-current="true"' if selected else '"'
    return (
        f'<g class="{item.part}{state} data-layer="{item.layer}" tabindex="0" role="button" aria-label="{title}">'
        f"<title>{title}</title>{_shape(item, ident, most=most)}</g>"
    )


def _shape(item: Item, ident: str, y: float = AXIS, most: float = 0.0) -> str:
    """An item in one colour, and over it the light on its top and the shadow on its right side.

    If `most` is not 0, it is the largest share, and the colour is that of the item's own.
    """
    if most:
        paint = f'" fill="{heat(item.share / most)}'
    else:
        paint = f'" fill="url(#{escape(ident)}-{item.part})' if item.part in ("pool", "fc") else f" vgg-{item.part}"
    body = f'<path class="vgg-body{paint}" d="{_outline(item, y)}"/>'
    if not item.depth:
        return body
    left, top, right, up = _corner(item, y)
    back, down = f"l{_n(right)} {_n(-up)}", f"l{_n(-right)} {_n(up)}"
    return (
        f'{body}<path class="vgg-face vgg-top" d="M{_n(left)} {_n(top)}{back}h{_n(item.thickness)}{down}z"/>'
        f'<path class="vgg-face vgg-side" d="M{_n(left + item.thickness)} {_n(top)}{back}v{_n(item.height)}{down}z"/>'
    )


def _outline(item: Item, y: float = AXIS) -> str:
    left, top, right, up = _corner(item, y)
    wide, high = _n(item.thickness), _n(item.height)
    return f"M{_n(left)} {_n(top)}l{_n(right)} {_n(-up)}h{wide}v{high}l{_n(-right)} {_n(up)}h-{wide}z"


def _corner(item: Item, y: float) -> tuple[float, float, float, float]:
    """The upper left corner of the front, and how far right and up the back lies."""
    right, up = (step * item.depth for step in _BACK)
    return item.x - right / 2, y - item.height / 2 + up / 2, right, up


def _patterns(ident: str) -> str:
    """Pooling is hatched, a vector is a stack: told apart without colour."""
    start = '<pattern id="{}-{}" width="6" height="6" patternUnits="userSpaceOnUse"{}>'
    paint = '<path class="vgg-{}" d="M0 0h6v6h-6z"/><path class="vgg-hatch" d="M0 3h6"/></pattern>'
    pool = start.format(escape(ident), "pool", ' patternTransform="rotate(-45)"') + paint.format("pool")
    return f"<defs>{pool}{start.format(escape(ident), 'fc', '')}{paint.format('fc')}</defs>"


def _label_svg(label: Label, frame: Frame) -> str:
    x, y = _n(label.x), AXIS + frame.below
    start, end = label.start, label.end
    brace = f"M{_n(start)} {_n(y + 1)}v4H{_n(end)}v-4" if end - start > 14 else f"M{_n((start + end) / 2)} {_n(y)}v6"
    return (
        f'<path class="vgg-brace" d="{brace}"/>'
        f'<text class="vgg-size" x="{x}" y="{_n(y + 24)}">{escape(label.size)}</text>'
        f'<text class="vgg-note" x="{x}" y="{_n(y + 43)}">{escape(label.note)}</text>'
    )


_LEGEND = 30.0
"""The height of a line of a legend."""


def _legend(items: Sequence[Item], words: Words, ident: str, frame: Frame) -> tuple[str, float]:
    """A sample and a word for each kind that is drawn, then a note on the scales if it fits; and its height."""
    names = {"conv": words.convolution, "pool": words.pooling, "fc": words.fully_connected}
    parts, x, y = [], float(MARGIN), 0.0
    for part in dict.fromkeys(item.part for item in items):
        name = names.get(part) or getattr(words, part)
        width = 22 + text_width(name, FONT - 1)
        if frame != WIDE and x + width > frame.width:
            x, y = float(MARGIN), y + _LEGEND
        parts.append(_legend_entry(part, name, x, y, ident))
        x += width + 14
    if frame == WIDE and x + text_width(words.scales, FONT - 1) < WIDTH - MARGIN:
        parts.append(f'<text class="vgg-scales" x="{WIDTH - MARGIN}" y="20">{escape(words.scales)}</text>')
    return f'<g class="vgg-legend" aria-hidden="true">{"".join(parts)}</g>', y + _LEGEND


def _legend_entry(part: Part, name: str, x: float, y: float, ident: str) -> str:
    wide, high, deep = (_BAR[part], 16, 0) if part in _BAR else (9, 11, 18)
    sample = Item(part, "", (), "", x + 9 - wide / 2, wide, high, deep)
    return f'{_shape(sample, ident, y + 15)}<text x="{_n(x + 22)}" y="{_n(y + 20)}">{escape(name)}</text>'


_STEPS = 12
"""Of the scale of colours in a legend."""


def _heat_legend(label: str, most: float) -> tuple[str, float]:
    """The scale of colours from nothing to the largest share, and what it is a share of; and its height."""
    start = MARGIN + text_width(label, FONT - 1) + 12
    first = f'<text x="{MARGIN}" y="20">{escape(label)}</text><text x="{_n(start)}" y="20">0 %</text>'
    x = start + text_width("0 %", FONT - 1) + 8
    boxes = (
        f'<path fill="{heat(step / (_STEPS - 1))}" d="M{_n(x + 14 * step)} 8h14v14h-14z"/>' for step in range(_STEPS)
    )
    last = f'<text x="{_n(x + 14 * _STEPS + 8)}" y="20">{percent(most, 1)}</text>'
    return f'<g class="vgg-legend" aria-hidden="true">{first}{"".join(boxes)}{last}</g>', _LEGEND
