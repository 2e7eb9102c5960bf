"""The result of `imgopt deploy check`: for people, for pull requests, and for the places where CI
shows findings on lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

from rich.console import Group, RenderableType

from imgopt import __version__
from imgopt.report.common import (
    COMMENT_LIMIT,
    count_text,
    fit_markdown,
    safe_markdown,
    safe_terminal,
    shorten,
    table_markdown,
)
from imgopt.report.github import ANNOTATIONS, workflow_command
from imgopt.report.layout import Words
from imgopt.report.sarif import RESULTS, SCHEMA
from imgopt.results.deploy import LEVELS, DeployCheck, DeployFinding, NotChecked

_STYLES = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}
_TEXT = 1_000
_SEVERITIES = {"error": "major", "warning": "minor", "note": "info"}
_COMMANDS = {"error": "error", "warning": "warning", "note": "notice"}


def headline(result: DeployCheck) -> str:
    """ "2 errors, 1 warning, 0 notes in 3 files (5 objects)"."""
    counts = ", ".join(count_text(result.counts[level], level) for level in LEVELS)
    where = count_text(len(result.files), "file")
    looked = f"; looked into {', '.join(result.images)}" if result.images else ""
    return f"{counts} in {where} ({count_text(result.objects, 'object')}){looked}"


def place(one: DeployFinding | NotChecked) -> str:
    return ":".join(str(part) for part in (one.file, one.line) if part)


def text(result: DeployCheck) -> RenderableType:
    """The worst first; what it rests on and what to do below each."""
    parts: list[RenderableType] = []
    for one in result.findings:
        line = Words()
        line.append(f"{one.level} {one.id} ", style=_STYLES[one.level])
        line.append(safe_terminal(f"{place(one)} {one.object}: {one.message}"))
        parts += [line, *_below("because", one.evidence), *_below("fix", one.fix)]
    for taken in result.accepted:
        said = f"{taken.finding.id} {place(taken.finding)} accepted: {taken.because}"
        parts.append(Words(safe_terminal(said), style="dim"))
    for left in result.not_checked:
        style = "bold red" if left.bad else "dim"
        parts.append(Words(safe_terminal(_left(left)), style=style))
        parts += _below("fix", left.fix)
    parts.append(Words(safe_terminal(headline(result)), style="bold"))
    return Group(*parts)


def _below(what: str, said: str) -> list[RenderableType]:
    return [Words(f"    {what}: {safe_terminal(said)}")] if said else []


def _left(one: NotChecked) -> str:
    where = f"{place(one)}: " if one.file and one.what != one.file else ""
    word = "not read" if one.bad else "not checked"
    at = f":{one.line}" if one.what == one.file and one.line else ""
    return f"{word} {where}{one.what}{at}: {one.reason}"


def markdown(result: DeployCheck) -> str:
    """For a comment on a pull request."""
    parts = [f"### imgopt deploy check: {safe_markdown(headline(result))}"]
    if result.findings:
        rows = [_row(one) for one in result.findings[:200]]
        heads = ("", "rule", "where", "what", "because", "fix")
        parts.append(table_markdown(heads, rows))
    if result.accepted:
        rows = [
            [one.finding.id, safe_markdown(place(one.finding)), safe_markdown(one.because)]
            for one in result.accepted
        ]
        parts.append("Accepted:\n\n" + table_markdown(("rule", "where", "because"), rows))
    if result.not_checked:
        listed = [f"- {safe_markdown(_left(one))}" for one in result.not_checked[:100]]
        parts.append("\n".join(["Not checked:", "", *listed]))
    return fit_markdown(parts, COMMENT_LIMIT)


def _row(one: DeployFinding) -> list[str]:
    what = f"{one.object}: {one.message}" if one.object else one.message
    cells = (place(one), what, one.evidence, one.fix)
    return [one.level, one.id, *(safe_markdown(shorten(cell, 300)) for cell in cells)]


def _message(one: DeployFinding) -> str:
    parts = [f"{one.object}: {one.message}" if one.object else one.message]
    parts += [one.evidence] if one.evidence else []
    parts += [f"fix: {one.fix}"] if one.fix else []
    return "\n".join(safe_terminal(shorten(part, _TEXT)) for part in parts)


def _fingerprint(one: DeployFinding) -> str:
    """The same as long as rule, object and sentence are: lines move."""
    said = "\0".join((one.id, one.file, one.object, one.message))
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def sarif(result: DeployCheck) -> str:
    """SARIF 2.1.0, as GitHub code scanning takes it."""
    shown = result.findings[:RESULTS]
    names = list(dict.fromkeys(one.id for one in shown))
    run = {
        "tool": {
            "driver": {
                "name": "imgopt",
                "semanticVersion": __version__,
                "rules": [_sarif_rule(name) for name in names],
            }
        },
        "automationDetails": {"id": "imgopt-deploy-check/"},
        "columnKind": "unicodeCodePoints",
        "results": [_sarif_result(one, names.index(one.id)) for one in shown],
        "properties": {"resultsLeftOut": len(result.findings) - len(shown)},
    }
    document = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def _sarif_rule(name: str) -> dict[str, Any]:
    from imgopt.deploy.check.rules import RULES

    rule = next((one for one in RULES if one.id == name), None)
    title = rule.title if rule is not None else "A comment that accepts nothing"
    made: dict[str, Any] = {
        "id": name,
        "name": rule.name if rule is not None else "comment",
        "shortDescription": {"text": title},
        "fullDescription": {"text": rule.why if rule is not None else title},
        "properties": {"tags": ["container-image", "deployment"]},
    }
    if rule is not None and rule.reference.startswith("https:"):
        made["helpUri"] = rule.reference
    return made


def _sarif_result(one: DeployFinding, index: int) -> dict[str, Any]:
    line = one.line or 1
    uri = quote((one.file or "-").encode("utf-8", "surrogateescape"), safe="/")
    region = {"startLine": line, "endLine": line}
    location = {
        "artifactLocation": {"uri": uri, "uriBaseId": "%SRCROOT%"},
        "region": region,
    }
    return {
        "ruleId": one.id,
        "ruleIndex": index,
        "level": one.level,
        "message": {"text": _message(one)[:_TEXT]},
        "locations": [{"physicalLocation": location}],
        "partialFingerprints": {"primaryLocationLineHash": f"{_fingerprint(one)[:16]}:1"},
    }


def github(result: DeployCheck) -> str:
    """Workflow commands: at most ten of a level are shown, so the last one counts the rest."""
    lines: list[str] = []
    for level, word in _COMMANDS.items():
        found = [one for one in result.findings if one.level == level]
        shown = found if len(found) <= ANNOTATIONS else found[: ANNOTATIONS - 1]
        for one in shown:
            at = {"file": one.file, "line": str(one.line or 1), "title": f"imgopt: {one.id}"}
            lines.append(workflow_command(word, at, shorten(_message(one), 4_000)))
        if len(found) > len(shown):
            said = f"and {len(found) - len(shown)} more {word}s"
            lines.append(workflow_command(word, {"title": "imgopt"}, said))
    for left in (one for one in result.not_checked if one.bad):
        at = {"file": left.file, "line": str(left.line or 1), "title": "imgopt: not read"}
        lines.append(
            workflow_command("error", at, safe_terminal(f"{left.reason} {left.fix}".strip()))
        )
    return "".join(f"{line}\n" for line in lines)


def gitlab(result: DeployCheck) -> str:
    """GitLab's code quality report; each fingerprint once."""
    issues = {
        _fingerprint(one): {
            "description": _message(one).replace("\n", "; ")[:_TEXT],
            "check_name": f"imgopt/{one.id}",
            "fingerprint": _fingerprint(one),
            "severity": _SEVERITIES[one.level],
            "location": {
                "path": safe_terminal(one.file.removeprefix("./")),
                "lines": {"begin": one.line or 1},
            },
        }
        for one in result.findings
    }
    return json.dumps(list(issues.values()), ensure_ascii=False, indent=1) + "\n"


