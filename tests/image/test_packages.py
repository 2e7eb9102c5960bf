"""Every ecosystem from crafted trees: names, versions, owners, and bytes that sum to the live
ones."""

from __future__ import annotations

import io
import json
import lzma
import sqlite3
import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from imgopt.image import Packages, find_packages, ledger, open_image
from imgopt.image.memory import Memory
from imgopt.image.packages.dpkg import read_relation

from .crafting import Item, d, docker_archive, f, hard, sym, tar


def found(tmp_path: Path, *items: Item) -> Packages:
    """The packages of a one-layer image; their bytes always sum to the live ones."""
    image = open_image(
        str(docker_archive(tmp_path / "image.tar", [tar(*items)])), memory=Memory(None)
    )
    packages = find_packages(image.tree())
    owned = sum(package.bytes for package in packages if package.inside is None)
    assert owned + packages.unowned_bytes == ledger(image).live
    return packages


def brief(packages: Packages) -> list[tuple[str, str, int]]:
    return [(package.name, package.version, package.bytes) for package in packages]


def test_dpkg_with_links_diversions_and_bytecode(tmp_path: Path) -> None:
    status = (
        b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nVersion: 2.36-9\n"
        b"Depends: libgcc-s1 (>= 3)\n"
        b"Provides: libc6-2.36 (= 2.36)\nDescription: C library\n continued\n .\n more\n\n"
        b"Package: tool\nStatus: install ok installed\nVersion: 1:1.0\nPre-Depends: libc6\n"
        b"Depends: a | b:any, c [amd64]\n\n"
        b"Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n"
    )
    packages = found(
        tmp_path,
        d("usr/lib"), sym("lib", "usr/lib"), f("usr/lib/libc.so.6", 1000), f("usr/bin/x.distrib", 50),
        f("usr/bin/x", 70),
        f("usr/lib/python3/m.py", 10), f("usr/lib/python3/__pycache__/m.cpython-311.pyc", 20),
        f("var/lib/dpkg/status", status), f("other", 5),
        f("var/lib/dpkg/info/libc6:amd64.list", b"/.\n/lib\n/lib/libc.so.6\n/usr/bin/x\n"),
        f("var/lib/dpkg/info/tool.list", b"/.\n/usr/bin/x\n/usr/lib/python3/m.py\n"),
        f("var/lib/dpkg/diversions", b"/usr/bin/x\n/usr/bin/x.distrib\ntool\n"),
        f("var/lib/apt/extended_states", b"Package: libc6\nAuto-Installed: 1\n"),
    )  # fmt: skip
    assert [(package.name, package.version, package.auto) for package in packages] == [
        ("libc6", "2.36-9", True), ("tool", "1:1.0", False),
    ]  # fmt: skip
    libc, tool = packages.packages
    assert libc.files == (
        "/usr/bin/x.distrib",
        "/usr/lib/libc.so.6",
        "/var/lib/dpkg/info/libc6:amd64.list",
    )
    assert (
        "/usr/lib/python3/__pycache__/m.cpython-311.pyc" in tool.files
        and "/usr/bin/x" in tool.files
    )
    assert libc.provides == ("libc6-2.36",) and tool.depends == (("libc6",), ("a", "b"), ("c",))
    owner = packages.owner("/usr/lib/libc.so.6")
    assert owner is libc and packages.owner("/other") is None


def test_dpkg_of_images_without_a_package_manager(tmp_path: Path) -> None:
    packages = found(
        tmp_path,
        f("var/lib/dpkg/status.d/base", b"Package: base-files\nVersion: 12\nArchitecture: amd64\n"),
        f(
            "var/lib/dpkg/status.d/base.md5sums",
            b"d41d8cd98f00b204e9800998ecf8427e  etc/debian_version\n",
        ),
        f("etc/debian_version", 40),
    )
    assert [(package.name, package.version) for package in packages] == [("base-files", "12")]
    assert packages.packages[0].files[0] == "/etc/debian_version"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("libc6 (>= 2.34), libssl3 (= 3.0.1-1)", (("libc6",), ("libssl3",))),
        ("default-mta | mail-transport-agent", (("default-mta", "mail-transport-agent"),)),
        (
            "python3:any (>= 3.5~), libx [linux-any], liby <!nocheck>",
            (("python3",), ("libx",), ("liby",)),
        ),
    ],
)
def test_relations_are_names(text: str, expected: tuple[tuple[str, ...], ...]) -> None:
    assert read_relation(text) == expected


