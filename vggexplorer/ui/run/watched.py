"""A run while it goes on, as figures in words: its status, how far it is, what the network takes some pictures for.

The browser asks a route of the server for them, once a second at most, and lays them out (`assets/watch.js`): no page
runs for it. The page itself runs again only when what it draws besides has changed.
"""

from collections.abc import Mapping
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from vggexplorer.formatting import NO_BREAK, about, exact, percent, size
from vggexplorer.runs.config import Config
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.records import Outcome, Record
from vggexplorer.runs.folder.run import HEARTBEAT_TIMEOUT, Run
from vggexplorer.runs.folder.runs import Runs
from vggexplorer.runs.folder.status import Word
from vggexplorer.runs.forecasts import wait
from vggexplorer.server import live
from vggexplorer.text import title
from vggexplorer.ui.components import STYLE, script
from vggexplorer.ui.i18n import language, t
from vggexplorer.ui.link import LANGUAGES
from vggexplorer.ui.pictures import of_each_class
from vggexplorer.ui.run import actions
from vggexplorer.ui.run.rows import EYE, Row, read_row
from vggexplorer.ui.run.words import LOOKS, accuracy, classes, data_text, duration, loss, number, status
from vggexplorer.ui.session import instead

NEWEST = 10
"""How many of the newest runs may say how long something took the last time."""
_run = st.components.v2.component(
    "vgg_run",
    html='<div class="run part"><div class="line"><span class="swatch"></span><b></b><span class="badge"></span>'
    '<span class="about"></span></div>'
    '<p class="explained"></p><div class="bar"><div></div></div><p class="progress"></p>'
    '<div class="figures"></div>'
    '<p class="seen"></p><div class="answers"></div></div>',
    css=STYLE
    + """
.line { display: flex; flex-wrap: wrap; gap: 0.3rem 0.7rem; align-items: center; }
b:empty { display: none; }
p, .about { font-size: var(--type-label, 0.875rem); margin: 0; opacity: 0.85; }
.seen { margin-top: 0.5rem; }
p:empty { display: none; }
.swatch { width: 0.9rem; height: 0.9rem; border-radius: 50%; background: var(--color); display: none; }
.badge { padding: 0.1rem 0.55rem; border-radius: 0.4rem; font-weight: 600; font-size: var(--type-label, 0.875rem); }
.badge { color: var(--text); background: var(--ground); white-space: nowrap; }
.blue { --text: var(--st-blue-text-color); --ground: var(--st-blue-background-color); }
.green { --text: var(--st-green-text-color); --ground: var(--st-green-background-color); }
.orange { --text: var(--st-orange-text-color); --ground: var(--st-orange-background-color); }
.red { --text: var(--st-red-text-color); --ground: var(--st-red-background-color); }
.gray { --text: var(--st-gray-text-color); --ground: var(--st-gray-background-color); }
.bar { height: 0.5rem; border-radius: 0.25rem; margin: 0.6rem 0 0.3rem; overflow: hidden; }
.bar { background: var(--st-secondary-background-color); }
.bar div { height: 100%; background: var(--st-primary-color); }
.figures { display: flex; flex-wrap: wrap; gap: 0.4rem 1.25rem; align-items: flex-end; margin-top: 0.5rem; }
.answers:empty { display: none; }
.figures dl { margin: 0; font-variant-numeric: tabular-nums; }
dt { font-size: 0.8rem; opacity: 0.85; }
dd { margin: 0; font-size: var(--type-text, 1rem); line-height: 1.4; }
.large dd { font-size: var(--type-total, 1.75rem); font-weight: 600; line-height: 1.15; }
.answers { display: flex; flex-wrap: wrap; gap: 0.35rem; margin: 0.4rem 0 0 3px; }
figure { margin: 0; width: 4.6rem; }
canvas { display: block; width: 2.9rem; height: 2.9rem; image-rendering: pixelated; object-fit: contain; }
canvas { border-radius: 4px; outline: 3px solid var(--edge, transparent); }
canvas { background: var(--st-secondary-background-color); }
.right { --edge: var(--st-green-text-color); --sign: "✓ "; }
.wrong { --edge: var(--st-red-text-color); --sign: "✗ "; }
figcaption { font-size: 0.75rem; line-height: 1.2; margin-top: 0.35rem; overflow-wrap: anywhere; height: 2.4em; }
figcaption::before { content: var(--sign, none); font-weight: 700; color: var(--edge); }
.brief .swatch { display: block; }
.brief :is(.about, .seen, dl:nth-child(2), dl:nth-child(4), dl:nth-child(n + 7)) { display: none; }
.brief .answers { flex-wrap: nowrap; margin-top: 0.7rem; }
.brief figure { flex: 1 1 0; min-width: 0; max-width: 2.2rem; }
.brief canvas { width: 100%; height: auto; aspect-ratio: 1; }
.brief figcaption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
""",
    js=script("run", "watch.js"),
)


