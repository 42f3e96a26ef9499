"""A lesson of a teacher's own on Learn, in AppTest: its field, its mistakes, its link; texts are shown as they are."""

from typing import Any

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest
from test_i18n import has_chinese, seen
from test_learn_page import LOCALES, Page

from vggexplorer.lessons.asks import Choice, Number
from vggexplorer.lessons.packed import pack
from vggexplorer.lessons.written import OWN, example, read
from vggexplorer.paths import LEARN
from vggexplorer.ui import i18n
from vggexplorer.ui.i18n import literal
from vggexplorer.ui.link import read as read_link
from vggexplorer.ui.link import write

ODD = "<b>a</b> **b** $c$ :smile: _d_ [e](http://f) # g"
"""What would be something else if it were Markdown or HTML."""
TEXT = f"""lesson: {ODD} {{{{n}}}}
about: Layers {{{{n:one|many}}}}
- {ODD}
network: A = lenet
question: {ODD}
answer: A.layers
unit: <i>u</i>
tolerance: exact
reason: {ODD} {{answer}}
question: Layers
right: {ODD} | {ODD} right
wrong: Layers | {ODD} wrong
hint: {ODD}
"""


def texts(page: Page) -> str:
    return "\n".join(str(element.value) for element in page.test.markdown)


def opened(page: Page) -> Page:
    """With the folded part open."""
    page.test.session_state["write a lesson"] = True
    return page.run()


def field(test: AppTest) -> Any:
    (box,) = (each for each in test.text_area if each.key and each.key.startswith("lesson text"))
    return box


def typed(page: Page, text: str) -> Page:
    field(page.test).set_value(text)
    return page.run().click("try lesson")


def errors(page: Page) -> list[str]:
    return [str(each.value).replace("\\", "") for each in page.test.error]


def speak(monkeypatch: pytest.MonkeyPatch, language: str) -> str:
    """Have AppTest format options in a language; it does so outside of the session. Returns the browser's locale."""
    inside = i18n.language
    monkeypatch.setattr(i18n, "language", lambda: inside() if get_script_run_ctx(suppress_warning=True) else language)
    return LOCALES[language]


@pytest.mark.parametrize("language", LOCALES)
def test_the_field_begins_with_the_example_which_can_be_tried(monkeypatch: pytest.MonkeyPatch, language: str) -> None:
    page = opened(Page(speak(monkeypatch, language)))
    assert field(page.test).value == example(language)
    page.click("try lesson")
    assert not page.test.error
    assert "3" in page.test.success[0].value
    assert read_link(page.test.query_params)[0].lesson == example(language)
    page.click("open what was tried")
    assert page.test.query_params["task"] == OWN
    assert page.test.session_state["state"].opened() is read(example(language))
    if language == "zh":
        assert has_chinese(list(seen(page.test._tree)))


def test_mistakes_are_named_by_their_lines_and_nothing_else_changes() -> None:
    page = typed(opened(Page()), TEXT.replace("unit:", "unitt:").replace("A.layers", "B.layers"))
    (error,) = errors(page)
    assert error.splitlines() == [
        "- Line 6: No network is called B here; there are: “A”.",
        "- Line 7: There is no word “unitt”; is “unit” meant?",
    ]
    assert "lesson" not in page.test.query_params
    typed(page, TEXT)
    assert not page.test.error
    assert page.test.session_state["state"].lesson == TEXT
    typed(page, TEXT + "bogus: 1\n")
    assert len(errors(page)) == 1
    assert page.test.session_state["state"].lesson == TEXT, "the last good one stays"


def test_mistakes_are_told_in_chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    page = typed(
        opened(Page(speak(monkeypatch, "zh"))), "课程：甲\n网络：A = vgg99\n问题：乙\n答案：A.macs / 0\n先猜：也许"
    )
    (error,) = errors(page)
    assert [line.partition("行：")[0] for line in error.splitlines()] == ["- 第 2 ", "- 第 4 ", "- 第 5 "]


