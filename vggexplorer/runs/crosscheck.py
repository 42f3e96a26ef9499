"""Asking other tools for their counts: starts `vggexplorer.pytorch.crosscheck` and collects what it prints."""

import json
import threading
from collections.abc import Iterator
from typing import Any

from vggexplorer.architectures import Network
from vggexplorer.errors import reason_from_json
from vggexplorer.peers import PEERS, Measured, failure
from vggexplorer.processes import NoAnswerError, ask
from vggexplorer.text import format_network

CROSSCHECK_TIMEOUT = 120.0
"""Seconds after which the tools are given up."""


def crosscheck(network: Network, stop: threading.Event | None = None) -> Iterator[Measured]:
    """What each tool says of `network`, as soon as it does, or why it says nothing; `stop` as in `ask`.

    `InputError` if PyTorch is not installed.
    """
    missing, given = dict.fromkeys(PEERS), json.dumps(format_network(network)).encode()
    reason: object = "–"
    try:
        for found in map(
            _parse, ask("vggexplorer.pytorch.crosscheck", given=given, timeout=CROSSCHECK_TIMEOUT, stop=stop)
        ):
            yield found
            del missing[found.tool]
            if not missing:
                return  # PyTorch takes a second to tidy up
    except NoAnswerError as error:
        reason = error
    for tool in missing:
        yield Measured(tool, error=failure(tool, reason))


def _parse(found: dict[str, Any]) -> Measured:
    if "error" in found:
        return Measured(found["tool"], error=reason_from_json(found["error"]))
    return Measured(**found)