def test_apk(tmp_path: Path) -> None:
    database = (
        b"C:Q1x=\nP:musl\nV:1.2.4-r2\nA:x86_64\nD:so:libc.musl-x86_64.so.1 !busybox\np:so:libc=1\nF:lib\n"
        b"R:ld-musl.so.1\nF:\n"
        b"R:init\n\nP:busybox\nV:1.36-r5\nA:x86_64\nF:bin\nR:busybox\nZ:Q1y=\n\n"
    )
    packages = found(
        tmp_path,
        f("lib/apk/db/installed", database), f("lib/ld-musl.so.1", 600), f("init", 3), f("bin/busybox", 800),
        f("etc/apk/world", b"busybox>1\n"),
    )  # fmt: skip
    assert brief(packages) == [("musl", "1.2.4-r2", 603), ("busybox", "1.36-r5", 800)]
    musl, busybox = packages.packages
    assert (musl.auto, busybox.auto) == (True, False)
    assert musl.depends == (("so:libc.musl-x86_64.so.1",),) and musl.provides == ("so:libc",)


def rpm_header(name: str, version: str, files: dict[str, list[str]]) -> bytes:
    """Directories and base names as rpm keeps them."""
    directories = list(files)
    names = [
        (base, number) for number, directory in enumerate(directories) for base in files[directory]
    ]
    values: list[tuple[int, int, int, bytes]] = [
        (1000, 6, 1, name.encode() + b"\0"), (1001, 6, 1, version.encode() + b"\0"), (1002, 6, 1, b"3.el9\0"),
        (1003, 4, 1, struct.pack(">I", 2)), (1022, 6, 1, b"x86_64\0"),
        (1116, 4, len(names), b"".join(struct.pack(">I", number) for _, number in names)),
        (1117, 8, len(names), b"".join(base.encode() + b"\0" for base, _ in names)),
        (1118, 8, len(directories), b"".join(each.encode() + b"\0" for each in directories)),
    ]  # fmt: skip
    index, data = b"", b""
    for tag, kind, count, value in values:
        data += bytes(-len(data) % 4)
        index += struct.pack(">IIII", tag, kind, len(data), count)
        data += value
    return struct.pack(">II", len(values), len(data)) + index + data


def sqlite_database(path: Path, blobs: list[bytes]) -> bytes:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB NOT NULL)")
        connection.executemany(
            "INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs]
        )
    connection.close()
    return path.read_bytes()


