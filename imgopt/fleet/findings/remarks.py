"""Findings: each with what it would save, whom it concerns, and the command that mends it."""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

from imgopt.fleet.findings.bases import Base
from imgopt.fleet.findings.database import Database
from imgopt.fleet.findings.trees import by_name, fix_of
from imgopt.fleet.findings.weights import View, pulls, repositories, teams
from imgopt.fleet.scan.census import moment
from imgopt.fleet.scan.facts import Facts
from imgopt.fleet.scan.model import FleetImage
from imgopt.image.config import is_root
from imgopt.results.registry import Missed, RegistryFinding, Tree, WasteRow
from imgopt.results.size_text import size_text

_MOST_NAMES = 20
OLD_DAYS = 180.0
KEPT_TAGS = 10
_FIXES = {
    "another base": "COPY --link, and RUN steps that do not depend on the base's date: such layers"
    " stay when the base changes (imgopt optimize CONTEXT)",
    "another step before": "move the instruction above those that change more often"
    " (imgopt optimize CONTEXT)",
    "built again": "build from one cache: docker buildx build --cache-from"
    " type=registry,ref=REPOSITORY:cache …",
    "time stamps": "SOURCE_DATE_EPOCH=0 docker buildx build --output"
    " type=registry,rewrite-timestamp=true …",
    "order": "docker buildx build writes the entries in order; older builders do not",
    "lists": "remove lists, logs and caches in the step that makes them (imgopt rewrite CONTEXT"
    " --write)",
    "owners": "COPY --chown=USER in all of them, or in none",
    "compression": "docker buildx build --output type=registry,compression=zstd,"
    "force-compression=true … for all of them",
    "format": "build all of them by the same builder",
}


def missed(view: View, groups: Iterable[Missed]) -> Iterator[RegistryFinding]:
    for group in groups:
        images = view.images_of(group.blobs)
        what = group.instructions[0] if group.instructions else "a layer"
        how = f"{', '.join(group.causes)}; {', '.join(group.reasons)}"
        fixes = [_FIXES[name] for name in (*group.causes, *group.reasons) if name in _FIXES]
        yield _finding(
            view,
            "missed-sharing",
            "warn",
            f"{len(group.blobs)} layers hold the same files under different digests ({how}):"
            f" {what}",
            "; ".join(fixes),
            images,
            bytes=group.saved_bytes,
        )


def trees(view: View, found: Sequence[Tree]) -> Iterator[RegistryFinding]:
    by_repository = defaultdict(list)
    for image in view.images:
        by_repository[image.repository].append(image)
    for name, group in by_name(found):
        names = sorted({each for tree in group for each in tree.repositories})
        images = [image for each in names for image in by_repository[each]]
        saved = sum(tree.saved_bytes for tree in group)
        copies = max(tree.copies for tree in group)
        yield _finding(
            view,
            "duplicate-tree",
            "warn",
            f"{name}: the same files ({group[0].path}) lie in {copies} layers;"
            f" {size_text(saved)} of copies, unpacked",
            fix_of(name),
            images,
            bytes=saved,
        )


def codecs(view: View, facts: Mapping[str, Facts]) -> Iterator[RegistryFinding]:
    """What zstd would give, by the samples that were compressed."""
    better = {
        digest: each.wire_bytes - each.zstd_bytes
        for digest, each in facts.items()
        if each.zstd_bytes is not None and each.status == "read" and digest in view.users
    }
    saved = sum(better.values())
    if saved > 0:
        yield _finding(
            view,
            "zstd",
            "note",
            f"{len(better)} layers are compressed by gzip: zstd would need about"
            f" {size_text(saved)} less (estimated from a sample of each), and unpacks faster",
            "docker buildx build --output type=registry,compression=zstd,force-compression=true …",
            view.images_of(better),
            bytes=saved,
        )


