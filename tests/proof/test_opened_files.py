"""What may be missing though it was opened: only what something else in the candidate gives."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from recipes import Recipe, runs_that_opened

from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Comparison, Outcome
from imgopt.proof.checks import opened_files
from imgopt.proof.example import LIBRARIES, Files, Mutation, elf

LOCALE = "usr/lib/locale/C.utf8/LC_CTYPE"
LIBC = "usr/lib/x86_64-linux-gnu/libc.so.6"


def libc(version: str) -> Files:
    return {LIBC: f"GNU C Library (Debian GLIBC) stable release version {version}.\n"}


@pytest.fixture
def lost(view_of: Callable[..., ImageView]) -> Callable[..., Outcome]:
    """The verdict on a candidate that lost the one file that was opened."""

    def judge(path: str, text: str, candidate: Files) -> Outcome:
        before = view_of(Recipe.of(Mutation("original", base={path: text})), 1)
        after = view_of(Recipe.of(Mutation("candidate", base=candidate)), 1)
        runs = runs_that_opened({f"/{path}"})
        return opened_files.CHECK.judge(Comparison(before, after, Allowances(), runs))

    return judge


def test_a_locale_that_the_c_library_has_built_in_may_be_missing(
    lost: Callable[..., Outcome],
) -> None:
    outcome = lost(LOCALE, "x", libc("2.36"))
    assert (outcome.verdict, outcome.allowed) == (
        "passed",
        ("1 file: glibc has the locale C.UTF-8 built in",),
    )


@pytest.mark.parametrize("candidate", [libc("2.31"), {LIBC: "another library"}, {}])
def test_a_locale_is_missed_where_the_c_library_has_it_not(
    candidate: Files, lost: Callable[..., Outcome]
) -> None:
    assert [item.path for item in lost(LOCALE, "x", candidate).items] == [f"/{LOCALE}"]


@pytest.mark.parametrize(
    ("candidate", "verdict"), [({"app/data/a.py": "x = 1"}, "passed"), ({}, "failed")]
)
def test_bytecode_may_be_missing_where_its_source_is_there(
    candidate: Files, verdict: str, lost: Callable[..., Outcome]
) -> None:
    bytecode = "app/data/__pycache__/a.cpython-311.pyc"
    assert lost(bytecode, "x", candidate).verdict == verdict


GREET = f"{LIBRARIES}/libgreet.so.1"


@pytest.mark.parametrize(("needed", "missed"), [((), []), (("libgreet.so.1",), [f"/{GREET}"])])
def test_a_library_is_missed_where_a_program_is_still_linked_with_it(
    needed: tuple[str, ...], missed: list[str], view_of: Callable[..., ImageView]
) -> None:
    built = Mutation("built anew", files={"app/greet": elf(*needed)}, without=(GREET,))
    before, after = view_of(Recipe.of(Mutation("original")), 1), view_of(Recipe.of(built), 1)
    runs = runs_that_opened({"/app/greet", f"/{GREET}"}, {"/app/greet"})
    outcome = opened_files.CHECK.judge(Comparison(before, after, Allowances(), runs))
    assert [item.path for item in outcome.items if item.kind == "missing-library"] == missed
    told = "1 file: libraries that the candidate's programs are linked without"
    assert (told in outcome.allowed) == (not missed)
