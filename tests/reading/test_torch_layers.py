"""One call of `torch.nn` is one layer, exactly, or is refused where it is written."""

import inspect
import re

import pytest
from torch import nn
from written import calls

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
    ReLU,
    Sigmoid,
    SiLU,
    Tanh,
)
from vggexplorer.reading import layers
from vggexplorer.reading.arguments import NEEDED
from vggexplorer.reading.layers import FORMS, Step
from vggexplorer.reading.values import TokenError

READ: list[tuple[str, list[Layer]]] = [
    ("nn.Conv2d(3, 64, 3)", [Conv2d(64)]),
    ("nn.Conv2d(3, 64, kernel_size=(3, 3), stride=(1, 1), padding=(1, 1))", [Conv2d(64, 3, 1, 1)]),
    ("nn.Conv2d(3, 63, 5, 2, 1, 2, 3, False)", [Conv2d(63, 5, 2, 1, 2, 3, False)]),
    ("nn.Conv2d(out_channels=8, in_channels=1, kernel_size=[5], padding='same')", [Conv2d(8, 5, 1, 2)]),
    ("nn.Conv2d(1, 8, 3, dilation=2, padding='same', padding_mode='zeros')", [Conv2d(8, 3, 1, 2, 2)]),
    ("nn.Conv2d(1, 8, 4, stride=2, padding='valid', device=None)", [Conv2d(8, 4, 2)]),
    ("nn.LazyConv2d(96, kernel_size=11, stride=4, padding=1)", [Conv2d(96, 11, 4, 1)]),
    ("nn.MaxPool2d(2)", [MaxPool2d(2, 2)]),
    ("nn.MaxPool2d(3, 2, 1, 1, False, True)", [MaxPool2d(3, 2, 1, True)]),
    ("nn.MaxPool2d((3, 3), stride=(2, 2), dilation=(1, 1))", [MaxPool2d(3, 2)]),
    ("F.max_pool2d(x, 3, 2, 1, 1, True)", [MaxPool2d(3, 2, 1, True)]),
    ("F.max_pool2d(x, 2)", [MaxPool2d(2, 2)]),
    ("F.max_pool2d(F.relu(x), (2, 2))", [MaxPool2d(2, 2)]),
    ("nn.AvgPool2d(kernel_size=2, stride=2)", [AvgPool2d(2, 2)]),
    ("F.avg_pool2d(x, 3, 2, 1, True, False)", [AvgPool2d(3, 2, 1, True, False)]),
    ("nn.AdaptiveAvgPool2d(7)", [AdaptiveAvgPool2d(7)]),
    ("nn.AdaptiveAvgPool2d((6, 6))", [AdaptiveAvgPool2d(6)]),
    ("F.adaptive_avg_pool2d(x, (1,))", [AdaptiveAvgPool2d(1)]),
    ("nn.BatchNorm2d(64, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)", [BatchNorm2d()]),
    ("nn.LazyBatchNorm2d()", [BatchNorm2d()]),
    ("nn.BatchNorm1d(num_features=9)", [BatchNorm1d()]),
    ("nn.LocalResponseNorm(5)", [LocalResponseNorm(5, 1e-4, 0.75, 1.0)]),
    ("nn.LocalResponseNorm(size=5, alpha=0.0005, k=2)", [LocalResponseNorm()]),
    ("F.local_response_norm(x, 3, k=2)", [LocalResponseNorm(3, 1e-4, 0.75, 2.0)]),
    ("nn.ReLU(inplace=True)", [ReLU()]),
    ("nn.ReLU(True)", [ReLU()]),
    ("F.relu(x, inplace=True)", [ReLU()]),
    ("torch.relu(x)", [ReLU()]),
    ("nn.LeakyReLU(0.2, inplace=True)", [LeakyReLU(0.2)]),
    ("F.leaky_relu(x)", [LeakyReLU()]),
    ("nn.GELU('tanh')", [GELU("tanh")]),
    ("F.gelu(x)", [GELU()]),
    ("nn.SiLU()", [SiLU()]),
    ("torch.sigmoid(input=x)", [Sigmoid()]),
    ("F.tanh(x)", [Tanh()]),
    ("nn.Dropout()", [Dropout(0.5)]),
    ("nn.Dropout(0)", [Dropout(0.0)]),
    ("F.dropout(x, 0.3, training=self.training)", [Dropout(0.3)]),
    ("nn.Flatten()", [Flatten()]),
    ("torch.flatten(x, 1)", [Flatten()]),
    ("nn.Linear(25088, 4096)", [Linear(4096)]),
    ("nn.LazyLinear(10, bias=False)", [Linear(10, False)]),
    ("nn.Identity(54, unused=True)", []),
]


