"""Lessons of a teacher's own: whatever the text is, it gives a task, or sentences that name its lines."""

from random import Random
from time import perf_counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import Sample, examples

from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.lessons.asks import TOLERANCE, Choice, Number, Task
from vggexplorer.lessons.lines import WORDS
from vggexplorer.lessons.written import (
    DEFAULT_PARTS,
    MOST_HINTS,
    MOST_MISTAKES,
    MOST_NETWORKS,
    MOST_OPTIONS,
    MOST_QUESTIONS,
    MOST_TEXT,
    OWN,
    PARTS,
    MistakesError,
    decoded,
    example,
    read,
)
from vggexplorer.text import parse_network

LANGUAGES = ("en", "zh")
SHORT = """lesson: Short
network: A = vgg11
question: How many parameters has it?
answer: A.params
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(MistakesError) as refused:
        read(text)
    assert str(refused.value) == str(refused.value.mistakes[0])
    return [str(each) for each in refused.value.mistakes]


def said(remark: Remark) -> str:
    """The text of a remark that is a person's own."""
    assert remark.template == "{text}"
    return str(remark)


# --- what is read -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_example_is_a_lesson(language: str) -> None:
    task = read(example(language))
    ratio, inputs, same = task.asks
    assert (task.key, task.start) == (OWN, {"arch": "vgg11"})
    assert task.beside == ({"arch": "vgg11", "input": "1x112x112"},)
    assert task.bench == ("editor", "totals", "layers")
    assert len(task.hints) == 1
    assert isinstance(ratio, Number)
    assert (ratio.answer(), ratio.unit, ratio.tolerance) == (7_547_232_256 / 1_892_605_952, "×", 0.03)
    assert (ratio.predict, ratio.bench) == (True, ())
    assert "7,547,232,256" in said(ratio.reason()[0])
    assert "3.988" in said(ratio.reason()[0])
    assert isinstance(inputs, Number)
    assert (inputs.answer(), inputs.tolerance, inputs.predict) == (512 * 3 * 3, 0.0, False)
    assert inputs.bench == ("drawing", "layers")
    assert isinstance(same, Choice)
    assert same.answer() == 0
    assert ["9,219,328" in said(option.reason) for option in same.options] == [True, False, False]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_answers_are_judged(language: str) -> None:
    ratio, inputs, same = read(example(language)).asks
    assert isinstance(ratio, Number)
    assert isinstance(inputs, Number)
    assert isinstance(same, Choice)
    assert [ratio.check(text).word for text in ("4", "3.988×", "2")] == ["right", "right", "wrong"]
    assert [inputs.check(text).word for text in ("4608", "4,608", "4607")] == ["right", "right", "close"]
    assert [same.check(place).word for place in range(3)] == ["right", "wrong", "wrong"]


def test_both_examples_ask_the_same() -> None:
    english, chinese = map(read, map(example, LANGUAGES))
    assert [ask.answer() for ask in english.asks] == [ask.answer() for ask in chinese.asks]  # type: ignore[union-attr]
    assert (english.start, english.beside, english.bench) == (chinese.start, chinese.beside, chinese.bench)


def test_what_is_left_out_has_a_default() -> None:
    task = read(SHORT)
    (ask,) = task.asks
    assert isinstance(ask, Number)
    assert task.bench == DEFAULT_PARTS
    assert (said(task.question), task.hints, task.beside) == ("", (), ())
    assert (ask.unit, ask.tolerance, ask.predict, ask.bench) == ("", TOLERANCE, False, ())
    assert said(ask.reason()[0]) == "A.params = 128,806,154"


def test_a_reason_that_is_left_out_is_the_working() -> None:
    ask = read(SHORT.replace("A.params", "A.macs / A.params") + "unit: MACs").asks[0]
    assert isinstance(ask, Number)
    assert said(ask.reason()[0]) == "A.macs / A.params = 7,547,232,256 / 128,806,154 = 58.59\u00a0MACs"


