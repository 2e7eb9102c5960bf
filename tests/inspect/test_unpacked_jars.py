"""A Spring Boot archive beside its libraries is the same application; anything else is not."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping

import pytest
from recipes import Recipe

from imgopt.image.bootjar import read_boot_jar
from imgopt.inspect.files.unpacked_jars import is_unpacked
from imgopt.inspect.image_view import ImageView

ONE, TWO = b"PK one", b"PK two"
BOOT = (
    "Manifest-Version: 1.0\r\nImplementation-Version: 1.0\r\n"
    "Main-Class: org.springframework.boot.loader.launch.JarLauncher\r\nStart-Class: a.App\r\n"
    "Spring-Boot-Version: 3.3.5\r\nSpring-Boot-Classpath-Index: BOOT-INF/classpath.idx\r\n"
    "Spring-Boot-Layers-Index: BOOT-INF/layers.idx\r\n\r\n"
)
LAYERS = (
    '- "dependencies":\n  - "BOOT-INF/lib/"\n- "snapshot-dependencies":\n- "application":\n'
    '  - "BOOT-INF/classes/"\n  - "BOOT-INF/lib/two-2.jar"\n'
)
WHOLE: dict[str, bytes | str] = {
    "META-INF/MANIFEST.MF": BOOT,
    "META-INF/services/java.nio.file.spi.FileSystemProvider": "org.springframework.boot.loader.X",
    "META-INF/maven/a/app/pom.properties": "version=1.0",
    "org/springframework/boot/loader/launch/JarLauncher.class": b"loader",
    "BOOT-INF/classes/a/App.class": b"code",
    "BOOT-INF/classes/rare.txt": "rare",
    "BOOT-INF/lib/one-1.jar": ONE,
    "BOOT-INF/lib/two-2.jar": TWO,
    "BOOT-INF/classpath.idx": '- "BOOT-INF/lib/one-1.jar"\n- "BOOT-INF/lib/two-2.jar"\n',
    "BOOT-INF/layers.idx": LAYERS,
}
THIN = (
    "Manifest-Version: 1.0\r\nImplementation-Version: 1.0\r\nMain-Class: a.App\r\nClass-Path: lib/one-1.j\r\n "
    "ar lib/two-2.jar\r\n\r\n"
)
APART: dict[str, bytes | str] = {
    "META-INF/MANIFEST.MF": THIN,
    "META-INF/maven/a/app/pom.properties": "version=1.0",
    "a/App.class": b"code",
    "rare.txt": "rare",
}


def jar(members: Mapping[str, bytes | str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def same(
    view_of: Callable[..., ImageView], apart: Mapping[str, bytes | str], **libraries: bytes
) -> bool:
    files = {
        "app/app.jar": jar(apart),
        "app/lib/one-1.jar": ONE,
        "app/lib/two-2.jar": TWO,
        **libraries,
    }
    before = view_of(Recipe((("RUN mvn", {"app/app.jar": jar(WHOLE)}),), {}), 0).file(
        "/app/app.jar"
    )
    candidate = view_of(Recipe((("COPY", files),), {}), 0)
    after = candidate.file("/app/app.jar")
    assert before is not None
    assert after is not None
    return is_unpacked(before, candidate, after)


def test_the_archive_beside_its_libraries_is_the_same(view_of: Callable[..., ImageView]) -> None:
    assert same(view_of, APART)


OTHERS: dict[str, dict[str, bytes | str | None]] = {
    "a resource is lost": {"rare.txt": None},
    "a class is another": {"a/App.class": b"other"},
    "a class more": {"a/More.class": b"more"},
    "another class is started": {"META-INF/MANIFEST.MF": THIN.replace("a.App", "a.Other")},
    "another version is said": {
        "META-INF/MANIFEST.MF": THIN.replace("n: 1.0\r\nMain", "n: 2.0\r\nMain")
    },
    "a library is not on the class path": {
        "META-INF/MANIFEST.MF": THIN.replace(" lib/two-2.jar", "")
    },
    "another order of libraries": {
        "META-INF/MANIFEST.MF": THIN.replace(
            "lib/one-1.j\r\n ar lib/two-2.jar", "lib/two-2.jar lib/one-1.jar"
        )
    },
}


@pytest.mark.parametrize("changed", OTHERS.values(), ids=OTHERS)
def test_anything_else_is_another_application(
    changed: dict[str, bytes | str | None], view_of: Callable[..., ImageView]
) -> None:
    members = {name: data for name, data in {**APART, **changed}.items() if data is not None}
    assert not same(view_of, members)


def test_a_library_with_other_bytes_is_another_application(
    view_of: Callable[..., ImageView],
) -> None:
    assert not same(view_of, APART, **{"app/lib/two-2.jar": b"PK other"})


def test_the_index_says_which_layers_take_libraries() -> None:
    found = read_boot_jar(io.BytesIO(jar(WHOLE)))
    assert found is not None
    assert found.version == (3, 3, 5)
    assert found.layers_with_libraries() == ("dependencies", "application")


def test_a_plain_archive_and_a_broken_one_are_none_of_spring_boot() -> None:
    assert (
        read_boot_jar(io.BytesIO(jar({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\n"}))) is None
    )
    assert read_boot_jar(io.BytesIO(jar(WHOLE)[:200])) is None
