"""What the documents say of serving the dashboard is what the code has."""

import re

from conftest import ROOT

from vggexplorer.reading.reader import MAX_CHARACTERS
from vggexplorer.server import dashboard, visitors
from vggexplorer.text import MAX_BLOCKS, MAX_LAYERS

DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text("utf-8")


def test_the_bounds_on_a_visitor_are_those_of_the_code() -> None:
    table = re.search(r"\n\n(\| what \| one visitor .*?)\n\n", DEPLOYMENT, re.DOTALL)
    assert table
    rows = table[1].splitlines()[2:]
    figures = [[int(each.replace(",", "")) for each in re.findall(r"\d[\d,]*\b", row)] for row in rows]
    file, message = (int(option.partition("=")[2]) for option in dashboard.SMALL[:2])
    files, each = visitors.FILES
    assert figures[:-1] == [
        [visitors.PAGES, visitors.PAGES_OF_ALL],
        [*map(int, visitors.REQUESTS)],
        [*map(int, visitors.MESSAGES)],
        [file, files, round(60 * each)],
        [message],
        [MAX_CHARACTERS],
    ]
    assert figures[-1][:2] == [MAX_BLOCKS, MAX_LAYERS]
