"""The check: files are read, their images opened, every rule asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from imgopt.deploy.check.accepted import Span, sorted_out, words_of
from imgopt.deploy.check.given import Inputs, Part
from imgopt.deploy.check.inputs import read_inputs
from imgopt.deploy.check.nodes import Node
from imgopt.deploy.check.opened import Open, Opened, opened
from imgopt.deploy.check.rule import Found, Rule
from imgopt.deploy.check.rules import RULES
from imgopt.deploy.check.situation import Situation
from imgopt.results.deploy import LEVELS, DeployCheck, DeployFinding, NotChecked


def check(
    paths: Sequence[Path],
    images: Sequence[str] = (),
    facts: Sequence[str] = (),
    open_: Open | None = None,
) -> DeployCheck:
    """Files, folders and "-" held against every rule. `images` and `facts` as of `opened`, whose
    errors are raised."""
    inputs = read_inputs(paths)
    known = opened(inputs, images, facts, open_)
    found = [one for part in inputs.parts for one in _findings(part, known, inputs)]
    spans = [span for part in inputs.parts for span in _spans(part)]
    left, accepted = sorted_out(_once(found), words_of(inputs.texts), spans)
    return DeployCheck(
        files=[file for part in inputs.parts for file in part.files],
        images=sorted({*known.views, *known.facts}),
        objects=sum(len(part.objects.all) or len(part.objects.workloads) for part in inputs.parts),
        findings=sorted(left, key=_order),
        accepted=accepted,
        not_checked=[*inputs.not_checked, *known.not_checked, *_unknown(inputs, known)],
    )


def _once(found: Sequence[DeployFinding]) -> list[DeployFinding]:
    """What one line says to many (by an anchor, by a base of Kustomize) is told once."""
    groups: dict[tuple[object, ...], dict[tuple[str, str], DeployFinding]] = {}
    for one in found:
        group = groups.setdefault((one.id, one.file, one.line, one.evidence), {})
        group.setdefault((one.object, one.message), one)
    return [_of_all(list(group.values())) for group in groups.values()]


def _of_all(group: Sequence[DeployFinding]) -> DeployFinding:
    more = len(group) - 1
    said = f"{group[0].message} (and {more} more)" if more else group[0].message
    return msgspec.structs.replace(group[0], message=said)


def _findings(part: Part, known: Opened, inputs: Inputs) -> Iterator[DeployFinding]:
    built = frozenset(inputs.built)
    situation = Situation(part.objects, known.views, known.facts, inputs.texts, built)
    for rule in RULES:
        for found in rule.look(situation):
            yield _finding(rule, found)


def _finding(rule: Rule, found: Found) -> DeployFinding:
    return DeployFinding(
        id=rule.id,
        level=found.level or rule.level,
        message=found.message,
        file=found.node.file,
        line=found.node.line,
        object=found.about,
        evidence=found.evidence,
        fix=found.fix,
    )


def _order(one: DeployFinding) -> tuple[int, str, int, str]:
    return LEVELS.index(one.level), one.file, one.line or 0, one.id


def _spans(part: Part) -> Iterator[Span]:
    for node in (*part.objects.all, *(one.pod for one in part.objects.workloads if one.compose)):
        first = min((inner.line for inner in node.table.values()), default=node.line)
        first = node.line if node in (one.pod for one in part.objects.workloads) else first
        yield Span(node.file, first, _last(node))


def _last(node: Node) -> int:
    inner = [*node.table.values(), *node.items]
    return max([node.line, *(_last(one) for one in inner if one.file == node.file)])


def _unknown(inputs: Inputs, known: Opened) -> Iterator[NotChecked]:
    """Kinds that no rule knows, and the rules that had nothing to go by."""
    strange: dict[str, list[Node]] = {}
    for part in inputs.parts:
        for node in part.objects.strange:
            said = f"{node['kind'].text} ({node['apiVersion'].text})"
            strange.setdefault(said, []).append(node["kind"])
    for said, nodes in strange.items():
        more = f", here and at {len(nodes) - 1} other places" if len(nodes) > 1 else ""
        reason = f"a kind that is not known here{more}"
        yield NotChecked(what=said, reason=reason, file=nodes[0].file, line=nodes[0].line)
    measured = [rule.id for rule in RULES if "facts" in rule.needs]
    if inputs.parts and not known.facts:
        yield NotChecked(
            what=f"measured rules ({', '.join(measured)})",
            reason="no run of the image is known",
            fix="imgopt run-facts IMAGE --format json > facts.json, then --facts facts.json",
        )
