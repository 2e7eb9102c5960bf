"""What a good final image leaves out, and what it must not: by ecosystem, and by what was
opened."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.start.started import started_program
from imgopt.proof.allowances import Allowances, Drop
from imgopt.proof.checks.application_files import check_application_files
from imgopt.proof.checks.opened_files import check_opened_files
from imgopt.proof.excused_files import derived_drops
from imgopt.run.opened import Opened

ELF = File(b"\x7fELF\x02\x01\x01" + bytes(200), 0o755)
PROGRAMS = {"usr/bin/python3": ELF, "usr/bin/node": ELF, "usr/bin/java": ELF, "bin/sh": ELF}


def service(view_of: Callable[..., ImageView], *command: str, **files: str) -> ImageView:
    own = {
        "app/server": ELF,
        "app/run.sh": File("#!/bin/sh\nset -e\nexec python3 main.py\n", 0o755),
        **files,
    }
    config = {"Cmd": list(command), "Env": ["PATH=/usr/bin:/bin"], "WorkingDir": "/app"}
    return view_of(Recipe((("ADD base", PROGRAMS), ("COPY . .", own)), config), 1)


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        (["python3", "main.py"], "python"),
        (["/bin/sh", "-c", "gunicorn app:app"], "python"),
        (["npm", "start"], "node"),
        (["java", "-jar", "app.jar"], "java"),
        (["./server"], "compiled"),
        (["/app/run.sh"], "python"),
        (["ts-node", "x.ts"], "typescript"),
        (["bun", "run", "x.ts"], "typescript"),
        (["bundle", "exec", "puma"], "ruby"),
        (["/usr/local/bin/python3.13", "main.py"], "python"),
        (["php-fpm8.4"], "php"),
        (["javascripts"], ""),
        (["unknown"], ""),
    ],
)
def test_the_kind_of_program_is_read_from_the_start(
    command: list[str], kind: str, view_of: Callable[..., ImageView]
) -> None:
    assert started_program(service(view_of, *command)) == kind


def reason(view: ImageView, path: str, opened: frozenset[str] | None) -> str | None:
    return Allowances(drops=derived_drops(view, opened)).drop_reason(
        path, opened=path in (opened or ())
    )


PLACES = {
    "the working directory": (
        {"WorkingDir": "/tmp/app", "Cmd": ["./server"]},
        "/tmp/app/rare.html",
        None,
    ),
    "beside it": (
        {"WorkingDir": "/tmp/app", "Cmd": ["./server"]},
        "/tmp/requirements",
        "temporary files",
    ),
    "where the program lies": ({"Cmd": ["/tmp/app/server"]}, "/tmp/app/rare.html", None),
    "nowhere near": ({"Cmd": ["/app/server"]}, "/tmp/app/rare.html", "temporary files"),
    "Go's old place for sources": (
        {"WorkingDir": "/go/src/app", "Cmd": ["./server"]},
        "/go/src/app/rare.html",
        None,
    ),
    "a source there": (
        {"WorkingDir": "/app", "Cmd": ["./server"]},
        "/go/src/x/main.go",
        "compiled into the program",
    ),
}


@pytest.mark.parametrize(("config", "path", "allowed"), PLACES.values(), ids=PLACES)
def test_the_application_stays_wherever_it_lies(
    config: dict[str, object], path: str, allowed: str | None, view_of: Callable[..., ImageView]
) -> None:
    files = {f"{folder}/server": ELF for folder in ("app", "tmp/app", "go/src/app")}
    view = view_of(Recipe((("ADD base", PROGRAMS), ("COPY . .", files)), config), 1)
    assert reason(view, path, frozenset(["/app/server"])) == allowed


ALWAYS = {
    "python3": [
        "/app/.git/HEAD",
        "/app/__pycache__/a.pyc",
        "/root/.cache/pip/x",
        "/root/.cache/virtualenv/x",
    ],
    "./server": [
        "/app/main.go",
        "/app/go.mod",
        "/app/src/lib.rs",
        "/app/target/release/deps/x",
        "/go/pkg/mod/x",
    ],
    "java": [
        "/app/pom.xml",
        "/app/src/main/java/A.java",
        "/app/target/classes/A.class",
        "/root/.m2/repository/x",
    ],
    "node": [
        "/app/src/a.ts",
        "/app/tsconfig.json",
        "/app/node_modules/.cache/x",
        "/root/.npm/_cacache/x",
    ],
}


@pytest.mark.parametrize(("command", "paths"), ALWAYS.items())
def test_compile_only_files_and_caches_may_go(
    command: str, paths: list[str], view_of: Callable[..., ImageView]
) -> None:
    view = service(view_of, command)
    assert [path for path in paths if not reason(view, path, None)] == []


KEPT = {
    "python3": [
        "/app/main.go",
        "/app/data.c",
        "/app/templates/a.html",
        "/app/model.onnx",
        "/root/.cache/huggingface/x",
    ],
    "./server": [
        "/app/templates/a.html",
        "/app/config.yaml",
        "/app/migrations/1.sql",
        "/app/static/a.js",
        "/app/a.ts",
    ],
    "java": ["/app/app.jar", "/app/config/application.yml", "/app/lib/x.so"],
    "node": [
        "/app/views/a.ejs",
        "/app/package.json",
        "/app/dist/a.js",
        "/app/data/x.json",
        "/app/a.go",
    ],
    "ts-node": ["/app/src/a.ts", "/app/tsconfig.json"],
}


@pytest.mark.parametrize(("command", "paths"), KEPT.items())
def test_what_may_be_read_at_run_time_stays(
    command: str, paths: list[str], view_of: Callable[..., ImageView]
) -> None:
    view = service(view_of, command)
    assert [path for path in paths if reason(view, path, frozenset())] == []


def test_documents_tests_and_lists_may_go_only_where_it_is_known_that_they_were_not_opened(
    view_of: Callable[..., ImageView],
) -> None:
    view = service(view_of, "python3")
    for path in ("/app/README.md", "/app/tests/test_a.py", "/app/requirements.txt", "/app/.flake8"):
        assert reason(view, path, None) is None
        assert reason(view, path, frozenset())
        assert reason(view, path, frozenset({path})) is None


def test_no_rule_excuses_what_was_opened(view_of: Callable[..., ImageView]) -> None:
    view = service(view_of, "./server")
    assert reason(view, "/app/main.go", frozenset({"/app/main.go"})) is None


def test_sources_of_a_bundled_site_may_go_when_the_built_one_is_served(
    view_of: Callable[..., ImageView],
) -> None:
    view = service(view_of, "node", **{"app/build/index.html": "<p>", "app/src/App.jsx": "x"})
    served = frozenset({"/app/build/index.html"})
    assert reason(view, "/app/src/App.jsx", served) == "bundled into the site"
    assert reason(view, "/app/src/App.jsx", served | {"/app/src/index.css"}) is None
    assert reason(view, "/app/src/App.jsx", None) is None


def test_what_lies_beside_an_opened_class_may_not_go(view_of: Callable[..., ImageView]) -> None:
    view, opened = service(view_of, "java"), frozenset({"/app/target/classes/App.class"})
    assert reason(view, "/app/target/classes/Rare.class", opened) is None
    assert reason(view, "/app/target/classes/static/a.css", opened) is None
    assert reason(view, "/app/target/test-classes/T.class", opened) is not None


def test_poetrys_environments_lie_in_its_cache_and_are_none(
    view_of: Callable[..., ImageView],
) -> None:
    view = service(view_of, "python3")
    assert reason(view, "/root/.cache/pypoetry/artifacts/a.whl", None)
    assert not reason(
        view, "/root/.cache/pypoetry/virtualenvs/a/lib/python3.11/site-packages/a.py", frozenset()
    )


def test_what_maven_notes_about_a_download_is_no_difference_but_data_is(
    view_of: Callable[..., ImageView],
) -> None:
    def image(note: str, data: bytes) -> ImageView:
        repository = "root/.m2/repository/a/b"
        files = {f"{repository}/resolver-status.properties": note, "app/data.bin": data}
        return view_of(Recipe((("RUN mvn package", files),), {"Cmd": ["java"]}))

    original = image("#Mon\nlast=1", b"one")
    assert (
        check_application_files(original, image("#Tue\nlast=2", b"one"), Allowances()).verdict
        == "passed"
    )
    assert (
        check_application_files(original, image("#Tue\nlast=2", b"two"), Allowances()).verdict
        == "failed"
    )


def test_a_lock_file_that_the_installation_wrote_into_may_be_the_authors_again(
    view_of: Callable[..., ImageView],
) -> None:
    def image(lock: str, step: str = "RUN npm install") -> ImageView:
        return view_of(
            Recipe((("COPY . .", {"app/a.js": "1"}), (step, {"app/package-lock.json": lock})), {})
        )

    original, other = image("{ }"), image('{"a": 1}')
    assert check_application_files(original, other, Allowances()).verdict == "passed"
    opened = frozenset(["/app/package-lock.json"])
    assert check_application_files(original, other, Allowances(), opened=opened).verdict == "failed"
    copied = image("{ }", "COPY . .")
    assert check_application_files(copied, other, Allowances()).verdict == "failed"
    lost = view_of(Recipe((("COPY . .", {"app/a.js": "1"}),), {}))
    assert check_application_files(original, lost, Allowances()).verdict == "failed"


def test_what_a_manager_notes_about_what_it_installed_is_no_difference_unless_it_was_opened(
    view_of: Callable[..., ImageView],
) -> None:
    """Yarn writes .yarn-state.yml and .package-map.json anew when it prunes; Node reads the map
    where it is told to."""

    def image(note: str) -> ImageView:
        names = (
            ".yarn-state.yml",
            ".package-map.json",
            ".pnpm-workspace-state-v1.json",
            ".package-lock.json",
        )
        return view_of(
            Recipe(
                (("RUN yarn install", {f"app/node_modules/{name}": note for name in names}),), {}
            )
        )

    assert check_application_files(image("a: 1"), image("b: 2"), Allowances()).verdict == "passed"
    opened = frozenset(["/app/node_modules/.package-map.json"])
    judged = check_opened_files(image("a: 1"), image("b: 2"), Opened(opened), Allowances())
    assert judged.verdict == "failed"


def test_what_only_the_launcher_opened_may_be_another_one(
    view_of: Callable[..., ImageView],
) -> None:
    """`yarn start` reads .yarn-state.yml, which pruning writes anew; `node server.js` in its place
    does not."""

    def image(note: str) -> ImageView:
        return view_of(
            Recipe((("RUN yarn install", {"app/node_modules/.yarn-state.yml": note}),), {})
        )

    before, after, path = image("a: 1"), image("b: 2"), "/app/node_modules/.yarn-state.yml"
    opened = Opened(frozenset([path]))
    launcher = Drop(
        "only the original's start command needed it", frozenset([path]), even_if_opened=True
    )
    plain = Drop("a note", frozenset([path]))
    assert (
        check_opened_files(before, after, opened, Allowances(drops=(launcher,))).verdict == "passed"
    )
    assert check_opened_files(before, after, opened, Allowances(drops=(plain,))).verdict == "failed"
