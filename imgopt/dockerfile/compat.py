"""dockerfile-parse's `DockerfileParser` with BuildKit's grammar under it.

The known API stays. What was wrong in it on real files is right here: continuations with empty
lines, a backslash at the end of the file, an escaped backslash at a line's end, here-documents,
directives in any order, `${V:-x}`, comments inside instructions, `--platform` in FROM. Setters
change the bytes that the change is about and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from dockerfile_parse import DockerfileParser as _Base
from dockerfile_parse.parser import Args, Envs, Labels
from dockerfile_parse.util import Context

from imgopt.dockerfile.directives import Directive
from imgopt.dockerfile.edits import Edit, apply_edits
from imgopt.dockerfile.expand import ExpansionError, Lexer
from imgopt.dockerfile.instruction import Instruction
from imgopt.dockerfile.model import Dockerfile, parse
from imgopt.dockerfile.scope import ScopeBuilder
from imgopt.dockerfile.syntax import Comment
from imgopt.dockerfile.typed import From, KeyValue, Pairs

_VIEWS = {"LABEL": Labels, "ENV": Envs, "ARG": Args}


class DockerfileParser(_Base):  # type: ignore[misc]
    """As dockerfile-parse documents it; `dockerfile` is the same file as our own model.

    >>> import io
    >>> parser = DockerfileParser(fileobj=io.BytesIO(b"FROM a AS b\\nRUN <<E\\nFROM c\\nE\\n"))
    >>> [item["instruction"] for item in parser.structure], parser.is_multistage
    (['FROM', 'RUN'], False)
    """

    def __init__(
        self,
        path: str | None = None,
        cache_content: bool = False,
        env_replace: bool = True,
        parent_env: dict[str, str] | None = None,
        fileobj: Any = None,
        build_args: dict[str, str] | None = None,
    ) -> None:
        """`path` may be a file of any name, or a directory that has a `Dockerfile`."""
        super().__init__(path, False, env_replace, parent_env, fileobj, build_args)
        if path and Path(path).is_file():
            self.dockerfile_path = path
        self.cache_content = cache_content
        self._parsed: Dockerfile | None = None
        if cache_content and (fileobj is not None or Path(self.dockerfile_path).is_file()):
            self.cached_content = self.content

    @property
    def content(self) -> str:
        """The text of the file. Bytes that are not UTF-8 survive a round trip."""
        if self.cache_content and self.cached_content:
            return str(self.cached_content)
        with self._open_dockerfile("rb") as file:
            return str(file.read().decode("utf-8", "surrogateescape"))

    @content.setter
    def content(self, content: str | bytes) -> None:
        data = content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        if self.cache_content:
            self.cached_content = data.decode("utf-8", "surrogateescape")
        with self._open_dockerfile("wb") as file:
            file.write(data)

    @property
    def lines(self) -> list[str]:
        """The lines with their line ends."""
        return _lines(self.content)

    @lines.setter
    def lines(self, lines: Iterable[str | bytes]) -> None:
        self.content = "".join(
            line.decode("utf-8") if isinstance(line, bytes) else line for line in lines
        )

    @property
    def dockerfile(self) -> Dockerfile:
        text = self.content
        if self._parsed is None or self._parsed.text != text:
            self._parsed = parse(text, str(getattr(self, "dockerfile_path", "Dockerfile")))
        return self._parsed

    @property
    def structure(self) -> list[dict[str, Any]]:
        """Instructions and the comments between them, as dicts with instruction, startline and
        endline (from 0), content (all of its lines) and value (the arguments, flags included,
        continuations joined)."""
        text = self.dockerfile.text  # once: each look at the file reads and compares all of it
        return [_described(node, text) for node in self._nodes()]

    def _nodes(self) -> Iterator[Comment | Directive | Instruction]:
        """Directives count as comments, as ever in dockerfile-parse."""
        return (
            node
            for node in self.dockerfile.nodes
            if isinstance(node, Instruction | Comment | Directive)
        )

    @property
    def parent_images(self) -> list[str]:
        """The image of each FROM, variables replaced."""
        return [
            str(stage.base) for stage in self.dockerfile.bind(self.build_args) if stage.start.typed
        ]

    @parent_images.setter
    def parent_images(self, parents: Iterable[str]) -> None:
        froms = [
            stage.start.typed
            for stage in self.dockerfile.stages
            if isinstance(stage.start.typed, From)
        ]
        images = list(parents)
        if len(images) < len(froms):
            raise RuntimeError("not enough parents to match build stages")
        if len(images) > len(froms):
            raise RuntimeError("trying to update too many parents for build stages")
        pairs = zip(froms, images, strict=True)
        self._apply(
            Edit(*typed.image.span, image) for typed, image in pairs if typed.image != image
        )

    @property
    def baseimage(self) -> str | None:
        """The image of the last FROM."""
        images = self.parent_images
        return images[-1] if images else None

    @baseimage.setter
    def baseimage(self, new_image: str) -> None:
        froms = [
            stage.start.typed
            for stage in self.dockerfile.stages
            if isinstance(stage.start.typed, From)
        ]
        if not froms:
            raise RuntimeError("No stage defined to set base image on")
        self._apply([Edit(*froms[-1].image.span, new_image)])

    def _apply(self, edits: Iterable[Edit]) -> None:
        text = self.dockerfile.text
        changed = apply_edits(text, edits)
        if changed != text:
            self.content = changed

    def _last_stage(self) -> tuple[Instruction, ...]:
        stages = self.dockerfile.bind(self.build_args)
        return stages[-1].instructions if stages else self.dockerfile.instructions

    def _instruction_getter(self, name: str, env_replace: bool) -> Any:
        if name not in _VIEWS:
            raise ValueError(f"Unsupported instruction '{name}'")
        found: dict[str, str] = {}
        for instruction, values in self._line_values(self._last_stage(), env_replace):
            if instruction.keyword == name:
                found.update(values)
        return _VIEWS[name](found, self)

    def _line_values(
        self, instructions: Iterable[Instruction], env_replace: bool
    ) -> Iterator[tuple[Instruction, dict[str, str]]]:
        """What each ENV, LABEL and ARG sets, in one walk."""
        file = self.dockerfile
        outer = file.global_scope(self.build_args).args
        builder: ScopeBuilder | None = None
        for instruction in instructions:
            if instruction.keyword == "FROM":
                builder = None
                continue
            if builder is None:
                builder = file.scope_into(instruction, self.build_args, self.parent_env)
            if isinstance(instruction.typed, Pairs):
                values = builder.values if env_replace else None
                yield instruction, self._values_of(instruction, instruction.typed, values, outer)
            builder.add((instruction,))

    def _values_of(
        self,
        instruction: Instruction,
        typed: Pairs,
        values: Mapping[str, str] | None,
        outer: Mapping[str, str],
    ) -> dict[str, str]:
        """What one ENV, LABEL or ARG sets; `outer` are the global arguments."""
        found = {
            _expanded(pair.key, values, instruction.escape): pair.value for pair in typed.pairs
        }
        given: dict[str, str] = {}
        for key, value in found.items():
            if instruction.keyword == "ARG" and key in self.build_args:
                given[key] = self.build_args[key]
            elif value is not None:
                given[key] = _expanded(value, values, instruction.escape)
            else:
                given[key] = outer.get(key, "") if instruction.stage >= 0 else ""
        return given

    def _pairs_named(self, name: str, key: str) -> list[tuple[Instruction, Pairs, KeyValue]]:
        return [
            (instruction, instruction.typed, pair)
            for instruction in self._last_stage()
            if instruction.keyword == name and isinstance(instruction.typed, Pairs)
            for pair in instruction.typed.pairs
            if _expanded(pair.key, None, instruction.escape) == key
        ]

    def _modify_instruction_label_env(
        self, instruction: str, instr_key: str, instr_value: str | None
    ) -> None:
        """Changes the last place that sets the key (it decides), or removes every place."""
        found = self._pairs_named(instruction, instr_key)
        if not found:
            raise KeyError(f"{instr_key} not in {instruction}s")
        if instr_value is not None:
            pair = found[-1][2]
            self._apply([_changed(pair, found[-1][1].legacy, instr_value)])
            return
        removed: dict[Instruction, list[KeyValue]] = {}
        for each, _, pair in found:
            removed.setdefault(each, []).append(pair)
        self._apply(edit for each, pairs in removed.items() for edit in _removals(each, pairs))

    def _add_instruction(self, instruction: str, value: Any) -> None:
        if instruction in _VIEWS and len(value) == 2:
            value = "=".join(map(quote, value))
        text = self.dockerfile.text
        eol = self.dockerfile.eol
        gap = "" if not text or text.endswith("\n") else eol
        self.content = f"{text}{gap}{instruction} {value}{eol}"

    @property
    def context_structure(self) -> list[Any]:
        """For each element of `structure`, the arguments, environment and labels in force after
        it."""
        contexts: list[Any] = []
        walked = self._line_values(self.dockerfile.instructions, self.env_replace)
        set_here = {instruction.span: values for instruction, values in walked}
        last = Context()
        for node in self._nodes():
            keyword = node.keyword if isinstance(node, Instruction) else ""
            if keyword == "FROM":
                last = Context(envs=dict(self.parent_env))
            context = Context(args=dict(last.args), envs=dict(last.envs), labels=dict(last.labels))
            if isinstance(node, Instruction) and keyword in _VIEWS:
                context.set_line_value(keyword, set_here.get(node.span, {}))
            contexts.append(context)
            last = context
        return contexts


def _lines(text: str) -> list[str]:
    """Cut at line feeds only, unlike `str.splitlines`."""
    pieces = [piece + "\n" for piece in text.split("\n")]
    pieces[-1] = pieces[-1][:-1]
    return pieces if pieces[-1] else pieces[:-1]


def _described(node: Comment | Directive | Instruction, text: str) -> dict[str, Any]:
    if isinstance(node, Instruction):
        start, end = node.line - 1, node.end_line - 1
        name, content = node.keyword, text[node.extent.start : node.extent.end]
        value = node.original[len(node.keyword) :].strip()
    else:
        start = end = node.line - 1
        name, content = "COMMENT", text[node.span.start : node.span.end]
        value = content.lstrip().removeprefix("#").lstrip().rstrip("\r\n")
    return {
        "instruction": name,
        "startline": start,
        "endline": end,
        "content": content,
        "value": value,
    }


def _expanded(word: str, values: Mapping[str, str] | None, escape: str) -> str:
    """Quotes removed; variables replaced, or kept when `values` is None."""
    try:
        return Lexer(word, values or {}, escape, skip_unset=values is None).run().text
    except ExpansionError:
        return word


def _changed(pair: KeyValue, legacy: bool, value: str) -> Edit:
    if pair.value_span is None:
        return Edit(pair.span.end, pair.span.end, "=" + quote(value))
    return Edit(*pair.value_span, value if legacy and value else quote(value))


def _removals(instruction: Instruction, pairs: list[KeyValue]) -> Iterator[Edit]:
    """The whole instruction, or every run of pairs with the blanks on one side of it."""
    typed = instruction.typed
    assert isinstance(typed, Pairs)
    if len(pairs) == len(typed.pairs):
        yield Edit(*instruction.extent, "")
        return
    gone = {pair.span for pair in pairs}
    spans = [pair.span for pair in typed.pairs]
    begin = None
    for at, span in enumerate(spans):
        if span in gone and begin is None:
            begin = at
        elif span not in gone and begin is not None:
            yield Edit(spans[begin].start, span.start, "")
            begin = None
    if begin is not None:
        yield Edit(spans[begin - 1].end, spans[-1].end, "")
