"""`vggexplorer runs --json`: its rows, from run folders made by hand."""

from pathlib import Path
from typing import Any

import pytest
from test_runs_page import config, make, result_json

from vggexplorer.runs import verdict
from vggexplorer.runs.folder import layout
from vggexplorer.runs.folder.files import write_json
from vggexplorer.terminal.runs import rows

UNEVEN = {"classes": ["a", "b"], "confusion": [[90, 10], [4, 6]]}


def test_the_balanced_accuracy_is_that_of_the_page(tmp_path: Path) -> None:
    run = make(tmp_path, "uneven")
    write_json(run.path / layout.RESULT, UNEVEN)
    known = verdict.facts(UNEVEN, config(), None)
    assert known
    (row,) = rows([run])
    assert row["balanced_acc"] == verdict.to_json(known)["balanced_acc"] == pytest.approx((0.9 + 0.6) / 2)


@pytest.mark.parametrize(
    "result", [{}, {"classes": ["a"]}, {"classes": ["a"], "confusion": [[0]]}, result_json() | {"confusion": "x"}]
)
def test_without_a_whole_matrix_there_is_none(tmp_path: Path, result: dict[str, Any]) -> None:
    run = make(tmp_path, "one")
    write_json(run.path / layout.RESULT, result)
    assert [row["balanced_acc"] for row in rows([run])] == [None]
    (run.path / layout.CONFIG).write_text("{")
    assert [(row["status"], row["balanced_acc"]) for row in rows([run])] == [("damaged", None)]
