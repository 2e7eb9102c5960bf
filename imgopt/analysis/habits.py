"""Findings about what is in the image and how it starts: runtimes, GPUs, copies, development
packages, users."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from imgopt.analysis.evidence import LARGE, Evidence
from imgopt.image import Node, Package, printable, read_elf
from imgopt.image.config import is_root
from imgopt.image.duplicates import Duplicate
from imgopt.image.links import distinct, freed
from imgopt.results.analysis import Finding
from imgopt.results.size_text import size_text

_SMALLEST = LARGE
_LARGE_LIBRARY = 2_000_000
_WEIGHTS = re.compile(r"\.(?:safetensors|bin|pt|pth|gguf|onnx|h5|ckpt|msgpack)$")
_MODEL_STEM = re.compile(
    r"^(?:model|pytorch_model|tf_model|flax_model|consolidated|adapter_model|rust_model)\b"
)
_LAUNCHERS = (
    "npm",
    "yarn",
    "pnpm",
    "npx",
    "pipenv",
    "poetry",
    "uv",
    "mvn",
    "./mvnw",
    "gradle",
    "./gradlew",
    "cargo",
    "bundle",
)


def find_habits(evidence: Evidence) -> Iterator[Finding]:
    for find in _FINDERS:
        yield from find(evidence)


def _jdk(evidence: Evidence) -> Iterator[Finding]:
    """What only a compiler needs, measured: jmods, sources, headers and the tools' own modules are
    not in a JRE."""
    for package in evidence.packages:
        if (package.ecosystem, package.name) != ("runtime", "jdk"):
            continue
        home = package.metadata.rpartition("/")[0]
        tools = [
            (path, _below(evidence, path))
            for path in (
                f"{home}/jmods",
                f"{home}/lib/src.zip",
                f"{home}/lib/ct.sym",
                f"{home}/include",
                f"{home}/man",
                f"{home}/demo",
            )
        ]
        total = freed(node for path, _ in tools for node in evidence.tree.files(path))
        yield evidence.finding(
            "jdk",
            total,
            f"a whole JDK ({size_text(package.bytes)}) is in the image; {size_text(total)} of it"
            " only serve compiling",
            "run on a JRE of the same version, or on one made by jlink, and compile in a stage of"
            " its own",
            where=evidence.where(package.layer),
            strategy="runtime-base",
            evidence=[(path, size) for path, size in tools if size],
            level="warning",
        )


def _cuda(evidence: Evidence) -> Iterator[Finding]:
    """CUDA libraries in an image whose configuration never asks for a GPU."""
    if any(name.startswith(("NVIDIA_", "CUDA_")) for name in evidence.image.config.environment):
        return
    found = [
        package
        for package in evidence.packages
        if package.ecosystem in ("python", "deb", "conda")
        and package.bytes
        and re.match(
            r"^(?:nvidia-|cuda-|libcu(?:blas|dnn|fft|rand|solver|sparse)|libnccl|triton$|cupy|cudatoolkit)",
            package.name,
        )
    ]
    total = sum(package.bytes for package in found)
    if total >= _SMALLEST:
        yield evidence.finding(
            "cuda-without-gpu",
            total,
            "CUDA libraries, but the image never asks for a GPU",
            "install the CPU builds (for torch: --index-url https://download.pytorch.org/whl/cpu)",
            where=evidence.where(found[0].layer),
            strategy="cpu-wheels",
            evidence=sorted(
                ((package.name, package.bytes) for package in found), key=lambda item: -item[1]
            ),
        )


def _copies(evidence: Evidence) -> Iterator[Finding]:
    """The largest files that are there twice; package-internal repetition is the package's own
    affair."""
    large = [
        item
        for item in evidence.duplicates
        if item.bytes >= _SMALLEST and not _one_package(evidence, item)
    ]
    for item in large[:5]:
        yield evidence.finding(
            "duplicate-files",
            item.bytes,
            f"{len(item.paths)} equal files of {size_text(item.size)} in different places",
            "keep one, and link to it or copy it only once",
            where=evidence.where(max(item.layers)),
            evidence=[(printable(path), item.size) for path in item.paths],
        )


def _one_package(evidence: Evidence, item: Duplicate) -> bool:
    owners = [_owner(evidence, path) for path in item.paths]
    return owners[0] is not None and all(owner is owners[0] for owner in owners)


def _owner(evidence: Evidence, path: str) -> Package | None:
    node = evidence.tree.get(path)
    return evidence.packages.owner_of(node) if node is not None else None


def _weights(evidence: Evidence) -> Iterator[Finding]:
    """One model in two formats: the loader takes one of them."""
    folders: dict[str, list[Node]] = defaultdict(list)
    for node in evidence.large_files:
        if _WEIGHTS.search(node.path) and _MODEL_STEM.match(node.name):
            folders[node.path.rpartition("/")[0]].append(node)
    for folder, nodes in sorted(folders.items()):
        formats: dict[str, list[Node]] = defaultdict(list)
        for node in nodes:
            formats[node.path.rpartition(".")[2]].append(node)
        total = _all_but_the_largest(formats.values())
        if len(formats) > 1 and total:
            yield evidence.finding(
                "model-in-two-formats",
                total,
                f"the model in {printable(folder)} is there as {' and '.join(sorted(formats))}",
                "keep the format that is loaded (usually safetensors); huggingface_hub takes"
                " ignore_patterns",
                where=evidence.where(max(node.content_layer for node in nodes)),
                evidence=[
                    (printable(node.path), node.size)
                    for node in sorted(nodes, key=lambda each: -each.size)
                ],
            )


def _libraries(evidence: Evidence) -> Iterator[Finding]:
    """Two libraries that answer to one SONAME, whatever their versions."""
    names: dict[str, list[Node]] = defaultdict(list)
    for node in evidence.large_files:
        if node.size >= _LARGE_LIBRARY and ".so" in node.name:
            with node.open() as file:
                elf = read_elf(file)
            if elf is not None and elf.soname:
                names[f"{elf.soname} ({elf.machine})"].append(node)
    for name, nodes in sorted(names.items()):
        contents: dict[str | None, list[Node]] = defaultdict(list)
        for node in nodes:
            contents[node.digest].append(node)
        if len(contents) > 1:
            total = _all_but_the_largest(contents.values())
            yield evidence.finding(
                "library-twice",
                total,
                f"{len(nodes)} copies of {printable(name)}",
                "let one of the two packages use the other's library, or leave one out",
                where=evidence.where(max(node.content_layer for node in nodes)),
                evidence=[(printable(node.path), node.size) for node in nodes],
            )


def _all_but_the_largest(groups: Iterable[list[Node]]) -> int:
    """Bytes saved when one group of names stays and the others go."""
    ranked = sorted(groups, key=lambda nodes: max(node.size for node in nodes))
    return freed(node for group in ranked[:-1] for node in group)


class _Project(msgspec.Struct):
    dev: dict[str, str] | None = msgspec.field(name="devDependencies", default=None)
    dependencies: dict[str, str] | None = None


def _dev_dependencies(evidence: Evidence) -> Iterator[Finding]:
    """Packages that package.json lists under devDependencies, installed beside it."""
    for node in evidence.tree.files():
        if (
            not node.path.endswith("/package.json")
            or "/node_modules/" in node.path
            or node.parent is None
        ):
            continue
        folder = (node.parent.children or {}).get("node_modules")
        if folder is None or folder.children is None:
            continue
        try:
            project = msgspec.json.decode(node.read(1 << 22), type=_Project, strict=False)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            continue
        names = set(project.dev or ()) - set(project.dependencies or ())
        homes = [(name, list(evidence.tree.files(f"{folder.path}/{name}"))) for name in names]
        found = [(name, size) for name, nodes in homes if (size := _weight(nodes))]
        total = freed(node for _, nodes in homes for node in nodes)
        if total >= _SMALLEST:
            yield evidence.finding(
                "dev-dependencies",
                total,
                f"{len(found)} packages of devDependencies are installed (what they need comes on"
                " top)",
                "build with them in a first stage, then npm ci --omit=dev (or npm prune"
                " --omit=dev)",
                where=evidence.where(folder.layer),
                strategy="prune-dev",
                evidence=sorted(found, key=lambda item: (-item[1], item[0])),
            )


def _fat_jar(evidence: Evidence) -> Iterator[Finding]:
    inner: dict[str, int] = defaultdict(int)
    for package in evidence.packages:
        if package.ecosystem == "java" and package.inside is not None:
            inner[package.metadata] += package.bytes
    for path, total in sorted(inner.items()):
        node = evidence.tree.get(path)
        if node is not None and total >= 5 * _SMALLEST and evidence.is_own(node.content_layer):
            yield evidence.finding(
                "fat-jar",
                0,
                f"{printable(path)} is one file of {size_text(node.size)}, {size_text(total)} of it"
                " libraries: each change of the code ships all of it again",
                "extract the jar into layers (java -Djarmode=tools), libraries first",
                where=evidence.where(node.content_layer),
                strategy="java-layers",
                evidence=[(printable(path), node.size)],
                level="info",
            )


def _bytecode(evidence: Evidence) -> Iterator[Finding]:
    """Python compiles at each start what has no bytecode, and throws it away where it may not
    write."""
    missing: list[Node] = []
    for node in evidence.tree.files():
        if (
            node.path.endswith(".py")
            and "/site-packages/" in node.path
            and evidence.is_own(node.content_layer)
        ):
            cache = (node.parent.children or {}).get("__pycache__") if node.parent else None
            stem = node.name.removesuffix(".py")
            if cache is None or not any(
                name.startswith(f"{stem}.cpython-") for name in cache.children or ()
            ):
                missing.append(node)
    if len(missing) >= 50:
        yield evidence.finding(
            "missing-bytecode",
            0,
            f"{len(missing)} installed Python modules have no bytecode: the first import of each"
            " start compiles them",
            "install with pip's default --compile, unset PYTHONDONTWRITEBYTECODE in the build, or"
            " run compileall",
            where=evidence.where(max(node.content_layer for node in missing)),
            strategy="bytecode",
            level="info",
        )


def _start(evidence: Evidence) -> Iterator[Finding]:
    config = evidence.image.config
    command = [*(config.entrypoint or ()), *(config.cmd or ())]
    if command[:2] == ["/bin/sh", "-c"]:
        yield evidence.finding(
            "shell-form",
            0,
            "the service is started through a shell, which does not pass on SIGTERM",
            'use the JSON form: CMD ["program", "argument"]',
            where=evidence.metadata_where("CMD", "ENTRYPOINT"),
            strategy="exec-form",
            level="info",
        )
    words = command[2].split() if command[:2] == ["/bin/sh", "-c"] and len(command) > 2 else command
    if words and words[0] in _LAUNCHERS:
        yield evidence.finding(
            "launcher",
            0,
            f"{words[0]} starts the service: it costs start time and memory, and often swallows"
            " SIGTERM",
            "start the program itself",
            where=evidence.metadata_where("CMD", "ENTRYPOINT"),
            strategy="start-command",
            level="info",
        )


def _user(evidence: Evidence) -> Iterator[Finding]:
    if is_root(evidence.image.config.user):
        yield evidence.finding(
            "root-user",
            0,
            "the service runs as root",
            "make a user for it, own only what it writes to, and end with USER",
            where=evidence.metadata_where("USER"),
            strategy="non-root",
            level="warning",
        )


def _health(evidence: Evidence) -> Iterator[Finding]:
    config = evidence.image.config
    if config.exposed_ports and config.healthcheck is None:
        yield evidence.finding(
            "no-healthcheck",
            0,
            f"listens on {', '.join(config.exposed_ports)} and has no HEALTHCHECK",
            "add one if an engine or compose runs the image; orchestrators have probes of"
            " their own",
            where=evidence.metadata_where("EXPOSE"),
            level="info",
        )


def _below(evidence: Evidence, path: str) -> int:
    return _weight(evidence.tree.files(path))


def _weight(nodes: Iterable[Node]) -> int:
    return sum(file.entry.size for file in distinct(nodes))


_FINDERS = (
    _jdk,
    _cuda,
    _copies,
    _weights,
    _libraries,
    _dev_dependencies,
    _fat_jar,
    _bytecode,
    _start,
    _user,
    _health,
)
