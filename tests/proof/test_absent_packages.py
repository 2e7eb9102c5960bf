"""Which packages a rewrite may leave out by the proof's own facts, and that the lists of build
tools agree."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import msgspec
import pytest
from recipes import File, Recipe

from imgopt.context.ecosystems import Ecosystem, builtin_ecosystems
from imgopt.context.facts.runs import SystemPackages
from imgopt.image.packages import Package
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.packages.build_tools import is_build_tool
from imgopt.proof.absent_packages import is_system_build_tool, language_tools
from imgopt.proof.checks.system_packages import is_development
from imgopt.proof.derive import derive

SYSTEMS = {each.name: each.system for each in builtin_ecosystems() if each.system is not None}
LANGUAGES = [
    each
    for each in builtin_ecosystems()
    if each.build_tools.packages or each.build_tools.installers
]

WHOLE = [
    "build-base",
    "g++-12",
    "golang-1.24",
    "linux-headers",
    "openjdk-21-jdk-headless",
    "python3-pip",
    "maven",
]
PARTS = [
    "build-",
    "base",
    "base-files",
    "tools",
    "scm",
    "golang-petname",
    "libgcc-s1",
    "python3",
    "openjdk-21-jre",
]


@pytest.mark.parametrize("name", WHOLE)
def test_a_name_with_a_hyphen_is_one_name(name: str) -> None:
    assert is_system_build_tool(name)
    assert is_build_tool(system_package(name))


@pytest.mark.parametrize("name", PARTS)
def test_the_halves_of_a_name_are_none(name: str) -> None:
    assert not is_system_build_tool(name)


def test_setuptools_scm_is_a_tool_and_scm_is_none() -> None:
    tools = language_tools(seen=True)
    assert ("python", "setuptools-scm") in tools
    assert ("python", "scm") not in tools


def test_no_fact_is_half_a_name() -> None:
    halves = [
        text
        for ecosystem in builtin_ecosystems()
        for fact in (ecosystem.system, ecosystem.build_tools, *ecosystem.may_be_absent)
        for text in _texts(msgspec.to_builtins(fact))
        if text != text.strip() or (text.endswith("-") and text.strip("-")) or "- " in text
    ]
    assert halves == []


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, list) and name not in ("paths", "generated", "below"):
                yield from each


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_what_a_rewrite_calls_a_build_tool_is_one_for_proof_and_analysis(
    system: SystemPackages,
) -> None:
    names = [glob.replace("[0-9]*", "12").replace("*", "x") for glob in system.build_tools]
    assert [
        each for each in names if not is_system_build_tool(each) and not is_development(each)
    ] == []
    assert [each for each in names if not is_build_tool(system_package(each))] == []


@pytest.mark.parametrize("ecosystem", LANGUAGES, ids=lambda ecosystem: ecosystem.name)
def test_each_installer_of_a_language_is_one_for_the_proof(ecosystem: Ecosystem) -> None:
    named = (*ecosystem.build_tools.packages, *ecosystem.build_tools.installers)
    assert {
        name for name in named if (ecosystem.name, name) not in language_tools(seen=True)
    } == set()


def system_package(name: str) -> Package:
    return Package("deb", name, "1.0", 1, (), 0, "/var/lib/dpkg/status")


def image(view_of: Callable[..., ImageView], files: dict[str, File | str]) -> ImageView:
    config = {"WorkingDir": "/app", "Cmd": ["node", "main.js"]}
    return view_of(Recipe((("ADD base", {"bin/sh": "x"}), ("RUN npm ci", files)), config), 1)


MODULES = "app/node_modules"
PACKAGES: dict[str, File | str] = {
    f"{MODULES}/{name}/package.json": json.dumps({"name": name, "version": "1.0.0"})
    for name in ("eslint", "build", "coverage", "pg")
}


def test_a_tool_of_one_language_is_none_of_another(view_of: Callable[..., ImageView]) -> None:
    view = image(view_of, {"app/main.js": "1", **PACKAGES})
    allowed = {each.name for each in derive(view, view, frozenset(["/app/main.js"])).packages}
    assert allowed == {"eslint"}


NOTES = {
    "wanted for development alone": ({"dev": True}, True),
    "wanted by an optional dependency as well": ({"devOptional": True}, False),
    "an optional dependency": ({"optional": True}, False),
    "said in another way": ({"dev": "yes"}, False),
}


@pytest.mark.parametrize(("about", "excused"), NOTES.values(), ids=NOTES)
def test_a_development_package_is_what_nothing_else_wants(
    about: dict[str, object], excused: bool, view_of: Callable[..., ImageView]
) -> None:
    note = {
        f"{MODULES}/.package-lock.json": json.dumps({"packages": {"node_modules/fsevents": about}})
    }
    view = image(view_of, {"app/main.js": "1", f"{MODULES}/fsevents/index.js": "1", **note})
    allowances = derive(view, view, frozenset(["/app/main.js"]))
    assert (
        allowances.drop_reason("/app/node_modules/fsevents/index.js", opened=False) is not None
    ) is excused
