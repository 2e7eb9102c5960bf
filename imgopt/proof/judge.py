"""All checks of two images and their runs, in the order in which a reader wants to see them."""

from __future__ import annotations

from imgopt.proof.advice import without_intended
from imgopt.proof.check import Check, Comparison, Outcome
from imgopt.proof.checks import (
    application_files,
    certificates,
    companions,
    configuration,
    language_packages,
    library_closure,
    locale_and_time,
    modes,
    named_accounts,
    named_by_sources,
    non_root,
    opened_files,
    own_tests,
    processes,
    programs,
    runtime_versions,
    smoke,
    stop,
    stored_files,
    system_packages,
    tables,
)

CHECKS: tuple[Check, ...] = (
    configuration.CHECK,
    application_files.CHECK,
    modes.CHECK,
    library_closure.CHECK,
    programs.CHECK,
    named_by_sources.CHECK,
    runtime_versions.CHECK,
    language_packages.CHECK,
    system_packages.CHECK,
    locale_and_time.CHECK,
    tables.CHECK,
    named_accounts.CHECK,
    certificates.CHECK,
    opened_files.CHECK,
    smoke.CHECK,
    own_tests.CHECK,
    companions.CHECK,
    stored_files.CHECK,
    processes.CHECK,
    stop.CHECK,
    non_root.CHECK,
)


def judge(comparison: Comparison) -> tuple[Outcome, ...]:
    """What each check says; those that need a run say `not measured` where there is none.
    Tests that nobody named are not missed, nor companions that no file names."""
    said, originals = comparison.allowances.configuration, comparison.runs.originals
    wanted = {
        own_tests.OWN_TESTS: any(run.tests is not None for run in originals),
        companions.COMPANIONS: any(run.companions for run in originals),
        stored_files.STORED_FILES: any(run.stored for run in originals),
    }
    checks = [check for check in CHECKS if wanted.get(check.name, True)]
    return tuple(without_intended(check.judge(comparison), said) for check in checks)
