"""Which base images may stand at run time in the place of one: names from ecosystem facts, never
from code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from imgopt.context.ecosystems import Ecosystem
from imgopt.context.facts.runs import Base

SUITES = {
    "buster": "10",
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "forky": "14",
    "focal": "20.04",
    "jammy": "22.04",
    "noble": "24.04",
}
"""Debian and Ubuntu releases by code name."""
NOT_CARVED = "no final stage could be carved for it: multi-stage says why"
NOT_HAD = "cannot be had here"
"""What a refusal says of a base that no engine and no registry gave, behind its name."""


@dataclass(frozen=True, slots=True)
class BaseName:
    """A base image's name taken apart: repository, version, suite and flavour of the tag."""

    repository: str
    tag: str
    version: str
    suite: str
    flavor: str
    java: str


def read_base_name(text: str) -> BaseName:
    """Takes `registry/repository:tag@digest` apart; the tag of the official images is
    `version[-flavor][-suite]`."""
    name = text.partition("@")[0]
    head, slash, last = name.rpartition("/")
    repository, _, tag = last.partition(":")
    version = re.match(r"v?\d+(?:\.\d+)*(?:[.-]?(?:rc|beta|alpha|a|b)\.?\d*(?![a-z]))?", tag)
    words = tag.split("-")
    suite = next((word for word in words if word in SUITES), "")
    flavor = "-".join(word for word in words[1 if version else 0 :] if word not in SUITES)
    java = re.search(r"(?:temurin|openjdk|jdk|corretto|zulu|liberica|ibmjava)-?(\d+)", tag)
    number = version[0] if version else ""
    major = java[1] if java else number.split(".")[0]
    if number == "1.8":
        major = "8"
    return BaseName((head + slash if slash else "") + repository, tag, number, suite, flavor, major)


def family(name: BaseName, ecosystems: Iterable[Ecosystem]) -> tuple[Ecosystem, Base] | None:
    """The ecosystem whose facts speak of this base. Mirrors count: only the last word of the
    repository decides."""
    last = name.repository.rpartition("/")[2]
    for ecosystem in ecosystems:
        for base in ecosystem.base:
            if base.repository == last:
                return ecosystem, base
    return None


def is_slim(text: str, ecosystems: Iterable[Ecosystem]) -> bool:
    """Whether this base is already a small one: by its family's facts, or a bare distribution or
    distroless image."""
    name = read_base_name(text)
    found = family(name, ecosystems)
    if found and found[1].already:
        return re.search(found[1].already, name.tag) is not None
    last = name.repository.rpartition("/")[2]
    return (
        last in ("scratch", "alpine", "busybox")
        or "distroless" in name.repository
        or "slim" in name.tag
    )


def slim_candidates(
    text: str,
    ecosystems: Iterable[Ecosystem],
    os_release: Mapping[str, str],
    environment: Mapping[str, str] | None = None,
    installed: Callable[[str], str] = lambda _: "",
) -> tuple[str, ...]:
    """Names of slim bases of the same distribution and release, best first. `os_release` and
    `environment` are the image's own, and `installed` says the version of an ecosystem's run time
    in it. A base that floats (`node`, `node:lts`) gets one that floats with it."""
    name = read_base_name(text)
    found = family(name, ecosystems)
    if found is None:
        return ()
    prefix = name.repository.rpartition("/")[0]
    suite = name.suite or os_release.get("VERSION_CODENAME", "")
    java = _java(environment or {}) or _major(installed(found[0].name)) or name.java
    floats = "" if name.flavor == "latest" else name.flavor
    facts = {"version": name.version or floats, "suite": suite, "java": java, "flavor": name.flavor}
    templates = found[1].slim
    if not facts["version"]:
        templates = [template.replace("{version}-", "") for template in templates]
    filled = [_fill(template, facts) for template in templates]
    mirrored = [_same_registry(item, prefix) for item in filled if item]
    return tuple(dict.fromkeys(item for item in mirrored if item != text))


def _java(environment: Mapping[str, str]) -> str:
    """The major version that images of Java say (JAVA_VERSION=jdk-17.0.12+7, 17.0.2 or 8u392)."""
    return _major(environment.get("JAVA_VERSION", ""))


def _major(version: str) -> str:
    found = re.match(r"(?:jdk-?)?(?:1\.)?(\d+)", version)
    return found[1] if found else ""


def bare_candidates(ecosystem: Ecosystem, os_release: Mapping[str, str]) -> tuple[str, ...]:
    """Names of bare distributions of the original's own release, for a run time that is copied onto
    them."""
    suite = {"suite": os_release.get("VERSION_CODENAME", "")}
    filled = [_fill(template, suite) for template in ecosystem.runtime.bare]
    return tuple(name for name in filled if name and name.partition(":")[0] == os_release.get("ID"))


def distroless_candidates(
    kind: str, ecosystems: Iterable[Ecosystem], os_release: Mapping[str, str]
) -> tuple[str, ...]:
    """Names of distroless bases of one kind (static, base, cc) for the image's own Debian
    release."""
    release = (
        os_release.get("VERSION_ID", "").split(".")[0] if os_release.get("ID") == "debian" else ""
    )
    images = [
        image
        for ecosystem in ecosystems
        for distroless in ecosystem.distroless
        if distroless.kind == kind
        for image in distroless.images
    ]
    if not release and kind != "static":
        return ()
    return tuple(
        dict.fromkeys(
            item for item in (_fill(image, {"release": release}) for image in images) if item
        )
    )


def _fill(template: str, facts: Mapping[str, str]) -> str | None:
    """The template with its facts; None where one that it needs is not known."""
    needed = re.findall(r"\{(\w+)\}", template)
    return None if any(not facts.get(key) for key in needed) else template.format(**facts)


def _same_registry(image: str, prefix: str) -> str:
    """A project that takes `mirror.example/python` gets `mirror.example/python` again."""
    return (
        f"{prefix}/{image}"
        if prefix and "/" not in image and prefix not in ("library", "docker.io/library")
        else image
    )
