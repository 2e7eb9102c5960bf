"""Edits by span, and edits of whole instructions and stages in the file's own style."""

from __future__ import annotations

import pytest

from imgopt.dockerfile import Edit, Style, apply_edits, parse
from imgopt.dockerfile.moves import (
    append_to_stage,
    block,
    delete,
    delete_all,
    insert_after,
    insert_at_top,
    insert_before,
    insert_stage,
    move_after,
    move_before,
    renumber,
    replace,
)
from imgopt.errors import InputError


def test_edits_apply_together_and_insertions_keep_their_order() -> None:
    edits = [Edit(4, 5, "E"), Edit(0, 0, "1"), Edit(0, 0, "2"), Edit(0, 1, "A"), Edit(6, 6, "!")]
    assert apply_edits("abcdef", edits) == "12Abcd" + "E" + "f!"


def test_neighbours_do_not_overlap() -> None:
    assert apply_edits("abcd", [Edit(0, 2, "x"), Edit(2, 4, "y"), Edit(2, 2, "-")]) == "x-y"


@pytest.mark.parametrize(
    "edits", [[Edit(0, 3, "x"), Edit(2, 4, "y")], [Edit(0, 4, ""), Edit(1, 1, "z")]]
)
def test_overlap_is_an_error(edits: list[Edit]) -> None:
    with pytest.raises(InputError, match="overlap at line 1"):
        apply_edits("abcd", edits)


@pytest.mark.parametrize("edit", [Edit(3, 9, ""), Edit(-1, 0, ""), Edit(2, 1, "")])
def test_edits_outside_the_text_are_an_error(edit: Edit) -> None:
    with pytest.raises(InputError, match="outside"):
        apply_edits("abc", [edit])


TEXT = (
    "# syntax=x\n# header\n\nFROM a AS one\n\n# about x\n#  more\nRUN x \\\n  y\n\nCOPY b c\n"
    "\nFROM d\n# from one\nCOPY --from=one e f\nCMD g\n"
)
FILE = parse(TEXT)
FROM, RUN, COPY, FROM2, COPY2, CMD = FILE.instructions


def done(*edits: Edit) -> str:
    text = apply_edits(TEXT, edits)
    assert parse(text).directives[0].value == "x"
    return text


def test_a_block_has_the_comments_directly_above() -> None:
    assert TEXT[slice(*block(FILE, RUN))] == "# about x\n#  more\nRUN x \\\n  y\n"
    assert TEXT[slice(*block(FILE, FROM))] == "FROM a AS one\n"


def test_replace_leaves_comments_and_line_ends() -> None:
    assert done(replace(RUN, "RUN z")) == TEXT.replace("RUN x \\\n  y\n", "RUN z\n")


def test_delete_takes_its_comments_and_one_of_two_gaps() -> None:
    assert done(delete(FILE, RUN)) == TEXT.replace("# about x\n#  more\nRUN x \\\n  y\n\n", "")
    assert done(delete(FILE, RUN, comments=False)) == TEXT.replace("RUN x \\\n  y\n", "")


def test_insert_before_goes_above_the_comments() -> None:
    assert done(insert_before(FILE, RUN, "ENV A=1")) == TEXT.replace(
        "# about x", "ENV A=1\n# about x"
    )


def test_insert_after() -> None:
    assert done(insert_after(FILE, RUN, "ENV A=1\nENV B=2")) == TEXT.replace(
        "  y\n", "  y\nENV A=1\nENV B=2\n"
    )


def test_append_to_stage_stays_in_the_stage() -> None:
    assert done(append_to_stage(FILE, FILE.stages[0], "USER 1")) == TEXT.replace(
        "COPY b c\n", "COPY b c\nUSER 1\n"
    )
    assert done(append_to_stage(FILE, FILE.stages[1], "USER 1")) == TEXT + "USER 1\n"


def test_moved_instructions_bring_their_comments() -> None:
    moved = "# about x\n#  more\nRUN x \\\n  y\n"
    rest = TEXT.replace(moved, "")
    assert done(*move_after(FILE, RUN, COPY)) == rest.replace("COPY b c\n", "COPY b c\n" + moved)
    assert done(*move_before(FILE, RUN, CMD)) == rest.replace("CMD g\n", moved + "CMD g\n")


def test_directives_stay_first() -> None:
    assert done(insert_at_top(FILE, "ARG A")) == TEXT.replace("# syntax=x\n", "# syntax=x\nARG A\n")
    assert (
        apply_edits("\ufeffFROM a", [insert_at_top(parse("\ufeffFROM a"), "ARG A")])
        == "\ufeffARG A\nFROM a"
    )
    shebang = "#!/x\n# syntax=y\nFROM a\n"
    assert (
        apply_edits(shebang, [insert_at_top(parse(shebang), "ARG A")])
        == "#!/x\n# syntax=y\nARG A\nFROM a\n"
    )


