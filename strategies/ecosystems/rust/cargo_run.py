"""What `cargo run` starts. Source: the Cargo book, "cargo run"."""

from __future__ import annotations

import re
import tomllib
from typing import Any

from imgopt.rewrite.language import Launched
from imgopt.rewrite.start.project_files import first_with, inside
from imgopt.rewrite.strategy import ContextFiles

_SAFE = re.compile(r"[\w./:=@,+%-]+\Z")
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
    used = first_with(context, folder, ".rs", _CARGO_SELF)
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
        manifest: dict[str, Any] = tomllib.loads(context.text(inside(folder, "Cargo.toml")))
    except tomllib.TOMLDecodeError:
        return "", "Cargo.toml cannot be read"
    package, bins = manifest.get("package"), manifest.get("bin", [])
    if not isinstance(package, dict):
        return "", "Cargo.toml names no package"
    if isinstance(package.get("default-run"), str):
        return package["default-run"], ""
    names = {str(item.get("name", "")) for item in bins}
    if not bins and inside(folder, "src/main.rs") in context.sizes:
        names.add(str(package.get("name", "")))
    head = inside(folder, "src/bin/")
    names |= {
        path[len(head) :].partition(".")[0] for path in context.sizes if path.startswith(head)
    }
    return (names.pop(), "") if len(names) == 1 else ("", "the package has several programs")
