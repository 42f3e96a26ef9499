"""What one network shows, as figures: the parts of a page draw them.

`answer` needs no session: what it is asked for names the state. A route of the server calls it for a browser that
edits, so that the figures wait for no script; where there is no server the script's own message brings the same ones.
"""

import gzip
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from vggexplorer.architectures import Network
from vggexplorer.drawing import Quantity
from vggexplorer.errors import InputError
from vggexplorer.paths import EXPLORE
from vggexplorer.summary import Summary, summarize
from vggexplorer.ui import figures
from vggexplorer.ui.i18n import language, sentence
from vggexplorer.ui.link import State, read, write
from vggexplorer.ui.network import blocks, layers, title, totals
from vggexplorer.ui.network.edits import Edit
from vggexplorer.ui.session import instead, session
from vggexplorer.ui.state import current

PARTS: dict[str, Callable[[Summary], Any]] = {
    "totals": totals.described,
    "drawing": layers.drawn,
    "inspector": layers.inspected,
    "layers": layers.listed,
    "charts": figures.described,
}
"""The parts that a network has if it can take its input, by their names; `title` and `blocks` it always has."""


OWN = ("layer", "parts", "edit")
"""The keys of a request that are no link's."""


class Shown(NamedTuple):
    """What the parts show: a state, and the layer that was chosen in them."""

    state: State
    layer: str | None

    @staticmethod
    def now() -> "Shown":
        """What those of the present session show."""
        return Shown(current(), session.get("layer"))

    def query(self) -> str:
        """The text that names it: what the parts need of the link, in one language."""
        state = replace(self.state, lang=language(), task=None)
        return urlencode({**write(state, EXPLORE), "lang": language(), **({"layer": self.layer} if self.layer else {})})

    def after(self, act: Any) -> "Shown":
        """What is shown after something was done in a part; `InputError` if it cannot be done."""
        if isinstance(act, Mapping) and act.get("do") == "layer":
            return self._replace(layer=str(act.get("name")))
        if isinstance(act, Mapping) and act.get("do") == "shade":
            by = act["by"] if act.get("by") in get_args(Quantity) else ""
            return self._replace(state=replace(self.state, shade=by))
        return self._replace(state=replace(self.state, network=Edit.parse(act).of(self.state.network)))


def fits(network: Network) -> bool:
    """Whether a network can take its input."""
    try:
        summarize(*network)
    except InputError:
        return False
    return True


def figures_of(state: State, names: Iterable[str]) -> dict[str, Any]:
    """The figures of the parts `names` for the present session; title and blocks alone if the input does not fit."""
    found: dict[str, Any] = {"title": title.described(state.network), "blocks": blocks.described(state)}
    try:
        summary = summarize(*state.network)
    except InputError:
        return found
    return found | {name: PARTS[name](summary) for name in names if name in PARTS}


def carry(names: Iterable[str]) -> None:
    """Bring the figures of the parts `names` of the page, which is drawn as a whole."""
    blocks.carry(Shown.now().query(), figures_of(current(), names))


def answer(params: Mapping[str, list[str]]) -> dict[str, Any]:
    """The figures of the `parts` that are asked for, after an `edit` if there is one, and the query that names them.

    `params` are a `Shown.query`, and those two. What cannot be done is `refused`, with a sentence.
    """
    own = {key: params.get(key, [""])[-1] for key in OWN}
    state, _ = read({key: values for key, values in params.items() if key not in own})
    shown = Shown(state, own["layer"] or None)
    with instead({"state": state, "lang": state.lang or "en", "complaints": [], "layer": shown.layer}):
        try:
            if own["edit"]:
                shown = shown.after(_json(own["edit"]))
        except InputError as error:
            return {"refused": sentence(error)}
        session.update(state=shown.state, layer=shown.layer)
        return {"query": shown.query(), "figures": figures_of(shown.state, own["parts"].split(","))}


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


async def serve(request: Request) -> Response:
    """The route: the figures that the request's query asks for."""
    params = {key: request.query_params.getlist(key) for key in request.query_params}
    found = await run_in_threadpool(answer, params)
    body = gzip.compress(json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode(), 6)
    return Response(body, media_type="application/json", headers=_HEADERS)


_HEADERS = {"Content-Encoding": "gzip", "Cache-Control": "no-store"}
