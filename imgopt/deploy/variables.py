"""Which environment the container gets: what the run proposes, and what the run was given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from imgopt.deploy.model import Variable
from imgopt.inspect.redact import is_secret_name, redacted
from imgopt.results.run_facts import ImageFacts

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_MAY_HOLD_ONE = re.compile(r"(?:^|_)(?:KEY|PASS|PWD|DSN|AUTH)$", re.IGNORECASE)
_ADDRESS = re.compile(r"(?:^|_)(?:URL|URI|DSN)$", re.IGNORECASE)


def variables(facts: ImageFacts, given: Mapping[str, str]) -> tuple[Variable, ...]:
    """Settings first, then what the run was given, each name once."""
    found = {one.name: one for one in _settings(facts)}
    for name in dict.fromkeys((*facts.given_environment, *given)):
        if NAME.fullmatch(name) and name not in found:
            found[name] = _given(name, given.get(name))
    return tuple(found.values())


def is_secret(name: str, value: str | None) -> bool:
    """By its name, or by a password in an address; an address whose value is not known may hold
    one."""
    if is_secret_name(name) or _MAY_HOLD_ONE.search(name):
        return True
    return bool(_ADDRESS.search(name)) if value is None else redacted(value) != value


def _given(name: str, value: str | None) -> Variable:
    if is_secret(name, value):
        return Variable(name, "secret", origin="the run was given it")
    if value is None:
        return Variable(name, "unknown", origin="the run was given it; its value is not kept")
    return Variable(name, "plain", value, "as in the run")


def _settings(facts: ImageFacts) -> Iterator[Variable]:
    tried = [one for one in facts.tried if one.survived and one.environment]
    held = dict(tried[-1].environment) if tried else {}
    said: dict[str, list[str]] = {}
    rules: dict[str, list[str]] = {}
    for one in facts.settings:
        if one.name and one.value and NAME.fullmatch(one.name):
            said.setdefault(one.name, []).append(one.value)
            rules.setdefault(one.name, []).append(one.rule)
    for name in dict.fromkeys((*said, *held)):
        if NAME.fullmatch(name) and not is_secret(name, held.get(name, "")):
            value = held.get(name) or _joined(said[name])
            by = f"by {', '.join(dict.fromkeys(rules.get(name, []))) or 'what was tried'}"
            tried_with = "; tried, and it held" if name in held else ""
            if facts.environment.get(name) != value:
                yield Variable(name, "setting", value, f"{by}{tried_with}")


def _joined(values: list[str]) -> str:
    """Flags of several rules for one variable, each once."""
    if len(values) == 1:
        return values[0]
    return " ".join(dict.fromkeys(word for value in values for word in value.split()))
