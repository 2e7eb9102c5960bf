"""From an instruction's words to its typed value, refusing what BuildKit refuses.

Rules: moby/buildkit frontend/dockerfile/instructions/parse.go; messages are BuildKit's kind.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches

from imgopt.dockerfile import typed
from imgopt.dockerfile.flags import Flags
from imgopt.dockerfile.healthcheck import read_healthcheck
from imgopt.dockerfile.heredoc import Heredoc, parse_heredoc
from imgopt.dockerfile.mounts import read_mount
from imgopt.dockerfile.pairs import read_arg, read_env, read_label
from imgopt.dockerfile.problems import Refused
from imgopt.dockerfile.typed import Located, Typed
from imgopt.dockerfile.written import Written

_STAGE_NAME = re.compile(r"[a-z][a-z0-9-_.]*")


def read_typed(instruction: Written) -> Typed:
    """Raises Refused."""
    reader = _READERS.get(instruction.keyword)
    if reader is None:
        close = get_close_matches(instruction.keyword, _READERS, 1)
        hint = (
            f"did you mean {close[0]}?" if close else "expected an instruction such as RUN or COPY"
        )
        raise Refused(f"unknown instruction: {_word(instruction)}", hint)
    _ = instruction.statement.json  # BuildKit refuses other arrays before it looks at anything else
    return reader(instruction)


def is_known(keyword: str) -> bool:
    """Whether BuildKit has such an instruction; `keyword` is upper case."""
    return keyword in _READERS


def _word(instruction: Written) -> str:
    span = instruction.keyword_span
    return instruction.text[span.start : span.end]


def _from(instruction: Written) -> typed.From:
    words = instruction.words()
    name = None
    if len(words) == 3 and words[1].lower() == "as":
        name = Located(words[2].lower(), words[2].span)
        if not _STAGE_NAME.fullmatch(name):
            what = (
                f'invalid name for build stage: "{words[2]}", name can\'t start with a number or'
                " contain symbols"
            )
            raise Refused(what, "use letters, digits, '-', '_' and '.'")
    elif len(words) != 1:
        raise Refused(
            "FROM requires either one or three arguments", "write FROM image or FROM image AS name"
        )
    flags = Flags(instruction)
    return typed.From(words[0], name, flags.text("platform"))


def _sources(
    instruction: Written, words: list[Located]
) -> tuple[tuple[Located, ...], Located, tuple[Heredoc, ...]]:
    keyword = instruction.keyword
    *sources, destination = words
    if _heredoc(destination):
        raise Refused(f"{keyword} cannot accept a heredoc as a destination", "put a path last")
    bodies = {heredoc.name: heredoc for heredoc in instruction.heredocs}
    paths, files = [], []
    for source in sources:
        word = _heredoc(source)
        if word is None:
            paths.append(source)
        elif word.name in bodies:
            files.append(bodies[word.name])
    return tuple(paths), destination, tuple(files)


def _heredoc(word: str) -> Heredoc | None:
    if "<<" not in word:
        return None
    try:
        return parse_heredoc(word)
    except Refused:
        return None


def _copy(instruction: Written) -> typed.Copy:
    words = _with_destination(instruction)
    flags = Flags(instruction)
    sources, destination, heredocs = _sources(instruction, words)
    return typed.Copy(
        sources,
        destination,
        heredocs,
        from_=flags.text("from"),
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=flags.true("link"),
        parents=flags.true("parents"),
        exclude=flags.texts("exclude"),
        json=instruction.statement.json is not None,
    )


def _add(instruction: Written) -> typed.Add:
    words = _with_destination(instruction)
    flags = Flags(instruction)
    sources, destination, heredocs = _sources(instruction, words)
    return typed.Add(
        sources,
        destination,
        heredocs,
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        link=flags.true("link"),
        exclude=flags.texts("exclude"),
        json=instruction.statement.json is not None,
        checksum=flags.text("checksum"),
        keep_git_dir=flags.true("keep-git-dir"),
        unpack=flags.true("unpack") if flags.given("unpack") else None,
    )


def _with_destination(instruction: Written) -> list[Located]:
    words = instruction.words()
    if len(words) < 2:
        what = f"{instruction.keyword} requires at least two arguments, but only one was provided."
        raise Refused(
            f"{what} Destination could not be determined.",
            "write the sources, then the destination",
        )
    return words


def _command(instruction: Written) -> tuple[tuple[str, ...] | None, Located | None]:
    """The exec form and the shell form; both None when there are no arguments."""
    strings = instruction.statement.json
    if strings is not None or not instruction.value:
        return strings, None
    return None, Located(instruction.value, instruction.value_span)


def _run(instruction: Written) -> typed.Run:
    flags = Flags(instruction)
    json, shell = _command(instruction)
    mounts = tuple(read_mount(value) for value in flags.texts("mount"))
    network, security = flags.text("network"), flags.text("security")
    if network is not None and network not in ("default", "none", "host"):
        raise Refused(
            f'invalid network mode "{network}"',
            "expected default, none or host",
            network.span.start,
        )
    if security is not None and security not in ("insecure", "sandbox"):
        raise Refused(
            f'security "{security}" is not valid',
            "expected sandbox or insecure",
            security.span.start,
        )
    return typed.Run(json, shell, mounts, network, security, instruction.heredocs)


def _cmd(instruction: Written) -> typed.Cmd:
    Flags(instruction)
    return typed.Cmd(*_command(instruction))


def _entrypoint(instruction: Written) -> typed.Entrypoint:
    Flags(instruction)
    return typed.Entrypoint(*_command(instruction))


def _shell(instruction: Written) -> typed.Shell:
    Flags(instruction)
    strings = instruction.statement.json
    if strings is None and instruction.value:
        raise Refused(
            "SHELL requires the arguments to be in JSON form", 'write SHELL ["/bin/sh", "-c"]'
        )
    if not strings:
        raise Refused("SHELL requires at least one argument", 'write SHELL ["/bin/sh", "-c"]')
    return typed.Shell(strings)


def _whole(instruction: Written, flags: bool = True) -> Located:
    if not instruction.value:
        raise Refused(
            f"{instruction.keyword} requires exactly one argument", "one argument was expected"
        )
    if flags:
        Flags(instruction)
    return Located(instruction.value, instruction.value_span)


def _list(instruction: Written) -> tuple[Located, ...]:
    words = instruction.words()
    if not words:
        raise Refused(
            f"{instruction.keyword} requires at least one argument",
            "one argument or more was expected",
        )
    Flags(instruction)
    return tuple(words)


def _volume(instruction: Written) -> typed.Volume:
    paths = _list(instruction)
    if not all(path.strip() for path in paths):
        raise Refused("VOLUME specified can not be an empty string", "name a directory")
    return typed.Volume(paths, instruction.statement.json is not None)


def _onbuild(instruction: Written) -> typed.Onbuild:
    trigger = instruction.trigger
    if trigger is None:
        raise Refused("ONBUILD requires at least one argument", "write ONBUILD and an instruction")
    Flags(instruction)
    if trigger.keyword == "ONBUILD":
        raise Refused(
            "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", "name the instruction itself"
        )
    if trigger.keyword in ("MAINTAINER", "FROM"):
        raise Refused(
            f"{trigger.keyword} isn't allowed as an ONBUILD trigger",
            "any other instruction was expected",
        )
    try:
        if trigger.keyword in _READERS:
            _READERS[trigger.keyword](trigger)
    except Refused as refused:
        if refused.phase == 0:  # the rest is looked at only when the image is used
            raise
    return typed.Onbuild()


_READERS: dict[str, Callable[[Written], Typed]] = {
    "ADD": _add,
    "ARG": read_arg,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": read_env,
    "EXPOSE": lambda instruction: typed.Expose(_list(instruction)),
    "FROM": _from,
    "HEALTHCHECK": read_healthcheck,
    "LABEL": read_label,
    "MAINTAINER": lambda instruction: typed.Maintainer(_whole(instruction)),
    "ONBUILD": _onbuild,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": lambda instruction: typed.StopSignal(_whole(instruction, flags=False)),
    "USER": lambda instruction: typed.User(_whole(instruction)),
    "VOLUME": _volume,
    "WORKDIR": lambda instruction: typed.Workdir(_whole(instruction)),
}
