"""What commands take from the command line, and how they repeat it."""

from __future__ import annotations

import io
import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
from msgspec import structs
from rich.console import Console

from imgopt.cli.app import main
from imgopt.cli.kept import forget, state_folder, write_result
from imgopt.cli.options import (
    BuildOptions,
    RequestOptions,
    SmokeOptions,
    effective_config,
    find_dockerfile,
    from_environment,
)
from imgopt.cli.repeated import build_words, request_words, run_words, without_secret
from imgopt.config import load_config
from imgopt.context.dockerfiles import find_dockerfiles, own_context
from imgopt.errors import InputError
from imgopt.report.command import again, command_line, missing_lines, next_command
from imgopt.report.optimize import text
from imgopt.requests.request import FORM, JSON, Request
from imgopt.results.optimize import Check, MissingBase, OptimizeResult, Original, Variant
from imgopt.results.rewrite import Skip
from imgopt.run.settings import settings_of

FROM = "FROM alpine\nCOPY a /\n"


def written(folder: Path, files: Mapping[str, str]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


@pytest.mark.parametrize("port", ["0", "-1", "65536", "70000", "8000-8010", "http"])
def test_a_port_outside_of_the_numbers_is_refused(port: str, tmp_path: Path) -> None:
    written(tmp_path, {"Dockerfile": FROM})
    assert main(["optimize", str(tmp_path), f"--port={port}"]) == 2


@pytest.mark.parametrize("value", ["0", "-1", "65536", '"8000-8010"', "80.5"])
def test_a_port_outside_of_the_numbers_is_refused_in_the_configuration(
    value: str, tmp_path: Path
) -> None:
    written(tmp_path, {"imgopt.toml": f"[smoke]\nports = [80, {value}]\n"})
    with pytest.raises(InputError) as error:
        load_config(tmp_path)
    assert error.value.hint == "a port is a number from 1 to 65535"
    assert str(error.value.location).endswith("imgopt.toml:2")


def test_a_wrong_probe_is_refused_before_anything_is_built(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no port in the HTTP probe"):
        effective_config(tmp_path, BuildOptions(), SmokeOptions(http=[":70000/health"]))


@pytest.mark.parametrize(
    "name",
    [
        "docker/Dockerfile",
        "deploy/prod/Dockerfile",
        "Dockerfile.prod",
        "Containerfile",
        "api.dockerfile",
        "dockerfile",
    ],
)
def test_the_only_dockerfile_is_used_and_said(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, {name: FROM, "a": ""})
    assert find_dockerfile(tmp_path, effective_config(tmp_path, BuildOptions())) == tmp_path / name
    said = capsys.readouterr().err
    assert f"{tmp_path / name} is used" in said and "stays the build context" in said


def test_the_context_s_own_dockerfile_is_used_without_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path, {"Dockerfile": FROM, "docker/Dockerfile": FROM})
    assert (
        find_dockerfile(tmp_path, effective_config(tmp_path, BuildOptions()))
        == tmp_path / "Dockerfile"
    )
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "name",
    [
        "Dockerfile.dockerignore",
        "Dockerfile.md",
        "docs/Dockerfile.bak",
        "node_modules/x/Dockerfile",
        ".devcontainer/Dockerfile",
        "a/b/c/d/e/Dockerfile",
    ],
)
def test_what_only_looks_like_one_is_none(name: str, tmp_path: Path) -> None:
    assert find_dockerfiles(written(tmp_path, {name: FROM})) == []


def test_a_template_of_a_dockerfile_is_none(tmp_path: Path) -> None:
    assert find_dockerfiles(written(tmp_path, {"Dockerfile.in": "{{ base }}\nRUN x\n"})) == []


def test_of_several_each_is_listed_with_what_to_give(tmp_path: Path) -> None:
    files = {
        "docker/app.dockerfile": FROM,
        "Dockerfile.prod": FROM,
        "a": "",
        "my web/Dockerfile": "FROM x\nCOPY p /\n",
    }
    written(tmp_path, {**files, "my web/p": ""})
    with pytest.raises(InputError) as error:
        find_dockerfile(tmp_path, effective_config(tmp_path, BuildOptions()))
    top = str(tmp_path)
    assert (error.value.hint or "").split("\n") == [
        "there is, with what to give:",
        f"{top} -f {top}/Dockerfile.prod",
        f"{top} -f {top}/docker/app.dockerfile",
        shlex.quote(f"{top}/my web"),
    ]


