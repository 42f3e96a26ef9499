"""Learn: the list of tasks, and one task with its workbench, its questions, hints and the working."""

import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from vggexplorer.catalogue import catalogue
from vggexplorer.comparison import Entry, Remark, compare
from vggexplorer.errors import InputError
from vggexplorer.lessons.asks import Ask, Choice, Edit, Finished, Number, Order, Task, Trial, Verdict
from vggexplorer.lessons.glossary import GLOSSARY, Term
from vggexplorer.lessons.lenet import sigmoid, sigmoid_slope
from vggexplorer.lessons.tasks import TASKS
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.summary import Summary, summarize
from vggexplorer.text import parse_network
from vggexplorer.ui import access, components, figures
from vggexplorer.ui.i18n import capital, language, literal, say, sentence, t
from vggexplorer.ui.network import compared, inspector, parts, totals
from vggexplorer.ui.run import start_button, timing, view
from vggexplorer.ui.run.rows import Row, all_rows
from vggexplorer.ui.session import session
from vggexplorer.ui.state import current, edit
from vggexplorer.ui.widgets import translated

# --- what is done ------------------------------------------------------------------------------------------

_KNOWN = {f"{task.key}.{ask.key}" for task in TASKS.values() for ask in task.asks}
_progress = st.components.v2.component("vgg_progress", html="<div></div>", js=components.script("progress", "learn.js"))


def _done() -> list[str]:
    found: list[str] = session.setdefault("done", [])
    return found


def _add(items: Any) -> None:
    """Take what is done, from a check or from the browser; whatever else the browser may hold is left out."""
    known = [item for item in items if isinstance(item, str) and item in _KNOWN] if isinstance(items, list) else []
    session["done"] = list(dict.fromkeys([*_done(), *known]))


def keep_progress() -> None:
    """Have the browser keep what is done, and say what it knows of an earlier visit; the server stores none of it."""

    def found() -> None:
        _add(session["progress"].get("found"))

    data = {"done": _done(), "session": session["id"], "forget": session.get("forget", "")}
    _progress(key="progress", data=data, on_found_change=found)


def _forget() -> None:
    session.update(done=[], checked={}, hints={}, forget=secrets.token_hex(4))


# --- the list ----------------------------------------------------------------------------------------------


def show_list() -> None:
    """All tasks with what is done of each, and the glossary."""
    solved = sum(_solved(task) == len(task.asks) for task in TASKS.values())
    st.progress(
        solved / len(TASKS),
        t("{solved} of {all} tasks {solved:is|are} done.", solved=solved, all=len(TASKS)),
        width=420,
    )
    with st.container(key="tasks"):
        for number, task in enumerate(TASKS.values(), 1):
            _card(number, task)
    with st.expander(t("Glossary"), key="glossary"):
        st.markdown("\n".join(f"- {_explained(term)}" for term in GLOSSARY.values()))
    if _done():
        st.button(t("Forget what is done"), key="forget", type="tertiary", on_click=_forget)
    st.caption(t("What is done is kept in this browser only."))


def _card(number: int, task: Task) -> None:
    """A task in the list: its title, what it asks, and how much of it is done."""
    with st.container(border=True, gap="xsmall", key=f"line {task.key}"):
        st.button(f"{number}. {say(task.title)}", key=f"task {task.key}", type="tertiary", on_click=_open, args=(task,))
        st.caption(_state(task))
        st.markdown(say(task.question))
        if any(isinstance(ask, Trial) for ask in task.asks):
            st.caption(t("Trains networks"))


def _solved(task: Task) -> int:
    return sum(f"{task.key}.{ask.key}" in _done() for ask in task.asks)


def _state(task: Task) -> str:
    done, count = _solved(task), len(task.asks)
    return t("✓ done") if done == count else t("{done} of {count}", done=done, count=count)


def _open(task: Task | None) -> None:
    """Put a task on the workbench; Undo brings back the network that was there."""
    if task:
        session["own network"] = True
        edit(lambda state: replace(state, task=task.key, network=parse_network(task.start)))
    else:
        edit(lambda state: replace(state, task=None, hide=()))


def _explained(term: Term) -> str:
    """A term with its meaning; readers of Chinese also get the English word, which stands in code and papers."""
    name = f"**{say(term.name)}**"
    if language() == "zh" and catalogue().get(term.name.template) != term.name.template:
        name += f"（“{term.name.template}”）"
    return t("{name}: {value}", name=name, value=say(term.meaning))


# --- one task ----------------------------------------------------------------------------------------------


def show(task: Task) -> None:
    """One task: question, questions to answer, hints, the working, workbench."""
    _navigation(task)
    st.markdown(f"## {list(TASKS).index(task.key) + 1}. {say(task.title)}")
    st.markdown(say(task.question))
    _terms(task)
    for number, ask in enumerate(task.asks, 1):
        _ask(task, number, ask)
    if "hints" not in current().hide:
        _hints(task)
    if "working" not in current().hide:
        with st.expander(t("Show the working"), key=f"working {task.key}", on_change="rerun") as working:
            if working.open:
                st.markdown("\n".join(f"- {say(remark)}" for remark in task.working()))
    _bench(task)


