"""How a proof is shown, on one screen: the verdict with its figures, both sides, what failed and
what was not measured, then what passed, a line each, and the next command."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from imgopt.report.command import command_line, words_of
from imgopt.report.common import (
    block_markdown,
    code_markdown,
    count_text,
    ratio_text,
    safe_markdown,
    safe_terminal,
    seconds_text,
    table_markdown,
)
from imgopt.results.proof import Compared, ProofCheck, ProofResult
from imgopt.results.size_text import size_text, two_sizes

if TYPE_CHECKING:
    from rich.console import RenderableType

    from imgopt.report.layout import Words


_SHOWN = 6
_MARKS = {"passed": ("✓", "green"), "failed": ("✗", "red"), "not measured": ("–", "yellow")}
_STYLES = {"proven": "bold green", "refuted": "bold red"}
_ORDER = ("failed", "not measured", "passed")


def text(result: ProofResult) -> RenderableType:
    """For the terminal."""
    from rich.console import Group

    from imgopt.report.asked import asked_text
    from imgopt.report.layout import Words

    word = (f"{safe_terminal(result.verdict)}: ", _STYLES.get(result.verdict, "bold yellow"))
    lines: list[RenderableType] = [Words.assemble(word, safe_terminal(headline(result)))]
    lines += [Words(safe_terminal(result.reason))] if result.reason else []
    lines += [Words(""), _sides(result), Words(""), _checks(result.checks)]
    lines += asked_text(result.asked)
    lines.extend(_log_lines(result))
    lines.append(Words(""))
    lines.append(Words(f"Next: {_next(result)}", style="bold"))
    return Group(*lines)


def headline(result: ProofResult) -> str:
    """The verdict in plain words, with its figures; the page says the same."""
    name = result.candidate.dockerfile or result.candidate.image[:19]
    if result.verdict == "proven":
        gain = gain_text(result)
        return f"{name} does the same job. {gain + '; ' if gain else ''}{counts_text(result)}"
    if result.verdict == "refuted":
        return f"{name} does not do the same job. {counts_text(result)}"
    return f"{name} was not seen doing the same job. {counts_text(result)}"


def gain_text(result: ProofResult) -> str:
    """ "901.1 MB → 147.0 MB of uncompressed layers, 6.1x smaller"; empty where a size is not
    known."""
    before, after = result.original.tar_bytes, result.candidate.tar_bytes
    if before is None or after is None:
        return ""
    first, second = two_sizes(before, after)
    return f"{first} → {second} of uncompressed layers, {ratio_text(before, after)}"


def counts_text(result: ProofResult) -> str:
    """ "16 of 18 checks passed, 1 failed (modes), 1 not measured (smoke)"."""
    if not result.checks:
        return "Nothing was checked"
    named = {
        verdict: [check.name for check in result.checks if check.verdict == verdict]
        for verdict in _ORDER
    }
    others = [f"{len(names)} {verdict} ({', '.join(names)})" for verdict, names in named.items()
              if names and verdict != "passed"]  # fmt: skip
    return ", ".join(
        [f"{len(named['passed'])} of {count_text(len(result.checks), 'check')} passed", *others]
    )


def _sides(result: ProofResult) -> RenderableType:
    from imgopt.report.layout import Words

    return Words.assemble(
        ("original   ", "dim"),
        _side(result.original),
        "\n",
        ("candidate  ", "dim"),
        _side(result.candidate),
    )


def _side(side: Compared) -> str:
    facts = [
        side.dockerfile or side.image[:19],
        _base(side),
        f"{size_text(side.tar_bytes)} of uncompressed layers" if side.tar_bytes is not None else "",
        f"built in {seconds_text(side.build_seconds)}" if side.build_seconds is not None else "",
        f"user {side.user or 'root'}" if side.image else "not built",
    ]
    return safe_terminal(", ".join(fact for fact in facts if fact))


def _base(side: Compared) -> str:
    """What it is built on; of an image alone also that nobody can tell."""
    if side.base:
        return f"on {side.base}"
    if side.dockerfile or not side.image:
        return ""
    if side.base_layers is None:
        return "its base is not known"
    return f"on a base of {count_text(side.base_layers, 'layer')}, as its history tells"


def _checks(checks: list[ProofCheck]) -> RenderableType:
    from imgopt.report.layout import Column, Grid, Words

    rows = []
    for check in sorted(checks, key=_place):
        mark, style = _MARKS.get(check.verdict, ("?", "yellow"))
        name = Words(safe_terminal(check.name), style="bold" if check.failures else "")
        first, *more = _lines(check)
        rows.append((Words(mark, style=style), name, first))
        rows += [(Words(""), Words(""), line) for line in more]
    return Grid((Column(), Column(), Column(wraps=True)), rows)


def _place(check: ProofCheck) -> int:
    """What failed comes first, then what was not measured; else the order of the checks."""
    return _ORDER.index(check.verdict) if check.verdict in _ORDER else 0


def _lines(check: ProofCheck) -> Iterator[Words]:
    from imgopt.report.layout import Clip, Words

    said = f"not measured: {check.detail}" if check.verdict == "not measured" else check.detail
    yield (Clip if check.verdict == "passed" else Words)(safe_terminal(said))
    yield from (
        Words(safe_terminal(failure.message), style="red") for failure in check.failures[:_SHOWN]
    )
    if len(check.failures) > _SHOWN:
        yield Words(f"and {len(check.failures) - _SHOWN} more", style="red")
    for word, said in advice_of(check):
        yield Words(f"{word} {safe_terminal(said)}")
    if check.allowed:
        yield Clip(f"as intended: {safe_terminal('; '.join(check.allowed))}", style="dim")


def advice_of(check: ProofCheck) -> Iterator[tuple[str, str]]:
    """(what it is, text) of what is noticed, what to write instead, and the keys of what is shown,
    as a line to copy; each once."""
    shown = check.failures[:_SHOWN]
    for word, texts in (
        ("noticed:", [failure.notice for failure in shown]),
        ("instead:", [failure.instead for failure in shown]),
    ):
        told = list(dict.fromkeys(filter(None, texts)))
        if told:
            yield word, "; ".join(told)
    keys = list(dict.fromkeys(failure.allow for failure in shown if failure.allow))
    if keys:
        yield "meant so:", allowed_words(keys)


def allowed_words(keys: Iterable[str]) -> str:
    """`--allow` with each key once, as a shell takes it."""
    return " ".join(f"--allow {shlex.quote(key)}" for key in dict.fromkeys(keys))


def _log_lines(result: ProofResult) -> Iterator[RenderableType]:
    from imgopt.report.layout import Words

    if result.log:
        yield Words("\nThe last lines that it wrote:", style="bold")
        yield from (Words(f"  {safe_terminal(line)}") for line in result.log)
    for hint in result.hints:
        yield Words(f"What may help: {safe_terminal(hint)}", style="yellow")


def _next(result: ProofResult) -> str:
    if result.verdict == "proven":
        if not result.candidate.dockerfile or not result.original.dockerfile:
            return "imgopt diff says what it saves in bytes"
        words = words_of(result.arguments, ".", result.original.dockerfile)
        command = command_line("bench", words, "--with", result.candidate.dockerfile)
        return f"{safe_terminal(command)}   (what it saves in bytes and seconds)"
    if result.verdict == "refuted":
        return f"mend what failed and prove again{_all_meant(result)}"
    if result.hints:
        return (
            "give what the original needs to start (--env, --env-file, --http, --run), and prove"
            " again"
        )
    return "see why smoke is not measured; `imgopt doctor` says what this machine can do"


def _all_meant(result: ProofResult) -> str:
    """The whole command for differences that can all be meant, where they are few."""
    failures = [failure for check in result.checks for failure in check.failures]
    keys = list(dict.fromkeys(failure.allow for failure in failures))
    if not keys or "" in keys or len(keys) > _SHOWN:
        return "; what is meant so is said with --allow, as above" if any(keys) else ""
    words = words_of(result.arguments, result.original.image, result.original.dockerfile)
    name = result.candidate.dockerfile or result.candidate.image
    command = command_line("prove", words, result.run_arguments, "--with", name)
    return f", or, if all of this is meant: {safe_terminal(command)} {allowed_words(keys)}"


def markdown(result: ProofResult) -> str:
    """For a pull request."""
    from imgopt.report.asked import asked_markdown

    rows = [
        (
            safe_markdown(check.name),
            f"**{check.verdict}**" if check.verdict == "failed" else check.verdict,
            _evidence(check),
        )
        for check in sorted(result.checks, key=_place)
    ]
    parts = [
        f"## {safe_markdown(result.verdict)}: {safe_markdown(headline(result))}",
        safe_markdown(result.reason) if result.reason else "",
        (
            f"- original: {code_markdown(_side(result.original))}\n- candidate:"
            f" {code_markdown(_side(result.candidate))}"
        ),
        table_markdown(("check", "verdict", "what was compared"), rows),
        "\n".join(asked_markdown(result.asked)).strip(),
    ]
    if result.log:
        parts.append(block_markdown("\n".join(result.log)))
    parts += [f"- {safe_markdown(hint)}" for hint in result.hints]
    return "\n\n".join(part for part in parts if part) + "\n"


def _evidence(check: ProofCheck) -> str:
    found = [safe_markdown(check.detail)]
    found += [f"✗ {safe_markdown(failure.message)}" for failure in check.failures[:_SHOWN]]
    found += [f"and {len(check.failures) - _SHOWN} more"] if len(check.failures) > _SHOWN else []
    found += [
        f"{word} {code_markdown(said) if said.startswith('--') else safe_markdown(said)}"
        for word, said in advice_of(check)
    ]
    found += [f"as intended: {safe_markdown(text)}" for text in check.allowed[:_SHOWN]]
    return "<br>".join(found)
