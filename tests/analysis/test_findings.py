"""Findings from crafted images: what was measured, which layer, which rewrite; and silence where
nothing is wrong."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from image.crafting import Item, config, d, docker_archive, f, hard, opq, tar, wh

from imgopt.analysis import analyze, measure, unneeded
from imgopt.dockerfile import parse
from imgopt.image import open_image
from imgopt.image.memory import Memory
from imgopt.results import to_json
from imgopt.results.analysis import Analysis, Finding
from imgopt.strategies.registry import all_strategies

M = 1_000_000
BASE = [tar(f("bin/sh", 10))]
BASE_HISTORY = [
    {"created_by": "ADD rootfs.tar /"},
    {"created_by": 'CMD ["bash"]', "empty_layer": True},
]


def analysis(
    tmp_path: Path, *layers: list[Item], history: list[str] | None = None, **run: Any
) -> Analysis:
    """A base with its CMD, then one layer per list of items."""
    blobs = [*BASE, *(tar(*items) for items in layers)]
    steps = history or [f"RUN step-{number}" for number in range(len(layers))]
    raw = config(
        blobs, [*BASE_HISTORY, *({"created_by": step} for step in steps)], **{"User": "7", **run}
    )
    return analyze(
        open_image(str(docker_archive(tmp_path / "i.tar", blobs, raw)), memory=Memory(None))
    )


def one(result: Analysis, id: str) -> Finding:
    found = [finding for finding in result.findings if finding.id == id]
    assert len(found) == 1, [finding.id for finding in result.findings]
    return found[0]


def test_a_clean_image_has_no_findings(tmp_path: Path) -> None:
    assert analysis(tmp_path, [f("app/server", 5 * M)]).findings == []


CASES: dict[str, tuple[list[list[Item]], str, int, str | None, int | None]] = {
    # name: layers, finding, bytes, strategy, layer
    "deleted by a later layer": ([[f("tmp/x", 3 * M)], [wh("tmp/x")]], "deleted-later", 3 * M, "same-layer-cleanup", 1),
    "a directory deleted by a later layer": (
        [[d("src"), f("src/a", 2 * M)], [wh("src")]], "deleted-later", 2 * M, "same-layer-cleanup", 1,
    ),
    "hidden by an opaque directory": ([[d("x"), f("x/a", 2 * M)], [d("x"), opq("x")]], "deleted-later", 2 * M,
                                      "same-layer-cleanup", 1),
    "package lists deleted later": (
        [[f("var/lib/apt/lists/deb_Packages", 3 * M)], [wh("var/lib/apt/lists/deb_Packages")]],
        "deleted-later", 3 * M, "apt-hygiene", 1,
    ),
    "installer cache deleted later": (
        [[f("root/.cache/pip/http/a", 3 * M)], [wh("root/.cache")]], "deleted-later", 3 * M, "installer-caches", 1,
    ),
    "chown of everything": (
        [[f("app/a", 3 * M)], [f("app/a", 3 * M, uid=5)]], "copied-by-chmod", 3 * M, "copy-chown", 2,
    ),
    "replaced by another version": (
        [[f("a", b"1" * M)], [f("a", b"2" * M)]], "overwritten", M, "multi-stage", 2,
    ),
    "copied twice": ([[f("a", M)], [f("a", M)]], "written-again", M, "layer-order", 2),
    "linked later": ([[f("a", M)], [f("a", M), hard("b", "a")]], "hard-linked-later", M, "same-layer-cleanup", 2),
    "package lists left": ([[f("var/lib/apt/lists/x", 3 * M)]], "package-lists", 3 * M, "apt-hygiene", 1),
    "installer cache left": ([[f("root/.npm/_cacache/x", 3 * M)]], "installer-caches", 3 * M, "cache-mounts", 1),
    "version control data": ([[f("app/.git/objects/x", 3 * M)]], "vcs", 3 * M, "ignore-file", 1),
    "headers": ([[f("usr/include/x.h", 3 * M)]], "headers", 3 * M, "multi-stage", 1),
    "static libraries": ([[f("usr/lib/x.a", 3 * M)]], "static-libraries", 3 * M, "multi-stage", 1),
    "a model in two formats": (
        [[f("m/model.safetensors", 4 * M), f("m/pytorch_model.bin", 3 * M)]], "model-in-two-formats", 3 * M, None, 1,
    ),
    "the same file twice": (
        [[f("a/data", b"x" * 2 * M), f("b/data", b"x" * 2 * M)]], "duplicate-files", 2 * M, None, 1,
    ),
    "a JDK": (
        [[f("opt/java/release", b'JAVA_VERSION="17"'), f("opt/java/bin/java", 9), f("opt/java/bin/javac", 9),
          f("opt/java/jmods/a.jmod", 2 * M)]],
        "jdk", 2 * M, "runtime-base", 1,
    ),
    "dev dependencies": (
        [[f("app/package.json", b'{"devDependencies": {"typescript": "5"}, "dependencies": {"express": "4"}}'),
          f("app/node_modules/typescript/lib.js", 3 * M), f("app/node_modules/express/x.js", 2 * M)]],
        "dev-dependencies", 3 * M, "prune-dev", 1,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_is_found_measured_and_placed(name: str, tmp_path: Path) -> None:
    layers, id, size, strategy, layer = CASES[name]
    finding = one(analysis(tmp_path, *layers), id)
    assert (finding.bytes, finding.strategy, finding.where.layer) == (size, strategy, layer)
    assert finding.hint and finding.evidence


def test_compilers_are_known_by_their_packages(tmp_path: Path) -> None:
    status = b"Package: gcc-12\nStatus: install ok installed\nVersion: 12\n\nPackage: libc6\nStatus: install ok installed\n"
    result = analysis(tmp_path, [
        f("var/lib/dpkg/status", status), f("var/lib/dpkg/info/gcc-12.list", b"/usr/bin/gcc-12\n"),
        f("var/lib/dpkg/info/libc6.list", b"/lib/libc.so\n"), f("usr/bin/gcc-12", 3 * M), f("lib/libc.so", 2 * M),
    ])  # fmt: skip
    assert one(result, "build-tools").bytes == 3 * M + 16


def test_cuda_is_waste_only_where_no_gpu_is_asked_for(tmp_path: Path) -> None:
    site = "usr/lib/python3.11/site-packages"
    wheel = [
        f(f"{site}/nvidia_cublas-12.dist-info/METADATA", b"Name: nvidia-cublas-cu12\nVersion: 12\n"),
        f(f"{site}/nvidia_cublas-12.dist-info/RECORD", b"nvidia/libcublas.so,,\n"),
        f(f"{site}/nvidia/libcublas.so", 5 * M),
    ]  # fmt: skip
    finding = one(analysis(tmp_path, wheel), "cuda-without-gpu")
    assert finding.strategy == "cpu-wheels" and finding.bytes > 5 * M
    with_gpu = analysis(tmp_path, wheel, Env=["NVIDIA_VISIBLE_DEVICES=all"])
    assert "cuda-without-gpu" not in {each.id for each in with_gpu.findings}


def test_how_the_service_starts(tmp_path: Path) -> None:
    result = analysis(
        tmp_path,
        [f("a", 1)],
        User="",
        Cmd=["/bin/sh", "-c", "npm start"],
        ExposedPorts={"80/tcp": {}},
    )
    assert {(finding.id, finding.strategy) for finding in result.findings} == {
        ("root-user", "non-root"), ("shell-form", "exec-form"), ("launcher", "start-command"),
        ("no-healthcheck", None),
    }  # fmt: skip


SECRET = b"-----BEGIN RSA PRIVATE KEY-----\nMIIEow-do-not-show\n"


@pytest.mark.parametrize(
    ("path", "contents", "looks_secret"),
    [
        ("root/.ssh/id_rsa", SECRET, True),
        ("app/server.pem", SECRET, True),
        ("app/server.pem", b"-----BEGIN CERTIFICATE-----", False),
        ("app/.env", b"A=do-not-show", True),
        ("app/.env.example", b"A=", False),
        ("root/.npmrc", b"//registry/:_authToken=do-not-show", True),
        ("root/.npmrc", b"registry=https://registry.npmjs.org", False),
        ("etc/ssl/certs/ca.pem", SECRET, False),
        ("usr/lib/python3.11/site-packages/x/test.key", SECRET, False),
        ("root/.aws/credentials", b"aws_secret_access_key = do-not-show", True),
        ("root/.aws/credentials", b"[default]", False),
        ("app/.env.production", b"STRIPE_KEY=do-not-show", True),
        ("app/prod.env", b"DB_PASSWORD=do-not-show", True),
        ("app/.env", b"PORT=8080", False),
        ("root/.docker/config.json", b'{"auths": {"r": {"auth": "bm90LXNob3du"}}}', True),
        ("root/.docker/config.json", b"{}", False),
        (
            "root/.config/gcloud/application_default_credentials.json",
            b'{"refresh_token": "do-not-show"}',
            True,
        ),
        ("app/infra/terraform.tfvars", b'db_password = "do-not-show"', True),
        ("app/config/master.key", b"0123456789abcdef0123456789abcdef", True),
        ("app/store.p12", b"do-not-show", True),
        ("app/tests/fixtures/server.key", SECRET, False),
        ("usr/share/doc/x/example.key", SECRET, False),
    ],
)
def test_secrets_are_named_and_never_shown(
    path: str, contents: bytes, looks_secret: bool, tmp_path: Path
) -> None:
    result = analysis(tmp_path, [f(path, contents)], [wh(path)])
    assert (
        [finding.id for finding in result.findings if finding.level == "error"] == ["secret-file"]
    ) is looks_secret
    if looks_secret:
        assert "everybody can read it in its layer" in one(result, "secret-file").message
    assert "do-not-show" not in to_json(result)


def test_secrets_in_variables_and_build_arguments(tmp_path: Path) -> None:
    result = analysis(
        tmp_path, [f("a", 1)], history=["RUN |1 NPM_TOKEN=do-not-show /bin/sh -c npm ci # buildkit"],
        Env=["DB_PASSWORD=do-not-show", "PASSWORD_FILE=/run/x", "EMPTY_TOKEN=", "TOKENIZERS_PARALLELISM=1"],
    )  # fmt: skip
    found = sorted(finding.message for finding in result.findings if finding.level == "error")
    assert [message.partition(" looks")[0] for message in found] == [
        "ENV DB_PASSWORD",
        "build argument NPM_TOKEN",
    ]
    assert "do-not-show" not in to_json(result)


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("git clone https://me:do-not-show@example.org/x", "an address"),
        ('curl -H "Authorization: Bearer do-not-show" https://example.org', "a header"),
        ("API_KEY='do-not-show twice' ./build", "API_KEY"),
        ("mysql --password=do-not-show", "--password"),
        ("npm config set //r/:_authToken do-not-show", "_authToken"),
        ("TOKEN=$(cat /run/secrets/token) ./build", None),
        ("--mount=type=secret,id=API_KEY ./build", None),
        ("docker login --password-stdin example.org", None),
        ("git clone https://example.org/x", None),
    ],
)
def test_secrets_in_commands_are_named_and_hidden_wherever_the_command_is_shown(
    command: str, name: str | None, tmp_path: Path
) -> None:
    """Also as what made a layer that another finding is about."""
    result = analysis(
        tmp_path, [f("usr/include/x.h", 3 * M)], history=[f"RUN /bin/sh -c {command} # buildkit"]
    )
    found = [finding.message for finding in result.findings if finding.id == "secret-in-command"]
    assert len(found) == (name is not None)
    assert all(f" {name}:" in message for message in found)
    assert "do-not-show" not in to_json(result)


def test_the_value_of_a_variable_is_hidden_where_its_instruction_is_shown(tmp_path: Path) -> None:
    """Also when the old form `ENV NAME VALUE` was used, which the classic builder keeps."""
    history = [*BASE_HISTORY, {"created_by": "RUN x"}, {"created_by": "/bin/sh -c #(nop)  ENV DB_PASSWORD=do-not-show",
                                                        "empty_layer": True}]  # fmt: skip
    layers = [*BASE, tar(f("a", 1))]
    raw = config(layers, history, User="7", Env=["DB_PASSWORD=do-not-show"])
    result = analyze(
        open_image(str(docker_archive(tmp_path / "i.tar", layers, raw)), memory=Memory(None))
    )
    finding = one(result, "secret-variable")
    assert finding.where.instruction == "ENV DB_PASSWORD=***"
    assert "do-not-show" not in to_json(result)


def test_findings_are_ranked_by_bytes(tmp_path: Path) -> None:
    result = analysis(tmp_path, [f("a/.git/x", 2 * M), f("usr/include/x.h", 9 * M)], User="")
    assert [finding.id for finding in result.findings] == ["headers", "vcs", "root-user"]


def test_what_the_base_ships_is_the_bases(tmp_path: Path) -> None:
    layers = [tar(f("usr/share/doc/x", 3 * M), f("big", 2 * M)), tar(wh("big"))]
    raw = config(layers, [*BASE_HISTORY, {"created_by": "RUN rm /big"}], User="7")
    result = analyze(
        open_image(str(docker_archive(tmp_path / "i.tar", layers, raw)), memory=Memory(None))
    )
    assert one(result, "base-docs").strategy == "slim-base"
    assert one(result, "base-files-deleted").strategy == "slim-base"


DOCKERFILE = """\
FROM python:3.12
WORKDIR /app
COPY . .
RUN pip install \\
    -r requirements.txt
