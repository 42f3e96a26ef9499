"""FLOPs are not time: what a public table of measured speeds says of VGG."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from vggexplorer.architectures import NETWORKS
from vggexplorer.comparison import Remark
from vggexplorer.formatting import decimal_size, measured, ratio
from vggexplorer.lessons.asks import Choice, Number, Option, Task, Theme
from vggexplorer.lessons.common import SINGLE
from vggexplorer.summary import Summary, summarize

SOURCE = "timm, results/benchmark-*.csv"
"""Where the speeds are published: in the results of https://github.com/huggingface/pytorch-image-models."""


class Speed(NamedTuple):
    """What a device makes of three networks, in examples a second, and how many times as fast ResNet-50 is as VGG-16.

    `case` is the file's name without `benchmark-` and `.csv`.
    """

    device: str
    what: Remark
    case: str
    vgg11: float
    vgg16: float
    vgg19: float
    resnet50: float

    @property
    def vgg19_time(self) -> float:
        """How many times VGG-11's time VGG-19 takes."""
        return self.vgg11 / self.vgg19


_TRAINING = Remark("training")
_INFERENCE = Remark("inference")
_ONE = Remark("inference, one picture at a time")
TABLE = (
    Speed("RTX 3090", _TRAINING, "train-amp-nhwc-pt112-cu113-rtx3090", 954.03, 546.06, 457.37, 2.23),
    Speed("RTX 3090", _INFERENCE, "infer-amp-nchw-pt113-cu117-rtx3090", 2827.53, 1475.59, 1237.03, 2.05),
    Speed("RTX 4090", _INFERENCE, "infer-amp-nchw-pt291-cu128-4090", 4503.99, 2235.61, 2044.71, 1.18),
    Speed("RTX 5090", _INFERENCE, "infer-amp-nchw-pt291-cu130-5090", 6391.48, 3417.92, 2919.65, 1.13),
    Speed("RTX PRO 6000 Max-Q", _INFERENCE, "infer-amp-nchw-pt291-cu130-pro6000maxq", 6407.04, 3442.01, 2973.91, 1.07),
    Speed("Core i7-12700H", _ONE, "infer-fp32-nchw-pt240-cpu-i7_12700h-dynamo", 6.59, 5.08, 4.57, 3.99),
    Speed("Core i9-10940X", _ONE, "infer-fp32-nchw-pt240-cpu-i9_10940x-dynamo", 9.29, 8.48, 8.22, 6.59),
)
"""The table as it is published; the last column is the quotient of the two networks' speeds."""
RESNET50_MACS = 4_089_184_256
"""At 3×224×224 with 1,000 classes, as torchvision counts it (4.09 GFLOPS in its table of weights)."""
PROCESSOR = TABLE[-1]
START = {"arch": "vgg11", "input": "3x224x224", "classes": "1000"}


def at_imagenet(name: str) -> Summary:
    """The costs of a named network with the input and the classes of ImageNet."""
    return summarize(replace(NETWORKS[name].architecture, num_classes=1000), (3, 224, 224))


def macs_ratio() -> float:
    """How many times VGG-11's MACs VGG-19 does."""
    return at_imagenet("VGG-19").totals.macs / at_imagenet("VGG-11").totals.macs


def fewer() -> float:
    """How many times fewer MACs ResNet-50 does than VGG-16."""
    return at_imagenet("VGG-16").totals.macs / RESNET50_MACS


def most() -> Speed:
    """Where ResNet-50 gains most."""
    return max(TABLE, key=lambda each: each.resnet50)


def least() -> Speed:
    """Where it gains least."""
    return min(TABLE, key=lambda each: each.resnet50)


def _slower_by() -> Sequence[Remark]:
    values = {
        "base": PROCESSOR.vgg11,
        "own": PROCESSOR.vgg19,
        "ratio": measured(PROCESSOR.vgg19_time, "×"),
        "macs": ratio(macs_ratio(), 1),
    }
    return (Remark("{base} / {own} pictures a second = {ratio} the time, for {macs} the MACs.", values),)


