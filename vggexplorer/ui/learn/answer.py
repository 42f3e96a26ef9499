"""The answer to a question: its field, the button beside it, and what is said to what stands there."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from vggexplorer.comparison import Remark
from vggexplorer.errors import InputError
from vggexplorer.formatting import measured
from vggexplorer.lessons.asks import Ask, Choice, Edit, Finished, Number, Order, Task, Verdict, parse_number, to_predict
from vggexplorer.runs.folder.status import Word
from vggexplorer.ui import access
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import literal, plain, say, t
from vggexplorer.ui.learn import progress
from vggexplorer.ui.run.rows import Row, all_rows
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current
from vggexplorer.ui.widgets import key_of

_order = st.components.v2.component(
    "vgg_order",
    html='<ol class="order part"></ol>',
    css=STYLE
    + """
.order { list-style: none; margin: 0; padding: 0; display: flex; flex-direction: column; gap: 0.35rem; }
li { display: flex; align-items: center; gap: 0.5rem; border: 1px solid var(--st-border-color); cursor: grab; }
li { border-radius: 0.4rem; padding: 0.15rem 0.3rem 0.15rem 0.7rem; background: var(--st-background-color); }
li.dragged { opacity: 0.5; }
li span { flex: 1; font-size: 0.93rem; }
li button { width: 2.4rem; height: 2.4rem; text-align: center; border-radius: 0.3rem; }
li button:hover:enabled { background: var(--st-secondary-background-color); }
li button:disabled { opacity: 0.3; cursor: default; }
""",
    js=script("order", "learn.js"),
)


def show(task: Task, ask: Ask) -> None:
    """The field with its button, and what was last said to what stands there; or a guess beside the truth."""
    if to_predict(ask) and progress.is_done(task, ask):
        _beside_the_truth(task, ask)
        return
    name = progress.name_of(task, ask)
    guess = to_predict(ask)
    label = t("Lock my guess") if guess else t("Check")
    button: dict[str, Any] = {"on_click": _check, "args": (task, ask), "type": "primary", "key": f"check {name}"}
    button |= {"icon": ":material/lock:"} if guess else {}
    if isinstance(ask, Number):
        with st.form(f"form {name}", border=False):
            _number(ask, name)
            st.form_submit_button(label, **button)
    else:
        _field(ask, name)
        st.button(label, **button)
    if verdict := verdict_on(task, ask):
        _tell(verdict)


def verdict_on(task: Task, ask: Ask) -> Verdict | None:
    """What was last said to the answer that stands there."""
    name = progress.name_of(task, ask)
    given, verdict = session.setdefault("checked", {}).get(name, (None, None))
    return verdict if verdict and given == _given(ask, name) else None


def is_reasoned(task: Task, ask: Ask) -> bool:
    """Whether the reason stands there: beside a guess, or below an answer that was found right in this session."""
    verdict = verdict_on(task, ask)
    return (to_predict(ask) and progress.is_done(task, ask)) or (verdict is not None and verdict.word == "right")


def _number(ask: Number, name: str) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom", key=f"field {ask.key}"):
        st.text_input(
            t("Your guess") if ask.predict else t("Your answer"),
            key=key_of(progress.answer_key(name)),
            width=150,
            persist_state="session",
        )
        st.markdown(_counted(ask), width="content")


def _field(ask: Ask, name: str) -> None:
    key = key_of(progress.answer_key(name))
    match ask:
        case Choice():
            options = ask.options
            st.radio(
                t("Your answer"),
                range(len(options)),
                None,
                key=key,
                format_func=lambda place: say(options[place].text),
                label_visibility="collapsed",
            )
        case Order():
            _show_order(ask, key)


def _counted(ask: Number) -> str:
    """What a number is counted in, and how near it must come."""
    share = f"{100 * ask.tolerance:g}"
    near = t("must be exact") if ask.is_exact() else t("± {share} % counts as right", share=share)
    near = "" if ask.predict else near
    return " · ".join(text for text in (literal(ask.unit), near) if text)


def _show_order(ask: Order, key: str) -> None:
    def moved() -> None:
        order = session[f"{key} moves"].get("order")
        if isinstance(order, list) and sorted(map(str, order)) == sorted(map(str, range(len(ask.options)))):
            session[key] = [int(place) for place in order]

    words = {"up": t("Up: {name}"), "down": t("Down: {name}")}
    labels = list(map(plain, ask.options))
    order = session.get(key) or list(range(len(labels)))
    _order(key=f"{key} moves", data={"labels": labels, "order": order, "words": words}, on_order_change=moved)


def _given(ask: Ask, name: str) -> Any:
    """The answer that stands there now; None if there is none."""
    key = key_of(progress.answer_key(name))
    match ask:
        case Number():
            return str(session.get(key, "")).strip() or None
        case Choice():
            return session.get(key)
        case Order():
            return session.get(key) or list(range(len(ask.options)))
        case Edit():
            return current().network
    return finished()


def finished() -> list[Finished]:
    """The finished runs of who is there; those that ship with the package are nobody's."""
    return [
        Finished(row.name, row.config, row.last)
        for row in all_rows()
        if row.status.word == Word.FINISHED and row.config and row.last is not None and own(row)
    ]


