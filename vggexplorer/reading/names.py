"""Networks that a text names instead of writing them out: torchvision's, Keras', and those of the book."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from vggexplorer.architectures import CONV_ARCHS, MAX_CHANNELS, NETWORKS, Architecture, Head, Network, blocks, check_int
from vggexplorer.errors import InputError
from vggexplorer.reading.lists import is_table
from vggexplorer.reading.values import Call, TokenError, refused
from vggexplorer.summary import summarize

_IMAGENET = (3, 224, 224)
_VGGS = {f"vgg{depth}": f"VGG-{depth}" for depth in (11, 13, 16, 19)}
_IN_THE_BOOK = {"AlexNet": "AlexNet", "LeNet": "LeNet", "NiN": "NiN"}


def _of_torchvision() -> dict[str, Network]:
    """torchvision/models/vgg.py and alexnet.py: pooling to 7 x 7 whatever comes in, 1000 classes of ImageNet."""
    found = {"alexnet": NETWORKS["AlexNet (torchvision)"]}
    for name, title in _VGGS.items():
        plain = Architecture(blocks(CONV_ARCHS[title]), Head("adaptive"), 1000)
        found |= {name: Network(plain, _IMAGENET), f"{name}_bn": Network(replace(plain, batch_norm=True), _IMAGENET)}
    return found


def _of_keras() -> dict[str, Network]:
    """keras.applications: no dropout, and the first linear layer follows the input."""
    head = Head(dropout=0)
    return {
        title.replace("-", ""): Network(Architecture(blocks(CONV_ARCHS[title]), head, 1000), _IMAGENET)
        for title in ("VGG-16", "VGG-19")
    }


PARTS = ("features", "avgpool", "classifier")
"""The parts of torchvision's networks."""
OPENED = "torchvision.models.Sequential"
"""The name of a network of torchvision that was taken apart."""
_IGNORED = ("weights", "pretrained", "progress", "init_weights", "lr", "name")
"""Arguments that change nothing of what a network is."""


def network(call: Call) -> Network | None:
    """The network that a call names; None if it is none of those."""
    module, _, name = call.name.rpartition(".")
    if module in ("torchvision.models", "torchvision.models.vgg", "torchvision.models.alexnet"):
        return _named(call, name, _of_torchvision(), "num_classes")
    if module.endswith("keras.applications") or ".keras.applications." in f".{module}.":
        return _named(call, name, _of_keras(), "classes")
    if module in ("", "d2l", "d2l.torch"):
        return _of_the_book(call, name)
    return None


def parts(call: Call) -> dict[str, Call] | None:
    """The parts of a network of torchvision by their names, and its flattening; None if it is none."""
    if not call.name.startswith("torchvision.models.") or not (made := network(call)):
        return None
    found: dict[str, Any] = {}
    for row in summarize(*made).rows:
        part, _, place = row.name.partition(".")
        layer = Call(f"torch.nn.{row.kind}", [], row.layer.torch_arguments(row.input_shape), call.token)
        if place:
            found.setdefault(part, Call("torch.nn.Sequential", [{}], {}, call.token)).args[0][place] = layer
        else:
            found[part] = layer
    return found


def _named(call: Call, name: str, networks: Mapping[str, Network], classes: str) -> Network:
    if name not in networks:
        raise refused(
            call.token,
            "{name} is not a chain that is known here; there are {names}.",
            name=name,
            names=", ".join(networks),
        )
    if len(call.args) > (classes == "num_classes"):  # of old, torchvision's first was whether it is trained
        raise refused(call.at(len(call.args) - 1), "only arguments with their names can be read here.")
    return _with(call, networks[name], {classes: _classes, "dropout": _dropout, "input_shape": _channels_last})


def _of_the_book(call: Call, name: str) -> Network | None:
    """What the book's cells define: `vgg(conv_arch)`, `VGG(arch=…)`, `AlexNet()`."""
    if name in _IN_THE_BOOK and not call.args:
        return _with(call, NETWORKS[_IN_THE_BOOK[name]], {"num_classes": _classes})
    if name not in ("vgg", "VGG"):
        return None
    table = call.args[0] if call.args else call.kwargs.get("arch", call.kwargs.get("conv_arch"))
    if table is None or not is_table(table):
        raise refused(call.at(0), "this is not a table like ((1, 64), (1, 128), (2, 256)).")
    if len(call.args) > 1:
        raise refused(call.at(1), "only arguments with their names can be read here.")
    try:
        made = Network(Architecture(blocks(table)))
    except InputError as error:
        raise TokenError(call.at(0), error) from error
    return _with(call, made, {"num_classes": _classes, "arch": _as_it_is, "conv_arch": _as_it_is})


Change = Callable[[Network, Any], Network]


def _with(call: Call, made: Network, changes: Mapping[str, Change]) -> Network:
    """The network with what the keyword arguments ask for."""
    for name, value in call.kwargs.items():
        if name in changes:
            try:
                made = changes[name](made, value)
            except InputError as error:
                raise TokenError(call.at(name), error) from error
        elif name not in _IGNORED:
            raise refused(call.at(name), "the argument {name} cannot be read here.", name=name)
    return made


def _classes(made: Network, value: Any) -> Network:
    check_int(value, "the number of classes", 1, MAX_CHANNELS)
    return made._replace(architecture=replace(made.architecture, num_classes=value))


def _dropout(made: Network, value: Any) -> Network:
    return made._replace(architecture=made.architecture.with_dropout(value))


def _channels_last(made: Network, value: Any) -> Network:
    """Keras' order."""
    if not (isinstance(value, tuple) and len(value) == 3 and all(isinstance(side, int) for side in value)):
        raise InputError("this is not a shape of height, width and channels.")
    height, width, channels = value
    return made._replace(input_shape=(channels, height, width))


def _as_it_is(made: Network, value: Any) -> Network:
    return made
