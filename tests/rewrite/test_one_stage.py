"""One stage over a fat base stays one stage: another base under the author's own lines, and a user
that owns what it writes to. What must not change comes first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from recipes import File, Files, Recipe

from imgopt.context.ecosystems import load_ecosystems
from imgopt.dockerfile import parse
from imgopt.image import Image
from imgopt.rewrite.evidence import Seen
from imgopt.rewrite.gather import gather
from imgopt.rewrite.lines.base_name import spelled
from imgopt.rewrite.plan import Plan, make_plan
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.variants import choose_variants, strategies_of

RELEASE = 'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
SYSTEM: Files = {
    "/etc/os-release": RELEASE,
    "/etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
    "/bin/sh": File("\x7fELF", 0o755),
    "/usr/local/bin/python": File("\x7fELF", 0o755),
}
FAT: Files = {
    **SYSTEM,
    "/usr/bin/gcc": File("x" * 1000, 0o755),
    "/opt/own.conf": "1\n",
    "/etc/mime.types": "text/plain txt\n",
    "/var/lib/dpkg/status": "Package: media-types\nStatus: install ok installed\nArchitecture: all\nVersion: 10\n",
    "/var/lib/dpkg/info/media-types.list": "/etc\n/etc/mime.types\n",
}
APP: Files = {"/app": File(folder=True), "/app/app.py": "print(1)\n"}
BASE_CONFIG = {"Env": ["PATH=/usr/local/bin:/usr/bin:/bin"], "Cmd": ["python"]}


class Case:
    """Plans of a Dockerfile over images that are made here."""

    def __init__(self, make: Callable[[Recipe], Image], folder: Path) -> None:
        self._make, self._folder = make, folder

    def plan(
        self,
        text: str,
        kind: str = "slim",
        had: tuple[str, ...] = ("python:3.11-slim-bookworm",),
        written: tuple[str, ...] = (),
        opened: frozenset[str] = frozenset(),
        args: Mapping[str, str] | None = None,
        layers: tuple[tuple[str, Files], ...] = (
            ("WORKDIR /app", {"/app": File(folder=True)}),
            ("COPY . .", APP),
        ),
        slim: Mapping[str, object] = BASE_CONFIG,
        disabled: tuple[str, ...] = (),
        **config: object,
    ) -> Plan:
        base = self._make(Recipe((("ADD rootfs", FAT),), BASE_CONFIG))
        new = self._make(Recipe((("ADD rootfs", SYSTEM),), slim))
        whole = {**BASE_CONFIG, "Cmd": ["python", "app.py"], "WorkingDir": "/app", **config}
        image = self._make(Recipe((("ADD rootfs", FAT), *layers), whole))
        seen = Seen(opened=opened | {"/app/app.py"}, written=written)
        evidence = gather(image, base, seen, lambda name: new if name in had else None)
        chosen = choose_variants([kind])[0]
        project = Project(
            ContextFiles(self._folder, {"app.py": 9}),
            load_ecosystems([], self._folder),
            evidence=evidence,
            args=args or {},
        )
        return make_plan(text, project, strategies_of(chosen, disabled, []))


@pytest.fixture
def case(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Case:
    return Case(image_of, tmp_path)


HEAD = "FROM python:3.11\n"
BODY = 'WORKDIR /app\nCOPY . .\nCMD ["python", "app.py"]\n'


def reasons(plan: Plan, strategy: str) -> str:
    return "; ".join(skip.reason for skip in plan.skips if skip.strategy == strategy)


@pytest.mark.parametrize(
    ("text", "args", "reason"),
    [
        (
            f"{HEAD.strip()} AS a\n{BODY}FROM a AS dev\nFROM a\n{BODY}",
            {},
            "the stage dev is built on it too",
        ),
        (
            f"{HEAD.strip()} AS a\n{BODY}FROM x\nCOPY --from=a /app /app\nFROM a\n{BODY}",
            {},
            "takes files of it",
        ),
        (
            "ARG B=python:3.11\nFROM $B\n" + BODY,
            {"B": "python:3.11"},
            "--build-arg B names the base",
        ),
        (
            "ARG B=python:3.11\nFROM $B AS x\nFROM $B\n" + BODY,
            {},
            "names the base of the stage x too",
        ),
        ("ARG V=1\nFROM python:3.${V}1\n" + BODY, {}, "its name is made of variables"),
        ("FROM python:3.11-slim\n" + BODY, {}, "is a slim base already"),
        (
            "FROM example.com/own/thing:1\n" + BODY,
            {},
            "no slim base is known for example.com/own/thing:1",
        ),
        ("ARG B\nFROM $B\n" + BODY, {}, "what FROM names is not known here"),
    ],
)
def test_a_base_that_is_not_this_stage_s_alone_stays(
    case: Case, text: str, args: dict[str, str], reason: str
) -> None:
    plan = case.plan(text, args=args)
    assert plan.base == ""
    assert reason in reasons(plan, "slim-base")


def test_no_refusal_names_an_empty_base(case: Case) -> None:
    plan = case.plan("ARG B\nFROM $B\n" + BODY)
    assert not [skip.reason for skip in plan.skips if skip.reason.endswith((" for ", "  "))]


def test_a_base_that_cannot_be_had_is_refused_with_every_name(case: Case) -> None:
    plan = case.plan(HEAD + BODY, had=())
    said = reasons(plan, "slim-base")
    assert (
        said == "python:3.11-slim-bookworm cannot be had here; python:3.11-slim cannot be had here"
    )


def test_a_base_that_cannot_be_had_is_no_refusal_where_another_one_was_found(case: Case) -> None:
    plan = case.plan(HEAD + BODY, had=("python:3.11-slim",))
    assert plan.base == "python:3.11-slim"
    assert "cannot be had" not in reasons(plan, "slim-base")


def test_one_script_gets_the_slim_base_and_a_user_that_only_reads_it(case: Case) -> None:
    plan = case.plan(HEAD + BODY)
    assert plan.dockerfile == (
        "FROM python:3.11-slim-bookworm\n"
        "RUN groupadd --gid 10001 app && useradd --uid 10001 --gid app --create-home --no-log-init app\n"
        "WORKDIR /app\nCOPY . .\n"
        'USER 10001:10001\nCMD ["python", "app.py"]\n'
    )
    assert plan.base == "python:3.11-slim-bookworm"
    assert plan.final is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("ARG V=3.11\nFROM python:${V}\n" + BODY, "ARG V=3.11\nFROM python:${V}-slim-bookworm\n"),
        (
            "ARG V=3.11\nFROM python:$V-bookworm AS app\n" + BODY,
            "ARG V=3.11\nFROM python:$V-slim-bookworm AS app\n",
        ),
        ("ARG B=python:3.11\nFROM $B\n" + BODY, "ARG B=python:3.11-slim-bookworm\nFROM $B\n"),
        ('ARG B="python:3.11"\nFROM ${B}\n' + BODY, "ARG B=python:3.11-slim-bookworm\nFROM ${B}\n"),
        (
            "FROM --platform=linux/amd64 python:3.11\n" + BODY,
            "FROM --platform=linux/amd64 python:3.11-slim-bookworm\n",
        ),
        ("FROM python:3.11@sha256:" + "0" * 64 + "\n" + BODY, "FROM python:3.11-slim-bookworm\n"),
        (HEAD.replace("\n", "\r\n") + BODY, "FROM python:3.11-slim-bookworm\r\n"),
    ],
)
def test_the_base_is_written_as_the_author_writes_it(case: Case, text: str, first: str) -> None:
    assert case.plan(text).dockerfile.startswith(first)


def test_a_version_that_is_given_for_the_build_stays_a_variable(case: Case) -> None:
    plan = case.plan("ARG V\nFROM python:${V}\n" + BODY, args={"V": "3.11"})
    assert "--build-arg V names the base" in reasons(plan, "slim-base")


def test_a_mirror_s_base_is_taken_from_the_same_mirror(case: Case) -> None:
    name = "mirror.example:5000/hub/python:3.11-slim-bookworm"
    plan = case.plan("FROM mirror.example:5000/hub/python:3.11\n" + BODY, had=(name,))
    assert plan.dockerfile.startswith(f"FROM {name}\n")


def test_a_file_of_the_old_base_that_no_package_gives_keeps_it(case: Case) -> None:
    plan = case.plan(HEAD + BODY, opened=frozenset(["/opt/own.conf"]))
    assert plan.base == ""
    assert "lacks /opt/own.conf (opened in the smoke run), which no package gives" in reasons(
        plan, "slim-base"
    )


def test_a_setting_of_a_package_that_brings_nothing_else_is_copied_from_the_old_base(
    case: Case,
) -> None:
    plan = case.plan(HEAD + BODY, opened=frozenset(["/etc/mime.types"]))
    assert "COPY --from=python:3.11 /etc/mime.types /etc/mime.types\n" in plan.dockerfile


def test_what_the_old_base_says_and_the_new_one_does_not_is_said(case: Case) -> None:
    slim = {
        "Env": ["PATH=/usr/local/bin:/usr/bin:/bin"],
        "Cmd": ["sh"],
        "WorkingDir": "/home",
        "User": "65532",
    }
    plan = case.plan(
        HEAD + "COPY app.py /\n",
        slim=slim,
        Cmd=["python"],
        WorkingDir="",
        Env=[*BASE_CONFIG["Env"], "A=1"],
    )
    lines = plan.dockerfile.splitlines()
    assert {"ENV A=1", "USER 0:0", "WORKDIR /", 'CMD ["python"]'} <= set(lines)


def test_what_is_built_is_carved_as_before(case: Case) -> None:
    made: Files = {"/app/cache": File(folder=True), "/app/cache/x": "1"}
    app = {**APP, "/app/write.py": "def keep(name, text):\n    open(name, 'w').write(text)\n"}
    layers = (
        ("WORKDIR /app", {"/app": File(folder=True)}),
        ("COPY . .", app),
        ("RUN ./make", made),
    )
    plan = case.plan(
        HEAD + 'WORKDIR /app\nCOPY . .\nRUN ./make\nCMD ["python", "app.py"]\n', layers=layers
    )
    assert plan.final is not None and plan.base == "python:3.11-slim-bookworm"


def test_what_a_run_made_belongs_to_the_user_afterwards(case: Case) -> None:
    made: Files = {"/app/cache": File(folder=True), "/app/cache/x": "1"}
    app = {**APP, "/app/write.py": "def keep(name, text):\n    open(name, 'w').write(text)\n"}
    layers = (
        ("WORKDIR /app", {"/app": File(folder=True)}),
        ("COPY . .", app),
        ("RUN ./make", made),
    )
    text = HEAD + 'WORKDIR /app\nCOPY . .\nRUN ./make\nCMD ["python", "app.py"]\n'
    plan = case.plan(text, layers=layers, disabled=("multi-stage",))
    assert plan.dockerfile.endswith(
        "COPY . .\nRUN ./make\nRUN mkdir -p /app && chown -R 10001:10001 /app\nUSER 10001:10001\n"
        'CMD ["python", "app.py"]\n'
    )


def test_a_start_above_the_last_step_does_not_get_the_user_above_it_too(case: Case) -> None:
    plan = case.plan(HEAD + 'WORKDIR /app\nCMD ["python", "app.py"]\nCOPY . .\n')
    lines = plan.dockerfile.splitlines()
    assert lines.index("USER 10001:10001") > lines.index("COPY . .")


def test_a_name_with_variables_is_spelled_only_where_it_means_the_same() -> None:
    file = parse("ARG V=3\nFROM python:${V}\n")
    assert spelled(file, file.stages[0], "python:3.3-slim", {}) is None
    file = parse("ARG V=3.11\nFROM python:${V}\n")
    assert spelled(file, file.stages[0], "python:3.11-slim", {}) == "python:${V}-slim"
    assert spelled(file, file.stages[0], "debian:12-slim", {}) is None