def address(run: Run) -> str:
    """Where a page asks about a run: an address relative to the page's."""
    return f"watch/{run.id}"


def show(row: Row) -> None:
    """The run as it is now, and as it goes on."""
    _show(row, "watched", {})


def show_brief(row: Row, key: str, color: str) -> None:
    """The same where others stand beside it: its name, the `color` of its curves, and the most important figures."""
    _show(row, key, {"name": row.title, "color": color})


def _show(row: Row, key: str, brief: Mapping[str, str]) -> None:
    def moved() -> None:
        """The page runs: it draws anew what has changed."""

    route = "" if row.run.recorded else f"{address(row.run)}?lang={language()}"  # what ships never changes
    _run(key=key, data={"id": row.run.id, "route": route, "now": told(row, True), **brief}, on_moved_change=moved)


def show_before(config: Config) -> None:
    """The same before there is a run: what will be trained, and pictures of what it will see."""
    now = _empty() | {
        "badge": {"text": t("not started"), "color": "gray"},
        "about": _about(config, config.device, {}),
        "progress": _epochs("0", config),
        "figures": [(name, "–") for name, _ in _figures(None, None, Outcome(status=Word.INTERRUPTED))],
        **_to_see(config, pictures=True),
    }
    _run(key="watched", data={"id": "", "route": "", "now": now}, on_moved_change=lambda: None)


def looked_at(row: Row) -> int | None:
    """The step that there is a close look at: the last one, while a run is paused after it or has ended with it."""
    at = row.status
    step = row.run.json(layout.STEP).get("step") if at.word == Word.PAUSED or not at.active else None
    return step if step == at.step else None


def _drawn(row: Row) -> str:
    """What the page says outside of this; when it changes, the page runs again."""
    word = "" if row.status.active else row.status.word
    known = bool(row.run.environment())
    others = [run_id for run_id in live.active(Runs.at()) if run_id != row.run.id]
    return repr((word, actions.of(row), actions.stopping(row), looked_at(row), known, others))


def told(row: Row, pictures: bool) -> dict[str, Any]:
    """The figures of a run in words, with the `pictures` themselves if there are some to be looked at."""
    look, last = LOOKS[row.status.word], row.run.last_record()
    found = _empty() | {
        "drawn": _drawn(row),
        "active": row.status.active,
        "trains_here": row.run.environment().get("device") == "cpu",
        "badge": {"text": f"{look.sign} {status(row.status.word)}", "color": look.color},
        "explained": _explained(row),
        **_answers(row, pictures),
    }
    if row.config:
        outcome, facts = row.run.outcome() or Outcome(status=Word.INTERRUPTED), row.run.environment()
        device = _telemetry(row.run.telemetry(), facts) if row.status.active else []
        found |= _progress(row, row.config)
        found |= {"about": _about(row.config, row.device, facts), "figures": [*_figures(row, last, outcome), *device]}
    return found


def _about(config: Config, device: str, facts: Mapping[str, Any]) -> str:
    """What is trained, how, on what, and where."""
    parts = [title(config.network), config.training.recipe, data_text(config.dataset), device]
    return " · ".join([*parts, *(str(facts[name]) for name in ("title", "precision") if facts.get(name))])


def _empty() -> dict[str, Any]:
    texts = dict.fromkeys(("drawn", "about", "explained", "progress", "seen", "pictures"), "")
    return texts | {"active": False, "part": 0.0, "figures": [], "answers": []}


def _explained(row: Row) -> str:
    """What a status means for a person; empty where the word says it all."""
    match row.status.word:
        case Word.WAITING if not row.status.ahead:
            return t("It waits until a node of the cluster has room for it.")
        case Word.WAITING:
            before = t(
                "{count} {count:run is|runs are} before this one in the line for the device.", count=row.status.ahead
            )
            seconds = wait(row.run)
            return before if seconds is None else f"{before} {t('Its turn is in about {time}.', time=about(seconds))}"
        case Word.INTERRUPTED:
            return t(
                "The trainer was interrupted at step {step}. Resume goes on from its last checkpoint, step {saved}.",
                step=row.status.step,
                saved=row.run.saved_step(),
            )
        case Word.UNRESPONSIVE:
            return t(
                "The trainer has not answered for {seconds} s. It may be suspended, or its computer asleep.",
                seconds=f"{HEARTBEAT_TIMEOUT:g}",
            )
        case Word.STOPPED:
            return t("Stopped at step {step}. Resume goes on there.", step=row.status.step)
    return ""


def _loading(run: Run) -> float | None:
    """How many seconds it took to load PyTorch the last time, if one of the newest runs says so."""
    newest = Runs(run.path.parent).all(recorded=False)[:NEWEST]
    return next((each for run in newest if (each := _loaded(run)) is not None), None)


def _loaded(run: Run) -> float | None:
    outcome = run.outcome()
    return number(outcome.parts.get("import")) if outcome else None