ARG X
USER 1000
CMD ["python", "app.py"]
"""
HISTORY = [
    *BASE_HISTORY,
    {"created_by": "WORKDIR /app"},
    {"created_by": "COPY . . # buildkit"},
    {"created_by": "RUN /bin/sh -c pip install     -r requirements.txt # buildkit"},
    {"created_by": "USER 1000", "empty_layer": True},
    {"created_by": 'CMD ["python" "app.py"]', "empty_layer": True},
]


def test_layers_and_findings_get_the_lines_of_the_dockerfile(tmp_path: Path) -> None:
    layers = [*BASE, tar(d("app")), tar(f("app/.git/x", 2 * M)), tar(f("root/.cache/pip/x", 3 * M))]
    path = docker_archive(tmp_path / "i.tar", layers, config(layers, HISTORY, User="1000"))
    result = analyze(open_image(str(path), memory=Memory(None)), parse(DOCKERFILE, "Dockerfile"))
    assert [(row.line, row.confidence, row.base) for row in result.layers] == [
        (None, "none", True), (2, "matched", False), (3, "matched", False), (4, "matched", False),
    ]  # fmt: skip
    assert (one(result, "vcs").where.file, one(result, "vcs").where.line) == ("Dockerfile", 3)
    assert one(result, "installer-caches").where.line == 4


def test_another_dockerfile_gives_no_false_lines(tmp_path: Path) -> None:
    layers = [*BASE, tar(d("app")), tar(f("a", 1)), tar(f("b", 1))]
    path = docker_archive(tmp_path / "i.tar", layers, config(layers, HISTORY))
    other = parse("FROM alpine\nADD x /y\nVOLUME /data\nSTOPSIGNAL SIGINT\n")
    result = analyze(open_image(str(path), memory=Memory(None)), other)
    assert [row.line for row in result.layers] == [None] * 4


def test_a_history_that_does_not_match_the_layers_is_not_guessed_from(tmp_path: Path) -> None:
    layers = [*BASE, tar(f("a", 1))]
    path = docker_archive(tmp_path / "i.tar", layers, config(layers, BASE_HISTORY))
    result = analyze(open_image(str(path), memory=Memory(None)))
    assert [row.instruction for row in result.layers] == ["(no history)"] * 2


def test_every_strategy_that_a_finding_names_exists() -> None:
    """By the source, since no image has all findings."""
    folder = Path(measure.__file__).parent
    trees = [ast.parse(path.read_text()) for path in folder.glob("*.py")]
    words = [
        node.value for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)
    ]
    known = {strategy.name for strategy in all_strategies()}
    named = {
        keyword.value.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "strategy" and isinstance(keyword.value, ast.Constant)
    } | {strategy for _, _, strategy in unneeded._RULES.values()}
    assert named <= known, named - known
    assert {"multi-stage", "pin-digest", "distroless-base"} <= set(words) & known
