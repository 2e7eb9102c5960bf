"""The differences that a plan intends, for the proof: each with its reason, nothing else is
excused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from imgopt.context.ecosystems import Ecosystem
from imgopt.inspect.image_view import ImageView
from imgopt.inspect.sites.file_servers import FileServer, file_server
from imgopt.proof.allowances import Allowances, Drop, DroppedPackage, Start, drops_by_reason
from imgopt.proof.derive import derive
from imgopt.rewrite.effects import Effect, of_kind
from imgopt.rewrite.evidence import Evidence
from imgopt.rewrite.plan import Plan
from imgopt.rewrite.start.start_words import explained_by_start, original_start


def allowances(
    plan: Plan, evidence: Evidence, candidate: ImageView, ecosystems: Iterable[Ecosystem] = ()
) -> Allowances:
    """What the rules of the proof allow for any rewrite, and what this plan says that it
    dropped."""
    derived = derive(
        evidence.view, candidate, evidence.opened if evidence.seen.opened is not None else None
    )
    drops = (*_drops(plan), *_launchers(plan, evidence), *derived.drops)
    start = derived.start or _start(plan, candidate)
    packages = (*_tools(plan), *_by_effects(plan, evidence), *derived.packages)
    environment = {**derived.environment, **_port_variable(plan, evidence, ecosystems)}
    known = replace(derived, drops=drops, packages=packages, start=start, environment=environment)
    for effect in of_kind(plan.effects, Effect):
        known = effect.allow(known)
    return known


def _port_variable(
    plan: Plan, evidence: Evidence, ecosystems: Iterable[Ecosystem]
) -> dict[str, str]:
    """What a server takes by itself where its variable is not set, a web server's settings must be
    told."""
    server = file_server(evidence.view)
    if (
        plan.final is None
        or not plan.final.server
        or not isinstance(server, FileServer)
        or server.port is not None
    ):
        return {}
    servers = [item.web_server for item in ecosystems if item.web_server is not None]
    told = {
        facts.templates_go_to: "only the web server's entry script reads it" for facts in servers
    }
    return {**told, server.port_variable: f"the port that {server.program} takes by itself"}


def _start(plan: Plan, candidate: ImageView) -> Start | None:
    """The base's entry script is left out; the command stays as it is."""
    if plan.final is None or not plan.final.entry_script:
        return None
    reason = f"{plan.final.entry_script} only starts the command"
    return Start(candidate.config.entrypoint or (), candidate.config.cmd or (), reason)


def _launchers(plan: Plan, evidence: Evidence) -> tuple[Drop, ...]:
    """What only the original's start opened, where the new start is another one."""
    if plan.final is None or plan.final.start_words == original_start(evidence):
        return ()
    explained = explained_by_start(evidence, plan.final.start_words, plan.final.entry_script)
    return (
        Drop("only the original's start command needed it", matches=explained, even_if_opened=True),
    )


def _drops(plan: Plan) -> tuple[Drop, ...]:
    drops = (
        [Drop("the ignore file keeps it out of the build", plan.kept_out)] if plan.kept_out else []
    )
    drops += [drop for effect in of_kind(plan.effects, Effect) for drop in effect.drops()]
    if plan.final is None:
        return tuple(drops)
    carved = plan.final.carved
    return (
        *drops,
        *drops_by_reason({path: carved.fates[path].reason for path in carved.paths("dropped")}),
    )


def _by_effects(plan: Plan, evidence: Evidence) -> Iterator[DroppedPackage]:
    for effect in of_kind(plan.effects, Effect):
        yield from effect.packages(evidence)


def _tools(plan: Plan) -> tuple[DroppedPackage, ...]:
    return tuple(
        DroppedPackage(name, "a build tool that nothing opened") for name in plan.removed_tools
    )
