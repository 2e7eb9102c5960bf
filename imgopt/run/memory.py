"""What a run's answers gave for the requests behind them: cookies, and values by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message
from http.cookies import CookieError, SimpleCookie

from imgopt.requests.request import filled, taken


@dataclass
class Memory:
    """Of one container: each run begins with nothing, so that all are asked the same."""

    values: dict[str, str] = field(default_factory=dict)
    cookies: dict[int, dict[str, str]] = field(default_factory=dict)
    """By port."""

    def filled(self, text: str) -> str:
        return filled(text, self.values)

    def filled_body(self, body: bytes) -> bytes:
        """Bytes that are no text, or name nothing, stay as they are."""
        if b"{{" not in body:
            return body
        try:
            return self.filled(body.decode()).encode()
        except UnicodeDecodeError:
            return body

    def cookie_header(self, port: int) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.get(port, {}).items())

    def learn(
        self, port: int, saves: tuple[tuple[str, str], ...], headers: Message, body: bytes
    ) -> None:
        """Takes cookies, and what `saves` name; a value that is not there leaves the earlier
        one."""
        jar = self.cookies.setdefault(port, {})
        for line in headers.get_all("set-cookie") or ():
            for name, value, gone in _cookies(line):
                jar.pop(name, None)
                if not gone:
                    jar[name] = value
        named = {name.lower(): value for name, value in headers.items()}
        text = body.decode(errors="replace") if saves else ""
        for name, rule in saves:
            value = taken(rule, named, jar, text)
            if value:
                self.values[name] = value


def _cookies(line: str) -> list[tuple[str, str, bool]]:
    """Name, value as it is sent back, and whether the cookie is taken away."""
    read: SimpleCookie = SimpleCookie()
    try:
        read.load(line)
    except CookieError:
        return []
    return [
        (name, one.coded_value, one["max-age"] == "0" or "1970" in one["expires"])
        for name, one in read.items()
    ]