def test_a_file_without_a_final_line_end_keeps_it_so() -> None:
    file = parse("FROM a\nRUN b")
    assert (
        apply_edits(file.text, [insert_after(file, file.instructions[1], "RUN c")])
        == "FROM a\nRUN b\nRUN c"
    )
    assert (
        apply_edits(file.text, move_before(file, file.instructions[1], file.instructions[0]))
        == "RUN b\nFROM a\n"
    )


@pytest.mark.parametrize("tail", [" \\", " \\\n", " \\\n# c\n", "\\  \n\n"])
def test_nothing_is_swallowed_by_a_file_that_ends_in_a_continuation(tail: str) -> None:
    file = parse("FROM a\nRUN b" + tail)
    text = apply_edits(file.text, [insert_after(file, file.instructions[1], "RUN c")])
    assert [item.value.strip() for item in parse(text).instructions] == ["a", "b", "c"]


def test_windows_line_ends_are_kept() -> None:
    file = parse("FROM a\r\nRUN b\r\n")
    assert apply_edits(file.text, [insert_after(file, file.instructions[0], "RUN c\nRUN d")]) == (
        "FROM a\r\nRUN c\r\nRUN d\r\nRUN b\r\n"
    )


def test_a_heredoc_moves_whole() -> None:
    file = parse("FROM a\nRUN <<E\nx\nE\nCMD y\n")
    assert apply_edits(file.text, move_after(file, file.instructions[1], file.instructions[2])) == (
        "FROM a\nCMD y\nRUN <<E\nx\nE\n"
    )


def test_a_new_stage_renumbers_what_comes_after_it() -> None:
    text = (
        'FROM a\nFROM b\nCOPY --from=0 x y\nFROM c\nCOPY --from=1 x y\nCOPY --chown=1 --from="1" x y\n'
        "RUN --mount=type=bind,from=1,target=/1 x\nONBUILD COPY --from=1 x y\nCOPY --from=golang:1 x y\n"
    )
    file = parse(text)
    changed = apply_edits(text, insert_stage(file, file.stages[1], "FROM new AS n\nRUN z"))
    assert changed == (
        "FROM a\nFROM new AS n\nRUN z\n\nFROM b\nCOPY --from=0 x y\nFROM c\nCOPY --from=2 x y\n"
        "COPY --chown=1 --from=2 x y\n"
        "RUN --mount=type=bind,from=1,target=/1 x\nONBUILD COPY --from=2 x y\nCOPY --from=golang:1 x y\n"
    )
    assert [stage.index for stage in parse(changed).needs(parse(changed).stages[3])] == [2]


def test_taking_a_stage_away_renumbers_too() -> None:
    file = parse("FROM a\nFROM b\nFROM c\nCOPY --from=1 x y\n")
    assert renumber(file, 1, -1) == [Edit(*file.instructions[3].typed.from_.span, "0")]  # type: ignore[union-attr]


STYLES = {
    "FROM a\nRUN b \\\n && c \\\n && d\n": (True, " ", True),
    "from a\nrun b && \\\n\tc && \\\n\td\n": (False, "\t", False),
    "FROM a\nrun b \\\n      && c\nENV x\n": (True, "      ", True),
    "FROM a\n": (True, "    ", True),
}


@pytest.mark.parametrize("text", STYLES)
def test_style_is_the_authors(text: str) -> None:
    style = Style.of(parse(text))
    assert (style.upper, style.indent, style.operator_first) == STYLES[text]


def test_text_in_the_authors_style() -> None:
    first = Style.of(parse("FROM a\nRUN b \\\n  && c\n"))
    assert first.instruction("run", first.chain(["x", "y"])) == "RUN x \\\n  && y"
    last = Style.of(parse("from a\r\nrun b && \\\r\n\tc\r\n"))
    assert last.instruction("RUN", last.chain(["x", "y"])) == "run x && \\\r\n\ty"
    assert last.instruction("COPY", "a b", ["--from=c"]) == "copy --from=c a b"
    assert last.wrapped(["apt-get install", "a", "b"]) == "apt-get install \\\r\n\ta \\\r\n\tb"
    backquote = Style.of(parse("# escape=`\nFROM a\n"))
    assert backquote.chain(["x", "y"]) == "x `\n    && y"
    assert backquote.chain(["x", "y"], ";") == "x; `\n    y"


def test_instructions_that_stand_together_leave_no_double_gap() -> None:
    dockerfile = parse("FROM a\n\nARG B\nENV C=1\n\nRUN x\nARG D\n")
    items = [item for item in dockerfile.instructions if item.keyword in ("ARG", "ENV")]
    assert apply_edits(dockerfile.text, delete_all(dockerfile, items)) == "FROM a\n\nRUN x\n"
