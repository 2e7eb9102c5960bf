"""Tables of the system that a service looks up when it is asked: media types, ports, zones,
locales, terminals, fonts.

No probe asks for every ending and every zone. Where the sources look such a table up, it is there
as in the original; a locale is there with all its parts, or not at all.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.system.looked_up import LookedUp, lacking, looked_up
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged
from imgopt.proof.example import Mutation

NAME = "tables"
_LOCALES = "/usr/lib/locale"


def check_tables(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
) -> Outcome:
    """Each table that the original has and its sources look up, file by file."""
    facts = [table for ecosystem in builtin_ecosystems() for table in ecosystem.must_stay]
    found = looked_up(original, facts, programs=False)
    items: list[Item] = []
    allowed: list[str] = []
    for table in (*found, *_half_locales(original, candidate, found)):
        missing = [
            path for path in lacking(original, table, candidate.tree) if _stays(path, allowances)
        ]
        if not missing:
            continue
        reason = allowances.configuration.get(f"file:{table.path}")
        if reason:
            allowed.append(f"{table.path}: {reason}")
        else:
            items.append(_item(table, missing))
    return judged(
        NAME, f"{counted(len(found), 'table')} that the service may look up", items, allowed
    )


def _stays(path: str, allowances: Allowances) -> bool:
    return f"file:{path}" not in allowances.configuration


def _item(table: LookedUp, missing: list[str]) -> Item:
    more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
    message = f"{missing[0]}{more} is left out ({table.reason}), and {table.by} looks it up"
    return Item("missing-file", table.path, missing[0], table.by, message)


def _half_locales(
    original: ImageView, candidate: ImageView, known: tuple[LookedUp, ...]
) -> Iterator[LookedUp]:
    """Locales of which the candidate has a part: `setlocale` takes all of one or none."""
    told = {table.path for table in known}
    for name in sorted(candidate.names(_LOCALES) & original.names(_LOCALES)):
        path = posixpath.join(_LOCALES, name)
        if path not in told and candidate.names(path):
            yield LookedUp(path, "a part of a locale", f"who asks for {name}")


CHECK = Check(
    NAME,
    "media types, ports, zones, locales, terminals and fonts that the sources look up",
    lambda given: check_tables(given.original, given.candidate, given.allowances),
    (
        Mutation("the names of media types are lost", "mime.types", without=("etc/mime.types",)),
        Mutation("the names of ports are lost", "/etc/services", without=("etc/services",)),
        Mutation(
            "a part of a locale is lost",
            "LC_TIME is left out",
            without=("usr/lib/locale/de_DE.utf8/LC_TIME",),
        ),
    ),
)