def waste(view: View, rows: Iterable[WasteRow]) -> Iterator[RegistryFinding]:
    for row in rows:
        hidden = row.kind in ("overwritten", "deleted")
        what = "hidden by a later layer of its image" if hidden else "rarely needed by a run"
        yield RegistryFinding(
            id=f"waste-{row.kind}",
            level="note",
            message=f"{row.kind}: {size_text(row.bytes)} in {row.files} files, {what};"
            f" {size_text(row.shipped_bytes)} over all images",
            command="imgopt optimize CONTEXT, for the images that `imgopt analyze IMAGE` names",
            bytes=row.bytes,
            images=len(view.images),
            weight=row.shipped_bytes,
        )


def old_bases(
    view: View, bases: Iterable[Base], now: datetime, days: float
) -> Iterator[RegistryFinding]:
    limit = now - timedelta(days=days)
    for base in bases:
        made = moment(base.created)
        if made is not None and made < limit:
            age = (now - made).days
            yield _finding(
                view,
                "old-base",
                "warn",
                f"{len(base.images)} images stand on {base.name}, which is {age} days old",
                "docker buildx build --pull …, or name the newer base in FROM",
                base.images,
            )


def rebases(view: View, bases: Sequence[Base]) -> Iterator[RegistryFinding]:
    """Several dates of one base: what goes when all stand on the newest."""
    families: dict[tuple[str, str, frozenset[str]], list[Base]] = defaultdict(list)
    for base in bases:
        if base.known and base.system:
            families[base.platform, base.system, base.packages | base.programs].append(base)
    for (_, system, _), family in sorted(families.items(), key=lambda item: item[0][:2]):
        if len(family) < 2:
            continue
        newest = max(family, key=lambda base: (_stamp(base), base.name))
        left = {blob for base in family if base is not newest for blob in base.chain}
        left -= set(newest.chain)
        images = [image for base in family if base is not newest for image in base.images]
        gone = {blob for blob in left if all(_is_on(user, family) for user in view.users[blob])}
        yield _finding(
            view,
            "rebase",
            "warn",
            f"{len(family)} dates of one base ({system}) are in use: {len(images)} images could"
            f" stand on {newest.name}",
            f"build them again on {newest.name} (docker buildx build --pull …)",
            images,
            bytes=view.wire(gone),
        )


def _is_on(image: FleetImage, family: Iterable[Base]) -> bool:
    """Not the base itself, which stays in the registry until somebody removes its tag."""
    return any(any(user is image for user in base.images) for base in family)


def _stamp(base: Base) -> float:
    made = moment(base.created)
    return made.timestamp() if made is not None else 0.0


def unpulled(view: View) -> Iterator[RegistryFinding]:
    nobody = [image for image in view.images if image.pulls == 0]
    if nobody:
        yield _finding(
            view,
            "unpulled",
            "note",
            f"{len(nobody)} images were pulled by nobody; their own layers weigh"
            f" {size_text(_own(view, nobody))}",
            "remove their tags, then run the registry's garbage collection",
            nobody,
            bytes=_own(view, nobody),
        )


def old_tags(view: View, kept: int = KEPT_TAGS) -> Iterator[RegistryFinding]:
    """What garbage collection would give when only the newest tags of each repository stay."""
    stay: set[tuple[str, str]] = set()
    for repository in view.fleet.repositories:
        for release in repository.releases[-kept:]:
            stay.update((repository.name, digest) for digest in release.images)
    gone = [image for image in view.images if (image.repository, image.digest) not in stay]
    if gone:
        yield _finding(
            view,
            "old-tags",
            "note",
            f"{len(gone)} images have only tags older than the newest {kept} of their repository",
            "remove those tags, then run the registry's garbage collection",
            gone,
            bytes=_own(view, gone),
        )


def _own(view: View, images: Iterable[FleetImage]) -> int:
    """Bytes of blobs that no other image has."""
    mine = {id(image) for image in images}
    return view.wire(
        blob
        for blob, users in view.users.items()
        if all(id(user) in mine for user in users) and not view.fleet.blobs[blob].foreign
    )


