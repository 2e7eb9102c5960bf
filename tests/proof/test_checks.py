"""One small service and what can go wrong with it: each change is found by the check for it, and by no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from recipes import File, Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances, Drop
from imgopt.proof.check import Check
from imgopt.proof.checks.application_files import check_application_files
from imgopt.proof.judge import static_checks
from imgopt.proof.prove import shown
from imgopt.report import render
from imgopt.results import from_json, to_json
from imgopt.results.proof import Compared, ProofResult

ROOT = File(folder=True, mode=0o755)
BASE = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n",
    "etc/group": "root:x:0:\napp:x:1000:\n",
    "bin/sh": File("#!/bin/true\n", 0o755),
    "bin/true": File("x", 0o755),
    "usr/bin/python3.11": File("elf", 0o755),
    "usr/bin/python3": File(link="python3.11"),
    "usr/bin/env": File("elf", 0o755),
    "usr/bin/convert": File("elf", 0o755),
    "usr/share/zoneinfo/Europe/Berlin": "TZif2\0CET-1CEST,M3.5.0,M10.5.0/3\n",
    "usr/lib/locale/de_DE.utf8/LC_CTYPE": "x",
    "etc/ssl/certs/ca-certificates.crt": "-----BEGIN CERTIFICATE-----",
}
SITE = "usr/lib/python3.11/site-packages"
PACKAGES = {
    f"{SITE}/flask/__init__.py": "import sys",
    f"{SITE}/flask-3.0.dist-info/METADATA": "Name: Flask\nVersion: 3.0\n",
    f"{SITE}/flask-3.0.dist-info/RECORD": "flask/__init__.py,,\nflask-3.0.dist-info/METADATA,,\n",
}
APP = {
    "app/export.py": "import subprocess\nsubprocess.run(['convert', 'a.png', 'b.pdf'])\nsubprocess.run([tool, 'x'])\n",
    "app/main.py": "import flask",
    "app/templates/index.html": "<h1>hi</h1>",
    "app/run.sh": File("#!/bin/sh\nexec python3 main.py\n", 0o755),
    "app/tool": File("#!/bin/sh\n", 0o755),
    "app/empty": File(folder=True),
    "app/.git/HEAD": "ref",
}
CONFIG = {
    "Cmd": ["/app/run.sh"],
    "Env": ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=de_DE.UTF-8", "TZ=Europe/Berlin", "MODE=web"],
    "WorkingDir": "/app",
    "ExposedPorts": {"8000/tcp": {}},
    "Volumes": {"/data": {}},
    "Labels": {"team": "a"},
}
DATA = {"usr/share/nltk_data/stopwords": "the", "usr/share/nltk_data/corpora/x": "y"}
ORIGINAL = Recipe(
    (
        ("ADD rootfs", BASE),
        ("RUN pip install flask", PACKAGES),
        ("RUN python -m nltk.downloader stopwords", DATA),
        ("COPY . /app", APP),
    ),
    CONFIG,
)


def failed(checks: Iterable[Check]) -> dict[str, list[str]]:
    return {check.name: [str(item) for item in check.items] for check in checks if check.verdict == "failed"}


def test_the_same_image_passes_every_check(side_of: Callable[..., ImageView]) -> None:
    checks = static_checks(side_of(ORIGINAL, 1), side_of(ORIGINAL, 1), Allowances())
    assert failed(checks) == {}
    assert all(check.detail for check in checks)


MUTATIONS = {
    "a template is left out": ({"without": ["app/templates/index.html"]}, "application files", "index.html"),
    "a source file is edited": ({"files": {"app/main.py": "import os"}}, "application files", "main.py"),
    "an empty folder is left out": ({"without": ["app/empty"]}, "application files", "/app/empty"),
    "a variable changes": (
        {"Env": [*CONFIG["Env"][:3], "MODE=worker"]},
        "configuration",
        "MODE",
    ),
    "a variable is lost": ({"Env": CONFIG["Env"][:3]}, "configuration", "MODE"),
    "a behaviour is switched on": ({"Env": [*CONFIG["Env"], "NODE_ENV=production"]}, "configuration", "NODE_ENV"),
    "the command changes": ({"Cmd": ["/app/run.sh", "--debug"]}, "configuration", "--debug"),
    "the command becomes an entrypoint": (
        {"Cmd": None, "Entrypoint": ["/app/run.sh"]},
        "configuration",
        "entrypoint",
    ),
    "a port is not exposed": ({"ExposedPorts": None}, "configuration", "8000/tcp"),
    "a volume is lost": ({"Volumes": None}, "configuration", "/data"),
    "the working directory changes": ({"WorkingDir": "/"}, "configuration", "workdir"),
    "the stop signal changes": ({"StopSignal": "SIGKILL"}, "configuration", "stop-signal"),
    "a label is lost": ({"Labels": None}, "configuration", "team"),
    "a tool of the application is not executable": (
        {"files": {"app/tool": File("#!/bin/sh\n", 0o644)}},
        "modes",
        "not executable",
    ),
    "another version of a package": (
        {
            "files": {
                f"{SITE}/flask-3.0.dist-info/METADATA": "Name: Flask\nVersion: 3.1\n",
            }
        },
        "language packages",
        "Flask 3.0 is 3.1",
    ),
    "a file of a package is lost": (
        {"without": [f"{SITE}/flask/__init__.py"]},
        "language packages",
        "flask/__init__.py",
    ),
    "the locale is lost": ({"without": ["usr/lib/locale/de_DE.utf8/LC_CTYPE"]}, "locale and time", "de_DE.UTF-8"),
    "the time zone is lost": (
        {"without": ["usr/share/zoneinfo/Europe/Berlin"]},
        "locale and time",
        "Europe/Berlin",
    ),
    "root certificates are lost": (
        {"without": ["etc/ssl/certs/ca-certificates.crt"]},
        "certificates",
        "ca-certificates.crt",
    ),
    "the interpreter of the entry script is lost": ({"without": ["bin/sh"]}, "programs", "/bin/sh"),
    "a program that a source calls is lost": (
        {"without": ["usr/bin/convert"]},
        "programs",
        "convert, needed by /app/export.py",
    ),
    "data that a RUN fetched is lost": (
        {"without": ["usr/share/nltk_data/stopwords"]},
        "application files",
        "/usr/share/nltk_data/stopwords",
    ),
    "a program that the entry script calls is lost": (
        {"without": ["usr/bin/python3"]},
        "programs",
        "python3, needed by /app/run.sh",
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_mutation_is_refuted_by_the_check_that_is_for_it(name: str, side_of: Callable[..., ImageView]) -> None:
    change, check, said = MUTATIONS[name]
    candidate = ORIGINAL.but(**change)
    found = failed(static_checks(side_of(ORIGINAL, 1), side_of(candidate), Allowances()))
    assert set(found) == {check}
    assert said in " ".join(found[check])


HARMLESS = {
    "other times": {"files": {"app/main.py": File("import flask", mtime=1)}},
    "another order of variables": {"Env": CONFIG["Env"][::-1]},
    "one label more": {"Labels": {"team": "a", "imgopt.session": "x"}},
    "an unused file more": {"files": {"usr/share/doc/x": "x"}},
    "output is not buffered": {"Env": [*CONFIG["Env"], "PYTHONUNBUFFERED=1"]},
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_difference_is_not_refuted(name: str, side_of: Callable[..., ImageView]) -> None:
    candidate = ORIGINAL.but(**HARMLESS[name])
    assert failed(static_checks(side_of(ORIGINAL, 1), side_of(candidate), Allowances())) == {}


def test_another_split_into_layers_is_not_refuted(side_of: Callable[..., ImageView]) -> None:
    one = Recipe((("ADD rootfs", {**BASE, **PACKAGES, **DATA, **APP}),), CONFIG)
    assert failed(static_checks(side_of(ORIGINAL, 1), side_of(one), Allowances())) == {}


def test_an_intended_drop_is_told_with_its_reason(side_of: Callable[..., ImageView]) -> None:
    candidate = side_of(ORIGINAL.but(without=["app/.git/HEAD"]))
    allowed = Allowances(drops=(Drop("version control data", frozenset({"/app/.git"})),))
    checks = static_checks(side_of(ORIGINAL, 1), candidate, allowed)
    assert failed(checks) == {}
    assert "1 file: version control data" in [text for check in checks for text in check.allowed]
    assert "application files" in failed(static_checks(side_of(ORIGINAL, 1), candidate, Allowances()))


def test_names_that_are_no_text_are_told_and_saved(side_of: Callable[..., ImageView]) -> None:
    odd = {"app/\udcff\x1b[31m": "x", "app/tool\n": File("#!/\udcff\x00sh", 0o755)}
    original, candidate = side_of(ORIGINAL.but(files=odd), 1), side_of(ORIGINAL)
    checks = static_checks(original, candidate, Allowances())
    result = ProofResult(
        original=Compared(image=""), candidate=Compared(image=""), verdict="refuted", checks=list(map(shown, checks))
    )
    assert from_json(to_json(result), ProofResult) == result
    assert "/app/\\xff\\x1b[31m" in " ".join(failed(checks)["application files"])
    assert "\x1b" not in render(result, "text")


def test_empty_folders_that_a_package_leaves_are_not_the_authors(side_of: Callable[..., ImageView]) -> None:
    folder = File(folder=True)
    made = {
        "var/lib/dpkg/status": "Package: fontconfig-config\nStatus: install ok installed\nVersion: 2\n",
        "usr/local/share/fonts": folder,
        "etc/ssh/ssh_config.d": folder,
        "etc/networks": "loopback 127.0.0.0",
        "data/in": folder,
    }
    original = Recipe((*ORIGINAL.layers[:-1], ("RUN apt-get install", made), ORIGINAL.layers[-1]), CONFIG)
    found = failed(static_checks(side_of(original, 1), side_of(ORIGINAL), Allowances()))
    assert found == {"application files": ["missing file: /data/in"]}


def test_settings_of_a_package_that_is_left_out_are_not_missed(side_of: Callable[..., ImageView]) -> None:
    installed = "Package: {}\nStatus: install ok installed\nVersion: 2\n\n"
    status = "".join(map(installed.format, ("exim4-base", "cron")))
    made = {
        "var/lib/dpkg/status": status,
        "etc/default/exim4": "x",
        "var/lib/exim4/config.autogenerated": "x",
        "etc/cron.d/job": "* * * * * root /app/job\n",
        "etc/mine.conf": "x",
    }
    original = Recipe((*ORIGINAL.layers[:-1], ("RUN apt-get install", made), ORIGINAL.layers[-1]), CONFIG)
    kept = {"var/lib/dpkg/status": installed.format("cron")}
    without = Recipe((*ORIGINAL.layers[:-1], ("RUN apt-get install", kept), ORIGINAL.layers[-1]), CONFIG)
    found = failed(static_checks(side_of(original, 1), side_of(without), Allowances()))["application files"]
    assert found == ["missing file: /etc/cron.d/job", "missing file: /etc/mine.conf"]
    opened = frozenset(["/etc/default/exim4"])
    check = check_application_files(side_of(original, 1), side_of(without), Allowances(), opened=opened)
    assert "missing file: /etc/default/exim4" in map(str, check.items)
