"""Layers against values worked out by hand from PyTorch's documented formulas."""

from math import ceil, floor, prod

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import examples
from strategies import networks
from torch import nn

from vggexplorer import drawing, layers
from vggexplorer.architectures import Network
from vggexplorer.errors import InputError, ShapeError
from vggexplorer.forecast import time
from vggexplorer.layers import (
    GELU,
    AdaptiveAvgPool2d,
    AvgPool2d,
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    Dropout,
    Flatten,
    Kind,
    Layer,
    LeakyReLU,
    Linear,
    LocalResponseNorm,
    MaxPool2d,
    ReLU,
    Shape,
    Sigmoid,
    SiLU,
    Tanh,
    shape_text,
)
from vggexplorer.summary import summarize

# Columns: layer, input shape, output shape, parameters, MACs, formula of the output's height. Worked out by hand.
TABLE: list[tuple[Layer, Shape, Shape, int, int, str | None]] = [
    # 64 filters of 1x3x3 and 64 biases; each weight is used at 224 x 224 places.
    (Conv2d(64, 3, 1, 1), (1, 224, 224), (64, 224, 224), 640, 28_901_376, "⌊(224 + 2 × 1 − 3) / 1⌋ + 1 = 224"),
    # (224 + 2 - 11) / 4 = 53.75; 96 x 121 = 11,616 weights, at 54 x 54 = 2,916 places.
    (Conv2d(96, 11, 4, 1), (1, 224, 224), (96, 54, 54), 11_712, 33_872_256, "⌊(224 + 2 × 1 − 11) / 4⌋ + 1 = 54"),
    (Conv2d(64, 11, 4, 2), (3, 224, 224), (64, 55, 55), 23_296, 70_276_800, "⌊(224 + 2 × 2 − 11) / 4⌋ + 1 = 55"),
    (Conv2d(16, 5), (6, 14, 14), (16, 10, 10), 2_416, 240_000, "⌊(14 − 5) / 1⌋ + 1 = 10"),
    (Conv2d(7, 1), (2, 3, 5), (7, 3, 5), 21, 210, "⌊(3 − 1) / 1⌋ + 1 = 3"),
    (Conv2d(2, 2, 3), (1, 7, 8), (2, 2, 3), 10, 48, "⌊(7 − 2) / 3⌋ + 1 = 2"),
    (Conv2d(1, 3), (1, 3, 3), (1, 1, 1), 10, 9, "⌊(3 − 3) / 1⌋ + 1 = 1"),
    # Krizhevsky et al. (2012), conv2: 256 filters of 48x5x5 in two towers; 27 x 27 places.
    (
        Conv2d(256, 5, 1, 2, groups=2),
        (96, 27, 27),
        (256, 27, 27),
        307_456,
        223_948_800,
        "⌊(27 + 2 × 2 − 5) / 1⌋ + 1 = 27",
    ),
    # Depthwise, as in MobileNet: a filter of 3x3 for each of 32 channels; 112 x 112 places, no bias.
    (
        *(Conv2d(32, 3, 1, 1, groups=32, bias=False), (32, 112, 112), (32, 112, 112), 288, 3_612_672),
        "⌊(112 + 2 × 1 − 3) / 1⌋ + 1 = 112",
    ),
    # Twice as many filters as channels, each of one channel: 8 x 1 x 3 x 3 weights and 8 biases at 4 x 3 places.
    (Conv2d(8, 3, 1, 0, groups=4), (4, 6, 5), (8, 4, 3), 80, 864, "⌊(6 − 3) / 1⌋ + 1 = 4"),
    # Dilated by 2, a 3x3 window is 5 wide, dilated by 4 it is 9 wide.
    (Conv2d(2, 3, 1, 2, 2), (1, 9, 7), (2, 9, 7), 20, 1_134, "⌊(9 + 2 × 2 − 2 × (3 − 1) − 1) / 1⌋ + 1 = 9"),
    (Conv2d(2, 3, 2, 0, 4, bias=False), (3, 9, 12), (2, 1, 2), 54, 108, "⌊(9 − 4 × (3 − 1) − 1) / 2⌋ + 1 = 1"),
    (MaxPool2d(2, 2), (64, 224, 224), (64, 112, 112), 0, 0, "⌊(224 − 2) / 2⌋ + 1 = 112"),
    (MaxPool2d(3, 2), (96, 54, 54), (96, 26, 26), 0, 0, "⌊(54 − 3) / 2⌋ + 1 = 26"),
    (MaxPool2d(2, 2), (5, 7, 9), (5, 3, 4), 0, 0, "⌊(7 − 2) / 2⌋ + 1 = 3"),
    (AvgPool2d(2, 2), (6, 28, 28), (6, 14, 14), 0, 0, "⌊(28 − 2) / 2⌋ + 1 = 14"),
    # (8 + 2 - 3) / 2 = 3.5: floor 3, ceil 4; with a stride of 3 the fourth window would begin behind 5 + 1 pixels.
    (MaxPool2d(3, 2, 1), (5, 8, 7), (5, 4, 4), 0, 0, "⌊(8 + 2 × 1 − 3) / 2⌋ + 1 = 4"),
    (MaxPool2d(3, 2, 1, True), (5, 8, 7), (5, 5, 4), 0, 0, "⌈(8 + 2 × 1 − 3) / 2⌉ + 1 = 5"),
    (AvgPool2d(2, 3, 0, True), (5, 6, 8), (5, 2, 3), 0, 0, "⌈(6 − 2) / 3⌉ + 1 − 1 = 2"),
    (AvgPool2d(2, 2, 1, count_include_pad=False), (5, 4, 3), (5, 3, 2), 0, 0, "⌊(4 + 2 × 1 − 2) / 2⌋ + 1 = 3"),
    (AdaptiveAvgPool2d(7), (512, 14, 10), (512, 7, 7), 0, 0, "7"),
    (AdaptiveAvgPool2d(7), (512, 1, 1), (512, 7, 7), 0, 0, "7"),
    (AdaptiveAvgPool2d(1), (512, 7, 7), (512, 1, 1), 0, 0, "1"),
    (BatchNorm2d(), (64, 10, 12), (64, 10, 12), 128, 0, None),
    (BatchNorm1d(), (4096,), (4096,), 8_192, 0, None),
    (LocalResponseNorm(), (64, 10, 12), (64, 10, 12), 0, 0, None),
    (ReLU(), (64, 10, 12), (64, 10, 12), 0, 0, None),
    (LeakyReLU(0.2), (64, 10, 12), (64, 10, 12), 0, 0, None),
    (GELU(), (64, 10, 12), (64, 10, 12), 0, 0, None),
    (GELU("tanh"), (120,), (120,), 0, 0, None),
    (SiLU(), (120,), (120,), 0, 0, None),
    (Sigmoid(), (120,), (120,), 0, 0, None),
    (Tanh(), (120,), (120,), 0, 0, None),
    (Dropout(0.5), (4096,), (4096,), 0, 0, None),
    (Flatten(), (512, 7, 7), (25_088,), 0, 0, None),
    (Linear(4096), (25_088,), (4096,), 102_764_544, 102_760_448, None),
    (Linear(10), (84,), (10,), 850, 840, None),
    (Linear(10, False), (84,), (10,), 840, 840, None),
]
windows = st.one_of(
    st.builds(
        Conv2d,
        *(st.integers(1, 9), st.integers(1, 12), st.integers(1, 5), st.integers(0, 6)),
        st.sampled_from([1, 1, 2, 3]),
    ),
    st.builds(MaxPool2d, st.integers(1, 12), st.integers(1, 5)),
    st.builds(MaxPool2d, st.integers(6, 12), st.integers(1, 14), st.integers(0, 3), st.booleans()),
)


