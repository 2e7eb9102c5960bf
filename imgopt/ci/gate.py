"""Holds images against the baseline: `imgopt ci check`, and the same from Python.

>>> from imgopt.ci import check
>>> check(["app=app:dev"]).status                                   # doctest: +SKIP
'passed'
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from imgopt import __version__
from imgopt.ci.attribution import attribute
from imgopt.ci.codecs import other_codecs
from imgopt.ci.entries import Accepted, Entry, entry_key, make_entry
from imgopt.ci.explain import explain
from imgopt.ci.facts import Facts
from imgopt.ci.measured import Measured, measure
from imgopt.ci.measures import LiveFile, Sides, live_files
from imgopt.ci.rebuild import Rebuild, expected_rebuild
from imgopt.ci.rules import Judged, Who, figures, judge
from imgopt.ci.settings import CiSettings
from imgopt.ci.subjects import Subject
from imgopt.ci.unbuilt import not_built
from imgopt.errors import InputError, Location
from imgopt.results.ci import (
    Attribution,
    CiResult,
    Finding,
    ImageCheck,
    Metric,
    RuleOutcome,
    State,
    Status,
)


@dataclass(frozen=True)
class Gate:
    """What images are held against: the entries of a baseline, and the rules. `against` says where
    they come from."""

    settings: CiSettings
    entries: Mapping[str, Entry] | None
    baseline: str
    against: str
    today: datetime.date = field(default_factory=datetime.date.today)
    pull: bool = False
    build_args: Mapping[str, str] = field(default_factory=dict)
    suggest: bool = True
    """Whether the rewriter is asked for the offending lines."""


@dataclass(frozen=True)
class Checked:
    """The verdict on one image, and the entry that would record it."""

    check: ImageCheck
    entry: Entry
    judged: tuple[Judged, ...]
    facts: Facts


def check_images(subjects: Sequence[Subject], gate: Gate) -> tuple[CiResult, list[Checked]]:
    """Measures and judges every image; one that was not built is a finding, and no reason to leave
    out the others.

    Raises InputError for a baseline of another metric or platform.
    """
    checked = {
        subject: check_image(subject, gate) for subject in subjects if subject.failure is None
    }
    images = [
        checked[subject].check if subject in checked else not_built(subject) for subject in subjects
    ]
    return (
        CiResult(
            status=status_of(images),
            metric=gate.settings.metric,
            baseline=gate.baseline,
            against=gate.against,
            tool=__version__,
            baseline_required=gate.settings.on_missing_baseline == "error",
            images=images,
        ),
        list(checked.values()),
    )


def status_of(images: Sequence[ImageCheck]) -> Status:
    """The worst: failed, then no-baseline, then warned."""
    levels = {finding.level for image in images for finding in image.findings}
    if "error" in levels:
        return "failed"
    if any(image.state == "no-baseline" for image in images):
        return "no-baseline"
    return "warned" if "warn" in levels else "passed"


def check_image(subject: Subject, gate: Gate) -> Checked:
    """Measures one image and judges it."""
    settings = gate.settings.for_image(subject.name)
    measured = measure(subject, _likely_entry(subject, gate), pull=gate.pull)
    _refuse_unread(measured, settings)
    before, reason = _entry_of(measured, gate)
    codecs = other_codecs(before, measured.facts) if before is not None else None
    sides = _sides(measured, before, settings, gate, codecs)
    who = Who(subject.name, measured.image.platform)
    judged = judge(settings, sides, who, measured.image.config.user)
    entry = _new_entry(measured, judged)
    metric: Metric = "tar" if codecs and settings.metric == "wire" else settings.metric
    attribution = _attribution(measured, before, metric)
    judged = [_accepting(item, before, gate.today) for item in judged]
    found = [finding for item in judged for finding in item.findings]
    findings = explain(
        found, attribution, measured, rebuild_line=sides.rebuild.line, suggest=gate.suggest
    )
    check = _image_check(
        measured, before, reason, attribution, [item.outcome for item in judged], findings
    )
    check = msgspec.structs.replace(check, metric=metric if metric != settings.metric else None)
    return Checked(
        _with_notes(check, before, gate.today, codecs), entry, tuple(judged), measured.facts
    )


def _refuse_unread(measured: Measured, settings: CiSettings) -> None:
    """A manifest knows only wire sizes: a gate on another metric would pass without having measured
    anything."""
    if not measured.facts.complete and settings.metric != "wire":
        raise InputError(
            f"{measured.image.reference}: the manifest has no {settings.metric} sizes",
            hint='set `metric = "wire"` in [ci], or read the layers too with --pull',
        )


def _likely_entry(subject: Subject, gate: Gate) -> Entry | None:
    entries = gate.entries or {}
    if subject.platform:
        return entries.get(entry_key(subject.name, subject.platform))
    return next((entry for entry in entries.values() if entry.image == subject.name), None)


def _entry_of(measured: Measured, gate: Gate) -> tuple[Entry | None, str]:
    """The entry to compare with, or the reason why there is none. Raises InputError for one that
    does not fit."""
    if gate.entries is None:
        return None, f"{gate.against} does not exist"
    name, platform = measured.subject.name, measured.image.platform
    entry = gate.entries.get(entry_key(name, platform))
    if entry is None:
        other = sorted(item.platform for item in gate.entries.values() if item.image == name)
        if other and measured.subject.platform is None:
            raise InputError(
                f"the entry {entry_key(name, other[0])!r} is of another platform: this image is"
                f" {platform}",
                location=Location(gate.baseline),
                hint=f"record it with `imgopt ci baseline --platform {platform}`",
            )
        return None, f"{gate.against} has no entry {entry_key(name, platform)!r}"
    _check_comparable(entry, measured, gate)
    return entry, ""


def _check_comparable(entry: Entry, measured: Measured, gate: Gate) -> None:
    metric = gate.settings.metric
    place = Location(gate.baseline)
    if entry.sizes.of(metric) is None:
        raise InputError(
            f"the entry {entry.key!r} has no {metric} size: it was recorded from a {entry.source}",
            location=place,
            hint='set `metric = "wire"`, or record it again from an image whose layers are here',
        )
    now = measured.facts.sizes
    if (
        metric == "wire"
        and now.wire is not None
        and entry.sizes.wire_estimated != now.wire_estimated
    ):
        was, is_ = (
            "estimated" if sizes.wire_estimated else "measured" for sizes in (entry.sizes, now)
        )
        raise InputError(
            f"the entry {entry.key!r} has a wire size that was {was}, here it is {is_}",
            location=place,
            hint="compare images of the same kind of source, or use the metric tar",
        )
    codecs = other_codecs(entry, measured.facts) if metric == "wire" else None
    if codecs and None in (entry.sizes.tar, now.tar):
        raise InputError(
            f"the layers of the entry {entry.key!r} are compressed otherwise ({codecs}), and"
            " without the sizes of the contents nothing can be compared",
            location=place,
            hint="--pull reads the layers; `imgopt ci baseline` records the new compression",
        )


def _sides(
    measured: Measured,
    before: Entry | None,
    settings: CiSettings,
    gate: Gate,
    codecs: str | None,
) -> Sides:
    live: tuple[LiveFile, ...] = ()
    if settings.paths and measured.facts.complete:
        live = live_files(measured.image.tree())
    rebuild = Rebuild(None)
    if settings.rules["rebuild"].level != "off":
        rebuild = expected_rebuild(measured, gate.build_args)
    return Sides(measured.facts, before, settings.metric, live, rebuild, codecs)


def _attribution(measured: Measured, before: Entry | None, metric: Metric) -> Attribution | None:
    if before is None or measured.facts.sizes.of(metric) is None:
        return None
    return attribute(before, measured.now, metric)


def _new_entry(measured: Measured, judged: Sequence[Judged]) -> Entry:
    return make_entry(
        measured.facts,
        image=measured.subject.name,
        platform=measured.image.platform,
        digest=measured.image.digest,
        source=measured.image.source,
        tool=__version__,
        base=measured.base,
        texts=measured.texts(),
        figures=figures(judged),
    )


def _accepting(item: Judged, before: Entry | None, today: datetime.date) -> Judged:
    """Findings that were taken knowingly, up to the figure they had then, are no findings."""
    accepted = before.accepted if before else None
    if accepted is None or is_over(accepted, today):
        return item
    left = tuple(finding for finding in item.findings if not _is_accepted(finding, accepted))
    if len(left) == len(item.findings):
        return item
    until = f" until {accepted.until}" if accepted.until else ""
    outcome: RuleOutcome = item.outcome
    if not left:
        outcome = msgspec.structs.replace(
            outcome, verdict="accepted", reason=f"accepted{until}: {accepted.because}"
        )
    return Judged(outcome, left)


def _is_accepted(finding: Finding, accepted: Accepted) -> bool:
    figure = accepted.figures.get(finding.id)
    return figure is not None and (finding.measured or 0) <= figure


def is_over(accepted: Accepted, today: datetime.date) -> bool:
    """An acceptance holds through its date."""
    return accepted.until is not None and today > datetime.date.fromisoformat(accepted.until)


def _image_check(
    measured: Measured, before: Entry | None, reason: str, attribution: Attribution | None,
    rules: list[RuleOutcome], findings: list[Finding],
) -> ImageCheck:  # fmt: skip
    subject, image = measured.subject, measured.image
    state: State = (
        "no-baseline"
        if before is None
        else "unchanged"
        if before.digest == image.digest
        else "compared"
    )
    return ImageCheck(
        name=subject.name,
        platform=image.platform,
        reference=image.reference,
        source=image.source,
        digest=image.digest,
        state=state,
        sizes=measured.facts.sizes,
        before=before.sizes if before else None,
        reason=reason,
        dockerfile=measured.shown(subject.dockerfile) if subject.dockerfile else None,
        attribution=attribution,
        rules=rules,
        findings=findings,
        notes=list(measured.notes),
        smaller=attribution is not None and attribution.delta < 0,
    )


def _with_notes(
    check: ImageCheck, before: Entry | None, today: datetime.date, codecs: str | None
) -> ImageCheck:
    notes = list(check.notes)
    if codecs:
        notes.append(
            f"the layers are compressed otherwise ({codecs}): wire sizes are no measure of growth,"
            " so that of the contents (tar) counts; `imgopt ci baseline` records the new ones"
        )
    accepted = before.accepted if before else None
    if accepted is not None and is_over(accepted, today):
        notes.append(
            f"the growth accepted until {accepted.until} ({accepted.because}) counts again"
        )
    base = check.attribution.base if check.attribution else None
    if base is not None and base.detail:
        notes.append(f"the base is another one: {base.detail}")
    return msgspec.structs.replace(check, notes=notes)
