"""A link carries everything that is shown; whatever stands in one gives a state, and sentences about the rest."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import examples
from strategies import edited_networks, networks

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.lessons import written
from vggexplorer.lessons.packed import pack
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.lessons.written import OWN, example
from vggexplorer.paths import COMPARE, EXPLORE, LEARN, PAGES, RUNS, TRAIN
from vggexplorer.summary import DTYPES
from vggexplorer.text import KEYS, checked, parse_arch, parse_network, slug
from vggexplorer.ui.link import (
    COUNTS,
    HIDEABLE,
    LANGUAGES,
    MAX_BATCH,
    MAX_BESIDE,
    PARTS,
    PROJECTOR,
    TABS,
    Pin,
    State,
    follow,
    read,
    write,
)

any_network = networks() | edited_networks()
pins = st.just(Pin()) | st.sampled_from(list(NETWORKS)).map(slug).map(Pin.parse) | any_network.map(Pin.of)
states = st.builds(
    State,
    network=any_network,
    pin=pins,
    batch=st.integers(1, MAX_BATCH),
    dtype=st.sampled_from(list(DTYPES)),
    count=st.sampled_from(list(COUNTS)),
    lang=st.none() | st.sampled_from(list(LANGUAGES)),
    view=st.none() | st.just(PROJECTOR),
)


# --- there and back ----------------------------------------------------------------------------------


@given(states)
@examples(400)
def test_a_state_comes_back_from_its_link(state: State) -> None:
    params = write(state)
    assert read(dict(parse_qsl(urlencode(params)))) == (state, [])
    assert write(read(params)[0]) == params


lessons = st.builds(
    State,
    network=any_network,
    lang=st.none() | st.sampled_from(list(LANGUAGES)),
    task=st.sampled_from(list(TASKS)),
    hide=st.sets(st.sampled_from(list(HIDEABLE))).map(lambda names: tuple(name for name in HIDEABLE if name in names)),
)


@given(lessons)
@examples(200)
def test_a_lesson_comes_back_from_its_link(state: State) -> None:
    params = write(state, LEARN)
    assert read(dict(parse_qsl(urlencode(params)))) == (state, [])
    on_explore = write(state)
    assert "task" not in on_explore
    assert read(on_explore)[0] == replace(state, task=None)


@pytest.mark.parametrize("key", TASKS)
def test_a_tasks_link_begins_with_its_network_and_a_key_changes_only_that(key: str) -> None:
    begins = parse_network(TASKS[key].start)
    assert read({"task": key}) == (State(network=begins, task=key), [])
    assert write(State(network=begins, task=key), LEARN) == {"task": key}
    changed, errors = read({"task": key, "classes": "17"})
    assert not errors
    assert changed.network == parse_network(TASKS[key].start | {"classes": "17"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_lesson_of_a_teachers_own_comes_back_from_its_link(language: str) -> None:
    text = example(language)
    start = parse_network(written.read(text).start)
    for state in (
        State(network=start, task=OWN, lesson=text),
        State(network=start, task=OWN, lesson=text, hide=("hints",)),
        State(network=parse_arch("1x8"), task=OWN, lesson=text),
        State(lesson=text),
    ):
        params = write(state, LEARN)
        assert read(dict(parse_qsl(urlencode(params)))) == (state, [])
        assert "lesson" not in write(state)
    assert write(State(network=start, task=OWN, lesson=text), LEARN).keys() == {"task", "lesson"}


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"task": OWN}, "There is no lesson in the link."),
        ({"lesson": "x"}, "The lesson in the link cannot be read"),
        ({"task": OWN, "lesson": "x"}, "The lesson in the link cannot be read"),
        ({"task": OWN, "lesson": pack(example("en"))[:-9]}, "The lesson in the link cannot be read"),
        ({"task": OWN, "lesson": pack("lesson: x")}, "cannot be used: Line 1: The lesson has no line “network:"),
    ],
)
def test_a_lesson_that_cannot_be_read_is_told_of_and_left_out(params: dict[str, str], said: str) -> None:
    state, (error,) = read(params)
    assert state == State()
    assert said in str(error)


@pytest.mark.parametrize(
    ("key", "text"),
    [("task", "none"), ("task", ""), ("task", "Listing"), ("hide", "all"), ("hide", ""), ("hide", "a,b")],
)
def test_an_unknown_task_or_control_is_refused(key: str, text: str) -> None:
    state, (error,) = read({"arch": "vgg13", key: text})
    assert state == read({"arch": "vgg13"})[0]
    assert "must be one of" in str(error)


def test_defaults_are_left_out() -> None:
    spelled_out = {"arch": "vgg11", "input": "1x224x224", "classes": "10", "head": "flatten", "hidden": "4096,4096"}
    spelled_out |= {"dropout": "0.5", "bn": "0", "act": "relu", "pin": "alexnet"}
    spelled_out |= {"batch": "1", "dtype": "float32", "count": "MACs"}
    assert write(State()) == {}
    assert read({}) == read(spelled_out) == (State(), [])


@pytest.mark.parametrize(
    "params",
    [
        {"arch": "vgg16"},
        {"arch": "1x8,2x16:k5:nopool"},
        {"input": "3x96x64"},
        {"classes": "1000"},
        {"head": "adaptive:3"},
        {"hidden": "none"},
        {"dropout": "0.25"},
        {"bn": "1"},
        {"act": "sigmoid"},
        {"pin": "vgg16"},
        {"pin": "1x8,1x16;input=3x64x48;classes=7;head=gap"},
        {"batch": "128"},
        {"dtype": "bfloat16"},
        {"count": "FLOPs"},
        {"lang": "en"},
        {"lang": "zh"},
        {"view": "projector"},
        {"arch": "lenet", "classes": "7", "batch": "65536"},
    ],
    ids=urlencode,
)
def test_a_short_link_stays_as_it_is(params: dict[str, str]) -> None:
    state, errors = read(params)
    assert not errors
    assert state != State()
    assert write(state) == params


# --- what cannot be used -------------------------------------------------------------------------------

GOOD = {
    "arch": "vgg13",
    "input": "3x64x48",
    "classes": "7",
    "head": "gap",
    "hidden": "100",
    "dropout": "0.25",
    "bn": "1",
    "act": "sigmoid",
    "pin": "vgg16;classes=10",
    "batch": "8",
    "dtype": "float16",
    "count": "FLOPs",
    "lang": "zh",
}
BAD = [
    ("arch", ""),
    ("arch", "resnet"),
    ("arch", "1x64,2y128"),
    ("arch", "1x64:k3:k5"),
    ("arch", "1x64:big"),
    ("arch", "1x0"),
    ("arch", "((1, 64), (1, 128, 3))"),
    ("arch", "((1, 64), (1, 128)"),
    ("arch", "1x8," * 65),
    ("arch", "300x64,300x64"),
    ("arch", "9" * 30_000),
    ("input", "banana"),
    ("input", "1x0x224"),
    ("input", "224"),
    ("input", "1x9000x9000"),
    ("classes", "0"),
    ("classes", "ten"),
    ("classes", "-3"),
    ("head", "heart"),
    ("head", "adaptive:0"),
    ("hidden", "4096,many"),
    ("hidden", ","),
    ("hidden", "0"),
    ("dropout", "1"),
    ("dropout", "half"),
    ("bn", "true"),
    ("act", "step"),
    ("pin", ""),
    ("pin", "resnet"),
    ("pin", "vgg11;colour=red"),
    ("pin", "vgg11;input=banana"),
    ("pin", "vgg11;classes"),
    ("batch", "0"),
    ("batch", "65537"),
    ("batch", "1.5"),
    ("batch", "²"),
    ("dtype", "int8"),
    ("count", "macs"),
    ("lang", "de"),
    ("colour", "red"),
    ("", ""),
    ("Arch", "vgg16"),
]


@pytest.mark.parametrize(("key", "text"), BAD, ids=[f"{key}={text[:30]}" for key, text in BAD])
def test_what_is_wrong_is_said_and_the_rest_is_kept(key: str, text: str) -> None:
    state, (error,) = read(GOOD | {key: text})
    rest, others = read({name: value for name, value in GOOD.items() if name != key})
    assert not others
    assert state == rest
    assert isinstance(error, InputError)
    assert str(error).endswith(".")
    assert len(str(error).split()) > 5
    assert len(str(error)) < 250


def test_every_wrong_parameter_gets_its_own_sentence() -> None:
    bad = {"arch": "resnet", "input": "banana", "pin": "resnet", "batch": "0", "colour": "red", "classes": "7"}
    state, errors = read(bad)
    assert state == replace(State(), network=parse_network({"arch": "vgg11", "classes": "7"}))
    assert len(errors) == 5


def test_sentences_come_in_the_same_order_every_time() -> None:
    words = [f"part{letter}" for letter in "hgfedcbajikl"]
    _, errors = read(dict.fromkeys(words, "?"))
    assert [error.values["key"] for error in errors] == [f"“{word}”" for word in sorted(words)]


def test_what_is_good_alone_and_too_much_together_is_refused() -> None:
    """190 convolutions with their activations are allowed; with batch normalisation they are too many layers."""
    state, (error,) = read({"arch": "190x8", "bn": "1"})
    assert state.network == parse_network({"arch": "190x8"})
    assert "layers" in str(error)


known = st.sampled_from([*GOOD, *GOOD, "Arch", "embed"])
pieces = st.lists(st.sampled_from([*"0123456789x,:;=()[] -.×*\n#", "1x64", "pool2s2", "vgg11", *GOOD, *GOOD.values()]))
texts = pieces.map("".join) | st.text() | st.sampled_from([text for _, text in BAD])


@given(st.dictionaries(known | st.text(), texts, max_size=8))
@examples(1500)
def test_any_parameters_give_a_usable_state(params: dict[str, str]) -> None:
    state, errors = read(params)
    assert all(type(error) is InputError and str(error) for error in errors)
    assert len(errors) <= len(params) + params.get("arch", "").count(";")
    assert checked(state.network) is state.network
    assert checked(state.pin.network(state.network))
    assert 1 <= state.batch <= MAX_BATCH
    assert state.dtype in DTYPES
    assert state.count in COUNTS
    assert state.lang is None or state.lang in LANGUAGES
    assert read(write(state)) == (state, [])


# --- the table of keys -----------------------------------------------------------------------------------

SHOWN = {"pin", "batch", "dtype", "count", "lang", "view"}
CARRIED = {
    EXPLORE: SHOWN | {"network", "hide", "tab", "shade"},
    COMPARE: SHOWN | {"network", "beside", "baseline", "tab"},
    TRAIN: SHOWN | {"network", "hide", "runs"},
    RUNS: {"runs", "sweep", "tab", "lang", "view"},
    LEARN: SHOWN | {"network", "hide", "task", "tasks", "lesson"},
}
"""The fields that the links of each page carry."""
FULL = State(
    network=parse_network({"arch": "vgg13", "input": "3x64x48", "classes": "7"}),
    pin=Pin.parse("vgg16;classes=10"),
    beside=(Pin.parse("lenet"), Pin.parse("vgg19")),
    baseline=1,
    batch=8,
    dtype="float16",
    count="FLOPs",
    lang="zh",
    runs=("20260101-000000-vgg11-0a1b", "20260101-000000-alexnet-0a1c"),
    sweep="20260101-000000-widths-0a1d",
    task="deep",
    tasks=("slower", "deep"),
    lesson=example("en"),
    hide=("network", "hints"),
    tab="away",
    shade="macs",
    view=PROJECTOR,
)
REFUSED = {
    "tab": "none",
    "shade": "none",
    "baseline": "0",
    "task": "none",
    "tasks": "deep,none",
    "lesson": "none",
    "hide": "all",
    "pin": "resnet",
    "batch": "0",
    "dtype": "int8",
    "count": "macs",
    "run": "../../etc",
    "sweep": "../x",
    "lang": "de",
    "view": "cinema",
}


@pytest.mark.parametrize("key", PARTS)
def test_each_key_is_read_as_it_is_written_and_refused_with_a_sentence(key: str) -> None:
    part = PARTS[key]
    assert getattr(FULL, part.field) != getattr(State(), part.field)
    for page in PAGES:
        value = TABS[page][-1] if key == "tab" and page in TABS else getattr(FULL, part.field)
        state = State(**{part.field: value})
        params = write(state, page)
        assert (key in params) is (page in part.pages)
        assert read(params) == (state if page in part.pages else State(), [])
    refused, (error,) = read({key: REFUSED[key]})
    assert refused == State()
    assert str(error).endswith(".")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_writes_what_it_carries_and_back_leaves_the_rest(page: str) -> None:
    carried, fields = CARRIED[page], State.__dataclass_fields__
    full = replace(FULL, tab=TABS[page][-1]) if page in TABS else FULL
    written = State(**{name: getattr(full if name in carried else State(), name) for name in fields})
    assert read(write(full, page)) == (written, [])
    for there, here in ((full, State()), (State(), full)):
        state, errors = follow(here, write(there, page), page)
        assert errors == []
        for name in fields:
            assert getattr(state, name) == getattr(there if name in carried else here, name)


def test_the_default_network_stands_on_train_if_it_is_ones_own() -> None:
    assert write(State(), TRAIN, own=True) == {"arch": "vgg11"}
    assert all(write(State(), page, own=page != TRAIN) == {} for page in PAGES)


def test_of_runs_in_a_link_the_good_ones_are_kept() -> None:
    state, (error,) = read({"run": [FULL.runs[0], "../../etc", FULL.runs[1], FULL.runs[0]]})
    assert state == replace(State(), runs=FULL.runs)
    assert "There is no run" in str(error)


# --- the baseline ----------------------------------------------------------------------------------------


def test_a_pin_by_name_follows_input_and_classes_in_view() -> None:
    state, errors = read({"arch": "vgg16", "input": "3x96x64", "classes": "7", "pin": "alexnet-tv"})
    alexnet = NETWORKS["AlexNet (torchvision)"].architecture
    assert not errors
    assert state.pin.network(state.network) == Network(replace(alexnet, num_classes=7), (3, 96, 64))
    assert state.pin.network(parse_arch("lenet")) == Network(replace(alexnet, num_classes=10), (1, 28, 28))


def test_without_a_pin_the_baseline_is_alexnet() -> None:
    assert read({"arch": "vgg16"})[0].pin == Pin() == Pin.parse("alexnet")
    assert Pin().network(parse_arch("vgg16")) == NETWORKS["AlexNet"]


@given(any_network, any_network)
@examples(200)
def test_a_network_that_was_pinned_stays_as_it_is(pinned: Network, beside: Network) -> None:
    pin = Pin.of(pinned)
    assert pin.network(beside) == pinned
    assert Pin.parse(str(pin)) == pin
    assert pin != Pin()


def test_a_pin_may_hold_one_of_input_and_classes() -> None:
    beside = parse_network({"arch": "vgg16", "input": "3x96x64", "classes": "7"})
    assert Pin.parse("vgg11;classes=5").network(beside) == parse_network(
        {"arch": "vgg11", "classes": "5", "input": "3x96x64"}
    )
    assert Pin.parse("vgg11;input=1x64x64").network(beside) == parse_network(
        {"arch": "vgg11", "classes": "7", "input": "1x64x64"}
    )


def test_a_pin_names_every_part_that_a_network_has() -> None:
    """Were a part left out of the text of a pin, a pinned network would change with the one in view."""
    network = parse_network({key: text for key, text in GOOD.items() if key == "arch" or key in KEYS})
    assert dict(part.split("=") for part in str(Pin.of(network)).split(";")[1:]).keys() == KEYS.keys()


# --- Compare -------------------------------------------------------------------------------------------------

besides = networks().map(Pin.beside)


@given(states, st.lists(besides, min_size=1, max_size=MAX_BESIDE))
@examples(200)
def test_a_comparison_survives_its_link(state: State, beside: list[Pin]) -> None:
    state = replace(state, beside=tuple(beside))
    assert read(write(state, COMPARE)) == (state, [])


def test_the_baseline_is_one_of_the_networks_counted_from_one() -> None:
    state, errors = read({"arch": ["vgg11", "alexnet", "lenet"], "baseline": "3"})
    assert (state.baseline, errors) == (2, [])
    assert write(state, COMPARE)["baseline"] == "3"
    state, (error,) = read({"arch": ["vgg11", "alexnet"], "baseline": "3"})
    assert state.baseline == 0
    assert "no network 3" in str(error)


def test_the_open_tab_stands_in_the_links_of_its_page() -> None:
    state, errors = read({"tab": "sizes"})
    assert errors == []
    assert write(state, COMPARE) == {"tab": "sizes"}
    assert write(state, EXPLORE) == {}
    assert write(read({"tab": "stages"})[0], COMPARE) == {}, "the first tab needs no word"


def test_the_comparison_of_the_book_needs_no_parameters() -> None:
    assert write(State(), COMPARE) == {}
    assert [str(pin) for pin in State().beside] == ["alexnet"]


def test_a_comparison_is_a_readable_link() -> None:
    state, errors = read({"arch": ["vgg16;head=gap", "alexnet", "1x8,1x16;bn=1"], "input": "1x96x96"})
    assert not errors
    assert state.network == parse_network({"arch": "vgg16", "head": "gap", "input": "1x96x96"})
    assert list(map(str, state.beside)) == ["alexnet", "1x8,1x16;bn=1"]
    assert write(state, COMPARE)["arch"] == ["vgg16;head=gap", "alexnet", "1x8,1x16;bn=1"]
    assert write(state) == {"arch": "vgg16", "head": "gap", "input": "1x96x96"}


def test_what_cannot_be_compared_is_left_out_with_a_sentence() -> None:
    state, errors = read({"arch": ["vgg16", "nonsense", "lenet"]})
    assert list(map(str, state.beside)) == ["lenet"]
    assert "nonsense" in str(errors[0])
    state, errors = read({"arch": ["lenet"] * 40})
    assert len(state.beside) == MAX_BESIDE
    assert "12 networks" in str(errors[0])
