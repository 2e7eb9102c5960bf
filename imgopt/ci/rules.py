"""Rules on figures: what is allowed, whether it holds, and what is said when it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

import msgspec

from imgopt.ci.measures import (
    Measure,
    Sides,
    package_measure,
    path_measure,
    size_measure,
    size_measures,
)
from imgopt.ci.settings import Budget, CiSettings, Rule
from imgopt.results.ci import Finding, Level, Metric, RuleOutcome, RuleVerdict, Unit
from imgopt.results.size_text import exact_size, size_text, two_sizes

_LABELS: Mapping[str, str] = {
    "total": "the image",
    "own-layers": "what the Dockerfile adds to its base",
    "base": "the base image",
    "wasted": "bytes shipped for nothing",
    "junk": "junk",
    "layers": "the number of layers",
    "rebuild": "what a typical change rebuilds",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """One rule's outcome and what it found; findings have neither place nor causes yet."""

    outcome: RuleOutcome
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Who:
    """Of which image the findings speak."""

    image: str
    platform: str


def judge(settings: CiSettings, sides: Sides, who: Who, user: str) -> list[Judged]:
    """Every rule that is not off, in the order of the settings' defaults; then the budgets."""
    measures = size_measures(sides, settings.rules)
    judged: list[Judged] = []
    for name, rule in settings.rules.items():
        if rule.level == "off":
            continue
        if name in measures:
            judged.append(_judge_size(name, rule, measures[name], sides, who))
        else:
            judged.append(_PLAIN[name](rule, sides, who, user))
    for budget in _on(settings.paths):
        measure = path_measure(sides, budget)
        judged += [_judge_figure("path", budget.match, budget.rule, measure, who, "live")]
    for budget in _on(settings.packages):
        measure = package_measure(sides, budget)
        judged += [_judge_figure("package", budget.match, budget.rule, measure, who, "live")]
    return judged


def _judge_size(name: str, rule: Rule, measure: Measure, sides: Sides, who: Who) -> Judged:
    """Where the compression is another one, a limit holds for the wire size as it is, and growth is
    that of the contents."""
    metric = rule.metric or sides.metric
    if metric != "wire" or sides.codecs is None or name not in ("total", "own-layers", "base"):
        return _judge_figure(name, "", rule, measure, who, metric)
    limit = _judge_figure(
        name, "", msgspec.structs.replace(rule, max_growth=None), measure, who, metric
    )
    if limit.findings:
        return limit
    growth = msgspec.structs.replace(rule, max=None)
    contents = size_measure(name, sides, "tar")
    return _judge_figure(name, "", growth, contents, who, "tar")


def _on(budgets: Sequence[Budget]) -> list[Budget]:
    return [budget for budget in budgets if budget.rule.level != "off"]


def figures(judged: Sequence[Judged]) -> dict[str, int]:
    """What the baseline keeps for the next comparison."""
    kept: dict[str, int] = {}
    for item in judged:
        outcome = item.outcome
        if outcome.measured is not None and outcome.rule in (
            "wasted",
            "junk",
            "layers",
            "rebuild",
            "path",
            "package",
        ):
            kept[f"{outcome.rule} {outcome.subject}".strip()] = outcome.measured
    return kept


def finding_id(rule: str, subject: str, who: Who) -> str:
    """The same in every run: no figures, no lines."""
    return ":".join(part for part in (rule, who.image, who.platform, subject) if part)


def _judge_figure(
    name: str, subject: str, rule: Rule, measure: Measure, who: Who, metric: Metric
) -> Judged:
    level: Level = rule.level if rule.level != "off" else "info"
    outcome = RuleOutcome(
        rule=name,
        subject=subject,
        level=level,
        verdict="passed",
        unit=measure.unit,
        measured=measure.now,
        before=measure.before,
    )
    if measure.now is None:
        return Judged(_with(outcome, verdict="not-measured", reason=measure.reason))
    breaches = list(_breaches(rule, measure))
    if breaches:
        kind, limit = max(breaches, key=lambda breach: -breach[1])
        if measure.error and measure.now - measure.error <= limit:
            reason = f"the wire size is an estimate, within {size_text(measure.error)} of the limit"
            return Judged(_with(outcome, verdict="not-measured", limit=limit, reason=reason))
        message = _message(name, subject, kind, measure, limit, metric)
        finding = Finding(
            id=finding_id(name, subject, who),
            rule=name,
            level=level,
            image=who.image,
            platform=who.platform,
            message=message,
            subject=subject,
            unit=measure.unit,
            measured=measure.now,
            limit=limit,
            before=measure.before,
        )
        return Judged(_with(outcome, verdict="failed", limit=limit, reason=message), (finding,))
    if rule.max_growth is not None and measure.before is None and rule.max is None:
        return Judged(
            _with(outcome, verdict="no-baseline", reason="there is nothing to compare with")
        )
    return Judged(_with(outcome, limit=_tightest(rule, measure)))


