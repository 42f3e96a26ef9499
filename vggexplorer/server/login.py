"""Logging in by Streamlit's OIDC. It needs what is private in Streamlit: it is loaded only when secrets.toml asks."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from importlib.util import find_spec
from typing import Any
from urllib.parse import quote

from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse, Response
from streamlit import auth_util
from streamlit.web.server.starlette import starlette_websocket
from streamlit.web.server.starlette.starlette_server_config import USER_COOKIE_NAME

from vggexplorer.errors import InputError
from vggexplorer.server import answers
from vggexplorer.server.keys import Person, account_id

MIN_SECRET = 16
"""Characters of the `cookie_secret` that logins are signed with."""
_NEEDS_LOGIN = InputError("To come in, log in.")
_NOT_LISTED = InputError("You are logged in, but neither as a teacher nor as a student of this dashboard.")


class Login:
    """Streamlit's OIDC login, from `[auth]` of secrets.toml, and who may come in by it, from `[vggexplorer]` there."""

    def __init__(self, auth: Mapping[str, Any], people: Mapping[str, Any], damaged: bool = False) -> None:
        self.providers = [name for name, value in auth.items() if isinstance(value, Mapping) and "client_id" in value]
        if "client_id" in auth:
            self.providers.insert(0, "default")
        self._teachers, self._students = (_patterns(people.get(name)) for name in ("teachers", "students"))
        self.error: InputError | None = None
        if damaged:
            self.error = InputError("Nobody can log in: the file secrets.toml cannot be read.")
        elif len(str(auth.get("cookie_secret", ""))) < MIN_SECRET:
            self.error = InputError(
                "Nobody can log in: the cookie_secret in secrets.toml needs {least} or more random characters.",
                least=MIN_SECRET,
            )
        elif find_spec("authlib") is None:
            self.error = InputError("Nobody can log in: Authlib is not installed; pip install 'streamlit[auth]' helps.")

    def person(self, connection: HTTPConnection) -> Person | None:
        """Who is logged in, if they may come in."""
        claims = None if self.error else _claims(connection)
        if not claims or claims.get("is_logged_in") is not True or claims.get("email_verified") is False:
            return None
        email, subject = str(claims.get("email", "")).lower(), str(claims.get("sub", ""))
        teacher = any(fnmatchcase(email, pattern) for pattern in self._teachers)
        student = any(fnmatchcase(email, pattern) for pattern in self._students)
        if not subject or not (teacher or student):
            return None
        return Person(account_id(str(claims.get("iss", "")), subject), teacher)

    def page(self, connection: HTTPConnection, path: str) -> Response:
        """What somebody gets at `path` who is not in: where to log in, or why that cannot be."""
        if self.error:
            return answers.page(connection, self.error)
        if path == "/log-in" and (name := connection.query_params.get("with")) in self.providers:
            return RedirectResponse(f"./auth/login?provider={quote(auth_util.encode_provider_token(name))}")
        root = answers.up(path)
        links = {f"{root}log-in?with={quote(name)}": name for name in self.providers}
        if _claims(connection):
            links[f"{root}auth/logout"] = ""
            return answers.page(connection, _NOT_LISTED, links)
        return answers.page(connection, _NEEDS_LOGIN, links)


def _claims(connection: HTTPConnection) -> dict[str, Any] | None:
    """What the provider said of who is logged in, from the cookie that Streamlit signed."""
    try:
        signed = starlette_websocket._get_signed_cookie_with_chunks(connection.cookies, USER_COOKIE_NAME)
        claims = json.loads(signed) if signed else None
    except (ValueError, TypeError):
        return None
    return claims if isinstance(claims, dict) else None


def _patterns(texts: Any) -> list[str]:
    return [str(text).lower() for text in texts] if isinstance(texts, list | tuple) else []
