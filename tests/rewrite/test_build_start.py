"""What a start command that builds first comes down to, and every reason to leave it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from imgopt.context.ecosystems import builtin_ecosystems
from imgopt.dockerfile import apply_edits, parse
from imgopt.rewrite.start.build_start import BuildStart, build_start
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
    wanted = text.replace(
        '["cargo", "run", "--release", "--", "-v"]', '["./target/release/tiles", "-v"]'
    )
    assert rewritten(tmp_path, text, CARGO) == wanted


def test_spring_boot_run_becomes_its_class_path(tmp_path: Path) -> None:
    text = 'FROM maven\nWORKDIR /a\nCOPY . .\nCMD ["mvn", "-q", "spring-boot:run", "-Dspring-boot.run.profiles=prod"]\n'
    assert rewritten(tmp_path, text, MAVEN) == (
        "FROM maven\nWORKDIR /a\nCOPY . .\n"
        "RUN mvn -q compile dependency:copy-dependencies -DincludeScope=runtime\n"
        'CMD ["java", "-cp", "target/classes:target/dependency/*", "a.b.App", "--spring.profiles.active=prod"]\n'
    )


POM = MAVEN["pom.xml"]
JVM = POM.replace(
    "</artifactId>",
    "</artifactId><configuration><jvmArguments>-Xmx1g</jvmArguments></configuration>",
)
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
    "words of the start in a file": (
        "FROM maven" + COPY + "CMD mvn spring-boot:run\n",
        {**MAVEN, ".mvn/maven.config": "-Dspring-boot.run.jvmArguments=-Dregion=eu\n"},
        ".mvn/maven.config",
    ),
    "a profile in a file": (
        "FROM maven" + COPY + "CMD mvn spring-boot:run\n", {**MAVEN, ".mvn/maven.config": "-Plive\n"},
        ".mvn/maven.config",
    ),
    "options of Node.js in a file": (
        "FROM node" + COPY + "CMD npm start\n",
        {"package.json": '{"scripts": {"start": "tsc && node a.js"}}', ".npmrc": "node-options=-r ./b.js\n"},
        ".npmrc",
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


def node(folder: Path, scripts: dict[str, str], start: str = "npm start") -> str | None:
    """What stands in the place of the last two lines; None where the start is left alone."""
    head = "FROM node:20\nWORKDIR /a\nCOPY . .\nRUN npm install\n"
    start_of = found(
        folder, f"{head}CMD {start}\n", {"package.json": json.dumps({"scripts": scripts})}
    )
    if start_of is None:
        return None
    assert not start_of.refused, start_of.refused
    return apply_edits(f"{head}CMD {start}\n", start_of.edits).removeprefix(head)


def test_a_script_that_compiles_first_is_taken_apart(tmp_path: Path) -> None:
    scripts = {"start": "npm run build:ts && fastify start -l info dist/app.js", "build:ts": "tsc"}
    wanted = 'RUN npm run build:ts\nCMD ["./node_modules/.bin/fastify", "start", "-l", "info", "dist/app.js"]\n'
    assert node(tmp_path, scripts) == wanted
    scripts = {"start": "rm -rf dist && tsc -p . && node dist/index.js"}
    wanted = 'RUN rm -rf dist && npx --no-install tsc -p .\nCMD ["node", "dist/index.js"]\n'
    assert node(tmp_path, scripts) == wanted
    assert node(
        tmp_path, {"prestart": "npm run b", "b": "tsc", "start": "node a.js"}, "yarn start"
    ) == ('RUN npm run b\nCMD ["node", "a.js"]\n')


def test_a_script_that_only_starts_is_taken_for_its_environment(tmp_path: Path) -> None:
    scripts = {"start": "nest start", "build": "nest build", "start:prod": "node dist/main"}
    assert node(tmp_path, scripts) == 'RUN npm run build\nCMD ["npm", "run", "start:prod"]\n'


@pytest.mark.parametrize(
    ("scripts", "start"),
    [
        pytest.param({"start": "node a.js"}, "npm start", id="nothing is built"),
        pytest.param(
            {"start": "next build && next start"},
            "npm start",
            id="a bundler writes the environment down",
        ),
        pytest.param({"start": "prisma migrate deploy && node a.js"}, "npm start", id="no build"),
        pytest.param({"start": "tsc --watch && node a.js"}, "npm start", id="it watches"),
        pytest.param({"start": "tsc && node a.js; echo"}, "npm start", id="more than a list"),
        pytest.param(
            {"start": "tsc && node a.js", "poststart": "x"}, "npm start", id="something follows"
        ),
        pytest.param(
            {"start": "tsc && NODE_ENV=x node a.js"}, "npm start", id="a variable in front"
        ),
        pytest.param(
            {"start": "tsc && node a.js"}, '["npm", "start", "--", "-p", "1"]', id="arguments"
        ),
        pytest.param(
            {"start": "nest start"}, "npm start", id="where the program will be is not said"
        ),
        pytest.param(
            {"a": "npm run a", "start": "npm run a && node a.js"}, "npm start", id="it calls itself"
        ),
        pytest.param({}, "npm start", id="no such script"),
    ],
)
def test_any_other_script_is_left_alone(
    scripts: dict[str, str], start: str, tmp_path: Path
) -> None:
    assert node(tmp_path, scripts, start) is None


def test_the_source_that_compose_mounts_is_compiled_at_the_start(tmp_path: Path) -> None:
    files = {
        "package.json": '{"scripts": {"start": "tsc && node a.js"}}',
        "compose.yaml": "volumes:\n  - .:/a\n",
    }
    start = found(tmp_path, "FROM node:20\nWORKDIR /a\nCOPY . .\nCMD npm start\n", files)
    assert start is not None
    assert "compose.yaml mounts the source" in start.refused