def test_a_dockerfile_whose_files_lie_beside_it_has_its_own_context(tmp_path: Path) -> None:
    written(
        tmp_path,
        {
            "web/Dockerfile": "FROM x\nCOPY package*.json ./\nCOPY src /src\n",
            "web/package.json": "",
        },
    )
    written(tmp_path, {"web/src/a.js": ""})
    assert own_context(tmp_path, tmp_path / "web/Dockerfile") == tmp_path / "web"
    with pytest.raises(InputError) as error:
        find_dockerfile(tmp_path, effective_config(tmp_path, BuildOptions()))
    assert (error.value.hint or "").endswith(f"{tmp_path}/web")


@pytest.mark.parametrize(
    ("files", "own"),
    [
        (
            {
                "sample/app.py": "",
                "sample/Dockerfile": 'FROM x\nADD . /app\nCMD ["python3", "app.py"]\n',
            },
            "sample",
        ),
        (
            {"web/package.json": "", "web/Dockerfile": "FROM x\nCOPY . .\nRUN cat package.json\n"},
            "web",
        ),
        ({"app.py": "", "docker/Dockerfile": "FROM x\nCOPY . .\nCMD python app.py\n"}, "."),
        (
            {
                "app.py": "",
                "docker/app.py": "",
                "docker/Dockerfile": "FROM x\nCOPY . .\nCMD python app.py\n",
            },
            ".",
        ),
        ({"a/b": "", "docker/Dockerfile": "FROM x\nCOPY . .\nRUN make all\n"}, "."),
    ],
)
def test_a_dockerfile_that_copies_everything_is_known_by_what_it_starts(
    files: dict[str, str], own: str, tmp_path: Path
) -> None:
    written(tmp_path, files)
    dockerfile = next(tmp_path / name for name in files if name.endswith("Dockerfile"))
    assert own_context(tmp_path, dockerfile) == tmp_path / own


def test_a_dockerfile_that_is_named_and_not_there_is_not_replaced_by_another(
    tmp_path: Path,
) -> None:
    written(tmp_path, {"docker/Dockerfile": FROM, "a": ""})
    with pytest.raises(InputError):
        find_dockerfile(
            tmp_path, effective_config(tmp_path, BuildOptions(file=Path("Dockerfile.old")))
        )


def test_a_command_is_repeated_with_all_that_was_given_quoted_and_without_values_of_secrets() -> (
    None
):
    build = BuildOptions(
        file=Path("a b/Dockerfile"),
        target="prod",
        build_arg=["NPM_TOKEN=hunter2", "VERSION=1", "INDEX=https://me:pw@host/simple", "CI"],
        secret=["id=npm,src=/home/u/.npmrc"],
        ssh=["default"],
        base=["python:3.11=mirror.example/python:3.11"],
        config=Path("ci/imgopt.toml"),
    )
    smoke = SmokeOptions(
        port=[80], http=["/a b=ok"], env=["DB_PASSWORD=x", "MODE=prod"], env_file=Path(".env")
    )
    line = command_line("optimize", build_words("my shop", build), run_words(smoke), "--write")
    assert line == (
        "imgopt optimize 'my shop' -f 'a b/Dockerfile' --config ci/imgopt.toml --target prod --build-arg NPM_TOKEN "
        "--build-arg VERSION=1 --build-arg INDEX --build-arg CI --base python:3.11=mirror.example/python:3.11 "
        "--secret id=npm,src=/home/u/.npmrc --ssh default --port 80 --http '/a b=ok' --env DB_PASSWORD "
        "--env MODE=prod --env-file .env --write"
    )
    assert "hunter2" not in line and "pw@" not in line


@pytest.mark.parametrize(
    "word", ["A=", "TOKENIZERS=1", "PASSWORD_FILE=/run/x", "URL=https://host/a:b"]
)
def test_what_is_no_secret_keeps_its_value(word: str) -> None:
    assert without_secret(word) == word


def test_a_build_argument_without_a_value_takes_the_environment_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("NPM_TOKEN", "hunter2")
    monkeypatch.delenv("ABSENT", raising=False)
    assert from_environment(["NPM_TOKEN", "ABSENT", "A=1"]) == ["NPM_TOKEN=hunter2", "A=1"]


PROVEN = OptimizeResult(
    context="shop", dockerfile="d/Dockerfile", verdict="proven", original=Original(image="x")
)


def result(**more: object) -> OptimizeResult:
    return structs.replace(PROVEN, **more)