def junit(result: DeployCheck) -> str:
    """One suite a file, one case a rule that found something; findings of level error fail it, what
    could not be read is an error."""
    root = ElementTree.Element("testsuites", name="imgopt deploy check", time="0")
    files = dict.fromkeys([*result.files, *(one.file for one in result.findings)])
    for file in files:
        _suite(root, file, [one for one in result.findings if one.file == file])
    for left in (one for one in result.not_checked if one.bad):
        suite = _counted(root, left.file, tests=1, failures=0, errors=1)
        of = {"classname": "imgopt.deploy", "name": "read", "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", of)
        ElementTree.SubElement(case, "error", message=safe_terminal(shorten(left.reason, 500)))
    for key in ("tests", "failures", "errors"):
        root.set(key, str(sum(int(suite.get(key, "0")) for suite in root)))
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _counted(root: ElementTree.Element, name: str, **counts: int) -> ElementTree.Element:
    shown = {"name": safe_terminal(name)} | {key: str(count) for key, count in counts.items()}
    return ElementTree.SubElement(root, "testsuite", shown)


def _suite(root: ElementTree.Element, file: str, found: Sequence[DeployFinding]) -> None:
    rules = list(dict.fromkeys(one.id for one in found)) or ["rules"]
    failed = {one.id for one in found if one.level == "error"}
    suite = _counted(root, file, tests=len(rules), failures=len(failed), errors=0)
    for rule in rules:
        of = {"classname": "imgopt.deploy", "name": rule, "time": "0"}
        case = ElementTree.SubElement(suite, "testcase", of)
        mine = [one for one in found if one.id == rule]
        if rule in failed:
            said = safe_terminal(shorten(mine[0].message, 500))
            failure = ElementTree.SubElement(case, "failure", type=rule, message=said)
            failure.text = "\n".join(_lines(mine))
        elif mine:
            ElementTree.SubElement(case, "system-out").text = "\n".join(_lines(mine))


def _lines(found: Iterable[DeployFinding]) -> list[str]:
    every = [f"{one.level}: {safe_terminal(place(one))}: {_message(one)}" for one in found]
    left = [f"and {len(every) - 20} more"] if len(every) > 20 else []
    return [*every[:20], *left]