def _navigation(task: Task) -> None:
    keys = list(TASKS)
    place = keys.index(task.key)
    with st.container(horizontal=True, gap="medium", vertical_alignment="center", key="task line"):
        st.button(
            t("All tasks"), icon=":material/list:", key="all tasks", type="tertiary", on_click=_open, args=(None,)
        )
        for label, name, step in ((t("Previous"), "previous", -1), (t("Next"), "next", 1)):
            inside = 0 <= place + step < len(keys)
            other = TASKS[keys[place + step]] if inside else task
            st.button(label, key=f"{name} task", type="tertiary", disabled=not inside, on_click=_open, args=(other,))
        st.button(t("Begin again"), key="begin again", type="tertiary", on_click=_open, args=(task,))
        st.caption(_state(task), width="content")


def _terms(task: Task) -> None:
    """The words of the task as buttons that open what they mean."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="terms"):
        st.caption(t("Words:"), width="content")
        for key in task.terms:
            with st.popover(say(GLOSSARY[key].name), key=f"term {key}", type="tertiary"):
                st.markdown(_explained(GLOSSARY[key]))


def _hints(task: Task) -> None:
    """Hints, one more with each click."""
    shown: dict[str, int] = session.setdefault("hints", {})
    count = shown.get(task.key, 0)
    for place, hint in enumerate(task.hints[:count], 1):
        name = t("Hint {number}", number=place)
        st.info(t("{name}: {value}", name=name, value=say(hint)), icon=":material/lightbulb:")
    if count < len(task.hints):
        label = t("A hint ({number} of {count})", number=count + 1, count=len(task.hints))
        st.button(label, key="hint", icon=":material/lightbulb:", on_click=_hint, args=(task,))


def _hint(task: Task) -> None:
    shown = session["hints"]
    session["hints"] = shown | {task.key: shown.get(task.key, 0) + 1}


# --- questions and answers -----------------------------------------------------------------------------------


def _ask(task: Task, number: int, ask: Ask) -> None:
    """One question with its field, a button, and what was last said to the answer that stands there."""
    name = f"{task.key}.{ask.key}"
    label = f"{number}. {say(ask.text)}" + (" ✓" if name in _done() else "")
    with st.container(border=True, key=f"ask {ask.key}"):
        key = translated(f"answer {name}")
        with st.container(horizontal=not isinstance(ask, Choice), vertical_alignment="bottom", key=f"field {ask.key}"):
            _field(ask, label, key, name)
            st.button(t("Check"), key=f"check {name}", on_click=_check, args=(name, ask, key))
        given, verdict = session.setdefault("checked", {}).get(name, (None, None))
        if verdict and given == _given(ask, key):
            _tell(verdict)


def _field(ask: Ask, label: str, key: str, name: str) -> None:
    match ask:
        case Number():
            st.text_input(
                _with_unit(label, ask.unit),
                key=key,
                on_change=_check,
                args=(name, ask, key),
                width=620,
                persist_state="session",
            )
        case Choice():
            places = range(len(ask.options))
            st.radio(label, places, None, key=key, format_func=lambda place: say(ask.options[place]))
        case Order():
            places = range(len(ask.options))
            options: dict[str, Any] = {"placeholder": t("Choose one after the other"), "width": 620}
            st.multiselect(
                label,
                places,
                key=key,
                format_func=lambda place: t(ask.options[place].template, **ask.options[place].values),
                **options,
            )
        case _:
            st.markdown(label.replace(".", "\\.", 1), width="stretch")  # not a list of one


def _with_unit(label: str, unit: str) -> str:
    """A question and what its answer is counted in, where the question does not say it."""
    return label if unit in ("", "×") else t("{question} (in {unit})", question=label, unit=unit)


def _given(ask: Ask, key: str) -> Any:
    """The answer that stands there now; None if there is none."""
    match ask:
        case Number():
            return session.get(key, "").strip() or None
        case Choice():
            return session.get(key)
        case Order():
            return list(session.get(key, [])) or None
        case Edit():
            return current().network
    return _finished()


def _finished() -> list[Finished]:
    """The finished runs of who is there; those that ship with the package are nobody's."""
    return [
        Finished(row.name, row.config, row.last)
        for row in all_rows()
        if row.status.word == Word.FINISHED and row.config and row.last is not None and _own(row)
    ]


def _own(row: Row) -> bool:
    return not row.run.recorded and access.may_change(row.run)


def _check(name: str, ask: Ask, key: str) -> None:
    given = _given(ask, key)
    try:
        verdict = Verdict("wrong", (Remark("There is no answer yet."),)) if given is None else ask.check(given)
    except InputError as error:  # a network that cannot take its input
        verdict = Verdict("wrong", (Remark(error.template, error.values),))
    session["checked"] = session.get("checked", {}) | {name: (given, verdict)}
    if verdict.word == "right":
        _add([name])


