"""Random blocks, heads, architectures and inputs for Hypothesis."""

from dataclasses import replace

from hypothesis import strategies as st

from vggexplorer.architectures import NETWORKS, Architecture, Block, Head, Network

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

architectures = st.builds(
    Architecture,
    blocks=st.lists(blocks, min_size=1, max_size=4).map(tuple),
    head=heads,
    num_classes=st.integers(1, 12),
    batch_norm=st.booleans(),
    activation=st.sampled_from(["relu", "sigmoid"]),
)

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
