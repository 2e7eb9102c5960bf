"""A command line to paste: quoted for a shell, with the options that the one before it was
given."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from imgopt.results.optimize import OptimizeResult


def command_line(name: str, *words: Iterable[str] | str) -> str:
    """`imgopt NAME` with its words; lists of words are taken as they are. Every line that a result
    shows is made here.

    >>> command_line("optimize", ["my shop", "-f", "a/Dockerfile"], "--write")
    "imgopt optimize 'my shop' -f a/Dockerfile --write"
    """
    flat = [word for part in words for word in ([part] if isinstance(part, str) else part)]
    return shlex.join(["imgopt", name, *flat])


def words_of(arguments: list[str], context: str, dockerfile: str) -> list[str]:
    """The arguments that a result carries; of one that has none (an older one, or one of the Python
    API) what it knows of its project."""
    return arguments or [
        context,
        *(["-f", dockerfile] if dockerfile not in ("", "Dockerfile") else []),
    ]


def again(result: OptimizeResult, *more: str) -> str:
    """`imgopt optimize` as it was called."""
    words = words_of(result.arguments, result.context, result.dockerfile)
    return command_line("optimize", words, result.run_arguments, *more)


def next_command(result: OptimizeResult) -> str:
    """What to do after `imgopt optimize`, ready to paste."""
    words = words_of(result.arguments, result.context, result.dockerfile)
    if result.recommended:
        return f"Next: {again(result, '--variant', result.recommended, '--write')}"
    if result.verdict == "good":
        return f"Next: {command_line('cache', words)}   (what does a code change cost?)"
    if result.missing_bases:
        return (
            f"Next: {again(result, '--base', f'{result.missing_bases[0].names[0]}=IMAGE')}   (name"
            " an image)"
        )
    refuted = _refuted(result)
    if refuted:
        return f"Next: {again(result, '--out', 'tried')}   (tried/optimize.json: all of {refuted})"
    return (
        f"Next: {again(result)} --http PATH=TEXT --env NAME=VALUE   (say how the service is asked)"
    )


_OF_THE_RUN = ("smoke", "stop")


def _refuted(result: OptimizeResult) -> str:
    """What refuted a variant, where that is nothing that another way of asking the service would
    mend; "" where asking may help."""
    for variant in result.variants:
        failed = [check.name for check in variant.checks if check.verdict == "failed"]
        if variant.verdict == "refuted" and failed and set(failed).isdisjoint(_OF_THE_RUN):
            return f'"{failed[0]}", which refuted {variant.name}'
    return ""


def missing_lines(result: OptimizeResult) -> list[str]:
    """Bases that could not be had, each in one line with what to paste; nothing where all were
    there."""
    lines = []
    for names, variants in _by_names(result).items():
        or_other = f" (nor {', '.join(names[1:])})" if len(names) > 1 else ""
        option = shlex.join(["--base", f"{names[0]}=IMAGE"])
        lines.append(
            f"{names[0]}{or_other} cannot be pulled here, which {' and '.join(variants)} would"
            " stand on: say which "
            f'image is it: {option}, or in imgopt.toml under [bases]: "{names[0]}" = "IMAGE"'
        )
    return lines


def _by_names(result: OptimizeResult) -> dict[tuple[str, ...], list[str]]:
    found: dict[tuple[str, ...], list[str]] = {}
    for missing in result.missing_bases:
        variants = found.setdefault(tuple(missing.names), [])
        if missing.variant not in variants:
            variants.append(missing.variant)
    return found
