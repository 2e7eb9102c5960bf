"""Sums over a fleet: what is stored, what is shared, whose it is."""

from __future__ import annotations

from collections import defaultdict

from imgopt.fleet.findings.weights import View
from imgopt.results.registry import CodecRow, RepositoryRow, TeamRow, Totals


def totals(view: View) -> Totals:
    fleet = view.fleet
    owners = _owners(view)
    stored = [blob for blob in fleet.blobs.values() if not blob.foreign]
    shared = [blob for blob in stored if len(view.users.get(blob.digest, ())) > 1]
    kinds = [image.kind for image in fleet.images]
    return Totals(
        repositories=len(fleet.repositories),
        tags=sum(len(each.releases) for each in fleet.repositories),
        images=kinds.count("image"),
        artifacts=kinds.count("artifact"),
        attestations=kinds.count("attestation"),
        blobs=len(stored),
        wire_bytes=sum(blob.wire_bytes or 0 for blob in stored),
        pulled_bytes=sum(view.wire(_stored(view, image.blobs)) for image in view.images),
        shared_bytes=sum(blob.wire_bytes or 0 for blob in shared),
        cross_bytes=sum(
            blob.wire_bytes or 0 for blob in stored if len(owners.get(blob.digest, ())) > 1
        ),
    )


def _stored(view: View, blobs: tuple[str, ...]) -> list[str]:
    return [blob for blob in blobs if not view.fleet.blobs[blob].foreign]


def _owners(view: View) -> dict[str, set[str]]:
    """Blob -> repositories, of artifacts and attestations too."""
    found: dict[str, set[str]] = defaultdict(set)
    for image in view.fleet.images:
        for blob in image.blobs:
            found[blob].add(image.repository)
    return found


def repository_rows(view: View) -> list[RepositoryRow]:
    """Those with most bytes of their own first."""
    owners = _owners(view)
    blobs: dict[str, set[str]] = defaultdict(set)
    for digest, names in owners.items():
        for name in names:
            if not view.fleet.blobs[digest].foreign:
                blobs[name].add(digest)
    images = defaultdict(list)
    for image in view.images:
        images[image.repository].append(image)
    rows = []
    for each in view.fleet.repositories:
        mine, held = images[each.name], blobs[each.name]
        counted = [image.pulls for image in mine if image.pulls is not None]
        rows.append(
            RepositoryRow(
                name=each.name,
                team=view.team(mine[-1]) if mine else "",
                tags=len(each.releases),
                images=len(mine),
                wire_bytes=view.wire(held),
                own_bytes=view.wire(blob for blob in held if len(owners[blob]) == 1),
                pulls=sum(counted) if counted else None,
                newest=each.releases[-1].created if each.releases else None,
            )
        )
    return sorted(rows, key=lambda row: (-row.own_bytes, row.name))


def team_rows(view: View) -> list[TeamRow]:
    holders: dict[str, set[str]] = defaultdict(set)
    names: dict[str, set[str]] = defaultdict(set)
    counts: dict[str, int] = defaultdict(int)
    for image in view.images:
        team = view.team(image)
        names[team].add(image.repository)
        counts[team] += 1
        for blob in image.blobs:
            if not view.fleet.blobs[blob].foreign:
                holders[blob].add(team)
    rows = [
        TeamRow(
            team=team,
            repositories=len(names[team]),
            images=counts[team],
            wire_bytes=view.wire(blob for blob, teams in holders.items() if team in teams),
            own_bytes=view.wire(blob for blob, teams in holders.items() if teams == {team}),
        )
        for team in counts
    ]
    return sorted(rows, key=lambda row: (-row.own_bytes, row.team))


def codec_rows(view: View) -> list[CodecRow]:
    found: dict[str, list[int]] = defaultdict(list)
    for blob in view.fleet.blobs.values():
        if blob.digest in view.users and not blob.foreign:
            found[blob.codec or "unknown"].append(blob.wire_bytes or 0)
    rows = [
        CodecRow(codec=name, blobs=len(sizes), wire_bytes=sum(sizes))
        for name, sizes in found.items()
    ]
    return sorted(rows, key=lambda row: (-row.wire_bytes, row.codec))
