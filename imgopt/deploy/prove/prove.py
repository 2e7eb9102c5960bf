"""The whole proof of Kubernetes files: schemas, an API server, a node; each tier on its own."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imgopt.deploy.prove import schemas
from imgopt.deploy.prove.cluster import Cluster, local_cluster, named_cluster
from imgopt.deploy.prove.dry_run import dry_run
from imgopt.deploy.prove.images import images_in_nodes
from imgopt.deploy.prove.namespace import own_namespace
from imgopt.deploy.prove.objects import Object, images_of
from imgopt.deploy.prove.on_nodes import try_on_nodes
from imgopt.deploy.prove.sources import find_sources, preferred, rendered, renderer
from imgopt.deploy.prove.stage import Settings
from imgopt.results.deploy import Case, DeployFinding, DeployProof, Tier, Verdict

NAMES = {1: "schemas", 2: "API server's strict dry run", 3: "on a real node"}
_NO_SERVER = "no API server: `make cluster-api` starts one here, --context NAME asks yours"
_NO_NODE = "no node: `make cluster` starts two here (root, Go), --context NAME asks your cluster"


@dataclass(frozen=True)
class Question:
    given: Sequence[Path]
    tier: int = 3
    """The last one that is wanted."""
    context: str | None = None
    overlay: str | None = None
    settings: Settings = field(default_factory=Settings)
    trials: tuple[str, ...] = ()
    """Names of trials.TRIALS; none: all."""


def prove(question: Question, say: Callable[[str], None] = lambda _: None) -> DeployProof:
    """Raises InputError for files that cannot be read; what the environment lacks is "not
    measured"."""
    sources = find_sources(question.given)
    cluster = _cluster(question, nodes=False)
    render = renderer(cluster.command if cluster else None)
    whole = {folder: rendered(folder, render) for folder in sources.folders}
    chosen = preferred(sources.folders, question.overlay)
    deployed = whole[chosen] if chosen is not None else list(sources.written)
    everything = [*sources.written, *(one for each in whole.values() for one in each)]
    say("schemas")
    findings, tiers = _first(everything)
    cases: list[Case] = []
    if question.tier >= 2:
        say("API server")
        second, more = _second(cluster, deployed if whole else everything)
        tiers.append(second)
        findings += more
    if question.tier >= 3:
        third, cases = _third(question, deployed, findings, say)
        tiers.append(third)
    return _result(question, cluster, deployed, tiers, cases, _once(findings))


def _cluster(question: Question, *, nodes: bool) -> Cluster | None:
    if question.tier < 2:
        return None
    if question.context is not None:
        return named_cluster(question.context)
    return local_cluster(nodes=nodes)


def _first(objects: Sequence[Object]) -> tuple[list[DeployFinding], list[Tier]]:
    began = time.monotonic()
    known = schemas.schemas()
    found = schemas.findings(objects, known)
    detail = f"{len(objects)} objects against Kubernetes {known.version}, Gateway API and KEDA"
    return found, [_tier(1, found, detail, began)]


def _second(cluster: Cluster | None, objects: Sequence[Object]) -> tuple[Tier, list[DeployFinding]]:
    if cluster is None:
        return _not_measured(2, _NO_SERVER), []
    began = time.monotonic()
    version = cluster.version()
    if not version:
        return _not_measured(2, f"the API server of {cluster.name} does not answer"), []
    with own_namespace(cluster, wait=False) as namespace:
        found = dry_run(cluster, namespace, objects)
    detail = f'{len(objects)} objects at {version}, Pod Security "restricted"'
    return _tier(2, found, detail, began), found


def _tier(number: int, found: Sequence[DeployFinding], detail: str, began: float) -> Tier:
    """Warnings of a server are findings as its refusals are; notes are none."""
    wrong = [one for one in found if one.level != "note"]
    verdict: Verdict = "failed" if wrong else "passed"
    said = f"{len(wrong)} findings; {detail}" if wrong else detail
    seconds = round(time.monotonic() - began, 2)
    return Tier(number=number, name=NAMES[number], verdict=verdict, detail=said, seconds=seconds)


def _not_measured(number: int, why: str) -> Tier:
    return Tier(number=number, name=NAMES[number], verdict="not measured", detail=why)


def _third(
    question: Question,
    objects: Sequence[Object],
    findings: Sequence[DeployFinding],
    say: Callable[[str], None],
) -> tuple[Tier, list[Case]]:
    if refused := next((one for one in findings if one.level == "error"), None):
        return _not_measured(3, f"the files are refused already: {refused.object}"), []
    cluster = _cluster(question, nodes=True)
    if cluster is None:
        return _not_measured(3, _NO_NODE), []
    began = time.monotonic()
    with images_in_nodes(cluster, images_of(objects)) as absent:
        cases = try_on_nodes(cluster, objects, question.settings, question.trials, absent, say)
    verdicts = {case.verdict for case in cases}
    verdict: Verdict = (
        "failed" if "failed" in verdicts else "passed" if "passed" in verdicts else "not measured"
    )
    counts = [f"{sum(case.verdict == each for case in cases)} {each}" for each in sorted(verdicts)]
    where = f"{len(cluster.nodes)} nodes here" if cluster.local else f"context {cluster.name}"
    return (
        Tier(
            number=3,
            name=NAMES[3],
            verdict=verdict,
            detail=f"{', '.join(counts)}; {where}",
            seconds=round(time.monotonic() - began, 1),
        ),
        cases,
    )


def _once(findings: Sequence[DeployFinding]) -> list[DeployFinding]:
    """What is rendered from a file repeats what the file said; the one with a line stays."""
    found: dict[tuple[str, str, str], DeployFinding] = {}
    for one in findings:
        key = (one.id, one.object, one.message)
        if key not in found or (found[key].line is None and one.line is not None):
            found[key] = one
    return list(found.values())


def _result(
    question: Question,
    cluster: Cluster | None,
    deployed: Sequence[Object],
    tiers: list[Tier],
    cases: list[Case],
    findings: list[DeployFinding],
) -> DeployProof:
    verdicts = [tier.verdict for tier in tiers]
    verdict: Verdict = (
        "failed"
        if "failed" in verdicts
        else "not measured"
        if "not measured" in verdicts
        else "passed"
    )
    return DeployProof(
        verdict=verdict,
        message=_message(tiers, cases),
        files=[str(path) for path in question.given],
        images=images_of(deployed),
        tiers=tiers,
        cases=cases,
        findings=findings,
        environment={"cluster": cluster.name} if cluster else {},
    )


def _message(tiers: Sequence[Tier], cases: Sequence[Case]) -> str:
    """The one sentence that a user wants."""
    asked = [case for case in cases if case.name == "rolling update" and case.requests]
    if asked:
        return f"rolling update: {asked[0].failed:,} of {asked[0].requests:,} requests failed"
    failed = [tier for tier in tiers if tier.verdict == "failed"]
    if failed:
        return f"{failed[0].name}: {failed[0].detail}"
    missing = [tier for tier in tiers if tier.verdict == "not measured"]
    return f"{missing[0].name}: {missing[0].detail}" if missing else "everything was accepted"
