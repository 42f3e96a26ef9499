"""A process that is asked: what it tells, how it fails, and that it never outlives who asks."""

import threading
import time
from pathlib import Path

import pytest
from conftest import ROOT, wait_until

from vggexplorer import processes
from vggexplorer.errors import InputError
from vggexplorer.processes import NoAnswerError, StoppedError, answer, ask, process_began

MODULE = "module_that_is_asked"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a module that can be asked; what it does is still to be written."""
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{ROOT}")
    return tmp_path / f"{MODULE}.py"


def says(module: Path, *objects: str, head: str = "") -> None:
    """The module does what `head` says, then tells these objects."""
    module.write_text(
        "import os, sys, time\nfrom vggexplorer.errors import InputError\nfrom vggexplorer.processes import tell\n"
        f"def objects():\n    {head or 'pass'}\n" + "".join(f"    yield {each}\n" for each in objects or ("from ()",))
        + "sys.exit(tell(objects()))\n", encoding="utf-8"
    )  # fmt: skip


def test_the_objects_come_as_they_are_told(module: Path) -> None:
    says(module, "{'done': 1}", "{'given': sys.stdin.read(), 'arguments': sys.argv[1:]}")
    assert list(ask(MODULE, "a b", "-c", given=b"text")) == [{"done": 1}, {"given": "text", "arguments": ["a b", "-c"]}]
    assert answer(MODULE) == {"given": "", "arguments": []}


def test_what_others_print_does_not_matter(module: Path) -> None:
    says(module, "print('[5]') or {'n': 1}", head="os.write(1, b'a warning\\n{\\n[1]\\n5\\n')")
    assert list(ask(MODULE)) == [{"n": 1}]


def test_its_own_sentence_arrives_with_its_parts(module: Path) -> None:
    says(module, head="raise InputError('{n:,} bytes', n=1234)")
    with pytest.raises(InputError) as caught:
        list(ask(MODULE))
    assert (caught.value.template, caught.value.values) == ("{n:,} bytes", {"n": 1234})
    assert not isinstance(caught.value, NoAnswerError)


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        ("sys.exit('no such thing\\n\\nat last: too bad\\n')", "at last: too bad"),
        ("sys.exit(3)", "status 3"),
        ("pass", "status 0"),
        ("raise ImportError('libtorch is damaged')", "ImportError: libtorch is damaged"),
        ("os._exit(4)", "status 4"),
    ],
)
def test_a_process_that_fails_says_why(module: Path, head: str, reason: str) -> None:
    says(module, head=head)
    with pytest.raises(NoAnswerError) as caught:
        answer(MODULE)
    assert str(caught.value) == reason


def test_a_status_after_an_answer_is_a_failure(module: Path) -> None:
    says(module, "{'n': 1}", "sys.exit('worn out')")
    found = ask(MODULE)
    assert next(found) == {"n": 1}
    with pytest.raises(NoAnswerError, match="worn out"):
        next(found)


def test_a_module_that_is_not_there(module: Path) -> None:
    with pytest.raises(NoAnswerError, match=f"No module named {MODULE}"):
        answer(MODULE)


def test_a_process_that_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    with pytest.raises(NoAnswerError, match="No such file or directory"):
        answer(MODULE)


def test_files_in_the_current_folder_are_not_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{MODULE}.py").write_text("print('{}')")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoAnswerError, match="No module named"):
        answer(MODULE)


def test_pytorch_is_needed_where_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "find_spec", lambda name: None)
    with pytest.raises(InputError, match="needs PyTorch, which is not installed here"):
        answer("vggexplorer.pytorch.devices")


# --- how it ends ---------------------------------------------------------------------------------------------


def is_gone(pid: int) -> bool:
    return process_began(pid) is None


def sleeping(module: Path) -> None:
    says(module, "{'pid': os.getpid()}", "time.sleep(60) or {}")


def test_one_that_takes_too_long_is_ended(module: Path) -> None:
    sleeping(module)
    found = ask(MODULE, timeout=1.5)
    pid = next(found)["pid"]
    with pytest.raises(NoAnswerError, match=r"no answer within 1\.5 s"):
        next(found)
    assert is_gone(pid)


def test_one_that_is_stopped_is_ended(module: Path) -> None:
    sleeping(module)
    stop = threading.Event()
    found = ask(MODULE, stop=stop)
    pid = next(found)["pid"]
    threading.Timer(0.1, stop.set).start()
    began = time.monotonic()
    with pytest.raises(StoppedError):
        next(found)
    assert time.monotonic() - began < 5
    assert is_gone(pid)


def test_one_that_nobody_listens_to_is_ended(module: Path) -> None:
    sleeping(module)
    found = ask(MODULE)
    pid = next(found)["pid"]
    del found
    wait_until(lambda: is_gone(pid), 5, "its end")


def test_neither_a_large_question_nor_a_large_log_blocks(module: Path) -> None:
    says(module, "{'bytes': len(sys.stdin.buffer.read())}", head="sys.stderr.write('x' * 10**6)")
    assert answer(MODULE, given=bytes(10**6)) == {"bytes": 10**6}
