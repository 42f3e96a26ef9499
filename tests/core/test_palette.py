"""Colours: each stands in one place, can be seen on both pages, and is a run's wherever that is drawn."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from test_runs_page import Page, folder, make  # noqa: F401 (a fixture)

from vggexplorer import palette

THEME = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())["theme"]
PAGES = [THEME[name]["backgroundColor"] for name in ("light", "dark")]
LITERAL = re.compile(r"#(?:[0-9a-f]{8}|[0-9a-f]{6}|[0-9a-f]{3,4})\b(?![-\w])", re.IGNORECASE)


def brightness(color: str) -> float:
    """Relative luminance, as WCAG defines it."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted(brightness({"white": "#ffffff"}.get(color, color)) for color in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_colours_stand_in_the_palette_alone() -> None:
    files = [path for kind in ("py", "js", "css") for path in (ROOT / "vggexplorer").rglob(f"*.{kind}")]
    found = {path.name for path in (*files, *(ROOT / "pages").glob("*.py")) if LITERAL.search(path.read_text("utf-8"))}
    assert found == {"palette.py"}


def test_the_theme_of_the_pages_has_the_colours_of_the_palette() -> None:
    assert palette.LINK.light == THEME["light"]["primaryColor"]
    assert palette.ON_PRIMARY.dark == THEME["dark"]["backgroundColor"]


@pytest.mark.parametrize("color", [*palette.COLORS.values(), *palette.SERIES])
def test_what_is_drawn_can_be_seen_on_both_pages(color: str) -> None:
    assert min(contrast(color, page) for page in PAGES) >= 3


@pytest.mark.parametrize("pair", [palette.LINK, palette.RED])
def test_what_is_written_can_be_read_on_both_pages(pair: palette.Pair) -> None:
    assert min(contrast(color, page) for color, page in zip(pair, PAGES, strict=True)) >= 4.5


def test_what_is_written_on_a_button_can_be_read() -> None:
    grounds = [THEME[name]["primaryColor"] for name in ("light", "dark")]
    assert min(map(contrast, palette.ON_PRIMARY, grounds)) >= 4.5
    assert min(map(contrast, palette.RED, palette.RED_GROUND)) >= 4.5


def test_there_are_as_many_symbols_as_colours() -> None:
    assert len(set(palette.SERIES)) == len(set(palette.SYMBOLS)) == len(palette.SERIES)
    assert palette.series(len(palette.SERIES) + 1) == palette.series(1)


def test_a_run_has_one_colour_in_table_curves_and_scatter(folder: Path) -> None:  # noqa: F811
    """Also where a run before it cannot be drawn: one that cannot be read, one without a test."""
    runs = [make(folder, f"run {day}", day=day) for day in range(1, 6)]
    (runs[0].path / "config.json").write_text("{")
    (runs[2].path / "outcome.json").unlink()
    (runs[2].path / "metrics.jsonl").unlink()
    parts: dict[str, dict[str, Any]] = {
        component.key: json.loads(component.proto.json)
        for component in Page(*(run.id for run in runs)).test.get("bidi_component")
    }
    table = parts["runs table"]["colors"]
    curves = {run["id"]: (run["color"], run["symbol"]) for run in parts["chosen curves"]["runs"]}
    marks = {mark["name"]: mark["marker"] for mark in parts["runs scatter"]["figure"]["data"]}
    assert len(set(table.values())) == len(table) == len(runs)
    assert curves.keys() == {run.id for run in runs[1:]}
    assert marks.keys() == {run.name() for run in (runs[1], runs[3], runs[4])}
    for run in runs[1:]:
        assert curves[run.id][0] == table[run.id]
        if run.name() in marks:
            assert (marks[run.name()]["color"], marks[run.name()]["symbol"]) == curves[run.id]
