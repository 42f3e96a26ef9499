"""How Python is followed: what its own rules make of a text, and what is refused because nobody can know it.

The widths of the layers with weights are what PyTorch gives for each of these texts.
"""

import pytest

from vggexplorer.errors import InputError
from vggexplorer.reading.reader import picked, read
from vggexplorer.reading.values import Reading
from vggexplorer.summary import summarize

START = "import os\nlayers = []\n"
END = "\nnet = nn.Sequential(*layers, nn.Flatten(), nn.LazyLinear(10))\n"
NET = """
class Net(nn.Module):
    {more}
    def __init__(self, width=4):
        super().__init__()
        {init}
        self.fc = nn.LazyLinear(10)

    def forward(self, x):
        return self.fc(torch.flatten(self.conv(x), 1))
"""


def net(init: str, more: str = "", made: str = "net = Net()\n") -> str:
    """A class with these lines in its `__init__` and before it, and what is made of it."""
    lines = init.splitlines()
    return NET.format(init="\n        ".join(lines), more="\n    ".join(more.splitlines())) + made


def widths(reading: Reading) -> list[int]:
    """The channels and features that the layers with weights give."""
    rows = summarize(*picked(reading, None)).rows
    return [row.output_shape[0] for row in rows if str(row.kind) in ("Conv2d", "Linear")]