def name(case: object) -> str:
    return repr(case) if isinstance(case, Layer) else shape_text(case) if isinstance(case, tuple) else ""


def test_every_kind_of_layer_has_its_place_in_every_table() -> None:
    assert {layer.kind for layer, *_ in TABLE} == set(Kind) == set(drawing._PARTS) == set(time._REST)
    for kind in Kind:
        assert issubclass(getattr(layers, kind), Layer)
        assert issubclass(getattr(nn, kind), nn.Module)
    classes = {name for name, each in vars(layers).items() if isinstance(each, type) and issubclass(each, Layer)}
    assert {name for name in classes if name[0] != "_"} - {"Layer"} == set(Kind)


@pytest.mark.parametrize(("layer", "shape", "output", "params", "macs", "formula"), TABLE, ids=name)
def test_a_layer_knows_its_arithmetic(
    layer: Layer, shape: Shape, output: Shape, params: int, macs: int, formula: str | None
) -> None:
    assert layer.output_shape(shape) == output
    assert layer.num_params(shape) == params == sum(map(prod, layer.param_terms(shape)))
    assert layer.macs(shape) == macs == sum(map(prod, layer.mac_terms(shape)))
    assert layer.side_formula(shape[-2] if len(shape) == 3 else 1) == formula


@examples(100)
@given(networks())
def test_the_terms_come_to_the_counts(network: Network) -> None:
    """Counts are computed directly, for speed; the formulas that people read are these terms."""
    for row in summarize(*network).rows:
        assert row.params == sum(map(prod, row.layer.param_terms(row.input_shape)))
        assert row.macs == sum(map(prod, row.layer.mac_terms(row.input_shape)))