def users_and_names(view: View) -> Iterator[RegistryFinding]:
    root = [image for image in view.images if is_root(image.user)]
    if root:
        yield _finding(
            view,
            "root",
            "note",
            f"{len(root)} of {len(view.images)} images run as root",
            "imgopt optimize CONTEXT --variant slim (makes and proves a user), or USER 65532:65532",
            root,
        )
    named = [image for image in view.images if image.secret_names]
    if named:
        names = sorted({name for image in named for name in image.secret_names})
        yield _finding(
            view,
            "secret-variables",
            "error",
            f"{len(named)} images set variables that look like secrets: {', '.join(names[:8])}",
            "RUN --mount=type=secret in the build, the environment of the container in the run;"
            " and change what was in the image",
            named,
        )


_SPECIAL = """
select path, list_sort(list(distinct blob)) from files
where kind = 'file' and mode & 3072 != 0 and package is null group by path order by path
"""
_NAMED = """
select path, list_sort(list(distinct blob)) from files
where kind = 'file' and size > 0 and regexp_matches(path, ?) and not regexp_matches(path, ?)
group by path order by path
"""


def special_files(view: View, database: Database) -> Iterator[RegistryFinding]:
    """setuid and setgid files that no package owns; files that look like secrets."""
    looks, never = _secret_paths()
    for rows, name, level, what, fix in (
        (
            database.rows(_NAMED, [looks, never]),
            "secret-files",
            "error",
            "files look like secrets",
            "keep them out (.dockerignore), mount them (RUN --mount=type=secret), and change what"
            " was in the image: a layer keeps what a later one deletes",
        ),
        (
            database.rows(_SPECIAL),
            "setuid",
            "note",
            "setuid or setgid files belong to no package of their layer",
            "RUN chmod u-s,g-s FILE in the step that brings them, or leave them out",
        ),
    ):
        held = {blob for _, blobs in rows for blob in blobs if blob in view.users}
        if held:
            paths = [path for path, blobs in rows if held & set(blobs)]
            yield _finding(
                view,
                name,
                level,
                f"{len(paths)} {what}: {', '.join(paths[:5])}",
                fix,
                view.images_of(held),
            )


@lru_cache
def _secret_paths() -> tuple[str, str]:
    data = tomllib.loads(Path(__file__).with_name("secrets.toml").read_text(encoding="utf-8"))
    return "|".join(data["looks"]), "|".join(data["never"])


def few_bases(
    view: View, bases: Sequence[Base], chosen: Mapping[int, list[Base]]
) -> Iterator[RegistryFinding]:
    if len(chosen) < len(bases):
        names = ", ".join(bases[number].name for number in list(chosen)[:6])
        count = sum(len(base.images) for base in bases)
        all_of = {blob for base in bases for blob in base.chain}
        kept = {blob for number in chosen for blob in bases[number].chain}
        if not view.wire(all_of - kept):
            return
        moved = [
            image
            for number, served in chosen.items()
            for base in served
            if base is not bases[number]
            for image in base.images
        ]
        yield _finding(
            view,
            "few-bases",
            "warn",
            f"{len(chosen)} of {len(bases)} bases would serve all {count} images: {names}",
            "name them in FROM; `imgopt prove CONTEXT --with Dockerfile.new` says whether the"
            " service still does the same",
            moved,
            bytes=view.wire(all_of - kept),
        )


def _finding(
    view: View,
    name: str,
    level: str,
    message: str,
    command: str,
    images: Sequence[FleetImage],
    bytes: int | None = None,
) -> RegistryFinding:
    uses = sum(pulls(image) for image in images)
    return RegistryFinding(
        id=name,
        level=level,
        message=message,
        command=command,
        bytes=bytes,
        images=len(images),
        weight=(bytes or 0) * uses,
        where=_names(view, images),
        teams=teams(view, images)[:_MOST_NAMES],
    )


def _names(view: View, images: Sequence[FleetImage]) -> list[str]:
    """Images where they are few, else their repositories."""
    if len(images) <= 3:
        return [view.name(image) for image in images]
    return repositories(images)[:_MOST_NAMES]