def own(row: Row) -> bool:
    """Whether a run is of who is there."""
    return not row.run.recorded and access.may_change(row.run)


def _check(task: Task, ask: Ask) -> None:
    name = progress.name_of(task, ask)
    progress.go(task, task.asks.index(ask))
    given = _given(ask, name)
    try:
        verdict = Verdict("wrong", (Remark("There is no answer yet."),)) if given is None else ask.check(given)
    except InputError as error:  # a network that cannot take its input
        verdict = Verdict("wrong", (Remark(error.template, error.values),))
    session["checked"] = session.get("checked", {}) | {name: (given, verdict)}
    if to_predict(ask):
        progress.add({name: str(given)} if _is_a_guess(ask, given) else {})
    elif verdict.word == "right":
        progress.add({name: ""})


def _is_a_guess(ask: Ask, given: Any) -> bool:
    return given is not None and (not isinstance(ask, Number) or parse_number(given, ask.unit) is not None)


# --- what is said --------------------------------------------------------------------------------------------


def _beside_the_truth(task: Task, ask: Number | Choice) -> None:
    """A locked guess beside the answer, and the reason."""
    guess = _locked(task, ask)
    with st.container(horizontal=True, gap="medium", key="beside the truth"):
        _big(t("Your guess"), _as_written(ask, guess))
        _big(t("The answer"), say(ask.truth()))
    verdict = ask.guessed(guess) if guess else Verdict("right", tuple(ask.reason()))
    if verdict.word == "wrong":
        st.info(f"**{t('Surprised?')}**\n\n{_listed(verdict.remarks)}", icon=":material/lightbulb:")
    else:
        _tell(verdict)


def _locked(task: Task, ask: Number | Choice) -> str:
    """The guess that was locked; nothing if what the browser has kept is none that this question can have."""
    guess = progress.done()[progress.name_of(task, ask)]
    if isinstance(ask, Choice):
        return guess if guess in map(str, range(len(ask.options))) else ""
    return guess if parse_number(guess, ask.unit) is not None else ""


def _as_written(ask: Number | Choice, guess: str) -> str:
    if isinstance(ask, Choice):
        return say(ask.options[int(guess)].text) if guess else "–"
    number = parse_number(guess, ask.unit)
    return "–" if number is None else literal(measured(number, ask.unit))


def _big(label: str, text: str) -> None:
    with st.container(width="content", gap="xxsmall"):
        st.caption(label)
        st.markdown(f"### {text}")


def give_reason(ask: Ask) -> None:
    """What the answer is and why: for who wants to see it without having found it."""
    match ask:
        case Number() | Choice():
            st.markdown(f"**{say(ask.truth())}**")
            st.markdown(_listed(ask.reason()))
        case Order():
            st.markdown(_listed([ask.options[place] for place in ask.answer()]))
            st.markdown(_listed(ask.reason()))
        case Edit():
            st.markdown(_listed(ask.missing(current().network) or [Remark("It is done.")]))


def _listed(remarks: Sequence[Remark]) -> str:
    return "\n".join(f"- {say(remark)}" for remark in remarks)


def _tell(verdict: Verdict) -> None:
    text = say(verdict.remarks[0]) if len(verdict.remarks) == 1 else "\n\n" + _listed(verdict.remarks)
    match verdict.word:
        case "right":
            st.success(f"**{t('Right.')}** {text}", icon=":material/check_circle:")
        case "close":
            st.warning(f"**{t('Close.')}** {text}", icon=":material/adjust:")
        case _:
            st.error(f"**{t('Not yet.')}** {text}", icon=":material/cancel:")