def _weights() -> Sequence[Remark]:
    sizes = {key: SINGLE * at_imagenet(name).totals.params for key, name in (("base", "VGG-11"), ("own", "VGG-19"))}
    values = {key: decimal_size(size) for key, size in sizes.items()}
    return (
        Remark(
            "In float32 the weights are {base} and {own}: {ratio}.",
            values | {"ratio": ratio(sizes["own"], sizes["base"])},
        ),
    )


def _gain(speed: Speed) -> Sequence[Remark]:
    values = {"device": speed.device, "gain": ratio(speed.resnet50, 1), "fewer": ratio(fewer(), 1)}
    return (Remark("{device}: {gain} as fast, with {fewer} fewer MACs.", values),)


SPEEDS = Task(
    key="speeds",
    title=Remark("FLOPs are not time: a public table"),
    theme=Theme.COST,
    minutes=6,
    question=Remark(
        "VGG-19 does {ratio} the MACs of VGG-11. Others have measured how many pictures a second both make, on "
        "graphics cards and on processors. Does the time grow as the MACs do?",
        {"ratio": ratio(macs_ratio(), 1)},
    ),
    start=START,
    beside=({"arch": "vgg19"},),
    bench=("speeds",),
    asks=(
        Number(
            key="time",
            text=Remark(
                "On a processor ({device}), one picture at a time: how many times VGG-11's time does VGG-19 take?",
                {"device": PROCESSOR.device},
            ),
            answer=lambda: PROCESSOR.vgg19_time,
            reason=_slower_by,
            unit="×",
            predict=True,
        ),
        Choice(
            key="why",
            text=Remark("What may be the reason, one picture at a time?"),
            options=(
                Option(
                    Remark("A processor leaves out some of the layers."),
                    Remark("None can be left out: each layer needs what the one before it gives."),
                ),
                Option(
                    Remark("The time goes into reading the weights, and VGG-19 has hardly more of them."),
                    Remark("For a single picture each weight is read once and used little: memory sets the pace."),
                ),
                Option(Remark("The kernels of VGG-19 are smaller."), Remark("They are 3×3 in both.")),
                Option(
                    Remark("The MACs are counted wrongly."),
                    Remark("They are counted exactly; but a MAC does not always take the same time."),
                ),
            ),
            answer=lambda: 1,
            figures=_weights,
            bench=("speeds", "compare"),
        ),
        Number(
            key="most",
            text=Remark(
                "ResNet-50 does {fewer} fewer MACs than VGG-16. Where it gains most, how many times as fast is it?",
                {"fewer": ratio(fewer(), 1)},
            ),
            answer=lambda: most().resnet50,
            reason=lambda: _gain(most()),
            unit="×",
        ),
        Number(
            key="least",
            text=Remark("And where it gains least?"),
            answer=lambda: least().resnet50,
            reason=lambda: _gain(least()),
            unit="×",
        ),
        Choice(
            key="so",
            text=Remark("Which of two networks is faster. What decides?"),
            options=(
                Option(Remark("The MACs alone."), Remark("The same two networks are far apart or equal, by device.")),
                Option(
                    Remark("The parameters alone."),
                    Remark("ResNet-50 has a fifth of VGG-16's, and is hardly faster on the newest cards."),
                ),
                Option(
                    Remark("The device, the number of pictures at a time, and what the layers read and write."),
                    Remark("So measure on the device that it is for: Compare does it."),
                ),
                Option(Remark("The year of the paper."), Remark("A device does not know it.")),
            ),
            answer=lambda: 2,
        ),
    ),
    hints=(
        Remark("Time is the inverse of speed: VGG-11's pictures a second divided by VGG-19's."),
        Remark("The last two columns have the quotients."),
        Remark("How much of a network must a processor read for one picture, and how much for a hundred of them?"),
    ),
    terms=("mac", "flop", "byte"),
)
