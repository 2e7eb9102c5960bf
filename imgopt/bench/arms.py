"""The arms of a benchmark: which Dockerfiles, contexts, targets and revisions are measured beside
each other."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from imgopt.config import Config
from imgopt.context.history import Repository
from imgopt.dockerfile import find_ignore_file
from imgopt.engine import BuildRequest, Session, configured
from imgopt.errors import InputError, Location
from imgopt.results.optimize import Check, OptimizeResult
from imgopt.results.rewrite import Change, Skip


@dataclass(frozen=True)
class ArmSpec:
    """One arm before it is built. `ignore` is the text of its .dockerignore, None where there is
    none."""

    name: str
    role: str
    context: Path
    dockerfile: str
    text: str
    ignore: str | None
    request: BuildRequest
    project: Path
    """Where the user has it; differs from `context` for a revision."""
    revision: str | None = None
    proof: str | None = None
    changes: Sequence[Change] = ()
    skips: Sequence[Skip] = ()
    checks: Sequence[Check] = field(default=())


def original(
    context: Path, config: Config, name: str = "original", role: str = "original"
) -> ArmSpec:
    """The project as it is. Raises InputError where its Dockerfile cannot be read."""
    path = Path(config.build.file) if config.build.file else context / "Dockerfile"
    return from_file(name, role, context, path, config)


def from_file(name: str, role: str, context: Path, path: Path, config: Config) -> ArmSpec:
    """A Dockerfile, with the ignore file that BuildKit would read for it."""
    ignore = find_ignore_file(context, path)
    return ArmSpec(
        name=name,
        role=role,
        context=context,
        dockerfile=_shown(path, context),
        text=_read(path),
        ignore=_read(ignore) if ignore else None,
        request=configured(context, config),
        project=context,
    )


def _shown(path: Path, context: Path) -> str:
    resolved, root = path.resolve(), context.resolve()
    return str(resolved.relative_to(root)) if resolved.is_relative_to(root) else str(path)


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise InputError(
            f"cannot read: {error.strerror}",
            location=Location(str(path)),
            hint="name it with --file or --with",
        ) from None


def variants(first: ArmSpec, result: OptimizeResult) -> list[ArmSpec]:
    """The proven variants of an `imgopt optimize` result, on the first arm's context."""
    return [
        replace(
            first,
            name=variant.name,
            role="variant",
            dockerfile=f"Dockerfile.{variant.name}",
            text=variant.dockerfile,
            ignore=variant.dockerignore if variant.dockerignore is not None else first.ignore,
            proof=variant.verdict,
            changes=variant.changes,
            skips=variant.skips,
            checks=variant.checks,
        )
        for variant in result.variants
        if variant.verdict == "proven" and variant.dockerfile
    ]


def with_target(first: ArmSpec, target: str) -> ArmSpec:
    return replace(first, name=target, role="target", request=replace(first.request, target=target))


def revision(session: Session, context: Path, revision_name: str, config: Config) -> ArmSpec:
    """The context and Dockerfile of a git revision, taken out of git's objects into the session's
    own folder."""
    repository = Repository.of(context)
    if isinstance(repository, str):
        raise InputError(f"--rev {revision_name}: {repository}", location=Location(str(context)))
    commit = repository.commit(revision_name)
    tree = session.temp_tree("revision")
    _extract(context, commit, tree)
    path = _in_revision(config.build.file, context, tree)
    arm = from_file(revision_name, "revision", tree, path, config)
    return replace(arm, revision=commit, project=context)


def _in_revision(file: str | None, context: Path, tree: Path) -> Path:
    if file is None:
        return tree / "Dockerfile"
    resolved, root = Path(file).resolve(), context.resolve()
    if not resolved.is_relative_to(root):
        raise InputError(
            f"{file} is outside of the context",
            hint="with --rev the Dockerfile must be in the context",
        )
    return tree / resolved.relative_to(root)


def _extract(context: Path, commit: str, tree: Path) -> None:
    """`git archive` of the context's folder at a commit; links that lead out of the tree are
    refused."""
    done = subprocess.run(
        ["git", "-c", "core.hooksPath=/dev/null", "archive", "--format=tar", commit, "--", "."],
        cwd=context,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise InputError(
            f"git archive {commit[:12]}: {said[-1] if said else 'failed'}",
            location=Location(str(context)),
        )
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as archive:
        archive.extractall(tree, filter="tar")


def unique(arms: Sequence[ArmSpec]) -> list[ArmSpec]:
    """Arms with names that tell them apart. Raises InputError for fewer than one."""
    seen: dict[str, int] = {}
    named = []
    for arm in arms:
        seen[arm.name] = seen.get(arm.name, 0) + 1
        count = seen[arm.name]
        named.append(arm if count == 1 else replace(arm, name=f"{arm.name} ({count})"))
    return named