def ndb_database(blobs: list[bytes]) -> bytes:
    """rpm's own format: a page of slots, then blobs in blocks of 16 bytes."""
    slots, body = b"", b""
    for number, blob in enumerate(blobs, 1):
        block = 256 + len(body) // 16
        head = b"BlbS" + struct.pack("<III", number, 0, len(blob))
        entry = head + blob
        entry += bytes(-len(entry) % 16)
        slots += b"Slot" + struct.pack("<III", number, block, len(entry) // 16)
        body += entry
    first = b"RpmP" + struct.pack("<IIIIIII", 0, 1, 1, 1, 0, 0, 0)
    return (first + slots).ljust(4096, b"\0") + body


@pytest.mark.parametrize("backend", ["sqlite", "ndb"])
def test_rpm(backend: str, tmp_path: Path) -> None:
    blobs = [
        rpm_header("bash", "5.1.8", {"/usr/bin/": ["bash", "sh"]}),
        rpm_header("filesystem", "3.16", {"/": ["dir"]}),
    ]
    if backend == "sqlite":
        place, data = "var/lib/rpm/rpmdb.sqlite", sqlite_database(tmp_path / "db", blobs)
    else:
        place, data = "usr/lib/sysimage/rpm/Packages.db", ndb_database(blobs)
    packages = found(tmp_path, f(place, data), f("usr/bin/bash", 900), sym("usr/bin/sh", "bash"))
    assert brief(packages) == [("bash", "2:5.1.8-3.el9", 900), ("filesystem", "2:3.16-3.el9", 0)]


def test_rpm_as_rpm_itself_writes_it(tmp_path: Path) -> None:
    """data/rpmdb.sqlite.xz: rpm 4.18 installed two packages of a few files, one with an epoch and a
    requirement."""
    data = lzma.decompress((Path(__file__).parent / "data" / "rpmdb.sqlite.xz").read_bytes())
    sizes = {"alpha/file.txt": 12, "alpha/sub/zéro.bin": 5000, "beta/file.txt": 11}
    files = [f(f"usr/share/{path}", size) for path, size in sizes.items()]
    packages = found(tmp_path, f("var/lib/rpm/rpmdb.sqlite", data), *files)
    assert brief(packages) == [("alpha", "1.1-3", 5012), ("beta", "2:1.2-3", 11)]
    assert (
        packages.packages[1].depends == (("alpha",),)
        and packages.packages[1].architecture == "noarch"
    )


def test_rpm_with_a_log_that_is_not_yet_in_the_database(tmp_path: Path) -> None:
    """As a build leaves it that was cut off, or copied while rpm ran."""
    path = tmp_path / "db"
    sqlite_database(path, [rpm_header("bash", "5.1.8", {"/usr/bin/": ["bash"]})])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode=WAL")
    blob = rpm_header("curl", "8.0", {"/usr/bin/": ["curl"]})
    connection.execute("INSERT INTO Packages (blob) VALUES (?)", (blob,))
    connection.commit()
    database, log = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    connection.close()
    for logged, names in (
        ([], ["bash"]),
        ([f("var/lib/rpm/rpmdb.sqlite-wal", log)], ["bash", "curl"]),
    ):
        packages = found(tmp_path, f("var/lib/rpm/rpmdb.sqlite", database), *logged)
        assert [package.name for package in packages] == names


def test_a_damaged_rpm_database_names_nothing(tmp_path: Path) -> None:
    assert (
        len(found(tmp_path, f("var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0" + b"x" * 5000))) == 0
    )
    assert len(found(tmp_path, f("var/lib/rpm/Packages.db", b"RpmP" + b"\xff" * 5000))) == 0


UNREAD: dict[str, tuple[Item, str]] = {
    "RPM in Berkeley DB": (f("var/lib/rpm/Packages", 4096), "Berkeley DB"),
    "RPM in Berkeley DB, moved": (f("usr/lib/sysimage/rpm/Packages", 4096), "Berkeley DB"),
    "RPM's own format, cut off": (f("var/lib/rpm/Packages.db", b"RpmP" + b"\xff" * 60), "ndb"),
    "SQLite, damaged": (f("var/lib/rpm/rpmdb.sqlite", b"SQLite format 3\0" + b"x" * 99), "SQLite"),
    "dpkg, damaged": (f("var/lib/dpkg/status", b"\0\0\1 nothing"), "dpkg"),
    "apk, of a later format": (f("lib/apk/db/installed", b"ADBd.pckg\0"), "apk"),
    "pacman": (f("var/lib/pacman/local/bash-5.2-1/desc", b"%NAME%\nbash\n"), "Arch Linux"),
    "Portage": (f("var/db/pkg/app-shells/bash-5.2/PF", b"bash-5.2"), "Gentoo"),
    "opkg": (f("usr/lib/opkg/status", b"\x1f\x8b compressed"), "opkg"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_a_database_that_cannot_be_read_is_said(name: str, tmp_path: Path) -> None:
    item, what = UNREAD[name]
    packages = found(tmp_path, item)
    assert len(packages) == 0
    (unread,) = packages.unread
    assert f"/{item[0].name}".startswith(unread.path)
    assert what in unread.text


def test_databases_that_are_empty_or_left_behind_are_not_said(tmp_path: Path) -> None:
    database = sqlite_database(tmp_path / "one", [rpm_header("bash", "5", {"/usr/bin/": ["sh"]})])
    empty = sqlite_database(tmp_path / "none", [])
    removed = b"Package: x\nStatus: deinstall ok config-files\nVersion: 1\n"
    for items in (
        [f("var/lib/rpm/rpmdb.sqlite", database), f("var/lib/rpm/Packages", 4096)],
        [f("var/lib/rpm/rpmdb.sqlite", empty)],
        [f("var/lib/rpm/Packages.db", ndb_database([]))],
        [f("var/lib/dpkg/status", removed)],
        [f("var/lib/dpkg/status", b"")],
        [d("var/lib/pacman/local")],
    ):
        assert found(tmp_path, *items).unread == ()


def test_python_records_scripts_eggs_and_installed_files(tmp_path: Path) -> None:
    site = "usr/local/lib/python3.11/site-packages"
    record = b'flask/__init__.py,sha256=x,100\r\n../../../bin/flask,,30\nFlask-3.0.dist-info/METADATA,,\n"a,b.py",,\n'
    packages = found(
        tmp_path,
        d(f"{site}/Flask-3.0.dist-info"), f(f"{site}/Flask-3.0.dist-info/RECORD", record),
        f(f"{site}/Flask-3.0.dist-info/METADATA", b"Name: Flask\nVersion: 3.0\nRequires-Dist: Werkzeug (>=3)\n"
          b"Requires-Dist: asgiref ; extra == 'async'\n\nName: not a header\n"),
        f(f"{site}/flask/__init__.py", 100), f(f"{site}/flask/__pycache__/__init__.cpython-311.pyc", 60),
        f("usr/local/bin/flask", 30), f(f"{site}/a,b.py", 7),
        d(f"{site}/old.egg-info"), f(f"{site}/old.egg-info/PKG-INFO", b"Name: old\nVersion: 1\n"),
        f(f"{site}/old.egg-info/installed-files.txt", b"../old.py\nPKG-INFO\n"), f(f"{site}/old.py", 11),
        d(f"{site}/top-2.egg-info"), f(f"{site}/top-2.egg-info/PKG-INFO", b"Name: top\nVersion: 2\n"),
        f(f"{site}/top-2.egg-info/top_level.txt", b"top\n../../etc\n"), f(f"{site}/top/x.py", 13),
        f("usr/lib/python3/dist-packages/deb-1.egg-info", b"Name: deb\nVersion: 1\n"),
    )  # fmt: skip
    by_name = {package.name: package for package in packages}
    assert sorted(by_name) == ["Flask", "deb", "old", "top"]
    assert by_name["Flask"].depends == (("werkzeug",),)
    for path in (
        "/usr/local/bin/flask",
        f"/{site}/a,b.py",
        f"/{site}/flask/__pycache__/__init__.cpython-311.pyc",
    ):
        assert packages.owner(path) is by_name["Flask"], path
    assert (
        packages.owner(f"/{site}/old.py") is by_name["old"]
        and packages.owner(f"/{site}/top/x.py") is by_name["top"]
    )


def test_a_system_package_owns_before_a_language_package(tmp_path: Path) -> None:
    site = "usr/lib/python3/dist-packages"
    packages = found(
        tmp_path,
        f("var/lib/dpkg/status", b"Package: python3-six\nStatus: install ok installed\nVersion: 1\n"),
        f("var/lib/dpkg/info/python3-six.list", f"/{site}/six.py\n".encode()),
        f(f"{site}/six.py", 40), d(f"{site}/six-1.dist-info"), f(f"{site}/six-1.dist-info/RECORD", b"six.py,,\n"),
        f(f"{site}/six-1.dist-info/METADATA", b"Name: six\nVersion: 1\n"),
    )  # fmt: skip
    owner = packages.owner(f"/{site}/six.py")
    assert owner is not None and owner.ecosystem == "deb"
    assert packages.named("six", "python") is not None


def test_node_nested_scoped_linked_and_zipped(tmp_path: Path) -> None:
    app = "app/node_modules"
    store = f"{app}/.pnpm/lodash@4.17.21/node_modules/lodash"
    packages = found(
        tmp_path,
        f(f"{app}/express/package.json", b'{"name": "express", "version": "4.18.2", "dependencies": {"qs": "6"}}'),
        f(f"{app}/express/index.js", 100),
        f(f"{app}/express/node_modules/qs/package.json", b'{"name":"qs","version":"6.1"}'),
        f(f"{app}/express/node_modules/qs/i.js", 40),
        f(f"{app}/@types/node/package.json", b'{"name":"@types/node","version":"1"}'),
        f(f"{store}/package.json", b'{"name":"lodash","version":"4.17.21"}'), f(f"{store}/l.js", 70),
        sym(f"{app}/lodash", ".pnpm/lodash@4.17.21/node_modules/lodash"),
        f(f"{app}/broken/package.json", b"{"), f("app/package.json", b'{"name":"app"}'),
        f("app/.yarn/cache/left-pad-npm-1.3.0-46f1a4d4f6-10.zip", 55),
    )  # fmt: skip
    versions = {package.name: package.version for package in packages}
    assert versions == {
        "express": "4.18.2",
        "qs": "6.1",
        "@types/node": "1",
        "lodash": "4.17.21",
        "broken": "",
        "left-pad": "1.3.0",
    }
    qs = packages.owner(f"/{app}/express/node_modules/qs/i.js")
    assert qs is not None and qs.name == "qs"


def jar(members: dict[str, bytes], stored: bool = False) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(
        out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
    ) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return out.getvalue()


def test_java_archives_in_archives(tmp_path: Path) -> None:
    pom = b"#c\nversion=2.15\ngroupId=com.fasterxml\nartifactId=jackson\n"
    inner = jar({"META-INF/maven/com.fasterxml/jackson/pom.properties": pom, "A.class": b"x" * 900})
    plain = jar({"META-INF/MANIFEST.MF": b"Implementation-Version: 7\n", "B.class": b"y"})
    app = jar(
        {"BOOT-INF/lib/jackson-2.15.jar": inner, "BOOT-INF/lib/plain.jar": plain, "C.class": b"z"},
        stored=True,
    )
    packages = found(
        tmp_path, f("app/app-1.0.jar", app), f("lib/broken-3.1.jar", b"PK\3\4" + b"x" * 50)
    )
    rows = [(package.name, package.version, package.bytes, package.inside) for package in packages]
    assert rows == [
        ("app", "1.0", len(app), None),
        ("broken", "3.1", 54, None),
        ("com.fasterxml:jackson", "2.15", len(inner), "app"),
        ("plain", "7", len(plain), "app"),
    ]


def elf(sections: dict[str, bytes]) -> bytes:
    """An ELF file with nothing but named sections."""
    names = b"\0" + b"".join(name.encode() + b"\0" for name in sections) + b".shstrtab\0"
    body, rows, position = b"", [bytes(64)], 64
    for name, contents in {**sections, ".shstrtab": names}.items():
        rows.append(
            struct.pack(
                "<IIQQQQIIQQ",
                names.index(name.encode() + b"\0"),
                1,
                0,
                0,
                position,
                len(contents),
                0,
                0,
                1,
                0,
            )
        )
        body += contents
        position += len(contents)
    head = b"\x7fELF\2\1\1" + bytes(9)
    head += struct.pack(
        "<HHIQQQIHHHHHH", 2, 62, 1, 0, 0, position, 0, 64, 56, 0, 64, len(rows), len(rows) - 1
    )
    return head + body + b"".join(rows)


def test_go_modules_and_rust_crates_in_programs(tmp_path: Path) -> None:
    info = (
        b"path\texample.org/app\nmod\texample.org/app\tv1.2.0\t\n"
        b"dep\tgolang.org/x/text\tv0.3.0\th1:x=\n=>\tfork/text\tv0.4.0\t\n"
    )
    text = b"\x30\x77" * 8 + info + b"\xf9\x32" * 8
    go = (
        b"\xff Go buildinf:\x08\x02"
        + bytes(16)
        + bytes([8])
        + b"go1.22.1"
        + varint(len(text))
        + text
    )
    audit = {
        "packages": [
            {"name": "srv", "version": "0.1.0", "root": True},
            {"name": "tokio", "version": "1.36.0"},
        ]
    }
    rust = zlib.compress(json.dumps(audit).encode())
    filler = bytes(300_000)
    packages = found(
        tmp_path,
        f("bin/app", elf({".go.buildinfo": go, ".text": filler}), mode=0o755),
        f("bin/srv", elf({".dep-v0": rust, ".text": filler}), mode=0o755),
        f("bin/plain", elf({".text": filler}), mode=0o755),
        f("bin/script", b"#!" + filler, mode=0o755),
    )
    rows = [
        (package.ecosystem, package.name, package.version, package.inside) for package in packages
    ]
    assert rows == [
        ("go", "example.org/app", "v1.2.0", None), ("rust", "srv", "0.1.0", None),
        ("go", "std", "1.22.1", "example.org/app"), ("go", "fork/text", "v0.4.0", "example.org/app"),
        ("rust", "tokio", "1.36.0", "srv"),
    ]  # fmt: skip


def varint(number: int) -> bytes:
    out = b""
    while number >= 0x80:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def test_conda_and_gems(tmp_path: Path) -> None:
    record = json.dumps(
        {"name": "numpy", "version": "1.26", "files": ["lib/numpy.so"], "depends": ["python >=3.9"]}
    ).encode()
    packages = found(
        tmp_path,
        f("opt/conda/conda-meta/numpy-1.26-0.json", record), f("opt/conda/lib/numpy.so", 500),
        f("opt/conda/conda-meta/history", 9),
        f("usr/lib/ruby/gems/3.1.0/specifications/rack-3.0.8.gemspec", 20),
        f("usr/lib/ruby/gems/3.1.0/gems/rack-3.0.8/r.rb", 80),
        f("usr/lib/ruby/gems/3.1.0/specifications/nokogiri-1.16.0-x86_64-linux.gemspec", 6),
    )  # fmt: skip
    assert brief(packages) == [
        ("numpy", "1.26", 500 + len(record)),
        ("nokogiri", "1.16.0", 6),
        ("rack", "3.0.8", 100),
    ]


def test_runtimes_without_a_package(tmp_path: Path) -> None:
    home = "opt/java/openjdk"
    packages = found(
        tmp_path,
        f(f"{home}/release", b'JAVA_VERSION="17.0.9"\n'), f(f"{home}/bin/java", 10), f(f"{home}/bin/javac", 20),
        f(f"{home}/jmods/x.jmod", 300), f("usr/local/go/VERSION", b"go1.22.2\ntime x\n"), f("usr/local/go/bin/go", 90),
        f("usr/local/bin/python3.12", 5), f("usr/local/lib/python3.12/os.py", 6), f("etc/release", b"no"),
    )  # fmt: skip
    assert [(package.name, package.version, package.ecosystem) for package in packages] == [
        ("jdk", "17.0.9", "runtime"), ("go", "1.22.2", "runtime"), ("python", "3.12", "runtime"),
    ]  # fmt: skip


def test_a_hard_linked_file_has_one_owner(tmp_path: Path) -> None:
    packages = found(
        tmp_path,
        f("var/lib/dpkg/status", b"Package: perl\nStatus: install ok installed\nVersion: 1\n"),
        f("var/lib/dpkg/info/perl.list", b"/usr/bin/perl\n"),
        f("a/first", 1000), hard("usr/bin/perl", "a/first"),
    )  # fmt: skip
    assert packages.packages[0].bytes == 1000 + 14
