"""What holds for every text: nothing is lost, nothing raises, edits touch only their spans."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from imgopt.dockerfile import (
    DockerfileParser,
    Edit,
    IgnoreFile,
    Instruction,
    Span,
    apply_edits,
    expand,
    parse,
    read_shell,
)
from imgopt.dockerfile.expand import ExpansionError
from imgopt.dockerfile.moves import (
    block,
    delete,
    insert_after,
    insert_before,
    move_after,
    move_before,
)
from imgopt.errors import ImgoptError

_PIECES = st.sampled_from(
    [
        *("FROM a", "FROM b AS c", "RUN x", "COPY --from=0 a b", "ENV A=b", "ENV A $B", 'CMD ["a"]', "ARG V=1"),
        *("# escape=`", "# syntax=x", "RUN <<E", "E", "\tE", "COPY <<-'E' /d", "HEALTHCHECK CMD a", "ONBUILD RUN y"),
        *("\n", "\r\n", "\\\n", "`\n", " ", "\t", "\\", "'", '"', "$", "${", "}", "<<", "[", "]"),
        *("\ufeff", "\x00", "é", "\U0001f433", "# c"),
    ]
)  # fmt: skip
_LINES = st.lists(_PIECES, max_size=25).map("".join)
_TEXTS = st.one_of(st.text(max_size=80), _LINES, _LINES.map(lambda text: "FROM a\n" + text))
_FILES = st.lists(
    st.sampled_from(
        [
            "# about it\nRUN x \\\n    && y\n", "RUN z\n", "\n", "COPY <<E /d\nRUN no\nE\n", "ENV A=1\n", "# alone\n\n",
            "copy a b\n", "RUN <<-E\n\tx\n\tE\n",
        ]
    ),
    min_size=2,
    max_size=8,
).map(lambda parts: "# syntax=x\nFROM a\n" + "".join(parts) + "CMD z\n")  # fmt: skip


def span_of(node: object) -> Span:
    return node.extent if isinstance(node, Instruction) else node.span  # type: ignore[attr-defined,no-any-return]


@given(_TEXTS)
@settings(max_examples=400, deadline=None)
def test_every_character_is_in_exactly_one_node(text: str) -> None:
    file = parse(text)
    assert str(file) == text
    assert "".join(text[slice(*span_of(node))] for node in file.nodes) == text
    at = 0
    for node in file.nodes:
        assert span_of(node).start == at
        at = span_of(node).end


@given(_TEXTS)
@settings(max_examples=300, deadline=None)
def test_everything_can_be_asked_of_any_text(text: str) -> None:
    file = parse(text)
    assert all(str(problem.error()) for problem in file.errors)
    for instruction in file.instructions:
        assert (
            instruction.extent.start
            <= instruction.span.start
            <= instruction.span.end
            <= instruction.extent.end
        )
        assert instruction.source == text[slice(*instruction.span)]
        scope = file.scope_at(instruction)
        read_shell(instruction, scope.shell)
    if not file.errors:
        assert file.reachable()


@given(_TEXTS)
@settings(max_examples=200, deadline=None)
def test_the_known_api_answers_any_text(text: str) -> None:
    found = DockerfileParser(fileobj=io.BytesIO(text.encode("utf-8", "surrogateescape")))
    _ = (
        found.json,
        found.parent_images,
        found.cmd,
        found.labels,
        found.envs,
        found.args,
        found.context_structure,
    )
    assert found.content == text


@given(st.text(max_size=60), st.dictionaries(st.sampled_from("ABV"), st.text(max_size=5)))
@settings(max_examples=300, deadline=None)
def test_expansion_answers_or_refuses(word: str, values: dict[str, str]) -> None:
    try:
        assert isinstance(expand(word, values), str)
    except ExpansionError as error:
        assert str(error)


@given(st.text(max_size=60), st.text(max_size=20))
def test_ignore_files_answer_or_refuse(text: str, path: str) -> None:
    try:
        IgnoreFile.parse(text).excludes(path)
    except ImgoptError as error:
        assert error.location is not None


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    text = draw(_TEXTS)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=8)))
    pairs = list(zip(cuts[::2], cuts[1::2], strict=False))
    return text, [Edit(start, end, draw(st.text(max_size=5))) for start, end in pairs]


@given(edits())
def test_bytes_outside_the_edited_spans_are_unchanged(case: tuple[str, list[Edit]]) -> None:
    text, changes = case
    result = apply_edits(text, changes)
    at = 0
    shift = 0
    for start, end, new in sorted(changes, key=lambda change: change[:2]):
        assert result[at + shift : start + shift] == text[at:start]
        assert result[start + shift : start + shift + len(new)] == new
        shift += len(new) - (end - start)
        at = end
    assert result[at + shift :] == text[at:]
    assert len(result) == len(text) + shift


@given(_FILES, st.data())
@settings(max_examples=150, deadline=None)
def test_moving_keeps_every_line_and_the_order_of_the_rest(text: str, data: st.DataObject) -> None:
    file = parse(text)
    chosen, other = (data.draw(st.sampled_from(file.instructions[1:])) for _ in range(2))
    if chosen is other:
        return
    move = data.draw(st.sampled_from([move_before, move_after]))
    moved = parse(apply_edits(text, move(file, chosen, other)))
    assert sorted(moved.text.splitlines()) == sorted(text.splitlines())
    rest = [item.source for item in file.instructions if item is not chosen]
    after = [item.source for item in moved.instructions]
    place = rest.index(other.source) if rest.count(other.source) == 1 else None
    after.remove(chosen.source) if rest.count(chosen.source) == 0 else None
    assert place is None or chosen.source in rest or after == rest
    assert moved.errors == file.errors == ()


@given(_FILES, st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_inserted_can_be_deleted_without_a_trace(text: str, data: st.DataObject) -> None:
    file = parse(text)
    anchor = data.draw(st.sampled_from(file.instructions[1:]))
    insert = data.draw(st.sampled_from([insert_before, insert_after]))
    changed = parse(apply_edits(text, [insert(file, anchor, "USER inserted")]))
    added = [item for item in changed.instructions if item.value == "inserted"]
    assert len(added) == 1
    assert len(changed.instructions) == len(file.instructions) + 1
    assert apply_edits(changed.text, [Edit(*added[0].extent, "")]) == text


@given(_FILES)
def test_a_deleted_instruction_is_gone_and_only_it(text: str) -> None:
    file = parse(text)
    for item in file.instructions[1:]:
        left = parse(apply_edits(text, [delete(file, item)]))
        expected = [other.source for other in file.instructions if other is not item]
        assert [other.source for other in left.instructions] == expected
        assert text[slice(*block(file, item))] not in ("", left.text)
