"""Which environment variables may differ: what only builds read, what a base image says of itself,
where things are.

A variable that the author set for the running service must keep its value. The rules here are about
variables whose readers are known; every use of a rule is told in the check's `allowed`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import DEFAULT_PATH, ImageView
from imgopt.inspect.start.variables import is_descriptive, is_for_builds
from imgopt.inspect.system.certificates import certificates_in, far_fewer
from imgopt.inspect.words import words
from imgopt.proof.allowances import Allowances
from imgopt.proof.found_first import hidden_module, hidden_program

CERTIFICATES = words(
    "SSL_CERT_FILE SSL_CERT_DIR REQUESTS_CA_BUNDLE CURL_CA_BUNDLE NODE_EXTRA_CA_CERTS"
    " GIT_SSL_CAINFO AWS_CA_BUNDLE"
)
"""Each names a file or folder; what matters is that it holds certificates."""

SYSTEM_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
QUIET_WHEN_ADDED = words("PYTHONUNBUFFERED PYTHONFAULTHANDLER VIRTUAL_ENV PYTHONNOUSERSITE")
_NEUTRAL_VALUES = {("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC"), ("TZ", "Etc/UTC")}


@dataclass(frozen=True)
class Variables:
    """The variables of both images; `inherited` are those that the original took over from its base
    unchanged."""

    original: Mapping[str, str]
    candidate: Mapping[str, str]
    inherited: frozenset[str]
    before: ImageView
    after: ImageView
    """The files of both."""
    user_changed: bool = False

    def exists(self, path: str) -> bool:
        """Does this path exist in the candidate?"""
        return self.after.exists(path)


def compare_variables(variables: Variables, allowances: Allowances) -> tuple[list[Item], list[str]]:
    """The differences that matter, and the allowed ones with their reasons."""
    items: list[Item] = []
    allowed: list[str] = []
    for name in sorted({*variables.original, *variables.candidate}):
        before, after = variables.original.get(name), variables.candidate.get(name)
        if before == after:
            continue
        what = _difference(name, before, after)
        reason = (
            allowances.environment.get(name)
            or _path_like(name, variables)
            or _rule(name, variables)
        )
        if reason:
            allowed.append(f"{what}: {reason}")
        else:
            items.append(Item("configuration", f"env:{name}", message=what))
    return items, allowed


def _difference(name: str, before: str | None, after: str | None) -> str:
    if after is None:
        return f"variable {name}={before} is not set"
    if before is None:
        return f"variable {name}={after} is new"
    return f"variable {name} is {after!r} instead of {before!r}"


def _rule(name: str, variables: Variables) -> str | None:
    before, after = variables.original.get(name), variables.candidate.get(name)
    if is_for_builds(name):
        return "only builds read it"
    if is_descriptive(name):
        return "a base image's note on itself"
    if before is None:
        return _rule_for_new(name, str(after), variables)
    if name in CERTIFICATES and name in variables.inherited:
        if after is not None and _trusts_as_many(variables, before, after):
            return "names certificates that exist"
        if after is None and before == SYSTEM_BUNDLE and variables.exists(SYSTEM_BUNDLE):
            return "named the system's certificates, which are there"
    if name == "JAVA_HOME" and name in variables.inherited and after and variables.exists(after):
        return "the Java that is there"
    return None


def _rule_for_new(name: str, value: str, variables: Variables) -> str | None:
    if name in QUIET_WHEN_ADDED:
        return "changes no answer"
    if (name, value) in _NEUTRAL_VALUES:
        return "the value that holds without it"
    if name in ("HOME", "USER", "LOGNAME") and variables.user_changed:
        return "goes with the other user"
    if name in CERTIFICATES and name != "NODE_EXTRA_CA_CERTS":
        as_many = _trusts_as_many(variables, SYSTEM_BUNDLE, value)
        return "names certificates that exist" if as_many else None
    known = name in ("JAVA_HOME", "PYTHONPATH", "NODE_PATH", "NODE_EXTRA_CA_CERTS")
    hides = name == "PYTHONPATH" and hidden_module(variables.after, value.split(":"))
    if known and not hides and _all_exist(value, variables):
        return "names what exists"
    return None


def _trusts_as_many(variables: Variables, before: str | None, after: str) -> bool:
    """Whether what the variable names in the candidate holds about as many certificates as in the
    original: editions of a bundle differ by a few."""
    was = certificates_in(variables.before, before or SYSTEM_BUNDLE)
    return variables.exists(after) and not far_fewer(was, certificates_in(variables.after, after))


def _all_exist(value: str, variables: Variables) -> bool:
    return all(variables.exists(part) for part in value.split(":") if part)


def _path_like(name: str, variables: Variables) -> str | None:
    if name != "PATH":
        return None
    before, after = (view.get("PATH") for view in (variables.original, variables.candidate))
    return same_search_path(before, after, variables.after)


def same_search_path(first: str | None, second: str | None, view: ImageView) -> str | None:
    """Why two values of PATH find the same in the candidate: it may gain folders whose programs
    hide no other one, lose those that are empty, and change an order that decides nothing; None
    where they do not."""
    before, after, programs = _folders(first), _folders(second), view.names
    if any(programs(folder) for folder in before if folder not in after):
        return None
    for at, folder in enumerate(after):
        later = [other for other in after[at + 1 :] if other in before]
        if folder not in before and hidden_program(view, folder, later):
            return None
    kept = [folder for folder in before if folder in after]
    for place, one in enumerate(kept):
        for other in kept[place + 1 :]:
            swapped = after.index(one) > after.index(other)
            if swapped and programs(one) & programs(other):
                return None
    return (
        "every program is found where it was: only empty folders are left out, and new ones added"
    )


def _folders(path: str | None) -> list[str]:
    return list(dict.fromkeys(folder for folder in (path or DEFAULT_PATH).split(":") if folder))


def matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