WAYS = {
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "CR": lambda text: text.replace("\n", "\r"),
    "BOM": lambda text: "\ufeff" + text,
    "full-width colons": lambda text: text.replace(":", "："),
    "no space": lambda text: text.replace(": ", ":"),
    "spaces": lambda text: text.replace(": ", "  : \t").replace("\n", "  \n\n \u3000\n"),
    "capitals": lambda text: text.replace("lesson", "Lesson").replace("answer", "ANSWER"),
    "indented": lambda text: text.replace("answer", "\u3000 \tanswer"),
    "comments": lambda text: "# one\n" + text.replace("\n", "\n  # two: three\n"),
    "numbered": lambda text: text.replace("question", "question 12"),
    "Chinese words": lambda text: text.replace("lesson", "课程").replace("question", "问题1").replace("answer", "答案"),
    "another order": lambda text: "\n".join(text.splitlines()[2:] + text.splitlines()[:2]),
    "no name": lambda text: text.replace("A = ", ""),
    "lower-case units": lambda text: text.replace("A = vgg11", "A= VGG-11 ；input = １x224x224"),
}


@pytest.mark.parametrize("way", WAYS)
def test_ways_to_write_the_same_lesson(way: str) -> None:
    plain, other = read(SHORT), read(WAYS[way](SHORT))
    assert (other.title, other.question) == (plain.title, plain.question)
    assert parse_network(other.start) == parse_network(plain.start)
    (ask,), (same,) = plain.asks, other.asks
    assert isinstance(ask, Number)
    assert isinstance(same, Number)
    assert (same.key, same.text, same.answer()) == (ask.key, ask.text, ask.answer())


def test_every_word_has_a_chinese_one() -> None:
    for spellings in (*WORDS.values(), *PARTS.values()):
        assert spellings[0].isascii()
        assert not any(each.isascii() for each in spellings[1:] if each != "guess")
    spelled = [each for spellings in WORDS.values() for each in spellings]
    assert len(spelled) == len(set(spelled))


def test_a_text_goes_on_until_the_next_word() -> None:
    text = SHORT + "reason: one\ntwo\n\n  three: it stays\n# not this\nhttps://example.org\nIt is what it is: four\n\n"
    ask = read(text).asks[0]
    assert isinstance(ask, Number)
    expected = "one\ntwo\n\nthree: it stays\nhttps://example.org\nIt is what it is: four"
    assert said(ask.reason()[0]) == expected


def test_formulas_stand_in_every_text_but_the_answer_only_in_the_reason() -> None:
    text = SHORT.replace("Short\n", "Short\nabout: {A.macs} and {{x}}\nhint: {1/4}\n").replace("many", "{2 + 2}")
    task = read(text + "reason: {answer} is {answer / 2} twice")
    (ask,) = task.asks
    assert isinstance(ask, Number)
    assert said(task.question) == "7,547,232,256 and {x}"
    assert said(task.hints[0]) == "0.2500"
    assert said(ask.text) == "How 4 parameters has it?"
    assert said(ask.reason()[0]) == "128,806,154 is 64,403,077 twice"
    assert mistakes(SHORT.replace("many", "{answer}")) == ["Line 3: No network is called answer here; there are: “A”."]


def test_an_exact_answer_may_have_a_point() -> None:
    for formula in ("1 / 4", "A.macs * 10", "round(A.macs / A.params, 2)"):
        ask = read(SHORT.replace("A.params", formula) + "tolerance: exact").asks[0]
        assert isinstance(ask, Number)
        assert ask.check(f"{ask.answer():.10f}".rstrip("0").rstrip(".")).word == "right"


def test_a_persons_text_is_no_template() -> None:
    task = read(SHORT.replace("Short", "{{n}} {{n:one|many}} <b>$x$</b> :smile: **a**"))
    assert said(task.title) == "{n} {n:one|many} <b>$x$</b> :smile: **a**"


