"""The gate on hand-written images: verdicts, attribution, the baseline's states."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest
from image.crafting import f, oci_files, tar, wh, write_directory

from imgopt.ci import check
from imgopt.ci.entries import read_baseline
from imgopt.results.ci import CiResult, Finding

from .conftest import HISTORY, Project, package


def _result(project: Project, **options: object) -> CiResult:
    return check([f"app={project.archive}"], folder=project.folder, **options)  # type: ignore[arg-type]


def _errors(result: CiResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.level == "error"]


def test_no_baseline_is_a_state_of_its_own(project: Project) -> None:
    code, out, _ = project.check()
    assert code == 0 and out.startswith("no baseline")
    assert project.check("--require-baseline")[0] == 2
    assert _result(project).status == "no-baseline"


def test_an_unchanged_image_passes(recorded: Project) -> None:
    result = _result(recorded)
    assert result.status == "passed"
    assert result.images[0].state == "unchanged"
    assert result.images[0].attribution is not None and result.images[0].attribution.delta == 0


def test_a_new_package_names_its_manifest_line_its_instruction_and_itself(
    recorded: Project,
) -> None:
    recorded.write("requirements.txt", "# needed\nflask==3\nHeavy_Models>=1\n")
    recorded.image(packages=package("heavy-models", 30_000_000))
    (error,) = _errors(_result(recorded))
    text = "\n".join(error.causes)
    assert error.rule == "own-layers"
    assert error.place is not None and (error.place.file, error.place.line) == ("Dockerfile", 4)
    assert (
        "package python:heavy-models +30.0 MB (requirements.txt:3, Dockerfile:4, 1.0, new)" in text
    )
    assert (
        "instruction RUN pip install -r requirements.txt && echo done +30.0 MB (Dockerfile:4)"
        in text
    )


def test_a_package_that_only_another_needs_names_the_one_that_was_asked_for(
    recorded: Project,
) -> None:
    recorded.write("requirements.txt", "flask==3\nwrapper\n")
    recorded.image(
        packages=[*package("wrapper", 10, ["deep-data"]), *package("deep-data", 30_000_000)]
    )
    (error,) = _errors(_result(recorded))
    assert any(
        "python:deep-data" in c and "requirements.txt:2" in c and "needed by wrapper" in c
        for c in error.causes
    )


def test_a_stray_archive_fails_with_its_path_and_copy_line(recorded: Project) -> None:
    recorded.image(source=[f("app/backup/dump.tar.gz", 20_000_000)])
    (error,) = _errors(_result(recorded))
    assert error.place is not None and error.place.line == 7
    assert any(
        "path /app/backup/dump.tar.gz +20.0 MB (Dockerfile:7" in cause for cause in error.causes
    )


def test_a_larger_base_warns_and_blames_nobody(recorded: Project) -> None:
    recorded.image(base=16_000_000)
    result = _result(recorded)
    assert result.status == "warned" and result.exit_code() == 0
    (warning,) = [finding for finding in result.findings if finding.level == "warn"]
    assert warning.rule == "base" and "nobody's change" in warning.hint
    attribution = result.images[0].attribution
    assert attribution is not None and attribution.base is not None
    assert attribution.own == 0 and attribution.base.delta == 10_997_760
    assert attribution.instructions == []


def test_a_smaller_image_passes_and_offers_the_ratchet(recorded: Project) -> None:
    before = read_baseline(recorded.baseline)
    recorded.image(base=1_000_000)
    code, out, _ = recorded.check()
    assert code == 0 and "--ratchet" in out
    assert read_baseline(recorded.baseline) == before
    code, _, err = recorded.check("--ratchet")
    assert code == 0 and "recorded app linux/amd64" in err
    assert (read_baseline(recorded.baseline) or {})["app linux/amd64"].sizes.tar < 5_000_000  # type: ignore[operator]


def test_the_ratchet_never_raises(recorded: Project) -> None:
    before = recorded.baseline.read_text()
    recorded.image(source=[f("app/a", 1_000_000)])
    assert recorded.check("--ratchet")[0] == 0
    assert recorded.imgopt("baseline", "--ratchet", f"app={recorded.archive}")[0] == 0
    assert recorded.baseline.read_text() == before


def test_an_accepted_growth_passes_until_its_date_and_no_further(recorded: Project) -> None:
    recorded.image(source=[f("app/model.bin", 20_000_000)])
    code, _, err = recorded.imgopt(
        "accept",
        "--because",
        "the model is needed",
        "--until",
        "2999-12-31",
        f"app={recorded.archive}",
    )
    assert code == 0 and "until 2999-12-31" in err
    accepted = _result(recorded, today=datetime.date(2999, 12, 31))
    assert accepted.status == "passed"
    assert [rule.verdict for rule in accepted.images[0].rules if rule.rule == "own-layers"] == [
        "accepted"
    ]
    after = _result(recorded, today=datetime.date(3000, 1, 1))
    assert after.status == "failed"
    assert any("counts again" in note for note in after.images[0].notes)
    recorded.image(source=[f("app/model.bin", 20_020_000)])
    assert _result(recorded).status == "failed"


def test_an_acceptance_without_date_becomes_the_baseline_and_says_who_and_why(
    recorded: Project,
) -> None:
    recorded.image(source=[f("app/model.bin", 20_000_000)])
    assert recorded.imgopt("accept", "--because", "it is needed", f"app={recorded.archive}")[0] == 0
    entry = (read_baseline(recorded.baseline) or {})["app linux/amd64"]
    assert entry.accepted is not None
    assert (entry.accepted.because, entry.accepted.by) == (
        "it is needed",
        "Ada Example <ada@example.org>",
    )
    assert _result(recorded).status == "passed"


@pytest.mark.parametrize("until", ["2001-01-01", "soon", "2999-13-01"])
def test_a_date_that_is_none_or_past_is_refused(recorded: Project, until: str) -> None:
    code, _, err = recorded.imgopt(
        "accept", "--because", "x", "--until", until, f"app={recorded.archive}"
    )
    assert code == 2 and until in err


def test_two_fine_branches_that_add_up_to_a_breach_are_caught_on_merge(recorded: Project) -> None:
    one, two = f("app/one.bin", 3_000_000), f("app/two.bin", 3_000_000)
    for sources, status in (([one], "passed"), ([two], "passed"), ([one, two], "failed")):
        recorded.image(source=sources)
        assert _result(recorded).status == status
    recorded.git("checkout", "--quiet", "-b", "feature")
    recorded.imgopt("baseline", f"app={recorded.archive}")
    recorded.commit("the branch writes a new baseline")
    assert _result(recorded).status == "passed"
    assert _result(recorded, against="main").status == "failed"
    code, out, _ = recorded.check("--against", "main")
    assert code == 1 and "the merge base with main" in out


def test_another_image_can_be_compared_with(project: Project, tmp_path: Path) -> None:
    other = project.image(path=tmp_path / "other.tar")
    project.image(source=[f("app/x.bin", 9_000_000)])
    result = _result(project, against_image=str(other))
    assert result.status == "failed" and result.against == str(other)


def test_every_explanation_sums_to_the_change(recorded: Project) -> None:
    recorded.image(
        base=6_000_000,
        packages=package("other", 700_000),
        source=[f("app/a/b/c", 123_457), f("app/d", 11), wh("app/requirements.txt")],
    )
    for metric in ("tar", "payload", "live"):
        recorded.write("imgopt.toml", f'[ci]\nmetric = "{metric}"\n')
        attribution = _result(recorded).images[0].attribution
        assert attribution is not None and attribution.base is not None
        for causes in (attribution.instructions, attribution.packages, attribution.paths):
            assert (
                sum(cause.delta for cause in causes) + attribution.base.delta == attribution.delta
            )


def test_a_moved_and_an_edited_instruction_are_matched(recorded: Project) -> None:
    swapped = [HISTORY[0], HISTORY[1], HISTORY[2], HISTORY[3], HISTORY[5], HISTORY[4], HISTORY[6]]
    swapped[5] = {
        "created_by": "RUN /bin/sh -c pip install --quiet -r requirements.txt && echo done # buildkit"
    }
    recorded.write(
        "Dockerfile",
        "FROM debian:bookworm-slim\nWORKDIR /app\nCOPY requirements.txt .\nCOPY . .\n"
        "RUN pip install --quiet -r requirements.txt && echo done\nCMD x\n",
    )
    recorded.image(history=swapped)
    attribution = _result(recorded).images[0].attribution
    assert attribution is not None
    details = {cause.name: cause.detail for cause in attribution.instructions}
    assert not any(detail in ("new", "removed") for detail in details.values())


def test_the_dockerfile_of_another_image_names_no_lines(recorded: Project) -> None:
    recorded.write(
        "Dockerfile",
        "FROM node\nWORKDIR /srv\nCOPY package.json .\nRUN npm ci\nCOPY src src\nCMD node .\n",
    )
    recorded.image(source=[f("app/x", 20_000_000)])
    result = _result(recorded)
    (error,) = _errors(result)
    assert error.place is not None and error.place.line == 1
    assert any("did not build this image" in note for note in result.images[0].notes)
    assert any("instruction COPY . . +20.0 MB" in cause for cause in error.causes)


def test_a_breach_that_rounding_would_hide_is_printed_in_bytes(recorded: Project) -> None:
    size = _result(recorded).images[0].sizes.tar or 0
    recorded.write("imgopt.toml", f'[ci.rules]\ntotal = ["error", {{max = "{size - 1} B"}}]\n')
    code, out, _ = recorded.check()
    assert code == 1 and f"{size:,} B" in out and f"{size - 1:,} B" in out


def test_absolute_limits_hold_without_a_baseline(project: Project) -> None:
    project.write("imgopt.toml", '[ci.rules]\ntotal = ["error", {max = "1 MB"}]\n')
    assert project.check()[0] == 1


def test_budgets_for_paths_and_packages(recorded: Project) -> None:
    recorded.write(
        "imgopt.toml",
        '[[ci.paths]]\nmatch = "/usr/lib/**"\nmax = "1 MB"\n[[ci.packages]]\nmatch = "flask"\nmax = "100 kB"\n'
        '[[ci.packages]]\nmatch = "python:none*"\nmax = "1 B"\nlevel = "warn"\n',
    )
    errors = _errors(_result(recorded))
    assert {(error.rule, error.subject) for error in errors} == {
        ("path", "/usr/lib/**"),
        ("package", "flask"),
    }


def test_overrides_for_one_image(recorded: Project) -> None:
    recorded.write(
        "imgopt.toml",
        '[[ci.image]]\nmatch = "ap*"\nrules = {root-user = "error"}\n[ci.rules]\nroot-user = "off"\n',
    )
    assert [error.rule for error in _errors(_result(recorded))] == ["root-user"]


def test_setuid_and_secrets_are_found_with_their_line(recorded: Project) -> None:
    recorded.image(source=[f("app/.env", b"PASSWORD=x"), f("app/run", b"#!/bin/sh\n", mode=0o4755)])
    found = {
        finding.rule: finding for finding in _result(recorded).findings if finding.level == "warn"
    }
    assert found["secrets"].subject == "/app/.env" and found["secrets"].place.line == 7  # type: ignore[union-attr]
    assert found["setuid"].subject == "/app/run"
    recorded.imgopt("baseline", f"app={recorded.archive}")
    assert {f.rule for f in _result(recorded).findings if f.level == "warn"} == {"secrets"}


@pytest.mark.parametrize(
    ("path", "contents", "secret"),
    [
        ("app/.env", b"A=1", True),
        ("app/.env.production", b"A=1", True),
        ("app/.env.example", b"A=1", False),
        ("root/.ssh/id_rsa", b"x", True),
        ("app/tls.key", b"-----BEGIN RSA PRIVATE KEY-----\n", True),
        ("app/ca.pem", b"-----BEGIN CERTIFICATE-----\n", False),
        ("root/.npmrc", b"//registry/:_authToken=abc\n", True),
        ("root/.npmrc", b"//registry/:_authToken=${TOKEN}\n", False),
        ("root/.npmrc", b"color=true\n", False),
        ("etc/pip.conf", b"[global]\nindex-url = https://me:pw@host/simple\n", True),
        ("usr/lib/python3/dist-packages/tests/server.key", b"-----BEGIN PRIVATE KEY-----\n", False),
    ],
)
def test_what_looks_like_a_secret(
    recorded: Project, path: str, contents: bytes, secret: bool
) -> None:
    recorded.image(source=[f(path, contents)])
    assert any(finding.rule == "secrets" for finding in _result(recorded).findings) == secret


def test_a_deleted_secret_is_still_found(recorded: Project) -> None:
    recorded.image(packages=[f("root/.netrc", b"machine x password y")], source=[wh("root/.netrc")])
    assert any(finding.subject == "/root/.netrc" for finding in _result(recorded).findings)


def test_figures_are_the_same_from_archive_and_layout(recorded: Project, tmp_path: Path) -> None:
    layers = [tar(f("a", 1000)), tar(f("b/c", 2_000_000), wh("a"))]
    layout = write_directory(tmp_path / "layout", oci_files(layers))
    from image.crafting import config, docker_archive

    archive = docker_archive(tmp_path / "same.tar", layers, config(layers))
    sizes = [
        check([f"x={each}"], folder=recorded.folder).images[0].sizes for each in (archive, layout)
    ]
    for metric in ("tar", "payload", "live"):
        assert sizes[0].of(metric) == sizes[1].of(metric)  # type: ignore[arg-type]


def test_build_arguments_are_never_written_down(project: Project) -> None:
    history = [dict(step) for step in HISTORY]
    history[4]["created_by"] = (
        "RUN |1 TOKEN=hunter2 /bin/sh -c pip install -r requirements.txt && echo done # buildkit"
    )
    project.image(history=history)
    project.imgopt("baseline", f"app={project.archive}")
    assert "hunter2" not in project.baseline.read_text() + project.check("--format", "json")[1]


def test_the_exit_code_does_not_depend_on_the_format(recorded: Project) -> None:
    recorded.image(source=[f("app/x", 6_000_000)])
    for name in (
        "text",
        "json",
        "markdown",
        "sarif",
        "junit",
        "gitlab",
        "github",
        "rdjson",
        "metrics",
        "bencher",
    ):
        assert recorded.check("--format", name)[0] == 1
    assert recorded.check("--fail-on", "never")[0] == 0
    assert recorded.check("--fail-on", "sometimes")[0] == 2


def test_the_history_names_the_commits_that_changed_most(recorded: Project) -> None:
    recorded.image(source=[f("app/x", 3_000_000)])
    recorded.imgopt("baseline", f"app={recorded.archive}")
    recorded.commit("add x")
    recorded.write("notes.txt", "nothing")
    recorded.commit("notes")
    recorded.image(base=1_000_000)
    recorded.imgopt("baseline", f"app={recorded.archive}")
    recorded.commit("smaller base")
    code, out, _ = recorded.imgopt("history", "--format", "json")
    points = json.loads(out)["images"][0]["points"]
    assert code == 0 and [point["subject"] for point in points] == [
        "baseline",
        "add x",
        "smaller base",
    ]
    assert points[1]["delta"] > 2_900_000 and points[2]["base_changed"]
    assert "add x" in recorded.imgopt("history")[1]


def test_a_fix_is_offered_with_the_bytes_it_saves(recorded: Project) -> None:
    recorded.image(packages=[f("root/.cache/pip/http/ab", 12_000_000)])
    (error,) = _errors(_result(recorded))
    assert error.fix is not None and error.fix.saves == 12_000_000
    assert error.fix.place.line == 4 and "pip install" in error.fix.replacement


def test_the_cost_of_a_rebuild_follows_git_history(recorded: Project) -> None:
    recorded.write("imgopt.toml", '[ci.rules]\nrebuild = ["error", {max = "100 kB"}]\n')
    for number in range(3):
        recorded.write("main.py", f"print({number})\n")
        recorded.commit("edit the source")
    (rule,) = [rule for rule in _result(recorded).images[0].rules if rule.rule == "rebuild"]
    copied = 2_560
    assert (
        rule.verdict == "passed" and rule.measured is not None and copied <= rule.measured < 100_000
    )
    for number in range(9):
        recorded.write("requirements.txt", f"flask==3.{number}\n")
        recorded.commit("edit the manifest")
    (error,) = _errors(_result(recorded))
    assert error.rule == "rebuild" and error.place is not None and error.place.line == 3
