"""Credentials as `docker login` left them. They are in no message, no result and no representation
of a value."""

from __future__ import annotations

import base64
from typing import Any

from imgopt.errors import EnvironmentFailure

_HUB = "registry-1.docker.io"
_HUB_KEY = "docker.io"


class Login:
    """A user with a secret, or an identity token; prints as nothing of both."""

    __slots__ = ("_secret", "_token", "_user")

    def __init__(self, user: str, secret: str, token: str = "") -> None:
        self._user, self._secret, self._token = user, secret, token

    def __repr__(self) -> str:
        return "Login(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Login) and self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        return hash(self.__reduce__())

    def __reduce__(self) -> tuple[type[Login], tuple[str, str, str]]:
        """Workers on this machine and others get it with their task."""
        return Login, (self._user, self._secret, self._token)

    @property
    def basic(self) -> str | None:
        """The value of an Authorization header."""
        if not self._user:
            return None
        pair = f"{self._user}:{self._secret}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"

    @property
    def identity(self) -> str:
        """A token to get tokens with (OAuth 2), or ""."""
        return self._token


def login_of(host: str) -> Login | None:
    """From the Docker configuration ($DOCKER_CONFIG, else ~/.docker), its credential helpers
    included. Raises EnvironmentFailure where those cannot be read."""
    from docker import auth, errors

    try:
        found: dict[str, Any] | None = auth.load_config().resolve_authconfig(
            _HUB_KEY if host == _HUB else host
        )
    except (errors.DockerException, OSError, ValueError, TypeError, AttributeError) as error:
        raise EnvironmentFailure(
            f"the Docker configuration gives no credentials for {host}: {type(error).__name__}",
            hint="is config.json valid, and does its credential helper work?",
        ) from None
    if not found:
        return None
    values = {key.lower(): value or "" for key, value in found.items()}  # files and helpers differ
    user, secret = values.get("username", ""), values.get("password", "")
    token = values.get("identitytoken", "")
    return Login(user, secret, token) if user or token else None