@pytest.mark.parametrize(("layer", "shape", "output"), [case[:3] for case in TABLE], ids=name)
def test_pytorch_agrees_with_the_table(layer: Layer, shape: Shape, output: Shape) -> None:
    module = getattr(nn, layer.kind)(**layer.torch_arguments(shape)).to("meta").eval()
    assert tuple(module(torch.zeros(1, *shape, device="meta")).shape[1:]) == output
    assert sum(parameter.numel() for parameter in module.parameters()) == layer.num_params(shape)


@pytest.mark.parametrize("shape", [(3,), (3, 4), (1, 3, 4, 4)], ids=shape_text)
@pytest.mark.parametrize(
    "layer",
    [layer for layer in {case[0].kind: case[0] for case in TABLE}.values() if layer.takes == "maps"],
    ids=lambda layer: layer.kind,
)
def test_a_layer_for_images_refuses_other_shapes(layer: Layer, shape: Shape) -> None:
    with pytest.raises(ShapeError) as caught:
        layer.output_shape(shape)
    assert str(caught.value) == f"{layer.kind} needs channels × height × width, but {shape_text(shape)} reaches it."


@pytest.mark.parametrize("layer", [Linear(10), BatchNorm1d()], ids=lambda layer: layer.kind)
def test_a_layer_for_vectors_refuses_images(layer: Layer) -> None:
    with pytest.raises(ShapeError, match=rf"^{layer.kind} needs a flat vector, but 3×4×4 reaches it\.$"):
        layer.output_shape((3, 4, 4))


@pytest.mark.parametrize(
    ("layer", "shape", "sentence"),
    [
        (MaxPool2d(2, 2), (64, 1, 1), "its 2×2 window (padding 0) is larger than the 1×1 that reaches it"),
        (MaxPool2d(3, 2), (64, 2, 9), "its 3×3 window (padding 0) is larger than the 2×9 that reaches it"),
        (Conv2d(8, 11, 4, 1), (1, 9, 8), "its 11×11 window (padding 1) is larger than the 9×8 that reaches it"),
        (Conv2d(8, 3, dilation=4), (1, 8, 9), "its 9×9 window (padding 0) is larger than the 8×9 that reaches it"),
        (Conv2d(8, groups=4), (6, 8, 9), "its 4 groups cannot share 6 channels"),
    ],
    ids=name,
)
def test_what_a_layer_cannot_take_is_refused(layer: Layer, shape: Shape, sentence: str) -> None:
    with pytest.raises(ShapeError) as caught:
        layer.output_shape(shape)
    assert str(caught.value) == sentence
    assert isinstance(caught.value, InputError)
    assert isinstance(caught.value, ValueError)


