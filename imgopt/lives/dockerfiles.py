"""What a later edit changes in a Dockerfile: the version of the interpreter's base, and the name of
an archive that has the project's version in it. It is the same change in the original and in a
variant, for a person makes it where the old version stands."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from imgopt.context.ecosystems import Ecosystem
from imgopt.dockerfile import Edit, Instruction, apply_edits, parse
from imgopt.rewrite.bases import family, read_base_name

_FROM_OPTION = re.compile(r"(?<=from=)[^\s,]+")
_DEFAULT = re.compile(r"\b(?P<name>\w+)=[\"']?(?P<value>[\w.-]+)[\"']?")


@dataclass(frozen=True, slots=True)
class OtherVersion:
    """The project's version where it is a part of an archive's name, as a `pattern` of its
    ecosystem says."""

    pattern: str
    new: str

    def applied(self, text: str) -> str:
        return re.sub(self.pattern, self.new, text) if self.pattern else text


@dataclass(frozen=True, slots=True)
class OtherBase:
    """The version of a base, in all references to images of its language, and in the ARG that they
    take it from."""

    old: str
    new: str
    ecosystem: Ecosystem

    def applied(self, text: str) -> str:
        edits = [edit for item in parse(text).instructions for edit in self._edits(text, item)]
        return apply_edits(text, edits)

    def images(self, text: str) -> tuple[str, ...]:
        """The references of the file that have the new version in them."""
        after = self.applied(text)
        found = [
            after[begin:end]
            for item in parse(after).instructions
            for begin, end in _references(after, item)
        ]
        return tuple(dict.fromkeys(one for one in found if _token(self.new).search(one)))

    def _edits(self, text: str, item: Instruction) -> Iterable[Edit]:
        for begin, end in _references(text, item):
            if self._is_of_language(text[begin:end]):
                now = _token(self.old).sub(self.new, text[begin:end])
                yield from [Edit(begin, end, now)] if now != text[begin:end] else []

    def _is_of_language(self, word: str) -> bool:
        found = family(read_base_name(word), [self.ecosystem])
        return found is not None or "distroless" in word or ("/" not in word and ":" not in word)


def _references(text: str, item: Instruction) -> Iterable[tuple[int, int]]:
    """Where references to images stand in an instruction, and defaults that are parts of them."""
    begin, end = item.span.start, item.span.end
    if item.keyword == "FROM":
        words = re.compile(r"\s(?!--)(\S+)")
        match = words.search(text, begin, end)
        yield from [match.span(1)] if match else []
    elif item.keyword in ("COPY", "ADD", "RUN"):
        yield from (match.span() for match in _FROM_OPTION.finditer(text, begin, end))
    elif item.keyword == "ARG":
        matches = _DEFAULT.finditer(text, begin, end)
        yield from (one.span("value") for one in matches if _is_in_from(text, one["name"]))


def _is_in_from(text: str, name: str) -> bool:
    return re.search(rf"(?im)(?:^\s*from\s|from=)[^\n]*\$\{{?{name}\b", text) is not None


def _token(version: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\d.]){re.escape(version)}(?![\d]|\.\d)")


def base_version(text: str, ecosystems: Iterable[Ecosystem]) -> tuple[Ecosystem, str] | None:
    """The language of the last base that is one's, and the version that its tag says."""
    known = [one for one in ecosystems if one.lives.base_versions]
    for stage in reversed(parse(text).stages):
        if stage.parent is not None:
            continue
        name = read_base_name(str(stage.base))
        found = family(name, known)
        if found is None:
            continue
        own = [one for one in found[0].lives.base_versions if _token(one).search(name.tag)]
        number = name.java if name.java in own else name.version
        if number:
            return found[0], number
    return None


def next_versions(ecosystem: Ecosystem, version: str) -> tuple[str, ...]:
    """Newer ones that change the interface, in order; a version that is not known has none."""
    known = ecosystem.lives.base_versions
    own = next((one for one in known if version == one or version.startswith(f"{one}.")), None)
    return tuple(known[known.index(own) + 1 :]) if own is not None else ()


def next_patches(ecosystem: Ecosystem, version: str) -> tuple[str, ...]:
    """The next patches, where the version names one."""
    known = ecosystem.lives.base_versions
    own = next((one for one in known if version.startswith(f"{one}.")), None)
    last = version.rpartition(".")[2]
    if own is None or not last.isdigit():
        return ()
    head = version[: -len(last)]
    return tuple(f"{head}{int(last) + step}" for step in range(1, 4))