FOLLOWED = {
    "a global name": (
        "c = 1\ndef change():\n    global c\n    c = 8\nchange()\nlayers = [nn.LazyConv2d(c, 3)]" + END,
        [8, 10],
    ),
    "a name of the function around": (
        "def build():\n    c = 4\n    def conv():\n        nonlocal c\n        c *= 2\n"
        "        return nn.LazyConv2d(c, 3)\n    return [conv(), conv()]\nlayers = build()" + END,
        [8, 16, 10],
    ),
    "a default is worked out once": (
        "w = 8\ndef conv(out=w):\n    return nn.LazyConv2d(out, 3)\nw = 16\nlayers = [conv()]" + END,
        [8, 10],
    ),
    "a default that is changed": (
        "def build(made=[]):\n    made.append(nn.LazyConv2d(8, 3))\n    return made\nbuild()\nlayers = build()" + END,
        [8, 8, 10],
    ),
    "a default of a lambda": (
        "layers = [f() for f in [lambda i=i: nn.LazyConv2d(i, 3) for i in (4, 8)]]" + END,
        [4, 8, 10],
    ),
    "an item that is deleted": ("layers = [nn.LazyConv2d(c, 3) for c in (4, 8)]\ndel layers[0]" + END, [8, 10]),
    "a list that is cleared": (
        "layers = [nn.LazyConv2d(4, 3)]\nlayers.clear()\nlayers += [nn.LazyConv2d(8, 3)]" + END,
        [8, 10],
    ),
    "a loop with an else": (
        START
        + "for c in (4, 8):\n    layers.append(nn.LazyConv2d(c, 3))\nelse:\n    layers.append(nn.LazyConv2d(2, 3))"
        + END,
        [4, 8, 2, 10],
    ),
    "a list that grows in its loop": (
        "widths = [4]\nfor c in widths:\n    if len(widths) < 3:\n        widths.append(2 * c)\n"
        "layers = [nn.LazyConv2d(c, 3) for c in widths]" + END,
        [4, 8, 16, 10],
    ),
    "what is left over": ("first, *rest = 4, 8, 16\nlayers = [nn.LazyConv2d(c, 3) for c in rest]" + END, [8, 16, 10]),
    "a name in an expression": ("layers = [nn.LazyConv2d(c := 4, 3), nn.LazyConv2d(2 * c, 3)]" + END, [4, 8, 10]),
    "texts and numbers in one list": (
        START + "for v in [8, 'M', 16]:\n    if type(v) == str:\n        layers.append(nn.MaxPool2d(2))\n"
        "    elif isinstance(v, int):\n        layers.append(nn.LazyConv2d(v, 3))" + END,
        [8, 16, 10],
    ),
    "a list that is changed after its use": (
        "layers = [nn.LazyConv2d(4, 3)]\nbody = nn.Sequential(*layers)\nlayers.append(nn.Linear(1, 1))\n"
        "net = nn.Sequential(body, nn.Flatten(), nn.LazyLinear(10))",
        [4, 10],
    ),
    "a dictionary that is changed after its use": (
        "from collections import OrderedDict\nd = OrderedDict(c=nn.LazyConv2d(4, 3), f=nn.Flatten())\n"
        "net = nn.Sequential(d)\nd['fc'] = nn.LazyLinear(10)\nnet.append(nn.LazyLinear(5))",
        [4, 5],
    ),
    "modules by their names": (
        "net = nn.Sequential()\nfor i, c in enumerate((4, 8)):\n    net.add_module(f'conv{i}', nn.LazyConv2d(c, 3))\n"
        "    net.add_module('relu%d' % i, nn.ReLU())\n    net.add_module('pool{}'.format(i), nn.MaxPool2d(2))\n"
        "net.add_module('flatten', nn.Flatten())\nnet.add_module('fc', nn.LazyLinear(10))\n",
        [4, 8, 10],
    ),
    "a module that takes the place of another": (
        "layers = [nn.LazyConv2d(4, 3)]" + END + "net.add_module('0', nn.LazyConv2d(8, 3))\nnet[-1] = nn.LazyLinear(5)",
        [8, 5],
    ),
    "a module that is deleted": ("layers = [nn.LazyConv2d(c, 3) for c in (4, 8)]" + END + "del net[1]", [4, 10]),
    "a part of a Sequential": (
        "body = nn.Sequential(*[nn.LazyConv2d(c, 3) for c in (4, 8, 16)])\nlayers = [body[:2]]" + END,
        [4, 8, 10],
    ),
    "setattr": (net("setattr(self, 'conv', nn.LazyConv2d(8, 3))"), [8, 10]),
    "getattr": (
        net("for i in (4, 8):\n    setattr(self, f'c{i}', nn.LazyConv2d(i, 3))\nself.conv = getattr(self, 'c8')"),
        [8, 10],
    ),
    "a property": (
        net(
            "self._w = 4\nself.conv = nn.LazyConv2d(8 if self.wide else 4, 3)",
            "@property\ndef wide(self):\n    return self._w > 4",
        ),
        [4, 10],
    ),
    "a static method": (
        net(
            "self.conv = self.block(4)",
            "@staticmethod\ndef block(c):\n    return nn.Sequential(nn.LazyConv2d(c, 3), nn.ReLU())",
        ),
        [4, 10],
    ),
    "a class method": (
        net(
            "self.conv = nn.LazyConv2d(width, 3)",
            "@classmethod\ndef wide(cls):\n    return cls(16)",
            "net = Net.wide()",
        ),
        [16, 10],
    ),
    "an attribute of the class": (
        net("self.conv = nn.Sequential(*[nn.LazyConv2d(c, 3) for c in Net.WIDTHS])", "WIDTHS = 4, 8"),
        [4, 8, 10],
    ),
    "a decorator of the text": (
        "def twice(f):\n    return lambda c: [f(c), f(c)]\n@twice\ndef conv(c):\n    return nn.LazyConv2d(c, 3)\n"
        "layers = conv(4)" + END,
        [4, 4, 10],
    ),
    "bases in Python's order": (
        "class A(nn.Module):\n    w = 4\nclass B(A):\n    pass\nclass C(A):\n    w = 8\n"
        + net("self.conv = nn.LazyConv2d(self.w, 3)").replace("(nn.Module)", "(B, C)", 1),
        [8, 10],
    ),
    "a layer or none": (
        net(
            "norm, act = nn.BatchNorm2d, None\nlayers = [nn.LazyConv2d(4, 3)]\nif norm is not None:\n"
            "    layers.append(norm(4))\nact = act or nn.ReLU\nlayers.append(act())\nself.conv = nn.Sequential(*layers)"
        ),
        [4, 10],
    ),
    "a Sequential of one's own": (
        "class Net(nn.Sequential):\n    def __init__(self):\n        super().__init__(nn.LazyConv2d(4, 3))\n"
        "        self.conv = nn.LazyConv2d(8, 3)\n        self.add_module('flatten', nn.Flatten())\n"
        "        self.append(nn.LazyLinear(10))\nnet = Net()",
        [4, 8, 10],
    ),
    "the optimiser of a part": (
        net("self.conv = nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU())")
        + "optimizer = torch.optim.SGD(net.conv.parameters(), lr=0.1)\n"
        "for p in net.conv.parameters():\n    p.requires_grad = False\n",
        [4, 10],
    ),
    "a loss of one's own": (
        net("self.conv = nn.LazyConv2d(4, 3)")
        + "class Loss(nn.Module):\n    def forward(self, x, y):\n        return F.cross_entropy(x, y)\nloss = Loss()\n",
        [4, 10],
    ),
    "a network that main makes": (
        net("self.conv = nn.LazyConv2d(width, 3)", made="")
        + "def main():\n    model = Net(16).to(device)\nif __name__ == '__main__':\n    main()\n",
        [16, 10],
    ),
    "a network that main would make": (
        net("self.conv = nn.LazyConv2d(width, 3)", made="") + "def main():\n    model = Net(16).to(device)\n",
        [16, 10],
    ),
    "a training loop that may end early": (
        net("self.conv = nn.LazyConv2d(4, 3)")
        + "def train(epoch):\n    net.train()\nfor epoch in range(os.cpu_count()):\n    loss = train(epoch)\n"
        "    if loss < 1:\n        break\n",
        [4, 10],
    ),
    "lists and data that a training loop changes": (
        net("self.conv = nn.LazyConv2d(4, 3)")
        + "losses, X = [], torch.randn(1, 1, 28, 28)\nfor X, y in loader:\n    losses.append(net(X))\n",
        [4, 10],
    ),
    "a network on several devices": (
        net("self.conv = nn.LazyConv2d(4, 3)")
        + "if torch.cuda.device_count() > 1:\n    net = nn.DataParallel(net)\n    net = net.to(device)\n",
        [4, 10],
    ),
    "a network and what is not one": (
        net("self.conv = nn.LazyConv2d(width, 3)", made="net, loss = Net(8), nn.CrossEntropyLoss()\n"),
        [8, 10],
    ),
    "a part that is replaced": (
        net("self.conv = nn.LazyConv2d(4, 3)") + "net.fc = nn.Sequential(nn.LazyLinear(6), nn.ReLU(), nn.Linear(6, 5))",
        [4, 6, 5],
    ),
    "features that a first pass counts": (
        net("self.conv = nn.LazyConv2d(4, 3)\nn = self.conv(torch.zeros(1, 1, 9, 9)).numel()").replace(
            "nn.LazyLinear(10)", "nn.Linear(int(n), 10)"
        ),
        [4, 10],
    ),
    "what is on the way": (
        net("self.conv = nn.LazyConv2d(4, 3)").replace(
            "return self.fc(torch.flatten(self.conv(x), 1))",
            "y = self.conv(x).flatten(1)\n        return self.fc(y), y",
        ),
        [4, 10],
    ),
    "a call in Keras' words": (
        net("self.conv = nn.LazyConv2d(4, 3)").replace("forward", "__call__"),
        [4, 10],
    ),
    "the features of the first tutorial": (
        net(
            "self.conv = nn.LazyConv2d(4, 3)",
            "def features(self, x):\n    n = 1\n    for s in x.size()[1:]:\n        n *= s\n    return n",
        ).replace("torch.flatten(self.conv(x), 1)", "F.relu(self.conv(x)).view(-1, self.features(self.conv(x)))"),
        [4, 10],
    ),
    "a mean over height and width": (
        net("self.conv = nn.LazyConv2d(4, 3)").replace(
            "torch.flatten(self.conv(x), 1)", "self.conv(x).mean(dim=(2, 3))"
        ),
        [4, 10],
    ),
    "a flattening with its keyword": (
        net("self.conv = nn.LazyConv2d(4, 3)").replace(
            "torch.flatten(self.conv(x), 1)", "self.conv(x).flatten(start_dim=1)"
        ),
        [4, 10],
    ),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_text_is_followed_by_the_rules_of_python(name: str) -> None:
    text, expected = FOLLOWED[name]
    assert widths(read(text)) == expected


CONV = "layers.append(nn.LazyConv2d(c, 3))\n"
REFUSED = {
    "a loop that may be left": START
    + "for c in (4, 8):\n    "
    + CONV
    + "    if os.path.exists('x'):\n        break"
    + END,
    "a loop that may go on": START
    + "for c in (4, 8):\n    if os.path.exists('x'):\n        continue\n    "
    + CONV
    + END,
    "the type of what is unknown": START + "c = 4 if isinstance(os.cpu_count(), int) else 8\n" + CONV + END,
    "a comparison with what is unknown": START + "c = 4 if os.environ.get('x') == '1' else 8\n" + CONV + END,
    "whether something is there": START + "c = 4 if os.environ.get('x') is None else 8\n" + CONV + END,
    "a list that is perhaps changed": START
    + "other = layers\nif os.path.exists('x'):\n    other.append(nn.ReLU())"
    + END,
    "a list that a function perhaps changes": (
        START + "def more(items):\n    items.append(nn.ReLU())\nif os.path.exists('x'):\n    more(layers)" + END
    ),
    "an object that a method perhaps changes": net(
        "self.conv = nn.LazyConv2d(4, 3)\nif os.path.exists('x'):\n    self.widen()",
        "def widen(self):\n    self.conv = nn.LazyConv2d(8, 3)",
    ),
    "a list that is sorted": "layers = [nn.ReLU()]\nlayers.sort(key=id)" + END,
    "an error that is caught": START
    + "try:\n    c = 4\n    raise ValueError\nexcept ValueError:\n    c = 8\n"
    + CONV
    + END,
    "a function that ends in an error": (
        START + "def width(n):\n    if n:\n        raise ValueError\n    return 4\nc = 8\nc = width(1)\n" + CONV + END
    ),
    "keys that nobody knows": (
        "from collections import OrderedDict\nd = OrderedDict()\nfor i in range(2):\n"
        "    d[f'{os.getpid()}'] = nn.LazyConv2d(4, 3)\nlayers = d.values()" + END
    ),
    "modules that are perhaps replaced": (
        "layers = [nn.LazyConv2d(4, 3)]"
        + END
        + "for name, m in net.named_children():\n    setattr(net, name, nn.ReLU())"
    ),
    "weights that two layers share": net(
        "self.conv = nn.LazyConv2d(4, 3)\nself.other = nn.LazyConv2d(4, 3)\nself.conv.weight = self.other.weight"
    ),
    "an argument that nobody knows": net(
        "self.conv = nn.LazyConv2d(width, 3)", made="net = Net(os.cpu_count()).cuda()"
    ),
    "one of two networks": net(
        "self.conv = nn.LazyConv2d(width, 3)", made="if os.path.exists('x'):\n    net = Net(4)\nelse:\n    net = Net(8)"
    ),
    "one of two networks of functions": net(
        "self.conv = nn.LazyConv2d(width, 3)",
        made="def a():\n    return Net(4)\ndef b():\n    return Net(8)\n"
        "if os.path.exists('x'):\n    net = a()\nelse:\n    net = b()",
    ),
    "a network that main makes of what nobody knows": net(
        "self.conv = nn.LazyConv2d(width, 3)", made="def main():\n    net = Net(os.cpu_count())\n"
    ),
    "a table that is perhaps another": (
        "conv_arch = ((1, 64), (1, 128))\nif os.path.exists('x'):\n    conv_arch = ((2, 64),)\n"
    ),
    "a list that is perhaps longer": "cfg = [64, 'M']\nif os.path.exists('x'):\n    cfg.append(128)\n",
    "two ends": net("self.conv = nn.LazyConv2d(4, 3)\nself.other = nn.LazyLinear(5)").replace(
        "return self.fc(torch.flatten(self.conv(x), 1))",
        "y = self.conv(x).flatten(1)\n        return self.fc(y), self.other(y)",
    ),
    "a view of other features": net("self.conv = nn.LazyConv2d(4, 3)").replace(
        "torch.flatten(self.conv(x), 1)", "self.conv(x).view(-1, 5)"
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_nobody_can_know_is_refused(name: str) -> None:
    with pytest.raises(InputError):
        read(REFUSED[name])


def test_what_a_network_has_but_does_not_use_is_said() -> None:
    text = net("self.conv = nn.LazyConv2d(4, 3)\nself.other = nn.Sequential(nn.Linear(5, 5), nn.ReLU())")
    said = [str(remark) for remark in read(text).left_out]
    assert "The network has what it does not use; that was left out of all counts: other.0." in said


def test_what_is_too_much_to_follow_is_refused() -> None:
    doubled = "x = nn.Sequential(nn.ReLU())\nfor _ in range(30):\n    x = nn.Sequential(x, x)\n"
    with pytest.raises(InputError, match="too many steps"):
        read(f"{doubled}net = nn.Sequential(nn.Flatten(), x)")
