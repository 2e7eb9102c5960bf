"""One small service and what can go wrong with it: each change is found by the check for it, and
by no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import cast

import pytest
from recipes import File, Recipe

from imgopt.engine import Session
from imgopt.inspect.image_view import ImageView
from imgopt.proof.allowances import Allowances, Drop
from imgopt.proof.check import Check, Comparison, Outcome
from imgopt.proof.checks.application_files import check_application_files
from imgopt.proof.derive import derive
from imgopt.proof.example import CONFIG, HARMLESS, LAYERS, NAMED, SEEN, Mutation
from imgopt.proof.judge import CHECKS, judge
from imgopt.proof.prove import shown
from imgopt.proof.trial import Judgement, Trial
from imgopt.report import render
from imgopt.results import from_json, to_json
from imgopt.results.proof import Compared, ProofResult
from imgopt.run.settings import SmokeSettings

ORIGINAL = Recipe(LAYERS, CONFIG)


def compared(
    original: ImageView, candidate: ImageView, allowances: Allowances
) -> tuple[Outcome, ...]:
    return judge(Comparison(original, candidate, allowances))


def failed(checks: Iterable[Outcome]) -> dict[str, list[str]]:
    return {
        check.name: [str(item) for item in check.items]
        for check in checks
        if check.verdict == "failed"
    }


Images = Callable[..., ImageView]


@pytest.fixture
def tried(view_of: Images) -> Callable[[Mutation], Judgement]:
    """Judges a change of the example service as every command does, but that both were already
    run."""
    original = view_of(ORIGINAL, 1)

    def judge_change(mutation: Mutation) -> Judgement:
        candidate = view_of(Recipe.of(mutation), 1)
        trial = Trial(cast(Session, None), original, (SEEN, SEEN), SmokeSettings(), named=NAMED)
        assert trial.opened is not None
        return trial.judge(candidate, derive(original, candidate, trial.opened.files), mutation.run)

    return judge_change


MUTATIONS = [
    pytest.param(check, mutation, id=f"{check.name}: {mutation.name}")
    for check in CHECKS
    for mutation in check.mutations
]


@pytest.mark.parametrize(("check", "mutation"), MUTATIONS)
def test_a_mutation_is_refuted_by_its_check_alone(
    check: Check, mutation: Mutation, tried: Callable[[Mutation], Judgement]
) -> None:
    judgement = tried(mutation)
    found = failed(judgement.checks)
    assert list(found) == [check.name], found
    assert mutation.says in " ".join(found[check.name])
    assert judgement.verdict == "refuted"


@pytest.mark.parametrize("mutation", HARMLESS, ids=lambda mutation: mutation.name)
def test_a_harmless_difference_is_proven(
    mutation: Mutation, tried: Callable[[Mutation], Judgement]
) -> None:
    judgement = tried(mutation)
    assert failed(judgement.checks) == {}
    assert [check.name for check in judgement.checks if check.verdict == "not measured"] == []
    assert judgement.verdict == "proven"


def test_every_check_says_what_it_compares_and_has_its_mutations() -> None:
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    assert [check.name for check in CHECKS if not (check.compares and check.mutations)] == []
    assert [m.name for check in CHECKS for m in check.mutations if not m.says] == []


def test_a_check_gives_its_own_name_and_says_what_it_looked_at(
    tried: Callable[[Mutation], Judgement],
) -> None:
    outcomes = tried(HARMLESS[0]).checks
    assert [outcome.name for outcome in outcomes] == [check.name for check in CHECKS]
    assert all(outcome.detail for outcome in outcomes)


def test_another_split_into_layers_is_not_refuted(view_of: Callable[..., ImageView]) -> None:
    one = Recipe(
        (("ADD rootfs", {path: file for _, files in LAYERS for path, file in files.items()}),),
        CONFIG,
    )
    assert failed(compared(view_of(ORIGINAL, 1), view_of(one), Allowances())) == {}


def test_an_intended_drop_is_told_with_its_reason(view_of: Callable[..., ImageView]) -> None:
    candidate = view_of(ORIGINAL.but(without=["app/.git/HEAD"]))
    allowed = Allowances(drops=(Drop("version control data", frozenset({"/app/.git"})),))
    checks = compared(view_of(ORIGINAL, 1), candidate, allowed)
    assert failed(checks) == {}
    assert "1 file: version control data" in [text for check in checks for text in check.allowed]
    assert "application files" in failed(compared(view_of(ORIGINAL, 1), candidate, Allowances()))


def test_names_that_are_no_text_are_told_and_saved(view_of: Callable[..., ImageView]) -> None:
    odd = {"app/\udcff\x1b[31m": "x", "app/tool\n": File("#!/\udcff\x00sh", 0o755)}
    original, candidate = view_of(ORIGINAL.but(files=odd), 1), view_of(ORIGINAL)
    checks = compared(original, candidate, Allowances())
    result = ProofResult(
        original=Compared(image=""),
        candidate=Compared(image=""),
        verdict="refuted",
        checks=list(map(shown, checks)),
    )
    assert from_json(to_json(result), ProofResult) == result
    assert "/app/\\xff\\x1b[31m" in " ".join(failed(checks)["application files"])
    assert "\x1b" not in render(result, "text")


def test_empty_folders_that_a_package_leaves_are_not_the_authors(
    view_of: Callable[..., ImageView],
) -> None:
    folder = File(folder=True)
    made = {
        "var/lib/dpkg/status": "Package: fontconfig-config\nStatus: install ok installed\nVersion: 2\n",
        "usr/local/share/fonts": folder,
        "etc/ssh/ssh_config.d": folder,
        "etc/networks": "loopback 127.0.0.0",
        "data/in": folder,
    }
    original = Recipe(
        (*ORIGINAL.layers[:-1], ("RUN apt-get install", made), ORIGINAL.layers[-1]), CONFIG
    )
    found = failed(compared(view_of(original, 1), view_of(ORIGINAL), Allowances()))
    assert found == {"application files": ["missing file: /data/in"]}


def test_settings_of_a_package_that_is_left_out_are_not_missed(
    view_of: Callable[..., ImageView],
) -> None:
    installed = "Package: {}\nStatus: install ok installed\nVersion: 2\n\n"
    status = "".join(map(installed.format, ("exim4-base", "cron")))
    made = {
        "var/lib/dpkg/status": status,
        "etc/default/exim4": "x",
        "var/lib/exim4/config.autogenerated": "x",
        "etc/cron.d/job": "* * * * * root /app/job\n",
        "etc/mine.conf": "x",
    }
    original = Recipe(
        (*ORIGINAL.layers[:-1], ("RUN apt-get install", made), ORIGINAL.layers[-1]), CONFIG
    )
    kept = {"var/lib/dpkg/status": installed.format("cron")}
    without = Recipe(
        (*ORIGINAL.layers[:-1], ("RUN apt-get install", kept), ORIGINAL.layers[-1]), CONFIG
    )
    found = failed(compared(view_of(original, 1), view_of(without), Allowances()))[
        "application files"
    ]
    assert found == ["missing file: /etc/cron.d/job", "missing file: /etc/mine.conf"]
    opened = frozenset(["/etc/default/exim4"])
    check = check_application_files(
        view_of(original, 1), view_of(without), Allowances(), opened=opened
    )
    assert "missing file: /etc/default/exim4" in map(str, check.items)
