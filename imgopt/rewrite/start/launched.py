"""What a launcher starts, read from its words and the project's manifests, one reader for each kind
of launcher.

Sources: `go help run`; the Cargo book, "cargo run"; the Spring Boot Maven plugin's reference,
"Running your Application".
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from imgopt.rewrite.strategy import ContextFiles


@dataclass(frozen=True, slots=True)
class Launched:
    """The words that start the program itself, and the shell command that builds it; or why this is
    not known."""

    words: tuple[str, ...] = ()
    build: str = ""
    refused: str = ""


_SAFE = re.compile(r"[\w./:=@,+%-]+\Z")
_GO_FLAGS = ("-mod=", "-tags=", "-v")
_GO_SELF = re.compile(r"\bos\.Executable\(")


def go_run(
    words: tuple[str, ...], rest: tuple[str, ...], context: ContextFiles, folder: str
) -> Launched:
    """`go run [flags] package|files [arguments]`."""
    if any(not _SAFE.match(word) for word in rest):
        return Launched(refused="its words need a shell")
    flags = [word for word in rest if word.startswith("-")][: _leading_flags(rest)]
    strange = next((flag for flag in flags if not flag.startswith(_GO_FLAGS)), None)
    if strange is not None:
        return Launched(refused=f"`{strange}` is not understood")
    after = rest[len(flags) :]
    files = _leading(after, ".go")
    packages = files or list(after[:1])
    if not packages:
        return Launched(refused="it names no package")
    used = _found_in(context, folder, ".go", _GO_SELF)
    if used:
        return Launched(refused=f"{used} asks for the path of its own program")
    module = re.search(
        r"^module\s+\"?([\w./~-]+)", context.text(_in(folder, "go.mod")), re.MULTILINE
    )
    if module is None:
        return Launched(refused="there is no go.mod in the working directory")
    program = f"/usr/local/bin/{posixpath.basename(re.sub(r'/v[0-9]+$', '', module[1]))}"
    build = " ".join([*words[:1], "build", *flags, "-o", program, *packages])
    return Launched((program, *after[len(packages) :]), build)


def _leading_flags(words: tuple[str, ...]) -> int:
    return next((index for index, word in enumerate(words) if not word.startswith("-")), len(words))


def _leading(words: tuple[str, ...], ending: str) -> list[str]:
    return list(
        words[: next((i for i, word in enumerate(words) if not word.endswith(ending)), len(words))]
    )


_CARGO_FLAGS = frozenset(
    ["--release", "--locked", "-q", "--quiet", "-v", "--verbose", "-r", "--all-features"]
)
_CARGO_VALUES = frozenset(["--bin", "--features", "-F", "-p", "--package", "--profile"])
_CARGO_SELF = re.compile(r"\bvar(?:_os)?\(\s*\"CARGO_|\bcurrent_exe\(")


def cargo_run(
    words: tuple[str, ...], rest: tuple[str, ...], context: ContextFiles, folder: str
) -> Launched:
    """`cargo run [flags] [-- arguments]`; what is not a flag is an argument of the program."""
    if any(not _SAFE.match(word) for word in rest):
        return Launched(refused="its words need a shell")
    flags, arguments, refused = _cargo_words(rest)
    used = _found_in(context, folder, ".rs", _CARGO_SELF)
    if used:
        refused = refused or f"{used} reads what only cargo sets, or the path of its own program"
    if any("/.cargo/" in "/" + path for path in context.sizes):
        refused = refused or ".cargo/config may say where the program is"
    program, why = _cargo_program(flags, context, folder)
    if refused or why:
        return Launched(refused=refused or why)
    profile = (
        "release" if {"--release", "-r"} & set(flags) else _value(flags, "--profile") or "debug"
    )
    profile = {"dev": "debug"}.get(profile, profile)
    return Launched(
        (f"./target/{profile}/{program}", *arguments), " ".join([words[0], "build", *flags])
    )


def _cargo_words(rest: tuple[str, ...]) -> tuple[list[str], tuple[str, ...], str]:
    """Flags of cargo, arguments of the program, and a flag that is not understood."""
    flags: list[str] = []
    index = 0
    while index < len(rest) and rest[index].startswith("-") and rest[index] != "--":
        word = rest[index]
        if word in _CARGO_VALUES and index + 1 < len(rest):
            flags += [word, rest[index + 1]]
            index += 1
        elif word in _CARGO_FLAGS or word.partition("=")[0] in _CARGO_VALUES:
            flags.append(word)
        else:
            return flags, (), f"`{word}` is not understood"
        index += 1
    return flags, rest[index + (rest[index : index + 1] == ("--",)) :], ""


def _value(flags: list[str], *names: str) -> str:
    """The value of an option, in either spelling."""
    for index, word in enumerate(flags):
        name, sign, value = word.partition("=")
        if name in names:
            return value if sign else flags[index + 1] if index + 1 < len(flags) else ""
    return ""


def _cargo_program(flags: list[str], context: ContextFiles, folder: str) -> tuple[str, str]:
    named = _value(flags, "--bin")
    if named:
        return named, ""
    if _value(flags, "-p", "--package"):
        return "", "which program of that package is started is not known"
    try:
        manifest: dict[str, Any] = tomllib.loads(context.text(_in(folder, "Cargo.toml")))
    except tomllib.TOMLDecodeError:
        return "", "Cargo.toml cannot be read"
    package, bins = manifest.get("package"), manifest.get("bin", [])
    if not isinstance(package, dict):
        return "", "Cargo.toml names no package"
    if isinstance(package.get("default-run"), str):
        return package["default-run"], ""
    names = {str(item.get("name", "")) for item in bins}
    if not bins and _in(folder, "src/main.rs") in context.sizes:
        names.add(str(package.get("name", "")))
    head = _in(folder, "src/bin/")
    names |= {
        path[len(head) :].partition(".")[0] for path in context.sizes if path.startswith(head)
    }
    return (names.pop(), "") if len(names) == 1 else ("", "the package has several programs")


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
    pom = context.text(_in(folder, "pom.xml"))
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
    head = _in(folder, "src/main/java/")
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


def _found_in(context: ContextFiles, folder: str, ending: str, pattern: re.Pattern[str]) -> str:
    """The first source file of the project with this pattern."""
    below = f"{folder}/" if folder else ""
    own = (
        path for path in sorted(context.sizes) if path.startswith(below) and path.endswith(ending)
    )
    return next(
        (path for path in own if "vendor/" not in path and pattern.search(context.text(path))), ""
    )


def _in(folder: str, name: str) -> str:
    return posixpath.join(folder, name) if folder else name