def test_the_example_comes_back() -> None:
    page = typed(opened(Page()), TEXT).click("lesson example")
    assert field(page.test).value == example("en")
    assert "lesson" not in page.test.query_params


def test_texts_of_a_lesson_are_shown_as_they_are() -> None:
    page = Page(task=OWN, lesson=pack(TEXT))
    shown = texts(page)
    assert literal(ODD) + r" \{n\}" in shown
    assert r"Layers \{n\:one\|many\}" in shown
    assert "<b>" not in shown.replace(r"\<b\>", "")
    task = read(TEXT)
    number, choice = task.asks
    assert isinstance(number, Number)
    assert isinstance(choice, Choice)
    page.click("hint")
    assert any(literal(ODD) in str(each.value) for each in page.test.info)


def test_the_texts_of_a_lesson_are_not_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page(speak(monkeypatch, "zh"), task=OWN, lesson=pack(TEXT))
    assert r"Layers \{n\:one\|many\}" in texts(page)
    page.click("step 2")
    assert "**Layers**" in texts(page)
    assert "Layers" in page.test.radio[0].options


@pytest.mark.parametrize(
    "params", [{"task": OWN}, {"task": OWN, "lesson": "AAAA"}, {"lesson": pack("lesson: x")}, {"lesson": pack("")}]
)
def test_a_link_without_a_good_lesson_opens_the_list_and_says_why(params: dict[str, str]) -> None:
    page = Page(**params)
    (error,) = errors(page)
    assert "in the link" in error
    assert page.test.session_state["state"].task is None
    assert page.test.button(key="go on")


def test_a_lesson_in_a_link_has_a_card_and_may_be_closed() -> None:
    page = Page(lesson=pack(TEXT))
    assert literal(ODD) in texts(page)
    page.click("open own").click("all tasks")
    assert page.test.button(key="open own")
    page.click("close own")
    assert "lesson" not in page.test.query_params
    assert literal(ODD) not in texts(page)


def test_who_may_not_see_the_working_does_not_see_the_text() -> None:
    page = opened(Page(lesson=pack(TEXT), hide="working"))
    assert field(page.test).value == example("en")
    assert not page.test.success
    assert field(opened(Page(lesson=pack(TEXT))).test).value == TEXT


def test_what_is_done_of_a_lesson_is_kept_and_forgotten_with_the_rest() -> None:
    page = Page(task=OWN, lesson=pack(TEXT), classes="10")
    task = read(TEXT)
    page.click("step 2")
    page.test.radio[0].set_value(0)
    page.run().click(f"check {OWN}.{task.asks[1].key}")
    assert page.test.success
    assert set(page.test.session_state["done"]) == {f"{OWN}.{task.asks[1].key}"}
    page.click("all tasks").click("forget")
    assert page.test.session_state["done"] == {}


def test_a_built_in_task_is_shared_without_the_lesson() -> None:
    state, _ = read_link({"task": "deep", "lesson": pack(TEXT)})
    assert "lesson" in write(state, LEARN)
    page = Page(task="deep", lesson=pack(TEXT))
    page.test.session_state["share"] = True
    page.run()
    (link,) = (each.value for each in page.test.code if "/learn" in each.value or "task=" in each.value)
    assert "lesson=" not in link


@pytest.mark.parametrize("kept", ["", "x", "-1", "2", "1e999", "<b>", "٣"])
def test_whatever_guess_a_browser_has_kept_the_question_opens(kept: str) -> None:
    text = TEXT.replace("tolerance: exact", "guess first: yes") + "guess first: yes\n"
    page = Page(task=OWN, lesson=pack(text))
    page.test.session_state["done"] = {f"{OWN}.{ask.key}": kept for ask in read(text).asks}
    for step in ("step 1", "step 2"):
        page.click(step)
        assert "<b>" not in texts(page).replace(r"\<b\>", "")
