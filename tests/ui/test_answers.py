"""What one network shows as data, for a browser that has no session: the core's figures, and every edit done once."""

import json
from typing import Any
from urllib.parse import parse_qsl

import live
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import examples
from strategies import edited_networks
from streamlit.testing.v1 import AppTest
from test_pages import MAIN, Explore, expected, written

from vggexplorer.architectures import NETWORKS, Network
from vggexplorer.errors import InputError
from vggexplorer.summary import summarize
from vggexplorer.text import KEYS, checked
from vggexplorer.ui.i18n import capital
from vggexplorer.ui.link import PARTS as LINK
from vggexplorer.ui.link import State, read, write
from vggexplorer.ui.network.answers import OWN, PARTS, answer
from vggexplorer.ui.network.edits import ACTIONS, NUMBERS, POOLS, WIDTHS, Edit

ALL = ",".join(PARTS)


def test_what_a_request_has_beside_a_link_is_no_part_of_one() -> None:
    assert not set(OWN) & {"arch", *KEYS, *LINK}


def asked(network: Network, act: Any = None, parts: str = ALL, **more: str) -> dict[str, Any]:
    params = {key: [text] for key, text in write(State(network=network)).items() if isinstance(text, str)}
    acts = {} if act is None else {"edit": [act if isinstance(act, str) else json.dumps(act)]}
    return answer(params | acts | {"parts": [parts]} | {key: [text] for key, text in more.items()})


@pytest.mark.sample(5)
@pytest.mark.parametrize("name", NETWORKS)
def test_a_named_network_has_the_cores_figures(name: str) -> None:
    found = asked(NETWORKS[name])
    assert found["figures"].keys() == PARTS.keys() | {"title", "blocks"}
    assert found["figures"]["title"]["name"] == name
    assert written(found["figures"]["totals"]) == expected(summarize(*NETWORKS[name]))
    assert json.dumps(found, allow_nan=False)


edits = st.one_of(
    st.builds(lambda row, field, value: {"do": "set", "row": row, "field": field, "value": value},
              st.integers(0, 6), st.sampled_from(NUMBERS), st.integers(-1, 70)),
    st.builds(lambda row, pool: {"do": "set", "row": row, "field": "pool", "value": pool},
              st.integers(0, 6), st.sampled_from(list(POOLS))),
    st.builds(lambda row, do: {"do": do, "row": row}, st.integers(0, 6), st.sampled_from(list(ACTIONS))),
    st.builds(lambda ratio: {"do": "width", "row": 0, "value": ratio}, st.sampled_from(WIDTHS)),
    st.builds(lambda row, count, text: {"do": "text", "row": row, "value": [count, text]},
              st.integers(0, 3), st.integers(0, 2), st.sampled_from(["", "relu", "conv8:k1,bn", "1x4", "x"])),
)  # fmt: skip


@given(edited_networks(), edits)
@settings(examples(150))
def test_an_edit_is_that_of_the_core_and_named_by_its_query(network: Network, edit: dict[str, Any]) -> None:
    found = asked(network, edit)
    refused = ""
    try:
        after = checked(Edit.parse(edit).of(network))
    except InputError as error:
        refused = capital(str(error))
    if refused:
        assert found == {"refused": refused}
        return
    state, errors = read(dict(parse_qsl(found["query"])))
    assert (state.network, errors) == (after, [])


@pytest.mark.parametrize(
    "act",
    [
        *("{", "5", "[]", "null", '"set"', "[" * 100_000, '{"do": "set"}', '{"do": "set", "row": true}'),
        *({"do": do, "row": 0, "field": "lrn", "value": "x"} for do in ("erase", "__class__")),
        {"do": "set", "row": 0, "field": "__class__", "value": 1},
        *({"do": "set", "row": 0, "field": "out_channels", "value": value} for value in (None, "8", 8.5, [8], True)),
        {"do": "set", "row": -1, "field": "out_channels", "value": 8},
        {"do": "set", "row": 0, "field": "lrn", "value": "yes"},
        {"do": "set", "row": 0, "field": "pool", "value": ["max", 2]},
        {"do": "width", "row": 0, "value": "1/3"},
        {"do": "text", "row": 0, "value": "relu"},
        {"do": "text", "row": 0, "value": [-1, "relu"]},
    ],
)
def test_what_is_no_edit_is_refused_with_a_sentence(act: Any) -> None:
    (text,) = asked(NETWORKS["LeNet"], act).values()
    assert text[0].isupper()
    assert text.endswith(".")


def test_an_item_that_is_gone_is_not_edited() -> None:
    network = NETWORKS["LeNet"]
    assert Edit("delete", 7).of(network) == network


def test_where_the_input_does_not_fit_the_title_and_the_table_are_there() -> None:
    assert answer({"input": ["1x16x16"], "parts": [ALL]})["figures"].keys() == {"title", "blocks"}


def test_a_layer_and_colours_are_in_the_query() -> None:
    found = asked(NETWORKS["LeNet"], {"do": "layer", "name": "features.0"})
    assert found["query"].endswith("layer=features.0")
    assert found["figures"]["inspector"]["name"] == "features.0"
    assert "shade=macs" in asked(NETWORKS["LeNet"], {"do": "shade", "by": "macs"})["query"]
    assert "shade" not in asked(NETWORKS["LeNet"], {"do": "shade", "by": "weight"})["query"]


def test_a_language_of_its_own() -> None:
    assert "类" in asked(NETWORKS["LeNet"], lang="zh")["figures"]["title"]["about"]


# --- the session ------------------------------------------------------------------------------------------------


def test_an_act_is_done_once_however_often_it_is_told() -> None:
    test: AppTest = Explore(arch="1x8").test
    act = {"n": 5_000, "do": "duplicate", "row": 0}
    for acts in ([act], [act], [act, {"n": 5_001, "do": "set", "row": 1, "field": "out_channels", "value": 9}], [act]):
        live.perform(test, *acts)
    assert test.query_params["arch"] == "1x8,1x9"
    assert live.told(test)["done"] == ["a page", 5_001]
    live.perform(test, act | {"n": 1}, page="the page, loaded again")
    assert test.query_params["arch"] == "1x8,1x8,1x9"


def test_what_is_no_act_is_nothing() -> None:
    test = AppTest.from_file(MAIN, default_timeout=30).run()
    for act in ({"n": "x"}, {"n": 10**6, "do": None}, {"n": 10**6 + 1}):
        live.perform(test, act)
    assert dict(test.query_params) == {}