@pytest.mark.parametrize(("text", "found"), READ, ids=[text for text, _ in READ])
def test_a_call_is_a_layer(text: str, found: list[Layer]) -> None:
    assert [step.layer for call in calls(text) for step in layers.read(call)] == found


def test_the_widths_that_are_said_are_kept_with_their_places() -> None:
    (call,) = calls("nn.Linear(in_features=25088, out_features=10)")
    assert layers.read(call) == [Step(Linear(10), call.token, 25088, call.at("in_features"))]
    (lazy,) = calls("nn.LazyLinear(10)")
    assert layers.read(lazy) == [Step(Linear(10), lazy.token)]


@pytest.mark.parametrize("name", [name for name in FORMS if re.fullmatch(r"torch\.nn\.\w+", name)])
def test_the_signatures_are_pytorchs(name: str) -> None:
    theirs = list(inspect.signature(getattr(nn, name.rpartition(".")[2])).parameters.values())
    defaults = {
        each.name: NEEDED if each.default is each.empty else each.default
        for each in theirs
        if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    }
    ours = FORMS[name].signature
    assert [each for each in ours.items() if each[0] in defaults] == list(defaults.items())
    assert ours.keys() - defaults.keys() <= {"bias"}, "batch normalisation has it since PyTorch 2.14"