def test_the_next_command_repeats_what_this_one_was_given() -> None:
    words = ["shop", "-f", "shop/d/Dockerfile", "--base", "a=b"]
    found = result(recommended="slim", arguments=words, run_arguments=["--allow", "cpu-wheels"])
    assert next_command(found) == (
        "Next: imgopt optimize shop -f shop/d/Dockerfile --base a=b --allow cpu-wheels --variant slim --write"
    )
    good = result(verdict="good", arguments=words)
    assert next_command(good).startswith("Next: imgopt cache shop -f shop/d/Dockerfile --base a=b ")


def test_the_advice_is_about_the_failure_that_happened() -> None:
    def after(*failed: str) -> str:
        checks = [Check(name=name, verdict="failed", detail="") for name in failed]
        tried = Variant(name="slim", verdict="refuted", checks=checks)
        return next_command(result(verdict="unproven", variants=[tried]))

    asked = "--http PATH=TEXT --env NAME=VALUE   (say how the service is asked)"
    assert after("smoke").endswith(asked)
    assert after("modes", "stop").endswith(asked)
    assert after().endswith(asked)
    assert after("modes") == (
        "Next: imgopt optimize shop -f d/Dockerfile --out tried"
        '   (tried/optimize.json: all of "modes", which refuted slim)'
    )


def test_a_result_without_arguments_still_names_its_dockerfile() -> None:
    assert again(result()) == "imgopt optimize shop -f d/Dockerfile"


def test_a_missing_base_is_one_line_to_paste() -> None:
    bases = [
        MissingBase(variant=name, strategy="slim-base", names=["a:1", "a:2"])
        for name in ("slim", "distroless")
    ]
    found = result(verdict="unproven", missing_bases=bases)
    assert missing_lines(found) == [
        "a:1 (nor a:2) cannot be pulled here, which slim and distroless would stand on: say which image is it: "
        '--base a:1=IMAGE, or in imgopt.toml under [bases]: "a:1" = "IMAGE"'
    ]
    assert "--base a:1=IMAGE" in next_command(found)


def test_what_is_kept_is_each_proven_variant_and_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    folder = state_folder(tmp_path / "shop" / "Dockerfile")
    assert folder.parent == tmp_path / "state" / "imgopt" and folder.name.startswith("shop-")
    assert folder != state_folder(tmp_path / "shop" / "Dockerfile.prod")
    proven = Variant(name="slim", verdict="proven", dockerfile="FROM a\n", dockerignore=".git\n")
    refuted = Variant(name="safe", verdict="refuted", dockerfile="FROM b\n")
    write_result(folder, result(variants=[proven, refuted]))
    assert sorted(path.name for path in folder.iterdir()) == [
        "Dockerfile.slim",
        "Dockerfile.slim.dockerignore",
        "optimize.json",
    ]
    forget(folder)
    assert not folder.exists()


def test_a_missing_base_stands_below_the_headline_and_not_among_the_refusals() -> None:
    missing = Skip(strategy="slim-base", line=1, reason="a:1 cannot be had here")
    other = Skip(
        strategy="bytecode", line=1, reason="PYTHONPYCACHEPREFIX keeps bytecode at another place"
    )
    tried = Variant(
        name="slim", verdict="proven", checks=[Check(name="smoke", verdict="passed", detail="")]
    )
    refused = Variant(
        name="distroless", verdict="unproven", reason="distroless-base: b:1 cannot be had here"
    )
    bases = [
        MissingBase(variant="slim", strategy="slim-base", names=["a:1"]),
        MissingBase(variant="distroless", strategy="distroless-base", names=["b:1"]),
    ]
    variants = [structs.replace(tried, skips=[missing, other]), refused]
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(
        text(result(verdict="unproven", message="nothing", variants=variants, missing_bases=bases))
    )
    lines = console.export_text().splitlines()
    assert lines[1].startswith("a:1 cannot be pulled here") and lines[2].startswith(
        "b:1 cannot be pulled here"
    )
    assert not [line for line in lines if "cannot be had here" in line]
    assert [line for line in lines if "PYTHONPYCACHEPREFIX" in line]


@pytest.mark.parametrize(("base", "swap"), [("", 0), ("python:3.11", 0)])
def test_a_base_that_is_the_original_s_own_is_no_source_of_a_saving(base: str, swap: int) -> None:
    own = Variant(name="safe", verdict="proven", base=base, base_swap_bytes=swap, own_edit_bytes=5)
    checked = structs.replace(own, checks=[Check(name="smoke", verdict="passed", detail="")])
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(text(result(verdict="unproven", message="nothing", variants=[checked])))
    assert "alone" not in console.export_text()


