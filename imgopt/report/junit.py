"""JUnit XML as GitLab, Jenkins and others take it: one test case per rule and image, failed by
findings of level error.

Limits of GitLab's unit test reports: below 30 MB a file, 500,000 cases, 250,000 XML objects; equal
names are dropped.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree

from imgopt.report.common import safe_terminal, shorten
from imgopt.report.surface import capped, details_of, message_of
from imgopt.results.ci import CiResult, Finding, ImageCheck, RuleOutcome

CASES = 40_000
_SHOWN = 20
_LINE = 500
_ORDER = ("failed", "accepted", "not-measured", "no-baseline", "passed")


def junit(result: CiResult) -> str:
    """The whole document; times are zero, since a size takes none."""
    root = ElementTree.Element("testsuites", name="imgopt ci")
    left = CASES
    totals: Counter[str] = Counter()
    for image in result.images:
        suite, counts = _suite(image, max(1, left))
        left -= counts["tests"]
        totals.update(counts)
        root.append(suite)
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(totals[name]))
    root.set("time", "0")
    ElementTree.indent(root)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        + ElementTree.tostring(root, encoding="unicode")
        + "\n"
    )


def _suite(image: ImageCheck, most: int) -> tuple[ElementTree.Element, Counter[str]]:
    ranked = sorted(image.rules, key=lambda rule: _ORDER.index(rule.verdict))
    rules, left = capped(ranked, most)
    name = safe_terminal(f"{image.name} {image.platform}")
    suite = ElementTree.Element("testsuite", name=name)
    findings: dict[tuple[str, str], list[Finding]] = {}
    for finding in image.findings:
        findings.setdefault(_group(finding), []).append(finding)
    counts = Counter(tests=len(rules))
    seen: Counter[str] = Counter()
    for rule in rules:
        title = safe_terminal(shorten(f"{rule.rule} {rule.subject}".strip(), 200))
        seen[title] += 1
        unique = title if seen[title] == 1 else f"{title} #{seen[title]}"
        case = ElementTree.SubElement(
            suite, "testcase", classname=f"imgopt.ci.{name}", name=unique, time="0"
        )
        _fill(case, rule, findings.get((rule.rule, rule.subject), []), counts)
    for key in ("tests", "failures", "errors", "skipped"):
        suite.set(key, str(counts[key]))
    suite.set("time", "0")
    if left:
        ElementTree.SubElement(suite, "system-out").text = f"{left} more rules are not listed here"
    return suite, counts


def _group(finding: Finding) -> tuple[str, str]:
    """Rules that find files have one outcome for all of them."""
    return finding.rule, "" if finding.unit == "none" else finding.subject


def _fill(
    case: ElementTree.Element, rule: RuleOutcome, findings: Sequence[Finding], counts: Counter[str]
) -> None:
    if rule.verdict == "failed" and rule.level == "error":
        counts["failures"] += 1
        failure = ElementTree.SubElement(
            case, "failure", message=safe_terminal(shorten(rule.reason, _LINE))
        )
        failure.set("type", rule.rule)
        failure.text = _text(findings)
    elif rule.verdict == "failed":
        ElementTree.SubElement(case, "system-out").text = f"{rule.level}: {_text(findings)}"
    elif rule.verdict != "passed":
        counts["skipped"] += 1
        reason = safe_terminal(shorten(f"{rule.verdict}: {rule.reason}", _LINE))
        ElementTree.SubElement(case, "skipped", message=reason)


def _text(findings: Sequence[Finding]) -> str:
    shown, left = capped(findings, _SHOWN)
    lines = [
        line
        for finding in shown
        for line in (message_of(finding, _LINE), *(f"  {d}" for d in details_of(finding)))
    ]
    return "\n".join([*lines, f"and {left} more"] if left else lines)
