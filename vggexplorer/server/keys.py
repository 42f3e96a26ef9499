"""Who somebody is, and the links and cookies that say so.

On this machine's own address everybody is the person at the machine. On any other one nobody comes in without a
link: the teacher's works once (the next one is printed then), the students' as often as it is opened. A browser
that came in by a link keeps a signed cookie; it says who somebody is, and survives a restart of the server.
"""

import hashlib
import hmac
import os
import re
import secrets
import time
from dataclasses import dataclass
from pathlib import Path

from vggexplorer.errors import InputError

TOKEN_BYTES = 32
"""256 bits from the system's source of randomness, for each token and for the key that signs cookies."""
COOKIE_DAYS = 200
"""A term; then a browser needs a link again."""
KEY_FILE = "access.key"
_COOKIE = re.compile(r"([ts])\.([0-9a-f]{16})\.([0-9]{1,12})\.([0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the dashboard: the `id` is kept with the runs they start, the teacher may change all runs."""

    id: str
    teacher: bool

    def may_change(self, owner: str) -> bool:
        """Whether they may stop, resume, rename and delete a run that `owner` started."""
        return self.teacher or (self.id != "" and self.id == owner)


HERE = Person("", True)
"""The person at the machine: there is no login on its own address, so everybody is the same one."""
NOBODY = Person("", False)
"""Of whom nothing is known: is shown nothing."""
VISITOR = Person("visitor", False)
"""Everybody who comes to a dashboard that is there to look at; nothing is theirs."""
ungated = NOBODY
"""Who sits at a page that no gate stands before; only a test sets it to somebody."""


class Keys:
    """The links that are valid now, and the key that signs cookies: a file in `folder` that only we can read."""

    def __init__(self, folder: Path) -> None:
        self._secret = _secret(folder)
        self.teacher_token = secrets.token_urlsafe(TOKEN_BYTES)
        self.student_token = secrets.token_urlsafe(TOKEN_BYTES)

    def admit(self, token: str, known: Person | None = None) -> Person | None:
        """Who comes in with `token`; somebody `known` stays who they are. The teacher's token is a new one then."""
        if _same(token, self.teacher_token):
            self.teacher_token = secrets.token_urlsafe(TOKEN_BYTES)
            return Person(known.id if known else _new_id(), True)
        if _same(token, self.student_token):
            return known or Person(_new_id(), False)
        return None

    def cookie(self, person: Person) -> str:
        """What the browser keeps for `person`."""
        about = f"{'t' if person.teacher else 's'}.{person.id}.{int(time.time())}"
        return f"{about}.{self._signature(about)}"

    def person(self, cookie: str | None) -> Person | None:
        """Whose cookie it is; None if it is not one of ours, was changed, or is too old."""
        found = _COOKIE.fullmatch(cookie or "")
        if not found or not _same(found[4], self._signature(found[0].rpartition(".")[0])):
            return None
        if time.time() - int(found[3]) > COOKIE_DAYS * 86_400:
            return None
        return Person(found[2], found[1] == "t")

    def _signature(self, about: str) -> str:
        return hmac.new(self._secret, about.encode(), hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    """In a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())


def _new_id() -> str:
    return secrets.token_hex(8)


def account_id(issuer: str, subject: str) -> str:
    """The id of somebody who logged in: the same at each login, and not readable back to a name."""
    return hashlib.sha256(f"{issuer}\n{subject}".encode()).hexdigest()[:16]


def _secret(folder: Path) -> bytes:
    """The key in `folder`, made on the first call; `InputError` if it cannot be read or is damaged."""
    path = folder / KEY_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            beside = path.with_name(f".{KEY_FILE}.{secrets.token_hex(4)}")
            # Nobody else may read it; on Windows the folder of the user sees to that, the mode does nothing.
            with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(TOKEN_BYTES))
            os.replace(beside, path)
        key = path.read_bytes()
    except OSError as error:
        raise InputError(
            "The key of the dashboard, {path}, cannot be used: {reason}", path=path, reason=error.strerror or str(error)
        ) from error
    if len(key) != TOKEN_BYTES:
        raise InputError("The key of the dashboard, {path}, is damaged; without it a new one is made.", path=path)
    return key