REQUESTS = """\
[[smoke.requests]]
method = "post"
path = ":8080/login"
json = { user-name = "ada", deep = { a-b = [1, true] } }
headers = { X-Api-Key = "k" }
status = 201
save = { access-token = "json:token" }

[[smoke.requests]]
path = "/notes?x={{access-token}}"
method = "PUT"
form = { text-of = "a b" }
text = "ok"
"""


def test_requests_of_the_configuration_keep_the_users_own_words(tmp_path: Path) -> None:
    written(tmp_path, {"Dockerfile": FROM, "imgopt.toml": REQUESTS})
    config = effective_config(tmp_path, BuildOptions(), None, RequestOptions())
    assert settings_of(config.smoke, tmp_path).requests == (
        Request(
            "POST",
            "/login",
            8080,
            (("Content-Type", JSON), ("X-Api-Key", "k")),
            b'{"user-name": "ada", "deep": {"a-b": [1, true]}}',
            201,
            saves=(("access-token", "json:token"),),
        ),
        Request(
            "PUT",
            "/notes?x={{access-token}}",
            None,
            (("Content-Type", FORM),),
            b"text-of=a+b",
            text="ok",
        ),
    )


WRONG_REQUESTS = {
    "no path": ("path = 'notes'", "no path"),
    "no such method": ("path = '/x'\nmethod = 'SEND'", "no method"),
    "two bodies": ("path = '/x'\nbody = 'a'\nform = { a = '1' }", "several bodies"),
    "nothing to take": ("path = '/x'\nsave = { a = 'body.id' }", "what to take"),
    "a word that is none": ("path = '/x'\nmetod = 'POST'", "metod"),
}


@pytest.mark.parametrize("case", WRONG_REQUESTS)
def test_a_wrong_request_is_refused_before_anything_is_built(case: str, tmp_path: Path) -> None:
    table, says = WRONG_REQUESTS[case]
    written(tmp_path, {"Dockerfile": FROM, "imgopt.toml": f"[[smoke.requests]]\n{table}\n"})
    with pytest.raises(InputError, match=says):
        effective_config(tmp_path, BuildOptions(), None, RequestOptions())
    assert main(["optimize", str(tmp_path)]) == 2


def test_a_file_of_requests_is_read_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(
        tmp_path,
        {"Dockerfile": FROM, "Dockerfile.b": FROM, "a.http": "GET /\n\n###\nPOST /{{who}}\n"},
    )
    options = ["--with", "Dockerfile.b", "--requests", str(tmp_path / "a.http")]
    assert main(["prove", str(tmp_path), *options]) == 2
    assert f"{tmp_path}/a.http:4: nothing says what {{{{who}}}} is" in capsys.readouterr().err


def test_the_options_of_what_is_asked_go_over_the_file_and_are_repeated(tmp_path: Path) -> None:
    given = {
        "imgopt.toml": "[smoke]\nrequests-file = 'a.http'\n",
        "a.http": "POST /a",
        "b.http": "POST /b",
    }
    written(tmp_path, {"Dockerfile": FROM, **given})
    plain = effective_config(tmp_path, BuildOptions(), None, RequestOptions())
    assert [r.path for r in settings_of(plain.smoke, Path("/")).requests] == ["/a"]
    assert plain.smoke.writes
    asked = RequestOptions(tmp_path / "b.http", no_writes=True)
    config = effective_config(tmp_path, BuildOptions(), None, asked)
    assert [r.path for r in settings_of(config.smoke, Path("/")).requests] == ["/b"]
    assert not config.smoke.writes
    assert request_words(asked) == ["--requests", str(tmp_path / "b.http"), "--no-writes"]


@pytest.mark.parametrize(
    ("asked", "tests"),
    [
        (RequestOptions(), "pytest"),
        (RequestOptions(tests="make check"), "make check"),
        (RequestOptions(no_writes=True), ""),
        (RequestOptions(no_writes=True, tests="make check"), "make check"),
    ],
)
def test_without_writes_only_tests_that_are_named_beside_it_run(
    asked: RequestOptions, tests: str, tmp_path: Path
) -> None:
    written(tmp_path, {"Dockerfile": FROM, "imgopt.toml": "[smoke]\ntests = 'pytest'\n"})
    config = effective_config(tmp_path, BuildOptions(), None, asked)
    assert settings_of(config.smoke, Path("/")).tests == tests


def test_tests_of_the_command_line_are_repeated() -> None:
    words = ["--tests", "make check", "--no-writes"]
    assert request_words(RequestOptions(no_writes=True, tests="make check")) == words
