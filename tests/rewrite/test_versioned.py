"""An archive that a build names by the project's version is copied by a pattern, so that the next
release is in the image too."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe

from imgopt.inspect.image_view import ImageView
from imgopt.rewrite.evidence import Evidence, SystemPackages
from imgopt.rewrite.final.final_stage import Copy
from imgopt.rewrite.final.versioned import version_patterns

HEAD = "FROM maven\nWORKDIR /app\nCOPY . /app\nRUN mvn package\n"
JAR = "/app/target/rates-1.2.0.jar"


@pytest.fixture
def rendered(view_of: Callable[..., ImageView]) -> Callable[..., str]:
    def make(
        *copied: str, text: str = HEAD, beside: tuple[str, ...] = (), brought: str = ""
    ) -> str:
        made = {path: "x" for path in (*copied, *beside) if path != brought}
        layers = (
            ("ADD rootfs", {"/bin/sh": ""}),
            ("COPY . /app", {"/app/pom.xml": "x", **({brought: "x"} if brought else {})}),
            ("RUN mvn package", made),
        )
        evidence = Evidence(view_of(Recipe(layers, {}), 1), SystemPackages())
        copy = Copy(copied, copied[0] if len(copied) == 1 else "/app/target/")
        return copy.render("builder", version_patterns(evidence, [copy], text))

    return make


def test_what_the_author_names_stays(rendered: Callable[..., str]) -> None:
    text = f"{HEAD}CMD java -jar target/rates-1.2.0.jar\n"
    assert rendered(JAR, text=text) == f"COPY --from=builder {JAR} {JAR}"


def test_one_of_two_that_the_pattern_fits_stays(rendered: Callable[..., str]) -> None:
    other = "/app/target/rates-1.2.0-sources.jar"
    assert rendered(JAR, beside=(other,)) == f"COPY --from=builder {JAR} {JAR}"


def test_what_comes_with_the_source_stays(rendered: Callable[..., str]) -> None:
    assert rendered(JAR, brought=JAR) == f"COPY --from=builder {JAR} {JAR}"


@pytest.mark.parametrize("name", ["app.jar", "table-1.2.csv", "1.2.0.jar", "log4j2.jar", "a-b.jar"])
def test_a_name_without_a_version_or_of_data_stays(rendered: Callable[..., str], name: str) -> None:
    path = f"/app/target/{name}"
    assert rendered(path) == f"COPY --from=builder {path} {path}"


@pytest.mark.parametrize(
    ("name", "pattern"),
    [
        ("rates-1.2.0.jar", "rates-*.jar"),
        ("rates-service-0.0.1-SNAPSHOT.jar", "rates-service-*.jar"),
        ("app-2.0.0-all.jar", "app-*-all.jar"),
        ("tool-1.0.tar.gz", "tool-*.tar.gz"),
        ("shop_web-v2.3.war", "shop_web-*.war"),
    ],
)
def test_another_version_fits_the_pattern(
    rendered: Callable[..., str], name: str, pattern: str
) -> None:
    path = f"/app/target/{name}"
    assert rendered(path) == f"COPY --from=builder /app/target/{pattern} /app/target/"


def test_beside_others_in_one_copy(rendered: Callable[..., str]) -> None:
    said = rendered(JAR, "/app/target/list.txt")
    assert said == "COPY --from=builder /app/target/rates-*.jar /app/target/list.txt /app/target/"
