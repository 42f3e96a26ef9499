"""Which runs are chosen in the list: ids in `session["chosen runs"]`, in the order in which they were chosen."""

from collections.abc import Sequence

from vggexplorer.ui.link import MAX_RUNS
from vggexplorer.ui.session import session
from vggexplorer.ui.state import look_at, look_at_sweep


def choose(ids: Sequence[str]) -> None:
    """Have these runs chosen in the list, and no sweep in view; two and more are in the link too."""
    session["chosen runs"] = chosen = list(dict.fromkeys(ids))[:MAX_RUNS]
    look_at_sweep(None)
    look_at(*(chosen if len(chosen) > 1 else ()))


def place(run_id: str) -> int:
    """The place of a run among the chosen ones, which gives it its colour wherever it is drawn."""
    ids: list[str] = session["chosen runs"]
    return ids.index(run_id)