def _with(outcome: RuleOutcome, **fields: object) -> RuleOutcome:
    return msgspec.structs.replace(outcome, **fields)


def _breaches(rule: Rule, measure: Measure) -> Iterator[tuple[str, int]]:
    assert measure.now is not None
    for kind, limit in _limits(rule, measure):
        if measure.now > limit:
            yield kind, limit


def _limits(rule: Rule, measure: Measure) -> Iterator[tuple[str, int]]:
    if rule.max is not None:
        yield "max", rule.max.of(measure.whole)
    if rule.max_growth is not None and measure.before is not None:
        yield "growth", measure.before + rule.max_growth.of(measure.before)


def _tightest(rule: Rule, measure: Measure) -> int | None:
    return min((limit for _, limit in _limits(rule, measure)), default=None)


def _message(
    name: str, subject: str, kind: str, measure: Measure, limit: int, metric: Metric
) -> str:
    """Numbers are written so that no two different ones look equal."""
    label = _LABELS.get(name, f"{name} {subject}")
    unit = f" ({metric})" if name in ("total", "own-layers", "base") else ""
    assert measure.now is not None
    if kind == "growth":
        before = measure.before or 0
        grown, allowed = amounts(measure.now - before, limit - before, measure.unit)
        was, now = amounts(before, measure.now, measure.unit)
        return f"{label} grew by {grown} from {was} to {now}{unit}; {allowed} allowed"
    now, allowed = amounts(measure.now, limit, measure.unit)
    verb = "are" if name == "wasted" else "is"
    return f"{label} {verb} {now}{unit}; {allowed} allowed"


def amounts(one: int, other: int, unit: Unit) -> tuple[str, str]:
    """Both as text; in bytes where rounding would hide that they differ."""
    if unit != "bytes":
        return str(one), str(other)
    texts = two_sizes(one, other)
    return (exact_size(one), exact_size(other)) if one != other and texts[0] == texts[1] else texts


def _setuid(rule: Rule, sides: Sides, who: Who, _: str) -> Judged:
    """Files with setuid or setgid that the own layers brought and the baseline does not know."""
    if not sides.facts.complete:
        return _unread("setuid", rule)
    known = set(sides.before.setuid) if sides.before else set()
    new = [path for path in sides.facts.setuid if path not in known and not _allowed(path, rule)]
    return _each(
        "setuid", rule, new, who, "new setuid or setgid program: {}", "remove the bit: chmod a-s {}"
    )


def _secrets(rule: Rule, sides: Sides, who: Who, _: str) -> Judged:
    """Always judged, baseline or not: a secret does not become harmless by being known."""
    if not sides.facts.complete:
        return _unread("secrets", rule)
    found = [path for path in sides.facts.secrets if not _allowed(path, rule)]
    hint = "pass it with RUN --mount=type=secret, and change it if the image was ever pushed"
    return _each("secrets", rule, found, who, "looks like a secret: {}", hint)


def _root_user(rule: Rule, _: Sides, who: Who, user: str) -> Judged:
    name = user.partition(":")[0]
    found = ["root"] if name in ("", "root") or (name.isdigit() and int(name) == 0) else []
    return _each("root-user", rule, found, who, "the image runs as {}", "add a USER instruction")


_PLAIN = {"setuid": _setuid, "secrets": _secrets, "root-user": _root_user}


def _allowed(path: str, rule: Rule) -> bool:
    return any(fnmatchcase(path, glob.replace("**", "*")) for glob in rule.allow)


def _unread(name: str, rule: Rule) -> Judged:
    level: Level = rule.level if rule.level != "off" else "info"
    reason = "only the manifest was read; --pull reads the layers"
    return Judged(
        RuleOutcome(rule=name, level=level, verdict="not-measured", unit="count", reason=reason)
    )


def _each(
    name: str, rule: Rule, subjects: Sequence[str], who: Who, message: str, hint: str
) -> Judged:
    level: Level = rule.level if rule.level != "off" else "info"
    findings = tuple(
        Finding(
            id=finding_id(name, subject, who),
            rule=name,
            level=level,
            image=who.image,
            platform=who.platform,
            message=message.format(subject),
            subject=subject,
            unit="none",
            measured=1,
            limit=0,
            hint=hint.format(subject),
        )
        for subject in subjects
    )
    reason = f"{len(findings)}: {', '.join(subjects[:3])}" if findings else ""
    verdict: RuleVerdict = "failed" if findings else "passed"
    outcome = RuleOutcome(
        rule=name,
        level=level,
        verdict=verdict,
        unit="count",
        measured=len(findings),
        limit=0,
        reason=reason,
    )
    return Judged(outcome, findings)
