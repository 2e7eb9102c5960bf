"""Secrets that a COPY brings are findings: file, line, what to do, and never what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from imgopt.config import Config
from imgopt.loop.static import rewrite_static
from imgopt.report.formats import render
from imgopt.results.optimize import OptimizeResult, Original
from imgopt.results.rewrite import RewriteResult

from .kit import project

ALL = "FROM a\nWORKDIR /app\nCOPY . .\nCMD x\n"
PEM = "-----BEGIN RSA PRIVATE KEY-----\nTHESECRET\n-----END RSA PRIVATE KEY-----\n"


def rewrite(folder: Path, files: Mapping[str, str], dockerfile: str = ALL) -> RewriteResult:
    project(folder, {"Dockerfile": dockerfile, **files})
    return rewrite_static(folder, folder / "Dockerfile", Config(), ("safe",))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env.example", "API_KEY=abc123def\n"),
        ("example.env", "API_KEY=abc123def\n"),
        (".env.sample", "API_KEY=abc123def\n"),
        (".env", "PORT=3000\nNODE_ENV=production\nLOG_LEVEL=info\n"),
        (".env", "API_KEY=\nDB_PASSWORD=changeme\nTOKEN=<your token>\nSECRET=${SECRET}\n"),
        (".env.production", "NEXT_PUBLIC_ANALYTICS=UA-1\nVITE_API=https://api.example.org\n"),
        ("certs/ca.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n"),
        ("keys/server.key", "# put the key here\n"),
        ("id_rsa.pub", "ssh-rsa AAAA\n"),
        ("tests/fixtures/server.key", PEM),
        ("testdata/.env", "API_KEY=abc123def\n"),
        ("node_modules/tls/key.pem", PEM),
        (
            ".npmrc",
            "registry=https://npm.example.org/\n//npm.example.org/:_authToken=${NPM_TOKEN}\n",
        ),
        ("truststore.jks", "x"),
        ("credentials.json", '{"help": "put yours here"}'),
        ("config/secrets.yml", "production:\n  secret_key_base: <%= ENV['S'] %>\n"),
        ("terraform.tfvars", 'region = "eu-central-1"\n'),
        ("pip.conf", "[global]\nindex-url = https://pypi.example.org/simple\n"),
        ("src/token.ts", "export const token = 'x'"),
        ("settings.xml", "<password>${env.MVN_PASSWORD}</password>"),
    ],
)
def test_what_only_looks_like_a_secret(tmp_path: Path, name: str, text: str) -> None:
    assert rewrite(tmp_path, {name: text}).findings == []


SECRETS = [
    (".env", "STRIPE_KEY=THESECRET\n"),
    (".env.local", "export DB_PASS='THESECRET'\n"),
    ("api/.env.production", "DATABASE_URL=postgres://app:THESECRET@db/app\n"),
    ("prod.env", "SECRET=THESECRET\n"),
    ("tls/server.key", PEM),
    ("deploy.pem", PEM),
    (".ssh/id_ed25519", "-----BEGIN OPENSSH PRIVATE KEY-----\nTHESECRET\n"),
    ("signing.p12", "THESECRET"),
    ("release.jks", "THESECRET"),
    (".npmrc", "//registry.npmjs.org/:_authToken=THESECRET\n"),
    (".yarnrc.yml", "npmAuthToken: THESECRET\n"),
    (".pypirc", "[pypi]\nusername = a\npassword = THESECRET\n"),
    (".netrc", "machine x login y password THESECRET\n"),
    (".git/config", '[remote "origin"]\n  url = https://x:THESECRET@example.org/a.git\n'),
    (
        ".git/config",
        '[http "https://example.org/"]\n  extraheader = AUTHORIZATION: basic THESECRET\n',
    ),
    (".aws/credentials", "[default]\naws_secret_access_key = THESECRET\n"),
    (".kube/config", "users:\n- user:\n    client-key-data: THESECRET\n"),
    ("credentials.json", '{"installed": {"client_secret": "THESECRET"}}'),
    ("my-service-account.json", '{"type": "service_account", "private_key": "THESECRET"}'),
    ("infra/terraform.tfstate", '{"version": 4, "resources": ["THESECRET"]}'),
    ("config/master.key", "0123456789abcdef0123456789abcdef"),
    ("pip.conf", "[global]\nindex-url = https://me:THESECRET@pypi.example.org/simple\n"),
    ("settings.xml", "<server><password>THESECRET</password></server>"),
]


@pytest.mark.parametrize(
    ("name", "text"), SECRETS, ids=[f"{name} {number}" for number, (name, _) in enumerate(SECRETS)]
)
def test_a_secret_is_named_with_its_line_and_what_to_do(
    tmp_path: Path, name: str, text: str
) -> None:
    result = rewrite(tmp_path, {name: text})
    (finding,) = result.findings
    assert (finding.file, finding.line, finding.level) == (name, 3, "error")
    assert ".dockerignore" in finding.hint
    for format in ("text", "json", "markdown", "html"):
        shown = render(result, format).replace("&#95;", "_")
        assert name.rpartition("/")[2] in shown
        assert "THESECRET" not in shown
        assert "--mount=type=secret" in shown.replace("\n", " ")


@pytest.mark.parametrize(
    ("dockerfile", "found"),
    [
        pytest.param("FROM a\nCOPY src /s\n", [], id="another folder"),
        pytest.param("FROM a\nCOPY --exclude=**/.env . /s\n", [], id="left out"),
        pytest.param("FROM a\nRUN --mount=type=bind,target=/s make\n", [], id="only mounted"),
        pytest.param("FROM a AS b\nCOPY . /s\nFROM a\nCOPY --from=b /s/app /\n", [("warning", 2)], id="in a builder"),
        pytest.param("FROM a\nCOPY .e* /s/\n", [("error", 2)], id="a pattern"),
        pytest.param("FROM a\nARG F=.env\nADD $F /s/\n", [("error", 3)], id="a known variable"),
        pytest.param("FROM a AS unused\nCOPY . /s\nFROM a\nCOPY src /s\n", [], id="a stage that is not built"),
    ],
)  # fmt: skip
def test_only_what_a_copy_of_the_build_brings(
    tmp_path: Path, dockerfile: str, found: list[tuple[str, int]]
) -> None:
    result = rewrite(
        tmp_path,
        {".env": "KEY=abcdefgh\n", "src/a": ""},
        "# syntax=docker/dockerfile:1-labs\n" + dockerfile,
    )
    assert [(one.level, one.line - 1) for one in result.findings] == found


def test_what_the_ignore_file_keeps_out_is_no_finding(tmp_path: Path) -> None:
    assert rewrite(tmp_path, {".env": "KEY=abcdefgh\n", ".dockerignore": ".env\n"}).findings == []


def test_optimize_shows_the_same_findings(tmp_path: Path) -> None:
    findings = rewrite(tmp_path, {".env": "KEY=THESECRET\n"}).findings
    result = OptimizeResult(
        context=".",
        dockerfile="Dockerfile",
        verdict="good",
        original=Original(image="x"),
        findings=findings,
    )
    for format in ("text", "json", "markdown", "html"):
        shown = render(result, format)
        assert ".env holds passwords or keys" in shown.replace("\n", " ")
        assert "THESECRET" not in shown