def test_a_choice_takes_the_reason_of_its_question() -> None:
    text = SHORT.replace("answer: A.params", "wrong: a\nright: b | see\n  {A.layers}\nwrong: c｜no\nreason: because")
    (ask,) = read(text).asks
    assert isinstance(ask, Choice)
    assert [said(option.text) for option in ask.options] == ["a", "b", "c"]
    assert [said(option.reason) for option in ask.options] == ["", "see\n11", "no"]
    assert ask.answer() == 1
    (ask,) = read(text.replace("| see\n  {A.layers}", "")).asks
    assert isinstance(ask, Choice)
    assert said(ask.options[1].reason) == "because"


def test_a_question_keeps_its_key_while_others_change() -> None:
    more = "question: One more?\nanswer: 1\n"
    (first,) = read(SHORT).asks
    again, other = read(SHORT + more).asks
    assert again.key == first.key != other.key
    twice = read(SHORT + more + more).asks
    assert len({ask.key for ask in twice}) == 3
    assert all(ask.key.isalnum() for ask in twice)


def test_a_network_has_its_own_input_unless_another_is_given() -> None:
    text = "network: B = lenet\nnetwork: C = lenet;input=1x32x32\nnetwork: 甲 = ((1, 8), (1, 16))\n"
    ask = read(SHORT + text + 'reason: {B["features.0"].width} {C["features.0"].width} {甲["features.0"].width}').asks[
        0
    ]
    assert isinstance(ask, Number)
    assert said(ask.reason()[0]) == "28 32 224"


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_a_file_of_any_usual_editor_is_read(codec: str) -> None:
    text = example("zh")
    assert read(decoded(text.encode(codec))).asks[0].text == read(text).asks[0].text


@pytest.mark.parametrize("octets", [b"\xff\xfe\x00", b"\xff\xff\xff", b"\x89PNG\r\n\x1a\n\xff\xff", b"x" * 80_001])
def test_a_file_that_is_no_text_is_refused(octets: bytes) -> None:
    with pytest.raises(InputError, match=r"not text|at most"):
        decoded(octets)


