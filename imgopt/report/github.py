"""GitHub Actions: annotations on lines by workflow commands, and values for the outputs of a step.

Limits: 10 annotations of each level a step, the rest would be dropped silently, so the last one
counts it. Escapes are those of actions/toolkit `command.ts`.
"""

from __future__ import annotations

import secrets

from imgopt.report.common import safe_terminal, shorten
from imgopt.report.surface import RULES, details_of, headline, message_of, place_of
from imgopt.results.ci import CiResult, Finding

ANNOTATIONS = 10
_COMMANDS = {"error": "error", "warn": "warning", "info": "notice"}
_TEXT = 4_000


def github(result: CiResult) -> str:
    """Workflow commands, one a line: errors, warnings, notices."""
    lines = []
    for level, command in _COMMANDS.items():
        findings = [finding for finding in result.findings if finding.level == level]
        shown = findings if len(findings) <= ANNOTATIONS else findings[: ANNOTATIONS - 1]
        lines += [_annotation(command, finding, result) for finding in shown]
        if len(findings) > len(shown):
            lines.append(
                workflow_command(
                    command,
                    {"title": "imgopt"},
                    f"and {len(findings) - len(shown)} more {command}s",
                )
            )
    if any(image.state == "no-baseline" for image in result.images):
        names = ", ".join(
            image.name for image in result.images[:20] if image.state == "no-baseline"
        )
        text = (
            f"no baseline for {names}: nothing was compared. Record one with `imgopt ci baseline`"
            " and commit it."
        )
        lines.append(
            workflow_command(
                "error" if result.baseline_required else "warning",
                {"title": "imgopt: no baseline"},
                text,
            )
        )
    return "".join(f"{line}\n" for line in lines)


def _annotation(command: str, finding: Finding, result: CiResult) -> str:
    place = place_of(finding, result)
    properties = {"file": place.file, "line": str(place.line or 1)}
    if place.end_line and place.end_line > (place.line or 1):
        properties["endLine"] = str(place.end_line)
    properties["title"] = f"imgopt: {RULES[finding.rule][0]}"
    text = "\n".join([message_of(finding, 1_000), *details_of(finding)])
    return workflow_command(command, properties, shorten(text, _TEXT))


def workflow_command(name: str, properties: dict[str, str], text: str) -> str:
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    lines = [safe_terminal(line) for line in text.split("\n")]
    return f"::{name} {shown}::{'%0A'.join(_data(line) for line in lines)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(safe_terminal(text)).replace(":", "%3A").replace(",", "%2C")


def outputs(result: CiResult) -> str:
    """Lines for the file $GITHUB_OUTPUT. Texts stand between delimiters that nobody can guess."""
    images = result.images
    sizes = [image.sizes.of(result.metric) for image in images]
    deltas = [image.attribution.delta for image in images if image.attribution is not None]
    levels = [finding.level for image in images for finding in image.findings]
    values = {
        "status": result.status,
        "size": str(sum(size for size in sizes if size is not None)) if None not in sizes else "",
        "delta": str(sum(deltas)) if len(deltas) == len(images) else "",
        "errors": str(levels.count("error")),
        "warnings": str(levels.count("warn")),
    }
    delimiter = f"imgopt-{secrets.token_hex(16)}"
    rows = [f"{name}={value}" for name, value in values.items()]
    text = safe_terminal(shorten(headline(result), 1_000))
    return "\n".join([*rows, f"headline<<{delimiter}", text, delimiter]) + "\n"
