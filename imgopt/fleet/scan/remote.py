"""A blob of a registry as a stream that goes on where it was cut."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from imgopt.fleet.scan.facts import RemoteBlob
from imgopt.fleet.scan.feed import PIECE, BlobTrouble
from imgopt.fleet.scan.login import Login
from imgopt.fleet.scan.protocol import Refused, Registry
from imgopt.fleet.scan.waiting import Patience

_registries: dict[tuple[str, Login | None], Registry] = {}
"""One for each host and login in each worker: connections and tokens are used again."""


def remote_pieces(
    where: RemoteBlob,
    digest: str,
    login: Login | None,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[bytes]:
    """Raises BlobTrouble: "cut" where it ends too early each time, "unreached" where it is not
    given."""
    registry = _registries.get((where.host, login))
    if registry is None:
        registry = _registries[where.host, login] = Registry(where.host, login)
    patience = Patience(sleep)
    start = 0
    while True:
        before = start
        try:
            with registry.blob(where.repository, digest, start) as answer:
                for piece in _from(answer, start):
                    start += len(piece)
                    yield piece
            return
        except Refused as refusal:
            raise BlobTrouble("unreached", refusal.message) from None
        except _cuts() as cut:
            if start > before:
                patience = Patience(sleep)  # it goes on: another cut is another question
            if not patience.wait():
                raise BlobTrouble("cut", f"the answer is cut off ({type(cut).__name__})") from None


def _cuts() -> tuple[type[Exception], ...]:
    from requests import RequestException
    from urllib3.exceptions import HTTPError

    return RequestException, HTTPError, OSError


def _from(answer: Any, start: int) -> Iterator[bytes]:
    """What follows the first `start` bytes: a registry without ranges begins anew."""
    skip = start if answer.status_code == 200 else 0
    for piece in answer.raw.stream(PIECE, decode_content=False):
        if skip >= len(piece):
            skip -= len(piece)
            continue
        yield piece[skip:] if skip else piece
        skip = 0