# By hand: the bins of adaptive pooling from 13 to 7 begin at 0 1 3 5 7 9 11 and end before 2 4 6 8 10 12 13.
@pytest.mark.parametrize(
    ("layer", "shape", "field"),
    [
        (Conv2d(8, 11, 4, 1), (1, 224, 224), (11, 4)),
        (Conv2d(8, 3, 2, 0, 4), (1, 224, 224), (9, 2)),
        (MaxPool2d(3, 2), (8, 9, 9), (3, 2)),
        (ReLU(), (8, 9, 9), (1, 1)),
        (BatchNorm2d(), (8, 9, 9), (1, 1)),
        (AdaptiveAvgPool2d(7), (8, 14, 14), (2, 2)),
        (AdaptiveAvgPool2d(7), (8, 7, 7), (1, 1)),
        (AdaptiveAvgPool2d(7), (8, 13, 13), (3, None)),
        (AdaptiveAvgPool2d(7), (8, 14, 13), (3, None)),
        (AdaptiveAvgPool2d(7), (8, 14, 7), (2, None)),
        (AdaptiveAvgPool2d(7), (8, 5, 5), (2, None)),
        (AdaptiveAvgPool2d(7), (8, 1, 1), (1, None)),
        (AdaptiveAvgPool2d(1), (8, 5, 7), (7, None)),
        (AdaptiveAvgPool2d(1), (8, 7, 7), (7, 7)),
    ],
    ids=name,
)
def test_the_field_of_a_layer(layer: Layer, shape: Shape, field: tuple[int, int | None]) -> None:
    assert layer.field(shape) == field


@examples(100)
@given(side=st.tuples(st.integers(1, 20), st.integers(1, 20)), size=st.integers(1, 9))
def test_adaptive_pooling_sees_what_its_gradient_reaches(side: tuple[int, int], size: int) -> None:
    image = torch.ones(1, 1, *side, requires_grad=True)
    output = nn.AdaptiveAvgPool2d(size)(image)
    extents = []
    for row in range(size):
        (gradient,) = torch.autograd.grad(output[0, 0, row, row], image, retain_graph=True)
        reached = gradient[0, 0].nonzero()
        extents.append(int((reached.max(0).values - reached.min(0).values + 1).max()))
    assert AdaptiveAvgPool2d(size).field((1, *side))[0] == max(extents)


@examples(100)
@given(layer=windows, side=st.integers(1, 60))
def test_the_side_formula_evaluates_to_its_right_side(layer: Layer, side: int) -> None:
    formula = layer.side_formula(side)
    assert formula is not None
    left, right = formula.split(" = ")
    for sign, text in (("⌊", "floor("), ("⌋", ")"), ("⌈", "ceil("), ("⌉", ")"), ("×", "*"), ("−", "-")):
        left = left.replace(sign, text)
    assert eval(left, {"floor": floor, "ceil": ceil}) == int(right)
    if int(right) >= 1:
        assert layer.output_shape((1, side, side))[1:] == (int(right), int(right))


@examples(200)
@given(layer=windows, side=st.integers(1, 40))
def test_pytorch_agrees_on_every_window(layer: Layer, side: int) -> None:
    module = getattr(nn, layer.kind)(**layer.torch_arguments((1, side, side))).to("meta")
    try:
        output = layer.output_shape((1, side, side))
    except ShapeError:
        with pytest.raises(RuntimeError):
            module(torch.zeros(1, 1, side, side, device="meta"))
    else:
        assert tuple(module(torch.zeros(1, 1, side, side, device="meta")).shape[1:]) == output


@examples(100)
@given(layer=windows, output=st.integers(1, 30))
def test_min_side_is_the_smallest_side_that_gives_an_output(layer: Layer, output: int) -> None:
    side = layer.min_side(output)
    assert layer.output_shape((1, side, side))[1] >= output
    if side > 1:
        try:
            below = layer.output_shape((1, side - 1, side - 1))[1]
        except ShapeError:
            below = 0
        assert below < output


def test_local_response_normalisation_has_the_papers_constants() -> None:
    """Krizhevsky et al. (2012), section 3.3: b_i = a_i / (2 + 1e-4 * sum of a_j^2 for |i - j| <= 2) ^ 0.75."""
    values = torch.arange(1.0, 9.0, dtype=torch.float64) * 40
    expected = [
        float(values[i] / (2 + 1e-4 * (values[max(0, i - 2) : i + 3] ** 2).sum()) ** 0.75) for i in range(len(values))
    ]
    module = nn.LocalResponseNorm(**LocalResponseNorm().torch_arguments((8, 1, 1)))
    assert module(values.reshape(1, 8, 1, 1)).flatten().tolist() == pytest.approx(expected, rel=1e-12)


def test_layers_are_values() -> None:
    assert Conv2d(64) == Conv2d(64, 3, 1, 0)
    assert len({Conv2d(64), Conv2d(64), Conv2d(65)}) == 2
    assert MaxPool2d(2, 2) != AvgPool2d(2, 2)
    with pytest.raises(AttributeError):
        Conv2d(64).stride = 2
