"""What is said of a run time under a limit, and what is not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.run.tuning.answer import Taken
from imgopt.run.tuning.look import Archive, Look
from imgopt.run.tuning.proposal import propose
from imgopt.run.tuning.rules import RULES, judge

MIB = 1 << 20
FACTS = {one.tuning.language: one.tuning for one in builtin_ecosystems()}
WORKERS = {one.programs[0]: one for e in builtin_ecosystems() for one in e.workers}
TAKEN = Taken(128 * MIB, "17.0.15", "Serial", values={}, chosen=frozenset())
GOOD = {"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=70 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"}
JAVA = Look(
    FACTS["java"],
    environment=GOOD,
    words=("-jar", "app.jar"),
    limit=512 * MIB,
    processors=1.0,
    version="17.0.15",
    taken=replace(TAKEN, heap_bytes=358 * MIB, chosen=frozenset(["MaxRAMPercentage"])),
    rest=120 * MIB,
)
"""Nothing is to be said of it."""
BARE = replace(JAVA, environment={}, taken=TAKEN)
NODE = Look(FACTS["node"], limit=512 * MIB, version="20.1.0", taken=Taken(256 * MIB))
GO = Look(
    FACTS["go"],
    environment={"GOMEMLIMIT": "460MiB"},
    limit=512 * MIB,
    processors=1.0,
    machine_processors=8,
    version="1.26.1",
)
PYTHON = Look(FACTS["python"], processors=2.0, workers=WORKERS["gunicorn"], running_workers=3)


SHARED = replace(
    BARE,
    environment={"JAVA_OPTS": "-Dx=1 -XX:MaxRAMPercentage=60"},
    texts={"the command": "java $JAVA_OPTS -jar app.jar"},
    words=("-Dx=1", "-XX:MaxRAMPercentage=60", "-jar", "app.jar"),
    limit=288 * MIB,
    rest=122 * MIB,
    taken=replace(TAKEN, heap_bytes=174 * MIB, chosen=frozenset(["MaxRAMPercentage"])),
)
"""A share that leaves too little, in a variable that only the shell of the command reads."""


def java(options: str, **more: Any) -> Look:
    environment = {**GOOD, "JAVA_TOOL_OPTIONS": f"{GOOD['JAVA_TOOL_OPTIONS']} {options}"}
    return replace(JAVA, **{"environment": environment, **more})


def numbers(look: Look) -> list[str]:
    return [setting.rule for setting in judge(look)]


UNTOUCHED: Mapping[str, Look] = {
    "all is said": JAVA,
    "a script puts the variable into the start": replace(
        JAVA,
        environment={**GOOD, "JAVA_OPTS": "-Xss2m"},
        texts={"/app/run.sh": 'exec java ${JAVA_OPTS} -jar app.jar "$@"'},
    ),
    "the command is read by a shell": replace(
        JAVA,
        environment={**GOOD, "JAVA_OPTS": "-Xss2m"},
        texts={"the command": "/bin/sh\n-c\njava $JAVA_OPTS -jar app.jar"},
    ),
    "a launcher of which nothing is known": replace(
        JAVA, environment={**GOOD, "JAVA_OPTS": "-Xss2m"}, texts=None
    ),
    "a variable of that name that holds no option": replace(
        JAVA, environment={**GOOD, "JAVA_ARGS": "none"}
    ),
    "an empty variable": replace(JAVA, environment={**GOOD, "JAVA_OPTS": ""}),
    "a fixed heap that fits": java("-Xmx350m", taken=None),
    "a fixed heap that is named again, smaller": replace(
        JAVA,
        environment={**GOOD, "JAVA_TOOL_OPTIONS": f"-Xmx4g {GOOD['JAVA_TOOL_OPTIONS']}"},
        words=("-Xmx300m", "-jar", "app.jar"),
    ),
    "a share of the start's own": replace(
        JAVA,
        environment={"JAVA_TOOL_OPTIONS": "-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"},
        words=("-XX:MaxRAMPercentage=60", "-jar", "app.jar"),
    ),
    "another collector by name": java("-XX:+UseZGC"),
    "limits above which the collector is no accident": replace(
        java(""),
        environment={"JAVA_TOOL_OPTIONS": "-Xmx1500m -XX:+ExitOnOutOfMemoryError"},
        limit=2048 * MIB,
        processors=2.0,
        taken=None,
    ),
    "a version that takes one for all limits": replace(
        JAVA,
        environment={"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=70 -XX:+ExitOnOutOfMemoryError"},
        version="27",
    ),
    "a dump on a volume": java(
        "-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/dumps/heap", volumes=("/dumps",)
    ),
    "it ends in another way": replace(
        JAVA,
        environment={"JAVA_TOOL_OPTIONS": "-Xmx300m -XX:+UseSerialGC -XX:+CrashOnOutOfMemoryError"},
    ),
    "no limit is set": replace(
        JAVA,
        environment={"JAVA_TOOL_OPTIONS": "-XX:+ExitOnOutOfMemoryError"},
        limit=None,
        taken=None,
    ),
    "a heap that fits by itself": NODE,
    "a heap that the start fixes below the limit": replace(
        NODE, words=("--max-old-space-size=350", "app.js")
    ),
    "a variable that fixes it": replace(
        NODE, environment={"NODE_OPTIONS": "--max-old-space-size=300 --enable-source-maps"}
    ),
    "another language's limit below the container's": GO,
    "a package that sets the limit": replace(
        GO, environment={}, packages=frozenset(["github.com/KimMachineGun/automemlimit"])
    ),
    "a package that counts the processors": replace(
        GO, version="1.22.3", packages=frozenset(["go.uber.org/automaxprocs"])
    ),
    "a number of processors of the author's": replace(
        GO, version="1.22.3", environment={"GOMEMLIMIT": "460MiB", "GOMAXPROCS": "4"}
    ),
    "as many processors as the machine has": replace(GO, version="1.22.3", processors=8.0),
    "a version that nothing says": replace(GO, version=""),
    "workers as many as are of use": replace(PYTHON, running_workers=5),
    "one worker for one processor": replace(PYTHON, running_workers=1, processors=1.0),
    "no server with workers": replace(PYTHON, workers=None, running_workers=None),
    "no limit of processors": replace(PYTHON, running_workers=40, processors=None),
}


@pytest.mark.parametrize("look", UNTOUCHED.values(), ids=UNTOUCHED)
def test_nothing_is_said_of(look: Look) -> None:
    assert numbers(look) == []


FOUND: Mapping[str, tuple[Look, str, str, str]] = {
    "a variable that nobody reads": (
        replace(JAVA, environment={**GOOD, "JAVA_OPTS": "-Xmx400m"}),
        "J1",
        "warning",
        "JAVA_OPTS is read by nobody",
    ),
    "a variable of an application server that is not there": (
        replace(JAVA, environment={**GOOD, "CATALINA_OPTS": "-Dx=1"}),
        "J1",
        "warning",
        "CATALINA_OPTS",
    ),
    "a script that reads another variable": (
        replace(
            JAVA,
            environment={**GOOD, "JAVA_OPTS": "-Dx=1"},
            texts={"/run.sh": "exec java $JVM_OPTS -jar app.jar"},
        ),
        "J1",
        "warning",
        "JAVA_OPTS",
    ),
    "a fixed heap as large as the limit": (
        java("-Xmx512m"),
        "J2",
        "error",
        "killed before its heap is full",
    ),
    "a fixed heap in other units": (
        java("-XX:MaxHeapSize=1048576k"),
        "J2",
        "error",
        "over the memory limit",
    ),
    "a fixed heap without room for the rest": (
        java("-Xmx480m"),
        "J2",
        "warning",
        "do not fit",
    ),
    "a fixed heap without room, the rest not measured": (
        java("-Xmx450m", rest=None, taken=None),
        "J2",
        "warning",
        "do not fit",
    ),
    "a fixed heap that leaves most of the limit": (
        java("-Xmx64m"),
        "J2",
        "note",
        "used by nobody",
    ),
    "no share is said": (
        replace(
            BARE,
            environment={"JAVA_TOOL_OPTIONS": "-XX:+UseG1GC -XX:+ExitOnOutOfMemoryError"},
        ),
        "J3",
        "warning",
        "it gets 25 %",
    ),
    "a share that leaves no room": (
        java(
            "-XX:MaxRAMPercentage=90",
            taken=replace(TAKEN, heap_bytes=460 * MIB, chosen=frozenset(["MaxRAMPercentage"])),
        ),
        "J3",
        "warning",
        "do not fit",
    ),
    "a collector that a little more memory changes": (
        replace(
            JAVA,
            environment={
                "JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=70 -XX:+ExitOnOutOfMemoryError"
            },
            limit=1791 * MIB,
            processors=2.0,
        ),
        "J4",
        "note",
        "Serial collector",
    ),
    "a collector that one more processor changes": (
        replace(
            JAVA,
            environment={
                "JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=70 -XX:+ExitOnOutOfMemoryError"
            },
            limit=4096 * MIB,
            processors=1.5,
        ),
        "J4",
        "note",
        "no collector is named",
    ),
    "a dump without a place": (
        java("-XX:+HeapDumpOnOutOfMemoryError"),
        "J5",
        "warning",
        "the working directory",
    ),
    "a dump beside a volume": (
        java("-XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/dumps2/x", volumes=("/dumps",)),
        "J5",
        "warning",
        "/dumps2/x, which is no volume",
    ),
    "it goes on with a full heap": (
        replace(
            JAVA, environment={"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=70 -XX:+UseSerialGC"}
        ),
        "J6",
        "warning",
        "goes on",
    ),
    "a compiler": (
        replace(JAVA, compilers={"/opt/java/bin/javac": 1}),
        "J7",
        "note",
        "/opt/java/bin/javac",
    ),
    "libraries and application in one": (
        replace(JAVA, archives=(Archive("/app/a.jar", 40 * MIB, 39 * MIB),)),
        "J8",
        "note",
        "ships 40 MiB anew",
    ),
    "another run time's heap over the limit": (
        replace(NODE, words=("--max-old-space-size=600", "app.js")),
        "N1",
        "error",
        "over the",
    ),
    "another run time's heap by a variable": (
        replace(NODE, environment={"NODE_OPTIONS": "--max_old_space_size=4096"}),
        "N1",
        "error",
        "over the",
    ),
    "a heap of its own that does not fit": (
        replace(NODE, taken=Taken(4 << 30)),
        "N2",
        "warning",
        "chooses by itself",
    ),
    "a heap of its own that the rest does not leave room for": (
        replace(NODE, rest=300 * MIB),
        "N2",
        "warning",
        "does not fit",
    ),
    "a limit that is not seen": (replace(GO, environment={}), "G1", "note", "does not see"),
    "a limit over the container's": (
        replace(GO, environment={"GOMEMLIMIT": "2GiB"}),
        "G1",
        "error",
        "above the memory limit",
    ),
    "a thread for each of the machine's processors": (
        replace(GO, version="1.22.3"),
        "G2",
        "warning",
        "each processor of the machine",
    ),
    "the last version that does not look": (
        replace(GO, version="1.24.9"),
        "G2",
        "warning",
        "each processor",
    ),
    "workers for another machine": (
        replace(PYTHON, running_workers=65),
        "P1",
        "warning",
        "65 workers share 2",
    ),
    "workers that the start asks for": (
        replace(PYTHON, running_workers=None, said_workers=9),
        "P1",
        "warning",
        "9 workers",
    ),
    "one worker for many processors": (
        replace(PYTHON, running_workers=1, processors=4.0),
        "P2",
        "note",
        "one of 4",
    ),
}


@pytest.mark.parametrize(("look", "rule", "level", "part"), FOUND.values(), ids=FOUND)
def test_it_is_said_that(look: Look, rule: str, level: str, part: str) -> None:
    found = judge(look)
    assert [(setting.rule, setting.level) for setting in found] == [(rule, level)]
    assert part in found[0].message


def test_every_rule_is_a_language_s_and_is_seen_at_work() -> None:
    named = {name: number for facts in FACTS.values() for name, number in facts.rules.items()}
    assert set(named) == set(RULES)
    numbered = {number for facts in FACTS.values() for number in facts.rules.values()}
    assert {rule for _, rule, _, _ in FOUND.values()} == numbered


def proposed(look: Look) -> dict[str, str]:
    return propose(look, judge(look)).environment


PROPOSED: Mapping[str, tuple[Look, dict[str, str]]] = {
    "nothing where nothing was found": (JAVA, {}),
    "all of it": (
        BARE,
        {
            "JAVA_TOOL_OPTIONS": (
                "-XX:MaxRAMPercentage=73 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"
            )
        },
    ),
    "the usual share where the rest is not known": (
        replace(BARE, rest=None),
        {
            "JAVA_TOOL_OPTIONS": (
                "-XX:MaxRAMPercentage=75 -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"
            )
        },
    ),
    "two options for the share of a small limit": (
        replace(BARE, limit=192 * MIB, rest=100 * MIB),
        {
            "JAVA_TOOL_OPTIONS": (
                "-XX:MaxRAMPercentage=40 -XX:MinRAMPercentage=40 -XX:+UseSerialGC"
                " -XX:+ExitOnOutOfMemoryError"
            )
        },
    ),
    "no collector where both limits are large": (
        replace(BARE, limit=4096 * MIB, processors=4.0),
        {"JAVA_TOOL_OPTIONS": "-XX:MaxRAMPercentage=75 -XX:+ExitOnOutOfMemoryError"},
    ),
    "a dump where a volume is": (
        replace(
            JAVA,
            environment={"JAVA_TOOL_OPTIONS": "-Xmx300m -XX:+UseSerialGC"},
            volumes=("/dumps",),
        ),
        {
            "JAVA_TOOL_OPTIONS": (
                "-Xmx300m -XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"
                " -XX:+HeapDumpOnOutOfMemoryError -XX:HeapDumpPath=/dumps"
            )
        },
    ),
    "what the variable says stays": (
        replace(BARE, environment={"JAVA_TOOL_OPTIONS": "-javaagent:/a.jar -Xmx2g"}),
        {
            "JAVA_TOOL_OPTIONS": (
                "-javaagent:/a.jar -XX:MaxRAMPercentage=73 -XX:+UseSerialGC"
                " -XX:+ExitOnOutOfMemoryError"
            )
        },
    ),
    "what the start fixes no variable changes": (
        replace(BARE, words=("-Xmx2g", "-jar", "app.jar")),
        {"JAVA_TOOL_OPTIONS": "-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"},
    ),
    "what another variable fixes neither": (
        replace(BARE, environment={"JDK_JAVA_OPTIONS": "-Xmx2g"}),
        {"JAVA_TOOL_OPTIONS": "-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"},
    ),
    "options that nobody read may do something: they stay unread": (
        replace(JAVA, environment={**GOOD, "JAVA_OPTS": "-Dspring.profiles.active=prod"}),
        {},
    ),
    "a variable that a script puts into the start": (
        SHARED,
        {
            "JAVA_OPTS": "-Dx=1 -XX:MaxRAMPercentage=51",
            "JAVA_TOOL_OPTIONS": "-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError",
        },
    ),
    "a share in the words of the start": (
        replace(SHARED, environment={}, texts={}),
        {"JAVA_TOOL_OPTIONS": "-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError"},
    ),
    "another run time's heap": (
        replace(NODE, taken=Taken(4 << 30), environment={"NODE_OPTIONS": "--no-warnings"}),
        {"NODE_OPTIONS": "--no-warnings --max-old-space-size=384"},
    ),
    "another run time's heap beside what was seen": (
        replace(NODE, taken=Taken(4 << 30), rest=200 * MIB),
        {"NODE_OPTIONS": "--max-old-space-size=281"},
    ),
    "a heap that the start fixes": (
        replace(NODE, words=("--max-old-space-size=600", "app.js")),
        {},
    ),
    "limits that are told": (
        replace(GO, environment={}, version="1.24.9"),
        {"GOMEMLIMIT": "460MiB", "GOMAXPROCS": "1"},
    ),
    "a limit over the container's is said anew": (
        replace(GO, environment={"GOMEMLIMIT": "2GiB"}),
        {"GOMEMLIMIT": "460MiB"},
    ),
    "part of a processor": (replace(GO, version="1.24", processors=2.5), {"GOMAXPROCS": "3"}),
    "workers by the variable": (
        replace(PYTHON, running_workers=65),
        {"WEB_CONCURRENCY": "5"},
    ),
    "workers that the start fixes": (replace(PYTHON, said_workers=65, running_workers=65), {}),
}


@pytest.mark.parametrize(("look", "environment"), PROPOSED.values(), ids=PROPOSED)
def test_what_is_proposed_is(look: Look, environment: dict[str, str]) -> None:
    assert proposed(look) == environment


@pytest.mark.parametrize("look", [look for look, _ in PROPOSED.values()], ids=PROPOSED)
def test_a_variable_is_named_once_with_its_whole_value(look: Look) -> None:
    proposal = propose(look, judge(look))
    named = [(setting.name, setting.value) for setting in proposal.settings if setting.name]
    assert sorted(named) == sorted(proposal.environment.items())


def test_a_limit_that_the_rest_fills_is_too_small() -> None:
    proposal = propose(replace(BARE, limit=160 * MIB), judge(BARE))
    assert "160 MiB hold no heap beside the 120 MiB" in proposal.too_small
    assert propose(BARE, judge(BARE)).too_small == ""


def test_what_only_the_start_can_say_is_said_in_words() -> None:
    look = replace(SHARED, environment={}, texts={})
    share = next(one for one in propose(look, judge(look)).settings if one.rule == "J3")
    assert "-XX:MaxRAMPercentage=51 in the start itself" in share.fix
    assert (share.name, share.value) == ("", "")
