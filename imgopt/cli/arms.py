"""Which arms a command line of `imgopt bench` asks for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from imgopt.cli import options
from imgopt.errors import FindingsError, InputError, Location

if TYPE_CHECKING:
    from imgopt.bench.arms import ArmSpec
    from imgopt.config import Config
    from imgopt.engine import Session


class Wanted:
    """Which arms the command line asks for."""

    def __init__(
        self,
        context: Path,
        files: Sequence[Path],
        saved: Path | None,
        names: Sequence[str],
        revisions: Sequence[str],
        contexts: Sequence[Path],
        targets: Sequence[str],
    ) -> None:
        self._context, self._files, self._saved, self._names = context, files, saved, names
        self._revisions, self._contexts, self._targets = revisions, contexts, targets

    def arms(self, session: Session, config: Config, dry_run: bool) -> list[ArmSpec]:
        """Two or more; the first is what the others are compared with. Nothing named: what
        `optimize` proves, found first (not for a dry run, which then has only the original)."""
        from imgopt.bench import arms as of

        if self._revisions:
            found = [of.revision(session, self._context, name, config) for name in self._revisions]
            if len(found) == 1:
                found.append(
                    of.original(self._context, _found(self._context, config), "working tree")
                )
            return of.unique(found)
        first = of.original(self._context, _found(self._context, config))
        found = [first]
        if self._saved is not None:
            found += self._saved_variants(first)
        elif not (self._files or self._contexts or self._targets):
            found += [] if dry_run else self._new_variants(session, first, config)
            return found
        for path in self._files:
            found.append(
                of.from_file(path.name, "file", self._context, self._existing(path), config)
            )
        for folder in self._contexts:
            found.append(
                of.original(folder, _without_file(config), folder.name or str(folder), "context")
            )
        found += [of.with_target(first, target) for target in self._targets]
        return of.unique(found)

    def _new_variants(self, session: Session, first: ArmSpec, config: Config) -> list[ArmSpec]:
        """Runs the loop. Raises FindingsError where it proves nothing."""
        from imgopt.bench.arms import variants
        from imgopt.cli.progress import LiveProgress
        from imgopt.loop.request import OptimizeRequest
        from imgopt.loop.run import optimize

        dockerfile = options.find_dockerfile(self._context, config)
        request = OptimizeRequest(
            self._context, dockerfile, config, tuple(self._names), timings=False
        )
        with LiveProgress() as progress:
            result = optimize(session, request, progress)
        found = variants(first, result)
        if not found:
            raise FindingsError(
                f"nothing to compare with: {result.message}",
                hint="name another Dockerfile: --with FILE",
            )
        return found

    def _saved_variants(self, first: ArmSpec) -> list[ArmSpec]:
        from imgopt.bench.arms import variants
        from imgopt.report import load
        from imgopt.results.optimize import OptimizeResult

        saved = Path(self._saved or "")
        result = load(saved)
        if not isinstance(result, OptimizeResult):
            raise InputError("not a result of imgopt optimize", location=Location(str(saved)))
        proven = variants(first, result)
        chosen = [arm for arm in proven if not self._names or arm.name in self._names]
        if not chosen:
            known = ", ".join(arm.name for arm in proven) or "none"
            raise InputError(
                "no such proven variant",
                location=Location(str(saved)),
                hint=f"proven here: {known}",
            )
        return chosen

    def _existing(self, path: Path) -> Path:
        found = next((found for found in (path, self._context / path) if found.is_file()), None)
        if found is None:
            raise InputError("no such Dockerfile", location=Location(str(path)))
        return found


def _found(context: Path, config: Config) -> Config:
    """The configuration with the Dockerfile's path as it is found."""
    path = str(options.find_dockerfile(context, config))
    return msgspec.structs.replace(config, build=msgspec.structs.replace(config.build, file=path))


def _without_file(config: Config) -> Config:
    """Another context has its own Dockerfile."""
    return msgspec.structs.replace(config, build=msgspec.structs.replace(config.build, file=None))
