"""What run times say of themselves under limits, in their own words."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.context.facts.tuning import Tuning
from imgopt.run.tuning.amounts import bytes_of, heap_percent, memory_limit
from imgopt.run.tuning.answer import beside_the_heap, read_answer
from imgopt.run.tuning.start_options import names_variable, options_in_force, own_options

FACTS = {one.tuning.language: one.tuning for one in builtin_ecosystems()}
JAVA, NODE = FACTS["java"], FACTS["node"]
MIB = 1 << 20

SAID = Path(__file__).parent / "tuning_answers"
# `java -XX:+PrintFlagsFinal -version`, a few of its 500 lines.
OF_THE_MACHINE = (SAID / "java-17.txt").read_text()
# Under 200 MiB, with JAVA_TOOL_OPTIONS="-XX:MaxRAMPercentage=40", which counts for nothing there.
BY_VARIABLE = (SAID / "java-25-by-variable.txt").read_text()
# Java 8 marks what is not the default by `:=`, and says its origin nowhere.
OF_JAVA_8 = (SAID / "java-8.txt").read_text()
REFUSED = (SAID / "java-refused.txt").read_text()


def test_what_the_machine_decides_is_told_from_what_somebody_chose() -> None:
    assert JAVA.asked is not None
    taken = read_answer(JAVA.asked, OF_THE_MACHINE)
    assert taken is not None
    assert (taken.heap_bytes, taken.collector, taken.version) == (6320816128, "G1", "17.0.15")
    assert taken.container
    assert not taken.chosen
    assert taken.values is not None
    assert taken.values["HeapDumpPath"] == ""


def test_an_option_of_a_variable_is_chosen() -> None:
    assert JAVA.asked is not None
    taken = read_answer(JAVA.asked, BY_VARIABLE)
    assert taken is not None
    assert (taken.heap_bytes, taken.collector) == (100 * MIB, "Serial")
    assert taken.chosen == {"MaxRAMPercentage"}


@pytest.mark.parametrize(
    ("limits", "collector", "heap"), [("512m-1", "Serial", 128), ("1792m-2", "G1", 448)]
)
def test_limits_choose_collector_and_heap(limits: str, collector: str, heap: int) -> None:
    assert JAVA.asked is not None
    taken = read_answer(JAVA.asked, (SAID / f"java-17-{limits}.txt").read_text())
    assert taken is not None
    assert (taken.collector, taken.heap_bytes, taken.container) == (collector, heap * MIB, True)


def test_an_old_one_says_the_same_in_other_columns() -> None:
    assert JAVA.asked is not None
    taken = read_answer(JAVA.asked, OF_JAVA_8)
    assert taken is not None
    assert (taken.heap_bytes, taken.collector, taken.version) == (256 * MIB, "Serial", "8.0_382")


def test_no_limit_of_the_container_is_seen_where_that_is_switched_off() -> None:
    assert JAVA.asked is not None
    off = OF_THE_MACHINE.replace("Support                      = true", "Support       = false")
    taken = read_answer(JAVA.asked, off)
    assert taken is not None
    assert not taken.container


@pytest.mark.parametrize("said", [REFUSED, "", "exec: java: not found\n", "MaxHeapSize = many\n"])
def test_what_does_not_start_takes_nothing(said: str) -> None:
    assert JAVA.asked is not None
    assert read_answer(JAVA.asked, said) is None


def test_another_run_time_says_it_in_two_lines() -> None:
    assert NODE.asked is not None
    taken = read_answer(NODE.asked, "heap_size_limit = 4345298944\nversion = 20.20.2\n")
    assert taken is not None
    assert (taken.heap_bytes, taken.version, taken.collector) == (4345298944, "20.20.2", "")


@pytest.mark.parametrize(
    ("said", "beside"),
    [
        (
            "Total: reserved=1574936307, committed=170082035\n"
            "-                 Java Heap (reserved=104857600, committed=104857600)\n",
            170082035 - 104857600,
        ),
        (
            "Total: reserved=1537633KB, committed=165753KB\n"
            "-                 Java Heap (reserved=102400KB, committed=102400KB)\n",
            (165753 - 102400) * 1024,
        ),
        ("Total: reserved=1574936307, committed=170082035\n", None),
        ("it was killed\n", None),
    ],
    ids=["bytes", "kilobytes", "no heap in it", "no report"],
)
def test_what_is_taken_beside_the_heap_is_read_from_the_report(
    said: str, beside: int | None
) -> None:
    assert JAVA.report is not None
    assert beside_the_heap(JAVA.report, said) == beside


OPTIONS: dict[str, tuple[Tuning, str, tuple[str, ...]]] = {
    "behind the archive they are the program's": (JAVA, "-jar app.jar -Xmx1g", ()),
    "behind the class they are the program's": (JAVA, "-cp /app Main -XX:+UseG1GC", ()),
    "a debugger's would open a port": (JAVA, "-agentlib:jdwp=x -Xmx1g -jar a.jar", ("-Xmx1g",)),
    "properties are the program's": (JAVA, "-Dx=1 -Xss2m -jar a.jar", ("-Xss2m",)),
    "a value with a dash": (JAVA, "-cp -Xmx1g -Xms8m Main", ("-Xms8m",)),
    "a file of options": (JAVA, "@/app/flags -jar a.jar", ("@/app/flags",)),
    "another run time's": (NODE, "--max-old-space-size=300 app.js", ("--max-old-space-size=300",)),
    "behind the script": (NODE, "-r dotenv/config app.js --max-old-space-size=1", ()),
}


@pytest.mark.parametrize(("facts", "words", "options"), OPTIONS.values(), ids=OPTIONS)
def test_options_of_the_run_time_are_told_from_others(
    facts: Tuning, words: str, options: tuple[str, ...]
) -> None:
    assert own_options(facts, words.split()) == options


def test_the_option_that_counts_stands_last() -> None:
    environment = {
        "_JAVA_OPTIONS": "-Xmx4g",
        "JDK_JAVA_OPTIONS": "-Xmx2g",
        "JAVA_TOOL_OPTIONS": "-Xmx1g",
        "JAVA_OPTS": "-Xmx9g",
    }
    words = ("-Xmx3g", "-jar", "a.jar")
    assert options_in_force(JAVA, environment, words, 17) == (
        "-Xmx1g",
        "-Xmx2g",
        "-Xmx3g",
        "-Xmx4g",
    )
    assert options_in_force(JAVA, environment, words, 8) == ("-Xmx1g", "-Xmx3g", "-Xmx4g")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("exec java $JAVA_OPTS -jar a.jar", True),
        ('exec java "${JAVA_OPTS:--Xmx1g}" -jar a.jar', True),
        ("java ${JAVA_OPTS} -jar a.jar", True),
        ("java $JAVA_OPTS_2 -jar a.jar", False),
        ("java $MY_JAVA_OPTS -jar a.jar", False),
        ("# JAVA_OPTS are for the heap", False),
    ],
)
def test_a_variable_is_read_where_a_shell_puts_its_value_in(text: str, named: bool) -> None:
    assert names_variable(text, "JAVA_OPTS") is named


@pytest.mark.parametrize(
    ("peak", "rest", "limit"),
    [(212, None, 256), (1, None, 16), (445, None, 512), (100, 150, 240), (400, 20, 464)],
)
def test_a_limit_is_the_peak_with_its_margin_in_steps(
    peak: int, rest: int | None, limit: int
) -> None:
    assert memory_limit(peak * MIB, rest * MIB if rest else None) == limit * MIB


@pytest.mark.parametrize(
    ("limit", "rest", "percent"),
    [(512, None, 75), (2048, 150, 75), (512, 150, 66), (256, 150, 32), (160, 150, -8)],
)
def test_a_heap_gets_what_the_rest_leaves(limit: int, rest: int | None, percent: int) -> None:
    assert heap_percent(limit * MIB, rest * MIB if rest else None, 75) == percent


@pytest.mark.parametrize(
    ("size", "unit", "number"),
    [("512", "m", 512 * MIB), ("2", "G", 2 << 30), ("7", "", 7), ("230", "MiB", 230 * MIB)]
    + [("9", "KB", 9 << 10), ("5", "B", 5)],
)
def test_sizes_are_read_as_run_times_write_them(size: str, unit: str, number: int) -> None:
    assert bytes_of(size, unit) == number
