"""All checks of two images and their runs, in the order in which a reader wants to see them."""

from __future__ import annotations

from collections.abc import Sequence

from imgopt.inspect.image_view import ImageView
from imgopt.inspect.tool_state import is_state
from imgopt.proof.allowances import Allowances
from imgopt.proof.check import Check, not_measured
from imgopt.proof.checks.application_files import check_application_files
from imgopt.proof.checks.certificates import check_certificates
from imgopt.proof.checks.configuration import check_configuration
from imgopt.proof.checks.language_packages import check_language_packages
from imgopt.proof.checks.library_closure import check_library_closure
from imgopt.proof.checks.locale_and_time import check_locale_and_time
from imgopt.proof.checks.modes import check_modes
from imgopt.proof.checks.named_by_sources import check_named
from imgopt.proof.checks.non_root import check_non_root
from imgopt.proof.checks.opened_files import check_opened_files
from imgopt.proof.checks.programs import check_programs
from imgopt.proof.checks.runtime_versions import check_runtime_versions
from imgopt.proof.checks.smoke import SMOKE, check_smoke
from imgopt.proof.checks.stop import STOP, check_stop
from imgopt.proof.checks.system_packages import check_system_packages
from imgopt.run.opened import Opened
from imgopt.run.runs import Runs


def static_checks(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    *,
    opened: Opened | None = None,
    named_packages: Sequence[str] = (),
) -> tuple[Check, ...]:
    """What two images alone can tell; sharper with the files that the original opened."""
    files = opened.files if opened else None
    base = original.base.config if original.base else None
    return (
        check_configuration(
            original.config,
            candidate.config,
            allowances,
            base=base,
            candidate_base=candidate.base.config if candidate.base else None,
            exists=candidate.exists,
            programs=candidate.names,
        ),
        check_application_files(original, candidate, allowances, opened=files),
        check_modes(original, candidate, allowances),
        check_library_closure(original, candidate, allowances, opened=files, named=named_packages),
        check_programs(original, candidate, allowances, opened=opened, named=named_packages),
        check_named(original, candidate, allowances, opened=files),
        check_runtime_versions(original, candidate, allowances, opened=files),
        check_language_packages(original, candidate, allowances, opened=files),
        check_system_packages(original, candidate, allowances, named_packages, opened=files),
        check_locale_and_time(original, candidate, allowances),
        check_certificates(original, candidate, allowances, opened=files),
    )


def judge(
    original: ImageView,
    candidate: ImageView,
    allowances: Allowances,
    runs: Runs,
    *,
    named_packages: Sequence[str] = (),
) -> tuple[Check, ...]:
    """Every check of the proof; those that need a run say `not measured` where there is none."""
    opened = _without_state(original, runs.opened)
    first = runs.originals[0] if runs.originals else None
    return (
        *static_checks(original, candidate, allowances, opened=opened, named_packages=named_packages),
        check_opened_files(original, candidate, opened, allowances, reason=runs.why_not_opened),
        *_behaviour(runs),
        check_non_root(original, candidate, allowances, first, runs.candidate),
    )


def _without_state(original: ImageView, opened: Opened | None) -> Opened | None:
    """What a tool keeps for itself may be read, and is made again where it is not there."""
    if opened is None:
        return None
    files, executed = (
        frozenset(path for path in paths if not is_state(original, path)) for paths in (opened.files, opened.executed)
    )
    return Opened(files, executed)


def _behaviour(runs: Runs) -> tuple[Check, Check]:
    if not runs.originals or runs.candidate is None:
        return not_measured(SMOKE, runs.reason), not_measured(STOP, runs.reason)
    return check_smoke(runs.originals, runs.candidate), check_stop(runs.originals, runs.candidate)
