"""The records of a run, read while they are written: from a place on, or about so many of very many."""

from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from vggexplorer.runs.folder.records import Record, parse_line

BLOCK = 2**24
"""Bytes of records that are looked through at once."""


class Tail(NamedTuple):
    """Records read so far: where the next read begins, and whether a damaged line ended them."""

    records: list[Record]
    offset: int
    damaged: bool


def all_lines(file: BinaryIO, offset: int) -> Tail:
    """All records in lines that begin at byte `offset`."""
    records: list[Record] = []
    for line in file:
        if not line.endswith(b"\n"):
            break
        record = parse_line(line)
        if record is None:
            return Tail(records, offset, damaged=True)
        records.append(record)
        offset += len(line)
    return Tail(records, offset, damaged=False)


def some_lines(file: BinaryIO, offset: int, stride: int) -> Tail:
    """A record in every `stride` bytes from `offset` on, the last one, and all that have test figures."""
    records: list[Record] = []
    last = final = b""
    while block := file.read(BLOCK) + file.readline():
        end = block.rfind(b"\n") + 1
        sound = _sound(block, end)
        wanted = {block.rfind(b"\n", 0, at) + 1 for at in (*range(0, sound, stride), *_tested(block, sound))}
        for start in sorted(wanted):
            last = block[start : block.index(b"\n", start)]
            record = parse_line(last)
            if record is None:
                return Tail(records, offset + start, damaged=True)
            records.append(record)
        offset += sound
        if sound < end:
            return Tail(records, offset, damaged=True)
        if end:
            final = block[block.rfind(b"\n", 0, end - 1) + 1 : end - 1]
    if records and final != last and (record := parse_line(final)):
        records.append(record)
    return Tail(records, offset, damaged=False)


_BEGINNING = b'{"step": '


def _sound(block: bytes, end: int) -> int:
    """How far the lines up to `end` begin as records do."""
    if block.count(b"\n", 0, end) == block.count(_BEGINNING, 0, end):
        return end
    lines = block[:end].split(b"\n")
    bad = next((place for place, line in enumerate(lines) if not line.startswith(_BEGINNING)), len(lines))
    return sum(len(line) + 1 for line in lines[:bad])


def _tested(block: bytes, end: int) -> Iterator[int]:
    """Where lines have test figures."""
    at = -1
    while (at := block.find(b'"test_acc"', at + 1, end)) >= 0:
        yield at
