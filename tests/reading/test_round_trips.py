"""Networks that are written and read back: as PyTorch source, and damaged cells of notebooks that are read at all."""

import json
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from samples import either, examples
from strategies import networks
from test_reader import CASES, params

from vggexplorer.architectures import Network
from vggexplorer.codegen import source
from vggexplorer.errors import InputError
from vggexplorer.reading.reader import picked, read
from vggexplorer.summary import summarize


def layers(network: Network) -> list[object]:
    return [layer for _, _, layer in network.architecture.named_layers()]


@examples(400)
@given(networks())
def test_source_is_read_as_the_network_that_it_was_written_for(network: Network) -> None:
    """Its layers are the same; how they are grouped in blocks does not stand in source."""
    own = picked(read(source(*network)), None)
    assert layers(own) == layers(network)
    assert own.input_shape == network.input_shape
    assert summarize(*own).totals == summarize(*network).totals


# --- damage ----------------------------------------------------------------------------------------------

REAL = [case.text for case in CASES.values() if "\n" in case.text]
"""Cells, files and notebooks; a notebook is damaged as JSON and in its cells."""
SNIPPETS = [
    *("(", ")", "[", "]", "{", "}", ",", ":", "=", "'", '"', "\\", "\n", "    ", "\t", "#", "*", "**", "@", "\0", "，"),
    *("nn.", "nn.Conv2d", "nn.Sequential(", "vgg(vgg(", "self.", "None", "'M'", "net = ", "lambda x: x", "import os\n"),
    *("for x in range(10**9):\n", "while True:\n", "def f():\n    return f()\n", "[x for x in "),
    *("-1", "1e999", "10**9", "9" * 400),
]


def damaged(text: str, dice: Random) -> str:
    """The text with up to eight places cut out, doubled, exchanged or filled with something else."""
    for _ in range(dice.randint(1, 8)):
        place = dice.randrange(len(text) + 1)
        end = min(len(text), place + dice.choice([1, 1, 2, 5, 20, 200]))
        kind = dice.randrange(4)
        if kind == 0:
            text = text[:place] + text[end:]
        elif kind == 1:
            text = text[:place] + dice.choice(SNIPPETS) + text[place:]
        elif kind == 2:
            text = text[:place] + dice.choice(SNIPPETS) + text[end:]
        else:
            other = dice.randrange(len(text) + 1)
            text = text[:other] + text[place:end] + text[other:]
    return text


def test_damaged_text_gets_a_network_or_a_sentence(dice: Random) -> None:
    for _ in range(either(10_000, 400)):
        text = damaged(dice.choice(REAL), dice)
        with suppress(InputError):
            for network in read(text).networks.values():
                summarize(*network)


@pytest.mark.parametrize(
    "text",
    [
        "x = [1]\nfor i in range(4000):\n    x = x + x\n",
        "x = [1]\n" + "x = [x, x]\n" * 60 + "y = x == x\nz = {(x,): 1}\n",
        "for a in range(4000):\n    for b in range(4000):\n        c = a * b\n",
        "x = " + "(" * 80 + "1" + ")" * 80,
        "x = " + "1+" * 2000 + "1",
        "def f(x):\n    return f(x)\nnet = f(1)\n",
        "x = '%1000000000d' % 1",
        "x = 9**9**9**9",
        "x = 'a' * 10**9",
        "(\n" * 60_000,
        "'''\n" + "x = 1\n" * 30_000,
        "(" + "(1, 64)," * 20_000 + ")",
        "{" * 100_000,
        json.dumps({"cells": [{"cell_type": "code", "source": 7}, 8, None]}),
        '{"cells": ' + "[" * 100_000,
        "net = nn.Sequential(*[nn.Conv2d(1, 1, 3)] * 4000)",
        "".join(f"x{i} = nn.Conv2d(1, {i}, 3)\n" for i in range(6000)),
        "x = round(1, -10**9)\ny = 1",
        "x = f'{0x" + "f" * 9_000 + "}'",
        "x = str(0x" + "f" * 9_000 + ")",
        "x = {}\nfor i in range(4000):\n    x[i] = x\ny = x == x\n",
        "x = [1]\nx[0] = x\ny = torch.randn(x)\nz = x == x\n",
        "x = [nn.ReLU()]\nx.append(x)\nnet = nn.Sequential(x)",
        "net = nn.Sequential()\nnet.append(net)\n",
        "class A(nn.Module):\n    def forward(self, x):\n        return self.forward(x)\nnet = A()\n",
        "class A0(nn.Module):\n    pass\n"
        + "".join(f"class A{n + 1}(A{n}, A{n}):\n    pass\n" for n in range(200))
        + "net = A200()",
        "r = nn.ReLU()\n" + "r = nn.Sequential(r, r)\n" * 60 + "net = r",
        "def f0(x):\n    return x\n"
        + "".join(f"def f{n + 1}(x):\n    return f{n}(f{n}(x))\n" for n in range(39))
        + "net = f39(nn.ReLU())",
        "def f0(x):\n    return x\n"
        + "".join(f"def f{n + 1}(x):\n    return f{n}(f{n}(x))\n" for n in range(60))
        + "net = f60(nn.ReLU())",
        "for i in range(4000):\n    x = [1/0" + ", 1" * 20_000 + "]\n",
        "type(type(1))('x', (), {})\nnet = type('x', (), {})()",
    ],
    ids=range(31),
)
def test_what_would_take_for_ever_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        read(text)


def test_nothing_is_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"""
import os, pickle
open({str(mark)!r}, "w").write("x")
os.system("touch {mark}")
__import__("os").system("touch {mark}")
eval("open({str(mark)!r}, 'w')")
exec("open({str(mark)!r}, 'w')")
(lambda: open({str(mark)!r}, "w"))()
class A:
    open({str(mark)!r}, "w")
    def __del__(self):
        open({str(mark)!r}, "w")
pickle.loads(b"cos\\nsystem\\n(S'touch {mark}'\\ntR.")
net = vgg(conv_arch)
"""
    assert params(picked(read(text), None)) == CASES["the table"].params
    assert not mark.exists()
