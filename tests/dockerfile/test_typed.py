"""Typed instructions: what they hold, where their parts lie, and what is refused with which
words."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import Instruction, parse
from imgopt.dockerfile.typed import (
    Add,
    Arg,
    Cmd,
    Copy,
    Entrypoint,
    Env,
    Expose,
    From,
    Healthcheck,
    Label,
    Onbuild,
    Run,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
)


def one(text: str) -> Instruction:
    return parse("FROM x\n" + text + "\n").instructions[1]


def at(item: Instruction, span: tuple[int, int] | None) -> str:
    assert span is not None
    return item.text[span[0] : span[1]]


def test_from() -> None:
    file = parse("FROM --platform=$P host:5000/a/b:1@sha256:" + "0" * 64 + " aS Build.1\n")
    typed = file.instructions[0].typed
    assert isinstance(typed, From)
    assert (typed.name, typed.platform) == ("build.1", "$P")
    assert typed.reference is not None
    assert (typed.reference.registry, typed.reference.repository) == ("host:5000", "a/b")
    assert file.text[slice(*typed.image.span)] == typed.image
    assert file.text[slice(*typed.name.span)] == "Build.1"  # type: ignore[union-attr]
    assert file.text[slice(*typed.platform.span)] == "$P"  # type: ignore[union-attr]


def test_copy_with_everything() -> None:
    item = one(
        "COPY --from=b --chown=1:2 --chmod=755 --link --parents --exclude=*.md --exclude=x a \\\n  # c\n  b /d/"
    )
    typed = item.typed
    assert isinstance(typed, Copy)
    assert (typed.sources, typed.destination, typed.from_) == (("a", "b"), "/d/", "b")
    assert (typed.chown, typed.chmod, typed.link, typed.parents) == ("1:2", "755", True, True)
    assert typed.exclude == ("*.md", "x")
    assert [at(item, word.span) for word in (*typed.sources, typed.destination)] == [
        "a",
        "b",
        "/d/",
    ]
    assert [item.text[slice(*flag.span)] for flag in item.flags][:2] == ["--from=b", "--chown=1:2"]


def test_copy_json_keeps_blanks_in_names() -> None:
    item = one('COPY ["a b", "c\\"d", "/e f"]')
    typed = item.typed
    assert isinstance(typed, Copy)
    assert (typed.sources, typed.destination, typed.json) == (("a b", 'c"d'), "/e f", True)
    assert [at(item, word.span) for word in typed.sources] == ['"a b"', '"c\\"d"']


def test_copy_heredocs_are_no_sources() -> None:
    typed = one("COPY <<A x <<-'B' /d/\n1\nA\n\t2\nB").typed
    assert isinstance(typed, Copy)
    assert typed.sources == ("x",)
    assert [(each.name, each.text, each.expand) for each in typed.heredocs] == [
        ("A", "1\n", True),
        ("B", "2\n", False),
    ]


def test_add() -> None:
    typed = one(
        "ADD --checksum=sha256:0 --keep-git-dir=true --unpack=false https://x/y.tar /d"
    ).typed
    assert isinstance(typed, Add)
    assert (typed.checksum, typed.keep_git_dir, typed.unpack, typed.link) == (
        "sha256:0",
        True,
        False,
        False,
    )


def test_run_mounts() -> None:
    item = one(
        "RUN --mount=type=cache,target=/c,id=x,sharing=locked --mount=type=bind,from=b,source=s,dst=/t,rw "
        "--mount=type=secret,id=k,required,mode=0400,uid=1,gid=2 --network=none make"
    )
    typed = item.typed
    assert isinstance(typed, Run)
    cache, bind, secret = typed.mounts
    assert (cache.type, cache.target, cache.id, cache.sharing) == ("cache", "/c", "x", "locked")
    assert (bind.type, bind.from_, bind.source, bind.target, bind.readonly) == (
        "bind",
        "b",
        "s",
        "/t",
        False,
    )
    assert (secret.id, secret.required, secret.mode, secret.uid, secret.gid) == (
        "k",
        True,
        "0400",
        "1",
        "2",
    )
    assert (typed.network, typed.shell, typed.json) == ("none", "make", None)
    assert at(item, cache.span) == "type=cache,target=/c,id=x,sharing=locked"


def test_mount_with_quoted_comma() -> None:
    typed = one('RUN --mount=type=bind,\\"source=a,b\\",target=/x make').typed
    assert isinstance(typed, Run)
    assert typed.mounts[0].source == "a,b"


def test_commands_in_both_forms() -> None:
    assert one('CMD ["a", "b"]').typed == Cmd(("a", "b"), None)
    shell = one("ENTRYPOINT a  b").typed
    assert isinstance(shell, Entrypoint)
    assert (shell.json, shell.shell) == (None, "a  b")
    assert one("CMD").typed == Cmd(None, None)


def test_pairs() -> None:
    item = one('ENV A=1 B="x y" \\\n  C=d\\ e F=')
    typed = item.typed
    assert isinstance(typed, Env)
    assert [(pair.key, pair.value) for pair in typed.pairs] == [
        ("A", "1"),
        ("B", '"x y"'),
        ("C", "d\\ e"),
        ("F", ""),
    ]
    assert [at(item, pair.span) for pair in typed.pairs] == ["A=1", 'B="x y"', "C=d\\ e", "F="]
    assert [at(item, pair.value_span) for pair in typed.pairs] == ["1", '"x y"', "d\\ e", ""]
    assert not typed.legacy


def test_pairs_in_the_old_form() -> None:
    item = one("LABEL a  b c")
    typed = item.typed
    assert isinstance(typed, Label)
    assert typed.legacy
    assert [(pair.key, pair.value, at(item, pair.value_span)) for pair in typed.pairs] == [
        ("a", "b c", "b c")
    ]


def test_arg_with_and_without_value() -> None:
    typed = one("ARG A B=c D=").typed
    assert isinstance(typed, Arg)
    assert [(pair.key, pair.value) for pair in typed.pairs] == [("A", None), ("B", "c"), ("D", "")]


def test_the_small_ones() -> None:
    assert one("WORKDIR /a b").typed == Workdir("/a b")  # type: ignore[arg-type]
    assert one("USER 1:2").typed == User("1:2")  # type: ignore[arg-type]
    assert one("STOPSIGNAL SIGTERM").typed == StopSignal("SIGTERM")  # type: ignore[arg-type]
    assert one("EXPOSE 80 443/tcp").typed == Expose(("80", "443/tcp"))  # type: ignore[arg-type]
    assert one('VOLUME ["/a b"]').typed == Volume(("/a b",), True)  # type: ignore[arg-type]
    assert one('SHELL ["bash", "-c"]').typed == Shell(("bash", "-c"))


def test_healthcheck() -> None:
    typed = one(
        "HEALTHCHECK --interval=1m30s --timeout=500ms --start-period=2h --start-interval=5s --retries=3 CMD x y"
    ).typed
    assert isinstance(typed, Healthcheck)
    assert (typed.interval, typed.timeout, typed.start_period, typed.start_interval) == (
        90.0,
        0.5,
        7200.0,
        5.0,
    )
    assert (typed.retries, typed.shell, typed.none) == (3, "x y", False)
    none = one("HEALTHCHECK none").typed
    assert isinstance(none, Healthcheck)
    assert none.none


def test_onbuild_holds_an_instruction_with_its_own_places() -> None:
    item = one("ONBUILD copy --from=x a b")
    typed = item.typed
    assert isinstance(typed, Onbuild)
    assert item.trigger is not None and item.trigger.source == "copy --from=x a b"
    assert isinstance(item.trigger.typed, Copy)
    assert at(item, item.trigger.typed.sources[0].span) == "a"


REFUSED = {
    "FRM x": ("2:1", "unknown instruction: FRM", "FROM"),
    "qqq x": ("2:1", "unknown instruction: qqq", "expected an instruction"),
    "FROM": ("2:1", "FROM requires either one or three arguments", "FROM image"),
    "FROM a b": ("2:1", "FROM requires either one or three arguments", "AS name"),
    "FROM a AS 1b": ("2:1", 'invalid name for build stage: "1b"', "letters"),
    "COPY a": ("2:1", "COPY requires at least two arguments", "destination"),
    "COPY --form=x a b": ("2:6", "unknown flag: --form", "--from"),
    "COPY --from a b": ("2:6", "missing a value on flag: --from", "--from=VALUE"),
    "COPY --from=x --from=y a b": ("2:15", "duplicate flag specified: --from", "once"),
    "COPY --link=maybe a b": (
        "2:6",
        "expecting boolean value for flag --link, not: maybe",
        "true or false",
    ),
    "COPY --link= a b": ("2:6", "missing a value on flag: --link", "true or false"),
    "COPY a <<E\nE": ("2:1", "COPY cannot accept a heredoc as a destination", "path"),
    "ENV a=b c": (
        "2:9",
        'Syntax error - can\'t find = in "c". Must be of the form: name=value',
        "quote",
    ),
    "ENV a": ("2:1", "ENV must have two arguments", "name=value"),
    "ENV =b": ("2:5", "ENV names can not be blank", "name=value"),
    "ENV": ("2:1", "ENV requires at least one argument", "name=value"),
    "LABEL --x=y a=b": ("2:7", "unknown flag: --x", "no flags"),
    "ARG =b": ("2:5", "ARG names can not be blank", "name=value"),
    "USER": ("2:1", "USER requires exactly one argument", "one argument"),
    "EXPOSE": ("2:1", "EXPOSE requires at least one argument", "one argument"),
    'VOLUME [""]': ("2:1", "VOLUME specified can not be an empty string", "directory"),
    "SHELL bash -c": ("2:1", "SHELL requires the arguments to be in JSON form", "SHELL ["),
    "SHELL []": ("2:1", "SHELL requires at least one argument", "SHELL ["),
    'CMD [["a"]]': ("2:1", "arrays must be comprised of strings only", "double quotes"),
    "ONBUILD ONBUILD RUN a": (
        "2:1",
        "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
        "itself",
    ),
    "ONBUILD FROM a": ("2:1", "FROM isn't allowed as an ONBUILD trigger", "instruction"),
    "ONBUILD": ("2:1", "ONBUILD requires at least one argument", "instruction"),
    "HEALTHCHECK": ("2:1", "HEALTHCHECK requires at least one argument", "CMD"),
    "HEALTHCHECK x": ("2:1", 'Unknown type "X" in HEALTHCHECK (try CMD)', "CMD"),
    "HEALTHCHECK CMD": ("2:1", "Missing command after HEALTHCHECK CMD", "command"),
    "HEALTHCHECK NONE x": ("2:1", "HEALTHCHECK NONE takes no arguments", "alone"),
    "HEALTHCHECK --interval=5 CMD x": ("2:1", 'missing unit in duration "5"', "30s"),
    "HEALTHCHECK --interval=1ns CMD x": ("2:1", "cannot be less than 1ms", "longer"),
    "HEALTHCHECK --retries=x CMD x": ("2:1", "invalid syntax", "number"),
    "HEALTHCHECK --retries=-1 CMD x": ("2:1", "--retries cannot be negative", "more"),
    "RUN --mount=type=disk,target=/x a": ("2:13", 'unsupported mount type "disk"', "bind"),
    "RUN --mount=targt=/x a": ("2:13", "unexpected key 'targt'", "target"),
    "RUN --mount=target a": ("2:13", "invalid field 'target' must be a key=value pair", "VALUE"),
    "RUN --mount=from=$x,target=/y a": (
        "2:13",
        "'from' doesn't support variable expansion",
        "AS name",
    ),
    "RUN --mount=type=cache,target=/x,sharing=all a": (
        "2:13",
        'unsupported sharing value "all"',
        "locked",
    ),
    "RUN --network=lan a": ("2:15", "invalid network mode", "none"),
    "RUN <<E\nx": ("2:1", "unterminated heredoc", "E"),
    "  COPY a": ("2:3", "COPY requires at least two arguments", "destination"),
}


@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_place_words_and_hint(text: str) -> None:
    place, message, hint = REFUSED[text]
    problems = parse(f"FROM x\n{text}\n", "f").errors
    assert problems
    assert str(problems[0].location) == f"f:{place}"
    assert message in problems[0].message
    assert hint in (problems[0].hint or "")


def test_one_bad_instruction_does_not_stop_the_rest() -> None:
    file = parse("FROM x\nCOPY a\nENV B=1\nFOO\nRUN y\n")
    assert [item.typed is not None for item in file.instructions] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert [problem.location.line for problem in file.errors] == [2, 4]


def test_what_the_line_reader_refuses_comes_first_as_for_buildkit() -> None:
    assert [problem.location.line for problem in parse("FROM x\nFOO\nENV a\n").errors] == [3, 2]


def test_nothing_but_arg_may_stand_before_from() -> None:
    problems = parse("ARG a\nRUN x\nFROM b\n").errors
    assert [(problem.location.line, problem.message) for problem in problems] == [
        (2, "no build stage in current context")
    ]


ACCEPTED = [
    *(
        "RUN --mount=type=cache,target=$x,uid=$y a",
        "RUN --mount=type=$t,target=/x a",
        "RUN --mount=type=ssh a",
        "RUN",
    ),
    *(
        "RUN --mount=type=tmpfs,size=1g,target=/x a",
        "RUN --mount=type=secret,id=a,env=B a",
        "RUN --security=insecure a",
    ),
    *(
        "CMD",
        "ENTRYPOINT []",
        "EXPOSE $PORT",
        "STOPSIGNAL 9",
        "ONBUILD FOO x",
        "COPY --chown=$u a b",
        "VOLUME $v",
    ),
    *("HEALTHCHECK --interval=0 CMD x", "HEALTHCHECK --retries=0 CMD x", "MAINTAINER a b <c@d>"),
]


@pytest.mark.parametrize("text", ACCEPTED)
def test_accepted(text: str) -> None:
    assert parse(f"FROM x\n{text}\n").errors == ()
