"""Bearer tokens (distribution-spec's token authentication) and basic credentials for one registry.

A token is for one repository or for the catalog; it is asked for where the registry says, with what
`docker login` left, and asked for again when it is not taken any more.
"""

from __future__ import annotations

import re
import threading
from typing import Any
from urllib.parse import urlsplit

from imgopt.fleet.scan.login import Login
from imgopt.image.registry import is_local

_SECONDS = 30
_FIELD = re.compile(r'(\w+)="([^"]*)"')
_REPOSITORY = re.compile(r"^/v2/(.+)/(?:tags|manifests|blobs)/")
_CLIENT = "imgopt"


class Tokens:
    """Authorization headers by what is asked for; safe under several threads."""

    def __init__(self, session: Any, root: str, login: Login | None) -> None:
        self._session, self._root, self._login = session, root, login
        self._lock = threading.Lock()
        self._headers: dict[str, str] = {}

    def __repr__(self) -> str:
        return "Tokens(…)"

    def header(self, path: str) -> dict[str, str]:
        with self._lock:
            known = self._headers.get(_scope(path))
        return {"Authorization": known} if known else {}

    def renew(self, path: str, challenge: str) -> bool:
        """After a 401; whether there is something new to try."""
        kind = challenge.partition(" ")[0].lower()
        fresh: str | None = None
        if kind == "basic":
            fresh = self._login.basic if self._login is not None else None
        elif kind == "bearer":
            token = self._token(dict(_FIELD.findall(challenge)), _scope(path))
            fresh = f"Bearer {token}" if token else None
        if fresh is None:
            return False
        with self._lock:
            if kind == "basic" and self._headers.get(_scope(path)) == fresh:
                return False
            self._headers[_scope(path)] = fresh
        return True

    def _token(self, fields: dict[str, str], scope: str) -> str | None:
        import requests

        realm = fields.get("realm", "")
        if not self._may_be_asked(realm):
            return None
        asked = {"service": fields.get("service", ""), "scope": fields.get("scope") or scope}
        identity = self._login.identity if self._login is not None else ""
        basic = self._login.basic if self._login is not None else None
        try:
            if identity:
                form = {
                    **asked,
                    "grant_type": "refresh_token",
                    "refresh_token": identity,
                    "client_id": _CLIENT,
                }
                answer = self._session.post(
                    realm, data=form, timeout=_SECONDS, allow_redirects=False
                )
            else:
                headers = {"Authorization": basic} if basic else {}
                answer = self._session.get(realm, params=asked, headers=headers, timeout=_SECONDS)
            if answer.status_code != 200:
                return None
            found = answer.json()
        except (requests.RequestException, ValueError):
            return None
        token = found.get("token") or found.get("access_token") if isinstance(found, dict) else None
        return token if isinstance(token, str) and token.isprintable() else None

    def _may_be_asked(self, realm: str) -> bool:
        """Credentials never leave in plain text, unless to this machine."""
        parts = urlsplit(realm)
        return parts.scheme == "https" or (
            parts.scheme == "http"
            and is_local(parts.hostname or "")
            and self._root.startswith("http:")
        )


def _scope(path: str) -> str:
    """>>> _scope("/v2/team/app/tags/list?n=10"), _scope("/v2/_catalog")
    ('repository:team/app:pull', 'registry:catalog:*')
    """
    match = _REPOSITORY.match(path)
    return f"repository:{match[1]}:pull" if match else "registry:catalog:*"
