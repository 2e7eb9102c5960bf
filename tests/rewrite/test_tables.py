"""Tables of the system that a service looks up when it is asked come along, whatever a run showed.
What must not change comes first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from recipes import File, Recipe, elf

from imgopt.image import Image
from imgopt.inspect.failures import Item
from imgopt.proof.checks.named_accounts import check_accounts
from imgopt.proof.checks.tables import check_tables

from .unasked import ARCH, ELF, FAT, SLIM, Service

MAIN = "print(1)\n"


@pytest.fixture
def service(image_of: Callable[[Recipe], Image], tmp_path: Path) -> Service:
    return Service(image_of, tmp_path)


def test_what_nobody_looks_up_stays_behind(service: Service) -> None:
    final = service.plan({"main.py": MAIN}).final
    assert "mime.types" not in final
    assert "fonts" not in final
    assert "terminfo" not in final
    assert "/etc/passwd" not in final


def test_a_name_of_an_account_in_other_words_is_none(service: Service) -> None:
    final = service.plan({"main.py": "send('mail')\n"}, kind="distroless").final
    assert "imgopt-accounts" not in final


def test_a_package_of_the_system_is_no_package_that_looks_up_fonts(service: Service) -> None:
    """The base has imagemagick, as many a base has; nothing calls it."""
    assert not service.plan({"main.py": MAIN}).installs("fonts-dejavu-core")


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        (
            "def kind(n):\n    import mimetypes\n    return mimetypes.guess_type(n)\n",
            "/etc/mime.types",
        ),
        ("import mailcap, mimetypes\n", "/etc/mime.types"),
    ],
)
def test_names_of_media_types_are_copied_where_a_source_asks_for_them(
    service: Service, source: str, kept: str
) -> None:
    assert kept in service.plan({"main.py": MAIN, "kinds.py": source}).final


def test_names_of_media_types_are_copied_where_the_run_loaded_who_reads_them(
    service: Service,
) -> None:
    opened = frozenset(["/usr/local/lib/python3.11/mimetypes.py"])
    assert "/etc/mime.types" in service.plan({"main.py": MAIN}, opened=opened).final


def test_a_locale_of_which_a_part_was_opened_comes_whole(service: Service) -> None:
    opened = frozenset(["/usr/lib/locale/C.utf8/LC_CTYPE"])
    final = service.plan({"main.py": MAIN}, kind="distroless", opened=opened).final
    assert "/usr/lib/locale/C.utf8 /usr/lib/locale/C.utf8" in final
    assert "LC_CTYPE" not in final


def test_it_comes_whole_whoever_holds_the_interpreter(service: Service) -> None:
    """uwsgi has Python in itself: no program of that name is started."""
    opened = frozenset(["/usr/lib/locale/C.utf8/LC_CTYPE"])
    planned = service.plan(
        {"main.py": MAIN, "tool": ELF},
        kind="distroless",
        opened=opened,
        executed=("/app/tool",),
        start='["/app/tool"]',
    )
    assert "/usr/lib/locale/C.utf8 /usr/lib/locale/C.utf8" in planned.final


def test_modules_that_look_up_names_come_with_their_libraries(service: Service) -> None:
    modules = {
        f"{ARCH}/libnss_hesiod.so.2": elf("libhesiod.so.2"),
        f"{ARCH}/libhesiod.so.2": elf(soname="libhesiod.so.2"),
        "etc/nsswitch.conf": "hosts: files dns\n",
    }
    base = {**FAT, **modules}
    planned = service.plan({"main.py": "x = 'libnss_hesiod'\n"}, kind="distroless", base=base)
    assert "libnss_hesiod" in planned.text
    assert "/usr/lib/*/libhesiod.so.2" in planned.text
    who_reads_it = {"main.py": "open('/etc/nsswitch.conf')\n"}
    reads = service.plan(who_reads_it, kind="distroless", base=base).final
    assert "/etc/nsswitch.conf" in reads
    assert "libnss" not in reads


def test_zones_come_whole_with_their_package_or_as_a_folder(service: Service) -> None:
    files = {"main.py": "from zoneinfo import ZoneInfo\n"}
    assert service.plan(files).installs("tzdata")
    final = service.plan(files, kind="distroless").final
    assert "/usr/share/zoneinfo /usr/share/zoneinfo" in final


@pytest.mark.parametrize("source", ["import curses\n", "os.system('tput cols')\n"])
def test_terminals_come_where_a_source_asks_for_them(service: Service, source: str) -> None:
    assert service.plan({"main.py": source}).installs("ncurses-base")
    bare = service.plan({"main.py": source}, kind="distroless")
    assert bare.plan.final is None or "/usr/share/terminfo" in bare.final


def test_accounts_that_sources_name_come_beside_those_of_the_base(service: Service) -> None:
    files = {"main.py": "import pwd\nprint(pwd.getpwnam('mail').pw_uid)\n"}
    planned = service.plan(files, kind="distroless")
    assert "COPY --from=packages /staging/accounts/ /" in planned.final.replace(
        "builder", "packages"
    )
    assert "nonroot:x:65532:65532" in planned.text
    assert "/etc/passwd" not in service.plan(files).final  # the slim base has it


@pytest.mark.parametrize(
    ("step", "row"),
    [
        ("RUN useradd -r worker", "worker:x:999:999::/home/worker:/bin/sh\n"),
        ("RUN adduser --system --uid 104 worker", "worker:x:104:65534::/:/usr/sbin/nologin\n"),
        ("RUN echo worker:x:77:77::/: >> /etc/passwd", "worker:x:77:77::/:\n"),
    ],
)
def test_accounts_of_any_number_that_the_author_made_are_kept(
    service: Service, step: str, row: str
) -> None:
    passwd = str(SLIM["etc/passwd"]) + row
    final = service.plan({"main.py": MAIN}, ((step, {"etc/passwd": passwd}),)).final
    assert "/etc/passwd" in final
    assert final.index("/etc/passwd") < final.index("useradd --uid")


def test_a_group_without_a_user_is_kept(service: Service) -> None:
    steps = (
        ("RUN groupadd -g 1600 shared", {"etc/group": f"{SLIM['etc/group']}shared:x:1600:\n"}),
    )
    assert "/etc/group" in service.plan({"main.py": MAIN}, steps).final


def test_accounts_that_packages_made_for_themselves_stay_behind(service: Service) -> None:
    passwd = f"{SLIM['etc/passwd']}messagebus:x:101:101::/:/usr/sbin/nologin\n"
    steps = (("RUN apt-get install -y dbus", {"etc/passwd": passwd}),)
    assert "/etc/passwd" not in service.plan({"main.py": MAIN}, steps).final


def said(items: tuple[Item, ...]) -> str:
    return "; ".join(map(str, items))


@pytest.mark.parametrize(
    ("source", "lost"),
    [
        ("return send_file(path)\n", "etc/mime.types"),
        ("ZoneInfo('Asia/' + city)\n", "usr/share/zoneinfo/Asia"),
        ("import curses\n", "usr/share/terminfo"),
        ("import weasyprint\n", "usr/share/fonts"),
        ("os.environ['ICU_DATA'] = '/usr/share/icu/72.1'\n", "usr/share/icu"),
    ],
)
def test_the_proof_misses_what_sources_look_up(service: Service, source: str, lost: str) -> None:
    same = check_tables(*service.sides({"main.py": source}))
    assert same.verdict == "passed"
    less = check_tables(*service.sides({"main.py": source}, lost=(lost,)))
    assert less.verdict == "failed"
    assert lost in said(less.items)
    assert check_tables(*service.sides({"main.py": MAIN}, lost=(lost,))).verdict == "passed"


def test_half_a_locale_is_none(service: Service) -> None:
    half = check_tables(*service.sides({"main.py": MAIN}, lost=("usr/lib/locale/C.utf8/LC_TIME",)))
    assert "LC_TIME is left out" in said(half.items)
    none = check_tables(*service.sides({"main.py": MAIN}, lost=("usr/lib/locale",)))
    assert none.verdict == "passed"


ROOT = {"etc/passwd": "root:x:0:0::/root:/bin/sh\n", "etc/group": "root:x:0:\n"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("main.py", "shutil.chown(path, group='mail')\n"),
        ("app.ini", "[daemon]\nrun_as = mail\n"),
        ("conf.json", '{"user": "mail"}\n'),
        ("conf.yaml", "owner: mail\n"),
    ],
)
def test_the_proof_misses_accounts_that_the_application_names(
    service: Service, name: str, text: str
) -> None:
    files = {"main.py": MAIN, name: text}
    assert check_accounts(*service.sides(files)).verdict == "passed"
    lost = check_accounts(*service.sides(files, now=ROOT))
    assert "has no mail any more" in said(lost.items)


def test_an_account_that_only_the_base_has_is_not_missed(service: Service) -> None:
    files: dict[str, File | str] = {"main.py": "send('mail')\n", "conf.json": '{"to": "mail"}\n'}
    assert check_accounts(*service.sides(files, now=ROOT)).verdict == "passed"


def test_a_table_that_the_application_brings_is_not_missed(service: Service) -> None:
    zones = ("usr/share/zoneinfo",)
    own: dict[str, File | str] = {"main.go": 'import _ "time/tzdata"\ntime.LoadLocation(name)\n'}
    other: dict[str, File | str] = {"main.go": "time.LoadLocation(name)\n"}
    assert check_tables(*service.sides(own, lost=zones)).verdict == "passed"
    assert check_tables(*service.sides(other, lost=zones)).verdict == "failed"
    site = "usr/local/lib/python3.11/site-packages/tzdata"
    steps = (
        (
            "RUN pip install tzdata",
            {
                f"{site}/__init__.py": "",
                f"{site}-2024.1.dist-info/METADATA": "Name: tzdata\nVersion: 2024.1\n",
                f"{site}-2024.1.dist-info/RECORD": "tzdata/__init__.py,,\n",
            },
        ),
    )
    python: dict[str, File | str] = {"main.py": "ZoneInfo(name)\n"}
    assert check_tables(*service.sides(python, steps, lost=zones)).verdict == "passed"
    assert check_tables(*service.sides(python, lost=zones)).verdict == "failed"


def test_a_library_in_a_program_is_kept_its_table_and_refutes_nothing(service: Service) -> None:
    """Every Go program with an HTTP server names /etc/mime.types; most never come there."""
    program = elf("libc.so.6")
    data = program.data if isinstance(program.data, bytes) else b""
    files: dict[str, File | str] = {"serve": File(data + b"\0/etc/mime.types\0", 0o755)}
    final = service.plan(files, Cmd=["/app/serve"]).final
    assert "/etc/mime.types" in final
    sides = service.sides(files, lost=("etc/mime.types",), Cmd=["/app/serve"])
    assert check_tables(*sides).verdict == "passed"
