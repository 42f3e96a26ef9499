"""Random blocks, heads, architectures and inputs for Hypothesis."""

from dataclasses import replace

from hypothesis import strategies as st

from vggexplorer.architectures import ACTIVATIONS, NETWORKS, Architecture, Block, Head, Item, Network
from vggexplorer.layers import (
    GELU,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Layer,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
)

PARTS = ("head", "num_classes", "batch_norm", "activation")

pools = st.none() | st.tuples(st.integers(1, 3), st.integers(1, 3))

blocks = st.builds(
    Block,
    num_convs=st.integers(1, 3),
    out_channels=st.integers(1, 9),
    kernel_size=st.sampled_from([1, 2, 3, 3, 3, 4, 5, 7]),
    stride=st.sampled_from([1, 1, 1, 1, 2, 3]),
    padding=st.none() | st.integers(0, 4),
    pool=pools,
    pool_type=st.sampled_from(["max", "avg"]),
    lrn=st.booleans(),
)

heads = st.builds(
    Head,
    pooling=st.sampled_from(["flatten", "adaptive", "gap"]),
    hidden=st.lists(st.integers(1, 40), max_size=3).map(tuple),
    dropout=st.sampled_from([0.0, 0.1, 0.5]) | st.floats(0, 1, exclude_max=True),
    size=st.integers(1, 9),
    dropout_first=st.booleans(),
)

probabilities = st.sampled_from([0.0, 0.25, 0.5])
activation_layers: st.SearchStrategy[Layer] = st.sampled_from(
    [*ACTIVATIONS.values(), LeakyReLU(0.2), LeakyReLU(1e-07), LeakyReLU(999.9999), GELU("tanh")],
)
convolutions = st.builds(
    Conv2d,
    out_channels=st.integers(1, 9),
    kernel_size=st.integers(1, 5),
    stride=st.sampled_from([1, 1, 1, 2]),
    padding=st.integers(0, 3),
    dilation=st.sampled_from([1, 1, 1, 2, 3]),
    bias=st.booleans(),
)
grouped = st.builds(
    lambda groups, times, layer: replace(layer, out_channels=groups * times, groups=groups),
    st.integers(2, 4),
    st.integers(1, 3),
    convolutions,
)
"""Convolutions of which another one of as many channels as groups, or a multiple, must stand before."""
pool_windows = st.tuples(st.integers(1, 3), st.integers(1, 3)).flatmap(
    lambda window: st.tuples(st.just(window[0]), st.just(window[1]), st.integers(0, window[0] // 2), st.booleans())
)
map_layers: st.SearchStrategy[Layer] = st.one_of(
    convolutions,
    st.builds(lambda window: MaxPool2d(*window), pool_windows),
    st.builds(lambda window, counted: AvgPool2d(*window, counted), pool_windows, st.booleans()),
    st.builds(AdaptiveAvgPool2d, st.integers(1, 9)),
    st.just(BatchNorm2d()),
    st.builds(LocalResponseNorm, size=st.integers(1, 6), k=st.sampled_from([1.0, 2.0])),
    st.builds(Dropout, probabilities),
    activation_layers,
)
"""Layers that stand before Flatten."""
vector_layers: st.SearchStrategy[Layer] = st.one_of(
    st.builds(Linear, st.integers(1, 40), st.booleans()),
    st.builds(Dropout, probabilities),
    st.just(BatchNorm1d()),
    activation_layers,
)
"""Layers that stand after it."""

plain = st.builds(
    Architecture,
    items=st.lists(blocks, min_size=1, max_size=4).map(tuple),
    head=heads,
    num_classes=st.integers(1, 12),
    batch_norm=st.booleans(),
    activation=st.sampled_from(list(ACTIVATIONS)),
)
"""Architectures of blocks alone."""


@st.composite
def layered(draw: st.DrawFn) -> Architecture:
    """Blocks and layers, with a `Head`, or with layers that end in a linear layer or in a global average."""
    items: list[Item] = []
    for item in draw(st.lists(blocks | map_layers | grouped, min_size=1, max_size=5)):
        groups = getattr(item, "groups", 1)
        items += [*([Conv2d(groups * draw(st.integers(1, 2)))] if groups > 1 else []), item]
    options = {"batch_norm": draw(st.booleans()), "activation": draw(st.sampled_from(list(ACTIVATIONS)))}
    kind = draw(st.sampled_from(["head", "linear", "average"]))
    if kind == "head":
        return Architecture(tuple(items), draw(heads), draw(st.integers(1, 12)), **options)
    if kind == "linear":
        vector = draw(st.lists(vector_layers, max_size=4))
        return Architecture(
            tuple(items), (Flatten(), *vector, Linear(draw(st.integers(1, 12)), draw(st.booleans()))), **options
        )
    last = Conv2d(draw(st.integers(1, 12)), 1)
    return Architecture((*items, last), (AdaptiveAvgPool2d(1), Flatten()), **options)


architectures = plain | layered()

modest = architectures.filter(lambda architecture: architecture.min_side() <= 80)
"""Architectures that take images of up to 80 pixels."""


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """A modest random architecture with an input that it can take, often the smallest, mostly not square."""
    architecture = draw(modest)
    smallest = architecture.min_side()
    sides = st.integers(smallest, smallest + 12)
    return Network(architecture, (draw(st.integers(1, 4)), draw(sides), draw(sides)))


@st.composite
def edited_networks(draw: st.DrawFn) -> Network:
    """A named network with some parts taken from another, as a person at the controls would leave it."""
    named, input_shape = draw(st.sampled_from(list(NETWORKS.values())))
    other = draw(architectures | st.sampled_from([network.architecture for network in NETWORKS.values()]))
    sources = {part: draw(st.sampled_from([named, other])) for part in PARTS}
    architecture = replace(named, **{part: getattr(source, part) for part, source in sources.items()})
    return Network(architecture, draw(st.sampled_from([input_shape, (2, 300, 301)])))