def _tell(verdict: Verdict) -> None:
    text = " ".join(map(say, verdict.remarks))
    match verdict.word:
        case "right":
            st.success(f"**{t('Right.')}** {text}", icon=":material/check_circle:")
        case "close":
            st.warning(f"**{t('Close.')}** {text}", icon=":material/adjust:")
        case _:
            st.error(f"**{t('Not yet.')}** {text}", icon=":material/cancel:")


# --- the workbench -------------------------------------------------------------------------------------------


def _bench(task: Task) -> None:
    """The network of the sidebar in the parts that the task asks for."""
    st.markdown(f"### {t('Workbench')}")
    try:
        summary = summarize(*current().network)
    except InputError as error:
        st.warning(literal(sentence(error)), icon=":material/straighten:")
        return
    for name in task.bench:
        BENCH[name](task, summary)


def _entries(task: Task) -> list[Entry]:
    """The network on the workbench and those that the task sets beside it, under the same input."""
    own, shape = current().network
    others = [parse_network(params).architecture for params in task.beside]
    return compared.called(compare([own, *others], shape, own.num_classes))


def _compare(task: Task, _: Summary) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="units"):
        totals.units()
    compared.refusals(_entries(task))
    compared.totals(_entries(task))


def _totals(_: Task, __: Summary) -> None:
    parts.totals()
    totals.no_baseline()


def _drawing(_: Task, __: Summary) -> None:
    parts.drawing()
    parts.inspector()


def _sigmoid(_: Task, __: Summary) -> None:
    """The sigmoid, its slope and ReLU's at a place that can be chosen, and the slopes as curves."""
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom", key="sigmoid"):
        x = st.number_input("x", value=0.0, step=1.0, min_value=-40.0, max_value=40.0, width=130, key="sigmoid x")
        st.metric(capital(t("sigmoid of x")), f"{sigmoid(x):.6g}", width=170)
        st.metric(capital(t("slope of the sigmoid")), f"{sigmoid_slope(x):.3g}", width=170)
        st.metric(capital(t("slope of ReLU")), str(int(x > 0)), width=170)
    alt = t("The slopes of sigmoid and ReLU from −12 to 12")
    components.chart(_slopes(), alt, key="slopes")


def _slopes() -> figures.Figure:
    places = [place / 4 for place in range(-48, 49)]
    lines = (
        (t("slope of the sigmoid"), [sigmoid_slope(x) for x in places], {"dash": "solid"}),
        (t("slope of ReLU"), [int(x > 0) for x in places], {"dash": "dash", "shape": "vh"}),
    )
    axis = {"gridcolor": "$grid", "zeroline": False}
    return {
        "data": [
            {"type": "scatter", "mode": "lines", "name": name, "x": places, "y": values, "line": line}
            for name, values, line in lines
        ],
        "layout": {
            "xaxis": {**axis, "title": {"text": "x"}},
            "yaxis": axis,
            "legend": {"orientation": "h", "y": 1.2, "x": 0},
            "dragmode": False,
            "height": 260,
            "margin": {"l": 40, "r": 10, "t": 20, "b": 40},
        },
    }


def _train(own_input: bool) -> None:
    """The Start button of Train, and the last runs."""
    start_button.show(Runs.at(), own_input)
    own = [row for row in all_rows() if _own(row)]
    active = any(row.status.active for row in own)
    st.fragment(_last_runs, run_every=view.TICK if active else None)(active)


_MOST_RUNS = 5


def _last_runs(active: bool) -> None:
    """The newest runs with their status; when the last one ends, the ticking ends too."""
    rows = [row for row in all_rows() if _own(row)]
    if active != any(row.status.active for row in rows):
        st.rerun()
    for row in rows[:_MOST_RUNS]:
        view.brief(row)


BENCH: dict[str, Callable[[Task, Summary], None]] = {
    "compare": _compare,
    "stages": lambda task, _: compared.aligned(_entries(task)),
    "time": lambda task, _: timing.show(_entries(task)),
    "totals": _totals,
    "drawing": _drawing,
    "layers": lambda _, __: parts.layers(),
    "charts": lambda _, __: parts.charts(),
    "inspector": lambda _, summary: inspector.show(summary),
    "sigmoid": _sigmoid,
    "train": lambda _, __: _train(own_input=False),
    "train as it is": lambda _, __: _train(own_input=True),
}
"""The parts of the workbench by the names that tasks use."""
_LIVE = {"totals": ("totals",), "drawing": ("drawing", "inspector"), "layers": ("layers",), "charts": ("charts",)}


def live(task: Task) -> list[str]:
    """The parts of the workbench that get their figures through the editor."""
    return [part for name in task.bench for part in _LIVE.get(name, ())]
