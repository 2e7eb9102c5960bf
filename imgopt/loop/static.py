"""The static mode: the same strategies, as far as text, lock files and known bases allow."""

from __future__ import annotations

from pathlib import Path

from imgopt.config import Config
from imgopt.context.absent import absent_sources
from imgopt.dockerfile import Dockerfile, IgnoreFile
from imgopt.results.rewrite import Finding, RewriteResult, StaticVariant
from imgopt.rewrite.ignored.secret_files import secret_files
from imgopt.rewrite.plan import make_plan
from imgopt.rewrite.source import ignored_files, read_source
from imgopt.rewrite.strategy import ContextFiles, Project
from imgopt.strategies.variants import choose_variants, strategies_of


def rewrite_static(
    context: Path, dockerfile: Path, config: Config, variants: tuple[str, ...]
) -> RewriteResult:
    """Plans without an engine. Raises InputError for a missing or refused Dockerfile."""
    source = read_source(context, dockerfile, config)
    project = Project(
        source.context,
        source.ecosystems,
        target=config.build.target,
        args=config.build.args,
        churn=source.churn,
        allow=frozenset(config.rewrite.allow),
    )
    found = []
    for kind in choose_variants(variants or config.rewrite.variants):
        strategies = strategies_of(kind, config.rewrite.disable, config.rewrite.allow, carves=False)
        plan = make_plan(source.text, project, strategies)
        found.append(
            StaticVariant(
                name=kind.name,
                dockerfile=plan.dockerfile,
                dockerignore=plan.ignore,
                changes=list(plan.changes),
                skips=list(plan.skips),
            )
        )
    name = dockerfile.relative_to(context) if dockerfile.is_relative_to(context) else dockerfile
    findings = [
        *secret_files(source.dockerfile, source.context, config.build.target),
        *absent_files(source.dockerfile, source.context, config),
    ]
    return RewriteResult(
        dockerfile=str(name),
        original=source.text,
        ignored=ignored_files(source.context),
        variants=found,
        findings=findings,
    )


def absent_files(dockerfile: Dockerfile, context: ContextFiles, config: Config) -> list[Finding]:
    """One finding for each source that a build would not find."""
    ignore = IgnoreFile.parse(context.ignore) if context.ignore is not None else None
    found = absent_sources(
        dockerfile, context.root, ignore, config.build.target, dict(config.build.args)
    )
    return [
        Finding(
            id="absent-source",
            level="warning" if one.made else "error",
            file=one.source,
            line=one.line,
            message=one.text,
            hint="a build fails at this line: name what is in the context, or bring it there first",
        )
        for one in found
    ]
