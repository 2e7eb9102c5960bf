"""The least source that builds: empty files in the place of a project's own, so that a step builds
dependencies alone.

Sources: the Cargo book, "Package layout" and "Cargo targets"; cargo-chef does the same with a
binary of its own.
"""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from imgopt.rewrite.language import Stub
from imgopt.rewrite.strategy import ContextFiles

MOST_PACKAGES = 40
_PLAIN = re.compile(r"[\w./+-]+\Z")


def cargo_stub(context: ContextFiles, folder: str) -> Stub:
    """Stub sources of the package or workspace in `folder` of the context: every target that a
    manifest names, or that Cargo finds by its place. Refused: manifests that cannot be read,
    dependencies outside the folder, targets whose file the context lacks, packages without a
    target: Cargo builds none, and the step that does makes its own."""
    stub = Stub("fn main() {}")
    below = f"{folder.rstrip('/')}/" if folder else ""
    found = [path for path in context.below(below.rstrip("/")) if _is_manifest(path[len(below) :])]
    if len(found) > MOST_PACKAGES:
        return Stub(refused=f"the workspace has {len(found)} packages")
    files = frozenset(path[len(below) :] for path in context.below(below.rstrip("/")))
    for path in found:
        name = path[len(below) :]
        try:
            manifest = tomllib.loads(context.text(path))
            _add(stub, posixpath.dirname(name), manifest, files)
        except (tomllib.TOMLDecodeError, AttributeError, TypeError):
            return Stub(refused=f"{context.said(path)} cannot be read")
        stub.manifests.append(name)
    stub.refused = stub.refused or next(
        (
            f"the name {n!r} needs quotes"
            for n in (*stub.programs, *stub.libraries)
            if not _PLAIN.match(n)
        ),
        "",
    )
    return stub


def _is_manifest(path: str) -> bool:
    parts = path.split("/")
    return parts[-1] == "Cargo.toml" and not {"target", "vendor", "node_modules"} & set(parts)


def _add(stub: Stub, folder: str, manifest: dict[str, Any], files: frozenset[str]) -> None:
    outside = next(
        (path for path in _path_dependencies(manifest) if _leads_out(folder, path)), None
    )
    if outside is not None:
        stub.refused = stub.refused or f"a dependency lies outside of the project ({outside})"
    package = manifest.get("package")
    if package is None:
        return
    stub.packages.append(package["name"])
    library = posixpath.join(folder, manifest.get("lib", {}).get("path", "src/lib.rs"))
    programs = [
        posixpath.normpath(posixpath.join(folder, path))
        for path in _programs(folder, manifest, files)
    ]
    missing = [
        path for path in (*programs, *([library] if "lib" in manifest else [])) if path not in files
    ]
    if missing:
        stub.refused = stub.refused or f"{missing[0]} is not in the build context"
    if library not in files and not any(path != _script(folder, manifest) for path in programs):
        stub.refused = stub.refused or f"no source of the package `{package['name']}` is copied"
    stub.libraries += [library] if library in files else []
    stub.programs += dict.fromkeys(programs)


def _script(folder: str, manifest: dict[str, Any]) -> str:
    """Where the build script is, or would be."""
    script = manifest["package"].get("build", "build.rs")
    return posixpath.normpath(posixpath.join(folder, script)) if isinstance(script, str) else ""


def _programs(folder: str, manifest: dict[str, Any], files: frozenset[str]) -> Iterator[str]:
    """Sources with a main function, relative to the package: build script, programs, and what else
    is named."""
    script = manifest["package"].get("build", "build.rs")
    if isinstance(script, str) and (
        "build" in manifest["package"] or _script(folder, manifest) in files
    ):
        yield script
    if posixpath.join(folder, "src/main.rs") in files:
        yield "src/main.rs"
    head = posixpath.join(folder, "src/bin/")
    yield from (
        posixpath.relpath(path, folder or ".")
        for path in sorted(files)
        if path.startswith(head) and re.fullmatch(r"[^/]+\.rs|[^/]+/main\.rs", path[len(head) :])
    )
    for kind, place in (
        ("bin", "src/bin"),
        ("example", "examples"),
        ("test", "tests"),
        ("bench", "benches"),
    ):
        for target in manifest.get(kind, []):
            yield target.get("path") or _place(
                folder, place, target.get("name", ""), manifest["package"], files
            )


def _place(
    folder: str, place: str, name: str, package: dict[str, Any], files: frozenset[str]
) -> str:
    choices = [f"{place}/{name}.rs", f"{place}/{name}/main.rs"]
    if place == "src/bin" and name == package["name"]:
        choices.append("src/main.rs")
    found = [path for path in choices if posixpath.join(folder, path) in files]
    return found[0] if found else "src/main.rs" if place == "src/bin" else choices[0]


def _path_dependencies(manifest: dict[str, Any]) -> Iterator[str]:
    """The `path` of every dependency, wherever the manifest says it."""
    for key, value in manifest.items():
        if isinstance(value, dict):
            if key.endswith("dependencies") or key in ("patch", "replace"):
                yield from _paths(value)
            else:
                yield from _path_dependencies(value)


def _paths(table: dict[str, Any]) -> Iterator[str]:
    for value in table.values():
        if isinstance(value, dict):
            if isinstance(value.get("path"), str):
                yield value["path"]
            yield from _paths(value)


def _leads_out(folder: str, path: str) -> bool:
    return path.startswith("/") or posixpath.normpath(posixpath.join(folder, path)).startswith("..")
