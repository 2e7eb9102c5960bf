"""What a start command that builds first comes down to, and every reason to leave it."""

from __future__ import annotations

from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import apply_edits, parse
from imgopt.rewrite.build_start import BuildStart, build_start
from imgopt.rewrite.strategy import ContextFiles, Project

from .kit import project

GO = {"go.mod": "module example.org/books/v2\n\ngo 1.22\n", "main.go": "package main\n"}
CARGO = {"Cargo.toml": '[package]\nname = "tiles"\n', "src/main.rs": "fn main() {}\n"}
MAIN = "package a.b;\nclass App { public static void main(String[] x) { SpringApplication.run(App.class, x); } }\n"
MAVEN = {
    "pom.xml": "<project><build><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId></plugin></plugins>"
    "</build></project>",
    "src/main/java/a/b/App.java": MAIN,
}


def found(folder: Path, text: str, files: dict[str, str]) -> BuildStart | None:
    project(folder, files)
    sizes = {name: len(body) for name, body in files.items()}
    return build_start(parse(text), Project(ContextFiles(folder, sizes), builtin_ecosystems()))


def rewritten(folder: Path, text: str, files: dict[str, str]) -> str:
    start = found(folder, text, files)
    assert start is not None
    assert not start.refused, start.refused
    return apply_edits(text, start.edits)


def test_go_run_becomes_the_program_that_it_builds(tmp_path: Path) -> None:
    text = "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nEXPOSE 80\n# start\nCMD go run main.go --port 80\n"
    assert rewritten(tmp_path, text, GO) == (
        "FROM golang:1.22\nWORKDIR /src\nCOPY . .\nEXPOSE 80\nRUN go build -o /usr/local/bin/books main.go\n"
        '# start\nCMD ["/usr/local/bin/books", "--port", "80"]\n'
    )


def test_cargo_run_becomes_the_program_and_builds_once(tmp_path: Path) -> None:
    text = 'FROM rust\nWORKDIR /a\nCOPY . .\nRUN cargo build --release\nCMD ["cargo", "run", "--release", "--", "-v"]\n'
    wanted = text.replace('["cargo", "run", "--release", "--", "-v"]', '["./target/release/tiles", "-v"]')
    assert rewritten(tmp_path, text, CARGO) == wanted


def test_spring_boot_run_becomes_its_class_path(tmp_path: Path) -> None:
    text = 'FROM maven\nWORKDIR /a\nCOPY . .\nCMD ["mvn", "-q", "spring-boot:run", "-Dspring-boot.run.profiles=prod"]\n'
    assert rewritten(tmp_path, text, MAVEN) == (
        "FROM maven\nWORKDIR /a\nCOPY . .\n"
        "RUN mvn -q compile dependency:copy-dependencies -DincludeScope=runtime\n"
        'CMD ["java", "-cp", "target/classes:target/dependency/*", "a.b.App", "--spring.profiles.active=prod"]\n'
    )


POM = MAVEN["pom.xml"]
JVM = POM.replace("</artifactId>", "</artifactId><configuration><jvmArguments>-Xmx1g</jvmArguments></configuration>")
PROVIDED = POM.replace(
    "<build>",
    "<dependencies><dependency><artifactId>x</artifactId><scope>provided</scope></dependency></dependencies><build>",
)
COPY = "\nWORKDIR /a\nCOPY . .\n"
REFUSED = {
    "a flag that changes the build": ("FROM golang" + COPY + "CMD go run -race .\n", GO, "-race"),
    "a pattern": ("FROM golang" + COPY + "CMD go run *.go\n", GO, None),
    "several commands": ("FROM golang" + COPY + "CMD go vet && go run .\n", GO, None),
    "the program asks where it lies": (
        "FROM golang" + COPY + "CMD go run .\n",
        {**GO, "main.go": "package main\nvar p, _ = os.Executable()\n"},
        "main.go asks for the path",
    ),
    "no module": ("FROM golang" + COPY + "CMD go run main.go\n", {"main.go": "package main\n"}, "no go.mod"),
    "another user builds": ("FROM golang" + COPY + "USER app\nCMD go run .\n", GO, "builds as app"),
    "the folder changes afterwards": ("FROM golang" + COPY + "CMD go run .\nWORKDIR /b\n", GO, "WORKDIR"),
    "an entrypoint takes the command": (
        'FROM golang\nENTRYPOINT ["sh"]' + COPY + "CMD go run .\n", GO, "share the command",
    ),
    "compose mounts the source": (
        "FROM golang" + COPY + "CMD go run .\n",
        {**GO, "docker-compose.yml": "services:\n  a:\n    volumes:\n      - ./:/a\n"},
        "mounts the source at /a",
    ),
    "cargo's variables are read": (
        "FROM rust" + COPY + "CMD cargo run\n",
        {**CARGO, "src/main.rs": 'let a = env::var("CARGO_MANIFEST_DIR");'},
        "only cargo sets",
    ),
    "several programs": (
        "FROM rust" + COPY + "CMD cargo run\n", {**CARGO, "src/bin/other.rs": "fn main() {}"}, "several programs",
    ),
    "settings of cargo": ("FROM rust" + COPY + "CMD cargo run\n", {**CARGO, ".cargo/config.toml": ""}, ".cargo/config"),
    "options of the JVM in pom.xml": (
        "FROM maven" + COPY + "CMD mvn spring-boot:run\n", {**MAVEN, "pom.xml": JVM}, "<jvmArguments>",
    ),
    "a dependency that is provided": (
        "FROM maven" + COPY + "CMD mvn spring-boot:run\n", {**MAVEN, "pom.xml": PROVIDED}, "provided",
    ),
    "two classes that could be started": (
        "FROM maven" + COPY + "CMD mvn spring-boot:run\n",
        {**MAVEN, "src/main/java/a/b/Two.java": MAIN},
        "which class",
    ),
    "a property that is not known": (
        "FROM maven" + COPY + "CMD mvn spring-boot:run -Dspring-boot.run.jvmArguments=-Xm\n", MAVEN, "not understood",
    ),
    "modules": (
        "FROM maven" + COPY + "CMD mvn spring-boot:run\n",
        {**MAVEN, "pom.xml": "<project><modules><module>a</module></modules></project>"},
        "modules",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "files", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_is_not_known_to_the_letter_stays(
    text: str, files: dict[str, str], reason: str | None, tmp_path: Path
) -> None:
    start = found(tmp_path, text, files)
    if reason is None:
        assert start is None
    else:
        assert start is not None
        assert reason in start.refused
        assert not start.edits


def test_a_plain_start_builds_nothing(tmp_path: Path) -> None:
    assert found(tmp_path, 'FROM golang\nCOPY . .\nRUN go build -o /a .\nCMD ["/a"]\n', GO) is None
