"""no-log-init: an account with a large number comes without its record of logins."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from imgopt.context.facts.builds import Account
from imgopt.dockerfile import Edit, Instruction, Scope
from imgopt.dockerfile.shellmodel import Command
from imgopt.dockerfile.typed import Run
from imgopt.rewrite.lines.steps import script_of
from imgopt.rewrite.strategy import Change, Example, Situation, Skip, Strategy

_PREFIXES = ("sudo", "command", "exec", "env")
"""Words that may stand in front of a command and change nothing of what it makes."""
_UNKNOWN = -1


def rewrite(situation: Situation) -> Iterator[Change | Skip]:
    """Every account of the stages that are built: a later stage may be made from any of them."""
    accounts = [item for each in situation.project.ecosystems for item in each.account]
    for stage in situation.dockerfile.reachable(situation.project.target):
        for run in stage.instructions:
            yield from _one(situation, run, accounts)


def _one(
    situation: Situation, run: Instruction, accounts: list[Account]
) -> Iterator[Change | Skip]:
    if not isinstance(run.typed, Run) or not any(
        run.text.find(each.command, *run.extent) >= 0 for each in accounts
    ):
        return
    found = [
        (account, command, at)
        for command in script_of(situation.dockerfile, run).commands
        for account in accounts
        if (at := _program(account, command)) is not None
    ]
    if not found:
        return
    scope = situation.dockerfile.scope_at(run)
    large = [each for each in found if _is_large(*each, scope)]
    if not large:
        return
    if run.typed.json is not None:
        yield Skip("the exec form of RUN is left as it is: add the option by hand", run.line)
        return
    ends = [(command.words[at].span.end, account) for account, command, at in large]
    yield Change(
        large[0][0].because,
        run.line,
        tuple(Edit(end, end, f" {account.without}") for end, account in ends),
    )


def _program(account: Account, command: Command) -> int | None:
    """The place of the program's name among the words; None where it is another command."""
    for at, value in enumerate(command.values):
        if value is None:
            return None
        if posixpath.basename(value) == account.command:
            return at
        if value not in _PREFIXES and not (at and (value.startswith("-") or "=" in value)):
            return None
    return None


def _is_large(account: Account, command: Command, at: int, scope: Scope) -> bool:
    words = [word.text for word in command.words[at + 1 :]]
    if any(_says(word, option) for word in words for option in account.said):
        return False
    number = _number(account, command, at, scope)
    return number is not None and (number == _UNKNOWN or number > account.largest)


def _number(account: Account, command: Command, at: int, scope: Scope) -> int | None:
    """The account's number; None where it gets the next free one, _UNKNOWN where whoever builds
    gives it."""
    text = _value(account, [word.text for word in command.words[at + 1 :]])
    if text is None:
        return None
    known = scope.expand_known(text)
    if known is None:
        return _UNKNOWN
    return int(known) if known.isdigit() else (None if known else _UNKNOWN)