KNOWN_ONES = "Conv2d, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, BatchNorm2d, BatchNorm1d, LocalResponseNorm, ReLU"
REFUSED = [
    ("nn.Conv2d(3, 64, (3, 5))", "(3, 5)", "kernel_size must be the same for height and width, not [3, 5]."),
    ("nn.Conv2d(3, 64, kernel_size=(3, 3), padding=(1, 2))", "(1, 2)", "padding must be the same for height and width"),
    ("nn.AdaptiveAvgPool2d((None, 7))", "(None, 7)", "output_size must be the same for height and width"),
    (
        "nn.Conv2d(3, 64, 3, padding_mode='reflect')",
        "'reflect'",
        "padding_mode can only be “zeros” here, not “reflect”.",
    ),
    ("nn.Conv2d(3, 64, 3, 1, 1, 1, 1, True, 'circular')", "'circular'", "padding_mode can only be “zeros” here"),
    ("nn.Conv2d(3, 64, 4, padding='same')", "'same'", "the padding “same” can only be said for a stride of 1"),
    ("nn.Conv2d(3, 64, 3, 2, 'same')", "'same'", "the padding “same” can only be said for a stride of 1"),
    ("nn.Conv2d(3, 64, 3, padding='full')", "'full'", "padding can only be “same”, “valid” here, not “full”."),
    ("nn.Conv2d(3, 64)", "nn.Conv2d(3, 64)", "“Conv2d” needs kernel_size."),
    ("nn.Conv2d(3, 64, 3, kernel=3)", "3", "“Conv2d” has no argument “kernel”; there are in_channels, out_channels"),
    ("nn.Conv2d(3, 64, 3, out_channels=64)", "64", "out_channels is given twice."),
    ("nn.ReLU(True, False)", "False", "at most 1 argument can be given to “ReLU”."),
    ("nn.Sigmoid(1)", "1", "at most 0 arguments can be given to “Sigmoid”."),
    ("nn.Conv2d(3, 64, 0)", "0", "the kernel size must be from 1 to 8,192, not 0."),
    ("nn.Conv2d(3, 64, '3')", "'3'", "the kernel size must be a whole number, not “3”."),
    ("nn.Conv2d(3, 64.0, 3)", "64.0", "the number of output channels must be a whole number, not 64.0."),
    ("nn.Conv2d(3, None, 3)", "None", "the number of output channels must be a whole number, not None."),
    ("nn.Conv2d(3, True, 3)", "True", "the number of output channels must be a whole number, not True."),
    ("nn.Conv2d('3', 64, 3)", "'3'", "in_channels must be a whole number, not “3”."),
    ("nn.Conv2d(0, 64, 3)", "0", "in_channels must be from 1 to 1,000,000,000,000, not 0."),
    ("nn.Conv2d(channels, 64, 3)", "channels", "it is not known from the text which value in_channels has."),
    ("nn.Conv2d(3, 64, k(3))", "k(3)", "it is not known from the text which value kernel_size has."),
    ("nn.Conv2d(3, 64, [[3], 3])", "[[3], 3]", "it is not known from the text which value kernel_size has."),
    ("nn.Conv2d(3, 64, 3, bias=0)", "0", "bias must be True or False, not 0."),
    (
        "nn.Conv2d(3, 64, 3, groups=3)",
        "nn.Conv2d(3, 64, 3, groups=3)",
        "64 output channels cannot be shared by 3 groups.",
    ),
    ("nn.MaxPool2d(2, dilation=2)", "2", "dilation can only be 1 here, not 2."),
    ("nn.MaxPool2d(2, return_indices=True)", "True", "return_indices can only be False here, not True."),
    ("nn.MaxPool2d(2, padding=2)", "nn.MaxPool2d(2, padding=2)", "the padding of a pool may be half of its window"),
    ("nn.MaxPool2d(2, padding='same')", "'same'", "the padding must be a whole number, not “same”."),
    ("nn.AvgPool2d(2, divisor_override=3)", "3", "divisor_override can only be None here, not 3."),
    ("nn.BatchNorm2d(64, affine=False)", "False", "affine can only be True here, not False."),
    ("nn.BatchNorm2d(64, 0.001)", "0.001", "eps can only be 1e-05 here, not 0.001."),
    ("nn.BatchNorm2d(64, track_running_stats=False)", "False", "track_running_stats can only be True here"),
    ("nn.Dropout(p=1)", "1", "dropout must be a probability from 0 to below 1, not 1.0."),
    ("nn.Dropout(p='half')", "'half'", "dropout must be a probability from 0 to below 1, not “half”."),
    (f"nn.LeakyReLU({10**400})", f"{10**400}", "negative_slope must be a number from 0 to below 1"),
    ("nn.GELU('erf')", "nn.GELU('erf')", "GELU can be approximated by tanh, or not at all (none)."),
    ("F.dropout(x, 0.5, False)", "False", "training can only be True here, not False."),
    ("torch.flatten(x)", "torch.flatten(x)", "start_dim can only be 1 here, not 0."),
    ("nn.Flatten(end_dim=2)", "2", "end_dim can only be -1 here, not 2."),
    (
        "nn.Conv3d(3, 64, 3)",
        "nn.Conv3d(3, 64, 3)",
        f"“torch.nn.Conv3d” is not one of the layers that can be said here: {KNOWN_ONES}",
    ),
    *(
        (f"nn.{name}()", f"nn.{name}()", f"“torch.nn.{name}” is not one of the layers that can be said here")
        for name in ("ConvTranspose2d", "MultiheadAttention", "Dropout2d", "ReLU6", "AdaptiveMaxPool2d", "LayerNorm")
    ),
]


@pytest.mark.parametrize(("text", "token", "sentence"), REFUSED, ids=[text[:60] for text, *_ in REFUSED])
def test_what_cannot_be_said_is_refused_where_it_is_written(text: str, token: str, sentence: str) -> None:
    with pytest.raises(TokenError) as caught:
        layers.read(calls(text)[0])
    assert caught.value.token == (1, text.rindex(token) + 1, token)
    assert str(caught.value.values["reason"]).startswith(sentence)
