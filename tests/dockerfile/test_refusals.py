"""What BuildKit refuses is refused in its words, with line and column; what it takes is taken. Held
by the engine."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from imgopt.dockerfile import parse

REFUSED = {
    # text: (line:column, BuildKit's words)
    "": ("1:1", "the Dockerfile cannot be empty"),
    "# x\n": ("1:1", "file with no instructions"),
    "# check=skip=all; error=true\nFROM scratch\n": ("1:1", 'failed to parse check options: invalid check option ""'),
    "# check=error=maybe\nFROM scratch\n": ("1:1", 'strconv.ParseBool: parsing "maybe": invalid syntax'),
    "# escape = \nFROM scratch\n": ("1:1", "invalid escape token ' ' does not match ` or \\"),
    "ARG A=${x^}\nFROM scratch\n": ("1:5", 'failed to process "${x^}": unsupported modifier (^) in substitution'),
    "FROM scratch AS Ab\nFROM Ab\n": ("2:1", 'failed to parse stage name "Ab": invalid reference format'),
    "FROM --platform=foo scratch\n": ("1:17", '"foo": unknown operating system or architecture'),
    "FROM --platform=a/b/c/d scratch\n": ("1:17", '"a/b/c/d": cannot parse platform specifier'),
    "FROM --platform=$x scratch\n": ("1:17", "empty platform value from expression $x"),
    "FROM a:b:c AS unused\nFROM scratch\n": ("1:1", 'failed to parse stage name "a:b:c": invalid reference format'),
    "FROM scratch\nCOPY --from=$x a b\n": ("2:13", "variable expansion is not supported for --from"),
    "FROM scratch\nCOPY --from=a:b:c a b\n": ("2:13", 'failed to parse stage name "a:b:c": invalid reference format'),
    "FROM scratch AS x\nCOPY --from=X a b\n": ("2:1", "circular dependency detected on stage: x"),
    "FROM scratch\nCOPY --from=0 a b\n": ("2:1", "circular dependency detected on stage: stage-0"),
    "FROM scratch AS b\nCOPY --from=c x y\nFROM scratch AS c\nFROM b\n": (
        "2:1", 'cannot copy from stage "c", it needs to be defined before current stage "b"'),
    "FROM scratch AS b\nRUN --mount=from=c,target=/x y\nFROM scratch AS c\nFROM b\n": (
        "2:13", 'cannot mount from stage "c" to "/x", stage needs to be defined before current command'),
    "FROM scratch\nENV A=1 B=\"x\n": ("2:9", "unexpected end of statement while looking for matching double-quote"),
    "FROM scratch\nENV A it's\n": ("2:5", "unexpected end of statement while looking for matching single-quote"),
    "FROM scratch\nENV A=${x:?no}\n": ("2:5", 'failed to process "${x:?no}": x: no'),
    "FROM scratch\nLABEL a=${x^}\n": ("2:7", "unsupported modifier (^) in substitution"),
    "FROM scratch\nARG A='x\n": ("2:5", "unexpected end of statement while looking for matching single-quote"),
    "FROM scratch\nUSER ${x^}\n": ("2:6", "unsupported modifier (^) in substitution"),
    "FROM scratch\nWORKDIR 'a b\n": ("2:9", "unexpected end of statement while looking for matching single-quote"),
    "FROM scratch\nVOLUME /a $x\n": ("2:11", "VOLUME specified can not be an empty string"),
    "FROM scratch\nEXPOSE 80 99999\n": ("2:11", "invalid containerPort: 99999"),
    "FROM scratch\nEXPOSE 5-1\n": ("2:8", "invalid containerPort: 5-1"),
    "FROM scratch\nEXPOSE 80/foo\n": ("2:8", 'invalid port: "80/foo": invalid proto: foo'),
    "FROM scratch\nEXPOSE a:80\n": ("2:8", "invalid hostPort: a"),
    "FROM scratch\nEXPOSE /tcp\n": ("2:8", 'invalid port: "/tcp": no port specified'),
    "FROM scratch\nENV S=FOO\nSTOPSIGNAL $S\n": ("3:12", "invalid signal: FOO"),
    "FROM scratch\nSTOPSIGNAL 0\n": ("2:12", "invalid signal: 0"),
    "FROM scratch\nSTOPSIGNAL RTMIN+16\n": ("2:12", "invalid signal: RTMIN+16"),
    "FROM scratch\nCOPY --chmod=999 a b\n": ("2:14", "invalid chmod parameter: '999'. it should be octal string"),
    "FROM scratch\nCOPY --chmod=10000 a b\n": ("2:14", "invalid chmod parameter: '10000'"),
    "FROM scratch\nCOPY --chmod=u+x,foo a b\n": ("2:14", "invalid syntax"),
    "FROM scratch\nCOPY --chown=${x^} a b\n": ("2:14", "unsupported modifier (^) in substitution"),
    "FROM scratch\nCOPY https://x/y /z\n": ("2:6", "source can't be a URL for COPY"),
    "FROM scratch\nCOPY git@github.com:a/b /z\n": ("2:6", "source can't be a git ref for COPY"),
    "FROM scratch\nCOPY <<E /x\na\n${y^}\nE\n": ("3:1", "unsupported modifier (^) in substitution"),
    "FROM scratch\nADD --checksum=sha256:00 http://x/y /z\n": ("2:16", "invalid checksum digest length"),
    "FROM scratch\nADD --checksum=md5:00 http://x/y /z\n": ("2:16", "unsupported digest algorithm"),
    "FROM scratch\nADD --checksum=foo http://x/y /z\n": ("2:16", "invalid checksum digest format"),
    "FROM scratch\nADD --checksum=foo a /z\n": ("2:16", "checksum requires HTTP(S) or Git sources"),
    "FROM scratch\nADD --checksum=foo a b /z/\n": ("2:16", "checksum can't be specified for multiple sources"),
    "FROM scratch\nRUN --network=$x a\n": ("2:15", 'invalid network mode "$x"'),
    "FROM scratch\nRUN --mount= a\n": ("2:13", "failed to parse csv mounts: EOF"),
    "FROM scratch\nRUN --mount=foo a\n": ("2:13", "invalid field 'foo' must be a key=value pair"),
    "FROM scratch\nRUN --mount=type=foo,target=/x a\n": ("2:13", 'unsupported mount type "foo"'),
    "FROM scratch\nRUN --mount=type=$x,target=/x a\n": ("2:13", 'unsupported mount type ""'),
    "FROM scratch\nRUN --mount=type=bind a\n": ("2:13", 'invalid mount target "/"'),
    "FROM scratch\nRUN --mount=type=cache,target=. a\n": ("2:13", 'invalid mount target "/"'),
    "FROM scratch\nRUN --mount=type=cache,target=/x,mode=9 a\n": ("2:13", "invalid value 9 for mode"),
    "FROM scratch\nRUN --mount=type=cache,target=/x,uid=4294967296 a\n": ("2:13", "invalid value 4294967296 for uid"),
    "FROM scratch\nRUN --mount=type=bind,target=/x,gid=1 a\n": ("2:13", 'gid not allowed for "bind" type mounts'),
    "FROM scratch\nRUN --mount=type=tmpfs,target=/x,size=foo a\n": ("2:13", "invalid value for size: foo"),
    "FROM scratch\nRUN --mount=type=cache,target=/x,size=1 a\n": (
        "2:13", "unexpected key 'size' for mount type 'cache'"),
    "FROM scratch\nRUN --mount=required,type=secret,id=a a\n": (
        "2:13", "unexpected key 'required' for mount type 'bind'"),
    "FROM scratch\nRUN --mount=type=cache,target=/x,sharing= a\n": ("2:13", 'unsupported sharing value ""'),
    "FROM scratch\nRUN --mount=type=bind,target=/x,sharing=shared a\n": (
        "2:13", "invalid cache sharing set for bind mount"),
    "FROM scratch\nRUN --mount=type=secret,env=A a\n": ("2:13", "one of source, target required"),
    "FROM scratch\nRUN --mount=type=secret,id=a,source=b a\n": ("2:13", "both source and id can't be set"),
    "FROM scratch\nRUN --mount=type=ssh,source=x a\n": ("2:13", "ssh does not support source"),
    "FROM scratch\nHEALTHCHECK --interval=$x CMD a\n": ("2:1", 'time: invalid duration "$x"'),
    "FROM scratch\nHEALTHCHECK --interval=5 CMD a\n": ("2:1", 'time: missing unit in duration "5"'),
    "FROM scratch\nHEALTHCHECK --interval=1x CMD a\n": ("2:1", 'time: unknown unit "x" in duration "1x"'),
    "FROM scratch\nHEALTHCHECK --interval=9999999999h CMD a\n": ("2:1", 'time: invalid duration "9999999999h"'),
    "FROM scratch\nHEALTHCHECK --retries=2147483648 CMD a\n": (
        "2:1", 'strconv.ParseInt: parsing "2147483648": value out of range'),
}  # fmt: skip

TAKEN = [
    "FROM scratch AS Ab\nFROM ab\nRUN --mount=from=AB,target=/x y\n",
    "FROM scratch AS b\nENV A=${x^}\nRUN --mount=type=foo y\nCOPY --chmod=999 a b\nEXPOSE x\nFROM scratch\n",
    "FROM scratch AS b\nCOPY --from=c x y\nFROM scratch AS c\n",
    "FROM scratch\nARG X\nSTOPSIGNAL SIGrtmax-14\nSTOPSIGNAL -1\nSTOPSIGNAL clD\nEXPOSE 80-90:80/ +80 $x\n",
    'FROM scratch\nENV P="80 81/udp"\nEXPOSE $P "82" 1.2.3.4:80:90\n',
    "FROM scratch\nCOPY --chmod=u=rwX,go-w a b\nCOPY --chmod=$x a b\nCOPY --chmod==rw a b\nCOPY --chmod=0000755 a b\n",
    "FROM scratch\nCOPY <<E /x\nit's \"\nE\nCOPY <<'F' /y\n${y^}\nF\nRUN <<G\n${z^}\nG\n",
    "FROM scratch\nCOPY --exclude=${x a b\nCOPY HTTP://x/y /z\nONBUILD ENV A=${x\nONBUILD COPY a\nCMD ${x\n",
    "FROM scratch\nWORKDIR /d\nRUN --mount=type=bind a\nRUN --mount=target=x b\nRUN --mount=type=secret,target=/ c\n",
    "FROM scratch\nRUN --mount=type=tmpfs,target=/x,size=1.5m a\nRUN --mount=type=ssh,mode=0600,uid=1 b\n",
    "FROM scratch\nRUN --mount=type=CACHE,target=/x,sharing=LOCKED,ro=T a\nRUN --network=none b\n",
    "FROM scratch\nHEALTHCHECK --interval=$x NONE\nHEALTHCHECK --interval=+1.5h30m --retries=+3 CMD x\n",
    "FROM --platform=windows(10.0.17763)/amd64 scratch\nFROM --platform=x86_64 scratch\n",
    "FROM --platform=linux scratch\n",
    "# check=skip=Foo,all;error=false later words\nFROM scratch\n",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_is_refused_at_its_place_in_buildkits_words(text: str) -> None:
    place, words = REFUSED[text]
    found = parse(text, "f").errors
    assert found
    assert str(found[0].location) == f"f:{place}"
    assert words in found[0].message
    assert found[0].hint


@pytest.mark.parametrize("text", TAKEN)
def test_is_taken(text: str) -> None:
    assert parse(text).errors == ()


def outline(folder: Path, text: str) -> str:
    """What the engine's BuildKit says against a file; empty where it takes it."""
    command = ["docker", "buildx", "build", "--call=outline", "-f", "-", str(folder)]
    done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=120)
    return done.stderr if done.returncode else ""


