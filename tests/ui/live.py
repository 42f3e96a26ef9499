"""The parts that a browser draws, in AppTest: what they are told, and what is done in them."""

import json
from itertools import count
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.testing.v1 import AppTest

_numbers = count(1)
FIELDS = ("num_convs", "out_channels", "kernel_size", "stride", "padding", "pool", "lrn")


def told(test: AppTest) -> dict[str, Any]:
    """What the browser is told with the whole page; empty where there is no network to edit."""
    return data(test, "figures")


def figures(test: AppTest) -> dict[str, Any]:
    """The figures of all parts that are in view."""
    return dict(told(test).get("figures", {}))


def value(test: AppTest, row: int, field: str) -> Any:
    """What stands in a field of the table."""
    (values,) = (each["values"] for each in figures(test)["blocks"]["rows"] if each["row"] == row)
    return values[FIELDS.index(field)]


def perform(test: AppTest, *acts: dict[str, Any], asks: bool = False, page: str = "a page") -> None:
    """Do something in the parts of the page."""
    message = {"page": page, "asks": asks, "acts": [{"n": next(_numbers)} | act for act in acts]}
    trigger(test, "blocks", "acts", message)


def trigger(test: AppTest, key: str, event: str, value: Any) -> None:
    """Have a component tell something."""
    states = test._tree.get_widget_states()
    widget = states.widgets.add()
    widget.id = _make_trigger_id(_components(test, key)[0].proto.id, "events")
    widget.json_trigger_value = json.dumps([{"event": event, "value": value}])
    test._run(states)
    assert not test.exception


def data(test: AppTest, key: str) -> dict[str, Any]:
    """What a component is told; empty where it is not in view."""
    found = _components(test, key)
    return dict(json.loads(found[0].proto.json)) if found else {}


def watched(test: AppTest, key: str = "watched") -> dict[str, Any]:
    """What the browser is told of a run in view, with the page."""
    return dict(data(test, key)["now"])


def run_figures(test: AppTest) -> dict[str, str]:
    """The figures of a run in view, by their names."""
    return {name: text.replace("\xa0", " ") for name, text in watched(test)["figures"]}


def _components(test: AppTest, key: str) -> list[Any]:
    return [each for each in test.get("bidi_component") if each.proto.id.endswith(f"-{key}")]
