"""What is published of well-known networks: torchvision's own figures, and our counts agree with them."""

from dataclasses import replace

import pytest

from vggexplorer import published
from vggexplorer.architectures import NETWORKS
from vggexplorer.published import PUBLISHED, Published
from vggexplorer.summary import summarize

MODELS = {
    "AlexNet (torchvision)": "AlexNet",
    "SqueezeNet 1.1": "SqueezeNet1_1",
    "MobileNetV2": "MobileNet_V2",
    "GoogLeNet": "GoogLeNet",
    "ResNet-18": "ResNet18",
    "ResNet-50": "ResNet50",
} | {
    f"VGG-{depth}{end}": f"VGG{depth}{norm}" for depth in (11, 13, 16, 19) for end, norm in (("", ""), (", bn", "_BN"))
}


def test_the_figures_are_those_of_torchvision() -> None:
    models = pytest.importorskip("torchvision.models")
    assert MODELS.keys() == {each.name for each in PUBLISHED}
    for each in PUBLISHED:
        meta = getattr(models, f"{MODELS[each.name]}_Weights").IMAGENET1K_V1.meta
        figures = meta["num_params"], meta["_ops"], meta["_metrics"]["ImageNet-1K"]["acc@1"]
        assert (each.params, each.giga_macs, each.top1) == figures


BUILT = [each for each in PUBLISHED if published.architecture(each.name)]


@pytest.mark.parametrize("each", BUILT, ids=lambda each: each.name)
def test_what_can_be_built_here_costs_what_is_published(each: Published) -> None:
    architecture = published.architecture(each.name)
    assert architecture
    totals = summarize(architecture, published.INPUT_SHAPE).totals
    assert (totals.params, round(totals.macs / 1e9, 3)) == (each.params, each.giga_macs)
    assert published.find(replace(architecture, num_classes=10)) is each


def test_nine_of_them_can_be_built_here_and_nothing_is_said_of_others() -> None:
    assert len(BUILT) == 9
    assert published.find(NETWORKS["AlexNet"].architecture) is None
    assert published.find(NETWORKS["VGG-11 slim"].architecture) is None
