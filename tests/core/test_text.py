"""Text <-> value: every accepted spelling, every refusal's sentence, and round trips."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from samples import examples
from strategies import blocks as random_blocks
from strategies import edited_networks, networks

from vggexplorer.architectures import NETWORKS, Architecture, Block, ChannelsLastError, Head, Network, blocks
from vggexplorer.errors import InputError
from vggexplorer.notation import format_items
from vggexplorer.text import (
    KEYS,
    MAX_BLOCKS,
    MAX_TEXT,
    checked,
    format_network,
    format_tuple,
    parse_arch,
    parse_items,
    parse_network,
    parse_ratio,
    slug,
    title,
)

VGG_11 = NETWORKS["VGG-11"].architecture.blocks
TWO = blocks(((1, 64), (2, 128)))


# --- accepted spellings ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))",
        "((1,64),(1,128),(2,256),(2,512),(2,512))",
        "[[1, 64], [1, 128], [2, 256], [2, 512], [2, 512]]",
        "[(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)]",
        "(1, 64), (1, 128), (2, 256), (2, 512), (2, 512)",
        "   ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))  \n",
        "（（１，６４），（１，１２８），（２，２５６），（２，５１２），（２，５１２））",
        "1x64,1x128,2x256,2x512,2x512",
        "1x64 1x128 2x256 2x512 2x512",
        "1x64, 1x128,\n2x256\t2x512, 2x512,",
        "1X64,1×128,2*256,2x512,2x512",
        "１ｘ６４，１ｘ１２８，２ｘ２５６，２ｘ５１２，２ｘ５１２",
        "1x64:k3:s1:p1:pool2s2,1x128,2x256,2x512,2x512",
        "vgg11",
        "VGG-11",
        "vgg_11",
        "VGG 11",
        " Vgg11\n",
        "ｖｇｇ１１",
    ],
)
def test_spellings_of_vgg_11(text: str) -> None:
    assert parse_arch(text).architecture.blocks == VGG_11


@pytest.mark.parametrize(
    ("text", "block"),
    [
        ("2x256", Block(2, 256)),
        ("1x96:k11:s4:p1:pool3s2", Block(1, 96, kernel_size=11, stride=4, padding=1, pool=(3, 2))),
        ("1x96:pool3s2:p1:s4:k11", Block(1, 96, kernel_size=11, stride=4, padding=1, pool=(3, 2))),
        ("1x256:k5:pool3s2", Block(1, 256, kernel_size=5, padding=2, pool=(3, 2))),
        ("2x384:nopool", Block(2, 384, pool=None)),
        ("1x64:lrn", Block(1, 64, lrn=True)),
        ("1x16:k5:p0:avgpool2s2", Block(1, 16, kernel_size=5, padding=0, pool_type="avg")),
        ("1x256:k1:nopool:lrn", Block(1, 256, kernel_size=1, pool=None, lrn=True)),
        ("(2, 256)", Block(2, 256)),
    ],
)
def test_block_text(text: str, block: Block) -> None:
    assert parse_items(text) == (block,)


@pytest.mark.parametrize("name", NETWORKS)
def test_names_are_read_back(name: str) -> None:
    for text in (name, slug(name), name.upper(), name.lower().replace("-", "_"), f"  {slug(name)} "):
        assert parse_arch(text) == NETWORKS[name]


def test_channels_at_the_end_are_not_taken_for_a_width() -> None:
    with pytest.raises(ChannelsLastError, match="channels first: 3x224x192") as caught:
        parse_network({"arch": "vgg11", "input": "224x192x3"})
    assert caught.value.shape == (3, 224, 192)
    for shape in ("15x15x3", "224x3x224", "512x7x7", "64x16x5"):
        assert parse_network({"arch": "1x8:k1:nopool", "input": shape})


def test_slugs() -> None:
    slugs = (
        "alexnet vgg11 vgg11-slim vgg11-160 vgg11-lrn vgg13 vgg16-c vgg16 vgg19 alexnet-tv lenet "
        "nin alexnet-2012 zfnet vgg16-cifar vgg19-cifar"
    )
    assert " ".join(map(slug, NETWORKS)) == slugs


@pytest.mark.parametrize(
    ("key", "text", "part"),
    [
        ("input", "3x32x64", {"input_shape": (3, 32, 64)}),
        ("input", "１×２２４×９６", {"input_shape": (1, 224, 96)}),
        ("input", "1*96*96", {"input_shape": (1, 96, 96)}),
        ("input", "1 x 96 x 96", {"input_shape": (1, 96, 96)}),
        ("classes", "1000", {"num_classes": 1000}),
        ("head", "gap", {"pooling": "gap"}),
        ("head", "GAP", {"pooling": "gap"}),
        ("head", "adaptive", {"pooling": "adaptive", "size": 7}),
        ("head", "adaptive:6", {"pooling": "adaptive", "size": 6}),
        ("hidden", "1024,128", {"hidden": (1024, 128)}),
        ("hidden", "(1024, 128)", {"hidden": (1024, 128)}),
        ("hidden", "1024 128", {"hidden": (1024, 128)}),
        ("hidden", "none", {"hidden": ()}),
        ("hidden", "()", {"hidden": ()}),
        ("hidden", "", {"hidden": ()}),
        ("hidden", "  ", {"hidden": ()}),
        ("dropout", "0", {"dropout": 0.0}),
        ("dropout", ".25", {"dropout": 0.25}),
        ("dropout", "0.00001", {"dropout": 1e-05}),
        ("dropout", "1e-05", {"dropout": 1e-05}),
        ("dropout", "0.5:first", {"dropout": 0.5, "dropout_first": True}),
        ("bn", "1", {"batch_norm": True}),
        ("bn", "0", {"batch_norm": False}),
        ("act", "sigmoid", {"activation": "sigmoid"}),
        ("act", "gelu", {"activation": "gelu"}),
    ],
)
def test_each_key(key: str, text: str, part: dict[str, Any]) -> None:
    network = parse_network({"arch": "vgg11", key: text})
    for name, value in part.items():
        holder = next(
            value for value in (network, network.architecture, network.architecture.head) if hasattr(value, name)
        )
        assert getattr(holder, name) == value


def test_a_key_left_out_is_the_named_networks_own() -> None:
    assert parse_network({"arch": "alexnet-tv"}) == NETWORKS["AlexNet (torchvision)"]
    network = parse_network({"arch": "lenet", "classes": "5"})
    assert network == NETWORKS["LeNet"]._replace(
        architecture=replace(NETWORKS["LeNet"].architecture, num_classes=5),
    )
    assert parse_network({"arch": "1x64,2x128"}) == Network(Architecture(TWO), (1, 224, 224))
    assert parse_network({"input": "1x96x96"}, NETWORKS["VGG-13"]) == NETWORKS["VGG-13"]._replace(
        input_shape=(1, 96, 96)
    )
    assert parse_network({"arch": "vgg16", "utm_source": "x"}) == NETWORKS["VGG-16"]


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("0.25", Fraction(1, 4)),
        ("1/4", Fraction(1, 4)),
        (".5", Fraction(1, 2)),
        ("2", Fraction(2)),
        ("１／３", Fraction(1, 3)),
        (" 0.1 ", Fraction(1, 10)),
    ],
)
def test_ratios_are_exact(text: str, ratio: Fraction) -> None:
    assert parse_ratio(text) == ratio


# --- refusals ----------------------------------------------------------------------------------------

PAIR = "is not a pair (number of convolutions, output channels)."
TABLE = "is not a table like ((1, 64), (1, 128), (2, 256))."
BLOCK = "is neither a block, as in 2x256 or 1x96:k11:s4:p1:pool3s2, nor a layer, as in conv64:p1 or pool2s2."
CONVOLUTIONS = "the number of convolutions must be"
CHANNELS = "the number of output channels must be"
REFUSED = {
    "": "An architecture needs at least one block of convolutions.",
    "()": "An architecture needs at least one block of convolutions.",
    "abc": "There is no network “abc”; there are alexnet, vgg11, vgg11-slim, vgg11-160, vgg11-lrn, vgg13,"
    " vgg16-c, vgg16, vgg19, alexnet-tv, lenet, nin, alexnet-2012, zfnet, vgg16-cifar, vgg19-cifar.",
    "((1, 64), (1, 1000000000))": f"Block 2: {CHANNELS} from 1 to 65,536, not 1000000000.",
    "1x64,1x1000000000": f"Block 2: “1x1000000000” {BLOCK}",
    "1x64,1x999999999": f"Block 2: {CHANNELS} from 1 to 65,536, not 999999999.",
    "((1, 64), (1, -64))": f"Block 2: {CHANNELS} from 1 to 65,536, not -64.",
    "1x64,1x-64": f"Block 2: “1x-64” {BLOCK}",
    "((1, 64), (1, 6.5))": f"Block 2: {CHANNELS} a whole number, not 6.5.",
    "1x64,1x6.5": f"Block 2: “1x6.5” {BLOCK}",
    "((1, 64), (True, 128))": f"Block 2: {CONVOLUTIONS} a whole number, not True.",
    "((1, 64), (1, '128'))": f"Block 2: {CHANNELS} a whole number, not “128”.",
    "((1, 64), (1, None))": f"Block 2: {CHANNELS} a whole number, not None.",
    "((1, 64), (1, 1e400))": f"Block 2: {CHANNELS} a whole number, not inf.",
    "((1, 64), (1, 1j))": f"Block 2: {CHANNELS} a whole number, not 1j.",
    "((1, 64), (1, (1, 64)))": f"Block 2: {CHANNELS} a whole number, not (1, 64).",
    "((1, 64), (0, 128))": f"Block 2: {CONVOLUTIONS} from 1 to 20,000, not 0.",
    "((1, 64), (1, 0x" + "f" * 10_000 + "))": f"Block 2: {CHANNELS} from 1 to 65,536, not ≈10^12041.",
    "((1, 64), (1, 2, 0x" + "f" * 10_000 + "))": f"Block 2: … {PAIR}",
    "((1, 64), (1, 10**9))": f"“((1, 64), (1, 10**9))” {TABLE}",
    "((1, 64), (1, nan))": f"“((1, 64), (1, nan))” {TABLE}",
    "((1, 64), (1,))": f"Block 2: (1,) {PAIR}",
    "((1, 64), (1, 2, 3))": f"Block 2: (1, 2, 3) {PAIR}",
    "((1, 64), 5)": f"Block 2: 5 {PAIR}",
    "((1, 64), 'ab')": f"Block 2: “ab” {PAIR}",
    "(5)": f"“(5)” {TABLE}",
    "((1, 64": f"“((1, 64” {TABLE}",
    "((1, 64), (1, __import__('os')))": f"“((1, 64), (1, __import__('os')))” {TABLE}",
    "=": f"Block 1: “=” {BLOCK}",
    "(" + "-" * 10_000 + "1": f"“({'-' * 37}… {TABLE}",
    "(" + "1+" * 9_000 + "1": f"“({'1+' * 18}1… {TABLE}",
    "(" * 10_000: f"“{'(' * 38}… {TABLE}",
    "[" * 150 + "]" * 150: f"Block 1: {'[' * 39}… {PAIR}",
    "(1, 64), \x00": f"“(1, 64), \ufffd” {TABLE}",
    "\x00": f"Block 1: “\ufffd” {BLOCK}",
    "1x64\ud800": f"Block 1: “1x64\ufffd” {BLOCK}",
    "1x64,nan": f"Block 2: “nan” {BLOCK}",
    "64": f"Block 1: “64” {BLOCK}",
    "1x64:": f"Block 1: “1x64:” {BLOCK}",
    "1x64;2x128": f"Block 1: “1x64;2x128” {BLOCK}",
    "1x64,0x128": f"Block 2: {CONVOLUTIONS} from 1 to 20,000, not 0.",
    "1x64,2x128:k0": "Block 2: the kernel size must be from 1 to 8,192, not 0.",
    "1x64:k9000": "Block 1: the kernel size must be from 1 to 8,192, not 9000.",
    "1x64:s0": "Block 1: the stride must be from 1 to 8,192, not 0.",
    "1x64:pool0s2": "Block 1: the pooling window must be from 1 to 8,192, not 0.",
    "1x64:pool2s0": "Block 1: the pooling stride must be from 1 to 8,192, not 0.",
    "1x64:k3:k5": "Block 1: “k5” contradicts an earlier option.",
    "1x64:pool2s2:nopool": "Block 1: “nopool” contradicts an earlier option.",
    "1x64:lrn:lrn": "Block 1: “lrn” contradicts an earlier option.",
    "1x64:pool2": "Block 1: “pool2” is not an option of a block; there are k3, s1, p1, pool2s2, avgpool2s2, nopool and"
    " lrn.",
    ",".join(["1x1"] * 65): "There are 65 or more blocks; at most 64 are allowed.",
    str(((1, 1),) * 65): "There are 65 or more blocks; at most 64 are allowed.",
    "1x1:nopool," * 5_000: f"The text is too long: 55000 characters, at most {MAX_TEXT} are read.",
    "a" * 100_000: f"The text is too long: 100000 characters, at most {MAX_TEXT} are read.",
    "200x8": "This architecture has 409 layers; at most 400 are allowed.",
    "20000x8": "This architecture has 40009 layers; at most 20,000 are allowed.",
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.items(), ids=[ascii(text[:30]) for text in REFUSED])
def test_a_bad_architecture_is_refused_with_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_network({"arch": text})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    ("key", "text", "sentence"),
    [
        ("input", "224", "The input “224” is not of the form CxHxW, as in 1x224x224."),
        ("input", "", "The input “” is not of the form CxHxW, as in 1x224x224."),
        ("input", "1x2x3x4", "The input “1x2x3x4” is not of the form CxHxW, as in 1x224x224."),
        ("input", "0x224x224", "the number of input channels must be from 1 to 65,536, not 0."),
        ("input", "1x-5x224", "the input height must be from 1 to 8,192, not -5."),
        ("input", "1x224x22.4", "the input width must be a whole number, not “22.4”."),
        ("input", "1x224xnan", "the input width must be a whole number, not “nan”."),
        ("input", "1x224x1e3", "the input width must be a whole number, not “1e3”."),
        ("input", "1x9000x224", "the input height must be from 1 to 8,192, not 9000."),
        ("input", "1x224x" + "9" * 5_000, f"the input width must be a whole number, not “{'9' * 38}…."),
        ("classes", "0", "the number of classes must be from 1 to 65,536, not 0."),
        ("classes", "ten", "the number of classes must be a whole number, not “ten”."),
        ("classes", "1e9", "the number of classes must be a whole number, not “1e9”."),
        ("classes", "True", "the number of classes must be a whole number, not “True”."),
        ("classes", "1\x00", "the number of classes must be a whole number, not “1\ufffd”."),
        ("head", "none", "The head “none” is not one of flatten, adaptive, adaptive:6 and gap."),
        ("head", "gap:3", "The head “gap:3” is not one of flatten, adaptive, adaptive:6 and gap."),
        ("head", "adaptive:0", "the size of the adaptive pool must be from 1 to 8,192, not 0."),
        ("hidden", ",", "The hidden layers “,” are not of the form 4096,4096 or none."),
        ("hidden", "4096,x", "the width of a hidden layer must be a whole number, not “x”."),
        ("hidden", "4096,0", "the width of a hidden layer must be from 1 to 65,536, not 0."),
        ("hidden", "1000000000", "the width of a hidden layer must be from 1 to 65,536, not 1000000000."),
        ("hidden", "8," * 150, "This architecture has 473 layers; at most 400 are allowed."),
        ("dropout", "1", "dropout must be a probability from 0 to below 1, not 1.0."),
        ("dropout", "-0.5", "dropout must be a probability from 0 to below 1, not “-0.5”."),
        ("dropout", "nan", "dropout must be a probability from 0 to below 1, not “nan”."),
        ("dropout", "1e400", "dropout must be a probability from 0 to below 1, not “1e400”."),
        ("dropout", "0." + "9" * 5_000, f"dropout must be a probability from 0 to below 1, not “0.{'9' * 36}…."),
        ("bn", "yes", "Batch normalisation (bn) must be 0 or 1, not “yes”."),
        ("act", "step", "The activation “step” is not one of relu, sigmoid, tanh, leakyrelu, gelu, silu."),
    ],
)
def test_a_bad_value_is_refused_with_a_sentence(key: str, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_network({"arch": "vgg11", key: text})
    assert str(caught.value) == sentence


@pytest.mark.parametrize(
    "text", ["", "0", "0/1", "1/0", "0.0", "-1", "1e-3", "nan", "inf", "a", "1/2/3", "9" * 50, "½"]
)
def test_a_bad_ratio_is_refused(text: str) -> None:
    with pytest.raises(InputError, match=r"is not a positive ratio such as 0\.25 or 1/4"):
        parse_ratio(text)


@pytest.mark.parametrize("input_shape", [(), (1, 28), (1, 28, 28, 28), (1, 0, 28)])
def test_a_network_made_by_other_means_is_checked_too(input_shape: Any) -> None:
    with pytest.raises(InputError):
        checked(Network(NETWORKS["LeNet"].architecture, input_shape))
    with pytest.raises(InputError):
        checked(Network(Architecture((Block(1, 1),) * (MAX_BLOCKS + 1)), (1, 28, 28)))


# --- round trips -------------------------------------------------------------------------------------


@examples(300)
@given(networks() | edited_networks())
@example(Network(replace(NETWORKS["AlexNet (torchvision)"].architecture, head=Head("adaptive")), (3, 64, 64)))
@example(Network(Architecture(VGG_11, Head(dropout=1 / 3)), (1, 32, 32)))
@example(Network(Architecture(VGG_11, Head(dropout=5e-324)), (1, 32, 32)))
@example(Network(Architecture(VGG_11, Head(dropout=0.00012345678901234567)), (1, 32, 32)))
def test_a_network_is_read_back_from_its_text(network: Network) -> None:
    assert parse_network(format_network(network)) == network


@examples(200)
@given(st.lists(random_blocks, min_size=1, max_size=8).map(tuple))
def test_blocks_are_read_back_from_their_text(items: tuple[Block, ...]) -> None:
    assert parse_items(format_items(items)) == items


pairs = st.lists(st.tuples(st.integers(1, 9), st.integers(1, 65_536)), min_size=1, max_size=8).map(tuple)


@examples(100)
@given(pairs)
def test_the_books_tuple_is_read_back(table: tuple[tuple[int, int], ...]) -> None:
    text = format_tuple(Architecture(blocks(table)))
    assert text == str(table)
    assert parse_items(text) == parse_items(str([list(pair) for pair in table])) == blocks(table)


def test_what_is_not_vgg_has_no_tuple() -> None:
    assert format_tuple(Architecture(VGG_11)) == "((1, 64), (1, 128), (2, 256), (2, 512), (2, 512))"
    assert format_tuple(Architecture((*VGG_11, Block(1, 8, lrn=True)))) is None


@pytest.mark.parametrize("name", NETWORKS)
def test_a_named_network_has_the_shortest_text(name: str) -> None:
    assert format_network(NETWORKS[name]) == {"arch": slug(name)}
    assert title(NETWORKS[name]) == name


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"arch": "1x8,2x16:nopool"}, "1x8,2x16:nopool"),
        ({"arch": "vgg11", "bn": "1"}, "VGG-11, bn"),
        ({"arch": "vgg11", "input": "3x64x64", "classes": "100"}, "VGG-11"),
        ({"arch": "vgg16", "head": "gap", "hidden": "none"}, "VGG-16, head gap, hidden none"),
        ({"arch": "vgg11", "hidden": "1024,128"}, "VGG-11, hidden 1024,128"),
        ({"arch": "vgg11-160", "input": "1x224x224"}, "VGG-11, hidden 1024,128"),
        ({"arch": "vgg11", "dropout": "0.1", "act": "sigmoid"}, "VGG-11, dropout 0.1, act sigmoid"),
    ],
)
def test_titles(params: dict[str, str], name: str) -> None:
    assert title(parse_network(params)) == name


# --- anything at all ---------------------------------------------------------------------------------

grammar = st.text("0123456789x,:()[] \nkspolavgrn=-.×e_jJ'\"#", max_size=40)
tokens = st.lists(
    st.sampled_from(
        [
            *["1x64", "2x", "(", ")", "[", "]", ",", ":", "k3", "pool3s2", "nopool", "lrn", "conv_arch =", " ", "\n"],
            *["1", "64", "1e9", "-", "True", "None", "nan", "0x1f", "'", "\\", "#", "{", "}", "lambda:", "\x00"],
            *["１", "，", "（", "）", "×"],
        ]
    ),
    max_size=20,
).map("".join)
anything = grammar | tokens | st.text(max_size=40)


def value_or_input_error(params: dict[str, str]) -> None:
    try:
        network = parse_network(params)
    except InputError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        assert sentence.isprintable()
        assert len(sentence) < 400
    else:
        assert parse_network(format_network(network)) == network


@examples(1_500)
@given(anything)
def test_any_text_is_an_architecture_or_an_input_error(text: str) -> None:
    value_or_input_error({"arch": text})


@examples(500)
@given(st.sampled_from(list(KEYS)), anything)
def test_any_text_is_a_value_or_an_input_error(key: str, text: str) -> None:
    value_or_input_error({"arch": "alexnet-tv", key: text})


@examples(200)
@given(anything)
def test_any_text_is_a_ratio_or_an_input_error(text: str) -> None:
    try:
        ratio = parse_ratio(text)
    except InputError:
        return
    assert ratio > 0