def _progress(row: Row, config: Config) -> dict[str, Any]:
    """How far it is, how long it takes still, and how fast it is with all that is not a step."""
    found = row.run.progress(row.status)
    if not found:
        parts = [_epochs("0", config)]
        if row.status.word == Word.STARTING and (seconds := _loading(row.run)) is not None:
            parts.append(t("PyTorch is loaded, the last time that took {seconds} s", seconds=f"{seconds:.1f}"))
        return {"progress": " · ".join(parts)}
    parts = [_epochs(f"{found.last.epoch:.2f}", config)]
    if row.status.active and found.left is not None:
        parts.append(t("{time} left", time=duration(found.left)))
    parts.append(t("{speed} examples/s with testing", speed=exact(round(found.last.examples_per_sec_wall))))
    return {"part": min(1.0, found.step / found.steps), "progress": " · ".join(parts)}


def _epochs(epoch: str, config: Config) -> str:
    return t("Epoch {epoch} of {epochs}", epoch=epoch, epochs=config.training.epochs)


def _figures(row: Row | None, last: Record | None, outcome: Outcome) -> list[tuple[str, str]]:
    """The test accuracy, then the figures that the book prints, and what they cost."""
    speed = number(last.examples_per_sec if last else outcome.examples_per_sec)  # of the steps alone, as in the book
    return [
        (t("Last test accuracy"), accuracy(row and row.last)),
        (t("Best test accuracy"), accuracy(row and row.best)),
        (t("Train loss"), loss(number(last.train_loss if last else outcome.loss))),
        (t("Train accuracy"), accuracy(number(last.train_acc if last else outcome.train_acc))),
        (t("Examples per second"), "–" if speed is None else exact(round(speed))),
        (t("Time"), duration(row and row.seconds)),
        (t("Memory"), size(last.memory) if last and last.memory else "–"),
    ]


def _telemetry(sample: Mapping[str, Any], about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The last sample of the device in words."""
    known = {key: value for key in sample if (value := number(sample[key])) is not None}
    figures = []
    if "temperature" in known:
        figures.append((t("Temperature"), f"{known['temperature']:g}{NO_BREAK}°C"))
    if "power" in known:
        limit = f" / {known['power_limit']:.0f}" if "power_limit" in known else ""
        figures.append((t("Power"), f"{known['power']:.0f}{limit}{NO_BREAK}W"))
    if "memory" in known:
        whole = f" / {size(round(known['memory_total']))}" if "memory_total" in known else ""
        figures.append((t("Memory in use"), f"{size(round(known['memory']))}{whole}"))
    if "utilization" in known:
        gpu = str(about.get("device")).startswith("cuda")
        figures.append((t("GPU busy") if gpu else t("Processors busy"), f"{known['utilization']:.0f}{NO_BREAK}%"))
    return figures


def _to_see(config: Config, pictures: bool) -> dict[str, Any]:
    """A picture of each class, if the data are known."""
    known = config.dataset.known
    of_each = of_each_class(config.dataset.kind) if known else []
    if not known or not of_each:
        return {}
    names = classes(list(known.classes))
    items = [{"caption": name, "picture": picture} for name, picture in zip(names, of_each, strict=False)]
    items = items if pictures else [{"caption": name} for name in names]
    return {"pictures": config.dataset.kind, "seen": t("What it will see"), "answers": items}


def _answers(row: Row, pictures: bool) -> dict[str, Any]:
    """What the network takes some test pictures for: captions, whether they are right, and perhaps the pictures."""
    names, found = classes(row.run.environment().get("classes")), row.run.json(layout.ANSWERS)
    try:
        items = [_answer(each, names, pictures) for each in found["answers"]]
        seen = t("What the network takes some test pictures for, after step {step}", step=f"{found['step']:,}")
    except (LookupError, TypeError, ValueError):
        return _to_see(row.config, pictures) if row.config and row.status.active else {}
    return {"pictures": row.run.id, "seen": seen, "answers": items}


def _answer(found: Mapping[str, Any], names: list[str], pictures: bool) -> dict[str, Any]:
    guess, right = found["guess"], found["guess"] == found["label"]
    text = f"{names[guess]} {percent(found['chance'], 1)}"
    return {"caption": text, "right": right, **({"picture": found["picture"]} if pictures else {})}


async def serve(request: Request) -> Response:
    """The route `/watch/{run}?lang=LANGUAGE&pictures=1`: how the run is now, and a word to its trainer."""
    run = Runs.at().get(request.path_params["run"])
    lang = request.query_params.get("lang", "en")
    if run is None or lang not in LANGUAGES:
        return Response(status_code=404)

    def look() -> dict[str, Any]:
        with instead({"lang": lang}):
            row = read_row(run, EYE)
            if row.status.active:
                run.watch()
            return told(row, pictures="pictures" in request.query_params)

    return JSONResponse(await run_in_threadpool(look), headers={"Cache-Control": "no-store"})