# --- what is wrong --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "",
            [
                "Line 1: The lesson has no line “lesson: …”.",
                "Line 1: The lesson has no line “network: A = vgg11”.",
                "Line 1: The lesson has no line “question: …”.",
            ],
        ),
        ("text\n" + SHORT, ["Line 1: This line begins with no word of a lesson, such as “question:”."]),
        (SHORT + "more", ["Line 5: This line begins with no word of a lesson, such as “question:”."]),
        (SHORT + "\n\ntolernace: 2 %", ["Line 7: There is no word “tolernace”; is “tolerance” meant?"]),
        (SHORT + "允误差：2 %", ["Line 5: There is no word “允误差”; is “允许误差” meant?"]),
        (
            SHORT + "reason: x\nNote: y",
            ["Line 6: There is no word “Note”. A line that goes on with the text above begins with a space."],
        ),
        (SHORT + "answer: 2", ["Line 5: “answer:” is there a second time."]),
        ("lesson: A\n" + SHORT, ["Line 2: “lesson:” is there a second time."]),
        (SHORT + "课程：B", ["Line 5: “课程:” is there a second time."]),
        ("unit: m\n" + SHORT, ["Line 1: “unit:” belongs below a question."]),
        (SHORT + "unit:", ["Line 5: Nothing stands behind “unit:”."]),
        (SHORT + "unit: 1234567890123", ["Line 5: “1234567890123” is too long: at most 12 characters."]),
        (SHORT + "tolerance: 2", ["Line 5: “2” is no tolerance such as “2 %”, at most 50 %."]),
        (SHORT + "tolerance: 51 %", ["Line 5: “51 %” is no tolerance such as “2 %”, at most 50 %."]),
        (SHORT + "tolerance: -1%", ["Line 5: “-1%” is no tolerance such as “2 %”, at most 50 %."]),
        (
            SHORT.replace("A.params", "A.macs / A.params") + "tolerance: exact",
            ["Line 5: The answer 58.59372415… has no end: it needs a tolerance such as “2 %”."],
        ),
        (SHORT + "guess first: maybe", ["Line 5: “maybe” is neither “yes” nor “no”."]),
        (
            SHORT + "show: totals, speed",
            [
                "Line 5: The workbench has no “speed”; it has: “editor, totals, drawing, layers, charts, compare, "
                "stages”."
            ],
        ),
        (SHORT + "show: compare", ["Line 5: compare needs two networks or more."]),
        (
            SHORT + "show: stages\nnetwork: B = lenet",
            [
                "Line 5: stages shows all networks with one input and one number of classes; B has 1×28×28, 10 "
                "classes, A has 1×224×224, 10 classes."
            ],
        ),
        (
            SHORT.replace("answer: A.params\n", ""),
            ["Line 3: The question has no answer: “answer:” with a formula, or “right:” and “wrong:”."],
        ),
        (
            SHORT + "right: a\nwrong: b",
            ["Line 5: A question is answered by a number, or by sentences that are right and wrong."],
        ),
        (
            SHORT.replace("answer: A.params", "wrong: a"),
            ["Line 4: Of the sentences to choose from one is right, and others are wrong."],
        ),
        (SHORT.replace("answer: A.params", "wrong: a\nright: | b"), ["Line 5: Nothing stands behind “right:”."]),
        (
            SHORT.replace("answer: A.params", "wrong: a\nright: b\nright: c"),
            ["Line 6: “right:” is there a second time."],
        ),
        (
            SHORT + "reason: one\n  two {A.macs",
            ["Line 6: A brace is alone; for one that is meant to be seen write {{."],
        ),
        (
            SHORT + "reason: }\n  {}",
            ["Line 5: A brace is alone; for one that is meant to be seen write }}.", "Line 6: There is no formula."],
        ),
        (SHORT.replace("A.params", "A.params / 0"), ["Line 4: There is a division by zero."]),
        (SHORT.replace("A.params", "10**10**10"), ["Line 4: A power has an exponent up to 64, not 10000000000."]),
        (SHORT.replace("A.params", "B.params"), ["Line 4: No network is called B here; there are: “A”."]),
        (SHORT + "network: A = vgg13", ["Line 5: There are two networks called A."]),
        (SHORT + "network: if = vgg13", ["Line 5: “if” cannot be the name of a network; a letter such as A can."]),
        (SHORT + "network: max = vgg13", ["Line 5: “max” cannot be the name of a network; a letter such as A can."]),
        (
            SHORT + "network: B = vgg13;size=3",
            ["Line 5: A network has no “size”; it has: “input, head, classes, hidden, dropout, bn, act”."],
        ),
        (
            SHORT + "network: B = alexnet;input=1x32x32",
            [
                "Line 5: MaxPool2d of block 2 cannot take 256×2×2: its 3×3 window (padding 0) is larger than the 2×2 "
                "that reaches it. The smallest input for this network is 65×65."
            ],
        ),
        (SHORT + "network: B = 1x8\nnetwork: C = bogus\nunit:", None),
    ],
)
def test_a_mistake_is_named_by_its_line(text: str, expected: list[str] | None) -> None:
    found = mistakes(text)
    if expected is None:
        assert [each.partition(":")[0] for each in found] == ["Line 6", "Line 7"]
    else:
        assert found == expected


def many(count: int, line: str) -> str:
    return SHORT + line * count


def test_what_is_too_much_is_refused() -> None:
    assert mistakes("#" * (MOST_TEXT + 1)) == ["A lesson has at most 20,000 characters."]
    question, network = "question: x\nanswer: 1\n", "network: 1x8\n"
    assert len(read(many(MOST_QUESTIONS - 1, question)).asks) == MOST_QUESTIONS
    assert mistakes(many(MOST_QUESTIONS, question)) == ["Line 83: A lesson has at most 40 questions."]
    assert len(read(many(MOST_NETWORKS - 1, network)).beside) == MOST_NETWORKS - 1
    assert mistakes(many(MOST_NETWORKS, network)) == ["Line 10: A lesson has at most 6 networks."]
    assert len(read(many(MOST_HINTS, "hint: x\n")).hints) == MOST_HINTS
    assert mistakes(many(MOST_HINTS + 1, "hint: x\n")) == ["Line 15: A lesson has at most 10 hints."]
    choice = SHORT.replace("answer: A.params", "right: x")
    assert len(read(choice + "wrong: y\n" * (MOST_OPTIONS - 1)).asks[0].options) == MOST_OPTIONS  # type: ignore[union-attr]
    assert mistakes(choice + "wrong: y\n" * MOST_OPTIONS) == [
        "Line 12: A question has at most 8 sentences to choose from."
    ]
    assert len(mistakes("bogus\n" * 1000)) == MOST_MISTAKES


