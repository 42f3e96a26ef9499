"""Somebody who visits the dashboard without a browser: speaks Streamlit's protocol, as far as a class needs it."""

import json
import time
from collections.abc import Mapping, Sequence
from itertools import count
from types import MappingProxyType
from typing import Any, NamedTuple, Self
from urllib.parse import urlencode

import httpx
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

LARGEST = 2**26
"""Bytes of a message."""
PROTOCOL = Subprotocol("streamlit")


NOTHING: Mapping[str, Mapping[str, object]] = MappingProxyType({})


class Part(NamedTuple):
    """A part of the page that tells something: its id, and the part of the script that runs for it."""

    id: str
    fragment: str


class Visitor:
    """A session at the server of `url`: `parts` are in view, by their keys; `errors` are what pages have shown."""

    def __init__(self, url: str, number: int) -> None:
        self.url, self.name = url, f"visitor {number}"
        self.parts: dict[str, Part] = {}
        self.told: dict[str, Any] = {}
        self.errors: list[str] = []
        self.query = self.page = ""
        self._acts = count(1)
        self._socket: ClientConnection | None = None
        self._http = httpx.AsyncClient(base_url=url, timeout=120, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._leave()
        await self._http.aclose()

    async def open(self, page: str, **params: str) -> float:
        """Seconds until a page is there whose address was opened, in a session of its own."""
        self.page, self.query, self.parts = page, urlencode(params), {}
        await self._leave()
        began = time.perf_counter()
        (await self._http.get(f"/{page}?{self.query}")).raise_for_status()
        address = self.url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await connect(address, subprotocols=[PROTOCOL], max_size=LARGEST, proxy=None)
        await self._run()
        return time.perf_counter() - began

    async def _leave(self) -> None:
        if self._socket:
            await self._socket.close()
            self._socket = None

    async def edit(self, row: int, field: str, value: object) -> tuple[float, float]:
        """Seconds until the figures with an edit of the table of blocks are there, and until the session knows."""
        act = {"do": "set", "row": row, "field": field, "value": value}
        began = time.perf_counter()
        asked = urlencode({"parts": "title,totals,blocks,drawing,layers,panel", "edit": json.dumps(act)})
        answer = await self._http.get(f"/answer?{self.query}&{asked}")
        found = answer.raise_for_status().json()
        drawn = time.perf_counter()
        if "refused" in found:
            self.errors.append(str(found["refused"]))
        else:
            self.query = str(found["query"]).lstrip("?")
        message = {"page": self.name, "asks": True, "acts": [{"n": next(self._acts)} | act]}
        await self._tell("blocks", "acts", message)
        if self.told["blocks"]["query"] != self.query:
            self.errors.append(f"the session has {self.told['blocks']['query']}, not {self.query}")
        return drawn - began, time.perf_counter() - drawn

    async def press(self, key: str) -> float:
        """Seconds until the page is there that the button of a key leads to."""
        began = time.perf_counter()
        place = self.parts[key]
        await self._run(place.fragment, {place.id: {"trigger_value": True}})
        return time.perf_counter() - began

    async def _tell(self, key: str, event: str, value: object) -> None:
        """Have a part of the page tell something."""
        place = self.parts[key]
        told = json.dumps([{"event": event, "value": value}])
        trigger = f"$$STREAMLIT_INTERNAL_KEY_{place.id}__events"
        await self._run(place.fragment, {place.id: {"json_value": "{}"}, trigger: {"json_trigger_value": told}})

    async def _run(self, fragment: str = "", widgets: Mapping[str, Mapping[str, object]] = NOTHING) -> None:
        """Have the page, or a part of it, run to its end, with these values of widgets, by their ids."""
        asked = BackMsg()
        state = asked.rerun_script
        state.query_string, state.page_name, state.fragment_id = self.query, self.page, fragment
        for widget_id, values in widgets.items():
            widget = state.widget_states.widgets.add()
            widget.id = widget_id
            for name, each in values.items():
                setattr(widget, name, each)
        if self._socket is None:
            raise RuntimeError("nothing is open")
        await self._socket.send(asked.SerializeToString())
        async for raw in self._socket:
            told = ForwardMsg()
            told.ParseFromString(raw)  # type: ignore[arg-type]
            match told.WhichOneof("type"):
                case "delta":
                    self._take(told.delta)
                case "script_finished" if told.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN:
                    return

    def _take(self, delta: Any) -> None:
        if delta.WhichOneof("type") != "new_element":
            return
        element = delta.new_element
        match element.WhichOneof("type"):
            case "bidi_component" | "button" as kind:
                own_id = getattr(element, kind).id
                self.parts[own_id.rpartition("-")[2]] = Part(own_id, delta.fragment_id)
                if kind == "bidi_component":
                    self.told[own_id.rpartition("-")[2]] = json.loads(element.bidi_component.json or "{}")
            case "exception":
                self.errors.append(element.exception.message)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which so many are; 0 of none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0
