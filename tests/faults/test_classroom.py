"""A small class, played by the benchmark: nobody sees an error, each has a run, the line is as they started."""

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import ROOT
from samples import either

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PEOPLE, MINUTES = either((30, 5.0), (4, 1.0))
pytestmark = pytest.mark.skipif(os.name != "posix", reason="the trainers are killed by POSIX signals")


def test_a_class_opens_a_lesson_edits_and_starts_a_demo_each(browser: "Browser") -> None:
    """The browser of the tests is not used; that it is there says that the benchmark finds one."""
    command = [sys.executable, ROOT / "benchmarks" / "classroom.py", "--people", str(PEOPLE), "--minutes", str(MINUTES)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["errors"] == []
    assert (found["runs"], found["failed"], found["in order"]) == (PEOPLE - 1, 0, True)
    assert found["edits"] >= 2 * PEOPLE
    assert found["real edits"] >= 2