@pytest.mark.parametrize(
    "text",
    [
        "{1}" * (MOST_TEXT // 3),
        "{" * MOST_TEXT,
        "right: x\n" * (MOST_TEXT // 10),
        "network: " + "64x8," * (MOST_TEXT // 6),
        "question: x\n" * (MOST_TEXT // 13),
        "reason: " + "(" * (MOST_TEXT // 2),
        "a:" * (MOST_TEXT // 2),
        "\n" * MOST_TEXT,
        "：" * MOST_TEXT,
        ("x" * 29 + ":\n") * (MOST_TEXT // 31),
    ],
)
def test_a_long_text_is_quick(text: str) -> None:
    began = perf_counter()
    whole = (SHORT + "reason: " + text)[:MOST_TEXT]
    attempt(whole)
    assert perf_counter() - began < 3


# --- any text -------------------------------------------------------------------------------------------------


def attempt(text: str) -> Task | None:
    """The task, or None after sentences that each name a line of the text."""
    try:
        return read(text)
    except MistakesError as refused:
        lines = [each.values.get("line", 1) for each in refused.mistakes]
        texts = [str(each).encode() for each in refused.mistakes]
    assert 1 <= len(texts) <= MOST_MISTAKES
    assert lines == sorted(lines)
    assert {1 <= line <= text.count("\n") + text.count("\r") + 1 for line in lines} == {True}
    return None


pieces = st.sampled_from(
    [
        *(f"{each}: " for spellings in WORDS.values() for each in spellings),
        *"{}|:：#=;%,\n\r \u3000\ufeff\ud800\0\u202e",
        *("A", "vgg11", "A.macs", "{answer}", "yes", "2 %", "\n\n", "\n  ", "input=1x8x8", "10**10**10", "[" * 99),
    ]
)


@given(
    st.text(max_size=300)
    | st.lists(pieces, max_size=60).map("".join)
    | st.lists(pieces).map(lambda each: SHORT + "".join(each))
)
@examples(2000)
def test_any_text_gives_a_task_or_sentences(text: str) -> None:
    attempt(text)


DAMAGES = {
    "left out": lambda line, dice: None,
    "twice": lambda line, dice: f"{line}\n{line}",
    "cut": lambda line, dice: line[: dice.randrange(len(line) + 1)],
    "letters exchanged": lambda line, dice: "".join(dice.sample(line, len(line))),
    "a letter lost": lambda line, dice: (lambda place: line[:place] + line[place + 1 :])(dice.randrange(len(line) + 1)),
    "a sign put in": lambda line, dice: (lambda place: line[:place] + dice.choice('{}:|()=."*/\0#') + line[place:])(
        dice.randrange(len(line) + 1)
    ),
    "without its word": lambda line, dice: line.partition(":")[2],
    "nothing but its word": lambda line, dice: line.partition(":")[0] + ":",
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_good_lesson_with_any_line_damaged(damage: str, language: str, dice: Random, sample: Sample) -> None:
    good = example(language).splitlines()
    for place in sample(range(len(good)), 12):
        changed = DAMAGES[damage](good[place], dice)
        attempt("\n".join([*good[:place], *([] if changed is None else [changed]), *good[place + 1 :]]))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_damaged_in_a_line_is_said_of_that_line(language: str) -> None:
    good = example(language).splitlines()
    for place, line in enumerate(good):
        word, colon, rest = line.replace("：", ":").partition(":")
        if colon and not line.startswith(("#", " ")):
            found = mistakes("\n".join([*good[:place], f"{word}xyzzy:{rest}", *good[place + 1 :]]))
            assert [each for each in found if each.startswith(f"Line {place + 1}: There is no word “{word}xyzzy”")]