def _value(account: Account, words: list[str]) -> str | None:
    """What stands behind the option of the number: `-u 7`, `-u7`, `-rmu 7`, `--uid=7`."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        for option in account.number:
            joined = (
                rf"{option}(?:=(?P<value>.*))?"
                if option.startswith("--")
                else rf"-[A-Za-z]*?{option[1]}(?P<value>.*)"
            )
            found = re.fullmatch(joined, word)
            if found is not None:
                return found["value"] or after
    return None


def _says(word: str, option: str) -> bool:
    return word == option if option.startswith("--") else option[1] in _flags(word)


def _flags(word: str) -> str:
    """The letters of `-rm`; none for anything else."""
    return word[1:] if word[:1] == "-" and word[1:].isalpha() else ""


STRATEGY = Strategy(
    name="no-log-init",
    does="Makes accounts without their record of logins.",
    why=(
        "Where /var/log/lastlog is there, a new account writes its record of logins into it: 292"
        " bytes for each number below its own. The file is a hole on a disk, but an archive of the"
        " layer holds every zero: 55 GB for the number of a directory service, which few engines"
        " can unpack. With the option the account is the same, without a record of logins."
    ),
    safety="text",
    doubt=15,
    references=(
        "https://github.com/moby/moby/issues/5419",
        "https://docs.docker.com/build/building/best-practices/#user",
        "https://github.com/hadolint/hadolint/wiki/DL3046",
    ),
    rewrite=rewrite,
    refuses="RUN in exec form.",
    table=(
        ("an account whose number is above those that a system gives by itself", "gets the option"),
        ("a number that whoever builds gives (`ARG UID` without a value)", "gets the option"),
        ("a small number, or none", "stays"),
        ("an account that has the option, also as a letter among others", "stays"),
        ("`adduser`, `usermod`", "stay: they have no such option"),
    ),
    examples=(
        Example("small", before="FROM debian:12\nRUN useradd -u 1000 app\n", after=None),
        Example("no number", before="FROM debian:12\nRUN useradd -m app\n", after=None),
        Example(
            "has it already",
            before="FROM debian:12\nRUN useradd -u 1885580785 --no-log-init app\n",
            after=None,
        ),
        Example(
            "among other letters",
            before="FROM debian:12\nRUN useradd -rlm --uid 1885580785 app\n",
            after=None,
        ),
        Example(
            "small by default",
            before="FROM debian:12\nARG UID=1000\nRUN useradd -u $UID app\n",
            after=None,
        ),
        Example(
            "only told",
            before='FROM debian:12\nRUN echo "useradd -u 1885580785 app"\n',
            after=None,
        ),
        Example(
            "another program",
            before="FROM debian:12\nRUN adduser --uid 1885580785 app\n",
            after=None,
        ),
        Example(
            "a group of that number",
            before="FROM debian:12\nRUN groupadd -g 1885580785 app && useradd -g 1885580785 app\n",
            after=None,
        ),
        Example(
            "exec form",
            before='FROM debian:12\nRUN ["useradd", "-u", "1885580785", "app"]\n',
            after=None,
            refused="exec form",
        ),
        Example(
            "large",
            before="FROM debian:12\nRUN useradd -u 1885580785 svc\n",
            after="FROM debian:12\nRUN useradd --no-log-init -u 1885580785 svc\n",
        ),
        Example(
            "behind other commands, by its path",
            before=(
                "FROM debian:12\nRUN groupadd -g 200000 svc \\\n && /usr/sbin/useradd -rmu200000 -g"
                " svc svc\n"
            ),
            after=(
                "FROM debian:12\nRUN groupadd -g 200000 svc \\\n && /usr/sbin/useradd --no-log-init"
                " -rmu200000 -g svc svc\n"
            ),
        ),
        Example(
            "letters together",
            before="FROM debian:12\nRUN sudo -E useradd -rmu 200000 svc\n",
            after="FROM debian:12\nRUN sudo -E useradd --no-log-init -rmu 200000 svc\n",
        ),
        Example(
            "given by whoever builds",
            before='FROM debian:12\nARG UID\nRUN useradd --uid="${UID}" -m svc\n',
            after='FROM debian:12\nARG UID\nRUN useradd --no-log-init --uid="${UID}" -m svc\n',
        ),
        Example(
            "large by default",
            before="FROM debian:12\nARG UID=1885580785\nRUN useradd -u $UID svc\n",
            after="FROM debian:12\nARG UID=1885580785\nRUN useradd --no-log-init -u $UID svc\n",
        ),
        Example(
            "in a here-document",
            before="FROM debian:12\nRUN <<EOF\nset -e\nuseradd -u 200000 svc\nEOF\n",
            after="FROM debian:12\nRUN <<EOF\nset -e\nuseradd --no-log-init -u 200000 svc\nEOF\n",
        ),
    ),
)
