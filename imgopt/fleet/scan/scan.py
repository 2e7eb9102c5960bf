"""A scan: list what there is, read each blob that is new once, largest gain first, keep what is
found."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import msgspec

from imgopt.errors import EnvironmentFailure, ImgoptError
from imgopt.fleet.scan.census import Census
from imgopt.fleet.scan.facts import Facts, Task, Where
from imgopt.fleet.scan.login import Login, login_of
from imgopt.fleet.scan.model import Fleet, FleetImage
from imgopt.fleet.scan.protocol import Registry
from imgopt.fleet.scan.sources import Filters, SourceName
from imgopt.fleet.scan.store import Store
from imgopt.fleet.scan.workers import Workers

_LOOSE = 256
"""Files of rows that are left as they are; more of them are merged at the end of a scan."""


@dataclass(frozen=True)
class Options:
    filters: Filters = field(default_factory=Filters)
    budget: int | None = None
    """Bytes of blobs that are fetched at most."""
    read_blobs: bool = True
    retry_damaged: bool = False
    pulls: Mapping[str, int] = field(default_factory=dict)
    """By "repository:tag" or "repository@digest"."""


@dataclass
class Progress:
    """How far the reading of blobs is. Bytes are those of the wire where they are stated."""

    blobs: int
    bytes: int
    began: float
    done_blobs: int = 0
    done_bytes: int = 0

    def rest_seconds(self, now: float) -> float | None:
        """By the rate so far; None as long as there is none to speak of."""
        passed = now - self.began
        if self.done_blobs < 3 or passed < 1 or not self.bytes:
            return None
        share = self.done_bytes / self.bytes
        return passed * (1 - share) / share if share else None


@dataclass(frozen=True)
class Done:
    """What a scan did."""

    fleet: Fleet
    facts: Mapping[str, Facts]
    read_blobs: int
    read_bytes: int
    known_blobs: int
    left_blobs: int
    """Over the budget."""
    left_bytes: int
    unreached: Mapping[str, Facts]


Tell = Callable[[str], None]
Watch = Callable[[Progress], None]


def list_images(
    sources: tuple[SourceName, ...],
    store: Store,
    options: Options,
    tell: Tell,
    sleep: Callable[[float], object] = time.sleep,
) -> tuple[Fleet, dict[str, Where], dict[str, Login | None]]:
    """Tier 0. A source that cannot be listed is a problem beside the others; raises its error where
    no source could be listed."""
    census, logins = Census(), dict[str, Login | None]()
    errors: list[ImgoptError] = []
    for source in sources:
        try:
            _list(source, store, census, options.filters, logins, tell, sleep)
        except ImgoptError as error:
            errors.append(error)
            census.trouble(str(source), error.message, "source")
    if errors and len(errors) == len(sources):
        raise errors[0]
    fleet = with_pulls(census.fleet(options.filters.most_days), options.pulls)
    return fleet, census.places, logins


def _list(
    source: SourceName,
    store: Store,
    census: Census,
    filters: Filters,
    logins: dict[str, Login | None],
    tell: Tell,
    sleep: Callable[[float], object],
) -> None:
    if source.kind == "registry":
        from imgopt.fleet.scan.from_registry import list_registry

        if source.host not in logins:
            logins[source.host] = login_of(source.host)
        with closing(Registry(source.host, logins[source.host], sleep)) as registry:
            list_registry(source, registry, store, census, filters, tell)
    elif source.kind == "path":
        from imgopt.fleet.scan.from_files import list_path

        list_path(source, census, filters)
    else:
        from imgopt.fleet.scan.from_engine import list_engine

        list_engine(source, census, filters)


def with_pulls(fleet: Fleet, pulls: Mapping[str, int]) -> Fleet:
    """The images with how often they were pulled, where that is known."""
    if not pulls:
        return fleet
    counts: Counter[tuple[str, str]] = Counter()
    for each in fleet.repositories:
        for release in each.releases:
            for digest in release.images:
                counts[each.name, digest] += pulls.get(f"{each.name}:{release.tag}", 0)
    images = tuple(
        msgspec.structs.replace(
            image,
            pulls=counts[image.repository, image.digest]
            + pulls.get(f"{image.repository}@{image.digest}", 0),
        )
        for image in fleet.images
    )
    return msgspec.structs.replace(fleet, images=images)


def tasks_of(fleet: Fleet, places: Mapping[str, Where]) -> list[Task]:
    """One for each blob of an image, the largest gain first: bytes by images by pulls."""
    uses: Counter[str] = Counter()
    diff_ids: dict[str, str] = {}
    for image in fleet.images:
        if image.kind == "image":
            for layer in {layer.blob: layer for layer in image.layers}.values():
                uses[layer.blob] += _weight(image)
                diff_ids.setdefault(layer.blob, layer.diff_id)
    tasks = [
        Task(
            digest=digest,
            where=places[digest],
            wire_bytes=fleet.blobs[digest].wire_bytes,
            diff_id=diff_ids[digest],
            gain=(fleet.blobs[digest].wire_bytes or 1) * count,
        )
        for digest, count in uses.items()
        if digest in places
    ]
    return sorted(tasks, key=lambda task: (-task.gain, task.digest))


def _weight(image: FleetImage) -> int:
    return max(1, image.pulls) if image.pulls is not None else 1


def scan(
    sources: tuple[SourceName, ...],
    store: Store,
    workers: Callable[[Mapping[str, Login | None], int], Workers],
    options: Options,
    tell: Tell = lambda _: None,
    watch: Watch = lambda _: None,
) -> Done:
    """Both tiers. `workers` makes who reads, from the logins and the number of blobs."""
    store.clean()
    fleet, places, logins = list_images(sources, store, options, tell)
    store.keep_fleet(fleet)
    known = store.known()
    wanted = tasks_of(fleet, places) if options.read_blobs else []
    new = [task for task in wanted if _is_new(known.get(task.digest), options)]
    chosen = _within(new, options.budget)
    unreached: dict[str, Facts] = {}
    read = Counter[str]()
    if chosen:
        with workers(logins, len(chosen)) as crew:
            for facts in _watched(crew.run(iter(chosen)), chosen, watch):
                read["blobs"] += 1
                read["bytes"] += facts.wire_bytes
                if facts.status == "unreached":
                    unreached[facts.digest] = facts
                else:
                    store.keep(facts)
    _merge(store)
    chosen_digests = {task.digest for task in chosen}
    left = [task for task in new if task.digest not in chosen_digests]
    return Done(
        fleet=store.fleet(),
        facts=store.known(),
        read_blobs=read["blobs"],
        read_bytes=read["bytes"],
        known_blobs=len(wanted) - len(new),
        left_blobs=len(left),
        left_bytes=sum(task.wire_bytes or 0 for task in left),
        unreached=unreached,
    )


def _is_new(facts: Facts | None, options: Options) -> bool:
    return facts is None or (options.retry_damaged and facts.status == "damaged")


def _within(tasks: list[Task], budget: int | None) -> list[Task]:
    """Those that the budget is enough for, in their order; a smaller one may fit behind one that
    does not."""
    if budget is None:
        return tasks
    chosen, left = [], budget
    for task in tasks:
        if (task.wire_bytes or 0) <= left:
            chosen.append(task)
            left -= task.wire_bytes or 0
    return chosen


def _watched(found: Iterator[Facts], tasks: list[Task], watch: Watch) -> Iterator[Facts]:
    sizes = {task.digest: task.wire_bytes or 0 for task in tasks}
    progress = Progress(len(tasks), sum(sizes.values()), time.monotonic())
    for facts in found:
        progress.done_blobs += 1
        progress.done_bytes += sizes[facts.digest]
        watch(progress)
        yield facts


def _merge(store: Store) -> None:
    """Many small files are slow to ask; a file of rows is merged with others once."""
    from imgopt.fleet.scan.tables import merge

    loose = [path for path in store.row_files() if not path.name.startswith("merged-")]
    if len(loose) > _LOOSE:
        new = store.files / f"merged-{time.time_ns()}.parquet"
        merge(loose, new)
        store.replace_files(loose, new)


def no_images(fleet: Fleet) -> EnvironmentFailure | None:
    """An error where nothing was found at all."""
    if fleet.images or fleet.problems:
        return None
    return EnvironmentFailure("no image was found", hint="do the patterns fit? see --include")
