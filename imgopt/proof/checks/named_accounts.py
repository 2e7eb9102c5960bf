"""Users and groups that the sources, the settings and the scripts of the application name."""

from __future__ import annotations

from imgopt.inspect.failures import Item
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sources.named_accounts import accounts, named_accounts
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, Outcome, counted, judged
from imgopt.proof.example import BASE, Mutation

NAME = "accounts"
_FILES = ("/etc/passwd", "/etc/group")


def check_accounts(original: ImageView, candidate: ImageView, allowances: Allowances) -> Outcome:
    """Each is in the same file as in the original, with the same number."""
    named = dict(named_accounts(original))
    items: list[Item] = []
    allowed: list[str] = []
    for file in _FILES:
        there = accounts(original, file)
        lost = sorted((there & named.keys()) - accounts(candidate, file))
        for name in lost:
            reason = allowances.configuration.get(f"account:{name}")
            message = f"{file} has no {name} any more, and {named[name]} names it"
            if reason:
                allowed.append(f"{message}: {reason}")
            else:
                items.append(Item("missing-file", f"account:{name}", file, named[name], message))
    return judged(
        NAME, f"{counted(len(named), 'account')} that the application names", items, allowed
    )


CHECK = Check(
    NAME,
    "users and groups that the sources, settings and scripts name",
    lambda given: check_accounts(given.original, given.candidate, given.allowances),
    (
        Mutation(
            "a user that a source names is lost",
            "no mail any more",
            base={
                "etc/passwd": str(BASE["etc/passwd"]).replace("mail:x:8:8::/var/mail:/bin/sh\n", "")
            },
        ),
        Mutation(
            "a group that a source names is lost",
            "no shared any more",
            base={"etc/group": str(BASE["etc/group"]).replace("shared:x:1600:app\n", "")},
        ),
    ),
)
