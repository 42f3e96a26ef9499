"""A long link, which comes in pieces as it does from afar."""

import socket
from contextlib import suppress
from time import sleep
from urllib.parse import urlsplit

import pytest
from conftest import Server

from vggexplorer.lessons.packed import MOST_PACKED
from vggexplorer.server import heads

PIECE = 8_192


def status(server: Server, link: str, referrer: str = "") -> int:
    """What a request that comes piece by piece is answered; 0 if the connection was ended."""
    at = urlsplit(server.url)
    head = f"GET {link} HTTP/1.1\r\nHost: {at.netloc}\r\nReferer: {referrer}\r\nConnection: close\r\n\r\n".encode()
    with socket.create_connection((at.hostname, at.port), timeout=20) as connection, suppress(OSError):
        for begin in range(0, len(head), PIECE):
            connection.sendall(head[begin : begin + PIECE])
            sleep(0.02)
        return int(connection.recv(100).split()[1])
    return 0


@pytest.mark.parametrize("length", [0, MOST_PACKED])
def test_a_link_with_the_longest_lesson_is_answered_and_what_its_page_asks_for(dashboard: Server, length: int) -> None:
    link = f"/learn?lesson={'x' * length}"
    assert status(dashboard, link) == 200
    assert status(dashboard, link, referrer=dashboard.url + link) == 200


def test_a_head_that_does_not_end_is_refused(dashboard: Server) -> None:
    assert status(dashboard, f"/learn?lesson={'x' * 2 * heads.MOST}") in (0, 400)
