"""The registry's protocol (OCI distribution-spec): catalog, tags, manifests, blobs; with waits, one
login, and no credential in any message."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

import msgspec

from imgopt.errors import EnvironmentFailure, InputError
from imgopt.fleet.scan.login import Login
from imgopt.fleet.scan.tokens import Tokens
from imgopt.fleet.scan.waiting import AGAIN, Patience
from imgopt.image.registry import ACCEPT, is_local

_SECONDS = 30
"""To connect, and between two pieces of an answer."""
MAX_JSON = 16 << 20
_PAGE = 1000
_MOST_PAGES = 20_000
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
_CHUNK = 1 << 18


class Refused(EnvironmentFailure):
    """The registry's answer is no; `status` is its HTTP status, 0 for no answer at all."""

    def __init__(self, message: str, status: int, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class _Names(msgspec.Struct):
    """A page of the catalog or of a tag list."""

    repositories: tuple[str, ...] | None = None
    tags: tuple[str, ...] | None = None


class Registry:
    """One registry. Raises Refused for what it does not give, InputError for answers that are
    damaged."""

    def __init__(
        self, host: str, login: Login | None = None, sleep: Callable[[float], object] = time.sleep
    ) -> None:
        import requests
        from requests.adapters import HTTPAdapter

        self.host, self._sleep = host, sleep
        self._root = f"{'http' if is_local(host.rpartition(':')[0] or host) else 'https'}://{host}"
        self._session = requests.Session()
        self._session.trust_env = True
        self._session.auth = _no_netrc
        adapter = HTTPAdapter(pool_maxsize=16)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._tokens = Tokens(self._session, self._root, login)

    def close(self) -> None:
        self._session.close()

    def catalog(self) -> Iterator[str]:
        """The names of all repositories; in pages, as far as the registry has them."""
        for page in self._pages("/v2/_catalog", "the catalog"):
            yield from page.repositories or ()

    def tags(self, repository: str) -> Iterator[str]:
        for page in self._pages(f"/v2/{repository}/tags/list", repository):
            yield from page.tags or ()

    def digest(self, repository: str, tag: str) -> str | None:
        """What a tag stands for now; None where the registry does not say it without the
        manifest."""
        path = f"/v2/{repository}/manifests/{quote(tag)}"
        with self._ask("HEAD", path, f"{repository}:{tag}", {"Accept": ACCEPT}) as answer:
            found: str | None = answer.headers.get("Docker-Content-Digest")
            return found

    def manifest(self, repository: str, reference: str) -> bytes:
        """`reference` is a tag or a digest."""
        path = f"/v2/{repository}/manifests/{quote(reference, safe=':')}"
        return self._small(path, f"{repository}: {reference}", {"Accept": ACCEPT})

    def document(self, repository: str, digest: str) -> bytes:
        """A small blob, such as a configuration."""
        return self._small(f"/v2/{repository}/blobs/{digest}", f"{repository}: {digest}", {})

    def blob(self, repository: str, digest: str, start: int = 0) -> Any:
        """The answer with a blob's bytes from `start`, or from 0 where the registry cannot: see its
        status (206, 200). To be closed."""
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        path = f"/v2/{repository}/blobs/{digest}"
        return self._ask("GET", path, f"{repository}: {digest}", headers)

    def _pages(self, path: str, what: str) -> Iterator[_Names]:
        url: str | None = f"{path}?n={_PAGE}"
        seen: set[str] = set()
        while url is not None:
            if url in seen or len(seen) >= _MOST_PAGES:
                raise InputError(f"{self.host}: the pages of {what} never end")
            seen.add(url)
            with self._ask("GET", url, what, {}) as answer:
                body = self._body(answer, what)
                link = _NEXT.search(answer.headers.get("Link", ""))
            try:
                yield msgspec.json.decode(body, type=_Names)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise InputError(f"{self.host}: {what}: no list of names: {error}") from None
            url = self._following(url, link[1], what) if link is not None else None

    def _following(self, url: str, link: str, what: str) -> str:
        """Never to another host: credentials go with the question."""
        target = urljoin(f"{self._root}{url}", link)
        if not target.startswith(f"{self._root}/"):
            raise InputError(f"{self.host}: {what} goes on at another host: not followed")
        return target[len(self._root) :]

    def _small(self, path: str, what: str, headers: dict[str, str]) -> bytes:
        with self._ask("GET", path, what, headers) as answer:
            return self._body(answer, what)

    def _body(self, answer: Any, what: str) -> bytes:
        import requests

        parts, total = [], 0
        try:
            for chunk in answer.iter_content(_CHUNK):
                parts.append(chunk)
                total += len(chunk)
                if total > MAX_JSON:
                    raise InputError(f"{self.host}: {what}: more than {MAX_JSON} bytes: refused")
        except requests.RequestException as error:
            raise Refused(
                f"{self.host}: {what}: the answer is cut off ({type(error).__name__})", 0
            ) from None
        return b"".join(parts)

    def _ask(self, method: str, path: str, what: str, headers: dict[str, str]) -> Any:
        """One answer that is good, streamed; waits and asks again where that may help."""
        import requests

        patience = Patience(self._sleep)
        logged_in = False
        while True:
            try:
                answer = self._session.request(
                    method,
                    f"{self._root}{path}",
                    headers={**headers, **self._tokens.header(path)},
                    stream=True,
                    timeout=_SECONDS,
                    allow_redirects=method in ("GET", "HEAD"),
                )
            except requests.RequestException as error:
                if patience.wait():
                    continue
                raise self._silent(error, what) from None
            if answer.status_code in (200, 206):
                return answer
            answer.close()
            if answer.status_code == 401 and not logged_in:
                logged_in = True
                if self._tokens.renew(path, answer.headers.get("Www-Authenticate", "")):
                    continue
            if answer.status_code not in AGAIN or not patience.wait(answer.headers):
                raise self._refusal(answer.status_code, what)

    def _silent(self, error: Exception, what: str) -> Refused:
        return Refused(
            f"{self.host} does not answer ({what}): {type(error).__name__}",
            0,
            hint=f"is {self._root}/v2/ reachable from here?",
        )

    def _refusal(self, status: int, what: str) -> Refused:
        said = {
            401: "wants a login",
            403: "does not allow it",
            404: "does not have it",
            405: "does not offer that",
            429: "asks to wait, longer than we wait",
        }
        hints = {
            401: f"docker login {self.host}",
            403: f"may the user of `docker login {self.host}` read it?",
            429: "run the same command later: what was read is kept",
        }
        text = said.get(status, f"answers with status {status}")
        hint = hints.get(status, "run the same command later" if status >= 500 else None)
        return Refused(f"{self.host}: {what}: the registry {text}", status, hint)


def _no_netrc(request: Any) -> Any:
    """Only what `docker login` left is used, and only where it belongs."""
    return request


def split_host(name: str) -> tuple[str, str]:
    """Host and the rest of "HOST[:PORT][/NAME]". Raises InputError for credentials in the name."""
    parts = urlsplit(f"//{name}")
    if "@" in parts.netloc:
        raise InputError(
            "a user or a password in the name of a registry is refused",
            hint="docker login HOST keeps it where no list of processes shows it",
        )
    return parts.netloc, parts.path.strip("/")
