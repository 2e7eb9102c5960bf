"""What `mvn spring-boot:run` starts. Source: the reference of Spring Boot's Maven plugin, "Running
your Application"."""

from __future__ import annotations

import posixpath
import re
from xml.etree import ElementTree

from imgopt.rewrite.language import Launched
from imgopt.rewrite.start.project_files import inside
from imgopt.rewrite.strategy import ContextFiles

_MAVEN_FLAGS = frozenset(
    ["-q", "-B", "--batch-mode", "-e", "-U", "-ntp", "--no-transfer-progress", "-DskipTests"]
)
_MAVEN_GOALS = frozenset(["clean", "compile", "package", "install", "verify", "spring-boot:run"])
_PROFILES = ("-Dspring-boot.run.profiles=", "-Drun.profiles=")
_MAIN = re.compile(
    r"SpringApplication\s*\.\s*run\s*\(|SpringApplicationBuilder\s*\(|\brunApplication<"
)
_QUIET_SETTINGS = frozenset(
    ["excludes", "mainClass", "image", "layers", "executable", "layout", "finalName", "fork"]
)
"""Settings of the plugin that do not change what `spring-boot:run` starts; `mainClass` is read."""
_NAMESPACE = re.compile(r"\{[^}]*\}")


def spring_boot_run(
    words: tuple[str, ...], rest: tuple[str, ...], context: ContextFiles, folder: str
) -> Launched:
    """The class path of `spring-boot:run`: the compiled classes as files, then the dependencies,
    tests aside. The archive would not do: what reads a resource as a file works here and fails
    there."""
    profiles = [word.partition("=")[2] for word in rest if word.startswith(_PROFILES)]
    known = [
        word
        for word in rest
        if word in _MAVEN_FLAGS or word in _MAVEN_GOALS or word.startswith(_PROFILES)
    ]
    strange = next((word for word in rest if word not in known), None)
    if strange is not None:
        return Launched(refused=f"`{strange}` is not understood")
    pom = context.text(inside(folder, "pom.xml"))
    refused = _pom_refusal(pom)
    main = "" if refused else _main_class(pom, context, folder)
    if refused or not main:
        return Launched(refused=refused or "which class is started is not known")
    flags = [word for word in rest if word.startswith("-") and word not in ("-DskipTests", "-U")]
    flags = [word for word in flags if not word.startswith(_PROFILES)]
    build = " ".join(
        [words[0], *flags, "compile", "dependency:copy-dependencies", "-DincludeScope=runtime"]
    )
    arguments = [f"--spring.profiles.active={names}" for names in profiles]
    return Launched(("java", "-cp", "target/classes:target/dependency/*", main, *arguments), build)


def _pom_refusal(pom: str) -> str:
    """What in the project's pom.xml makes the start something else than main class and class
    path."""
    if not pom or "<!DOCTYPE" in pom or "<!ENTITY" in pom:
        return "there is no pom.xml in the working directory" if not pom else "pom.xml has entities"
    try:
        root = ElementTree.fromstring(pom)
    except ElementTree.ParseError:
        return "pom.xml cannot be read"
    if _all(root, "module"):
        return "pom.xml has modules"
    given = [
        item
        for item in _all(root, "dependency")
        if {"provided", "system"} & set(_texts(item, "scope"))
    ]
    if any("lombok" not in _texts(item, "artifactId") for item in given):
        return (
            "pom.xml has a dependency that is provided: it belongs to this start, not to the"
            " run-time class path"
        )
    named = {_name(item) for build in _all(root, "build") for item in build}
    moved = next((name for name in ("directory", "outputDirectory") if name in named), None)
    if moved is not None:
        return f"<{moved}> in pom.xml moves what is built"
    for plugin in _all(root, "plugin"):
        if "spring-boot-maven-plugin" in _texts(plugin, "artifactId"):
            for settings in _all(plugin, "configuration"):
                strange = next(
                    (_name(item) for item in settings if _name(item) not in _QUIET_SETTINGS), None
                )
                if strange is not None:
                    return f"<{strange}> in pom.xml changes the start"
    return ""


def _main_class(pom: str, context: ContextFiles, folder: str) -> str:
    root = ElementTree.fromstring(pom)
    said = [text for name in ("start-class", "mainClass") for text in _texts(root, name)]
    if said:
        return said[0] if len(set(said)) == 1 and "$" not in said[0] else ""
    head = inside(folder, "src/main/java/")
    found = [
        path for path in sorted(context.sizes)
        if path.startswith(head) and path.endswith(".java") and _MAIN.search(context.text(path))
        and re.search(r"\bstatic\s+void\s+main\s*\(", context.text(path))
    ]  # fmt: skip
    if len(found) != 1:
        return ""
    package = re.search(r"^\s*package\s+([\w.]+)\s*;", context.text(found[0]), re.MULTILINE)
    name = posixpath.basename(found[0]).removesuffix(".java")
    return f"{package[1]}.{name}" if package else name


def _name(element: ElementTree.Element) -> str:
    return _NAMESPACE.sub("", element.tag)


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return [element for element in root.iter() if _name(element) == name]


def _texts(root: ElementTree.Element, name: str) -> list[str]:
    return [(element.text or "").strip() for element in _all(root, name)]
