"""The fields of single positions, by hand and against gradients."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from samples import examples
from strategies import networks
from torch import nn

from vggexplorer.architectures import NETWORKS, Architecture, Block, Network
from vggexplorer.pytorch.modules import build
from vggexplorer.receptive import fields
from vggexplorer.summary import Summary, summarize


def test_the_first_convolution_sees_its_window() -> None:
    summary = summarize(NETWORKS["VGG-11"].architecture, (1, 224, 224))
    rows = fields(summary, summary.rows[0]).rows
    assert (rows[0], rows[1], rows[100], rows[223]) == ((0, 1), (0, 2), (99, 101), (222, 223))


def test_an_inner_position_has_the_receptive_field_of_the_layer() -> None:
    summary = summarize(NETWORKS["VGG-11"].architecture, (1, 512, 512))
    for row in summary.rows:
        if row.receptive_field is None:
            continue
        found = fields(summary, row).rows
        first, last = found[len(found) // 2]  # type: ignore[misc]
        assert last - first + 1 == row.receptive_field
        assert row.stride == found[len(found) // 2 + 1][0] - first  # type: ignore[index]


def test_at_96_pixels_the_middle_of_vgg_11_sees_the_whole_picture_and_a_corner_does_not() -> None:
    summary = summarize(NETWORKS["VGG-11"].architecture, (1, 96, 96))
    last = [row for row in summary.rows if row.receptive_field is not None][-1]
    assert last.receptive_field == 150
    found = fields(summary, last).rows
    assert found[1] == (0, 95)
    assert found[0] != (0, 95) != found[2]


def test_from_flatten_on_all_is_seen() -> None:
    summary = summarize(NETWORKS["VGG-11"].architecture, (1, 224, 224))
    assert fields(summary, summary.rows[-1]) == (((0, 223),), ((0, 223),))


def test_what_a_pool_drops_is_not_seen() -> None:
    summary = summarize(Architecture((Block(1, 2, kernel_size=1),)), (1, 7, 9))
    assert fields(summary, summary.rows[-1]) == (((0, 5),), ((0, 7),))


def test_a_position_that_sees_only_padding() -> None:
    summary = summarize(Architecture((Block(1, 2, kernel_size=1, padding=1, pool=None),)), (1, 3, 3))
    assert fields(summary, summary.rows[0]).rows == (None, (0, 0), (1, 1), (2, 2), None)


@examples(60)
@given(networks(), st.data())
def test_the_field_is_where_gradients_are_not_zero(network: Network, data: st.DataObject) -> None:
    summary = summarize(*network)
    row = data.draw(st.sampled_from(summary.rows))
    found = fields(summary, row)
    y = data.draw(st.integers(0, len(found.rows) - 1))
    x = data.draw(st.integers(0, len(found.columns) - 1))
    box = (found.rows[y], found.columns[x])
    assert nonzero(summary, row.name, y, x) == (box if all(box) else (None, None))


def nonzero(summary: Summary, layer: str, y: int, x: int) -> tuple[object, object]:
    """The bounding box of the pixels with a gradient, where all weights are positive and all pools average."""
    net = build(summary.architecture, summary.input_shape).double().eval()
    modules: list[nn.Module] = []
    for row, (_, module) in zip(
        summary.rows, [pair for pair in net.named_modules() if pair[0] in names(summary)], strict=True
    ):
        if isinstance(module, nn.MaxPool2d):
            module = nn.AvgPool2d(module.kernel_size, module.stride, module.padding, module.ceil_mode)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            module.weight.data.fill_(1 / module.weight[0].numel())
        elif not isinstance(module, nn.AvgPool2d | nn.AdaptiveAvgPool2d | nn.Flatten):
            module = nn.Identity()
        modules.append(module)
        if row.name == layer:
            break
    image = torch.zeros(1, *summary.input_shape, dtype=torch.float64, requires_grad=True)
    out = nn.Sequential(*modules)(image)
    (out[0, 0, y, x] if out.dim() == 4 else out.sum()).backward()
    assert image.grad is not None
    seen = (image.grad[0] != 0).any(0)
    if not seen.any():
        return None, None
    rows, columns = seen.any(1).nonzero(), seen.any(0).nonzero()
    return (int(rows[0]), int(rows[-1])), (int(columns[0]), int(columns[-1]))


def names(summary: Summary) -> set[str]:
    return {row.name for row in summary.rows}


@pytest.mark.parametrize("name", NETWORKS)
def test_every_named_network_has_a_field_for_each_position(name: str) -> None:
    summary = summarize(*NETWORKS[name])
    for row in summary.rows:
        sizes = row.output_shape[1:] if len(row.output_shape) == 3 else (1, 1)
        assert tuple(map(len, fields(summary, row))) == tuple(sizes)
