"""The table of blocks, and through it all that is done in the parts of a page: one component.

The browser keeps what it has done until the session says that it knows: each act has a number, and is done once,
whether it is told twice or comes late. Where the server has a route (`answers`), the browser has drawn the
figures by then.
"""

from collections.abc import Callable
from itertools import groupby
from typing import Any, cast, get_args

import streamlit as st

from vggexplorer.architectures import Block, Item
from vggexplorer.drawing import Quantity
from vggexplorer.notation import format_items
from vggexplorer.paths import IN_BROWSER
from vggexplorer.text import MAX_BLOCKS
from vggexplorer.ui.components import script
from vggexplorer.ui.i18n import sentence, t
from vggexplorer.ui.link import State
from vggexplorer.ui.network.edits import ACTIONS, NUMBERS, POOLS, WIDTHS, Edit, pool_name
from vggexplorer.ui.session import session
from vggexplorer.ui.state import edit_network, look_by

KEY = "blocks"
ADDRESS = "answer"
"""Where the server answers (`answers`), relative to the page's address."""
CARRIER = "figures"
_carrier = st.components.v2.component("vgg_figures", html="<div></div>", js=script("figures", "live.js"))
_blocks = st.components.v2.component("vgg_blocks", html='<div class="blocks"></div>', js=script("blocks", "blocks.js"))


_HIDEABLE = ("columns", "convolutions", "channels", "tools")


def described(state: State) -> dict[str, Any]:
    """The rows of the table, what of it is hidden, and what was wrong in the last edit."""
    own = state.architecture
    hidden = [name for name in _HIDEABLE if name in state.hide]
    rows: list[dict[str, Any]] = []
    if not {"columns", "convolutions", "channels"} <= set(hidden):
        for is_block, run in groupby(enumerate(own.items), lambda item: isinstance(item[1], Block)):
            found = list(run)
            rows += [_block(row, cast(Block, item)) for row, item in found] if is_block else [_text(found)]
    complaints = [sentence(error) for place, error in session["complaints"] if place == KEY]
    full = len(own.blocks) >= MAX_BLOCKS
    return {"rows": rows, "items": len(own.items), "full": full, "hidden": hidden, "complaint": " ".join(complaints)}


def _block(row: int, block: Block) -> dict[str, Any]:
    values = [getattr(block, field) for field in NUMBERS]
    described: dict[str, Any] = {"row": row, "values": [*values, pool_name(block), block.lrn]}
    if (growth := 2 * block.padding - block.kernel_size + 1) > 0 and block.stride == 1:
        described["note"] = t(
            "Each convolution of {place} adds {growth} to height and width: padding {padding} on both sides, "
            "kernel {kernel}.",
            place=t("block {number}", number=row + 1),
            growth=growth,
            padding=block.padding,
            kernel=block.kernel_size,
        )
    return described


def _text(run: list[tuple[int, Item]]) -> dict[str, Any]:
    """Layers that are in no block: one folded row that opens as text."""
    first, count = run[0][0], len(run)
    place = str(first + 1) if count == 1 else f"{first + 1}–{first + count}"
    label = t("{n} {n:layer|layers}", n=count)
    return {"row": first, "place": place, "label": label, "count": count, "text": format_items([i for _, i in run])}


def words() -> dict[str, Any]:
    """The words of the table: they stay while its numbers change."""
    place = t("block {number}")
    return {
        "block": t("Block"),
        "heads": [t("Convolutions"), t("Channels"), t("Kernel"), t("Stride"), t("Padding"), t("Pooling"), "LRN"],
        "labels": [
            t("Convolutions, {place}", place=place),
            t("Channels, {place}", place=place),
            *(t("{what}, {place}", what=t(what), place=place) for what in ("Kernel", "Stride", "Padding", "Pooling")),
            t("{what}, {place}", what="LRN", place=place),
        ],
        "menu": t("What to do with {place}", place=place),
        "more": t("More columns"),
        "more_help": t("Kernel, stride, padding, pooling, LRN."),
        "less": t("Less"),
        "greater": t("More"),
        "actions": {name: t(label) for name, label in ACTIONS.items()},
        "pools": {name: t("none") if name == "none" else name for name in POOLS},
        "widths": list(zip(WIDTHS, ("× ¼", "× ½", "× 2"), strict=True)),
        "width_help": t("All channels × {ratio}, rounded down; the head stays."),
        "text": t("{place}, in no block, as text; emptied, it is gone"),
        "text_help": t("As in conv64:k3:p1, pool3s2, bn, relu, drop0.5: what is not said is as in PyTorch."),
    }


def show(query: str, figures: Callable[[], dict[str, Any]]) -> None:
    """The table. When it runs alone it brings the figures that `query` names, unless the browser asks for them."""
    data: dict[str, Any] = {"query": query, "done": _done()}
    asks, whole = session.pop("asks", False), session.pop("whole run", False)
    if whole:
        data["whole"] = True  # the figures come with the page
    elif not asks:
        data["figures"] = figures()
    _blocks(key=KEY, data=data, on_acts_change=lambda: _told(KEY))


def carry(query: str, figures: dict[str, Any]) -> None:
    """The figures of a run of the whole page, and the words of the table; in the body of the page.

    The table itself stands in the sidebar, which is not drawn while it is closed, as it is on a phone.
    """
    data = {"query": query, "done": _done(), "figures": figures, "words": words()}
    _carrier(key=CARRIER, data=data | {"route": None if IN_BROWSER else ADDRESS}, on_acts_change=lambda: _told(CARRIER))


def _done() -> tuple[str, int]:
    """The page of a browser, and which of its acts was the last one."""
    found: tuple[str, int] = session.get("acts", ("", 0))
    return found


def _told(key: str) -> None:
    """Do what the browser says was done in it, if it is not done already."""
    message = session[key].get("acts")
    if not isinstance(message, dict) or not isinstance(message.get("acts"), list):
        return
    session["asks"] = bool(message.get("asks"))
    page, last = _done()
    for act in message["acts"]:
        number = act.get("n") if isinstance(act, dict) else None
        if isinstance(number, int) and (number > last or message.get("page") != page):
            page, last = str(message.get("page")), number
            session["acts"] = (page, last)
            _do(act)


def _do(act: dict[str, Any]) -> None:
    if act.get("do") == "layer":
        session["layer"] = str(act.get("name"))
    elif act.get("do") == "shade":
        look_by(act["by"] if act.get("by") in get_args(Quantity) else "")
    else:
        edit_network(lambda network: Edit.parse(act).of(network), KEY)