@pytest.mark.engine
@pytest.mark.usefixtures("engine")
def test_the_engine_refuses_and_takes_the_same(tmp_path: Path) -> None:
    texts = [*REFUSED, *TAKEN]
    with ThreadPoolExecutor(4) as pool:
        answers = dict(
            zip(texts, pool.map(lambda text: outline(tmp_path, text), texts), strict=True)
        )
    for text, (_, words) in REFUSED.items():
        assert re.sub(r"\s+", " ", words) in re.sub(r"\s+", " ", answers[text]), text
    assert [text for text in TAKEN if answers[text]] == []


WITH_ARGUMENTS = "ARG B=scratch\nFROM $B AS one\nARG S=FOO\nSTOPSIGNAL $S\nFROM scratch\nARG M\nCOPY --chmod=$M a b\n"


def test_only_what_the_target_needs_is_carried_out() -> None:
    file = parse(WITH_ARGUMENTS)
    assert file.errors == ()
    assert [found.message for found in file.errors_of("one", {})] == ["invalid signal: FOO"]
    assert file.errors_of("one", {"S": "TERM"}) == ()
    assert [found.message[:24] for found in file.errors_of(None, {"M": "999"})] == [
        "invalid chmod parameter:"
    ]


@pytest.mark.parametrize(
    "lines",
    [
        "STOPSIGNAL $FROM_THE_BASE",
        "ENV A=$FROM_THE_BASE\nSTOPSIGNAL $A",
        "ARG A=$FROM_THE_BASE\nCOPY --chmod=$A a b",
        "USER ${FROM_THE_BASE:?must be set}",
        "RUN --mount=target=here x",
        "RUN --mount=type=$FROM_THE_BASE,target=/x,size=1 x",
        "ADD --checksum=$FROM_THE_BASE a /x",
    ],
)
def test_what_the_base_image_may_say_is_not_judged(lines: str) -> None:
    assert parse(f"FROM python\n{lines}\n").errors == ()
    assert parse(f"FROM python AS a\nFROM a\n{lines}\n").errors == ()


def test_what_a_stage_below_says_is_known_above() -> None:
    file = parse("FROM scratch AS a\nENV S=FOO\nFROM a\nSTOPSIGNAL $S\n")
    assert [found.message for found in file.errors] == ["invalid signal: FOO"]


def test_a_value_that_becomes_known_is_judged_again() -> None:
    file = parse("FROM python\nENV S=$BASE\nENV S=FOO\nSTOPSIGNAL $S\n")
    assert [found.message for found in file.errors] == ["invalid signal: FOO"]
