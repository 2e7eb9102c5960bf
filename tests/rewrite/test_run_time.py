"""What sources and settings name comes along though no run asked for it: compilers, programs,
libraries behind a module, modules of scripts. What must not change comes first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import File, Files, Recipe

from imgopt.image import Image
from imgopt.proof.check import Outcome
from imgopt.proof.checks.named_by_sources import check_named
from imgopt.proof.checks.programs import check_programs

from .unasked import ARCH, Service

MAIN = "print(1)\n"
COMPILES = "ffi.set_source('_x', 'int x;')\nffi.compile(tmpdir=folder)\n"


@pytest.fixture
def service(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Service:
    return Service(image_of, tmp_path)


@pytest.mark.parametrize(
    "files",
    [
        {"main.py": "re.compile('gcc')\n"},
        {"main.py": MAIN, "setup.py": "ffi.set_source('x', '')\n"},
        {"main.py": MAIN, "test_x.py": COMPILES},
        {"main.py": MAIN, "package.json": '{"scripts": {"build": "gcc -o x x.c"}}'},
        {"main.py": MAIN, ".github/workflows/ci.yml": "run: convert -resize 1 a b\n"},
        {"main.py": MAIN, "notes.json": '{"title": "how to convert a file", "verb": "curl"}'},
        {"main.py": MAIN, "README.md": "run `convert -x`\n"},
        {"main.py": "print('tkinter')\n", "x.pl": "# use JSON::PP\n"},
        {"main.py": MAIN, "x.pl": "use strict;\nuse Own::Thing;\n"},
    ],
)
def test_what_nothing_asks_for_stays_behind(service: Service, files: dict[str, str]) -> None:
    final = service.plan(files).plan.final
    assert final is not None
    assert not {"gcc", "libc6-dev", "imagemagick", "curl", "libtk8.6"} & set(final.packages)
    assert "perl-modules-5.36" not in final.packages


def test_a_source_that_the_build_ran_did_its_work_there(service: Service) -> None:
    steps: tuple[tuple[str, Files], ...] = (("RUN python ffi_build.py", {"opt/x": "1"}),)
    assert not service.plan({"main.py": MAIN, "ffi_build.py": COMPILES}, steps).installs("gcc")


@pytest.mark.parametrize(
    "source",
    [
        COMPILES,
        "model = torch.compile(model)\n",
        "@triton.jit\ndef kernel(): ...\n",
        "import pyximport; pyximport.install()\n",
        "subprocess.run(['gcc', '-o', name, source])\n",
    ],
)
def test_who_compiles_at_run_time_gets_the_compiler_and_headers(
    service: Service, source: str
) -> None:
    planned = service.plan({"main.py": MAIN, "late.py": source})
    assert planned.installs("gcc")
    assert planned.installs("libc6-dev")
    bare = service.plan({"main.py": MAIN, "late.py": source}, kind="distroless").plan
    assert any("lacks /usr/bin/gcc" in skip.reason for skip in bare.skips)


def test_scripts_of_other_languages_compile_as_well(service: Service) -> None:
    assert service.plan({"main.py": MAIN, "model.R": "Rcpp::sourceCpp('a.cpp')\n"}).installs("gcc")
    assert service.plan({"main.py": MAIN, "a.pl": "use Inline C => 1;\n"}).installs("gcc")


STARTS = "import json, subprocess\ntools = json.load(open('tools.json'))\n"


@pytest.mark.parametrize(
    ("files", "package"),
    [
        ({"main.py": STARTS, "tools.json": '{"shrink": ["convert", "-version"]}'}, "imagemagick"),
        ({"main.py": STARTS, "tools.json": '{"shrink": "convert"}'}, "imagemagick"),
        ({"main.py": MAIN, "app.yaml": "fetch: curl --version\n"}, "curl"),
        ({"main.py": MAIN, "app.toml": 'shrink_command = "convert"\n'}, "imagemagick"),
        ({"main.py": MAIN, "app.ini": "converter=/usr/bin/convert\n"}, "imagemagick"),
        ({"main.py": "import subprocess\nTOOL = 'convert'\n"}, "imagemagick"),
        ({"main.py": "import subprocess\nT = {'a': ['convert', x]}\n"}, "imagemagick"),
    ],
)
def test_programs_that_settings_name_come_with_their_package(
    service: Service, files: dict[str, str], package: str
) -> None:
    assert service.plan(files).installs(package)


def test_a_program_that_a_variable_names_comes_along(service: Service) -> None:
    env = ["PATH=/usr/local/bin:/usr/bin:/bin", "CONVERT_BIN=convert"]
    assert service.plan({"main.py": MAIN}, Env=env).installs("imagemagick")


def test_a_module_brings_the_libraries_of_its_extension(service: Service) -> None:
    source = "def draw():\n    import tkinter\n"
    assert service.plan({"main.py": source}).installs("libtk8.6")
    bare = service.plan({"main.py": source}, kind="distroless")
    assert "COPY --from=builder /staging/root/ /" in bare.final
    assert "COPY --from=builder /usr/local/lib /usr/local/lib" in bare.final
    assert "-exec ldd" in bare.text


def test_a_script_brings_the_modules_that_it_uses(service: Service) -> None:
    files = {"main.py": MAIN, "report.pl": "use strict;\nuse JSON::PP;\n"}
    assert service.plan(files).installs("perl-modules-5.36")


def failed(outcome: Outcome) -> str:
    return "; ".join(map(str, outcome.items))


@pytest.mark.parametrize(
    ("files", "lost"),
    [
        ({"main.py": COMPILES}, "usr/bin/gcc"),
        ({"main.py": COMPILES}, "usr/include/stdio.h"),
        ({"main.py": STARTS, "tools.json": '{"shrink": ["convert", "-x"]}'}, "usr/bin/convert"),
        ({"main.py": MAIN, "app.yaml": "fetch: curl --version\n"}, "usr/bin/curl"),
    ],
)
def test_the_proof_misses_programs(
    service: Service, files: dict[str, File | str], lost: str
) -> None:
    assert check_programs(*service.sides(files)).verdict == "passed"
    assert lost.rpartition("/")[2] in failed(check_programs(*service.sides(files, lost=(lost,))))
    plain: dict[str, File | str] = {"main.py": MAIN}
    assert check_programs(*service.sides(plain, lost=(lost,))).verdict == "passed"


@pytest.mark.parametrize(
    ("files", "lost"),
    [
        ({"main.py": "import tkinter\n"}, f"{ARCH}/libtk8.6.so"),
        ({"main.py": MAIN, "x.pl": "use JSON::PP;\n"}, "usr/share/perl/5.36.0/JSON/PP.pm"),
    ],
)
def test_the_proof_misses_what_stands_behind_a_name(
    service: Service, files: dict[str, File | str], lost: str
) -> None:
    assert check_named(*service.sides(files)).verdict == "passed"
    assert lost.rpartition("/")[2] in failed(check_named(*service.sides(files, lost=(lost,))))
